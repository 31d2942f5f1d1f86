"""Synchronize setup data, from the site's page types to what stands in the PIM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from django.db import models
from django.test.utils import isolate_apps
from django.utils import translation
from wagtail.fields import RichTextField
from wagtail.models import Locale

from sandbox_site.pim import categories
from sandbox_site.pim.faults import Fault
from sandbox_site.pim.server import PimServer
from sandbox_site.shop.models import BicyclePage, BicycleVariantPage
from tests.conftest import items_by_number, publish_now, site_rows
from tests.sandbox_pim.browser import Browser
from wagtail_pim.catalog import definitions
from wagtail_pim.catalog.schema import page_classes
from wagtail_pim.catalog.setup_changes import ENTITY_SETS, setup_guid
from wagtail_pim.client.controls import Control, ValueType
from wagtail_pim.exceptions import ConfigurationError, RunRefusedError
from wagtail_pim.jobs import SynchronizeSetupData, runs
from wagtail_pim.jobs.setup_words import value_label
from wagtail_pim.kinds import Kind, SetupKind
from wagtail_pim.markers import Sync
from wagtail_pim.models import (
    CatalogPage,
    JobRun,
    PimLink,
    RelationshipType,
    SetupRecord,
)
from wagtail_pim.models.runs import Outcome, State, Trigger

NOT_COMPARED = ("@odata.etag", "createdOn", "modifiedOn", "createdBy", "modifiedBy")

Records = dict[str, list[dict[str, Any]]]


@pytest.fixture
def pim_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PimServer]:
    """A sandbox PIM without any record."""
    monkeypatch.delenv("PIM_APP_KEY", raising=False)
    monkeypatch.delenv("PIM_SECRET_KEY", raising=False)
    with PimServer(tmp_path / "pim.sqlite3") as server:
        yield server


@pytest.fixture
def page_types(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes these the site's only page types."""

    def use(products: list[Any], variants: list[Any] = ()) -> None:
        by_kind = {Kind.PRODUCT: products, Kind.VARIANT: variants}
        monkeypatch.setattr(definitions, "page_classes", by_kind.get)

    return use


@pytest.fixture
def site_of_two_languages(site: Any, configure: Any) -> Any:
    """English and German, one catalog and one relationship type."""
    site.root_page.add_child(instance=CatalogPage(title="Spokewell", slug="spokewell"))
    Locale.objects.get_or_create(language_code="de")
    RelationshipType.objects.create(name="Accessories")
    return site


@pytest.fixture
def shop(site_of_two_languages: Any, page_types: Any) -> None:
    """The shop's own page types, without those of the trial app."""
    page_types(
        *(
            [m for m in page_classes(kind) if m._meta.app_label == "shop"]
            for kind in (Kind.PRODUCT, Kind.VARIANT)
        )
    )


@pytest.fixture
def shirts() -> Iterator[tuple[Any, Any]]:
    """Two page types of plain Django, with one field for each type of value."""
    # Wagtail would take real ones for the site's own from then on.
    with isolate_apps("sandbox_site.shop"):

        class Shirt(models.Model):
            text = models.CharField("label", max_length=90, help_text="On the tag.")
            html = RichTextField()
            choice = models.CharField(max_length=9, choices=[("S", "Small")])
            choices = models.JSONField(default=list)
            number = models.DecimalField(max_digits=9, decimal_places=2)
            date = models.DateField()
            date_time = models.DateTimeField()
            boolean = models.BooleanField()
            other = models.IntegerField()

            pim_fields = [Sync("text"), Sync("choice")]

            class Meta:
                app_label = "shop"

            def __str__(self):
                return self.text

        class ShirtVariant(models.Model):
            number = models.DecimalField(max_digits=9, decimal_places=1)

            pim_template = "Shirt"
            pim_fields = [Sync("number", required=False, translatable=False)]

            class Meta:
                app_label = "shop"

            def __str__(self):
                return str(self.number)

        yield Shirt, ShirtVariant


@pytest.fixture
def small_shop(
    site_of_two_languages: Any, page_types: Any, shirts: tuple[Any, Any]
) -> tuple[Any, Any]:
    page_types([shirts[0]], [shirts[1]])
    return shirts


def set_up(**options: Any) -> JobRun:
    """A whole run of Synchronize setup data, started and carried out here."""
    show_progress = options.pop("show_progress", None)
    run = runs.start(SynchronizeSetupData.name, trigger=Trigger.COMMAND, **options)
    return runs.carry_out(run.pk, show_progress=show_progress)


def setup_in(server: PimServer) -> Records:
    """All setup data of the PIM, but for what changes from write to write."""
    return {
        name: [
            {key: value for key, value in record.items() if key not in NOT_COMPARED}
            for record in server.store.find(name)
        ]
        for name in ENTITY_SETS.values()
    }


def by_name(server: PimServer, entity_set: str, key: str = "name") -> dict[str, Any]:
    records = {record[key]: record for record in setup_in(server)[entity_set]}
    assert len(records) == len(setup_in(server)[entity_set])
    return records


def assigned(server: PimServer) -> dict[tuple[str, str], bool]:
    """Whether it is required, by the names of a template and of a property of its."""
    setup = setup_in(server)
    names = {r["id"]: r["name"] for s in ("templates", "properties") for r in setup[s]}
    pairs = {
        (names[r["templateId"]], names[r["propertyId"]]): r["isRequired"]
        for r in setup["templateproperties"]
    }
    assert len(pairs) == len(setup["templateproperties"])
    return pairs


def methods(server: PimServer) -> Counter[str]:
    return Counter(request.method for request in server.requests)


def writes(server: PimServer) -> list[Any]:
    return [request for request in server.requests if request.method != "GET"]


def put_property(server: PimServer, name: str, control: str, **fields: Any) -> None:
    """One that somebody made in the PIM."""
    server.store.put(
        "properties", {"name": name, "controlType": control, "type": "", **fields}
    )


