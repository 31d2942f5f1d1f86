"""The way of an admin: from the menu to a dry run, a run, a failed record, a retry."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect
from wagtail.users.models import UserProfile

from tests.pim_data import guid
from wagtail_pim.jobs import PublishApprovedProducts, runs
from wagtail_pim.models import JobRun, ProductPage
from wagtail_pim.models.runs import State, Trigger

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("refilled_database"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

JOB = PublishApprovedProducts.name
# What a batch asks of the PIM.
BATCH = "id+in"
ENDED = 20_000
# The menu moves aside, or comes back, when the window changes.
SETTLED = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    await frame();
    const moving = document.getAnimations().filter((a) => a instanceof CSSTransition);
    await Promise.allSettled(moving.map((a) => a.finished));
}"""


@pytest.fixture
def worker(settings: Any) -> Iterator[None]:
    """Takes up what waits, beside the site."""
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.1):
            waiting = JobRun.objects.filter(state=State.QUEUED).first()
            if waiting is not None:
                runs.carry_out(waiting.pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    ended.set()
    thread.join()


@pytest.fixture
def batches(pim_server: Any, configure: Any) -> Iterator[Callable[[], None]]:
    """Each batch of one product waits at the PIM until the test lets it pass."""
    configure(BATCH_SIZE=1)
    gate = threading.Semaphore(0)
    pim_server.faults.before(BATCH, lambda: gate.acquire(timeout=30), times=None)
    yield gate.release
    gate.release(100)


def open_run(page: Page, run: JobRun) -> None:
    page.goto(reverse("wagtail_pim:run", args=[run.pk]))


def start() -> JobRun:
    return runs.start(JOB, trigger=Trigger.COMMAND)


def state_of(page: Page) -> Locator:
    return page.locator("#pim-run-heading .pim-state")


def records_of(page: Page) -> Locator:
    return page.locator("#listing-results table tbody").first


def assert_accessible(page: Page) -> None:
    """Apart from what Wagtail's own templates have."""
    found = Axe().run(page).response["violations"]
    own = [v for v in found if v["id"] != "aria-allowed-role"]
    assert own == [], [(v["id"], [n["target"] for n in v["nodes"]]) for v in own]


def assert_fits(page: Page) -> None:
    """On a phone and on a desk; what is too wide for Wagtail's main is cut off."""
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(SETTLED)
        main = page.locator("main")
        needed, there = main.evaluate("m => [m.scrollWidth, m.clientWidth]")
        assert needed <= there, f"{page.url} at {width}"


def open_jobs(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_role("button", name="PIM", exact=True).click()
    page.get_by_role("link", name="Jobs", exact=True).click()
    page.wait_for_url("**" + reverse("wagtail_pim:jobs"))


def card(page: Page) -> Locator:
    return page.locator(f"#pim-job-{JOB}-section")


def test_from_the_menu_to_a_retry(admin_page: Page, pim, publish, worker):
    page = admin_page
    pim.product("A1", Summary="Old words")
    publish()
    pim.change("A1", Summary="New words")
    pim.template("Unheard of")
    pim.product("BAD", template="Unheard of")

    open_jobs(page)
    card(page).get_by_role("button", name="Dry run").click()
    expect(state_of(page)).to_contain_text("failed items", timeout=ENDED)
    expect(page.locator(".pim-run")).to_contain_text("A dry run changes nothing")
    page.get_by_text("1 difference").click()
    difference = page.get_by_role("row", name="Summary Old words New words")
    expect(difference).to_be_visible()
    assert_accessible(page)
    assert ProductPage.objects.get().specific.summary == "Old words"

    open_jobs(page)
    card(page).get_by_role("button", name="Run now").click()
    expect(state_of(page)).to_contain_text("failed items", timeout=ENDED)
    expect(records_of(page)).to_contain_text("A1")
    assert ProductPage.objects.get().specific.summary == "New words"
    page.get_by_role("link", name="1 record needs attention").click()
    expect(records_of(page)).to_contain_text("no page type for its template")
    expect(records_of(page)).not_to_contain_text("A1")

    pim.change("BAD", templateId=guid("template", "Bicycle"), templateName="Bicycle")
    page.get_by_role("button", name="Retry 1 product").click()
    expect(state_of(page)).to_contain_text("succeeded", timeout=ENDED)
    expect(page.locator(".pim-run")).to_contain_text("Only products")
    expect(records_of(page)).to_contain_text("created")
    assert pim.status("BAD") == "Published"

    page.get_by_role("link", name="Title of BAD").click()
    expect(page.get_by_role("heading", name="Title of BAD").first).to_be_attached()


def test_progress_moves_by_itself_and_the_records_come_in_the_end(
    admin_page: Page, pim, publish, batches, worker
):
    page = admin_page
    for n in range(4):
        pim.product(f"A{n}")
    open_run(page, start())
    bar = page.get_by_role("progressbar", name="Progress")
    live = page.locator("[data-run-live]")
    expect(bar).to_have_attribute("max", "4", timeout=ENDED)
    for done in (1, 2):
        batches()
        expect(bar).to_have_attribute("value", str(done), timeout=ENDED)
        expect(live).to_contain_text(f"{done} of 4 records")
    expect(live).to_contain_text("left")
    expect(page.get_by_role("status").last).to_have_text("50 percent done")
    assert_accessible(page)
    assert_fits(page)
    # The button is the same all the while: who stands on it stays there.
    stop = page.get_by_role("button", name="Stop")
    stop.focus()
    batches()
    expect(bar).to_have_attribute("value", "3", timeout=ENDED)
    expect(stop).to_be_focused()
    # So does who stands on a count, though it is another.
    page.get_by_role("link", name="3", exact=True).focus()
    updated = live.element_handle()
    page.wait_for_function("live => !live.isConnected", arg=updated)
    expect(page.get_by_role("link", name="3", exact=True)).to_be_focused()
    batches()
    expect(state_of(page)).to_contain_text("succeeded", timeout=ENDED)
    expect(page.locator(".pim-run")).to_be_focused()
    expect(bar).to_have_count(0)
    for n in range(4):
        expect(records_of(page)).to_contain_text(f"A{n}")
    assert_fits(page)


def test_stop_stops_after_the_batch(admin_page: Page, pim, publish, batches, worker):
    page = admin_page
    for n in range(3):
        pim.product(f"A{n}")
    run = start()
    open_run(page, run)
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("max", "3", timeout=ENDED)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-run-live]")).to_contain_text(
        "ends after the current batch"
    )
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()
    batches()
    expect(state_of(page)).to_contain_text("stopped", timeout=ENDED)
    assert ProductPage.objects.count() == 1
    run.refresh_from_db()
    assert run.state == State.STOPPED


