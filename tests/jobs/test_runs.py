"""Runs: started, carried out, stopped, and what they tell of themselves."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import pytest
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.utils import timezone
from wagtail.models import ModelLogEntry, Page

from sandbox_site.pim.faults import Fault
from sandbox_site.shop.models import BicyclePage, BicycleVariantPage
from tests.conftest import items_by_number
from wagtail_pim import signals, tasks
from wagtail_pim.catalog.planner import Planner, pages_to_remove
from wagtail_pim.client.assumed import AssumedCalls
from wagtail_pim.exceptions import RunLostError, RunRefusedError
from wagtail_pim.jobs import (
    Job,
    PublishApprovedProducts,
    RefreshProduct,
    items,
    products,
    runs,
)
from wagtail_pim.jobs import journal as journals
from wagtail_pim.jobs.journal import Journal
from wagtail_pim.jobs.words import started_by, why_silent
from wagtail_pim.kinds import Kind
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import (
    CategoryPage,
    JobRun,
    JobRunItem,
    PimLink,
    ProductPage,
)
from wagtail_pim.models.runs import Outcome, State, Trigger

if django.VERSION >= (6, 0):
    from django.tasks.backends.dummy import DummyBackend
else:
    from django_tasks.backends.dummy import DummyBackend

JOB = PublishApprovedProducts.name
BATCH = "id+in"
ACKNOWLEDGEMENT = "products("

needs_row_locks = pytest.mark.skipif(
    "connection.vendor != 'postgresql'",
    reason="SQLite has no row locks: one transaction at a time writes",
)
with_transactions = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("refilled_database"),
]


def start(**options: Any) -> JobRun:
    return runs.start(JOB, **{"trigger": Trigger.COMMAND, **options})


def carry_out(run: JobRun, act: Callable[[Journal], Any]) -> JobRun:
    """A run whose whole job is ``act``."""

    class Acting(Job):
        def execute(self) -> None:
            act(self.journal)

    return runs.carry_out(run.pk, make_job=Acting)


def interrupt(run: JobRun, error: type[BaseException] = KeyboardInterrupt) -> None:
    def act(journal: Journal) -> None:
        raise error

    with pytest.raises(error):
        carry_out(run, act)
    run.refresh_from_db()


def stored(run: JobRun) -> JobRun:
    return JobRun.objects.get(pk=run.pk)


@pytest.fixture
def listen() -> Iterator[Callable[..., None]]:
    """Connects a receiver to a signal for the time of the test."""
    connected = []

    def connect(signal: Any, receiver: Callable[..., Any]) -> None:
        signal.connect(receiver, weak=False)
        connected.append((signal, receiver))

    yield connect
    for signal, receiver in connected:
        signal.disconnect(receiver)


# Started


@pytest.mark.usefixtures("db")
class TestStart:
    def test_a_new_run_waits(self, admin_user):
        run = start(trigger=Trigger.ADMIN, user=admin_user, numbers=["A1"])
        run = stored(run)
        assert (run.job, run.state, run.trigger) == (JOB, State.QUEUED, Trigger.ADMIN)
        assert run.user == admin_user
        assert run.numbers == ["A1"]
        assert run.is_active
        assert (run.resumes, run.started_at) == (None, None)
        assert runs.active_writer() == run

    def test_numbers_are_taken_once_and_without_the_space_around_them(self):
        assert start(numbers=["B", " A ", "B", "A\n"]).numbers == ["B", "A"]

    def test_a_second_start_is_refused_while_one_waits(self, admin_user):
        admin_user.first_name, admin_user.last_name = "Ada", "King"
        admin_user.save()
        run = start(trigger=Trigger.ADMIN, user=admin_user)
        since = timezone.localtime(run.created_at).strftime("%m/%d/%Y")
        with pytest.raises(RunRefusedError) as refusal:
            start()
        for fact in ("Publish approved products", "Ada King", "waiting", since):
            assert fact in str(refusal.value)
        assert JobRun.objects.get() == run

    def test_a_second_start_is_refused_while_one_runs(self, configure):
        run = start(trigger=Trigger.SCHEDULE)

        def act(journal: Journal) -> None:
            since = timezone.localtime(stored(run).started_at).strftime("%m/%d/%Y")
            with pytest.raises(RunRefusedError) as refusal:
                start()
            for fact in (
                "Publish approved products",
                "schedule",
                "has been running since",
                since,
                stored(run).worker,
            ):
                assert fact in str(refusal.value)

        assert carry_out(run, act).state == State.SUCCEEDED
        assert JobRun.objects.get() == run
        assert stored(run).worker == f"{socket.gethostname()}:{os.getpid()}"

    def test_who_started_it_is_told_after_the_account_is_gone(self, admin_user):
        run = start(trigger=Trigger.ADMIN, user=admin_user)
        admin_user.delete()
        assert started_by(stored(run)) == "admin"

    def test_dry_runs_go_on_beside_a_writer_and_beside_each_other(self, configure):
        writer = start()
        one, two = start(dry_run=True), start(dry_run=True)
        assert carry_out(two, lambda journal: None).state == State.SUCCEEDED
        assert carry_out(one, lambda journal: None).state == State.SUCCEEDED
        assert carry_out(writer, lambda journal: None).state == State.SUCCEEDED

    def test_the_right_to_write_is_free_after_the_end(self, configure):
        carry_out(start(), lambda journal: None)
        assert start().state == State.QUEUED

    def test_the_database_alone_keeps_a_second_writer_out(self):
        start()
        with pytest.raises(DatabaseError), transaction.atomic():
            JobRun.objects.create(job="other", trigger=Trigger.COMMAND)

    def test_an_interrupted_run_is_resumed_by_the_next_of_its_kind(self, configure):
        first = start()
        interrupt(first)
        assert start(dry_run=True).resumes is None
        second = start()
        assert second.resumes == first
        assert list(first.resumed_by.all()) == [second]
        carry_out(second, lambda journal: None)
        assert start().resumes is None

    def test_a_run_of_other_numbers_or_of_another_job_resumes_nothing(self, configure):
        interrupt(start(numbers=["A1"]))
        for options in ({}, {"numbers": ["A1", "A2"]}):
            run = start(**options)
            assert run.resumes is None
            runs.request_stop(run)
        interrupt(start(numbers=["A1"]))
        other = runs.start("refresh_product", trigger=Trigger.ADMIN, numbers=["A1"])
        assert other.resumes is None

    def test_what_no_database_takes_is_taken_out_of_numbers(self):
        assert stored(start(numbers=["A\0\ud800"])).numbers == ["A��"]


# Carried out


def test_a_run_is_carried_out_once(configure, db):
    run = start()
    carry_out(run, lambda journal: None)
    before = JobRun.objects.values().get()
    with pytest.raises(RunLostError, match=str(run.pk)):
        carry_out(run, lambda journal: pytest.fail("It was carried out again"))
    assert JobRun.objects.values().get() == before


def test_a_run_that_is_unknown_is_not_carried_out(db):
    with pytest.raises(RunLostError):
        runs.carry_out(UUID(int=1))


def test_a_run_that_succeeds_tells_of_its_times(pim, publish):
    pim.product("A1")
    run = stored(publish())
    assert run.state == State.SUCCEEDED
    assert (
        run.created_at
        <= run.started_at
        <= run.work_started_at
        <= run.heartbeat_at
        <= run.finished_at
    )
    assert run.finished_at - run.started_at == run.duration()
    assert (run.done, run.total, run.acknowledged) == (1, 1, 1)
    assert run.counts == {Outcome.CREATED: 1}
    assert run.category_counts == {Outcome.CREATED: 5}
    assert (run.error, run.error_code, run.is_active) == ("", "", False)


def test_an_item_that_fails_is_told_by_the_state(pim, publish):
    pim.product("A1", Price="cheap")
    pim.product("A2")
    run = publish()
    assert stored(run).state == State.FAILED_ITEMS
    assert [item.number for item in run.failed_items()] == ["A1"]
    assert run.retryable_numbers() == ["A1"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"APP_KEY": ""}, "configuration"),
        ({"SECRET_KEY": "d3Jvbmc="}, "authentication"),
        ({"API_ADDRESS": "http://127.0.0.1:9/"}, "unreachable"),
    ],
)
def test_a_run_that_can_not_go_on_has_failed(publish, configure, options, code):
    configure(**options)
    run = stored(publish())
    assert (run.state, run.error_code) == (State.FAILED, code)
    assert run.error
    assert run.finished_at is not None


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (DatabaseError("disk full"), "database", "disk full"),
        (ZeroDivisionError("division"), "bug", "ZeroDivisionError: division"),
        (DatabaseError("a\0b"), "database", "a�b"),
    ],
)
def test_a_fault_of_the_site_is_told(configure, db, error, code, told):
    def act(journal: Journal) -> None:
        raise error

    run = stored(carry_out(start(), act))
    assert (run.state, run.error_code) == (State.FAILED, code)
    assert told in run.error
    assert start().resumes is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_process_that_has_to_end_leaves_an_interrupted_run(configure, db, error):
    run = start()
    interrupt(run, error)
    assert (run.state, run.error_code) == (State.INTERRUPTED, "interrupted")
    assert error.__name__ in run.error
    assert run.finished_at is not None
    assert start().resumes == run


def test_an_interruption_while_the_pim_is_told_leaves_the_books_right(
    pim, publish, monkeypatch
):
    for number in ("A1", "A2", "A3"):
        pim.product(number)
    committed, told = PublishApprovedProducts.committed, []

    def interrupted(job: Any, result: Any) -> None:
        if told:
            raise KeyboardInterrupt
        committed(job, result)
        told.append(result.item.number)

    monkeypatch.setattr(PublishApprovedProducts, "committed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish()
    run = JobRun.objects.get()
    assert run.counts == {Outcome.CREATED: 3}
    assert run.acknowledged == 1
    acknowledged = run.items.filter(kind=Kind.PRODUCT, acknowledged=True)
    assert [item.number for item in acknowledged] == told
    published = PimLink.objects.filter(status="Published")
    assert [link.page.specific.product_number for link in published] == told


def test_an_interruption_after_a_commit_counts_what_was_committed(
    pim, publish, monkeypatch
):
    pim.product("A1")

    def interrupted(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(PublishApprovedProducts, "report_products", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish()
    assert JobRun.objects.get().counts == {Outcome.CREATED: 1}


# Stopped


@pytest.mark.usefixtures("db")
class TestStop:
    def test_a_waiting_run_is_stopped_at_once(self, admin_user):
        run = start()
        assert runs.request_stop(run, admin_user)
        run = stored(run)
        assert (run.state, run.stop_requested_by) == (State.STOPPED, admin_user)
        assert run.finished_at is not None
        with pytest.raises(RunLostError):
            runs.carry_out(run.pk)
        assert start().resumes is None

    def test_a_running_run_ends_after_its_batch(
        self, pim, publish, configure, listen, admin_user, pim_server
    ):
        configure(BATCH_SIZE=2)
        for number in range(6):
            pim.product(f"A{number}")
        seen: list[str] = []

        def stop(run: JobRun, instance: Page, **kwargs: Any) -> None:
            seen.append(instance.product_number)
            if len(seen) == 3:
                assert runs.request_stop(run, admin_user)

        listen(signals.product_published, stop)
        run = stored(publish())
        assert (run.state, run.error_code) == (State.STOPPED, "stopped")
        assert run.stop_requested_by == admin_user
        assert (run.done, run.total, run.acknowledged) == (4, 6, 4)
        assert run.counts == {Outcome.CREATED: 4}
        live = ProductPage.objects.live().values_list("product_number", flat=True)
        assert sorted(live) == sorted(seen)
        assert {pim.status(number) for number in seen} == {"Published"}
        # The next run is not a resumption, and takes what was left.
        run = publish()
        assert run.resumes is None
        assert run.counts == {Outcome.CREATED: 2}

    def test_a_run_that_is_still_listing_its_work_ends_there(
        self, pim, publish, listen, monkeypatch, pim_server
    ):
        monkeypatch.setattr(journals, "CHECK_SECONDS", 0)
        pim.product("A1")
        listen(signals.run_started, lambda run, **kwargs: runs.request_stop(run))
        run = publish()
        assert run.state == State.STOPPED
        assert not CategoryPage.objects.exists()
        assert not [r for r in pim_server.requests if BATCH in r.target]

    def test_the_first_request_is_the_one_that_is_noted(
        self, configure, admin_user, django_user_model
    ):
        other = django_user_model.objects.create_user("other")
        run = start()
        stopped = []

        def act(journal: Journal) -> None:
            stopped.append(runs.request_stop(run, admin_user))
            stopped.append(runs.request_stop(run, other))
            journal.settle(0)

        carry_out(run, act)
        assert stopped == [True, True]
        assert stored(run).stop_requested_by == admin_user
        assert _log(run) == [("start", None), ("stop", admin_user), ("finish", None)]

    def test_a_run_that_ended_can_not_be_stopped(self, configure, admin_user):
        run = carry_out(start(), lambda journal: None)
        assert not runs.request_stop(run, admin_user)
        assert stored(run).stop_requested_at is None
        assert stored(run).state == State.SUCCEEDED


def _log(run: JobRun) -> list[tuple[str, Any]]:
    entries = ModelLogEntry.objects.for_instance(run).order_by("pk")
    return [
        (entry.action.removeprefix("wagtail_pim.run."), entry.user) for entry in entries
    ]


# Items


def test_items_are_committed_with_their_pages(pim, publish, monkeypatch):
    pim.product("A1")
    pim.product("A2")
    insert, taken_back = Journal.insert, []

    def refuse(journal: Journal, of_batch: Any) -> None:
        insert(journal, of_batch)
        if any(item.number == "A2" for item in of_batch):
            taken_back.extend(item.pk for item in of_batch)
            raise DatabaseError("refused")

    monkeypatch.setattr(Journal, "insert", refuse)
    run = publish()
    assert ProductPage.objects.get().product_number == "A1"
    assert taken_back
    found = {
        item.number: (item.outcome, item.page_id, item.acknowledged)
        for item in run.items.filter(kind=Kind.PRODUCT)
    }
    assert found == {
        "A1": (Outcome.CREATED, ProductPage.objects.get().pk, True),
        "A2": (Outcome.FAILED, None, None),
    }
    assert run.counts == {Outcome.CREATED: 1, Outcome.FAILED: 1}
    assert pim.status("A2") == "Approved"


def test_what_is_in_step_is_counted_and_is_no_item(pim, publish):
    pim.product("A1")
    publish()
    pim.approve()
    run = stored(publish())
    assert run.counts == {Outcome.UNCHANGED: 1}
    assert run.acknowledged == 1
    assert not run.items.exists()


def test_any_text_is_stored(configure, db):
    long = "ü" * 100_000
    given = items.failed(Kind.PRODUCT, "A\0\ud800", f"\0{long}", title="\udfff!")
    given.differences = {"na\0me": ["\ud800", [{"in\0side": f"\0{long}"}]]}

    def act(journal: Journal) -> None:
        journal.warn("\0\ud800!")
        journal.record([given])

    run = stored(carry_out(start(), act))
    assert run.state == State.FAILED_ITEMS
    assert run.warnings == ["��!"]
    item = run.items.get()
    assert (item.number, item.title) == ("A��", "�!")
    assert item.reason == f"�{long}"
    assert item.differences == {"na�me": ["�", [{"in�side": f"�{long}"}]]}


def test_a_number_that_no_database_takes_fails_alone(pim, publish, configure):
    configure(BATCH_SIZE=1)
    pim.product("A1\0", urlSegment="a1")
    pim.product("A2")
    run = publish()
    assert run.state == State.FAILED_ITEMS, run.error
    assert ProductPage.objects.filter(product_number="A2").exists()


def test_an_item_outlives_its_page(pim, publish):
    pim.product("A1")
    run = publish()
    with pim_write():
        Page.objects.get(slug="a1").delete()
    item = items_by_number(run)["A1"]
    assert (item.page_id, item.title) == (None, "Title of A1")


# The dry run


def test_a_dry_run_shows_the_values_of_pages_to_create(pim, publish):
    pim.product("A1", Summary="New", Gears=3)
    run = publish(dry_run=True)
    item = items_by_number(run)["A1"]
    assert item.page is None
    assert item.differences["summary"] == [None, "New"]
    assert item.differences["gears"] == [None, 3]
    assert items_by_number(publish())["A1"].differences == {}


def test_a_dry_run_shows_what_would_change(pim, publish):
    pim.product("A1", Summary="Old")
    publish()
    pim.change("A1", Summary="New")
    item = items_by_number(publish(dry_run=True))["A1"]
    assert item.differences == {"summary": ["Old", "New"]}
    assert item.page.slug == "a1"


class TestGuard:
    pytestmark = with_transactions

    def test_a_dry_run_that_tries_to_write_fails_and_has_written_nothing(
        self, pim, publish, monkeypatch
    ):
        pim.product("A1")
        publish()
        plan = Planner.plan

        def write(*args: Any) -> Any:
            PimLink.objects.update(status="written")
            return plan(*args)

        monkeypatch.setattr(Planner, "plan", write)
        pim.approve()
        run = stored(publish(dry_run=True))
        assert (run.state, run.error_code) == (State.FAILED, "database")
        assert "A dry run tried to write" in run.error
        assert not PimLink.objects.filter(status="written").exists()

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO wagtailcore_locale (language_code) VALUES ('xx')",
            "UPDATE wagtailcore_page SET title = 'x'",
            " (DELETE FROM wagtailcore_page)",
            "WITH x AS (SELECT 1) DELETE FROM wagtailcore_page",
            "DROP TABLE wagtailcore_page",
        ],
    )
    def test_a_dry_run_refuses_whatever_is_not_reading(self, configure, statement):
        def act(journal: Journal) -> None:
            with (
                transaction.atomic(),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)

        run = stored(carry_out(start(dry_run=True), act))
        assert "A dry run tried to write" in run.error
        assert Page.objects.exists()
        # The guard ended with the run.
        assert PimLink.objects.update(status="") == 0

    def test_the_journal_of_a_dry_run_is_kept(self, configure):
        def act(journal: Journal) -> None:
            journal.begin(2)
            journal.record([items.failed(Kind.PRODUCT, "A1", "no")])
            journal.settle(1)
            with pytest.raises(DatabaseError):
                PimLink.objects.update(status="written")

        run = stored(carry_out(start(dry_run=True), act))
        assert (run.total, run.done, run.items.count()) == (2, 1, 1)


# Signs of life


@pytest.fixture
def own_connections(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """Each thread has a connection of its own to the same database.

    SQLite's databases in memory share one lock without waiting, so a file takes the
    place of the tests' own.
    """
    if connection.vendor != "sqlite":
        yield
        return
    path = tmp_path / "site.sqlite3"
    path.write_bytes(connection.connection.serialize())
    settings = connection.settings_dict
    memory, name = connection.connection, settings["NAME"]
    connection.connection, settings["NAME"] = None, str(path)
    yield
    connection.close()
    connection.connection, settings["NAME"] = memory, name


def in_another_connection(work: Callable[[], Any]) -> Any:
    """What ``work`` returns in a thread of its own."""
    returned: list[Any] = []

    def run() -> None:
        try:
            returned.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert returned
    return returned[0]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.usefixtures("refilled_database", "own_connections")
class TestHeartbeat:
    def test_it_beats_however_long_the_work_takes(self, configure):
        configure(HEARTBEAT_TIMEOUT=0.8)
        run = start()
        seen: set[Any] = set()

        def act(journal: Journal) -> None:
            end = time.monotonic() + 2.4
            while time.monotonic() < end:
                time.sleep(0.05)
                seen.add(stored(run).heartbeat_at)
            # Nobody takes it for dead, though it works for three timeouts already.
            assert in_another_connection(runs.recover) == []

        assert carry_out(run, act).state == State.SUCCEEDED
        assert len(seen) >= 5
        assert not _beating(run)
        last = stored(run).heartbeat_at
        time.sleep(0.5)
        assert stored(run).heartbeat_at == last

    @needs_row_locks
    def test_it_goes_on_through_a_transaction_of_the_run(self, configure):
        configure(HEARTBEAT_TIMEOUT=0.8)
        run = start()

        def act(journal: Journal) -> None:
            with transaction.atomic():
                Page.objects.update(draft_title="x")
                before = stored(run).heartbeat_at
                time.sleep(1)
                assert stored(run).heartbeat_at > before

        assert carry_out(run, act).state == State.SUCCEEDED

    def test_it_does_not_bring_back_a_run_that_was_taken_for_dead(self, configure):
        configure(HEARTBEAT_TIMEOUT=0.4)
        run = start()

        def act(journal: Journal) -> None:
            in_another_connection(lambda: runs.recover(at_once=True))
            before = JobRun.objects.values().get()
            time.sleep(0.5)
            assert JobRun.objects.values().get() == before
            journal.settle(0)

        with pytest.raises(RunLostError):
            carry_out(run, act)
        assert not _beating(run)

    def test_items_are_there_before_the_pim_is_told(self, pim, publish, pim_server):
        pim.product("A1")
        seen = []

        def look() -> None:
            item = JobRunItem.objects.get(number="A1")
            seen.append((item.outcome, item.acknowledged, item.page.live))
            connection.close()

        pim_server.faults.before(ACKNOWLEDGEMENT, look, method="PATCH")
        run = publish()
        assert seen == [(Outcome.CREATED, None, True)]
        assert items_by_number(run)["A1"].acknowledged is True

    @needs_row_locks
    def test_nobody_takes_it_over_between_its_items_and_the_commit(self, configure):
        run = start()
        threads = []

        def act(journal: Journal) -> None:
            with transaction.atomic():
                journal.insert([items.failed(Kind.PRODUCT, "A1", "no")])
                recovery = threading.Thread(
                    target=lambda: (runs.recover(at_once=True), connection.close())
                )
                recovery.start()
                threads.append(recovery)
                recovery.join(1)
                assert recovery.is_alive()

        with pytest.raises(RunLostError):
            carry_out(run, act)
        threads[0].join(20)
        assert stored(run).state == State.INTERRUPTED
        assert stored(run).counts == {Outcome.FAILED: 1}


def _beating(run: JobRun) -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if str(run.pk) in name]


def test_nothing_beats_inside_a_transaction(configure, db):
    run = start()
    beating = []
    carry_out(run, lambda journal: beating.extend(_beating(run)))
    assert beating == []


# Taken for dead


def in_the_past(run: JobRun, **times: float) -> None:
    """Set the run's times to so many seconds ago."""
    JobRun.objects.filter(pk=run.pk).update(
        **{
            name: timezone.now() - timedelta(seconds=seconds)
            for name, seconds in times.items()
        }
    )


