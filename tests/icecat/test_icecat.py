"""A real catalog, compared page by page and field by field with its source files.

The catalog is not part of the project. ``WAGTAIL_PIM_TEST_DATA`` names its folder;
without it, the folder beside the project is taken where there is one.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from wagtail.images import get_image_model
from wagtail.models import Locale, Page, PageLogEntry, Site

from sandbox_site.pim.server import PimServer
from sandbox_site.shop.models import GenericProductPage, GenericVariantPage
from tests.conftest import publish_now
from tests.site_dump import site_content
from wagtail_pim.conf import get_config
from wagtail_pim.jobs import RefreshPublishedProducts, runs
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import (
    CatalogPage,
    CategoryMembership,
    CategoryPage,
    JobRun,
    PimAsset,
    PimLink,
)
from wagtail_pim.models.runs import Outcome, State, Trigger

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(
    os.environ.get("WAGTAIL_PIM_TEST_DATA", ROOT.parent / "shared" / "data" / "icecat")
)

LANGUAGES = {"de": "de-DE", "fr": "fr-FR"}

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason=f"the icecat catalog is not at {FOLDER}"
    ),
]


def read(name: str) -> list[dict[str, Any]]:
    path = FOLDER / f"{name}.jsonl"
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
    else:
        with gzip.open(f"{path}.gz", "rt", encoding="utf-8") as file:
            lines = file.read().splitlines()
    return [json.loads(line) for line in lines]


class Source(SimpleNamespace):
    """The files, and what follows from them by the rules of the PIM."""

    @classmethod
    def load(cls) -> Source:
        products = {p["id"]: p for p in read("products")}
        categories = {c["id"]: c for c in read("categorytrees")}
        mapped = {
            t["id"] for t in read("categoryTaxonomies") if len(t["websites"]) == 1
        }
        on_site = {
            c["id"] for c in categories.values() if c["categoryTaxonomyId"] in mapped
        }
        listed: dict[str, set[str]] = defaultdict(set)
        for link in read("categoryTreeProducts"):
            listed[link["productId"]].add(link["categoryTreeId"])
        for product in products.values():
            listed[product["id"]].add(product["primaryCategoryTreeId"])
        return cls(
            products=products,
            categories=categories,
            on_site=on_site,
            listed={key: value & on_site for key, value in listed.items()},
            properties=[p for p in read("properties") if not p["isSystemProperty"]],
            assets={a["id"]: a for a in read("assets")},
            attached=_lists(read("productassets"), "assetId"),
            relations=read("productRelatedProducts"),
            relationships={r["id"]: r["name"] for r in read("productRelationships")},
        )

    def assets_of(self, product: str) -> list[str]:
        """The primary image first, then the others by the ids of their links."""
        primary = self.products[product]["primaryImageAssetId"]
        listed = [*([primary] if primary else []), *self.attached.get(product, [])]
        return list(dict.fromkeys(listed))

    def placeable(self) -> set[str]:
        return {
            key
            for key, product in self.products.items()
            if product["parentProductId"] or self.listed[key]
        }


def _lists(links: list[dict[str, Any]], name: str) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = defaultdict(list)
    for link in sorted(links, key=lambda link: link["id"]):
        lists[link["productId"]].append(link[name])
    return lists


@pytest.fixture(scope="module")
def source() -> Source:
    return Source.load()


@pytest.fixture(scope="module")
def pim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PimServer]:
    database = tmp_path_factory.mktemp("icecat") / "pim.sqlite3"
    with PimServer(database=database, port=0) as server:
        server.store.load_folder(FOLDER)
        server.store.approve_all()
        yield server


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, django_db_blocker: Any, pim: PimServer
) -> Iterator[None]:
    key = pim.store.credentials().write
    options = {
        "API_ADDRESS": pim.url,
        "APP_KEY": key.app_key,
        "SECRET_KEY": key.secret_key,
        "DEFAULT_PRODUCT_PAGE": "shop.GenericProductPage",
        "DEFAULT_VARIANT_PAGE": "shop.GenericVariantPage",
    }
    with (
        django_db_blocker.unblock(),
        override_settings(WAGTAIL_PIM=options),
        transaction.atomic(),
    ):
        home = Site.objects.get(is_default_site=True).root_page
        for code in LANGUAGES:
            locale = Locale.objects.create(language_code=code)
            translation = home.copy_for_translation(locale)
            translation.live = True
            translation.save()
        yield
        transaction.set_rollback(True)
    get_config.cache_clear()


@pytest.fixture(scope="module")
def report(site: None) -> JobRun:
    return publish_now()


@pytest.fixture(scope="module")
def pages(report: JobRun) -> dict[str, Page]:
    """The specific pages in the default language by the product's id in the PIM."""
    return pages_in(Locale.get_default())


