"""What the admin's home page tells of the PIM."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.forms import Media
from django.http import HttpRequest
from django.utils.translation import gettext as _
from wagtail.admin.site_summary import SummaryItem
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.components import Component

from wagtail_pim.jobs import JOBS, job_label
from wagtail_pim.jobs.connection_check import Level
from wagtail_pim.jobs.health import Health, health_of
from wagtail_pim.kinds import PRODUCT_KINDS
from wagtail_pim.models import PimLink

from .listings import PimLinkAdmin
from .permissions import VIEW_PRODUCTS, can_view_jobs


class ProductsSummaryItem(SummaryItem):
    order = 400
    template_name = "wagtail_pim/admin/home_products.html"

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        return {
            # A product has a page in each language.
            "count": PimLink.objects.filter(kind__in=PRODUCT_KINDS).aggregate(
                count=Count("guid", distinct=True)
            )["count"],
            "url": PimLinkAdmin().url_helper.index_url,
        }

    def is_shown(self) -> bool:
        return bool(self.request.user.has_perm(VIEW_PRODUCTS))


class JobsSummaryItem(SummaryItem):
    order = 410
    template_name = "wagtail_pim/admin/home_jobs_state.html"

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        healths = _healths(self.request)
        if any(health.level != Level.OK for health in healths):
            return {"icon": "warning", "state": _("PIM jobs need attention")}
        if any(health.active for health in healths):
            return {"icon": "rotate", "state": _("PIM job running")}
        return {"icon": "tasks", "state": _("PIM jobs in order")}

    def is_shown(self) -> bool:
        return can_view_jobs(self.request.user)


class JobsPanel(Component):
    """Jobs that a person should know of: those that run, and those in trouble."""

    order = 50
    template_name = "wagtail_pim/admin/home_jobs.html"
    media = Media(
        css={
            "all": [
                versioned_static("wagtail_pim/css/runs.css"),
                versioned_static("wagtail_pim/css/jobs.css"),
            ]
        }
    )

    def __init__(self, healths: list[Health]) -> None:
        self.healths = healths

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        return {"jobs": [(job_label(health.job), health) for health in self.healths]}


def add_summary_items(request: HttpRequest, items: list[SummaryItem]) -> None:
    items += [ProductsSummaryItem(request), JobsSummaryItem(request)]


def add_panels(request: HttpRequest, panels: list[Component]) -> None:
    if not can_view_jobs(request.user):
        return
    told = [
        health
        for health in _healths(request)
        if health.active or health.level != Level.OK
    ]
    if told:
        panels.append(JobsPanel(told))


def _healths(request: Any) -> list[Health]:
    """Looked up once for all that the page shows."""
    if not hasattr(request, "_pim_healths"):
        request._pim_healths = [health_of(name) for name in JOBS]
    return request._pim_healths
