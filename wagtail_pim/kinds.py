"""The kinds of records that have pages."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    CATALOG = "catalog"
    CATEGORY = "category"
    PRODUCT = "product"
    VARIANT = "variant"


# What else a run tells of; these have no page.
PICTURE: Final = "picture"
DOCUMENT: Final = "document"
ASSET_KINDS: Final = (PICTURE, DOCUMENT)


class SetupKind(StrEnum):
    """What the site defines in the PIM."""

    LANGUAGE = "language"
    WEBSITE = "website"
    RELATIONSHIP = "relationship"
    PROPERTY = "property"
    TEMPLATE = "template"
    ASSIGNMENT = "assignment"


PRODUCT_KINDS: Final = (Kind.PRODUCT, Kind.VARIANT)
CATEGORY_KINDS: Final = (Kind.CATALOG, Kind.CATEGORY)
