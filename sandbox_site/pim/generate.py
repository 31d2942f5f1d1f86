"""A made-up catalog of any size, the same one every time."""

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image

from .data import Record

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:wagtail-pim:sandbox")
_EPOCH = datetime(2026, 1, 1, 8, tzinfo=UTC)

_COLORS = {
    "Amber": "#ffbf00",
    "Coral": "#ff7f50",
    "Indigo": "#3f3d99",
    "Moss": "#6a7f3c",
    "Slate": "#5f6b73",
    "Teal": "#0f8080",
}
_GERMAN_COLORS = ["Bernstein", "Koralle", "Indigo", "Moos", "Schiefer", "Petrol"]
_SIZES = ["Small", "Medium", "Large"]
_ROOMS = ["Kitchen", "Bedroom", "Study", "Hall"]
_NAMES = ["Alder", "Birk", "Calla", "Dune", "Elva", "Fjord", "Grove", "Halo"]
_TEMPLATES = {"Lamp": "Leuchte", "Chair": "Stuhl", "Rug": "Teppich"}
_GERMAN = "de-DE"
_BATCH_SIZE = 1000

# name, display name, type, control type, further properties
_PROPERTIES: list[tuple[str, str, str, str, Record]] = [
    ("productNumber", "Product number", "String", "TextField", {}),
    ("productTitle", "Product title", "String", "TextField", {}),
    ("brand", "Brand", "String", "TextField", {"stringMaxLength": 60}),
    ("care", "Care", "String", "TextArea", {}),
    ("description", "Description", "String", "Html", {}),
    ("size", "Size", "String", "RadioButton", {"stringValueBag": _SIZES}),
    ("color", "Color", "String", "Dropdown", {"stringValueBag": list(_COLORS)}),
    ("rooms", "Rooms", "String", "MultiSelect", {"stringValueBag": _ROOMS}),
    ("weight", "Weight", "Number", "Decimal", {"numberOfDecimals": 2}),
    ("season", "Season", "DateTime", "DatePicker", {}),
    ("available", "Available", "DateTime", "DateTimePicker", {}),
    ("handmade", "Handmade", "Boolean", "Toggle", {"booleanLabel": "Made by hand"}),
]
_SYSTEM_PROPERTIES = {"productNumber", "productTitle"}


def catalog(number_of_products: int) -> Iterator[tuple[str, Iterable[Record]]]:
    """All entity sets of a catalog of so many products, with the records of each.

    Of six products one is the parent of the two after it, its variants.
    """
    yield "languages", _languages()
    yield "websites", [_record("website", "Shop", name="Shop", iscWebsiteId=None)]
    yield "categoryTaxonomies", [_taxonomy()]
    yield "categorytrees", _categories()
    yield "propertygroups", [_record("group", "General", name="General")]
    yield "properties", _properties()
    yield "templates", _templates()
    yield "templatepropertygroups", _template_property_groups()
    yield "templateproperties", _template_properties()
    yield "assets", [_asset(color) for color in _COLORS]
    yield (
        "productRelationships",
        [_record("relationship", "Goes with", name="Goes with")],
    )
    for start in range(0, number_of_products, _BATCH_SIZE):
        end = min(start + _BATCH_SIZE, number_of_products)
        products = [_product(index, number_of_products) for index in range(start, end)]
        yield "products", products
        yield "categoryTreeProducts", map(_category_link, products)
        yield "productassets", map(_asset_link, products)
        yield "productRelatedProducts", map(_relation, range(start + 10, end, 10))


def write_pictures(folder: Path) -> None:
    """The pictures of the catalog's assets, each of one colour."""
    folder.mkdir(exist_ok=True)
    for name, color in _COLORS.items():
        Image.new("RGB", (640, 480), color).save(folder / f"{name.lower()}.png")


def _id(kind: str, key: object) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{key}"))


