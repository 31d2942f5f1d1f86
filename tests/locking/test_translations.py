"""Translations of managed pages: those of the PIM, and those that people make.

With wagtail.contrib.simple_translation, and with aliases as all tools make them.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from wagtail import hooks
from wagtail.models import Locale, Page

from sandbox_site.shop.models import HomePage
from tests.admin.test_side_panel import panel_of
from tests.jobs.test_languages import GERMAN, german, locales, page_of
from tests.locking.test_panels import edit_view
from wagtail_pim.jobs import RefreshPublishedProducts, runs
from wagtail_pim.kinds import Kind
from wagtail_pim.models import CatalogPage, CategoryPage, PimLink, ProductPage
from wagtail_pim.models.runs import Outcome, State, Trigger

__all__ = ["german", "locales"]


def english(number: str = "A1") -> Any:
    return page_of(number, Locale.get_default())


@pytest.fixture
def untranslated(pim, publish, german, settings) -> Locale:
    """German on a site whose catalog stands in English alone."""
    settings.WAGTAIL_I18N_ENABLED = False
    pim.product("A1", productTitle="Velo", Summary="Quick")
    pim.variant("A1-1", "A1")
    assert publish().state == State.SUCCEEDED
    settings.WAGTAIL_I18N_ENABLED = True
    return german


def submit(client: Any, page: Page, locale: Locale, **data: Any) -> Any:
    """What the button "Translate" leads to."""
    address = reverse("simple_translation:submit_page_translation", args=[page.pk])
    response = client.post(address, {"locales": [locale.pk], **data})
    assert response.status_code == 302
    return response


def assert_all_is_the_pims(locale: Locale) -> None:
    """Every page of the catalog stands once, managed, and as no alias."""
    catalog = CatalogPage.objects.get(locale=locale)
    pages = catalog.get_descendants(inclusive=True)
    assert (
        pages.count()
        == CatalogPage.objects.get(locale=Locale.get_default())
        .get_descendants(inclusive=True)
        .count()
    )
    assert not pages.filter(pim_link=None).exists()
    assert not pages.exclude(alias_of=None).exists()
    # Whether the catalog itself is shown is the editors' to say.
    assert not pages.not_live().exclude(pim_link__kind=Kind.CATALOG).exists()
    assert PimLink.objects.filter(locale=locale).count() == pages.count()
    assert not any(Page.find_problems())


# Copies that people make before the PIM's come


def test_a_subtree_that_was_translated_by_hand_becomes_the_pims(
    untranslated, pim, publish, admin_client
):
    submit(admin_client, CatalogPage.objects.get(), untranslated, include_subtree="on")
    copy = page_of("A1", untranslated)
    assert not copy.is_pim_managed()
    copy.campaign_text = "Nur heute"
    copy.save_revision().publish()
    pim.translate("A1", GERMAN, Summary="Flink")
    pim.approve()
    report = publish()
    assert report.counts == {Outcome.UPDATED: 2}
    assert_all_is_the_pims(untranslated)
    page = page_of("A1", untranslated)
    assert (page.pk, page.summary, page.campaign_text) == (
        copy.pk,
        "Flink",
        "Nur heute",
    )


def test_so_does_one_from_the_home_page_on(untranslated, pim, publish, admin_client):
    HomePage.objects.get(locale=untranslated).delete()
    home = HomePage.objects.get(locale=Locale.get_default())
    submit(admin_client, home, untranslated, include_subtree="on")
    pim.approve()
    assert publish().counts == {Outcome.UPDATED: 2}
    assert_all_is_the_pims(untranslated)


def test_what_waits_to_become_the_pims_is_not_discarded(
    untranslated, publish, admin_client
):
    submit(admin_client, CatalogPage.objects.get(), untranslated, include_subtree="on")
    report = publish()
    assert report.state == State.SUCCEEDED
    assert not report.items.filter(outcome=Outcome.REMOVED).exists()
    page = page_of("A1", untranslated)
    assert not page.is_pim_managed()
    assert page.get_parent().specific.is_pim_managed()


def test_a_refresh_of_all_brings_what_a_new_language_lacks(untranslated):
    run = runs.start(
        RefreshPublishedProducts.name, trigger=Trigger.COMMAND, options={"all": True}
    )
    report = runs.carry_out(run.pk)
    assert report.counts == {Outcome.UPDATED: 2}
    assert_all_is_the_pims(untranslated)


def test_a_page_that_the_pim_translates_is_offered_to_nobody(
    pim, publish, german, admin_client
):
    pim.product("A1")
    publish()
    page = english()
    address = reverse("simple_translation:submit_page_translation", args=[page.pk])
    edit = admin_client.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))
    assert address not in edit.content.decode()
    form = admin_client.post(address, {"locales": [german.pk]}).context["form"]
    assert form.errors.keys() == {"locales"}
    assert ProductPage.objects.filter(locale=german).count() == 1


def test_in_a_locale_that_the_pim_has_not_translations_stay_the_editors(
    pim, publish, locales, admin_client
):
    french = locales("fr")["fr"]
    pim.product("A1", Summary="Quick")
    publish()
    submit(admin_client, CatalogPage.objects.get(), french, include_subtree="on")
    page = page_of("A1", french)
    page.title, page.summary = "Vélo", "Rapide"
    page.save_revision().publish()
    pim.change("A1", Summary="Quicker")
    assert publish().state == State.SUCCEEDED
    page = page_of("A1", french)
    assert (page.title, page.summary, page.live) == ("Vélo", "Rapide", True)
    assert not page.is_pim_managed()


# Aliases


def test_synchronized_page_trees_leave_no_alias_and_no_second_page(
    untranslated, pim, publish, settings, rf
):
    settings.WAGTAILSIMPLETRANSLATION_SYNC_PAGE_TREE = True
    # An editor's page brings its parents along.
    note = HomePage(title="How we test", slug="note")
    english().add_child(instance=note)
    for hook in hooks.get_hooks("after_create_page"):
        hook(rf.get("/"), note)
    alias = page_of("A1", untranslated)
    assert alias.alias_of_id == english().pk
    pim.approve()
    assert publish().state == State.SUCCEEDED
    page = page_of("A1", untranslated)
    assert (page.pk, page.alias_of_id) == (alias.pk, None)
    assert page.is_pim_managed()
    [below] = page.get_children().exclude(pim_link__isnull=False)
    assert below.alias_of_id == note.pk


def test_an_alias_is_guarded_as_its_original_until_it_becomes_the_pims(
    untranslated, client
):
    _mirror(untranslated)
    alias = page_of("A1", untranslated)
    alias.title = alias.summary = "Mine"
    alias.save()
    alias = page_of("A1", untranslated)
    assert (alias.title, alias.summary) == ("Velo", "Quick")
    assert "Velo" in client.get(alias.url).content.decode()


def test_an_alias_that_becomes_the_pims_takes_no_value_of_its_original(
    untranslated, pim, publish
):
    _mirror(untranslated)
    pim.change("A1", productTitle="Velo Pro", Summary="Quicker")
    pim.translate("A1", GERMAN, productTitle="Velo", Summary="Quick")
    publish()
    page = page_of("A1", untranslated)
    assert (page.title, page.summary, page.alias_of_id) == ("Velo", "Quick", None)
    assert english().title == "Velo Pro"


def test_an_alias_of_a_variant_becomes_the_pims_with_its_products(
    untranslated, pim, publish
):
    _mirror(untranslated)
    pim.change("A1-1", Price=7)
    report = publish()
    assert report.counts == {Outcome.UPDATED: 2}
    page = page_of("A1", untranslated)
    [variant] = page.variants()
    assert variant.specific.price == 7
    assert page.alias_of_id is variant.alias_of_id is None


def test_aliases_in_the_same_language_follow(pim, publish, german, site):
    pim.product("A1")
    pim.translate("A1", GERMAN, Summary="Flink")
    publish()
    page = page_of("A1", german)
    home = HomePage.objects.get(locale=german)
    alias = page.create_alias(parent=home, update_slug="angebot")
    pim.translate("A1", GERMAN, productTitle="Rad", Summary="Flott")
    report = publish()
    assert report.counts == {Outcome.UPDATED: 1}
    alias = ProductPage.objects.get(pk=alias.pk).specific
    assert (alias.title, alias.summary, alias.slug) == ("Rad", "Flott", "angebot")
    assert alias.alias_of_id == page.pk


def _mirror(locale: Locale) -> None:
    """Aliases of the whole catalog, as tools make them."""
    catalog = CatalogPage.objects.get()
    for page in catalog.get_descendants(inclusive=True):
        page.specific.copy_for_translation(locale, alias=True)


# The editor


def test_a_page_is_locked_and_tells_of_the_pim_in_every_language(
    pim, publish, german, admin_client
):
    pim.product("A1")
    pim.translate("A1", GERMAN, productTitle="Rad", urlSegment="rad", Summary="Flink")
    publish()
    page = page_of("A1", german)
    screen = edit_view(admin_client, page)
    assert screen.locked_text("Title") == "Rad"
    assert screen.locked_text("Summary") == "Flink"
    assert "campaign_text" in screen.editable()
    assert screen.editable().isdisjoint({"title", "slug", "summary", "gears"})
    assert "A1" in panel_of(admin_client, page)


def test_aliases_of_a_removed_category_go_off_the_site(pim, publish, locales):
    french = locales("fr")["fr"]
    publish()
    _mirror(french)
    pim.drop_category("Touring")
    assert publish().state == State.SUCCEEDED
    shown = CategoryPage.objects.live().filter(locale=french)
    assert {page.title for page in shown} == {"Bicycles", "City", "Helmets"}
