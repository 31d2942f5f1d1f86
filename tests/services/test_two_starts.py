"""Starts at the same moment, from threads and from processes: one of them runs."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection

from sandbox_site.var import REPOSITORY
from wagtail_pim.exceptions import RunRefusedError
from wagtail_pim.jobs import PublishApprovedProducts, runs
from wagtail_pim.models import JobRun
from wagtail_pim.models.runs import State, Trigger

from .conftest import Project

pytestmark = [
    pytest.mark.service,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("refilled_database"),
]

TRIES = 20
JOB = PublishApprovedProducts.name

# Starts a run at each line that it reads, and carries it out at the next.
STARTER = """
import json, sys
import django
django.setup()
from django.db import connection
from wagtail_pim.exceptions import RunRefusedError
from wagtail_pim.jobs import runs
from wagtail_pim.models.runs import Trigger

connection.ensure_connection()
print("ready", flush=True)
for line in sys.stdin:
    try:
        if line == "start\\n":
            run = runs.start(sys.argv[1], trigger=Trigger.COMMAND)
        else:
            run = runs.carry_out(run.pk)
        print(json.dumps({"run": str(run.pk), "state": run.state}), flush=True)
    except RunRefusedError as error:
        print(json.dumps({"refused": str(error)}), flush=True)
"""


def assert_one_started(answers: list[dict[str, str]]) -> None:
    """All others were told who was first, since when, and what to do."""
    started = [answer for answer in answers if "run" in answer]
    assert len(started) == 1, answers
    assert started[0]["state"] == State.QUEUED
    for answer in answers:
        if answer not in started:
            assert answer["refused"].startswith(
                "Publish approved products, started by command line, has been waiting "
                "for a worker since "
            )
            assert answer["refused"].endswith("Wait for its end, or stop it.")


def start_in_threads(count: int) -> list[dict[str, str]]:
    barrier = threading.Barrier(count)
    answers: list[dict[str, str]] = []

    def start() -> None:
        try:
            connection.ensure_connection()
            barrier.wait(30)
            run = runs.start(JOB, trigger=Trigger.COMMAND)
            answers.append({"run": str(run.pk), "state": run.state})
        except RunRefusedError as error:
            answers.append({"refused": str(error)})
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == count
    return answers


@pytest.mark.parametrize("count", [2, 20])
def test_of_starts_in_threads_one_succeeds(count):
    for number in range(1, TRIES + 1):
        assert_one_started(start_in_threads(count))
        assert JobRun.objects.count() == number
        assert runs.request_stop(runs.active_writer())


class Starter:
    """A process that starts a run when it is told to."""

    def __init__(self, project: Project) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", STARTER, JOB],
            cwd=REPOSITORY,
            env=project.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Starter:
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()

    def tell(self, word: str) -> None:
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        return json.loads(self._process.stdout.readline())


@pytest.fixture
def starters(make_project: Any) -> Iterator[list[Starter]]:
    project = make_project(12)
    with ExitStack() as stack:
        processes = [Starter(project) for _number in range(2)]
        yield [stack.enter_context(process) for process in processes]


def test_of_starts_in_processes_one_runs(starters):
    for number in range(1, TRIES + 1):
        for starter in starters:
            starter.tell("start")
        answers = [starter.answer() for starter in starters]
        assert_one_started(answers)
        assert JobRun.objects.count() == number
        (first,) = (s for s, a in zip(starters, answers, strict=True) if "run" in a)
        first.tell("carry out")
        assert first.answer()["state"] == State.SUCCEEDED
    assert not JobRun.objects.exclude(state=State.SUCCEEDED).exists()
