"""Galleries, documents and related products, as the PIM has them."""

from __future__ import annotations

from typing import Any

import pytest
from wagtail.models import Locale, Page

from sandbox_site.shop.models import BicyclePage
from tests.conftest import items_by_number
from tests.pim_data import PimData, content_of, guid
from wagtail_pim.jobs import ReconcileCatalog, runs
from wagtail_pim.models import (
    CategoryPage,
    JobRun,
    PimAsset,
    ProductAsset,
    ProductPage,
    ProductRelation,
    RelationshipType,
)
from wagtail_pim.models.runs import Outcome, State, Trigger


def product_page(number: str) -> Any:
    return ProductPage.objects.get(product_number=number).specific


def shown(number: str) -> dict[str, list[str]]:
    return {
        related.type.name: [page.specific.product_number for page in related.pages]
        for related in product_page(number).related_products()
    }


# Assets


@pytest.fixture
def gallery(pim: PimData) -> None:
    for name in ("front", "side", "back"):
        pim.asset(name)
    pim.asset("manual", file_name="manual.pdf")
    pim.product("A1")
    pim.attach("A1", "side", "manual", "front", "back", primary="front")


def test_the_primary_image_comes_first_and_the_others_in_their_order(gallery, publish):
    publish()
    page = product_page("A1")
    assert [image.title for image in page.images()] == ["front", "side", "back"]
    assert page.primary_image == page.images()[0]
    assert [document.title for document in page.documents()] == ["manual"]


def test_a_gallery_that_changes_is_followed_and_its_files_are_fetched_once(
    gallery, pim, publish, pim_server
):
    publish()
    pim_server.requests.clear()
    pim.attach("A1", "back", "side", primary="side")
    pim.approve("A1")
    report = publish()
    assert report.counts == {Outcome.UPDATED: 1}
    assert "assets" in items_by_number(report)["A1"].differences
    page = product_page("A1")
    assert [image.title for image in page.images()] == ["side", "back"]
    assert page.documents() == []
    assert not [r for r in pim_server.requests if r.target.startswith("/assets/")]
    # The file stays in the library for what editors made of it.
    assert PimAsset.objects.count() == 4

    pim.attach("A1")
    pim.store.patch("products", guid("product", "A1"), primaryImageAssetId=None)
    pim.approve("A1")
    publish()
    assert product_page("A1").images() == []
    assert product_page("A1").primary_image is None


def test_a_file_that_fails_is_an_item_of_its_own_and_follows_later(
    gallery, pim, publish
):
    pim.asset("broken", b"<html>no picture</html>", file_name="broken.jpg")
    pim.attach("A1", "front", "broken", "back", primary="front")
    report = publish()
    assert report.state == State.FAILED_ITEMS
    item = items_by_number(report)
    assert item["broken"].kind == "picture"
    assert item["A1"].outcome == Outcome.CREATED
    assert "stays Approved" in item["A1"].note
    assert pim.status("A1") == "Approved"
    assert [i.title for i in product_page("A1").images()] == ["front", "back"]

    pim.change_asset("broken", pim_picture("mended"))
    report = publish()
    assert report.state == State.SUCCEEDED
    images = [i.title for i in product_page("A1").images()]
    assert images == ["front", "broken", "back"]
    assert pim.status("A1") == "Published"


def pim_picture(name: str) -> bytes:
    return content_of(name, f"{name}.png")


def test_one_file_serves_several_products_and_variants(gallery, pim, publish):
    pim.variant("A1-1", "A1")
    pim.product("A2")
    for number in ("A1-1", "A2"):
        pim.attach(number, "front", primary="front")
    publish()
    image = product_page("A1").primary_image
    assert product_page("A2").primary_image == image
    [variant] = product_page("A1").variants()
    assert variant.images() == [image]
    assert PimAsset.objects.count() == 4
    assert ProductAsset.objects.count() == 4 + 1 + 1


def test_a_categorys_picture_is_its_pages(pim, publish):
    pim.asset("skyline")
    pim.change_category("City", largeImageAssetId=guid("asset", "skyline"))
    report = publish()
    assert report.state == State.SUCCEEDED
    page = CategoryPage.objects.get(title="City")
    assert page.primary_image.title == "skyline"
    publish()
    pim.change_category("City", largeImageAssetId=None)
    report = publish()
    assert report.category_counts[Outcome.UPDATED] == 1
    page.refresh_from_db()
    assert page.primary_image is None


# Relations


@pytest.fixture
def related(pim: PimData) -> None:
    for number in ("A1", "A2", "A3", "A4"):
        pim.product(number)
    pim.relationship("Accessories")
    pim.relationship("Similar")
    pim.relate("A1", "Accessories", "A3", "A2")
    pim.relate("A1", "Similar", "A4")


def test_related_products_stand_by_type_and_in_order(related, publish):
    publish()
    assert shown("A1") == {"Accessories": ["A3", "A2"], "Similar": ["A4"]}
    assert shown("A2") == {}


def test_a_target_that_comes_later_is_linked_when_it_comes(pim, publish):
    pim.relationship("Accessories")
    pim.product("A1")
    pim.product("A2", status="Incomplete")
    pim.relate("A1", "Accessories", "A2")
    publish()
    assert shown("A1") == {}
    pim.approve("A2")
    report = publish()
    assert report.counts == {Outcome.CREATED: 1}
    assert shown("A1") == {"Accessories": ["A2"]}


