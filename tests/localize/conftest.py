"""For ``tests.localize.settings``, with which ``tests/test_localize.py`` runs this."""

from django.apps import apps

from tests.jobs.test_languages import german, locales
from tests.locking.conftest import trial_page

__all__ = ["german", "locales", "trial_page"]

if not apps.is_installed("wagtail_localize"):
    collect_ignore_glob = ["test_*.py"]
