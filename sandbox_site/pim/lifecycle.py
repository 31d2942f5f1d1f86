"""The end of a product, and its return: archived, reactivated, deleted."""

from collections.abc import Iterable, Mapping
from typing import Any

from .data import Record
from .errors import UnknownProductsError
from .store import Records, Store

_ARCHIVED = {"isArchived": True, "status": "Approved"}
_REACTIVATED = {"isArchived": False, "status": "Approved"}


def archive(store: Store, numbers: Iterable[str]) -> int:
    """Archive these products; how many.

    Approved as the service leaves them, so that a site's next run takes them off. That
    is no edit: the version stays. All, or none where one is unknown: then
    UnknownProductsError is raised.
    """
    return _change(store, numbers, _ARCHIVED)


def reactivate(store: Store, numbers: Iterable[str]) -> int:
    """Take these products out of the archive, Approved; as ``archive``."""
    return _change(store, numbers, _REACTIVATED)


def delete(store: Store, numbers: Iterable[str]) -> int:
    """Delete these products for good, with their variants and all links; how many.

    A product whose last variant is gone stays a parent. Raises as ``archive`` does.
    """
    with store.writing() as records:
        family = {
            product["id"]: product
            for found in _found(records, numbers, "Nothing was deleted.")
            for product in (found, *variants_of(records, found))
        }
        for product in family.values():
            _delete(records, product)
    return len(family)


def variants_of(records: Records, product: Record) -> list[Record]:
    return records.find("products", parentProductId=product["id"])


def _change(store: Store, numbers: Iterable[str], changes: Mapping[str, Any]) -> int:
    with store.writing() as records:
        products = _found(records, numbers, "Nothing was changed.")
        for product in products:
            records.put("products", {**product, **changes})
    return len(products)


def _found(records: Records, numbers: Iterable[str], effect: str) -> list[Record]:
    by_number = {
        number: records.find("products", productNumber=number) for number in numbers
    }
    if unknown := [number for number, found in by_number.items() if not found]:
        raise UnknownProductsError(unknown, effect)
    return [product for found in by_number.values() for product in found]


def _delete(records: Records, product: Record) -> None:
    key = product["id"]
    records.delete("products", key)
    for set_name, name in (
        ("categoryTreeProducts", "productId"),
        ("productassets", "productId"),
        ("productRelatedProducts", "productId"),
        ("productRelatedProducts", "relatedProductId"),
    ):
        for link in records.find(set_name, **{name: key}):
            records.delete(set_name, link["id"])
    for parent in records.find("products", defaultChildProductId=key):
        others = variants_of(records, parent)
        child = others[0]["id"] if others else None
        records.put("products", {**parent, "defaultChildProductId": child})
