"""How a job is doing, told from its runs and its schedule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wagtail_pim.jobs.connection_check import Level
from wagtail_pim.jobs.health import Health, health_of
from wagtail_pim.jobs.runs import interrupted_runs
from wagtail_pim.models import JobRun, JobRunItem, JobSchedule
from wagtail_pim.models.runs import Outcome, State, Trigger

pytestmark = pytest.mark.django_db

JOB = "publish_approved_products"
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


def make_run(state: State, created_at: datetime, **values: Any) -> JobRun:
    ended = state not in (State.QUEUED, State.RUNNING)
    return JobRun.objects.create(
        **{
            "job": JOB,
            "trigger": Trigger.SCHEDULE,
            "state": state,
            "created_at": created_at,
            "started_at": created_at,
            "finished_at": created_at + timedelta(minutes=3) if ended else None,
            **values,
        }
    )


def fail_items(run: JobRun, *numbers: str) -> None:
    for number in numbers:
        JobRunItem.objects.create(
            run=run,
            kind="product",
            number=number,
            outcome=Outcome.FAILED,
            reason="“cheap” is not a number.",
            unsettled=True,
        )


def health() -> Health:
    return health_of(JOB, now=NOW)


def test_job_that_never_ran():
    found = health()
    assert (found.level, found.messages) == (Level.WARNING, ["It has never run."])
    assert found.last_run is found.last_good is found.active is found.schedule is None


def test_job_that_runs_for_the_first_time_has_nothing_wrong():
    run = make_run(State.RUNNING, ago(minutes=1), heartbeat_at=ago(seconds=5))
    assert health() == Health(JOB, Level.OK, active=run)


def test_job_that_works():
    make_run(State.FAILED, ago(days=1), error="The PIM does not answer.")
    run = make_run(State.SUCCEEDED, ago(hours=1))
    assert health() == Health(JOB, Level.OK, last_run=run, last_good=run)


def test_runs_of_other_jobs_and_dry_runs_say_nothing():
    make_run(State.FAILED, ago(hours=2), job="refresh_product")
    make_run(State.FAILED, ago(hours=1), dry_run=True)
    assert health().messages == ["It has never run."]


def test_job_that_failed_once():
    good = make_run(State.SUCCEEDED, ago(hours=20))
    run = make_run(State.FAILED, ago(hours=1), error="The PIM does not answer.")
    found = health()
    assert found.level == Level.ERROR
    assert found.messages == [
        "The last run failed (06/01/2026 11:03): The PIM does not answer. What "
        "was changed in the PIM after 05/31/2026 16:00 waits."
    ]
    assert (found.last_run, found.last_good) == (run, good)


def test_job_that_fails_again_and_again():
    make_run(State.FAILED, ago(hours=30), error="Before it worked")
    make_run(State.FAILED_ITEMS, ago(hours=20))
    make_run(State.FAILED, ago(hours=3), error="One")
    make_run(State.STOPPED, ago(hours=2.5))
    make_run(State.INTERRUPTED, ago(hours=2), error="Two")
    make_run(State.FAILED, ago(hours=1), error="Three", error_code="unreachable")
    assert (
        health()
        .messages[0]
        .startswith("The last 3 runs failed, since 06/01/2026 09:03: Three")
    )


def test_job_that_has_failed_from_the_start():
    make_run(State.INTERRUPTED, ago(hours=1), error="Its worker is gone.")
    assert health().messages == [
        "The last run failed (06/01/2026 11:03): Its worker is gone."
    ]


def test_stopped_run_says_nothing_of_the_job():
    good = make_run(State.SUCCEEDED, ago(hours=2))
    stopped = make_run(State.STOPPED, ago(hours=1))
    found = health()
    assert (found.level, found.last_run, found.last_good) == (Level.OK, stopped, good)


def test_retry_of_single_products_does_not_make_a_failing_job_work():
    make_run(State.FAILED, ago(hours=2), error="The PIM does not answer.")
    retry = make_run(State.SUCCEEDED, ago(hours=1), numbers=["A1"])
    found = health()
    assert (found.level, found.last_run, found.last_good) == (Level.ERROR, retry, None)


def test_failed_items():
    fail_items(make_run(State.FAILED_ITEMS, ago(hours=1)), "A1", "A2")
    found = health()
    assert found.level == Level.WARNING
    assert found.messages == [
        "2 records failed. The run says why; retry them once the cause is fixed."
    ]


def test_failed_items_that_a_retry_has_mended_are_none():
    fail_items(make_run(State.FAILED_ITEMS, ago(hours=4)), "A1", "A2")
    fail_items(make_run(State.FAILED_ITEMS, ago(hours=3), numbers=["A1", "A2"]), "A2")
    assert health().messages == [
        "1 record failed. The run says why; retry it once the cause is fixed."
    ]
    make_run(State.SUCCEEDED, ago(hours=2), numbers=["A2"])
    assert health().level == Level.OK
    fail_items(make_run(State.FAILED_ITEMS, ago(hours=1), numbers=["A1"]), "A1")
    assert health().level == Level.WARNING


def fail_picture_of(run: JobRun, number: str) -> None:
    """As it is reported: the picture failed, its product is not acknowledged."""
    picture = {"kind": "picture", "number": "front.jpg", "reason": "It is too large."}
    JobRunItem.objects.create(run=run, outcome=Outcome.FAILED, **picture)
    JobRunItem.objects.create(
        run=run,
        kind="product",
        number=number,
        outcome=Outcome.CREATED,
        acknowledged=False,
        unsettled=True,
    )


def test_picture_that_a_retry_of_its_product_has_mended_is_no_failure():
    run = make_run(State.FAILED_ITEMS, ago(hours=5))
    fail_picture_of(run, "A1")
    fail_items(run, "A2")
    make_run(State.SUCCEEDED, ago(hours=4), numbers=["A2"])
    assert health().messages[0].startswith("1 record failed.")
    fail_picture_of(
        make_run(State.FAILED_ITEMS, ago(hours=3), numbers=["A1"]),
        "A1",
    )
    assert health().messages[0].startswith("1 record failed.")
    make_run(State.SUCCEEDED, ago(hours=2), numbers=["A1"])
    assert health().level == Level.OK


# Runs under way


def test_run_that_no_worker_takes_up():
    run = make_run(State.QUEUED, ago(minutes=5))
    found = health()
    assert (found.level, found.active) == (Level.ERROR, run)
    assert "has been waiting for a worker since 06/01/2026 11:55" in found.messages[0]


def test_run_that_was_queued_just_now():
    make_run(State.QUEUED, ago(seconds=20))
    assert health().level == Level.OK


def test_run_without_a_sign_of_life():
    make_run(State.RUNNING, ago(hours=1), heartbeat_at=ago(minutes=9), worker="web1:7")
    found = health()
    assert found.level == Level.ERROR
    assert (
        "Its worker (web1:7) has given no sign of life since 06/01/2026 11:51"
        in (found.messages[0])
    )


def test_dry_run_under_way_is_shown_where_no_other_is():
    dry = make_run(State.RUNNING, ago(minutes=1), dry_run=True, heartbeat_at=NOW)
    assert health().active == dry
    real = make_run(State.RUNNING, ago(minutes=2), heartbeat_at=NOW)
    assert health().active == real


# The schedule


@pytest.fixture
def schedule() -> Callable[..., JobSchedule]:
    """The schedule of a job that worked last night."""
    make_run(State.SUCCEEDED, ago(hours=10))

    def schedule(**values: Any) -> JobSchedule:
        return JobSchedule.objects.create(
            **{
                "job": JOB,
                "enabled": True,
                "due_at": NOW + timedelta(hours=14),
                "checked_at": ago(seconds=30),
                **values,
            }
        )

    return schedule


def test_schedule_that_is_watched(schedule):
    on = schedule()
    found = health()
    assert (found.level, found.messages, found.schedule) == (Level.OK, [], on)


def test_schedule_that_is_off_is_no_fault(schedule):
    schedule(enabled=False, due_at=None, checked_at=None)
    assert health().level == Level.OK


def test_job_that_is_due_is_not_late_at_once(schedule):
    schedule(due_at=ago(minutes=14))
    assert health().level == Level.OK


def test_crontab_that_never_asked_is_told_before_the_job_is_late(schedule):
    schedule(checked_at=None)
    found = health()
    assert (found.level, found.late) == (Level.WARNING, "")
    assert found.messages[0].startswith(
        "Crontab has never asked what is due. Check that"
    )


def test_job_is_late_as_crontab_does_not_ask(schedule):
    schedule(due_at=ago(hours=1), checked_at=ago(hours=2))
    found = health()
    assert found.level == Level.ERROR
    assert found.messages == [found.late]
    assert "It was due at 06/01/2026 11:00 and has not started." in found.late
    assert "has not asked what is due since 06/01/2026 10:00" in found.late
    assert "manage.py crontab show" in found.late


def test_job_is_late_as_another_run_is_in_its_way(schedule, django_user_model):
    schedule(due_at=ago(hours=1))
    make_run(
        State.RUNNING,
        ago(hours=1.5),
        job="refresh_product",
        user=django_user_model.objects.create_user("ada"),
        heartbeat_at=NOW,
    )
    found = health()
    assert found.level == Level.WARNING
    assert (
        "Refresh product, started by ada, has been in the way since 06/01/2026 10:30"
        in found.late
    )
    assert found.active is None


@pytest.mark.parametrize("cron", ["", "99 99 * *", "99 99 * * *"])
def test_expression_that_no_form_has_checked_is_to_blame(schedule, cron):
    on = schedule(cron=cron, checked_at=None)
    found = health()
    assert (found.level, found.late) == (Level.ERROR, "")
    (message,) = found.messages
    assert message.startswith(f"The schedule “{cron}” is invalid. ")
    on.due_at = ago(hours=1)
    on.save()
    make_run(State.RUNNING, ago(minutes=1), job="other", heartbeat_at=NOW)
    found = health()
    assert found.level == Level.ERROR
    assert found.messages == [found.late]
    assert found.late == (
        f"It was due at 06/01/2026 11:00 and has not started. {message}"
    )


def test_the_gravest_comes_first(schedule):
    fail_items(make_run(State.FAILED_ITEMS, ago(hours=1)), "A1")
    schedule(due_at=ago(hours=1), checked_at=None)
    found = health()
    assert found.level == Level.ERROR
    assert ["late" if m == found.late else "items" for m in found.messages] == [
        "late",
        "items",
    ]


def test_number_of_queries_does_not_grow(schedule, django_assert_max_num_queries):
    schedule(due_at=ago(hours=1))
    for hours in range(30, 10, -1):
        make_run(State.FAILED, ago(hours=hours))
    failed = make_run(State.FAILED_ITEMS, ago(hours=5))
    fail_items(failed, *(f"A{i}" for i in range(30)))
    for hours in (4, 3, 2, 1):
        make_run(State.SUCCEEDED, ago(hours=hours), numbers=["A1"])
    with django_assert_max_num_queries(9):
        assert health().messages[1].startswith("29 records failed.")


def test_health_as_json(schedule):
    schedule(due_at=ago(hours=1), checked_at=None)
    made = health().as_json()
    assert (made["job"], made["level"]) == (JOB, "error")
    assert made["last_run"]["state"] == made["last_good"]["state"] == "succeeded"
    assert made["active"] is None
    assert made["schedule"] == {
        "enabled": True,
        "cron": "0 2 * * *",
        "due_at": ago(hours=1),
        "checked_at": None,
    }


def test_interrupted_runs_are_the_last_of_their_jobs():
    run = make_run(State.INTERRUPTED, ago(hours=2))
    make_run(State.INTERRUPTED, ago(hours=1), dry_run=True)
    assert interrupted_runs() == [run]
    make_run(State.SUCCEEDED, ago(minutes=30))
    assert interrupted_runs() == []
