"""What goes wrong between the site and the PIM, and what a run makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from wagtail.signals import page_unpublished

from sandbox_site.pim.faults import Fault
from tests.conftest import items_by_number
from tests.pim_data import guid
from wagtail_pim.catalog import writer
from wagtail_pim.jobs import PublishApprovedProducts
from wagtail_pim.models import CategoryPage, ProductPage
from wagtail_pim.models.runs import Outcome, State

LISTING = "%27Approved%27&"
BATCH = "id+in"
ACKNOWLEDGEMENT = "products("

# More than a page of the PIM holds.
MANY = 1040

BREAKDOWNS = {
    "busy": {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "unavailable": {"kind": "status", "status": 503},
    "dropped": {"kind": "drop"},
    "truncated": {"kind": "truncate"},
    "cut short": {"kind": "short"},
}


@pytest.fixture
def many(pim: Any) -> int:
    for number in range(MANY):
        pim.product(f"A{number:04}")
    return MANY


def _product_pages() -> int:
    return ProductPage.objects.count()


def test_a_listing_is_read_beyond_its_first_page(pim, publish, many):
    assert publish(dry_run=True).counts == {Outcome.CREATED: many}


@pytest.mark.parametrize("breakdown", BREAKDOWNS)
def test_a_listing_that_breaks_off_once_is_read_to_its_end(
    pim, publish, pim_server, many, breakdown
):
    pim_server.faults.add(Fault(LISTING, nth=2, **BREAKDOWNS[breakdown]))
    report = publish(dry_run=True)
    assert report.state == State.SUCCEEDED
    assert report.counts == {Outcome.CREATED: many}
    assert len(_requests(pim_server, LISTING)) == 3


def _requests(pim_server: Any, text: str) -> list[Any]:
    return [request for request in pim_server.requests if text in request.target]


def test_a_run_recovers_from_a_breakdown_at_every_step(pim, publish, pim_server):
    for number in range(90):
        pim.product(f"A{number}")
    steps = ["settings", "categorytrees", LISTING, BATCH, ACKNOWLEDGEMENT]
    for step, fault in zip(steps, BREAKDOWNS.values(), strict=True):
        pim_server.faults.add(Fault(step, **fault))
    pim_server.faults.add(Fault(ACKNOWLEDGEMENT, "PATCH", nth=7, kind="lose"))
    report = publish()
    assert [len(_requests(pim_server, step)) for step in steps] == [2, 2, 2, 4, 92]
    assert report.state == State.SUCCEEDED
    assert report.counts == {Outcome.CREATED: 90}
    assert report.acknowledged == 90
    assert {pim.status(f"A{number}") for number in range(90)} == {"Published"}


@pytest.mark.parametrize("breakdown", BREAKDOWNS)
def test_a_listing_that_stays_broken_fails_the_run_with_nothing_done(
    pim, publish, pim_server, queries, many, breakdown
):
    fault = {**BREAKDOWNS[breakdown], "times": None}
    pim_server.faults.add(Fault(LISTING, nth=2, **fault))
    with queries() as captured:
        report = publish()
    assert report.state == State.FAILED
    assert report.error_code in ("server_fault", "unreachable", "payload")
    assert report.error
    assert not report.counts
    assert captured.writes_to_site() == []
    assert {request.method for request in pim_server.requests} == {"GET"}


@pytest.mark.parametrize("broken", ["categorytrees", LISTING])
def test_a_broken_listing_removes_nothing(pim, publish, pim_server, broken):
    pim.product("A1")
    publish()
    pim.drop_category("Touring")
    pim.approve("A1")
    pim_server.faults.add(Fault(broken, times=None))
    assert publish().state == State.FAILED
    assert CategoryPage.objects.filter(title="Touring", live=True).exists()
    assert _product_pages() == 1


def test_a_batch_that_cannot_be_read_leaves_those_before_it_committed(
    pim, publish, pim_server, configure
):
    configure(BATCH_SIZE=2)
    for number in range(6):
        pim.product(f"A{number}")
    pim_server.faults.add(Fault(BATCH, nth=2, times=None))
    pim.drop_category("Touring")
    report = publish()
    assert report.state == State.FAILED
    assert report.error_code == "server_fault"
    assert report.counts == {Outcome.CREATED: 2}
    assert report.acknowledged == 2
    assert _product_pages() == 2

    pim_server.faults.clear()
    report = publish()
    assert report.counts == {Outcome.CREATED: 4}
    assert report.acknowledged == 4


def test_a_pim_that_is_not_there_is_told_by_its_address(publish, configure):
    configure(API_ADDRESS="http://127.0.0.1:9/")
    report = publish()
    assert report.error_code == "unreachable"
    assert "http://127.0.0.1:9" in report.error


# The environment and the key


def test_another_environment_is_refused(pim, publish, pim_server, queries):
    pim.product("A1")
    pim_server.environment = "Production"
    with queries() as captured:
        report = publish()
    assert report.state == State.FAILED
    assert report.error_code == "configuration"
    assert "The PIM publishes to Production, but this site is Sandbox" in report.error
    assert captured.writes_to_site() == []


def test_a_pim_without_settings_is_synced_with_a_warning(pim, publish, pim_server):
    pim.product("A1")
    pim_server.environment = None
    report = publish()
    assert report.state == State.SUCCEEDED
    (warning,) = report.warnings
    assert "active publishing environment" in warning
    assert pim.status("A1") == "Published"


def test_a_key_that_may_only_read_fails_the_run_and_tells_what_was_committed(
    pim, publish, pim_server, configure
):
    pim.product("A1")
    pim.product("A2")
    key = pim_server.store.credentials().read_only
    configure(APP_KEY=key.app_key, SECRET_KEY=key.secret_key)
    report = publish()
    assert report.state == State.FAILED
    assert report.error_code == "permission"
    assert "write access" in report.error
    assert report.counts == {Outcome.CREATED: 2}
    assert report.acknowledged == 0
    assert {
        item.number
        for item in report.items.all()
        if item.page_id and item.kind == "product"
    } == {"A1", "A2"}
    assert _product_pages() == 2
    assert [r.method for r in pim_server.requests].count("PATCH") == 1


def test_a_wrong_key_is_told_as_such(pim, publish, configure):
    configure(SECRET_KEY="d3Jvbmc=")
    report = publish()
    assert report.error_code == "authentication"
    assert "401" in report.error


# Acknowledging


def test_a_product_changed_before_its_acknowledgement_stays_approved(
    pim, publish, pim_server
):
    pim.product("A1", Summary="Read")
    pim_server.faults.before(
        ACKNOWLEDGEMENT, lambda: pim.change("A1", Summary="Newer"), method="PATCH"
    )
    report = publish()
    item = items_by_number(report)["A1"]
    assert item.outcome == Outcome.CREATED
    assert item.acknowledged is False
    assert "newer version" in item.note
    assert report.state == State.SUCCEEDED
    assert pim.acknowledgement("A1") == ("Approved", None)
    assert ProductPage.objects.get().specific.summary == "Read"

    assert publish().counts == {Outcome.UPDATED: 1}
    assert ProductPage.objects.get().specific.summary == "Newer"
    assert pim.acknowledgement("A1") == ("Published", 2)


def test_a_product_deleted_before_its_acknowledgement_is_no_error(
    pim, publish, pim_server
):
    pim.product("A1")
    pim_server.faults.before(
        ACKNOWLEDGEMENT,
        lambda: pim.store.delete("products", guid("product", "A1")),
        method="PATCH",
    )
    report = publish()
    assert report.state == State.SUCCEEDED
    assert "deleted" in items_by_number(report)["A1"].note


@pytest.mark.parametrize("gone", [True, False])
def test_a_product_that_is_not_approved_any_more_when_read_is_left_alone(
    pim, publish, pim_server, gone
):
    pim.product("A1")
    pim.product("A2")

    def change() -> None:
        if gone:
            pim.store.delete("products", guid("product", "A1"))
        else:
            pim.change("A1", status="Incomplete")

    pim_server.faults.before(BATCH, change)
    report = publish()
    item = items_by_number(report)["A1"]
    assert item.outcome == Outcome.UNCHANGED
    assert "not Approved now" in item.note
    assert _product_pages() == 1


def test_an_acknowledgement_that_fails_is_told_and_repeated_alone(
    pim, publish, pim_server, queries
):
    pim.product("A1")
    pim.product("A2")
    path = f"{ACKNOWLEDGEMENT}{guid('product', 'A1')}"
    pim_server.faults.add(Fault(path, "PATCH", times=None, status=500))

    report = publish()

    item = items_by_number(report)["A1"]
    assert report.state == State.FAILED_ITEMS
    assert report.counts == {Outcome.CREATED: 2}
    assert report.acknowledged == 1
    assert item.outcome == Outcome.CREATED
    assert item.acknowledged is False
    assert "the PIM did not take note" in item.reason
    assert pim.status("A1") == "Approved"
    assert pim.status("A2") == "Published"

    pim_server.faults.clear()
    with queries() as captured:
        report = publish()
    (write,) = captured.writes_to_site()
    assert write.startswith('UPDATE "wagtail_pim_pimlink" SET "status"')
    assert report.counts == {Outcome.UNCHANGED: 1}
    assert report.acknowledged == 1
    assert pim.status("A1") == "Published"


def test_an_acknowledgement_whose_answer_was_lost_counts_as_done(
    pim, publish, pim_server
):
    pim.product("A1")
    pim_server.faults.add(Fault(ACKNOWLEDGEMENT, "PATCH", kind="lose"))
    report = publish()
    assert report.state == State.SUCCEEDED
    assert report.acknowledged == 1


def test_nothing_is_acknowledged_before_it_is_committed(
    pim, publish, pim_server, monkeypatch
):
    pim.product("A1")
    seen = []
    pim_server.faults.before(
        ACKNOWLEDGEMENT, lambda: seen.append("acknowledged"), method="PATCH"
    )
    commit = writer.Writer._commit

    def recorded(*args: Any) -> Any:
        pages = commit(*args)
        seen.append("committed")
        return pages

    monkeypatch.setattr(writer.Writer, "_commit", recorded)
    publish()
    assert seen == ["committed", "acknowledged"]


# Pictures

PICTURE = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00"
    b"\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


@pytest.fixture
def picture(pim: Any, settings: Any, tmp_path: Path) -> str:
    """The Guid of an asset of the sandbox PIM whose file is a picture."""
    settings.MEDIA_ROOT = tmp_path / "media"
    pim.store.images.mkdir()
    (pim.store.images / "diamond.gif").write_bytes(PICTURE)
    asset = pim.store.put(
        "assets",
        {
            "id": guid("asset", "diamond"),
            "name": "Diamond",
            "assetType": "Image",
            "assetFileName": "diamond.gif",
            "currentAssetHash": "1",
            "urlLarge": "/assets/diamond.gif",
        },
    )
    return asset["id"]


def test_a_picture_that_could_not_be_had_is_fetched_by_a_later_run(
    pim, publish, pim_server, picture
):
    pim.product("A1", primaryImageAssetId=picture)
    pim_server.faults.add(Fault("/assets/", times=None))
    report = publish()
    assert report.state == State.FAILED_ITEMS
    assert items_by_number(report)["Diamond"].kind == "picture"
    assert ProductPage.objects.get().primary_image is None

    assert pim.status("A1") == "Approved"

    pim_server.faults.clear()
    report = publish()
    assert report.state == State.SUCCEEDED
    assert ProductPage.objects.get().primary_image.title == "Diamond"
    assert pim.status("A1") == "Published"


def test_a_picture_is_fetched_once_and_shared(pim, publish, pim_server, picture):
    for number in ("A1", "A2"):
        pim.product(number, primaryImageAssetId=picture)
    publish()
    pim.approve()
    publish()
    fetched = [r for r in pim_server.requests if r.target.startswith("/assets/")]
    assert len(fetched) == 1
    assert len(set(ProductPage.objects.values_list("primary_image", flat=True))) == 1


def test_a_picture_that_the_pim_does_not_have_is_a_failed_item(pim, publish):
    pim.product("A1", primaryImageAssetId=guid("asset", "nowhere"))
    report = publish()
    assert report.counts == {Outcome.CREATED: 1, Outcome.FAILED: 1}
    [item] = report.failed_items()
    assert (item.kind, item.reason) == (
        "picture",
        "The PIM does not have this asset.",
    )
    assert "A picture or document of it failed" in items_by_number(report)["A1"].note
    assert pim.status("A1") == "Approved"


def test_pictures_that_fail_do_not_stop_the_run(pim, publish, configure):
    configure(MAX_FAILURES_IN_A_ROW=2)
    for number in ("A1", "A2", "A3"):
        pim.product(number, primaryImageAssetId=guid("asset", number))
    report = publish()
    assert report.state == State.FAILED_ITEMS
    assert report.counts[Outcome.CREATED] == 3


def test_acknowledgements_that_fail_one_after_another_stop_the_run(
    pim, publish, pim_server, configure
):
    configure(MAX_FAILURES_IN_A_ROW=2, BATCH_SIZE=2, MAX_ATTEMPTS=1)
    for number in ("A1", "A2", "A3"):
        pim.product(number)
    pim_server.faults.add(
        Fault("products(", method="PATCH", kind="status", status=500, times=None)
    )
    report = publish()
    assert report.error_code == "too_many_failures"
    assert report.counts[Outcome.CREATED] == 2


# What the site's own code does wrong


def test_a_receiver_that_fails_on_unpublishing_fails_its_product_alone(pim, publish):
    for number in ("A1", "A2"):
        pim.product(number)
    publish()

    def refuse(instance: Any, **kwargs: Any) -> None:
        if instance.product_number == "A1":
            raise RuntimeError("no")

    for number in ("A1", "A2"):
        pim.change(number, isArchived=True)
    page_unpublished.connect(refuse)
    try:
        report = publish()
    finally:
        page_unpublished.disconnect(refuse)
    assert report.counts == {Outcome.REMOVED: 1, Outcome.FAILED: 1}
    assert "RuntimeError: no" in items_by_number(report)["A1"].reason
    assert (pim.status("A1"), pim.status("A2")) == ("Approved", "Published")
    live = ProductPage.objects.live().values_list("product_number", flat=True)
    assert list(live) == ["A1"]


def test_a_fault_of_the_program_ends_the_run_with_a_report(pim, publish, monkeypatch):
    pim.product("A1")
    monkeypatch.setattr(PublishApprovedProducts, "_put_on_site", lambda *args: 1 / 0)
    report = publish()
    assert report.state == State.FAILED
    assert report.error_code == "bug"
    assert "ZeroDivisionError" in report.error


# Killed in the middle

# A run of the sandbox site that prints what it finds and what it leaves, and kills
# itself before the nth statement that begins with a text, as a power cut would.
RUN_OR_DIE = """
import json, os, signal, sys
import django
from django.conf import settings