def start_anew(server: PimServer) -> None:
    """Empty the PIM, and let the site forget that it knew one."""
    server.faults.clear()
    server.requests.clear()
    for name in ENTITY_SETS.values():
        for record in server.store.find(name):
            server.store.delete(name, record["id"])
    SetupRecord.objects.all().delete()
    PimLink.objects.all().delete()
    RelationshipType.objects.update(guid=None)


# From an empty PIM


def test_from_an_empty_pim_everything_of_the_shop_is_made(shop, pim_server):
    run = set_up()
    assert run.state == State.SUCCEEDED
    made = setup_in(pim_server)
    assert run.counts == {Outcome.CREATED: sum(map(len, made.values()))}
    assert run.done == run.total == sum(run.counts.values())

    languages = by_name(pim_server, "languages", "languageCode")
    assert {code: (r["name"], r["isDefault"]) for code, r in languages.items()} == {
        "en": ("English", True),
        "de": ("German", False),
    }
    assert list(by_name(pim_server, "websites")) == ["Spokewell"]
    assert list(by_name(pim_server, "productRelationships")) == ["Accessories"]
    kinds = {name: r["kinds"] for name, r in by_name(pim_server, "templates").items()}
    assert kinds == {
        "Bicycle": ["Product", "Variant"],
        "Helmet": ["Product", "Variant"],
        "Apparel": ["Product", "Variant"],
        "GenericProductPage": ["Product"],
        "GenericVariantPage": ["Variant"],
    }
    properties = by_name(pim_server, "properties")
    controls = {name: (r["controlType"], r["type"]) for name, r in properties.items()}
    assert controls == {
        "Summary": ("TextField", "String"),
        "Description": ("Html", "String"),
        "Price": ("Decimal", "Number"),
        "Brand": ("Dropdown", "String"),
        "RidingStyles": ("MultiSelect", "String"),
        "FrameMaterial": ("Dropdown", "String"),
        "Gears": ("Decimal", "Number"),
        "Weight": ("Decimal", "Number"),
        "Electric": ("Toggle", "Boolean"),
        "AvailableFrom": ("DatePicker", "DateTime"),
        "Equipment": ("MultiSelect", "String"),
        "Colour": ("Dropdown", "String"),
        "FrameSize": ("Dropdown", "String"),
        "Size": ("Dropdown", "String"),
        "InStock": ("Toggle", "Boolean"),
        "EAN": ("TextField", "String"),
        "RestockedAt": ("DateTimePicker", "DateTime"),
        "CareInstructions": ("TextArea", "String"),
        "SafetyStandards": ("MultiSelect", "String"),
        "Vents": ("Decimal", "Number"),
        "TestedOn": ("DatePicker", "DateTime"),
        "Labels": ("MultiSelect", "String"),
        "Fabric": ("TextField", "String"),
        "Fit": ("Dropdown", "String"),
        "Waterproof": ("Toggle", "Boolean"),
        "Seasons": ("MultiSelect", "String"),
    }
    assert _with(properties, "stringMaxLength") == {
        "Summary": 255,
        "EAN": 13,
        "Fabric": 120,
    }
    assert _with(properties, "numberOfDecimals") == {"Price": 2, "Gears": 0, "Vents": 0}
    assert _with(properties, "stringValueBag") == {
        "FrameMaterial": ["Steel", "Aluminium", "Titanium"],
        "Fit": ["Relaxed", "Regular", "Close"],
    }
    assert _with(properties, "stringAllowAdHocValues") == {
        "Colour": True,
        "FrameSize": True,
        "Size": True,
        "Brand": True,
        "RidingStyles": True,
        "FrameMaterial": False,
        "Equipment": True,
        "SafetyStandards": True,
        "Labels": True,
        "Fit": False,
        "Seasons": True,
    }
    markers: dict[str, list[Sync]] = {}
    for each in definitions.SiteDefinitions().fields:
        markers.setdefault(each.property_name(), []).append(each.marker)
    assert properties.keys() == markers.keys()
    for name, of_property in markers.items():
        required = {marker.required for marker in of_property}
        translatable = {marker.translatable for marker in of_property}
        assert properties[name]["isGloballyRequired"] is (required == {True})
        assert properties[name]["isLocalizable"] is (True in translatable)
    assert properties["Electric"]["displayName"] == "Electric assistance"
    assert {n: r["description"] for n, r in properties.items() if r["description"]} == {
        "InStock": "Unknown where the PIM does not say."
    }
    pairs = assigned(pim_server)
    assert {prop for template, prop in pairs if template == "Helmet"} == {
        "Description",
        "Summary",
        "Price",
        "CareInstructions",
        "SafetyStandards",
        "Vents",
        "Weight",
        "TestedOn",
        "Labels",
        "Colour",
        "Size",
        "InStock",
    }
    assert pairs["Helmet", "SafetyStandards"] is True
    assert pairs["Helmet", "Vents"] is False
    assert {p for t, p in pairs if t == "GenericProductPage"} == {"Description"}
    assert not [template for template, _ in pairs if template == "GenericVariantPage"]


def _with(properties: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: r[key] for name, r in properties.items() if key in r}


def test_a_second_run_writes_nothing_anywhere(shop, pim_server, queries):
    set_up()
    pim_server.requests.clear()
    before, rows = setup_in(pim_server), site_rows()
    with queries() as captured:
        run = set_up()
    assert run.state == State.SUCCEEDED
    assert run.counts == {Outcome.UNCHANGED: sum(map(len, before.values()))}
    assert not run.items.exists()
    assert methods(pim_server) == {"GET": 7}
    assert captured.writes_to_site() == []
    assert setup_in(pim_server) == before
    assert site_rows() == rows


