"""Reconcile catalog: hard deletes in the PIM, and files that changed by themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from wagtail.images import get_image_model
from wagtail.models import Locale, PageLogEntry
from wagtail.signals import page_unpublished

from sandbox_site.pim.faults import Fault
from sandbox_site.shop.models import BicyclePage, BicycleVariantPage
from tests.conftest import items_by_number, site_rows
from tests.jobs.test_discards import Killed
from tests.jobs.test_faults import PICTURE
from tests.pim_data import PimData, guid
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.jobs import ReconcileCatalog, runs
from wagtail_pim.jobs.health import health_of
from wagtail_pim.jobs.journal import Journal
from wagtail_pim.models import JobRun, PimLink, ProductPage
from wagtail_pim.models.runs import Outcome, State, Trigger
from wagtail_pim.signals import product_removed

LISTING = "%24expand=categoryTrees"
BY_ID = "id+in"
DELETED = "Deleted"


@pytest.fixture
def reconcile(publish: Any) -> Callable[..., JobRun]:
    def run(**options: Any) -> JobRun:
        job = ReconcileCatalog.name
        started = runs.start(job, trigger=Trigger.COMMAND, **options)
        return runs.carry_out(started.pk)

    return run


@pytest.fixture
def catalog(pim: PimData, publish: Any) -> PimData:
    """A1 with a variant, A2 and A3, on the site."""
    pim.product("A1")
    pim.variant("A1-1", "A1")
    pim.product("A2", status="Published")
    pim.product("A3")
    pim.approve()
    publish()
    return pim


def delete(pim: PimData, *numbers: str) -> None:
    for number in numbers:
        assert pim.store.delete("products", guid("product", number))


def live() -> set[str]:
    return {
        page.product_number
        for model in (BicyclePage, BicycleVariantPage)
        for page in model.objects.live()
    }


def status(number: str) -> str:
    return PimLink.objects.get(guid=guid("product", number)).status


def test_nothing_is_written_where_all_is_in_step(catalog, reconcile, queries):
    with queries() as captured:
        run = reconcile()
    assert captured.writes_to_site() == []
    assert (run.state, run.total, run.counts) == (State.SUCCEEDED, 0, {})
    assert run.warnings == []


def test_what_the_pim_deleted_is_unpublished(catalog, reconcile, pim_server):
    page = BicyclePage.objects.get(product_number="A2")
    page.campaign_text = "Ours"
    page.save()
    delete(catalog, "A2")
    pim_server.requests.clear()
    run = reconcile()
    assert run.state == State.SUCCEEDED
    page.refresh_from_db()
    assert (page.live, page.campaign_text) == (False, "Ours")
    assert live() == {"A1", "A1-1", "A3"}
    (item,) = run.items.all()
    assert (item.number, item.kind, item.outcome) == ("A2", "product", "removed")
    assert (item.page_id, item.content) == (page.pk, None)
    assert "deleted in the PIM" in item.note
    assert (status("A2"), status("A1")) == (DELETED, "Published")
    assert (run.done, run.total) == (1, 1)
    assert PageLogEntry.objects.filter(page=page, action="wagtail.unpublish").count()
    assert {request.method for request in pim_server.requests} == {"GET"}
    # It is told of once.
    assert reconcile().counts == {}


def test_what_was_deleted_and_is_there_again_comes_back(catalog, reconcile, publish):
    record = catalog.store.get("products", guid("product", "A2"))
    delete(catalog, "A2")
    reconcile()
    assert "A2" not in live()
    catalog.store.put("products", record)
    (item,) = reconcile().items.all()
    assert item.number == "A2"
    publish()
    assert status("A2") == "Published"


def test_it_goes_in_all_languages(catalog, reconcile):
    german = Locale.objects.create(language_code="de")
    page = BicyclePage.objects.get(product_number="A2")
    translated = page.copy_for_translation(german, copy_parents=True)
    translated.get_latest_revision().publish()
    link = page.pim_link
    link.pk, link.page, link.locale = None, translated.page_ptr, german
    link.save()
    delete(catalog, "A2")
    run = reconcile()
    (item,) = run.items.all()
    assert (item.number, item.page_id) == ("A2", page.pk)
    assert not BicyclePage.objects.live().filter(product_number="A2").exists()
    links = PimLink.objects.filter(guid=guid("product", "A2"))
    assert [link.status for link in links] == [DELETED] * 2


def test_products_of_every_status_are_there(catalog, reconcile):
    for number, new in (("A1", "Incomplete"), ("A2", "Ready for Approval")):
        catalog.change(number, status=new)
    assert reconcile().counts == {}
    assert live() == {"A1", "A1-1", "A2", "A3"}


def test_variants_go_before_their_parents(catalog, reconcile):
    delete(catalog, "A1", "A1-1")
    run = reconcile()
    told = run.items.order_by("pk").values_list("number", flat=True)
    assert list(told) == ["A1-1", "A1"]
    assert live() == {"A2", "A3"}


def test_a_variant_alone_goes_alone(catalog, publish, reconcile):
    catalog.variant("A1-2", "A1")
    publish()
    delete(catalog, "A1-1")
    assert items_by_number(reconcile()).keys() == {"A1-1"}
    assert live() == {"A1", "A1-2", "A2", "A3"}


def test_a_page_that_was_off_the_site_already_only_learns_of_it(
    catalog, publish, reconcile
):
    catalog.change("A2", isArchived=True)
    publish()
    delete(catalog, "A2")
    run = reconcile()
    assert run.counts == {Outcome.UNCHANGED: 1}
    assert status("A2") == DELETED
    assert reconcile().counts == {}


def test_a_product_that_comes_back_is_published_again(catalog, publish, reconcile):
    delete(catalog, "A2")
    reconcile()
    catalog.product("A2")
    publish()
    assert live() == {"A1", "A1-1", "A2", "A3"}
    assert status("A2") == "Published"


def test_a_dry_run_tells_and_writes_nothing(catalog, reconcile):
    delete(catalog, "A2")
    before = site_rows()
    run = reconcile(dry_run=True)
    assert site_rows() == before
    assert run.counts == {Outcome.REMOVED: 1}


def test_a_receiver_that_hears_of_it(catalog, reconcile):
    heard = []

    def hear(instance: Any, run: Any, **kwargs: Any) -> None:
        heard.append(instance.product_number)

    delete(catalog, "A2")
    product_removed.connect(hear)
    try:
        reconcile()
    finally:
        product_removed.disconnect(hear)
    assert heard == ["A2"]


def test_a_receiver_that_fails_fails_its_product_alone(catalog, reconcile):
    def refuse(instance: Any, **kwargs: Any) -> None:
        if instance.product_number == "A2":
            raise RuntimeError("no")

    delete(catalog, "A2", "A3")
    page_unpublished.connect(refuse)
    try:
        run = reconcile()
    finally:
        page_unpublished.disconnect(refuse)
    assert run.counts == {Outcome.REMOVED: 1, Outcome.FAILED: 1}
    assert "RuntimeError: no" in items_by_number(run)["A2"].reason
    assert (status("A2"), status("A3")) == ("Published", DELETED)
    assert reconcile().counts == {Outcome.REMOVED: 1}


# Listings with gaps


def test_a_listing_that_stays_broken_removes_nothing(catalog, reconcile, pim_server):
    delete(catalog, "A2")
    pim_server.faults.add(Fault(LISTING, times=None, kind="truncate"))
    assert reconcile().state == State.FAILED
    assert "A2" in live()


def test_a_record_that_can_not_be_read_is_there(catalog, reconcile, publish):
    catalog.change("A2", primaryCategoryTreeId="no Guid")
    run = reconcile()
    assert (run.state, run.counts) == (State.SUCCEEDED, {})
    assert "A2" in live()
    assert "can't be read" in items_by_number(publish())["A2"].reason


def test_a_record_without_an_id_lets_nothing_be_removed(catalog, reconcile):
    delete(catalog, "A2")
    assert catalog.store.update(
        "products", guid("product", "A3"), lambda record: {**record, "id": "no Guid"}
    )
    run = reconcile()
    assert (run.state, run.counts) == (State.SUCCEEDED, {})
    assert live() == {"A1", "A1-1", "A2", "A3"}
    (warning,) = run.warnings
    assert "no product was removed" in warning


def test_what_the_listing_lacks_is_asked_for_by_its_id(catalog, reconcile, pim_server):
    delete(catalog, "A2")
    record = {}

    def put_back() -> None:
        record["again"] = catalog.product("A2")

    pim_server.faults.before(BY_ID, put_back)
    assert reconcile().counts == {}
    assert record
    assert "A2" in live()


# The question before many


def test_many_are_asked_for_and_nothing_is_removed(pim, publish, reconcile, configure):
    numbers = [f"A{number:02}" for number in range(12)]
    for number in numbers:
        pim.product(number)
    publish()
    delete(pim, *numbers[1:])
    assert reconcile(dry_run=True).warnings[0].startswith("11 of 16 pages")
    run = reconcile()
    assert (run.state, run.error_code) == (State.FAILED, "removals_to_confirm")
    assert "--confirm-removals" in run.error
    assert "Run again and remove them" in run.error
    assert ProductPage.objects.live().count() == 12
    run = reconcile(options={"confirm_removals": True})
    assert run.counts == {Outcome.REMOVED: 11}
    assert ProductPage.objects.live().count() == 1


def test_it_goes_by_all_products_alone(catalog, reconcile):
    with pytest.raises(ConfigurationError, match="does not go by products"):
        reconcile(numbers=["A1"])


def test_it_need_not_run(db):
    assert health_of(ReconcileCatalog.name).messages == []


# Interrupted


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interrupted_run_is_completed_by_the_next(catalog, reconcile, moment):
    delete(catalog, "A2", "A3")
    name = {"before": "insert", "after": "record"}[moment]
    original = getattr(Journal, name)

    def die(journal: Journal, items: Any) -> None:
        if moment == "before":
            original(journal, items)
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, name, die)
        with pytest.raises(Killed):
            reconcile()
    first = JobRun.objects.first()
    done = {"before": 0, "after": 2}[moment]
    assert first.state == State.INTERRUPTED
    assert first.counts[Outcome.REMOVED] == done
    assert len(live()) == 4 - done
    run = reconcile()
    assert run.resumes == first
    assert run.counts[Outcome.REMOVED] == 2 - done
    assert live() == {"A1", "A1-1"}


# Files


@pytest.fixture
def picture(pim: PimData, publish: Any, settings: Any, tmp_path: Path) -> str:
    """The name of the file of A1's picture, in the PIM and on the site."""
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
    pim.product("A1", primaryImageAssetId=asset["id"])
    publish()
    return asset["id"]


