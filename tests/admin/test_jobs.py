"""The screen "Jobs": how the jobs are, starting them, and when they start."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import django
import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry
from wagtail.users.models import UserProfile

from wagtail_pim import tasks
from wagtail_pim.admin.chart import COUNTS_HEIGHT, SHOWN, RunChart
from wagtail_pim.jobs import JOBS, RefreshProduct
from wagtail_pim.jobs.runs import start
from wagtail_pim.models import JobRun, JobSchedule
from wagtail_pim.models.runs import State, Trigger

JOB = "publish_approved_products"
LABEL = "Publish approved products"

OF_JOBS = {"view_jobrun", "run_jobs", "stop_jobs", "change_jobschedule"}
GET_VIEWS = {
    "jobs": OF_JOBS,
    "job_state": OF_JOBS,
    "job_waiting": OF_JOBS,
    "schedule": {"change_jobschedule"},
    "schedule_meaning": {"change_jobschedule"},
}


def url(name: str, job: str = JOB) -> str:
    return reverse(f"wagtail_pim:{name}", args=[] if name == "jobs" else [job])


def with_permissions(*codenames: str) -> Client:
    """Logged in as one who may see the admin, and what is named."""
    user = User.objects.create_user(f"user {codenames}", password="x")
    permissions = Permission.objects.filter(codename__in=["access_admin", *codenames])
    user.user_permissions.set(permissions)
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    text = re.sub(r"<[^>]*>", " ", response.content.decode())
    return " ".join(unescape(text).split())


def messages_of(response: Any) -> list[str]:
    return [str(message).strip() for message in response.context["messages"]]


def a_run(state: State = State.SUCCEEDED, **fields: Any) -> JobRun:
    """A run that ended, or not, some time ago."""
    now = timezone.now()
    active = state in (State.QUEUED, State.RUNNING)
    return JobRun.objects.create(
        **{
            "job": JOB,
            "trigger": Trigger.ADMIN,
            "state": state,
            "started_at": None if state == State.QUEUED else now,
            "heartbeat_at": now,
            "finished_at": None if active else now + timedelta(seconds=90),
            **fields,
        }
    )


@pytest.fixture
def page(admin_client) -> Any:
    """What the screen shows at this moment."""
    return lambda: text_of(admin_client.get(url("jobs")))


@pytest.fixture
def german_client(admin_client, admin_user) -> Client:
    profile = UserProfile.get_for_user(admin_user)
    profile.preferred_language = "de"
    profile.save()
    return admin_client


# Who may


@pytest.mark.parametrize(("name", "needed"), GET_VIEWS.items())
def test_a_view_is_for_those_with_its_permission(pim, configure, db, name, needed):
    """Who may do anything with jobs sees them."""
    for codename in needed:
        assert with_permissions(codename).get(url(name)).status_code == 200

    others = {*OF_JOBS, "view_pimlink", "change_pimoptions"} - needed
    response = with_permissions(*others).get(url(name))
    assert response.url == reverse("wagtailadmin_home")
    assert Client().get(url(name)).url.startswith(reverse("wagtailadmin_login"))


def test_a_script_without_permission_gets_no_page(db):
    headers = {"x-requested-with": "XMLHttpRequest"}
    client = with_permissions()
    assert client.get(url("job_state"), headers=headers).status_code == 403


def test_only_those_who_may_run_jobs_start_them(db):
    others = OF_JOBS - {"run_jobs"}
    response = with_permissions(*others).post(url("start"))
    assert response.url == reverse("wagtailadmin_home")
    assert Client().post(url("start")).url.startswith(reverse("wagtailadmin_login"))
    assert not JobRun.objects.exists()

    assert with_permissions("run_jobs").post(url("start")).status_code == 302
    assert JobRun.objects.count() == 1


def test_starting_takes_a_post_and_its_token(db, admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.get(url("start")).status_code == 405
    assert client.post(url("start")).status_code == 403
    assert not JobRun.objects.exists()


@pytest.mark.parametrize("name", ["job_state", "job_waiting", "schedule_meaning"])
def test_what_the_script_fetches_takes_no_post(admin_client, name):
    assert admin_client.post(url(name)).status_code == 405


def test_buttons_are_shown_to_those_who_may_press_them(db):
    def shown(*codenames: str) -> list[str]:
        html = with_permissions("view_jobrun", *codenames).get(url("jobs"))
        buttons = re.findall(
            r'class="button[^>]*>(.*?)</(?:a|button)>', str(html.content)
        )
        labels = ("Run now", "Dry run", "Schedule")
        return [label for b in buttons for label in labels if label in b]

    assert shown() == []
    assert shown("run_jobs") == ["Run now", "Dry run"] * len(JOBS)
    assert shown("change_jobschedule") == ["Schedule"] * len(JOBS)


@pytest.mark.parametrize("name", sorted({*GET_VIEWS, "start"} - {"jobs"}))
def test_a_job_that_does_not_exist_is_not_found(admin_client, name):
    ask = admin_client.post if name == "start" else admin_client.get
    assert ask(url(name, "make_coffee")).status_code == 404
    # It is started for a page, never by itself.
    assert ask(url(name, RefreshProduct.name)).status_code == 404


# How a job is


def test_a_new_site_is_told_what_there_is(page):
    text = page()
    assert LABEL in text
    assert "Takes all products that are Approved in the PIM" in text
    assert "It has never run." in text
    assert "Now Not running" in text
    assert "Last run None so far" in text
    assert "Starts by itself: off" in text
    assert "No run has ended yet." in text


def test_the_last_run_is_shown_with_its_counts(admin_client, page):
    run = a_run(
        State.FAILED_ITEMS,
        counts={"created": 1234, "updated": 5, "removed": 6, "failed": 7},
    )
    text = page()
    assert "failed items" in text
    assert "1,234 created 5 updated 6 removed 7 failed" in text
    link = reverse("wagtail_pim:run", args=[run.pk])
    assert link in admin_client.get(url("jobs")).content.decode()


def test_dry_runs_are_not_the_last_result(page):
    a_run(dry_run=True)
    assert "Last run None so far" in page()


def test_a_run_under_way_is_shown_and_followed(admin_client):
    run = a_run(State.RUNNING, done=1200, total=5000)
    response = admin_client.get(url("job_state"))
    assert "1,200 of 5,000 done" in text_of(response)
    html = response.content.decode()
    assert "data-pim-job-active" in html
    assert f'data-pim-job-says="{LABEL}: running"' in html
    assert reverse("wagtail_pim:run", args=[run.pk]) in html

    JobRun.objects.update(state=State.SUCCEEDED, finished_at=timezone.now())
    response = admin_client.get(url("job_state"))
    assert "data-pim-job-active" not in response.content.decode()
    assert "Now Not running" in text_of(response)


def test_progress_is_a_number_in_every_language(german_client):
    a_run(State.RUNNING, done=1200, total=5000)
    response = german_client.get(url("job_state"))
    html = response.content.decode()
    assert "1.200" in html
    assert 'value="1200" max="5000"' in html


def test_a_dry_run_under_way_is_shown_beside_a_run_that_waits(page):
    a_run(State.RUNNING, dry_run=True, done=3, total=9)
    a_run(State.QUEUED)
    text = page()
    assert "running – see the run dry run 3 of 9 done" in text
    assert text.index("running – see") < text.index("waiting – see")


def test_a_run_of_some_products_is_told_from_one_of_all(page):
    run = a_run(numbers=["A1"])
    assert "succeeded – see the run 1 product only" in page()
    JobRun.objects.filter(pk=run.pk).update(numbers=["A1", "A2"])
    assert "2 products only" in page()


def test_what_is_wrong_is_said(page):
    a_run(State.FAILED, error="The <PIM> is gone.")
    assert "The <PIM> is gone." in page()


def test_more_runs_do_not_cost_more_queries(admin_client, queries):
    reads = []
    a_run(State.RUNNING)
    for count in (1, SHOWN + 5):
        for _at in range(count):
            a_run(counts={"created": 1})
        with queries() as captured:
            admin_client.get(url("jobs"))
        reads.append(len(captured.reads()))
    assert reads[1] == reads[0] <= 10 * len(JOBS)


# Products that wait


def waiting_text(client: Client) -> str:
    return text_of(client.get(url("job_waiting")))


def test_products_that_wait_are_counted(pim, configure, admin_client):
    assert waiting_text(admin_client) == "No product waits in the PIM."
    now = timezone.now()
    pim.product("A1", "City")
    assert waiting_text(admin_client) == "1 product waits in the PIM."
    for number, days, status in (
        ("A1", 1, "Approved"),
        ("A2", 3, "Approved"),
        ("A3", 5, "Published"),
    ):
        changed = (now - timedelta(days=days, hours=1)).isoformat()
        pim.product(number, "City", status=status, modifiedOn=changed)
    assert waiting_text(admin_client) == (
        "2 products wait in the PIM. The oldest was last changed 3 days, 1 hour ago."
    )


def test_a_pim_that_cannot_be_asked_is_no_error_of_the_page(
    pim_server, configure, admin_client
):
    told = "It is not known how many products are waiting."
    configure(API_ADDRESS="http://127.0.0.1:9/")
    assert told in waiting_text(admin_client)
    configure(APP_KEY="", SECRET_KEY="")
    assert told in waiting_text(admin_client)


# Starting


def test_run_now_hands_a_run_to_the_workers(
    pim, publish, admin_client, admin_user, django_capture_on_commit_callbacks
):
    pim.product("A1", "City")
    with django_capture_on_commit_callbacks(execute=True):
        response = admin_client.post(url("start"))
    run = JobRun.objects.get()
    assert response.url == reverse("wagtail_pim:run", args=[run.pk])
    assert (run.job, run.trigger, run.user) == (JOB, Trigger.ADMIN, admin_user)
    assert not run.dry_run
    # The immediate backend, which the tests have, carried it out.
    assert run.state == State.SUCCEEDED
    assert run.counts["created"] == 1


def test_a_dry_run_writes_nothing(
    pim, publish, admin_client, django_capture_on_commit_callbacks
):
    pim.product("A1", "City")
    with django_capture_on_commit_callbacks(execute=True):
        admin_client.post(url("start"), {"dry_run": "on"})
    run = JobRun.objects.get()
    assert run.dry_run
    assert run.state == State.SUCCEEDED
    assert pim.status("A1") == "Approved"


def test_a_refused_start_says_by_whom_and_leads_there(admin_client, admin_user):
    active = start(JOB, trigger=Trigger.ADMIN, user=admin_user)
    response = admin_client.post(url("start"), follow=True)
    assert response.redirect_chain == [(url("jobs"), 302)]
    assert JobRun.objects.count() == 1
    (message,) = messages_of(response)
    assert f"{LABEL}, started by admin, has been waiting for a worker since" in message
    assert reverse("wagtail_pim:run", args=[active.pk]) in message

    # A dry run is in nobody's way.
    admin_client.post(url("start"), {"dry_run": "on"})
    assert JobRun.objects.filter(dry_run=True).count() == 1


# The task backend


def test_the_immediate_backend_is_warned_of(page):
    assert tasks.why_not_in_background() in page()
    assert "goes on within the request" in page()


def test_the_dummy_backend_is_warned_of(page, settings):
    package = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
    backend = f"{package}.backends.dummy.DummyBackend"
    settings.TASKS = {"default": {"BACKEND": backend}}
    assert "is the dummy one" in page()


@pytest.mark.parametrize("backend", ["nowhere.Backend", None])
def test_a_backend_that_does_not_work_is_warned_of(page, settings, backend):
    settings.TASKS = {"other": {"BACKEND": backend or "nowhere.Backend"}}
    if backend:
        settings.TASKS["default"] = settings.TASKS["other"]
    assert "the task backend “default” does not work" in page()


def test_a_backend_with_workers_is_no_matter(page, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    assert tasks.why_not_in_background() == ""
    assert "TASKS" not in page()


# The schedule


def test_a_schedule_is_set(admin_client, admin_user):
    response = admin_client.get(url("schedule"))
    assert "At 02:00" in text_of(response)
    assert LABEL in text_of(response)

    response = admin_client.post(
        url("schedule"), {"enabled": "on", "cron": " 30  4 * * mon "}, follow=True
    )
    assert response.redirect_chain == [(url("jobs"), 302)]
    assert messages_of(response) == [
        f"The schedule was saved: {LABEL} starts by itself."
    ]
    schedule = JobSchedule.objects.get()
    assert (schedule.job, schedule.cron, schedule.enabled) == (
        JOB,
        "30 4 * * MON",
        True,
    )
    assert schedule.due_at > timezone.now()
    text = text_of(response)
    assert "Starts by itself: on At 04:30, only on Monday" in text
    assert text.count("Monday, ") == 3
    assert (
        ModelLogEntry.objects.get(action="wagtail_pim.schedule.change").user
        == admin_user
    )

    response = admin_client.post(url("schedule"), {"cron": "30 4 * * MON"}, follow=True)
    assert messages_of(response) == [
        f"The schedule was saved: {LABEL} does not start by itself."
    ]
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.due_at) == (False, None)
    history = text_of(admin_client.get(reverse("wagtailadmin_reports:site_history")))
    assert "A PIM job starts by itself now: 30 4 * * MON" in history
    assert "A PIM job does not start by itself any more (30 4 * * MON)" in history


@pytest.mark.parametrize("cron", ["", "every night", "99 * * * *", "0 0 31 2 *"])
def test_a_bad_expression_is_refused_at_the_field(admin_client, cron):
    response = admin_client.post(url("schedule"), {"enabled": "on", "cron": cron})
    assert response.status_code == 200
    assert response.context["form"].errors.keys() == {"cron"}
    text = text_of(response)
    assert "The schedule was not saved because of errors." in text
    # Said once, at the field.
    (error,) = response.context["form"].errors["cron"]
    assert text.count(error) == 1
    assert not JobSchedule.objects.exists()


def test_what_is_typed_is_explained(admin_client):
    def explained(cron: str) -> str:
        return text_of(admin_client.get(url("schedule_meaning"), {"cron": cron}))

    text = explained("*/15 8-17 * * *")
    assert text.startswith("Every 15 minutes")
    assert len(re.findall(r"\d\d:\d\d CES?T", text)) == 3
    assert "has five fields" in explained("0 2")
    assert "“<b>” is not understood" in explained("<b> * * * *").replace("<B>", "<b>")


# The chart


def drawn(client: Client) -> str:
    html = client.get(url("jobs")).content.decode()
    return html[html.index('id="pim-chart-section"') :]


def test_the_chart_shows_what_runs_brought_and_how_long(admin_client):
    a_run(counts={"created": 60, "updated": 30, "failed": 10})
    chart = drawn(admin_client)
    assert len(re.findall("<svg[^>]*role=.img.", chart)) == 2
    (bar,) = RunChart().get_context_data()["bars"]
    assert [part.outcome for part in bar.parts] == ["created", "updated", "failed"]
    assert [part.height for part in bar.parts] == [96, 48, 16]
    assert bar.parts[-1].y == 0
    text = re.sub(r"<[^>]*>", " ", chart)
    assert "created: 60 · updated: 30 · failed: 10" in text
    assert not re.search(r"style=|<script", chart.partition("</section>")[0])


def test_the_chart_leaves_out_what_is_no_real_run(admin_client):
    a_run(dry_run=True)
    a_run(job=RefreshProduct.name)
    a_run(State.RUNNING)
    assert "No run has ended yet." in drawn(admin_client)


def test_the_chart_shows_the_last_runs_the_latest_at_the_right(admin_client):
    now = timezone.now()
    for at in range(SHOWN + 3):
        a_run(counts={"created": at}, created_at=now - timedelta(days=30 - at))
    bars = RunChart().get_context_data()["bars"]
    assert len(bars) == SHOWN
    assert [bar.run.counts["created"] for bar in bars] == list(range(3, SHOWN + 3))
    assert drawn(admin_client).count("<tr>") == SHOWN + 1


def test_the_chart_hides_no_failure(admin_client):
    a_run(counts={"created": 50_000, "failed": 1})
    a_run(State.INTERRUPTED, started_at=None)
    failed, interrupted = RunChart().get_context_data()["bars"]
    assert failed.parts[-1].height >= 3
    assert sum(part.height for part in failed.parts) <= COUNTS_HEIGHT
    assert interrupted.ended_early
    assert interrupted.parts == []
    assert "×" in drawn(admin_client)


def test_the_chart_is_drawn_in_every_language(german_client):
    for _at in range(3):
        a_run(counts={"created": 1234})
    chart = drawn(german_client).partition("<details")[0]
    lengths = re.findall(r' (?:x|y|width|height)="([^"]*)"', chart)
    assert "10.75%" in lengths
    for length in lengths:
        assert re.fullmatch(r"[\d.]+%?", length), length


# Refresh published products

REFRESH = "refresh_published_products"


def fields_of(response: Any, label: str) -> tuple[str, dict[str, str]]:
    """The address and the hidden fields of the form with this button."""
    form = response.content.decode().partition(label)[0].rpartition("<form")[2]
    hidden = re.findall('type="hidden" name="(.*?)" value="(.*?)"', form)
    fields = {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}
    return re.search('action="(.*?)"', form)[1], fields


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"lookback_days": "", "since": ""}, {}),
        ({"lookback_days": "30", "since": ""}, {"lookback_days": 30}),
        ({"lookback_days": "", "since": "2026-01-31"}, {"since": "2026-01-31"}),
        ({"lookback_days": "", "since": "", "all": "on"}, {"all": True}),
    ],
)
def test_a_refresh_looks_as_far_back_as_was_given(admin_client, sent, stored):
    for dry_run in ({}, {"dry_run": "on"}):
        JobRun.objects.all().delete()
        admin_client.post(url("start", REFRESH), {**sent, **dry_run})
        run = JobRun.objects.get()
        assert (run.options, run.dry_run) == (stored, bool(dry_run))


@pytest.mark.parametrize(
    ("job", "sent", "words"),
    [
        (REFRESH, {"lookback_days": "0"}, "“0”; set 1 to 3650"),
        (REFRESH, {"lookback_days": "many"}, "“many”"),
        (REFRESH, {"since": "31.1.2026"}, "“31.1.2026” is not a date"),
        (REFRESH, {"since": "2999-01-01"}, "is in the future"),
        (REFRESH, {"lookback_days": "3", "all": "on"}, "set one of"),
        (JOB, {"all": "on"}, "takes no options such as all"),
    ],
)
@pytest.mark.parametrize("environment", ["Sandbox", "Production"])
def test_a_wrong_lookback_is_told_and_starts_nothing(
    admin_client, configure, job, sent, words, environment
):
    configure(ENVIRONMENT=environment)
    response = admin_client.post(url("start", job), sent, follow=True)
    assert response.redirect_chain == [(url("jobs"), 302)]
    assert words in messages_of(response)[0]
    assert not JobRun.objects.exists()


def test_only_refresh_has_fields_for_the_lookback(admin_client, configure):
    configure(NUMBER_OF_LOOKBACK_DAYS="11")
    response = admin_client.get(url("jobs"))
    assert response.content.decode().count('name="lookback_days"') == 1
    assert "lookback days in the PIM options (11)" in text_of(response)


def test_in_production_a_refresh_is_asked_about_once_more(admin_client, configure):
    configure(ENVIRONMENT="Production")
    sent = {"lookback_days": "", "since": "2026-01-31"}
    response = admin_client.post(url("start", REFRESH), sent)
    assert "meant for test and development sites" in text_of(response)
    assert url("jobs") in response.content.decode()
    assert not JobRun.objects.exists()

    address, fields = fields_of(response, "Start all the same")
    response = admin_client.post(address, fields)
    run = JobRun.objects.get()
    assert response.url == reverse("wagtail_pim:run", args=[run.pk])
    assert (run.job, run.options) == (REFRESH, {"since": "2026-01-31"})


def test_a_question_repeats_nothing_as_markup(admin_client, configure):
    configure(ENVIRONMENT="Production")
    response = admin_client.post(url("start", REFRESH), {'"><b>': '"><i>'})
    assert "<b>" not in response.content.decode()
    assert "<i>" not in response.content.decode()


@pytest.mark.parametrize("job", sorted(JOBS))
@pytest.mark.parametrize("environment", ["Sandbox", "Production"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_nothing_else_is_asked_about(
    admin_client, configure, job, environment, dry_run
):
    configure(ENVIRONMENT=environment)
    admin_client.post(url("start", job), {"dry_run": "on"} if dry_run else {})
    asked = (job, environment, dry_run) == (REFRESH, "Production", False)
    assert JobRun.objects.exists() != asked
