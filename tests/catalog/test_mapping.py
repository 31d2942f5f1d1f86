import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import NAMESPACE_DNS, uuid5

import pytest
from django.core.validators import validate_slug, validate_unicode_slug
from django.db import models
from django.test.utils import isolate_apps
from hypothesis import given
from hypothesis import strategies as st

from sandbox_site.shop.models import BicyclePage, Brand
from wagtail_pim.catalog import schema as schema_module
from wagtail_pim.catalog.languages import SiteLanguage
from wagtail_pim.catalog.mapping import (
    PageContent,
    Reading,
    best_place,
    make_slug,
    map_product,
)
from wagtail_pim.catalog.schema import CatalogSchema, Kind, PageType
from wagtail_pim.client.entities import Product, ProductHead, Property, Template
from wagtail_pim.exceptions import PayloadError, RecordError
from wagtail_pim.markers import Sync


def guid(name):
    return uuid5(NAMESPACE_DNS, name)


LAMPS, SALE, ELSEWHERE = guid("lamps"), guid("sale"), guid("elsewhere")
PLACES = {LAMPS: 1, SALE: 2}
ENGLISH = SiteLanguage(1, "en")


def in_english(product):
    return Reading(product, ENGLISH)


with isolate_apps("sandbox_site.shop"):

    class Shirt(models.Model):
        fabric_type = models.CharField(max_length=20, blank=True)
        price = models.DecimalField(max_digits=9, decimal_places=2, null=True)
        sizes = models.JSONField(default=list)
        brand = models.ForeignKey(Brand, models.SET_NULL, null=True, related_name="+")
        color = models.CharField(max_length=20, blank=True)
        facts = models.JSONField(default=list)

        pim_fields = [
            Sync("fabric_type"),
            Sync("price"),
            Sync("sizes"),
            Sync("brand"),
            Sync("facts", property="*"),
        ]

        class Meta:
            app_label = "shop"

        def __str__(self):
            return self.fabric_type


def prop(name, type="String", control="", **more):
    return Property(
        id=guid(f"property {name}"),
        name=name,
        type=type,
        controlType=control,
        **more,
    )


PROPERTIES = [
    prop("FabricType", displayName="Stoff"),
    prop("Price", "Number"),
    prop("Sizes", control="Multi Select"),
    prop("Brand"),
]
FACTS = [
    prop("Weight", "Number"),
    prop("Washable", "Boolean"),
    prop("Launch", "DateTime"),
    prop("Care", control="HTML"),
    prop("Colours", control="Multi Select"),
    prop("Motto"),
]


@pytest.fixture
def shirts(monkeypatch, settings):
    settings.WAGTAIL_PIM = {}
    by_kind = {Kind.PRODUCT: [Shirt], Kind.VARIANT: [Shirt]}
    monkeypatch.setattr(schema_module, "page_classes", by_kind.get)
    templates = [Template(id=guid("template"), name="Shirt")]
    return CatalogSchema(templates, [*PROPERTIES, *FACTS])


def raw(**more):
    return {
        "id": str(guid("product")),
        "productNumber": "S-1",
        "productTitle": "A shirt",
        "templateId": str(guid("template")),
        "primaryCategoryTreeId": str(LAMPS),
        "currentVersionNumber": 3,
        **more,
    }


def links(*categories):
    return [{"id": str(guid("link")), "categoryTreeId": str(c)} for c in categories]


@pytest.fixture
def mapped(shirts):
    def mapped(places=PLACES, **more):
        return map_product(in_english(Product.parse(raw(**more))), shirts, places)

    return mapped


@pytest.fixture
def refused(mapped):
    def refused(**more):
        with pytest.raises(RecordError) as error:
            mapped(**more)
        return str(error.value)

    return refused


# One product


def test_product_becomes_the_content_of_a_page(mapped):
    content = mapped(
        urlSegment="a-shirt",
        fabricType=" Jersey ",
        PRICE=Decimal("19.9"),
        sizes="S~M",
        brand="Bosch",
        color="not marked",
        deactivateOn="2030-01-01T00:00:00Z",
        primaryImageAssetId=str(guid("image")),
        categoryTrees=links(SALE, ELSEWHERE),
    )
    assert (content.kind, content.model) == (Kind.PRODUCT, Shirt)
    assert (content.guid, content.number) == (guid("product"), "S-1")
    assert (content.title, content.slug) == ("A shirt", "a-shirt")
    assert (content.parent, content.categories) == (LAMPS, {SALE})
    assert content.values == {
        "fabric_type": "Jersey",
        "price": Decimal("19.90"),
        "sizes": ["S", "M"],
        "brand": "Bosch",
        "facts": [],
        "product_number": "S-1",
        "expire_at": datetime(2030, 1, 1, tzinfo=UTC),
        "primary_image": guid("image"),
    }


