"""What visitors of the shop see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from html import unescape
from itertools import cycle, islice
from uuid import UUID, uuid4

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.documents.models import Document
from wagtail.models import Locale, Page

from sandbox_site.shop import listings
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
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.markers import is_synced
from wagtail_pim.models import (
    CatalogPage,
    CategoryMembership,
    CategoryPage,
    PimAsset,
    PimLink,
    ProductAsset,
    ProductPage,
    ProductRelation,
    RelationshipType,
)

HOSTILE = "<script>alert('x')</script>"

# With products, variants and pictures of two types; one more for each further type.
LISTING_QUERIES = 26
PRODUCT_QUERIES = 32

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
    assert len(re.findall('class="swatch[ "]', html)) == 2

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
        for attributes in re.findall("<script([^>]*)>", html):
            assert "application/ld+json" in attributes or "src=" in attributes
        assert "<style" not in html
        assert "style=" not in html


def test_gift_card_is_the_shops_own(client: Client, home: HomePage, add: Add) -> None:
    card = add(home, GiftCardPage, "Gift card", amount=75, greeting="Enjoy <it>")
    html = html_of(client, card)
    assert "75" in html
    assert "Enjoy &lt;it&gt;" in html
    assert not is_synced(GiftCardPage)


# Filters


def listed(client: Client, address: str) -> list[str]:
    """The titles of the products in a listing, in their order."""
    html = html_of(client, address)
    return re.findall('class="card__link"[^>]*>([^<]*)</a>', html)


def facets(client: Client, address: str) -> dict[str, dict[str, int]]:
    """Each filter with its values and their counts, as the visitor sees them."""
    found: dict[str, dict[str, int]] = {}
    for fieldset in html_of(client, address).split("<fieldset")[1:]:
        label = re.search("<legend[^>]*>([^<]*)<", fieldset)
        assert label
        values = re.findall(
            r'<span>([^<]*)</span>\s*<span class="quiet">(\d+)<', fieldset
        )
        found[label[1]] = {value: int(count) for value, count in values}
    return found


@pytest.fixture
def stocked(category: CategoryPage, add: Add) -> CategoryPage:
    """Bicycles of two brands and some of their variants."""
    hollis, karu = (Brand.objects.create(name=name) for name in ("Hollis", "Karu"))
    for title, brand, price, variants in (
        ("Acorn", hollis, 500, [("Moss", "S", True), ("Ink", "M", False)]),
        ("Birch", hollis, 900, [("Moss", "M", True)]),
        ("Cedar", karu, 1500, [("Ink", "M", True), ("Ink", "L", True)]),
    ):
        product = add(category, BicyclePage, title, brand=brand, price=price)
        for colour, size, in_stock in variants:
            name = f"{title} {colour} {size}"
            values = {"colour": colour, "size": size, "in_stock": in_stock}
            add(product, BicycleVariantPage, name, **values)
    return category


def test_filters_offer_fields_of_products_and_of_their_variants(
    client: Client, stocked: CategoryPage
) -> None:
    found = facets(client, stocked.url)

    assert found["Brand"] == {"Hollis": 2, "Karu": 1}
    assert found["Colour"] == {"Ink": 2, "Moss": 2}
    assert list(found["Size"].items()) == [("M", 3), ("S", 1), ("L", 1)]
    assert found["In stock"] == {"Yes": 3, "No": 1}
    assert "Price in euros" in found
    assert "Electric assistance" not in found  # all are the same in it


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("f.brand=Hollis", ["Acorn", "Birch"]),
        ("f.brand=Hollis&f.brand=Karu", ["Acorn", "Birch", "Cedar"]),
        ("f.brand=Hollis&f.colour=Ink", ["Acorn"]),
        # One variant has to have all of it.
        ("f.colour=Ink&f.instock=yes", ["Cedar"]),
        ("f.size=S&f.colour=Ink", []),
        ("price_min=900&price_max=1000", ["Birch"]),
        ("price_max=899,50", ["Acorn"]),
        ("price_min=x&price_max=1e999999999", ["Acorn", "Birch", "Cedar"]),
        ("f.brand=", ["Acorn", "Birch", "Cedar"]),
        ("f.nothing=x", []),
        ("sort=-price", ["Cedar", "Birch", "Acorn"]),
        ("sort=price", ["Acorn", "Birch", "Cedar"]),
        ("sort=nothing", ["Acorn", "Birch", "Cedar"]),
    ],
)
def test_values_of_a_filter_are_alternatives_and_filters_add_up(
    client: Client, stocked: CategoryPage, query: str, titles: list[str]
) -> None:
    assert listed(client, f"{stocked.url}?{query}") == titles


def test_newest_first(client: Client, stocked: CategoryPage) -> None:
    now = timezone.now()
    for days, title in enumerate(["Birch", "Cedar", "Acorn"]):
        moment = now - timedelta(days=days)
        BicyclePage.objects.filter(title=title).update(first_published_at=moment)

    address = f"{stocked.url}?sort=newest"
    assert listed(client, address) == ["Birch", "Cedar", "Acorn"]


def test_counts_are_those_that_a_click_would_give(
    client: Client, stocked: CategoryPage
) -> None:
    found = facets(client, f"{stocked.url}?f.brand=Hollis")

    assert found["Brand"] == {"Hollis": 2, "Karu": 1}
    assert found["Colour"] == {"Moss": 2, "Ink": 1}


def test_what_is_chosen_can_be_taken_back(
    client: Client, stocked: CategoryPage
) -> None:
    address = f"{stocked.url}?f.brand=Hollis&f.brand=Karu&price_max=1000&sort=price"
    html = html_of(client, address)
    chips = {
        label: unescape(query)
        for query, label in re.findall(
            'class="chosen__chip" href="([^"]*)">.*</span>([^<]*)<', html
        )
    }

    assert chips["Hollis"] == "?f.brand=Karu&price_max=1000&sort=price"
    assert chips["Up to € 1000"] == "?f.brand=Hollis&f.brand=Karu&sort=price"
    assert '<a href="?sort=price">Clear all</a>' in html
    assert html.count(" checked>") == 2


def test_pages_of_a_listing_keep_its_filters(
    client: Client, category: CategoryPage, add: Add
) -> None:
    for number in range(26):
        values = {"electric": number != 25}
        add(category, BicyclePage, f"Bicycle {number:02}", **values)

    html = html_of(client, f"{category.url}?f.electric=yes&sort=newest")
    following = re.search('rel="next" href="([^"]*)"', html)

    assert following
    assert unescape(following[1]) == "?f.electric=yes&sort=newest&page=2"
    assert len(listed(client, category.url + unescape(following[1]))) == 1


def test_filters_of_other_products_are_those_that_tell_them_apart(
    client: Client, category: CategoryPage, add: Add
) -> None:
    for number in range(8):
        panel = "TN" if number < 5 else "IPS"
        add(
            category,
            GenericProductPage,
            f"Screen {number}",
            specifications=[
                specification("String", panel) | {"displayName": "Panel"},
                specification("Number", number) | {"name": "serial"},
                specification("String", "all") | {"name": "same"},
                specification("String", f"<p>{panel}</p>", "Html") | {"name": "prose"},
                specification("DateTime", f"202{number // 4}-01-01") | {"name": "day"},
                specification("Boolean", number == 0)
                | {"name": "Curved", "displayName": "Curved"},
                specification("String", ["VGA", "HDMI"][: 1 + number % 2])
                | {"name": "ports", "displayName": "Ports"},
                {"name": "Color", "displayName": "Color", "value": panel.lower()},
            ],
        )

    assert facets(client, category.url) == {
        "Panel": {"TN": 5, "IPS": 3},
        "Curved": {"No": 7, "Yes": 1},
        "Ports": {"VGA": 8, "HDMI": 4},
        "Color": {"tn": 5, "ips": 3},
    }
    assert len(listed(client, f"{category.url}?f.ports=HDMI&f.entry=IPS")) == 2
    assert len(listed(client, f"{category.url}?f.curved=yes")) == 1
    assert len(listed(client, f"{category.url}?f.colour=ips")) == 3


def test_filters_are_few_and_so_are_their_values(
    client: Client, category: CategoryPage, add: Add
) -> None:
    for number in range(32):
        entries = [
            specification("String", f"{name}{number % 16}")
            | {"name": name, "displayName": name}
            for name in "abcdefgh"
        ]
        title = f"Thing {number}"
        add(category, GenericProductPage, title, specifications=entries)

    found = facets(client, f"{category.url}?f.a=a9")

    assert len(found) == 6
    assert len(found["a"]) == 11  # ten, and the one that is chosen


def test_too_many_products_are_shown_without_filters(
    client: Client, stocked: CategoryPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "MOST_PRODUCTS", 2)

    html = html_of(client, f"{stocked.url}?f.brand=Karu&sort=-price")

    assert "Choose a category" in html
    assert "<fieldset" not in html
    assert "chosen__chip" not in html
    assert listed(client, stocked.url) == ["Acorn", "Birch", "Cedar"]
    assert len(listed(client, f"{stocked.url}?sort=newest")) == 3


@pytest.mark.parametrize("count", [5, 60])
def test_a_listing_costs_a_fixed_number_of_queries(
    client: Client,
    category: CategoryPage,
    add: Add,
    count: int,
    django_assert_max_num_queries: Callable,
) -> None:
    brand = Brand.objects.create(name="Karu")
    for number in range(count):
        product = add(category, BicyclePage, f"Bicycle {number}", brand=brand)
        add(product, BicycleVariantPage, f"Variant {number}", colour="Ink")
        things = [specification("String", "x")]
        title = f"Thing {number}"
        add(category, GenericProductPage, title, specifications=things)

    with django_assert_max_num_queries(LISTING_QUERIES):
        html_of(client, f"{category.url}?f.colour=Ink&sort=newest")


def test_category_shows_its_picture_and_those_of_its_subcategories(
    client: Client, category: CategoryPage, new_image: Callable
) -> None:
    CategoryPage.objects.filter(pk=category.pk).update(primary_image=new_image("top"))
    category.add_child(
        instance=CategoryPage(title="City", primary_image=new_image("city"))
    )
    html = html_of(client, category)

    assert re.search('<img [^>]*alt="Bicycles"[^>]*class="category__image"', html)
    assert re.search('<img [^>]*class="tile__image"', html)


def test_catalog_shows_two_levels_of_its_categories(
    client: Client, catalog: CatalogPage, category: CategoryPage
) -> None:
    city = category.add_child(instance=CategoryPage(title="City"))
    classic = city.add_child(instance=CategoryPage(title="Classic"))
    html = html_of(client, catalog)

    assert category.url in html
    assert city.url in html
    assert classic.url not in html


# Search


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("lantern", ["Lantern", "Tall lantern"]),
        ("lant", ["Lantern", "Tall lantern"]),
        ("N-Tall", ["Tall lantern"]),
        ("-tall", ["Tall lantern"]),
        ("SW-7", ["Lantern"]),
        ("lantern&f.electric=yes", ["Tall lantern"]),
        ("lantern&sort=newest", ["Tall lantern", "Lantern"]),
    ],
)
def test_search(
    client: Client, category: CategoryPage, add: Add, words: str, titles: list[str]
) -> None:
    lantern = add(category, BicyclePage, "Lantern")
    add(lantern, BicycleVariantPage, "Moss")
    BicycleVariantPage.objects.update(product_number="SW-77")
    add(category, BicyclePage, "Tall lantern", electric=True)
    tomorrow = timezone.now() + timedelta(days=1)
    BicyclePage.objects.filter(electric=True).update(first_published_at=tomorrow)

    assert sorted(listed(client, f"/search/?q={words}")) == sorted(titles)


def test_a_whole_number_is_found_first(
    client: Client, category: CategoryPage, add: Add
) -> None:
    add(category, BicyclePage, "A number 10")
    add(category, BicyclePage, "B number 1")
    BicyclePage.objects.filter(title="A number 10").update(product_number="X-10")
    BicyclePage.objects.filter(title="B number 1").update(product_number="X-1")

    assert listed(client, "/search/?q=x-1") == ["B number 1", "A number 10"]


@pytest.mark.parametrize("words", ["", "%00 ", "%20"])
def test_search_for_nothing_asks_for_words(
    client: Client, catalog: CatalogPage, words: str
) -> None:
    html = html_of(client, f"/search/?q={words}")

    assert "Type what you are looking for" in html


def test_search_in_vain_suggests_what_there_is(
    client: Client, category: CategoryPage, add: Add
) -> None:
    page = add(category, BicyclePage, "Lantern")
    html = html_of(client, "/search/?q=lantrn+bicycles")

    assert "Nothing found" in html
    assert 'href="?q=lantern"' in html
    assert category.url in html
    assert page.url in html  # among the newest


@pytest.mark.parametrize("words", ["x " * 2000, "'\"(", "a*", "%", "😀", "-" * 300])
def test_odd_words_do_no_harm(client: Client, catalog: CatalogPage, words: str) -> None:
    assert client.get("/search/", {"q": words}).status_code == 200


def test_search_is_in_the_visitors_language(
    client: Client, category: CategoryPage, add: Add
) -> None:
    add(category, BicyclePage, "Lantern")

    html = html_of(client, "/de/search/?q=lantern")

    assert '<html lang="de">' in html
    assert "Nichts gefunden" in html
    assert '<a href="/search/?q=lantern" lang="en"' in html


# Products


def linked(page: Page, guid: UUID | None = None) -> UUID:
    """Makes the page one of the PIM's, as a run would."""
    guid = guid or uuid4()
    kind = "product" if isinstance(page, ProductPage) else "variant"
    PimLink.objects.create(
        page=page,
        kind=kind,
        guid=guid,
        locale=page.locale,
        version=1,
        synced_at=timezone.now(),
        run_id=uuid4(),
    )
    return guid


