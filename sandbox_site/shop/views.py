from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from wagtail.models import Locale

from .listings import Found


def search(request: HttpRequest) -> HttpResponse:
    """Products in the visitor's language that match the words of ``q``."""
    words = " ".join(request.GET.get("q", "").replace("\0", "").split())
    found = Found(words, Locale.get_active()) if words else None
    return render(
        request,
        "shop/search.html",
        {
            "words": words,
            "found": found,
            "listing": found and found.listing(request),
        },
    )
