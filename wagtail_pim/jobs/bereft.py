"""Products that have lost the last of their variants: they leave the site.

What made them worth showing is gone: the variant was archived, deleted, or moved to
another product.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from wagtail.models import Page

from wagtail_pim.catalog.grouping import grouped
from wagtail_pim.catalog.writer import remove_page
from wagtail_pim.client.entities import ProductHead
from wagtail_pim.kinds import Kind
from wagtail_pim.models import PimLink
from wagtail_pim.signals import product_removed

from . import items
from .base import Job


class BereftProducts:
    """Those that a run makes bereft; noted as it goes on, removed at its end."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._parents: set[UUID] = set()
        self._gone: set[UUID] = set()

    def lose(self, parent: UUID, variant: UUID) -> None:
        """A variant of this parent leaves it, in a dry run as well."""
        self._parents.add(parent)
        self._gone.add(variant)

    def remove(self) -> None:
        links = PimLink.objects.filter(
            kind=Kind.PRODUCT, guid__in=self._parents, page__live=True
        ).select_related("page")
        bereft = {
            guid: [link.page for link in of_product]
            for guid, of_product in grouped(links, key=lambda x: x.guid).items()
            if not any(self._has_variants(link.page) for link in of_product)
        }
        for head in self._job.pim.client.product_heads_by_id(list(bereft)):
            # The PIM may have made a product without variants of it.
            if isinstance(head, ProductHead) and head.is_variant_parent is not False:
                self._remove(head, bereft[head.id])

    def _has_variants(self, page: Page) -> bool:
        """Whether live variants are left below."""
        variants = PimLink.objects.filter(
            kind=Kind.VARIANT, page__path__startswith=page.path, page__live=True
        )
        return variants.exclude(guid__in=self._gone).exists()

    def _remove(self, head: ProductHead, pages: Sequence[Page]) -> None:
        run, journal = self._job.run, self._job.journal
        item = items.bereft_product(head, pages[0])
        removed: list[Page] = []
        if not run.dry_run:
            with transaction.atomic():
                for page in pages:
                    removed += remove_page(page.pk)
                journal.insert([item])
        for page in removed:
            product_removed.send_robust(type(page), instance=page, run=run)
        self._job.add(item)