def fetched(pim_server: Any) -> int:
    return len([r for r in pim_server.requests if r.target.startswith("/assets/")])


def test_a_file_that_changed_by_itself_is_replaced(pim, picture, reconcile, pim_server):
    pim_server.requests.clear()
    assert reconcile().counts == {}
    assert fetched(pim_server) == 0
    image = get_image_model().objects.get()
    other = PICTURE.replace(b"\xff\xff\xff", b"\xff\x00\x00")
    (pim.store.images / "diamond.gif").write_bytes(other)
    pim.store.patch("assets", picture, currentAssetHash="2")

    dry_run = reconcile(dry_run=True)
    assert dry_run.counts == {Outcome.UPDATED: 1}
    assert fetched(pim_server) == 0

    run = reconcile()
    assert (run.state, run.counts) == (State.SUCCEEDED, {Outcome.UPDATED: 1})
    (item,) = run.items.all()
    assert (item.kind, item.number, item.outcome) == ("picture", "Diamond", "updated")
    image.refresh_from_db()
    with image.file.open() as file:
        assert file.read() == other
    assert fetched(pim_server) == 1
    assert reconcile().counts == {}


def test_words_that_changed_by_themselves_are_taken(pim, picture, reconcile):
    pim.store.patch("assets", picture, name="Diamond frame")
    assert reconcile().counts == {Outcome.UPDATED: 1}
    assert get_image_model().objects.get().title == "Diamond frame"