def test_a_target_that_leaves_the_site_is_shown_no_more_until_it_is_back(
    related, pim, publish
):
    publish()
    pim.archive("A2")
    publish()
    assert shown("A1")["Accessories"] == ["A3"]
    pim.reactivate("A2")
    publish()
    assert shown("A1")["Accessories"] == ["A3", "A2"]


def test_relations_removed_in_the_pim_go(related, pim, publish):
    publish()
    pim.relate("A1", "Accessories", "A2")
    pim.relate("A1", "Similar")
    pim.approve("A1")
    report = publish()
    assert set(items_by_number(report)["A1"].differences) == {"related"}
    assert shown("A1") == {"Accessories": ["A2"]}
    assert ProductRelation.objects.count() == 1


def test_types_of_the_site_are_taken_by_their_name(related, publish):
    own = RelationshipType.objects.create(name="accessories")
    publish()
    own.refresh_from_db()
    assert str(own.guid) == guid("relationship", "Accessories")
    assert RelationshipType.objects.count() == 2


def test_a_type_made_anew_under_its_old_name_is_followed(pim, publish):
    pim.relationship("Similar")
    for number in ("A1", "A2", "A3"):
        pim.product(number)
    pim.relate("A1", "Similar", "A2")
    publish()
    pim.relate("A1", "Similar")
    pim.store.delete("productRelationships", guid("relationship", "Similar"))
    again = {"id": guid("relationship", "again"), "name": "Similar"}
    pim.store.put("productRelationships", again)
    pim.relate("A1", "again", "A3")
    pim.approve("A1")
    publish()
    assert shown("A1") == {"Similar": ["A3"]}


def test_two_types_of_one_name_are_no_error_and_one_may_be_renamed(pim, publish):
    pim.relationship("Similar")
    two = {"id": guid("relationship", "two"), "name": "Similar"}
    pim.store.put("productRelationships", two)
    for number in ("A1", "A2", "A3"):
        pim.product(number)
    pim.relate("A1", "Similar", "A2")
    pim.relate("A1", "two", "A3")
    assert publish().state == State.SUCCEEDED
    renamed = {"id": guid("relationship", "Similar"), "name": "Alike"}
    pim.store.put("productRelationships", renamed)
    pim.approve()
    assert publish().state == State.SUCCEEDED
    assert shown("A1") == {"Alike": ["A2"], "Similar": ["A3"]}


def test_relations_to_itself_twice_and_to_nothing(pim, publish):
    pim.relationship("Similar")
    pim.product("A1")
    pim.product("A2")
    pim.relate("A1", "Similar", "A1", "A2", "A2", "nothing")
    assert publish().state == State.SUCCEEDED
    assert shown("A1") == {"Similar": ["A1", "A2"]}


def test_a_dry_run_makes_no_type(related, publish):
    publish(dry_run=True)
    assert not RelationshipType.objects.exists()


def test_reading_relations_costs_the_same_for_few_and_many(
    related, pim, publish, queries
):
    publish()
    page = BicyclePage.objects.get(product_number="A1")
    with queries() as few:
        assert len(page.related_products()) == 2
    numbers = [f"B{n}" for n in range(12)]
    for number in numbers:
        pim.product(number)
    pim.relate("A1", "Accessories", *numbers)
    pim.approve("A1")
    publish()
    page = BicyclePage.objects.get(product_number="A1")
    with queries() as many:
        assert len(page.related_products()[0].pages) == 12
    assert len(many) == len(few)


def test_an_alias_shows_what_its_product_does(related, gallery, publish):
    publish()
    alias = product_page("A1").create_alias(update_slug="again")
    alias = Page.objects.get(pk=alias.pk).specific
    assert [i.title for i in alias.images()] == ["front", "side", "back"]
    assert [r.type.name for r in alias.related_products()] == ["Accessories", "Similar"]


def test_a_page_made_by_hand_has_none(publish):
    publish()
    page = BicyclePage(title="By hand", locale=Locale.get_default())
    assert page.images() == page.documents() == page.related_products() == []


# What is archived in the PIM, without a change of any product


@pytest.fixture
def reconcile() -> Any:
    def run(**options: Any) -> JobRun:
        job = ReconcileCatalog.name
        started = runs.start(job, trigger=Trigger.COMMAND, **options)
        return runs.carry_out(started.pk)

    return run


def test_an_archived_asset_leaves_the_pages_with_the_next_reconcile(
    gallery, pim, publish, reconcile, queries
):
    pim.variant("A1-1", "A1")
    pim.attach("A1-1", "front", primary="front")
    pim.change_category("City", largeImageAssetId=guid("asset", "front"))
    publish()
    pim.change_asset("front", isArchived=True)
    pim.change_asset("manual", isArchived=True)
    dry = reconcile(dry_run=True)
    assert items_by_number(dry)["front"].outcome == Outcome.REMOVED
    assert product_page("A1").primary_image is not None

    run = reconcile()
    assert run.state == State.SUCCEEDED
    assert run.counts == {Outcome.REMOVED: 2}
    page = product_page("A1")
    assert page.primary_image is None
    assert [image.title for image in page.images()] == ["side", "back"]
    assert page.documents() == []
    assert page.variants().get().specific.primary_image is None
    assert CategoryPage.objects.get(title="City").primary_image is None
    assert PimAsset.objects.count() == 4
    with queries() as captured:
        assert reconcile().counts == {}
    assert captured.writes_to_site() == []
    # A run that takes the product finds it as it is.
    pim.approve("A1")
    assert publish().counts == {Outcome.UNCHANGED: 1}
