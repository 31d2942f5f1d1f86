from __future__ import annotations

from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet

from wagtail_pim.locking.viewsets import SyncedSnippetViewSetMixin

from .models import Brand


class BrandViewSet(SyncedSnippetViewSetMixin, SnippetViewSet):
    """The PIM names the brands; the shop tells their stories."""

    model = Brand


register_snippet(BrandViewSet)