def pages_in(locale: Locale) -> dict[str, Page]:
    links = dict(
        PimLink.objects.filter(
            kind__in=["product", "variant"], locale=locale
        ).values_list("page_id", "guid")
    )
    found = [
        *GenericProductPage.objects.filter(pk__in=links),
        *GenericVariantPage.objects.filter(pk__in=links),
    ]
    return {str(links[page.pk]): page for page in found}


def test_every_product_is_published_or_a_failed_item(source, report, pages, pim):
    assert report.state == State.FAILED_ITEMS
    assert pages.keys() == source.placeable()
    failed = {str(item.guid): item for item in report.failed_items()}
    assert failed.keys() == source.products.keys() - source.placeable()
    assert all("categor" in item.reason for item in failed.values())
    assert report.counts == {
        Outcome.CREATED: len(source.placeable()),
        Outcome.FAILED: len(failed),
    }
    assert report.acknowledged == len(source.placeable())
    status = Counter(p["status"] for p in pim.store.find("products"))
    assert status == {"Published": len(pages), "Approved": len(failed)}


def test_titles_numbers_and_urls_are_those_of_the_source(source, pages):
    siblings = Counter(
        (page.path[: -Page.steplen], source.products[key]["urlSegment"])
        for key, page in pages.items()
    )
    for key, page in pages.items():
        product = source.products[key]
        assert page.title == page.draft_title == product["productTitle"].strip()
        assert page.product_number == product["productNumber"]
        assert page.live
        if siblings[page.path[: -Page.steplen], product["urlSegment"]] == 1:
            assert page.slug == product["urlSegment"]
        assert page.expire_at is None


def test_products_stand_in_their_category_and_variants_below_their_product(
    source, pages
):
    categories = dict(
        CategoryPage.objects.filter(
            pim_link__isnull=False, locale=Locale.get_default()
        ).values_list("path", "pim_link__guid")
    )
    for key, page in pages.items():
        product = source.products[key]
        parent_path = page.path[: -Page.steplen]
        if product["parentProductId"]:
            assert parent_path == pages[product["parentProductId"]].path
            continue
        place = str(categories[parent_path])
        if product["primaryCategoryTreeId"] in source.on_site:
            assert place == product["primaryCategoryTreeId"]
        else:
            assert place in source.listed[key]


def test_the_other_categories_list_the_product(source, pages):
    categories = {
        page_id: str(guid)
        for page_id, guid in PimLink.objects.filter(kind="category").values_list(
            "page_id", "guid"
        )
    }
    listed = defaultdict(set)
    for page_id, category_id in CategoryMembership.objects.values_list(
        "page_id", "category_id"
    ):
        listed[page_id].add(categories[category_id])
    for key, page in pages.items():
        place = (
            source.products[key]["primaryCategoryTreeId"]
            if source.products[key]["parentProductId"]
            else categories[page.get_parent().pk]
        )
        assert listed[page.pk] == source.listed[key] - {place}


def test_the_category_tree_is_that_of_the_source(source, report):
    pages = {
        str(page.pim_link.guid): page
        for page in CategoryPage.objects.filter(
            pim_link__isnull=False, locale=Locale.get_default()
        )
    }
    assert pages.keys() == source.on_site
    for key, page in pages.items():
        category = source.categories[key]
        assert page.title == category["name"]
        if category["parentId"]:
            assert page.is_child_of(pages[category["parentId"]])
    for siblings in by_parent(source, pages):
        in_tree = sorted(siblings, key=lambda key: pages[key].path)
        wanted = [source.categories[key]["displaySequence"] for key in in_tree]
        assert wanted == sorted(wanted)


