"""The screen "Field mapping": what stands where, and what would be done about it."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext_lazy
from wagtail.models import Locale

from tests.conftest import site_rows
from tests.pim_data import TAXONOMY, WEBSITE, guid
from tests.trial.models import TrialProductPage
from wagtail_pim.catalog.setup_changes import State
from wagtail_pim.jobs import SynchronizeSetupData, runs
from wagtail_pim.kinds import Kind
from wagtail_pim.models import CatalogPage, JobRun, PimLink, RelationshipType
from wagtail_pim.models.runs import Trigger

from .test_jobs import OF_JOBS, german_client, text_of, with_permissions  # noqa: F401

URL = "/admin/pim/mapping/"
BICYCLE = "shopbicyclepage"
TRIAL = "trialtrialproductpage"


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def section(response: Any, name: str) -> str:
    """What stands in the panel of this id."""
    html = response.content.decode()
    return html.split(f'id="pim-mapping-{name}-section"')[1].split("</section>")[0]


def rows(response: Any, name: str) -> dict[str, str]:
    """The texts of a panel's rows, by the heading of each."""
    found = {}
    for row in re.findall(r"<tr>.*?</tr>", section(response, name), re.DOTALL):
        if heading := re.search(r'<th scope="row".*?</th>', row, re.DOTALL):
            found[text(heading[0])] = text(row.replace(heading[0], ""))
    return found


def synchronize() -> JobRun:
    run = runs.start(SynchronizeSetupData.name, trigger=Trigger.COMMAND)
    return runs.carry_out(run.pk)


@pytest.fixture
def screen(admin_client, site, configure) -> Any:
    """The screen at this moment."""
    return lambda query="": admin_client.get(f"{URL}{query}")


# Who may


def test_it_is_for_those_who_may_do_anything_with_jobs(pim, site, configure):
    for codename in OF_JOBS:
        assert with_permissions(codename).get(URL).status_code == 200
    others = with_permissions("view_pimlink", "change_pimoptions")
    assert others.get(URL).url == reverse("wagtailadmin_home")
    assert Client().get(URL).url.startswith(reverse("wagtailadmin_login"))


def test_it_is_only_looked_at(admin_client):
    assert admin_client.post(URL).status_code == 405


def test_the_job_is_started_by_those_who_may(pim, site, configure):
    start = reverse("wagtail_pim:start", args=[SynchronizeSetupData.name])
    assert start not in with_permissions("view_jobrun").get(URL).content.decode()
    html = with_permissions("run_jobs").get(URL).content.decode()
    assert html.count(start) == 1
    assert 'name="dry_run"' in html


def test_looking_writes_nothing_here_or_in_the_pim(
    pim, pim_server, screen, queries, publish
):
    publish()
    pim_server.requests.clear()
    before = site_rows()
    with queries() as captured:
        assert screen().status_code == 200
    assert captured.writes() == []
    assert site_rows() == before
    assert {request.method for request in pim_server.requests} == {"GET"}


# How fields stand


def test_what_the_pim_lacks_is_new(pim, screen):
    response = screen()
    assert rows(response, TRIAL)["Choice choice"] == (
        "Choice one of a list Dropdown – yes yes new "
        "The property is created. It is assigned to the template."
    )
    assert rows(response, BICYCLE)["Gears gears"].endswith(
        "new Left as the PIM has it, as it is not what this site wrote there last: "
        "Required no, here yes; Number of decimals empty, here 0. It is assigned to "
        "the template."
    )
    assert "TrialProductPage new It is created in the PIM." in text(
        section(response, TRIAL)
    )


def test_what_the_job_has_written_is_in_step(pim, screen):
    synchronize()
    response = screen()
    assert rows(response, TRIAL)["Choice choice"] == (
        "Choice Choice one of a list Dropdown one of a list Dropdown yes yes in step"
    )
    assert "TrialProductPage in step" in text(section(response, TRIAL))
    assert rows(response, "language")["en"] == "in step"


def test_a_label_that_changed_here_is_told_with_both(pim, screen, monkeypatch):
    synchronize()
    ratio = TrialProductPage._meta.get_field("ratio")
    monkeypatch.setattr(ratio, "verbose_name", "gear ratio")
    assert rows(screen(), TRIAL)["Gear ratio ratio"].endswith(
        "differs Label: “Ratio” becomes “Gear ratio”."
    )


def test_a_label_that_changed_in_the_pim_is_left(pim, screen):
    synchronize()
    made = pim.store.find("properties", name="Ratio")[0]
    pim.store.patch("properties", made["id"], displayName="Their ratio")
    assert rows(screen(), TRIAL)["Ratio ratio"].endswith(
        "differs Left as the PIM has it, as it is not what this site wrote there last: "
        "Label “Their ratio”, here “Ratio”."
    )


