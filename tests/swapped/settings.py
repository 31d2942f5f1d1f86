"""A site without the sandbox's shop, whose images and documents are its own."""

from sandbox_site.settings import *  # noqa: F403

INSTALLED_APPS = [
    "tests.swapped",
    *(app for app in INSTALLED_APPS if app != "sandbox_site.shop"),  # noqa: F405
]
ROOT_URLCONF = "tests.swapped.urls"
WAGTAILIMAGES_IMAGE_MODEL = "swapped.Photo"
WAGTAILDOCS_DOCUMENT_MODEL = "swapped.Leaflet"
WAGTAIL_PIM = {}
