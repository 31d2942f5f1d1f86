"""The bare templates that the package ships, without those of a site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from wagtail.models import Site

import wagtail_pim
from sandbox_site.shop.models import BicyclePage
from wagtail_pim.models import CatalogPage, CategoryMembership, CategoryPage


@pytest.fixture
def bare_templates(settings: Any) -> None:
    """The package's own templates go before those of the shop."""
    folder = Path(wagtail_pim.__file__).parent / "templates"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [folder]}]


def test_a_catalog_is_shown_before_a_site_has_templates(
    site: Site, bare_templates: None, client: Client
) -> None:
    catalog = site.root_page.add_child(instance=CatalogPage(title="A <b>", slug="a"))
    category = catalog.add_child(
        instance=CategoryPage(title="City", slug="city", description="<p>For all</p>")
    )
    other = catalog.add_child(instance=CategoryPage(title="Sale", slug="sale"))
    category.add_child(instance=CategoryPage(title="Classic", slug="classic"))
    product = category.add_child(instance=BicyclePage(title="Lantern", slug="lantern"))
    CategoryMembership.objects.create(page=product, category=other)

    page = client.get("/a/").content.decode()
    assert "A &lt;b&gt;" in page
    assert page.index("/a/city/") < page.index("/a/sale/")
    page = client.get("/a/city/").content.decode()
    assert "<p>For all</p>" in page
    assert "/a/city/classic/" in page
    assert page.count("/a/city/lantern/") == 1
    assert "/a/city/lantern/" in client.get("/a/sale/").content.decode()
