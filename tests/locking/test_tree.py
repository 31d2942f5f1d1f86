"""Managed pages stay where the PIM put them, whoever asks and by whatever way."""

from __future__ import annotations

import json
from html import unescape
from uuid import uuid4

import pytest
import wagtail
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from wagtail.actions.copy_page import CopyPageAction
from wagtail.actions.delete_page import DeletePageAction
from wagtail.actions.move_page import MovePageAction
from wagtail.actions.unpublish_page import UnpublishPageAction
from wagtail.models import Locale, Page

from sandbox_site.shop.models import BicyclePage, HomePage
from wagtail_pim.admin import tree_guard
from wagtail_pim.kinds import Kind
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import CatalogPage, CategoryPage, PimLink

pytestmark = pytest.mark.django_db


def link(page: Page, kind: Kind) -> Page:
    PimLink.objects.create(
        page=page,
        kind=kind,
        guid=uuid4(),
        locale=Locale.get_default(),
        synced_at=timezone.now(),
        run_id=uuid4(),
    )
    return type(page).objects.get(pk=page.pk)


@pytest.fixture
def home(site) -> HomePage:
    return site.root_page


@pytest.fixture
def catalog(home) -> CatalogPage:
    page = home.add_child(instance=CatalogPage(title="Bicycles", slug="bicycles"))
    return link(page, Kind.CATALOG)


@pytest.fixture
def category(catalog) -> CategoryPage:
    page = catalog.add_child(instance=CategoryPage(title="City", slug="city"))
    return link(page, Kind.CATEGORY)


@pytest.fixture
def product(category) -> BicyclePage:
    page = category.add_child(
        instance=BicyclePage(title="Diamond 8", slug="diamond-8", product_number="A1")
    )
    return link(page, Kind.PRODUCT)


@pytest.fixture
def hand_made(category) -> BicyclePage:
    return category.add_child(instance=BicyclePage(title="Mine", slug="mine"))


@pytest.fixture
def elsewhere(home) -> HomePage:
    return home.add_child(instance=HomePage(title="Elsewhere", slug="elsewhere"))


def view(name: str, *args: int) -> str:
    return reverse(f"wagtailadmin_pages:{name}", args=args)


def bulk(action: str, *pages: Page) -> str:
    url = reverse("wagtail_bulk_action", args=("wagtailcore", "page", action))
    return f"{url}?" + "&".join(f"id={page.pk}" for page in pages)


def said(response) -> list[str]:
    return [unescape(str(m)) for m in get_messages(response.wsgi_request)]


def is_sound() -> bool:
    return not any(Page.find_problems())