settings.WAGTAIL_PIM["BATCH_SIZE"] = 10
django.setup()
from django.db import connection
from wagtail.models import Page
from wagtail_pim.jobs import PublishApprovedProducts, runs
from wagtail_pim.models.runs import Trigger
from wagtail_pim.models import PimLink, ProductPage, VariantPage

statement, countdown = sys.argv[1], int(sys.argv[2])

def die(execute, sql, params, many, context):
    global countdown
    if sql.startswith(statement):
        countdown -= 1
        if not countdown:
            os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)

def print_state():
    print(json.dumps({
        "problems": list(Page.find_problems()),
        "products": sorted(p.product_number for p in ProductPage.objects.all()),
        "variants": sorted(p.product_number for p in VariantPage.objects.all()),
        "links": PimLink.objects.count(),
    }), flush=True)

print_state()
runs.recover(at_once=True)
with connection.execute_wrapper(die):
    run = runs.start(PublishApprovedProducts.name, trigger=Trigger.COMMAND)
    report = runs.carry_out(run.pk)
assert not report.error, report.error
print_state()
"""
MIGRATE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from sandbox_site.shop.setup import prepare_site
prepare_site(80)
"""


class OtherSite:
    """A site in processes of their own, on a database file of their own."""

    def __init__(self, folder: Path, pim_server: Any) -> None:
        key = pim_server.store.credentials().write
        self._environment = {
            **os.environ,
            "DATABASE_URL": "",
            "DJANGO_SETTINGS_MODULE": "sandbox_site.settings",
            "SANDBOX_VAR": str(folder),
            "PIM_API_ADDRESS": pim_server.url,
            "PIM_APP_KEY": key.app_key,
            "PIM_SECRET_KEY": key.secret_key,
            "PIM_ENVIRONMENT": "Sandbox",
        }
        if connection.vendor == "sqlite":
            # Migrating takes longer than all the rest.
            content = connection.connection.serialize()
            (folder / "site.sqlite3").write_bytes(content)
        else:
            assert self.start(MIGRATE).wait(120) == 0

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            env=self._environment,
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def _finish(process: subprocess.Popen[str], returncode: int) -> list[dict[str, Any]]:
    """The states that it printed."""
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == returncode, errors
    return [json.loads(line) for line in printed.splitlines()]


