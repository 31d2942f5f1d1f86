from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.urls import URLResolver, include, path
from wagtail import hooks

from . import side_panel, tree_guard, urls


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
hooks.register("construct_admin_api", tree_guard.construct_admin_api)
# After Wagtail's own actions, which these replace.
hooks.register("register_actions", tree_guard.register_actions, order=1)
tree_guard.explain_refusals()
side_panel.extend_page_editor()
