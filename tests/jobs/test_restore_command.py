"""``manage.py pim restore``, and the list of what a run has removed."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError
from wagtail.models import Page

from sandbox_site.shop.models import BicyclePage
from tests.admin.test_removals import deleted  # noqa: F401
from tests.jobs.test_command import pim_command  # noqa: F401


@pytest.fixture
def item(deleted: Any) -> Any:  # noqa: F811
    deleted.run.items.create(
        kind="product", number="A1", title="Archived", outcome="removed"
    )
    return deleted


def test_removed_pages_are_listed_with_their_ids(item, pim_command):  # noqa: F811
    result = pim_command("runs", str(item.run_id), "--removed")
    rows = [
        [cell.strip() for cell in line.split("│")] for line in result.output.split("\n")
    ]
    assert ["", str(item.pk), "product", "H1", "Made by hand", "yes", ""] in rows
    assert ["Archived", "no"] in [row[-3:-1] for row in rows]
    told = pim_command("runs", str(item.run_id), "--removed", "--json").json()
    assert [(each["id"], each["restorable"]) for each in told["items"]] == [
        (item.pk, True),
        (item.pk + 1, False),
    ]


def test_a_run_that_removed_nothing_says_so(pim, publish, pim_command):  # noqa: F811
    run = publish()
    assert "removed nothing" in pim_command("runs", str(run.pk), "--removed").output


def test_the_list_is_of_a_run(item, pim_command):  # noqa: F811
    with pytest.raises(CommandError, match="Say of which run"):
        pim_command("runs", "--removed")


def test_a_page_is_restored_where_it_was(item, pim_command):  # noqa: F811
    item.content["data"]["brand"] = 77
    item.save()
    output = pim_command("restore", str(item.pk)).output
    page = BicyclePage.objects.get()
    assert page.get_parent().title == "City"
    assert f"page {page.pk}, {page.url_path}" in output
    assert "left out: brand: brand 77" in output
    assert "deletes it again" in output
    with pytest.raises(CommandError, match="restored already"):
        pim_command("restore", str(item.pk))


@pytest.mark.parametrize("how", ["id", "path", "bare path"])
def test_a_page_is_restored_below_another(item, pim_command, how):  # noqa: F811
    parent = Page.objects.get(title="Touring")
    name = {
        "id": str(parent.pk),
        "path": parent.url_path,
        "bare path": parent.url_path.strip("/"),
    }[how]
    told = pim_command("restore", str(item.pk), "--parent", name, "--json").json()
    page = BicyclePage.objects.get()
    assert told == {"page": page.pk, "url_path": page.url_path, "gone": []}
    assert page.get_parent().pk == parent.pk


def test_what_is_not_there_is_told(item, pim_command):  # noqa: F811
    for arguments, told in (
        (["0" * 3 + "9" * 9], "There is no record"),
        ([str(item.pk), "--parent", "/nowhere/"], "There is no page /nowhere/"),
        ([str(item.pk), "--parent", "9" * 9], "There is no page"),
        ([str(item.pk + 1)], "not that of a page"),
    ):
        with pytest.raises(CommandError, match=told):
            pim_command("restore", *arguments)
    assert not BicyclePage.objects.exists()