BICYCLE = {
    "Summary": "Light and quick.",
    "Description": "<p>For <b>every</b> day.</p>",
    "Price": "1249.50",
    "Brand": "Velora",
    "RidingStyles": "City~Touring",
    "FrameMaterial": "Steel",
    "Gears": "11",
    "Weight": "12.75",
    "Electric": "true",
    "AvailableFrom": "2026-03-31",
    "Equipment": "Mudguards~Bell",
}
VARIANT = {
    "Colour": "Moss",
    "FrameSize": "54 cm",
    "Price": "1299.00",
    "InStock": "false",
    "EAN": "4006381333931",
    "RestockedAt": "2026-03-31T14:30",
}


def test_a_product_made_of_such_a_template_comes_out_with_every_field(shop, pim_server):
    set_up()
    store, screen = pim_server.store, Browser(pim_server)
    overview = screen.get("/setup")
    for name in ("Spokewell", "Bicycle", "RidingStyles", "German", "Accessories"):
        assert f">{name}<" in overview
    template = by_name(pim_server, "templates")["Bicycle"]["id"]
    assert "RidingStyles" in screen.get(f"/setup/templates/{template}")

    screen.submit("/setup/trees", name="Bicycles")
    tree = f"/setup/trees/{store.find('categoryTaxonomies')[0]['id']}"
    screen.submit(f"{tree}/categories", name="City", parent="", segment="")
    screen.submit(f"{tree}/website", website=store.find("websites")[0]["id"])
    place = store.find("categorytrees")[0]["id"]
    for number, parent, values in (("B1", "", BICYCLE), ("B1-54", "B1", VARIANT)):
        screen.submit(
            "/products/new",
            **{
                "form-template": template,
                "productNumber": number,
                "productTitle": f"Bicycle {number}",
                "primaryCategoryTreeId": "" if parent else place,
                "parentVariantProductNumber": parent,
                **values,
            },
        )
    screen.submit("/approve", number=["B1", "B1-54"])

    assert publish_now().state == State.SUCCEEDED
    page = BicyclePage.objects.get(product_number="B1")
    assert page.is_descendant_of(CatalogPage.objects.get())
    assert page.summary == "Light and quick."
    assert page.description == "<p>For <b>every</b> day.</p>"
    assert page.price == Decimal("1249.50")
    assert page.brand.name == "Velora"
    assert {style.name for style in page.riding_styles.all()} == {"City", "Touring"}
    assert page.frame_material == "Steel"
    assert (page.gears, page.weight, page.electric) == (11, 12.75, True)
    assert page.available_from == date(2026, 3, 31)
    assert page.equipment == ["Mudguards", "Bell"]
    variant = BicycleVariantPage.objects.get(product_number="B1-54")
    assert variant.is_child_of(page)
    assert (variant.colour, variant.size) == ("Moss", "54 cm")
    assert (variant.price, variant.in_stock) == (Decimal("1299.00"), False)
    assert variant.ean == "4006381333931"
    assert variant.restocked_at == datetime(2026, 3, 31, 14, 30, tzinfo=UTC)
    assert {record["status"] for record in store.find("products")} == {"Published"}
    # All marked fields were compared.
    assert set(BICYCLE) | {"Price"} == _property_names(BicyclePage)
    assert set(VARIANT) == _property_names(BicycleVariantPage)


def _property_names(model: Any) -> set[str]:
    fields = definitions.SiteDefinitions().fields
    return {each.property_name() for each in fields if each.model is model}


# Types

CONTROL_OF = {control.value_type: control for control in reversed(Control)}
FIELDS = {values: values.value for values in ValueType}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(ours, theirs, id=f"{ours}-{theirs}")
        for ours, theirs in permutations(ValueType, 2)
    ],
)
def test_a_property_of_another_type_is_reported_and_left(
    small_shop, pim_server, ours, theirs
):
    shirt, _variant = small_shop
    shirt.pim_fields = [Sync(FIELDS[ours], property="Taken"), Sync("other")]
    put_property(pim_server, "Taken", CONTROL_OF[theirs], displayName="As it was")
    before = by_name(pim_server, "properties")["Taken"]
    run = set_up()
    assert run.state == State.FAILED_ITEMS
    (item,) = run.items.filter(outcome=Outcome.FAILED)
    assert item.number == f"Shirt.{FIELDS[ours]}"
    assert f"“Taken” is {theirs.label()}" in item.reason
    assert f"Shirt.{FIELDS[ours]} is {ours.label()}" in item.reason
    assert "the template “Shirt”" in item.reason
    assert "Sync marker (property=…)" in item.reason
    assert by_name(pim_server, "properties")["Taken"] == before
    assert set(assigned(pim_server)) == {("Shirt", "Other"), ("Shirt", "Number")}


@pytest.mark.parametrize(
    ("field", "control"),
    [
        ("text", "Text Area"),
        ("choice", "Radio Button"),
        ("date_time", "Date/Time Picker"),
        ("text", "text_field"),
    ],
)
def test_a_property_of_the_same_type_is_assigned_as_it_is(
    small_shop, pim_server, field, control
):
    shirt, _variant = small_shop
    shirt.pim_fields = [Sync(field, property="Taken")]
    put_property(pim_server, "Taken", control, displayName="Theirs")
    before = by_name(pim_server, "properties")["Taken"]
    run = set_up()
    assert run.state == State.SUCCEEDED
    assert ("Shirt", "Taken") in assigned(pim_server)
    assert by_name(pim_server, "properties")["Taken"] == before
    note = run.items.get(number="Taken").note
    assert "Label “Theirs”, here" in note


