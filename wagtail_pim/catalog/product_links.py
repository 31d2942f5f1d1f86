"""What products link to besides their categories: assets, and other products.

Kept once for a product, by its Guid, for its pages in all languages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from wagtail_pim.client.entities import Relationship
from wagtail_pim.models import (
    PimAsset,
    ProductAsset,
    ProductRelation,
    RelationshipType,
)

from .grouping import grouped

Assets = Mapping[UUID, PimAsset | None]
"""The assets that could be had by Guid; None for one that is not to be shown."""


def image_key(guid: UUID | None, assets: Assets, page: Any) -> int | None:
    """The primary image; one that could not be had leaves the page's present one."""
    if guid is None:
        return None
    if guid not in assets:
        return page.primary_image_id
    asset = assets[guid]
    return asset.image_id if asset else None


def relationship_types(
    relationships: Iterable[Relationship],
    translated: Mapping[str, Mapping[UUID, Relationship]],
    *,
    write: bool,
) -> dict[UUID, int]:
    """Keys of the site's relationship types by the PIM's Guid, bound by their names.

    Those that the site lacks are made, unless in a dry run; one that the PIM has no
    more leaves its name to another. ``translated`` are the same by locale and Guid, as
    the PIM calls them there.
    """
    relationships = list(relationships)
    served = {relationship.id for relationship in relationships}
    standing = list(RelationshipType.objects.all())
    by_guid = {each.guid: each for each in standing if each.guid}
    by_name = {
        each.name.casefold(): each for each in standing if each.guid not in served
    }
    longest = RelationshipType._meta.get_field("name").max_length
    keys = {}
    for relationship in relationships:
        found = by_guid.get(relationship.id)
        if write:
            name = relationship.name.strip()[:longest]
            found = found or by_name.pop(name.casefold(), None)
            if found is None:
                found, _made = RelationshipType.objects.get_or_create(name=name)
            if found.guid not in served:
                found.guid = relationship.id
            if found.guid == relationship.id:
                _keep(found, translated)
        # One that can't be bound, as another of its name is, has no relations here.
        if found is not None and found.guid == relationship.id:
            keys[relationship.id] = found.pk
    return keys


def _keep(
    kind: RelationshipType, translated: Mapping[str, Mapping[UUID, Relationship]]
) -> None:
    """Store to which of the PIM's it is bound, and what that is called."""
    guid = kind.guid
    kind.names = {
        code: names[guid].name for code, names in translated.items() if guid in names
    }
    unchanged = RelationshipType.objects.filter(pk=kind.pk, guid=guid, names=kind.names)
    if not unchanged.exists():
        kind.save(update_fields=["guid", "names"])


class StandingLinks:
    """The assets and relations that products have on the site; two queries."""

    def __init__(self, products: Collection[UUID]) -> None:
        uses = ProductAsset.objects.filter(product_guid__in=products).order_by(
            "sort_order"
        )
        relations = ProductRelation.objects.filter(product_guid__in=products).order_by(
            "sort_order"
        )
        self.assets = _by_product(uses.values_list("product_guid", "asset__guid"))
        self.related = {
            product: tuple((kind, related) for _p, kind, related in rows)
            for product, rows in grouped(
                relations.values_list("product_guid", "type__guid", "related_guid"),
                key=lambda row: row[0],
            ).items()
        }


def _by_product(pairs: Iterable[tuple[UUID, UUID]]) -> dict[UUID, tuple[UUID, ...]]:
    return {
        product: tuple(value for _product, value in rows)
        for product, rows in grouped(pairs, key=lambda pair: pair[0]).items()
    }


def write_assets(wanted: Mapping[UUID, Sequence[UUID]], assets: Assets) -> None:
    """Make these products' assets those of the Guids, in their order."""
    ProductAsset.objects.filter(product_guid__in=wanted).delete()
    ProductAsset.objects.bulk_create(
        ProductAsset(product_guid=product, asset=row, sort_order=order)
        for product, guids in wanted.items()
        for order, guid in enumerate(guids)
        if (row := assets.get(guid))
    )


def write_relations(
    wanted: Mapping[UUID, Sequence[tuple[UUID, UUID]]], types: Mapping[UUID, int]
) -> None:
    """Make these products' relations those of (relationship, product) Guids."""
    ProductRelation.objects.filter(product_guid__in=wanted).delete()
    ProductRelation.objects.bulk_create(
        ProductRelation(
            product_guid=product,
            type_id=types[kind],
            related_guid=related,
            sort_order=order,
        )
        for product, pairs in wanted.items()
        for order, (kind, related) in enumerate(pairs)
    )