@pytest.fixture
def dead(configure: Any, db: None) -> JobRun:
    """A run whose worker is gone."""
    run = start()
    JobRun.objects.filter(pk=run.pk).update(
        state=State.RUNNING, started_at=timezone.now(), worker="elsewhere:12"
    )
    run.refresh_from_db()
    return run


def test_a_silent_run_is_dead_after_the_timeout(dead, configure):
    configure(HEARTBEAT_TIMEOUT=60)
    in_the_past(dead, heartbeat_at=50)
    assert runs.recover() == []
    with pytest.raises(RunRefusedError, match="elsewhere:12"):
        start()
    in_the_past(dead, heartbeat_at=70)
    run = start()
    dead.refresh_from_db()
    assert (dead.state, dead.error_code) == (State.INTERRUPTED, "interrupted")
    assert "elsewhere:12" in dead.error
    assert dead.finished_at is not None
    assert run.resumes == dead


def test_a_dead_run_is_counted_by_its_items(dead):
    JobRun.objects.filter(pk=dead.pk).update(
        counts={"created": 1, "unchanged": 7}, category_counts={"created": 2}
    )
    for number in range(3):
        JobRunItem.objects.create(
            run=dead, kind=Kind.PRODUCT, number=number, outcome=Outcome.CREATED
        )
    for kind, outcome in (
        (Kind.VARIANT, Outcome.UPDATED),
        ("picture", Outcome.FAILED),
        (Kind.CATEGORY, Outcome.UPDATED),
        (Kind.PRODUCT, Outcome.UNCHANGED),
    ):
        JobRunItem.objects.create(run=dead, kind=kind, number="x", outcome=outcome)
    (run,) = runs.recover(at_once=True)
    assert run == dead
    dead.refresh_from_db()
    assert dead.counts == {"created": 3, "updated": 1, "failed": 1, "unchanged": 7}
    assert dead.category_counts == {"created": 2, "updated": 1}