def test_what_the_pim_does_not_have_is_empty(mapped):
    values = mapped(fabricType=None, sizes="", brand=" ").values
    assert values["fabric_type"] == ""
    assert values["price"] is values["brand"] is None
    assert values["sizes"] == []
    assert values["expire_at"] is values["primary_image"] is None


def test_variant_is_placed_under_its_product(mapped):
    content = mapped(parentProductId=str(guid("parent")), categoryTrees=links(SALE))
    assert (content.kind, content.parent) == (Kind.VARIANT, guid("parent"))
    assert content.categories == {SALE}


def test_variant_needs_no_category(mapped):
    content = mapped(parentProductId=str(guid("parent")), primaryCategoryTreeId=None)
    assert (content.parent, content.categories) == (guid("parent"), frozenset())


def test_deactivation_without_a_zone_is_in_utc(mapped):
    expire_at = mapped(deactivateOn="2030-01-01T00:00:00").values["expire_at"]
    assert expire_at == datetime(2030, 1, 1, tzinfo=UTC)


# What is wrong with a product


@pytest.mark.parametrize("title", [None, "", "  \n"])
def test_product_without_a_title(refused, title):
    assert refused(productTitle=title) == "It has no title. Correct this in the PIM."


def test_title_that_fits_exactly(mapped):
    assert mapped(productTitle="x" * 255).title == "x" * 255


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"productTitle": "x" * 256}, "Its title has 256 characters; 255 fit"),
        ({"productTitle": "a\x00b"}, "The text holds a NUL character"),
        ({"productNumber": "a\x00b"}, "The text holds a NUL character"),
        ({"fabricType": "x" * 21}, "“Stoff”: the text has 21 characters; 20 fit"),
        ({"price": "cheap"}, "“Price”: “cheap” is not a number"),
        ({"price": Decimal("1.005")}, "“Price”: “1.005” has more than 2 decimals"),
        ({"brand": {"name": "Bosch"}}, "“Brand”: a text is needed"),
        ({"weight": "heavy"}, "“Weight”: “heavy” is not a number"),
        ({"washable": "maybe"}, "“Washable”: “maybe” is neither yes nor no"),
        ({"launch": "soon"}, "“Launch”: “soon” is not a date and time"),
        ({"motto": "a\ud800b"}, "“Motto”: the text holds half a character"),
        ({"primaryCategoryTreeId": None}, "None of its categories is in a category"),
        ({"primaryCategoryTreeId": str(ELSEWHERE)}, "None of its categories is in"),
    ],
)
def test_fault_names_the_property_and_says_what_to_do(refused, more, fault):
    told = refused(**more)
    assert told.startswith(fault)
    assert told.endswith(". Correct this in the PIM.")


def test_all_faults_are_told_at_once(refused):
    told = refused(
        productTitle="", price="cheap", weight="heavy", primaryCategoryTreeId=None
    )
    assert told.count("; ") == 3
    for fault in ("cheap", "heavy", "no title", "none of its categories"):
        assert fault in told


def test_product_without_a_page_type_is_refused(refused):
    told = refused(templateId=str(guid("gone")), templateName="Lamp")
    assert "no page type for its template “Lamp”" in told


# All other properties in one field


def test_catch_all_lists_the_unclaimed_properties_in_the_types_they_promise(mapped):
    facts = mapped(
        motto="Soft",
        weight=Decimal("0.50"),
        washable="yes",
        launch="2030-06-01T00:00:00+02:00",
        care="<p onclick='x'>30 °C</p>",
        colours="red~blue",
        fabricType="claimed",
        unknown="no property of the PIM",
    ).values["facts"]
    assert {fact["name"]: fact["value"] for fact in facts} == {
        "Care": "<p>30 °C</p>",
        "Colours": ["red", "blue"],
        "Launch": "2030-06-01T00:00:00+02:00",
        "Motto": "Soft",
        "Washable": True,
        "Weight": 0.5,
    }
    assert facts[0] == {
        "name": "Care",
        "displayName": "Care",
        "type": "String",
        "controlType": "HTML",
        "value": "<p>30 °C</p>",
    }


@pytest.mark.parametrize("value", [None, ""])
def test_catch_all_leaves_out_what_is_empty(mapped, value):
    assert mapped(motto=value, weight=value).values["facts"] == []


