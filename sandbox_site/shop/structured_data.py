"""What search engines read: schema.org's vocabulary as JSON-LD."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.http import HttpRequest
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from wagtail.models import Page

from wagtail_pim.models import ProductPage, VariantPage

from .picker import colour_of, size_of

CURRENCY: Final = "EUR"
CONTEXT: Final = "https://schema.org"
PICTURE: Final = "max-1200x1200|format-jpeg"

# A text of the PIM must not end the script element it stands in.
ESCAPES: Final = {ord(c): f"\\u{ord(c):04X}" for c in "<>&\u2028\u2029"}


def as_script_content(data: dict[str, Any]) -> SafeString:
    return SafeString(json.dumps(data, ensure_ascii=False).translate(ESCAPES))


def plain_description(page: Page) -> str:
    """What the editors or the PIM say of a page, without markup."""
    for name in ("search_description", "summary", "description"):
        markup = str(getattr(page, name, "") or "")
        # Paragraphs and list items stay words apart.
        if words := html.unescape(strip_tags(markup.replace("<", " <"))).split():
            return " ".join(words)
    return ""


def breadcrumb(
    ancestors: Iterable[Page], page: Page, request: HttpRequest
) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "@type": "BreadcrumbList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": position,
                "name": step.title,
                "item": address(step, request),
            }
            for position, step in enumerate([*ancestors, page], start=1)
        ],
    }


def product(
    page: ProductPage,
    variants: Sequence[VariantPage],
    images: Sequence[Any],
    request: HttpRequest,
) -> dict[str, Any]:
    """A product, or what its variants have in common and then each of them."""
    if not variants:
        return {
            "@context": CONTEXT,
            **_described(page, images, request),
            **_offer(page, request),
            "@type": "Product",
            "sku": page.product_number,
        }
    return {
        "@context": CONTEXT,
        **_described(page, images, request),
        "@type": "ProductGroup",
        "productGroupID": page.product_number,
        "variesBy": [
            f"{CONTEXT}/{name}"
            for name, value_of in (("color", colour_of), ("size", size_of))
            if len({value_of(variant) for variant in variants}) > 1
        ],
        "hasVariant": [
            _variant(variant, _picture(variant), request) for variant in variants
        ],
    }


def variant(
    page: VariantPage, parent: ProductPage, images: Sequence[Any], request: HttpRequest
) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        **_described(parent, [], request),
        **_variant(page, images, request),
        "isVariantOf": {
            "@type": "ProductGroup",
            "name": parent.title,
            "productGroupID": parent.product_number,
            "url": address(parent, request),
        },
    }


def address(page: Page, request: HttpRequest) -> str:
    """In full, at the host that the site is known by; empty if it has none."""
    return page.get_full_url(request) or ""


def _described(
    page: Page, images: Sequence[Any], request: HttpRequest
) -> dict[str, Any]:
    described = {
        "name": page.title,
        "url": address(page, request),
        "description": plain_description(page),
        "image": _addresses(images, request),
    }
    if brand := getattr(page, "brand", None):
        described["brand"] = {"@type": "Brand", "name": brand.name}
    return {name: value for name, value in described.items() if value}


def _variant(
    page: VariantPage, images: Sequence[Any], request: HttpRequest
) -> dict[str, Any]:
    described = {
        "color": colour_of(page),
        "size": size_of(page),
        "gtin": getattr(page, "ean", ""),
    }
    return {
        **_described(page, images, request),
        **{name: value for name, value in described.items() if value},
        **_offer(page, request),
        "@type": "Product",
        "sku": page.product_number,
    }


def _offer(page: Page, request: HttpRequest) -> dict[str, Any]:
    price = getattr(page, "price", None)
    if price is None:
        return {}
    offer = {
        "@type": "Offer",
        "price": f"{price:.2f}",
        "priceCurrency": CURRENCY,
        "url": address(page, request),
    }
    in_stock = getattr(page, "in_stock", None)
    if in_stock is not None:
        stock = "InStock" if in_stock else "OutOfStock"
        offer["availability"] = f"{CONTEXT}/{stock}"
    return {"offers": offer}


def _picture(page: VariantPage) -> list[Any]:
    return [page.primary_image] if page.primary_image else []


def _addresses(images: Sequence[Any], request: HttpRequest) -> list[str]:
    return [
        request.build_absolute_uri(image.get_rendition(PICTURE).url) for image in images
    ]
