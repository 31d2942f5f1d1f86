"""The task that carries a run out, and the backend that it is given to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from wagtail_pim import tasks
from wagtail_pim.jobs import PublishApprovedProducts, runs
from wagtail_pim.models import JobRun
from wagtail_pim.models.runs import State, Trigger


@pytest.fixture
def run(configure: Callable[..., None], site: Any) -> JobRun:
    return runs.start(PublishApprovedProducts.name, trigger=Trigger.ADMIN)


@pytest.mark.parametrize("setting", ["TASK_BACKEND", "TASK_QUEUE"])
def test_wrong_name_fails_the_run_and_not_the_site(
    run: JobRun,
    configure: Callable[..., None],
    django_capture_on_commit_callbacks: Callable[..., Any],
    setting: str,
) -> None:
    configure(**{setting: "nowhere"})

    bound = tasks.configured_task(runs.carry_out)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.enqueue(run)

    run.refresh_from_db()
    assert (run.state, run.error_code) == (State.FAILED, "not_queued")
    assert "nowhere" in run.error
    assert bound.backend == bound.queue_name == "default"


def test_second_delivery_does_nothing(
    run: JobRun, caplog: pytest.LogCaptureFixture
) -> None:
    tasks.carry_out_run.call(str(run.pk))
    first = JobRun.objects.values().get()

    with caplog.at_level(logging.WARNING):
        tasks.carry_out_run.call(str(run.pk))

    assert first["state"] == State.SUCCEEDED
    assert JobRun.objects.values().get() == first
    assert "does not wait to be carried out" in caplog.text
