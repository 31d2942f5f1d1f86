from uuid import NAMESPACE_DNS, uuid5

import pytest
from django.db import models
from django.test.utils import isolate_apps

from sandbox_site.shop.models import (
    BicyclePage,
    BicycleVariantPage,
    GenericProductPage,
    GenericVariantPage,
    HelmetPage,
    HelmetVariantPage,
)
from wagtail_pim.catalog import schema as schema_module
from wagtail_pim.catalog.named_relations import NamedRelation
from wagtail_pim.catalog.schema import (
    CatalogSchema,
    Kind,
    PropertyIndex,
    configured_model,
    default_page_class,
    page_classes,
    template_name,
)
from wagtail_pim.client.entities import Product, Property, Template
from wagtail_pim.exceptions import ConfigurationError, RecordError
from wagtail_pim.markers import Sync, no_sync
from wagtail_pim.models import CatalogPage, ProductPage, VariantPage


def guid(name):
    return uuid5(NAMESPACE_DNS, name)


def prop(name, **more):
    return Property(id=guid(f"property {name}"), name=name, **more)


def template(name, parent=None):
    parent_id = guid(f"template {parent}") if parent else None
    return Template(id=guid(f"template {name}"), name=name, parentTemplateId=parent_id)


def product(template=None, *, parent=None, template_name=None):
    return Product(
        id=guid("product"),
        productNumber="P-1",
        currentVersionNumber=1,
        templateId=guid(f"template {template}") if template else None,
        templateName=template_name,
        parentProductId=guid(parent) if parent else None,
    )


@pytest.fixture(autouse=True)
def no_defaults(settings):
    settings.WAGTAIL_PIM = {}


@pytest.fixture
def shirts(monkeypatch):
    """A page type and a subtype of it, of plain Django, as the only product pages."""
    with isolate_apps("sandbox_site.shop"):

        class Shirt(models.Model):
            fabric_type = models.CharField(max_length=20)
            fit = models.CharField(max_length=20)
            pim_fields = [Sync("fabric_type"), Sync("fit", property="Cut")]

            class Meta:
                app_label = "shop"

            def __str__(self):
                return self.fit

        class TShirt(Shirt):
            facts = models.JSONField(default=list)
            pim_fields = [Sync("facts", property="*")]

            class Meta:
                app_label = "shop"

            def __str__(self):
                return self.fit

    only(monkeypatch, Shirt, TShirt)
    return Shirt, TShirt


def only(monkeypatch, *models_of_products):
    by_kind = {Kind.PRODUCT: list(models_of_products), Kind.VARIANT: []}
    monkeypatch.setattr(schema_module, "page_classes", by_kind.get)


# Page types


def test_page_types_are_the_sites_own():
    products, variants = page_classes(Kind.PRODUCT), page_classes(Kind.VARIANT)
    assert {BicyclePage, HelmetPage, GenericProductPage} <= set(products)
    assert {BicycleVariantPage, HelmetVariantPage} <= set(variants)
    assert not {ProductPage, VariantPage} & {*products, *variants}
    assert not set(products) & set(variants)


@pytest.mark.parametrize(
    ("template", "parent", "model"),
    [
        ("Bicycle", None, BicyclePage),
        ("Bicycle", "parent", BicycleVariantPage),
        ("Helmet", None, HelmetPage),
        ("Cargo bicycle", None, BicyclePage),
        ("Cargo bicycle", "parent", BicycleVariantPage),
        ("Long john", None, BicyclePage),
    ],
)
def test_product_goes_to_the_page_type_of_its_nearest_template(template, parent, model):
    schema = CatalogSchema(TEMPLATES, [])
    assert schema.page_type_for(product(template, parent=parent)).model is model


TEMPLATES = [
    template("Goods"),
    template("Bicycle", "Goods"),
    template("Cargo bicycle", "Bicycle"),
    template("Long john", "Cargo bicycle"),
    template("Helmet", "Goods"),
    template("Lamp", "Goods"),
]