@pytest.mark.parametrize("name", ["delete", "copy", "move", "unpublish"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_view_refuses_a_managed_page_and_says_why(
    admin_client, product, name, method
):
    response = getattr(admin_client, method)(view(name, product.pk))
    assert response.url == view("edit", product.pk)
    assert "managed in PIM" in said(response)[0]
    product.refresh_from_db()
    assert product.live
    assert BicyclePage.objects.count() == 1


def test_the_move_is_refused_at_its_last_step_too(admin_client, product, elsewhere):
    url = view("move_confirm", product.pk, elsewhere.pk)
    response = admin_client.post(url)
    assert response.url == view("edit", product.pk)
    assert "managed in PIM" in said(response)[0]
    assert Page.objects.get(pk=product.pk).path == product.path


def test_other_refusals_keep_wagtails_words(client, django_user_model, product):
    user = django_user_model.objects.create_user("reader", password="x")
    client.force_login(user)
    assert client.get(view("delete", product.pk)).url.startswith("/admin/login/")


def test_a_script_gets_no_redirect(admin_client, product):
    response = admin_client.post(
        view("delete", product.pk), headers={"x-requested-with": "XMLHttpRequest"}
    )
    assert response.status_code == 403
    assert BicyclePage.objects.count() == 1


def test_a_managed_page_is_not_reordered(admin_client, product, hand_made):
    admin_client.post(view("set_page_position", product.pk) + "?position=1")
    assert Page.objects.get(pk=product.pk).path == product.path


@pytest.mark.parametrize(
    ("of", "offered"),
    [("category", False), ("catalog", False), ("product", False), ("home", True)],
)
def test_the_explorer_offers_no_order_that_is_the_pims(
    admin_client, request, hand_made, product, of, offered
):
    """Wagtail's script would tell of success, whatever the server says."""
    page = request.getfixturevalue(of)
    url = reverse("wagtailadmin_explore", args=[page.pk]) + "?ordering=ord"
    html = admin_client.get(url).content.decode()
    assert ("w-orderable" in html) is offered


@pytest.mark.parametrize("action", ["delete", "move", "unpublish"])
def test_bulk_actions_leave_managed_pages_out_and_say_why(
    admin_client, catalog, product, hand_made, action
):
    other = catalog.add_child(instance=CategoryPage(title="Touring", slug="touring"))
    url = bulk(action, product, hand_made)
    shown = admin_client.get(url)
    assert "“Diamond 8” is managed in PIM" in shown.content.decode()
    assert "“Mine” is managed in PIM" not in shown.content.decode()
    admin_client.post(url, {"chooser": other.pk})
    product.refresh_from_db()
    assert product.live
    assert product.path.startswith(product.get_parent().path)
    assert not BicyclePage.objects.filter(
        pk=hand_made.pk, live=True, path=hand_made.path
    ).exists()
    assert is_sound()


@pytest.mark.parametrize("ancestor", ["home", "catalog"])
def test_an_ancestor_is_not_deleted(admin_client, request, product, ancestor):
    page = request.getfixturevalue(ancestor)
    for method in (admin_client.get, admin_client.post):
        response = method(view("delete", page.pk))
        assert "pages below it are managed in PIM" in said(response)[0]
    assert BicyclePage.objects.count() == 1


def test_an_ancestor_is_not_deleted_in_bulk(admin_client, product, catalog, elsewhere):
    response = admin_client.post(bulk("delete", catalog, elsewhere))
    assert "pages below it are managed in PIM" in said(response)[0]
    assert Page.objects.filter(pk__in=[catalog.pk, elsewhere.pk]).count() == 2
    assert is_sound()


def test_an_empty_catalog_is_the_sites_to_delete(admin_client, catalog):
    admin_client.post(view("delete", catalog.pk))
    assert not CatalogPage.objects.exists()


def test_a_catalog_may_move_with_all_below(admin_client, product, catalog, elsewhere):
    admin_client.post(view("move_confirm", catalog.pk, elsewhere.pk))
    assert BicyclePage.objects.get().url_path == (
        "/shop/elsewhere/bicycles/city/diamond-8/"
    )


@pytest.mark.parametrize("alias", [False, True])
def test_an_ancestor_is_copied_without_managed_pages_only(
    admin_client, product, home, alias
):
    root = Page.get_first_root_node()
    data = {"new_title": "Two", "new_slug": "two", "new_parent_page": root.pk}
    if alias:
        data["alias"] = "on"
    response = admin_client.post(view("copy", home.pk), {**data, "copy_subpages": "on"})
    assert "can't be copied with its subpages" in said(response)[0]
    assert HomePage.objects.count() == 1
    admin_client.post(view("copy", home.pk), data)
    assert HomePage.objects.count() == 2
    assert BicyclePage.objects.count() == 1


def test_unpublishing_an_ancestor_with_its_descendants_leaves_managed_ones(
    admin_client, product, hand_made, catalog
):
    admin_client.post(view("unpublish", catalog.pk), {"include_descendants": "on"})
    live = set(Page.objects.live().values_list("pk", flat=True))
    assert product.pk in live
    assert not {catalog.pk, hand_made.pk} & live


def test_unpublishing_an_ancestor_in_bulk_leaves_managed_ones(
    admin_client, product, hand_made, catalog
):
    admin_client.post(bulk("unpublish", catalog), {"include_descendants": "on"})
    live = set(Page.objects.live().values_list("pk", flat=True))
    assert product.pk in live
    assert not {catalog.pk, hand_made.pk} & live


def test_actions_of_a_user_are_refused_and_those_of_the_sync_are_not(
    admin_user, product, catalog
):
    other = catalog.add_child(instance=CategoryPage(title="Touring", slug="touring"))
    actions = [
        DeletePageAction(product, user=admin_user),
        MovePageAction(product, other, pos="last-child", user=admin_user),
        CopyPageAction(product, to=other, user=admin_user),
        UnpublishPageAction(product, user=admin_user),
    ]
    for action in actions:
        with pytest.raises(PermissionDenied):
            action.execute()
    UnpublishPageAction(product).execute()
    assert not BicyclePage.objects.get().live


@pytest.mark.parametrize("of", ["product", "home"])
def test_code_deletes_managed_pages_only_as_the_pim(request, product, of):
    page = Page.objects.get(pk=request.getfixturevalue(of).pk)
    with pytest.raises(PermissionDenied, match="managed in PIM"), transaction.atomic():
        page.delete()
    with pytest.raises(PermissionDenied), transaction.atomic():
        Page.objects.filter(pk=page.pk).delete()
    assert BicyclePage.objects.count() == 1
    assert is_sound()
    with pim_write():
        page.delete()
    assert not BicyclePage.objects.exists()


def admin_api(page: Page, action: str) -> str:
    return reverse("wagtailadmin_api:pages:action", args=[page.pk, action])


@pytest.mark.parametrize(
    ("of", "action", "data"),
    [
        ("product", "delete", {}),
        ("product", "copy", {}),
        ("product", "create_alias", {}),
        ("product", "move", {"destination_page_id": "elsewhere"}),
        ("product", "unpublish", {}),
        ("home", "delete", {}),
        ("home", "copy", {"recursive": True, "destination_page_id": "root"}),
        ("home", "create_alias", {"recursive": True, "destination_page_id": "root"}),
    ],
)
def test_the_admin_api_refuses(
    admin_client, request, product, elsewhere, of, action, data
):
    places = {"elsewhere": elsewhere.pk, "root": 1}
    data = {name: places.get(value, value) for name, value in data.items()}
    before = list(Page.objects.order_by("pk").values("pk", "path", "live", "numchild"))
    response = admin_client.post(
        admin_api(request.getfixturevalue(of), action),
        json.dumps(data),
        content_type="application/json",
    )
    assert response.status_code == 403
    after = list(Page.objects.order_by("pk").values("pk", "path", "live", "numchild"))
    assert after == before


def test_the_admin_api_copies_an_ancestor_alone(admin_client, product, home):
    response = admin_client.post(
        admin_api(home, "copy"),
        json.dumps({"slug": "two", "destination_page_id": 1}),
        content_type="application/json",
    )
    assert response.status_code == 201


@pytest.mark.skipif(
    wagtail.VERSION < (8, 0), reason="Wagtail 8 brings the registry of actions"
)
@pytest.mark.parametrize("action", ["delete", "copy", "create_alias"])
def test_the_write_api_runs_guarded_actions(action, home, product, admin_user):
    from wagtail.actions.registry import action_registry

    action_class = action_registry.get_action_class(Page, action)
    options = {} if action == "delete" else {"recursive": True}
    with pytest.raises(PermissionDenied, match="managed in PIM"):
        action_class(home, user=admin_user, **options).execute()
    assert HomePage.objects.count() == 1


def test_a_hand_made_page_is_its_editors(admin_client, hand_made, elsewhere, product):
    admin_client.post(view("unpublish", hand_made.pk))
    assert not BicyclePage.objects.get(pk=hand_made.pk).live
    admin_client.post(view("delete", hand_made.pk))
    assert not BicyclePage.objects.filter(pk=hand_made.pk).exists()


@pytest.mark.parametrize("name", ["Move", "Copy", "Delete", "Unpublish"])
def test_menus_do_not_offer_what_is_refused(admin_client, product, hand_made, name):
    def offers(page: Page) -> bool:
        name_of_view = name.lower()
        html = admin_client.get(view("edit", page.pk)).content.decode()
        return view(name_of_view, page.pk) in html

    assert offers(hand_made)
    assert not offers(product)


def test_the_explorer_asks_no_more_for_managed_pages(
    admin_client, category, queries, monkeypatch
):
    url = reverse("wagtailadmin_explore", args=[category.pk])

    def count() -> int:
        with queries() as captured:
            assert admin_client.get(url).status_code == 200
        return len(captured.reads())

    def add(numbers: range) -> None:
        for number in numbers:
            page = BicyclePage(title=f"P{number}", slug=f"p{number}")
            link(category.add_child(instance=page), Kind.PRODUCT)

    add(range(1))
    count()
    few = count()
    add(range(1, 21))
    many = count()
    for kind in (BicyclePage, CategoryPage):
        monkeypatch.setattr(
            kind, "permissions_for_user", Page.permissions_for_user, raising=True
        )
    without_guard = count()
    assert many == few
    assert many <= without_guard + 1


def test_the_guard_needs_the_explorers_annotation(admin_client, category, queries):
    """What the test above counts is due to the hook."""
    for number in range(3):
        page = BicyclePage(title=f"P{number}", slug=f"p{number}")
        link(category.add_child(instance=page), Kind.PRODUCT)
    pages = tree_guard.mark_managed_pages(category, Page.objects.all(), None).specific()
    bicycles = [page for page in pages if isinstance(page, BicyclePage)]
    assert len(bicycles) == 3
    with queries() as captured:
        assert all(page.is_pim_managed() for page in bicycles)
    assert not captured.reads()


def test_bulk_actions_name_a_few_of_many_pages(admin_client, category):
    pages = [
        link(
            category.add_child(instance=BicyclePage(title=f"P{n}", slug=f"p{n}")),
            Kind.PRODUCT,
        )
        for n in range(8)
    ]
    response = admin_client.get(bulk("delete", *pages))
    (message,) = said(response)
    assert "8 pages are managed in PIM (“P0”, “P1”, “P2”, “P3”, “P4”, and 3 more)" in (
        message
    )


@pytest.mark.parametrize("way", ["single", "bulk"])
def test_people_are_told_what_stays_published_below(
    admin_client, product, hand_made, catalog, elsewhere, way
):
    told = "Pages below that are managed in PIM stay published."

    def unpublish(page: Page) -> list[str]:
        url = view("unpublish", page.pk) if way == "single" else bulk("unpublish", page)
        return said(admin_client.post(url, {"include_descendants": "on"}))

    assert not any(told in message for message in unpublish(elsewhere))
    assert any(told in message for message in unpublish(catalog))


def test_who_may_not_edit_a_page_is_not_told_of_it(client, django_user_model, product):
    user = django_user_model.objects.create_user("author", password="x")
    user.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client.force_login(user)
    response = client.get(view("delete", product.pk))
    assert response.url == reverse("wagtailadmin_home")
    assert "Diamond 8" not in said(response)[0]


def test_the_explorer_asks_no_more_for_catalogs(admin_client, home, queries):
    def count() -> int:
        url = reverse("wagtailadmin_explore", args=[home.pk])
        with queries() as captured:
            assert admin_client.get(url).status_code == 200
        return len(captured.reads())

    def add(name: str) -> None:
        page = home.add_child(instance=CatalogPage(title=name, slug=name))
        link(page, Kind.CATALOG)

    add("a")
    count()
    few = count()
    add("b")
    add("c")
    assert count() == few
