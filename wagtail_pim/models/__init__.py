from .links import PimAsset, PimLink
from .options import PIMOptions
from .pages import CatalogPage, CategoryPage, ProductPage, VariantPage
from .relations import (
    CategoryMembership,
    ProductAsset,
    ProductRelation,
    RelationshipType,
)
from .runs import JobRun, JobRunItem, JobSchedule
from .setup import SetupRecord

__all__ = [
    "CatalogPage",
    "CategoryMembership",
    "CategoryPage",
    "JobRun",
    "JobRunItem",
    "JobSchedule",
    "PIMOptions",
    "PimAsset",
    "PimLink",
    "ProductAsset",
    "ProductPage",
    "ProductRelation",
    "RelationshipType",
    "SetupRecord",
    "VariantPage",
]
