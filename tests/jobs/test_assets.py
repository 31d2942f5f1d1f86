"""Assets all the way: from the PIM's server to the pages that show them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

from tests.conftest import items_by_number
from wagtail_pim.models import PimAsset, ProductPage
from wagtail_pim.models.runs import Outcome, State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    # It holds the renditions of images whose rows are rolled back.
    cache.clear()


@pytest.fixture
def bicycle(pim: Any) -> str:
    """The number of a product with two pictures and a manual."""
    pim.product("A1")
    for name in ("front", "side"):
        pim.asset(name, altText=f"The {name}", tagList="steel, frame")
    pim.asset("manual", file_name="manual.pdf")
    pim.attach("A1", "side", "manual", "front", primary="front")
    return "A1"


@pytest.fixture
def fetched(pim_server: Any) -> Any:
    """Names of the files that were asked for, since the last time."""
    seen = 0

    def fetched() -> list[str]:
        nonlocal seen
        targets = [request.target for request in pim_server.requests]
        new, seen = targets[seen:], len(targets)
        names = [t.removeprefix("/assets/") for t in new if t.startswith("/assets/")]
        return sorted(names)

    return fetched


def test_pictures_and_documents_come_with_the_product(
    pim, publish, bicycle, fetched, queries
):
    assert publish().state == State.SUCCEEDED
    page = ProductPage.objects.get()
    assert [image.title for image in page.images()] == ["front", "side"]
    assert page.primary_image.description == "The front"
    assert set(page.primary_image.tags.names()) == {"steel", "frame"}
    assert [document.title for document in page.documents()] == ["manual"]
    assert fetched() == ["front.png", "manual.pdf", "side.png"]

    pim.approve("A1")
    with queries() as captured:
        report = publish()
    assert report.counts == {Outcome.UNCHANGED: 1}
    assert fetched() == []
    assert captured.writes_to_site() == []


def test_changed_picture_and_title_change_in_place(pim, publish, bicycle, fetched):
    publish()
    fetched()
    before = set(get_image_model().objects.values_list("pk", flat=True))
    pim.change_asset("front", b"GIF89a", altText="Broken")
    pim.change_asset("side", altText="From the left")
    pim.approve("A1")
    report = publish()
    assert report.state == State.FAILED_ITEMS
    assert items_by_number(report)["front"].kind == "picture"
    assert fetched() == ["front.png"]
    assert set(get_image_model().objects.values_list("pk", flat=True)) == before
    texts = set(get_image_model().objects.values_list("description", flat=True))
    assert texts == {"The front", "From the left"}
    assert pim.status("A1") == "Approved"


def test_document_that_fails_is_an_item_and_the_product_goes_on(
    pim, publish, bicycle, pim_server
):
    pim.change_asset("manual", b"<html>")
    report = publish()
    item = items_by_number(report)["manual"]
    assert (item.kind, item.failed) == ("document", True)
    assert item.reason.startswith("Its file is a program, or a page")
    page = ProductPage.objects.get()
    assert (len(page.images()), page.documents()) == (2, [])
    assert not get_document_model().objects.exists()
    assert PimAsset.objects.count() == 2


def test_asset_that_is_shared_is_fetched_once(pim, publish, bicycle, fetched):
    pim.product("A2")
    pim.attach("A2", "front", "manual", primary="front")
    publish()
    assert fetched() == ["front.png", "manual.pdf", "side.png"]
    first, second = ProductPage.objects.order_by("product_number")
    assert first.primary_image == second.primary_image
    assert first.documents() == second.documents()


def test_archived_asset_leaves_the_page_but_not_the_library(pim, publish, bicycle):
    publish()
    pim.change_asset("front", isArchived=True)
    pim.change("A1", productTitle="Without its front")
    publish()
    page = ProductPage.objects.get()
    assert page.primary_image is None
    assert [image.title for image in page.images()] == ["side"]
    assert get_image_model().objects.count() == 2
