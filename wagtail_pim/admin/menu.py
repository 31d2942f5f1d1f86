"""The menu "PIM"."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail.admin.menu import MenuItem
from wagtail.contrib.settings.registry import SettingMenuItem
from wagtail_modeladmin.options import ModelAdminGroup

from wagtail_pim.models import PIMOptions, RelationshipType

from .listings import JobRunAdmin, PimLinkAdmin
from .permissions import can_view_jobs


class JobsMenuItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return can_view_jobs(request.user)


class PimMenu(ModelAdminGroup):
    """Around its own lists stand screens that are none, and a snippet's list."""

    items = (JobRunAdmin, PimLinkAdmin)
    menu_label = _("PIM")
    menu_item_name = "pim"
    menu_icon = "download"
    # After documents, before what a site adds without an order.
    menu_order = 500

    def get_submenu_items(self) -> list[MenuItem]:
        jobs = JobsMenuItem(
            _("Jobs"),
            reverse("wagtail_pim:jobs"),
            name="pim-jobs",
            icon_name="tasks",
            order=-2,
        )
        mapping = JobsMenuItem(
            _("Field mapping"),
            reverse("wagtail_pim:mapping"),
            name="pim-mapping",
            icon_name="table",
            order=-1,
        )
        lists: list[Any] = super().get_submenu_items()
        after = len(lists) + 1
        relationship_types = RelationshipType.snippet_viewset.get_menu_item(after)
        options = SettingMenuItem(
            PIMOptions, icon="cogs", name="pim-options", order=after + 1
        )
        return [jobs, mapping, *lists, relationship_types, options]
