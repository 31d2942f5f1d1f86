"""Pictures and documents that the PIM archived: no page shows them any more.

They stay in the site's library, for what editors made of them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from wagtail_pim.models import (
    CategoryPage,
    PimAsset,
    ProductAsset,
    ProductPage,
    VariantPage,
)

from . import bulk
from .indexing import update_indexes


def shown_assets(guids: Collection[UUID]) -> list[PimAsset]:
    """Those that a page of the PIM's shows."""
    of_categories = CategoryPage.objects.filter(
        pim_link__isnull=False, primary_image__isnull=False
    )
    shown = Q(uses__isnull=False) | Q(image__in=of_categories.values("primary_image"))
    return list(PimAsset.objects.filter(shown, guid__in=guids).distinct())


def take_off_pages(assets: Collection[PimAsset]) -> None:
    """The caller gives the transaction."""
    ProductAsset.objects.filter(asset__in=assets).delete()
    images = [asset.image_id for asset in assets if asset.image_id is not None]
    models: tuple[Any, ...] = (CategoryPage, ProductPage, VariantPage)
    pages = bulk.lock_pages(
        pk
        for model in models
        for pk in model.objects.filter(
            primary_image__in=images, pim_link__isnull=False
        ).values_list("pk", flat=True)
    ).values()
    now = timezone.now()
    for page in pages:
        page.primary_image_id = None
        page.last_published_at = now
    bulk.update_columns(pages, lambda _page: {"primary_image", "last_published_at"})
    bulk.log(pages, "wagtail.publish")
    bulk.update_aliases(pages)
    bulk.announce_after_commit(update_indexes(pages))
