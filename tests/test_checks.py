from types import SimpleNamespace

import pytest
from django.core.checks.registry import registry
from django.db import models
from django.test.utils import isolate_apps
from modelcluster.fields import ParentalManyToManyField

from sandbox_site.shop.models import BicyclePage, Brand
from wagtail_pim import checks
from wagtail_pim.catalog.schema import Kind
from wagtail_pim.markers import Sync, no_sync

with isolate_apps("sandbox_site.shop"):

    class Nameless(models.Model):
        number = models.IntegerField()
        text = models.TextField()

        class Meta:
            app_label = "shop"

        def __str__(self):
            return self.text


@pytest.fixture
def check(monkeypatch):
    """Ids and messages of the marker checks, with these as the only product pages."""

    def check(*page_types):
        by_kind = {Kind.PRODUCT: list(page_types), Kind.VARIANT: []}
        monkeypatch.setattr(checks, "page_classes", by_kind.get)
        found = checks.check_markers(None)
        assert all(message.hint for message in found)
        return {m.id.removeprefix("wagtail_pim."): m.msg for m in found}

    return check


@pytest.fixture
def shirt():
    """A page type of plain Django, so that Wagtail does not take it for one."""
    with isolate_apps("sandbox_site.shop"):

        class Shirt(models.Model):
            fabric = models.CharField(max_length=9)
            fit = models.CharField(max_length=9)
            code = models.UUIDField()
            facts = models.JSONField(default=list)
            brand = models.ForeignKey(Brand, models.CASCADE, related_name="+")
            products = ParentalManyToManyField(Nameless, related_name="+")

            class Meta:
                app_label = "shop"

            def __str__(self):
                return self.fabric

        yield Shirt


@pytest.fixture
def settings_check(settings):
    """Ids and messages of the settings check with this WAGTAIL_PIM."""

    def settings_check(**values):
        settings.WAGTAIL_PIM = values
        found = checks.check_settings(None)
        return [(m.id.removeprefix("wagtail_pim."), m.msg) for m in found]

    return settings_check


def test_shop_of_the_sandbox_is_clean():
    assert checks.check_markers(None) == checks.check_settings(None) == []


def test_good_markers_are_clean(check, shirt):
    shirt.pim_fields = [
        Sync("fabric"),
        Sync("fit", property="Cut"),
        Sync("facts", property="*"),
        Sync("brand"),
        Sync("products", lookup="text"),
    ]
    assert check(shirt) == {}


def test_e001_marker_of_no_field(check, shirt):
    shirt.pim_fields = [Sync("fabrik"), Sync("fit")]
    assert check(shirt) == {
        "E001": "Shirt.pim_fields names “fabrik”, which is no field of it."
    }


def test_e002_field_without_a_converter(check, shirt):
    shirt.pim_fields = [Sync("code")]
    assert "Shirt.code: there is no converter" in check(shirt)["E002"]
    assert "UUIDField" in check(shirt)["E002"]


@pytest.mark.parametrize(
    "second",
    [
        Sync("fit", property="fabric"),
        Sync("fit", property="FABRIC"),
        Sync("fit", property="Fab_ric"),
    ],
)
def test_e003_property_of_two_fields(check, shirt, second):
    shirt.pim_fields = [Sync("fabric"), second]
    assert "“fabric” and “fit” both take the property" in check(shirt)["E003"]


def test_e003_two_fields_for_any_property(check, shirt):
    shirt.pim_fields = [Sync("facts", property="*"), Sync("fit", property="*")]
    assert {"E003", "E005"} == check(shirt).keys()


@pytest.mark.parametrize("name", ["title", "slug", "seo_title", "product_number"])
def test_e004_field_of_every_page(check, monkeypatch, name):
    monkeypatch.setattr(BicyclePage, "pim_fields", [Sync(name)])
    assert f"BicyclePage.pim_fields: “{name}”" in check(BicyclePage)["E004"]


def test_e005_any_property_in_a_field_that_is_not_json(check, shirt):
    shirt.pim_fields = [Sync("fabric", property="*")]
    assert "Shirt.fabric takes any property, but is a CharField" in check(shirt)["E005"]


@pytest.mark.parametrize("lookup", [None, "number", "nothing"])
def test_e006_relation_without_a_text_to_look_up(check, shirt, lookup):
    shirt.pim_fields = [Sync("products", lookup=lookup)]
    assert "Nameless has no text field" in check(shirt)["E006"]
    assert f"“{lookup or 'name'}”" in check(shirt)["E006"]


def test_e007_two_page_types_of_one_template(check, shirt, monkeypatch):
    monkeypatch.setattr(BicyclePage, "pim_template", "s_hirt")
    assert "Shirt and BicyclePage both show" in check(shirt, BicyclePage)["E007"]


def test_e007_template_of_a_page_type_that_is_not_synced(check, shirt, monkeypatch):
    monkeypatch.setattr(BicyclePage, "pim_template", "Shirt")
    assert check(no_sync(shirt), BicyclePage) == {}


def test_page_type_that_is_not_synced_may_be_marked_as_it_likes(check, shirt):
    shirt.pim_fields = [Sync("fabrik"), Sync("code")]
    assert check(no_sync(shirt)) == {}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "DEFAULT_PRODUCT_PAGE",
            "shop.Nothing",
            "“shop.Nothing”, which does not exist",
        ),
        ("DEFAULT_PRODUCT_PAGE", "nothing", "“nothing”, which does not exist"),
        ("DEFAULT_PRODUCT_PAGE", "a.b.c", "“a.b.c”, which does not exist"),
        ("DEFAULT_PRODUCT_PAGE", "shop.Brand", "“shop.Brand”, which is no ProductPage"),
        ("DEFAULT_VARIANT_PAGE", "shop.HelmetPage", "which is no VariantPage"),
        ("CATALOG_PAGE", "shop.HomePage", "which is no CatalogPage"),
        ("CATEGORY_PAGE", "wagtailcore.Page", "which is no CategoryPage"),
    ],
)
def test_e008_page_type_that_cannot_serve(settings_check, name, value, message):
    ((code, told),) = settings_check(**{name: value})
    assert code == "E008"
    assert message in told


def test_e009_site_without_the_settings_app(settings_check, monkeypatch):
    apps = SimpleNamespace(is_installed=lambda app: app != "wagtail.contrib.settings")
    monkeypatch.setattr(checks, "apps", apps)
    assert [code for code, _told in settings_check()] == ["E009"]


@pytest.mark.parametrize("name", ["BATCH_SIZE", "MAX_FAILURES_IN_A_ROW"])
@pytest.mark.parametrize("value", [0, -1, "250", 1.5, [1]])
def test_e010_size_that_is_no_size(settings_check, name, value):
    ((code, told),) = settings_check(**{name: value})
    assert code == "E010"
    assert name in told


def test_w001_setting_that_means_nothing(settings_check):
    assert settings_check(BATCH_SIZES=5) == [
        ("W001", "WAGTAIL_PIM has no setting “BATCH_SIZES”.")
    ]


def test_checks_are_registered():
    assert {checks.check_markers, checks.check_settings} <= registry.registered_checks