def give(guid: UUID, **files: list) -> None:
    """Gives a product pictures (``image``) and documents (``document``) in order."""
    for kind, values in files.items():
        for order, file in enumerate(values):
            asset = PimAsset.objects.create(
                guid=uuid4(), content_hash="x", **{kind: file}
            )
            ProductAsset.objects.create(
                product_guid=guid, asset=asset, sort_order=order
            )


def pictures(html: str) -> list[str]:
    """The alternative texts of the gallery's pictures."""
    images = re.findall('<img [^>]*class="gallery__picture"[^>]*>', html)
    for image in images:
        assert "srcset=" in image
        assert " width=" in image
        assert " height=" in image
    texts = [re.search('alt="([^"]*)"', image) for image in images]
    return [text[1] for text in texts if text]


def test_gallery_shows_all_pictures_in_order(
    client: Client, category: CategoryPage, add: Add, new_image: Callable
) -> None:
    page = add(category, BicyclePage, "Lantern")
    front, back = new_image("front"), new_image("back")
    front.description = "The lantern from the front"
    front.save()
    give(linked(page), image=[front, back])

    html = html_of(client, page)

    assert pictures(html) == ["The lantern from the front", "Lantern"]
    assert html.count('class="gallery__thumbnail"') == 2
    assert 'href="#picture-2"' in html
    assert 'id="picture-2"' in html
    first, second = re.findall('<img [^>]*class="gallery__picture"[^>]*>', html)
    assert "lazy" not in first
    assert 'loading="lazy"' in second


