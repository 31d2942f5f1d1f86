"""The menu "PIM", the home page and the group editor: who sees what of the PIM."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone, translation
from wagtail.admin.menu import admin_menu, settings_menu

from wagtail_pim.admin.home import add_panels, add_summary_items
from wagtail_pim.jobs import JOBS
from wagtail_pim.kinds import Kind
from wagtail_pim.models import JobRun, PimLink
from wagtail_pim.models.runs import State

from .test_jobs import OF_JOBS, a_run, text_of, with_permissions

ITEMS = {
    "Jobs": OF_JOBS,
    "Field mapping": OF_JOBS,
    "Runs": OF_JOBS,
    "Products": {"view_pimlink"},
    "Relationship types": {"change_relationshiptype"},
    "PIM options": {"change_pimoptions"},
}
PERMISSIONS = (
    "view_jobrun",
    "run_jobs",
    "stop_jobs",
    "change_jobschedule",
    "change_pimoptions",
    "view_pimlink",
    "refresh_pimlink",
    "change_relationshiptype",
)


def user_with(*codenames: str) -> User:
    user = User.objects.create_user(f"user {codenames}")
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["access_admin", *codenames])
    )
    return user


def menu_of(user: User) -> list[Any]:
    """The items of the menu; none if the user does not see it."""
    request = RequestFactory().get("/")
    request.user = user
    for item in admin_menu.menu_items_for_request(request):
        if item.name == "pim":
            return item.render_component(request).menu_items
    return []


def home_of(client: Client) -> str:
    return text_of(client.get(reverse("wagtailadmin_home")))


@pytest.mark.parametrize("codename", PERMISSIONS)
def test_an_item_is_shown_to_those_with_its_permission(db, codename):
    shown = [str(item.label) for item in menu_of(user_with(codename))]
    assert shown == [label for label, needed in ITEMS.items() if codename in needed]


def test_without_any_permission_there_is_no_menu(db):
    assert menu_of(user_with()) == []


def test_items_lead_to_their_screens(admin_client, admin_user):
    items = menu_of(admin_user)
    assert [str(item.label) for item in items] == list(ITEMS)
    for item in items:
        assert admin_client.get(item.url, follow=True).status_code == 200


def test_the_menu_speaks_the_language_of_each_user(admin_user):
    """Its items are kept for all of them."""
    assert menu_of(admin_user)
    with translation.override("de"):
        assert str(menu_of(admin_user)[-1].label) == "PIM-Optionen"
    assert str(menu_of(admin_user)[-1].label) == "PIM options"


def test_the_options_stay_among_the_settings(admin_user):
    request = RequestFactory().get("/")
    request.user = admin_user
    names = [item.name for item in settings_menu.menu_items_for_request(request)]
    assert "pim-options" in names


# The home page


def test_home_counts_the_products_for_those_who_may_see_them(pim, publish):
    pim.product("A1", "City")
    pim.variant("A1-1", "A1")
    publish()
    assert PimLink.objects.filter(kind=Kind.CATEGORY).exists()
    assert "2 PIM products" in home_of(with_permissions("view_pimlink"))
    assert "PIM product" not in home_of(with_permissions("view_jobrun"))


def test_home_tells_of_trouble_to_those_who_may_see_jobs(db):
    a_run(State.FAILED, error="The PIM is gone.")
    for permission in OF_JOBS:
        text = home_of(with_permissions(permission))
        assert "PIM jobs need attention" in text
        assert "The PIM is gone." in text
    others = set(PERMISSIONS) - OF_JOBS
    assert "PIM job" not in home_of(with_permissions(*others))


def test_home_tells_of_a_run_under_way_and_else_keeps_quiet(db):
    run = a_run(State.RUNNING)
    client = with_permissions("view_jobrun")
    text = home_of(client)
    assert "PIM job running" in text
    assert "Publish approved products running" in text

    JobRun.objects.filter(pk=run.pk).update(
        state=State.SUCCEEDED, finished_at=timezone.now()
    )
    text = home_of(client)
    assert "PIM jobs in order" in text
    assert "Publish approved products" not in text


def test_home_looks_at_each_job_once(db, django_assert_max_num_queries):
    a_run(State.FAILED, error="The PIM is gone.")
    request = RequestFactory().get("/")
    request.user = user_with("view_jobrun")
    panels: list[Any] = []
    items: list[Any] = []
    add_summary_items(request, items)
    with django_assert_max_num_queries(6 * len(JOBS)):
        add_panels(request, panels)
        shown = [item for item in items if item.is_shown()]
        context = [item.get_context_data({}) for item in shown]
    assert len(panels) == len(context) == 1


# The group editor


def test_each_permission_is_given_in_the_group_editor(admin_client):
    group = Group.objects.create(name="PIM people")
    address = reverse("wagtailusers_groups:edit", args=[group.pk])
    html = admin_client.get(address).content.decode()
    ids = dict(
        Permission.objects.filter(codename__in=PERMISSIONS).values_list(
            "codename", "pk"
        )
    )
    assert ids.keys() == set(PERMISSIONS)
    for codename, pk in ids.items():
        boxes = re.findall(rf'<input[^>]*name="permissions"[^>]*value="{pk}"', html)
        assert len(boxes) == 1, codename
