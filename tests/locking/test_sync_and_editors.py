"""A sync and an editor on one page: neither takes anything from the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from wagtail.models import Page, Revision

from sandbox_site.shop.models import BicyclePage
from wagtail_pim.models.runs import Outcome

from .test_surfaces import form_of, post, view

pytestmark = pytest.mark.django_db

Sync = Callable[[str], None]


@pytest.fixture
def bicycle(pim: Any, publish: Any) -> BicyclePage:
    """A page that the job has made, published once by an editor since."""
    pim.product("A1", productTitle="First", urlSegment="first", Summary="First")
    publish()
    page = BicyclePage.objects.get()
    page.save_revision().publish()
    return BicyclePage.objects.get()


@pytest.fixture
def sync(pim: Any, publish: Any) -> Sync:
    """Runs the job after the product has another title, URL and summary."""

    def run(name: str) -> None:
        pim.change("A1", productTitle=name, urlSegment=name.lower(), Summary=name)
        assert publish().counts == {Outcome.UPDATED: 1}

    return run


def synced(page: Page) -> tuple[str, ...]:
    return (page.title, page.draft_title, page.slug, page.summary)


def names(name: str) -> tuple[str, ...]:
    return (name, name, name.lower(), name)


def test_a_sync_writes_the_row_and_makes_no_revision(bicycle, sync):
    before = list(Revision.objects.values())
    sync("Second")
    page = BicyclePage.objects.get()
    assert synced(page) == names("Second")
    assert page.url_path == "/shop/spokewell/bicycles/city/second/"
    assert list(Revision.objects.values()) == before
    assert page.latest_revision_id == bicycle.latest_revision_id
    assert page.live_revision_id == bicycle.live_revision_id
    assert not page.has_unpublished_changes


def test_an_unpublished_draft_stays_one_and_keeps_its_text(bicycle, sync):
    bicycle.campaign_text = "Unfinished"
    draft = bicycle.save_revision()
    sync("Second")
    page = BicyclePage.objects.get()
    assert page.has_unpublished_changes
    assert page.campaign_text == ""
    assert page.latest_revision == draft
    latest = page.get_latest_revision_as_object()
    assert (*synced(latest), latest.campaign_text) == (*names("Second"), "Unfinished")

    draft.publish()
    page = BicyclePage.objects.get()
    assert (*synced(page), page.campaign_text) == (*names("Second"), "Unfinished")
    assert page.url_path == "/shop/spokewell/bicycles/city/second/"
    assert not page.has_unpublished_changes


def test_a_page_that_was_never_published_here_stays_unpublished(bicycle, sync):
    bicycle.unpublish()
    sync("Second")
    assert (
        not BicyclePage.objects.get().revisions.filter(content__title="Second").exists()
    )


@pytest.mark.parametrize("has_revision", [True, False])
def test_an_open_editor_saves_publishes_and_autosaves_over_a_sync(
    admin_client, bicycle, sync, has_revision
):
    if not has_revision:
        Revision.objects.all().delete()
    url = view("edit", bicycle.pk)
    data = form_of(admin_client, url)
    loaded = {"loaded_revision_id", "loaded_revision_created_at"}
    assert (loaded <= data.keys()) is has_revision

    def autosave(text: str) -> dict[str, Any]:
        data["campaign_text"] = text
        response = admin_client.post(url, data, headers={"Accept": "application/json"})
        assert response.status_code == 200, response.content
        # As the script does with what it gets.
        answer = response.json()
        data["overwrite_revision_id"] = answer["revision_id"]
        data["loaded_revision_id"] = answer["revision_id"]
        data["loaded_revision_created_at"] = answer["revision_created_at"]
        data.update(answer["field_updates"])
        return answer

    sync("Second")
    first = autosave("One")
    sync("Third")
    second = autosave("Two")
    assert second["revision_id"] == first["revision_id"]
    page = BicyclePage.objects.get()
    assert (*synced(page), page.campaign_text) == (*names("Third"), "")
    assert page.get_latest_revision_as_object().campaign_text == "Two"

    sync("Fourth")
    post(admin_client, url, data)
    sync("Fifth")
    data["campaign_text"] = "Three"
    post(admin_client, url, data, action_publish="1")
    page = BicyclePage.objects.get()
    assert (*synced(page), page.campaign_text) == (*names("Fifth"), "Three")
    assert page.url_path == "/shop/spokewell/bicycles/city/fifth/"
    assert not page.has_unpublished_changes


def test_another_editors_version_is_still_told_of(admin_client, bicycle, sync):
    """The guard of Wagtail's that a revision of the sync's would set off."""
    url = view("edit", bicycle.pk)
    data = form_of(admin_client, url)
    sync("Second")
    BicyclePage.objects.get().save_revision()
    response = admin_client.post(url, data, headers={"Accept": "application/json"})
    assert response.json()["error_code"] == "invalid_revision"


def test_aliases_follow_a_sync_at_their_own_urls(bicycle, sync):
    alias = bicycle.create_alias(update_slug="alias")
    second = alias.create_alias(update_slug="second-alias")
    sync("Second")
    for page, slug in ((alias, "alias"), (second, "second-alias")):
        page = BicyclePage.objects.get(pk=page.pk)
        assert synced(page) == ("Second", "Second", slug, "Second")
        assert page.url_path == f"/shop/spokewell/bicycles/city/{slug}/"
