"""What people are told when the admin refuses them something that is the PIM's.

Wagtail has no hook by which a refusal could give its reason, so ``extending`` puts in
what is needed: ``explaining`` and ``explaining_bulk``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages
from wagtail.models import Page

from wagtail_pim.kinds import Kind
from wagtail_pim.locking.ownership import SyncedModelMixin
from wagtail_pim.locking.tree import why_managed
from wagtail_pim.markers import is_synced
from wagtail_pim.models import PimLink

PAGE_VIEWS: Final = frozenset({"copy", "delete", "move", "move_confirm", "unpublish"})
MODEL_VIEWS: Final = frozenset({"add", "copy", "delete", "unpublish"})
NAMED_AT_MOST: Final = 5


def explaining(
    permission_denied: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Wagtail's answer to whoever may not do something, with our reason if it is ours.

    A script gets what it got.
    """

    def explain(request: HttpRequest) -> HttpResponse:
        by_script = request.headers.get("x-requested-with") == "XMLHttpRequest"
        refusal = None if by_script else _refusal_of_page(request)
        refusal = refusal or (None if by_script else _refusal_of_model(request))
        if refusal is None:
            return permission_denied(request)
        reason, address = refusal
        messages.error(request, reason)
        return redirect(address)

    return explain


def _refusal_of_page(request: HttpRequest) -> tuple[str, str] | None:
    """For a managed page that its user may look at: why not, and where it is."""
    match = request.resolver_match
    if (
        match is None
        or "wagtailadmin_pages" not in match.namespaces
        or match.url_name not in PAGE_VIEWS
    ):
        return None
    page_id = match.kwargs.get("page_id") or match.kwargs.get("page_to_move_id")
    page = Page.objects.filter(pk=page_id).first()
    if page is None or not _managed([page]):
        return None
    if not page.permissions_for_user(request.user).can_edit():
        return None
    return why_managed(page), reverse("wagtailadmin_pages:edit", args=[page.pk])


def _refusal_of_model(request: HttpRequest) -> tuple[str, str] | None:
    """The same for the views of a snippet's or another model's viewset."""
    match = request.resolver_match
    if match is None or match.url_name not in MODEL_VIEWS:
        return None
    model = getattr(match.func, "view_initkwargs", {}).get("model")
    if not isinstance(model, type) or not _is_synced(model):
        return None
    for name in ("list", "index"):
        try:
            return why_model_is_managed(model), reverse(f"{match.namespace}:{name}")
        except NoReverseMatch:
            continue
    return None


def _is_synced(model: type) -> bool:
    return issubclass(model, SyncedModelMixin) and is_synced(model)


def why_model_is_managed(model: type[Model]) -> str:
    return _(
        "%(objects)s are managed in PIM: they are added, copied and deleted there, and "
        "not here."
    ) % {"objects": capfirst(model._meta.verbose_name_plural)}


def explaining_bulk(
    get_context_data: Callable[..., dict[str, Any]],
) -> Callable[..., dict[str, Any]]:
    """``PageBulkAction.get_context_data``, which lists the pages that are left out."""

    def explain(view: Any, **kwargs: Any) -> dict[str, Any]:
        context = get_context_data(view, **kwargs)
        refused = _managed([row["item"] for row in context["items_with_no_access"]])
        if refused:
            messages.warning(view.request, _why_left_out(refused))
        return context

    return explain


def _managed(pages: Sequence[Page]) -> list[Page]:
    """Those of the pages that are managed, in one query."""
    synced = [
        page
        for page in pages
        if issubclass(page.specific_class or Page, SyncedModelMixin)
    ]
    links = PimLink.objects.filter(page__in=[page.pk for page in synced])
    links = links.exclude(kind=Kind.CATALOG)
    linked = set(links.values_list("page_id", flat=True)) if synced else set()
    return [page for page in synced if page.pk in linked]


def _why_left_out(pages: Sequence[Page]) -> str:
    if len(pages) == 1:
        return why_managed(pages[0])
    named = [f"“{page.get_admin_display_title()}”" for page in pages[:NAMED_AT_MOST]]
    rest = len(pages) - len(named)
    if rest:
        more = ngettext("and %(count)s more", "and %(count)s more", rest)
        named.append(more % {"count": rest})
    return _(
        "%(count)d pages are managed in PIM (%(pages)s): they are moved, copied, "
        "unpublished and deleted there, and not here."
    ) % {"count": len(pages), "pages": ", ".join(named)}


def hide_conversion_to_alias(
    menu_items: list[Any], request: HttpRequest, context: dict[str, Any]
) -> None:
    """That of wagtail-localize: a page of the PIM's follows no other page."""
    page = context.get("page")
    if isinstance(page, SyncedModelMixin) and page.is_pim_managed():
        menu_items[:] = [i for i in menu_items if i.name != "localize-convert-to-alias"]


# Snippets: Wagtail asks the user, not the policy, whether to unpublish, and 7.4
# whether to delete many.


def hide_unpublishing(
    menu_items: list[Any], request: HttpRequest, context: dict[str, Any]
) -> None:
    if _is_synced(context["model"]):
        menu_items[:] = [i for i in menu_items if i.name != "action-unpublish"]


def refuse_deletion_of_snippets(
    request: HttpRequest, instances: Iterable[Any]
) -> HttpResponse | None:
    for instance in instances:
        if isinstance(instance, SyncedModelMixin) and instance.is_pim_managed():
            model: Any = type(instance)
            messages.error(request, why_model_is_managed(model))
            return redirect(model.snippet_viewset.get_url_name("list"))
    return None
