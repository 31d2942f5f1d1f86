"""Refresh published products from the admin: how far back, and the question before."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_runs import assert_accessible, assert_fits, open_jobs
from wagtail_pim.jobs import RefreshPublishedProducts
from wagtail_pim.models import JobRun, ProductPage
from wagtail_pim.models.runs import State

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("refilled_database"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

JOB = RefreshPublishedProducts.name


@pytest.fixture
def shop(pim: Any, site: Any, configure: Any) -> Any:
    """One product that was published long ago."""
    pim.product("A1", status="Published", lastPublishedOn="2020-01-01T12:00:00Z")
    return pim


def card(page: Page) -> Locator:
    return page.locator(f"#pim-job-{JOB}-section")


def facts(page: Page) -> Locator:
    return page.locator(".pim-run__facts")


def test_all_published_products_on_a_new_site(admin_page: Page, shop):
    page = admin_page
    open_jobs(page)
    card(page).get_by_text("How far back").click()
    expect(card(page)).to_contain_text("lookback days in the PIM options (5)")
    days = card(page).get_by_label("Published in the last … days")
    days.fill("30")
    card(page).get_by_label("Or all published products").check()
    assert_accessible(page)
    assert_fits(page)

    card(page).get_by_role("button", name="Run now").click()
    expect(page.get_by_role("status").first).to_contain_text("set one of")
    assert not JobRun.objects.exists()

    # What was given before is not there, folded away, when the page comes back.
    card(page).get_by_text("How far back").click()
    expect(card(page).get_by_label("Published in the last … days")).to_have_value("")
    card(page).get_by_label("Or all published products").check()
    card(page).get_by_role("button", name="Dry run").click()
    expect(facts(page)).to_contain_text("All published products")
    assert not ProductPage.objects.exists()

    open_jobs(page)
    card(page).get_by_text("How far back").click()
    card(page).get_by_label("Or published since").fill("2019-12-31")
    card(page).get_by_role("button", name="Run now").click()
    expect(facts(page)).to_contain_text("Published since 2019-12-31 (UTC)")
    assert_accessible(page)
    assert_fits(page)
    assert ProductPage.objects.get().title == "Title of A1"


def test_in_production_it_asks_once_more(admin_page: Page, shop, configure):
    page = admin_page
    configure(ENVIRONMENT="Production")
    open_jobs(page)
    card(page).get_by_text("How far back").click()
    card(page).get_by_label("Or all published products").check()
    card(page).get_by_role("button", name="Run now").click()
    main = page.locator("main")
    expect(main).to_contain_text("meant for test and development sites")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Go back").click()
    page.wait_for_url("**" + reverse("wagtail_pim:jobs"))
    assert not JobRun.objects.exists()

    card(page).get_by_text("How far back").click()
    card(page).get_by_label("Or all published products").check()
    card(page).get_by_role("button", name="Run now").click()
    page.get_by_role("button", name="Start all the same").click()
    expect(facts(page)).to_contain_text("All published products")
    assert JobRun.objects.get().state == State.SUCCEEDED
    assert ProductPage.objects.get().title == "Title of A1"
