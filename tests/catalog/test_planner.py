"""What a batch would change, found without a write and without a query a product."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from wagtail.models import Page

from sandbox_site.shop.models import HomePage
from tests.pim_data import PimData, guid
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.languages import SiteLanguage
from wagtail_pim.catalog.mapping import PageContent, Reading, map_product
from wagtail_pim.catalog.planner import (
    PageChange,
    Places,
    Planner,
    pages_to_remove,
)
from wagtail_pim.catalog.product_links import StandingLinks
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.jobs import connect
from wagtail_pim.models import PimLink, ProductPage

Plan = Callable[..., tuple[dict[str, PageChange], dict[str, str]]]


@pytest.fixture
def contents(pim: PimData, publish: Any) -> Callable[..., list[PageContent]]:
    """The mapped contents of products of the PIM."""
    publish()

    def read(*numbers: str) -> list[PageContent]:
        client = connect().client
        schema = CatalogSchema(client.templates(), client.properties())
        ranks = {guid: rank for rank, guid in enumerate(Places().page_ids)}
        ids = [UUID(guid("product", number)) for number in numbers]
        language = SiteLanguage.default()
        return [
            map_product(Reading(product, language), schema, ranks)
            for product in client.products(ids)
        ]

    return read


@pytest.fixture
def plan(contents: Callable[..., list[PageContent]]) -> Plan:
    """Changes and reasons of faults by product number."""

    def plan_batch(*numbers: str, planner: Planner | None = None) -> Any:
        batch = contents(*numbers)
        planner = planner or Planner(Places())
        changes, faults = planner.plan(
            batch, {}, StandingLinks({content.guid for content in batch})
        )
        return (
            {change.content.number: change for change in changes},
            {fault.product.product_number: fault.reason for fault in faults},
        )

    return plan_batch


def test_new_products_are_created_parents_first(pim, plan):
    pim.variant("A-variant", "Z")
    pim.product("Z")
    changes, faults = plan("A-variant", "Z")
    assert list(changes) == ["Z", "A-variant"]
    assert {change.action for change in changes.values()} == {Action.CREATE}
    assert all(change.page is None for change in changes.values())
    assert faults == {}


def test_an_unchanged_product_is_compared_by_its_hash_alone(
    pim, plan, publish, queries
):
    pim.product("A1", Summary="Same")
    publish()
    with queries() as captured:
        changes, _faults = plan("A1")
    assert changes["A1"].action == Action.UNCHANGED
    assert not changes["A1"].stale_link
    assert captured.writes() == []
    assert not any("shop_bicyclepage" in sql for sql in captured.reads())


def test_differences_name_the_old_and_the_new_value(pim, plan, publish):
    pim.product("A1", also_in=["Touring"], Summary="Old", Brand="Karu")
    publish()
    pim.change("A1", Summary="New", Brand="Other", productTitle="T", urlSegment="s")
    pim.list_in("A1", "City", "Helmets")
    changes, _faults = plan("A1")
    category = {name: UUID(guid("category", name)) for name in ("Touring", "Helmets")}
    assert changes["A1"].action == Action.UPDATE
    assert changes["A1"].differences == {
        "title": ("Title of A1", "T"),
        "slug": ("a1", "s"),
        "summary": ("Old", "New"),
        "brand": ("Karu", "Other"),
        "categories": (
            frozenset({category["Touring"]}),
            frozenset({category["Helmets"]}),
        ),
    }


def test_a_page_that_an_editor_moved_is_put_back(pim, plan, publish):
    pim.product("A1")
    publish()
    page = ProductPage.objects.get()
    page.move(HomePage.objects.get(), pos="last-child")
    changes, _faults = plan("A1")
    assert set(changes["A1"].differences) == {"parent"}
    pim.approve()
    publish()
    page = Page.objects.get(pk=page.pk)
    assert page.url_path == "/shop/spokewell/bicycles/city/a1/"


def test_a_new_version_of_equal_content_makes_the_link_stale(pim, plan, publish):
    pim.product("A1")
    publish()
    pim.change("A1")
    change = plan("A1")[0]["A1"]
    assert (change.action, change.stale_link) == (Action.UNCHANGED, True)


def test_a_hash_that_differs_over_equal_values_is_no_change(pim, plan, publish):
    pim.product("A1", Summary="Same")
    publish()
    PimLink.objects.filter(kind="product").update(content_hash="of an older version")
    change = plan("A1")[0]["A1"]
    assert (change.action, change.stale_link) == (Action.UNCHANGED, True)
    assert change.differences == {}


def test_a_variant_without_parent_on_the_site_is_a_fault(pim, plan):
    pim.product("A1")
    pim.variant("A1-1", "A1")
    changes, faults = plan("A1-1")
    assert changes == {}
    assert "parent product is not on the site" in faults["A1-1"]


def test_a_dry_run_counts_on_the_parents_of_an_earlier_batch(pim, plan):
    pim.product("A1")
    pim.variant("A1-1", "A1")
    planner = Planner(Places(), dry_run=True)
    plan("A1", planner=planner)
    changes, faults = plan("A1-1", planner=planner)
    assert changes["A1-1"].action == Action.CREATE
    assert faults == {}


def test_a_parent_that_was_planned_but_not_written_is_none(pim, plan):
    pim.product("A1")
    pim.variant("A1-1", "A1")
    planner = Planner(Places())
    plan("A1", planner=planner)
    assert plan("A1-1", planner=planner)[1].keys() == {"A1-1"}


def test_a_variant_that_became_a_product_is_a_fault(pim, plan, publish):
    pim.product("A1")
    pim.variant("A1-1", "A1")
    publish()
    pim.change("A1-1", parentProductId=None, category="City")
    changes, faults = plan("A1-1")
    assert changes == {}
    assert "keeps its type" in faults["A1-1"]


@pytest.mark.parametrize("change", [{}, {"Summary": "New", "urlSegment": "b"}])
def test_the_number_of_queries_does_not_depend_on_the_number_of_products(
    pim, contents, publish, queries, change
):
    numbers = [f"A{number}" for number in range(40)]
    for number in numbers:
        pim.product(number, also_in=["Touring"], RidingStyles="Gravel")
    publish()
    for number in numbers:
        pim.change(number, **change)
    counts = []
    for batch in (contents(*numbers[:3]), contents(*numbers)):
        planner = Planner(Places())
        with queries() as captured:
            changes, _faults = planner.plan(
                batch, {}, StandingLinks({content.guid for content in batch})
            )
        assert len(changes) == len(batch)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8


def test_only_live_pages_of_archived_products_are_removed(pim, contents, publish):
    for number in ("A1", "A2", "A3"):
        pim.product(number)
    pim.variant("A1-1", "A1")
    publish()
    ProductPage.objects.get(product_number="A2").unpublish()
    products = [content.product for content in contents("A1", "A1-1", "A2", "A3")]
    pages = pages_to_remove(products)
    titles = [page.title for [page] in pages.values()]
    assert sorted(titles) == ["Title of A1", "Title of A1-1", "Title of A3"]
