from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.urls import URLResolver, include, path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin import auth
from wagtail.admin.views.pages.bulk_actions.page_bulk_action import PageBulkAction
from wagtail.admin.views.pages.edit import EditView
from wagtail.admin.views.pages.listing import ExplorableIndexView
from wagtail.documents.forms import BaseDocumentForm
from wagtail.images.forms import BaseImageForm
from wagtail.log_actions import LogActionRegistry
from wagtail.snippets.models import register_snippet
from wagtail_modeladmin.options import modeladmin_register

from . import files, history, home, refusals, side_panel, tree_guard, urls
from .extending import extend
from .menu import PimMenu
from .relationship_types import RelationshipTypeViewSet

PERMISSIONS = (
    "view_jobrun",
    "run_jobs",
    "stop_jobs",
    "change_jobschedule",
    "view_pimlink",
    "refresh_pimlink",
)


@hooks.register("register_admin_urls")
def register_admin_urls() -> list[URLResolver]:
    return [path("pim/", include(urls))]


@hooks.register("register_permissions")
def register_permissions() -> QuerySet[Permission]:
    return Permission.objects.filter(
        content_type__app_label="wagtail_pim", codename__in=PERMISSIONS
    )


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    actions.register_action(
        "wagtail_pim.run.start", _("Start PIM run"), _("Started a PIM run")
    )
    actions.register_action(
        "wagtail_pim.run.stop", _("Stop PIM run"), _("Asked a PIM run to stop")
    )
    actions.register_action("wagtail_pim.run.finish")(history.EndOfRun)
    actions.register_action("wagtail_pim.schedule.change")(history.ChangeOfSchedule)


modeladmin_register(PimMenu)
register_snippet(RelationshipTypeViewSet)

hooks.register("construct_homepage_summary_items", home.add_summary_items)
hooks.register("construct_homepage_panels", home.add_panels)

hooks.register("construct_explorer_page_queryset", tree_guard.mark_managed_pages)
hooks.register("before_delete_page", tree_guard.before_delete_page)
hooks.register("before_copy_page", tree_guard.before_copy_page)
hooks.register("before_bulk_action", tree_guard.before_bulk_action)
hooks.register("after_unpublish_page", tree_guard.after_unpublish_page)
hooks.register("after_bulk_action", tree_guard.after_bulk_action)
hooks.register("construct_admin_api", tree_guard.construct_admin_api)
hooks.register("register_actions", tree_guard.register_actions)
hooks.register("construct_page_action_menu", refusals.hide_conversion_to_alias)
hooks.register("construct_snippet_action_menu", refusals.hide_unpublishing)
hooks.register("before_delete_snippet", refusals.refuse_deletion_of_snippets)

extend(ExplorableIndexView, "get_reorder_url", tree_guard.allowing_order)
extend(BaseImageForm, "__init__", files.keeping_file)
extend(BaseDocumentForm, "__init__", files.keeping_file)
extend(EditView, "get_side_panels", side_panel.adding_pim)
extend(auth, "permission_denied", refusals.explaining)
extend(PageBulkAction, "get_context_data", refusals.explaining_bulk)
