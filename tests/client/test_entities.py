from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_pim.client.entities import (
    Asset,
    Category,
    InvalidRecord,
    Product,
    ProductHead,
    Property,
    PublishingSettings,
    Taxonomy,
    Template,
    Website,
    describe_raw,
    raw_value,
)
from wagtail_pim.exceptions import PayloadError

from .conftest import guid, product

A, B, C = (guid(name) for name in "abc")


def pim_property(**changes):
    return Property.parse({"id": str(A), "name": "Fabric", **changes})


@pytest.mark.parametrize("change", [str, str.upper, str.lower, str.swapcase])
def test_keys_match_without_regard_to_case(change):
    raw = product(
        "A", urlSegment="a", templateId=str(B), categoryTrees=[], **{"@odata.etag": "W"}
    )
    parsed = Product.parse({change(key): value for key, value in raw.items()})
    assert parsed.id == guid("A")
    assert parsed.product_number == "A"
    assert (parsed.url_segment, parsed.template_id) == ("a", B)
    assert (parsed.etag, parsed.current_version_number) == ("W", 3)


@given(st.text(alphabet="productNumber", min_size=1, max_size=13))
def test_keys_that_are_no_field_are_left_to_the_properties(name):
    parsed = Product.parse({**product("A"), f"x{name}": "value"})
    assert parsed.properties[f"x{name}".casefold()] == "value"
    assert parsed.product_number == "A"


def test_every_key_of_a_product_is_a_property_as_it_came():
    parsed = Product.parse(product("A", FabricType="Jersey", price=Decimal("1.10")))
    assert parsed.properties["fabrictype"] == "Jersey"
    assert str(parsed.properties["price"]) == "1.10"
    assert parsed.properties["productnumber"] == "A"


def test_custom_property_named_properties_does_not_get_in_the_way():
    parsed = Product.parse(product("A", Properties="many"))
    assert parsed.properties["properties"] == "many"


@pytest.mark.parametrize(
    ("model", "raw", "expected"),
    [
        (Category, {"name": "N", "categoryTaxonomyId": str(B)}, {"url_segment": ""}),
        (
            Category,
            {"name": "N", "categoryTaxonomyId": str(B), "displaySequence": None},
            {"display_sequence": 0, "parent_id": None},
        ),
        (Property, {"name": "N", "displayName": None}, {"display_name": ""}),
        (Property, {"name": "N", "isSystemProperty": None}, {"is_system_property": 0}),
        (Taxonomy, {"name": "N", "websites": None}, {"websites": []}),
        (Template, {"name": "N", "parentTemplateId": None}, {"name": "N"}),
        (Website, {"name": "N"}, {"name": "N"}),
        (Asset, {"altText": None, "isArchived": None}, {"alt_text": ""}),
        (Product, product("a", isArchived=None, status=None), {"is_archived": False}),
        (ProductHead, product("a", categoryTrees=None), {"category_trees": []}),
    ],
)
def test_null_and_absent_are_empty(model, raw, expected):
    parsed = model.parse({"id": str(A), **raw})
    assert {name: getattr(parsed, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"id": "not-a-guid"}, "id: Input should be a valid UUID"),
        ({"id": None}, "id: "),
        ({"productNumber": None}, "productNumber: "),
        ({"productNumber": ""}, "productNumber: String should have at least 1"),
        ({"productNumber": 7}, "productNumber: Input should be a valid string"),
        ({"productTitle": ["T"]}, "productTitle: "),
        ({"currentVersionNumber": -1}, "currentVersionNumber: "),
        ({"currentVersionNumber": "new"}, "currentVersionNumber: "),
        ({"currentVersionNumber": Decimal("1.5")}, "currentVersionNumber: "),
        ({"templateId": "Shirt"}, "templateId: "),
        ({"deactivateOn": "soon"}, "deactivateOn: "),
        ({"categoryTrees": {"id": 1}}, "categoryTrees: "),
        ({"categoryTrees": [{"id": str(A)}]}, "categoryTrees.0.categoryTreeId: "),
    ],
)
def test_error_names_the_field_and_the_record(changes, fault):
    with pytest.raises(PayloadError) as error:
        Product.parse({**product("A-1"), **changes})
    message = str(error.value)
    assert message.startswith("The PIM sent a product that can't be read (")
    assert fault in message
    assert "A-1" in message or str(guid("A-1")) in message


@pytest.mark.parametrize("raw", [None, 5, "text", [], [{"id": 1}], True])
def test_record_that_is_no_object_is_an_error(raw):
    with pytest.raises(PayloadError, match=r"a product that can't be read \(no id\)"):
        Product.parse(raw)


