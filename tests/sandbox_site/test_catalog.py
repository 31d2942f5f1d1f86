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
from sandbox_site.shop.catalog import drawings, folder, products, structure
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


def test_urls_do_not_clash(records: Records) -> None:
    addresses = Counter(
        (p["parentProductId"] or p["primaryCategoryTreeId"], p["urlSegment"])
        for p in records["products"]
    )

    assert addresses.most_common(1)[0][1] == 1


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


def test_a_good_part_is_translated(records: Records) -> None:
    parents = [p for p in records["products"] if p["parentProductId"] is None]

    def translated(code: str) -> int:
        return sum("Description" in p["translations"].get(code, {}) for p in parents)

    assert translated("de-DE") >= len(parents) / 2
    assert translated("fr-FR") >= len(parents) / 3


def test_pictures_are_what_the_assets_say(data_folder: Path, records: Records) -> None:
    for asset in records["assets"]:
        path = data_folder / asset["internalFileName"]
        digest = hashlib.sha1(path.read_bytes()).hexdigest()
        assert digest == asset["currentAssetHash"]
        with Picture.open(path) as picture:
            assert picture.size == drawings.PICTURE_SIZE
            assert picture.format == "PNG"


def test_colours_look_different() -> None:
    for name in drawings.DRAWINGS:
        assert drawings.draw(name, "Moss") != drawings.draw(name, "Brick"), name


def test_is_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawings.draw("diamond", "Moss") == drawings.draw("diamond", "Moss")

    monkeypatch.setattr(folder, "draw", lambda *names: "/".join(names).encode())
    first, second = folder.CatalogBuilder(), folder.CatalogBuilder()

    assert first.pictures == second.pictures
    assert first.build() == second.build()
    assert len(first.build()["products"]) > len(products.ITEMS)


@pytest.mark.parametrize("serial", [1, 42, 999_999_999])
def test_ean_has_a_valid_check_digit(serial: int) -> None:
    code = folder.ean(serial)

    assert len(code) == 13
    assert sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(code)) % 10 == 0
