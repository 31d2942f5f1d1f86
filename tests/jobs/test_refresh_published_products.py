"""Refresh published products: how far back it looks, and that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from wagtail.models import Page, Revision

from sandbox_site.pim import odata
from sandbox_site.pim.faults import Fault
from tests.conftest import items_by_number, site_rows
from tests.pim_data import PimData, guid
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.jobs import RefreshPublishedProducts, runs
from wagtail_pim.jobs.journal import Journal
from wagtail_pim.jobs.lookback import utc_midnight
from wagtail_pim.jobs.refresh_published_products import READINGS
from wagtail_pim.kinds import PICTURE
from wagtail_pim.models import JobRun, ProductPage, VariantPage
from wagtail_pim.models.runs import Outcome, State, Trigger

Refresh = Callable[..., JobRun]

JOB = RefreshPublishedProducts.name
NOW = datetime(2026, 7, 15, 12, tzinfo=UTC)
LISTING = "lastPublishedOn"
DAYS = 5


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the time of the site; that of the database and of the PIM goes on."""

    def set_to(now: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: now)

    return set_to


@pytest.fixture
def refresh(site: Any, configure: Any, pim_server: Any) -> Refresh:
    """Refreshes here; fails if anything but GET reaches the PIM."""
    configure(NUMBER_OF_LOOKBACK_DAYS=DAYS)

    def run(*numbers: str, dry_run: bool = False, **options: Any) -> JobRun:
        pim_server.requests.clear()
        started = runs.start(
            JOB,
            trigger=Trigger.COMMAND,
            dry_run=dry_run,
            numbers=numbers,
            options=options,
        )
        try:
            return runs.carry_out(started.pk)
        finally:
            assert {request.method for request in pim_server.requests} <= {"GET"}

    return run


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


def day(days: int) -> datetime:
    """The midnight in UTC that begins the day so many days ago."""
    then = datetime.now(UTC) - timedelta(days=days)
    return then.replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def published(pim: PimData) -> Callable[..., None]:
    """Puts a product into the PIM that was published so many days ago."""

    def put(number: str, days: float = 1, **fields: Any) -> None:
        pim.product(
            number, status="Published", lastPublishedOn=days_ago(days), **fields
        )

    return put


def on_site() -> set[str]:
    return {
        number
        for model in (ProductPage, VariantPage)
        for number in model.objects.live().values_list("product_number", flat=True)
    }


def page_of(number: str) -> Page:
    return ProductPage.objects.get(product_number=number).specific


def notes_of(run: JobRun) -> dict[str, str]:
    return {number: item.note for number, item in items_by_number(run).items()}


# It only reads


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_pim_is_never_written_to_whatever_happens(
    pim, published, refresh, pim_server, dry_run
):
    """``refresh`` looks at each request."""
    published("GOOD", Summary="Fine", primaryImageAssetId=guid("asset", "missing"))
    published("BAD", Price="cheap")
    published("GONE", isArchived=True)
    pim.product("WAITS")
    pim.variant("GOOD-1", "GOOD", status="Published", lastPublishedOn=days_ago(1))
    before = pim.store.find("products")
    for options in ({}, {"all": True}, {"since": "2026-01-01"}):
        run = refresh(dry_run=dry_run, **options)
        assert run.state == State.FAILED_ITEMS
        assert len(pim_server.requests) > 5
    refresh("GOOD", "WAITS", "NOWHERE", dry_run=dry_run)
    assert pim.store.find("products") == before
    assert on_site() == (set() if dry_run else {"GOOD", "GOOD-1"})


def test_a_broken_connection_makes_it_write_nothing_either(
    published, refresh, pim_server
):
    published("A1")
    pim_server.faults.add(Fault(LISTING, "GET", times=None, kind="drop"))
    assert refresh().state == State.FAILED