def by_parent(source: Source, pages: dict[str, Page]) -> Iterator[list[str]]:
    groups: dict[Any, list[str]] = defaultdict(list)
    for key in pages:
        category = source.categories[key]
        groups[category["categoryTaxonomyId"], category["parentId"]].append(key)
    yield from groups.values()


def test_every_property_of_every_product_stands_on_its_page(source, pages):
    compared = Counter()
    for key, page in pages.items():
        product = source.products[key]
        entries = {entry["name"]: entry for entry in page.specifications}
        for prop in source.properties:
            name = prop["name"]
            if name not in product:
                continue
            if name == "description" and isinstance(page, GenericProductPage):
                # The shop keeps this one in a field of its own.
                entries[name] = {**prop, "value": page.description}
            entry = entries.pop(name)
            assert entry["displayName"] == prop["displayName"]
            assert entry["type"] == prop["type"]
            assert_same_value(entry["value"], product[name], prop)
            compared[prop["controlType"]] += 1
        assert not entries, f"{product['productNumber']} has more than the source"
    # Each kind of value that the source has was really compared.
    assert compared.keys() >= {
        "Html",
        "Decimal",
        "Toggle",
        "DatePicker",
        "MultiSelect",
        "Dropdown",
        "TextArea",
        "TextField",
    }


def assert_same_value(found: Any, given: Any, prop: dict[str, Any]) -> None:
    match prop["controlType"]:
        case "MultiSelect":
            assert found == given.split("~")
        case "Html":
            assert words(found) == words(given)
        case _ if isinstance(given, str):
            assert found == given.strip()
        case _:
            assert found == given
            assert type(found) is type(given)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.text.append(" ")


def words(html: str) -> list[str]:
    """What a reader sees of HTML or of plain text."""
    parser = _Words()
    parser.feed(html)
    parser.close()
    return "".join(parser.text).split()


def test_no_html_of_the_source_reaches_a_page_unclean(pages):
    for page in pages.values():
        for entry in page.specifications:
            if entry["controlType"] == "Html":
                assert "<script" not in entry["value"].lower()
                assert "onclick" not in entry["value"].lower()


# Pictures and relations


def test_every_picture_is_that_of_the_source_and_in_its_place(source, pages):
    rows = {str(row.guid): row for row in PimAsset.objects.select_related("image")}
    used = {guid for key in pages for guid in source.assets_of(key)}
    assert rows.keys() == used
    assert len(used) > 100
    for guid, row in rows.items():
        asset = source.assets[guid]
        given = (FOLDER / asset["internalFileName"]).read_bytes()
        with row.image.file.open() as file:
            assert file.read() == given
        assert row.image.title == asset["name"].strip()
        assert row.image.description == asset["altText"].strip()[:255]
    guids = {row.image_id: guid for guid, row in rows.items()}
    for key, page in pages.items():
        assert [guids[image.pk] for image in page.images()] == source.assets_of(key)
        primary = source.products[key]["primaryImageAssetId"]
        assert guids.get(page.primary_image_id) == primary


def test_every_relation_is_that_of_the_source(source, pages):
    wanted = defaultdict(list)
    for link in sorted(source.relations, key=lambda r: (r["sortOrder"], r["id"])):
        if link["productId"] in pages and link["relatedProductId"] in pages:
            kind = source.relationships[link["productRelationshipId"]]
            wanted[link["productId"], kind].append(link["relatedProductId"])
    keys = {page.pk: key for key, page in pages.items()}
    found = {
        (key, related.type.name): [keys[page.pk] for page in related.pages]
        for key, page in pages.items()
        for related in page.related_products()
    }
    assert found == wanted
    assert len(found) > 10


# Languages


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: Any, report: JobRun) -> str:
    return request.param


@pytest.fixture(scope="module")
def translated(language: str, report: JobRun) -> dict[str, Page]:
    return pages_in(Locale.objects.get(language_code=language))


