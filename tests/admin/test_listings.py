"""The lists "Runs" and "Products"."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from wagtail.admin.admin_url_finder import AdminURLFinder
from wagtail.models import GroupPagePermission, Locale, ReferenceIndex

from tests.jobs.test_languages import GERMAN, german, locales
from tests.pim_data import guid
from wagtail_pim.jobs import PublishApprovedProducts
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import JobRun, PimLink, ProductPage, VariantPage
from wagtail_pim.models.runs import State, Trigger

__all__ = ["german", "locales"]

pytestmark = pytest.mark.django_db

JOB = PublishApprovedProducts.name
LISTS = {
    "runs": {"view_jobrun", "run_jobs", "stop_jobs", "change_jobschedule"},
    "products": {"view_pimlink"},
}


def url(name: str, view: str = "index") -> str:
    return reverse(f"pim_{name}_modeladmin_{view}")


def text_of(response: Any) -> str:
    html = re.sub(r"<[^>]*>", " ", response.content.decode())
    return " ".join(unescape(html).split())


def listed(client: Client, name: str, **query: Any) -> list[Any]:
    response = client.get(url(name, "results"), query)
    assert response.status_code == 200
    return list(response.context["table"].data)


def exported(client: Client, name: str, **query: Any) -> list[dict[str, str]]:
    response = client.get(url(name), {"export": "csv", **query})
    content = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(content)))


def make_run(state: State = State.SUCCEEDED, **values: Any) -> JobRun:
    return JobRun.objects.create(
        **{"job": JOB, "trigger": Trigger.ADMIN, "state": state, **values}
    )


@pytest.fixture
def group(site) -> Group:
    group = Group.objects.create(name="Watchers")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    return group


@pytest.fixture
def allow(client, group):
    """Gives permissions to a user, and logs them in."""
    user = User.objects.create_user("anna", first_name="Anna", last_name="Able")
    user.groups.add(group)

    def allow(*codenames: str) -> Client:
        permissions = Permission.objects.filter(codename__in=codenames)
        group.permissions.add(*permissions)
        client.force_login(user)
        return client

    return allow


def let_edit_pages(group: Group, site: Any) -> None:
    GroupPagePermission.objects.create(
        group=group,
        page=site.root_page,
        permission=Permission.objects.get(codename="change_page"),
    )


# Both


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("view", ["index", "results"])
def test_each_list_has_its_permission(allow, group, configure, name, view):
    others = set().union(*LISTS.values(), {"change_pimlink", "refresh_pimlink"})
    client = allow(*others - LISTS[name])
    for query in ({}, {"export": "csv"}):
        response = client.get(
            url(name, view), query, headers={"X-Requested-With": "XMLHttpRequest"}
        )
        assert response.status_code == 403
    for codename in LISTS[name]:
        group.permissions.remove(*Permission.objects.filter(codename__in=LISTS[name]))
        assert allow(codename).get(url(name, view)).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_who_is_not_logged_in_is_sent_to_do_so(client, name):
    assert client.get(url(name)).url.startswith(reverse("wagtailadmin_login"))


@pytest.mark.parametrize("name", LISTS)
def test_the_menu_shows_a_list_to_those_who_may_see_it(allow, configure, name):
    home = reverse("wagtailadmin_home")
    assert url(name) not in allow().get(home).content.decode()
    assert url(name) in allow(*LISTS[name]).get(home).content.decode()


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("view", ["create", "edit", "delete", "inspect", "history"])
def test_nothing_is_created_changed_or_deleted_here(admin_client, name, view):
    with pytest.raises(NoReverseMatch):
        reverse(f"pim_{name}_modeladmin_{view}")
    for path in (f"{view}/", f"{view}/1/"):
        assert admin_client.get(f"{url(name)}{path}").status_code == 404
        assert admin_client.post(f"{url(name)}{path}").status_code == 404


@pytest.mark.parametrize("name", LISTS)
def test_empty_lists_say_so(admin_client, configure, name):
    assert f"There are no {name} to display" in text_of(admin_client.get(url(name)))


def test_group_editors_give_what_there_is_to_do_and_nothing_else(admin_client):
    html = admin_client.get(reverse("wagtailusers_groups:add")).content.decode()
    for model, action, given in (
        ("jobrun", "view", True),
        ("pimlink", "view", True),
        ("pimlink", "add", False),
        ("pimlink", "change", False),
        ("pimlink", "delete", False),
    ):
        permission = Permission.objects.get(codename=f"{action}_{model}")
        assert (f'value="{permission.pk}"' in html) == given, permission


def test_a_run_is_no_use_of_the_user_who_started_it(
    admin_user, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        make_run(user=admin_user)
    assert not ReferenceIndex.get_references_to(admin_user).exists()


# Runs


def test_runs_are_listed_with_the_newest_first(admin_client, admin_user):
    now = timezone.now()
    old = make_run(created_at=now - timedelta(days=1), trigger=Trigger.SCHEDULE)
    new = make_run(
        State.FAILED_ITEMS,
        user=admin_user,
        dry_run=True,
        started_at=now - timedelta(seconds=90),
        finished_at=now - timedelta(seconds=50),
        counts={"created": 1234, "failed": 2},
        acknowledged=567,
    )
    assert listed(admin_client, "runs") == [new, old]
    response = admin_client.get(url("runs"))
    html, text = response.content.decode(), text_of(response)
    for run in (new, old):
        assert f'href="{reverse("wagtail_pim:run", args=[run.pk])}"' in html
    for shown in (
        "Publish approved products dry run",
        "failed items",
        "admin 40 seconds 1,234 0 0 2 567",
        "schedule",
    ):
        assert shown in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"job": JOB}, {"a", "b"}),
        ({"job": "of_old"}, {"c"}),
        ({"job": "of_none"}, {"a", "b", "c"}),
        ({"state": ["failed", "stopped"]}, {"b", "c"}),
        ({"dry_run": "True"}, {"b"}),
        ({"dry_run": "False"}, {"a", "c"}),
        ({"trigger": "schedule"}, {"c"}),
        ({"created_at_from": "2026-01-02", "created_at_to": "2026-01-02"}, {"b"}),
        ({"created_at_from": "nonsense"}, {"a", "b", "c"}),
    ],
)
def test_runs_are_filtered(admin_client, query, found):
    runs = {
        "a": {"state": State.SUCCEEDED},
        "b": {"state": State.FAILED, "dry_run": True},
        "c": {"state": State.STOPPED, "trigger": Trigger.SCHEDULE, "job": "of_old"},
    }
    names = {}
    for day, (name, values) in enumerate(runs.items(), start=1):
        created = datetime(2026, 1, day, 12, tzinfo=UTC)
        names[make_run(created_at=created, **values).pk] = name
    assert {names[run.pk] for run in listed(admin_client, "runs", **query)} == found


def test_runs_are_exported(admin_client, admin_user):
    run = make_run(
        State.FAILED, user=admin_user, error="=cmd()", counts={"created": 3}, worker="w"
    )
    (row,) = exported(admin_client, "runs")
    assert row["Run"] == str(run.pk)
    assert row["Job"] == "Publish approved products"
    assert row["Started by"] == "admin"
    assert (row["Created"], row["Failed"]) == ("3", "0")
    assert row["Error"] == "'=cmd()"
    response = admin_client.get(url("runs"), {"export": "xlsx"})
    content = io.BytesIO(b"".join(response.streaming_content))
    rows = list(openpyxl.load_workbook(content).active.values)
    assert rows[1][0] == str(run.pk)
    assert rows[1][1].date() == run.created_at.astimezone(UTC).date()


def test_the_number_of_runs_costs_no_queries(admin_client, admin_user, queries):
    counts = []
    for _ in range(2):
        for _ in range(5):
            make_run(user=admin_user)
        with queries() as captured:
            admin_client.get(url("runs"))
        counts.append(len(captured.reads()))
    assert counts[0] == counts[1]


def test_wagtails_reports_lead_to_a_run(admin_client, admin_user, client, allow):
    run = make_run()
    address = reverse("wagtail_pim:run", args=[run.pk])
    assert AdminURLFinder(admin_user).get_edit_url(run) == address
    assert AdminURLFinder().get_edit_url(run) == address
    allow("view_pimlink")
    anna = User.objects.get(username="anna")
    assert AdminURLFinder(anna).get_edit_url(run) is None
    allow("run_jobs")
    anna = User.objects.get(username="anna")
    assert AdminURLFinder(anna).get_edit_url(run) == address


def test_the_site_history_leads_to_a_run(pim, publish, admin_client):
    run = publish()
    response = admin_client.get(reverse("wagtailadmin_reports:site_history"))
    assert reverse("wagtail_pim:run", args=[run.pk]) in response.content.decode()
    assert "A PIM run ended: succeeded" in text_of(response)


# Products


@pytest.fixture
def shop(pim, publish):
    pim.product("A1", Summary="S", productTitle="Road bicycle")
    pim.variant("A1-1", "A1", productTitle="Road bicycle, red")
    pim.product("B1", "Helmets", template="Helmet", productTitle="Helmet")
    assert publish().state == State.SUCCEEDED
    with pim_write():
        ProductPage.objects.filter(product_number="B1").update(live=False)
    PimLink.objects.filter(page__productpage__product_number="B1").update(status="Old")
    return pim


def test_products_and_variants_are_listed(shop, admin_client, pim_server):
    response = admin_client.get(url("products"))
    html, text = response.content.decode(), text_of(response)
    assert "A1 Road bicycle English product Published live 1" in text
    assert "A1-1 Road bicycle, red English variant Published live 1" in text
    assert "B1 Helmet English product Old draft 1" in text
    assert "Bicycles" not in text
    for page in (ProductPage.objects.first(), VariantPage.objects.get()):
        assert reverse("wagtailadmin_pages:edit", args=[page.pk]) in html
        assert reverse("wagtail_pim:refresh_product", args=[page.pk]) in html
    assert reverse("wagtail_pim:run", args=[JobRun.objects.get().pk]) in html
    assert f'href="{pim_server.url}/products/{guid("product", "A1-1")}"' in html


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, ["A1", "A1-1", "B1"]),
        ({"q": "a1"}, ["A1", "A1-1"]),
        ({"q": "HELMET"}, ["B1"]),
        ({"q": "road"}, ["A1", "A1-1"]),
        ({"q": "'\"<%_"}, []),
        ({"q": "\0"}, ["A1", "A1-1", "B1"]),
        ({"status": "Published"}, ["A1", "A1-1"]),
        ({"status": ["Published", "Old"]}, ["A1", "A1-1", "B1"]),
        ({"kind": "variant"}, ["A1-1"]),
        ({"kind": "category"}, ["A1", "A1-1", "B1"]),
        ({"live": "True"}, ["A1", "A1-1"]),
        ({"live": "False"}, ["B1"]),
        ({"ordering": "-number"}, ["B1", "A1-1", "A1"]),
        ({"ordering": "page__title"}, ["B1", "A1", "A1-1"]),
    ],
)
def test_products_are_searched_filtered_and_sorted(shop, admin_client, query, numbers):
    found = [link.number for link in listed(admin_client, "products", **query)]
    assert found == numbers


@pytest.fixture
def translated(shop, publish, german) -> Locale:
    """The shop in German as well, but for the helmet."""
    shop.translate("A1", GERMAN, productTitle="Rennrad")
    shop.approve("A1", "A1-1")
    assert publish().state == State.SUCCEEDED
    return german


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["A1 en", "A1 de", "A1-1 en", "A1-1 de", "B1 en"]),
        ({"locale": "de"}, ["A1 de", "A1-1 de"]),
        ({"locale": "en", "kind": "product"}, ["A1 en", "B1 en"]),
        ({"locale": "xx", "q": "rennrad"}, ["A1 de"]),
        ({"ordering": "locale", "kind": "product"}, ["A1 de", "A1 en", "B1 en"]),
        ({"ordering": "-number"}, ["B1 en", "A1-1 en", "A1-1 de", "A1 en", "A1 de"]),
    ],
)
def test_the_pages_of_a_product_in_several_languages_are_told_apart(
    translated, admin_client, query, found
):
    links = listed(admin_client, "products", **query)
    assert [f"{link.number} {link.locale.language_code}" for link in links] == found
    assert "A1 Rennrad German product" in text_of(
        admin_client.get(url("products"), {"locale": "de"})
    )


def test_languages_are_no_matter_of_a_site_that_has_one(
    shop, locales, admin_client, settings
):
    def has_filter() -> bool:
        return 'name="locale"' in admin_client.get(url("products")).content.decode()

    assert not has_filter()
    locales("de")
    assert has_filter()
    settings.WAGTAIL_I18N_ENABLED = False
    assert not has_filter()
    text = text_of(admin_client.get(url("products")))
    assert "A1 Road bicycle product Published live 1" in text


def test_the_home_page_counts_products_and_not_their_pages(translated, admin_client):
    home = text_of(admin_client.get(reverse("wagtailadmin_home")))
    assert "3 PIM products" in home


def test_a_product_is_refreshed_from_the_list(shop, admin_client):
    shop.change("A1", Summary="New", status="Published")
    page = ProductPage.objects.get(product_number="A1")
    back = f"http://testserver{url('products')}?q=A1"
    response = admin_client.post(
        reverse("wagtail_pim:refresh_product", args=[page.pk]),
        {"next": back},
        follow=True,
    )
    assert response.redirect_chain[0][0] == back
    assert "was refreshed from the PIM. Changed: Summary." in text_of(response)
    link = listed(admin_client, "products", q="A1")[0]
    assert link.run.job == "refresh_product"


def test_pages_and_the_button_are_for_those_who_may(shop, allow, group, site):
    page = ProductPage.objects.get(product_number="A1")
    edit = reverse("wagtailadmin_pages:edit", args=[page.pk])
    refresh = reverse("wagtail_pim:refresh_product", args=[page.pk])

    def shown(client: Client) -> tuple[bool, bool]:
        html = client.get(url("products")).content.decode()
        return edit in html, refresh in html

    assert shown(allow("view_pimlink")) == (False, False)
    assert shown(allow("refresh_pimlink")) == (False, False)
    let_edit_pages(group, site)
    assert shown(allow()) == (True, True)
    group.permissions.remove(Permission.objects.get(codename="refresh_pimlink"))
    assert shown(allow()) == (True, False)


def test_a_run_is_linked_while_it_is_kept_for_those_who_may_look(shop, allow):
    address = reverse("wagtail_pim:run", args=[JobRun.objects.get().pk])
    assert address not in allow("view_pimlink").get(url("products")).content.decode()
    client = allow("view_jobrun")
    assert address in client.get(url("products")).content.decode()
    JobRun.objects.all().delete()
    response = client.get(url("products"))
    assert address not in response.content.decode()
    assert "A1 Road bicycle" in text_of(response)


def test_what_the_pim_says_is_escaped(shop, admin_client):
    hostile = "<script>alert(1)</script>"
    with pim_write():
        ProductPage.objects.filter(product_number="A1").update(
            title=hostile, draft_title=hostile, product_number=hostile
        )
    PimLink.objects.update(status=hostile)
    html = admin_client.get(url("products"), {"q": hostile}).content.decode()
    assert hostile not in html
    assert html.count("&lt;script&gt;alert(1)") > 3


def test_products_are_exported(shop, admin_client, pim_server):
    with pim_write():
        ProductPage.objects.filter(product_number="A1").update(
            title="=1+1", draft_title="=1+1"
        )
    page = ProductPage.objects.get(product_number="A1")
    link = page.pim_link
    (row,) = exported(admin_client, "products", q="=1")
    assert row == {
        "Number": "A1",
        "Title": "'=1+1",
        "Locale": "en",
        "Kind": "product",
        "Status in the PIM": "Published",
        "Live": "True",
        "Version": "1",
        "Last synced": str(link.synced_at),
        "Run": str(link.run_id),
        "PIM Guid": str(link.guid),
        "Page": str(page.pk),
        "Address": page.full_url,
        "Address in the PIM": f"{pim_server.url}/products/{link.guid}",
    }
    assert len(exported(admin_client, "products")) == 3


@pytest.mark.parametrize("as_superuser", [True, False])
def test_the_number_of_products_costs_no_queries(
    pim, publish, allow, admin_client, queries, as_superuser
):
    client = admin_client if as_superuser else allow("view_pimlink", "refresh_pimlink")
    counts = []
    for count in (2, 12):
        for n in range(count):
            pim.product(f"P{count}-{n}", Summary="S")
            pim.variant(f"P{count}-{n}-1", f"P{count}-{n}")
        publish()
        client.get(url("products"))
        with queries() as captured:
            listed(client, "products")
        counts.append(len(captured.reads()))
    assert counts[0] == counts[1]
