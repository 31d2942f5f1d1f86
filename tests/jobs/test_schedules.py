"""When jobs start by themselves, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from wagtail.models import ModelLogEntry

from wagtail_pim.jobs import JOBS, runs
from wagtail_pim.jobs.schedules import (
    RESUMPTIONS,
    clean_cron,
    in_words,
    next_times,
    run_when_free,
    save_schedule,
    schedule_of,
    start_due,
)
from wagtail_pim.models import JobRun, JobSchedule
from wagtail_pim.models.runs import State, Trigger

JOB = "publish_approved_products"
BERLIN = ZoneInfo("Europe/Berlin")


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold)


# Expressions


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 2 * * *", ["2026-01-02 02:00", "2026-01-03 02:00", "2026-01-04 02:00"]),
        ("*/20 * * * *", ["2026-01-01 12:20", "2026-01-01 12:40", "2026-01-01 13:00"]),
        ("0 4 * * MON", ["2026-01-05 04:00", "2026-01-12 04:00", "2026-01-19 04:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
    ],
)
def test_next_times_are_in_the_sites_time_zone(settings, cron, expected):
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override("Asia/Tokyo"):  # of the person who looks
        times = next_times(cron, after=berlin("2026-01-01 12:00"))
    assert times == [berlin(text) for text in expected]
    assert {time.tzinfo for time in times} == {BERLIN}


def test_time_that_spring_skips_comes_when_the_clocks_went_on():
    times = next_times("30 2 * * *", 2, after=berlin("2026-03-28 12:00"))
    assert times == [berlin("2026-03-29 03:00"), berlin("2026-03-30 02:30")]


def test_time_that_autumn_shows_twice_comes_once():
    times = next_times("30 2 * * *", 2, after=berlin("2026-10-24 12:00"))
    assert times == [berlin("2026-10-25 02:30"), berlin("2026-10-26 02:30")]
    assert times[0].utcoffset() == timedelta(hours=2)


def test_time_of_the_first_hour_does_not_come_again_in_the_second():
    after = berlin("2026-10-25 02:10", fold=1)
    assert next_times("30 2 * * *", 1, after=after) == [berlin("2026-10-26 02:30")]


def test_every_quarter_of_an_hour_goes_on_when_the_clocks_change():
    times = next_times("*/15 * * * *", 8, after=berlin("2026-10-25 02:00"))
    pauses = {b.timestamp() - a.timestamp() for a, b in pairwise(times)}
    assert pauses == {900}


def test_text_that_is_no_expression_has_no_times():
    with pytest.raises(ValueError, match="61"):
        next_times("61 2 * * *")


@pytest.mark.parametrize(
    ("language", "cron", "expected"),
    [
        ("en", "0 2 * * *", "At 02:00"),
        ("en", "30 14 * * MON-FRI", "At 14:30, Monday through Friday"),
        ("de", "0 2 * * *", "Um 02:00"),
        ("de", "30 14 * * MON-FRI", "Um 14:30, Montag bis Freitag"),
        (
            "de",
            "0 2 * 3,5 1,3,5",
            "Um 02:00, nur am Montag, Mittwoch und Freitag, nur im März und Mai",
        ),
        ("de", "0 2 5 * *", "Um 02:00, am 5. Tag des Monats"),
        ("de", "0 2 1,10,20 * *", "Um 02:00, am 1., 10. und 20. Tag des Monats"),
        ("de-at", "*/15 * * * *", "Alle 15 Minuten"),
        (
            "fr",
            "0 2 * 2 SUN,MON",
            "À 02:00, uniquement le dimanche et lundi, uniquement en février",
        ),
        ("it", "0 2 * * MON", "At 02:00, only on Monday"),
    ],
)
def test_in_words(language, cron, expected):
    with translation.override(language):
        assert in_words(cron) == expected


@pytest.mark.parametrize("language", ["de", "fr"])
def test_words_that_the_library_has_in_english_alone_are_english_throughout(language):
    with translation.override(language):
        assert in_words("0 2 1 * MON") == (
            "At 02:00, on day 1 of the month, or on Monday"
        )


@pytest.mark.parametrize(
    "cron", ["0 2 */2 * MON", "0 2 * * FRI/2", "0 2 *,5 * MON", "0 2,* * * *"]
)
def test_expression_that_words_would_tell_wrongly_stands_for_itself(cron):
    assert clean_cron(cron) == cron
    assert in_words(cron) == cron


@pytest.mark.parametrize("text", ["", "99 99 * *", "99 99 * * *", "0 0 2 * * *"])
def test_text_that_is_no_expression_stands_for_itself(text):
    assert in_words(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  0  2 * * *\n", "0 2 * * *"),
        ("0 2 * jan mon-fri", "0 2 * JAN MON-FRI"),
        ("*/15 8-18 L * 7", "*/15 8-18 L * 7"),
        ("0 0 29 2 *", "0 0 29 2 *"),
    ],
)
def test_clean_cron(text, expected):
    assert clean_cron(text) == expected
    assert in_words(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "five fields"),
        ("0 2 * *", "five fields"),
        ("0 0 2 * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 2 * * *", "“60” is not understood. The minute is 0 to 59"),
        ("0 2h * * *", "“2H” is not understood. The hour is 0 to 23"),
        ("0 2 0 * *", "“0” is not understood. The day of month is 1 to 31"),
        ("0 2 * MAI *", "“MAI” is not understood. The month is 1 to 12"),
        ("0 2 * * FRI-MON", "“FRI-MON” is not understood. The day of week"),
        ("*/0 2 * * *", "“*/0” is not understood"),
        ("0 2 30 2 *", "would never start"),
        ("0 2 31 4,6 *", "would never start"),
    ],
)
def test_clean_cron_says_what_is_wrong(text, said):
    with pytest.raises(ValidationError) as error:
        clean_cron(text)
    assert said in error.value.messages[0]


# Schedules


def test_job_without_a_schedule_has_one_that_is_off(db):
    schedule = schedule_of(JOB)
    assert (schedule.job, schedule.enabled, schedule.pk) == (JOB, False, None)


def test_saved_schedule_is_due_at_its_next_time_and_logged(db):
    user = get_user_model().objects.create_user("editor")
    schedule = schedule_of(JOB)
    schedule.enabled, schedule.told_late = True, True
    before = timezone.now()
    save_schedule(schedule, user)
    stored = schedule_of(JOB)
    assert stored.due_at in next_times(stored.cron, 2, after=before)
    assert stored.told_late is False
    entry = ModelLogEntry.objects.get(action="wagtail_pim.schedule.change")
    assert entry.user == user
    assert entry.data == {"enabled": True, "cron": "0 2 * * *"}

    stored.enabled = False
    save_schedule(stored, user)
    assert schedule_of(JOB).due_at is None


# What crontab starts

DUE = berlin("2026-06-01 02:00")
NEXT = berlin("2026-06-02 02:00")


@pytest.fixture
def schedule(site: Any, configure: Callable[..., None]) -> JobSchedule:
    """Publish approved products, each night at 2."""
    return JobSchedule.objects.create(
        job=JOB, enabled=True, cron="0 2 * * *", due_at=DUE
    )


def test_nothing_starts_before_its_time(schedule):
    now = DUE - timedelta(seconds=1)
    assert start_due(now) == []
    schedule.refresh_from_db()
    assert (schedule.due_at, schedule.checked_at) == (DUE, now)


def test_due_job_runs_once(schedule, pim):
    pim.product("A1")
    (run,) = start_due(DUE)
    assert (run.trigger, run.state, run.user) == (
        Trigger.SCHEDULE,
        State.SUCCEEDED,
        None,
    )
    assert pim.status("A1") == "Published"
    assert start_due(DUE + timedelta(minutes=1)) == []
    schedule.refresh_from_db()
    assert schedule.due_at == NEXT


def test_missed_times_are_one_run(schedule):
    now = DUE + timedelta(days=3, hours=5)
    assert len(start_due(now)) == 1
    assert start_due(now + timedelta(minutes=1)) == []
    schedule.refresh_from_db()
    assert schedule.due_at == berlin("2026-06-05 02:00")


def test_schedule_that_is_off_or_of_no_job_starts_nothing(schedule):
    JobSchedule.objects.update(enabled=False)
    JobSchedule.objects.create(job="gone", enabled=True, due_at=DUE)
    assert start_due(DUE) == []
    assert set(JobSchedule.objects.values_list("checked_at", flat=True)) == {None}


def test_job_whose_time_another_host_claimed_is_not_started(schedule, monkeypatch):
    # Both have read the schedule; the other one moves the time first.
    active_writer = runs.active_writer

    def claimed_meanwhile() -> JobRun | None:
        JobSchedule.objects.update(due_at=NEXT)
        return active_writer()

    monkeypatch.setattr(runs, "active_writer", claimed_meanwhile)
    assert start_due(DUE) == []
    assert not JobRun.objects.exists()


def test_job_that_is_due_waits_for_a_run_in_its_way(schedule):
    other = runs.start(JOB, trigger=Trigger.ADMIN)
    assert start_due(DUE) == []
    schedule.refresh_from_db()
    assert schedule.due_at == DUE
    runs.request_stop(other)
    (run,) = start_due(DUE + timedelta(minutes=1))
    assert run.state == State.SUCCEEDED


def test_dead_run_does_not_stand_in_the_way(schedule, pim):
    dead = runs.start(JOB, trigger=Trigger.ADMIN)
    hour_ago = timezone.now() - timedelta(hours=1)
    JobRun.objects.update(state=State.RUNNING, heartbeat_at=hour_ago)
    (run,) = start_due(DUE)
    assert run.resumes == dead
    dead.refresh_from_db()
    assert dead.state == State.INTERRUPTED


def interrupted_run(trigger: Trigger, resumes: JobRun | None = None) -> JobRun:
    return JobRun.objects.create(
        job=JOB, trigger=trigger, state=State.INTERRUPTED, resumes=resumes
    )


BETWEEN = DUE - timedelta(hours=5)


def test_scheduled_run_that_was_interrupted_goes_on_before_the_next_time(schedule):
    interrupted = interrupted_run(Trigger.SCHEDULE)
    (run,) = start_due(BETWEEN)
    assert run.resumes == interrupted
    assert run.trigger == Trigger.SCHEDULE
    schedule.refresh_from_db()
    assert schedule.due_at == DUE
    assert start_due(BETWEEN) == []


def test_it_goes_on_though_it_went_on_with_a_persons_run_itself(schedule):
    person = interrupted_run(Trigger.ADMIN)
    interrupted_run(Trigger.SCHEDULE, resumes=person)
    assert len(start_due(BETWEEN)) == 1


def test_run_that_a_person_started_does_not_go_on_by_itself(schedule):
    interrupted_run(Trigger.ADMIN)
    assert start_due(BETWEEN) == []


def test_run_that_is_interrupted_again_and_again_waits_for_the_next_time(schedule):
    run = interrupted_run(Trigger.SCHEDULE)
    for _attempt in range(RESUMPTIONS - 1):
        run = interrupted_run(Trigger.SCHEDULE, resumes=run)
    (again,) = start_due(BETWEEN)
    JobRun.objects.filter(pk=again.pk).update(state=State.INTERRUPTED)
    assert start_due(BETWEEN) == []
    assert len(start_due(DUE)) == 1


def test_failed_run_does_not_start_again_before_the_next_time(schedule, pim_server):
    pim_server.environment = "Production"
    (run,) = start_due(DUE)
    assert run.state == State.FAILED
    assert start_due(DUE + timedelta(minutes=1)) == []


@pytest.mark.parametrize("cron", ["", "99 99 * *"])
@pytest.mark.parametrize("due_at", [DUE, None])
def test_invalid_schedule_does_not_keep_others_from_starting(
    schedule, monkeypatch, caplog, cron, due_at
):
    monkeypatch.setitem(JOBS, "other", JOBS[JOB])
    JobSchedule.objects.update(job="other", cron=cron, due_at=due_at)
    JobSchedule.objects.create(job=JOB, enabled=True, due_at=DUE)
    (run,) = start_due(DUE)
    assert run.job == JOB
    assert f"other does not start: The schedule “{cron}” is invalid" in caplog.text


def test_schedule_without_a_time_gets_its_next_one(schedule):
    JobSchedule.objects.update(due_at=None)
    assert start_due(BETWEEN) == []
    schedule.refresh_from_db()
    assert schedule.due_at == DUE
    assert len(start_due(DUE)) == 1


# Jobs that a site lists in its crontab


def test_listed_job_runs(site, configure, pim):
    pim.product("A1")
    run = run_when_free(JOB)
    assert (run.trigger, run.state) == (Trigger.SCHEDULE, State.SUCCEEDED)


def test_listed_job_waits_for_a_run_in_its_way(site, configure, monkeypatch):
    other = runs.start(JOB, trigger=Trigger.ADMIN)
    start = runs.start
    attempts = []

    def start_after_the_other(*args: Any, **kwargs: Any) -> JobRun:
        attempts.append(args)
        if len(attempts) == 2:
            runs.request_stop(other)
        return start(*args, **kwargs)

    monkeypatch.setattr(runs, "start", start_after_the_other)
    run = run_when_free(JOB)
    assert run.state == State.SUCCEEDED
    assert len(attempts) == 2


def test_listed_job_gives_up_in_the_end(site, configure, caplog):
    configure(QUEUE_TIMEOUT=1)
    other = runs.start(JOB, trigger=Trigger.ADMIN)
    JobRun.objects.update(state=State.RUNNING, heartbeat_at=timezone.now())
    assert run_when_free(JOB) is None
    assert JobRun.objects.get() == other
    assert "publish_approved_products was not started" in caplog.text
    assert "has been running since" in caplog.text
