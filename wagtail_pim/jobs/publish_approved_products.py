"""Publish approved products: from the PIM to the site, then Published in the PIM.

The way of a product: a small record in a complete listing, grouped into a batch; the
whole record, mapped, planned, committed with its batch; then acknowledged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

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
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.mapping import PageContent, best_place, map_product
from wagtail_pim.catalog.planner import PageChange, Places, Planner
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.catalog.writer import Writer, remove_pages
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
    ConfigurationError,
    PermanentError,
    PimError,
    RecordError,
    ServerFaultError,
)
from wagtail_pim.kinds import Kind
from wagtail_pim.models import PimLink

from .base import Job
from .report import PICTURE, Item, Outcome

GUIDS_PER_QUERY = 500

OUTCOMES = {
    Action.CREATE: Outcome.CREATED,
    Action.ADOPT: Outcome.UPDATED,
    Action.UPDATE: Outcome.UPDATED,
    Action.UNCHANGED: Outcome.UNCHANGED,
    Action.REMOVE: Outcome.REMOVED,
}


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


class PublishApprovedProducts(Job):
    """Takes all Approved products, or those of ``numbers`` that are Approved."""

    name = "publish_approved_products"
    label = gettext_lazy("Publish approved products")

    def execute(self) -> None:
        client = self.pim.client
        self._check_environment()
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
                    "Run Synchronize setup data, or correct its Sync marker."
                )
                % {"field": name}
            )

    # Plan

    def _check_environment(self) -> None:
        own = self.pim.options.environment
        active = self.pim.client.assumed.active_publishing_environment()
        if active is None:
            self.report.warnings.append(
                _(
                    "The PIM does not tell its active publishing environment, so it "
                    "was not compared with this site's (%(own)s)."
                )
                % {"own": own}
            )
        elif active.casefold() != own.casefold():
            raise ConfigurationError(
                _(
                    "The PIM publishes to %(active)s, but this site is %(own)s. Change "
                    "the environment in Settings > PIM options, or the active "
                    "publishing environment in the PIM."
                )
                % {"active": active, "own": own}
            )

    def _plan_categories(
        self, trees: dict[UUID, Website], taxonomies: Sequence[Taxonomy]
    ) -> CategoryPlan:
        valid: list[Category] = []
        listing_is_whole = True
        for record in self.pim.client.categories():
            if isinstance(record, InvalidRecord):
                listing_is_whole = False
                self._fail("category", record.number, str(record.error), record.id)
            else:
                valid.append(record)
        wanted, faults = wanted_tree(trees, taxonomies, valid)
        return plan_categories(wanted, faults, listing_is_whole=listing_is_whole)

    def _report_categories(self, plan: CategoryPlan, pages: dict[UUID, int]) -> None:
        for fault in plan.faults:
            self._fail("category", fault.name, fault.reason, fault.guid)
        for change in plan.changes:
            self.add(
                Item(
                    kind=change.wanted.kind,
                    number=change.wanted.title,
                    title=change.wanted.title,
                    guid=change.wanted.guid,
                    outcome=OUTCOMES[change.action],
                    page_id=pages.get(
                        change.wanted.guid, change.page.pk if change.page else None
                    ),
                    differences=_printable(change.differences),
                )
            )

    def _list_work(self) -> list[Work]:
        """What to publish: families together, by category, parents first."""
        work: dict[UUID, Work] = {}
        for head in self._listed_heads():
            work[head.id] = Work.of(head, self._ranks)
        families = {w.family for w in work.values() if w.is_variant}
        absent = _without_page(families - work.keys())
        for parent in self.pim.client.product_heads_by_id(absent):
            # A parent that nobody approved is not published with its variant.
            if isinstance(parent, ProductHead) and (
                parent.has_status(APPROVED) or parent.has_status(PUBLISHED)
            ):
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
        found = set()
        for record in records:
            if isinstance(record, InvalidRecord):
                found.add(record.number)
                self._fail("product", record.number, str(record.error), record.id)
                continue
            found.add(record.product_number)
            if record.has_status(APPROVED):
                yield record
            else:
                self._fail(
                    "product",
                    record.product_number,
                    _("It is not Approved in the PIM (its status is “%(status)s”).")
                    % {"status": record.status},
                    record.id,
                )
        for number in self.numbers:
            if number not in found:
                self._fail("product", number, _("The PIM has no such product."))

    # Batches

    def _publish(self, batch: Sequence[Work]) -> None:
        """One batch, whole: read, map, plan, commit, acknowledge."""
        contents: list[PageContent] = []
        archived: list[Product] = []
        products, set_aside = self._read(batch)
        for product in products:
            if product.is_archived:
                archived.append(product)
                continue
            try:
                contents.append(map_product(product, self._schema, self._ranks))
            except RecordError as error:
                set_aside.append(_failed_product(product, str(error)))
        images = self._images(contents)
        page_types = {
            content.model: self._schema.page_type(content.model) for content in contents
        }
        changes, faults = self._planner.plan(contents, page_types, images)
        pages: dict[UUID, int] = {}
        if not self.dry_run and changes:
            writer = Writer(self._places, page_types, self.report.run_id)
            pages, refused = writer.write(changes, images)
            faults += refused
        set_aside += [_failed_product(f.product, f.reason) for f in faults]
        refused_ids = {fault.product.id for fault in faults}
        finished = [
            (change.content.product, self._item(change, pages))
            for change in changes
            if change.guid not in refused_ids
        ]
        self._settle(batch, [*finished, *self._remove(archived)], set_aside)

    def _read(self, batch: Sequence[Work]) -> tuple[list[Product], list[Item]]:
        """The batch's whole records that are still to be published, and the others."""
        products: list[Product] = []
        set_aside: list[Item] = []
        numbers = {w.id: w.number for w in batch}
        for record in self.pim.client.products(numbers):
            if isinstance(record, InvalidRecord):
                number = (
                    numbers.pop(record.id, record.number)
                    if record.id
                    else record.number
                )
                set_aside.append(
                    _failed("product", number, str(record.error), record.id)
                )
                continue
            numbers.pop(record.id, None)
            if record.has_status(APPROVED) or record.has_status(PUBLISHED):
                products.append(record)
            else:
                set_aside.append(_left(record.product_number, record.id))
        set_aside += [_left(number, guid) for guid, number in numbers.items()]
        return products, set_aside

    def _images(self, contents: Sequence[PageContent]) -> dict[UUID, int]:
        """Image keys by asset Guid; a dry run knows those that are there already."""
        guids = guids_of(content.values for content in contents)
        if self.dry_run:
            return known_images(guids)
        assets: list[Asset] = []
        for record in self.pim.client.assets(guids):
            if isinstance(record, InvalidRecord):
                self._fail(PICTURE, record.number, str(record.error), record.id)
            else:
                assets.append(record)
        images, faults = obtain_images(assets, self.pim.downloader.fetch)
        for fault in faults:
            self._fail(PICTURE, fault.asset.name, fault.reason, fault.asset.id)
        return images

    def _remove(self, archived: Sequence[Product]) -> list[tuple[Product, Item]]:
        """Archived products leave the site; their pages stay, unpublished."""
        pages = self._planner.plan_removals(archived)
        if not self.dry_run:
            remove_pages(pages.values())
        return [
            (
                product,
                Item(
                    kind=Kind.VARIANT if product.is_variant() else Kind.PRODUCT,
                    number=product.product_number,
                    title=product.product_title,
                    guid=product.id,
                    outcome=Outcome.REMOVED
                    if product.id in pages
                    else Outcome.UNCHANGED,
                    page_id=pages[product.id].pk if product.id in pages else None,
                ),
            )
            for product in archived
        ]

    def _item(self, change: PageChange, pages: dict[UUID, int]) -> Item:
        return Item(
            kind=change.content.kind,
            number=change.content.number,
            title=change.content.title,
            guid=change.guid,
            outcome=OUTCOMES[change.action],
            page_id=pages.get(change.guid, change.page.pk if change.page else None),
            differences=_printable(change.differences),
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
        items = [*set_aside, *(item for _product, item in finished)]
        items.sort(key=lambda item: order.get(item.guid, -1))
        try:
            for product, item in finished:
                if not self.dry_run and product.has_status(APPROVED):
                    self._acknowledge(product, item)
        except PimError:
            for item in items:
                self.report.add(item)
            raise
        self.add(*items)

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
        if self.dry_run:
            removals = planned_removals(plan.gone)
        else:
            removals = remove_categories(plan.gone)
        for removal in removals:
            self.add(
                Item(
                    kind=Kind.CATEGORY,
                    number=removal.title,
                    title=removal.title,
                    page_id=removal.page_id,
                    outcome=Outcome.REMOVED if removal.done() else Outcome.UNCHANGED,
                    note=""
                    if removal.done()
                    else ngettext(
                        "It left the PIM, but %(count)d page is still below it.",
                        "It left the PIM, but %(count)d pages are still below it.",
                        removal.pages_below,
                    )
                    % {"count": removal.pages_below},
                )
            )

    def _fail(
        self, kind: str, number: str, reason: str, guid: UUID | None = None
    ) -> None:
        self.add(_failed(kind, number, reason, guid))


def _failed(
    kind: str, number: str, reason: str, guid: UUID | None = None, title: str = ""
) -> Item:
    return Item(
        kind=kind,
        number=number,
        title=title,
        guid=guid,
        outcome=Outcome.FAILED,
        reason=reason,
    )


def _failed_product(product: Product, reason: str) -> Item:
    kind = Kind.VARIANT if product.is_variant() else Kind.PRODUCT
    return _failed(
        kind, product.product_number, reason, product.id, product.product_title
    )


def _left(number: str, guid: UUID) -> Item:
    return Item(
        kind=Kind.PRODUCT,
        number=number,
        guid=guid,
        outcome=Outcome.UNCHANGED,
        note=_("It was changed in the PIM meanwhile and is not Approved now."),
    )


def _without_page(guids: Iterable[UUID]) -> list[UUID]:
    wanted = sorted(guids)
    linked: set[UUID] = set()
    for start in range(0, len(wanted), GUIDS_PER_QUERY):
        linked.update(
            PimLink.objects.filter(
                kind=Kind.PRODUCT, guid__in=wanted[start : start + GUIDS_PER_QUERY]
            ).values_list("guid", flat=True)
        )
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


def _printable(differences: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (_printable_value(old), _printable_value(new))
        for name, (old, new) in differences.items()
    }


def _printable_value(value: Any) -> Any:
    """As JSON has it, and short of nothing."""
    if value is None or isinstance(value, (bool, int, float, str, list, dict)):
        return value
    if isinstance(value, (tuple, set, frozenset)):
        return sorted(map(str, value))
    return str(value)