@pytest.mark.parametrize(
    ("stored_as", "field", "fits"),
    [
        ("String", "text", True),
        ("string", "choice", True),
        ("String", "choices", True),
        ("Number", "number", True),
        ("Boolean", "boolean", True),
        ("DateTime", "date", True),
        ("DateTime", "date_time", True),
        ("DateTime", "text", False),
        ("Number", "boolean", False),
        ("String", "number", False),
        ("", "text", False),
    ],
)
def test_a_property_without_a_control_type_goes_by_its_type(
    small_shop, pim_server, stored_as, field, fits
):
    shirt, _variant = small_shop
    shirt.pim_fields = [Sync(field, property="Taken")]
    put_property(pim_server, "Taken", "", type=stored_as)
    run = set_up()
    assert run.state == (State.SUCCEEDED if fits else State.FAILED_ITEMS)
    assert (("Shirt", "Taken") in assigned(pim_server)) is fits


def test_a_control_type_that_is_not_known_is_named(small_shop, pim_server):
    put_property(pim_server, "Text", "Star Rating", type="String")
    run = set_up()
    (item,) = run.items.filter(outcome=Outcome.FAILED)
    assert "“Text” is “Star Rating”, but Shirt.text is text" in item.reason
    assert ("Shirt", "Text") not in assigned(pim_server)


# What stands already


def test_what_people_made_in_the_pim_is_taken_as_it_is(small_shop, pim_server):
    store = pim_server.store
    store.put("languages", {"languageCode": "en-US", "isDefault": True})
    store.put("websites", {"name": "SPOKEWELL"})
    store.put("productRelationships", {"name": "accessories"})
    store.put("templates", {"name": "shirt"})
    put_property(pim_server, "text", "Text Field", isGloballyRequired=True)
    before = {name: setup_in(pim_server)[name] for name in ENTITY_SETS.values()}
    run = set_up()
    assert run.state == State.SUCCEEDED
    after = setup_in(pim_server)
    for name, records in before.items():
        assert all(record in after[name] for record in records)
    assert (
        Counter(map(_kind_and_outcome, run.items.all()))[
            SetupKind.TEMPLATE, Outcome.CREATED
        ]
        == 0
    )
    assert ("shirt", "text") in assigned(pim_server)
    assert PimLink.objects.get().guid.hex == store.find("websites")[0]["id"].replace(
        "-", ""
    )
    pim_server.requests.clear()
    set_up()
    assert writes(pim_server) == []


def _kind_and_outcome(item: Any) -> tuple[str, str]:
    return item.kind, item.outcome


def rename(shirt: Any, label: str) -> None:
    """A developer gives the field another label."""
    shirt._meta.get_field("text").verbose_name = label


def label_in(server: PimServer) -> str:
    return by_name(server, "properties")["Text"]["displayName"]


def test_a_label_that_changed_here_is_updated(small_shop, pim_server):
    shirt, _variant = small_shop
    set_up()
    rename(shirt, "inscription")
    pim_server.requests.clear()
    run = set_up()
    assert label_in(pim_server) == "Inscription"
    assert methods(pim_server)["PATCH"] == len(writes(pim_server)) == 1
    item = run.items.get()
    assert item.outcome == Outcome.UPDATED
    assert item.differences == {"displayName": ["Label", "Inscription"]}


def test_what_a_person_changes_while_the_job_writes_is_theirs(small_shop, pim_server):
    set_up()
    rename(small_shop[0], "inscription")
    guid = by_name(pim_server, "properties")["Text"]["id"]
    pim_server.faults.before(
        guid,
        lambda: pim_server.store.patch("properties", guid, displayName="Theirs"),
        method="PATCH",
    )
    run = set_up()
    assert run.state == State.SUCCEEDED
    assert label_in(pim_server) == "Theirs"
    assert "“Theirs”" in items_by_number(run)["Text"].note


def test_a_record_that_never_stands_still_is_one_failure(small_shop, pim_server):
    set_up()
    rename(small_shop[0], "inscription")
    pim_server.faults.add(Fault(method="PATCH", status=412, times=None))
    run = set_up()
    assert list(failures(run)) == ["Text"]
    assert "changed in the PIM meanwhile" in failures(run)["Text"]
    assert run.done == run.total


def test_it_does_not_go_by_products(small_shop, pim_server):
    with pytest.raises(ConfigurationError, match="does not go by products"):
        set_up(numbers=["A1"])
    assert not JobRun.objects.exists()


def test_two_assignments_that_read_alike_are_both_made(
    site_of_two_languages, page_types, shirts, pim_server
):
    shirt, variant = shirts
    shirt.pim_template, variant.pim_template = "B in C", "C"
    shirt.pim_fields = [Sync("text", property="A")]
    variant.pim_fields = [Sync("number", property="A in B")]
    page_types([shirt], [variant])
    run = set_up()
    assert run.done == run.total
    assert set(assigned(pim_server)) >= {("B in C", "A"), ("C", "A in B")}


@pytest.mark.parametrize("kind", ["drop", "lose", "status"])
def test_an_update_that_broke_off_is_completed_by_the_next_run(
    small_shop, pim_server, configure, kind
):
    configure(MAX_ATTEMPTS=1)
    set_up()
    rename(small_shop[0], "inscription")
    pim_server.faults.add(Fault(method="PATCH", kind=kind))
    assert set_up().state == State.FAILED
    assert set_up().state == State.SUCCEEDED
    assert label_in(pim_server) == "Inscription"
    rename(small_shop[0], "legend")
    set_up()
    assert label_in(pim_server) == "Legend"


def test_an_update_that_is_refused_is_one_failure(small_shop, pim_server):
    set_up()
    rename(small_shop[0], "inscription")
    pim_server.faults.add(Fault(method="PATCH", status=400))
    run = set_up()
    assert list(failures(run)) == ["Text"]
    assert run.state == State.FAILED_ITEMS
    assert set_up().counts[Outcome.UPDATED] == 1


