"""Catalog pages: whose values are the PIM's, and who may do what with them."""

from __future__ import annotations

from typing import Any, Final

from django.utils.functional import classproperty
from wagtail.models import Page, PagePermissionTester
from wagtail.utils.decorators import cached_classmethod

from wagtail_pim.markers import is_synced

from .forms import refusing_form
from .ownership import SyncedModelMixin
from .panels import locked_edit_handler
from .permissions import ManagedPagePermissionTester

# Set on pages by a query that knows, so that a listing need not ask for each.
MANAGED_ANNOTATION: Final = "_pim_managed"


class SyncedPageMixin(SyncedModelMixin):
    """A page type of the catalog; stands before ``Page`` among the bases.

    A page is managed in the PIM if it has a ``PimLink``; one made by hand is not, and
    its editors may change all of it.
    """

    class Meta:
        abstract = True

    def is_pim_managed(self) -> bool:
        return is_synced(type(self)) and has_link(self)

    def pim_row(self) -> Any:
        if not is_synced(type(self)):
            return None
        page = self
        while page.alias_of_id is not None and page.alias_of is not None:
            page = page.alias_of
        return page.pk if has_link(page) else None

    @cached_classmethod
    def get_edit_handler(cls: Any) -> Any:
        unlocked = super().get_edit_handler
        # Ours alone is cleared when settings change.
        unlocked.cache_clear()
        return locked_edit_handler(unlocked())

    @classproperty
    def api_base_form_class(cls: Any) -> Any:
        return refusing_form(cls.get_edit_handler().base_form_class)

    def permissions_for_user(self, user: Any) -> PagePermissionTester:
        return ManagedPagePermissionTester(user, self)


def has_link(page: Page) -> bool:
    annotated = vars(page).get(MANAGED_ANNOTATION)
    return hasattr(page, "pim_link") if annotated is None else bool(annotated)
