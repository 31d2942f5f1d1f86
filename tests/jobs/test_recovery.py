"""Runs that were interrupted, and those that go on where they ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
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


def approve_all(pim: PimData) -> None:
    """Approve what was published, with no other time of change."""
    for record in pim.store.find("products"):
        pim.store.patch("products", record["id"], status="Approved")


# The cursor


@pytest.mark.parametrize("batches", [1, 2])
def test_a_run_goes_on_behind_the_last_batch_that_was_settled(
    products, publish, interrupt, pim_server, batches
):
    first = interrupt(batches=batches)
    assert first.state == State.INTERRUPTED
    assert (first.done, first.counts) == (2 * batches, {Outcome.CREATED: 2 * batches})
    done = read_again(pim_server)
    assert len(done) == 2 * batches
    # All is Approved again, as where nothing had been acknowledged.
    approve_all(products)
    run = publish()
    assert run.resumes == first
    assert (
        read_again(pim_server)
        == {
            f"{name}{number}"
            for name in ("City", "Touring", "Helmets")
            for number in "12"
        }
        - done
    )
    assert (run.total, run.counts) == (
        6 - 2 * batches,
        {Outcome.CREATED: 6 - 2 * batches},
    )
    assert run.state == State.SUCCEEDED
    assert ProductPage.objects.live().count() == 6
    # And the one after that takes all.
    run = publish()
    assert run.resumes is None
    assert run.total == 2 * batches


def test_what_changed_before_the_cursor_meanwhile_is_taken(
    products, publish, interrupt, pim_server
):
    interrupt(batches=2)
    read_again(pim_server)
    products.change("City2", Summary="Newer")
    run = publish()
    assert read_again(pim_server) == {"City2", "Helmets1", "Helmets2"}
    assert run.counts == {Outcome.CREATED: 2, Outcome.UPDATED: 1}
    page = ProductPage.objects.get(product_number="City2").specific
    assert page.summary == "Newer"
    assert products.acknowledgement("City2") == ("Published", 2)


def test_what_changed_just_before_the_first_run_is_taken_again(
    products, publish, interrupt, pim_server
):
    """The clocks of the PIM and of the site may differ."""
    products.change("City1")
    interrupt(batches=2)
    approve_all(products)
    read_again(pim_server)
    publish()
    assert read_again(pim_server) == {"City1", "Helmets1", "Helmets2"}


def test_a_product_that_comes_in_behind_the_cursor_is_taken(
    products, publish, interrupt, pim_server
):
    interrupt(batches=2)
    read_again(pim_server)
    products.product("City3", "City")
    products.product("Helmets3", "Helmets", modifiedOn=LONG_AGO)
    run = publish()
    assert read_again(pim_server) == {"City3", "Helmets1", "Helmets2", "Helmets3"}
    assert run.acknowledged == 4


def test_a_changed_category_tree_makes_the_cursor_void(
    products, publish, interrupt, pim_server
):
    """The order of the work follows that of the categories."""
    interrupt(batches=2)
    approve_all(products)
    read_again(pim_server)
    products.change_category("Helmets", displaySequence=0)
    run = publish()
    assert run.resumes is not None
    assert len(read_again(pim_server)) == 6
    assert run.counts == {Outcome.CREATED: 2, Outcome.UNCHANGED: 4}


def test_a_run_that_is_resumed_and_interrupted_again_goes_on_from_there(
    products, publish, interrupt, pim_server
):
    first = interrupt(batches=1)
    approve_all(products)
    second = interrupt(batches=1)
    assert second.resumes == first
    assert second.counts == {Outcome.CREATED: 2}
    assert second.cursor["since"] == first.cursor["since"]
    assert second.cursor["key"] > first.cursor["key"]
    approve_all(products)
    read_again(pim_server)
    third = publish()
    assert third.resumes == second
    assert len(read_again(pim_server)) == 2
    assert third.counts == {Outcome.CREATED: 2}
    assert ProductPage.objects.live().count() == 6


def test_what_is_taken_again_does_not_set_the_cursor_back(
    products, publish, configure, interrupt, pim_server
):
    configure(BATCH_SIZE=1)
    first = interrupt(batches=4)
    approve_all(products)
    products.change("City1")
    second = interrupt(batches=1)
    assert second.acknowledged == 1
    assert second.cursor == first.cursor
    approve_all(products)
    read_again(pim_server)
    publish()
    assert read_again(pim_server) == {"City1", "Helmets1", "Helmets2"}


def test_a_run_that_died_before_its_first_batch_keeps_the_cursor(
    products, publish, interrupt, monkeypatch, pim_server
):
    first = interrupt(batches=2)

    def die(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(PublishApprovedProducts, "_list_work", die)
        with pytest.raises(Killed):
            publish()
    approve_all(products)
    read_again(pim_server)
    run = publish()
    assert run.resumes.resumes == first
    assert len(read_again(pim_server)) == 2


def test_a_run_of_numbers_is_resumed_by_one_of_the_same_numbers_alone(
    products, publish, interrupt, pim_server
):
    numbers = ("City1", "City2", "Helmets1", "Helmets2")
    first = interrupt(*numbers, batches=1)
    approve_all(products)
    read_again(pim_server)
    run = publish(*numbers)
    assert run.resumes == first
    assert read_again(pim_server) == {"Helmets1", "Helmets2"}
    interrupt(*numbers[:3], batches=1)
    approve_all(products)
    read_again(pim_server)
    run = publish()
    assert run.resumes is None
    assert len(read_again(pim_server)) == 6


def test_a_family_that_was_split_is_completed(pim, publish, configure, interrupt):
    configure(BATCH_SIZE=2)
    pim.product("A1", "City", modifiedOn=LONG_AGO)
    for number in range(1, 5):
        pim.variant(f"A1-{number}", "A1", modifiedOn=LONG_AGO)
    pim.product("B1", "Touring", modifiedOn=LONG_AGO)
    first = interrupt(batches=2)
    assert first.acknowledged == 4
    # The parent is Published now: the variants that are left are listed without it.
    run = publish()
    assert run.resumes == first
    assert run.counts == {Outcome.CREATED: 2}
    assert {pim.status(r["productNumber"]) for r in pim.store.find("products")} == {
        "Published"
    }
    assert not any(Page.find_problems())


def test_variants_in_a_category_of_their_own_are_not_lost_without_their_parent(
    pim, publish, configure, interrupt
):
    """They are sorted by their parent's category while it is among the work."""
    configure(BATCH_SIZE=2)
    pim.product("Z1", "Helmets", modifiedOn=LONG_AGO)
    for number in range(1, 4):
        pim.variant(f"Z1-{number}", "Z1", category="City", modifiedOn=LONG_AGO)
    first = interrupt(batches=1)
    run = publish()
    assert run.resumes == first
    assert run.counts == {Outcome.CREATED: 2}
    assert run.acknowledged == 2


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
        patch.setattr(PublishApprovedProducts, "_settle", lambda *args: None)
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