def test_one_picture_needs_no_thumbnails(
    client: Client, category: CategoryPage, add: Add, new_image: Callable
) -> None:
    page = add(category, BicyclePage, "Lantern", primary_image=new_image("only"))
    html = html_of(client, page)

    assert pictures(html) == ["Lantern"]
    assert "gallery__thumbnail" not in html


def test_variant_shows_its_own_pictures_or_those_of_its_product(
    client: Client, category: CategoryPage, add: Add, new_image: Callable
) -> None:
    product = add(category, BicyclePage, "Lantern")
    give(linked(product), image=[new_image("one"), new_image("two")])
    moss = add(product, BicycleVariantPage, "Moss", primary_image=new_image("moss"))
    ink = add(product, BicycleVariantPage, "Ink")

    assert pictures(html_of(client, moss)) == ["Moss"]
    assert pictures(html_of(client, ink)) == ["Ink", "Ink"]


def test_documents_can_be_downloaded(
    client: Client, category: CategoryPage, add: Add
) -> None:
    page = add(category, BicyclePage, "Lantern")
    manual = Document(title="Manual")
    manual.file.save("manual.pdf", ContentFile(b"x" * 2048))
    give(linked(page), document=[manual])

    html = html_of(client, page)

    assert manual.url in html
    assert "PDF, 2.0\xa0KB" in html