def test_a_label_that_a_person_changed_in_the_pim_is_left_and_noted(
    small_shop, pim_server
):
    shirt, _variant = small_shop
    set_up()
    guid = by_name(pim_server, "properties")["Text"]["id"]
    pim_server.store.patch("properties", guid, displayName="Tag")
    rename(shirt, "inscription")
    shirt._meta.get_field("text").help_text = "On the inside."
    run = set_up()
    assert label_in(pim_server) == "Tag"
    # What nobody touched is still the site's.
    assert by_name(pim_server, "properties")["Text"]["description"] == "On the inside."
    item = items_by_number(run)["Text"]
    assert item.differences == {"description": ["On the tag.", "On the inside."]}
    assert "Label “Tag”, here “Inscription”" in item.note
    assert run.state == State.SUCCEEDED


def test_lengths_choices_and_decimals_follow_the_site(small_shop, pim_server):
    shirt, variant = small_shop
    set_up()
    shirt._meta.get_field("text").max_length = 200
    shirt._meta.get_field("choice").choices = [("S", "Small"), ("L", "Large")]
    variant._meta.get_field("number").decimal_places = 3
    variant.pim_fields = [Sync("number", required=True)]
    set_up()
    properties = by_name(pim_server, "properties")
    assert properties["Text"]["stringMaxLength"] == 200
    assert properties["Choice"]["stringValueBag"] == ["S", "L"]
    assert properties["Number"]["numberOfDecimals"] == 3
    assert properties["Number"]["isGloballyRequired"] is True
    assert properties["Number"]["isLocalizable"] is True
    assert assigned(pim_server)["Shirt", "Number"] is True


def test_a_site_that_lost_its_database_leaves_what_differs(small_shop, pim_server):
    shirt, _variant = small_shop
    set_up()
    SetupRecord.objects.all().delete()
    rename(shirt, "inscription")
    run = set_up()
    assert label_in(pim_server) == "Label"
    assert "“Inscription”" in items_by_number(run)["Text"].note
    assert run.counts[Outcome.UPDATED] == 0


@contextmanager
def another_site() -> Iterator[None]:
    """What the site remembers of the PIM is that of another one in this block."""
    models_and_rows = [(m, list(m.objects.all())) for m in (SetupRecord, PimLink)]
    guids = dict(RelationshipType.objects.values_list("pk", "guid"))
    _forget()
    yield
    _forget()
    for model, rows in models_and_rows:
        model.objects.bulk_create(rows)
    for pk, guid in guids.items():
        RelationshipType.objects.filter(pk=pk).update(guid=guid)


def _forget() -> None:
    SetupRecord.objects.all().delete()
    PimLink.objects.all().delete()
    RelationshipType.objects.update(guid=None)


def test_two_sites_in_turns_with_different_labels_do_not_quarrel(
    small_shop, pim_server
):
    shirt, _variant = small_shop
    set_up()
    before = setup_in(pim_server)
    with another_site():
        rename(shirt, "inscription")
        for _turn in range(2):
            pim_server.requests.clear()
            run = set_up()
            assert "“Inscription”" in items_by_number(run)["Text"].note
            assert writes(pim_server) == []
    rename(shirt, "label")
    set_up()
    assert writes(pim_server) == []
    assert setup_in(pim_server) == before


def test_two_sites_that_agreed_leave_each_others_later_changes(small_shop, pim_server):
    shirt, _variant = small_shop
    set_up()
    with another_site():
        set_up()
        rename(shirt, "inscription")
        set_up()
    assert label_in(pim_server) == "Inscription"
    rename(shirt, "label")
    pim_server.requests.clear()
    run = set_up()
    assert "“Inscription”" in items_by_number(run)["Text"].note
    assert writes(pim_server) == []


@pytest.mark.parametrize("key", ["displayName", "description", "stringValueBag"])
def test_a_pim_that_rewrites_what_it_is_sent_is_written_once(
    small_shop, pim_server, key
):
    set_up()
    for record in pim_server.store.find("properties"):
        if value := record.get(key):
            shorter = value[:1] if isinstance(value, str) else [v * 2 for v in value]
            pim_server.store.patch("properties", record["id"], **{key: shorter})
    pim_server.requests.clear()
    run = set_up()
    assert writes(pim_server) == []
    assert run.state == State.SUCCEEDED
    assert any(value_label(key) in item.note for item in run.items.all())


def test_kinds_and_languages_in_other_spellings_are_the_same(small_shop, pim_server):
    set_up()
    store = pim_server.store
    template = by_name(pim_server, "templates")["Shirt"]["id"]
    store.patch("templates", template, kinds=["VARIANT", "product"])
    language = by_name(pim_server, "languages", "languageCode")["de"]["id"]
    store.patch("languages", language, languageCode="DE")
    pim_server.requests.clear()
    run = set_up()
    assert writes(pim_server) == []
    assert not run.items.exists()


def test_a_pim_that_gives_ids_of_its_own(small_shop, pim_server, monkeypatch):
    # What stands for such a PIM: each id is another as soon as it is made.
    insert = type(pim_server.store).insert

    def insert_with_own_id(store, set_name, record):
        return insert(store, set_name, {k: v for k, v in record.items() if k != "id"})

    monkeypatch.setattr(type(pim_server.store), "insert", insert_with_own_id)
    run = set_up()
    assert run.state == State.SUCCEEDED, run.error
    guids = {record["id"] for record in pim_server.store.find("properties")}
    assert str(setup_guid(SetupKind.PROPERTY, "text")) not in guids
    assert set(assigned(pim_server)) == {
        ("Shirt", "Text"),
        ("Shirt", "Choice"),
        ("Shirt", "Number"),
    }
    pim_server.requests.clear()
    run = set_up()
    assert writes(pim_server) == []
    rename(small_shop[0], "inscription")
    set_up()
    assert label_in(pim_server) == "Inscription"


def test_labels_are_sent_in_the_sites_language(small_shop, pim_server, settings):
    shirt, _variant = small_shop
    rename(shirt, translation.gettext_lazy("Yes"))
    with translation.override("de"):
        set_up()
    assert label_in(pim_server) == "Yes"
    languages = by_name(pim_server, "languages", "languageCode")
    assert languages["de"]["name"] == "German"


