"""The tests' site with wagtail-localize.

It brings a screen for locales of its own, and stands in for simple_translation.
"""

from tests.settings import *  # noqa: F403

REPLACED = ("wagtail.locales", "wagtail.contrib.simple_translation")
INSTALLED_APPS = [
    "wagtail_localize",
    "wagtail_localize.locales",
    *(app for app in INSTALLED_APPS if app not in REPLACED),  # noqa: F405
]
