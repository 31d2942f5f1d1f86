"""What visitors of the shop see."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import cycle, islice

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.models import Page

from sandbox_site.shop.models import (
    ApparelPage,
    BicyclePage,
    BicycleVariantPage,
    Brand,
    GenericProductPage,
    GenericVariantPage,
    GiftCardPage,
    HelmetPage,
    HomePage,
    RidingStyle,
)
from wagtail_pim.markers import is_synced
from wagtail_pim.models import CatalogPage, CategoryMembership, CategoryPage

HOSTILE = "<script>alert('x')</script>"

Add = Callable[..., Page]


def html_of(client: Client, page: Page | str) -> str:
    address = page if isinstance(page, str) else page.url
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_home_links_to_its_catalogs(client: Client, catalog: CatalogPage) -> None:
    assert 'href="/spokewell/"' in html_of(client, "/")


def test_home_without_catalog_says_what_to_do(client: Client, home: HomePage) -> None:
    assert "Publish approved products" in html_of(client, home)


@pytest.mark.parametrize(("code", "text"), [("de", "Fahrräder"), ("fr", "vélos")])
def test_home_is_there_in_each_language(
    client: Client, home: HomePage, code: str, text: str
) -> None:
    html = html_of(client, f"/{code}/")

    assert f'<html lang="{code}">' in html
    assert text in html


def test_catalog_and_category_list_products(
    client: Client, catalog: CatalogPage, category: CategoryPage, add: Add
) -> None:
    add(category, BicyclePage, "Lantern", price=Decimal("1090"), summary="Ready")

    for page in (catalog, category):
        html = html_of(client, page)
        assert "Lantern" in html
        assert "€ 1,090.00" in html


def test_category_lists_members_placed_elsewhere(
    client: Client, catalog: CatalogPage, category: CategoryPage, add: Add
) -> None:
    other = catalog.add_child(instance=CategoryPage(title="Rain", slug="rain"))
    product = add(category, BicyclePage, "Lantern")
    CategoryMembership.objects.create(page=product, category=other)

    assert product.url in html_of(client, other)


def test_parent_category_shows_what_is_below(
    client: Client, category: CategoryPage, add: Add
) -> None:
    city = category.add_child(instance=CategoryPage(title="City", slug="city"))
    add(city, BicyclePage, "Lantern")

    assert "Lantern" in html_of(client, category)


def test_listing_is_cut_into_pages(
    client: Client, category: CategoryPage, add: Add
) -> None:
    for number in range(25):
        add(category, HelmetPage, f"Helmet {number:02}")

    first, second = html_of(client, category), html_of(client, f"{category.url}?page=2")

    assert first.count("<article") == 24
    assert second.count("<article") == 1
    assert "Page 2 of 2" in second


@pytest.mark.parametrize("number", ["0", "-1", "99", "x", ""])
def test_page_numbers_that_are_none_do_no_harm(
    client: Client, category: CategoryPage, number: str
) -> None:
    html_of(client, f"{category.url}?page={number}")


def test_queries_do_not_grow_with_the_listing(
    client: Client, category: CategoryPage, add: Add, new_image: Callable
) -> None:
    models = [BicyclePage, HelmetPage, ApparelPage, GenericProductPage]

    def queries(count: int) -> int:
        have = category.products().count()
        for number, model in islice(enumerate(cycle(models)), have, count):
            image = new_image(f"picture-{number}")
            add(category, model, f"Product {number}", primary_image=image)
        html_of(client, category)  # makes the renditions
        with CaptureQueriesContext(
            connection,
        ) as captured:
            html_of(client, category)
        return len(captured)

    assert queries(4) == queries(24)


def test_bicycle_shows_its_facts_and_campaign(
    client: Client, category: CategoryPage, add: Add
) -> None:
    page = BicyclePage(
        title="Lantern",
        brand=Brand.objects.create(name="Hollis & Finch"),
        frame_material=BicyclePage.FrameMaterial.STEEL,
        gears=8,
        weight=15.4,
        electric=False,
        equipment=["Rear rack"],
        badge="New",
        badge_colour="rust",
        campaign_text="Free service",
        description="<p>Made <b>well</b></p>",
        story=[("heading", "Why")],
    )
    page.riding_styles = [RidingStyle.objects.create(name="Commuting")]
    category.add_child(instance=page)

    html = html_of(client, page)

    for text in (
        "Hollis &amp; Finch",
        "Steel",
        "15.4",
        "<b>well</b>",
        '<li class="chip">Rear rack</li>',
        '<li class="chip">Commuting</li>',
        "badge--rust",
        "Free service",
        "<h2>Why</h2>",
    ):
        assert text in html


def test_variants_are_offered_and_shown(
    client: Client, category: CategoryPage, add: Add, new_image: Callable
) -> None:
    product = add(category, BicyclePage, "Lantern")
    moss = add(
        product,
        BicycleVariantPage,
        "Lantern moss",
        colour="Moss",
        size="M",
        in_stock=True,
        primary_image=new_image("moss"),
    )
    add(
        product,
        BicycleVariantPage,
        "Lantern ink",
        colour="Ink",
        in_stock=False,
        primary_image=new_image("ink"),
    )

    html = html_of(client, product)
    assert moss.url in html
    assert "Moss, M" in html
    assert "In stock" in html
    assert "Sold out" in html
    assert html.count('class="swatch"') == 2

    html = html_of(client, moss)
    assert 'aria-current="true"' in html
    assert product.url in html


def test_variants_are_sorted_by_colour_and_size(
    client: Client, category: CategoryPage, add: Add
) -> None:
    product = add(category, BicyclePage, "Lantern")
    for colour, size in (("Moss", "S"), ("Ink", "L"), ("Ink", "S"), ("Ink", "M")):
        title = f"{colour} {size}"
        add(product, BicycleVariantPage, title, colour=colour, size=size)

    html = html_of(client, product)
    places = [html.index(f"{v}</a>") for v in ("Ink, S", "Ink, M", "Ink, L", "Moss, S")]

    assert places == sorted(places)


def test_availability_that_is_unknown_is_not_shown(
    client: Client, category: CategoryPage, add: Add
) -> None:
    product = add(category, GenericProductPage, "Bell")
    add(product, GenericVariantPage, "Bell brass")
    bicycle = add(category, BicyclePage, "Lantern")
    add(bicycle, BicycleVariantPage, "Lantern moss")

    html = html_of(client, bicycle) + html_of(client, product)

    assert "In stock" not in html
    assert "Sold out" not in html


def specification(kind: str, value: object, control: str = "") -> dict[str, object]:
    return {
        "name": "entry",
        "displayName": f"An {kind}",
        "type": kind,
        "controlType": control,
        "value": value,
    }


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (specification("Boolean", True), "Yes"),
        (specification("Boolean", False), "No"),
        (specification("Number", 1234.5), "1234.5"),
        (specification("String", ["a", "b"]), '<li class="chip">b</li>'),
        (specification("DateTime", "2035-12-31T00:00:00Z"), "Dec. 31, 2035"),
        (specification("DateTime", "2035-12-31"), "Dec. 31, 2035"),
        (specification("DateTime", "2035-06-30T10:15:00Z"), "12:15 p.m."),
        (specification("DateTime", "2035-99-99"), "2035-99-99"),
        (specification("String", "<p>Soft</p>", "Html"), "Soft"),
        (specification("String", "Two\nlines"), "Two<br>lines"),
    ],
)
def test_specifications_are_shown_by_their_type(
    client: Client, category: CategoryPage, add: Add, entry: dict, expected: str
) -> None:
    page = add(category, GenericProductPage, "Bell", specifications=[entry])

    assert expected in html_of(client, page)


@pytest.mark.parametrize("specifications", [[], [{}], [{"name": "price"}]])
def test_odd_specifications_do_no_harm(
    client: Client, category: CategoryPage, add: Add, specifications: list
) -> None:
    page = add(category, GenericProductPage, "Bell", specifications=specifications)

    html_of(client, page)


def test_generic_types_show_like_others_what_their_specifications_tell(
    client: Client, category: CategoryPage, add: Add
) -> None:
    def entries(**values: object) -> list[dict]:
        return [{"name": name, "value": value} for name, value in values.items()]

    product = add(
        category,
        GenericProductPage,
        "Bell",
        specifications=entries(Price=19.5, Summary="Polite", Weight=0.06),
    )
    variant = add(
        product,
        GenericVariantPage,
        "Bell brass",
        specifications=entries(Colour="Brass", In_stock=False, price="on request"),
    )

    html = html_of(client, product)
    assert "€ 19.50" in html
    assert '<p class="product__summary">Polite</p>' in html
    assert [fact.label for fact in product.facts()] == ["Weight"]
    assert "Brass</a>" in html
    assert "Sold out" in html
    assert variant.price is None


def test_hostile_texts_are_escaped(
    client: Client, category: CategoryPage, add: Add
) -> None:
    product = add(
        category,
        GenericProductPage,
        HOSTILE,
        slug="bell",
        campaign_text=HOSTILE,
        badge=HOSTILE[:30],
        specifications=[
            specification("String", HOSTILE),
            specification("String", [HOSTILE]),
            specification("String", "x") | {"displayName": HOSTILE},
            specification("String", HOSTILE) | {"name": "Summary"},
        ],
    )
    variant = add(
        product,
        GenericVariantPage,
        HOSTILE,
        slug="v",
        specifications=[
            specification("String", HOSTILE) | {"name": "Colour"},
        ],
    )

    for address in (
        "/",
        category.url,
        product.url,
        variant.url,
        "/search/?q=%3Cscript%3Ealert",
    ):
        assert "<script>alert" not in html_of(client, address)


@pytest.mark.parametrize(
    ("words", "found"),
    [("lantern", True), ("N-Lantern", True), ("tandem", False), ("%00 ", False)],
)
def test_search(
    client: Client, category: CategoryPage, add: Add, words: str, found: bool
) -> None:
    page = add(category, BicyclePage, "Lantern")

    assert (page.url in html_of(client, f"/search/?q={words}")) == found


def test_missing_page_is_answered_in_the_shops_look(
    client: Client, catalog: CatalogPage, category: CategoryPage
) -> None:
    response = client.get("/spokewell/no-such-thing/")

    assert response.status_code == 404
    assert "This road ends here" in response.content.decode()
    assert category.url in response.content.decode()


def test_pages_have_no_inline_script_or_style(
    client: Client, category: CategoryPage, add: Add
) -> None:
    page = add(category, BicyclePage, "Lantern")

    for address in ("/", category.url, page.url, "/search/?q=lantern"):
        html = html_of(client, address)
        assert "<script" not in html
        assert "<style" not in html
        assert "style=" not in html


def test_gift_card_is_the_shops_own(client: Client, home: HomePage, add: Add) -> None:
    card = add(home, GiftCardPage, "Gift card", amount=75, greeting="Enjoy <it>")
    html = html_of(client, card)
    assert "75" in html
    assert "Enjoy &lt;it&gt;" in html
    assert not is_synced(GiftCardPage)
