"""Jobs that go through the whole catalog: its category tree, then products in batches.

The way of a product: a small record in a complete listing, grouped into a batch; the
whole record, mapped, planned, committed with its batch. The PIM itself keeps how far an
interrupted run came: what was acknowledged is not listed again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import ClassVar, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Page

from wagtail_pim.catalog.category_planner import (
    CategoryPlan,
    feeding_trees,
    in_language,
    plan_categories,
    wanted_tree,
)
from wagtail_pim.catalog.category_writer import (
    planned_removals,
    remove_category,
    write_categories,
)
from wagtail_pim.catalog.grouping import chunked, grouped
from wagtail_pim.catalog.languages import SiteLanguage, site_languages
from wagtail_pim.catalog.mapping import best_place
from wagtail_pim.catalog.planner import Places
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.catalog.writer import note_statuses, refusal
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
from wagtail_pim.exceptions import RunEndedError
from wagtail_pim.kinds import PRODUCT_KINDS, Kind
from wagtail_pim.models import JobRunItem, PimLink
from wagtail_pim.models.runs import Outcome

from . import items
from .products import CatalogContext, ProductJob, is_withdrawn
from .removals import (
    live_products,
    needs_confirmation,
    pages_leaving,
    require_confirmation,
    standing_pages,
)

logger = logging.getLogger(__name__)

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
    is_deactivated: bool = False

    @classmethod
    def of(cls, head: ProductHead, ranks: Mapping[UUID, int]) -> Work:
        place = best_place(head, ranks)
        return cls(
            id=head.id,
            number=head.product_number,
            family=head.family,
            is_variant=head.is_variant(),
            rank=len(ranks) if place is None else ranks[place],
            is_deactivated=head.is_deactivated(),
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
    confirms_removals = True

    def execute(self) -> None:
        self.failed_categories: set[UUID] = set()
        # Families with a member that can't be read.
        self._broken: set[UUID | None] = set()
        client = self.pim.client
        taxonomies = client.taxonomies()
        trees = feeding_trees(taxonomies, client.websites())
        properties = client.properties()
        schema = CatalogSchema(client.templates(), properties)
        languages = site_languages(client.assumed.languages())
        plans = self._plan_categories(trees, taxonomies, languages)
        work = self._list_work(
            plans[0].ranks(),
            [plan.language.locale_id for plan in plans if not plan.missing],
        )
        if not self.run.numbers:
            removals = self.removals(plans, work)
            require_confirmation(self.run, removals, standing_pages())
        self._write_categories(plans)
        self.prepare(
            CatalogContext(
                schema=schema,
                places=[
                    Places(
                        plan.language,
                        plan.ranks() if self.run.dry_run else (),
                        failed=[fault.guid for fault in plan.faults],
                    )
                    for plan in plans
                ],
                ranks=[_ranks_in(plan, plans[0]) for plan in plans],
                vocabularies=self.read_vocabularies(properties, languages),
                types=self.read_relationship_types(languages),
            )
        )
        self.journal.begin(len(work))
        for batch in _batches(work, get_config().batch_size):
            self._put_on_site(batch)
            self.journal.settle(len(batch))
        self.discard()
        self._remove_categories(plans)
        if not self.run.dry_run:
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

    def removals(self, plans: Sequence[CategoryPlan], work: Sequence[Work]) -> int:
        """How many pages the run is going to remove."""
        gone = sum(len(plan.gone) for plan in plans)
        return gone + len(pages_leaving(self._withdrawn(work)))

    def _withdrawn(self, work: Sequence[Work]) -> set[UUID]:
        listed = {w.id for w in work}
        archived = self.pim.client.assumed.archived(self.listed_status)
        if archived is None:
            # It can't be asked which: the records themselves tell.
            archived = [
                record.id
                for record in self.pim.client.products(sorted(live_products(listed)))
                if isinstance(record, Product) and is_withdrawn(record)
            ]
        deactivated = {w.id for w in work if w.is_deactivated}
        return deactivated | listed.intersection(archived)

    def discard(self) -> None:
        """Discard what the PIM knows nothing of, if the job does so."""

    # Categories

    def _plan_categories(
        self,
        trees: dict[UUID, Website],
        taxonomies: Sequence[Taxonomy],
        languages: Sequence[SiteLanguage],
    ) -> list[CategoryPlan]:
        """One plan for each language, the site's default one first."""
        valid: list[Category] = []
        listing_is_whole = True
        for record in self.pim.client.categories():
            if isinstance(record, InvalidRecord):
                listing_is_whole = False
                self._fail(Kind.CATEGORY, record.number, str(record.error), record.id)
            else:
                valid.append(record)
        used = [c for c in valid if c.category_taxonomy_id in trees]
        self._images, _failed = self.obtain(
            {guid for c in used if (guid := c.image_id()) is not None}
        )
        plans: list[CategoryPlan] = []
        shown: Collection[UUID] | None = None
        for language in languages:
            wanted, faults = wanted_tree(
                trees, taxonomies, self._in_language(valid, language)
            )
            if shown is not None:
                # A category has translations if it has a page to be translated.
                wanted = [item for item in wanted if item.guid in shown]
                # One that fails there stays as it is here too.
                faults += plans[0].faults
            plan = plan_categories(
                wanted,
                faults,
                language,
                self._images,
                listing_is_whole=listing_is_whole,
            )
            shown = shown if plans else {item.guid for item in wanted}
            plans.append(plan)
            self._warn_of_missing(plan)
        return plans

    def _in_language(
        self, categories: Sequence[Category], language: SiteLanguage
    ) -> Sequence[Category]:
        if language.language is None:
            return categories
        return in_language(
            categories,
            self.pim.client.assumed.in_language(
                Category, "categorytrees", language.language
            ),
        )

    def _warn_of_missing(self, plan: CategoryPlan) -> None:
        for page in plan.missing:
            self.journal.warn(
                _(
                    "The catalog can't be shown in the language %(language)s: the page "
                    "“%(page)s”, under which it stands, has no translation. Translate "
                    "it, and run again."
                )
                % {"language": plan.language.code, "page": page.title}
            )

    def _write_categories(self, plans: Sequence[CategoryPlan]) -> None:
        faults = {
            fault.guid: fault for plan in reversed(plans) for fault in plan.faults
        }
        for fault in faults.values():
            self._fail(Kind.CATEGORY, fault.name, fault.reason, fault.guid)
        if self.run.dry_run:
            changed = _changed_categories(plans, {})
        else:
            with transaction.atomic():
                originals: dict[UUID, Page] = {}
                for plan in plans:
                    pages = write_categories(plan, self.run.pk, self._images, originals)
                    originals = originals or pages
                changed = _changed_categories(plans, originals)
                self.journal.insert([i for i in changed if i.outcome in _WRITTEN])
        self.add(*changed)

    def _remove_categories(self, plans: Sequence[CategoryPlan]) -> None:
        gone = [page for plan in plans for page in plan.gone]
        if self.run.dry_run:
            removals = planned_removals(gone)
            self.add(*(items.removed_category(r, carried_out=False) for r in removals))
            return
        if needs_confirmation(self.run, len(gone), standing_pages()):
            self.journal.warn(
                ngettext(
                    "%(count)d category left the PIM. That is so much of the catalog "
                    "that it was not removed: Publish approved products asks for a "
                    "confirmation first.",
                    "%(count)d categories left the PIM. That is so much of the catalog "
                    "that they were not removed: Publish approved products asks for a "
                    "confirmation first.",
                    len(gone),
                )
                % {"count": len(gone)}
            )
            return
        for page in gone:
            self.journal.checkpoint()
            if (item := self._removed_category(page)) is not None:
                self.add(item)

    def _removed_category(self, page: Page) -> JobRunItem | None:
        """None of a page that is gone already."""
        try:
            with transaction.atomic():
                removed = remove_category(page.pk)
                if removed is None:
                    return None
                removal, content = removed
                item = items.removed_category(removal, carried_out=True)
                item.content = content
                if item.outcome in _WRITTEN:
                    self.journal.insert([item])
        except RunEndedError:
            raise
        except Exception as error:
            # Something of the site's may refuse it: that is this category's failure.
            logger.exception("Run %s: no removal", self.run.pk)
            return items.failed(
                Kind.CATEGORY, page.title, refusal(error), title=page.title
            )
        return item

    # Products

    def _list_work(
        self, ranks: Mapping[UUID, int], locales: Sequence[int]
    ) -> list[Work]:
        """What to put on the site: families together, by category, parents first.

        What is not shown in one of ``locales`` may come there now, and then whole.
        """
        work: dict[UUID, Work] = {}
        with_variants: set[UUID] = set()
        for head in self._listed_heads():
            work[head.id] = Work.of(head, ranks)
            if head.is_variant_parent:
                with_variants.add(head.id)
        families = {w.family for w in work.values() if w.is_variant}
        absent = _without_live_page(families - work.keys(), locales)
        products = {w.id for w in work.values() if not w.is_variant}
        coming = {
            *absent,
            *_off_the_site(products, locales),
            *_without_live_page(with_variants, locales),
        }
        client = self.pim.client
        for more in chain(
            client.product_heads_by_id(absent), client.variant_heads(sorted(coming))
        ):
            if isinstance(more, InvalidRecord):
                self._broken.add(more.family)
                self._fail(Kind.PRODUCT, more.number, str(more.error), more.id)
            # What nobody approved does not come along.
            elif self._accepts(more):
                work.setdefault(more.id, Work.of(more, ranks))
        # One rank for a family: what is sorted apart may come into two batches.
        ranks = {
            family: min((w.is_variant, w.rank) for w in members)[1]
            for family, members in grouped(
                work.values(), key=lambda w: w.family
            ).items()
        }
        return sorted(
            (replace(w, rank=ranks[w.family]) for w in work.values()), key=Work.key
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
                self._broken.add(record.family)
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
        results, failures = self.write_products(products, self._broken)
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
                self._broken.add(record.family)
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


def _ranks_in(plan: CategoryPlan, default: CategoryPlan) -> dict[UUID, int]:
    """Ranks as in the default language: a product has one place in all of them.

    Also of what fails in this language alone: its products wait for it.
    """
    known = plan.ranks().keys() | {fault.guid for fault in plan.faults}
    return {guid: rank for guid, rank in default.ranks().items() if guid in known}


def _changed_categories(
    plans: Sequence[CategoryPlan], pages: Mapping[UUID, Page]
) -> list[JobRunItem]:
    """An item for each category; ``pages`` are those in the default language."""
    by_guid = grouped(
        ((plan.language, change) for plan in plans for change in plan.changes),
        key=lambda pair: pair[1].wanted.guid,
    )
    return [
        items.changed_category(
            changes,
            page.pk if (page := pages.get(guid) or changes[0][1].page) else None,
        )
        for guid, changes in by_guid.items()
    ]


def _without_live_page(guids: Iterable[UUID], locales: Sequence[int]) -> list[UUID]:
    """Of products: those that are not shown in all of these locales."""
    wanted = sorted(guids)
    live = _locales_shown_in(wanted, locales)
    return [guid for guid in wanted if live.get(guid, 0) < len(locales)]


def _off_the_site(guids: Iterable[UUID], locales: Sequence[int]) -> list[UUID]:
    """As above, but only those that have a page."""
    live = _locales_shown_in(sorted(guids), locales)
    return [guid for guid, count in live.items() if count < len(locales)]


def _locales_shown_in(
    products: Sequence[UUID], locales: Sequence[int]
) -> dict[UUID, int]:
    """In how many of them each product has a live page; of those that have a page."""
    shown: dict[UUID, int] = {}
    for some in chunked(products, GUIDS_PER_QUERY):
        rows = PimLink.objects.filter(
            kind=Kind.PRODUCT, guid__in=some, locale__in=locales
        ).values_list("guid", "page__live")
        for guid, is_live in rows:
            shown[guid] = shown.get(guid, 0) + is_live
    return shown


def _batches(work: Sequence[Work], size: int) -> Iterator[list[Work]]:
    """Runs of whole families, up to ``size`` records; a larger family is one batch."""
    batch: list[Work] = []
    for _family, members in groupby(work, key=lambda w: w.family):
        family = list(members)
        if batch and len(batch) + len(family) > size:
            yield batch
            batch = []
        batch += family
    if batch:
        yield batch