def test_runs_that_were_killed_are_made_good_by_the_next(
    pim, pim_server, site, tmp_path
):
    other_site = OtherSite(tmp_path, pim_server)
    products = [f"A{number:02}" for number in range(15)]
    variants = [f"{number}-1" for number in products]
    for number in products:
        pim.product(number, RidingStyles="Gravel")
        pim.variant(f"{number}-1", number)

    # In the second batch's transaction: after its pages, before their links. The first
    # such statement is that of the categories, the second that of the first batch.
    process = other_site.start(RUN_OR_DIE, 'INSERT INTO "wagtail_pim_pimlink"', "3")
    _finish(process, -signal.SIGKILL)
    assert _count(pim, "Published") == 10

    # While the pages of the second batch, which is committed, are acknowledged.
    process = other_site.start(RUN_OR_DIE, "nothing", "1")
    pim_server.faults.before(
        ACKNOWLEDGEMENT,
        lambda: os.kill(process.pid, signal.SIGKILL),
        method="PATCH",
        nth=4,
    )
    (found,) = _finish(process, -signal.SIGKILL)
    assert found["problems"] == [[]] * 5
    assert len(found["products"]) == len(found["variants"]) == 5
    assert found["links"] == 5 + 10
    assert _count(pim, "Published") == 14

    process = other_site.start(RUN_OR_DIE, "nothing", "1")
    found, left = _finish(process, 0)
    assert len(found["products"]) == len(found["variants"]) == 10
    assert found["links"] == 5 + 20
    assert left == {
        "problems": [[]] * 5,
        "products": products,
        "variants": variants,
        "links": 5 + 30,
    }
    assert _count(pim, "Published") == 30


def _count(pim: Any, status: str) -> int:
    return pim.store.status_counts().get(status, 0)