def test_a_run_that_no_worker_takes_up_is_dead_as_well(configure, db):
    configure(QUEUE_TIMEOUT=60)
    run = start()
    in_the_past(run, heartbeat_at=50)
    assert runs.recover() == []
    in_the_past(run, heartbeat_at=70)
    assert runs.recover() == [run]
    run.refresh_from_db()
    assert (run.state, run.error_code) == (State.INTERRUPTED, "not_taken_up")
    assert "worker" in run.error
    with pytest.raises(RunLostError):
        runs.carry_out(run.pk)


def test_a_run_behind_a_busy_worker_is_not_dead(configure, db):
    configure(QUEUE_TIMEOUT=60)
    busy, waiting = start(dry_run=True), start()
    in_the_past(waiting, heartbeat_at=70)

    def act(journal: Journal) -> None:
        assert runs.recover() == []
        assert why_silent(stored(waiting)) == ""

    carry_out(busy, act)
    # Its time counts from the end of the other.
    assert runs.recover() == []
    in_the_past(waiting, heartbeat_at=70)
    assert "waiting for a worker" in why_silent(stored(waiting))
    assert runs.recover() == [waiting]


def test_a_run_that_was_to_stop_does_not_go_on_by_itself(configure, db):
    run = start()

    def act(journal: Journal) -> None:
        runs.request_stop(run)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(run, act)
    assert stored(run).state == State.STOPPED
    run = start()
    JobRun.objects.filter(pk=run.pk).update(
        state=State.RUNNING, stop_requested_at=timezone.now()
    )
    in_the_past(run, heartbeat_at=1_000)
    assert runs.recover() == [run]
    assert stored(run).state == State.STOPPED
    assert runs.interrupted_runs() == []


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_went_away_interrupts(configure, db, error):
    def act(journal: Journal) -> None:
        raise error("server closed the connection")

    run = stored(carry_out(start(), act))
    assert (run.state, run.error_code) == (State.INTERRUPTED, "database")
    assert start().resumes == run


