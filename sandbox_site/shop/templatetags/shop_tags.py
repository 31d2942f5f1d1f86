"""What the storefront's templates ask for; each tag costs a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.core.paginator import Page as Sheet
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from wagtail.models import Page, PageQuerySet, Site

from wagtail_pim.models import (
    CatalogPage,
    CategoryPage,
    ProductPage,
    VariantPage,
)

register = template.Library()

PRODUCTS_ON_A_SHEET = 24
SIZES = ["XS", "S", "M", "L", "XL", "XXL", "XXXL"]


def sheet_of(products: Any, request: HttpRequest) -> Sheet:
    """The part of a listing or of search results that the visitor asked for."""
    return Paginator(products, PRODUCTS_ON_A_SHEET).get_page(request.GET.get("page"))


def with_cards(products: PageQuerySet) -> QuerySet:
    """Products as their own types, with the pictures that their cards show."""
    return products.specific().prefetch_related("primary_image__renditions")


@register.simple_tag(takes_context=True)
def listing(context: dict[str, Any], page: Page) -> Sheet:
    """A sheet of the products of a category, or of a whole catalog."""
    if isinstance(page, CategoryPage):
        products = page.products()
    else:
        products = (
            ProductPage.objects.live().descendant_of(page).order_by("title", "pk")
        )
    return sheet_of(with_cards(products), context["request"])


@register.simple_tag
def some_products(page: Page, number: int) -> Iterable[ProductPage]:
    """The newest products below a page."""
    products = ProductPage.objects.live().descendant_of(page)
    return with_cards(products.order_by("-first_published_at", "pk"))[:number]


@register.simple_tag
def variants_of(product: ProductPage) -> list[VariantPage]:
    """A product's variants, colour by colour and from small to large."""

    def order(variant: VariantPage) -> tuple[str, int, str]:
        size = getattr(variant, "size", "")
        place = SIZES.index(size) if size in SIZES else len(SIZES)
        return getattr(variant, "colour", ""), place, variant.title

    return sorted(with_cards(product.variants()), key=order)


@register.simple_tag
def parent_of(page: Page) -> Page:
    return page.get_parent().specific


@register.simple_tag
def subcategories(page: Page) -> PageQuerySet:
    return CategoryPage.objects.live().child_of(page)


@register.simple_tag
def breadcrumb(page: Page) -> PageQuerySet:
    """The page's ancestors from the home page down."""
    return page.get_ancestors().filter(depth__gt=1).live()


@register.simple_tag
def galleries(variants: Iterable[VariantPage]) -> list[VariantPage]:
    """One variant for each picture, as the sizes of a colour look the same."""
    seen: dict[int, VariantPage] = {}
    for variant in variants:
        if variant.primary_image_id is not None:
            seen.setdefault(variant.primary_image_id, variant)
    return list(seen.values())


@register.simple_tag(takes_context=True)
def home_page(context: dict[str, Any]) -> Page | None:
    """The site's home page in the language of the page that is shown."""
    site = Site.find_for_request(context["request"])
    return site.root_page.localized if site else None


@register.simple_tag
def top_categories(home: Page | None) -> PageQuerySet:
    """The categories that stand first in the catalogs of the site."""
    if home is None:
        return CategoryPage.objects.none()
    categories = CategoryPage.objects.live().descendant_of(home)
    return categories.filter(depth=home.depth + 2)


@register.simple_tag
def catalogs_of(home: Page | None) -> PageQuerySet:
    if home is None:
        return CatalogPage.objects.none()
    return CatalogPage.objects.live().child_of(home)


@register.simple_tag
def languages_of(page: Page | None) -> Iterable[Page]:
    """The same page in the site's languages, if it is there in more than one."""
    if not page:
        return []
    pages = list(page.get_translations(inclusive=True).live().select_related("locale"))
    return sorted(pages, key=lambda p: p.locale_id) if len(pages) > 1 else []


@register.simple_tag(takes_context=True)
def query_with(context: dict[str, Any], **changes: Any) -> str:
    """The address's query string with some parameters changed."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        query[key] = value
    return f"?{query.urlencode()}"
