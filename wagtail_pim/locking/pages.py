"""Catalog pages: whose values are the PIM's, and who may do what with them."""

from __future__ import annotations

from typing import Any, Final

from django.db import connections, router
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.utils.functional import classproperty
from wagtail.models import Page, PagePermissionTester
from wagtail.utils.decorators import cached_classmethod

from wagtail_pim.markers import is_synced

from .forms import refusing_form
from .ownership import (
    SyncedModelMixin,
    is_pim_writing,
    is_saving_owned,
    owned_columns,
    values_of_row,
)
from .panels import locked_edit_handler
from .permissions import ManagedPagePermissionTester

# Set on pages by a query that knows, so that a listing need not ask for each.
MANAGED_ANNOTATION: Final = "_pim_managed"


TREE_COLUMNS: Final = frozenset({"path", "depth", "numchild"})


class SyncedPageMixin(SyncedModelMixin):
    """A page type of the catalog; stands before ``Page`` among the bases.

    A page is managed in the PIM if it has a ``PimLink``; one made by hand is not, and
    its editors may change all of it.
    """

    kept_columns = TREE_COLUMNS | {"live"}

    live: bool

    class Meta:
        abstract = True

    def marked_class(self) -> Any:
        # A page may have been read as one of a base class.
        return self.specific_class or type(self)

    def is_pim_managed(self) -> bool:
        return is_synced(self.marked_class()) and has_link(self)

    def pim_source_pk(self, using: str | None = None) -> Any:
        if not is_synced(self.marked_class()):
            return None
        page = original_of(self)
        return page.pk if has_link(page, using) else None

    def take_values_of_row(self, using: str, *, lock: bool = False) -> dict[str, Any]:
        wanted_live = self.live
        values = super().take_values_of_row(using, lock=lock)
        if "live" in values:
            self.live = wanted_live and may_be_live(self, values)
        return values

    def update_aliases(self, **kwargs: Any) -> None:
        # Aliases take their child objects from the page in memory.
        page = self.specific
        if not is_pim_writing():
            page.take_values_of_row(router.db_for_write(type(page), instance=page))
        super().update_aliases(**kwargs)

    update_aliases.alters_data = True  # type: ignore[attr-defined]

    @cached_classmethod
    def get_edit_handler(cls: Any) -> Any:
        unlocked = super().get_edit_handler
        # Ours alone is cleared when settings change.
        unlocked.cache_clear()
        return locked_edit_handler(unlocked())

    @classproperty
    def api_base_form_class(cls: Any) -> Any:
        handler = cls.get_edit_handler()
        return refusing_form(handler.base_form_class or cls.base_form_class)

    def permissions_for_user(self, user: Any) -> PagePermissionTester:
        return ManagedPagePermissionTester(user, self)


def has_link(page: Page, using: str | None = None) -> bool:
    """Whether the page is managed; with ``using``, as this database has it now."""
    if using is not None:
        links: Any = Page._meta.get_field("pim_link").related_model
        return links._base_manager.using(using).filter(page_id=page.pk).exists()
    annotated = vars(page).get(MANAGED_ANNOTATION)
    return hasattr(page, "pim_link") if annotated is None else bool(annotated)


def may_be_live(page: Page, row: dict[str, Any]) -> bool:
    """What the PIM took off the site, nobody else puts back: it is a draft."""
    if not row["live"]:
        page.has_unpublished_changes, page.live_revision_id = True, None
    return bool(row["live"])


def original_of(page: Page) -> Page:
    """The page that an alias follows, through however many others; else the page."""
    seen: set[int] = set()
    while page.alias_of_id is not None and page.pk not in seen:
        seen.add(page.pk)
        page = page.alias_of
    return page


@receiver(pre_save, sender=Page)
def keep_values_of_row(
    instance: Page,
    raw: bool,
    using: str,
    update_fields: frozenset[str] | None,
    **_kwargs: Any,
) -> None:
    """Does for a page that was read as a mere ``Page`` what its own class would."""
    marked: Any = instance.specific_class
    if (
        raw
        or is_pim_writing()
        or not issubclass(marked or Page, SyncedPageMixin)
        or (update_fields and not is_saving_owned(Page, marked, update_fields))
        or not is_synced(marked)
        or not has_link(original := original_of(instance), using)
    ):
        return
    columns = owned_columns(Page, marked)
    kept: frozenset[str] = frozenset()
    if original.pk == instance.pk:
        kept = marked.kept_columns
        columns |= kept - {"live"}
    else:
        columns -= {"slug", "url_path"}
    lock = connections[using].in_atomic_block
    values = values_of_row(Page, original.pk, columns | kept, using=using, lock=lock)
    if values is None:
        return
    if "live" in kept and "live" in (update_fields or kept):
        instance.live = instance.live and may_be_live(instance, values)
    if values.get("slug") == instance.slug:
        # If it has another URL, it has been moved.
        columns -= {"url_path"}
    elif "slug" in columns and "slug" in (update_fields or columns):
        _keep_urls_of_descendants(instance)
    for name in columns:
        setattr(instance, name, values[name])


def _keep_urls_of_descendants(page: Any) -> None:
    """``Page.save()`` has already seen another slug, and will write it to them."""

    def write_nothing(old_url_path: str, new_url_path: str) -> None:
        del page._update_descendant_url_paths

    page._update_descendant_url_paths = write_nothing
