"""A sync and an editor at the same moment, in threads with connections of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction
from wagtail.models import Page

from sandbox_site.shop.models import HomePage
from tests.trial.models import TrialProductPage
from wagtail_pim.catalog import bulk, category_writer
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import CategoryPage

from .test_surfaces import row

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("refilled_database"),
]

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


@needs_row_locks
def test_a_page_put_below_a_category_that_goes_is_not_lost(
    pim, publish, site, monkeypatch
):
    publish()
    touring = CategoryPage.objects.get(title="Touring")
    pim.drop_category("Touring")
    counted = category_writer._removal
    editors: list[_Thread] = []
    added: list[int] = []

    def add() -> None:
        page = HomePage(title="Our tours", slug="tours")
        Page.objects.get(pk=touring.pk).add_child(instance=page)
        added.append(page.pk)

    def count_while_an_editor_adds(page: Page, *given: Any) -> Any:
        found = counted(page, *given)
        if not editors:
            editors.append(_Thread(add))
            editors[0].start()
            threading.Thread.join(editors[0], PATIENCE)
        return found

    monkeypatch.setattr(category_writer, "_removal", count_while_an_editor_adds)
    publish()
    # The editor came too late, or the page is there.
    with suppress(Exception):
        editors[0].join()
    assert Page.objects.filter(pk__in=added).count() == len(added)
    assert not any(Page.find_problems())
