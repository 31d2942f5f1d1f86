"""``manage.py pim schema``: both sides on the command line, for people and machines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import site_rows
from tests.pim_data import TAXONOMY, WEBSITE, guid
from tests.trial.models import TrialHandlerPage
from wagtail_pim.jobs import SynchronizeSetupData, runs
from wagtail_pim.kinds import Kind
from wagtail_pim.models import PimLink, RelationshipType
from wagtail_pim.models.runs import Trigger

from .test_command import pim_command  # noqa: F401


@pytest.fixture
def schema(pim_command) -> Any:  # noqa: F811
    return lambda *arguments: pim_command("schema", *arguments)


@pytest.fixture
def fitting_pim(pim, monkeypatch) -> Any:
    """One with which nothing is in conflict: the page types here agree on types."""
    monkeypatch.setattr(TrialHandlerPage, "pim_fields", [])
    return pim


def field_of(found: dict[str, Any], model: str, name: str) -> dict[str, Any]:
    fields = next(c["fields"] for c in found["classes"] if c["class"] == model)
    return next(field for field in fields if field["field"] == name)


def synchronize() -> None:
    run = runs.start(SynchronizeSetupData.name, trigger=Trigger.COMMAND)
    runs.carry_out(run.pk)


def test_json_holds_both_sides_of_a_field(fitting_pim, schema):
    result = schema("--json")
    assert result.code == 0
    assert result.output.isascii()
    found = result.json()
    assert (found["ok"], found["error"]) == (True, None)
    price = field_of(found, "shop.BicyclePage", "price")
    assert price == {
        "field": "price",
        "label": "Price",
        "property": "Price",
        "property_label": "Price (EUR)",
        "site_type": "number",
        "site_control": "Decimal",
        "pim_type": "number",
        "pim_control": "Decimal",
        "required": True,
        "translatable": False,
        "state": "new",
        "differences": price["differences"],
        "left": price["left"],
        "conflict": None,
    }
    assert price["left"]["displayName"] == ["Price (EUR)", "Price"]
    assert price["differences"]["propertyId"] == [None, guid("property", "Price")]


def test_json_tells_of_new_fields_and_of_conflicts(pim, schema):
    pim.property("Weight", "Text Field")
    result = schema("--json")
    assert result.code == 1
    found = result.json()
    assert found["ok"] is False
    ratio = field_of(found, "trial.TrialProductPage", "ratio")
    assert (ratio["pim_type"], ratio["state"]) == (None, "new")
    assert ratio["differences"]["displayName"] == [None, "Ratio"]
    weight = field_of(found, "shop.BicyclePage", "weight")
    assert (weight["pim_type"], weight["state"]) == ("text", "conflict")
    assert weight["differences"] == {}
    assert "the property “Weight” is text" in weight["conflict"]


def test_json_holds_all_other_setup_data(fitting_pim, schema, publish):
    publish()
    RelationshipType.objects.create(name="Upsell")
    fitting_pim.property("Legacy code")
    fitting_pim.taxonomy("Lonely", [])
    found = schema("--json").json()
    assert [(row["name"], row["state"]) for row in found["languages"]] == [
        ("en", "new")
    ]
    assert [row["name"] for row in found["relationship_types"]] == ["Upsell"]
    assert [row["name"] for row in found["websites"]] == [WEBSITE]
    templates = {row["name"]: row["state"] for row in found["templates"]}
    assert templates["Bicycle"] == "in_step"
    assert templates["Apparel"] == "new"
    assert found["only_in_pim"] == {"property": ["Legacy code"]}
    assert "shop.GiftCardPage" in found["kept_out"]
    takers = {c["class"]: c["takes_any_property"] for c in found["classes"]}
    assert takers["shop.GenericVariantPage"] == ["specifications"]
    trees = {tree["tree"]: tree for tree in found["trees"]}
    assert trees[TAXONOMY] == {
        "tree": TAXONOMY,
        "websites": [
            {
                "website": WEBSITE,
                "catalog_page": PimLink.objects.get(kind=Kind.CATALOG).page_id,
                "shown_on_this_site": True,
            }
        ],
        "problem": None,
    }
    assert "“Lonely” is mapped to no website" in trees["Lonely"]["problem"]


def test_what_the_job_has_written_is_in_step(fitting_pim, schema):
    synchronize()
    found = schema("--json").json()
    ratio = field_of(found, "trial.TrialProductPage", "ratio")
    assert (ratio["state"], ratio["differences"], ratio["left"]) == ("in_step", {}, {})
    assert {row["state"] for row in found["languages"]} == {"in_step"}


def test_a_tree_that_feeds_several_websites_is_to_be_corrected(fitting_pim, schema):
    assert schema().code == 0
    fitting_pim.website("Outlet")
    fitting_pim.taxonomy("Both", [WEBSITE, "Outlet"])
    result = schema()
    assert result.code == 1
    assert f"mapped to more than one website: Outlet, {WEBSITE}" in result.output


def test_people_read_tables_and_sentences(pim, schema, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    pim.property("Legacy code")
    pim.property("Weight", "Text Field")
    output = schema().output
    lines = [[cell.strip() for cell in line.split("│")] for line in output.splitlines()]
    assert ["", "ratio", "Ratio", "number", "", "yes", "yes", "new", ""] in lines
    assert ["", "en", "new", "It is created in the PIM.", ""] in lines
    assert "Bicycle: shop.BicyclePage, product, template: Bicycle, in step" in output
    assert "ratio: The property is created.\n" in output
    assert "weight: In the PIM, the property “Weight” is text, but" in output
    assert "Only in the PIM: Properties: Legacy code" in output
    assert "Kept out of the synchronization: shop.GiftCardPage" in output
    assert output.rstrip().endswith("fields in conflict")


def test_a_narrow_terminal_loses_no_name(pim, schema, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    assert "…" not in schema().output.replace("(property=…)", "").replace("…)", "")


def test_texts_of_the_pim_steer_no_terminal(pim, schema):
    pim.property("Gears", "[bold]Dec\x1b[31mimal")
    pim.property("Legacy\x1b[2Jcode")
    output = schema().output
    assert "\x1b" not in output
    assert "[bold]" in output


def test_without_the_pim_the_sites_side_is_told(pim, schema, configure):
    configure(API_ADDRESS="http://127.0.0.1:9/")
    result = schema("--json")
    assert result.code == 1
    found = result.json()
    assert found["error"]["code"] == "unreachable"
    ratio = field_of(found, "trial.TrialProductPage", "ratio")
    assert (ratio["site_type"], ratio["state"], ratio["differences"]) == (
        "number",
        None,
        {},
    )
    result = schema()
    assert result.code == 1
    assert "│ ratio" in result.output
    assert "The PIM could not be read: " in result.output


def test_it_writes_nothing(pim, pim_server, schema):
    before = site_rows()
    schema()
    schema("--json")
    assert site_rows() == before
    assert {request.method for request in pim_server.requests} == {"GET"}
