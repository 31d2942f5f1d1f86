"""The PIM's category trees as catalogs and categories of the site."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Locale, Page, PageLogEntry, Revision

from sandbox_site.shop.models import GenericProductPage, HomePage
from tests.conftest import items_by_number
from tests.pim_data import TAXONOMY, WEBSITE, guid
from wagtail_pim.catalog import bulk
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import CatalogPage, CategoryPage, PimLink
from wagtail_pim.models.runs import Outcome, State


def category(title: str) -> CategoryPage:
    return CategoryPage.objects.get(title=title)


def outline() -> list[str]:
    """The tree of categories, in its order, each below its parent."""
    depth = CatalogPage.objects.order_by("depth").first().depth
    pages = Page.objects.type(CatalogPage, CategoryPage).order_by("path")
    return ["  " * (page.depth - depth) + page.title for page in pages]


INITIAL = ["Spokewell", "  Bicycles", "    City", "    Touring", "  Helmets"]


def test_a_new_tree_stands_as_it_does_in_the_pim(pim, publish):
    pim.change_category("City", description="<p>For <i>town</i></p><script>x</script>")
    report = publish()
    assert outline() == INITIAL
    assert report.category_counts == {Outcome.CREATED: 5}
    page = category("City")
    assert page.live
    assert page.url_path == "/shop/spokewell/bicycles/city/"
    assert page.description == "<p>For <i>town</i></p>"
    assert page.pim_link.kind == "category"
    assert str(page.pim_link.guid) == guid("category", "City")
    assert not any(Page.find_problems())


def test_the_pages_of_the_tree_are_served(pim, publish, client):
    pim.product("A1", "City")
    publish()
    for path in ("", "bicycles/", "bicycles/city/", "bicycles/city/a1/"):
        assert client.get(f"/spokewell/{path}").status_code == 200


def test_a_second_run_has_nothing_to_do(pim, publish, queries):
    publish()
    with queries() as captured:
        report = publish()
    assert captured.writes_to_site() == []
    assert not report.items.exists()


def test_a_new_category_takes_its_place_among_its_siblings(pim, publish):
    publish()
    pim.category("All-road", "Bicycles", order=0)
    pim.category("Folding", "Bicycles", order=2)
    pim.category("Compact", "Folding")
    report = publish()
    assert outline() == [
        "Spokewell",
        "  Bicycles",
        "    All-road",
        "    City",
        "    Folding",
        "      Compact",
        "    Touring",
        "  Helmets",
    ]
    assert report.category_counts[Outcome.CREATED] == 3
    _assert_settled(publish)


def _assert_settled(publish: Any) -> None:
    report = publish()
    assert not report.items.exists()
    assert set(report.category_counts) == {Outcome.UNCHANGED}
    assert not any(Page.find_problems())


def test_a_renamed_category_takes_its_pages_along(pim, publish, client):
    pim.product("A1", "City")
    pim.variant("A1-1", "A1")
    publish()
    pim.change_category("City", name="Town", urlSegment="town", description="New")
    report = publish()
    page = category("Town")
    assert (page.slug, page.draft_title) == ("town", "Town")
    assert page.description == "<p>New</p>"
    assert items_by_number(report)["Town"].differences == {
        "title": ["City", "Town"],
        "slug": ["city", "town"],
        "description": ["", "<p>New</p>"],
    }
    old, new = "/spokewell/bicycles/city/", "/spokewell/bicycles/town/"
    for below in ("", "a1/", "a1/a1-1/"):
        response = client.get(f"{old}{below}")
        assert (response.status_code, response["Location"]) == (301, f"{new}{below}")
        assert client.get(f"{new}{below}").status_code == 200
    actions = PageLogEntry.objects.filter(page=page.pk).values_list("action", flat=True)
    assert {"wagtail.rename", "wagtail.publish"} <= set(actions)
    assert not Revision.objects.exists()
    _assert_settled(publish)


def test_a_category_keeps_its_url_segment_over_a_new_name(pim, publish):
    pim.change_category("City", urlSegment="urban")
    publish()
    pim.change_category("City", name="Town")
    publish()
    assert category("Town").url_path == "/shop/spokewell/bicycles/urban/"


def test_a_category_without_url_segment_keeps_its_url_over_a_new_name(pim, publish):
    publish()
    pim.change_category("City", name="Town")
    publish()
    assert category("Town").url_path == "/shop/spokewell/bicycles/city/"
    pim.change_category("City", parent="Helmets")
    publish()
    assert category("Town").url_path == "/shop/spokewell/helmets/city/"
    _assert_settled(publish)


def test_a_category_with_thousands_below_it_is_renamed(
    pim, publish, client, queries, configure
):
    configure(DISCARDS="keep")
    publish()
    city = bulk.lock_pages([category("City").pk])[category("City").pk]
    pages = [GenericProductPage(title=f"P{n}", slug=f"p{n}") for n in range(1250)]
    bulk.insert_pages([bulk.NewPage(page, city) for page in pages], timezone.now())
    pim.change_category("Bicycles", name="Bikes", urlSegment="bikes")

    with queries() as captured:
        report = publish()

    assert report.state == State.SUCCEEDED
    # Some of them store that these pages are kept, in parts.
    assert len(captured) < 150
    below = Page.objects.filter(url_path__startswith="/shop/spokewell/bikes/")
    assert below.count() == 1250 + 3
    for number in (0, 700, 1249):
        response = client.get(f"/spokewell/bicycles/city/p{number}/")
        assert response.status_code == 301
        assert response["Location"] == f"/spokewell/bikes/city/p{number}/"


@pytest.mark.parametrize("parent", ["Helmets", None])
def test_a_moved_category_takes_its_pages_along(pim, publish, client, parent):
    pim.category("Cargo", "City")
    pim.product("A1", "Cargo")
    publish()
    pim.change_category("City", parent=parent)
    publish()
    url = f"/spokewell/{'helmets/' if parent else ''}city/"
    assert category("Cargo").url_path == f"/shop{url}cargo/"
    response = client.get("/spokewell/bicycles/city/cargo/a1/")
    assert (response.status_code, response["Location"]) == (301, f"{url}cargo/a1/")
    assert client.get(response["Location"]).status_code == 200
    _assert_settled(publish)


def test_a_move_and_a_rename_at_once(pim, publish, client):
    pim.product("A1", "City")
    publish()
    pim.change_category("City", parent="Helmets", name="Town", urlSegment="town")
    pim.change_category("Helmets", name="Hats", urlSegment="hats")
    publish()
    assert category("Town").url_path == "/shop/spokewell/hats/town/"
    response = client.get("/spokewell/bicycles/city/a1/")
    assert (response.status_code, response["Location"]) == (
        301,
        "/spokewell/hats/town/a1/",
    )
    _assert_settled(publish)


def test_parent_and_child_swap_their_places(pim, publish):
    pim.category("Cargo", "City")
    pim.product("A1", "City")
    publish()
    pim.change_category("City", parent="Cargo")
    pim.change_category("Cargo", parent="Bicycles")
    report = publish()
    assert report.state == State.SUCCEEDED
    assert outline() == [
        "Spokewell",
        "  Bicycles",
        "    Cargo",
        "      City",
        "    Touring",
        "  Helmets",
    ]
    product = Page.objects.get(slug="a1")
    assert product.url_path == "/shop/spokewell/bicycles/cargo/city/a1/"
    _assert_settled(publish)


def test_categories_that_swap_their_names_swap_their_urls(pim, publish):
    pim.product("A1", "City")
    publish()
    city = category("City").pk
    pim.change_category("City", name="Touring", urlSegment="touring")
    pim.change_category("Touring", name="City", urlSegment="city")
    publish()
    page = Page.objects.get(pk=city)
    assert (page.title, page.slug) == ("Touring", "touring")
    assert Page.objects.get(slug="a1").url_path.endswith("/bicycles/touring/a1/")
    _assert_settled(publish)


def test_equal_names_below_one_parent_have_different_slugs(pim, publish):
    pim.category("Twin", "City", name="Same")
    pim.category("Other twin", "City", name="Same")
    publish()
    pages = CategoryPage.objects.filter(title="Same")
    assert {page.slug for page in pages} == {"same", "same-2"}
    _assert_settled(publish)


@pytest.mark.parametrize(
    ("order", "moved"),
    [
        ("BACDE", 1),
        ("EABCD", 1),
        ("BCDEA", 1),
        ("EDCBA", 4),
        ("BADCE", 2),
        ("ABCDE", 0),
    ],
)
def test_a_new_order_moves_the_fewest(pim, publish, order, moved):
    for position, name in enumerate("ABCDE"):
        pim.category(name, "City", order=position)
    publish()
    for position, name in enumerate(order):
        pim.change_category(name, displaySequence=position)
    report = publish()
    assert [page.title for page in category("City").get_children()] == list(order)
    assert report.category_counts[Outcome.UPDATED] == moved
    entries = PageLogEntry.objects.filter(action="wagtail.reorder")
    assert entries.count() == moved
    _assert_settled(publish)


def test_moved_new_and_reordered_categories_at_once(pim, publish):
    for position, name in enumerate("ABC"):
        pim.category(name, "City", order=position * 10)
    for position, name in enumerate("XYZ"):
        pim.category(name, "Touring", order=position * 10)
    publish()
    pim.change_category("Y", parent="City", displaySequence=5)
    pim.change_category("C", displaySequence=-5)
    pim.category("N", "City", order=15)
    pim.category("M", "Y")
    publish()
    assert [page.title for page in category("City").get_children()] == list("CAYBN")
    assert [page.title for page in category("Touring").get_children()] == list("XZ")
    assert category("M").get_parent().title == "Y"
    _assert_settled(publish)


def test_products_and_editors_pages_keep_their_place_among_categories(pim, publish):
    pim.category("A", "City", order=1)
    pim.category("B", "City", order=2)
    pim.product("P1", "City")
    publish()
    category("City").add_child(instance=HomePage(title="Advice", slug="advice"))
    pim.change_category("A", displaySequence=3)
    pim.change_category("City", name="Town", urlSegment="town")
    publish()
    titles = [page.title for page in category("Town").get_children()]
    assert titles.index("B") < titles.index("A")
    assert set(titles) == {"A", "B", "Title of P1", "Advice"}
    advice = HomePage.objects.get(slug="advice")
    assert advice.url_path == "/shop/spokewell/bicycles/town/advice/"
    assert advice.live
    _assert_settled(publish)


# What left the PIM


def test_an_empty_category_that_left_the_pim_is_removed(pim, publish):
    pim.category("Cargo", "City")
    publish()
    pim.drop_category("Cargo")
    pim.drop_category("City")
    report = publish()
    assert outline() == ["Spokewell", "  Bicycles", "    Touring", "  Helmets"]
    assert report.category_counts[Outcome.REMOVED] == 2
    assert PimLink.objects.filter(kind="category").count() == 3
    _assert_settled(publish)


def test_a_category_with_a_page_below_stays_with_a_note(pim, publish):
    pim.product("A1", "City")
    publish()
    pim.drop_category("City")
    report = publish()
    assert outline() == INITIAL
    item = items_by_number(report)["City"]
    assert item.outcome == Outcome.UNCHANGED
    assert "1 page is still below it" in item.note
    assert report.state == State.SUCCEEDED


def test_a_category_is_removed_once_its_last_product_went_elsewhere(pim, publish):
    pim.product("A1", "City")
    publish()
    pim.drop_category("City")
    pim.change("A1", category="Touring")
    report = publish()
    assert items_by_number(report)["City"].outcome == Outcome.REMOVED
    assert "    City" not in outline()


def test_a_dry_run_tells_which_categories_would_go(pim, publish):
    pim.category("Cargo", "City")
    pim.product("A1", "Touring")
    publish()
    for name in ("Cargo", "City", "Touring"):
        pim.drop_category(name)
    report = publish(dry_run=True)
    outcomes = {number: i.outcome for number, i in items_by_number(report).items()}
    assert outcomes == {
        "Cargo": Outcome.REMOVED,
        "City": Outcome.REMOVED,
        "Touring": Outcome.UNCHANGED,
    }
    assert "    City" in outline()


def test_a_category_that_went_past_the_guard_is_made_anew(pim, publish):
    publish()
    with pim_write():
        category("Touring").delete()
    publish()
    assert outline() == INITIAL


def test_an_unpublished_category_is_live_again(pim, publish):
    publish()
    category("Touring").unpublish()
    publish()
    page = category("Touring")
    assert page.live
    assert not page.has_unpublished_changes


# Faults of the tree


@pytest.mark.parametrize(
    "broken",
    [
        {"parentId": guid("category", "nowhere")},
        {"parent": "City"},
        {"parent": "Cargo"},
    ],
    ids=["missing parent", "its own parent", "cycle"],
)
def test_a_category_without_way_to_the_root_fails_with_what_is_below_it(
    pim, publish, broken
):
    pim.category("Cargo", "City")
    pim.product("A1", "Cargo")
    pim.product("A2", "Touring")
    pim.change_category("City", **broken)
    report = publish()
    assert report.state == State.FAILED_ITEMS
    failed = {item.number: item for item in report.failed_items()}
    assert failed.keys() == {"City", "Cargo", "A1"}
    assert failed["City"].kind == "category"
    assert "missing, broken or below itself" in failed["City"].reason
    assert pim.status("A1") == "Approved"
    assert pim.status("A2") == "Published"


def test_a_category_that_got_lost_keeps_its_page(pim, publish):
    publish()
    pim.change_category("City", parentId=guid("category", "nowhere"))
    report = publish()
    assert report.category_counts[Outcome.FAILED] == 1
    assert outline() == INITIAL


@pytest.mark.parametrize("name", ["", "x" * 256, "a\x00b"])
def test_a_category_whose_name_cannot_be_shown_fails(pim, publish, name):
    pim.category("Cargo", "City", name=name)
    report = publish()
    assert report.category_counts == {Outcome.CREATED: 5, Outcome.FAILED: 1}
    assert outline() == INITIAL


def test_a_record_that_cannot_be_read_keeps_everything_from_being_removed(pim, publish):
    publish()
    pim.change_category("City", categoryTaxonomyId="broken")
    pim.drop_category("Touring")
    report = publish()
    assert outline() == INITIAL
    item = items_by_number(report)["City"]
    assert item.outcome == Outcome.FAILED
    assert "categoryTaxonomyId" in item.reason
    pim.change_category("City", categoryTaxonomyId=guid("taxonomy", TAXONOMY))
    publish()
    assert "    Touring" not in outline()


# Catalogs


def test_a_tree_mapped_to_two_websites_is_refused_with_nothing_written(
    pim, publish, pim_server, queries
):
    pim.website("Outlet")
    pim.taxonomy(websites=[WEBSITE, "Outlet"])
    pim.product("A1")
    with queries() as captured:
        report = publish()
    assert report.state == State.FAILED
    assert report.error_code == "configuration"
    for name in (TAXONOMY, WEBSITE, "Outlet"):
        assert name in report.error
    assert captured.writes_to_site() == []
    assert {request.method for request in pim_server.requests} == {"GET"}


def test_a_pim_without_a_tree_for_a_website_is_refused(pim, publish):
    pim.taxonomy(websites=[])
    report = publish()
    assert report.error_code == "configuration"
    assert "No category tree" in report.error
    assert not CatalogPage.objects.exists()


def test_two_trees_of_one_website_are_one_catalog(pim, publish):
    pim.taxonomy("Zubehör")
    pim.category("Lights", taxonomy="Zubehör")
    publish()
    assert outline() == [*INITIAL, "  Lights"]


def test_only_the_catalogs_of_the_settings_are_synced(pim, publish, configure):
    configure(CATALOGS=["Outlet"])
    pim.website("Outlet")
    pim.taxonomy("Outlet tree", websites=["Outlet"])
    pim.category("Remnants", taxonomy="Outlet tree")
    pim.product("A1", "City")
    pim.product("A2", "Remnants", also_in=["City"])
    report = publish()
    assert outline() == ["Outlet", "  Remnants"]
    assert report.counts == {Outcome.CREATED: 1, Outcome.FAILED: 1}
    assert pim.status("A1") == "Approved"


def test_a_catalog_of_the_settings_that_the_pim_lacks_is_refused(
    pim, publish, configure
):
    configure(CATALOGS=["Misspelt"])
    report = publish()
    assert report.error_code == "configuration"
    assert "Misspelt" in report.error


def test_an_editors_catalog_of_the_websites_name_is_adopted(pim, publish, site):
    page = site.root_page.add_child(
        instance=CatalogPage(title="spokewell", slug="shop-here")
    )
    report = publish()
    assert CatalogPage.objects.get() == page
    assert items_by_number(report)[WEBSITE].outcome == Outcome.UPDATED
    assert category("City").url_path == "/shop/shop-here/bicycles/city/"
    _assert_settled(publish)


def test_a_catalogs_title_slug_and_place_are_the_sites_own(pim, publish, site):
    publish()
    page = CatalogPage.objects.get()
    page.title, page.slug = "Our range", "range"
    page.save()
    _assert_settled(publish)
    assert CatalogPage.objects.get().title == "Our range"


def test_a_new_catalog_goes_below_the_page_of_the_settings(
    pim, publish, configure, site
):
    site.root_page.add_child(instance=HomePage(title="Store", slug="store"))
    configure(CATALOG_PARENT="shop/store")
    publish()
    assert CatalogPage.objects.get().url_path == "/shop/store/spokewell/"


def test_a_catalog_parent_that_does_not_exist_is_refused(pim, publish, configure):
    configure(CATALOG_PARENT="/shop/nowhere/")
    report = publish()
    assert report.error_code == "configuration"
    assert "/shop/nowhere/" in report.error
    assert not CatalogPage.objects.exists()


def test_differences_can_be_printed(pim, publish):
    publish()
    pim.change_category("City", parent="Helmets")
    (item, *_others) = publish(dry_run=True).items.all()
    assert "parent" in item.differences
    assert json.dumps(item.as_json())


def test_a_catalog_page_of_another_language_is_not_adopted(pim, publish, site):
    french = Locale.objects.get_or_create(language_code="fr")[0]
    home = site.root_page.copy_for_translation(french)
    home.add_child(instance=CatalogPage(title=WEBSITE, slug="spokewell"))
    publish()
    adopted = CatalogPage.objects.get(pim_link__isnull=False)
    assert adopted.locale == Locale.get_default()
    assert CatalogPage.objects.count() == 2


def test_an_alias_of_a_category_follows(pim, publish, site):
    publish()
    alias = category("City").create_alias(parent=site.root_page, update_slug="urban")
    pim.change_category("City", name="Town")
    publish()
    alias.refresh_from_db()
    assert (alias.title, alias.slug) == ("Town", "urban")


def test_a_category_too_deep_for_the_tree_is_a_failed_item(pim, publish):
    parent = "City"
    for level in range(60):
        pim.category(f"L{level}", parent)
        parent = f"L{level}"
    pim.product("A1", "L59")
    pim.product("A2", "City")
    report = publish()
    failed = {item.number: item.reason for item in report.failed_items()}
    assert "levels deep" in failed["L48"]
    assert "A1" in failed
    assert pim.status("A2") == "Published"


def test_an_old_url_too_long_for_a_redirect_has_none(pim, publish):
    pim.product("A1", "City", urlSegment="a" * 200)
    pim.variant("A1-1", "A1", urlSegment="b" * 200)
    publish()
    pim.change_category("City", urlSegment="urban")
    report = publish()
    assert report.state == State.SUCCEEDED
    assert Redirect.objects.filter(old_path__endswith="/bicycles/city").exists()
    assert not Redirect.objects.filter(old_path__contains="bbb").exists()
    _assert_settled(publish)


def test_a_dry_run_lists_also_more_removals_than_a_run_would_make_unasked(pim, publish):
    names = [f"Old {n}" for n in range(15)]
    for name in names:
        pim.category(name)
    publish()
    for name in names:
        pim.drop_category(name)
    report = publish(dry_run=True)
    assert report.category_counts[Outcome.REMOVED] == len(names)
    assert any("pages of the catalog would be removed" in w for w in report.warnings)
    run = publish()
    assert run.error_code == "removals_to_confirm"
    assert CategoryPage.objects.filter(title__in=names).count() == len(names)
