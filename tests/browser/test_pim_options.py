"""An administrator sets the site up to reach its PIM, as a person would."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from sandbox_site.pim.server import PimServer
from wagtail_pim.models import PIMOptions

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


@pytest.fixture
def pim(tmp_path):
    with PimServer(tmp_path / "pim.sqlite3") as server:
        server.store.generate(3)
        yield server


def test_an_administrator_tests_corrects_and_saves_the_options(
    admin_page: Page, pim: PimServer, settings
):
    settings.WAGTAIL_PIM = {"MAX_ATTEMPTS": 1}
    key = pim.store.credentials().write
    page = admin_page
    page.goto("/admin/settings/wagtail_pim/pimoptions/")
    page.get_by_label("API address").fill(pim.url)
    page.get_by_label("Application key").fill(key.app_key)
    page.get_by_label("Secret key").fill(key.secret_key[:-8] + "AAAAAAA=")

    page.get_by_role("button", name="Test connection").click()
    findings = page.locator("[data-pim-findings]")
    expect(findings).to_contain_text("does not accept the application key")

    page.get_by_label("Secret key").fill(key.secret_key)
    page.get_by_role("button", name="Test connection").click()
    expect(findings).to_contain_text("accepts the key")
    expect(findings).to_contain_text("The PIM publishes to Sandbox")
    assert not PIMOptions.objects.filter(app_key=key.app_key).exists()

    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("PIM options updated")).to_be_visible()
    assert key.secret_key not in page.content()
    expect(page.get_by_label("Secret key")).to_have_value("")
    assert PIMOptions.objects.get().secret_key == key.secret_key

    page.get_by_role("button", name="Test connection").click()
    expect(findings).to_contain_text("accepts the key")
