"""The sandbox's URLs, and Wagtail's API for writing where there is one."""

import wagtail
from django.urls import path

from sandbox_site.urls import urlpatterns as sandbox_urls

urlpatterns = [*sandbox_urls]

if wagtail.VERSION >= (8, 0):
    from wagtail.api.v3.urls import api

    urlpatterns.insert(0, path("api/v3/", api.urls))