def test_error_tells_five_faults_at_most_and_no_values():
    raw = {key: ["very", "secret"] for key in product("A")}
    with pytest.raises(PayloadError) as error:
        Product.parse({**raw, "templateId": 1, "deactivateOn": [1], "etag": 2})
    assert str(error.value).count("; ") == 4
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        ("2030-06-01T12:00:00Z", datetime(2030, 6, 1, 12, tzinfo=UTC)),
        ("2030-06-01T14:00:00+02:00", datetime(2030, 6, 1, 12, tzinfo=UTC)),
        ("2030-06-01T12:00:00.1234567Z", datetime(2030, 6, 1, 12, 0, 0, 123456, UTC)),
        ("2030-06-01T12:00:00", datetime(2030, 6, 1, 12, tzinfo=UTC)),
        ("2030-06-01", datetime(2030, 6, 1, tzinfo=UTC)),
    ],
)
def test_deactivation_is_an_aware_time(given, expected):
    deactivate_on = Product.parse(product("A", deactivateOn=given)).deactivate_on
    assert deactivate_on == expected
    assert expected is None or deactivate_on.tzinfo is not None


def test_records_are_frozen():
    parsed = Product.parse(product("A"))
    with pytest.raises(ValueError, match="frozen"):
        parsed.status = "Published"


@pytest.mark.parametrize(
    ("primary", "listed", "expected"),
    [
        (None, [], []),
        (A, [], [A]),
        (A, [B, A, C], [A, B, C]),
        (A, [B, B], [A, B]),
        (None, [C, B], [C, B]),
    ],
)
def test_categories_of_a_product_begin_with_the_primary_one(primary, listed, expected):
    links = [{"id": str(guid("link")), "categoryTreeId": str(c)} for c in listed]
    raw = product("A", primaryCategoryTreeId=primary, categoryTrees=links)
    assert ProductHead.parse(raw).category_ids() == expected


@pytest.mark.parametrize("status", ["Approved", "APPROVED", " approved "])
def test_status_is_compared_without_regard_to_case(status):
    head = ProductHead.parse(product("A", status=status))
    assert head.has_status("Approved")
    assert not head.has_status("Published")


def test_product_with_a_parent_is_a_variant():
    assert Product.parse(product("A", parentProductId=str(B))).is_variant()
    assert not Product.parse(product("A")).is_variant()


@pytest.mark.parametrize("control", ["Multi Select", "multi-select", "MultiSelect"])
def test_control_type_of_several_values(control):
    assert pim_property(controlType=control).holds_several_values()


@pytest.mark.parametrize("control", ["HTML", "html", " Html "])
def test_control_type_of_html(control):
    assert pim_property(controlType=control).holds_html()


@pytest.mark.parametrize("control", [None, "", "Text Area", "Dropdown"])
def test_control_type_of_plain_text(control):
    prop = pim_property(controlType=control)
    assert not prop.holds_html()
    assert not prop.holds_several_values()


@pytest.mark.parametrize(
    "key", ["activePublishingEnvironment", "ActivePublishingEnvironment"]
)
def test_settings_match_keys_without_regard_to_case(key):
    parsed = PublishingSettings.model_validate({key: "Sandbox"})
    assert parsed.active_publishing_environment == "Sandbox"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"id": "1", "name": "N", "productNumber": "P"}, "productNumber P"),
        ({"ID": "1", "NAME": "N"}, "name N"),
        ({"id": "1", "name": ""}, "id 1"),
        ({"id": 1}, "no id"),
        (None, "no id"),
        ({"name": "x" * 500}, "name " + "x" * 100),
        ({"name": "a\x00b\ud800c"}, "name a�b�c"),
    ],
)
def test_record_is_described_for_a_message(raw, expected):
    assert describe_raw(raw) == expected


@pytest.mark.parametrize(
    ("raw", "id", "number"),
    [
        ({"id": str(A), "productNumber": "P"}, A, "P"),
        ({"ID": str(A).upper(), "PRODUCTNUMBER": "P"}, A, "P"),
        ({"id": str(A)}, A, str(A)),
        ({"id": "broken", "name": "N"}, None, "N"),
        ({"productNumber": 7}, None, "7"),
        ({"productNumber": "x" * 999}, None, "x" * 255),
        ({"productNumber": "a\x00b\ud800c"}, None, "a�b�c"),
        ({}, None, "?"),
        (None, None, "?"),
    ],
)
def test_invalid_record_is_identified_as_far_as_possible(raw, id, number):
    invalid = InvalidRecord.of(raw, PayloadError("bad"))
    assert (invalid.id, invalid.number) == (id, number)


def test_raw_value_of_what_is_no_object():
    assert raw_value([1], "id") is None
    assert raw_value({"Id": 5}, "iD") == 5
    assert UUID(str(raw_value({"ID": str(A)}, "id"))) == A