@pytest.mark.parametrize("environment", ["Production", "Sandbox", None])
@pytest.mark.parametrize("own", ["Production", "Sandbox"])
def test_it_serves_every_environment_with_a_key_that_may_only_read(
    published, refresh, configure, pim_server, environment, own
):
    pim_server.environment = environment
    key = pim_server.store.credentials().read_only
    configure(ENVIRONMENT=own, APP_KEY=key.app_key, SECRET_KEY=key.secret_key)
    published("A1")
    run = refresh()
    assert (run.state, on_site()) == (State.SUCCEEDED, {"A1"})
    assert (run.acknowledged, run.counts) == (0, {Outcome.CREATED: 1})


# How far back


@pytest.mark.parametrize(
    "zone", ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"]
)
@pytest.mark.parametrize(
    ("now", "last_published_on", "taken"),
    [
        # One millisecond before midnight, at midnight, and after.
        (NOW, "2026-07-09T23:59:59.999Z", False),
        (NOW, "2026-07-10T00:00:00Z", True),
        (NOW, "2026-07-10T00:00:00.001Z", True),
        # The same moments, written with offsets.
        (NOW, "2026-07-10T01:59:59.999+02:00", False),
        (NOW, "2026-07-10T02:00:00+02:00", True),
        (NOW, "2026-07-09T18:59:59.999-05:00", False),
        (NOW, "2026-07-09T19:00:00-05:00", True),
        (NOW, "2026-07-10T13:59:59.999+14:00", False),
        (NOW, "2026-07-10T14:00:00+14:00", True),
        # At the first and at the last moment of a day in UTC.
        (datetime(2026, 7, 15, tzinfo=UTC), "2026-07-09T23:59:59.999Z", False),
        (datetime(2026, 7, 15, tzinfo=UTC), "2026-07-10T00:00:00Z", True),
        (datetime(2026, 7, 14, 23, 59, 59, tzinfo=UTC), "2026-07-09T00:00:00Z", True),
        # In winter.
        (datetime(2026, 1, 15, 23, 30, tzinfo=UTC), "2026-01-10T00:59:59+01:00", False),
        (datetime(2026, 1, 15, 23, 30, tzinfo=UTC), "2026-01-10T01:00:00+01:00", True),
        # Over a change of the clocks: Berlin's in March and October, Los Angeles' in
        # March and November.
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "2026-03-23T23:59:59.999Z", False),
        (datetime(2026, 3, 29, 1, tzinfo=UTC), "2026-03-24T00:00:00Z", True),
        (datetime(2026, 4, 3, 1, tzinfo=UTC), "2026-03-29T01:59:59+02:00", False),
        (datetime(2026, 4, 3, 1, tzinfo=UTC), "2026-03-29T02:00:00+02:00", True),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-20T01:59:59+02:00", False),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-20T02:00:00+02:00", True),
        (datetime(2026, 10, 30, tzinfo=UTC), "2026-10-25T00:59:59+01:00", False),
        (datetime(2026, 10, 30, tzinfo=UTC), "2026-10-25T01:00:00+01:00", True),
        (datetime(2026, 3, 8, 10, tzinfo=UTC), "2026-03-02T15:59:59-08:00", False),
        (datetime(2026, 3, 8, 10, tzinfo=UTC), "2026-03-02T16:00:00-08:00", True),
        (datetime(2026, 11, 6, 8, tzinfo=UTC), "2026-10-31T16:59:59-07:00", False),
        (datetime(2026, 11, 6, 8, tzinfo=UTC), "2026-10-31T17:00:00-07:00", True),
    ],
)
def test_the_lookback_begins_at_a_midnight_in_utc(
    pim, refresh, clock, settings, zone, now, last_published_on, taken
):
    settings.TIME_ZONE = zone
    pim.product("A1", status="Published", lastPublishedOn=last_published_on)
    clock(now)
    run = refresh()
    assert run.published_since == (now - timedelta(days=DAYS)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    assert on_site() == ({"A1"} if taken else set())


@pytest.mark.parametrize(
    ("since", "stored"),
    [
        ("2026-07-10", "2026-07-10"),
        (" 2026-07-10 ", "2026-07-10"),
        ("2026-07-10T00:00", "2026-07-10"),
        ("2026-07-10T23:59:59.999Z", "2026-07-10"),
        ("2026-07-10T01:59:00+02:00", "2026-07-09"),
        ("2026-07-09T19:00:00-05:00", "2026-07-10"),
        ("2026-07-15", "2026-07-15"),
        ("2016-07-17", "2016-07-17"),
    ],
)
def test_since_is_a_day_in_utc(pim, refresh, clock, since, stored):
    midnight = datetime.fromisoformat(f"{stored}T00:00:00Z")
    pim.product("IN", status="Published", lastPublishedOn=f"{stored}T00:00:00Z")
    before = midnight - timedelta(milliseconds=1)
    pim.product("OUT", status="Published", lastPublishedOn=before.isoformat())
    clock(NOW)
    run = refresh(since=since)
    assert run.options == {"since": stored}
    assert run.published_since == midnight
    assert on_site() == {"IN"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lookback_days": "0"}, "“0”; set 1 to 3650"),
        ({"lookback_days": 0}, "“0”; set 1 to 3650"),
        ({"lookback_days": "-1"}, "“-1”"),
        ({"lookback_days": "3651"}, "“3651”"),
        ({"lookback_days": "1.5"}, "“1.5”"),
        ({"lookback_days": "week"}, "“week”"),
        ({"lookback_days": True}, "“True”"),
        ({"lookback_days": "9" * 5000}, "set 1 to 3650"),
        ({"since": "yesterday"}, "“yesterday” is not a date"),
        ({"since": "2026-02-30"}, "“2026-02-30” is not a date"),
        ({"since": "2026-02-20T25:00"}, "is not a date"),
        ({"since": "0001-01-01T00:00+14:00"}, "is not a date"),
        ({"since": "2026-07-15T12:00:01Z"}, "is in the future"),
        ({"since": "2026-07-16"}, "is in the future"),
        ({"since": "2016-07-16T23:59:59Z"}, "more than 3650 days ago"),
        ({"since": "0001-01-01"}, "more than 3650 days ago"),
        ({"since": "2026-07-10", "all": True}, "one of lookback_days, since and all"),
        ({"until": "2026-07-10"}, "one of lookback_days, since and all"),
    ],
)
def test_what_can_not_be_understood_starts_nothing(refresh, clock, options, words):
    clock(NOW)
    with pytest.raises(ConfigurationError) as refusal:
        refresh(**options)
    assert words in str(refusal.value)
    assert not JobRun.objects.exists()


