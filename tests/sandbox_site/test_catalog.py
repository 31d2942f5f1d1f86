"""The shop's catalog as a data folder of the sandbox PIM."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image as Picture

from sandbox_site.shop import models
from sandbox_site.shop.catalog import (
    documents,
    drawings,
    folder,
    products,
    structure,
)
from sandbox_site.shop.catalog.text import Text, segment
from wagtail_pim.catalog.definitions import (
    MarkedField,
    PropertyDefinition,
    SiteDefinitions,
)
from wagtail_pim.client.controls import Control
from wagtail_pim.markers import normalise_name, sync_markers

Records = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalog")
    folder.write_catalog(path)
    return path


@pytest.fixture(scope="module")
def records(data_folder: Path) -> Records:
    def lines(path: Path) -> list[dict[str, Any]]:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        return [json.loads(line) for line in content.decode().splitlines()]

    return {
        path.name.split(".")[0]: lines(path) for path in data_folder.glob("*.jsonl*")
    }


def ids(records: Records, name: str) -> set[str]:
    return {record["id"] for record in records[name]}


def test_has_what_it_promises(records: Records) -> None:
    approved = [p for p in records["products"] if p["status"] == "Approved"]

    assert sum(p["parentProductId"] is None for p in approved) >= 30
    assert sum(p["parentProductId"] is not None for p in approved) >= 100
    assert [language["languageCode"] for language in records["languages"]] == [
        "en-US",
        "de-DE",
        "fr-FR",
    ]
    assert {p["controlType"] for p in records["properties"]} == {
        "TextField",
        "TextArea",
        "RadioButton",
        "MultiSelect",
        "Dropdown",
        "Html",
        "Decimal",
        "DatePicker",
        "DateTimePicker",
        "Toggle",
    }


def test_ids_are_guids_and_unique(records: Records) -> None:
    for name, entries in records.items():
        assert len(ids(records, name)) == len(entries), name
        assert all(str(UUID(entry["id"])) == entry["id"] for entry in entries)


@pytest.mark.parametrize(
    ("name", "key", "target"),
    [
        ("products", "templateId", "templates"),
        ("products", "primaryImageAssetId", "assets"),
        ("products", "primaryCategoryTreeId", "categorytrees"),
        ("products", "parentProductId", "products"),
        ("products", "defaultChildProductId", "products"),
        ("categorytrees", "parentId", "categorytrees"),
        ("categorytrees", "categoryTaxonomyId", "categoryTaxonomies"),
        ("categorytrees", "smallImageAssetId", "assets"),
        ("categoryTreeProducts", "categoryTreeId", "categorytrees"),
        ("categoryTreeProducts", "productId", "products"),
        ("productassets", "assetId", "assets"),
        ("productassets", "productId", "products"),
        ("productRelatedProducts", "productId", "products"),
        ("productRelatedProducts", "relatedProductId", "products"),
        ("productRelatedProducts", "productRelationshipId", "productRelationships"),
        ("properties", "propertyGroupId", "propertygroups"),
        ("templates", "parentTemplateId", "templates"),
        ("templatepropertygroups", "templateId", "templates"),
        ("templatepropertygroups", "propertyGroupId", "propertygroups"),
        ("templateproperties", "templateId", "templates"),
        ("templateproperties", "propertyId", "properties"),
        ("templateproperties", "templatePropertyGroupId", "templatepropertygroups"),
    ],
)
def test_references_resolve(records: Records, name: str, key: str, target: str) -> None:
    referred = {entry[key] for entry in records[name]} - {None}

    assert referred
    assert referred <= ids(records, target)


def test_one_tree_of_three_levels_that_feeds_no_website_yet(records: Records) -> None:
    (taxonomy,) = records["categoryTaxonomies"]
    depths = Counter(c.key.count("/") + 1 for c in structure.CATEGORIES)

    assert taxonomy["websites"] == []
    assert "websites" not in records
    assert set(depths) == {1, 2, 3}


def test_products_stand_in_their_primary_category_and_in_others(
    records: Records,
) -> None:
    places = {
        (entry["categoryTreeId"], entry["productId"])
        for entry in records["categoryTreeProducts"]
    }
    counts = Counter(product for _category, product in places)

    assert all(
        (p["primaryCategoryTreeId"], p["id"]) in places for p in records["products"]
    )
    assert max(counts.values()) >= 3


@pytest.mark.parametrize("language", ["en-US", "de-DE", "fr-FR"])
def test_urls_do_not_clash(records: Records, language: str) -> None:
    def segment_of(record: dict[str, Any]) -> str:
        translation = record["translations"].get(language, {})
        return translation.get("urlSegment", record["urlSegment"])

    products = Counter(
        (p["parentProductId"] or p["primaryCategoryTreeId"], segment_of(p))
        for p in records["products"]
    )
    categories = Counter(
        (c["parentId"], segment_of(c)) for c in records["categorytrees"]
    )

    assert products.most_common(1)[0][1] == 1
    assert categories.most_common(1)[0][1] == 1


def test_segments_spell_german_out() -> None:
    assert segment("Kreideweiß, Größe") == "kreideweiss-groesse"
    assert Text("Bell", None, "Vélo d’été").segments() == ("bell", None, "velo-dete")


def test_values_are_those_that_the_properties_allow(records: Records) -> None:
    properties = {p["name"]: p for p in records["properties"]}
    unknown = set()
    for product in records["products"]:
        allowed = {p.name for p in folder.properties_of(product["templateName"])}
        for name in properties.keys() & product.keys():
            if properties[name]["isSystemProperty"]:
                continue
            if name not in allowed:
                unknown.add((product["templateName"], name))
            elif bag := properties[name]["stringValueBag"]:
                assert set(str(product[name]).split("~")) <= set(bag), name

    assert not unknown


def test_choices_of_the_page_types_are_the_pims() -> None:
    bags = {p.name: [v.en for v in p.values] for p in structure.PROPERTIES}

    assert models.BicyclePage.FrameMaterial.values == bags["FrameMaterial"]
    assert models.ApparelPage.Fit.values == bags["Fit"]


def test_each_marker_has_a_property_in_its_template() -> None:
    for model in (
        models.BicyclePage,
        models.BicycleVariantPage,
        models.HelmetPage,
        models.HelmetVariantPage,
        models.ApparelPage,
        models.ApparelVariantPage,
    ):
        names = {
            normalise_name(p.name) for p in folder.properties_of(model.pim_template)
        }
        wanted = {
            normalise_name(marker.property_name())
            for marker in sync_markers(model).values()
        }
        assert wanted <= names, model


def test_page_types_and_catalog_agree_but_for_what_people_call_it(
    records: Records,
) -> None:
    properties = {normalise_name(p["name"]): p for p in records["properties"]}
    sharing: dict[str, list[MarkedField]] = defaultdict(list)
    for marked in SiteDefinitions().fields:
        if marked.model._meta.app_label == "shop":
            sharing[marked.key()].append(marked)
    differing = {}
    for key, fields in sharing.items():
        standing = properties[key]
        control = Control.named(standing["controlType"])
        assert control is not None
        for marked in fields:
            wanted = marked.control()
            assert wanted is not None
            assert wanted.value_type == control.value_type, marked.path()
        values = PropertyDefinition.of(fields).values()
        # What the site leaves open is the PIM's.
        told = {name for name, value in values.items() if value not in (None, [])}
        if values.get("stringValueBag") == []:
            told.discard("stringAllowAdHocValues")
        if names := {name for name in told if values[name] != standing[name]}:
            differing[standing["name"]] = names

    assert differing == {
        "Price": {"displayName"},
        "FrameSize": {"displayName"},
        "InStock": {"description"},
    }


def test_a_template_without_page_class_inherits_from_one_that_has(
    records: Records,
) -> None:
    templates = {t["name"]: t for t in records["templates"]}
    cargo = templates["Cargo bicycle"]

    assert cargo["parentTemplateId"] == templates["Bicycle"]["id"]
    assert any(p["templateId"] == cargo["id"] for p in records["products"])


WHOLE = {"productTitle", "urlSegment", "Summary", "Description"}


def test_a_good_part_is_translated(records: Records) -> None:
    parents = [p for p in records["products"] if p["parentProductId"] is None]
    ridden = {"Bicycle", "Cargo bicycle", "Helmet"}
    others = [p for p in parents if p["templateName"] not in ridden]

    def whole(product: dict[str, Any], code: str) -> bool:
        return product["translations"].get(code, {}).keys() >= WHOLE

    for code in ("de-DE", "fr-FR"):
        for product in parents:
            if product["templateName"] in ridden:
                assert whole(product, code), product["productNumber"]
        assert sum(whole(p, code) for p in others) >= len(others) / 2
    assert not all("fr-FR" in product["translations"] for product in parents)


def test_choices_are_translated_where_the_title_is(records: Records) -> None:
    properties = {p["name"]: p for p in records["properties"]}
    seen = set()
    for product in records["products"]:
        for code, translation in product["translations"].items():
            for name in translation.keys() & properties.keys():
                bag = properties[name]["translations"].get(code, {})
                if "stringValueBag" in bag:
                    chosen = translation[name].split("~")
                    places = [bag["stringValueBag"].index(each) for each in chosen]
                    values = [properties[name]["stringValueBag"][i] for i in places]
                    assert "~".join(values) == product[name]
                    assert "productTitle" in translation
                    seen.add(name)

    assert seen == {"Colour", "Equipment", "Labels", "RidingStyles", "Seasons"}


def test_what_is_translated_is_localizable(records: Records) -> None:
    localizable = {p["name"] for p in records["properties"] if p["isLocalizable"]}
    for product in records["products"]:
        for translation in product["translations"].values():
            assert translation.keys() <= localizable


def test_categories_are_translated(records: Records) -> None:
    for category in records["categorytrees"]:
        for translation in category["translations"].values():
            assert translation["urlSegment"]
            told = {name for name in ("name", "description") if category[name]}
            assert told <= translation.keys()


def test_files_are_what_the_assets_say(data_folder: Path, records: Records) -> None:
    for asset in records["assets"]:
        path = data_folder / asset["internalFileName"]
        digest = hashlib.sha1(path.read_bytes()).hexdigest()
        assert digest == asset["currentAssetHash"]
        if asset["assetType"] == "Document":
            assert asset["type"] == "application/pdf"
            assert path.read_bytes().startswith(b"%PDF-")
            continue
        with Picture.open(path) as picture:
            assert picture.size == drawings.PICTURE_SIZE
            assert picture.format == "PNG"
    files = {path.name for path in (data_folder / "images").iterdir()}
    assert files == {asset["assetFileName"] for asset in records["assets"]}


def test_products_have_pictures_in_order_and_some_have_documents(
    records: Records,
) -> None:
    assets = {asset["id"]: asset for asset in records["assets"]}
    links: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for link in records["productassets"]:
        links[link["productId"]].append(link)
    with_documents = 0
    for product in records["products"]:
        attached = [link["assetId"] for link in links[product["id"]]]
        orders = [link["sortOrder"] for link in links[product["id"]]]
        assert orders == list(range(len(orders)))
        assert attached[0] == product["primaryImageAssetId"]
        kinds = [assets[guid]["assetType"] for guid in attached]
        assert kinds.count("Image") >= 2, product["productNumber"]
        with_documents += "Document" in kinds
    assert with_documents >= 10


def test_each_relationship_relates_products(records: Records) -> None:
    used = {link["productRelationshipId"] for link in records["productRelatedProducts"]}

    assert used == ids(records, "productRelationships")


def test_an_archived_product_and_one_that_will_go(records: Records) -> None:
    (archived,) = [p for p in records["products"] if p["isArchived"]]
    going = {p["productNumber"] for p in records["products"] if p["deactivateOn"]}

    assert archived["status"] == "Approved"
    assert all(number.startswith("SW-305") for number in going)
    assert "SW-305" in going


def test_colours_and_views_look_different() -> None:
    for name in drawings.DRAWINGS:
        pictures = {drawings.draw(name, "Moss", view) for view in drawings.VIEWS}
        pictures.add(drawings.draw(name, "Brick"))
        assert len(pictures) == len(drawings.VIEWS) + 1, name


def test_pdf_has_its_objects_where_its_table_says() -> None:
    content = documents.pdf("Sizes (in cm) – größer", ["a \\ b", "ends with €"])

    start = int(content.split(b"startxref\n")[1].split(b"\n")[0])
    assert content[start:].startswith(b"xref\n0 8\n")
    places = [int(line[:10]) for line in content[start:].split(b"\n")[3:10]]
    for number, place in enumerate(places, start=1):
        assert content[place:].startswith(b"%d 0 obj\n" % number)
    length = int(content.split(b"/Length ")[1].split(b" ")[0])
    stream = content.partition(b"stream\n")[2]
    assert stream[length:].startswith(b"\nendstream")
    assert b"(Sizes \\(in cm\\) \x96 gr\xf6\xdfer)" in stream
    assert b"(a \\\\ b)" in stream
    assert b"(ends with \x80)" in stream


def test_is_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawings.draw("diamond", "Moss") == drawings.draw("diamond", "Moss")

    monkeypatch.setattr(folder, "draw", lambda *names: "/".join(names).encode())
    first, second = folder.CatalogBuilder(), folder.CatalogBuilder()

    assert first.files == second.files
    assert first.build() == second.build()
    assert len(first.build()["products"]) > len(products.ITEMS)


@pytest.mark.parametrize("serial", [1, 42, 999_999_999])
def test_ean_has_a_valid_check_digit(serial: int) -> None:
    code = folder.ean(serial)

    assert len(code) == 13
    assert sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(code)) % 10 == 0
