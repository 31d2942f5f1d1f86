"""Products of the PIM, put on this site: what the jobs share that do so.

Nothing here writes to the PIM.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import Page

from wagtail_pim.catalog.assets import guids_of, known_images, obtain_images
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.mapping import PageContent, map_product
from wagtail_pim.catalog.planner import PageChange, Places, Planner
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.catalog.writer import (
    Pages,
    Writer,
    note_statuses,
    refusal,
    remove_page,
)
from wagtail_pim.client.client import PUBLISHED
from wagtail_pim.client.entities import Asset, InvalidRecord, Product
from wagtail_pim.exceptions import RecordError, RunEndedError
from wagtail_pim.kinds import PICTURE
from wagtail_pim.models import JobRunItem
from wagtail_pim.models.runs import Outcome
from wagtail_pim.signals import product_published, product_removed

from . import items
from .base import Job

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """A product that stands on the site as the PIM has it, or has left it.

    ``page`` is the one that was written or unpublished just now, if there was one.
    """

    product: Product
    item: JobRunItem
    page: Page | None = None
    picture_failed: bool = False

    def status(self) -> str:
        """The product's status in the PIM, as far as this site knows."""
        return PUBLISHED if self.item.acknowledged else self.product.status.strip()


class ProductJob(Job):
    """A job that puts products on the site.

    A subclass calls ``prepare`` once; then ``write_products`` and ``report_products``
    for the records that it has read, batch by batch.
    """

    def prepare(
        self, schema: CatalogSchema, places: Places, ranks: Mapping[UUID, int]
    ) -> None:
        """``ranks`` are the categories by preference (mapping.best_place)."""
        self._schema = schema
        self._ranks = ranks
        self._planner = Planner(places, dry_run=self.run.dry_run)
        self._writer = Writer(places, self.run.pk, self._note_down)

    def committed(self, result: Result) -> None:
        """Called for each product of a batch once the batch is committed.

        May complete the item; a PimError that it raises ends the run.
        """
        if result.picture_failed:
            result.item.note = _("Its picture failed: the page keeps the one it has.")
            result.item.unsettled = True

    def write_products(
        self, products: Iterable[Product]
    ) -> tuple[list[Result], list[JobRunItem]]:
        """Map, plan and commit; what was done, and what could not be."""
        contents: list[PageContent] = []
        withdrawn: list[Product] = []
        failures: list[JobRunItem] = []
        for product in products:
            if is_withdrawn(product):
                withdrawn.append(product)
                continue
            try:
                contents.append(map_product(product, self._schema, self._ranks))
            except RecordError as error:
                failures.append(items.failed_product(product, str(error)))
        images, failed_pictures = self._images(contents)
        changes, faults = self._planner.plan(contents, images)
        pages: Pages = {}
        self._noted: dict[UUID, JobRunItem] = {}
        if not self.run.dry_run and changes:
            pages, refused = self._writer.write(changes, images)
            faults += refused
        failures += [items.failed_product(f.product, f.reason) for f in faults]
        refused_ids = {fault.product.id for fault in faults}
        results = [
            Result(
                change.content.product,
                self._noted.get(change.guid) or self._item(change, change.page),
                pages.get(change.guid) if change.guid in self._noted else None,
                change.content.values["primary_image"] in failed_pictures,
            )
            for change in changes
            if change.guid not in refused_ids
        ]
        return [*results, *self._remove(withdrawn, failures)], failures

    def _note_down(self, changes: Sequence[PageChange], pages: Pages) -> None:
        """Store what is about to be committed, in the same transaction."""
        noted = {
            change.guid: self._item(change, pages[change.guid])
            for change in changes
            if change.action != Action.UNCHANGED
        }
        self.journal.insert(list(noted.values()))
        self._noted.update(noted)

    def _item(self, change: PageChange, page: Page | None) -> JobRunItem:
        return items.changed_product(
            change, page.pk if page else None, new_values=self.run.dry_run
        )

    def report_products(
        self,
        results: Sequence[Result],
        failures: Sequence[JobRunItem],
        order: Mapping[UUID | None, int],
    ) -> None:
        """Report a batch, by the ``order`` of Guids, also where the run ends here."""
        reported = [*failures, *(result.item for result in results)]
        reported.sort(key=lambda item: order.get(item.guid, -1))
        self._announce(results)
        try:
            for result in results:
                self.journal.checkpoint()
                self.committed(result)
        finally:
            # Also where the run is to end while the PIM is being told.
            self.journal.record(reported)
            self._note_statuses(results)
        self.watch(reported)

    def _announce(self, results: Iterable[Result]) -> None:
        for result in results:
            page, outcome = result.page, result.item.outcome
            if page is None:
                continue
            if outcome == Outcome.REMOVED:
                product_removed.send_robust(type(page), instance=page, run=self.run)
            else:
                product_published.send_robust(
                    type(page),
                    instance=page,
                    created=outcome == Outcome.CREATED,
                    run=self.run,
                )

    def _note_statuses(self, results: Iterable[Result]) -> None:
        if not self.run.dry_run:
            note_statuses({result.product.id: result.status() for result in results})

    def _images(
        self, contents: Sequence[PageContent]
    ) -> tuple[Mapping[UUID, int | None], set[UUID]]:
        """Image keys by asset Guid, and the Guids of pictures that failed.

        A dry run knows the pictures that are there already.
        """
        guids = guids_of(content.values for content in contents)
        if self.run.dry_run:
            return known_images(guids), set()
        assets: list[Asset] = []
        unanswered = set(guids)
        failures: list[JobRunItem] = []
        for record in self.pim.client.assets(guids):
            if record.id:
                unanswered.discard(record.id)
            if isinstance(record, InvalidRecord):
                reason = str(record.error)
                failures.append(items.failed(PICTURE, record.number, reason, record.id))
            else:
                assets.append(record)
        images, faults = obtain_images(assets, self._fetch, self.journal.hold)
        failures += [
            items.failed(PICTURE, fault.asset.name, fault.reason, fault.asset.id)
            for fault in faults
        ]
        failures += [
            items.failed(
                PICTURE, str(guid), _("The PIM does not have this picture."), guid
            )
            for guid in sorted(unanswered)
        ]
        self.add(*failures)
        return images, {item.guid for item in failures if item.guid}

    def _fetch(self, url: str, max_bytes: int) -> bytes:
        self.journal.checkpoint()
        return self.pim.downloader.fetch(url, max_bytes)

    def _remove(
        self, withdrawn: Sequence[Product], failures: list[JobRunItem]
    ) -> list[Result]:
        """Withdrawn products leave the site; their pages stay, unpublished."""
        pages = self._planner.plan_removals(withdrawn)
        results = []
        for product in sorted(withdrawn, key=lambda p: not p.is_variant()):
            page = pages.get(product.id)
            item = items.withdrawn_product(product, page)
            removed: Page | None = None
            if page is not None and not self.run.dry_run:
                try:
                    with transaction.atomic():
                        removed = remove_page(page.pk)
                        self.journal.insert([item])
                except RunEndedError:
                    raise
                except Exception as error:
                    # A receiver of the site's may fail: that is this product's failure.
                    logger.exception("Run %s: no removal", self.run.pk)
                    failures.append(items.failed_product(product, refusal(error)))
                    continue
            results.append(Result(product, item, removed))
        return results


def is_withdrawn(product: Product) -> bool:
    """Archived, or to be so by a time that has come."""
    off = product.deactivate_on
    return product.is_archived or (off is not None and off <= timezone.now())