def test_an_end_that_can_not_be_told_stands(configure, db, monkeypatch):
    def fail(*args: Any) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(runs, "tell_of_end", fail)
    run = carry_out(start(), lambda journal: None)
    assert stored(run).state == run.state == State.SUCCEEDED


def test_an_end_whose_answer_was_lost_is_stored_once(configure, db, monkeypatch):
    answers = [OperationalError("lost"), None]
    refresh = JobRun.refresh_from_db

    def lose(run: JobRun, *args: Any, **kwargs: Any) -> None:
        if run.state == State.SUCCEEDED and (error := answers.pop(0)):
            raise error
        refresh(run, *args, **kwargs)

    monkeypatch.setattr(JobRun, "refresh_from_db", lose)
    run = carry_out(start(), lambda journal: None)
    assert run.state == State.SUCCEEDED
    assert answers == []


def test_a_stop_is_obeyed_while_the_pim_is_told(pim, publish, listen, monkeypatch):
    monkeypatch.setattr(journals, "CHECK_SECONDS", 0)
    for number in range(5):
        pim.product(f"A{number}")
    acknowledge = AssumedCalls.acknowledge

    def ask_to_stop(*args: Any) -> Any:
        runs.request_stop(runs.active_writer())
        return acknowledge(*args)

    monkeypatch.setattr(AssumedCalls, "acknowledge", ask_to_stop)
    run = stored(publish())
    assert (run.state, run.acknowledged) == (State.STOPPED, 1)
    assert run.counts == {Outcome.CREATED: 5}
    assert run.items.filter(acknowledged=True).count() == 1
    monkeypatch.setattr(AssumedCalls, "acknowledge", acknowledge)
    assert publish().acknowledged == 4