def test_related_products_are_shown_by_type(
    client: Client, category: CategoryPage, add: Add
) -> None:
    page = add(category, BicyclePage, "Lantern")
    bell = add(category, GenericProductPage, "Bell")
    goes_with = RelationshipType.objects.create(name="Goes with it")
    ProductRelation.objects.create(
        product_guid=linked(page),
        type=goes_with,
        related_guid=linked(bell),
        sort_order=0,
    )
    html = html_of(client, page)

    assert "<h2>Goes with it</h2>" in html
    assert bell.url in html


def choices(html: str) -> dict[str, tuple[str | None, bool, bool]]:
    """Each size of the picker: its address, whether current, whether sold out."""
    found = {}
    pattern = '<(?:a|span) class="choice([^"]*)"(?: href="([^"]*)")?([^>]*)>([^ <]*)'
    for classes, address, attributes, label in re.findall(pattern, html):
        current = "aria-current" in attributes
        found[label] = (address or None, current, "sold-out" in classes)
    return found


def test_picker_leads_to_the_variant_that_is_nearest(
    client: Client, category: CategoryPage, add: Add
) -> None:
    product = add(category, BicyclePage, "Lantern")
    variants = {
        (colour, size): add(
            product,
            BicycleVariantPage,
            f"{colour} {size}",
            colour=colour,
            size=size,
            in_stock=in_stock,
        )
        for colour, size, in_stock in (
            ("Moss", "S", False),
            ("Moss", "M", True),
            ("Ink", "S", True),
            ("Ink", "L", True),
        )
    }
    address = {key: variant.url for key, variant in variants.items()}

    html = html_of(client, variants["Moss", "M"])
    assert choices(html) == {
        "S": (address["Moss", "S"], False, True),
        "M": (address["Moss", "M"], True, False),
        "L": (None, False, False),
    }
    assert "(not made in Moss)" in html
    # Ink is not made in M: the link goes to another size, and says so.
    assert re.search(
        f'href="{address["Ink", "S"]}".*?<span class="swatch__note">in S</span>',
        html,
        re.DOTALL,
    )

    # Nothing is chosen yet: what is in stock comes first.
    html = html_of(client, product)
    assert f'href="{address["Moss", "M"]}"' in html
    assert choices(html)["S"] == (address["Ink", "S"], False, False)