def test_every_product_has_a_page_in_every_language(
    source, pages, translated, language
):
    assert translated.keys() == pages.keys()
    code = LANGUAGES[language]
    told = Counter()
    for key, page in translated.items():
        product = source.products[key]
        translation = product.get("translations", {}).get(code, {})
        title = translation.get("productTitle", product["productTitle"])
        assert page.title == title.strip()
        assert page.translation_key == pages[key].translation_key
        assert page.live
        told["title"] += "productTitle" in translation
        if isinstance(page, GenericProductPage):
            description = translation.get("description", product.get("description"))
            assert words(page.description) == words(description or "")
            told["description"] += "description" in translation
    assert min(told.values()) > 0


def test_what_is_not_translated_is_the_same_in_every_language(
    source, pages, translated, language
):
    code = LANGUAGES[language]
    properties = {p["name"]: p for p in source.properties}
    compared = Counter()
    for key, page in translated.items():
        own = {e["name"]: e for e in pages[key].specifications}
        theirs = {e["name"]: e for e in page.specifications}
        translation = source.products[key].get("translations", {}).get(code, {})
        for name in own.keys() - translation.keys():
            prop = properties[name]
            there = prop["translations"].get(code, {})
            assert theirs[name]["displayName"] == (
                there.get("displayName") or own[name]["displayName"]
            )
            named = dict(
                zip(
                    prop["stringValueBag"],
                    there.get("stringValueBag", ()),
                    strict=False,
                )
            )
            value = own[name]["value"]
            if isinstance(value, list):
                wanted = [named.get(each, each) for each in value]
            else:
                wanted = named.get(value, value) if isinstance(value, str) else value
            assert theirs[name]["value"] == wanted
            compared["renamed" if wanted != value else "same"] += 1
        assert page.product_number == pages[key].product_number
        assert page.primary_image_id == pages[key].primary_image_id
    assert compared["same"] > 1000
    assert compared["renamed"] > 0


def test_categories_are_called_as_the_source_has_them(source, report, language):
    code = LANGUAGES[language]
    locale = Locale.objects.get(language_code=language)
    found = CategoryPage.objects.filter(pim_link__isnull=False, locale=locale)
    named = {str(page.pim_link.guid): page for page in found}
    assert named.keys() == source.on_site
    for key, page in named.items():
        category = source.categories[key]
        translation = category.get("translations", {}).get(code, {})
        assert page.title == translation.get("name", category["name"])
        if category["parentId"]:
            assert page.is_child_of(named[category["parentId"]])


def test_a_second_run_finds_everything_unchanged(source, pages, pim):
    pim.store.approve_all()
    pim.requests.clear()
    written = PageLogEntry.objects.count()
    again = publish_now()
    assert not [r for r in pim.requests if r.target.startswith("/assets/")]
    assert PageLogEntry.objects.count() == written
    assert again.counts[Outcome.UNCHANGED] == len(source.placeable())
    assert not again.counts[Outcome.CREATED] + again.counts[Outcome.UPDATED]
    assert again.acknowledged == len(source.placeable())


def test_the_tree_has_no_problems(pages):
    assert not any(Page.find_problems())


def test_refresh_of_an_empty_site_equals_publish(source, pages, pim):
    published = site_content()
    empty_the_site()
    assert not PimLink.objects.exists()
    pim.requests.clear()

    run = refresh_all()

    assert {request.method for request in pim.requests} == {"GET"}
    assert run.state == State.SUCCEEDED
    assert run.counts == {Outcome.CREATED: len(source.placeable())}
    refreshed = site_content()
    assert refreshed.keys() == published.keys()
    for model, rows in published.items():
        assert refreshed[model] == rows, model
    # What is compared is the whole catalog.
    assert len(published["shop.GenericProductPage"]) > 100
    assert len(published["wagtail_pim.PimLink"]) > len(pages)


def refresh_all() -> JobRun:
    name = RefreshPublishedProducts.name
    run = runs.start(name, trigger=Trigger.COMMAND, options={"all": True})
    return runs.carry_out(run.pk)


def empty_the_site() -> None:
    with pim_write():
        for catalog in CatalogPage.objects.all():
            catalog.delete()
    PimAsset.objects.all().delete()
    get_image_model().objects.all().delete()
