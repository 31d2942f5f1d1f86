"""The pictures of products, with their renditions in as few queries as can be."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, prefetch_related_objects
from wagtail.models import Page, PageQuerySet


def with_cards(products: PageQuerySet) -> QuerySet:
    """Products as their own types, with the pictures that their cards show."""
    return products.specific().prefetch_related("primary_image__renditions")


def pictures_of(page: Page, product: Page) -> list[Any]:
    """A product's or a variant's own pictures, or else those of the product."""
    for owner in (page, product):
        images = owner.images() or [owner.primary_image]
        if any(images):
            prefetch_related_objects(images, "renditions")
            return images
    return []
