"""The question before a run removes much of the catalog, and what confirms it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from tests.jobs.test_command import pim_command  # noqa: F401
from tests.jobs.test_discards import by_hand
from tests.jobs.test_end_of_life import live
from tests.jobs.test_languages import GERMAN, german, locales  # noqa: F401
from tests.pim_data import PimData, guid
from wagtail_pim.client.assumed import AssumedCalls
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.jobs import ReconcileCatalog, runs
from wagtail_pim.jobs.registry import job_named
from wagtail_pim.jobs.removals import (
    RemovalsToConfirmError,
    is_confirmation_stale,
    require_confirmation,
    standing_pages,
)
from wagtail_pim.jobs.schedules import start_due
from wagtail_pim.models import CategoryPage, JobRun, JobSchedule, ProductPage
from wagtail_pim.models.runs import State, Trigger

JOB = ReconcileCatalog.name
CONFIRMED = {"confirm_removals": True}

pytestmark = pytest.mark.django_db


def a_run(**values: Any) -> JobRun:
    return JobRun.objects.create(**{"job": JOB, "state": State.SUCCEEDED, **values})


@pytest.fixture
def emptied(pim: PimData, publish: Any) -> PimData:
    """Twelve products on the site, all of which the PIM has deleted."""
    for number in range(12):
        pim.product(f"A{number}")
    publish()
    for number in range(12):
        pim.store.delete("products", guid("product", f"A{number}"))
    return pim


# How many are many


@pytest.mark.parametrize(
    ("share", "removals", "standing", "asks"),
    [
        (0.1, 10, 10, False),
        (0.1, 11, 11, True),
        (0.1, 11, 110, False),
        (0.1, 12, 110, True),
        (0.5, 50, 100, False),
        (0.5, 51, 100, True),
        (0, 11, 10_000, True),
        (0, 10, 10_000, False),
        (1, 500, 500, False),
        (0.1, 0, 0, False),
    ],
)
def test_both_a_number_and_a_share_are_needed(
    configure, share, removals, standing, asks
):
    configure(MAX_REMOVAL_SHARE=share)
    run = a_run()
    if asks:
        told = f"{removals} of {standing} pages of the catalog"
        with pytest.raises(RemovalsToConfirmError, match=told):
            require_confirmation(run, removals, standing)
    else:
        require_confirmation(run, removals, standing)
    assert run.warnings == []
    require_confirmation(a_run(options=CONFIRMED), removals, standing)


def test_a_dry_run_warns_and_goes_on():
    run = a_run(dry_run=True)
    require_confirmation(run, 11, 11)
    (warning,) = run.warnings
    assert warning.startswith("11 of 11 pages of the catalog would be removed.")
    assert "asks for a confirmation" in warning


def test_pages_that_stand_are_live_or_made_by_hand(pim, publish):
    pim.product("A1")
    pim.product("A2")
    publish()
    assert standing_pages() == 4 + 2
    ProductPage.objects.first().unpublish()
    assert standing_pages() == 4 + 1
    by_hand(CategoryPage.objects.get(title="City"), live=False)
    assert standing_pages() == 4 + 1 + 1


# What counts as one, whatever makes it leave


@pytest.fixture
def families(pim: PimData, publish: Any) -> list[str]:
    """The numbers of eight products, each with one variant."""
    numbers = [f"A{number}" for number in range(8)]
    for number in numbers:
        pim.product(number)
        pim.variant(f"{number}-1", number)
    publish()
    return numbers


@pytest.fixture
def publish_asks(publish: Any) -> Callable[[], None]:
    """A run that asks before it removes, and removes nothing."""

    def run() -> None:
        shown = live()
        stopped = publish()
        assert (stopped.state, stopped.error_code) == (
            State.FAILED,
            "removals_to_confirm",
        )
        assert live() == shown

    return run


def test_variants_of_archived_products_count(families, pim, publish_asks):
    pim.archive(*families[:6])
    publish_asks()


def test_products_that_lose_their_last_variant_count(families, pim, publish_asks):
    pim.archive(*(f"{number}-1" for number in families))
    publish_asks()


def test_products_whose_time_to_deactivate_has_come_count(families, pim, publish_asks):
    for number in families:
        pim.change(number, deactivateOn="2020-01-01T00:00:00Z")
    publish_asks()


def test_archived_products_that_the_pim_lists_as_approved_count(
    families, pim, publish_asks, monkeypatch
):
    pim.archive(*families)
    # This PIM does not tell what it archived.
    monkeypatch.setattr(AssumedCalls, "archived", lambda calls, since: None)
    publish_asks()


def test_archived_products_that_a_refresh_finds_count(families, pim):
    now = timezone.now().isoformat()
    for number in families:
        product = guid("product", number)
        pim.store.patch("products", product, isArchived=True, lastPublishedOn=now)
    shown = live()
    run = runs.start("refresh_published_products", trigger=Trigger.COMMAND)
    run = runs.carry_out(run.pk)
    assert (run.state, run.error_code) == (State.FAILED, "removals_to_confirm")
    assert live() == shown


def test_translations_that_are_gone_count(
    pim,
    publish,
    publish_asks,
    configure,
    german,  # noqa: F811
):
    configure(MISSING_TRANSLATIONS="leave_out")
    numbers = [f"A{number}" for number in range(15)]
    for number in numbers:
        pim.product(number)
        pim.translate(number, GERMAN, productTitle=f"Rad {number}")
    publish()
    shown = ProductPage.objects.live().filter(locale=german)
    assert shown.count() == 15
    for number in numbers:
        pim.translate(number, GERMAN)
    publish_asks()
    assert shown.count() == 15


def test_categories_that_are_gone_count_and_products_stay_with_theirs(
    pim, publish, publish_asks
):
    for number in range(12):
        pim.category(f"Empty {number}")
    pim.product("A1", "City")
    publish()
    shown = CategoryPage.objects.live()
    assert shown.count() == 4 + 12
    for record in pim.store.find("categorytrees"):
        pim.store.delete("categorytrees", record["id"])
    publish_asks()
    assert shown.count() == 4 + 12
    publish(options=CONFIRMED)
    assert live() == {"A1"}
    assert {page.title for page in shown} == {"Bicycles", "City"}


# The option


@pytest.mark.parametrize("value", [True, "on", "True", 1])
def test_it_is_stored_in_one_form(value):
    options = job_named(JOB).checked_options({"confirm_removals": value})
    assert options == CONFIRMED


def test_what_is_not_confirmed_is_no_option():
    assert job_named(JOB).checked_options({"confirm_removals": False}) == {}


@pytest.mark.parametrize("job", ["synchronize_setup_data", JOB])
def test_other_options_are_refused(job):
    with pytest.raises(ConfigurationError, match="takes no options such as all"):
        job_named(job).checked_options({"all": True})


def test_a_job_that_removes_nothing_does_not_take_it():
    with pytest.raises(ConfigurationError):
        job_named("synchronize_setup_data").checked_options(CONFIRMED)


def test_a_refresh_takes_it_beside_its_lookback():
    refresh = job_named("refresh_published_products")
    options = {**CONFIRMED, "lookback_days": 3}
    assert refresh.checked_options(options) == options


# Who goes on with whose confirmation


def test_the_next_run_is_asked_again(emptied, publish):
    run = runs.start(JOB, trigger=Trigger.COMMAND, options=CONFIRMED)
    assert runs.carry_out(run.pk).state == State.SUCCEEDED
    for number in range(12):
        emptied.product(f"B{number}")
    publish()
    for number in range(12):
        emptied.store.delete("products", guid("product", f"B{number}"))
    run = runs.start(JOB, trigger=Trigger.COMMAND)
    assert runs.carry_out(run.pk).error_code == "removals_to_confirm"


def test_a_confirmed_run_that_was_interrupted_is_gone_on_with_as_it_was():
    first = a_run(state=State.INTERRUPTED, options=CONFIRMED)
    assert runs.interrupted_runs() == [first]
    assert runs.interrupted_run(JOB) is None
    run = runs.start(JOB, trigger=Trigger.COMMAND, options=CONFIRMED)
    assert run.resumes == first
    assert not is_confirmation_stale(run)


def test_it_is_not_gone_on_with_after_another_run():
    first = a_run(state=State.INTERRUPTED, options=CONFIRMED)
    a_run(dry_run=True)
    assert not is_confirmation_stale(first)
    a_run(state=State.FAILED, error_code="removals_to_confirm")
    assert is_confirmation_stale(first)
    assert runs.interrupted_runs() == []
    run = runs.start(JOB, trigger=Trigger.COMMAND, options=CONFIRMED)
    assert run.resumes is None


def test_a_schedule_does_not_confirm(emptied, mailoutbox, configure):
    configure(NOTIFICATION_EMAILS="ops@example.com")
    a_run(state=State.INTERRUPTED, options=CONFIRMED, trigger=Trigger.SCHEDULE)
    JobSchedule.objects.create(
        job=JOB, enabled=True, cron="* * * * *", due_at="2026-01-01T00:00:00Z"
    )
    (run,) = start_due()
    assert (run.options, run.resumes) == ({}, None)
    assert (run.state, run.error_code) == (State.FAILED, "removals_to_confirm")
    assert ProductPage.objects.live().count() == 12
    mail = mailoutbox[-1]
    assert "12 of 16 pages of the catalog would be removed" in mail.body
    assert "--confirm-removals" in mail.body


# The command line


def test_the_command_confirms(emptied, pim_command):  # noqa: F811
    result = pim_command("run", JOB)
    assert result.code == 1
    assert "--confirm-removals" in result.output
    dry_run = pim_command("run", JOB, "--dry-run", "--confirm-removals", "--json")
    assert (dry_run.code, dry_run.json()["removed"]) == (0, 12)
    result = pim_command("run", JOB, "--confirm-removals", "--json")
    assert result.code == 0
    assert result.json()["options"] == CONFIRMED
    assert not ProductPage.objects.live().exists()