def test_page_type_of_the_template_itself_goes_before_that_of_its_parent(shirts):
    shirt, t_shirt = shirts
    templates = [template("Shirt"), template("T_SHIRT", "Shirt")]
    schema = CatalogSchema(templates, [])
    assert schema.page_type_for(product("T_SHIRT")).model is t_shirt
    assert schema.page_type_for(product("Shirt")).model is shirt


def test_template_that_is_not_listed_is_known_by_its_name(shirts):
    schema = CatalogSchema([], [])
    found = schema.page_type_for(product("gone", template_name="Shirt"))
    assert found.model is shirts[0]


def test_template_of_a_class_is_not_inherited(shirts):
    shirt, t_shirt = shirts
    shirt.pim_template = "Hemd"
    assert template_name(shirt) == "Hemd"
    assert template_name(t_shirt) == "TShirt"


@pytest.mark.parametrize("start", ["A", "B"])
def test_templates_in_a_circle_end(start):
    schema = CatalogSchema([template("A", "B"), template("B", "A")], [])
    with pytest.raises(RecordError, match="no page type for its template"):
        schema.page_type_for(product(start))


def test_template_without_a_page_type_says_who_has_to_do_what():
    with pytest.raises(RecordError) as error:
        CatalogSchema(TEMPLATES, []).page_type_for(product("Lamp"))
    assert str(error.value) == (
        "The site has no page type for its template “Lamp”. A developer has to add "
        "one, or set DEFAULT_PRODUCT_PAGE."
    )


def test_variant_without_a_page_type_names_the_variants_setting():
    with pytest.raises(RecordError, match="DEFAULT_VARIANT_PAGE"):
        CatalogSchema(TEMPLATES, []).page_type_for(product("Lamp", parent="P"))


def test_product_without_a_template_says_so():
    with pytest.raises(RecordError, match="It has no product template"):
        CatalogSchema(TEMPLATES, []).page_type_for(product())


@pytest.mark.parametrize("template", ["Lamp", None])
@pytest.mark.parametrize(
    ("parent", "model"), [(None, GenericProductPage), ("P", GenericVariantPage)]
)
def test_default_takes_products_without_a_page_type(settings, template, parent, model):
    settings.WAGTAIL_PIM = {
        "DEFAULT_PRODUCT_PAGE": "shop.GenericProductPage",
        "DEFAULT_VARIANT_PAGE": "shop.GenericVariantPage",
    }
    schema = CatalogSchema(TEMPLATES, [])
    assert schema.page_type_for(product(template, parent=parent)).model is model
    assert schema.page_type_for(product("Helmet")).model is HelmetPage


def test_page_type_that_is_not_synced_is_named(shirts):
    no_sync(shirts[0])
    with pytest.raises(RecordError, match=r"“Shirt” belongs to .* Shirt, .*no_sync"):
        CatalogSchema([template("Shirt")], []).page_type_for(product("Shirt"))


def test_subclass_of_a_page_type_that_is_not_synced_is(shirts):
    no_sync(shirts[0])
    schema = CatalogSchema([template("TShirt", "Shirt"), template("Shirt")], [])
    assert schema.page_type_for(product("TShirt")).model is shirts[1]


def test_class_that_is_not_synced_does_not_take_the_template_of_one_that_is(shirts):
    # What the hint of E007 tells a developer to do.
    shirt, t_shirt = shirts
    t_shirt.pim_template = "Shirt"
    no_sync(t_shirt)
    schema = CatalogSchema([template("Shirt")], [])
    assert schema.page_type_for(product("Shirt")).model is shirt


@pytest.mark.parametrize(
    ("path", "base", "message"),
    [
        ("shop.Nothing", ProductPage, "does not exist"),
        ("nothing", ProductPage, "does not exist"),
        ("a.b.c", ProductPage, "does not exist"),
        ("shop.HelmetVariantPage", ProductPage, "is no ProductPage"),
        ("shop.Brand", CatalogPage, "is no CatalogPage"),
    ],
)
def test_model_of_a_setting_that_cannot_serve(path, base, message):
    with pytest.raises(ConfigurationError, match=message):
        configured_model(path, base)


