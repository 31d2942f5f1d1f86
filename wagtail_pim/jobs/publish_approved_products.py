"""Publish approved products: from the PIM to the site, then Published in the PIM.

The way of a product: a small record in a complete listing, grouped into a batch; the
whole record, mapped, planned, committed with its batch; then acknowledged.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_pim.catalog.assets import guids_of, known_images, obtain_images
from wagtail_pim.catalog.category_planner import (
    CategoryPlan,
    feeding_trees,
    plan_categories,
    wanted_tree,
)
from wagtail_pim.catalog.category_writer import (
    planned_removals,
    remove_categories,
    write_categories,
)
from wagtail_pim.catalog.grouping import chunked
from wagtail_pim.catalog.mapping import PageContent, best_place, map_product
from wagtail_pim.catalog.planner import PageChange, Places, Planner
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.catalog.writer import Writer, refusal, remove_page
from wagtail_pim.client.assumed import Acknowledgement
from wagtail_pim.client.client import APPROVED, PUBLISHED
from wagtail_pim.client.entities import (
    Asset,
    Category,
    InvalidRecord,
    Product,
    ProductHead,
    Taxonomy,
    Website,
)
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import (
    PermanentError,
    PimError,
    RecordError,
    ServerFaultError,
)
from wagtail_pim.kinds import Kind
from wagtail_pim.models import PimLink

from . import items
from .base import Job, environment_warnings
from .report import PICTURE, Item

logger = logging.getLogger(__name__)

GUIDS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class Work:
    """A product to publish; ``family`` is its own Guid or its parent's."""

    id: UUID
    number: str
    family: UUID
    is_variant: bool
    rank: int

    @classmethod
    def of(cls, head: ProductHead, ranks: dict[UUID, int]) -> Work:
        place = best_place(head, ranks)
        return cls(
            id=head.id,
            number=head.product_number,
            family=head.parent_product_id or head.id,
            is_variant=head.is_variant(),
            rank=len(ranks) if place is None else ranks[place],
        )

    def left(self) -> Item:
        """What is reported if the product is not Approved any more when it is read."""
        kind = Kind.VARIANT if self.is_variant else Kind.PRODUCT
        return items.left_product(kind, self.number, self.id)


