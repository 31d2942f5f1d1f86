"""``manage.py pim``: what it prints, and the code that it exits with."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sandbox_site.pim.faults import Fault
from tests.pim_data import TAXONOMY, guid
from wagtail_pim.jobs import JOBS, runs
from wagtail_pim.jobs.schedules import save_schedule
from wagtail_pim.management.commands.pim import Command
from wagtail_pim.models import JobRun, JobRunItem, JobSchedule, ProductPage
from wagtail_pim.models.runs import State, Trigger
from wagtail_pim.signals import run_started

JOB = "publish_approved_products"


class Result(NamedTuple):
    code: int
    output: str

    def json(self) -> dict[str, Any]:
        return json.loads(self.output)


@pytest.fixture
def pim_command(site: Any, configure: Callable[..., None]) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        output, code = io.StringIO(), 0
        try:
            call_command("pim", *arguments, stdout=output)
        except SystemExit as stop:
            code = stop.code
        return Result(code, output.getvalue())

    return run


def test_a_run_in_which_all_went_well_exits_with_0(pim, pim_command):
    pim.product("A1")
    result = pim_command("run", JOB)
    assert result.code == 0
    lines = [line.replace("│", " ").split() for line in result.output.splitlines()]
    assert ["created", "1", "5"] in lines
    assert ["failed", "0", "0"] in lines
    assert ["acknowledged", "1"] in lines


def test_a_run_with_failed_items_exits_with_2_and_says_why(pim, pim_command):
    pim.product("A1")
    pim.product("[red]BAD[/red]", Price="cheap")
    result = pim_command("run", JOB)
    assert result.code == 2
    assert "[red]BAD[/red]" in result.output
    assert "“cheap” is not a number" in result.output
    assert pim.status("A1") == "Published"


def test_a_run_that_failed_exits_with_1_and_says_why(pim, pim_command, pim_server):
    pim.product("A1")
    pim_server.environment = "Production"
    result = pim_command("run", JOB)
    assert result.code == 1
    assert "The run failed" in result.output
    assert "Production" in result.output


def test_a_key_that_may_only_read_exits_with_1_and_counts_what_was_committed(
    pim, pim_command, pim_server, configure
):
    pim.product("A1")
    key = pim_server.store.credentials().read_only
    configure(APP_KEY=key.app_key, SECRET_KEY=key.secret_key)
    result = pim_command("run", JOB, "--json")
    assert result.code == 1
    report = result.json()
    assert report["state"] == "failed"
    assert report["error"]["code"] == "permission"
    assert "write access" in report["error"]["message"]
    assert (report["created"], report["acknowledged"]) == (1, 0)


def test_json_is_one_object_with_counts_and_items(pim, pim_command):
    pim.product("A1", productTitle="Größe 8")
    pim.product("BAD", Price="cheap")
    result = pim_command("run", JOB, "--json")
    assert result.code == 2
    report = result.json()
    items = report.pop("items")
    times = [
        parse_datetime(report.pop(name))
        for name in ("created_at", "started_at", "heartbeat_at", "finished_at")
    ]
    assert times == sorted(times)
    assert UUID(report.pop("run")) == JobRun.objects.get().pk
    assert report.pop("worker").endswith(f":{os.getpid()}")
    assert report == {
        "job": JOB,
        "trigger": "command",
        "user": None,
        "dry_run": False,
        "options": {},
        "published_since": None,
        "numbers": [],
        "resumes": None,
        "done": 2,
        "total": 2,
        "state": "failed_items",
        "error": None,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "removed": 0,
        "failed": 1,
        "acknowledged": 1,
        "categories": {
            "created": 5,
            "updated": 0,
            "unchanged": 0,
            "removed": 0,
            "failed": 0,
        },
        "warnings": [],
    }
    by_number = {item["number"]: item for item in items}
    assert by_number["A1"] == {
        "id": JobRunItem.objects.get(number="A1").pk,
        "kind": "product",
        "number": "A1",
        "guid": guid("product", "A1"),
        "title": "Größe 8",
        "outcome": "created",
        "reason": "",
        "note": "",
        "page": ProductPage.objects.get().pk,
        "restorable": False,
        "acknowledged": True,
        "differences": {},
    }
    assert by_number["BAD"]["outcome"] == "failed"
    assert by_number["BAD"]["acknowledged"] is None


@pytest.fixture
def pim_command_in_ascii(site: Any, configure: Callable[..., None]) -> Any:
    """Gives what the command prints where the output knows no other characters."""

    def run(*arguments: str) -> str:
        output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        with suppress(SystemExit):
            call_command("pim", *arguments, stdout=output)
        output.seek(0)
        return output.read()

    return run


def test_output_that_knows_few_characters_gets_the_report(pim, pim_command_in_ascii):
    pim.product("Größe", Price="cheap")
    report = json.loads(pim_command_in_ascii("run", JOB, "--json"))
    assert "Größe" in {item["number"] for item in report["items"]}
    output = pim_command_in_ascii("run", JOB)
    assert "Gr??e: " in output
    assert "?cheap? is not a number" in output
    assert "Gr??e: " in pim_command_in_ascii("runs", report["run"])


def test_djangos_own_options_may_stand_after_the_action(pim_command):
    assert "Nothing is due." in pim_command("due", "-v", "0", "--traceback").output
    parser = Command().create_parser("manage.py", "pim")
    options = parser.parse_args(["-v", "0", "due", "--settings", "site.settings"])
    assert (options.verbosity, options.settings) == (0, "site.settings")
    assert parser.parse_args(["due"]).verbosity == 1


def test_json_holds_one_item_at_a_time_in_memory(pim, site, configure):
    for number in ("A1", "A2"):
        pim.product(number)
    written = []

    class Output(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return super().write(text)

    call_command("pim", "run", JOB, "--json", stdout=Output())
    assert len(json.loads("".join(written))["items"]) == 7
    assert not [text for text in written if "A1" in text and "A2" in text]


def test_a_number_takes_one_line_whatever_is_in_it(pim, pim_command):
    pim.product("A1\nupdated product A2")
    pim.product("BAD\nFailed: product A3: no", Price="cheap")
    output = pim_command("run", JOB, "--dry-run").output
    assert "created product A1 updated product A2" in output
    assert "Failed: product BAD Failed: product A3: no: " in output


def test_json_says_what_changed(pim, pim_command):
    pim.product("A1", Price=1, AvailableFrom="2026-01-01", RidingStyles="Gravel")
    pim_command("run", JOB)
    pim.change("A1", Price=2.5, AvailableFrom="2026-01-02", RidingStyles="A~B")
    (item,) = pim_command("run", JOB, "--json").json()["items"]
    assert item["differences"] == {
        "price": {"old": "1.00", "new": "2.50"},
        "available_from": {"old": "2026-01-01", "new": "2026-01-02"},
        "riding_styles": {"old": ["Gravel"], "new": ["A", "B"]},
    }


def test_a_run_with_nothing_to_do_prints_no_items(pim, pim_command):
    pim.product("A1")
    pim_command("run", JOB)
    pim.approve()
    report = pim_command("run", JOB, "--json").json()
    assert report["items"] == []
    assert (report["unchanged"], report["acknowledged"]) == (1, 1)


def test_a_dry_run_shows_the_plan_and_writes_nothing(
    pim, pim_command, pim_server, queries
):
    pim.product("A1", Summary="Old")
    pim_command("run", JOB)
    pim.change("A1", Summary="New")
    pim_server.requests.clear()
    with queries() as captured:
        result = pim_command("run", JOB, "--dry-run")
    assert result.code == 0
    assert "approved products (dry run: nothing was written)" in " ".join(
        result.output.split()
    )
    assert "updated product A1" in result.output
    assert "summary: “Old” → “New”" in result.output
    assert captured.writes_to_site() == []
    assert {request.method for request in pim_server.requests} == {"GET"}
    assert pim_command("run", JOB, "--dry-run", "--json").json()["dry_run"] is True


def test_a_first_dry_run_makes_not_even_a_row_of_options(pim, pim_command, queries):
    pim.product("A1")
    with queries() as captured:
        assert pim_command("run", JOB, "--dry-run").code == 0
    assert captured.writes_to_site() == []


def test_product_limits_a_run_and_can_be_repeated(pim, pim_command):
    for number in ("A1", "A2", "A3"):
        pim.product(number)
    arguments = ("--product", "A1", "--product", "A3")
    assert pim_command("run", JOB, "--json", *arguments).json()["created"] == 2
    assert pim.status("A2") == "Approved"


@pytest.mark.parametrize(
    ("number", "reason"),
    [("NONE", "The PIM has no such product"), ("A2", "It is not Approved in the PIM")],
)
def test_a_number_that_cannot_be_published_exits_with_2(
    pim, pim_command, number, reason
):
    pim.product("A2", status="Published")
    result = pim_command("run", JOB, "--product", number)
    assert result.code == 2
    assert number in result.output
    assert reason in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"APP_KEY": ""}, "application key of the PIM is not set"),
        ({"SECRET_KEY": "not base64!"}, "not base64"),
        ({"API_ADDRESS": "ftp://pim"}, "ftp://pim"),
        ({"ENVIRONMENT": "Staging"}, "Staging"),
        ({"ASSUMED_CALLS": "no.such.Class"}, "no.such.Class"),
        ({"CATALOG_PAGE": "no.Model"}, "no.Model"),
        ({"DEFAULT_PRODUCT_PAGE": "shop.HomePage"}, "shop.HomePage"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_misconfiguration_exits_with_1_and_names_the_setting(
    pim, pim_command, configure, options, said
):
    pim.template("Kite")
    pim.product("A1", template="Kite")
    configure(**options)
    result = pim_command("run", JOB, "--json")
    assert result.code == 1
    assert result.json()["error"]["code"] == "configuration"
    assert said in result.json()["error"]["message"]
    assert not ProductPage.objects.exists()


def test_an_unknown_job_is_refused_before_anything_runs(pim_command):
    with pytest.raises(CommandError, match="no_such_job"):
        pim_command("run", "no_such_job")


def test_a_second_run_is_refused(pim_command):
    runs.start(JOB, trigger=Trigger.ADMIN)
    result = pim_command("run", JOB, "--json")
    assert result.code == 1
    assert result.json()["state"] == "refused"
    assert result.json()["error"]["code"] == "run_in_progress"
    assert "has been waiting for a worker since" in result.json()["error"]["message"]
    with pytest.raises(
        CommandError, match="has been waiting for a worker since"
    ) as refusal:
        pim_command("run", JOB)
    assert refusal.value.returncode == 1


@pytest.fixture
def on_start():
    """Has a function called when the next run begins."""
    receivers = []

    def on_start(function: Callable[[JobRun], object]) -> None:
        def receiver(run: JobRun, **kwargs: Any) -> None:
            function(run)

        receivers.append(receiver)
        run_started.connect(receiver)

    yield on_start
    for receiver in receivers:
        run_started.disconnect(receiver)


def test_a_run_that_was_taken_for_dead_says_so(pim, pim_command, on_start):
    pim.product("A1")
    on_start(lambda run: runs.recover(at_once=True))
    result = pim_command("run", JOB, "--json")
    assert result.code == 1
    assert result.json()["state"] == "failed"
    assert result.json()["error"]["code"] == "lost"
    assert JobRun.objects.get().state == State.INTERRUPTED


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_run_that_is_told_to_end_notes_its_interruption(
    pim, pim_command, pim_server, number, code
):
    pim.product("A1")
    # A shell lets what it starts in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    handler = signal.getsignal(signal.SIGTERM)
    pim_server.faults.add(
        Fault("Approved", kind="call", callback=lambda: os.kill(os.getpid(), number))
    )
    result = pim_command("run", JOB, "--json")
    assert result.code == code
    assert result.json()["state"] == "interrupted"
    assert JobRun.objects.get().state == State.INTERRUPTED
    assert signal.getsignal(signal.SIGTERM) == handler
    # The next one goes on from there.
    pim_command("run", JOB)
    assert JobRun.objects.first().resumes == JobRun.objects.last()
    assert pim.status("A1") == "Published"


# status


def test_status_of_a_site_that_never_ran_a_job(pim_command):
    result = pim_command("status", "--json")
    assert result.code == 0
    status = result.json()
    assert status["ok"] is True
    assert [job["job"] for job in status["jobs"]] == list(JOBS)
    told = {job["job"]: (job["level"], job["messages"]) for job in status["jobs"]}
    assert told.pop(JOB) == ("warning", ["It has never run."])
    # Nothing waits for the others.
    assert all(each == ("ok", []) for each in told.values())
    output = pim_command("status").output
    assert "WARNING Publish approved products" in output
    assert "It has never run." in output
    assert "Schedule: off" in output


def test_status_exits_with_1_if_a_job_fails(pim, pim_command, pim_server):
    pim_server.environment = "Production"
    pim_command("run", JOB)
    result = pim_command("status", "--json")
    assert result.code == 1
    assert result.json()["ok"] is False
    (job,) = [job for job in result.json()["jobs"] if job["job"] == JOB]
    assert job["level"] == "error"
    assert job["last_run"]["error"]["code"] == "configuration"
    result = pim_command("status")
    assert result.code == 1
    assert "ERROR   Publish approved products" in result.output
    assert "Production" in result.output


def test_status_shows_the_run_under_way_and_the_schedule(pim_command):
    save_schedule(JobSchedule(job=JOB, enabled=True, cron="0 2 * * MON"), None)
    runs.start(JOB, trigger=Trigger.ADMIN)
    output = pim_command("status").output
    assert "Now: waiting, started" in output
    assert "At 02:00, only on Monday; next" in output
    (job,) = [j for j in pim_command("status", "--json").json()["jobs"] if j["active"]]
    assert job["active"]["state"] == "queued"
    assert job["schedule"]["cron"] == "0 2 * * MON"


def test_status_tells_by_e_mail_that_a_job_is_late(pim_command, configure, mailoutbox):
    configure(NOTIFICATION_EMAILS="ops@shop.example")
    save_schedule(JobSchedule(job=JOB, enabled=True, cron="0 2 * * *"), None)
    JobSchedule.objects.update(due_at=timezone.now() - timedelta(hours=1))
    assert pim_command("status").code == 1
    assert pim_command("status").code == 1
    assert [mail.subject for mail in mailoutbox] == [
        "[Spokewell] Publish approved products is late"
    ]


def test_status_outlives_an_invalid_schedule(pim_command):
    JobSchedule.objects.create(
        job=JOB, enabled=True, cron="99 99 * *", due_at=timezone.now()
    )
    result = pim_command("status")
    assert result.code == 1
    assert "The schedule “99 99 * *” is invalid." in result.output
    assert "Schedule: 99 99 * *; due since" in result.output


def test_status_tells_a_schedule_without_a_time_from_one_that_is_off(pim_command):
    JobSchedule.objects.create(job=JOB, enabled=True, cron="0 2 * * *")
    output = pim_command("status").output
    assert "Schedule: At 02:00; the next time is set when crontab asks" in output
    JobSchedule.objects.update(enabled=False)
    assert "Schedule: off" in pim_command("status").output


# runs


def test_runs_are_listed_the_newest_first(pim, pim_command):
    pim_command("run", JOB, "--dry-run")
    pim_command("run", JOB)
    listed = pim_command("runs", "--json").json()["runs"]
    assert [run["dry_run"] for run in listed] == [False, True]
    assert listed[0]["run"] == str(JobRun.objects.first().pk)
    assert len(pim_command("runs", "--json", "--limit", "1").json()["runs"]) == 1
    assert len(pim_command("runs", "--json", "--job", JOB).json()["runs"]) == 2
    output = " ".join(pim_command("runs").output.split())
    assert "succeeded" in output
    assert "(dry" in output


def test_runs_say_how_many_records_failed(pim, pim_command):
    assert pim_command("runs").output == "No runs.\n"
    pim.product("BAD", Price="cheap")
    pim.product("WORSE", Price="cheap")
    pim_command("run", JOB)
    lines = [
        line.replace("│", " ").split()
        for line in pim_command("runs").output.splitlines()
    ]
    (line,) = [line for line in lines if line[:1] == [str(JobRun.objects.get().pk)[:8]]]
    assert line[-1] == "2"


@pytest.mark.parametrize("limit", ["-1", "0", "1.5", "many"])
def test_runs_are_limited_to_a_number(pim_command, limit):
    with pytest.raises(CommandError, match=f"--limit: '{limit}' is not a whole number"):
        pim_command("runs", f"--limit={limit}")


def test_runs_of_a_job_that_never_was_are_no_answer(pim_command):
    JobRun.objects.create(job="of_old", trigger=Trigger.COMMAND)
    (run,) = pim_command("runs", "--json", "--job", "of_old").json()["runs"]
    assert run["job"] == "of_old"
    with pytest.raises(CommandError, match=f"no job nope. .* are: of_old, .*{JOB}"):
        pim_command("runs", "--job", "nope")
    result = pim_command("runs", "--json", "--job", "nope")
    assert (result.code, result.json()["error"]["code"]) == (1, "configuration")


def test_runs_report_one_of_them(pim, pim_command):
    pim.product("BAD", Price="cheap")
    pim_command("run", JOB)
    run = JobRun.objects.get()
    result = pim_command("runs", str(run.pk)[:8].upper())
    assert result.code == 0
    assert f"{run.pk}: failed items, started " in result.output
    assert "“cheap” is not a number" in result.output
    report = pim_command("runs", str(run.pk), "--json").json()
    assert report["run"] == str(run.pk)
    assert "BAD" in {item["number"] for item in report["items"]}


def test_report_of_a_run_that_waits_says_nothing_of_its_end(pim_command):
    run = runs.start(JOB, trigger=Trigger.ADMIN)
    output = pim_command("runs", str(run.pk)).output
    assert f"{run.pk}: waiting, started " in output
    assert "There was nothing to do." not in output


@pytest.mark.parametrize("action", ["runs", "stop"])
@pytest.mark.parametrize("beginning", ["b", "nope", "a1" * 17, "%"])
def test_run_that_is_not_there(pim_command, action, beginning):
    JobRun.objects.create(pk=UUID("a1" * 16), job=JOB, trigger=Trigger.COMMAND)
    with pytest.raises(CommandError, match=f"no run whose id begins .*“{beginning}”"):
        pim_command(action, beginning)
    result = pim_command(action, beginning, "--json")
    assert (result.code, result.json()["error"]["code"]) == (1, "run_not_found")


@pytest.mark.parametrize("action", ["runs", "stop"])
def test_beginning_of_several_ids(pim_command, action):
    for number in range(12):
        pk = UUID(f"{number:x}".rjust(32, "a"))
        JobRun.objects.create(pk=pk, job=JOB, dry_run=True, trigger=Trigger.COMMAND)
    with pytest.raises(CommandError, match="begin with “aA”") as error:
        pim_command(action, "aA")
    assert str(error.value).count("aaaaaaaa-aaaa-") == 10
    assert str(error.value).endswith(", …")
    listed = f"{UUID('a' * 31 + '3')}, .*{UUID('a' * 31 + '2')}$"
    JobRun.objects.exclude(pk__in=[UUID("a" * 31 + end) for end in "23"]).delete()
    with pytest.raises(CommandError, match=listed):
        pim_command(action, "aaaaaaaa-aa")


# stop


def test_stop_ends_a_run_that_waits(pim_command):
    run = runs.start(JOB, trigger=Trigger.ADMIN)
    result = pim_command("stop", "--json")
    assert result.code == 0
    assert result.json()["run"] == str(run.pk)
    assert result.json()["state"] == "stopped"


def test_stop_has_a_run_end_after_its_batch(pim, pim_command, on_start):
    pim.product("A1")
    results = []
    on_start(lambda run: results.append(pim_command("stop", str(run.pk))))
    result = pim_command("run", JOB, "--json")
    assert "ends after the current batch" in results[0].output
    assert (result.code, result.json()["state"]) == (1, "stopped")


def test_stop_takes_the_beginning_of_an_id_that_is_one_runs(pim_command):
    dry = runs.start(JOB, trigger=Trigger.ADMIN, dry_run=True)
    writer = runs.start(JOB, trigger=Trigger.ADMIN)
    shown = pim_command("runs").output
    assert str(dry.pk)[:8] in shown
    result = pim_command("stop", str(dry.pk)[:8].upper(), "--json")
    assert result.json()["run"] == str(dry.pk)
    writer.refresh_from_db()
    assert writer.state == State.QUEUED


def test_stop_without_a_run_exits_with_1(pim, pim_command):
    pim_command("run", JOB)
    ended = str(JobRun.objects.get().pk)
    for arguments, said in (
        ([], "There is no run to stop."),
        ([ended[:8]], f"Run {ended} has ended."),
    ):
        result = pim_command("stop", "--json", *arguments)
        assert result.code == 1
        assert result.json()["error"] == {"code": "nothing_to_stop", "message": said}
        with pytest.raises(CommandError, match=said):
            pim_command("stop", *arguments)


# recover


@pytest.fixture
def dead_run(configure: Callable[..., None]) -> JobRun:
    """A run whose worker was killed an hour ago."""
    run = runs.start(JOB, trigger=Trigger.ADMIN)
    hour_ago = timezone.now() - timedelta(hours=1)
    JobRun.objects.update(
        state=State.RUNNING, heartbeat_at=hour_ago, started_at=hour_ago, worker="gone:1"
    )
    return run


def test_recover_goes_on_with_a_dead_run(pim, pim_command, dead_run):
    pim.product("A1")
    result = pim_command("recover", "--json")
    assert result.code == 0
    (interrupted,) = result.json()["interrupted"]
    (resumed,) = result.json()["resumed"]
    assert interrupted["run"] == resumed["resumes"] == str(dead_run.pk)
    assert resumed["state"] == "succeeded"
    assert pim.status("A1") == "Published"


def test_recover_goes_on_with_what_was_found_dead_before(pim_command, dead_run):
    runs.recover()
    result = pim_command("recover")
    assert result.code == 0
    assert "acknowledged" in result.output
    assert JobRun.objects.first().resumes == dead_run


def test_recover_has_nothing_to_do_where_nothing_was_interrupted(pim_command):
    pim_command("run", JOB)
    result = pim_command("recover", "--json")
    assert (result.code, result.json()) == (0, {"interrupted": [], "resumed": []})
    assert "Nothing was interrupted." in pim_command("recover").output
    assert JobRun.objects.count() == 1


def test_recover_now_does_not_wait_for_the_signs_of_life_to_fail(pim_command):
    run = runs.start(JOB, trigger=Trigger.ADMIN)
    JobRun.objects.update(state=State.RUNNING, heartbeat_at=timezone.now())
    result = pim_command("recover")
    assert "Nothing was interrupted." in result.output
    result = pim_command("recover", "--now", "--json")
    assert result.code == 0
    assert result.json()["resumed"][0]["resumes"] == str(run.pk)


# due


def test_due_runs_what_is_due(pim, pim_command):
    pim.product("A1")
    pim.product("BAD", Price="cheap")
    assert "Nothing is due." in pim_command("due").output
    save_schedule(JobSchedule(job=JOB, enabled=True, cron="0 2 * * *"), None)
    JobSchedule.objects.update(due_at=timezone.now())
    result = pim_command("due", "--json")
    assert result.code == 2
    (run,) = result.json()["runs"]
    assert (run["trigger"], run["state"]) == ("schedule", "failed_items")
    assert pim_command("due", "--json").json() == {"runs": [], "waiting": []}


def test_due_tells_of_a_job_that_waits_for_another_run(pim_command):
    save_schedule(JobSchedule(job=JOB, enabled=True, cron="0 2 * * *"), None)
    JobSchedule.objects.update(due_at=timezone.now())
    runs.start(JOB, trigger=Trigger.ADMIN)
    result = pim_command("due")
    assert result.code == 0
    assert "Publish approved products is due and waits: " in result.output
    assert "has been waiting for a worker since" in result.output
    assert "Nothing is due." not in result.output
    result = pim_command("due", "--json")
    assert (result.code, result.json()["runs"]) == (0, [])
    (waiting,) = result.json()["waiting"]
    assert waiting["job"] == JOB
    assert "has been waiting for a worker since" in waiting["why"]


# check


def findings(result: Result) -> list[tuple[str, str]]:
    return [(f["level"], f["subject"]) for f in result.json()["findings"]]


def test_check_finds_nothing_to_correct(pim_command, pim_server, queries):
    with queries() as captured:
        result = pim_command("check", "--json")
    assert result.code == 0
    assert result.json()["ok"] is True
    assert findings(result) == [
        ("ok", "Options"),
        ("ok", "Connection and key"),
        ("ok", "Environment"),
        ("ok", "Category trees"),
    ]
    assert captured.writes() == []
    assert {request.method for request in pim_server.requests} == {"GET"}
    result = pim_command("check")
    assert result.code == 0
    assert "1 category tree feeds a catalog: Spokewell" in result.output


def test_check_stops_at_a_wrong_key(pim_command, configure):
    configure(SECRET_KEY="d3Jvbmc=")
    result = pim_command("check", "--json")
    assert result.code == 1
    assert findings(result)[-1] == ("error", "Connection and key")
    assert result.json()["findings"][-1]["code"] == "authentication"


def test_check_tells_of_options_that_are_missing(pim_command, configure):
    configure(APP_KEY="")
    result = pim_command("check")
    assert result.code == 1
    assert "ERROR" in result.output
    assert "application key" in result.output


def test_check_tells_of_another_environment_and_looks_on(pim_command, pim_server):
    pim_server.environment = "Production"
    result = pim_command("check", "--json")
    assert result.code == 1
    assert findings(result)[-2:] == [
        ("error", "Environment"),
        ("ok", "Category trees"),
    ]


def test_check_warns_of_a_pim_without_settings(pim_command, pim_server):
    pim_server.environment = None
    result = pim_command("check", "--json")
    assert result.code == 0
    assert ("warning", "Environment") in findings(result)


def test_check_tells_of_a_tree_for_two_websites(pim, pim_command):
    pim.website("Outlet")
    pim.taxonomy(websites=["Spokewell", "Outlet"])
    result = pim_command("check")
    assert result.code == 1
    assert f"“{TAXONOMY}” is mapped to more than one website" in result.output


# Refresh published products

REFRESH = "refresh_published_products"


def test_refresh_says_how_far_back_it_looked(pim, pim_command, configure):
    configure(NUMBER_OF_LOOKBACK_DAYS=7)
    pim.product("A1", status="Published", lastPublishedOn="2020-01-01T12:00:00Z")
    result = pim_command("run", REFRESH)
    since = JobRun.objects.get().published_since
    assert f"Published since {since:%Y-%m-%d} (UTC)" in result.output
    assert "acknowledged" not in result.output

    result = pim_command("run", REFRESH, "--since", "2020-01-01T23:00:00+14:00")
    assert "Published since 2020-01-01 (UTC)" in result.output
    assert ProductPage.objects.live().get().product_number == "A1"

    result = pim_command("run", REFRESH, "--all")
    assert (result.code, "All published products" in result.output) == (0, True)


def test_refresh_says_so_in_json(pim_command):
    facts = pim_command("run", REFRESH, "--lookback-days", "30", "--json").json()
    since = JobRun.objects.get().published_since
    assert parse_datetime(facts["published_since"]) == since
    assert facts["options"] == {"lookback_days": 30}
    facts = pim_command("run", REFRESH, "--all", "--json").json()
    assert (facts["published_since"], facts["options"]) == (None, {"all": True})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((REFRESH, "--lookback-days", "0"), "“0”; set 1 to 3650"),
        ((REFRESH, "--lookback-days", "week"), "“week”"),
        ((REFRESH, "--since", "yesterday"), "“yesterday” is not a date"),
        ((REFRESH, "--since", ""), "“” is not a date"),
        ((REFRESH, "--all", "--product", "A1"), "not both"),
        ((JOB, "--all"), "Publish approved products takes no options such as all"),
        (("synchronize_setup_data", "--since", "2026-01-01"), "takes no options"),
        ((REFRESH, "--all", "--since", "2026-01-01"), "not allowed with argument"),
    ],
)
def test_a_lookback_that_makes_no_sense_starts_nothing(pim_command, arguments, words):
    with pytest.raises(CommandError) as refusal:
        pim_command("run", *arguments)
    assert words in str(refusal.value)
    assert not JobRun.objects.exists()


def test_the_report_has_the_headings_of_the_job(pim_command, publish):
    for job, heading, others in (
        (JOB, "Products and variants", {"Categories": True, "acknowledged": True}),
        (REFRESH, "Products and variants", {"Categories": True, "acknowledged": False}),
        (
            "synchronize_setup_data",
            "Definitions",
            {"Categories": False, "acknowledged": False},
        ),
    ):
        run = runs.start(job, trigger=Trigger.COMMAND)
        JobRun.objects.update(state=State.SUCCEEDED)
        output = pim_command("runs", str(run.pk)).output
        assert heading in output
        for words, expected in others.items():
            assert (words in output) == expected, (job, words)


def test_the_report_of_a_job_that_is_no_more_tells_what_it_counted(pim_command):
    run = JobRun.objects.create(
        job="of_old",
        trigger=Trigger.COMMAND,
        state=State.SUCCEEDED,
        counts={"created": 3},
        category_counts={"created": 7},
        acknowledged=2,
    )
    output = pim_command("runs", str(run.pk)).output
    lines = [line.replace("│", " ").split() for line in output.splitlines()]
    assert ["created", "3", "7"] in lines
    assert ["acknowledged", "2"] in lines
