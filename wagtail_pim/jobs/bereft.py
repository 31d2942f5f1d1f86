"""Products that have lost the last of their variants: they leave the site.

What made them worth showing is gone: the variant was archived, deleted, or moved to
another product. They leave in the transaction in which it does, as nothing else would
tell a later run of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from wagtail.models import Page

from wagtail_pim.catalog.grouping import grouped
from wagtail_pim.catalog.writer import remove_page
from wagtail_pim.client.entities import ProductHead
from wagtail_pim.kinds import Kind
from wagtail_pim.models import JobRunItem, PimLink
from wagtail_pim.signals import product_removed

from . import items
from .base import Job


class BereftProducts:
    """Those that one run makes bereft."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._heads: dict[UUID, ProductHead] = {}
        self._gone: dict[UUID, set[UUID]] = defaultdict(set)
        self._kept: set[UUID] = set()
        self._removed: dict[UUID, tuple[JobRunItem, Sequence[Page]]] = {}

    def ask(self, parents: Iterable[UUID]) -> None:
        """Read of products that will lose variants what the PIM has of them."""
        unknown = sorted(set(parents) - self._heads.keys())
        for head in self._job.pim.client.product_heads_by_id(unknown):
            if isinstance(head, ProductHead):
                self._heads[head.id] = head

    def keep(self, parents: Iterable[UUID]) -> None:
        """Variants have come to these, also where a dry run only says so."""
        self._kept.update(parents)

    def lose(self, parent: UUID, variant: UUID) -> None:
        """The variant has left its parent, in this transaction or a dry run."""
        self._gone[parent].add(variant)
        if (head := self._heads.get(parent)) is not None:
            self._take_off(head, because_of=variant)

    def come_back(self, product: ProductHead) -> None:
        """A product that was off the site is shown again, in this transaction."""
        if not self._job.run.dry_run and _has_had_variants(product.id):
            self._take_off(product, because_of=product.id)

    def _take_off(self, head: ProductHead, *, because_of: UUID) -> None:
        parent = head.id
        # The PIM may have made a product without variants of it.
        if head.is_variant_parent is False or parent in self._kept:
            return
        links = PimLink.objects.filter(
            kind=Kind.PRODUCT, guid=parent, page__live=True
        ).select_related("page")
        pages = [link.page for link in links]
        if not pages or any(self._has_variants(page, parent) for page in pages):
            return
        item = items.bereft_product(head, pages[0])
        removed: list[Page] = []
        if not self._job.run.dry_run:
            for page in pages:
                removed += remove_page(page.pk)
            self._job.journal.insert([item])
        self._removed[because_of] = (item, removed)

    def _has_variants(self, page: Page, product: UUID) -> bool:
        variants = PimLink.objects.filter(
            kind=Kind.VARIANT, page__path__startswith=page.path, page__live=True
        )
        return variants.exclude(guid__in=self._gone[product]).exists()

    def take_back(self, variants: Iterable[UUID]) -> None:
        """What came of these losses was undone with them."""
        for variant in variants:
            for gone in self._gone.values():
                gone.discard(variant)
            self._removed.pop(variant, None)

    def report(self) -> None:
        """To be called once the losses are committed."""
        told = {item.guid: (item, pages) for item, pages in self._removed.values()}
        self._removed.clear()
        for item, pages in told.values():
            for page in pages:
                product_removed.send_robust(
                    type(page), instance=page, run=self._job.run
                )
            self._job.add(item)


def _has_had_variants(product: UUID) -> bool:
    paths = PimLink.objects.filter(kind=Kind.PRODUCT, guid=product).values_list(
        "page__path", flat=True
    )
    return any(
        PimLink.objects.filter(kind=Kind.VARIANT, page__path__startswith=path).exists()
        for path in paths
    )


def parents_of(links: Sequence[PimLink]) -> dict[UUID, UUID]:
    """The Guids of the products above variants' pages, by the variant's."""
    paths = {
        link.guid: link.page.path[: -Page.steplen]
        for link in links
        if link.kind == Kind.VARIANT
    }
    products = grouped(
        PimLink.objects.filter(
            kind=Kind.PRODUCT, page__path__in=set(paths.values())
        ).values_list("page__path", "guid"),
        key=lambda row: row[0],
    )
    return {
        guid: products[path][0][1] for guid, path in paths.items() if path in products
    }