def test_a_conflict_says_what_a_person_has_to_do(pim, screen):
    pim.property("Weight", "Text Field")
    row = rows(screen(), BICYCLE)["Weight (kg) weight"]
    assert row.startswith(
        "Weight Weight number Decimal text Text Field yes no conflict"
    )
    assert "the property “Weight” is text, but BicyclePage.weight is number" in row
    assert "Assign another one, of the control type Decimal, to the template" in row


def test_names_of_the_pim_are_shown_without_what_steers_text(pim, screen):
    pim.property("Weight", "Text Field", displayName="W\x00e\u202eight")
    pim.store.put("templates", {"name": "B\u202eoat"})
    pim.store.put("categoryTaxonomies", {"name": "T\x00ree"})
    html = screen().content.decode()
    assert "W\ufffde\ufffdight" in html
    assert "B\ufffdoat" in html
    assert "T\ufffdree" in html
    assert "\x00" not in html
    assert "\u202e" not in html


def test_a_field_that_takes_any_property_says_so(pim, screen):
    row = rows(screen(), "shopgenericvariantpage")["Specifications specifications"]
    assert row.startswith("Takes every property of the PIM")


def test_classes_that_are_kept_out_are_listed(pim, screen):
    response = screen()
    assert "shop.GiftCardPage" in section(response, "kept-out")
    assert "pim-mapping-shopgiftcardpage" not in response.content.decode()


# Filters and summary


def test_fields_are_counted_by_state(pim, screen):
    pim.property("Weight", "Text Field")
    response = screen()
    states = [row.state for each in response.context["classes"] for row in each.fields]
    shown = text_of(response)
    assert f"{states.count(State.NEW)} new fields" in shown
    assert f"{states.count(State.CONFLICT)} fields in conflict" in shown
    assert "0 fields in step" in shown


@pytest.mark.parametrize("state", ["new", "conflict", "in_step", "differs"])
def test_a_filter_shows_the_fields_of_that_state(pim, screen, state):
    pim.property("Weight", "Text Field")
    synchronize()
    RelationshipType.objects.create(name="Upsell")
    pim.property("Ratio", "Decimal", "Number")
    made = pim.store.find("properties", name="Choice")[0]
    pim.store.delete("properties", made["id"])
    response = screen(f"?state={state}")
    html = response.content.decode()
    body = html.split("</nav>")[-1]
    assert set(re.findall(r"<td[^>]*>\s*<span[^>]*state--(\w+)", body)) == {state}
    assert f'href="{URL}?state={state}" aria-current="true"' in html
    assert "pim-mapping-trees-section" not in html
    assert ("Upsell" in body) == (state == "new")


def test_a_filter_finds_a_template_too(pim, screen):
    synchronize()
    made = pim.store.find("templates", name="SixtyLockedPage")[0]
    pim.store.patch("templates", made["id"], kinds=["Variant"])
    response = screen("?state=differs")
    assert rows(response, "trialsixtylockedpage") == {}
    shown = text(section(response, "trialsixtylockedpage"))
    assert shown.endswith(
        "SixtyLockedPage differs Kinds of products: “Variant” becomes “Variant, "
        "Product”."
    )


def test_an_unknown_filter_shows_all(pim, screen):
    assert len(rows(screen("?state=nonsense"), TRIAL)) == len(rows(screen(), TRIAL)) > 1


def test_what_nothing_here_asks_for_is_listed(pim, screen):
    pim.property("Legacy code")
    pim.template("Unheard of")
    pim.store.put("languages", {"id": guid("language", "fi"), "languageCode": "fi-FI"})
    pim.store.put(
        "productRelationships", {"id": guid("relation", "Upsell"), "name": "Upsell"}
    )
    for response in (screen(), screen("?state=only_in_pim")):
        rest = text(section(response, "rest"))
        assert "Languages (1) fi-FI" in rest
        assert f"Websites (1) {WEBSITE}" in rest
        assert "Relationship types (1) Upsell" in rest
        assert "Properties (1) Legacy code" in rest
        assert "Templates (1) Unheard of" in rest
    assert "pim-mapping-rest-section" not in screen("?state=new").content.decode()


def test_other_setup_data_has_states_too(pim, screen, site):
    RelationshipType.objects.create(name="Upsell")
    site.root_page.add_child(instance=CatalogPage(title=WEBSITE))
    site.root_page.add_child(instance=CatalogPage(title="Outlet"))
    Locale.objects.create(language_code="de")
    response = screen()
    assert rows(response, "website") == {
        WEBSITE: "in step",
        "Outlet": "new It is created in the PIM.",
    }
    assert rows(response, "relationship") == {"Upsell": "new It is created in the PIM."}
    assert rows(response, "language").keys() == {"en", "de"}


