"""The side panel "PIM" of the page editor: which record the page shows, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.side_panels import BaseSidePanel
from wagtail.admin.views.pages.edit import EditView
from wagtail.models import Page

from wagtail_pim.jobs.items import LANGUAGE_SEPARATOR
from wagtail_pim.jobs.words import run_title
from wagtail_pim.kinds import PRODUCT_KINDS, Kind
from wagtail_pim.locking.labels import field_label
from wagtail_pim.locking.ownership import owned_fields
from wagtail_pim.locking.pages import SyncedPageMixin
from wagtail_pim.models import JobRun, PimLink

from .addresses import product_addresses
from .permissions import REFRESH_PRODUCTS

# What a job can change besides the fields.
OTHER_LABELS: Final = {
    "parent": gettext_lazy("Place in the page tree"),
    "categories": gettext_lazy("Categories"),
    "assets": gettext_lazy("Pictures and documents"),
    "related": gettext_lazy("Related products"),
    "alias_of": gettext_lazy("Alias of"),
    "live": gettext_lazy("Published state"),
}


def link_of(page: Page) -> PimLink | None:
    """The record of the PIM that a page shows; pages of other types cost no query."""
    if not isinstance(page, SyncedPageMixin):
        return None
    return getattr(page, "pim_link", None)


def may_refresh(user: Any, page: Page) -> bool:
    """Whether the user may have the page's product pulled from the PIM."""
    link = link_of(page)
    return link is not None and may_refresh_record(user, link, page)


def may_refresh_record(user: Any, link: PimLink, page: Page) -> bool:
    """The same where the page's record is at hand."""
    return (
        link.kind in PRODUCT_KINDS
        and user.has_perm(REFRESH_PRODUCTS)
        and page.permissions_for_user(user).can_edit()
    )


def label_of(model: type[Page], name: str) -> str:
    """What editors call a field, a relation, or another thing that a job changes.

    Of a translation, it has the locale's code before the name.
    """
    code, _separator, name = name.rpartition(LANGUAGE_SEPARATOR)
    other = OTHER_LABELS.get(name)
    label = field_label(model, name) if other is None else str(other)
    return f"{label} ({code})" if code else label


class PimSidePanel(BaseSidePanel):
    """Facts of the page's PimLink, and the button that refreshes a product."""

    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = gettext_lazy("Toggle PIM")
        icon_name = "download"
        has_counter = False

    name = "pim"
    title = gettext_lazy("PIM")
    template_name = "wagtail_pim/admin/side_panel.html"
    order = 150

    def __init__(self, page: Page, request: Any, link: PimLink) -> None:
        super().__init__(page, request)
        self._link = link

    @property
    def media(self) -> forms.Media:
        return forms.Media(
            css={"all": [versioned_static("wagtail_pim/css/side-panel.css")]}
        )

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        page, link = self.object, self._link
        context = {
            **super().get_context_data(parent_context),
            "link": link,
            "run": self._run(),
            "kind": capfirst(link.get_kind_display()),
            "is_product": link.kind in PRODUCT_KINDS,
            "is_catalog": link.kind == Kind.CATALOG,
            "is_variant": link.kind == Kind.VARIANT,
            "owned_labels": self._owned_labels(),
        }
        if link.kind in PRODUCT_KINDS:
            number = page.product_number
            context |= {
                "number": number,
                "address_in_pim": product_addresses()(link.guid, number),
                "may_refresh": may_refresh(self.request.user, page),
                "placed_in": self._linked([page.get_parent()]),
                "listed_in": self._linked(page.listed_in()),
                "pictures": self._linked(page.images()),
                "documents": self._linked(page.documents()),
                "related": [
                    (related.name, self._linked(related.pages))
                    for related in page.related_products()
                ],
            }
        elif link.kind == Kind.CATEGORY:
            context["listed_count"] = page.products().count()
        return context

    def _run(self) -> tuple[str, str] | None:
        """Title and address of the run that wrote the page last, to whom may look."""
        run = JobRun.objects.filter(pk=self._link.run_id).first()
        url = AdminURLFinder(self.request.user).get_edit_url(run) if run else None
        return (run_title(run), url) if run and url else None

    def _owned_labels(self) -> list[str]:
        """What a page of any type has first, then the rest by name."""
        names = set(owned_fields(self.model))
        if self._link.kind in PRODUCT_KINDS:
            names |= {"assets", "categories", "related"}
        labels = {name: label_of(self.model, name) for name in names}
        first = [labels.pop(name) for name in ("title", "slug") if name in labels]
        return [*first, *sorted(set(labels.values()), key=str.casefold)]

    def _linked(self, objects: Iterable[Any]) -> list[tuple[str, str | None]]:
        """(title, address) pairs; without an address what the user may not edit."""
        urls = AdminURLFinder(self.request.user)
        return [
            (
                each.get_admin_display_title() if isinstance(each, Page) else str(each),
                urls.get_edit_url(each),
            )
            for each in objects
        ]


def panels_of_pim(view: EditView) -> Iterator[PimSidePanel]:
    """The panel of a managed page; answers to scripts do without, as of others."""
    if view.expects_json_response or view.hydrate_create_view:
        return
    link = link_of(view.page)
    if link is not None:
        yield PimSidePanel(view.page, view.request, link)


def adding_pim(get_side_panels: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``EditView.get_side_panels``, also that of a site's own view, with ours."""

    def with_pim(view: Any) -> Any:
        panels = get_side_panels(view)
        # After the status, which comes first.
        panels[1:1] = panels_of_pim(view)
        return panels

    return with_pim
