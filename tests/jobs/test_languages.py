"""The catalog in the site's languages, as the PIM has it translated."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Locale, Page, PageLogEntry, Site

from sandbox_site.shop.models import BicyclePage, GenericProductPage, HomePage
from tests.conftest import items_by_number
from tests.pim_data import PimData
from wagtail_pim.models import (
    CatalogPage,
    CategoryPage,
    PimLink,
    ProductPage,
    VariantPage,
)
from wagtail_pim.models.runs import Outcome, State
from wagtail_pim.signals import product_published

GERMAN = "de-DE"


@pytest.fixture
def locales(site: Site, settings: Any) -> Callable[..., dict[str, Locale]]:
    """Makes locales, with a translation of the home page in each."""
    settings.WAGTAIL_I18N_ENABLED = True

    def make(*codes: str) -> dict[str, Locale]:
        made = {}
        for code in codes:
            made[code] = Locale.objects.create(language_code=code)
            home = site.root_page.copy_for_translation(made[code])
            home.title = f"Home {code}"
            home.live = True
            home.save()
        return made

    return make


@pytest.fixture
def german(locales: Any, pim: PimData) -> Locale:
    """A site and a PIM in English and German."""
    pim.language("en-US", default=True)
    pim.language(GERMAN)
    pim.localizable("productTitle", "urlSegment", "Summary", "Description")
    return locales("de")["de"]


def page_of(number: str, locale: Locale) -> Any:
    return ProductPage.objects.get(product_number=number, locale=locale).specific


def titles(pages: Iterable[Page]) -> list[str]:
    return [page.title for page in pages]


def test_a_product_comes_in_every_language_below_the_catalog_of_that_language(
    pim, publish, german
):
    pim.translate_category("City", GERMAN, name="Stadt", urlSegment="stadt")
    pim.product("A1", "City", also_in=["Touring"], Summary="Quick", Gears=7)
    pim.variant("A1-1", "A1", Price=5)
    pim.translate("A1", GERMAN, productTitle="Rad", urlSegment="rad", Summary="Flink")
    report = publish()
    assert report.state == State.SUCCEEDED
    assert report.counts == {Outcome.CREATED: 2}
    english, page = page_of("A1", Locale.get_default()), page_of("A1", german)
    assert (page.title, page.slug, page.summary) == ("Rad", "rad", "Flink")
    assert (english.title, english.summary) == ("Title of A1", "Quick")
    assert page.gears == english.gears == 7
    assert page.translation_key == english.translation_key
    assert page.live
    category = page.get_parent().specific
    assert (category.title, category.slug) == ("Stadt", "stadt")
    assert category.locale == german
    assert category.get_translation(Locale.get_default()).title == "City"
    catalog = CatalogPage.objects.get(locale=german)
    assert page.is_descendant_of(catalog)
    assert catalog.get_parent().title == "Home de"
    [variant] = page.variants()
    assert variant.specific.price == 5
    assert [c.locale for c in page.listed_in()] == [german]
    assert titles(page.listed_in()) == ["Touring"]
    assert page.url_path == f"{category.url_path}rad/"
    assert not any(Page.find_problems())


def test_each_page_has_a_link_of_its_own_and_a_second_run_writes_nothing(
    pim, publish, german, queries
):
    pim.product("A1", Summary="Quick")
    pim.variant("A1-1", "A1")
    pim.translate("A1", GERMAN, Summary="Flink")
    publish()
    assert PimLink.objects.filter(locale=german).count() == 1 + 4 + 2
    logged = PageLogEntry.objects.count()
    pim.approve()
    with queries() as captured:
        report = publish()
    assert report.counts == {Outcome.UNCHANGED: 2}
    # The acknowledgement notes the statuses.
    assert not [
        sql
        for sql in captured.writes()
        if "wagtailcore_page" in sql or "shop_" in sql or "searchindex" in sql.lower()
    ]
    assert PageLogEntry.objects.count() == logged


def test_a_change_in_one_language_writes_that_page_alone(pim, publish, german):
    pim.product("A1", Summary="Quick")
    pim.translate("A1", GERMAN, Summary="Flink")
    publish()
    before = page_of("A1", Locale.get_default()).last_published_at
    pim.translate("A1", GERMAN, Summary="Flott")
    report = publish()
    assert report.counts == {Outcome.UPDATED: 1}
    assert items_by_number(report)["A1"].differences == {
        "de:summary": ["Flink", "Flott"]
    }
    assert page_of("A1", german).summary == "Flott"
    assert page_of("A1", Locale.get_default()).last_published_at == before


def test_signals_tell_of_every_page(pim, publish, german, settings):
    pim.product("A1")
    pim.product("A2")
    settings.WAGTAIL_I18N_ENABLED = False
    publish("A2")
    settings.WAGTAIL_I18N_ENABLED = True
    pim.approve("A2")
    told = []

    def listen(instance: Any, created: bool, **kwargs: Any) -> None:
        told.append((instance.product_number, instance.locale.language_code, created))

    product_published.connect(listen)
    try:
        publish()
    finally:
        product_published.disconnect(listen)
    assert sorted(told) == [("A1", "de", True), ("A1", "en", True), ("A2", "de", True)]


# What is missing


@pytest.fixture
def half_translated(pim: PimData, german: Locale) -> None:
    pim.product("A1", Summary="Quick", Description="<p>Long</p>", Gears=3)
    pim.translate("A1", GERMAN, Summary="Flink")
    pim.product("A2", Summary="Slow", Gears=1)
    pim.variant("A2-1", "A2")


def test_a_missing_translation_falls_back_to_the_default(
    half_translated, publish, german
):
    publish()
    page = page_of("A1", german)
    assert (page.title, page.summary) == ("Title of A1", "Flink")
    assert page.description == "<p>Long</p>"
    assert page_of("A2", german).summary == "Slow"


def test_or_is_left_empty_but_for_the_title(
    half_translated, publish, german, configure
):
    configure(MISSING_TRANSLATIONS="empty")
    publish()
    page = page_of("A1", german)
    assert (page.title, page.summary, page.description) == ("Title of A1", "Flink", "")
    assert (page_of("A2", german).summary, page_of("A2", german).gears) == ("", 1)


def test_or_the_page_is_left_out(half_translated, pim, publish, german, configure):
    configure(MISSING_TRANSLATIONS="leave_out")
    pim.translate("A1", GERMAN, productTitle="Rad", Summary="Flink")
    assert publish().counts == {Outcome.CREATED: 3}
    shown = ProductPage.objects.filter(locale=german)
    assert titles(shown) == ["Rad"]
    assert ProductPage.objects.filter(locale=Locale.get_default()).count() == 2

    # It comes once it is translated, and goes with its translation.
    pim.translate("A2", GERMAN, productTitle="Anderes Rad")
    pim.translate("A2-1", GERMAN, productTitle="In Rot")
    report = publish()
    assert report.counts == {Outcome.UPDATED: 2}
    [variant] = page_of("A2", german).variants()
    assert variant.title == "In Rot"
    pim.translate("A2", GERMAN)
    report = publish()
    assert report.counts == {Outcome.UPDATED: 1}
    assert items_by_number(report)["A2"].differences == {"de:live": [True, False]}
    assert not page_of("A2", german).live
    variant.refresh_from_db()
    assert not variant.live
    assert page_of("A2", Locale.get_default()).live
    # And back again, the same page.
    pk = page_of("A2", german).pk
    pim.translate("A2", GERMAN, productTitle="Wieder da")
    publish()
    assert (page_of("A2", german).pk, page_of("A2", german).live) == (pk, True)


def test_an_emptied_translation_is_cleared(pim, publish, german, configure):
    configure(MISSING_TRANSLATIONS="empty")
    pim.product("A1", Summary="Quick")
    pim.translate("A1", GERMAN, Summary="Flink")
    publish()
    page = page_of("A1", german)
    page.campaign_text = "Nur heute"
    page.save()
    pim.translate("A1", GERMAN, Summary="")
    publish()
    page.refresh_from_db()
    assert (page.summary, page.campaign_text) == ("", "Nur heute")


def test_values_to_choose_from_are_called_as_the_list_of_the_language_has_them(
    pim, publish, german
):
    pim.property("Colour", "Dropdown", stringValueBag=["Red", "Blue"])
    pim.property("Care", "Multi Select", label="Care", stringValueBag=["Wash", "Iron"])
    for name, values in (("Colour", ["Rot", "Blau"]), ("Care", ["Waschen", "Bügeln"])):
        record = pim.store.find("properties", name=name)[0]
        translation = {"displayName": f"{name} auf Deutsch", "stringValueBag": values}
        pim.store.patch("properties", record["id"], translations={GERMAN: translation})
    pim.product("A1", Colour="Red")
    pim.variant("A1-1", "A1", Colour="Blue")
    pim.product("G1", template="GenericProductPage", Care="Wash~Iron", Colour="Red")
    publish()
    [variant] = page_of("A1", german).variants()
    assert variant.specific.colour == "Blau"
    generic = GenericProductPage.objects.get(locale=german)
    entries = {
        e["name"]: (e["displayName"], e["value"]) for e in generic.specifications
    }
    assert entries["Colour"] == ("Colour auf Deutsch", "Rot")
    assert entries["Care"] == ("Care auf Deutsch", ["Waschen", "Bügeln"])


def test_a_value_that_does_not_fit_in_one_language_fails_the_product_in_all(
    pim, publish, german
):
    pim.product("A1", Summary="Quick")
    publish()
    pim.change("A1", Summary="Quicker")
    pim.translate("A1", GERMAN, Summary="x" * 300)
    report = publish()
    assert report.counts == {Outcome.FAILED: 1}
    reason = items_by_number(report)["A1"].reason
    assert "In the language de" in reason
    assert "300" in reason
    assert page_of("A1", Locale.get_default()).summary == "Quick"
    assert pim.status("A1") == "Approved"


# Which languages


def test_one_language_serves_several_locales(pim, publish, locales, configure):
    configure(LANGUAGES={GERMAN: ["de", "de-at"]})
    pim.language("en-US", default=True)
    pim.language(GERMAN)
    pim.localizable("productTitle")
    made = locales("de", "de-at", "fr")
    pim.product("A1")
    pim.translate("A1", GERMAN, productTitle="Rad")
    publish()
    for code in ("de", "de-at"):
        assert page_of("A1", made[code]).title == "Rad"
    # The PIM has no French.
    assert not CategoryPage.objects.filter(locale=made["fr"]).exists()


def test_without_i18n_only_the_default_locale_is_written(
    pim, publish, german, settings
):
    settings.WAGTAIL_I18N_ENABLED = False
    pim.product("A1")
    publish()
    assert not PimLink.objects.filter(locale=german).exists()
    settings.WAGTAIL_I18N_ENABLED = True
    pim.approve()
    report = publish()
    assert report.counts == {Outcome.UPDATED: 1}
    assert page_of("A1", german).live


def test_the_default_locale_may_show_another_language_than_the_pims_default(
    pim, publish, german, settings
):
    pim.store.patch(
        "languages",
        pim.store.find("languages", languageCode="en-US")[0]["id"],
        isDefault=False,
    )
    french = pim.language("fr-FR", default=True)
    assert french
    pim.product("A1", productTitle="Vélo")
    pim.translate("A1", "en-US", productTitle="Bicycle")
    publish()
    assert page_of("A1", Locale.get_default()).title == "Bicycle"
    assert page_of("A1", german).title == "Vélo"


def test_a_home_page_without_a_translation_is_told_of(pim, publish, german):
    HomePage.objects.filter(locale=german).delete()
    pim.product("A1")
    report = publish()
    assert report.counts == {Outcome.CREATED: 1}
    assert any("has no translation" in warning for warning in report.warnings)
    assert not PimLink.objects.filter(locale=german).exists()


# What people made on the site before


def test_translations_and_aliases_that_people_made_become_the_pims(
    pim, publish, german, settings
):
    settings.WAGTAIL_I18N_ENABLED = False
    pim.product("A1", Summary="Quick")
    publish()
    settings.WAGTAIL_I18N_ENABLED = True
    catalog = CatalogPage.objects.get()
    catalog.copy_for_translation(german, copy_parents=True, alias=True)
    for title in ("Bicycles", "City"):
        page = CategoryPage.objects.get(title=title, locale=Locale.get_default())
        page.copy_for_translation(german, alias=True)
    original = page_of("A1", Locale.get_default())
    translation = original.copy_for_translation(german)
    translation.campaign_text = "Vom Redakteur"
    translation.save_revision().publish()
    pim.translate("A1", GERMAN, Summary="Flink")
    report = publish()
    assert report.state == State.SUCCEEDED
    assert report.counts == {Outcome.UPDATED: 1}
    page = page_of("A1", german)
    assert page.pk == translation.pk
    assert (page.summary, page.campaign_text) == ("Flink", "Vom Redakteur")
    assert not Page.objects.exclude(alias_of=None).exists()
    for title in ("Bicycles", "City", "Touring", "Helmets"):
        assert CategoryPage.objects.filter(title=title, locale=german).count() == 1
    assert not any(Page.find_problems())


def test_categories_move_and_go_in_every_language(pim, publish, german):
    publish()
    pim.change_category("City", parent="Helmets")
    pim.drop_category("Touring")
    report = publish()
    assert report.state == State.SUCCEEDED
    city = CategoryPage.objects.get(title="City", locale=german)
    assert city.get_parent().title == "Helmets"
    assert not CategoryPage.objects.filter(title="Touring").exists()
    assert not any(Page.find_problems())


def test_products_follow_to_another_category_in_every_language(pim, publish, german):
    pim.product("A1", "City")
    pim.variant("A1-1", "A1")
    publish()
    pim.change("A1", category="Touring")
    publish()
    page = page_of("A1", german)
    assert page.get_parent().title == "Touring"
    assert page.variants().count() == 1
    assert not any(Page.find_problems())


def test_a_dry_run_tells_of_all_languages_and_writes_none(pim, publish, german):
    pim.product("A1", Summary="Quick")
    pim.translate("A1", GERMAN, Summary="Flink")
    report = publish(dry_run=True)
    item = items_by_number(report)["A1"]
    assert item.outcome == Outcome.CREATED
    assert item.differences["summary"] == [None, "Quick"]
    assert item.differences["de:summary"] == [None, "Flink"]
    assert not BicyclePage.objects.exists()
    assert not CatalogPage.objects.exists()


def test_relationship_types_are_called_as_the_pim_has_them(pim, publish, german):
    pim.product("A1")
    pim.product("A2")
    guid = pim.relationship("Accessories")
    pim.store.patch(
        "productRelationships", guid, translations={GERMAN: {"name": "Zubehör"}}
    )
    pim.relate("A1", "Accessories", "A2")
    publish()
    [related] = page_of("A1", german).related_products()
    assert (related.name, titles(related.pages)) == ("Zubehör", ["Title of A2"])
    assert related.pages[0].locale == german
    [related] = page_of("A1", Locale.get_default()).related_products()
    assert related.name == "Accessories"
    pim.store.patch("productRelationships", guid, translations={})
    publish()
    [related] = page_of("A1", german).related_products()
    assert related.name == "Accessories"


def test_a_variant_approved_alone_brings_its_product_into_a_new_language(
    pim, publish, german, settings
):
    settings.WAGTAIL_I18N_ENABLED = False
    pim.product("A1")
    pim.variant("A1-1", "A1")
    publish()
    settings.WAGTAIL_I18N_ENABLED = True
    pim.change("A1-1", Price=4)
    report = publish()
    assert report.counts == {Outcome.UPDATED: 2}
    [variant] = page_of("A1", german).variants()
    assert variant.specific.price == 4


# Whole families and the same places in every language


def live(locale: Locale) -> set[str]:
    return {
        page.product_number
        for model in (ProductPage, VariantPage)
        for page in model.objects.live().filter(locale=locale)
    }


def test_a_product_that_is_translated_later_brings_its_variants(
    pim, publish, german, configure
):
    configure(MISSING_TRANSLATIONS="leave_out")
    pim.product("A1")
    pim.variant("A1-1", "A1")
    pim.translate("A1-1", GERMAN, productTitle="In Rot")
    publish()
    assert live(german) == set()
    pim.translate("A1", GERMAN, productTitle="Rad")
    publish()
    assert live(german) == {"A1", "A1-1"}


def test_a_product_that_comes_back_to_a_language_brings_its_variants(
    pim, publish, german, configure
):
    configure(MISSING_TRANSLATIONS="leave_out")
    pim.product("A1")
    pim.variant("A1-1", "A1")
    pim.translate("A1-1", GERMAN, productTitle="In Rot")
    pim.translate("A1", GERMAN, productTitle="Rad")
    publish()
    assert live(german) == {"A1", "A1-1"}
    pim.translate("A1", GERMAN)
    publish()
    assert live(german) == set()
    pim.translate("A1", GERMAN, productTitle="Rad")
    publish()
    assert live(german) == {"A1", "A1-1"}


def test_a_new_locale_gets_whole_families(pim, publish, locales):
    pim.language("en-US", default=True)
    pim.language(GERMAN)
    pim.localizable("productTitle")
    pim.product("A1")
    pim.variant("A1-1", "A1")
    pim.product("B1")
    pim.variant("B1-1", "B1")
    publish()
    de = locales("de")["de"]
    pim.change("A1", Summary="New")
    pim.change("B1-1", Price=3)
    publish()
    assert live(de) == {"A1", "A1-1", "B1", "B1-1"}


def test_a_category_that_fails_in_the_default_language_stays_in_the_others(
    pim, publish, german
):
    pim.translate_category("Touring", GERMAN, name="Touren")
    pim.translate_category("City", GERMAN, name="Stadt")
    publish()
    pim.change_category("Touring", name="x" * 300)
    publish()
    assert CategoryPage.objects.filter(title="Touring").exists()
    assert CategoryPage.objects.filter(title="Touren").exists()


def test_a_category_that_fails_in_one_language_takes_no_products_off(
    pim, publish, german
):
    pim.product("A1", "City")
    publish()
    pim.translate_category("City", GERMAN, name="x" * 300)
    pim.change("A1", Summary="New")
    publish()
    assert live(german) == {"A1"}
    assert page_of("A1", german).summary == "New"


def test_a_new_product_in_a_category_that_fails_in_one_language(pim, publish, german):
    pim.translate_category("City", GERMAN, name="x" * 300)
    pim.product("A1", "City")
    publish()
    assert live(german) == live(Locale.get_default()) == set()
    assert pim.status("A1") == "Approved"


def test_places_are_the_same_in_all_languages(pim, publish, german):
    pim.website("Other")
    pim.taxonomy("Other tree", [])
    pim.category("Elsewhere", taxonomy="Other tree")
    pim.category("Alpha", "Bicycles", order=5)
    pim.category("Beta", "Bicycles", order=5)
    pim.translate_category("Alpha", GERMAN, name="Zulu")
    pim.product("A1", "Elsewhere", also_in=["Beta", "Alpha"])
    report = publish()
    assert report.state == State.SUCCEEDED
    english, other = page_of("A1", Locale.get_default()), page_of("A1", german)
    assert english.get_parent().translation_key == other.get_parent().translation_key


def test_redirects_lead_to_the_pages_of_the_language_that_changed(pim, publish, german):
    pim.translate_category("City", GERMAN, name="Stadt", urlSegment="stadt")
    pim.product("A1")
    publish()
    pim.translate_category("City", GERMAN, name="Stadt", urlSegment="grossstadt")
    publish()
    page = page_of("A1", german)
    assert "grossstadt" in page.url_path
    assert Redirect.objects.filter(redirect_page=page).count() == 1
    english = page_of("A1", Locale.get_default())
    assert not Redirect.objects.filter(redirect_page=english).exists()
