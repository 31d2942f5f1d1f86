"""Jobs that go through the whole catalog: its category tree, then products in batches.

The way of a product: a small record in a complete listing, grouped into a batch; the
whole record, mapped, planned, committed with its batch. A run that was interrupted is
resumed behind the last batch that was done with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, ClassVar, Final, Self
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
    printable,
)
from wagtail_pim.conf import get_config
from wagtail_pim.kinds import PRODUCT_KINDS, Kind
from wagtail_pim.models import JobRun, JobRunItem, PimLink
from wagtail_pim.models.runs import Outcome

from . import items
from .products import ProductJob

GUIDS_PER_QUERY: Final = 500
# What a record changed after the listing of an interrupted run may lag behind it, by
# the clocks of the PIM and of this site.
CLOCK_MARGIN: Final = timedelta(minutes=10)
_WRITTEN: Final = (Outcome.CREATED, Outcome.UPDATED, Outcome.REMOVED)


@dataclass(frozen=True, slots=True)
class Work:
    """A product to put on the site; ``family`` is its own Guid or its parent's."""

    id: UUID
    number: str
    family: UUID
    is_variant: bool
    rank: int
    modified_on: datetime | None

    @classmethod
    def of(cls, head: ProductHead, ranks: Mapping[UUID, int]) -> Work:
        place = best_place(head, ranks)
        return cls(
            id=head.id,
            number=head.product_number,
            family=head.parent_product_id or head.id,
            is_variant=head.is_variant(),
            rank=len(ranks) if place is None else ranks[place],
            modified_on=head.modified_on,
        )

    def beside_parent(self, rank: int | None) -> Self:
        """``rank`` is the parent's, None where it is not among the work."""
        if rank is None:
            # Without it, a cursor can't tell where the variant stood in the order.
            return replace(self, modified_on=None)
        return replace(self, rank=rank)

    def key(self) -> tuple[int, str, bool, str]:
        """The order of the work: by category, families together, parents first."""
        number = printable(self.number)  # A cursor keeps it in the database.
        return (self.rank, str(self.family), self.is_variant, number)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a run went through its work, for another that goes on from there.

    ``tree`` stands for the order of the categories, without which a key means nothing.
    """

    tree: str
    since: datetime
    key: tuple[int, str, bool, str] | None = None

    @classmethod
    def of_run(cls, run: JobRun, ranks: Mapping[UUID, int]) -> Self:
        """That which the run was started with, if it is good for these categories."""
        order = sorted(ranks, key=lambda guid: ranks[guid])
        tree = hashlib.sha256(b"".join(guid.bytes for guid in order)).hexdigest()
        given: Any = run.cursor or {}
        if given.get("tree") == tree and given.get("key"):
            since = datetime.fromisoformat(given["since"])
            return cls(tree, since, tuple(given["key"]))
        return cls(tree, run.started_at or run.created_at)

    def is_past(self, work: Work) -> bool:
        """Whether this was done with before, and has not been changed since then."""
        return (
            self.key is not None
            and work.modified_on is not None
            and work.modified_on < self.since - CLOCK_MARGIN
            and work.key() <= self.key
        )

    def moved_to(self, work: Work) -> Self:
        key = work.key()
        return replace(self, key=key if self.key is None else max(self.key, key))

    def as_json(self) -> dict[str, Any]:
        return {"tree": self.tree, "since": self.since.isoformat(), "key": self.key}


class CatalogJob(ProductJob):
    """Takes all products of one status, or those of ``numbers`` that have it.

    ``accepted_statuses`` are those with which a record is put on the site: a parent
    that the site lacks comes along with its variant, though it be in another status.
    """

    accepted_statuses: ClassVar[tuple[str, ...]]

    def execute(self) -> None:
        client = self.pim.client
        taxonomies = client.taxonomies()
        trees = feeding_trees(taxonomies, client.websites())
        schema = CatalogSchema(client.templates(), client.properties())
        categories = self._plan_categories(trees, taxonomies)
        ranks = categories.ranks()
        cursor = Cursor.of_run(self.run, ranks)
        work = [w for w in self._list_work(ranks) if not cursor.is_past(w)]
        self._write_categories(categories)
        dry_run = self.run.dry_run
        self.prepare(schema, Places(planned=ranks if dry_run else ()), ranks)
        self.journal.begin(len(work))
        for batch in _batches(work, get_config().batch_size):
            self._put_on_site(batch)
            cursor = cursor.moved_to(batch[-1])
            self.journal.settle(len(batch), cursor.as_json())
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
        ranks_of_parents = {w.id: w.rank for w in work.values() if not w.is_variant}
        return sorted(
            (w.beside_parent(ranks_of_parents.get(w.family)) for w in work.values()),
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
