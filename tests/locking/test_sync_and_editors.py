"""A sync and an editor on one page: neither takes anything from the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from wagtail.models import Page, Revision

from sandbox_site.shop.models import BicyclePage
from tests.trial.models import TrialProductPage
from wagtail_pim.catalog import bulk
from wagtail_pim.jobs.report import Outcome
from wagtail_pim.locking.ownership import pim_write

from .test_surfaces import form_of, post, row, view

pytestmark = pytest.mark.django_db

Sync = Callable[[str], None]


@pytest.fixture
def bicycle(pim: Any, publish: Any) -> BicyclePage:
    """A page that the job has made, published once by an editor since."""
    pim.product("A1", productTitle="First", urlSegment="first", Summary="First")
    publish()
    page = BicyclePage.objects.get()
    page.save_revision().publish()
    return BicyclePage.objects.get()


@pytest.fixture
def sync(pim: Any, publish: Any) -> Sync:
    """Runs the job after the product has another title, URL and summary."""

    def run(name: str) -> None:
        pim.change("A1", productTitle=name, urlSegment=name.lower(), Summary=name)
        assert publish().counts == {Outcome.UPDATED: 1}

    return run


def synced(page: Page) -> tuple[str, ...]:
    return (page.title, page.draft_title, page.slug, page.summary)


def names(name: str) -> tuple[str, ...]:
    return (name, name, name.lower(), name)


def test_a_sync_writes_the_row_and_makes_no_revision(bicycle, sync):
    before = list(Revision.objects.values())
    sync("Second")
    page = BicyclePage.objects.get()
    assert synced(page) == names("Second")
    assert page.url_path == "/shop/spokewell/bicycles/city/second/"
    assert list(Revision.objects.values()) == before
    assert page.latest_revision_id == bicycle.latest_revision_id
    assert page.live_revision_id == bicycle.live_revision_id
    assert not page.has_unpublished_changes


def test_an_unpublished_draft_stays_one_and_keeps_its_text(bicycle, sync):
    bicycle.campaign_text = "Unfinished"
    draft = bicycle.save_revision()
    sync("Second")
    page = BicyclePage.objects.get()
    assert page.has_unpublished_changes
    assert page.campaign_text == ""
    assert page.latest_revision == draft
    latest = page.get_latest_revision_as_object()
    assert (*synced(latest), latest.campaign_text) == (*names("Second"), "Unfinished")

    draft.publish()
    page = BicyclePage.objects.get()
    assert (*synced(page), page.campaign_text) == (*names("Second"), "Unfinished")
    assert page.url_path == "/shop/spokewell/bicycles/city/second/"
    assert not page.has_unpublished_changes


def test_a_page_that_was_never_published_here_stays_unpublished(bicycle, sync):
    bicycle.unpublish()
    sync("Second")
    assert (
        not BicyclePage.objects.get().revisions.filter(content__title="Second").exists()
    )


@pytest.mark.parametrize("has_revision", [True, False])
def test_an_open_editor_saves_publishes_and_autosaves_over_a_sync(
    admin_client, bicycle, sync, has_revision
):
    if not has_revision:
        Revision.objects.all().delete()
    url = view("edit", bicycle.pk)
    data = form_of(admin_client, url)
    loaded = {"loaded_revision_id", "loaded_revision_created_at"}
    assert (loaded <= data.keys()) is has_revision

    def autosave(text: str) -> dict[str, Any]:
        data["campaign_text"] = text
        response = admin_client.post(url, data, headers={"Accept": "application/json"})
        assert response.status_code == 200, response.content
        # As the script does with what it gets.
        answer = response.json()
        data["overwrite_revision_id"] = answer["revision_id"]
        data["loaded_revision_id"] = answer["revision_id"]
        data["loaded_revision_created_at"] = answer["revision_created_at"]
        data.update(answer["field_updates"])
        return answer

    sync("Second")
    first = autosave("One")
    sync("Third")
    second = autosave("Two")
    assert second["revision_id"] == first["revision_id"]
    page = BicyclePage.objects.get()
    assert (*synced(page), page.campaign_text) == (*names("Third"), "")
    assert page.get_latest_revision_as_object().campaign_text == "Two"

    sync("Fourth")
    post(admin_client, url, data)
    sync("Fifth")
    data["campaign_text"] = "Three"
    post(admin_client, url, data, action_publish="1")
    page = BicyclePage.objects.get()
    assert (*synced(page), page.campaign_text) == (*names("Fifth"), "Three")
    assert page.url_path == "/shop/spokewell/bicycles/city/fifth/"
    assert not page.has_unpublished_changes


def test_another_editors_version_is_still_told_of(admin_client, bicycle, sync):
    """The guard of Wagtail's that a revision of the sync's would set off."""
    url = view("edit", bicycle.pk)
    data = form_of(admin_client, url)
    sync("Second")
    BicyclePage.objects.get().save_revision()
    response = admin_client.post(url, data, headers={"Accept": "application/json"})
    assert response.json()["error_code"] == "invalid_revision"


def test_aliases_follow_a_sync_at_their_own_urls(bicycle, sync):
    alias = bicycle.create_alias(update_slug="alias")
    second = alias.create_alias(update_slug="second-alias")
    sync("Second")
    for page, slug in ((alias, "alias"), (second, "second-alias")):
        page = BicyclePage.objects.get(pk=page.pk)
        assert synced(page) == ("Second", "Second", slug, "Second")
        assert page.url_path == f"/shop/spokewell/bicycles/city/{slug}/"


# At the same time

needs_row_locks = pytest.mark.skipif(
    "connection.vendor != 'postgresql'",
    reason="SQLite has no row locks: one transaction at a time writes",
)
PATIENCE = 1.5  # seconds, in which a sync that is not held up would have committed


def _write_as_a_sync(pk: int, before_commit: Callable[[], Any] = lambda: None) -> None:
    """The writer's own statements: lock the rows, then write columns."""
    with transaction.atomic():
        (page,) = bulk.lock_pages([pk]).values()
        page.title = page.draft_title = page.text = "Synced"
        page.slug = "synced"
        page.set_url_path(page.get_parent())
        columns = {"title", "draft_title", "text", "slug", "url_path"}
        bulk.update_columns([page], lambda _page: columns)
        before_commit()


