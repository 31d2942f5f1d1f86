"""An editor sees beside the page what the PIM holds of it, and refreshes it."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from wagtail_pim.models import ProductPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture
def product(pim, publish) -> ProductPage:
    pim.product("A1", "City", also_in=["Helmets"], Summary="Old")
    publish()
    return ProductPage.objects.get(product_number="A1").specific


@pytest.fixture
def editor(admin_page: Page, product) -> Page:
    admin_page.goto(reverse("wagtailadmin_pages:edit", args=[product.pk]))
    return admin_page


def open_panel(page: Page) -> None:
    """With the keyboard alone."""
    toggle = page.get_by_role("button", name="Toggle PIM")
    toggle.focus()
    page.keyboard.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")


def test_the_panel_opens_and_refreshes_by_keyboard(editor: Page, product, pim):
    page = editor
    panel = page.locator("[data-side-panel=pim]")
    expect(panel).to_be_hidden()
    open_panel(page)
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("Published")
    expect(panel.get_by_role("link", name="Helmets")).to_be_visible()
    expect(panel.get_by_role("link", name="Open in the PIM")).to_be_visible()

    pim.change("A1", Summary="New", status="Published")
    panel.get_by_role("button", name="Refresh this product now").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("was refreshed from the PIM")
    expect(panel).to_be_visible()
    expect(page.locator("main")).to_contain_text("New")
    product.refresh_from_db()
    assert product.summary == "New"


def test_unsaved_text_is_not_lost_without_a_question(editor: Page, product, pim):
    """The editor may stay; then nothing is asked of the PIM, and the text is there."""
    page = editor
    pim.change("A1", Summary="New", status="Published")
    # As if autosave had not come yet.
    page.route("**/edit/", lambda route: route.abort())
    # Wagtail takes what stands in the form after two seconds for unchanged.
    page.wait_for_timeout(2500)
    page.get_by_role("tab", name="Promote").click()
    title_tag = page.get_by_label("Title tag")
    title_tag.fill("My words")
    open_panel(page)
    asked: list[str] = []

    def stay(dialog):
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_role("button", name="Refresh this product now").click()
    page.wait_for_timeout(1000)
    expect(title_tag).to_have_value("My words")
    assert asked == ["beforeunload"]
    product.refresh_from_db()
    assert product.summary == "Old"


def test_the_panel_fits_a_phone(editor: Page):
    page = editor
    page.set_viewport_size({"width": 390, "height": 800})
    open_panel(page)
    button = page.get_by_role("button", name=re.compile("Refresh this product"))
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
