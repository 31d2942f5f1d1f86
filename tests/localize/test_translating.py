"""Translators and the PIM on the same pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse
from wagtail.models import Locale, Page
from wagtail_localize.models import (
    LocaleSynchronization,
    StringTranslation,
    Translation,
    TranslationSource,
)
from wagtail_localize.operations import translate_object, translate_page_subtree

from sandbox_site.shop.models import BicyclePage
from tests.jobs.test_languages import GERMAN, page_of
from tests.locking.test_translations import assert_all_is_the_pims
from tests.trial.models import Fabric, TrialProductPage
from wagtail_pim.models import CategoryPage, ProductPage
from wagtail_pim.models.runs import Outcome, State

Translate = Callable[..., None]


def english(number: str = "A1") -> Any:
    return page_of(number, Locale.get_default())


def source_of(page: Page) -> TranslationSource:
    return TranslationSource.objects.get_for_instance(page)


def offered(page: Page) -> set[str]:
    """The fields of the page that its translators are shown."""
    source = source_of(page)
    paths: set[str] = set()
    for segments in (source.stringsegment_set, source.overridablesegment_set):
        paths |= set(segments.values_list("context__path", flat=True))
    return {path.split(".")[0] for path in paths}


@pytest.fixture
def translate(german, django_capture_on_commit_callbacks) -> Translate:
    """Has a page translated and publishes it, as translators do."""

    def translate(page: Page, **texts: str) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            translate_object(page, [german])
        for path, text in texts.items():
            segment = source_of(page).stringsegment_set.get(context__path=path)
            StringTranslation.objects.update_or_create(
                translation_of=segment.string,
                locale=german,
                context=segment.context,
                defaults={"data": text},
            )
        with django_capture_on_commit_callbacks(execute=True):
            source_of(page).translations.get(target_locale=german).save_target()

    return translate


@pytest.fixture
def product(pim, publish, german) -> Any:
    """A product in both languages, with texts of the editors' in English."""
    pim.translate_category("City", GERMAN, name="Stadt", urlSegment="stadt")
    pim.product("A1", productTitle="Velo", Summary="Quick", Gears=7)
    pim.variant("A1-1", "A1", Price=5)
    pim.translate("A1", GERMAN, productTitle="Rad", urlSegment="rad", Summary="Flink")
    assert publish().state == State.SUCCEEDED
    page = english()
    page.campaign_text = "Only today"
    page.save_revision().publish()
    return english()


@pytest.fixture
def mirrored(pim, publish, german, settings) -> Locale:
    """German as a mirror of a catalog that stands in English alone."""
    settings.WAGTAIL_I18N_ENABLED = False
    pim.product("A1", productTitle="Velo", Summary="Quick")
    pim.variant("A1-1", "A1")
    pim.product("B1")
    assert publish().state == State.SUCCEEDED
    settings.WAGTAIL_I18N_ENABLED = True
    LocaleSynchronization.objects.create(locale=german, sync_from=Locale.get_default())
    call_command("sync_locale_trees")
    return german


def row_of(page: Page) -> dict[str, Any]:
    """What stands in the database, but for what every publish writes."""
    names = {f.name for f in page._meta.concrete_fields} - {
        "last_published_at",
        "latest_revision_created_at",
        "latest_revision",
        "live_revision",
    }
    return type(page).objects.values(*names).get(pk=page.pk)


# What is translated


def test_translators_are_shown_the_editors_fields_alone(product, translate):
    translate(product)
    assert offered(product) == {"campaign_text"}
    category = CategoryPage.objects.get(title="City")
    category.seo_title = "Bicycles for the city"
    category.save_revision().publish()
    translate(category)
    assert offered(category) == {"seo_title"}


def test_of_a_page_made_by_hand_they_are_shown_all(site, translate):
    page = BicyclePage(title="Mine", slug="mine", summary="Made by hand")
    site.root_page.add_child(instance=page)
    translate(page)
    assert offered(page) >= {"title", "slug", "summary"}


def test_relations_of_the_pims_are_left_alone(trial_page, translate, german):
    translate(trial_page)
    assert offered(trial_page) == {"seo_title", "note", "campaign"}
    translation = TrialProductPage.objects.get(locale=german)
    assert translation.links.get().label == "The editors' link"
    fields = {f.field_name: f for f in TrialProductPage.translatable_fields}
    for name in ("sizes", "gallery", "tagged_items", "text", "picture"):
        assert not fields[name].is_synchronized(trial_page), name
    assert fields["links"].is_synchronized(trial_page)


def test_so_are_fields_of_other_models(translate, german, db):
    fabric = Fabric.objects.create(name="Wool", care="Wash by hand")
    translate(fabric, care="Von Hand waschen")
    assert offered(fabric) == {"care"}
    translation = fabric.get_translation(german)
    assert (translation.name, translation.care) == ("Wool", "Von Hand waschen")


def test_publishing_a_translation_leaves_what_is_the_pims(
    product, translate, german, pim, publish
):
    before = row_of(page_of("A1", german))
    translate(product, campaign_text="Nur heute")
    assert row_of(page_of("A1", german)) == before | {"campaign_text": "Nur heute"}
    pim.approve()
    assert publish().counts == {Outcome.UNCHANGED: 2}


def test_the_editor_and_its_preview_show_what_the_pim_says_in_the_language(
    product, translate, german, admin_client
):
    translate(product)
    page = page_of("A1", german)
    edit = admin_client.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))
    assert "wagtail_localize/admin/edit_translation.html" in {
        template.name for template in edit.templates
    }
    translation = Translation.objects.get()
    preview = admin_client.get(
        reverse("wagtail_localize:preview_translation", args=[translation.pk])
    ).content.decode()
    assert "Rad" in preview
    assert "Flink" in preview
    assert "Velo" not in preview