def test_a_file_that_can_not_be_had_is_a_failed_item(
    pim, picture, reconcile, pim_server
):
    pim.store.patch("assets", picture, currentAssetHash="2")
    pim_server.faults.add(Fault("/assets/", times=None))
    run = reconcile()
    assert run.state == State.FAILED_ITEMS
    assert [(i.kind, i.outcome) for i in run.items.all()] == [("picture", "failed")]
    assert get_image_model().objects.count() == 1


def test_files_that_the_site_does_not_use_are_left_alone(pim, picture, reconcile):
    pim.store.put("assets", {"id": guid("asset", "other"), "name": "Other"})
    assert reconcile().counts == {}


# How it is started


def test_the_command_runs_it(catalog, reconcile, capsys):
    delete(catalog, "A2")
    call_command("pim", "run", ReconcileCatalog.name)
    assert "A2" not in live()


def test_a_product_whose_last_variant_was_deleted_leaves_too(catalog, reconcile):
    delete(catalog, "A1-1")
    dry = reconcile(dry_run=True)
    assert items_by_number(dry)["A1"].outcome == Outcome.REMOVED
    run = reconcile()
    assert live() == {"A2", "A3"}
    assert items_by_number(run)["A1"].note == "All its variants are gone."
    # It is still in the PIM.
    assert status("A1") == "Published"