def test_a_lost_connection_is_told_and_comes_back(
    admin_page: Page, pim, publish, batches, worker
):
    page = admin_page
    pim.product("A1")
    open_run(page, start())
    expect(page.get_by_role("progressbar")).to_have_attribute("max", "1", timeout=ENDED)
    trouble = page.get_by_text("The connection to the site is lost")
    page.route("**/progress/", lambda route: route.abort())
    expect(trouble).to_be_visible(timeout=ENDED)
    page.unroute("**/progress/")
    batches()
    expect(state_of(page)).to_contain_text("succeeded", timeout=ENDED)
    expect(trouble).to_be_hidden()


def test_who_was_logged_out_is_told_to_reload(admin_page: Page, publish):
    page = admin_page
    open_run(page, start())
    expect(page.locator("[data-run-live]")).to_contain_text("waits for a worker")
    page.context.clear_cookies()
    expect(page.get_by_text("Reload the page")).to_be_visible(timeout=ENDED)


def test_the_lists_are_searched_and_fit(admin_page: Page, pim, publish):
    page = admin_page
    pim.product("A1", Summary="Old")
    pim.product("B1", "Helmets", template="Helmet")
    publish()
    page.goto(reverse("pim_runs_modeladmin_index"))
    assert_accessible(page)
    assert_fits(page)
    page.goto(reverse("pim_products_modeladmin_index"))
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("textbox", name="Search term").fill("A1")
    expect(page.get_by_text("There is 1 match")).to_be_visible()
    expect(records_of(page)).not_to_contain_text("B1")

    pim.change("A1", Summary="New", status="Published")
    page.get_by_role("button", name="Refresh now A1").click()
    message = page.get_by_role("status").first
    expect(message).to_contain_text("was refreshed from the PIM")
    page.wait_for_url("**/pim/products/?q=A1")


def test_longer_words_fit_too(admin_page: Page, admin_user, pim, publish):
    page = admin_page
    UserProfile.objects.update_or_create(
        user=admin_user, defaults={"preferred_language": "de"}
    )
    pim.template("Unheard of")
    pim.product("BAD", template="Unheard of")
    pim.product("A1", Summary="Words")
    run = publish()
    for address in (
        reverse("pim_runs_modeladmin_index"),
        reverse("pim_products_modeladmin_index"),
        reverse("wagtail_pim:jobs"),
        reverse("wagtail_pim:schedule", args=[JOB]),
        reverse("wagtail_pim:run", args=[run.pk]),
    ):
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == "de"
        assert_fits(page)
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(reverse("wagtail_pim:jobs"))
    for heading in page.locator(".pim-job .w-panel__heading").all():
        assert heading.evaluate("h => h.scrollWidth <= h.clientWidth")


def test_an_older_explanation_of_a_schedule_gives_way_to_a_newer_one(
    admin_page: Page, configure
):
    page = admin_page
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.goto(reverse("wagtail_pim:schedule", args=[JOB]))
    page.route("**/schedule/meaning/**", hold_the_first)
    field = page.locator("[name=cron]")
    explained = page.locator("[data-pim-schedule]")
    with page.expect_request("**/schedule/meaning/**"):
        field.fill("0 3 * * *")
    field.fill("0 4 * * *")
    expect(explained).to_contain_text("At 04:00")
    with page.expect_response("**/schedule/meaning/?cron=0+3*"):
        held[0].continue_()
    page.wait_for_load_state("networkidle")
    expect(explained).to_contain_text("At 04:00")

    page.unroute("**/schedule/meaning/**")
    page.route("**/schedule/meaning/**", lambda route: route.abort())
    field.fill("0 5 * * *")
    expect(explained).to_have_text("This could not be loaded. Reload the page.")
