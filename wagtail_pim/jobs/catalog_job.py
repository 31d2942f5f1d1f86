"""Jobs that go through the whole catalog: its category tree, then products in batches.

The way of a product: a small record in a complete listing, grouped into a batch; the
whole record, mapped, planned, committed with its batch. The PIM itself keeps how far an
interrupted run came: what was acknowledged is not listed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from wagtail_pim.catalog.category_planner import (
    CategoryChange,
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
from wagtail_pim.catalog.mapping import best_place
from wagtail_pim.catalog.planner import Places
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.catalog.writer import note_statuses
from wagtail_pim.client.client import APPROVED
from wagtail_pim.client.entities import (
    Category,
    InvalidRecord,
    Product,
    ProductHead,
    Taxonomy,
    Website,
)
from wagtail_pim.conf import get_config
from wagtail_pim.kinds import PRODUCT_KINDS, Kind
from wagtail_pim.models import JobRunItem, PimLink
from wagtail_pim.models.runs import Outcome

from . import items
from .products import ProductJob

GUIDS_PER_QUERY: Final = 500
_WRITTEN: Final = (Outcome.CREATED, Outcome.UPDATED, Outcome.REMOVED)


@dataclass(frozen=True, slots=True)
class Work:
    """A product to put on the site; ``family`` is its own Guid or its parent's."""

    id: UUID
    number: str
    family: UUID
    is_variant: bool
    rank: int

    @classmethod
    def of(cls, head: ProductHead, ranks: Mapping[UUID, int]) -> Work:
        place = best_place(head, ranks)
        return cls(
            id=head.id,
            number=head.product_number,
            family=head.parent_product_id or head.id,
            is_variant=head.is_variant(),
            rank=len(ranks) if place is None else ranks[place],
        )

    def key(self) -> tuple[int, UUID, bool, str]:
        """The order of the work: by category, families together, parents first."""
        return (self.rank, self.family, self.is_variant, self.number)