def test_an_update_of_the_translations_brings_nothing_old_back(
    product,
    translate,
    german,
    pim,
    publish,
    admin_client,
    django_capture_on_commit_callbacks,
):
    translate(product, campaign_text="Nur heute")
    pim.change("A1", Summary="Quicker", Gears=9)
    pim.translate("A1", GERMAN, productTitle="Neu", urlSegment="neu", Summary="Flott")
    assert publish().state == State.SUCCEEDED
    before = row_of(page_of("A1", german))
    assert (before["title"], before["slug"], before["gears"]) == ("Neu", "neu", 9)
    # Translations of what was, and then of what is.
    translate(product, campaign_text="Nur morgen")
    update = reverse(
        "wagtail_localize:update_translations", args=[source_of(product).pk]
    )
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(update, {"publish_translations": "on"})
    assert row_of(page_of("A1", german)) == before | {"campaign_text": "Nur morgen"}
    page_of("A1", german).revisions.first().publish()
    page = page_of("A1", german)
    assert (page.title, page.summary, page.gears) == ("Neu", "Flott", 9)


# Mirrored trees


def test_the_pages_of_a_mirrored_tree_become_the_pims(
    mirrored, pim, publish, client, admin_client
):
    alias = page_of("A1", mirrored)
    assert alias.alias_of_id == english().pk
    assert "Velo" in client.get(alias.url).content.decode()
    edit = reverse("wagtailadmin_pages:edit", args=[alias.pk])
    assert admin_client.get(edit).status_code == 200
    pim.translate("A1", GERMAN, productTitle="Rad", Summary="Flink")
    report = publish()
    # Its variant comes along.
    assert report.counts == {Outcome.UPDATED: 2}
    page = page_of("A1", mirrored)
    assert (page.pk, page.title, page.summary) == (alias.pk, "Rad", "Flink")
    # The others follow their originals until they are in a run.
    assert page_of("B1", mirrored).alias_of_id == english("B1").pk
    pim.approve()
    assert publish().state == State.SUCCEEDED
    assert_all_is_the_pims(mirrored)


def test_mirroring_again_adds_nothing(mirrored, pim, publish):
    pim.approve()
    publish()
    pages = Page.objects.count()
    call_command("sync_locale_trees")
    assert Page.objects.count() == pages
    # What the PIM brings stands there already in both languages.
    pim.product("C1")
    publish()
    pages = Page.objects.count()
    call_command("sync_locale_trees")
    assert Page.objects.count() == pages
    assert_all_is_the_pims(mirrored)


def test_a_mirror_in_a_locale_that_the_pim_has_not_follows(pim, publish, locales):
    french = locales("fr")["fr"]
    LocaleSynchronization.objects.create(locale=french, sync_from=Locale.get_default())
    pim.product("A1", Summary="Quick")
    publish()
    call_command("sync_locale_trees")
    pim.change("A1", productTitle="Velo Pro", Summary="Quicker")
    assert publish().state == State.SUCCEEDED
    alias = page_of("A1", french)
    assert (alias.title, alias.summary) == ("Velo Pro", "Quicker")
    assert alias.alias_of_id == english().pk
    pim.archive("A1")
    publish()
    assert not page_of("A1", french).live


def test_a_subtree_is_translated_without_harm(
    mirrored, pim, publish, admin_user, django_capture_on_commit_callbacks
):
    home = english().get_ancestors().get(depth=2)
    with django_capture_on_commit_callbacks(execute=True):
        translate_object(home, [mirrored], user=admin_user)
        translate_page_subtree(home.pk, [mirrored], None, admin_user)
    assert not Page.objects.exclude(alias_of=None).exists()
    pim.translate("A1", GERMAN, productTitle="Rad", Summary="Flink")
    pim.approve()
    assert publish().state == State.SUCCEEDED
    assert_all_is_the_pims(mirrored)
    assert page_of("A1", mirrored).title == "Rad"


# Conversions


def test_a_page_that_was_made_an_alias_becomes_the_pims_again(
    product, translate, german, pim, publish, admin_client
):
    translate(product)
    page = page_of("A1", german)
    # In Wagtail's own editor there is a button for it, but not for the PIM's pages.
    Translation.objects.update(enabled=False)
    edit = admin_client.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))
    assert "localize-restart-translation" in edit.content.decode()
    assert "localize-convert-to-alias" not in edit.content.decode()
    convert = reverse("wagtail_localize:convert_to_alias", args=[page.pk])
    assert admin_client.post(convert).status_code == 302
    assert page_of("A1", german).alias_of_id == product.pk
    pim.approve()
    assert publish().state == State.SUCCEEDED
    page = page_of("A1", german)
    assert (page.title, page.slug, page.alias_of_id) == ("Rad", "rad", None)
    assert_all_is_the_pims(german)


def test_a_mirrored_page_that_was_translated_keeps_its_texts(
    mirrored, translate, pim, publish
):
    page = english()
    page.campaign_text = "Only today"
    page.save_revision().publish()
    translate(page, campaign_text="Nur heute")
    assert page_of("A1", mirrored).alias_of_id is None
    # Not in the next run, and then in one.
    assert publish().state == State.SUCCEEDED
    pim.translate("A1", GERMAN, productTitle="Rad")
    assert publish().state == State.SUCCEEDED
    translation = page_of("A1", mirrored)
    assert (translation.title, translation.campaign_text) == ("Rad", "Nur heute")
    assert ProductPage.objects.filter(locale=mirrored).count() == 2