class PublishApprovedProducts(Job):
    """Takes all Approved products, or those of ``numbers`` that are Approved."""

    name = "publish_approved_products"
    label = gettext_lazy("Publish approved products")

    def execute(self) -> None:
        client = self.pim.client
        self.report.warnings += environment_warnings(self.pim)
        taxonomies = client.taxonomies()
        trees = feeding_trees(taxonomies, client.websites())
        self._schema = CatalogSchema(client.templates(), client.properties())
        categories = self._plan_categories(trees, taxonomies)
        self._ranks = categories.ranks()
        work = self._list_work()
        pages = {} if self.dry_run else write_categories(categories, self.report.run_id)
        self._report_categories(categories, pages)
        self._places = Places(planned=self._ranks if self.dry_run else ())
        self._planner = Planner(self._places, dry_run=self.dry_run)
        self._writer = Writer(self._places, self.report.run_id)
        done = 0
        self.show_progress(done, len(work))
        for batch in _batches(work, get_config().batch_size):
            self._publish(batch)
            done += len(batch)
            self.show_progress(done, len(work))
        self._remove_categories(categories)
        for name in self._schema.missing_properties():
            self.report.warnings.append(
                _(
                    "The PIM has no property for %(field)s, so the field stays empty. "
                    "Create the property in the PIM, or correct the Sync marker."
                )
                % {"field": name}
            )

    # Plan

    def _plan_categories(
        self, trees: dict[UUID, Website], taxonomies: Sequence[Taxonomy]
    ) -> CategoryPlan:
        valid: list[Category] = []
        listing_is_whole = True
        for record in self.pim.client.categories():
            if isinstance(record, InvalidRecord):
                listing_is_whole = False
                self._fail(Kind.CATEGORY, record.number, str(record.error), record.id)
            else:
                valid.append(record)
        wanted, faults = wanted_tree(trees, taxonomies, valid)
        return plan_categories(wanted, faults, listing_is_whole=listing_is_whole)

    def _report_categories(self, plan: CategoryPlan, pages: dict[UUID, int]) -> None:
        for fault in plan.faults:
            self._fail(Kind.CATEGORY, fault.name, fault.reason, fault.guid)
        for change in plan.changes:
            page_id = change.page.pk if change.page else pages.get(change.wanted.guid)
            self.add(items.changed_category(change, page_id))

    def _list_work(self) -> list[Work]:
        """What to publish: families together, by category, parents first."""
        work: dict[UUID, Work] = {}
        for head in self._listed_heads():
            work[head.id] = Work.of(head, self._ranks)
        families = {w.family for w in work.values() if w.is_variant}
        absent = _without_page(families - work.keys())
        for parent in self.pim.client.product_heads_by_id(absent):
            if isinstance(parent, InvalidRecord):
                self._fail(Kind.PRODUCT, parent.number, str(parent.error), parent.id)
            # A parent that nobody approved is not published with its variant.
            elif parent.has_status(APPROVED) or parent.has_status(PUBLISHED):
                work[parent.id] = Work.of(parent, self._ranks)
        parent_ranks = {w.id: w.rank for w in work.values() if not w.is_variant}
        return sorted(
            work.values(),
            key=lambda w: (
                parent_ranks.get(w.family, w.rank),
                w.family,
                w.is_variant,
                w.number,
            ),
        )

    def _listed_heads(self) -> Iterator[ProductHead]:
        client = self.pim.client
        records = (
            client.product_heads_by_number(self.numbers)
            if self.numbers
            else client.product_heads(APPROVED)
        )
        found: set[str] = set()
        for record in records:
            if isinstance(record, InvalidRecord):
                found.add(record.number.casefold())
                self._fail(Kind.PRODUCT, record.number, str(record.error), record.id)
                continue
            found.add(record.product_number.casefold())
            if record.has_status(APPROVED):
                yield record
            else:
                self._fail(
                    Kind.PRODUCT,
                    record.product_number,
                    _("It is not Approved in the PIM (its status is “%(status)s”).")
                    % {"status": record.status},
                    record.id,
                )
        for number in self.numbers:
            if number.casefold() not in found:
                self._fail(Kind.PRODUCT, number, _("The PIM has no such product."))

    # Batches

    def _publish(self, batch: Sequence[Work]) -> None:
        """One batch, whole: read, map, plan, commit, acknowledge."""
        contents: list[PageContent] = []
        withdrawn: list[Product] = []
        products, set_aside = self._read(batch)
        for product in products:
            if _is_withdrawn(product):
                withdrawn.append(product)
                continue
            try:
                contents.append(map_product(product, self._schema, self._ranks))
            except RecordError as error:
                set_aside.append(items.failed_product(product, str(error)))
        images, failed_pictures = self._images(contents)
        changes, faults = self._planner.plan(contents, images)
        pages: dict[UUID, int] = {}
        if not self.dry_run and changes:
            pages, refused = self._writer.write(changes, images)
            faults += refused
        set_aside += [items.failed_product(f.product, f.reason) for f in faults]
        refused_ids = {fault.product.id for fault in faults}
        finished = [
            (change.content.product, self._item(change, pages, failed_pictures))
            for change in changes
            if change.guid not in refused_ids
        ]
        self._settle(batch, [*finished, *self._remove(withdrawn, set_aside)], set_aside)

    def _read(self, batch: Sequence[Work]) -> tuple[list[Product], list[Item]]:
        """The batch's whole records that are still to be published, and the others."""
        products: list[Product] = []
        set_aside: list[Item] = []
        unseen = {work.id: work for work in batch}
        for record in self.pim.client.products(list(unseen)):
            work = unseen.pop(record.id, None) if record.id else None
            if isinstance(record, InvalidRecord):
                number = work.number if work else record.number
                set_aside.append(
                    items.failed(Kind.PRODUCT, number, str(record.error), record.id)
                )
            elif record.has_status(APPROVED) or record.has_status(PUBLISHED):
                products.append(record)
            elif work:
                set_aside.append(work.left())
        set_aside += map(Work.left, unseen.values())
        return products, set_aside

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
        self, withdrawn: Sequence[Product], set_aside: list[Item]
    ) -> list[tuple[Product, Item]]:
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
                set_aside.append(items.failed_product(product, refusal(error)))
        return [
            (product, items.withdrawn_product(product, pages.get(product.id)))
            for product in withdrawn
            if product.id not in refused
        ]

    def _item(
        self,
        change: PageChange,
        pages: Mapping[UUID, int],
        failed_pictures: Container[UUID],
    ) -> Item:
        return items.changed_product(
            change,
            change.page.pk if change.page else pages.get(change.guid),
            picture_failed=change.content.values["primary_image"] in failed_pictures,
        )

    # Acknowledge

    def _settle(
        self,
        batch: Sequence[Work],
        finished: Sequence[tuple[Product, Item]],
        set_aside: Sequence[Item],
    ) -> None:
        """Tell the PIM what is committed; report the batch also where telling fails."""
        order: dict[UUID | None, int] = {w.id: at for at, w in enumerate(batch)}
        reported = [*set_aside, *(item for _product, item in finished)]
        reported.sort(key=lambda item: order.get(item.guid, -1))
        try:
            for product, item in finished:
                if self._is_to_acknowledge(product, item):
                    self._acknowledge(product, item)
        except PimError:
            for item in reported:
                self.report.add(item)
            raise
        self.add(*reported)

    def _is_to_acknowledge(self, product: Product, item: Item) -> bool:
        waits = item.acknowledged is False
        return not self.dry_run and product.has_status(APPROVED) and not waits

    def _acknowledge(self, product: Product, item: Item) -> None:
        item.acknowledged = False
        try:
            result = self.pim.client.assumed.acknowledge(product)
        except (ServerFaultError, PermanentError) as error:
            item.reason = _(
                "It is published on the site, but the PIM did not take note: "
                "%(error)s The next run tells the PIM again."
            ) % {"error": error}
            return
        if result == Acknowledgement.MOVED_ON:
            item.note = _(
                "The PIM has a newer version; it stays Approved there for the next run."
            )
        elif result == Acknowledgement.GONE:
            item.note = _("It was deleted in the PIM meanwhile.")
        else:
            item.acknowledged = True

    # Finish

    def _remove_categories(self, plan: CategoryPlan) -> None:
        remove = planned_removals if self.dry_run else remove_categories
        self.add(*map(items.removed_category, remove(plan.gone)))

    def _fail(
        self, kind: str, number: str, reason: str, guid: UUID | None = None
    ) -> None:
        self.add(items.failed(kind, number, reason, guid))


def _is_withdrawn(product: Product) -> bool:
    """Archived, or to be so by a time that has come."""
    off = product.deactivate_on
    return product.is_archived or (off is not None and off <= timezone.now())


def _without_page(guids: Iterable[UUID]) -> list[UUID]:
    wanted = sorted(guids)
    linked: set[UUID] = set()
    for some in chunked(wanted, GUIDS_PER_QUERY):
        links = PimLink.objects.filter(kind=Kind.PRODUCT, guid__in=some)
        linked.update(links.values_list("guid", flat=True))
    return [guid for guid in wanted if guid not in linked]


def _batches(work: Sequence[Work], size: int) -> Iterator[list[Work]]:
    """Runs of whole families, up to ``size`` records; only a larger family is split."""
    batch: list[Work] = []
    for _family, members in groupby(work, key=lambda w: w.family):
        family = list(members)
        if batch and len(batch) + len(family) > size:
            yield batch
            batch = []
        batch += family
        while len(batch) > size:
            yield batch[:size]
            batch = batch[size:]
    if batch:
        yield batch
