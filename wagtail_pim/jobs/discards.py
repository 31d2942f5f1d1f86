"""Pages that people made by hand in the catalog, discarded by a run.

The setting ``DISCARDS`` says how: they are deleted, unpublished, or only told of.
"""

from __future__ import annotations

import logging
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.models import Page

from wagtail_pim.catalog.discards import (
    HandmadePage,
    handmade_pages,
    lock_handmade,
    take_off,
)
from wagtail_pim.catalog.restoring import page_content
from wagtail_pim.catalog.writer import refusal
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import RunEndedError
from wagtail_pim.models import JobRunItem

from . import items
from .base import Job

logger = logging.getLogger(__name__)

DELETE: Final = "delete"
UNPUBLISH: Final = "unpublish"
KEEP: Final = "keep"


def discarded_again(page: Page) -> str:
    """That a restored page will not stay; empty where it will."""
    if all(page.pk != each.page_id for each in handmade_pages()):
        return ""
    warning = {
        DELETE: _(
            "It stands in the PIM's catalog: the next run of Publish approved products "
            "deletes it again. Move it out of the catalog, or change "
            "WAGTAIL_PIM['DISCARDS']."
        ),
        UNPUBLISH: _(
            "It stands in the PIM's catalog: once it is published, the next run of "
            "Publish approved products unpublishes it. Move it out of the catalog, or "
            "change WAGTAIL_PIM['DISCARDS']."
        ),
    }
    return warning.get(get_config().discards, "")


class Discards:
    """The hand-made pages of the catalog, as one run finds and discards them.

    ``planned`` are all of them, the deepest first; ``removals`` is how many of them
    ``carry_out`` would delete or unpublish.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._policy = get_config().discards
        self.planned: list[HandmadePage] = [
            page
            for page in handmade_pages()
            if page.is_out or self._policy != UNPUBLISH
        ]

    @property
    def removals(self) -> int:
        return sum(map(self._is_removed, self.planned))

    def _is_removed(self, page: HandmadePage) -> bool:
        return self._is_deleted(page) or (page.is_out and self._policy != KEEP)

    def _is_deleted(self, page: HandmadePage) -> bool:
        return self._policy == DELETE and not page.pages_kept

    def carry_out(self) -> None:
        """Discard them, each in a transaction of its own, and report them.

        A dry run reports them alone. Call it once what the PIM has is on the site.
        """
        told = []
        for page in self.planned:
            self._job.journal.checkpoint()
            if self._job.run.dry_run or not self._is_removed(page):
                told.append(self._item(page, page.pages_kept))
            elif (item := self._discard(page)) is not None:
                self._job.add(item)
        self._job.add(*told)

    def _discard(self, found: HandmadePage) -> JobRunItem | None:
        """None of a page that an editor has moved or deleted meanwhile."""
        try:
            with transaction.atomic():
                page = lock_handmade(found.page_id)
                if page is None:
                    return None
                item = self._carried_out(found, page)
                self._job.journal.insert([item])
        except RunEndedError:
            raise
        except Exception as error:
            # Something of the site's may refuse it: that is this page's failure.
            logger.exception("Run %s: no discard", self._job.run.pk)
            return items.failed(
                found.kind, found.number, refusal(error), title=found.title
            )
        return item

    def _carried_out(self, found: HandmadePage, page: Page) -> JobRunItem:
        below = page.get_descendants().count()
        item = self._item(found, below)
        if self._policy == DELETE and not below:
            item.content = page_content(page)
            item.page_id = None
            page.delete()
        else:
            take_off(page)
        return item

    def _item(self, page: HandmadePage, pages_below: int) -> JobRunItem:
        is_deleted = self._policy == DELETE and not pages_below
        is_unpublished = page.is_out and not is_deleted and self._policy != KEEP
        return items.discarded_page(
            page,
            is_deleted=is_deleted,
            is_unpublished=is_unpublished,
            # By the setting, these have nothing to do with it.
            pages_below=pages_below if self._policy == DELETE else 0,
        )
