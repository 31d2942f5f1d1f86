"""The screen "Field mapping" on a phone, on a desk and on paper."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.pim_data import WEBSITE
from wagtail_pim.jobs import SynchronizeSetupData, runs
from wagtail_pim.models import JobRun, RelationshipType
from wagtail_pim.models.runs import Trigger

from .test_runs import assert_accessible, assert_fits

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("refilled_database"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture
def every_state(pim, site, configure) -> Any:
    """A PIM of which each state can be seen, and trees mapped badly."""
    run = runs.start(SynchronizeSetupData.name, trigger=Trigger.COMMAND)
    runs.carry_out(run.pk)
    pim.property("Weight", "Text Field", label="A_name_that_never_ends_" * 8)
    pim.property("Legacy_" * 20)
    made = pim.store.find("properties", name="Ratio")[0]
    pim.store.delete("properties", made["id"])
    pim.website("Outlet")
    pim.taxonomy("Both", [WEBSITE, "Outlet"])
    pim.taxonomy("Lonely", [])
    RelationshipType.objects.create(name="Upsell")
    return pim


def open_mapping(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_role("button", name="PIM", exact=True).click()
    page.get_by_role("link", name="Field mapping", exact=True).click()
    page.wait_for_url("**" + reverse("wagtail_pim:mapping"))


def test_from_the_menu_over_a_filter_to_a_dry_run(admin_page: Page, every_state):
    page = admin_page
    open_mapping(page)
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Conflict", exact=True).click()
    weight = page.get_by_role("row", name="Weight (kg)").first
    expect(weight).to_contain_text("the property “Weight” is text")
    expect(page.get_by_role("row", name="Ratio")).to_have_count(0)
    assert_accessible(page)
    page.get_by_role("button", name="Dry run of Synchronize setup data").click()
    page.wait_for_url("**/runs/**")
    assert JobRun.objects.get(dry_run=True).job == SynchronizeSetupData.name


def test_it_fits_without_the_pim(admin_page: Page, site, configure):
    configure(API_ADDRESS="http://127.0.0.1:9/")
    open_mapping(admin_page)
    expect(admin_page.get_by_text("The PIM could not be read.")).to_be_visible()
    assert_accessible(admin_page)
    assert_fits(admin_page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_printed_without_what_surrounds_it(admin_page: Page, every_state, scheme):
    page = admin_page
    page.emulate_media(color_scheme=scheme)
    open_mapping(page)
    section = page.locator("#pim-mapping-shopbicyclepage-section")
    section.get_by_role("button", name="Toggle section").click()
    around = [
        page.get_by_role("link", name="Images", exact=True),
        page.locator(".w-slim-header"),
        page.get_by_role("navigation", name="Filter by state"),
        page.get_by_role("button", name="Print"),
        page.get_by_role("button", name="Dry run of Synchronize setup data"),
    ]
    for element in around:
        expect(element).to_be_visible()

    page.emulate_media(media="print", color_scheme=scheme)
    # The width of A4 across, less its margins.
    page.set_viewport_size({"width": 1032, "height": 700})
    for element in around:
        expect(element).to_be_hidden()
    # Also what is folded up, and what is further down than the window reaches.
    expect(section.get_by_role("row", name="Weight (kg)")).to_be_visible()
    looks = page.evaluate(
        """() => {
            const style = getComputedStyle;
            const cells = [...document.querySelectorAll('.pim-mapping td')];
            const wide = (e) => e.scrollWidth > e.clientWidth;
            return {
                colours: [...new Set(cells.map((c) => style(c).color))],
                grounds: [...new Set(cells.map((c) => style(c).backgroundColor))],
                heads: style(document.querySelector('.pim-mapping thead')).display,
                cut: [...document.querySelectorAll('.pim-mapping__scroll')].some(wide),
                inner: document.querySelector('main').scrollHeight,
                whole: document.documentElement.scrollHeight,
            };
        }"""
    )
    assert looks["colours"] == ["rgb(0, 0, 0)"]
    assert looks["grounds"] == ["rgba(0, 0, 0, 0)"]
    assert looks["heads"] == "table-header-group"
    assert not looks["cut"]
    assert looks["whole"] >= looks["inner"] > 5000
    assert page.pdf().count(b"/Type /Page\n") > 5


def test_the_button_prints(admin_page: Page, every_state):
    page = admin_page
    page.add_init_script("window.print = () => { window.printed = true; };")
    open_mapping(page)
    page.get_by_role("button", name="Print").click()
    assert page.evaluate("window.printed")