def test_it_takes_products_or_a_time_but_not_both(refresh):
    with pytest.raises(ConfigurationError, match="not both"):
        refresh("A1", all=True)
    assert not JobRun.objects.exists()


@pytest.mark.parametrize("options", [{}, {"lookback_days": None, "all": False}])
def test_without_options_it_looks_as_far_back_as_the_pim_options_say(
    published, refresh, options
):
    published("NEW", DAYS - 1)
    published("OLD", DAYS + 2)
    run = refresh(**options)
    assert (on_site(), run.options) == ({"NEW"}, {})
    assert run.published_since == day(DAYS)
    (warning,) = run.warnings
    assert "first refresh of this site" in warning
    assert f"{day(DAYS):%Y-%m-%d} (UTC)" in warning


def test_the_lookback_can_be_another_one(published, refresh):
    published("NEW", 1)
    published("OLD", 29)
    published("OLDER", 32)
    run = refresh(lookback_days="30")
    assert (on_site(), run.options) == ({"NEW", "OLD"}, {"lookback_days": 30})


def test_all_takes_those_too_of_which_nobody_knows_when(pim, published, refresh):
    published("OLD", 3000)
    pim.product("NEVER", status="Published")
    refresh()
    assert on_site() == set()
    run = refresh(all=True)
    assert on_site() == {"OLD", "NEVER"}
    assert (run.published_since, run.options) == (None, {"all": True})
    assert run.warnings == []


# Nothing is lost


@pytest.fixture
def good(refresh: Refresh) -> Callable[..., JobRun]:
    """A refresh that ended well, so many days ago."""

    def run(days: float = 0, **options: Any) -> JobRun:
        ended = refresh(**options)
        assert ended.refreshed_to is not None
        return aged(ended, days)

    return run


