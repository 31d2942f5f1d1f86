"""Where editors, bulk actions and APIs meet the guard of the tree, and are told why."""

from __future__ import annotations

from functools import wraps
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from wagtail.actions.copy_page import CopyPageAction
from wagtail.actions.create_alias import CreatePageAliasAction
from wagtail.actions.delete_page import DeletePageAction
from wagtail.admin import auth, messages
from wagtail.admin.api.actions.copy import CopyPageAPIAction
from wagtail.admin.api.actions.create_alias import CreatePageAliasAPIAction
from wagtail.admin.api.actions.delete import DeletePageAPIAction
from wagtail.admin.api.views import PagesAdminAPIViewSet
from wagtail.admin.views.pages.bulk_actions.page_bulk_action import PageBulkAction
from wagtail.models import Page, PageQuerySet

from wagtail_pim.locking.ownership import SyncedModelMixin
from wagtail_pim.locking.pages import MANAGED_ANNOTATION
from wagtail_pim.locking.tree import (
    managed_below,
    refuse_copy_with_subpages,
    why_managed,
    why_not_copied,
    why_not_deleted,
)
from wagtail_pim.models import PimLink

GUARDED_VIEWS: Final = frozenset(
    {"copy", "delete", "move", "move_confirm", "unpublish"}
)


def mark_managed_pages(
    parent_page: Page, pages: PageQuerySet, request: HttpRequest
) -> PageQuerySet:
    """Spares the explorer a query for each page that it lists."""
    link = PimLink.objects.filter(page=OuterRef("pk"))
    return pages.annotate(**{MANAGED_ANNOTATION: Exists(link)})


def before_delete_page(request: HttpRequest, page: Page) -> HttpResponse | None:
    if not managed_below(page):
        return None
    messages.error(request, why_not_deleted(page))
    return redirect("wagtailadmin_explore", page.pk)


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


class _GuardedDeleteAPIAction(DeletePageAPIAction):
    def execute(self, instance: Page, data: Any) -> Any:
        if managed_below(instance):
            raise PermissionDenied(why_not_deleted(instance))
        return super().execute(instance, data)


class _GuardedCopyAPIMixin:
    def execute(self, instance: Page, data: Any) -> Any:
        if data["recursive"]:
            refuse_copy_with_subpages(instance)
        return super().execute(instance, data)  # type: ignore[misc]


class _GuardedCopyAPIAction(_GuardedCopyAPIMixin, CopyPageAPIAction):
    pass


class _GuardedAliasAPIAction(_GuardedCopyAPIMixin, CreatePageAliasAPIAction):
    pass


class GuardedPagesAdminAPIViewSet(PagesAdminAPIViewSet):
    actions = {
        **PagesAdminAPIViewSet.actions,
        "delete": _GuardedDeleteAPIAction,
        "copy": _GuardedCopyAPIAction,
        "create_alias": _GuardedAliasAPIAction,
    }


def construct_admin_api(router: Any) -> None:
    router.register_endpoint("pages", GuardedPagesAdminAPIViewSet)


# Wagtail has no hook by which a refusal could give its reason.


def explain_refusals() -> None:
    """Let Wagtail's views say why they refuse a managed page; done once at start."""
    if hasattr(auth.permission_denied, "__wrapped__"):
        return
    auth.permission_denied = _explaining(auth.permission_denied)
    PageBulkAction.get_context_data = _explaining_bulk(PageBulkAction.get_context_data)


def _explaining(permission_denied: Any) -> Any:
    @wraps(permission_denied)
    def explain(request: HttpRequest) -> HttpResponse:
        page = _refused_page(request)
        by_script = request.headers.get("x-requested-with") == "XMLHttpRequest"
        if page is None or by_script:
            return permission_denied(request)
        messages.error(request, why_managed(page))
        return redirect("wagtailadmin_pages:edit", page.pk)

    return explain


def _refused_page(request: HttpRequest) -> Page | None:
    """The managed page that the view is about, if its user may look at it."""
    match = request.resolver_match
    if match is None or "wagtailadmin_pages" not in match.namespaces:
        return None
    if match.url_name not in GUARDED_VIEWS:
        return None
    page_id = match.kwargs.get("page_id") or match.kwargs.get("page_to_move_id")
    page = Page.objects.filter(pk=page_id).first()
    if page is None or not _is_managed(page):
        return None
    return page if page.permissions_for_user(request.user).can_edit() else None


def _is_managed(page: Page) -> bool:
    specific = page.specific_deferred
    return isinstance(specific, SyncedModelMixin) and specific.is_pim_managed()


def _explaining_bulk(get_context_data: Any) -> Any:
    @wraps(get_context_data)
    def explain(self: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = get_context_data(self, **kwargs)
        for refused in context["items_with_no_access"]:
            if _is_managed(refused["item"]):
                messages.warning(self.request, why_managed(refused["item"]))
        return context

    return explain