# Trees


def test_a_tree_leads_to_the_catalog_page(pim, screen, publish):
    assert "has no catalog page yet" in rows(screen(), "trees")[TAXONOMY]
    publish()
    response = screen()
    assert rows(response, "trees")[TAXONOMY] == f"{WEBSITE} {WEBSITE} in order"
    page = PimLink.objects.get(kind=Kind.CATALOG).page
    edit = reverse("wagtailadmin_pages:edit", args=[page.pk])
    assert f'href="{edit}"' in section(response, "trees")

    seen = with_permissions("view_jobrun").get(URL)
    assert rows(seen, "trees")[TAXONOMY] == f"{WEBSITE} {WEBSITE} in order"
    assert edit not in seen.content.decode()


def test_a_tree_of_no_website_or_of_several_is_told(pim, screen):
    assert "not mapped to exactly one website" not in text_of(screen())
    pim.website("Outlet")
    pim.taxonomy("Lonely", [])
    pim.taxonomy("Both", [WEBSITE, "Outlet"])
    response = screen()
    assert "2 category trees are not mapped to exactly one website" in text_of(response)
    lonely, both = (rows(response, "trees")[name] for name in ("Lonely", "Both"))
    assert "“Lonely” is mapped to no website" in lonely
    assert "in the settings of the category tree" in lonely
    assert f"more than one website: Outlet, {WEBSITE}. Map it to exactly one" in both


def test_a_website_that_is_another_sites_is_told(pim, screen, configure):
    configure(CATALOGS=["Outlet"])
    assert (
        "WAGTAIL_PIM['CATALOGS'] does not name it" in rows(screen(), "trees")[TAXONOMY]
    )


# A PIM that is hostile, broken or away


def test_texts_of_the_pim_are_no_html(pim, screen):
    hostile = "<script>alert(1)</script>"
    pim.property("Gears", "Decimal", "Number", hostile)
    pim.property(hostile)
    pim.template(f"template {hostile}")
    pim.website(hostile)
    pim.taxonomy(f"tree {hostile}", [WEBSITE, hostile])
    html = screen().content.decode()
    assert hostile not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5


def test_a_thousand_properties_cost_no_query_more(pim, screen, queries):
    screen()
    with queries() as few:
        screen()
    for number in range(1000):
        pim.property(f"Legacy {number:04}")
    for number in range(20):
        pim.website(f"Shop {number}")
        pim.taxonomy(f"Tree {number}", [f"Shop {number}"])
    with queries() as many:
        response = screen()
    assert "Properties (1,000)" in text_of(response)
    assert "Legacy 0999" in text_of(response)
    assert len(many.reads()) == len(few.reads())


def test_a_record_that_cannot_be_read_is_named(pim, screen):
    pim.store.put("properties", {"id": guid("property", "Broken"), "name": None})
    response = screen()
    assert "The PIM could not be read. The PIM sent a property" in text_of(response)
    assert rows(response, TRIAL)


def test_without_the_pim_the_sites_side_is_shown(pim, screen, configure):
    # A port at which nobody listens.
    configure(API_ADDRESS="http://127.0.0.1:9/")
    response = screen("?state=new")
    assert "The PIM could not be read." in text_of(response)
    assert rows(response, TRIAL)["Choice choice"] == (
        "Choice one of a list Dropdown yes yes"
    )
    assert "Type in the PIM" not in text_of(response)
    assert "pim-mapping__state--" not in response.content.decode()
    assert "?state=" not in response.content.decode()


def test_without_options_it_says_which_is_missing(admin_client, site, settings):
    settings.WAGTAIL_PIM = {}
    response = admin_client.get(URL)
    assert "The PIM could not be read. The application key" in text_of(response)
    assert rows(response, BICYCLE)["Gears gears"] == "Gears number Decimal yes no"


def test_it_speaks_the_readers_language(
    pim,
    screen,
    monkeypatch,
    german_client,  # noqa: F811
):
    """Labels in the PIM are in the site's language, whoever looks."""
    ratio = TrialProductPage._meta.get_field("ratio")
    monkeypatch.setattr(ratio, "verbose_name", gettext_lazy("product"))
    synchronize()
    response = screen()
    assert '<html lang="de"' in response.content.decode()
    assert "<dd>Produkt</dd>" in section(response, TRIAL)
    assert rows(response, TRIAL)["Produkt ratio"].startswith("Product Ratio ")
    states = {row.name: row.state for row in response.context["classes"][0].fields}
    assert states["ratio"] == State.IN_STEP
