"""The kinds of records that have pages."""

from enum import StrEnum


class Kind(StrEnum):
    CATALOG = "catalog"
    CATEGORY = "category"
    PRODUCT = "product"
    VARIANT = "variant"