class _Thread(threading.Thread):
    """A thread with a database connection; ``join`` raises what it failed with."""

    def __init__(self, target: Callable[[], Any]) -> None:
        super().__init__()
        self._work = target
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._error = error
        finally:
            connection.close()

    def join(self, timeout: float | None = 20) -> None:
        super().join(timeout)
        assert not self.is_alive()
        if self._error:
            raise self._error


def _save(pk: int) -> None:
    page = TrialProductPage.objects.get(pk=pk)
    page.note = "Edited"
    page.save()


def _save_as_mere_page(pk: int) -> None:
    page = Page.objects.get(pk=pk)
    page.seo_title = "Edited"
    page.save()


def _publish(pk: int) -> None:
    page = TrialProductPage.objects.get(pk=pk)
    page.note = "Edited"
    page.save_revision().publish()


@needs_row_locks
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("edit", [_save, _save_as_mere_page, _publish])
def test_a_sync_between_an_editors_overlay_and_save_is_not_lost(
    trial_page, edit, monkeypatch
):
    overlaid, committed = threading.Event(), threading.Event()
    save_table = Page._save_table

    def save_when_the_sync_has_had_its_time(
        page: Any,
        raw: bool = False,
        cls: Any = None,
        force_insert: bool = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Any = None,
    ) -> Any:
        # What notes a revision on the page is not the save that counts.
        if threading.current_thread() is editor and not update_fields:
            overlaid.set()
            committed.wait(PATIENCE)
        return save_table(
            page, raw, cls, force_insert, force_update, using, update_fields
        )

    def sync() -> None:
        assert overlaid.wait(10)
        _write_as_a_sync(trial_page.pk)
        committed.set()

    monkeypatch.setattr(Page, "_save_table", save_when_the_sync_has_had_its_time)
    editor = _Thread(lambda: edit(trial_page.pk))
    syncer = _Thread(sync)
    editor.start()
    syncer.start()
    editor.join()
    syncer.join()
    page = row(trial_page)
    assert (page.title, page.slug, page.text) == ("Synced", "synced", "Synced")
    assert page.url_path == "/shop/synced/"
    assert "Edited" in (page.note, page.seo_title)


@needs_row_locks
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("edit", [_save, _save_as_mere_page])
def test_an_editor_waits_for_a_sync_and_saves_what_it_wrote(trial_page, edit):
    written, saved = threading.Event(), threading.Event()

    def sync() -> None:
        def let_the_editor_try() -> None:
            written.set()
            assert not saved.wait(PATIENCE)

        _write_as_a_sync(trial_page.pk, let_the_editor_try)

    def save() -> None:
        assert written.wait(10)
        edit(trial_page.pk)
        saved.set()

    threads = [_Thread(sync), _Thread(save)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = row(trial_page)
    assert (page.title, page.slug, page.text) == ("Synced", "synced", "Synced")
    assert page.url_path == "/shop/synced/"
    assert "Edited" in (page.note, page.seo_title)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_right_to_write_is_not_another_threads(trial_page):
    inside, done = threading.Event(), threading.Event()

    def write() -> None:
        with pim_write():
            inside.set()
            assert done.wait(10)

    def edit() -> None:
        assert inside.wait(10)
        page = TrialProductPage.objects.get(pk=trial_page.pk)
        page.text = "Spoilt"
        page.save()
        done.set()

    threads = [_Thread(write), _Thread(edit)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert row(trial_page).text == "Short text"