def aged(run: JobRun, days: float) -> JobRun:
    moments = ("created_at", "started_at", "finished_at", "refreshed_to")
    for name in moments:
        if moment := getattr(run, name):
            setattr(run, name, moment - timedelta(days=days))
    run.save(update_fields=moments)
    return run


def test_it_looks_back_to_the_last_good_refresh_and_says_so(published, good, refresh):
    good(days=20)
    published("OLD", 19)
    published("OLDER", 22)
    run = refresh()
    assert on_site() == {"OLD"}
    assert run.published_since == day(20)
    (warning,) = run.warnings
    assert "longer ago than the lookback of 5 days" in warning
    assert f"since {day(20):%Y-%m-%d} (UTC)" in warning

    published("LATE", 8)
    again = refresh()
    assert (again.published_since, again.warnings) == (day(DAYS), [])
    assert "LATE" not in on_site()


def test_a_longer_lookback_is_kept(published, good, refresh):
    good(days=2)
    run = refresh(lookback_days=30)
    assert (run.published_since, run.warnings) == (day(30), [])


class Killed(BaseException):
    """Ends a run as a signal to its process does."""


@pytest.fixture
def break_off(refresh: Refresh, pim_server: Any) -> Callable[..., JobRun]:
    """Has a refresh not come to its end, in some way."""

    def run(how: str, **options: Any) -> JobRun:
        if how == "failed":
            pim_server.faults.add(Fault("id+in", "GET", times=None, status=500))
        elif how == "listing broke off":
            pim_server.faults.add(Fault(LISTING, "GET", times=None, kind="truncate"))
        with pytest.MonkeyPatch.context() as patch:
            if how in ("stopped", "interrupted"):
                patch.setattr(Journal, "begin", lambda journal, total: end(how))
            try:
                refresh(**options)
            except Killed:
                assert how == "interrupted"
        pim_server.faults.clear()
        return JobRun.objects.filter(job=JOB).first()

    def end(how: str) -> None:
        if how == "interrupted":
            raise Killed
        raise runs.RunStoppedError("Stopped.")

    return run


BROKEN = {
    "failed": State.FAILED,
    "listing broke off": State.FAILED,
    "stopped": State.STOPPED,
    "interrupted": State.INTERRUPTED,
}


@pytest.mark.parametrize("how", list(BROKEN))
def test_what_broke_off_loses_nothing_for_the_next(
    published, good, break_off, refresh, how
):
    good(days=20)
    published("A1", 19)
    broken = break_off(how)
    assert (broken.state, on_site()) == (BROKEN[how], set())
    assert broken.refreshed_to is None
    aged(broken, 10)
    run = refresh()
    assert on_site() == {"A1"}
    assert run.published_since == day(20)


@pytest.mark.parametrize("how", list(BROKEN))
def test_a_first_refresh_that_broke_off_loses_nothing(
    published, break_off, refresh, how
):
    published("A1", 19)
    broken = break_off(how, lookback_days=20)
    assert broken.state == BROKEN[how]
    run = refresh()
    assert on_site() == {"A1"}
    (warning,) = run.warnings
    assert "did not come to its end" in warning
    assert f"since {day(20):%Y-%m-%d} (UTC)" in warning


def test_one_that_failed_before_it_looked_owes_what_it_was_asked_for(
    published, good, refresh, configure, settings
):
    good()
    published("A1", 100)
    secret = settings.WAGTAIL_PIM["SECRET_KEY"]
    configure(SECRET_KEY="")
    assert refresh(lookback_days=365).state == State.FAILED
    configure(SECRET_KEY=secret)
    refresh()
    assert on_site() == {"A1"}


def test_a_first_one_that_failed_before_it_looked_owes_the_lookback(
    published, refresh, configure, settings
):
    published("A1", 9)
    secret = settings.WAGTAIL_PIM["SECRET_KEY"]
    configure(SECRET_KEY="")
    aged(refresh(), 10)
    configure(SECRET_KEY=secret)
    refresh()
    assert on_site() == {"A1"}