def _record(kind: str, key: object, **properties: Any) -> Record:
    moment = _date(0)
    return {
        "id": _id(kind, key),
        "createdBy": "generator",
        "createdOn": moment,
        "modifiedBy": "generator",
        "modifiedOn": moment,
        **properties,
    }


def _date(minutes: int) -> str:
    return (_EPOCH + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _languages() -> Iterator[Record]:
    for position, (code, name) in enumerate(
        {"en-US": "English (United States)", _GERMAN: "Deutsch"}.items()
    ):
        yield _record(
            "language",
            code,
            languageCode=code,
            name=name,
            isDefault=position == 0,
            displaySequence=position,
        )


def _taxonomy() -> Record:
    taxonomy = _id("taxonomy", "Home")
    link = _record(
        "taxonomy website",
        "Home",
        categoryTaxonomyId=taxonomy,
        websiteId=_id("website", "Shop"),
    )
    return _record("taxonomy", "Home", name="Home", description="", websites=[link])


def _categories() -> Iterator[Record]:
    """Three levels: everything, a kind of product, and a room for it."""
    yield _category("Home", None, 0)
    for position, kind in enumerate(_TEMPLATES):
        yield _category(kind, "Home", position)
        for room_position, room in enumerate(_ROOMS):
            yield _category(f"{kind} {room}", kind, room_position)


def _category(name: str, parent: str | None, position: int) -> Record:
    kind, _, room = name.partition(" ")
    return _record(
        "category",
        name,
        name=room or kind,
        description="",
        urlSegment=(room or kind).lower(),
        parentId=parent and _id("category", parent),
        categoryTaxonomyId=_id("taxonomy", "Home"),
        displaySequence=position,
        isDynamic=False,
        hasChild=not room,
        activateOn=_date(0),
        deactivateOn=None,
        pageTitle=None,
        metaDescription=None,
        smallImageAssetId=None,
        largeImageAssetId=None,
        translations={_GERMAN: {"name": _TEMPLATES[kind]}}
        if kind in _TEMPLATES and not room
        else {},
    )


def _properties() -> Iterator[Record]:
    for position, (name, display_name, type_, control, more) in enumerate(_PROPERTIES):
        yield _record(
            "property",
            name,
            **{
                "name": name,
                "displayName": display_name,
                "description": "",
                "type": type_,
                "controlType": control,
                "propertyGroupId": _id("group", "General"),
                "displaySequence": position,
                "isSystemProperty": name in _SYSTEM_PROPERTIES,
                "isGloballyRequired": name in _SYSTEM_PROPERTIES,
                "isExternalManaged": False,
                "isLocalizable": name in ("productTitle", "color", "description"),
                "stringMinLength": 0,
                "stringMaxLength": 0,
                "stringRegEx": "",
                "stringValueBag": [],
                "booleanLabel": "",
                "numberMinValue": 0,
                "numberMaxValue": 0,
                "numberOfDecimals": 0,
                "defaultValue": "",
                **more,
            },
        )


def _templates() -> Iterator[Record]:
    starter = "Starter Template"
    for position, name in enumerate([starter, *_TEMPLATES]):
        is_starter = name == starter
        yield _record(
            "template",
            name,
            name=name,
            parentTemplateId=None if is_starter else _id("template", starter),
            productClassId=None,
            isTemplate=True,
            isStarterTemplate=is_starter,
            hasChild=is_starter,
            displaySequence=position,
        )


def _template_property_groups() -> Iterator[Record]:
    for template in _TEMPLATES:
        yield _record(
            "template group",
            template,
            templateId=_id("template", template),
            propertyGroupId=_id("group", "General"),
            displaySequence=0,
        )


def _template_properties() -> Iterator[Record]:
    for template in _TEMPLATES:
        for position, (name, *_) in enumerate(_PROPERTIES):
            yield _record(
                "template property",
                f"{template}/{name}",
                templateId=_id("template", template),
                templatePropertyGroupId=_id("template group", template),
                propertyId=_id("property", name),
                displaySequence=position,
                isRequired=name in _SYSTEM_PROPERTIES,
                isRecommended=False,
                stringValueBag=[],
            )


def _asset(color: str) -> Record:
    file_name = f"{color.lower()}.png"
    url = f"/assets/{file_name}"
    return _record(
        "asset",
        color,
        name=color,
        assetType="Image",
        type="image/png",
        fileExtension="png",
        assetFileName=file_name,
        altText=f"A swatch of {color.lower()}",
        description="",
        tagList="",
        documentLanguage="",
        currentAssetHash=_COLORS[color],
        currentVersionNumber=1,
        isExternal=False,
        externalFileUrl="",
        urlLarge=url,
        urlMedium=url,
        urlSmall=url,
        isArchived=False,
    )


def _number(index: int) -> str:
    return f"SB-{index:07}"


def _parent_index(index: int) -> int | None:
    return index - index % 6 if index % 6 in (1, 2) else None


def _product(index: int, number_of_products: int) -> Record:
    parent = _parent_index(index)
    is_parent = index % 6 == 0 and index + 1 < number_of_products
    # A variant is of its parent's kind, name and room.
    family = index if parent is None else parent
    kind = list(_TEMPLATES)[family // 6 % len(_TEMPLATES)]
    room = _ROOMS[family // 2 % len(_ROOMS)]
    name = _NAMES[family % len(_NAMES)]
    position = index % len(_COLORS)
    color = list(_COLORS)[position]
    number = _number(index)
    size = _SIZES[index % len(_SIZES)]
    title = f"{name} {kind.lower()} {number}"
    return _record(
        "product",
        index,
        productNumber=number,
        productTitle=title,
        urlSegment=title.lower().replace(" ", "-"),
        deactivateOn=None,
        templateName=kind,
        templateId=_id("template", kind),
        primaryCategoryName=room,
        primaryCategoryTreeId=_id("category", f"{kind} {room}"),
        primaryImageAssetId=_id("asset", color),
        parentProductId=None if parent is None else _id("product", parent),
        parentVariantProductNumber=None if parent is None else _number(parent),
        defaultChildProductId=_id("product", index + 1) if is_parent else None,
        isVariantParent=is_parent,
        variantPropertyIdList=[_id("property", "color"), _id("property", "size")]
        if is_parent
        else [],
        status="Approved",
        onHold=False,
        isArchived=False,
        percentComplete=100,
        currentVersionNumber=1,
        publishedVersionNumber=0,
        lastPublishedOn=None,
        tagList="",
        brand="Sandbox & Sons",
        care="Dust with a dry cloth.\nKeep out of the rain.",
        description=f"<p>A <strong>{name}</strong> for any {room.lower()}.</p>",
        size=size,
        color=color,
        rooms=f"{room}~{_ROOMS[(index + 1) % len(_ROOMS)]}",
        weight=(index * 37 % 2000) / 100,
        season=_date(index % 365 * 24 * 60),
        available=_date(index),
        handmade=index % 4 == 0,
        translations={
            _GERMAN: {
                "productTitle": f"{_TEMPLATES[kind]} {name} {number}",
                "description": f"<p>Das Stück <strong>{name}</strong>.</p>",
                "color": _GERMAN_COLORS[position],
            }
        },
    )


def _category_link(product: Record) -> Record:
    return _record(
        "category link",
        product["productNumber"],
        categoryTreeId=product["primaryCategoryTreeId"],
        productId=product["id"],
    )


def _asset_link(product: Record) -> Record:
    return _record(
        "asset link",
        product["productNumber"],
        assetId=product["primaryImageAssetId"],
        productId=product["id"],
        sortOrder=0,
    )


def _relation(index: int) -> Record:
    """The product goes with the one before it."""
    return _record(
        "relation",
        index,
        productId=_id("product", index),
        relatedProductId=_id("product", index - 1),
        productRelationshipId=_id("relationship", "Goes with"),
        sortOrder=0,
    )
