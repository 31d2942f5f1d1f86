from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from wagtail.models import Locale

from wagtail_pim.models import ProductPage

from .templatetags.shop_tags import sheet_of, with_cards


def search(request: HttpRequest) -> HttpResponse:
    """Products in the visitor's language that match the words of ``q``."""
    words = request.GET.get("q", "").replace("\0", "").strip()
    results = None
    if words:
        products = ProductPage.objects.live().filter(locale=Locale.get_active())
        results = sheet_of(with_cards(products).search(words), request)
    return render(request, "shop/search.html", {"words": words, "results": results})