def test_all_that_no_worker_took_up_is_owed(published, good, refresh):
    good()
    published("A1", 100)
    runs.start(JOB, trigger=Trigger.ADMIN, options={"all": True})
    runs.recover(at_once=True)
    refresh()
    assert on_site() == {"A1"}


def test_what_somebody_stopped_is_not_forced_on_the_next(
    published, good, break_off, refresh
):
    good()
    published("A1", 100)
    break_off("stopped", all=True)
    assert refresh().published_since == day(DAYS)
    assert on_site() == set()


def test_what_is_owed_is_kept_whatever_its_age(
    published, good, break_off, refresh, configure
):
    good(days=200)
    published("A1", 1000)
    aged(break_off("failed", all=True), 150)
    assert break_off("failed").state == State.FAILED
    refresh()
    assert on_site() == {"A1"}


def test_what_a_good_refresh_has_made_up_for_is_not_gone_on_with(break_off, refresh):
    break_off("interrupted", all=True)
    assert [run.options for run in runs.interrupted_runs()] == [{"all": True}]
    refresh()
    assert runs.interrupted_runs() == []


def test_a_product_over_the_edge_of_a_page_is_not_missed(
    pim, published, good, refresh, pim_server, monkeypatch
):
    """One leaves the listing and another comes while it is paged through."""
    good(days=20)
    monkeypatch.setattr(odata, "PAGE_SIZE", 2)
    numbers = sorted("ABCDEFG", key=lambda number: guid("product", number))
    for number in numbers:
        published(number, 10)
    pim.change(numbers[-1], status="Approved")

    def shift() -> None:
        pim.change(numbers[0], status="Incomplete")
        pim.change(numbers[-1], status="Published", lastPublishedOn=days_ago(0))

    pim_server.faults.before("lastPublishedOn", shift, nth=2)
    run = refresh()
    assert run.refreshed_to is not None
    assert on_site() >= set(numbers[1:])


def test_a_listing_that_never_stands_still_leaves_the_mark(
    published, good, refresh, pim_server
):
    mark = good(days=20).refreshed_to
    for at in range(1, 2 * READINGS):
        pim_server.faults.before(
            "lastPublishedOn", lambda at=at: published(f"A{at}"), nth=at
        )
    run = refresh()
    assert "changed each time" in " ".join(run.warnings)
    assert run.refreshed_to is None
    assert refresh().published_since == utc_midnight(mark)


def test_known_failures_do_not_end_later_refreshes(published, refresh, configure):
    configure(MAX_FAILURES_IN_A_ROW=4, BATCH_SIZE=2)
    for at in range(6):
        published(f"A{at}-bad", 30, Price="cheap")
        published(f"A{at}-good", 30)
    assert refresh(all=True).state == State.FAILED_ITEMS
    published("NEW", template="Helmet", category="Helmets")
    run = refresh()
    assert (run.state, run.counts[Outcome.FAILED]) == (State.FAILED_ITEMS, 6)
    assert "NEW" in on_site()


def test_a_product_whose_category_failed_is_put_in_its_place_later(
    pim, published, refresh
):
    pim.store.patch("categorytrees", guid("category", "City"), name=None)
    published("A1", also_in=["Touring"])
    aged(refresh(), 10)
    assert page_of("A1").get_parent().title == "Touring"
    pim.store.patch("categorytrees", guid("category", "City"), name="City")
    pim.change("A1", status="Published", lastPublishedOn=days_ago(100))
    refresh()
    assert page_of("A1").get_parent().title == "City"


@pytest.mark.parametrize("after_a_good_one", [False, True])
def test_an_interrupted_refresh_of_all_is_completed_by_the_next(
    published, good, break_off, refresh, after_a_good_one
):
    if after_a_good_one:
        good()
    published("A1", 3000)
    break_off("interrupted", all=True)
    # Nor does it matter that what should complete it broke off in its turn.
    break_off("failed")
    run = refresh()
    assert on_site() == {"A1"}
    assert run.published_since is None
    assert "refresh of all published products did not come" in run.warnings[0]
    assert refresh().published_since == day(DAYS)


