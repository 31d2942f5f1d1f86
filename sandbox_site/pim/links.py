"""What a product is linked to: its assets, and other products, each in an order."""

from collections.abc import Iterable, Mapping, Sequence

from .data import Record
from .store import Records


def assets_of(records: Records, product_id: str) -> list[Record]:
    """The product's assets; a link to one that is gone is none."""
    links = _in_order(records.find("productassets", productId=product_id))
    found = (records.get("assets", str(link.get("assetId"))) for link in links)
    return [asset for asset in found if asset]


def set_assets(records: Records, product_id: str, asset_ids: Iterable[str]) -> None:
    """Give the product these assets, and no others."""
    _replace(
        records,
        "productassets",
        {"productId": product_id},
        [{"assetId": asset_id} for asset_id in asset_ids],
    )


def relationships(records: Records) -> list[Record]:
    """All types of relationship, by name."""
    return sorted(
        records.find("productRelationships"),
        key=lambda each: str(each.get("name")).casefold(),
    )


def related_to(records: Records, product_id: str, relationship_id: str) -> list[Record]:
    """The products that it has this relationship to; what is gone is none."""
    links = records.find(
        "productRelatedProducts",
        productId=product_id,
        productRelationshipId=relationship_id,
    )
    found = (
        records.get("products", str(link.get("relatedProductId")))
        for link in _in_order(links)
    )
    return [product for product in found if product]


def set_related(
    records: Records,
    product_id: str,
    relationship_id: str,
    related_ids: Iterable[str],
) -> None:
    """Relate the product to these in this way, and to no others."""
    _replace(
        records,
        "productRelatedProducts",
        {"productId": product_id, "productRelationshipId": relationship_id},
        [{"relatedProductId": related_id} for related_id in related_ids],
    )


def _replace(
    records: Records,
    set_name: str,
    common: Mapping[str, str],
    links: Sequence[Mapping[str, str]],
) -> None:
    for before in records.find(set_name, **common):
        records.delete(set_name, before["id"])
    for order, link in enumerate(links):
        records.put(set_name, {**common, **link, "sortOrder": order})


def _in_order(links: Iterable[Record]) -> list[Record]:
    return sorted(links, key=lambda link: link.get("sortOrder") or 0)
