"""Editors at work on pages whose catalog values the PIM owns, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Locator, Page, Response, expect
from wagtail.models import PageLogEntry, Revision

from sandbox_site.shop.models import BicyclePage
from tests.jobs.test_publish_approved_products import BICYCLE_VALUES
from tests.locking import conftest as locking
from tests.trial.models import TrialProductPage
from wagtail_pim.locking.ownership import owned_fields

pytestmark = [
    pytest.mark.browser,
    # What migrations made is there again after each flush: locale, root page, site.
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

trial_page = locking.trial_page
hand_made_page = locking.hand_made_page

PHONE = {"width": 390, "height": 844}
EDITABLE = "input, select, textarea, button, [contenteditable=true], [role=textbox]"

WATCHING = """
    document.addEventListener("w-unsaved:watch-edits", () => {
        window.isWatchingEdits = true;
    });
    document.addEventListener("w-autosave:save", () => {
        window.isWatchingEdits = false;
    });
"""


@pytest.fixture
def refusals(admin_page: Page) -> Iterator[list[str]]:
    """What the server refuses, as it does a save that comes too late."""
    found: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 400 and "/admin/" in response.url:
            found.append(f"{response.status} {response.url}")

    admin_page.on("response", note)
    yield found
    assert not found


def open_editor(page: Page, edited: Any) -> None:
    page.add_init_script(WATCHING)
    page.goto(reverse("wagtailadmin_pages:edit", args=[edited.pk]))
    page.wait_for_load_state("networkidle")
    wait_until_watching(page)


def wait_until_watching(page: Page) -> None:
    """Until Wagtail has noted what the form holds; it takes earlier edits for that."""
    page.wait_for_function("window.isWatchingEdits")


def tabs(page: Page) -> list[Locator]:
    """The tabs of the edit form; the first is open."""
    found = page.locator("form[data-edit-form] [role=tablist]").first
    return found.get_by_role("tab").all()


# While a sync runs


@pytest.fixture
def bicycle(pim: Any, publish: Any) -> BicyclePage:
    pim.product("A1", "City", productTitle="Diamond 8", **BICYCLE_VALUES)
    publish()
    return BicyclePage.objects.get(product_number="A1")


def press_publish(page: Page) -> None:
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_text("published.").first).to_be_visible()


def type_and_autosave(page: Page, label: str, text: str) -> None:
    with page.expect_response(
        lambda response: response.request.method == "POST" and "/edit/" in response.url
    ) as saved:
        page.get_by_label(label, exact=True).select_text()
        page.keyboard.type(text)
    assert saved.value.ok, saved.value.text()
    assert saved.value.json()["success"] is True
    wait_until_watching(page)


def latest_content(page: BicyclePage) -> dict[str, Any]:
    return Revision.objects.for_instance(page).latest("pk").content


def test_what_an_editor_publishes_and_what_a_sync_brings_meanwhile_both_stay(
    admin_page, refusals, pim, publish, bicycle, settings
):
    settings.WAGTAIL_AUTOSAVE_INTERVAL = 0
    page = admin_page
    open_editor(page, bicycle)
    page.get_by_role("tab", name="Campaign").click()
    page.get_by_label("Campaign text", exact=True).fill("Spring offer")

    pim.change("A1", Summary="Newly described", Price=999, productTitle="Diamond 9")
    publish()
    press_publish(page)

    bicycle.refresh_from_db()
    assert bicycle.campaign_text == "Spring offer"
    assert (bicycle.summary, bicycle.price) == ("Newly described", 999)
    assert (bicycle.title, bicycle.draft_title) == ("Diamond 9", "Diamond 9")
    assert bicycle.pim_link.version == 2
    assert bicycle.live
    assert not bicycle.has_unpublished_changes


def test_autosave_goes_on_after_a_sync_and_a_draft_stays_a_draft(
    admin_page, refusals, pim, publish, bicycle
):
    page = admin_page
    open_editor(page, bicycle)
    page.get_by_role("tab", name="Campaign").click()
    type_and_autosave(page, "Campaign text", "Spring")

    pim.change("A1", Summary="Newly described", productTitle="Diamond 9")
    publish()

    bicycle.refresh_from_db()
    assert bicycle.has_unpublished_changes
    assert (bicycle.campaign_text, bicycle.summary) == ("", "Newly described")
    assert latest_content(bicycle)["campaign_text"] == "Spring"

    type_and_autosave(page, "Campaign text", "Spring offer")
    type_and_autosave(page, "Badge", "New")

    bicycle.refresh_from_db()
    assert bicycle.has_unpublished_changes
    assert (bicycle.campaign_text, bicycle.summary) == ("", "Newly described")
    assert bicycle.title == "Diamond 9"
    draft = latest_content(bicycle)
    assert (draft["campaign_text"], draft["badge"]) == ("Spring offer", "New")
    assert not PageLogEntry.objects.filter(
        page=bicycle, action="wagtail.publish", user__isnull=False
    ).exists()

    press_publish(page)
    bicycle.refresh_from_db()
    assert (bicycle.campaign_text, bicycle.badge) == ("Spring offer", "New")
    assert (bicycle.summary, bicycle.title) == ("Newly described", "Diamond 9")
    assert not bicycle.has_unpublished_changes


# No control, but within reach


def test_no_locked_value_can_be_edited_in_any_tab(admin_page, refusals, trial_page):
    page = admin_page
    open_editor(page, trial_page)
    shown = 0
    for tab in tabs(page):
        tab.click()
        locked = page.locator(".pim-locked:visible")
        shown += locked.count()
        assert locked.locator(EDITABLE).count() == 0
    # All but the one in the dialog, and primary_image, which has no panel.
    owned = owned_fields(TrialProductPage)
    assert shown == len(owned) - 2

    names = page.locator("form[data-edit-form] [name]").evaluate_all(
        "controls => controls.map(control => control.name)"
    )
    assert {"note", "campaign"} <= set(names)
    assert owned.isdisjoint(name.split("-")[0] for name in names)


def test_the_schedule_dialog_locks_the_expiry_alone(admin_page, refusals, trial_page):
    page = admin_page
    open_editor(page, trial_page)
    page.get_by_role("button", name="Toggle status").click()
    page.get_by_role("button", name=re.compile("(Set|Edit) schedule")).click()
    dialog = page.get_by_role("dialog", name="Set publishing schedule")
    expect(dialog.locator("[name=go_live_at]")).to_be_editable()
    expect(dialog.locator(".pim-locked")).to_contain_text("Dec. 31, 2099")
    expect(dialog.locator(".pim-locked")).to_contain_text("Managed in PIM")
    assert dialog.locator(".pim-locked").locator(EDITABLE).count() == 0


def test_all_locked_values_are_reached_with_the_keyboard(
    admin_page, refusals, trial_page
):
    page = admin_page
    open_editor(page, trial_page)
    waiting = set(
        page.locator(".pim-locked__value:visible").evaluate_all(
            "values => values.map(value => value.id)"
        )
    )
    assert len(waiting) > 20
    tabs(page)[0].focus()
    for _press in range(200):
        page.keyboard.press("Tab")
        waiting.discard(page.evaluate("document.activeElement.id"))
        if not waiting:
            break
    assert not waiting


# Accessibility


# A locked value with its panel's heading, and all else of this app.
OURS = """
    [class*=pim-],
    .w-panel:has(> .w-panel__content > .pim-locked),
    .w-panel__wrapper:has(> .pim-locked)
