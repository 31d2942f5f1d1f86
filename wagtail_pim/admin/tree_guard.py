"""Where editors, bulk actions and APIs meet the guard of the tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from wagtail.actions.copy_page import CopyPageAction
from wagtail.actions.create_alias import CreatePageAliasAction
from wagtail.actions.delete_page import DeletePageAction
from wagtail.admin import messages
from wagtail.admin.api.actions.copy import CopyPageAPIAction
from wagtail.admin.api.actions.create_alias import CreatePageAliasAPIAction
from wagtail.admin.api.actions.delete import DeletePageAPIAction
from wagtail.admin.api.views import PagesAdminAPIViewSet
from wagtail.models import Page, PageQuerySet

from wagtail_pim.locking.pages import MANAGED_ANNOTATION
from wagtail_pim.locking.tree import (
    managed_below,
    refuse_copy_with_subpages,
    why_not_copied,
    why_not_deleted,
)
from wagtail_pim.models import PimLink


def mark_managed_pages(
    parent_page: Page, pages: PageQuerySet, request: HttpRequest
) -> PageQuerySet:
    """Spares the explorer a query for each page that it lists."""
    link = PimLink.objects.filter(page=OuterRef("pk"))
    return pages.annotate(**{MANAGED_ANNOTATION: Exists(link)})


def allowing_order(
    get_reorder_url: Callable[[Any], str],
) -> Callable[[Any], str | None]:
    """The explorer's address to reorder at: none where its user may not do that.

    Wagtail asks only when pages are moved, and its script takes a refusal for success.
    """

    def allowed(view: Any) -> str | None:
        may_order = view.permissions.can_reorder_children()
        return get_reorder_url(view) if may_order else None

    return allowed


def before_delete_page(request: HttpRequest, page: Page) -> HttpResponse | None:
    if not managed_below(page):
        return None
    messages.error(request, why_not_deleted(page))
    return redirect("wagtailadmin_explore", page.pk)


def after_unpublish_page(request: HttpRequest, page: Page) -> None:
    _tell_what_stays_published(request, [page])


def after_bulk_action(
    request: HttpRequest, action_type: str, objects: list[Any], action: Any
) -> None:
    if action_type == "unpublish":
        _tell_what_stays_published(request, objects)


def _tell_what_stays_published(request: HttpRequest, objects: list[Any]) -> None:
    pages = [page for page in objects if isinstance(page, Page)]
    if request.POST.get("include_descendants") and any(map(managed_below, pages)):
        messages.warning(
            request, _("Pages below that are managed in PIM stay published.")
        )


def before_copy_page(request: HttpRequest, page: Page) -> HttpResponse | None:
    if not request.POST.get("copy_subpages") or not managed_below(page):
        return None
    messages.error(request, why_not_copied(page))
    return redirect("wagtailadmin_pages:copy", page.pk)


def before_bulk_action(
    request: HttpRequest, action_type: str, objects: list[Any], action: Any
) -> HttpResponse | None:
    if action_type != "delete":
        return None
    refused = [page for page in objects if isinstance(page, Page)]
    refused = [page for page in refused if managed_below(page)]
    for page in refused:
        messages.error(request, why_not_deleted(page))
    return redirect(action.next_url) if refused else None


# Wagtail's APIs run actions, of which one that a person starts has a user.


class GuardedDeletePageAction(DeletePageAction):
    def check(self, *args: Any, **kwargs: Any) -> None:
        if self.user and managed_below(self.page):
            raise PermissionDenied(why_not_deleted(self.page))
        super().check(*args, **kwargs)


class _GuardedCopyMixin:
    """For both a copy and an alias."""

    def check(self: Any, *args: Any, **kwargs: Any) -> None:
        if self.user and self.recursive:
            refuse_copy_with_subpages(self.page)
        super().check(*args, **kwargs)  # type: ignore[misc]


class GuardedCopyPageAction(_GuardedCopyMixin, CopyPageAction):
    pass


class GuardedCreatePageAliasAction(_GuardedCopyMixin, CreatePageAliasAction):
    pass


def register_actions(registry: Any) -> None:
    """For the API of Wagtail 8."""
    for action in (
        GuardedDeletePageAction,
        GuardedCopyPageAction,
        GuardedCreatePageAliasAction,
    ):
        registry.register(Page, action)


class GuardedDeleteAPIAction(DeletePageAPIAction):
    def execute(self, instance: Page, data: Any) -> Any:
        if managed_below(instance):
            raise PermissionDenied(why_not_deleted(instance))
        return super().execute(instance, data)


class _GuardedCopyAPIMixin:
    def execute(self, instance: Page, data: Any) -> Any:
        if data["recursive"]:
            refuse_copy_with_subpages(instance)
        return super().execute(instance, data)  # type: ignore[misc]


class GuardedCopyAPIAction(_GuardedCopyAPIMixin, CopyPageAPIAction):
    pass


class GuardedAliasAPIAction(_GuardedCopyAPIMixin, CreatePageAliasAPIAction):
    pass


class GuardedPagesAdminAPIViewSet(PagesAdminAPIViewSet):
    actions = {
        **PagesAdminAPIViewSet.actions,
        "delete": GuardedDeleteAPIAction,
        "copy": GuardedCopyAPIAction,
        "create_alias": GuardedAliasAPIAction,
    }


def construct_admin_api(router: Any) -> None:
    router.register_endpoint("pages", GuardedPagesAdminAPIViewSet)