@pytest.mark.parametrize(
    "more", [{"motto": "  "}, {"weight": " "}, {"washable": "\n"}, {"colours": "~"}]
)
def test_catch_all_leaves_out_what_other_fields_take_for_empty(mapped, more):
    assert mapped(**more).values["facts"] == []


# Names of properties


def shirt_field(schema_properties, **more):
    schema = CatalogSchema(
        [Template(id=guid("template"), name="Shirt")], schema_properties
    )
    content = map_product(in_english(Product.parse(raw(**more))), schema, PLACES)
    return content.values["fabric_type"]


@pytest.mark.parametrize("key", ["FabricType", "fabrictype", "fabricType"])
def test_value_is_found_under_its_propertys_name_in_any_case(shirts, key):
    assert shirt_field([prop("FabricType")], **{key: "Jersey"}) == "Jersey"


@pytest.mark.parametrize("properties", [[prop("Fabric type")], []])
def test_value_is_found_where_the_key_has_no_spaces_or_underscores(shirts, properties):
    # A key of OData cannot hold a space: the property's name can't be the key.
    assert shirt_field(properties, fabricType="Jersey") == "Jersey"


# The hash


def test_hash_does_not_depend_on_version_or_order(mapped):
    base = mapped(fabricType="a", motto="b", categoryTrees=links(SALE))
    other = mapped(
        motto="b",
        categoryTrees=links(SALE, SALE),
        FABRICTYPE="a",
        currentVersionNumber=9,
        status="Published",
        modifiedOn="2030-01-01T00:00:00Z",
        **{"@odata.etag": "W/1"},
    )
    assert base.content_hash == other.content_hash
    assert len(base.content_hash) == 64


@pytest.mark.parametrize(
    "change",
    [
        {"productTitle": "B"},
        {"urlSegment": "b"},
        {"productNumber": "S-2"},
        {"primaryCategoryTreeId": str(SALE)},
        {"categoryTrees": links(SALE)},
        {"parentProductId": str(guid("parent"))},
        {"fabricType": "Jersey"},
        {"price": 0},
        {"sizes": "S"},
        {"brand": "Bosch"},
        {"motto": "Soft"},
        {"deactivateOn": "2030-01-01T00:00:00Z"},
        {"primaryImageAssetId": str(guid("image"))},
    ],
)
def test_hash_changes_with_whatever_the_page_shows(mapped, change):
    assert mapped(**change).content_hash != mapped().content_hash


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"price": Decimal("1.5")}, {"price": "1.50"}),
        ({"sizes": "S~M"}, {"sizes": "S~M~~S"}),
        ({"fabricType": " a"}, {"fabricType": "a "}),
        (
            {"deactivateOn": "2030-01-01T00:00:00Z"},
            {"deactivateOn": "2030-01-01T00:00:00+00:00"},
        ),
    ],
)
def test_hash_is_that_of_the_value_not_of_its_spelling(mapped, one, other):
    assert mapped(**one).content_hash == mapped(**other).content_hash


def test_values_of_a_sites_own_field_class_count_in_the_hash():
    class Money:
        def __init__(self, amount):
            self.amount = amount

        def __str__(self):
            return f"{self.amount} EUR"

    def content(value):
        product = Product.parse(raw())
        return PageContent(
            product=product,
            language=ENGLISH,
            kind=Kind.PRODUCT,
            page_type=PageType(Shirt, (), None, ()),
            title="T",
            slug="t",
            slug_is_given=True,
            parent=LAMPS,
            categories=frozenset(),
            assets=(),
            related=(),
            values={"price": value},
        )

    assert content(Money(1)).content_hash == content(Money(1)).content_hash
    assert content(Money(1)).content_hash != content(Money(2)).content_hash


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats() | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = [p.name for p in (*PROPERTIES, *FACTS)]


@pytest.fixture(scope="module")
def schema():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema_module, "page_classes", lambda kind: [Shirt])
        return CatalogSchema(
            [Template(id=guid("template"), name="Shirt")], [*PROPERTIES, *FACTS]
        )


@given(values=st.dictionaries(st.sampled_from(KEYS), JSON_VALUES))
def test_any_value_is_mapped_or_refused(schema, values):
    product = Product.parse(raw(**values))
    try:
        content = map_product(in_english(product), schema, PLACES)
    except RecordError as error:
        told = str(error)
    else:
        # What a JSON field of any database takes.
        told = json.dumps(content.values["facts"], allow_nan=False) + str(content)
        same = map_product(in_english(Product.parse(raw(**values))), schema, PLACES)
        assert same.content_hash == content.content_hash
    told.encode()
    assert "\x00" not in told


