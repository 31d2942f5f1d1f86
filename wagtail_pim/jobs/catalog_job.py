"""Jobs that go through the whole catalog: its category tree, then products in batches.

The way of a product: a small record in a complete listing, grouped into a batch; the
whole record, mapped, planned, committed with its batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar
from uuid import UUID

from django.utils.translation import gettext as _

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
from wagtail_pim.catalog.mapping import best_place
from wagtail_pim.catalog.planner import Places
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.client.entities import (
    Category,
    InvalidRecord,
    Product,
    ProductHead,
    Taxonomy,
    Website,
)
from wagtail_pim.conf import get_config
from wagtail_pim.kinds import Kind
from wagtail_pim.models import PimLink

from . import items
from .products import ProductJob
from .report import Item

GUIDS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class Work:
    """A product to put on the site; ``family`` is its own Guid or its parent's."""

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


class CatalogJob(ProductJob):
    """Takes all products of one status, or those of ``numbers`` that have it.

    ``accepted_statuses`` are those with which a record is put on the site: a parent
    that the site lacks comes along with its variant, though it be in another status.
    """

    listed_status: ClassVar[str]
    accepted_statuses: ClassVar[tuple[str, ...]]

    def execute(self) -> None:
        client = self.pim.client
        taxonomies = client.taxonomies()
        trees = feeding_trees(taxonomies, client.websites())
        schema = CatalogSchema(client.templates(), client.properties())
        categories = self._plan_categories(trees, taxonomies)
        ranks = categories.ranks()
        work = self._list_work(ranks)
        pages = {} if self.dry_run else write_categories(categories, self.report.run_id)
        self._report_categories(categories, pages)
        self.prepare(schema, Places(planned=ranks if self.dry_run else ()), ranks)
        done = 0
        self.show_progress(done, len(work))
        for batch in _batches(work, get_config().batch_size):
            self._put_on_site(batch)
            done += len(batch)
            self.show_progress(done, len(work))
        self._remove_categories(categories)
        for name in schema.missing_properties():
            self.report.warnings.append(
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

    def _report_categories(self, plan: CategoryPlan, pages: dict[UUID, int]) -> None:
        for fault in plan.faults:
            self._fail(Kind.CATEGORY, fault.name, fault.reason, fault.guid)
        for change in plan.changes:
            page_id = change.page.pk if change.page else pages.get(change.wanted.guid)
            self.add(items.changed_category(change, page_id))

    def _remove_categories(self, plan: CategoryPlan) -> None:
        remove = planned_removals if self.dry_run else remove_categories
        self.add(*map(items.removed_category, remove(plan.gone)))

    # Products

    def _list_work(self, ranks: dict[UUID, int]) -> list[Work]:
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
        records = (
            self.pim.client.product_heads_by_number(self.numbers)
            if self.numbers
            else self.heads()
        )
        found: set[str] = set()
        for record in records:
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
        for number in self.numbers:
            if number.casefold() not in found:
                self._fail(Kind.PRODUCT, number, _("The PIM has no such product."))

    def _put_on_site(self, batch: Sequence[Work]) -> None:
        """One batch, whole: read, map, plan, commit, report."""
        products, set_aside = self._read(batch)
        results, failures = self.write_products(products)
        order: dict[UUID | None, int] = {w.id: at for at, w in enumerate(batch)}
        self.report_products(results, [*set_aside, *failures], order)

    def _read(self, batch: Sequence[Work]) -> tuple[list[Product], list[Item]]:
        """The batch's whole records that are still to be taken, and the others."""
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
            elif self._accepts(record):
                products.append(record)
            elif work:
                set_aside.append(self._left(work))
        set_aside += map(self._left, unseen.values())
        return products, set_aside

    def _accepts(self, head: ProductHead) -> bool:
        return any(map(head.has_status, self.accepted_statuses))

    def _left(self, work: Work) -> Item:
        kind = Kind.VARIANT if work.is_variant else Kind.PRODUCT
        return items.left_product(kind, work.number, work.id, self.listed_status)

    def _fail(
        self, kind: str, number: str, reason: str, guid: UUID | None = None
    ) -> None:
        self.add(items.failed(kind, number, reason, guid))


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
