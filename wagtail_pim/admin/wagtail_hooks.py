from __future__ import annotations

from django.urls import URLResolver, include, path
from wagtail import hooks

from . import urls


@hooks.register("register_admin_urls")
def register_admin_urls() -> list[URLResolver]:
    return [path("pim/", include(urls))]