def test_recovery_at_once_asks_for_no_sign_of_life(configure, db):
    waiting, planning = start(), start(dry_run=True)
    JobRun.objects.filter(pk=planning.pk).update(
        state=State.RUNNING, heartbeat_at=timezone.now()
    )
    assert runs.recover() == []
    assert set(runs.recover(at_once=True)) == {waiting, planning}
    assert runs.recover(at_once=True) == []


def test_a_run_that_was_taken_for_dead_commits_nothing_more(
    pim, publish, configure, monkeypatch
):
    configure(BATCH_SIZE=1)
    for number in ("A1", "A2", "A3"):
        pim.product(number)
    plan, batches, rows = Planner.plan, [], []

    def recover_at_second(planner: Planner, contents: Any, *given: Any) -> Any:
        batches.append([content.number for content in contents])
        if len(batches) == 2:
            runs.recover(at_once=True)
            rows.append(JobRun.objects.values().get())
        return plan(planner, contents, *given)

    monkeypatch.setattr(Planner, "plan", recover_at_second)
    with pytest.raises(RunLostError):
        publish()
    # Its row is as the recovery left it.
    assert rows == [JobRun.objects.values().get()]
    run = JobRun.objects.get()
    assert run.state == State.INTERRUPTED
    assert run.counts == {Outcome.CREATED: 1}
    ([first], [second]) = batches
    assert ProductPage.objects.get().product_number == first
    assert [i.number for i in run.items.filter(kind=Kind.PRODUCT)] == [first]
    assert (pim.status(first), pim.status(second)) == ("Published", "Approved")
    assert not any(Page.find_problems())


