"""What the PIM took off the site stays off it, whoever publishes what."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from django.utils import timezone
from wagtail import hooks
from wagtail.actions.publish_page_revision import PublishPageRevisionAction
from wagtail.models import Page, Workflow

from sandbox_site.shop.models import BicyclePage
from tests.trial.models import TrialProductPage
from wagtail_pim.catalog import bulk
from wagtail_pim.catalog.writer import remove_page
from wagtail_pim.models import CatalogPage, VariantPage
from wagtail_pim.models.runs import Outcome

from .test_surfaces import form_of, post, view

pytestmark = pytest.mark.django_db


@pytest.fixture
def archived(pim: Any, publish: Any) -> BicyclePage:
    """The page of a product that was archived; an editor's draft waits on it."""
    pim.product("A1")
    publish()
    page = BicyclePage.objects.get()
    page.campaign_text = "Soon again"
    page.save_revision()
    pim.change("A1", isArchived=True)
    publish()
    page = BicyclePage.objects.get()
    assert not page.live
    return page


def test_bulk_publishing_the_catalog_does_not_bring_it_back(archived, admin_client):
    catalog = CatalogPage.objects.get()
    url = reverse("wagtail_bulk_action", args=("wagtailcore", "page", "publish"))
    url += f"?id={catalog.pk}&id={archived.pk}"
    admin_client.post(url, {"include_descendants": "on"})
    assert not BicyclePage.objects.get().live


def test_the_editor_saves_drafts_and_is_offered_no_publishing(archived, admin_client):
    url = view("edit", archived.pk)
    html = admin_client.get(url).content.decode()
    assert "took it off the site" in html
    assert 'name="action-publish"' not in html
    data = {**form_of(admin_client, url), "campaign_text": "Better still"}
    post(admin_client, url, data, action_publish="1")
    page = BicyclePage.objects.get()
    assert not page.live
    draft = page.get_latest_revision_as_object()
    assert draft.campaign_text == "Better still"


def test_privacy_and_schedules_stay_the_editors(archived, admin_user):
    permissions = archived.permissions_for_user(admin_user)
    assert not permissions.can_publish()
    assert permissions.can_set_view_restrictions()
    assert permissions.can_unschedule()


def test_a_workflow_is_not_started_and_not_finished(archived, admin_user):
    assert not archived.permissions_for_user(admin_user).can_submit_for_moderation()
    state = Workflow.objects.first().start(archived, admin_user)
    with pytest.raises(PermissionDenied):
        state.current_task_state.approve(user=admin_user)
    assert not BicyclePage.objects.get().live


def test_code_that_publishes_leaves_a_draft(archived):
    PublishPageRevisionAction(archived.get_latest_revision()).execute()
    page = BicyclePage.objects.get()
    assert not page.live
    assert page.live_revision is None
    assert page.has_unpublished_changes


@pytest.mark.parametrize("model", [BicyclePage, Page])
def test_a_page_that_was_read_before_does_not_come_back(pim, publish, model):
    pim.product("A1")
    publish()
    stale = model.objects.get(pk=BicyclePage.objects.get().pk)
    pim.change("A1", isArchived=True)
    publish()
    stale.seo_title = "Edited"
    stale.save()
    page = BicyclePage.objects.get()
    assert (page.live, page.seo_title) == (False, "Edited")


def test_the_pim_brings_it_back_with_what_editors_wrote(archived, pim, publish):
    archived.campaign_text = "Back"
    archived.save()
    pim.change("A1", isArchived=False)
    assert publish().counts == {Outcome.UPDATED: 1}
    page = BicyclePage.objects.get()
    assert (page.live, page.campaign_text) == (True, "Back")


def test_expiry_takes_a_managed_page_off_the_site(trial_page):
    trial_page.unpublish()
    assert not TrialProductPage.objects.get().live
    remove_page(trial_page.pk)


# Its place in the tree, under a publish


def publish_while(client: Any, page: Page, sync: Any) -> None:
    url = view("edit", page.pk)
    data = form_of(client, url)

    def sync_before_saving(request: Any, page: Page) -> None:
        if request.method == "POST":
            sync()

    with hooks.register_temporarily("before_edit_page", sync_before_saving):
        post(client, url, data, action_publish="1")


def test_a_variant_that_a_sync_adds_under_a_publish_stays_in_the_tree(
    admin_client, trial_page
):
    def add() -> None:
        parent = bulk.lock_pages([trial_page.pk])[trial_page.pk]
        variant = VariantPage(title="V", slug="v")
        bulk.insert_pages([bulk.NewPage(variant, parent)], timezone.now())

    publish_while(admin_client, trial_page, add)
    assert Page.objects.get(pk=trial_page.pk).get_children().count() == 1
    assert not any(Page.find_problems())


@pytest.mark.parametrize("model", [CatalogPage, Page])
def test_a_category_that_a_sync_adds_stays_in_the_tree(site, pim, publish, model):
    """Whoever saves a catalog page that was read before."""
    publish()
    catalog = CatalogPage.objects.get()
    stale = model.objects.get(pk=catalog.pk)
    before = stale.numchild
    pim.category("Cargo")
    publish()
    stale.seo_title = "Edited"
    stale.save()
    assert not any(Page.find_problems())
    assert Page.objects.get(pk=catalog.pk).numchild == before + 1


def test_a_catalog_page_is_unpublished_and_published_by_its_editors(
    admin_client, pim, publish
):
    publish()
    catalog = CatalogPage.objects.get()
    admin_client.post(view("unpublish", catalog.pk))
    assert not CatalogPage.objects.get().live
    url = view("edit", catalog.pk)
    data = {**form_of(admin_client, url), "title": "Ours"}
    post(admin_client, url, data, action_publish="1")
    catalog = CatalogPage.objects.get()
    assert (catalog.live, catalog.title) == (True, "Ours")


def test_a_page_that_a_sync_moves_under_a_publish_stays_there(
    admin_client, trial_page, site
):
    target = site.root_page.add_child(instance=CatalogPage(title="Other", slug="other"))
    trial_page.add_child(instance=VariantPage(title="V", slug="v"))

    def move() -> None:
        page = TrialProductPage.objects.get(pk=trial_page.pk)
        bulk.move(page, target.pk, "last-child")

    publish_while(admin_client, trial_page, move)
    assert not any(Page.find_problems())
    assert Page.objects.get(pk=trial_page.pk).get_parent().pk == target.pk
