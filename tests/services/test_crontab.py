"""A schedule, a crontab and a real cron daemon."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.services.conftest import Project, wait_for
from wagtail_pim.jobs.schedules import save_schedule, schedule_of
from wagtail_pim.models import JobRun, JobSchedule, ProductPage
from wagtail_pim.models.runs import State, Trigger

pytestmark = [
    pytest.mark.service,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

JOB = "publish_approved_products"
# Cron wakes at full minutes, and the run takes its time.
SECONDS_TO_WAIT = 100


def crontab(*arguments: str, text: str | None = None) -> str:
    answer = subprocess.run(
        ["crontab", *arguments], input=text, capture_output=True, text=True
    )
    return answer.stdout


def make_schedule(cron: str) -> JobSchedule:
    schedule = schedule_of(JOB)
    schedule.enabled, schedule.cron = True, cron
    save_schedule(schedule, None)
    return schedule


@pytest.fixture
def crontab_before() -> Iterator[str]:
    """What the user's crontab holds before the test, and again after it."""
    before = crontab("-l")
    yield before
    if before:
        crontab("-", text=before)
    else:
        crontab("-r")


@pytest.fixture
def cron_daemon() -> Iterator[None]:
    """Where one is there already, this one ends at once."""
    with subprocess.Popen(["cron", "-f"], stderr=subprocess.DEVNULL) as daemon:
        yield
        daemon.terminate()


def test_crontab_starts_what_the_schedule_says(
    make_project: Callable[..., Project], crontab_before: str, cron_daemon: None
) -> None:
    project = make_project(20)
    project.environment["DJANGO_SETTINGS_MODULE"] = "tests.services.crontab_settings"
    schedule = make_schedule("* * * * *")

    added = project.manage("crontab", "add")
    assert added.returncode == 0, added.stderr
    lines = crontab("-l").splitlines()
    assert lines[:-1] == crontab_before.splitlines()
    assert lines[-1].startswith("* * * * * env ")
    assert lines[-1].endswith("# wagtail-pim service test")
    assert "start_due_jobs" in project.manage("crontab", "show").stdout

    log = project.folder / "crontab.log"
    run = wait_for(
        lambda: JobRun.objects.filter(finished_at__isnull=False).first(),
        SECONDS_TO_WAIT,
        what=f"a run that crontab started; {crontab('-l')}",
    )
    assert (run.trigger, run.state) == (Trigger.SCHEDULE, State.SUCCEEDED), run.error
    assert project.statuses() == {"Published": 20}
    assert ProductPage.objects.live().count() > 0
    schedule.refresh_from_db()
    assert schedule.checked_at is not None
    assert schedule.due_at > run.created_at

    removed = project.manage("crontab", "remove", "-v", "0")
    assert removed.returncode == 0, removed.stderr
    assert crontab("-l") == crontab_before
    assert log.read_text() == ""


def test_crontabs_of_several_hosts_start_a_job_once(
    make_project: Callable[..., Project],
) -> None:
    project = make_project(20)
    for time in range(3):
        schedule = make_schedule("0 2 * * *")
        JobSchedule.objects.update(due_at=timezone.now() - timedelta(hours=1))
        hosts = [project.start("pim", "due") for _host in range(4)]
        assert [host.wait(60) for host in hosts] == [0] * 4, project.logs()
        assert JobRun.objects.count() == time + 1, project.logs()
        schedule.refresh_from_db()
        assert schedule.due_at > timezone.now()