# Catalogs and relationship types


def websites(server: PimServer) -> list[str]:
    return sorted(record["name"] for record in server.store.find("websites"))


def failures(run: JobRun) -> dict[str, str]:
    return {i.number: i.reason for i in run.items.filter(outcome=Outcome.FAILED)}


def test_a_renamed_catalog_renames_its_website(small_shop, pim_server):
    set_up()
    page = CatalogPage.objects.get()
    page.title = "Spokewell & Sons"
    page.save()
    set_up()
    assert websites(pim_server) == ["Spokewell & Sons"]

    # Another catalog may have the name that has become free.
    page.add_sibling(instance=CatalogPage(title="Spokewell", slug="second"))
    run = set_up()
    assert run.state == State.SUCCEEDED
    assert websites(pim_server) == ["Spokewell", "Spokewell & Sons"]
    assert PimLink.objects.values("guid").distinct().count() == 2
    pim_server.requests.clear()
    set_up()
    assert writes(pim_server) == []


def test_a_website_deleted_in_the_pim_is_made_again_with_its_id(small_shop, pim_server):
    set_up()
    (website,) = pim_server.store.find("websites")
    pim_server.store.delete("websites", website["id"])
    set_up()
    (again,) = pim_server.store.find("websites")
    assert again["id"] == website["id"]
    assert str(PimLink.objects.get().guid) == website["id"]


def test_a_website_made_again_in_the_pim_is_the_catalogs(small_shop, pim_server):
    set_up()
    (website,) = pim_server.store.find("websites")
    pim_server.store.delete("websites", website["id"])
    again = pim_server.store.put("websites", {"name": "spokewell"})
    set_up()
    assert len(pim_server.store.find("websites")) == 1
    assert str(PimLink.objects.get().guid) == again["id"]


@pytest.mark.parametrize("linked_first", [True, False])
def test_two_catalogs_of_one_title_are_one_website_and_a_failure(
    small_shop, pim_server, linked_first
):
    first = CatalogPage.objects.get()
    if linked_first:
        set_up()
    twin = first.add_sibling(
        instance=CatalogPage(title="SPOKEWELL", slug="twin"),
        pos="left" if linked_first else "right",
    )
    run = set_up()
    assert run.state == State.FAILED_ITEMS
    (number,) = failures(run)
    assert number == f"SPOKEWELL ({twin.url_path})"
    assert "another name" in failures(run)[number]
    assert websites(pim_server) == ["Spokewell"]
    assert PimLink.objects.get().page_id == first.pk


def test_aliases_and_translations_of_a_catalog_are_no_catalogs(small_shop, pim_server):
    page = CatalogPage.objects.get()
    german = Locale.objects.get(language_code="de")
    page.get_parent().specific.copy_for_translation(german)
    translated = page.copy_for_translation(german)
    translated.title = "Speichenwohl"
    translated.save()
    page.create_alias(update_slug="alias", parent=page.get_parent())
    run = set_up()
    assert run.state == State.SUCCEEDED
    assert websites(pim_server) == ["Spokewell"]


def test_only_the_catalogs_of_the_settings_are_pushed(
    small_shop, pim_server, configure
):
    CatalogPage.objects.get().add_sibling(
        instance=CatalogPage(title="Outlet", slug="outlet")
    )
    configure(CATALOGS=["Outlet"])
    assert set_up().state == State.SUCCEEDED
    assert websites(pim_server) == ["Outlet"]


def relationships(server: PimServer) -> list[str]:
    records = server.store.find("productRelationships")
    return sorted(record["name"] for record in records)


def test_relationship_types_renamed_deleted_and_added_again(small_shop, pim_server):
    set_up()
    accessories = RelationshipType.objects.get()
    accessories.name = "Spare parts"
    accessories.save()
    RelationshipType.objects.create(name="Accessories")
    assert set_up().state == State.SUCCEEDED
    assert relationships(pim_server) == ["Accessories", "Spare parts"]

    RelationshipType.objects.all().delete()
    set_up()
    assert relationships(pim_server) == ["Accessories", "Spare parts"]
    RelationshipType.objects.create(name="Accessories")
    pim_server.requests.clear()
    assert set_up().state == State.SUCCEEDED
    assert writes(pim_server) == []
    assert RelationshipType.objects.get().guid

    RelationshipType.objects.create(name="ACCESSORIES")
    assert list(failures(set_up())) == ["ACCESSORIES"]
    assert relationships(pim_server) == ["Accessories", "Spare parts"]


# Properties and templates that got another name


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_property_renamed_in_the_pim_is_not_made_twice(
    small_shop, pim_server, dry_run
):
    set_up()
    guid = by_name(pim_server, "properties")["Text"]["id"]
    pim_server.store.patch("properties", guid, name="Tag")
    pim_server.requests.clear()
    run = set_up(dry_run=dry_run)
    assert list(failures(run)) == ["Shirt.text"]
    assert "“Tag” in the PIM now" in failures(run)["Shirt.text"]
    assert methods(pim_server) == {"GET": 7}


@pytest.mark.parametrize("dry_run", [True, False])
def test_nothing_is_assigned_to_a_template_renamed_in_the_pim(
    small_shop, pim_server, dry_run
):
    shirt, _variant = small_shop
    set_up()
    guid = by_name(pim_server, "templates")["Shirt"]["id"]
    pim_server.store.patch("templates", guid, name="Blouse")
    shirt.pim_fields = [*shirt.pim_fields, Sync("date")]
    pim_server.requests.clear()
    run = set_up(dry_run=dry_run)
    assert "“Blouse” in the PIM now" in failures(run)["Shirt"]
    assert "Date in Shirt" in failures(run)
    assert ("Blouse", "Date") not in assigned(pim_server)
    assert len(writes(pim_server)) == (0 if dry_run else 1)


