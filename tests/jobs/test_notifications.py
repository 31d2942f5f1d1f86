"""E-mails to the people who watch over the jobs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone, translation

from wagtail_pim.jobs import notifications, runs
from wagtail_pim.jobs.notifications import ITEMS_TOLD, tell_of_end, tell_of_lateness
from wagtail_pim.jobs.schedules import start_due
from wagtail_pim.models import JobRun, JobRunItem, JobSchedule
from wagtail_pim.models.runs import Outcome, State, Trigger

JOB = "publish_approved_products"


@pytest.fixture(autouse=True)
def recipients(db: None, settings: Any) -> None:
    settings.WAGTAIL_PIM = {"NOTIFICATION_EMAILS": "ops@shop.example, ada@shop.example"}
    settings.WAGTAILADMIN_BASE_URL = "https://shop.example"


@pytest.fixture
def ended():
    """Has a run of the job end in a state, the next one an hour after the last."""
    moment = timezone.now() - timedelta(days=2)

    def ended(state: State, **values: Any) -> JobRun:
        nonlocal moment
        moment += timedelta(hours=1)
        run = JobRun.objects.create(
            **{
                "job": JOB,
                "trigger": Trigger.SCHEDULE,
                "state": state,
                "created_at": moment,
                "finished_at": moment + timedelta(minutes=3),
                **values,
            }
        )
        tell_of_end(run)
        return run

    return ended


def subjects() -> list[str]:
    return [message.subject for message in mail.outbox]


def test_each_change_of_state_is_told_once(ended):
    for state in (
        State.SUCCEEDED,
        State.SUCCEEDED,
        State.FAILED,
        State.FAILED,
        State.INTERRUPTED,
        State.SUCCEEDED,
        State.SUCCEEDED,
        State.FAILED_ITEMS,
        State.FAILED_ITEMS,
        State.SUCCEEDED,
    ):
        ended(state)
    assert subjects() == [
        "[Spokewell] Publish approved products failed",
        "[Spokewell] Publish approved products was interrupted",
        "[Spokewell] Publish approved products works again",
        "[Spokewell] Publish approved products: 0 records failed",
        "[Spokewell] Publish approved products works again",
    ]


def test_first_run_is_told_of_if_it_fails(ended):
    ended(State.FAILED)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"dry_run": True},
        {"numbers": ["A1"]},
        {"job": "refresh_product"},
        {"state": State.STOPPED},
    ],
    ids=lambda values: next(iter(values)),
)
def test_runs_that_say_nothing_of_the_job_are_passed_over(ended, values):
    ended(State.FAILED)
    mail.outbox.clear()
    ended(**{"state": State.SUCCEEDED, **values})
    assert mail.outbox == []
    # Nor do they hide what was before them.
    ended(State.FAILED)
    assert mail.outbox == []
    ended(State.SUCCEEDED)
    assert len(mail.outbox) == 1


def test_e_mail_says_what_happened_and_where_to_look(ended, settings):
    settings.WAGTAILADMIN_NOTIFICATION_FROM_EMAIL = "pim@shop.example"
    run = JobRun(
        job=JOB,
        trigger=Trigger.SCHEDULE,
        state=State.FAILED_ITEMS,
        finished_at=timezone.now(),
        counts={Outcome.CREATED.value: 7, Outcome.FAILED.value: ITEMS_TOLD + 2},
        acknowledged=6,
    )
    run.save()
    run.refresh_from_db()
    for number in range(ITEMS_TOLD + 2):
        JobRunItem.objects.create(
            run=run,
            kind="product",
            number=f"A<{number}>",
            outcome=Outcome.FAILED,
            reason="“cheap” & 'dear' are no numbers.",
        )
    tell_of_end(run)
    (message,) = mail.outbox
    assert message.to == ["ops@shop.example", "ada@shop.example"]
    assert message.from_email == "pim@shop.example"
    assert message.extra_headers == {"Auto-Submitted": "auto-generated"}
    lines = message.body.splitlines()
    assert lines[0] == "Publish approved products: 22 records failed"
    assert "created: 7" in lines
    assert "acknowledged: 6" in lines
    assert "- product A<0>: “cheap” & 'dear' are no numbers." in lines
    assert f"- product A<{ITEMS_TOLD}>" not in message.body
    assert "… and 2 more" in lines
    assert lines[-1] == f"https://shop.example/admin/pim/runs/{run.pk}/"


def test_e_mail_of_a_failed_run_says_why(ended):
    ended(State.FAILED, error="The PIM at https://pim.example/ does not answer.")
    body = mail.outbox[0].body
    assert "The PIM at https://pim.example/ does not answer." in body
    assert "Failed items" not in body


def test_e_mail_is_in_the_sites_language_and_time(ended, settings):
    settings.LANGUAGE_CODE = "de"
    settings.TIME_ZONE = "Europe/Berlin"
    moment = timezone.datetime.fromisoformat("2026-06-01T10:00+00:00")
    with translation.override("fr"), timezone.override("Asia/Tokyo"):
        ended(State.FAILED, created_at=moment)
    assert "01.06.2026 12:00" in mail.outbox[0].body


def test_e_mail_without_an_address_of_the_site_has_no_link(ended, settings):
    del settings.WAGTAILADMIN_BASE_URL
    ended(State.FAILED)
    assert "/pim/" not in mail.outbox[0].body


def test_nobody_to_tell(ended, settings):
    settings.WAGTAIL_PIM = {"NOTIFICATION_EMAILS": []}
    ended(State.FAILED)
    assert mail.outbox == []


def test_e_mail_that_cannot_be_sent_ends_no_run(ended, settings, caplog):
    settings.WAGTAILADMIN_NOTIFICATION_FROM_EMAIL = "pim@shop.example\nBcc: x@y.example"
    run = ended(State.FAILED)
    assert run.state == State.FAILED
    assert mail.outbox == []
    assert "could not be sent" in caplog.text


SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def silent_server(settings: Any) -> Iterator[socket.socket]:
    """A mail server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        if hasattr(settings, "MAILERS"):
            options = {"host": host, "port": port}
            settings.MAILERS = {"default": {"BACKEND": SMTP, "OPTIONS": options}}
        else:
            settings.EMAIL_BACKEND = SMTP
            settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
        yield server


