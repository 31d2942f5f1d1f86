"""Products of the PIM, put on this site: what the jobs share that do so.

Nothing here writes to the PIM.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.models import Page

from wagtail_pim.catalog.assets import known_assets, obtain_assets
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.grouping import grouped
from wagtail_pim.catalog.languages import SiteLanguage, Vocabulary
from wagtail_pim.catalog.mapping import PageContent, Reading, map_product
from wagtail_pim.catalog.planner import (
    Fault,
    PageChange,
    Places,
    Planner,
    missing_parent,
    pages_to_remove,
)
from wagtail_pim.catalog.product_links import (
    Assets,
    StandingLinks,
    relationship_types,
)
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.catalog.writer import (
    Pages,
    Writer,
    note_statuses,
    refusal,
    remove_page,
)
from wagtail_pim.client.client import APPROVED, PUBLISHED
from wagtail_pim.client.entities import (
    Asset,
    InvalidRecord,
    Product,
    Property,
    Relationship,
)
from wagtail_pim.exceptions import RecordError, RunEndedError
from wagtail_pim.kinds import PICTURE, Kind
from wagtail_pim.models import JobRunItem
from wagtail_pim.models.runs import Outcome
from wagtail_pim.signals import product_published, product_removed

from . import items
from .base import Job
from .bereft import BereftProducts
from .removals import needs_confirmation, require_confirmation, standing_pages

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """A product that stands on the site as the PIM has it, or has left it.

    ``pages`` are those that were written or unpublished just now, ``created`` the keys
    of those that are new. What is ``held`` waits for others of its family.
    """

    product: Product
    item: JobRunItem
    pages: Sequence[Page] = ()
    created: Collection[int] = ()
    assets_failed: bool = False
    held: bool = False

    def status(self) -> str:
        """The product's status in the PIM, as far as this site knows."""
        return PUBLISHED if self.item.acknowledged else self.product.status.strip()


@dataclass(frozen=True, slots=True)
class CatalogContext:
    """What a run knows of the site and the PIM before it takes up products.

    ``ranks`` are the categories by preference (mapping.best_place), of each language;
    the site's default one comes first.
    """

    schema: CatalogSchema
    places: Sequence[Places]
    ranks: Sequence[Mapping[UUID, int]]
    vocabularies: Mapping[UUID, Vocabulary]
    types: Mapping[UUID, int]


