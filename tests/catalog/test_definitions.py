from copy import copy

import pytest
from django.db import models
from django.test.utils import isolate_apps
from django.utils.translation import gettext_lazy, override
from modelcluster.fields import ParentalManyToManyField
from taggit.managers import TaggableManager
from wagtail.fields import RichTextField

from tests.trial.models import Material, TrialProductPage
from wagtail_pim.catalog import definitions
from wagtail_pim.catalog.definitions import (
    MarkedField,
    PropertyDefinition,
    SiteDefinitions,
    default_control,
    takes,
)
from wagtail_pim.client.controls import Control, ValueType
from wagtail_pim.converters import register_converter
from wagtail_pim.kinds import Kind
from wagtail_pim.markers import Sync, no_sync


class MoneyField(models.Field):
    """A field class of a site's own."""


FIELDS = {
    "CharField": models.CharField(max_length=9),
    "SlugField": models.SlugField(),
    "EmailField": models.EmailField(),
    "URLField": models.URLField(),
    "TextField": models.TextField(),
    "RichTextField": RichTextField(),
    "IntegerField": models.PositiveSmallIntegerField(),
    "DecimalField": models.DecimalField(max_digits=9, decimal_places=2),
    "FloatField": models.FloatField(),
    "BooleanField": models.BooleanField(),
    "DateField": models.DateField(),
    "DateTimeField": models.DateTimeField(),
    "TimeField": models.TimeField(),
    "ForeignKey": models.ForeignKey(Material, models.PROTECT),
    "ManyToManyField": models.ManyToManyField(Material),
    "ParentalManyToManyField": ParentalManyToManyField(Material),
    "TaggableManager": TaggableManager(),
    "JSONField of a list": models.JSONField(default=list),
    "JSONField": models.JSONField(default=dict),
    "CharField with choices": models.CharField(choices=[("a", "A")]),
    "IntegerField with choices": models.IntegerField(choices=[(1, "A")]),
    "BooleanField with choices": models.BooleanField(choices=[(True, "Yes")]),
}


def marked(field, model=TrialProductPage, **marker):
    """A marked field that is not declared anywhere; its name is ``fit``."""
    field = copy(field)
    field.set_attributes_from_name("fit")
    return MarkedField(model, Sync("fit", **marker), field)


def values(*fields):
    return PropertyDefinition.of(fields).values()


@pytest.mark.parametrize(
    ("name", "control"),
    [
        ("CharField", Control.TEXT_FIELD),
        ("SlugField", Control.TEXT_FIELD),
        ("EmailField", Control.TEXT_FIELD),
        ("URLField", Control.TEXT_FIELD),
        ("TextField", Control.TEXT_AREA),
        ("RichTextField", Control.HTML),
        ("IntegerField", Control.DECIMAL),
        ("DecimalField", Control.DECIMAL),
        ("FloatField", Control.DECIMAL),
        ("BooleanField", Control.TOGGLE),
        ("DateField", Control.DATE_PICKER),
        ("DateTimeField", Control.DATE_TIME_PICKER),
        ("TimeField", Control.TEXT_FIELD),
        ("ForeignKey", Control.DROPDOWN),
        ("ManyToManyField", Control.MULTI_SELECT),
        ("ParentalManyToManyField", Control.MULTI_SELECT),
        ("TaggableManager", Control.MULTI_SELECT),
        ("JSONField of a list", Control.MULTI_SELECT),
        ("JSONField", Control.TEXT_AREA),
        ("CharField with choices", Control.DROPDOWN),
        ("IntegerField with choices", Control.DROPDOWN),
        ("BooleanField with choices", Control.TOGGLE),
    ],
)
def test_control_that_suits_a_field(name, control):
    assert default_control(FIELDS[name]) is control
    assert takes(FIELDS[name], control.value_type)


