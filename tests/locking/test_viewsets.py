"""Snippets and ModelViewSet models through the views of Wagtail's admin."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.messages import get_messages
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail import hooks, permissions
from wagtail.admin.panels import FieldPanel, MultiFieldPanel, ObjectList
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.models import Revision

from sandbox_site.shop.models import BicyclePage, Brand, RidingStyle
from tests.trial.models import Certificate, Maker, MakerPlace
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.locking.permissions import ManagedModelPermissionPolicy
from wagtail_pim.locking.viewsets import SyncedModelViewSetMixin

MAKERS = "wagtailsnippets_trial_maker"
MAKER_CHOOSER = "wagtailsnippetchoosers_trial_maker"
CERTIFICATES = "certificates"

# A browser sends these for the inline panel that isn't there any more.
TAMPERED = {
    "name": "Tampered",
    "expire_at": "2001-01-01 00:00",
    "places-TOTAL_FORMS": "1",
    "places-INITIAL_FORMS": "0",
    "places-MIN_NUM_FORMS": "0",
    "places-MAX_NUM_FORMS": "1000",
    "places-0-city": "Tampered",
    "places-0-ORDER": "1",
}


@pytest.fixture
def maker(db: None) -> Maker:
    maker = Maker(name="Karu", story="The first story")
    maker.places = [MakerPlace(city="Tartu"), MakerPlace(city="Ghent")]
    maker.save()
    return Maker.objects.get(pk=maker.pk)


@pytest.fixture
def certificate(db: None) -> Certificate:
    return Certificate.objects.create(number="EN 1078", remark="The first remark")


@pytest.fixture(params=["superuser", "editor"])
def person(request: Any, admin_user: User, client: Client) -> Client:
    """A superuser, and an editor to whom every permission was given."""
    user = admin_user
    if request.param == "editor":
        group = Group.objects.create(name="All permissions")
        group.permissions.set(Permission.objects.all())
        user = User.objects.create_user("editor")
        user.groups.add(group)
    client.force_login(user)
    return client


def edit_url(instance: Any) -> str:
    namespace = MAKERS if isinstance(instance, Maker) else CERTIFICATES
    return reverse(f"{namespace}:edit", args=[instance.pk])


def post(client: Client, instance: Any, **data: str) -> None:
    response = client.post(edit_url(instance), data)
    assert response.status_code == 302, response.context["form"].errors


def rename(maker: Maker, name: str) -> None:
    """What a sync does."""
    maker = Maker.objects.get(pk=maker.pk)
    maker.name = name
    with pim_write():
        maker.save(update_fields=["name"])


def cities(maker: Maker) -> list[str]:
    return sorted(place.city for place in MakerPlace.objects.filter(maker=maker))


def row(instance: Any) -> Any:
    return type(instance).objects.get(pk=instance.pk)


# What is shown


def test_a_snippet_shows_what_the_pim_owns_and_edits_the_rest(maker, person):
    page = person.get(edit_url(maker)).content.decode()
    assert page.count("Managed in PIM") == 3
    assert "Karu" in page
    assert "Tartu" in page
    assert "What is marked with a lock is managed in PIM" in page
    assert 'name="story"' in page
    for name in ("name", "expire_at", "places-TOTAL_FORMS"):
        assert f'name="{name}"' not in page


def test_a_model_with_form_fields_alone_shows_what_the_pim_owns(certificate, person):
    page = person.get(edit_url(certificate)).content.decode()
    assert page.count("Managed in PIM") == 1
    assert "EN 1078" in page
    assert 'name="remark"' in page
    assert 'name="number"' not in page


def _panels() -> list[Any]:
    return [MultiFieldPanel(["number"]), FieldPanel("remark")]


@pytest.mark.parametrize(
    "declared",
    [
        {"form_fields": ["number", "remark"]},
        {"form_fields": "__all__"},
        {"exclude_form_fields": []},
        {"panels": _panels()},
        {"edit_handler": ObjectList(_panels())},
    ],
    ids=["form_fields", "all", "exclude_form_fields", "panels", "edit_handler"],
)
def test_a_model_viewset_locks_however_its_form_is_declared(declared, certificate):
    form_class = _form_class_of_viewset(**declared)
    assert list(form_class(instance=certificate).fields) == ["remark"]
    form = form_class({"number": "x", "remark": "New"}, instance=certificate)
    form.save()
    assert (row(certificate).number, row(certificate).remark) == ("EN 1078", "New")


def test_a_model_viewset_leaves_out_what_its_form_excludes(certificate):
    form_class = _form_class_of_viewset(exclude_form_fields=["remark"])
    assert form_class.base_fields.keys() == {"number"}


def _form_class_of_viewset(**declared: Any) -> Any:
    bases = (SyncedModelViewSetMixin, ModelViewSet)
    viewset: Any = type("TrialViewSet", bases, {"model": Certificate, **declared})
    return viewset("trial_certificates").get_form_class(for_update=True)


# What is sent


def test_tampered_values_change_no_snippet(maker, person):
    post(person, maker, story="New", **TAMPERED, **{"action-publish": "1"})
    assert row(maker).name == "Karu"
    assert row(maker).story == "New"
    assert row(maker).expire_at is None
    assert cities(maker) == ["Ghent", "Tartu"]


def test_tampered_values_change_no_model_of_a_viewset(certificate, person):
    post(person, certificate, number="Tampered", remark="New")
    assert row(certificate).number == "EN 1078"
    assert row(certificate).remark == "New"


def test_a_preview_shows_the_values_of_the_pim_and_the_words_of_the_editor(
    maker, admin_client
):
    url = reverse(f"{MAKERS}:preview_on_edit", args=[maker.pk])
    response = admin_client.post(url, {"story": "Previewed", **TAMPERED})
    assert response.json() == {"is_valid": True, "is_available": True}
    assert admin_client.get(url).content.decode() == "Karu: Previewed"


# Drafts and revisions


@pytest.fixture
def stale_draft(maker: Maker, admin_client: Client) -> Revision:
    """An unpublished draft of before the PIM renamed the maker, with false places."""
    post(admin_client, maker, story="The draft's story")
    draft = row(maker).latest_revision
    draft.content["name"] = "Stale maker"
    draft.content["places"] = []
    draft.save()
    rename(maker, "Karu Cycles")
    return draft


def assert_draft_came_without_stale_values(maker: Maker) -> None:
    assert row(maker).story == "The draft's story"
    assert row(maker).name == "Karu Cycles"
    assert cities(maker) == ["Ghent", "Tartu"]


def test_a_sync_leaves_a_draft_unpublished_and_the_editor_sees_both(
    maker, stale_draft, admin_client
):
    assert row(maker).story == "The first story"
    assert row(maker).has_unpublished_changes
    page = admin_client.get(edit_url(maker)).content.decode()
    assert "The draft&#x27;s story" in page
    assert "Karu Cycles" in page
    assert "Stale maker" not in page


def test_a_stale_draft_is_published_with_the_values_of_the_pim(
    maker, stale_draft, admin_client
):
    story = "The draft's story"
    post(admin_client, maker, story=story, **{"action-publish": "1"})
    assert_draft_came_without_stale_values(maker)


def test_a_stale_draft_published_in_code_has_the_values_of_the_pim(maker, stale_draft):
    stale_draft.publish()
    assert_draft_came_without_stale_values(maker)


def test_a_scheduled_draft_is_published_with_the_values_of_the_pim(maker, admin_client):
    post(admin_client, maker, story="The first story", **{"action-publish": "1"})
    tomorrow = timezone.localtime(timezone.now() + timedelta(days=1))
    post(
        admin_client,
        maker,
        story="The draft's story",
        go_live_at=tomorrow.strftime("%Y-%m-%d %H:%M"),
        **{"action-publish": "1"},
    )
    assert row(maker).story == "The first story"
    scheduled = Revision.objects.get(approved_go_live_at__isnull=False)
    past = timezone.now() - timedelta(hours=1)
    scheduled.content |= {
        "name": "Stale maker",
        "places": [],
        "go_live_at": past.isoformat(),
    }
    scheduled.approved_go_live_at = past
    scheduled.save()
    rename(maker, "Karu Cycles")
    call_command("publish_scheduled")
    assert_draft_came_without_stale_values(maker)


def test_an_old_revision_comes_back_without_the_old_values_of_the_pim(
    maker, stale_draft, admin_client
):
    post(admin_client, maker, story="Newer", **{"action-publish": "1"})
    url = reverse(f"{MAKERS}:revisions_revert", args=[maker.pk, stale_draft.pk])
    page = admin_client.get(url).content.decode()
    assert "The draft&#x27;s story" in page
    assert "Karu Cycles" in page
    data = {"story": "The draft's story", "action-publish": "1", **TAMPERED}
    assert admin_client.post(url, data).status_code == 302
    assert_draft_came_without_stale_values(maker)


def test_revisions_compare_in_what_is_the_editors(maker, stale_draft, admin_client):
    url = reverse(f"{MAKERS}:revisions_compare", args=[maker.pk, "live", "latest"])
    page = admin_client.get(url).content.decode()
    assert "draft&#x27;s" in page
    assert "Stale maker" not in page


@pytest.mark.parametrize("view", ["history", "usage", "inspect"])
def test_the_other_views_of_an_object_work(maker, certificate, admin_client, view):
    for namespace, instance in ((MAKERS, maker), (CERTIFICATES, certificate)):
        url = reverse(f"{namespace}:{view}", args=[instance.pk])
        assert admin_client.get(url).status_code == 200


# Code


def test_code_that_saves_changes_what_is_the_editors_alone(maker, certificate):
    maker.name, maker.story, maker.places = "Changed", "Changed", []
    maker.save()
    assert (row(maker).name, row(maker).story) == ("Karu", "Changed")
    assert cities(maker) == ["Ghent", "Tartu"]
    certificate.number = certificate.remark = "Changed"
    certificate.save()
    assert (row(certificate).number, row(certificate).remark) == ("EN 1078", "Changed")


def test_only_a_sync_changes_the_child_objects_of_a_snippet(maker):
    maker.places = [MakerPlace(city="Gent")]
    with pim_write():
        maker.save()
    assert cities(maker) == ["Gent"]


# Adding, deleting, copying, unpublishing


@pytest.mark.parametrize("view", ["add", "copy", "delete", "unpublish"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_snippet_is_added_copied_deleted_or_unpublished(maker, person, view, method):
    args = [] if view == "add" else [maker.pk]
    data = {"name": "New", "story": "New", "action-publish": "1"}
    response = getattr(person, method)(reverse(f"{MAKERS}:{view}", args=args), data)
    assert_refused(response, f"{MAKERS}:list", "Makers are managed in PIM")
    assert list(Maker.objects.values_list("pk", "live")) == [(maker.pk, True)]


@pytest.mark.parametrize("view", ["add", "copy", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_object_of_a_model_viewset_is_added_copied_or_deleted(
    certificate, person, view, method
):
    args = [] if view == "add" else [certificate.pk]
    url = reverse(f"{CERTIFICATES}:{view}", args=args)
    response = getattr(person, method)(url, {"number": "N", "remark": "R"})
    reason = "Certificates are managed in PIM"
    assert_refused(response, f"{CERTIFICATES}:index", reason)
    assert Certificate.objects.get() == certificate


def assert_refused(response: Any, index: str, reason: str) -> None:
    assert response.status_code == 302
    assert response.url == reverse(index)
    (message,) = get_messages(response.wsgi_request)
    assert reason in str(message)


@pytest.mark.parametrize("method", ["get", "post"])
def test_snippets_are_not_deleted_in_bulk(maker, person, method):
    url = reverse("wagtail_bulk_action", args=["trial", "maker", "delete"])
    url += f"?id={maker.pk}&next={reverse(f'{MAKERS}:list')}"
    page = getattr(person, method)(url, follow=True).content.decode()
    assert row(maker) == maker
    # Wagtail 8 asks the policy, and has words of its own.
    told = [
        "Makers are managed in PIM",
        "You don't have permission to delete",
        "0 Makers deleted",
    ]
    assert any(text in page for text in told)


@pytest.mark.parametrize("method", ["get", "post"])
def test_other_snippets_are_deleted_in_bulk(person, method):
    style = RidingStyle.objects.create(name="Touring")
    url = reverse("wagtail_bulk_action", args=["shop", "ridingstyle", "delete"])
    getattr(person, method)(f"{url}?id={style.pk}")
    assert RidingStyle.objects.exists() == (method == "get")


def test_a_list_offers_no_button_to_add_copy_or_delete(maker, certificate, person):
    for namespace, index, instance in (
        (MAKERS, "list", maker),
        (CERTIFICATES, "index", certificate),
    ):
        page = person.get(reverse(f"{namespace}:{index}")).content.decode()
        assert reverse(f"{namespace}:edit", args=[instance.pk]) in page
        assert_no_link(page, namespace, instance)


def test_an_editor_offers_no_button_to_delete_copy_or_unpublish(
    maker, certificate, person
):
    for namespace, instance in ((MAKERS, maker), (CERTIFICATES, certificate)):
        page = person.get(edit_url(instance)).content.decode()
        assert_no_link(page, namespace, instance)
    assert "action-publish" in person.get(edit_url(maker)).content.decode()


def assert_no_link(page: str, namespace: str, instance: Any) -> None:
    urls = [
        reverse(f"{namespace}:add"),
        *(
            reverse(f"{namespace}:{view}", args=[instance.pk])
            for view in ("copy", "delete", "unpublish")
            if namespace == MAKERS or view != "unpublish"
        ),
    ]
    assert [url for url in urls if url in page] == []


@pytest.mark.parametrize("namespace", [MAKER_CHOOSER, "certificate_chooser"])
def test_a_chooser_chooses_but_does_not_create(person, certificate, maker, namespace):
    response = person.get(reverse(f"{namespace}:choose"))
    assert response.status_code == 200
    assert ("Karu" if namespace == MAKER_CHOOSER else "EN 1078") in response.json()[
        "html"
    ]
    assert "create" not in response.json()["html"]
    create = reverse(f"{namespace}:create")
    data = {"number": "N", "remark": "R"}
    assert person.post(create, data).url == reverse("wagtailadmin_home")
    assert (Maker.objects.count(), Certificate.objects.count()) == (1, 1)


# The policy


def test_nobody_is_among_those_who_may_add_or_delete(admin_user):
    policy = ManagedModelPermissionPolicy(Maker)
    assert list(policy.users_with_any_permission(["add", "delete"])) == []
    assert list(policy.users_with_permission("change")) == [admin_user]
    assert policy.user_has_any_permission(admin_user, ["add", "change"])
    assert not policy.user_has_any_permission(admin_user, ["add", "delete"])


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Wagtail's registry, as it was again after the test."""
    # Viewsets of hooks register while the URLs are read.
    assert reverse("wagtailadmin_home")
    monkeypatch.setattr(hooks, "register", lambda *args: None)
    registry = getattr(permissions, "policy_registry", None)
    if registry is None:
        pytest.skip("Wagtail 7.4 has no policy_registry")
    before = dict(registry.values_by_exact_class)
    yield registry
    registry.values_by_exact_class = before