def test_variants_without_colour_and_size_go_by_what_differs(
    client: Client, category: CategoryPage, add: Add
) -> None:
    product = add(category, GenericProductPage, "Screen")
    for inches in (37, 46):
        diagonal = specification("Number", inches) | {"displayName": "Diagonal"}
        title = f"Screen {inches}"
        add(product, GenericVariantPage, title, specifications=[diagonal])

    html = html_of(client, product)

    assert html.count(">Diagonal 37</a>") == 2  # to choose, and in the table
    assert "Availability" not in html


def test_variants_that_nothing_tells_apart_go_by_number(
    client: Client, category: CategoryPage, add: Add
) -> None:
    product = add(category, GenericProductPage, "Screen")
    for title in ("One", "Two"):
        add(product, GenericVariantPage, title)

    assert "One (N-One)</a>" in html_of(client, product)


def test_variant_tells_what_its_product_says(
    client: Client, category: CategoryPage, add: Add
) -> None:
    product = add(category, BicyclePage, "Lantern", gears=8, price=Decimal(90))
    variant = add(product, BicycleVariantPage, "Moss", colour="Moss")
    html = html_of(client, variant)

    assert "Gears" in html
    assert "€ 90.00" in html


@pytest.mark.parametrize("count", [2, 12])
def test_a_product_costs_a_fixed_number_of_queries(
    client: Client,
    category: CategoryPage,
    add: Add,
    new_image: Callable,
    count: int,
    django_assert_max_num_queries: Callable,
) -> None:
    product = add(category, BicyclePage, "Lantern")
    guid = linked(product)
    give(guid, image=[new_image(f"picture-{n}") for n in range(count)])
    kind = RelationshipType.objects.create(name="Goes with it")
    for number in range(count):
        picture = new_image(f"colour-{number}")
        name = f"Colour {number}"
        add(product, BicycleVariantPage, name, colour=name, primary_image=picture)
        other = add(category, HelmetPage, f"Helmet {number}", primary_image=picture)
        ProductRelation.objects.create(
            product_guid=guid, type=kind, related_guid=linked(other), sort_order=number
        )
    html_of(client, product)  # makes the renditions

    with django_assert_max_num_queries(PRODUCT_QUERIES):
        html_of(client, product)


