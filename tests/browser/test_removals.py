"""The way of an admin whose page was discarded: from the run's record to the editor."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from wagtail.models import Page as WagtailPage

from sandbox_site.shop.models import BicyclePage
from wagtail_pim.models import JobRun

from .test_runs import assert_accessible, assert_fits

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("refilled_database"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]


def test_a_discarded_page_is_restored(admin_page: Page, pim: Any, publish: Any) -> None:
    publish()
    WagtailPage.objects.get(title="City").add_child(
        instance=BicyclePage(title="Made by hand", slug="h1", product_number="H1")
    )
    run: JobRun = publish()
    page = admin_page
    page.goto(f"/admin/pim/runs/{run.pk}/")
    row = page.get_by_role("row").filter(has_text="Made by hand")
    expect(row).to_contain_text("it can be restored")
    assert_accessible(page)
    assert_fits(page)
    row.get_by_role("button", name="Restore Made by hand").click()
    expect(page.get_by_text("“Made by hand” is restored as a draft.")).to_be_visible()
    expect(page.get_by_text("deletes it again")).to_be_visible()
    assert not BicyclePage.objects.get().live
