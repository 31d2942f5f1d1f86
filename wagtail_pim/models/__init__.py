from .links import PimAsset, PimLink
from .options import PIMOptions
from .pages import CatalogPage, CategoryPage, ProductPage, VariantPage
from .relations import CategoryMembership
from .runs import JobRun, JobRunItem, JobSchedule

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
    "ProductPage",
    "VariantPage",
]
