"""The kinds of records that have pages."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    CATALOG = "catalog"
    CATEGORY = "category"
    PRODUCT = "product"
    VARIANT = "variant"


# What else a run tells of; a picture has no page.
PICTURE: Final = "picture"

PRODUCT_KINDS: Final = (Kind.PRODUCT, Kind.VARIANT)
CATEGORY_KINDS: Final = (Kind.CATALOG, Kind.CATEGORY)
