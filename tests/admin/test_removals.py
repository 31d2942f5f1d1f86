"""In the admin: many removals confirmed, and deleted pages restored."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from wagtail.models import GroupPagePermission, Page

from sandbox_site.shop.models import BicyclePage
from tests.admin.test_jobs import messages_of, text_of, with_permissions
from wagtail_pim.catalog.restoring import page_content
from wagtail_pim.models import JobRun, JobRunItem
from wagtail_pim.models.runs import Outcome, State

JOB = "reconcile_catalog"

pytestmark = pytest.mark.django_db


def page_of(run: JobRun) -> str:
    return reverse("wagtail_pim:run", args=[run.pk])


# The confirmation


@pytest.fixture
def stopped(db: None) -> JobRun:
    """A run that asks for a confirmation."""
    return JobRun.objects.create(
        job=JOB,
        state=State.FAILED,
        error="So many.",
        error_code="removals_to_confirm",
    )


def fields_of(html: str, button: str) -> tuple[str, dict[str, str]]:
    """Where the form with this button goes, and what it sends of a confirmation."""
    form = html.partition(f">{button}<")[0].rpartition("<form")[2]
    fields = re.findall('type="hidden" name="(confirm[a-z_]*)" value="(.*?)"', form)
    return re.search('action="(.*?)"', form)[1], dict(fields)


def test_a_run_is_started_again_with_a_confirmation(stopped):
    client = with_permissions("run_jobs")
    html = client.get(page_of(stopped)).content.decode()
    address, fields = fields_of(html, "Run again and remove them")
    assert fields == {"confirm_removals": "on"}

    question = client.post(address, fields)
    assert "Start a dry run first" in text_of(question)
    assert JobRun.objects.get() == stopped
    _address, fields = fields_of(question.content.decode(), "Start all the same")
    response = client.post(address, fields)
    run = JobRun.objects.exclude(pk=stopped.pk).get()
    assert response.url == page_of(run)
    assert (run.job, run.options) == (JOB, {"confirm_removals": True})
    assert "confirmed at the start" in text_of(client.get(page_of(run)))


def test_run_again_alone_confirms_nothing(stopped):
    client = with_permissions("run_jobs")
    html = client.get(page_of(stopped)).content.decode()
    address, fields = fields_of(html, "Run again")
    assert fields == {}
    client.post(address, fields)
    assert JobRun.objects.exclude(pk=stopped.pk).get().options == {}


def test_an_interrupted_run_that_was_confirmed_is_asked_for_again(admin_client):
    run = JobRun.objects.create(
        job=JOB, state=State.INTERRUPTED, options={"confirm_removals": True}
    )
    html = admin_client.get(page_of(run)).content.decode()
    address, fields = fields_of(html, "Run again")
    assert fields == {"confirm_removals": "True"}
    assert "Start a dry run first" in text_of(admin_client.post(address, fields))
    assert JobRun.objects.get() == run


def test_who_may_not_run_jobs_does_not_confirm(stopped):
    client = with_permissions("view_jobrun")
    assert "remove them" not in text_of(client.get(page_of(stopped)))
    start = reverse("wagtail_pim:start", args=[JOB])
    script = {"X-Requested-With": "XMLHttpRequest"}
    data = {"confirm_removals": "on", "confirmed": "on"}
    assert client.post(start, data, headers=script).status_code == 403
    assert JobRun.objects.get() == stopped


def test_other_runs_offer_no_confirmation(admin_client, stopped):
    JobRun.objects.update(error_code="interrupted")
    assert "remove them" not in text_of(admin_client.get(page_of(stopped)))


# Restoring


@pytest.fixture
def deleted(pim: Any, publish: Any) -> JobRunItem:
    """The record of a page made by hand that a run has deleted."""
    publish()
    city = Page.objects.get(title="City")
    page = BicyclePage(title="Made by hand", slug="h1", campaign_text="Ours")
    city.add_child(instance=page)
    page = BicyclePage.objects.get()
    item = JobRun.objects.get().items.create(
        kind="product",
        number="H1",
        title=page.title,
        outcome=Outcome.REMOVED,
        content=page_content(page),
    )
    page.delete()
    return item


def offers(client: Any, item: JobRunItem) -> bool:
    """Whether the page of the run has a button to restore it."""
    return url_of(item) in client.get(page_of(item.run)).content.decode()


def url_of(item: JobRunItem) -> str:
    return reverse("wagtail_pim:restore", args=[item.run_id, item.pk])


def test_a_page_is_restored_and_opened_in_the_editor(deleted, admin_client, admin_user):
    assert offers(admin_client, deleted)
    response = admin_client.post(url_of(deleted), follow=True)
    page = BicyclePage.objects.get()
    edit = reverse("wagtailadmin_pages:edit", args=[page.pk])
    assert response.redirect_chain[-1][0] == edit
    assert (page.live, page.campaign_text) == (False, "Ours")
    assert page.get_latest_revision().user == admin_user
    told, warning = messages_of(response)
    assert told == "“Made by hand” is restored as a draft."
    assert "deletes it again" in warning
    # Once is enough.
    assert (
        url_of(deleted) not in admin_client.get(page_of(deleted.run)).content.decode()
    )
    response = admin_client.post(url_of(deleted), follow=True)
    assert "is restored already" in messages_of(response)[0]
    assert BicyclePage.objects.count() == 1


@pytest.mark.parametrize(
    ("policy", "warned"), [("delete", True), ("unpublish", True), ("keep", False)]
)
def test_the_warning_is_of_the_setting(
    deleted, admin_client, configure, policy, warned
):
    configure(DISCARDS=policy)
    told = messages_of(admin_client.post(url_of(deleted), follow=True))
    assert (len(told) == 2) == warned


def test_what_is_gone_is_named(deleted, admin_client):
    deleted.content["data"]["brand"] = 77
    deleted.save()
    told = messages_of(admin_client.post(url_of(deleted), follow=True))
    assert "left out: brand: brand 77." in told[1]


def test_without_its_parent_it_says_what_to_do(deleted, admin_client, site):
    deleted.content["parent"] |= {"guid": None, "page": 0, "url_path": "/gone/"}
    deleted.save()
    response = admin_client.post(url_of(deleted), follow=True)
    assert response.redirect_chain[-1][0] == page_of(deleted.run)
    assert f"manage.py pim restore {deleted.pk} --parent" in messages_of(response)[0]


def adding_pages(*codenames: str) -> Any:
    """Logged in as one who may also add pages below the root."""
    client = with_permissions(*codenames)
    user = client.get(reverse("wagtailadmin_home")).wsgi_request.user
    GroupPagePermission.objects.create(
        group=user.groups.create(name=f"Adders {codenames}"),
        page=Page.get_first_root_node(),
        permission=Permission.objects.get(codename="add_page"),
    )
    return client


def test_both_permissions_are_needed(deleted):
    script = {"X-Requested-With": "XMLHttpRequest"}
    for client in (with_permissions("run_jobs"), adding_pages("view_jobrun")):
        assert client.post(url_of(deleted), headers=script).status_code == 403
        assert not BicyclePage.objects.exists()
    client = adding_pages("run_jobs", "stop_jobs")
    response = client.post(url_of(deleted), follow=True)
    # Who may only add pages edits those of their own.
    assert response.status_code == 200
    assert BicyclePage.objects.get().owner.has_perm("wagtail_pim.run_jobs")


def test_who_may_not_restore_sees_no_button(deleted):
    client = with_permissions("view_jobrun")
    assert not offers(client, deleted)


def test_records_without_content_have_no_button(deleted, admin_client):
    JobRunItem.objects.update(content=None)
    assert (
        url_of(deleted) not in admin_client.get(page_of(deleted.run)).content.decode()
    )
    response = admin_client.post(url_of(deleted), follow=True)
    assert "not that of a page" in messages_of(response)[0]


def test_it_is_a_post_of_a_record_that_is_there(deleted, admin_client):
    assert admin_client.get(url_of(deleted)).status_code == 405
    other = JobRun.objects.create(job=JOB, state=State.SUCCEEDED)
    address = reverse("wagtail_pim:restore", args=[other.pk, deleted.pk])
    assert admin_client.post(address).status_code == 404
