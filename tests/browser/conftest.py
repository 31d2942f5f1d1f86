"""A Chromium that is logged in to the admin of a live site."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Browser, Page, sync_playwright

# Playwright's own event loop runs in this thread.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file: there the server's threads have connections of their own.

    In memory all share one, and a request that is still under way when a test ends
    fails instead of waiting its turn.
    """
    if connection.vendor == "sqlite":
        path = tmp_path_factory.mktemp("database") / "site.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(path)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "browser tests need Chromium (apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A page of its own context; script errors fail the test."""
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 1280, "height": 900}
    )
    # Nothing outside the machine is asked: avatars, release notes.
    context.route(
        lambda url: not url.startswith(live_server.url), lambda route: route.abort()
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors


@pytest.fixture
def admin_page(page: Page, admin_user: Any) -> Page:
    page.goto("/admin/login/")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", "password")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    return page


@pytest.fixture(autouse=True)
def quiet_session(settings: Any, page: Page) -> None:
    """The test shares the server's connection: nothing is asked while it works."""
    settings.WAGTAIL_EDITING_SESSION_PING_INTERVAL = 600_000
    page.route("**/editing-sessions/release/**", lambda route: route.abort())