def test_silent_mail_server_holds_nothing_up(ended, silent_server, monkeypatch, caplog):
    monkeypatch.setattr(notifications, "MAIL_TIMEOUT", 0.2)
    began = time.monotonic()
    ended(State.FAILED)
    assert time.monotonic() - began < 5
    assert silent_server.accept()
    assert "could not be sent" in caplog.text


def test_timeout_of_the_site_holds(ended, silent_server, settings, caplog):
    if hasattr(settings, "MAILERS"):
        settings.MAILERS["default"]["OPTIONS"]["timeout"] = 0.2
    else:
        settings.EMAIL_TIMEOUT = 0.2
    began = time.monotonic()
    ended(State.FAILED)
    assert time.monotonic() - began < 5
    assert "could not be sent" in caplog.text


def test_number_takes_one_line_whatever_is_in_it(ended):
    run = ended(State.SUCCEEDED)
    JobRunItem.objects.create(
        run=run,
        kind="product",
        number="A1\n- product A2: It was deleted.\u2028x",
        outcome=Outcome.FAILED,
        reason="It has\nno title.",
    )
    run.state = State.FAILED_ITEMS
    tell_of_end(run)
    line = "- product A1 - product A2: It was deleted. x: It has no title."
    assert line in mail.outbox[0].body.splitlines()


def test_run_tells_of_its_end(site, configure, pim, pim_server):
    configure(NOTIFICATION_EMAILS=["ops@shop.example"])
    pim.product("A1")
    pim.product("BAD", Price="cheap")
    run = runs.carry_out(runs.start(JOB, trigger=Trigger.COMMAND).pk)
    assert run.state == State.FAILED_ITEMS
    assert subjects() == ["[Spokewell] Publish approved products: 1 record failed"]
    assert "“cheap” is not a number" in mail.outbox[0].body
    key = pim_server.store.credentials().write
    assert key.secret_key not in mail.outbox[0].body


# Lateness


def test_lateness_is_told_once_until_the_job_starts(site, configure):
    configure(NOTIFICATION_EMAILS=["ops@shop.example"])
    now = timezone.now()
    schedule = JobSchedule.objects.create(
        job=JOB, enabled=True, due_at=now - timedelta(hours=1), checked_at=now
    )
    in_the_way = runs.start(JOB, trigger=Trigger.ADMIN)
    start_due(now)
    start_due(now + timedelta(minutes=1))
    assert subjects() == ["[Spokewell] Publish approved products is late"]
    assert "has been in the way since" in mail.outbox[0].body
    assert "https://shop.example/admin/pim/jobs/" in mail.outbox[0].body
    schedule.refresh_from_db()
    assert schedule.told_late is True

    runs.request_stop(in_the_way)
    assert len(start_due(now + timedelta(minutes=2))) == 1
    schedule.refresh_from_db()
    assert schedule.told_late is False


def test_job_that_crontab_starts_late_is_told_of(site, configure):
    configure(NOTIFICATION_EMAILS=["ops@shop.example"])
    now = timezone.now()
    schedule = JobSchedule.objects.create(
        job=JOB,
        enabled=True,
        due_at=now - timedelta(hours=6),
        checked_at=now - timedelta(hours=7),
    )
    assert len(start_due(now)) == 1
    assert subjects() == ["[Spokewell] Publish approved products is late"]
    assert "Crontab has not asked what is due since" in mail.outbox[0].body
    schedule.refresh_from_db()
    assert (schedule.told_late, schedule.checked_at) == (False, now)


def test_job_with_an_invalid_schedule_is_told_of(site, configure):
    configure(NOTIFICATION_EMAILS=["ops@shop.example"])
    now = timezone.now()
    JobSchedule.objects.create(
        job=JOB, enabled=True, cron="99 99 * *", due_at=now - timedelta(hours=1)
    )
    for minutes in (0, 1):
        assert start_due(now + timedelta(minutes=minutes)) == []
    assert subjects() == ["[Spokewell] Publish approved products is late"]
    assert "The schedule “99 99 * *” is invalid." in mail.outbox[0].body


def test_job_that_started_meanwhile_is_not_told_of():
    now = timezone.now()
    schedule = JobSchedule.objects.create(job=JOB, enabled=True, due_at=now)
    JobSchedule.objects.update(due_at=now + timedelta(days=1))
    tell_of_lateness(schedule, "It is late.")
    assert mail.outbox == []
    schedule.refresh_from_db()
    assert schedule.told_late is False


def test_two_who_find_a_job_late_tell_once():
    schedule = JobSchedule.objects.create(job=JOB, enabled=True)
    tell_of_lateness(schedule, "It is late.")
    tell_of_lateness(schedule, "It is late.")
    assert len(mail.outbox) == 1
