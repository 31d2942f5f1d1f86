"""Products of the PIM, put on this site: what the jobs share that do so.

Nothing here writes to the PIM.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from wagtail_pim.catalog.assets import guids_of, known_images, obtain_images
from wagtail_pim.catalog.mapping import PageContent, map_product
from wagtail_pim.catalog.planner import PageChange, Places, Planner
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.catalog.writer import Writer, note_statuses, refusal, remove_page
from wagtail_pim.client.client import PUBLISHED
from wagtail_pim.client.entities import Asset, InvalidRecord, Product
from wagtail_pim.exceptions import PimError, RecordError

from . import items
from .base import Job
from .report import PICTURE, Item

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """A product that stands on the site as the PIM has it, or has left it."""

    product: Product
    item: Item
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
        self._planner = Planner(places, dry_run=self.dry_run)
        self._writer = Writer(places, self.report.run_id)

    def committed(self, result: Result) -> None:
        """Called for each product of a batch once the batch is committed.

        May complete the item; a PimError that it raises ends the run.
        """

    def write_products(
        self, products: Iterable[Product]
    ) -> tuple[list[Result], list[Item]]:
        """Map, plan and commit; what was done, and what could not be."""
        contents: list[PageContent] = []
        withdrawn: list[Product] = []
        failures: list[Item] = []
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
        pages: dict[UUID, int] = {}
        if not self.dry_run and changes:
            pages, refused = self._writer.write(changes, images)
            faults += refused
        failures += [items.failed_product(f.product, f.reason) for f in faults]
        refused_ids = {fault.product.id for fault in faults}
        results = [
            Result(
                change.content.product,
                _changed_product(change, pages),
                change.content.values["primary_image"] in failed_pictures,
            )
            for change in changes
            if change.guid not in refused_ids
        ]
        return [*results, *self._remove(withdrawn, failures)], failures

    def report_products(
        self,
        results: Sequence[Result],
        failures: Sequence[Item],
        order: Mapping[UUID | None, int],
    ) -> None:
        """Report a batch, by the ``order`` of Guids, also where the run ends here."""
        reported = [*failures, *(result.item for result in results)]
        reported.sort(key=lambda item: order.get(item.guid, -1))
        try:
            for result in results:
                self.committed(result)
        except PimError:
            self._note_statuses(results)
            for item in reported:
                self.report.add(item)
            raise
        self._note_statuses(results)
        self.add(*reported)

    def _note_statuses(self, results: Iterable[Result]) -> None:
        if not self.dry_run:
            note_statuses({result.product.id: result.status() for result in results})

    def _images(
        self, contents: Sequence[PageContent]
    ) -> tuple[Mapping[UUID, int | None], set[UUID]]:
        """Image keys by asset Guid, and the Guids of pictures that failed.

        A dry run knows the pictures that are there already.
        """
        guids = guids_of(content.values for content in contents)
        if self.dry_run:
            return known_images(guids), set()
        assets: list[Asset] = []
        unanswered = set(guids)
        failures: list[Item] = []
        for record in self.pim.client.assets(guids):
            if record.id:
                unanswered.discard(record.id)
            if isinstance(record, InvalidRecord):
                reason = str(record.error)
                failures.append(items.failed(PICTURE, record.number, reason, record.id))
            else:
                assets.append(record)
        images, faults = obtain_images(assets, self.pim.downloader.fetch)
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

    def _remove(
        self, withdrawn: Sequence[Product], failures: list[Item]
    ) -> list[Result]:
        """Withdrawn products leave the site; their pages stay, unpublished."""
        pages = self._planner.plan_removals(withdrawn)
        refused: set[UUID] = set()
        for product in sorted(withdrawn, key=lambda p: not p.is_variant()):
            if product.id not in pages or self.dry_run:
                continue
            try:
                remove_page(pages[product.id])
            except Exception as error:
                # A receiver of the site's may fail: that is this product's failure.
                logger.exception("Run %s: no removal", self.report.run_id)
                refused.add(product.id)
                failures.append(items.failed_product(product, refusal(error)))
        return [
            Result(product, items.withdrawn_product(product, pages.get(product.id)))
            for product in withdrawn
            if product.id not in refused
        ]


def is_withdrawn(product: Product) -> bool:
    """Archived, or to be so by a time that has come."""
    off = product.deactivate_on
    return product.is_archived or (off is not None and off <= timezone.now())


def _changed_product(change: PageChange, pages: Mapping[UUID, int]) -> Item:
    page_id = change.page.pk if change.page else pages.get(change.guid)
    return items.changed_product(change, page_id)
