"""The shop on a phone and on a desk: it fits, and everybody can use it."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.images import ImageFile
from django.utils import timezone
from PIL import Image as Picture
from playwright.sync_api import Page, expect
from wagtail.images import get_image_model
from wagtail.models import Locale

from sandbox_site.shop.models import (
    BicyclePage,
    BicycleVariantPage,
    Brand,
    GenericProductPage,
    HomePage,
)
from sandbox_site.shop.setup import prepare_site
from tests.browser.test_runs import assert_accessible, assert_fits
from wagtail_pim.models import (
    CatalogPage,
    CategoryPage,
    PimAsset,
    PimLink,
    ProductAsset,
    ProductRelation,
    RelationshipType,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("refilled_database"),
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
]

PHONE = {"width": 390, "height": 844}
BELL = [{"name": "Finish", "displayName": "Finish", "value": "Brass " * 40}]


def picture(colour: str) -> Any:
    file = BytesIO()
    Picture.new("RGB", (800, 600), colour).save(file, "PNG")
    image_file = ImageFile(file, name=f"{colour}.png")
    return get_image_model().objects.create(title=colour, file=image_file)


def link(page: Any, kind: str) -> Any:
    return PimLink.objects.create(
        page=page,
        kind=kind,
        guid=uuid4(),
        locale=page.locale,
        version=1,
        synced_at=timezone.now(),
        run_id=uuid4(),
    )


def fill(home: HomePage, pictures: dict[str, Any]) -> None:
    """A catalog in the language of the home page: one product with all that can be."""
    locale = {"locale": home.locale}
    catalog = CatalogPage(title="Spokewell", slug="spokewell", **locale)
    home.add_child(instance=catalog)
    first = pictures["green"]
    category = CategoryPage(title="Bicycles", slug="bicycles", primary_image=first)
    category.locale = home.locale
    catalog.add_child(instance=category)
    city = CategoryPage(title="City", slug="city", primary_image=first, **locale)
    category.add_child(instance=city)
    brand, _created = Brand.objects.get_or_create(name="Hollis & Finch")
    lantern = BicyclePage(
        title="Lantern",
        slug="lantern",
        product_number="SW-1",
        brand=brand,
        gears=8,
        summary="Ready before you are",
        description="<p>Made well</p>",
        price=Decimal("1090"),
        primary_image=first,
        badge="New",
        badge_colour="rust",
        campaign_text="Free service",
        equipment=["Rack"],
        **locale,
    )
    category.add_child(instance=lantern)
    for colour, size, in_stock in (
        ("Green", "S", True),
        ("Green", "M", False),
        ("Navy", "S", True),
    ):
        variant = BicycleVariantPage(
            title=f"Lantern {colour} {size}",
            slug=f"lantern-{colour}-{size}".lower(),
            product_number=f"SW-1-{colour}-{size}",
            colour=colour,
            size=size,
            in_stock=in_stock,
            price=Decimal("1090"),
            primary_image=pictures[colour.lower()],
            **locale,
        )
        lantern.add_child(instance=variant)
    bell = GenericProductPage(
        title="Bell", slug="bell", product_number="B-1", specifications=BELL, **locale
    )
    category.add_child(instance=bell)
    tandem = BicyclePage(
        title="Tandem", slug="tandem", gears=27, price=Decimal("2900"), **locale
    )
    category.add_child(instance=tandem)

    guid = link(lantern, "product").guid
    for order, asset in enumerate(PimAsset.objects.order_by("pk")):
        ProductAsset.objects.create(product_guid=guid, asset=asset, sort_order=order)
    kind, _created = RelationshipType.objects.get_or_create(name="Goes with it")
    ProductRelation.objects.create(
        product_guid=guid,
        type=kind,
        related_guid=link(bell, "product").guid,
        sort_order=0,
    )


@pytest.fixture
def shop(db: None) -> None:
    prepare_site(8000)
    pictures = {colour: picture(colour) for colour in ("green", "navy")}
    for image in pictures.values():
        PimAsset.objects.create(guid=uuid4(), content_hash="x", image=image)
    english = HomePage.objects.get(locale__language_code="en")
    fill(english, pictures)
    german = Locale.objects.get(language_code="de")
    fill(english.get_translation(german), pictures)


ADDRESSES = [
    "/",
    "/spokewell/",
    "/spokewell/bicycles/?f.gears=8&price_max=2000",
    "/search/?q=lantern",
    "/search/?q=lantrn",
    "/spokewell/bicycles/lantern/",
    "/spokewell/bicycles/lantern/lantern-green-s/",
    "/spokewell/bicycles/bell/",
]


@pytest.mark.parametrize("prefix", ["", "/de"])
def test_every_page_fits_and_is_accessible(page: Page, shop: None, prefix: str) -> None:
    for address in ADDRESSES:
        page.goto(prefix + address)
        assert_fits(page)
        assert_accessible(page)
        page.set_viewport_size(PHONE)
        if (filters := page.locator("details.filters")).count():
            filters.locator("summary").click()
            expect(page.locator("fieldset").first).to_be_visible()
        assert_accessible(page)
        page.set_viewport_size({"width": 1280, "height": 900})


def test_filters_with_the_keyboard_on_a_phone(page: Page, shop: None) -> None:
    page.set_viewport_size(PHONE)
    page.goto("/spokewell/bicycles/")
    expect(page.locator("fieldset").first).to_be_hidden()

    page.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("input:focus")).to_have_attribute("type", "checkbox")
    page.get_by_role("group", name="Gears").get_by_label("27").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")

    page.wait_for_url("**/?f.gears=27*")
    expect(page.locator(".card__link")).to_have_text(["Tandem"])
    page.get_by_role("link", name="Remove: 27").click()
    expect(page.locator(".card__link")).to_have_count(3)


def test_filters_stand_open_on_a_desk(page: Page, shop: None) -> None:
    page.goto("/spokewell/bicycles/")

    page.get_by_label("Green").check()
    page.get_by_role("button", name="Show products").click()

    expect(page.locator(".card__link")).to_have_text(["Lantern"])
    expect(page.get_by_label("Green")).to_be_checked()


def test_pictures_and_variants(page: Page, shop: None) -> None:
    page.goto("/spokewell/bicycles/lantern/")
    second = page.locator("#picture-2")
    expect(second).not_to_be_in_viewport()
    page.get_by_role("link", name="Picture 2 of 2").click()
    expect(second).to_be_in_viewport(ratio=0.9)

    page.locator(".picker").get_by_role("link", name="Navy").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lantern Navy S")
    expect(page.locator(".choice--missing")).to_contain_text("M (not made in Navy)")
    page.locator(".picker").get_by_role("link", name="Green").click()
    page.locator(".picker").get_by_role("link", name="M (sold out)").click()
    expect(page.locator(".product .stock")).to_have_text("Sold out")


def test_pictures_without_script(page: Page, shop: None, live_server: Any) -> None:
    browser = page.context.browser
    assert browser
    context = browser.new_context(
        base_url=live_server.url, java_script_enabled=False, viewport=PHONE
    )
    plain = context.new_page()
    plain.goto("/spokewell/bicycles/lantern/")
    plain.get_by_role("link", name="Picture 2 of 2").click()

    expect(plain.locator("#picture-2")).to_be_in_viewport(ratio=0.9)
    context.close()


def test_nothing_moves_while_the_page_loads(page: Page, shop: None) -> None:
    for address in ADDRESSES:
        page.set_viewport_size(PHONE)
        page.goto(address, wait_until="networkidle")
        shift = page.evaluate(
            """() => new Promise((resolve) => {
                let sum = 0;
                new PerformanceObserver((list) => {
                    for (const entry of list.getEntries()) sum += entry.value;
                }).observe({ type: "layout-shift", buffered: true });
                requestAnimationFrame(() => setTimeout(() => resolve(sum), 0));
            })"""
        )
        assert shift < 0.01, address
