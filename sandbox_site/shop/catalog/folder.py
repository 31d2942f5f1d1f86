"""Writes the shop's catalog in the layout of the sandbox PIM's data folders.

One JSON object a line, camelCase keys as in the PIM's entity classes. Every id is a
uuid5 of what it names, and every date is fixed: the same code writes the same bytes.

It is a PIM's before any site is introduced to it: there is no website, and the tree
of categories feeds none.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from itertools import product as combinations
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from .documents import DOCUMENTS, Document
from .drawings import VIEWS, draw
from .products import ITEMS, Item
from .structure import (
    CATEGORIES,
    COLOURS,
    GROUPS,
    PROPERTIES,
    RELATIONSHIPS,
    STARTER_TEMPLATE,
    TAXONOMY,
    TEMPLATES,
    Category,
    Property,
)
from .text import LANGUAGES, Text, segment

Record = dict[str, Any]

NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://spokewell.example/catalog")
AUTHOR: Final = "catalog@spokewell.example"
CREATED_ON: Final = "2025-01-06T09:00:00Z"
MODIFIED_ON: Final = "2025-03-10T14:30:00Z"
ACTIVE_ON: Final = "2025-01-06T09:00:00Z"
SEPARATOR: Final = "~"


def write_catalog(folder: Path) -> None:
    """Write every file of the catalog into the folder, those of assets included."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    builder = CatalogBuilder()
    for name, content in builder.files.items():
        (folder / name).write_bytes(content)
    for name, records in builder.build().items():
        lines = "".join(
            json.dumps(record, ensure_ascii=False) + "\n" for record in records
        )
        if name == "products":
            (folder / "products.jsonl.gz").write_bytes(
                gzip.compress(lines.encode(), mtime=0)
            )
        else:
            (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


def record_id(kind: str, key: str) -> str:
    return str(uuid5(NAMESPACE, f"{kind}/{key}"))


def new_record(kind: str, key: str, **values: Any) -> Record:
    """A record with the keys that all entities share."""
    return {
        "id": record_id(kind, key),
        "createdBy": AUTHOR,
        "createdOn": CREATED_ON,
        "modifiedBy": AUTHOR,
        "modifiedOn": MODIFIED_ON,
        **values,
    }


def translated(**texts: Text) -> dict[str, Record]:
    """``translations`` of a record: the keys by language code."""
    translations: dict[str, Record] = {}
    for key, text in texts.items():
        for code, value in text.translations().items():
            translations.setdefault(code, {})[key] = value
    return translations


@cache
def properties_of(template: str) -> tuple[Property, ...]:
    """The properties of a template, those of its ancestors first."""
    by_name = {prop.name: prop for prop in PROPERTIES}
    if template == STARTER_TEMPLATE:
        return tuple(prop for prop in PROPERTIES if prop.system)
    found = next(t for t in TEMPLATES if t.name.en == template)
    own = tuple(by_name[name] for name in found.properties)
    return properties_of(found.parent or STARTER_TEMPLATE) + own


def ean(serial: int) -> str:
    """A valid EAN-13 from the range that GS1 leaves to a shop's own use."""
    digits = f"200{serial:09d}"
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    return f"{digits}{-total % 10}"


class CatalogBuilder:
    """Collects the records of the catalog, entity set by entity set."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._assets: dict[str, Record] = {}
        self._products: list[Record] = []
        self._product_assets: list[Record] = []
        self._category_products: list[Record] = []
        self._related: list[Record] = []
        self._serial = 0
        for item in ITEMS:
            self._add_item(item)
        self._categories = [
            self._category(category, number)
            for number, category in enumerate(CATEGORIES)
        ]

    def build(self) -> dict[str, list[Record]]:
        return {
            "languages": list(_languages()),
            "categoryTaxonomies": [_taxonomy()],
            "categorytrees": self._categories,
            "propertygroups": [
                new_record(
                    "group",
                    key,
                    name=name.en,
                    description="",
                    translations=translated(name=name),
                )
                for key, name in GROUPS.items()
            ],
            "properties": [_property(p, i) for i, p in enumerate(PROPERTIES)],
            "templates": list(_templates()),
            "templatepropertygroups": list(_template_groups()),
            "templateproperties": list(_template_properties()),
            "productRelationships": [
                new_record(
                    "relationship",
                    key,
                    name=name.en,
                    translations=translated(name=name),
                )
                for key, name in RELATIONSHIPS.items()
            ],
            "products": self._products,
            "assets": list(self._assets.values()),
            "productassets": self._product_assets,
            "categoryTreeProducts": self._category_products,
            "productRelatedProducts": self._related,
        }

    def _category(self, category: Category, number: int) -> Record:
        parent, _, key = category.key.rpartition("/")
        segments = category.name.segments()._replace(en=key)
        picture = None
        if category.drawing:
            picture = self._picture(category.drawing, "Chalk", category.name.en)
            picture["categoryCount"] += 1
        return new_record(
            "category",
            category.key,
            name=category.name.en,
            autoAssignAttributes=False,
            categoryTaxonomyId=record_id("taxonomy", TAXONOMY.en),
            description=category.description.en,
            urlSegment=segments.en,
            activateOn=ACTIVE_ON,
            deactivateOn=None,
            parentId=record_id("category", parent) if parent else None,
            displaySequence=number,
            smallImageAssetId=picture and picture["id"],
            largeImageAssetId=picture and picture["id"],
            isDynamic=False,
            excludedFromDynamicRecommendations=False,
            needsPublishing=False,
            dynamicFilter=None,
            hasChild=any(c.key.startswith(f"{category.key}/") for c in CATEGORIES),
            pageTitle=None,
            metaDescription=None,
            metaKeywords=None,
            openGraphImageId=None,
            openGraphTitle=None,
            openGraphUrl=None,
            translations=translated(
                name=category.name,
                description=category.description,
                urlSegment=segments,
            ),
        )

    def _add_item(self, item: Item) -> None:
        """The product, then its variants: a parent stands before its children."""
        choices = list(combinations(item.colours, item.sizes or (None,)))
        has_variants = len(choices) > 1
        numbers = [
            "-".join([item.number, *(segment(part).upper() for part in choice if part)])
            for choice in choices
        ]
        self._add_product(
            item,
            item.number,
            title=item.title,
            # In all its colours, then in the first once more from elsewhere.
            pictures=[
                *((colour, "") for colour in item.colours),
                *((item.colours[0], view) for view in VIEWS if view),
            ],
            properties={
                "Summary": item.summary,
                "Description": item.description,
                "Price": item.price,
                **item.values,
                **({} if has_variants else {"InStock": True}),
            },
            defaultChildProductId=(
                record_id("product", numbers[0]) if has_variants else None
            ),
            isVariantParent=has_variants,
            variantPropertyIdList=_variant_properties(item) if has_variants else [],
        )
        if has_variants:
            for number, (colour, size) in zip(numbers, choices, strict=True):
                self._add_variant(item, number, colour, size)
        for order, (relationship, other) in enumerate(item.related):
            self._related.append(
                new_record(
                    "related",
                    f"{item.number}/{relationship}/{other}",
                    productId=record_id("product", item.number),
                    productRelationshipId=record_id("relationship", relationship),
                    relatedProductId=record_id("product", other),
                    sortOrder=order,
                )
            )

    def _add_variant(
        self, item: Item, number: str, colour: str, size: str | None
    ) -> None:
        self._serial += 1
        suffix = f", {size}" if size else ""
        title = Text._make(
            of_item and f"{of_item} – {of_colour}{suffix}"
            for of_item, of_colour in zip(item.title, COLOURS[colour], strict=True)
        )
        properties: Record = {
            "Colour": colour,
            "Price": item.price,
            "InStock": self._serial % 5 != 0,
        }
        names = {prop.name for prop in properties_of(item.template)}
        if size:
            properties["FrameSize" if "FrameSize" in names else "Size"] = size
        if "EAN" in names:
            properties["EAN"] = ean(self._serial)
            day = 1 + self._serial % 28
            properties["RestockedAt"] = f"2025-02-{day:02d}T07:45:00Z"
        self._add_product(
            item,
            number,
            title=title,
            pictures=[(colour, ""), (colour, "close up")],
            properties=properties,
            parentVariantProductNumber=item.number,
            parentProductId=record_id("product", item.number),
        )

    def _add_product(
        self,
        item: Item,
        number: str,
        *,
        title: Text,
        pictures: list[tuple[str, str]],
        properties: Record,
        **values: Any,
    ) -> None:
        images = [
            self._picture(item.drawing, colour, item.title.en, view)
            for colour, view in pictures
        ]
        documents = [
            self._document(document)
            for document in DOCUMENTS
            if item.template in document.templates and "parentProductId" not in values
        ]
        texts = {
            key: text
            for key, value in properties.items()
            if (text := _text(key, value, title))
        }
        plain = {
            key: v.en if isinstance(v, Text) else v for key, v in properties.items()
        }
        primary = item.categories[0]
        is_variant = "parentProductId" in values
        record: Record = {
            "productNumber": number,
            "productTitle": title.en,
            "urlSegment": segment(title.en),
            "deactivateOn": item.deactivate_on,
            "templateName": item.template,
            "primaryCategoryName": next(
                c.name.en for c in CATEGORIES if c.key == primary
            ),
            "parentVariantProductNumber": None,
            "templateId": record_id("template", item.template),
            "primaryImageAssetId": images[0]["id"],
            "primaryCategoryTreeId": record_id("category", primary),
            "parentProductId": None,
            "defaultChildProductId": None,
            "status": item.status,
            "onHold": False,
            "isArchived": item.archived,
            **_completeness(item, plain, is_variant),
            "publishedVersionNumber": 0,
            "lastPublishedOn": None,
            "currentVersionNumber": 1,
            "tagList": "",
            "isVariantParent": False,
            "variantPropertyIdList": [],
            **values,
            **plain,
            "translations": translated(
                productTitle=title, urlSegment=title.segments(), **texts
            ),
        }
        self._products.append(new_record("product", number, **record))
        for order, asset in enumerate([*images, *documents]):
            asset["productCount"] += 1
            self._product_assets.append(
                new_record(
                    "product-asset",
                    f"{number}/{asset['name']}",
                    assetId=asset["id"],
                    productId=record_id("product", number),
                    sortOrder=order,
                )
            )
        for key in item.categories[:1] if is_variant else item.categories:
            self._category_products.append(
                new_record(
                    "category-product",
                    f"{key}/{number}",
                    categoryTreeId=record_id("category", key),
                    productId=record_id("product", number),
                )
            )

    def _picture(self, drawing: str, colour: str, of: str, view: str = "") -> Record:
        """The asset of a view of a drawing; products that look alike share it."""
        name = "-".join(filter(None, [drawing, segment(colour), segment(view)]))
        return self._assets.get(name) or self._add_asset(
            name,
            "png",
            draw(drawing, colour, view),
            assetType="Image",
            type="image/png",
            altText=", ".join(filter(None, [of, COLOURS[colour].en, view])),
            documentLanguage="",
        )

    def _document(self, document: Document) -> Record:
        return self._assets.get(document.name) or self._add_asset(
            document.name,
            "pdf",
            document.content(),
            title=document.title,
            assetType="Document",
            type="application/pdf",
            altText="",
            documentLanguage=LANGUAGES[0][0],
        )

    def _add_asset(
        self, name: str, suffix: str, content: bytes, *, title: str = "", **values: Any
    ) -> Record:
        path = f"images/{name}.{suffix}"
        self.files[path] = content
        self._assets[name] = new_record(
            "asset",
            name,
            name=title or name,
            assetTreeId=None,
            fileExtension=suffix,
            description="",
            assetFileName=f"{name}.{suffix}",
            tagList="",
            productCount=0,
            categoryCount=0,
            currentAssetHash=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
            isExternal=False,
            internalFileName=path,
            urlLarge=path,
            urlMedium=path,
            urlSmall=path,
            externalFileUrl="",
            isArchived=False,
            currentVersionNumber=1,
            previousInternalFileName=None,
            previousFileExtension="",
            **values,
        )
        return self._assets[name]


@cache
def _choices(name: str) -> dict[str, Text]:
    """The values of a localizable property that may be chosen, by their English."""
    prop = next(each for each in PROPERTIES if each.name == name)
    return {value.en: value for value in prop.values} if prop.localizable else {}


def _text(name: str, value: Any, title: Text) -> Text | None:
    """The texts of a value that is translated; of choices where the title is."""
    if isinstance(value, Text):
        return value
    choices = _choices(name)
    if not choices:
        return None
    chosen = [choices[part] for part in value.split(SEPARATOR)]
    return Text(
        value,
        *(
            SEPARATOR.join(texts) if told and None not in texts else None
            for told, *texts in zip(
                title[1:], *(each[1:] for each in chosen), strict=True
            )
        ),
    )


def _variant_properties(item: Item) -> list[str]:
    names = [prop.name for prop in properties_of(item.template)]
    size = "FrameSize" if "FrameSize" in names else "Size"
    chosen = ["Colour", size] if item.sizes else ["Colour"]
    return [record_id("property", name) for name in chosen]


def _completeness(item: Item, properties: Record, is_variant: bool) -> Record:
    """How much of the template is filled, in percent; a variant has its parent's."""
    inherited = {"Summary", "Description", *item.values} if is_variant else set()
    expected = [p.name for p in properties_of(item.template) if not p.system]
    filled = [n for n in expected if n in properties or n in inherited]
    return {
        "percentComplete": 100,
        "percentRecommendedComplete": round(100 * len(filled) / len(expected)),
    }


def _languages() -> Iterable[Record]:
    for number, (code, name) in enumerate(LANGUAGES):
        yield new_record(
            "language",
            code,
            languageCode=code,
            name=name,
            isDefault=number == 0,
            displaySequence=number,
        )


def _taxonomy() -> Record:
    return new_record(
        "taxonomy",
        TAXONOMY.en,
        name=TAXONOMY.en,
        description="",
        websites=[],
        translations=translated(name=TAXONOMY),
    )


def _property(prop: Property, number: int) -> Record:
    translations = translated(displayName=prop.label)
    for index, (code, _name) in enumerate(LANGUAGES[1:], start=1):
        # In the order of the main list; what has no translation stands in English.
        values = [value[index] or value.en for value in prop.values]
        if values != [value.en for value in prop.values]:
            translations.setdefault(code, {})["stringValueBag"] = values
    return new_record(
        "property",
        prop.name,
        name=prop.name,
        displayName=prop.label.en,
        description="",
        propertyGroupId=record_id("group", prop.group),
        displaySequence=number,
        isSystemProperty=prop.system,
        isGloballyRequired=prop.required,
        type=prop.type,
        controlType=prop.control,
        stringMinLength=0,
        stringMaxLength=prop.max_length if prop.control == "TextField" else 0,
        stringRegEx=prop.pattern,
        stringAllowAdHocValues=False,
        booleanLabel=prop.label.en if prop.control == "Toggle" else "",
        numberMinValue=0,
        numberMaxValue=0,
        numberOfDecimals=prop.decimals,
        defaultValue="",
        isExternalManaged=False,
        isIncludeTemplateSpecificValues=False,
        isLocalizable=prop.localizable,
        stringValueBag=[value.en for value in prop.values],
        translations=translations,
    )


def _templates() -> Iterable[Record]:
    parents = {t.parent for t in TEMPLATES}
    starter = (Text(STARTER_TEMPLATE), None)
    all_templates = [
        starter,
        *((t.name, t.parent or STARTER_TEMPLATE) for t in TEMPLATES),
    ]
    for number, (name, parent) in enumerate(all_templates):
        yield new_record(
            "template",
            name.en,
            name=name.en,
            parentTemplateId=record_id("template", parent) if parent else None,
            isTemplate=True,
            isStarterTemplate=parent is None,
            isDeleting=False,
            isProductImageRequired=False,
            hasChild=parent is None or name.en in parents,
            displaySequence=number,
            productClassId=None,
            translations=translated(name=name),
        )


def _template_names() -> list[str]:
    return [STARTER_TEMPLATE, *(t.name.en for t in TEMPLATES)]


def _template_groups() -> Iterable[Record]:
    for template in _template_names():
        groups = dict.fromkeys(prop.group for prop in properties_of(template))
        for number, group in enumerate(groups):
            yield new_record(
                "template-group",
                f"{template}/{group}",
                templateId=record_id("template", template),
                propertyGroupId=record_id("group", group),
                displaySequence=number,
            )


def _template_properties() -> Iterable[Record]:
    for template in _template_names():
        for number, prop in enumerate(properties_of(template)):
            yield new_record(
                "template-property",
                f"{template}/{prop.name}",
                templateId=record_id("template", template),
                templatePropertyGroupId=record_id(
                    "template-group", f"{template}/{prop.group}"
                ),
                propertyId=record_id("property", prop.name),
                displaySequence=number,
                isRequired=prop.required,
                isRecommended=not prop.required,
                stringValueBag=[],
            )
