"""Whose a value is, and that only the PIM's side writes what is the PIM's."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from wagtail.actions.move_page import MovePageAction
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Comment, Page
from wagtail.signals import page_slug_changed

from sandbox_site.shop.models import HomePage
from tests.trial.models import (
    Certificate,
    Maker,
    MakerPlace,
    TrialFreePage,
    TrialHandlerPage,
    TrialProductPage,
    TrialSize,
)
from wagtail_pim.locking import ownership
from wagtail_pim.locking.ownership import is_pim_writing, locked_fields, pim_write
from wagtail_pim.locking.pages import MANAGED_ANNOTATION
from wagtail_pim.markers import Sync
from wagtail_pim.models import CategoryPage, ProductPage, VariantPage

from .conftest import make_managed
from .test_surfaces import contents, row, spoil, spoil_in_memory, values

pytestmark = pytest.mark.django_db


# What is owned


def test_what_every_type_of_page_leaves_to_the_pim():
    numbered = {"title", "slug", "expire_at", "product_number", "primary_image"}
    assert ownership.owned_fields(ProductPage) == numbered
    assert ownership.owned_fields(VariantPage) == numbered
    of_category = {"title", "slug", "expire_at", "description", "primary_image"}
    assert ownership.owned_fields(CategoryPage) == of_category
    assert ownership.owned_fields(TrialHandlerPage) == {*numbered, "colour", "size"}
    assert ownership.owned_fields(TrialFreePage) == frozenset()


def test_what_follows_from_an_owned_column_is_owned():
    assert ownership.owned_columns(CategoryPage, CategoryPage) == {
        "title",
        "draft_title",
        "slug",
        "url_path",
        "expire_at",
        "description",
        "primary_image_id",
    }


def test_only_managed_pages_are_locked(trial_page, hand_made_page):
    assert {"title", "text", "sizes", "tags"} <= locked_fields(trial_page)
    assert "note" not in locked_fields(trial_page)
    assert locked_fields(hand_made_page) == frozenset()
    assert locked_fields(HomePage()) == frozenset()
    assert locked_fields(TrialProductPage()) == frozenset()


# The right to write


def test_inside_pim_write_what_the_pim_owns_is_written(trial_page):
    with pim_write():
        spoil_in_memory(trial_page)
        trial_page.save()
    page = row(trial_page)
    assert (page.title, page.slug, page.text) == ("Spoilt", "spoilt", "Spoilt")
    assert not page.sizes.exists()


def test_inside_pim_write_values_are_validated(trial_page):
    trial_page.required_text = ""
    trial_page.full_clean()
    with pim_write(), pytest.raises(ValidationError, match="required_text"):
        trial_page.full_clean()


def test_the_right_to_write_ends_with_its_block():
    with pim_write():
        with pim_write():
            assert is_pim_writing()
        assert is_pim_writing()
    assert not is_pim_writing()
    with pytest.raises(ZeroDivisionError), pim_write():
        _ = 1 / 0
    assert not is_pim_writing()


def test_the_right_to_write_is_not_another_tasks():
    seen = {}

    async def write(inside: asyncio.Event, done: asyncio.Event) -> None:
        with pim_write():
            inside.set()
            await done.wait()
            seen["own thread"] = await sync_to_async(is_pim_writing)()

    async def look(inside: asyncio.Event, done: asyncio.Event) -> None:
        await inside.wait()
        seen["other"] = is_pim_writing()
        done.set()

    async def both() -> None:
        events = asyncio.Event(), asyncio.Event()
        await asyncio.gather(write(*events), look(*events))

    asyncio.run(both())
    assert seen == {"own thread": True, "other": False}


# Objects in all states


def test_a_page_that_held_itself_for_hand_made_is_guarded_once_it_is_linked(
    hand_made_page,
):
    assert not hand_made_page.is_pim_managed()
    setattr(hand_made_page, MANAGED_ANNOTATION, False)
    make_managed(row(hand_made_page))
    before = values(hand_made_page)
    spoil_in_memory(hand_made_page)
    hand_made_page.save()
    assert values(hand_made_page) == before


def test_a_page_made_with_the_key_of_a_managed_one_does_not_overwrite_it(trial_page):
    before = values(trial_page)
    kept = ("path", "depth", "content_type_id", "locale_id", "translation_key")
    made = TrialProductPage(
        pk=trial_page.pk,
        page_ptr_id=trial_page.page_ptr_id,
        title="Spoilt",
        note="Saved",
        **{name: getattr(trial_page, name) for name in kept},
    )
    made.pk = made.id = made.productpage_ptr_id = trial_page.pk
    made.sizes = [TrialSize(name="XXL")]
    made.save(clean=False)
    assert values(trial_page) == before
    assert row(trial_page).note == "Saved"


@pytest.mark.parametrize(
    "query",
    [
        TrialProductPage.objects.defer("text", "title", "rich_text"),
        TrialProductPage.objects.only("note"),
        TrialProductPage.objects.select_related("pim_link", "picture"),
        TrialProductPage.objects.prefetch_related("sizes", "tags", "materials"),
    ],
)
def test_a_page_is_guarded_however_it_was_read(trial_page, query):
    before = values(trial_page)
    page = query.get(pk=trial_page.pk)
    page.count = 666
    page.sizes = []
    page.note = "Saved"
    page.save()
    assert values(trial_page) == before
    assert row(trial_page).note == "Saved"


@pytest.mark.parametrize(
    "passed_on",
    [
        lambda page: pickle.loads(pickle.dumps(page)),
        copy.copy,
        copy.deepcopy,
    ],
    ids=["pickle", "copy", "deepcopy"],
)
def test_a_page_is_guarded_however_it_was_passed_on(trial_page, passed_on):
    before = values(trial_page)
    spoil_in_memory(trial_page)
    page = passed_on(trial_page)
    page.note = "Saved"
    page.save()
    assert values(trial_page) == before
    assert row(trial_page).note == "Saved"


def test_a_refreshed_page_has_the_values_of_the_row(trial_page):
    spoil_in_memory(trial_page)
    trial_page.refresh_from_db()
    trial_page.save()
    assert contents(trial_page) == contents(row(trial_page))
    assert trial_page.text == "Short text"


def test_a_page_kept_out_of_the_sync_is_the_editors_even_if_it_is_linked(site):
    page = TrialFreePage(title="Free", slug="free", colour="Red")
    site.root_page.add_child(instance=page)
    make_managed(page)
    for model in (TrialFreePage, TrialHandlerPage, ProductPage, Page):
        read = model.objects.get(pk=page.pk)
        read.title = model.__name__
        read.save()
        assert Page.objects.get(pk=page.pk).title == model.__name__
    assert not TrialHandlerPage.objects.get(pk=page.pk).is_pim_managed()


@pytest.fixture
def forget_markers() -> Iterator[Callable[[], None]]:
    """Call it after a class was marked otherwise: what is owned is asked once."""

    def forget() -> None:
        for value in vars(ownership).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()

    yield forget
    forget()


@pytest.mark.parametrize("model", [ProductPage, Page])
def test_a_field_of_a_base_class_that_a_class_marks_is_guarded_in_the_base_class(
    forget_markers, monkeypatch, trial_page, model
):
    monkeypatch.setattr(
        TrialProductPage,
        "pim_fields",
        [*TrialProductPage.pim_fields, Sync("seo_title")],
    )
    forget_markers()
    page = model.objects.get(pk=trial_page.pk)
    page.seo_title = "Spoilt"
    page.save(update_fields=["seo_title"])
    assert row(trial_page).seo_title == "Buy the trial product"


def test_a_synced_class_below_one_that_is_kept_out_is_guarded_in_that_one(
    forget_markers, monkeypatch, site
):
    monkeypatch.setattr(TrialHandlerPage, "_pim_no_sync", True, raising=False)
    monkeypatch.setattr(TrialFreePage, "_pim_no_sync", False)
    forget_markers()
    page = TrialFreePage(title="Synced", slug="synced", colour="Red")
    site.root_page.add_child(instance=page)
    make_managed(page)
    read = TrialHandlerPage.objects.get(pk=page.pk)
    read.title = read.colour = "Spoilt"
    read.save()
    page = TrialFreePage.objects.get(pk=page.pk)
    assert (page.title, page.colour) == ("Synced", "Red")


# URLs


@pytest.fixture
def child(trial_page: TrialProductPage) -> HomePage:
    return trial_page.add_child(instance=HomePage(title="Child", slug="child"))


@pytest.mark.parametrize("model", [TrialProductPage, Page])
def test_a_stale_slug_changes_no_url_and_leads_to_no_redirect(
    trial_page, child, model, django_capture_on_commit_callbacks
):
    stale = model.objects.get(pk=trial_page.pk)
    with pim_write():
        fresh = row(trial_page)
        fresh.slug = "renamed"
        fresh.save()
    with django_capture_on_commit_callbacks(execute=True):
        stale.save()
    child.refresh_from_db()
    assert row(trial_page).url_path == "/shop/renamed/"
    assert child.url_path == "/shop/renamed/child/"
    assert not Redirect.objects.exists()


def test_no_other_url_is_announced(trial_page, django_capture_on_commit_callbacks):
    announced = []

    def note(**kwargs: Any) -> None:
        announced.append(kwargs)

    page_slug_changed.connect(note)
    try:
        trial_page.slug = "spoilt"
        with django_capture_on_commit_callbacks(execute=True):
            trial_page.save()
    finally:
        page_slug_changed.disconnect(note)
    assert announced == []


def test_a_url_that_an_ancestor_has_given_is_not_undone(trial_page, site):
    home = HomePage.objects.get(pk=site.root_page.pk)
    home.slug = "renamed"
    home.save()
    assert trial_page.url_path == "/shop/trial-product/"
    trial_page.save()
    assert row(trial_page).url_path == "/renamed/trial-product/"


def test_a_page_moved_in_code_has_the_url_of_its_place(trial_page, child, site):
    shelf = site.root_page.add_child(instance=HomePage(title="Shelf", slug="shelf"))
    MovePageAction(row(trial_page), shelf, pos="last-child").execute()
    child.refresh_from_db()
    assert row(trial_page).url_path == "/shop/shelf/trial-product/"
    assert child.url_path == "/shop/shelf/trial-product/child/"


def test_a_base_page_can_be_saved_again_after_its_slug_was_refused(hand_made_page):
    child = hand_made_page.add_child(instance=HomePage(title="Child", slug="child"))
    link = make_managed(hand_made_page)
    base = Page.objects.get(pk=hand_made_page.pk)
    base.slug = "spoilt"
    base.save()
    with pim_write():
        link.delete()
    base.slug = "by-hand"
    base.save()
    child.refresh_from_db()
    assert child.url_path == "/shop/by-hand/child/"


# What else a draft holds


def test_comments_and_the_latest_revision_stay_with_the_page(trial_page, admin_user):
    comment = Comment.objects.create(
        page=trial_page.page_ptr,
        user=admin_user,
        text="Is this right?",
        contentpath="text",
    )
    revision = spoil(trial_page)
    draft = revision.as_object()
    assert draft.latest_revision == revision
    assert list(draft.wagtail_admin_comments.all()) == [comment]
    draft.save()
    assert row(trial_page).latest_revision == revision
    assert Comment.objects.get().text == "Is this right?"


def test_the_editors_fields_are_validated(trial_page):
    trial_page.required_text = ""
    trial_page.note = "x" * 101
    with pytest.raises(ValidationError) as caught:
        trial_page.full_clean(["slug"])
    assert caught.value.message_dict.keys() == {"note"}


# Snippets and other models


@pytest.fixture
def maker() -> Maker:
    made = Maker(name="Karu", story="Old")
    made.places = [MakerPlace(city="Tallinn")]
    made.save()
    return Maker.objects.get(pk=made.pk)


def cities(maker: Maker) -> list[str]:
    return [place.city for place in maker.places.all()]


def test_a_new_snippet_is_saved_with_all_its_values(maker):
    assert (maker.name, maker.story, cities(maker)) == ("Karu", "Old", ["Tallinn"])


def test_a_new_snippet_whose_key_is_known_is_saved_with_all_its_values():
    made = Maker(pk=4711, name="Karu")
    made.places = [MakerPlace(city="Tallinn")]
    assert locked_fields(made) == frozenset()
    made.save()
    assert cities(Maker.objects.get(pk=4711)) == ["Tallinn"]


def test_a_snippet_saved_in_code_keeps_the_pims_values(maker):
    for saved in (maker, Maker(pk=maker.pk)):
        saved.name, saved.story = "Spoilt", "New"
        saved.places = []
        saved.save()
        read = Maker.objects.get()
        assert (read.name, read.story, cities(read)) == ("Karu", "New", ["Tallinn"])


def test_a_draft_of_a_snippet_brings_the_editors_text_alone(maker):
    maker.story = "New"
    revision = maker.save_revision()
    revision.content.update(name="Spoilt", places=[])
    revision.save()
    draft = maker.revisions.get().as_object()
    assert (draft.name, draft.story, cities(draft)) == ("Karu", "New", ["Tallinn"])
    assert {"name", "places"} <= locked_fields(draft)
    assert "story" not in locked_fields(draft)
    maker.revisions.get().publish()
    read = Maker.objects.get()
    assert (read.name, read.story, cities(read)) == ("Karu", "New", ["Tallinn"])


def test_a_snippet_that_is_gone_is_saved_as_it_is(maker):
    Maker.objects.filter(pk=maker.pk).delete()
    maker.save()
    assert Maker.objects.get().name == "Karu"


def test_a_plain_model_keeps_the_pims_values():
    certificate = Certificate.objects.create(number="1", remark="Old")
    Certificate.objects.update_or_create(
        pk=certificate.pk, defaults={"number": "Spoilt", "remark": "New"}
    )
    certificate.refresh_from_db()
    assert (certificate.number, certificate.remark) == ("1", "New")
    certificate.number = ""
    certificate.full_clean()
    with pytest.raises(ValidationError, match="number"):
        Certificate().full_clean()