def test_what_a_template_inherits_is_not_assigned_again(small_shop, pim_server):
    starter = pim_server.store.put(
        "templates", {"name": "All products", "isStarterTemplate": True}
    )
    put_property(pim_server, "Text", "Text Field")
    pim_server.store.put(
        "templateproperties",
        {
            "templateId": starter["id"],
            "propertyId": by_name(pim_server, "properties")["Text"]["id"],
            "isRequired": False,
        },
    )
    set_up()
    template = by_name(pim_server, "templates")["Shirt"]
    assert template["parentTemplateId"] == starter["id"]
    assert set(assigned(pim_server)) == {
        ("All products", "Text"),
        ("Shirt", "Choice"),
        ("Shirt", "Number"),
    }


def test_what_every_product_has_is_no_property(small_shop, pim_server):
    shirt, _variant = small_shop
    shirt.pim_fields = [Sync("text", property="tagList"), Sync("choice")]
    put_property(pim_server, "Choice", "Dropdown", isSystemProperty=True)
    assert set_up().state == State.SUCCEEDED
    assert set(by_name(pim_server, "properties")) == {"Choice", "Number"}
    assert set(assigned(pim_server)) == {("Shirt", "Number")}


# Environment and key


@pytest.mark.parametrize("environment", ["Production", "Sandbox"])
def test_it_runs_in_either_environment_whatever_the_pim_publishes_to(
    small_shop, pim_server, configure, environment
):
    configure(ENVIRONMENT=environment)
    assert set_up().state == State.SUCCEEDED


@pytest.mark.parametrize("environment", ["Staging", "Development"])
def test_any_other_environment_is_refused(
    small_shop, pim_server, configure, environment
):
    configure(ENVIRONMENT=environment)
    run = set_up()
    assert run.state == State.FAILED
    assert run.error_code == "configuration"
    assert "Production or Sandbox" in run.error
    assert not pim_server.requests


@pytest.fixture
def read_only(pim_server, configure):
    def use():
        key = pim_server.store.credentials().read_only
        configure(APP_KEY=key.app_key, SECRET_KEY=key.secret_key)

    return use


def test_a_key_that_may_only_read_is_refused_with_nothing_written(
    small_shop, pim_server, read_only, queries
):
    # The site would note down that it has found this one.
    pim_server.store.put("websites", {"name": "Spokewell"})
    before = setup_in(pim_server)
    read_only()
    with queries() as captured:
        run = set_up()
    assert run.state == State.FAILED
    assert run.error_code == "permission"
    assert "Nothing was written. Set a key with write access" in run.error
    assert len(writes(pim_server)) == 1
    assert setup_in(pim_server) == before
    assert captured.writes_to_site() == []


def test_a_dry_run_needs_no_key_that_may_write(
    small_shop, pim_server, read_only, queries
):
    read_only()
    with queries() as captured:
        run = set_up(dry_run=True)
    assert run.state == State.SUCCEEDED
    assert methods(pim_server) == {"GET": 7}
    assert captured.writes_to_site() == []
    items = items_by_number(run)
    assert run.counts == {Outcome.CREATED: len(items)}
    assert items["Text"].differences["displayName"] == [None, "Label"]
    assert items["Text in Shirt"].outcome == Outcome.CREATED


def test_a_key_that_loses_its_rights_halfway(small_shop, pim_server):
    fault = {"kind": "status", "status": 403, "times": None}
    pim_server.faults.add(Fault(method="POST", nth=4, **fault))
    run = set_up()
    assert run.state == State.FAILED
    assert run.error_code == "permission"
    assert "Nothing was written" not in run.error
    assert run.counts == {Outcome.CREATED: 3}


# What goes wrong on the way


@pytest.fixture
def undisturbed(small_shop, pim_server) -> Records:
    """What the PIM has after a run that nothing disturbed; it is empty again now."""
    set_up()
    records = setup_in(pim_server)
    start_anew(pim_server)
    return records


@pytest.mark.parametrize(
    "breakdown",
    [
        {"kind": "drop"},
        {"kind": "lose"},
        {"kind": "truncate"},
        {"kind": "short"},
        {"kind": "status", "status": 500},
    ],
    ids=lambda breakdown: breakdown["kind"],
)
def test_a_run_that_broke_off_at_any_write_is_completed_by_the_next(
    undisturbed, pim_server, configure, breakdown
):
    configure(MAX_ATTEMPTS=1)
    count = sum(map(len, undisturbed.values()))
    for nth in range(1, count + 1):
        start_anew(pim_server)
        pim_server.faults.add(Fault(method="POST", nth=nth, **breakdown))
        assert set_up().state == State.FAILED
        assert set_up().state == State.SUCCEEDED
        assert setup_in(pim_server) == undisturbed
        assert SetupRecord.objects.count() == count
        pim_server.requests.clear()
        set_up()
        assert writes(pim_server) == []


@pytest.mark.parametrize("kind", ["drop", "lose", "truncate", "short", "status"])
def test_a_write_that_failed_once_is_made_in_the_same_run(
    undisturbed, pim_server, kind
):
    for nth in range(1, sum(map(len, undisturbed.values())) + 1):
        pim_server.faults.add(Fault(method="POST", nth=2 * nth, kind=kind))
    assert set_up().state == State.SUCCEEDED
    assert setup_in(pim_server) == undisturbed


def test_a_process_that_ends_after_any_record(undisturbed, pim_server):
    count = sum(map(len, undisturbed.values()))
    for nth in range(count):
        start_anew(pim_server)

        def end(done: int, total: int, nth: int = nth) -> None:
            if done == nth:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            set_up(show_progress=end)
        assert JobRun.objects.first().state == State.INTERRUPTED
        assert set_up().state == State.SUCCEEDED
        assert setup_in(pim_server) == undisturbed