def test_a_removal_of_a_run_that_was_taken_for_dead_is_taken_back(
    pim, publish, monkeypatch
):
    pim.product("A1")
    publish()
    pim.change("A1", isArchived=True)

    def recover_then_plan(*args: Any) -> Any:
        runs.recover(at_once=True)
        return pages_to_remove(*args)

    monkeypatch.setattr(products, "pages_to_remove", recover_then_plan)
    with pytest.raises(RunLostError):
        publish()
    assert ProductPage.objects.get().live
    assert pim.status("A1") == "Approved"


def test_a_category_of_a_run_that_was_taken_for_dead_is_taken_back(
    pim, publish, monkeypatch
):
    begin = PublishApprovedProducts._write_categories

    def recover_first(*args: Any) -> None:
        runs.recover(at_once=True)
        begin(*args)

    monkeypatch.setattr(PublishApprovedProducts, "_write_categories", recover_first)
    with pytest.raises(RunLostError):
        publish()
    assert not CategoryPage.objects.exists()


def test_a_run_that_was_taken_for_dead_does_not_end_a_second_time(configure, db):
    run = start()
    with pytest.raises(RunLostError):
        carry_out(run, lambda journal: runs.recover(at_once=True))
    assert stored(run).state == State.INTERRUPTED
    assert [action for action, _user in _log(run)] == ["start", "finish"]