def test_an_interrupted_refresh_since_a_day_is_completed_by_the_next(
    published, good, break_off, refresh
):
    good()
    published("A1", 99)
    break_off("interrupted", since=f"{day(100):%Y-%m-%d}")
    run = refresh()
    assert (on_site(), run.published_since) == ({"A1"}, day(100))
    assert "did not come to its end" in run.warnings[0]


def test_usual_refreshes_that_broke_off_do_not_widen_the_next(
    published, good, break_off, refresh
):
    """All that they were to bring came after the last good one."""
    good(days=2)
    aged(break_off("interrupted"), 1)
    run = refresh()
    assert (run.published_since, run.warnings) == (day(DAYS), [])


def test_a_run_that_nobody_took_up_owes_nothing(published, refresh):
    run = runs.start(JOB, trigger=Trigger.ADMIN, options={"all": True})
    assert runs.request_stop(run)
    assert refresh().published_since == day(DAYS)


def test_a_later_day_does_not_move_the_mark(published, good, refresh):
    good(days=20)
    published("OLD", 19)
    published("NEW", 1)
    narrow = refresh(since=f"{day(2):%Y-%m-%d}")
    assert on_site() == {"NEW"}
    assert narrow.refreshed_to is None
    assert "are left out, as asked" in narrow.warnings[0]
    refresh()
    assert on_site() == {"OLD", "NEW"}


def test_an_earlier_day_moves_the_mark(good, refresh):
    good(days=20)
    wide = refresh(since=f"{day(25):%Y-%m-%d}")
    assert (wide.warnings, wide.published_since) == ([], day(25))
    assert refresh().published_since == day(DAYS)


def test_neither_single_products_nor_a_dry_run_move_the_mark(published, good, refresh):
    good(days=20)
    published("OLD", 19)
    published("OTHER", 19)
    assert refresh("OTHER").refreshed_to is None
    refresh(dry_run=True)
    run = refresh()
    assert (run.published_since, on_site()) == (day(20), {"OLD", "OTHER"})


def test_a_clock_that_is_some_minutes_off_loses_nothing(pim, good, refresh):
    """The site's is fast: it has another day already when the PIM publishes."""
    run = good()
    midnight = day(10)
    began = midnight + timedelta(minutes=4)
    aged(run, (run.started_at - began) / timedelta(days=1))
    late = midnight - timedelta(seconds=30)
    pim.product("A1", status="Published", lastPublishedOn=late.isoformat())
    refresh()
    assert on_site() == {"A1"}


def test_the_mark_lies_before_the_run_began(published, refresh):
    run = refresh()
    assert run.refreshed_to == run.started_at - timedelta(minutes=5)


def test_the_last_good_refresh_is_kept_whatever_its_age(
    published, good, refresh, configure
):
    configure(RUN_RETENTION_DAYS=0)
    older, kept = good(days=200), good(days=100)
    configure(RUN_RETENTION_DAYS=30)
    published("OLD", 99)
    refresh("OLD", dry_run=True)
    assert JobRun.objects.filter(pk=kept.pk).exists()
    assert not JobRun.objects.filter(pk=older.pk).exists()
    run = refresh()
    assert (run.published_since, on_site()) == (day(100), {"OLD"})
    assert not JobRun.objects.filter(pk=kept.pk).exists()


# What failed is taken again


def test_a_failed_product_is_taken_again_until_it_succeeds(
    pim, published, refresh, pim_server
):
    published("GOOD", 100)
    published("BAD", 100, Price="cheap")
    first = refresh(all=True)
    assert (first.state, on_site()) == (State.FAILED_ITEMS, {"GOOD"})
    for _again in range(2):
        run = refresh()
        assert run.published_since == day(DAYS)
        (item,) = run.items.all()
        assert (item.number, item.outcome) == ("BAD", Outcome.FAILED)
    # Mended in the PIM, and published there at once under the same date.
    pim.store.patch("products", guid("product", "BAD"), Price=9.5)
    assert refresh().counts == {Outcome.CREATED: 1}
    assert on_site() == {"GOOD", "BAD"}
    assert refresh().total == 0