@pytest.mark.parametrize(
    ("name", "control", "fits"),
    [
        ("CharField", "Dropdown", True),
        ("CharField", "Radio Button", True),
        ("CharField", "Text Area", True),
        ("CharField", "HTML", True),
        ("CharField", "Multi Select", True),
        ("CharField with choices", "Text Field", True),
        ("CharField with choices", "Multi Select", False),
        ("CharField with choices", "Toggle", False),
        ("EmailField", "Dropdown", True),
        ("EmailField", "Decimal", False),
        ("URLField", "HTML", False),
        ("RichTextField", "Text Area", True),
        ("BooleanField", "Multi Select", False),
        ("BooleanField", "Radio Button", True),
        ("BooleanField", "Decimal", False),
        ("IntegerField", "Toggle", False),
        ("IntegerField", "Dropdown", True),
        ("DecimalField", "Date Picker", False),
        ("FloatField", "HTML", False),
        ("DateField", "Date/Time Picker", True),
        ("DateField", "Decimal", False),
        ("DateTimeField", "Date Picker", True),
        ("TimeField", "Date/Time Picker", False),
        ("ForeignKey", "Text Field", True),
        ("ForeignKey", "Multi Select", False),
        ("ManyToManyField", "Dropdown", True),
        ("TaggableManager", "Toggle", False),
        ("JSONField", "HTML", True),
    ],
)
def test_whether_a_field_can_hold_what_a_control_enters(name, control, fits):
    assert takes(FIELDS[name], Control.named(control).value_type) is fits


def test_field_classes_of_the_sites_own(monkeypatch):
    monkeypatch.setattr("wagtail_pim.converters._registry", {})
    register_converter(MoneyField)(lambda value, target: value)
    field = MoneyField()
    assert default_control(field) is None
    assert all(takes(field, values) for values in ValueType)
    assert marked(field).control() is None
    assert marked(field, control="text field").control() is Control.TEXT_FIELD
    with pytest.raises(ValueError, match=r"TrialProductPage\.fit has no control type"):
        PropertyDefinition.of([marked(field)])


@pytest.mark.parametrize(
    ("field", "named", "expected"),
    [
        ("fabric_type", None, "FabricType"),
        ("size", None, "Size"),
        ("url_2d", None, "Url2d"),
        ("fabricType", None, "FabricType"),
        ("fabric__type_", None, "FabricType"),
        ("ean", "EAN", "EAN"),
        ("fabric_type", "fabric_type", "fabric_type"),
    ],
)
def test_name_of_a_property_that_is_made(field, named, expected):
    each = MarkedField(TrialProductPage, Sync(field, property=named), None)
    assert each.property_name() == expected


def test_a_name_that_is_given_goes_before_names_made_of_fields():
    fields = [
        MarkedField(TrialProductPage, Sync("ean"), FIELDS["CharField"]),
        MarkedField(TrialProductPage, Sync("code", "EAN"), FIELDS["CharField"]),
    ]
    assert fields[0].key() == fields[1].key()
    assert PropertyDefinition.of(fields).name == "EAN"


@pytest.mark.parametrize("name", ["product_title", "tagList", "Deactivate On", "id"])
def test_what_every_product_has(name):
    assert marked(FIELDS["CharField"], property=name).is_every_products()
    assert not marked(FIELDS["CharField"]).is_every_products()


def test_two_classes_that_share_a_property():
    narrow = models.CharField("fit", max_length=20, help_text="How it sits.")
    wide = models.CharField("cut", max_length=200)
    assert values(marked(wide, required=False, translatable=False), marked(narrow)) == {
        "displayName": "Cut",
        "description": "How it sits.",
        "isGloballyRequired": False,
        "isLocalizable": True,
        "stringMaxLength": 20,
    }


def test_choices_of_two_classes_are_one_list():
    first = models.CharField(choices=[("s", "Small"), ("m", "Medium")])
    second = models.CharField(choices=[("m", "Middling"), ("l", "Large")])
    assert values(marked(first), marked(second))["stringValueBag"] == ["s", "m", "l"]


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ([(None, "None"), ("", "Empty"), ("s", "Small")], ["s"]),
        ([(1, "One"), (2, "Two")], ["1", "2"]),
        ([("Big", [("l", "Large"), ("xl", "Larger")]), ("s", "Small")], None),
        ([("s", gettext_lazy("Yes"))], ["s"]),
        (models.TextChoices("Fit", "SLIM WIDE").choices, ["SLIM", "WIDE"]),
        (models.IntegerChoices("Fit", "SLIM WIDE").choices, ["1", "2"]),
    ],
)
def test_values_of_choices(choices, expected):
    field = models.CharField(choices=choices)
    with override("de"):
        bag = values(marked(field))["stringValueBag"]
    assert bag == (expected or ["l", "xl", "s"])