@given(title=st.text(), segment=st.text(), number=st.text(min_size=1))
def test_any_title_is_mapped_or_refused(schema, title, segment, number):
    more = {"productTitle": title, "urlSegment": segment, "productNumber": number}
    try:
        content = map_product(in_english(Product.parse(raw(**more))), schema, PLACES)
    except (RecordError, PayloadError):
        return
    assert 0 < len(content.title) <= 255
    validate_unicode_slug(content.slug)


# The slug


@pytest.mark.parametrize(
    ("candidates", "slug"),
    [
        (("a-shirt", "Title"), "a-shirt"),
        (("A Shirt!", "Title"), "a-shirt"),
        (("", "A Title", "S-1"), "a-title"),
        (("***", "---", "S-1"), "s-1"),
        (("../../etc/passwd",), "etcpasswd"),
        (("Größe 漢字",), "größe-漢字"),
        (("", "", ""), "page"),
        (("💧", "!"), "page"),
        ((), "page"),
        (("x" * 300,), "x" * 247),
        (("x" * 246 + "-yz",), "x" * 246),
    ],
)
def test_slug_is_that_of_the_first_candidate_with_one(candidates, slug):
    assert make_slug(*candidates) == slug


def test_slug_is_ascii_where_the_site_says_so(settings):
    settings.WAGTAIL_ALLOW_UNICODE_SLUGS = False
    assert make_slug("Größe 漢字") == "groe"
    assert make_slug("漢字", "S-1") == "s-1"


@given(st.lists(st.text(), max_size=3))
def test_slug_is_always_valid_and_leaves_room_for_a_suffix(candidates):
    slug = make_slug(*candidates)
    validate_unicode_slug(slug)
    assert 0 < len(slug) <= 247
    assert make_slug(slug) == slug


@given(st.lists(st.text(), max_size=3))
def test_ascii_slug_is_always_valid(candidates):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "wagtail_pim.catalog.mapping.unicode_slugs_allowed", lambda: False
        )
        validate_slug(make_slug(*candidates))


# The place


@pytest.mark.parametrize(
    ("primary", "listed", "place"),
    [
        (LAMPS, [], LAMPS),
        (SALE, [LAMPS], SALE),
        (None, [SALE, LAMPS], LAMPS),
        (ELSEWHERE, [SALE, LAMPS], LAMPS),
        (ELSEWHERE, [SALE], SALE),
        (ELSEWHERE, [], None),
        (None, [], None),
        (None, [ELSEWHERE], None),
    ],
)
def test_place_is_the_primary_category_or_the_best_ranked(primary, listed, place):
    more = {"primaryCategoryTreeId": primary, "categoryTrees": links(*listed)}
    assert best_place(ProductHead.parse(raw(**more)), PLACES) == place


@given(
    primary=st.sampled_from([None, LAMPS, SALE, ELSEWHERE]),
    listed=st.lists(st.sampled_from([LAMPS, SALE, ELSEWHERE])),
)
def test_product_is_never_listed_where_it_is_placed_nor_on_another_site(
    schema, primary, listed
):
    more = {"primaryCategoryTreeId": primary, "categoryTrees": links(*listed)}
    product = Product.parse(raw(**more))
    try:
        content = map_product(in_english(product), schema, PLACES)
    except RecordError:
        assert not {primary, *listed} & PLACES.keys()
    else:
        assert content.categories | {content.parent} == (
            {primary, *listed} & PLACES.keys()
        )
        assert content.parent not in content.categories


def test_markers_of_the_shop_map_a_bicycle():
    bicycle = CatalogSchema(
        [Template(id=guid("template"), name="Bicycle")],
        [
            prop("Gears", "Number"),
            prop("RidingStyles", control="Multi Select"),
            prop("FrameMaterial", control="Dropdown"),
            prop("AvailableFrom", "DateTime", "Date Picker"),
            prop("Description", control="HTML"),
        ],
    )
    product = Product.parse(
        raw(
            gears=7,
            ridingStyles="Touring~City",
            frameMaterial="steel",
            availableFrom="2030-06-01T00:00:00+02:00",
            description="<p>Fast<script>x</script></p>",
        )
    )
    content = map_product(in_english(product), bicycle, PLACES)
    assert content.model is BicyclePage
    assert content.values["gears"] == 7
    assert content.values["riding_styles"] == ("City", "Touring")
    assert content.values["frame_material"] == "Steel"
    assert str(content.values["available_from"]) == "2030-06-01"
    assert content.values["description"] == "<p>Fast</p>"
    assert content.values["electric"] is False