def test_a_record_that_can_not_be_read_is_told_once_and_taken_again(
    pim, published, refresh
):
    published("BAD")
    pim.store.patch("products", guid("product", "BAD"), parentProductId="none")
    for _again in range(2):
        run = refresh()
        assert run.counts == {Outcome.FAILED: 1}
        assert "parentProductId" in items_by_number(run)["BAD"].reason
    pim.store.patch("products", guid("product", "BAD"), parentProductId=None)
    assert refresh().counts == {Outcome.CREATED: 1}


def test_a_product_whose_picture_failed_is_taken_again(pim, published, refresh):
    published("A1", 100, primaryImageAssetId=guid("asset", "missing"))
    refresh(all=True)
    for _again in range(2):
        run = refresh()
        assert run.state == State.FAILED_ITEMS
        assert run.counts == {Outcome.FAILED: 1, Outcome.UNCHANGED: 1}
        picture, item = run.items.all()
        assert (picture.kind, item.number) == (PICTURE, "A1")
        assert "keeps what it has" in item.note
    pim.store.patch("products", guid("product", "A1"), primaryImageAssetId=None)
    assert refresh().state == State.SUCCEEDED
    assert refresh().total == 0


@pytest.mark.parametrize("status", ["Approved", "Incomplete", "onHold", None])
def test_a_failed_product_that_is_not_published_now_waits_until_it_is(
    pim, published, refresh, status
):
    published("BAD", 100, Price="cheap")
    refresh(all=True)
    if status:
        pim.change("BAD", status=status)
    else:
        pim.store.delete("products", guid("product", "BAD"))
    run = refresh()
    assert run.state == State.SUCCEEDED
    assert notes_of(run) == {
        "BAD": "It was changed in the PIM meanwhile and is not Published now."
    }
    assert refresh().items.exists() is bool(status)
    if status:
        # Whoever discards an edit gives it back the time when it was published.
        pim.change("BAD", status="Published", Price=1)
        refresh()
        assert on_site() == {"BAD"}


def test_what_failed_before_and_is_listed_is_taken_once(published, refresh):
    published("BAD", Price="cheap")
    refresh()
    run = refresh()
    assert (run.total, run.counts) == (1, {Outcome.FAILED: 1})
    assert run.items.count() == 1


def test_what_failed_is_not_forgotten_by_runs_that_broke_off(
    pim, published, refresh, break_off
):
    published("BAD", 100, Price="cheap")
    refresh(all=True)
    break_off("failed")
    pim.store.patch("products", guid("product", "BAD"), Price=1)
    refresh()
    assert on_site() == {"BAD"}


def test_a_retry_takes_what_failed_and_is_not_taken_for_a_refresh(
    pim, published, refresh
):
    published("BAD", 100, Price="cheap")
    first = refresh(all=True)
    pim.store.patch("products", guid("product", "BAD"), Price=1)
    retry = refresh(*first.retryable_numbers())
    assert (retry.counts, on_site()) == ({Outcome.CREATED: 1}, {"BAD"})
    assert refresh().counts == {Outcome.UNCHANGED: 1}


def test_a_record_without_an_id_holds_the_mark(pim, published, good, refresh):
    """It can't be asked for again but with all of its time."""
    good(days=20)
    pim.store.put(
        "products",
        {"id": "none", "status": "Published", "lastPublishedOn": days_ago(10)},
    )
    for _again in range(2):
        run = refresh()
        assert (run.published_since, run.counts) == (day(20), {Outcome.FAILED: 1})
    pim.store.delete("products", "none")
    assert refresh().published_since == day(20)
    assert refresh().published_since == day(DAYS)


# What a user would expect


@pytest.mark.parametrize("status", ["Approved", "Incomplete", "onHold"])
def test_a_page_stays_while_its_product_is_worked_on(pim, published, refresh, status):
    published("A1", Summary="Old")
    refresh()
    pim.change("A1", status=status, Summary="New")
    run = refresh()
    assert (run.total, run.state) == (0, State.SUCCEEDED)
    assert page_of("A1").summary == "Old"
    run = refresh("A1")
    assert f"its status is “{status}”" in run.failed_items().get().reason


