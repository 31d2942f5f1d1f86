from .links import PimAsset, PimLink
from .options import PIMOptions
from .pages import CatalogPage, CategoryPage, ProductPage, VariantPage
from .relations import CategoryMembership

__all__ = [
    "CatalogPage",
    "CategoryMembership",
    "CategoryPage",
    "PIMOptions",
    "PimAsset",
    "PimLink",
    "ProductPage",
    "VariantPage",
]