# Old runs


def test_old_runs_are_forgotten_with_their_items(pim, publish, configure):
    configure(RUN_RETENTION_DAYS=30)
    pim.product("A1")
    old, young = publish(), publish()
    planned = start(dry_run=True)
    in_the_past(old, created_at=31 * 86400)
    in_the_past(young, created_at=29 * 86400)
    in_the_past(planned, created_at=31 * 86400)
    JobRun.objects.filter(pk=planned.pk).update(
        state=State.RUNNING, heartbeat_at=timezone.now()
    )
    assert old.items.exists()
    last = publish()
    assert set(JobRun.objects.all()) == {young, planned, last}
    assert not JobRunItem.objects.filter(run=old.pk).exists()
    assert PimLink.objects.get(page__slug="a1").run_id == old.pk


def test_runs_are_kept_for_good_where_no_days_are_set(configure, db):
    configure(RUN_RETENTION_DAYS=0)
    old = carry_out(start(), lambda journal: None)
    in_the_past(old, created_at=3000 * 86400)
    carry_out(start(), lambda journal: None)
    assert JobRun.objects.filter(pk=old.pk).exists()


# The background


class BrokenBackend(DummyBackend):
    """A task backend whose queue can't be reached."""

    def enqueue(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("no queue")


def test_a_run_that_no_backend_takes_has_failed(
    configure, db, settings, django_capture_on_commit_callbacks
):
    settings.TASKS = {"default": {"BACKEND": f"{__name__}.BrokenBackend"}}
    run = start()
    with django_capture_on_commit_callbacks(execute=True):
        tasks.enqueue(run)
        assert stored(run).state == State.QUEUED
    run = stored(run)
    assert (run.state, run.error_code) == (State.FAILED, "not_queued")
    assert "ConnectionError" in run.error
    # Its text may hold a password.
    assert "no queue" not in run.error
    assert [action for action, _user in _log(run)] == ["start", "finish"]
    assert start()


# Telling others


class TestSignals:
    pytestmark = with_transactions

    def test_each_is_sent_after_the_commit_with_what_is_documented(
        self, pim, publish, listen
    ):
        sent: list[tuple[Any, ...]] = []

        def hear_run(name: str) -> Callable[..., None]:
            def receive(sender: Any, run: JobRun, **kwargs: Any) -> None:
                assert sender is JobRun
                assert not connection.in_atomic_block
                sent.append((name, run.state, stored(run).state))

            return receive

        def published(
            sender: Any, instance: Page, created: bool, run: JobRun, **kwargs: Any
        ) -> None:
            assert not connection.in_atomic_block
            assert sender is type(instance)
            assert Page.objects.get(pk=instance.pk).live
            assert run.state == State.RUNNING
            sent.append(("published", instance.product_number, created))

        def removed(sender: Any, instance: Page, run: JobRun, **kwargs: Any) -> None:
            assert not connection.in_atomic_block
            assert sender is type(instance)
            assert not Page.objects.get(pk=instance.pk).live
            sent.append(("removed", instance.product_number, run.pk))

        listen(signals.run_started, hear_run("started"))
        listen(signals.run_finished, hear_run("finished"))
        listen(signals.product_published, published)
        listen(signals.product_removed, removed)
        start_and_end = (
            ("started", State.RUNNING, State.RUNNING),
            ("finished", State.SUCCEEDED, State.SUCCEEDED),
        )

        pim.product("A1", Summary="Old")
        pim.variant("A1-1", "A1")
        pim.product("A2")
        publish()
        assert sorted(sent[1:-1]) == [
            ("published", "A1", True),
            ("published", "A1-1", True),
            ("published", "A2", True),
        ]
        assert (sent[0], sent[-1]) == start_and_end
        sent.clear()
        pim.change("A1", Summary="New")
        pim.approve("A1-1")
        pim.change("A2", isArchived=True)
        run = publish()
        assert sorted(sent[1:-1]) == [
            ("published", "A1", False),
            ("removed", "A2", run.pk),
        ]
        sent.clear()
        pim.approve("A1")
        publish(dry_run=True)
        assert tuple(sent) == start_and_end

    def test_a_receiver_listens_to_one_page_type(self, pim, publish):
        heard = []

        def hear(instance: Page, **kwargs: Any) -> None:
            heard.append(instance.product_number)

        signals.product_published.connect(hear, sender=BicycleVariantPage)
        try:
            pim.product("A1")
            pim.variant("A1-1", "A1")
            publish()
        finally:
            signals.product_published.disconnect(hear, sender=BicycleVariantPage)
        assert heard == ["A1-1"]

    def test_a_receiver_that_fails_ends_nothing(self, pim, publish, listen, caplog):
        def fail(**kwargs: Any) -> None:
            raise RuntimeError("a receiver of the site's")

        for signal in (
            signals.run_started,
            signals.run_finished,
            signals.product_published,
            signals.product_removed,
        ):
            listen(signal, fail)
        pim.product("A1")
        assert publish().state == State.SUCCEEDED
        pim.change("A1", isArchived=True)
        run = publish()
        assert (run.state, run.counts) == (State.SUCCEEDED, {Outcome.REMOVED: 1})
        assert "a receiver of the site's" in caplog.text

    def test_the_end_of_a_dead_run_is_told_by_who_finds_it(self, db, listen):
        ended = []
        listen(signals.run_finished, lambda run, **kwargs: ended.append(run.state))
        start()
        runs.recover(at_once=True)
        assert ended == [State.INTERRUPTED]


def test_wagtails_log_tells_who_started_and_stopped_what(configure, admin_user, db):
    run = start(trigger=Trigger.ADMIN, user=admin_user)
    carry_out(run, lambda journal: None)
    assert _log(run) == [("start", admin_user), ("finish", admin_user)]
    entry = ModelLogEntry.objects.for_instance(run).order_by("pk").last()
    assert entry.data == {"state": "succeeded"}
    assert str(entry.message) == "A PIM run ended: succeeded"


# Refreshing one product


@pytest.fixture
def link(pim: Any, publish: Any) -> PimLink:
    pim.product("A1", Summary="Old")
    publish()
    return PimLink.objects.get(page__slug="a1")


def test_a_refresh_is_a_run_of_its_user(pim, link, admin_user):
    pim.change("A1", Summary="New", status="Published")
    run = runs.refresh_product(link, admin_user)
    assert (run.job, run.trigger, run.user) == (
        RefreshProduct.name,
        Trigger.ADMIN,
        admin_user,
    )
    assert run.numbers == ["A1"]
    assert run.state == State.SUCCEEDED
    assert BicyclePage.objects.get().summary == "New"


def test_a_refresh_is_refused_while_a_run_writes(pim, link, admin_user):
    pim.change("A1", Summary="New", status="Published")
    writer = start()
    with pytest.raises(RunRefusedError, match="Publish approved products"):
        runs.refresh_product(link, admin_user)
    assert BicyclePage.objects.get().summary == "Old"
    runs.request_stop(writer)
    assert runs.refresh_product(link, admin_user).counts == {Outcome.UPDATED: 1}


def test_a_pim_that_is_away_is_not_waited_for(link, admin_user, pim_server):
    pim_server.requests.clear()
    pim_server.faults.add(Fault("products/", times=None))
    run = runs.refresh_product(link, admin_user)
    assert run.error_code == "server_fault"
    assert [r.method for r in pim_server.requests] == ["GET"]