def test_a_product_that_changes_between_listing_and_reading_is_left(
    pim, published, refresh, pim_server
):
    published("A1")
    pim_server.faults.before("id+in", lambda: pim.change("A1", status="Approved"))
    run = refresh()
    assert on_site() == set()
    assert "is not Published now" in notes_of(run)["A1"]
    assert run.state == State.SUCCEEDED


@pytest.mark.parametrize(
    "fields", [{"isArchived": True}, {"deactivateOn": "2026-01-01T00:00:00Z"}]
)
def test_a_withdrawn_product_leaves_the_site(pim, published, refresh, fields):
    published("A1")
    published("NEVER-HERE", **fields)
    refresh()
    assert on_site() == {"A1"}
    pim.store.patch("products", guid("product", "A1"), **fields)
    run = refresh()
    assert items_by_number(run)["A1"].outcome == Outcome.REMOVED
    assert on_site() == set()


def test_a_parent_of_long_ago_comes_along_with_its_variant(pim, published, refresh):
    published("P1", 100)
    pim.variant("P1-1", "P1", status="Published", lastPublishedOn=days_ago(1))
    run = refresh()
    assert run.state == State.SUCCEEDED
    assert on_site() == {"P1", "P1-1"}


@pytest.mark.parametrize("status", ["Approved", "Incomplete"])
def test_a_variant_waits_for_a_parent_that_is_not_published(
    pim, published, refresh, status
):
    pim.product("P1", status=status)
    pim.variant("P1-1", "P1", status="Published", lastPublishedOn=days_ago(100))
    run = refresh(all=True)
    assert on_site() == set()
    assert "parent" in items_by_number(run)["P1-1"].reason
    pim.store.patch("products", guid("product", "P1"), status="Published")
    assert refresh().counts == {Outcome.CREATED: 2}
    assert on_site() == {"P1", "P1-1"}


def test_a_variant_below_a_page_that_is_there_needs_no_published_parent(
    pim, published, refresh
):
    published("P1", Summary="Old")
    refresh()
    pim.change("P1", status="Approved", Summary="New")
    pim.variant("P1-1", "P1", status="Published", lastPublishedOn=days_ago(1))
    assert refresh().state == State.SUCCEEDED
    assert on_site() == {"P1", "P1-1"}
    assert page_of("P1").summary == "Old"


def test_editors_fields_and_drafts_survive(pim, published, refresh):
    published("A1", Summary="Old")
    refresh()
    page = page_of("A1")
    page.search_description = "The editor's"
    page.save_revision().publish()
    page.seo_title = "A draft"
    page.save_revision()
    pim.store.patch(
        "products",
        guid("product", "A1"),
        Summary="New",
        currentVersionNumber=2,
        lastPublishedOn=days_ago(0),
    )
    assert refresh().counts == {Outcome.UPDATED: 1}
    page = page_of("A1")
    draft = page.get_latest_revision_as_object()
    assert (page.summary, draft.summary) == ("New", "New")
    assert (page.search_description, page.seo_title) == ("The editor's", "")
    assert draft.seo_title == "A draft"
    assert Revision.objects.count() == 2


def test_a_second_refresh_writes_nothing_to_the_site(pim, published, refresh, queries):
    published("A1", Summary="Words", also_in=["Helmets"])
    pim.variant("A1-1", "A1", status="Published", lastPublishedOn=days_ago(1))
    refresh()
    before = site_rows()
    with queries() as captured:
        run = refresh()
    assert run.counts == {Outcome.UNCHANGED: 2}
    assert not run.items.exists()
    assert captured.writes_to_site() == []
    assert site_rows() == before


def test_a_dry_run_tells_what_it_would_do_and_does_nothing(published, refresh):
    published("A1", Summary="Words")
    before = site_rows()
    run = refresh(dry_run=True)
    assert run.counts == {Outcome.CREATED: 1}
    assert items_by_number(run)["A1"].differences["summary"] == [None, "Words"]
    assert run.published_since == day(DAYS)
    assert site_rows() == before
