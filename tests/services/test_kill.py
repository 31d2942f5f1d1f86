"""kill -9 in the middle of a run of thousands of products, again and again."""

from __future__ import annotations

import re
import subprocess
import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Count
from django.db.models.functions import Now
from wagtail.models import Page, PageLogEntry

from wagtail_pim.jobs import PublishApprovedProducts
from wagtail_pim.kinds import CATEGORY_KINDS, PRODUCT_KINDS
from wagtail_pim.models import JobRun, JobRunItem, PimLink
from wagtail_pim.models.runs import Outcome, State

from .conftest import Project, wait_for

pytestmark = [
    pytest.mark.service,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

PRODUCTS = 5000
BATCH_SIZE = 250
LEASE = 15  # seconds, in which a refusal has to come
RUN = ("pim", "run", PublishApprovedProducts.name)
RECOVER = ("pim", "recover", "--now")
WHOLE_RECORDS = "id+in"
REQUESTS_A_BATCH = 7
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def test_what_was_killed_is_made_good_with_nothing_twice_and_nothing_lost(
    make_project,
):
    project = make_project(PRODUCTS, BATCH_SIZE=BATCH_SIZE, HEARTBEAT_TIMEOUT=LEASE)

    # While it lists its work.
    die(project, RUN, "%27Approved%27", "GET", nth=2)
    refused = project.manage(*RUN)
    assert refused.returncode == 1, refused
    for fact in ("Publish approved products", "command line", "has been running since"):
        assert fact in " ".join(refused.stderr.split())
    assert_consistent()

    # Just before, in or after the transaction of a batch.
    wait_until_dead()
    die(project, RUN, WHOLE_RECORDS, "GET", nth=REQUESTS_A_BATCH * 5, delay=0.2)
    assert_consistent()

    # While the PIM is told of a batch.
    die(project, RECOVER, "products(", "PATCH", nth=2 * BATCH_SIZE + 100)
    assert_consistent()

    last = project.manage(*RECOVER)
    assert last.returncode == 0, last
    assert_consistent()
    assert_all_published_once(project)
    assert_history()


def die(
    project: Project,
    command: tuple[str, ...],
    path: str,
    method: str,
    *,
    nth: int,
    delay: float = 0,
) -> None:
    """Start the command; kill it so long after its nth request for this path."""
    processes: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        threading.Timer(delay, lambda: project.kill(processes[0])).start()

    project.pim.faults.clear()
    project.pim.faults.before(path, kill, method=method, nth=nth)
    processes.append(project.start(*command))
    assert processes[0].wait(240) == -9, project.logs()


def wait_until_dead() -> None:
    silent = JobRun.objects.filter(
        state=State.RUNNING, heartbeat_at__lt=Now() - timedelta(seconds=LEASE)
    )
    wait_for(silent.exists, what="the end of the lease")


def requests(project: Project, path: str, method: str = "GET") -> list[str]:
    return [
        request.target
        for request in project.pim.requests
        if path in request.target and request.method == method
    ]


def assert_consistent() -> None:
    """Pages, links and items of this moment are those of whole batches."""
    assert not any(Page.find_problems())
    linked = PimLink.objects.filter(kind__in=PRODUCT_KINDS)
    told = JobRunItem.objects.filter(kind__in=PRODUCT_KINDS, outcome=Outcome.CREATED)
    assert set(told.values_list("guid", "page_id")) == set(
        linked.values_list("guid", "page_id")
    )
    assert told.count() == linked.count()


def assert_all_published_once(project: Project) -> None:
    records = project.pim.store.find("products")
    assert len(records) == PRODUCTS
    assert {
        (r["status"], r["publishedVersionNumber"], r["currentVersionNumber"])
        for r in records
    } == {("Published", 1, 1)}

    links = PimLink.objects.filter(kind__in=PRODUCT_KINDS)
    assert {str(guid) for guid in links.values_list("guid", flat=True)} == {
        record["id"] for record in records
    }
    assert set(links.values_list("version", "status")) == {(1, "Published")}
    assert links.filter(page__live=True).count() == links.count() == PRODUCTS
    entries = Counter(
        PageLogEntry.objects.filter(
            action="wagtail.publish", page__in=links.values("page")
        ).values_list("page_id", flat=True)
    )
    assert set(entries.values()) == {1}
    assert len(entries) == PRODUCTS

    # What was done with was not asked for again, but for the batches under way.
    asked = Counter(
        guid for r in requests(project, WHOLE_RECORDS) for guid in GUID.findall(r)
    )
    assert asked.keys() >= {record["id"] for record in records}
    assert asked.total() <= PRODUCTS + 3 * BATCH_SIZE
    told = len(requests(project, "products(", "PATCH"))
    assert PRODUCTS <= told <= PRODUCTS + 3


def assert_history() -> None:
    history = list(JobRun.objects.order_by("created_at"))
    assert [run.state for run in history] == [
        *[State.INTERRUPTED] * 3,
        State.SUCCEEDED,
    ]
    assert [run.resumes for run in history] == [None, *history[:-1]]
    listing, writing, telling, last = history
    assert (listing.total, listing.counts) == (None, {})
    # A batch is of whole families, so some hold a little less.
    assert round(writing.done / BATCH_SIZE) == 4
    assert round(writing.counts[Outcome.CREATED] / BATCH_SIZE) in (4, 5)
    assert round(telling.done / BATCH_SIZE) == 2
    assert round(telling.counts.total() / BATCH_SIZE) == 3
    assert last.done == last.total
    for run in history:
        assert run.error_code == ("" if run == last else "interrupted")
        created_or_updated = run.items.exclude(kind__in=CATEGORY_KINDS).order_by()
        found: dict[str, Any] = dict(
            created_or_updated.values_list("outcome").annotate(Count("pk"))
        )
        written = {key: n for key, n in run.counts.items() if key != "unchanged"}
        assert written == found
    assert sum(run.counts[Outcome.CREATED] for run in history) == PRODUCTS
    numbers = JobRunItem.objects.filter(
        kind__in=PRODUCT_KINDS, outcome=Outcome.CREATED
    ).values_list("number", flat=True)
    assert len(numbers) == len(set(numbers)) == PRODUCTS
