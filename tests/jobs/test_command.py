"""``manage.py pim``: what it prints, and the code that it exits with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.core.management import CommandError, call_command
from django.utils.dateparse import parse_datetime

from tests.pim_data import TAXONOMY, guid
from wagtail_pim.models import ProductPage

JOB = "publish_approved_products"


class Result(NamedTuple):
    code: int
    output: str

    def json(self) -> dict[str, Any]:
        return json.loads(self.output)


@pytest.fixture
def pim_command(site: Any, configure: Callable[..., None]) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        output, code = io.StringIO(), 0
        try:
            call_command("pim", *arguments, stdout=output)
        except SystemExit as stop:
            code = stop.code
        return Result(code, output.getvalue())

    return run


def test_a_run_in_which_all_went_well_exits_with_0(pim, pim_command):
    pim.product("A1")
    result = pim_command("run", JOB)
    assert result.code == 0
    lines = [line.replace("│", " ").split() for line in result.output.splitlines()]
    assert ["created", "1", "5"] in lines
    assert ["failed", "0", "0"] in lines
    assert ["acknowledged", "1"] in lines


def test_a_run_with_failed_items_exits_with_2_and_says_why(pim, pim_command):
    pim.product("A1")
    pim.product("[red]BAD[/red]", Price="cheap")
    result = pim_command("run", JOB)
    assert result.code == 2
    assert "[red]BAD[/red]" in result.output
    assert "“cheap” is not a number" in result.output
    assert pim.status("A1") == "Published"


def test_a_run_that_failed_exits_with_1_and_says_why(pim, pim_command, pim_server):
    pim.product("A1")
    pim_server.environment = "Production"
    result = pim_command("run", JOB)
    assert result.code == 1
    assert "The run failed" in result.output
    assert "Production" in result.output


def test_a_key_that_may_only_read_exits_with_1_and_counts_what_was_committed(
    pim, pim_command, pim_server, configure
):
    pim.product("A1")
    key = pim_server.store.credentials().read_only
    configure(APP_KEY=key.app_key, SECRET_KEY=key.secret_key)
    result = pim_command("run", JOB, "--json")
    assert result.code == 1
    report = result.json()
    assert report["state"] == "failed"
    assert report["error"]["code"] == "permission"
    assert "write access" in report["error"]["message"]
    assert (report["created"], report["acknowledged"]) == (1, 0)


def test_json_is_one_object_with_counts_and_items(pim, pim_command):
    pim.product("A1", productTitle="Größe 8")
    pim.product("BAD", Price="cheap")
    result = pim_command("run", JOB, "--json")
    assert result.code == 2
    report = result.json()
    items = report.pop("items")
    started, finished = report.pop("started_at"), report.pop("finished_at")
    assert parse_datetime(started) <= parse_datetime(finished)
    assert report.pop("run")
    assert report == {
        "job": JOB,
        "dry_run": False,
        "state": "failed_items",
        "error": None,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "removed": 0,
        "failed": 1,
        "acknowledged": 1,
        "categories": {
            "created": 5,
            "updated": 0,
            "unchanged": 0,
            "removed": 0,
            "failed": 0,
        },
        "warnings": [],
    }
    by_number = {item["number"]: item for item in items}
    assert by_number["A1"] == {
        "kind": "product",
        "number": "A1",
        "guid": guid("product", "A1"),
        "title": "Größe 8",
        "outcome": "created",
        "reason": "",
        "note": "",
        "page": ProductPage.objects.get().pk,
        "acknowledged": True,
        "differences": {},
    }
    assert by_number["BAD"]["outcome"] == "failed"
    assert by_number["BAD"]["acknowledged"] is None
    assert "Größe" in result.output


def test_json_says_what_changed(pim, pim_command):
    pim.product("A1", Price=1, AvailableFrom="2026-01-01", RidingStyles="Gravel")
    pim_command("run", JOB)
    pim.change("A1", Price=2.5, AvailableFrom="2026-01-02", RidingStyles="A~B")
    (item,) = pim_command("run", JOB, "--json").json()["items"]
    assert item["differences"] == {
        "price": {"old": "1.00", "new": "2.50"},
        "available_from": {"old": "2026-01-01", "new": "2026-01-02"},
        "riding_styles": {"old": ["Gravel"], "new": ["A", "B"]},
    }


def test_a_run_with_nothing_to_do_prints_no_items(pim, pim_command):
    pim.product("A1")
    pim_command("run", JOB)
    pim.approve()
    report = pim_command("run", JOB, "--json").json()
    assert report["items"] == []
    assert (report["unchanged"], report["acknowledged"]) == (1, 1)


def test_a_dry_run_shows_the_plan_and_writes_nothing(
    pim, pim_command, pim_server, queries
):
    pim.product("A1", Summary="Old")
    pim_command("run", JOB)
    pim.change("A1", Summary="New")
    pim_server.requests.clear()
    with queries() as captured:
        result = pim_command("run", JOB, "--dry-run")
    assert result.code == 0
    assert "dry run: nothing was written" in " ".join(result.output.split())
    assert "updated product A1" in result.output
    assert "summary: “Old” → “New”" in result.output
    assert captured.writes() == []
    assert {request.method for request in pim_server.requests} == {"GET"}
    assert pim_command("run", JOB, "--dry-run", "--json").json()["dry_run"] is True


def test_a_first_dry_run_makes_not_even_a_row_of_options(pim, pim_command, queries):
    pim.product("A1")
    with queries() as captured:
        assert pim_command("run", JOB, "--dry-run").code == 0
    assert captured.writes() == []


def test_product_limits_a_run_and_can_be_repeated(pim, pim_command):
    for number in ("A1", "A2", "A3"):
        pim.product(number)
    arguments = ("--product", "A1", "--product", "A3")
    assert pim_command("run", JOB, "--json", *arguments).json()["created"] == 2
    assert pim.status("A2") == "Approved"


@pytest.mark.parametrize(
    ("number", "reason"),
    [("NONE", "The PIM has no such product"), ("A2", "It is not Approved in the PIM")],
)
def test_a_number_that_cannot_be_published_exits_with_2(
    pim, pim_command, number, reason
):
    pim.product("A2", status="Published")
    result = pim_command("run", JOB, "--product", number)
    assert result.code == 2
    assert number in result.output
    assert reason in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"APP_KEY": ""}, "application key of the PIM is not set"),
        ({"SECRET_KEY": "not base64!"}, "not base64"),
        ({"API_ADDRESS": "ftp://pim"}, "ftp://pim"),
        ({"ENVIRONMENT": "Staging"}, "Staging"),
        ({"ASSUMED_CALLS": "no.such.Class"}, "no.such.Class"),
        ({"CATALOG_PAGE": "no.Model"}, "no.Model"),
        ({"DEFAULT_PRODUCT_PAGE": "shop.HomePage"}, "shop.HomePage"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_misconfiguration_exits_with_1_and_names_the_setting(
    pim, pim_command, configure, options, said
):
    pim.template("Kite")
    pim.product("A1", template="Kite")
    configure(**options)
    result = pim_command("run", JOB, "--json")
    assert result.code == 1
    assert result.json()["error"]["code"] == "configuration"
    assert said in result.json()["error"]["message"]
    assert not ProductPage.objects.exists()


def test_an_unknown_job_is_refused_before_anything_runs(pim_command):
    with pytest.raises(CommandError, match="no_such_job"):
        pim_command("run", "no_such_job")


# check


def findings(result: Result) -> list[tuple[str, str]]:
    return [(f["level"], f["subject"]) for f in result.json()["findings"]]


def test_check_finds_nothing_to_correct(pim_command, pim_server, queries):
    with queries() as captured:
        result = pim_command("check", "--json")
    assert result.code == 0
    assert result.json()["ok"] is True
    assert findings(result) == [
        ("ok", "Options"),
        ("ok", "Connection and key"),
        ("ok", "Environment"),
        ("ok", "Category trees"),
    ]
    assert captured.writes() == []
    assert {request.method for request in pim_server.requests} == {"GET"}
    result = pim_command("check")
    assert result.code == 0
    assert "1 category tree feeds a catalog: Spokewell" in result.output


def test_check_stops_at_a_wrong_key(pim_command, configure):
    configure(SECRET_KEY="d3Jvbmc=")
    result = pim_command("check", "--json")
    assert result.code == 1
    assert findings(result)[-1] == ("error", "Connection and key")
    assert result.json()["findings"][-1]["code"] == "authentication"


def test_check_tells_of_options_that_are_missing(pim_command, configure):
    configure(APP_KEY="")
    result = pim_command("check")
    assert result.code == 1
    assert "ERROR" in result.output
    assert "application key" in result.output


def test_check_tells_of_another_environment_and_looks_on(pim_command, pim_server):
    pim_server.environment = "Production"
    result = pim_command("check", "--json")
    assert result.code == 1
    assert findings(result)[-2:] == [
        ("error", "Environment"),
        ("ok", "Category trees"),
    ]


def test_check_warns_of_a_pim_without_settings(pim_command, pim_server):
    pim_server.environment = None
    result = pim_command("check", "--json")
    assert result.code == 0
    assert ("warning", "Environment") in findings(result)


def test_check_tells_of_a_tree_for_two_websites(pim, pim_command):
    pim.website("Outlet")
    pim.taxonomy(websites=["Spokewell", "Outlet"])
    result = pim_command("check")
    assert result.code == 1
    assert f"“{TAXONOMY}” is mapped to more than one website" in result.output
