"""What crontab calls, as django-crontab calls it."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from wagtail_pim.cron import cronjobs
from wagtail_pim.jobs import JOBS
from wagtail_pim.models import JobRun, JobSchedule
from wagtail_pim.models.runs import State, Trigger

JOB = "publish_approved_products"


@pytest.fixture
def crontab(site: Any, configure: Callable[..., None], settings: Any):
    """Has the site's first line of crontab carried out."""

    def crontab() -> None:
        line = json.dumps(settings.CRONJOBS[0], sort_keys=True)
        call_command("crontab", "run", hashlib.md5(line.encode()).hexdigest())

    return crontab


def test_settings_can_import_it_as_django_is_not_there_yet():
    code = (
        "import sys, wagtail_pim.cron; print([m for m in sys.modules if 'django' in m])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_a_line_a_minute_starts_what_is_due(crontab, settings, pim):
    settings.CRONJOBS = cronjobs()
    assert [line[0] for line in settings.CRONJOBS] == ["* * * * *"]
    pim.product("A1")
    JobSchedule.objects.create(
        job=JOB, enabled=True, due_at=timezone.now() - timedelta(seconds=5)
    )
    crontab()
    crontab()
    run = JobRun.objects.get()
    assert (run.trigger, run.state) == (Trigger.SCHEDULE, State.SUCCEEDED)
    assert pim.status("A1") == "Published"


@pytest.mark.parametrize("job", sorted(JOBS))
def test_every_job_can_be_listed(crontab, settings, job):
    settings.CRONJOBS = [("0 2 * * *", f"wagtail_pim.cron.{job}")]
    crontab()
    assert JobRun.objects.get().job == job


def test_job_is_listed_directly(crontab, settings, pim):
    settings.CRONJOBS = [("0 2 * * *", f"wagtail_pim.cron.{JOB}")]
    pim.product("A1")
    crontab()
    run = JobRun.objects.get()
    assert (run.trigger, run.state) == (Trigger.SCHEDULE, State.SUCCEEDED)


def test_listed_job_that_fails_is_logged(crontab, settings, pim_server, caplog):
    settings.CRONJOBS = [("0 2 * * *", f"wagtail_pim.cron.{JOB}")]
    pim_server.environment = "Production"
    crontab()
    assert JobRun.objects.get().state == State.FAILED
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert "Production" in record.getMessage()


def test_listed_job_that_is_kept_from_starting_is_logged(
    crontab, settings, configure, caplog
):
    settings.CRONJOBS = [("0 2 * * *", f"wagtail_pim.cron.{JOB}")]
    configure(QUEUE_TIMEOUT=0.1)
    JobRun.objects.create(
        job=JOB,
        trigger=Trigger.ADMIN,
        state=State.RUNNING,
        heartbeat_at=timezone.now(),
    )
    crontab()
    assert JobRun.objects.count() == 1
    assert "was not started: Publish approved products" in caplog.text
    assert not any("Failed to complete" in r.getMessage() for r in caplog.records)
