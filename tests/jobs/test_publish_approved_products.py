"""From Approved products in the PIM to pages, and back to Published in the PIM."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError
from wagtail.models import Page, PageLogEntry, Revision
from wagtail.models import ReferenceIndex as References
from wagtail.signals import page_published

from sandbox_site.shop.models import (
    BicyclePage,
    BicycleVariantPage,
    Brand,
    GenericProductPage,
    HelmetPage,
    HomePage,
    RidingStyle,
)
from tests.conftest import items_by_number
from tests.pim_data import PimData, guid
from wagtail_pim.catalog import bulk
from wagtail_pim.jobs import journal as journals
from wagtail_pim.kinds import PRODUCT_KINDS
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import CategoryPage, PimLink, ProductPage, VariantPage
from wagtail_pim.models.runs import Outcome, State


def product_page(number: str) -> Any:
    return ProductPage.objects.get(product_number=number).specific


def variant_page(number: str) -> Any:
    return VariantPage.objects.get(product_number=number).specific


def parent_title(page: Page) -> str:
    return page.get_parent().title


# From product to page

BICYCLE_VALUES = {
    "Summary": "Quick & quiet",
    "Description": "<p>Rides <b>well</b>.</p><script>alert(1)</script>",
    "Price": 1299.5,
    "Brand": "Karu",
    "RidingStyles": "Touring~Gravel",
    "FrameMaterial": "steel",
    "Gears": 11,
    "Weight": 12.4,
    "Electric": True,
    "AvailableFrom": "2026-03-01T00:00:00Z",
    "Equipment": "Kickstand~Rear rack",
}


def test_a_product_becomes_a_live_page_in_its_category(pim, publish):
    pim.product("A1", "City", productTitle="Diamond 8", urlSegment="diamond-8")

    report = publish()

    page = product_page("A1")
    assert type(page) is BicyclePage
    assert (page.title, page.draft_title, page.slug) == ("Diamond 8",) * 2 + (
        "diamond-8",
    )
    assert page.url_path == "/shop/spokewell/bicycles/city/diamond-8/"
    assert page.live
    assert not page.has_unpublished_changes
    assert page.pim_link.guid.hex == guid("product", "A1").replace("-", "")
    assert page.pim_link.version == 1
    assert page.pim_link.run_id == report.pk
    assert report.state == State.SUCCEEDED
    assert report.counts == {Outcome.CREATED: 1}
    assert report.acknowledged == 1
    assert pim.acknowledgement("A1") == ("Published", 1)


def test_every_kind_of_field_is_filled_on_creation(pim, publish):
    pim.product("A1", **BICYCLE_VALUES)
    publish()
    page = product_page("A1")
    assert page.summary == "Quick & quiet"
    assert page.description == "<p>Rides <b>well</b>.</p>"
    assert page.price == Decimal("1299.50")
    assert page.brand.name == "Karu"
    assert {style.name for style in page.riding_styles.all()} == {"Gravel", "Touring"}
    assert page.frame_material == BicyclePage.FrameMaterial.STEEL
    assert page.gears == 11
    assert page.weight == 12.4
    assert page.electric is True
    assert page.available_from == date(2026, 3, 1)
    assert page.equipment == ["Kickstand", "Rear rack"]


def test_tags_and_times_are_filled_on_creation(pim, publish):
    pim.product("H1", "Helmets", template="Helmet", Labels="reflective~light")
    pim.product("A1")
    pim.variant("A1-1", "A1", RestockedAt="2026-03-01T10:30:00+02:00", EAN="123")
    publish()
    assert {tag.name for tag in product_page("H1").labels.all()} == {
        "light",
        "reflective",
    }
    variant = variant_page("A1-1")
    assert variant.restocked_at == datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
    assert variant.ean == "123"


@pytest.mark.parametrize(
    ("name", "new", "field", "expected"),
    [
        ("Summary", "Slow & loud", "summary", "Slow & loud"),
        ("Description", "<p>New</p>", "description", "<p>New</p>"),
        ("Price", 0.1, "price", Decimal("0.10")),
        ("FrameMaterial", "Titanium", "frame_material", "Titanium"),
        ("Gears", 8, "gears", 8),
        ("Weight", 9.75, "weight", 9.75),
        ("Electric", False, "electric", False),
        ("AvailableFrom", "2027-01-02T00:00:00Z", "available_from", date(2027, 1, 2)),
        ("Equipment", "Frame lock", "equipment", ["Frame lock"]),
        (
            "deactivateOn",
            "2030-01-02T03:04:05Z",
            "expire_at",
            datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
        ),
    ],
)
def test_a_changed_value_changes_the_field_alone(
    pim, publish, name, new, field, expected
):
    pim.product("A1", **BICYCLE_VALUES)
    publish()
    before = _columns(BicyclePage, product_page("A1"))
    pim.change("A1", **{name: new})

    report = publish()

    after = _columns(BicyclePage, product_page("A1"))
    changed = {column for column in after if after[column] != before[column]}
    assert changed == {field, "last_published_at"}
    assert after[field] == expected
    (item,) = report.items.all()
    assert item.outcome == Outcome.UPDATED
    assert set(item.differences) == {field}
    assert pim.acknowledgement("A1") == ("Published", 2)


def _columns(model: type[Page], page: Page) -> dict[str, Any]:
    return model.objects.filter(pk=page.pk).values().get()


def test_a_foreign_key_follows_the_name_and_makes_what_is_missing(pim, publish):
    old, known = Brand.objects.create(name="Karu"), Brand.objects.create(name="Known")
    pim.product("A1", Brand="Karu")
    pim.product("A2", Brand="Karu")
    publish()
    pim.change("A1", Brand="Known")
    pim.change("A2", Brand="Never seen")
    publish()
    assert product_page("A1").brand == known
    assert product_page("A2").brand.name == "Never seen"
    assert set(Brand.objects.values_list("name", flat=True)) == {
        "Karu",
        "Known",
        "Never seen",
    }
    assert old.pk


def test_many_to_many_and_tags_follow_the_names(pim, publish):
    kept = RidingStyle.objects.create(name="Touring")
    pim.product("A1", RidingStyles="Gravel~Touring")
    pim.product("H1", "Helmets", template="Helmet", Labels="light~recycled")
    publish()
    pim.change("A1", RidingStyles="Touring~Family")
    pim.change("H1", Labels="recycled~magnetic buckle")
    publish()
    styles = list(product_page("A1").riding_styles.all())
    assert {style.name for style in styles} == {"Family", "Touring"}
    assert kept in styles
    assert {tag.name for tag in product_page("H1").labels.all()} == {
        "recycled",
        "magnetic buckle",
    }


def test_any_property_that_no_field_claims_stands_in_the_specifications(pim, publish):
    pim.property("Range", "Decimal", "Number", "Range (km)", displaySequence=2)
    pim.property("Colours", "Multi Select", "String", displaySequence=1)
    values = {"Range": 120, "Colours": "Red~Blue", "Description": "x", "Unknown": "x"}
    pim.product("G1", template="GenericProductPage", **values)
    publish()
    page = product_page("G1")
    assert type(page) is GenericProductPage
    assert page.description == "<p>x</p>"
    assert [
        (entry["name"], entry["displayName"], entry["value"])
        for entry in page.specifications
    ] == [("Colours", "Colours", ["Red", "Blue"]), ("Range", "Range (km)", 120)]
    pim.change("G1", Range=None, Colours="Red")
    publish()
    assert [entry["value"] for entry in product_page("G1").specifications] == [["Red"]]


def test_a_value_that_the_pim_emptied_is_emptied(pim, publish):
    pim.product("A1", deactivateOn="2030-01-01T00:00:00Z", **BICYCLE_VALUES)
    pim.product("H1", "Helmets", template="Helmet", Labels="light")
    publish()
    pim.change("A1", deactivateOn=None, **dict.fromkeys(BICYCLE_VALUES))
    pim.change("H1", Labels="")
    publish()
    page = product_page("A1")
    fields = ("summary", "description", "frame_material")
    assert [getattr(page, name) for name in fields] == ["", "", ""]
    fields = ("price", "brand", "gears", "weight", "available_from", "expire_at")
    assert [getattr(page, name) for name in fields] == [None] * 6
    assert page.electric is False
    assert page.equipment == []
    assert not page.riding_styles.exists()
    assert not product_page("H1").labels.exists()


def test_fields_of_the_site_survive_an_update(pim, publish):
    pim.product("A1", Summary="Old")
    publish()
    page = product_page("A1")
    page.campaign_text, page.badge, page.seo_title = "Spring sale", "New", "Diamond"
    page.show_in_menus = True
    page.story = [("heading", "From our workshop")]
    page.save()
    pim.change("A1", Summary="New")
    publish()
    page = product_page("A1")
    assert page.summary == "New"
    assert (page.campaign_text, page.badge, page.seo_title) == (
        "Spring sale",
        "New",
        "Diamond",
    )
    assert page.show_in_menus
    assert page.story[0].value == "From our workshop"


def test_a_draft_survives_an_update_and_stays_the_latest_revision(pim, publish):
    pim.product("A1", Summary="Old")
    publish()
    page = product_page("A1")
    page.campaign_text = "Not yet finished"
    draft = page.save_revision()
    pim.change("A1", Summary="New", productTitle="New title")
    publish()
    page = product_page("A1")
    assert page.summary == "New"
    assert page.campaign_text == ""
    assert page.has_unpublished_changes
    assert page.latest_revision == draft
    assert page.get_latest_revision_as_object().campaign_text == "Not yet finished"


def test_a_sync_makes_no_revision(pim, publish):
    pim.product("A1")
    pim.variant("A1-1", "A1")
    publish()
    pim.change("A1", Summary="New", productTitle="New", urlSegment="new")
    pim.change("A1-1", Colour="Red")
    publish()
    assert not Revision.objects.exists()


def test_a_page_that_an_editor_unpublished_is_live_again_when_approved(pim, publish):
    pim.product("A1")
    publish()
    product_page("A1").unpublish()
    pim.approve("A1")
    report = publish()
    assert product_page("A1").live
    assert items_by_number(report)["A1"].differences == {"live": [False, True]}


def test_a_template_is_shown_by_its_nearest_ancestor_that_has_a_page_type(pim, publish):
    pim.template("Cargo bicycle", "Bicycle")
    pim.template("Longtail", "Cargo bicycle")
    pim.product("A1", template="Longtail")
    publish()
    assert type(product_page("A1")) is BicyclePage


def test_a_property_that_the_pim_lacks_is_a_warning(pim, publish):
    pim.store.delete("properties", guid("property", "Gears"))
    pim.product("A1")
    report = publish()
    assert report.state == State.SUCCEEDED
    (warning,) = report.warnings
    assert "BicyclePage.gears" in warning


# The URL


def test_a_new_title_moves_no_url(pim, publish):
    pim.product("A1", productTitle="Old")
    publish()
    pim.change("A1", productTitle="New")
    report = publish()
    page = product_page("A1")
    assert (page.title, page.draft_title, page.slug) == ("New", "New", "a1")
    assert set(items_by_number(report)["A1"].differences) == {"title"}
    assert "wagtail.rename" in _log_actions(page)


def _log_actions(page: Page) -> list[str]:
    return list(
        PageLogEntry.objects.filter(page=page.pk)
        .order_by("pk")
        .values_list("action", flat=True)
    )


def _assert_redirects(client: Any, old: str, new: str) -> None:
    response = client.get(old)
    assert response.status_code == 301, old
    assert response["Location"] == new
    assert client.get(new).status_code == 200


def test_a_new_slug_takes_the_variants_along_and_leaves_redirects(pim, publish, client):
    pim.product("A1")
    pim.variant("A1-1", "A1")
    publish()
    pim.change("A1", urlSegment="diamond")
    publish()
    city = "/spokewell/bicycles/city"
    assert variant_page("A1-1").url_path == f"/shop{city}/diamond/a1-1/"
    _assert_redirects(client, f"{city}/a1/", f"{city}/diamond/")
    _assert_redirects(client, f"{city}/a1/a1-1/", f"{city}/diamond/a1-1/")


def test_a_new_category_moves_the_page_and_its_variants(pim, publish, client):
    pim.product("A1", "City", Summary="Old")
    pim.variant("A1-1", "A1")
    publish()
    pim.change("A1", category="Touring", Summary="New")
    report = publish()
    page = product_page("A1")
    assert parent_title(page) == "Touring"
    assert page.summary == "New"
    bicycles = "/spokewell/bicycles"
    assert variant_page("A1-1").url_path == f"/shop{bicycles}/touring/a1/a1-1/"
    assert "parent" in items_by_number(report)["A1"].differences
    assert "wagtail.move" in _log_actions(page)
    _assert_redirects(client, f"{bicycles}/city/a1/", f"{bicycles}/touring/a1/")
    _assert_redirects(
        client, f"{bicycles}/city/a1/a1-1/", f"{bicycles}/touring/a1/a1-1/"
    )
    assert not any(Page.find_problems())


@pytest.mark.parametrize("product", [{"urlSegment": "b1"}, {"category": "Touring"}])
def test_product_and_variant_change_their_urls_at_once(pim, publish, client, product):
    pim.product("A1", "City")
    pim.variant("A1-1", "A1")
    publish()
    old = [product_page("A1").url, variant_page("A1-1").url]
    pim.change("A1", **product)
    pim.change("A1-1", urlSegment="red", Colour="Red")
    report = publish()
    assert report.state == State.SUCCEEDED, list(report.failed_items())
    variant = variant_page("A1-1")
    assert variant.url_path == f"{product_page('A1').url_path}red/"
    assert variant.colour == "Red"
    _assert_redirects(client, old[0], product_page("A1").url)
    _assert_redirects(client, old[1], variant.url)
    assert not any(Page.find_problems())


@pytest.mark.parametrize("product", [{"urlSegment": "b1"}, {"category": "Touring"}])
def test_a_product_gets_a_variant_and_a_new_url_at_once(pim, publish, product):
    pim.product("A1", "City")
    publish()
    pim.change("A1", **product)
    pim.variant("A1-1", "A1")
    report = publish()
    assert report.state == State.SUCCEEDED, list(report.failed_items())
    assert variant_page("A1-1").url_path == f"{product_page('A1').url_path}a1-1/"
    assert not any(Page.find_problems())


def test_a_variant_goes_to_another_product(pim, publish):
    pim.product("A1")
    pim.product("A2")
    pim.variant("V", "A1")
    publish()
    pim.change("V", parentProductId=guid("product", "A2"))
    publish()
    assert parent_title(variant_page("V")) == "Title of A2"
    assert not any(Page.find_problems())


def test_products_that_swap_their_slugs_swap_their_urls(pim, publish):
    pim.product("A1", urlSegment="one")
    pim.product("A2", urlSegment="two")
    publish()
    pim.change("A1", urlSegment="two")
    pim.change("A2", urlSegment="one")
    publish()
    assert (product_page("A1").slug, product_page("A2").slug) == ("two", "one")


def test_a_page_that_returns_to_its_old_url_does_not_redirect_to_itself(
    pim, publish, client
):
    pim.product("A1", "City", urlSegment="one")
    for segment in ("one", "two", "one"):
        pim.change("A1", urlSegment=segment)
        publish()
    page = product_page("A1")
    assert client.get("/spokewell/bicycles/city/two/")["Location"] == page.url
    pim.change("A1", isArchived=True)
    publish()
    assert client.get("/spokewell/bicycles/city/one/").status_code == 404


def test_without_url_segment_a_new_title_keeps_the_url(pim, publish):
    pim.product("A1", "City", productTitle="Diamond 8", urlSegment="")
    publish()
    pim.change("A1", productTitle="Diamond 9")
    publish()
    page = product_page("A1")
    assert (page.title, page.slug) == ("Diamond 9", "diamond-8")


def test_pages_of_one_slug_that_move_together_get_different_urls(pim, publish):
    for number in ("A1", "A2"):
        pim.product(number, "City", urlSegment=f"{number}-x")
    pim.product("A3", "Helmets", urlSegment="other")
    publish()
    for number in ("A1", "A2"):
        pim.change(number, primaryCategoryTreeId=guid("category", "Helmets"))
    for number in ("A1", "A2", "A3"):
        pim.change(number, urlSegment="x")
    publish()
    pages = ProductPage.objects.filter(product_number__in=["A1", "A2", "A3"])
    assert {page.slug for page in pages} == {"x", "x-2", "x-3"}
    assert len({page.url_path for page in pages}) == 3
    assert not any(Page.find_problems())


def test_a_title_that_went_past_the_lock_is_put_right(pim, publish):
    pim.product("A1", productTitle="Diamond 8")
    publish()
    ProductPage.objects.filter(product_number="A1").update(title="Mine")
    pim.approve("A1")
    report = publish()
    assert report.counts == {Outcome.UPDATED: 1}
    assert product_page("A1").title == "Diamond 8"
    pim.approve("A1")
    assert publish().counts == {Outcome.UNCHANGED: 1}


def test_published_pages_are_announced_with_their_new_url(
    pim, publish, django_capture_on_commit_callbacks
):
    pim.product("A1", "City", urlSegment="a1")
    pim.variant("A1-1", "A1", urlSegment="a1-1")
    publish()
    pim.change("A1", primaryCategoryTreeId=guid("category", "Touring"))
    pim.change("A1-1", productTitle="New")
    heard = {}

    def hear(instance: Any, **kwargs: Any) -> None:
        heard[instance.product_number] = instance.url_path

    page_published.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            publish()
    finally:
        page_published.disconnect(hear)
    assert heard == {
        number: Page.objects.get(pk=page.pk).url_path
        for number, page in (("A1", product_page("A1")), ("A1-1", variant_page("A1-1")))
    }
    assert "/touring/" in heard["A1-1"]


def test_equal_slugs_get_a_suffix_that_lasts(pim, publish):
    pim.product("A1", urlSegment="same")
    pim.product("A2", urlSegment="same")
    pim.product("A3", "Touring", urlSegment="same")
    publish()
    slugs = [product_page(number).slug for number in ("A1", "A2", "A3")]
    assert sorted(slugs[:2]) == ["same", "same-2"]
    assert slugs[2] == "same"
    pim.change("A1", Summary="New")
    pim.change("A2", Summary="New")
    report = publish()
    assert [set(item.differences) for item in report.items.all()] == [{"summary"}] * 2
    assert [product_page(number).slug for number in ("A1", "A2", "A3")] == slugs


def test_an_alias_follows_and_keeps_its_slug(pim, publish, site):
    pim.product("A1", Summary="Old", RidingStyles="Gravel")
    publish()
    alias = product_page("A1").create_alias(
        parent=site.root_page, update_slug="offer-of-the-week"
    )
    pim.change("A1", Summary="New", urlSegment="b1", RidingStyles="Touring")
    publish()
    alias = BicyclePage.objects.get(pk=alias.pk)
    assert alias.summary == "New"
    assert [style.name for style in alias.riding_styles.all()] == ["Touring"]
    assert alias.slug == "offer-of-the-week"
    assert alias.url_path == "/shop/offer-of-the-week/"
    assert product_page_count("A1") == 2


def product_page_count(number: str) -> int:
    return ProductPage.objects.filter(product_number=number).count()


def test_editors_pages_below_a_product_stay_and_follow_its_url(pim, publish):
    pim.product("A1")
    publish()
    product_page("A1").add_child(instance=HomePage(title="Test ride", slug="ride"))
    pim.change("A1", urlSegment="b1")
    publish()
    below = HomePage.objects.get(slug="ride")
    assert below.title == "Test ride"
    assert below.live
    assert below.url_path == f"{product_page('A1').url_path}ride/"


def test_a_page_that_went_past_the_guard_is_made_anew(pim, publish):
    pim.product("A1")
    publish()
    with pim_write():
        product_page("A1").delete()
    pim.approve("A1")
    assert publish().counts == {Outcome.CREATED: 1}
    assert product_page("A1").live


# Variants


def test_a_variant_stands_below_its_product_in_whatever_order_they_come(pim, publish):
    pim.variant("A0-first", "Z9")
    pim.product("Z9")
    report = publish()
    assert report.counts == {Outcome.CREATED: 2}
    variant = variant_page("A0-first")
    assert type(variant) is BicycleVariantPage
    assert parent_title(variant) == "Title of Z9"


def test_families_are_written_parents_first_when_batches_are_small(
    pim, publish, configure
):
    configure(BATCH_SIZE=2)
    for number in ("A1", "B1", "C1"):
        pim.product(number)
        for size in "SML":
            pim.variant(f"{number}-{size}", number)
    report = publish()
    assert report.counts == {Outcome.CREATED: 12}
    for page in VariantPage.objects.all():
        assert page.get_parent().specific.product_number == page.product_number[:2]
    assert not any(Page.find_problems())


def test_a_published_parent_that_the_site_lacks_is_fetched_with_its_variant(
    pim, publish
):
    pim.product("A1", status="Published", publishedVersionNumber=1)
    pim.variant("A1-1", "A1")
    before = pim.store.get("products", guid("product", "A1"))
    report = publish()
    assert report.counts == {Outcome.CREATED: 2}
    assert report.acknowledged == 1
    assert parent_title(variant_page("A1-1")) == "Title of A1"
    assert pim.store.get("products", guid("product", "A1")) == before


def test_a_parent_on_the_site_is_not_fetched_for_a_variant(pim, publish, pim_server):
    pim.product("A1", Summary="Old")
    publish()
    pim.change("A1", Summary="Unapproved", status="Incomplete")
    pim.variant("A1-1", "A1")
    assert publish().counts == {Outcome.CREATED: 1}
    assert product_page("A1").summary == "Old"


def test_a_variant_whose_parent_nobody_approved_fails(pim, publish):
    pim.product("A1", status="Ready for Approval")
    pim.variant("A1-1", "A1")
    report = publish()
    item = items_by_number(report)["A1-1"]
    assert item.outcome == Outcome.FAILED
    assert item.kind == "variant"
    assert "Approve the parent" in item.reason
    assert not ProductPage.objects.exists()
    assert pim.status("A1-1") == "Approved"


def test_variants_of_a_parent_that_failed_wait_and_follow_once_it_is_corrected(
    pim, publish
):
    pim.product("A1", Price="cheap")
    pim.variant("A1-1", "A1")
    report = publish()
    assert report.counts == {Outcome.FAILED: 1, Outcome.UNCHANGED: 1}
    assert "It waits" in items_by_number(report)["A1-1"].note
    assert pim.status("A1-1") == "Approved"
    pim.change("A1", Price=1)
    assert publish().counts == {Outcome.CREATED: 2}


# Categories of a product


def listed_in(page: Page) -> set[str]:
    return {category.title for category in page.listed_in()}


def test_other_categories_are_memberships(pim, publish):
    pim.product("A1", "City", also_in=["Touring", "Helmets"])
    publish()
    assert parent_title(product_page("A1")) == "City"
    assert listed_in(product_page("A1")) == {"Helmets", "Touring"}
    touring = CategoryPage.objects.get(title="Touring")
    assert [page.title for page in touring.products()] == ["Title of A1"]

    pim.list_in("A1", "City", "Touring", "Bicycles")
    pim.approve("A1")
    report = publish()
    assert set(items_by_number(report)["A1"].differences) == {"categories"}
    assert listed_in(product_page("A1")) == {"Bicycles", "Touring"}

    pim.list_in("A1", "City")
    pim.approve("A1")
    publish()
    assert listed_in(product_page("A1")) == set()


def test_a_primary_category_of_another_sites_tree_gives_way_to_the_deepest_of_ours(
    pim, publish
):
    pim.taxonomy("Another shop", websites=[])
    pim.category("Elsewhere", taxonomy="Another shop")
    pim.product("A1", "Elsewhere", also_in=["Bicycles", "City"])
    publish()
    assert parent_title(product_page("A1")) == "City"
    assert listed_in(product_page("A1")) == {"Bicycles"}


# Failed items

LONG = "x" * 256


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"template": "Kite"}, "no page type for its template “Kite”"),
        ({"template": None}, "no product template"),
        ({"Summary": LONG}, "“Summary”: the text has 256 characters; 255 fit"),
        ({"Price": "cheap"}, "“Price (EUR)”: “cheap” is not a number"),
        ({"Price": 1.999}, "has more than 2 decimals"),
        ({"Price": 123456789}, "Ensure that there are no more than"),
        ({"FrameMaterial": "Bamboo"}, "“Bamboo” is none of the choices"),
        ({"AvailableFrom": "tomorrow"}, "“tomorrow” is not a date"),
        ({"Electric": "perhaps"}, "“perhaps” is neither yes nor no"),
        ({"Summary": "a\x00b"}, "NUL character"),
        ({"productTitle": ""}, "It has no title"),
        ({"productTitle": LONG}, "its title has 256 characters"),
        ({"category": None}, "none of its categories"),
        ({"currentVersionNumber": None}, "currentVersionNumber"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_product_fails_with_a_reason_and_the_others_go_on(
    pim, publish, fields, reason
):
    pim.template("Kite")
    pim.product("A1")
    pim.product("BAD", **fields)
    pim.product("C1")

    report = publish()

    assert report.state == State.FAILED_ITEMS
    assert report.counts == {Outcome.CREATED: 2, Outcome.FAILED: 1}
    item = items_by_number(report)["BAD"]
    assert reason.casefold() in item.reason.casefold()
    assert item.acknowledged is None
    assert pim.status("BAD") == "Approved"
    assert pim.status("A1") == pim.status("C1") == "Published"
    assert not ProductPage.objects.filter(product_number="BAD").exists()


def test_all_that_is_wrong_with_a_product_is_told_at_once(pim, publish):
    pim.product("BAD", category=None, Price="cheap", Summary=LONG, productTitle=None)
    item = publish().items.last()
    for fault in ("“Summary”", "“Price (EUR)”", "no title", "none of its categories"):
        assert fault.casefold() in item.reason.casefold()


def test_a_bad_update_leaves_the_page_as_it_was(pim, publish):
    pim.product("A1", Price=1, Summary="Old")
    publish()
    pim.change("A1", Price="cheap", Summary="New")
    assert publish().counts == {Outcome.FAILED: 1}
    assert product_page("A1").summary == "Old"
    assert pim.acknowledgement("A1") == ("Approved", 1)


def test_a_product_without_page_type_goes_to_the_default_of_the_settings(
    pim, publish, configure
):
    configure(
        DEFAULT_PRODUCT_PAGE="shop.GenericProductPage",
        DEFAULT_VARIANT_PAGE="shop.GenericVariantPage",
    )
    pim.template("Kite")
    pim.product("A1", template="Kite", Gears=3)
    pim.variant("A1-1", "A1", template="Kite")
    assert publish().state == State.SUCCEEDED
    assert [entry["name"] for entry in product_page("A1").specifications] == ["Gears"]
    assert variant_page("A1-1").get_parent().specific == product_page("A1")


def test_a_product_whose_template_needs_another_page_type_fails(pim, publish):
    pim.product("A1")
    publish()
    pim.change("A1", templateId=guid("template", "Helmet"), templateName="Helmet")
    report = publish()
    item = items_by_number(report)["A1"]
    assert item.outcome == Outcome.FAILED
    assert "helmet" in item.reason
    assert "bicycle" in item.reason
    assert pim.status("A1") == "Approved"
    assert type(product_page("A1")) is BicyclePage
    assert not HelmetPage.objects.exists()


def test_a_row_that_the_database_refuses_is_set_aside_alone(pim, publish, monkeypatch):
    for index in range(9):
        pim.product(f"A{index}")
        pim.variant(f"A{index}-1", f"A{index}")
    insert_pages = bulk.insert_pages

    def refuse(new: Any, now: Any) -> None:
        insert_pages(new, now)
        if any(item.page.slug == "a5-1" for item in new):
            raise DatabaseError("value is not what this database likes")

    monkeypatch.setattr(bulk, "insert_pages", refuse)
    report = publish()
    failed = {item.number: item.reason for item in report.failed_items()}
    assert failed.keys() == {"A5", "A5-1"}
    assert "value is not what this database likes" in failed["A5-1"]
    assert report.counts[Outcome.CREATED] == 16
    assert report.acknowledged == 16
    assert pim.status("A5") == pim.status("A5-1") == "Approved"
    assert pim.status("A4") == pim.status("A6-1") == "Published"
    assert not any(Page.find_problems())

    monkeypatch.undo()
    assert publish().counts == {Outcome.CREATED: 2}


def test_too_many_failures_in_a_row_stop_the_run(pim, publish, configure):
    configure(MAX_FAILURES_IN_A_ROW=3, BATCH_SIZE=2)
    pim.product("A0", "City")
    for index in range(8):
        pim.product(f"B{index}", "Helmets", Price="cheap")
    report = publish()
    assert report.state == State.FAILED
    assert report.error_code == "too_many_failures"
    assert "“cheap” is not a number" in report.error
    assert report.counts == {Outcome.CREATED: 1, Outcome.FAILED: 3}
    assert product_page("A0").live
    assert pim.status("A0") == "Published"


def test_failures_between_successes_are_not_in_a_row(pim, publish, configure):
    configure(MAX_FAILURES_IN_A_ROW=3)
    # The order of a run within one category.
    numbers = sorted(map(str, range(10)), key=lambda number: guid("product", number))
    for number in numbers[::2]:
        pim.product(number)
    for number in numbers[1::2]:
        pim.product(number, Price="cheap")
    report = publish()
    assert report.state == State.FAILED_ITEMS
    assert report.counts == {Outcome.CREATED: 5, Outcome.FAILED: 5}


def test_what_a_stopped_run_committed_is_reported_and_acknowledged(
    pim, publish, configure
):
    configure(MAX_FAILURES_IN_A_ROW=3)
    pim.product("A0")
    for index in range(3):
        pim.product(f"B{index}", "Helmets", Price="cheap")
    report = publish()
    assert report.error_code == "too_many_failures"
    assert product_page("A0").live
    assert report.counts[Outcome.CREATED] == 1
    assert pim.status("A0") == "Published"


# Archived products


def test_an_archived_product_leaves_the_site_and_is_acknowledged(pim, publish):
    pim.product("A1")
    publish()
    page = product_page("A1")
    pim.change("A1", isArchived=True)
    report = publish()
    assert report.counts == {Outcome.REMOVED: 1}
    assert not product_page("A1").live
    assert product_page("A1").pk == page.pk
    assert pim.acknowledgement("A1") == ("Published", 2)
    assert "wagtail.unpublish" in _log_actions(page)


@pytest.mark.parametrize(
    ("deactivate_on", "outcome"),
    [
        ("2020-01-01T00:00:00Z", Outcome.REMOVED),
        ("2990-01-01T00:00:00Z", Outcome.UPDATED),
    ],
)
def test_a_product_is_withdrawn_when_its_time_has_come(
    pim, publish, deactivate_on, outcome
):
    pim.product("A1")
    publish()
    pim.change("A1", deactivateOn=deactivate_on)
    assert publish().counts == {outcome: 1}
    assert product_page("A1").live is (outcome == Outcome.UPDATED)
    assert pim.status("A1") == "Published"


def test_an_archived_product_that_was_never_here_is_acknowledged(pim, publish):
    pim.product("A1", isArchived=True)
    report = publish()
    assert report.counts == {Outcome.UNCHANGED: 1}
    assert pim.status("A1") == "Published"


def test_a_reactivated_product_has_its_page_back(pim, publish):
    pim.product("A1")
    publish()
    page = product_page("A1")
    page.campaign_text = "The shop's own"
    page.save()
    pim.change("A1", isArchived=True)
    publish()
    pim.change("A1", isArchived=False)
    report = publish()
    assert report.counts == {Outcome.UPDATED: 1}
    again = product_page("A1")
    assert again.pk == page.pk
    assert again.live
    assert again.campaign_text == "The shop's own"
    assert not again.has_unpublished_changes


def test_a_draft_on_an_archived_page_is_still_one_when_it_is_back(pim, publish):
    pim.product("A1")
    publish()
    pim.change("A1", isArchived=True)
    publish()
    page = product_page("A1")
    page.campaign_text = "Not yet finished"
    page.save_revision()
    pim.change("A1", isArchived=False)
    publish()
    page = product_page("A1")
    assert page.live
    assert page.campaign_text == ""
    assert page.has_unpublished_changes


# Nothing changed, nothing written


def test_a_second_run_writes_nothing_and_acknowledges(pim, publish, queries):
    pim.product("A1", also_in=["Touring"], **BICYCLE_VALUES)
    pim.variant("A1-1", "A1", RestockedAt="2026-03-01T10:30:00Z")
    pim.product("H1", "Helmets", template="Helmet", Labels="light")
    pim.product("G1", template="GenericProductPage", Gears=4)
    publish()
    pim.approve()

    with queries() as captured:
        report = publish()

    assert captured.writes_to_site() == []
    assert report.counts == {Outcome.UNCHANGED: 4}
    assert report.category_counts == {Outcome.UNCHANGED: 5}
    assert report.acknowledged == 4
    assert not report.items.exists()
    assert {pim.status(n) for n in ("A1", "A1-1", "H1", "G1")} == {"Published"}


def test_a_new_version_of_the_same_content_writes_the_link_alone(pim, publish, queries):
    pim.product("A1")
    publish()
    pim.change("A1", onHold=False)
    with queries() as captured:
        report = publish()
    written = {sql.partition(" SET ")[0] for sql in captured.writes_to_site()}
    assert written == {'UPDATE "wagtail_pim_pimlink"'}
    assert report.counts == {Outcome.UNCHANGED: 1}
    assert PimLink.objects.get(page__slug="a1").version == 2
    assert pim.acknowledgement("A1") == ("Published", 2)


def test_nothing_approved_is_a_run_without_a_word(pim, publish):
    pim.product("A1", status="Incomplete")
    publish()
    report = publish()
    assert report.state == State.SUCCEEDED
    assert not report.items.exists()
    assert not report.counts


# Dry run


def test_a_dry_run_writes_nowhere_and_plans_what_a_run_then_does(
    pim, publish, pim_server, queries
):
    for number in ("A1", "A2", "A3", "A4"):
        pim.product(number, Summary="Old")
    publish()
    pim.change("A1", Summary="New", urlSegment="b1")
    pim.change("A2", category="Touring")
    pim.change("A3", isArchived=True)
    pim.approve("A4")
    pim.category("Cargo", "Bicycles")
    pim.change_category("Helmets", name="Helmets and more")
    pim.product("N1", "Cargo")
    pim.variant("N1-1", "N1")
    pim.product("BAD", Price="cheap")
    pim_server.requests.clear()
    state = _state()

    with queries() as captured:
        planned = publish(dry_run=True)

    assert captured.writes_to_site() == []
    assert {request.method for request in pim_server.requests} == {"GET"}
    assert _state() == state
    assert planned.dry_run
    assert planned.acknowledged == 0
    assert {item.acknowledged for item in planned.items.all()} == {None}

    done = publish()

    assert done.counts == planned.counts
    assert done.category_counts == planned.category_counts
    assert _outcomes(done) == _outcomes(planned)
    assert {
        number: item.differences for number, item in items_by_number(done).items()
    } == {
        number: {}
        if item.outcome == Outcome.CREATED and item.kind in PRODUCT_KINDS
        else item.differences
        for number, item in items_by_number(planned).items()
    }
    assert done.counts == {
        Outcome.CREATED: 2,
        Outcome.UPDATED: 2,
        Outcome.REMOVED: 1,
        Outcome.UNCHANGED: 1,
        Outcome.FAILED: 1,
    }


def _outcomes(report: Any) -> list[tuple[str, ...]]:
    return sorted(report.items.values_list("kind", "number", "outcome", "reason"))


def _state() -> list[Any]:
    return [
        *Page.objects.order_by("pk").values(),
        *PimLink.objects.order_by("pk").values(),
    ]


def test_a_first_dry_run_writes_nothing_into_an_empty_site(pim, publish, queries):
    pim.product("A1")
    pim.variant("A1-1", "A1")
    with queries() as captured:
        report = publish(dry_run=True)
    assert captured.writes_to_site() == []
    assert report.counts == {Outcome.CREATED: 2}
    assert report.category_counts == {Outcome.CREATED: 5}


# Cost

# SQLite takes 999 variables a statement from Django 5.2, which so splits the INSERT of
# 250 pages into 8 and the UPDATE of 10 columns of theirs into 4; what URLs lead to is
# written for 100 changed URLs at a time. All else is one statement a batch, whatever
# its size. One query a product would be 250 more.
QUERIES_PER_BATCH = 120
# A run's row and log entries, what is looked up before it writes and at its end, and
# the items of its batch, which SQLite takes in three parts.
QUERIES_OF_A_RUN = 40
READS_FOR_MORE_URLS = 2


def test_queries_of_a_batch_do_not_grow_with_its_products(
    pim, publish, queries, monkeypatch
):
    # Whether somebody asked for a stop is looked up by time.
    monkeypatch.setattr(journals, "CHECK_SECONDS", 1e9)
    # What is read once a process is read here.
    _family(pim, "warm", 2, Colour="Red")
    publish()
    captured = {}
    for count in (125, 250):
        _family(pim, f"{count}-", count, Colour="Red", **BICYCLE_VALUES)
        with queries() as captured["create", count]:
            assert publish().counts == {Outcome.CREATED: count}
        _change_family(pim, f"{count}-", count)
        with queries() as captured["update", count]:
            assert publish().counts == {Outcome.UPDATED: count}
    assert (
        max(len(q) for q in captured.values()) <= QUERIES_PER_BATCH + QUERIES_OF_A_RUN
    )
    reads = {key: len(q.reads()) for key, q in captured.items()}
    assert reads["create", 250] == reads["create", 125]
    assert reads["update", 250] <= reads["update", 125] + READS_FOR_MORE_URLS


def _family(pim: PimData, prefix: str, count: int, **fields: Any) -> None:
    """Products with a variant each, and one without where ``count`` is odd."""
    for index in range(count):
        if index % 2:
            pim.variant(f"{prefix}{index}", f"{prefix}{index - 1}", **fields)
        else:
            pim.product(f"{prefix}{index}", also_in=["Touring"], **fields)


def _change_family(pim: PimData, prefix: str, count: int) -> None:
    for index in range(count):
        pim.change(
            f"{prefix}{index}",
            productTitle=f"New {index}",
            urlSegment=f"new-{prefix}{index}",
            Summary="New",
            Brand=f"New {prefix}",
            RidingStyles="New",
            Colour="Blue",
        )
        if not index % 2:
            pim.list_in(f"{prefix}{index}", "City", "Helmets")


# Number by number


def test_a_run_limited_to_numbers_takes_these_alone(pim, publish):
    pim.product("A1")
    pim.product("A2")
    pim.variant("A1-1", "A1")
    report = publish("A1-1")
    assert report.counts == {Outcome.CREATED: 2}
    assert pim.status("A2") == "Approved"
    assert {page.product_number for page in ProductPage.objects.all()} == {"A1"}


def test_numbers_that_cannot_be_published_are_failed_items(pim, publish):
    pim.product("A1", status="Incomplete")
    pim.product("A'2")
    report = publish("A1", "A'2", "NONE")
    reasons = {item.number: item.reason for item in report.failed_items()}
    assert reasons.keys() == {"A1", "NONE"}
    assert "Incomplete" in reasons["A1"]
    assert "no such product" in reasons["NONE"]
    assert pim.status("A'2") == "Published"


# References


def test_references_to_a_brand_are_kept_up_to_date(pim, publish):
    pim.product("A1", Brand="Karu")
    publish()
    karu = Brand.objects.get(name="Karu")
    assert References.get_references_to(karu).count() == 1
    pim.change("A1", Brand="Other")
    publish()
    assert References.get_references_to(karu).count() == 0
    other = Brand.objects.get(name="Other")
    assert References.get_references_to(other).count() == 1
