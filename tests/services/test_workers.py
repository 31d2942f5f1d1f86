"""Runs that are started in the admin and carried out by a worker of each kind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.util import find_spec

import pytest
from django.utils import timezone
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect
from redis import Redis
from wagtail.models import Page

from wagtail_pim.jobs import PublishApprovedProducts
from wagtail_pim.kinds import PRODUCT_KINDS
from wagtail_pim.models import JobRun, PimLink, ProductPage, VariantPage
from wagtail_pim.models.runs import State

from .conftest import MANAGE, Project, wait_for

pytestmark = [
    pytest.mark.service,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

PRODUCTS = 2000
LEASE = 3
REDIS = "redis://127.0.0.1:6379/13"
WORKERS = {
    "db": [*MANAGE, "db_worker", "--no-reload"],
    "rq": [*MANAGE, "rqworker", "--job-class", "django_tasks_rq.Job"],
    "celery": [sys.executable, "-m", "celery", "-A", "tests.services.celery", "worker"],
}
with_celery = pytest.mark.skipif(
    find_spec("django_tasks_celery") is None,
    reason="django-tasks-celery is not installed: it needs Django 6 and Python 3.12",
)


@pytest.fixture(params=["db", "rq", pytest.param("celery", marks=with_celery)])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    with Redis.from_url(REDIS) as redis:
        redis.flushdb()
        yield request.param
        redis.flushdb()


@pytest.fixture
def project(make_project: Callable[..., Project], backend: str) -> Project:
    return make_project(
        PRODUCTS, backend=backend, redis=REDIS, BATCH_SIZE=25, HEARTBEAT_TIMEOUT=LEASE
    )


@pytest.fixture
def start_worker(
    project: Project, backend: str
) -> Callable[[], subprocess.Popen[bytes]]:
    return lambda: project.start_command(*WORKERS[backend])


def press_run_now(page: BrowserPage) -> None:
    job = page.get_by_role("region", name=str(PublishApprovedProducts.label))
    job.get_by_role("button", name="Run now").click()


def run_now(page: BrowserPage) -> JobRun:
    page.goto("/admin/pim/jobs/")
    press_run_now(page)
    page.wait_for_url("**/admin/pim/runs/*/")
    return JobRun.objects.first()


def wait_for_progress(page: BrowserPage, beyond: int = 0) -> int:
    """How far the bar is that the open page shows, once it has moved."""
    bar = page.locator("progress.pim-run__bar")

    def done() -> int:
        return int(bar.get_attribute("value", timeout=60_000) or 0)

    return wait_for(lambda: (value := done()) > beyond and value, what="progress")


def wait_for_state(page: BrowserPage, state: str) -> None:
    shown = page.locator(f"[data-run-state~={state}]")
    expect(shown).to_be_visible(timeout=120_000)


def is_silent(run: JobRun) -> bool:
    """Whether it gave no sign of life for longer than it may."""
    run.refresh_from_db()
    return run.heartbeat_at < timezone.now() - timedelta(seconds=LEASE)


def assert_in_step(project: Project) -> None:
    """All products are on the site, once, and acknowledged."""
    assert project.statuses() == {"Published": PRODUCTS}
    assert ProductPage.objects.count() + VariantPage.objects.count() == PRODUCTS
    assert PimLink.objects.filter(kind__in=PRODUCT_KINDS).count() == PRODUCTS
    assert not any(Page.find_problems())


def test_run_is_watched_stopped_and_started_again(
    project: Project,
    start_worker: Callable[[], subprocess.Popen[bytes]],
    open_admin: Callable[[str], BrowserPage],
) -> None:
    page = open_admin(project.serve())
    start_worker()

    run = run_now(page)
    wait_for_progress(page, beyond=wait_for_progress(page))
    page.get_by_role("button", name="Stop").click()
    wait_for_state(page, "stopped")
    expect(page.get_by_text("Stopped by")).to_be_visible()

    run.refresh_from_db()
    assert run.state == State.STOPPED
    assert run.user.get_username() == "admin"
    assert run.stop_requested_by == run.user
    assert 0 < run.done < run.total == PRODUCTS
    assert run.counts == {"created": run.done}
    assert run.acknowledged == run.items.filter(acknowledged=True).count() == run.done
    left = PRODUCTS - run.done
    assert project.statuses() == {"Approved": left, "Published": run.done}

    again = run_now(page)
    wait_for_progress(page)
    wait_for_state(page, "succeeded")

    again.refresh_from_db()
    assert again.done == again.total == again.acknowledged == left
    assert again.counts == {"created": left}
    assert_in_step(project)
    assert "is locked" not in project.logs()


def test_killed_worker_is_taken_over(
    project: Project,
    start_worker: Callable[[], subprocess.Popen[bytes]],
    open_admin: Callable[[str], BrowserPage],
) -> None:
    page = open_admin(project.serve())
    worker = start_worker()
    killed = run_now(page)
    wait_for_progress(page)
    project.kill(worker)

    page.goto("/admin/pim/jobs/")
    press_run_now(page)
    expect(page.get_by_text("has been running since")).to_be_visible()

    start_worker()
    wait_for(lambda: is_silent(killed), what="the end of the lease")
    run_now(page)
    wait_for_state(page, "succeeded")

    killed.refresh_from_db()
    again = JobRun.objects.first()
    assert killed.state == State.INTERRUPTED
    assert again.resumes == killed
    assert_in_step(project)


@pytest.mark.parametrize("backend", ["rq", pytest.param("celery", marks=with_celery)])
def test_queue_that_is_down_fails_the_run(
    make_project: Callable[..., Project],
    open_admin: Callable[[str], BrowserPage],
    backend: str,
) -> None:
    project = make_project(1, backend=backend, redis="redis://127.0.0.1:1/0")
    page = open_admin(project.serve())

    run = run_now(page)

    expect(page.get_by_text("The task backend did not take it")).to_be_visible()
    assert (run.state, run.error_code) == (State.FAILED, "not_queued")
