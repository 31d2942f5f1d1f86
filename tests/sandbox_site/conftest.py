from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from django.core.files.images import ImageFile
from PIL import Image as Picture
from wagtail.images import get_image_model
from wagtail.models import Page

from sandbox_site.shop.models import HomePage
from sandbox_site.shop.setup import prepare_site
from wagtail_pim.models import CatalogPage, CategoryPage


@pytest.fixture
def home(db: None) -> HomePage:
    prepare_site(8000)
    return HomePage.objects.get(locale__language_code="en")


@pytest.fixture
def catalog(home: HomePage) -> CatalogPage:
    return home.add_child(instance=CatalogPage(title="Spokewell", slug="spokewell"))


@pytest.fixture
def category(catalog: CatalogPage) -> CategoryPage:
    return catalog.add_child(instance=CategoryPage(title="Bicycles", slug="bicycles"))


@pytest.fixture
def new_image(db: None) -> Callable[[str], object]:
    def make(title: str) -> object:
        file = BytesIO()
        Picture.new("RGB", (40, 30), "green").save(file, "PNG")
        image_file = ImageFile(file, name=f"{title}.png")
        return get_image_model().objects.create(title=title, file=image_file)

    return make


@pytest.fixture
def add() -> Callable[..., Page]:
    """Adds a page below another; the title makes slug and product number."""

    def add(parent: Page, model: type[Page], title: str, **values: object) -> Page:
        page = model(title=title, product_number=f"N-{title}", **values)
        return parent.add_child(instance=page)

    return add