def test_it_stops_between_two_records_when_asked_to(undisturbed, pim_server):
    def ask(done: int, total: int) -> None:
        if done == 3:
            runs.request_stop(JobRun.objects.first())

    run = set_up(show_progress=ask)
    assert run.state == State.STOPPED
    assert run.counts == {Outcome.CREATED: 3}
    assert len(writes(pim_server)) == 3
    set_up()
    assert setup_in(pim_server) == undisturbed


@pytest.mark.parametrize("kind", list(SetupKind))
def test_another_site_that_is_faster_with_all_records_of_a_kind(
    undisturbed, pim_server, kind
):
    entity_set = ENTITY_SETS[kind]

    def make_all() -> None:
        for record in undisturbed[entity_set]:
            pim_server.store.put(entity_set, record)

    pim_server.faults.before(f"/{entity_set}", make_all, method="POST")
    run = set_up()
    assert run.state == State.SUCCEEDED
    assert setup_in(pim_server) == undisturbed
    assert run.done == run.total == sum(run.counts.values())


def test_another_site_that_is_faster_with_every_single_record(undisturbed, pim_server):
    start_anew(pim_server)
    order = [
        (ENTITY_SETS[kind], record)
        for kind in SetupKind
        for record in undisturbed[ENTITY_SETS[kind]]
    ]

    def make_the_next() -> None:
        for entity_set, record in order:
            if pim_server.store.get(entity_set, record["id"]) is None:
                pim_server.store.put(entity_set, record)
                return

    pim_server.faults.before("/odata/", make_the_next, method="POST", times=None)
    run = set_up()
    assert run.state == State.SUCCEEDED
    assert setup_in(pim_server) == undisturbed


def test_another_site_whose_property_is_of_another_type(small_shop, pim_server):
    pim_server.faults.before(
        "/properties",
        lambda: put_property(pim_server, "Text", "Decimal", type="Number"),
        method="POST",
    )
    run = set_up()
    assert list(failures(run)) == ["Shirt.text"]
    assert "“Text” is number, but Shirt.text is text" in failures(run)["Shirt.text"]
    assert ("Shirt", "Text") not in assigned(pim_server)


def test_a_record_that_is_taken_but_never_listed_fails(small_shop, pim_server):
    fault = {"kind": "status", "status": 409, "times": None}
    pim_server.faults.add(Fault("/templates", "POST", **fault))
    run = set_up()
    assert run.state == State.FAILED_ITEMS
    assert set(failures(run)) == {
        "Shirt",
        "Text in Shirt",
        "Choice in Shirt",
        "Number in Shirt",
    }
    assert "does not list one that is called “Shirt”" in failures(run)["Shirt"]


@pytest.mark.parametrize("status", [400, 404, 412, 422])
def test_a_record_that_is_refused_is_one_failure_with_its_assignments(
    undisturbed, pim_server, status
):
    fault = {"kind": "status", "status": status}
    pim_server.faults.add(Fault("/properties", "POST", **fault))
    run = set_up()
    assert run.state == State.FAILED_ITEMS
    reasons = failures(run)
    assert set(reasons) == {"Text", "Text in Shirt"}
    assert "POST /odata/properties" in reasons["Text"]
    assert "this run says why" in reasons["Text in Shirt"]
    assert run.counts[Outcome.CREATED] == sum(map(len, undisturbed.values())) - 2
    set_up()
    assert setup_in(pim_server) == undisturbed


BAD_RECORDS = {
    "languages": {"id": "e5b1d4e8-2d0f-4f64-8ef2-3c2f3b1a0001", "languageCode": None},
    "websites": {"id": "e5b1d4e8-2d0f-4f64-8ef2-3c2f3b1a0002", "name": None},
    "productRelationships": {"id": "e5b1d4e8-2d0f-4f64-8ef2-3c2f3b1a0003"},
    "properties": {"id": "e5b1d4e8-2d0f-4f64-8ef2-3c2f3b1a0004", "name": 5},
    "templates": {"id": "e5b1d4e8-2d0f-4f64-8ef2-3c2f3b1a0005", "name": ["A"]},
    "templateproperties": {"id": "e5b1d4e8-2d0f-4f64-8ef2-3c2f3b1a0006"},
}


@pytest.mark.parametrize("entity_set", BAD_RECORDS)
def test_a_record_that_cannot_be_read_ends_the_run(
    small_shop, pim_server, queries, entity_set
):
    record = BAD_RECORDS[entity_set]
    pim_server.store.put(entity_set, record)
    with queries() as captured:
        run = set_up()
    assert run.state == State.FAILED
    assert run.error_code == "payload"
    assert str(record["id"]) in run.error
    assert writes(pim_server) == []
    assert captured.writes_to_site() == []


def test_nothing_is_ever_deleted_in_the_pim(small_shop, pim_server, page_types):
    shirt, _variant = small_shop
    set_up()
    before = setup_in(pim_server)
    RelationshipType.objects.all().delete()
    CatalogPage.objects.get().delete()
    Locale.objects.filter(language_code="de").delete()
    shirt.pim_fields = [Sync("text")]
    page_types([shirt])
    pim_server.requests.clear()
    assert set_up().state == State.SUCCEEDED
    assert setup_in(pim_server) == before
    assert writes(pim_server) == []


def test_a_tree_that_feeds_no_catalog_is_a_warning(small_shop, pim_server):
    categories.create_tree(pim_server.store, "Bicycles")
    run = set_up()
    assert run.state == State.SUCCEEDED
    (warning,) = run.warnings
    assert "“Bicycles” is mapped to no website" in warning


def test_it_takes_no_options_and_waits_for_other_runs(small_shop):
    runs.start(SynchronizeSetupData.name, trigger=Trigger.COMMAND)
    with pytest.raises(RunRefusedError):
        set_up()