def test_model_of_a_setting(settings):
    assert configured_model("shop.HelmetPage", ProductPage) is HelmetPage
    assert configured_model("wagtail_pim.CatalogPage", CatalogPage) is CatalogPage
    assert default_page_class(Kind.PRODUCT) is None
    settings.WAGTAIL_PIM = {"DEFAULT_PRODUCT_PAGE": "shop.HelmetPage"}
    assert default_page_class(Kind.PRODUCT) is HelmetPage


# Properties


@pytest.mark.parametrize("name", ["fabric_type", "FabricType", "Fabric type"])
@pytest.mark.parametrize("asked", ["fabric_type", "FABRICTYPE", "Fabric Type"])
def test_property_is_found_without_regard_to_case_and_spaces(name, asked):
    assert PropertyIndex([prop("Other"), prop(name)]).find(asked).name == name


def test_property_that_the_pim_does_not_have():
    assert PropertyIndex([prop("Fabric")]).find("fit") is None


def test_property_of_the_very_name_goes_before_similar_ones():
    index = PropertyIndex([prop("FabricType"), prop("fabric_type")])
    assert index.find("FABRIC_TYPE").name == "fabric_type"
    assert index.find("fabrictype").name == "FabricType"


def test_property_of_several_spellings_is_an_error_that_names_them():
    index = PropertyIndex([prop("FabricType"), prop("fabric_type")])
    with pytest.raises(ConfigurationError) as error:
        index.find("Fabric type")
    assert "“Fabric type” fits several" in str(error.value)
    assert "FabricType, fabric_type. Name the one" in str(error.value)


def test_custom_properties_are_in_the_pims_order():
    index = PropertyIndex(
        [
            prop("b"),
            prop("first", displaySequence=-1),
            prop("a"),
            prop("status", isSystemProperty=True),
        ]
    )
    assert [p.name for p in index.custom()] == ["first", "a", "b"]


def test_fields_are_bound_to_their_properties(shirts):
    shirt, _ = shirts
    page_type = CatalogSchema([], [prop("Fabric type"), prop("CUT")]).page_type(shirt)
    bound = {b.field_name(): b.property.name for b in page_type.bindings}
    assert bound == {"fabric_type": "Fabric type", "fit": "CUT"}
    assert page_type.catch_all is None
    assert page_type.unclaimed == ()


def test_rest_of_the_properties_goes_to_the_catch_all(shirts):
    _, t_shirt = shirts
    properties = [
        prop("FabricType"),
        prop("Washable"),
        prop("status", isSystemProperty=True),
        prop("Collar", displaySequence=-1),
    ]
    page_type = CatalogSchema([], properties).page_type(t_shirt)
    assert page_type.catch_all.field_name() == "facts"
    assert [p.name for p in page_type.unclaimed] == ["Collar", "Washable"]
    assert {b.field_name() for b in page_type.bindings} == {"fabric_type", "fit"}


def test_labels_are_those_of_the_pims_people(shirts):
    page_type = CatalogSchema([], [prop("FabricType", displayName="Stoff")]).page_type(
        shirts[0]
    )
    labels = {b.field_name(): b.label() for b in page_type.bindings}
    assert labels == {"fabric_type": "Stoff", "fit": "Cut"}


def test_missing_properties_are_listed_for_the_page_types_in_use(shirts):
    shirt, _ = shirts
    schema = CatalogSchema([], [prop("FabricType")])
    assert schema.missing_properties() == []
    schema.page_type(shirt)
    assert schema.missing_properties() == ["Shirt.fit (Cut)"]


def test_page_type_is_bound_once(shirts):
    schema = CatalogSchema([], [])
    assert schema.page_type(shirts[0]) is schema.page_type(shirts[0])


def test_relations_are_those_of_the_bound_fields():
    schema = CatalogSchema([], [])
    relations = schema.page_type(BicyclePage).relations
    assert relations.keys() == {"brand", "riding_styles"}
    assert isinstance(relations["brand"], NamedRelation)
    assert relations["brand"].is_single
    assert not relations["riding_styles"].is_single
    assert schema.page_type(HelmetPage).relations.keys() == {"labels"}


def test_nothing_here_reads_the_database():
    # This test has no database: pytest-django would refuse a query.
    schema = CatalogSchema(TEMPLATES, [prop("brand")])
    assert schema.page_type_for(product("Bicycle"))