def test_wagtails_registry_knows_the_policy_of_a_synced_model(policies):
    for model in (Maker, Certificate, Brand):
        policy = policies.get_by_type(model, fallback=False)
        assert isinstance(policy, ManagedModelPermissionPolicy)


class AgainViewSet(SyncedModelViewSetMixin, ModelViewSet):
    model = Certificate
    form_fields = ["remark"]


def test_a_viewset_registers_its_policy_as_wagtail_wants_it(policies):
    del policies.values_by_exact_class[Certificate]
    viewset = AgainViewSet("again")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        viewset.register_permissions()
    assert policies.get_by_type(Certificate) is viewset.permission_policy


def test_a_policy_of_the_sites_own_that_refuses_too_is_kept(policies):
    class SitePolicy(ManagedModelPermissionPolicy):
        pass

    registered = SitePolicy(Certificate)
    policies.register(Certificate, value=registered, exact_class=True)
    AgainViewSet("again").register_permissions()
    assert policies.get_by_type(Certificate) is registered


# The sandbox's shop


def test_a_sync_makes_a_brand_and_keeps_what_editors_tell_of_it(
    pim: Any, publish: Callable[..., Any], admin_client: Client, client: Client
):
    pim.product("A1", Brand="Karu")
    publish()
    brand = Brand.objects.get(name="Karu")
    url = reverse("wagtailsnippets_shop_brand:edit", args=[brand.pk])
    data = {"name": "Tampered", "story": "Built by hand since 1999."}
    assert admin_client.post(url, data).status_code == 302
    pim.change("A1", Brand="Karu", Summary="New")
    publish()
    product = BicyclePage.objects.get(product_number="A1")
    assert product.brand == Brand.objects.get(name="Karu")
    shown = client.get(product.url).content.decode()
    assert "Built by hand since 1999." in shown


def test_scheduling_a_change_leaves_a_snippet_live(admin_client):
    maker = Maker.objects.create(name="Karu", story="First")
    admin_client.post(
        reverse("wagtailsnippets_trial_maker:edit", args=[maker.pk]),
        {"story": "Later", "go_live_at": "2050-01-01 00:00", "action-publish": "1"},
    )
    maker.refresh_from_db()
    assert (maker.live, maker.story) == (True, "First")