# Search engines


def structured_data(client: Client, page: Page) -> dict[str, dict]:
    """What the page says in JSON-LD, by type."""
    pattern = '<script type="application/ld[+]json">(.*?)</script>'
    found = map(json.loads, re.findall(pattern, html_of(client, page), re.DOTALL))
    return {data["@type"]: data for data in found}


def test_product_tells_search_engines_of_itself(
    client: Client, category: CategoryPage, add: Add, new_image: Callable
) -> None:
    page = add(
        category,
        BicyclePage,
        "Lantern",
        price=Decimal("1090"),
        brand=Brand.objects.create(name="Hollis & Finch"),
        description="<p>Made&nbsp;well</p><p>for rain &amp; shine</p>",
        primary_image=new_image("front"),
    )
    data = structured_data(client, page)

    product = data["Product"]
    assert product.pop("image")[0].startswith("http://testserver/media/")
    assert product == {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": "Lantern",
        "sku": "N-Lantern",
        "url": page.full_url,
        "description": "Made well for rain & shine",
        "brand": {"@type": "Brand", "name": "Hollis & Finch"},
        "offers": {
            "@type": "Offer",
            "price": "1090.00",
            "priceCurrency": "EUR",
            "url": page.full_url,
        },
    }
    steps = data["BreadcrumbList"]["itemListElement"]
    assert [step["name"] for step in steps] == [
        "Home",
        "Spokewell",
        "Bicycles",
        "Lantern",
    ]
    assert steps[2]["item"] == category.full_url


def test_product_with_variants_is_a_group(
    client: Client, category: CategoryPage, add: Add
) -> None:
    page = add(category, BicyclePage, "Lantern", summary="Ready")
    for colour, in_stock in (("Ink", False), ("Moss", True)):
        values = {"colour": colour, "size": "M", "in_stock": in_stock, "price": 10}
        add(page, BicycleVariantPage, colour, **values)

    group = structured_data(client, page)["ProductGroup"]

    assert group["productGroupID"] == "N-Lantern"
    assert group["variesBy"] == ["https://schema.org/color"]
    ink, moss = group["hasVariant"]
    assert (ink["sku"], ink["color"], ink["size"]) == ("N-Ink", "Ink", "M")
    assert ink["offers"]["availability"] == "https://schema.org/OutOfStock"
    assert moss["offers"]["availability"] == "https://schema.org/InStock"

    variant = structured_data(client, page.get_children().first())["Product"]
    assert variant["sku"] == "N-Ink"
    assert variant["description"] == "Ready"
    assert variant["isVariantOf"]["url"] == page.full_url


def test_product_without_price_offers_nothing(
    client: Client, category: CategoryPage, add: Add
) -> None:
    page = add(category, GenericProductPage, "Bell")

    assert "offers" not in structured_data(client, page)["Product"]


