"""Runs that were interrupted, and those that go on where they ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wagtail.models import Page, PageLogEntry

from tests.conftest import publish_now
from tests.pim_data import PimData, guid
from wagtail_pim.client.assumed import AssumedCalls
from wagtail_pim.jobs import PublishApprovedProducts, runs
from wagtail_pim.jobs.journal import Journal
from wagtail_pim.kinds import PRODUCT_KINDS, Kind
from wagtail_pim.models import JobRun, JobRunItem, PimLink, ProductPage
from wagtail_pim.models.runs import Outcome, State

WHOLE_RECORDS = "id+in"
LONG_AGO = "2020-01-01T00:00:00Z"


class Killed(BaseException):
    """Ends a run as a signal to its process does."""


@pytest.fixture
def interrupt(publish: Any) -> Iterator[Callable[..., JobRun]]:
    """Runs until so many batches are settled; the run, interrupted.

    ``meanwhile`` happens just before.
    """
    settle = Journal.settle

    def run(
        *numbers: str, batches: int, meanwhile: Callable[[], Any] = lambda: None
    ) -> JobRun:
        left = [batches]

        def settle_or_die(journal: Journal, *args: Any) -> None:
            settle(journal, *args)
            left[0] -= 1
            if not left[0]:
                meanwhile()
                raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Journal, "settle", settle_or_die)
            with pytest.raises(Killed):
                publish(*numbers)
        return JobRun.objects.first()

    return run


@pytest.fixture
def products(pim: PimData, configure: Any) -> PimData:
    """Six products in three categories, in batches of two by category."""
    configure(BATCH_SIZE=2)
    for category in ("City", "Touring", "Helmets"):
        for number in (1, 2):
            pim.product(f"{category}{number}", category, modifiedOn=LONG_AGO)
    return pim


def read_again(pim_server: Any) -> set[str]:
    """The products whose whole records were asked for since the last call."""
    numbers = {
        guid("product", number): number
        for number in (p["productNumber"] for p in pim_server.store.find("products"))
    }
    asked = " ".join(r.target for r in pim_server.requests if WHOLE_RECORDS in r.target)
    pim_server.requests.clear()
    return {number for key, number in numbers.items() if key in asked}


# The PIM keeps how far a run came


@pytest.mark.parametrize("batches", [1, 2])
def test_a_run_goes_on_behind_the_last_batch_that_was_settled(
    products, publish, interrupt, pim_server, batches
):
    first = interrupt(batches=batches)
    assert first.state == State.INTERRUPTED
    assert (first.done, first.counts) == (2 * batches, {Outcome.CREATED: 2 * batches})
    done = read_again(pim_server)
    assert len(done) == 2 * batches
    run = publish()
    assert run.resumes == first
    assert not read_again(pim_server) & done
    assert (run.total, run.counts) == (
        6 - 2 * batches,
        {Outcome.CREATED: 6 - 2 * batches},
    )
    assert run.state == State.SUCCEEDED
    assert ProductPage.objects.live().count() == 6
    assert publish().resumes is None


def test_what_changed_in_the_meantime_is_taken(
    products, publish, interrupt, pim_server
):
    interrupt(batches=2)
    read_again(pim_server)
    products.change("City2", Summary="Newer")
    products.product("City3", "City", modifiedOn=LONG_AGO)
    run = publish()
    assert read_again(pim_server) == {"City2", "City3", "Helmets1", "Helmets2"}
    assert run.counts == {Outcome.CREATED: 3, Outcome.UPDATED: 1}
    page = ProductPage.objects.get(product_number="City2").specific
    assert page.summary == "Newer"
    assert products.acknowledgement("City2") == ("Published", 2)


def test_what_failed_before_is_tried_and_told_again(products, publish, interrupt):
    products.change("City1", Weight="heavy")
    first = interrupt(batches=2)
    assert first.counts == {Outcome.FAILED: 1, Outcome.CREATED: 3}
    run = publish()
    assert (run.resumes, run.state) == (first, State.FAILED_ITEMS)
    assert run.counts == {Outcome.FAILED: 1, Outcome.CREATED: 2}
    assert [item.number for item in run.failed_items()] == ["City1"]


def test_a_family_that_moved_in_the_meantime_comes_whole(
    pim, publish, configure, interrupt
):
    configure(BATCH_SIZE=2)
    for number in range(3):
        pim.product(f"C{number}", "City", modifiedOn=LONG_AGO)
    pim.product("Z1", "Helmets", modifiedOn=LONG_AGO)
    pim.variant("Z1-1", "Z1", modifiedOn=LONG_AGO)
    interrupt(batches=1)
    pim.change("Z1", primaryCategoryTreeId=str(guid("category", "City")))
    run = publish()
    assert run.state == State.SUCCEEDED
    assert {pim.status(r["productNumber"]) for r in pim.store.find("products")} == {
        "Published"
    }


def test_a_run_of_numbers_is_resumed_by_one_of_the_same_numbers_alone(
    products, publish, interrupt
):
    numbers = ("City1", "City2", "Helmets1", "Helmets2")
    first = interrupt(*numbers, batches=1)
    run = publish(*numbers)
    assert run.resumes == first
    assert run.counts == {Outcome.CREATED: 2, Outcome.FAILED: 2}
    assert publish().resumes is None


def test_a_run_of_numbers_in_between_does_not_end_the_resumption(
    products, publish, interrupt
):
    first = interrupt(batches=1)
    publish("Helmets1")
    assert runs.interrupted_runs() == [first]
    assert publish().resumes == first
    assert runs.interrupted_runs() == []


def test_a_run_is_resumed_once(products, publish, interrupt):
    """Also where the clocks of two hosts tell another order."""
    first = interrupt(batches=1)
    publish()
    later = timezone.now() + timedelta(hours=1)
    JobRun.objects.filter(pk=first.pk).update(created_at=later)
    assert runs.interrupted_runs() == []
    assert publish().resumes is None


def test_a_family_larger_than_a_batch_comes_in_one(pim, publish, configure, interrupt):
    configure(BATCH_SIZE=2)
    pim.product("A1", "City", modifiedOn=LONG_AGO)
    for number in range(1, 5):
        pim.variant(f"A1-{number}", "A1", category="Helmets", modifiedOn=LONG_AGO)
    pim.product("B1", "Touring", modifiedOn=LONG_AGO)
    first = interrupt(batches=1)
    assert first.counts == {Outcome.CREATED: 5}
    assert first.acknowledged == 5
    run = publish()
    assert run.resumes == first
    assert run.counts == {Outcome.CREATED: 1}
    assert not any(Page.find_problems())


def test_what_was_committed_and_not_settled_is_acknowledged_by_the_next(
    products, publish, pim_server, monkeypatch
):
    def die(job: Any, result: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(PublishApprovedProducts, "committed", die)
        with pytest.raises(Killed):
            publish()
    first = JobRun.objects.get()
    assert (first.counts, first.acknowledged) == ({Outcome.CREATED: 2}, 0)
    run = publish()
    assert run.resumes == first
    assert run.counts == {Outcome.UNCHANGED: 2, Outcome.CREATED: 4}
    assert run.acknowledged == 6


def test_what_was_acknowledged_and_not_noted_is_known_as_published(
    products, publish, monkeypatch
):
    """No listing of Approved products has it any more."""
    acknowledge = AssumedCalls.acknowledge

    def die(*args: Any) -> None:
        acknowledge(*args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(AssumedCalls, "acknowledge", die)
        patch.setattr(PublishApprovedProducts, "_note_statuses", lambda *args: None)
        with pytest.raises(Killed):
            publish()
    statuses = PimLink.objects.filter(kind=Kind.PRODUCT).values_list(
        "status", flat=True
    )
    assert set(statuses) == {"Approved"}
    publish()
    assert list(statuses.all()) == ["Published"] * 6


# Wherever it dies

# Each product and variant by its category; a variant may have none.
CATEGORIES = ("City", "Touring", "Helmets")
families = st.tuples(
    st.sampled_from(CATEGORIES),
    st.lists(st.sampled_from((*CATEGORIES, None)), max_size=3),
)


class Deaths:
    """Ends a run at the nth of its steps: statements and acknowledgements."""

    def __init__(self, at: int, *, by_power_cut: bool) -> None:
        self._left = at
        self._by_power_cut = by_power_cut
        self.died = False

    def step(self) -> None:
        self._left -= 1
        if not self._left:
            self.died = True
            raise Killed

    @contextmanager
    def lurking(self) -> Iterator[None]:
        acknowledge = AssumedCalls.acknowledge

        def on_statement(execute: Any, *arguments: Any) -> Any:
            self.step()
            return execute(*arguments)

        def on_acknowledgement(*arguments: Any) -> Any:
            self.step()
            answer = acknowledge(*arguments)
            self.step()
            return answer

        def leave_the_row(*arguments: Any) -> None:
            if self.died:
                raise Killed
            finish(*arguments)

        finish = runs._finish
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(AssumedCalls, "acknowledge", on_acknowledgement)
            if self._by_power_cut:
                patch.setattr(runs, "_finish", leave_the_row)
            with connection.execute_wrapper(on_statement):
                yield


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    catalog=st.lists(families, min_size=1, max_size=5),
    batch_size=st.integers(1, 4),
    deaths=st.lists(st.integers(1, 250), min_size=1, max_size=3),
    by_power_cut=st.booleans(),
)
def test_wherever_it_dies_everything_is_published_once(
    site, pim, configure, catalog, batch_size, deaths, by_power_cut
):
    configure(BATCH_SIZE=batch_size)
    for record in pim.store.find("products"):
        pim.store.delete("products", record["id"])
    for index, (category, variants) in enumerate(catalog):
        pim.product(f"P{index}", category, modifiedOn=LONG_AGO)
        for number, category_of_variant in enumerate(variants):
            pim.variant(
                f"P{index}-{number}",
                f"P{index}",
                category=category_of_variant,
                modifiedOn=LONG_AGO,
            )
    numbers = {record["productNumber"] for record in pim.store.find("products")}

    with transaction.atomic():
        for at in deaths:
            death = Deaths(at, by_power_cut=by_power_cut)
            try:
                with death.lurking():
                    publish_now()
            except Killed:
                runs.recover(at_once=True)
        run = publish_now()

        assert run.state == State.SUCCEEDED, run.error
        links = PimLink.objects.filter(kind__in=PRODUCT_KINDS)
        pages = [link.page.specific for link in links]
        assert {page.product_number for page in pages} == numbers
        assert len(pages) == len(numbers)
        assert all(page.live for page in pages)
        assert set(links.values_list("status", flat=True)) == {"Published"}
        assert not any(Page.find_problems())
        assert {pim.acknowledgement(number) for number in numbers} == {("Published", 1)}
        # Once: each was created by one run, and published by one.
        told = JobRunItem.objects.filter(kind__in=PRODUCT_KINDS)
        assert Counter(told.values_list("number", flat=True)) == Counter(numbers)
        assert set(told.values_list("outcome", flat=True)) == {Outcome.CREATED}
        assert sum(r.counts[Outcome.CREATED] for r in JobRun.objects.all()) == len(
            numbers
        )
        published = PageLogEntry.objects.filter(action="wagtail.publish")
        entries = Counter(published.values_list("page_id", flat=True))
        assert {entries[page.pk] for page in pages} == {1}
        transaction.set_rollback(True)
