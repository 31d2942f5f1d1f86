"""The screen "Field mapping": the site's definitions held against the PIM's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from wagtail_pim.catalog.setup_changes import State
from wagtail_pim.jobs import SynchronizeSetupData
from wagtail_pim.jobs.setup_overview import ClassOverview, SetupOverview

from .permissions import may_view


@method_decorator(may_view, name="dispatch")
class MappingView(WagtailAdminTemplateMixin, TemplateView):
    """Asks the PIM each time, and writes nothing, here or there."""

    template_name = "wagtail_pim/admin/mapping.html"
    page_title = gettext_lazy("Field mapping")
    header_icon = "table"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        overview = SetupOverview.read()
        # Without the PIM there are no states to choose from.
        chosen = None if overview.error else self._chosen_state()
        return {
            **super().get_context_data(**kwargs),
            "overview": overview,
            "chosen": chosen,
            "filters": list(_filters(chosen)),
            "classes": list(_of_state(overview, chosen)),
            "others": [
                (kind, heading, [row for row in rows if chosen in (None, row.state)])
                for kind, heading, rows in overview.others
            ],
            "rest": overview.rest if chosen in (None, State.ONLY_IN_PIM) else [],
            "trees": [] if chosen else self._trees(overview),
            "troubled_trees": sum(bool(tree.problem) for tree in overview.trees),
            "kept_out": [] if chosen else overview.kept_out,
            "job": SynchronizeSetupData.name,
        }

    def _chosen_state(self) -> State | None:
        try:
            return State(self.request.GET.get("state", ""))
        except ValueError:
            return None

    def _trees(self, overview: SetupOverview) -> list[tuple[Any, list[Any]]]:
        """Each tree with its websites, and where their catalog pages are edited."""
        finder = AdminURLFinder(self.request.user)
        return [
            (
                tree,
                [
                    (website, website.page and finder.get_edit_url(website.page))
                    for website in tree.websites
                ],
            )
            for tree in overview.trees
        ]


def _filters(chosen: State | None) -> Iterator[tuple[str, str, bool]]:
    """Label, query and whether it is chosen."""
    yield _("All"), "", chosen is None
    for state in State:
        yield capfirst(state.label()), f"state={state}", chosen == state


def _of_state(overview: SetupOverview, chosen: State | None) -> Iterator[ClassOverview]:
    """The classes of which the template or a field has this state, with such fields."""
    if chosen is None:
        yield from overview.classes
        return
    for each in overview.classes:
        fields = [row for row in each.fields if row.state == chosen]
        if fields or each.template.state == chosen:
            yield replace(each, fields=fields, takes_any=[])


urlpatterns = [path("mapping/", MappingView.as_view(), name="mapping")]