"""


class Fault(NamedTuple):
    rule: str
    is_ours: bool
    html: str


def serious_faults(page: Page) -> list[Fault]:
    """What axe calls serious or critical in the form and the side panels."""
    found = Axe().run(
        page, context={"include": [["form[data-edit-form]"], ["[data-form-side]"]]}
    )
    assert found.response["passes"] or found.response["violations"]
    return [
        Fault(violation["id"], is_ours(page, node["target"]), node["html"])
        for violation in found.response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def is_ours(page: Page, target: list[str]) -> bool:
    return page.evaluate(
        "([target, ours]) => !!document.querySelector(target)?.closest(ours)",
        [target[-1], OURS],
    )


def faults_in_all_tabs(page: Page, edited: Any) -> list[Fault]:
    open_editor(page, edited)
    found = []
    for tab in tabs(page):
        tab.click()
        found += serious_faults(page)
    page.get_by_role("button", name="Toggle status").click()
    return found + serious_faults(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_locked_editor_has_no_serious_fault_that_wagtails_own_has_not(
    admin_page, trial_page, hand_made_page, theme
):
    page = admin_page
    page.emulate_media(color_scheme=theme)
    wagtails_own = {fault.rule for fault in faults_in_all_tabs(page, hand_made_page)}
    found = faults_in_all_tabs(page, trial_page)
    ours = [fault for fault in found if fault.is_ours or fault.rule not in wagtails_own]
    assert not ours, f"Wagtail's own, without a lock: {sorted(wagtails_own)}"


# On a phone


def test_a_phone_shows_the_editor_without_scrolling_sideways(
    admin_page, refusals, trial_page
):
    long = "Unbreakable" * 30
    TrialProductPage.objects.filter(pk=trial_page.pk).update(
        text=long[:100],
        long_text=long,
        rich_text=f"<p>{long}</p><table><tr><td>{'</td><td>'.join('abcdefghij')}"
        "</td></tr></table>",
        address=f"https://example.com/{long[:150]}",
        data=[{f"Column {number}": long for number in range(10)}],
    )
    page = admin_page
    page.set_viewport_size(PHONE)
    open_editor(page, trial_page)
    for tab in tabs(page):
        tab.click()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"]
        for value in page.locator(".pim-locked__value:visible").all():
            box = value.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= PHONE["width"]