class ProductJob(Job):
    """A job that puts products on the site.

    A subclass calls ``prepare`` once; then ``write_products`` and ``report_products``
    for the records that it has read, batch by batch.
    """

    def prepare(self, context: CatalogContext) -> None:
        dry_run = self.run.dry_run
        self._context = context
        self._planners = [
            Planner(places, context.types, dry_run=dry_run) for places in context.places
        ]
        self._writer = Writer(
            context.places, self.run.pk, context.types, self._note_down
        )
        self.bereft = BereftProducts(self)
        self._left_out = 0
        self._has_asked = False

    def read_vocabularies(
        self, properties: Sequence[Property], languages: Iterable[SiteLanguage]
    ) -> dict[UUID, Vocabulary]:
        return {
            guid: Vocabulary.read(self.pim.client, properties, guid)
            for guid in {x.language for x in languages if x.language is not None}
        }

    def read_relationship_types(
        self, languages: Iterable[SiteLanguage]
    ) -> dict[UUID, int]:
        assumed = self.pim.client.assumed
        relationships = assumed.relationships()
        translated = {
            language.code: assumed.in_language(
                Relationship, "productRelationships", language.language
            )
            for language in languages
            if language.language is not None and relationships
        }
        return relationship_types(relationships, translated, write=not self.run.dry_run)

    def committed(self, result: Result) -> None:
        """Called for each product of a batch once the batch is committed.

        May complete the item; a PimError that it raises ends the run.
        """
        if result.assets_failed:
            result.item.note = _(
                "A picture or document of it failed: the page keeps what it has."
            )
            result.item.unsettled = True

    def write_products(
        self, products: Iterable[Product], broken: Collection[UUID | None] = ()
    ) -> tuple[list[Result], list[JobRunItem]]:
        """Map, plan and commit; what was done, and what could not be.

        Of ``broken`` families somebody failed already.
        """
        withdrawn, coming = _parted(list(products))
        leaving = {product.id for product in withdrawn}
        contents, faults = self._map(
            [p for p in coming if p.family not in {*leaving, *broken}]
        )
        faults += [
            Fault(product, missing_parent(product))
            for product in coming
            if product.parent_product_id in leaving
        ]
        assets, failed_assets = self.obtain(
            {guid for content in contents for guid in content.assets}
        )
        changes = self._plan(contents, assets, faults)
        self._ask_before_leaving_out(changes)
        pages: Pages = {}
        self._noted: dict[UUID, JobRunItem] = {}
        self.bereft.ask(_old_parents(changes).values())
        if self.run.dry_run:
            self._look_for_bereft(changes)
        elif changes:
            pages, refused = self._writer.write(changes, assets)
            faults += refused
            self.bereft.take_back(fault.product.id for fault in refused)
        failures = [items.failed_product(f.product, f.reason) for f in faults]
        failed = {fault.product.id for fault in faults}
        failed_families = {*(fault.product.family for fault in faults), *broken}
        by_product = grouped(changes, key=lambda change: change.guid)
        results = []
        for product in coming:
            if product.id in failed:
                continue
            if product.family in failed_families:
                results.append(Result(product, items.held_back(product), held=True))
                continue
            of_product = by_product.get(product.id, [])
            item = self._noted.get(product.id)
            written = self._written(of_product, pages) if item else {}
            results.append(
                Result(
                    product,
                    item or self._item(product, of_product, pages),
                    pages=[page for page, _action in written.values()],
                    created=[
                        pk
                        for pk, (_p, action) in written.items()
                        if action == Action.CREATE
                    ],
                    assets_failed=not failed_assets.isdisjoint(product.asset_ids()),
                )
            )
        self.bereft.keep(
            parent
            for result in results
            if not result.held and (parent := result.product.parent_product_id)
        )
        return [*results, *self._remove(withdrawn, failures)], failures

    # From records to changes

    def _map(
        self, products: Sequence[Product]
    ) -> tuple[list[PageContent], list[Fault]]:
        """The contents of the products' pages in all languages.

        A product with a fault in one of them has none.
        """
        contents: list[PageContent] = []
        faults: list[Fault] = []
        translations = self._translations(products)
        for product in products:
            try:
                contents += [
                    map_product(
                        self._reading(product, places.language, translations),
                        self._context.schema,
                        ranks,
                    )
                    for places, ranks in zip(
                        self._context.places, self._context.ranks, strict=True
                    )
                ]
            except RecordError as error:
                faults.append(Fault(product, str(error)))
        return contents, faults

    def _translations(
        self, products: Sequence[Product]
    ) -> dict[UUID, dict[UUID, Product | InvalidRecord]]:
        """What the PIM says of the products, by language and product."""
        return {
            language: {
                record.id: record
                for record in self.pim.client.products_in_language(
                    [product.id for product in products], language
                )
                if record.id is not None
            }
            for language in self._context.vocabularies
        }

    def _reading(
        self,
        product: Product,
        language: SiteLanguage,
        translations: Mapping[UUID, Mapping[UUID, Product | InvalidRecord]],
    ) -> Reading:
        """Raises RecordError where there is none that belongs to the product."""
        if language.language is None:
            return Reading(product, language)
        record = translations[language.language].get(product.id)
        if isinstance(record, InvalidRecord):
            raise RecordError(str(record.error))
        version = product.current_version_number
        if record is None or record.current_version_number != version:
            raise RecordError(
                _("It was changed in the PIM while it was read. Run again.")
            )
        vocabulary = self._context.vocabularies[language.language]
        return Reading(product, language, record, vocabulary)

    def _plan(
        self, contents: Sequence[PageContent], assets: Assets, faults: list[Fault]
    ) -> list[PageChange]:
        """Changes in all languages, of families of which nobody failed."""
        standing = StandingLinks({content.guid for content in contents})
        changes: list[PageChange] = []
        by_locale = grouped(contents, key=lambda c: c.language.locale_id)
        for planner, places in zip(self._planners, self._context.places, strict=True):
            failed = {fault.product.family for fault in faults}
            planned, found = planner.plan(
                [
                    content
                    for content in by_locale.get(places.language.locale_id, [])
                    if content.product.family not in failed
                ],
                assets,
                standing,
            )
            changes += planned
            faults += found
        failed = {fault.product.family for fault in faults}
        return [c for c in changes if c.content.product.family not in failed]

    def _ask_before_leaving_out(self, changes: Iterable[PageChange]) -> None:
        """A language may lose its translations as a whole."""
        leaving = sum(change.action == Action.REMOVE for change in changes)
        if leaving and not self._has_asked:
            self._left_out += leaving
            standing = standing_pages()
            # A dry run goes on, and tells of it once.
            self._has_asked = needs_confirmation(self.run, self._left_out, standing)
            require_confirmation(self.run, self._left_out, standing)

    # Items

    def _note_down(self, changes: Sequence[PageChange], pages: Pages) -> None:
        """Store what is about to be committed, in the same transaction."""
        noted = {
            guid: self._item(of_product[0].content.product, of_product, pages)
            for guid, of_product in grouped(changes, key=lambda c: c.guid).items()
            if any(change.action != Action.UNCHANGED for change in of_product)
        }
        self.journal.insert(list(noted.values()))
        self._noted.update(noted)
        self._look_for_bereft(changes)

    def _look_for_bereft(self, changes: Iterable[PageChange]) -> None:
        for variant, parent in _old_parents(changes).items():
            self.bereft.lose(parent, variant)
        for change in changes:
            is_back = change.differences.get("live") == (False, True)
            if is_back and change.content.kind == Kind.PRODUCT:
                self.bereft.come_back(change.content.product)

    def _item(
        self, product: Product, changes: Sequence[PageChange], pages: Pages
    ) -> JobRunItem:
        page_ids = [
            page.pk for c in changes if (page := pages.get(c.key) or c.page) is not None
        ]
        return items.changed_product(
            product,
            changes,
            page_ids[0] if page_ids else None,
            new_values=self.run.dry_run,
        )

    def _written(
        self, changes: Sequence[PageChange], pages: Pages
    ) -> dict[int, tuple[Page, Action]]:
        """The pages by their keys, and what was done to each."""
        return {
            page.pk: (page, change.action)
            for change in changes
            if change.action != Action.UNCHANGED and (page := pages.get(change.key))
        }

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
                if not result.held:
                    self.committed(result)
        finally:
            # Also where the run is to end while the PIM is being told.
            self.journal.record(reported)
            self._note_statuses(results)
        self.watch(reported)
        self.bereft.report()

    def _announce(self, results: Iterable[Result]) -> None:
        for result in results:
            outcome = result.item.outcome
            for page in result.pages:
                if outcome == Outcome.REMOVED or not page.live:
                    product_removed.send_robust(type(page), instance=page, run=self.run)
                else:
                    product_published.send_robust(
                        type(page),
                        instance=page,
                        created=page.pk in result.created,
                        run=self.run,
                    )

    def _note_statuses(self, results: Iterable[Result]) -> None:
        if not self.run.dry_run:
            note_statuses({result.product.id: result.status() for result in results})

    # Assets

    def obtain(self, guids: Collection[UUID]) -> tuple[Assets, set[UUID]]:
        """The assets that could be had, and the Guids of those that failed.

        A dry run knows those that are there already.
        """
        if self.run.dry_run:
            return known_assets(guids), set()
        assets: list[Asset] = []
        unanswered = set(guids)
        failures: list[JobRunItem] = []
        for record in self.pim.client.assets(sorted(guids)):
            if isinstance(record, InvalidRecord):
                reason = str(record.error)
                failures.append(items.failed(PICTURE, record.number, reason, record.id))
            else:
                assets.append(record)
                unanswered.discard(record.id)
        obtained, faults = obtain_assets(
            assets,
            self.pim.downloader.fetch,
            self.journal.checkpoint,
            self.journal.hold,
        )
        failures += [
            items.failed(fault.kind, fault.asset.name, fault.reason, fault.asset.id)
            for fault in faults
        ]
        told = {item.guid for item in failures}
        failures += [
            items.failed(
                PICTURE, str(guid), _("The PIM does not have this asset."), guid
            )
            for guid in sorted(unanswered - told)
        ]
        self.add(*failures)
        return (
            {**known_assets(unanswered), **obtained},
            {item.guid for item in failures if item.guid},
        )

    # Removals

    def _remove(
        self, withdrawn: Sequence[Product], failures: list[JobRunItem]
    ) -> list[Result]:
        """Withdrawn products leave the site; their pages stay, unpublished."""
        pages = pages_to_remove(withdrawn)
        self.bereft.ask(p.parent_product_id for p in withdrawn if p.parent_product_id)
        results = []
        for product in sorted(withdrawn, key=lambda p: not p.is_variant()):
            standing = pages.get(product.id, [])
            item = items.withdrawn_product(product, standing)
            removed: list[Page] = []
            if standing and self.run.dry_run:
                self._lose(product)
            elif standing:
                try:
                    with transaction.atomic():
                        for page in standing:
                            removed += remove_page(page.pk)
                        self.journal.insert([item])
                        self._lose(product)
                except RunEndedError:
                    raise
                except Exception as error:
                    self.bereft.take_back([product.id])
                    # A receiver of the site's may fail: that is this product's failure.
                    logger.exception("Run %s: no removal", self.run.pk)
                    failures.append(items.failed_product(product, refusal(error)))
                    continue
            results.append(Result(product, item, removed))
        return results

    def _lose(self, product: Product) -> None:
        if product.parent_product_id is not None:
            self.bereft.lose(product.parent_product_id, product.id)


def _old_parents(changes: Iterable[PageChange]) -> dict[UUID, UUID]:
    """The products that variants are moved away from, by the variant."""
    return {
        change.guid: change.differences["parent"][0]
        for change in changes
        if change.content.kind == Kind.VARIANT
        and change.differences.get("parent", (None, None))[0] is not None
    }


def _parted(products: Sequence[Product]) -> tuple[list[Product], list[Product]]:
    """Those that leave the site, and those that come to it.

    A variant that nobody approved leaves, or stays away, with its product.
    """
    withdrawn = {product.id for product in products if is_withdrawn(product)}
    withdrawn |= {
        product.id
        for product in products
        if product.parent_product_id in withdrawn and not product.has_status(APPROVED)
    }
    return (
        [product for product in products if product.id in withdrawn],
        [product for product in products if product.id not in withdrawn],
    )


def is_withdrawn(product: Product) -> bool:
    """Archived, or to be so by a time that has come."""
    return product.is_archived or product.is_deactivated()