def test_a_list_of_values_is_for_lists_only():
    field = models.CharField(max_length=9, choices=[("s", "Small")])
    asked = values(marked(field, control="Text Field"))
    assert "stringValueBag" not in asked
    assert asked["stringMaxLength"] == 9
    assert values(marked(field, control="Radio Button"))["stringValueBag"] == ["s"]
    assert values(marked(field))["stringAllowAdHocValues"] is False
    named = values(marked(FIELDS["ForeignKey"]))
    assert named["stringAllowAdHocValues"] is True
    assert named["stringValueBag"] == []


@pytest.mark.parametrize(
    ("name", "control", "key"),
    [
        ("TextField", None, "stringMaxLength"),
        ("FloatField", None, "numberOfDecimals"),
        ("FloatField", "Text Field", "stringMaxLength"),
    ],
)
def test_what_is_not_limited_says_so(name, control, key):
    asked = values(marked(FIELDS[name], control=control))
    limits = {"stringMaxLength", "numberOfDecimals", "stringValueBag"} & asked.keys()
    assert limits == {key}
    assert asked[key] is None


@pytest.mark.parametrize(
    ("name", "decimals"),
    [
        ("DecimalField", 2),
        ("IntegerField", 0),
        ("FloatField", None),
        ("IntegerField with choices", None),
    ],
)
def test_decimals(name, decimals):
    assert values(marked(FIELDS[name])).get("numberOfDecimals") == decimals


def test_decimals_of_two_classes_fit_both():
    fields = [marked(FIELDS["DecimalField"]), marked(FIELDS["IntegerField"])]
    assert values(*fields)["numberOfDecimals"] == 0


@pytest.mark.parametrize("control", [None, "HTML"])
def test_length(control):
    length = values(marked(FIELDS["CharField"], control=control)).get("stringMaxLength")
    assert length == (None if control else 9)


@pytest.mark.parametrize(
    ("help_text", "description"),
    [
        ("", ""),
        (gettext_lazy("Yes"), "Yes"),
        (
            "See <a href='/x'>the <b>table</b></a>.<br>Then ask.",
            "See the table. Then ask.",
        ),
        ("5 < 6 &amp; more", "5 < 6 & more"),
        ("long " * 100, ("long " * 100).strip()),
    ],
)
def test_help_text(help_text, description):
    field = models.CharField(help_text=help_text)
    with override("de"):
        assert values(marked(field))["description"] == description


@pytest.mark.parametrize("language", ["en", "de"])
def test_how_tags_are_typed_on_the_site_is_no_description(language):
    with override(language):
        assert values(marked(FIELDS["TaggableManager"]))["description"] == ""
    own = TaggableManager(help_text="For the filter.")
    assert values(marked(own))["description"] == "For the filter."


def test_labels_are_in_the_sites_language():
    field = models.CharField(verbose_name=gettext_lazy("Yes"))
    with override("de"):
        assert values(marked(field))["displayName"] == "Yes"


@pytest.fixture
def page_types(monkeypatch):
    """Two products, a variant that shares the template of one, and one kept out."""
    with isolate_apps("sandbox_site.shop"):

        class Base(models.Model):
            fabric = models.CharField(max_length=9)
            facts = models.JSONField(default=list)

            pim_fields = [Sync("fabric")]

            class Meta:
                app_label = "shop"
                abstract = True

            def __str__(self):
                return self.fabric

        class Shirt(Base):
            pim_fields = [Sync("facts", property="*")]

        class Trousers(Base):
            pim_template = "Pair of trousers"
            pim_fields = [Sync("fabric", property="Cloth")]

        @no_sync
        class GiftCard(Base):
            pass

        class ShirtVariant(Base):
            pim_template = "shirt"

        by_kind = {
            Kind.PRODUCT: [Shirt, Trousers, GiftCard],
            Kind.VARIANT: [ShirtVariant],
        }
        monkeypatch.setattr(definitions, "page_classes", by_kind.get)
        yield Shirt, Trousers, ShirtVariant


def test_templates_of_the_site(page_types):
    shirt, trousers, variant = page_types
    found = SiteDefinitions().templates
    assert [(each.name, each.models, each.kinds) for each in found] == [
        ("Shirt", (shirt, variant), ("Product", "Variant")),
        ("Pair of trousers", (trousers,), ("Product",)),
    ]


def test_marked_fields_of_the_site(page_types):
    found = [(m.path(), m.property_name()) for m in SiteDefinitions().fields]
    assert found == [
        ("Shirt.fabric", "Fabric"),
        ("Trousers.fabric", "Cloth"),
        ("ShirtVariant.fabric", "Fabric"),
    ]