class CatalogJob(ProductJob):
    """Takes all products with ``listed_status``, or those of ``numbers`` that have it.

    ``accepted_statuses`` are those with which a record is put on the site: a parent
    that the site lacks comes along with its variant, though it be in another status.
    """

    listed_status: ClassVar[str]
    reads_categories = True
    accepted_statuses: ClassVar[tuple[str, ...]]

    def execute(self) -> None:
        self.failed_categories: set[UUID] = set()
        client = self.pim.client
        taxonomies = client.taxonomies()
        trees = feeding_trees(taxonomies, client.websites())
        schema = CatalogSchema(client.templates(), client.properties())
        categories = self._plan_categories(trees, taxonomies)
        ranks = categories.ranks()
        work = self._list_work(ranks)
        self._write_categories(categories)
        dry_run = self.run.dry_run
        self.prepare(schema, Places(planned=ranks if dry_run else ()), ranks)
        self.journal.begin(len(work))
        for batch in _batches(work, get_config().batch_size):
            self._put_on_site(batch)
            self.journal.settle(len(batch))
        self._remove_categories(categories)
        if not dry_run:
            self._correct_statuses()
        for name in schema.missing_properties():
            self.journal.warn(
                _(
                    "The PIM has no property for %(field)s, so the field stays empty. "
                    "Create the property in the PIM, or correct the Sync marker."
                )
                % {"field": name}
            )

    def heads(self) -> Iterable[ProductHead | InvalidRecord]:
        """The complete listing that a run of all products goes through."""
        return self.pim.client.product_heads(self.listed_status)

    # Categories

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

    def _write_categories(self, plan: CategoryPlan) -> None:
        for fault in plan.faults:
            self._fail(Kind.CATEGORY, fault.name, fault.reason, fault.guid)
        if self.run.dry_run:
            changed = [_changed_category(change, {}) for change in plan.changes]
        else:
            with transaction.atomic():
                pages = write_categories(plan, self.run.pk)
                changed = [_changed_category(change, pages) for change in plan.changes]
                self.journal.insert([i for i in changed if i.outcome in _WRITTEN])
        self.add(*changed)

    def _remove_categories(self, plan: CategoryPlan) -> None:
        if self.run.dry_run:
            removals = planned_removals(plan.gone)
            removed = [items.removed_category(r, deleted=False) for r in removals]
        else:
            with transaction.atomic():
                removals = remove_categories(plan.gone)
                removed = [items.removed_category(r, deleted=True) for r in removals]
                self.journal.insert([i for i in removed if i.outcome in _WRITTEN])
        self.add(*removed)

    # Products

    def _list_work(self, ranks: Mapping[UUID, int]) -> list[Work]:
        """What to put on the site: families together, by category, parents first."""
        work: dict[UUID, Work] = {}
        for head in self._listed_heads():
            work[head.id] = Work.of(head, ranks)
        families = {w.family for w in work.values() if w.is_variant}
        absent = _without_page(families - work.keys())
        for parent in self.pim.client.product_heads_by_id(absent):
            if isinstance(parent, InvalidRecord):
                self._fail(Kind.PRODUCT, parent.number, str(parent.error), parent.id)
            # A parent that nobody approved does not come along with its variant.
            elif self._accepts(parent):
                work[parent.id] = Work.of(parent, ranks)
        parents = {w.id: w for w in work.values() if not w.is_variant}
        return sorted(
            (replace(w, rank=parents.get(w.family, w).rank) for w in work.values()),
            key=Work.key,
        )

    def _listed_heads(self) -> Iterator[ProductHead]:
        records = (
            self.pim.client.product_heads_by_number(self.run.numbers)
            if self.run.numbers
            else self.heads()
        )
        found: set[str] = set()
        for record in records:
            self.journal.checkpoint()
            if isinstance(record, InvalidRecord):
                found.add(record.number.casefold())
                self._fail(Kind.PRODUCT, record.number, str(record.error), record.id)
                continue
            found.add(record.product_number.casefold())
            if record.has_status(self.listed_status):
                yield record
            else:
                self._fail(
                    Kind.PRODUCT,
                    record.product_number,
                    _("It is not %(wanted)s in the PIM (its status is “%(status)s”).")
                    % {"wanted": self.listed_status, "status": record.status},
                    record.id,
                )
        for number in self.run.numbers:
            if number.casefold() not in found:
                self._fail(Kind.PRODUCT, number, _("The PIM has no such product."))

    def _put_on_site(self, batch: Sequence[Work]) -> None:
        """One batch, whole: read, map, plan, commit, report."""
        products, set_aside = self._read(batch)
        results, failures = self.write_products(products)
        order: dict[UUID | None, int] = {w.id: at for at, w in enumerate(batch)}
        self.report_products(results, [*set_aside, *failures], order)

    def _read(self, batch: Sequence[Work]) -> tuple[list[Product], list[JobRunItem]]:
        """The batch's whole records that are still to be taken, and the others."""
        products: list[Product] = []
        set_aside: list[JobRunItem] = []
        unseen = {work.id: work for work in batch}
        for record in self.pim.client.products(list(unseen)):
            work = unseen.pop(record.id, None) if record.id else None
            if isinstance(record, InvalidRecord):
                number = work.number if work else record.number
                set_aside.append(
                    items.failed(Kind.PRODUCT, number, str(record.error), record.id)
                )
            elif self._accepts(record):
                products.append(record)
            elif work:
                set_aside.append(self._left(work))
        set_aside += map(self._left, unseen.values())
        return products, set_aside

    def _correct_statuses(self) -> None:
        """Of products that were acknowledged by a run that did not live to note it."""
        waiting = PimLink.objects.filter(kind__in=PRODUCT_KINDS, status=APPROVED)
        for guids in chunked(
            list(waiting.values_list("guid", flat=True)), GUIDS_PER_QUERY
        ):
            heads = self.pim.client.product_heads_by_id(guids)
            note_statuses(
                {h.id: h.status.strip() for h in heads if isinstance(h, ProductHead)}
            )

    def _accepts(self, head: ProductHead) -> bool:
        return any(map(head.has_status, self.accepted_statuses))

    def _left(self, work: Work) -> JobRunItem:
        kind = Kind.VARIANT if work.is_variant else Kind.PRODUCT
        return items.left_product(kind, work.number, work.id, self.listed_status)

    def _fail(
        self, kind: str, number: str, reason: str, guid: UUID | None = None
    ) -> None:
        if kind == Kind.CATEGORY and guid is not None:
            self.failed_categories.add(guid)
        self.add(items.failed(kind, number, reason, guid))


def _changed_category(change: CategoryChange, pages: Mapping[UUID, int]) -> JobRunItem:
    page_id = change.page.pk if change.page else pages.get(change.wanted.guid)
    return items.changed_category(change, page_id)


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
