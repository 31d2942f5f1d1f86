from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.urls import URLResolver, include, path
from wagtail import hooks
from wagtail.admin import auth
from wagtail.admin.views.pages.bulk_actions.page_bulk_action import PageBulkAction
from wagtail.admin.views.pages.edit import EditView
from wagtail.admin.views.pages.listing import ExplorableIndexView
from wagtail.images.forms import BaseImageForm

from . import pictures, refusals, side_panel, tree_guard, urls
from .extending import extend


@hooks.register("register_admin_urls")
def register_admin_urls() -> list[URLResolver]:
    return [path("pim/", include(urls))]


@hooks.register("register_permissions")
def register_permissions() -> QuerySet[Permission]:
    return Permission.objects.filter(
        content_type__app_label="wagtail_pim", codename="refresh_pimlink"
    )


hooks.register("construct_explorer_page_queryset", tree_guard.mark_managed_pages)
hooks.register("before_delete_page", tree_guard.before_delete_page)
hooks.register("before_copy_page", tree_guard.before_copy_page)
hooks.register("before_bulk_action", tree_guard.before_bulk_action)
hooks.register("after_unpublish_page", tree_guard.after_unpublish_page)
hooks.register("after_bulk_action", tree_guard.after_bulk_action)
hooks.register("construct_admin_api", tree_guard.construct_admin_api)
hooks.register("register_actions", tree_guard.register_actions)
hooks.register("construct_snippet_action_menu", refusals.hide_unpublishing)
hooks.register("before_delete_snippet", refusals.refuse_deletion_of_snippets)

extend(ExplorableIndexView, "get_reorder_url", tree_guard.allowing_order)
extend(BaseImageForm, "__init__", pictures.keeping_file)
extend(EditView, "get_side_panels", side_panel.adding_pim)
extend(auth, "permission_denied", refusals.explaining)
extend(PageBulkAction, "get_context_data", refusals.explaining_bulk)
