"""The screen of one run: its progress, its items, stop and retry."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import GroupPagePermission

from tests.pim_data import guid
from wagtail_pim.jobs import (
    PublishApprovedProducts,
    RefreshProduct,
    RefreshPublishedProducts,
    SynchronizeSetupData,
    runs,
)
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import JobRun, JobRunItem, ProductPage
from wagtail_pim.models.runs import Outcome, State, Trigger
from wagtail_pim.signals import product_published

pytestmark = pytest.mark.django_db

JOB = PublishApprovedProducts.name
OF_JOBS = {"view_jobrun", "run_jobs", "stop_jobs", "change_jobschedule"}


def url(run: JobRun, view: str = "run") -> str:
    return reverse(f"wagtail_pim:{view}", args=[run.pk])


def text_of(response: Any) -> str:
    """What a person reads."""
    html = re.sub(r"<[^>]*>", " ", response.content.decode())
    return " ".join(unescape(html).split())


def overview_of(client: Client, run: JobRun) -> str:
    return text_of(client.get(url(run, "run_progress")))


def numbers_of(client: Client, run: JobRun, **query: Any) -> list[str]:
    """The numbers of the records that the screen lists."""
    response = client.get(url(run, "run_results"), query)
    assert response.status_code == 200
    return [item.number for item in response.context["table"].data]


def make_run(state: State = State.SUCCEEDED, **values: Any) -> JobRun:
    return JobRun.objects.create(
        **{"job": JOB, "trigger": Trigger.ADMIN, "state": state, **values}
    )


def running(**values: Any) -> JobRun:
    now = timezone.now()
    times = dict.fromkeys(("started_at", "work_started_at", "heartbeat_at"), now)
    return make_run(State.RUNNING, **{**times, "worker": "shop:7", **values})


def make_item(run: JobRun, number: str = "N1", **values: Any) -> JobRunItem:
    unsettled = bool(values.get("reason")) or values.get("acknowledged") is False
    return run.items.create(
        **{
            "kind": "product",
            "number": number,
            "outcome": Outcome.UPDATED,
            "unsettled": unsettled,
            **values,
        }
    )


@pytest.fixture
def user(db) -> User:
    """May use the admin, and no more."""
    user = User.objects.create_user("anna", first_name="Anna", last_name="Able")
    user.user_permissions.add(Permission.objects.get(codename="access_admin"))
    return user


@pytest.fixture
def allow(client, user):
    """Gives permissions to the user, and logs them in."""

    def allow(*codenames: str) -> Client:
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
        client.force_login(user)
        return client

    return allow


@pytest.fixture
def failed_run(pim, publish) -> JobRun:
    """One product was published, the page type of the other is not known."""
    pim.product("GOOD", Summary="Fine")
    pim.template("Unheard of")
    pim.product("BAD", template="Unheard of")
    run = publish()
    assert run.state == State.FAILED_ITEMS
    return run


# Progress


def test_a_run_that_waits_says_so(admin_client):
    run = make_run(State.QUEUED)
    assert "It waits for a worker." in overview_of(admin_client, run)


def test_one_that_waits_long_tells_how_to_start_a_worker(admin_client):
    created = timezone.now() - timedelta(seconds=61)
    text = overview_of(admin_client, make_run(State.QUEUED, created_at=created))
    assert "It has been waiting for a worker since" in text
    assert "db_worker" in text
    assert f"manage.py pim run {JOB}" in text


def test_a_run_that_lists_its_work_has_no_numbers_yet(admin_client):
    run = running(work_started_at=None)
    response = admin_client.get(url(run, "run_progress"))
    assert "It asks the PIM what there is to do." in text_of(response)
    assert re.search(r"<progress[^>]*>", response.content.decode())[0].count("=") == 2


def test_a_run_under_way_tells_how_far_it_is_how_fast_and_how_long(admin_client):
    begun = timezone.now() - timedelta(seconds=100)
    run = running(work_started_at=begun, done=1_000, total=4_000)
    response = admin_client.get(url(run, "run_progress"))
    text = text_of(response)
    assert "1,000 of 4,000 records" in text
    assert re.search(r"(10\.0|9\.9) records a second", text)
    assert "about 5 minutes left" in text
    html = response.content.decode()
    assert 'max="4000" value="1000"' in html
    assert "data-run-active" in html
    assert 'data-announcement="20 percent done"' in html


def test_a_run_whose_worker_is_silent_is_named(admin_client, configure):
    configure(HEARTBEAT_TIMEOUT=60)
    now = timezone.now()
    silent = running(heartbeat_at=now - timedelta(seconds=61), dry_run=True)
    alive = running(heartbeat_at=now - timedelta(seconds=50))
    assert "has given no sign of life since" in overview_of(admin_client, silent)
    assert "next start takes the run over" in overview_of(admin_client, silent)
    assert "sign of life" not in overview_of(admin_client, alive)


def test_a_run_that_was_asked_to_stop_says_when_it_does(admin_client):
    run = running(stop_requested_at=timezone.now())
    response = admin_client.get(url(run, "run_progress"))
    assert "ends after the current batch" in text_of(response)
    assert re.search(r"<button[^>]*disabled>Stop", response.content.decode())


@pytest.mark.parametrize(
    "state", [s for s in State if s not in (State.QUEUED, State.RUNNING)]
)
def test_a_run_that_has_ended_is_not_asked_for_again(admin_client, state):
    html = admin_client.get(url(make_run(state), "run_progress")).content.decode()
    assert "data-run-active" not in html
    assert "<progress" not in html
    assert f"pim-state--{state}" in html
    assert str(state.label) in html


def test_why_it_failed_and_its_warnings_are_shown_as_text(admin_client):
    run = make_run(State.FAILED, error="<b>No</b> PIM", warnings=["<i>Mind</i>"])
    html = admin_client.get(url(run)).content.decode()
    assert "&lt;b&gt;No&lt;/b&gt; PIM" in html
    assert "&lt;i&gt;Mind&lt;/i&gt;" in html
    assert "<b>No" not in html
    assert "<i>Mind" not in html


def test_who_started_it_how_where_and_what_it_goes_on_from(admin_client, user):
    first = make_run(State.INTERRUPTED, error="Dead")
    second = make_run(user=user, resumes=first, numbers=["A1", "A2"], worker="shop:7")
    text = overview_of(admin_client, second)
    assert "Started by Anna Able Started from admin" in text
    assert "Worker shop:7" in text
    assert "Only products A1, A2" in text
    assert f'href="{url(first)}"' in admin_client.get(url(second)).content.decode()
    assert f'href="{url(second)}"' in admin_client.get(url(first)).content.decode()


def test_a_dry_run_says_that_it_changes_nothing(admin_client):
    assert "changes nothing" in overview_of(admin_client, make_run(dry_run=True))
    assert "changes nothing" not in overview_of(admin_client, make_run())


def test_a_run_of_a_job_that_is_no_more_is_shown(admin_client):
    run = make_run(State.FAILED_ITEMS, job="of_old")
    make_item(run, reason="Odd")
    text = text_of(admin_client.get(url(run)))
    assert "of_old" in text
    assert "Retry" not in text


def test_counts_lead_to_their_records(admin_client, failed_run):
    html = admin_client.get(url(failed_run)).content.decode()
    for count, query in (
        (1, "outcome=failed&amp;kind=product&amp;kind=variant"),
        (5, "outcome=created&amp;kind=catalog&amp;kind=category"),
    ):
        assert re.search(rf'href="[^"]*\?{re.escape(query)}">{count}<', html)
    assert numbers_of(
        admin_client, failed_run, outcome="failed", kind=["product", "variant"]
    ) == ["BAD"]


def test_how_many_queries_a_look_at_the_progress_takes(admin_client, queries):
    run = running(done=5, total=10)
    make_item(run, reason="Odd")
    with queries() as captured:
        admin_client.get(url(run, "run_progress"))
    # Session, user and profile; the run, its failures and what goes on from it.
    assert len(captured.reads()) == 6


def test_nothing_is_left_once_all_is_done(admin_client):
    begun = timezone.now() - timedelta(seconds=100)
    text = overview_of(admin_client, running(work_started_at=begun, done=9, total=9))
    assert "records a second" in text
    assert "left" not in text


def test_many_numbers_are_shortened(admin_client):
    run = make_run(numbers=[f"N{n}" for n in range(21)])
    assert "N18, N19 and others, 21 in all" in overview_of(admin_client, run)


# Items


def test_what_is_unchanged_is_only_counted(pim, publish, admin_client):
    note = "Unchanged ones are only counted."
    assert note not in text_of(admin_client.get(url(make_run())))
    pim.product("A1")
    publish()
    pim.change("A1")
    run = publish()
    assert run.counts == {"unchanged": 1}
    assert note in text_of(admin_client.get(url(run)))
    response = admin_client.get(url(run), {"outcome": "failed"})
    assert note not in text_of(response)


def test_the_records_with_links_to_their_pages_and_to_the_pim(
    admin_client, failed_run, pim_server
):
    response = admin_client.get(url(failed_run), {"kind": "product"})
    html, text = response.content.decode(), text_of(response)
    good = ProductPage.objects.get()
    assert f'href="{reverse("wagtailadmin_pages:edit", args=[good.pk])}"' in html
    for number in ("GOOD", "BAD"):
        assert f'href="{pim_server.url}/products/{guid("product", number)}"' in html
    assert "Title of BAD" in text
    assert "Unheard of" in text
    assert "acknowledged" in text
    assert "1 record needs attention" in text


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, ["C", "P", "V", "X"]),
        ({"outcome": "created"}, ["C"]),
        ({"outcome": ["created", "failed"]}, ["C", "X"]),
        ({"kind": "variant"}, ["V"]),
        ({"attention": "True"}, ["V", "X"]),
        ({"attention": "False"}, ["C", "P"]),
        ({"acknowledged": "True"}, ["P"]),
        ({"acknowledged": "False"}, ["V"]),
        ({"q": "saddle"}, ["P"]),
        ({"q": "no hel"}, ["X"]),
        ({"q": "v"}, ["V"]),
        ({"q": "%"}, []),
        ({"q": "'; --"}, []),
        ({"q": "\0"}, ["C", "P", "V", "X"]),
        ({"outcome": "nonsense"}, ["C", "P", "V", "X"]),
        ({"ordering": "-number"}, ["X", "V", "P", "C"]),
        ({"ordering": "run__user__password"}, ["C", "P", "V", "X"]),
        ({"p": "99"}, ["C", "P", "V", "X"]),
    ],
)
def test_records_are_filtered_searched_and_sorted(admin_client, query, numbers):
    run = make_run()
    make_item(run, "C", kind="category", outcome=Outcome.CREATED)
    make_item(run, "P", title="Saddle", acknowledged=True)
    make_item(run, "V", kind="variant", acknowledged=False, reason="Told nobody")
    make_item(run, "X", outcome=Outcome.FAILED, reason="Has no helmet")
    make_item(make_run(), "OF ANOTHER RUN")
    assert numbers_of(admin_client, run, **query) == numbers


HOSTILE = "<script>alert(1)</script>"


def test_what_the_pim_says_is_escaped(admin_client):
    run = make_run()
    make_item(
        run,
        HOSTILE,
        title=HOSTILE,
        reason=HOSTILE,
        note=HOSTILE,
        differences={HOSTILE: [HOSTILE, HOSTILE * 50]},
    )
    for address in (url(run), url(run, "run_results")):
        html = admin_client.get(address, {"q": HOSTILE}).content.decode()
        assert html.count("&lt;script&gt;alert(1)") > 50
        assert HOSTILE not in html


def test_a_difference_is_shown_by_the_name_that_editors_know(
    pim, publish, admin_client
):
    pim.product("A1", Summary="Old words", Electric=False)
    publish()
    pim.change("A1", Summary="<p>New</p> words", Electric=True, category="Touring")
    run = publish(dry_run=True)
    response = admin_client.get(url(run), {"kind": "product"})
    text = text_of(response)
    assert "Summary Old words <p>New</p> words" in text
    assert "Electric assistance no yes" in text
    assert "Place in the page tree" in text
    assert "&lt;p&gt;New&lt;/p&gt;" in response.content.decode()


def test_a_long_value_is_shortened_and_there_in_whole(admin_client):
    run = make_run()
    long = "x" * 199 + "yz"
    make_item(run, differences={"body": [None, long], "short": ["a" * 200, ""]})
    html = admin_client.get(url(run)).content.decode()
    assert "x" * 199 + "y… " in html
    assert long in html
    assert html.count("<details") == 2


def test_differences_of_every_kind_of_value_can_be_shown(admin_client):
    run = make_run()
    values = [None, True, 1.5, "text", ["a", "b"], {"k": ["v"]}, [{"deep": None}]]
    make_item(run, differences={str(n): [None, v] for n, v in enumerate(values)})
    text = text_of(admin_client.get(url(run)))
    for shown in ("empty empty", "yes", "1.5", "a, b", '{"k": ["v"]}'):
        assert shown in text


@pytest.mark.parametrize("as_superuser", [True, False])
def test_a_page_of_records_takes_as_many_queries_whatever_is_on_it(
    pim, publish, allow, admin_client, queries, as_superuser
):
    """Also for one who may edit none of the pages, for whom workflows are asked."""
    client = admin_client if as_superuser else allow("view_jobrun")
    counts = []
    for count in (2, 12):
        for n in range(count):
            pim.product(f"P{count}-{n}", Summary="S")
        run = publish()
        client.get(url(run))
        with queries() as captured:
            assert len(numbers_of(client, run, kind="product")) == count
        counts.append(len(captured.reads()))
    assert counts[0] == counts[1]


def test_records_come_in_pages(admin_client):
    run = make_run()
    JobRunItem.objects.bulk_create(
        JobRunItem(run=run, kind="product", number=f"{n:03}", outcome=Outcome.CREATED)
        for n in range(120)
    )
    response = admin_client.get(url(run), {"p": 3})
    assert "Page 3 of 3" in text_of(response)
    assert numbers_of(admin_client, run, p=3)[0] == "100"
    assert len(rows_of(admin_client, run)) == 121


# Export


def rows_of(client: Client, run: JobRun, **query: Any) -> list[list[str]]:
    response = client.get(url(run), {"export": "csv", **query})
    assert f"pim-run-{run.pk}.csv" in response["Content-Disposition"]
    content = b"".join(response.streaming_content).decode()
    return list(csv.reader(io.StringIO(content)))


def cells_of(client: Client, run: JobRun, **query: Any) -> list[list[Any]]:
    response = client.get(url(run), {"export": "xlsx", **query})
    content = io.BytesIO(b"".join(response.streaming_content))
    return [list(row) for row in openpyxl.load_workbook(content).active.iter_rows()]


def test_the_records_of_the_filter_are_exported(admin_client, failed_run, pim, publish):
    pim.change("GOOD", Summary="Better")
    run = publish()
    heading, row = rows_of(admin_client, run, outcome="updated")
    found = dict(zip(heading, row, strict=True))
    page = ProductPage.objects.get()
    assert found == {
        "Number": "GOOD",
        "Title": "Title of GOOD",
        "Kind": "product",
        "Outcome": "updated",
        "Acknowledged in the PIM": "True",
        "Reason": "",
        "Note": "",
        "Page": str(page.pk),
        "Address": page.full_url,
        "PIM Guid": guid("product", "GOOD"),
        "Differences": "Summary: Fine → Better",
    }
    cells = cells_of(admin_client, run, outcome="updated")
    assert [cell.value or "" for cell in cells[1]][:4] == row[:4]
    assert len(cells) == 2


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"])
def test_nothing_of_the_pim_is_taken_for_a_formula(admin_client, begin):
    text = begin + "HYPERLINK(1)"
    run = make_run()
    make_item(run, text, title=text, reason=text, note=text, differences={text: [1, 2]})
    row = rows_of(admin_client, run)[1]
    for name, value in zip(rows_of(admin_client, run)[0], row, strict=True):
        if name in {"Number", "Title", "Reason", "Note", "Differences"}:
            assert value.startswith("'"), name
    for cell in cells_of(admin_client, run)[1]:
        assert cell.data_type != "f"
        assert not str(cell.value).startswith(begin)


@pytest.mark.parametrize("text", ["a;=1+1", "a; -1", 'a;"=1+1"', "a\n=1+1", "a;b;@x"])
def test_nor_is_it_where_a_semicolon_parts_the_cells(admin_client, text):
    run = make_run()
    make_item(run, "A1", title=text)
    response = admin_client.get(url(run), {"export": "csv"})
    content = b"".join(response.streaming_content).decode()
    cells = [
        cell for row in csv.reader(io.StringIO(content), delimiter=";") for cell in row
    ]
    assert len(cells) > 2
    assert not [cell for cell in cells if cell.strip()[:1] in set("=+-@")]


def test_a_semicolon_in_a_text_stays_as_it_is(admin_client):
    run = make_run()
    make_item(run, "A1", title="8 × 10; black; a-b=c")
    assert rows_of(admin_client, run)[1][1] == "8 × 10; black; a-b=c"


def test_what_no_spreadsheet_can_hold_does_not_break_the_export(admin_client):
    run = make_run()
    make_item(run, "A\x0bB", title="x" * 40_000)
    assert rows_of(admin_client, run)[1][0] == "A�B"
    assert cells_of(admin_client, run)[1][0].value == "A�B"


def test_the_export_is_read_in_parts(admin_client, queries, monkeypatch):
    monkeypatch.setattr("wagtail_pim.admin.listings.EXPORTED_AT_ONCE", 2)
    run = make_run()
    for n in range(5):
        make_item(run, str(n))
    assert [row[0] for row in rows_of(admin_client, run)[1:]] == list("01234")


# Stop


def test_a_waiting_run_is_stopped_at_once(allow, user):
    client = allow("view_jobrun", "stop_jobs")
    run = make_run(State.QUEUED)
    assert ">Stop<" in client.get(url(run)).content.decode()
    response = client.post(url(run, "stop"), follow=True)
    run.refresh_from_db()
    assert run.state == State.STOPPED
    text = text_of(response)
    assert "The run was stopped before it began." in text
    assert "Stopped by Anna Able" in text


def test_a_run_under_way_stops_after_its_batch(pim, publish, configure, allow):
    configure(BATCH_SIZE=1)
    client = allow("view_jobrun", "stop_jobs")
    for n in range(3):
        pim.product(f"A{n}")
    told: list[str] = []

    def press_stop(run: JobRun, **kwargs: Any) -> None:
        told.append(text_of(client.post(url(run, "stop"), follow=True)))

    product_published.connect(press_stop)
    try:
        run = publish()
    finally:
        product_published.disconnect(press_stop)
    assert run.state == State.STOPPED
    assert "The run ends after the current batch." in told[0]
    assert ProductPage.objects.count() == len(told) == 1
    text = overview_of(client, run)
    assert "Stopped by Anna Able" in text
    assert text.count("Stopped.") == 1


def test_a_run_that_has_ended_is_not_stopped(admin_client):
    run = make_run()
    assert ">Stop<" not in admin_client.get(url(run)).content.decode()
    response = admin_client.post(url(run, "stop"), follow=True)
    assert "The run has ended already." in text_of(response)
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED


def test_stopping_returns_where_it_was_asked_for_on_this_site_alone(admin_client):
    run = make_run()
    jobs = reverse("wagtail_pim:jobs")
    stopped = admin_client.post(url(run, "stop"), {"next": jobs})
    assert stopped.url == jobs
    away = admin_client.post(url(run, "stop"), {"next": "https://elsewhere.test/"})
    assert away.url == url(run)


# Retry


def test_what_failed_is_taken_alone_and_succeeds(
    failed_run, pim, allow, user, django_capture_on_commit_callbacks
):
    client = allow("view_jobrun", "run_jobs")
    assert "Retry 1 product" in overview_of(client, failed_run)
    pim.change("BAD", templateId=guid("template", "Bicycle"), templateName="Bicycle")
    pim.change("GOOD", Summary="Not now")
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(url(failed_run, "retry"))
    again = JobRun.objects.exclude(pk=failed_run.pk).get()
    assert response.url == url(again)
    assert again.state == State.SUCCEEDED
    assert (again.job, again.numbers, again.user) == (JOB, ["BAD"], user)
    assert again.trigger == Trigger.ADMIN
    assert not again.dry_run
    assert pim.status("BAD") == "Published"
    assert pim.status("GOOD") == "Approved"
    assert "Retry" not in overview_of(client, again)


def test_a_dry_run_is_retried_as_a_dry_run(
    pim, publish, admin_client, django_capture_on_commit_callbacks
):
    pim.template("Unheard of")
    pim.product("BAD", template="Unheard of")
    run = publish(dry_run=True)
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(url(run, "retry"))
    assert JobRun.objects.exclude(pk=run.pk).get().dry_run


def test_while_another_run_writes_there_is_no_retry(failed_run, admin_client):
    other = running()
    response = admin_client.post(url(failed_run, "retry"), follow=True)
    assert "has been running since" in text_of(response)
    assert set(JobRun.objects.values_list("pk", flat=True)) == {failed_run.pk, other.pk}


@pytest.mark.parametrize(
    "values",
    [{"state": State.RUNNING}, {"job": "of_old"}, {"job": RefreshProduct.name}],
)
def test_a_run_that_can_not_be_retried_is_not(admin_client, values):
    run = make_run(**{"state": State.FAILED_ITEMS, **values})
    make_item(run, outcome=Outcome.FAILED, reason="Odd")
    assert "Retry" not in overview_of(admin_client, run)
    response = admin_client.post(url(run, "retry"), follow=True)
    assert "There is nothing to retry." in text_of(response)
    assert JobRun.objects.count() == 1


def test_a_run_without_failures_has_no_retry(admin_client):
    run = make_run()
    assert "Retry" not in overview_of(admin_client, run)
    response = admin_client.post(url(run, "retry"), follow=True)
    assert "There is nothing to retry." in text_of(response)


# Again


@pytest.mark.parametrize("state", [State.FAILED, State.INTERRUPTED, State.STOPPED])
@pytest.mark.parametrize("dry_run", [False, True])
def test_what_ended_early_is_run_again(allow, state, dry_run):
    client = allow("run_jobs")
    run = make_run(state, dry_run=dry_run)
    html = client.get(url(run)).content.decode()
    form = html.partition("Run again")[0].rpartition("<form")[2]
    address = re.search('action="(.*?)"', form)[1]
    fields = dict(re.findall('type="hidden" name="(dry_run)" value="(.*?)"', form))
    response = client.post(address, fields)
    again = JobRun.objects.exclude(pk=run.pk).get()
    assert response.url == url(again)
    assert (again.job, again.dry_run, again.numbers) == (JOB, dry_run, [])


@pytest.mark.parametrize(
    "values",
    [
        {"state": State.SUCCEEDED},
        {"state": State.FAILED_ITEMS},
        {"state": State.RUNNING},
        {"job": "of_old"},
        {"job": RefreshProduct.name},
        {"numbers": ["A1"]},
    ],
)
def test_other_runs_are_not_run_again(admin_client, values):
    run = make_run(**{"state": State.FAILED, **values})
    assert "Run again" not in overview_of(admin_client, run)


# Who may


@pytest.mark.parametrize(
    ("view", "method", "permission"),
    [
        *(
            (view, "get", permission)
            for view in ("run", "run_results", "run_progress")
            for permission in sorted(OF_JOBS)
        ),
        ("stop", "post", "stop_jobs"),
        ("retry", "post", "run_jobs"),
    ],
)
def test_each_view_has_its_permission(allow, view, method, permission):
    others = {*OF_JOBS, "view_pimlink", "refresh_pimlink"}
    others -= OF_JOBS if method == "get" else {permission}
    run = running()
    client = allow(*others)
    script = {"X-Requested-With": "XMLHttpRequest"}
    assert getattr(client, method)(url(run, view), headers=script).status_code == 403
    run.refresh_from_db()
    assert run.stop_requested_at is None
    client = allow(permission)
    response = getattr(client, method)(url(run, view), headers=script)
    assert response.status_code in (200, 302)


@pytest.mark.parametrize("view", ["run", "run_results", "run_progress"])
def test_a_run_that_is_not_there(admin_client, view):
    run = JobRun(pk=uuid.uuid4())
    assert admin_client.get(url(run, view)).status_code == 404


@pytest.mark.parametrize("view", ["stop", "retry"])
def test_actions_are_posts_with_a_token_of_runs_that_are_there(admin_client, view):
    run = running()
    assert admin_client.get(url(run, view)).status_code == 405
    assert admin_client.post(url(JobRun(pk=uuid.uuid4()), view)).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="admin"))
    assert strict.post(url(run, view)).status_code == 403
    run.refresh_from_db()
    assert run.stop_requested_at is None


@pytest.mark.parametrize("view", ["run", "stop", "retry"])
def test_who_is_not_logged_in_is_sent_to_do_so(client, view):
    run = running()
    method = client.get if view == "run" else client.post
    assert method(url(run, view)).url.startswith(reverse("wagtailadmin_login"))
    run.refresh_from_db()
    assert run.stop_requested_at is None


def test_who_may_look_alone_has_no_buttons(allow, failed_run):
    client = allow("view_jobrun")
    assert "Run again" not in overview_of(client, make_run(State.FAILED))
    assert "Retry 1" not in overview_of(client, failed_run)
    assert ">Stop<" not in client.get(url(running())).content.decode()


def test_a_page_is_linked_for_those_alone_who_may_edit_it(
    failed_run, allow, user, site
):
    client = allow("view_jobrun")
    edit = reverse("wagtailadmin_pages:edit", args=[ProductPage.objects.get().pk])
    assert edit not in client.get(url(failed_run)).content.decode()
    group = user.groups.create(name="Catalog editors")
    GroupPagePermission.objects.create(
        group=group,
        page=site.root_page,
        permission=Permission.objects.get(codename="change_page"),
    )
    assert edit in client.get(url(failed_run)).content.decode()


# Pace


def test_counts_of_a_run_stay_right_when_a_page_is_gone(admin_client, failed_run):
    with pim_write():
        ProductPage.objects.get().delete()
    response = admin_client.get(url(failed_run), {"kind": "product"})
    assert "GOOD" in text_of(response)
    assert Counter(numbers_of(admin_client, failed_run, kind="product")) == Counter(
        ["GOOD", "BAD"]
    )


def test_a_run_is_carried_out_by_the_backend_that_the_site_has(
    pim, publish, admin_client
):
    """As the Jobs screen does it; the screen of the run shows what became of it."""
    pim.product("A1")
    run = runs.start(JOB, trigger=Trigger.ADMIN)
    assert "It waits for a worker." in overview_of(admin_client, run)
    runs.carry_out(run.pk)
    text = text_of(admin_client.get(url(run)))
    assert "succeeded" in text
    assert "Acknowledged in the PIM 1" in text


# Refresh published products


REFRESH = RefreshPublishedProducts.name


def test_a_refresh_says_how_far_back_it_was_to_look_and_did(admin_client):
    since = datetime(2026, 7, 10, tzinfo=UTC)
    run = make_run(job=REFRESH, options={"lookback_days": 3}, published_since=since)
    text = overview_of(admin_client, run)
    assert "Asked for Published in the last 3 days" in text
    assert "Taken Published since 2026-07-10 (UTC)" in text
    run = make_run(job=REFRESH, total=0)
    text = overview_of(admin_client, run)
    assert "Taken All published products" in text
    assert "Asked for" not in text
    # Of one that has not looked yet, or takes some products, nothing is known.
    for values in ({}, {"numbers": ["A1"], "total": 1}):
        assert "Taken" not in overview_of(admin_client, make_run(job=REFRESH, **values))


@pytest.mark.parametrize(
    ("job", "headings", "acknowledged"),
    [
        (JOB, ["Products and variants", "Categories"], True),
        (REFRESH, ["Products and variants", "Categories"], False),
        (SynchronizeSetupData.name, ["Definitions"], False),
        (RefreshProduct.name, ["Products and variants"], False),
        ("of_old", ["Products and variants"], False),
    ],
)
def test_the_counts_are_those_of_the_job(admin_client, job, headings, acknowledged):
    run = make_run(job=job, counts={"created": 2})
    html = admin_client.get(url(run, "run_progress")).content.decode()
    assert re.findall('<th scope="col">(.*?)</th>', html) == headings
    assert ("Acknowledged in the PIM" in html) == acknowledged


def test_counts_of_setup_data_lead_to_their_records(admin_client):
    run = make_run(job=SynchronizeSetupData.name, counts={"created": 1, "failed": 1})
    make_item(run, "Colour", kind="property", outcome=Outcome.CREATED)
    make_item(run, "Bicycle", kind="template", outcome=Outcome.FAILED, reason="No.")
    html = admin_client.get(url(run)).content.decode()
    assert 'href="' + url(run) + '?outcome=created">1<' in html
    assert numbers_of(admin_client, run, outcome="created") == ["Colour"]


@pytest.mark.parametrize("environment", ["Sandbox", "Production"])
def test_a_refresh_is_run_again_with_its_options(allow, configure, environment):
    configure(ENVIRONMENT=environment)
    client = allow("run_jobs")
    for options in (
        {},
        {"lookback_days": 1234},
        {"since": "2026-01-31"},
        {"all": True},
    ):
        JobRun.objects.all().delete()
        run = make_run(State.FAILED, job=REFRESH, options=options)
        response = confirmed(client, client.get(url(run)), "Run again", environment)
        again = JobRun.objects.exclude(pk=run.pk).get()
        assert response.url == url(again)
        assert (again.job, again.options) == (REFRESH, options)


@pytest.mark.parametrize("environment", ["Sandbox", "Production"])
def test_a_refresh_is_retried_without_its_options(allow, configure, environment):
    configure(ENVIRONMENT=environment)
    client = allow("run_jobs")
    run = make_run(State.FAILED_ITEMS, job=REFRESH, options={"all": True})
    make_item(run, "BAD", reason="Odd")
    confirmed(client, client.get(url(run)), "Retry 1 product", environment)
    retry = JobRun.objects.exclude(pk=run.pk).get()
    assert (retry.numbers, retry.options) == (["BAD"], {})


def confirmed(client: Client, page: Any, label: str, environment: str) -> Any:
    """Presses the button, and in Production that of the question too."""
    before = JobRun.objects.count()
    response = press(client, page, label)
    if environment == "Production":
        assert "meant for test and development sites" in text_of(response)
        assert JobRun.objects.count() == before
        response = press(client, response, "Start all the same")
    return response


def press(client: Client, page: Any, label: str) -> Any:
    form = page.content.decode().partition(label)[0].rpartition("<form")[2]
    fields = dict(re.findall('type="hidden" name="(.*?)" value="(.*?)"', form))
    return client.post(re.search('action="(.*?)"', form)[1], fields)
