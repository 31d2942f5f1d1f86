"""What the storefront's templates ask for; each tag costs a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.urls import translate_url
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import get_language_info
from wagtail.models import Page, PageQuerySet, Site

from wagtail_pim.models import (
    CatalogPage,
    CategoryPage,
    ProductPage,
)

from .. import structured_data
from ..listings import Listing, products_below
from ..pictures import with_cards

register = template.Library()

# What search engines show of a description.
DESCRIPTION_LENGTH = 160
# Wagtail's view, which also answers that there is no such page.
SERVE = "wagtail_serve"


@register.simple_tag(takes_context=True)
def listing(context: dict[str, Any], page: Page) -> Listing:
    """The products of a category, or of a whole catalog."""
    return Listing(products_below(page), context["request"].GET)


@register.simple_tag
def newest_products(page: Page | None, number: int) -> Iterable[ProductPage]:
    """The newest products below a page."""
    if page is None:
        return []
    products = ProductPage.objects.live().descendant_of(page)
    return with_cards(products.order_by("-first_published_at", "pk"))[:number]


@register.simple_tag
def related_to(page: Page) -> list[Any]:
    """The product's relations, with the pictures of what it is related to."""
    related = page.related_products()
    pages = [other for relation in related for other in relation.pages]
    prefetch_related_objects(pages, "primary_image__renditions")
    return related


@register.simple_tag
def subcategories(page: Page) -> PageQuerySet:
    categories = CategoryPage.objects.live().child_of(page)
    return categories.prefetch_related("primary_image__renditions")


@dataclass(frozen=True, slots=True)
class Branch:
    """A category with those right below it."""

    category: CategoryPage
    below: list[CategoryPage]


@register.simple_tag
def category_tree(catalog: Page) -> list[Branch]:
    """The two uppermost levels of a catalog's categories."""
    first = catalog.depth + 1
    categories = (
        CategoryPage.objects.live()
        .descendant_of(catalog)
        .filter(depth__lte=first + 1)
        .order_by("path")
        .prefetch_related("primary_image__renditions")
    )
    branches: dict[str, Branch] = {}
    for category in categories:
        if category.depth == first:
            branches[category.path] = Branch(category, [])
        elif branch := branches.get(category.path[: -Page.steplen]):
            branch.below.append(category)
    return list(branches.values())


@register.simple_tag
def breadcrumb(page: Page) -> list[Page]:
    """The page's ancestors from the home page down."""
    return list(page.get_ancestors().filter(depth__gt=1).live())


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


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the site, with the address of the page that is shown in it.

    Where the page is not there in it the address is that of the home page.
    """

    code: str
    url: str
    translation: Page | None

    @property
    def name(self) -> str:
        return get_language_info(self.code)["name_local"].capitalize()


@register.simple_tag(takes_context=True)
def languages(
    context: dict[str, Any], home: Page | None, page: Page | None
) -> list[Language]:
    """The languages in which the site has a home page, in the settings' order."""
    if home is None:
        return []
    request = context["request"]
    homes = _by_language(home)
    match = request.resolver_match
    # A view of the shop's own, such as the search, is there in all languages.
    is_view = not page and match is not None and match.url_name != SERVE
    pages = homes if page == home else _by_language(page) if page else {}

    def language(code: str) -> Language:
        if is_view:
            return Language(code, translate_url(request.get_full_path(), code), None)
        target = pages.get(code, homes[code])
        return Language(code, target.get_url(request) or "", pages.get(code))

    return [language(code) for code, _name in settings.LANGUAGES if code in homes]


def _by_language(page: Page) -> dict[str, Page]:
    translations = page.get_translations(inclusive=True).live()
    return {
        translation.locale.language_code: translation
        for translation in translations.select_related("locale")
    }


@register.simple_tag(takes_context=True)
def absolute(context: dict[str, Any], url: str) -> str:
    return context["request"].build_absolute_uri(url)


@register.simple_tag
def preview_image(page: Page, images: list[Any] | None) -> Any:
    """What stands for the page where others link to it, if it has a picture."""
    return images[0] if images else getattr(page, "primary_image", None)


@register.simple_tag(takes_context=True)
def canonical(context: dict[str, Any], page: Page) -> str:
    """The page's own address; of a listing that of its sheet, whatever is chosen."""
    request: HttpRequest = context["request"]
    sheet = request.GET.get("page", "")
    query = f"?page={sheet}" if sheet.isdecimal() and sheet != "1" else ""
    return structured_data.address(page, request) + query


@register.filter
def meta_description(page: Page | None) -> str:
    text = structured_data.plain_description(page) if page else ""
    return Truncator(text).chars(DESCRIPTION_LENGTH)


@register.simple_tag(takes_context=True)
def product_data(context: dict[str, Any]) -> SafeString:
    """The page's product for search engines."""
    page, images = context["page"], context["images"]
    product, request = context["product"], context["request"]
    if page == product:
        variants = context["picker"].variants
        data = structured_data.product(product, variants, images, request)
    else:
        data = structured_data.variant(page, product, images, request)
    return structured_data.as_script_content(data)


@register.simple_tag(takes_context=True)
def breadcrumb_data(context: dict[str, Any], ancestors: list[Page]) -> SafeString:
    data = structured_data.breadcrumb(ancestors, context["page"], context["request"])
    return structured_data.as_script_content(data)


@register.simple_tag(takes_context=True)
def query_with(context: dict[str, Any], **changes: Any) -> str:
    """The address's query string with some parameters changed."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        query[key] = value
    return f"?{query.urlencode()}"