def test_texts_of_the_pim_do_not_end_the_structured_data(
    client: Client, category: CategoryPage, add: Add
) -> None:
    title = "</script><script>alert(1)</script><!--"
    page = add(category, GenericProductPage, title, slug="bell")

    assert structured_data(client, page)["Product"]["name"] == title


def meta(client: Client, address: Page | str) -> dict[str, str]:
    """What the head of a page says, by name, property or relation."""
    pattern = (
        '<(?:meta|link) (?:name|property|rel)="([^"]+)"'
        '(?: hreflang="([^"]+)")? (?:content|href)="([^"]*)"'
    )
    found = re.findall(pattern, html_of(client, address))
    return {f"{name} {language}".strip(): value for name, language, value in found}


def test_head_describes_the_page(
    client: Client, category: CategoryPage, add: Add, new_image: Callable
) -> None:
    picture = new_image("front")
    values = {"summary": "Ready before you are", "primary_image": picture}
    page = add(category, BicyclePage, "Lantern", **values)
    found = meta(client, page)

    assert found["description"] == "Ready before you are"
    assert found["canonical"] == found["og:url"] == page.full_url
    assert found["og:title"] == "Lantern"
    assert found["og:type"] == "product"
    assert found["og:image"].startswith("http://testserver/media/")


def test_listing_has_one_address_whatever_is_chosen(
    client: Client, category: CategoryPage
) -> None:
    chosen = f"{category.url}?f.colour=Ink&sort=price"

    assert meta(client, chosen)["canonical"] == category.full_url
    second = meta(client, f"{chosen}&page=2")["canonical"]
    assert second == f"{category.full_url}?page=2"


# Languages


@pytest.fixture
def german_catalog(catalog: CatalogPage) -> CatalogPage:
    german = Locale.objects.get(language_code="de")
    with pim_write():
        translation = catalog.copy_for_translation(german)
        translation.live = True
        translation.title = "Katalog"
        translation.save()
    return translation


def languages(html: str) -> dict[str, str]:
    pattern = '<a href="([^"]*)" lang="(..)" hreflang="..".*?</a>'
    return {code: address for address, code in re.findall(pattern, html)}


def test_languages_lead_to_the_same_page_or_else_home(
    client: Client, catalog: CatalogPage, german_catalog: CatalogPage
) -> None:
    html = html_of(client, german_catalog)

    assert '<html lang="de">' in html
    assert languages(html) == {
        "en": catalog.url,
        "de": german_catalog.url,
        "fr": "/fr/",
    }
    found = meta(client, german_catalog)
    assert found["alternate en"] == found["alternate x-default"] == catalog.full_url
    assert found["alternate de"] == german_catalog.full_url
    assert "alternate fr" not in found


def test_what_is_not_live_in_a_language_is_not_offered_in_it(
    client: Client, catalog: CatalogPage, german_catalog: CatalogPage
) -> None:
    CatalogPage.objects.filter(pk=german_catalog.pk).update(live=False)

    assert languages(html_of(client, catalog))["de"] == "/de/"


def test_missing_page_leads_to_the_home_pages(
    client: Client, catalog: CatalogPage
) -> None:
    html = client.get("/spokewell/no-such-thing/").content.decode()

    assert languages(html) == {"en": "/", "de": "/de/", "fr": "/fr/"}


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("de", ["Zum Inhalt springen", "Suchen", "1 Produkt", "1.090,00\xa0€"]),
        ("fr", ["Aller au contenu", "Rechercher", "1 produit", "1\xa0090,00\xa0€"]),
    ],
)
def test_texts_of_the_shop_are_translated(
    client: Client, home: HomePage, add: Add, code: str, texts: list[str]
) -> None:
    locale = Locale.objects.get(language_code=code)
    parent = home.get_translation(locale)
    catalog = CatalogPage(title="Spokewell", slug="spokewell", locale=locale)
    parent.add_child(instance=catalog)
    category = catalog.add_child(instance=CategoryPage(title="C", locale=locale))
    values = {"price": Decimal("1090"), "locale": locale}
    add(category, BicyclePage, "Lantern", **values)

    html = html_of(client, category).replace("\u202f", "\xa0")

    for text in texts:
        assert text in html
