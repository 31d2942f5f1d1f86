"""The entity sets that the sandbox PIM serves, their properties and their types."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

IDENTIFIER = re.compile(r"[^\W\d]\w{0,127}")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,12})?)?(Z|[+-]\d\d:\d\d)", re.ASCII
)


class Kind(StrEnum):
    """The type of a property. DYNAMIC is a custom property of an open type."""

    GUID = "Edm.Guid"
    STRING = "Edm.String"
    INTEGER = "Edm.Int32"
    NUMBER = "Edm.Decimal"
    BOOLEAN = "Edm.Boolean"
    DATE = "Edm.DateTimeOffset"
    STRINGS = "Collection(Edm.String)"
    DYNAMIC = "Edm.Untyped"


@dataclass(frozen=True)
class Navigation:
    """A collection that ``$expand`` adds: the rows of ``target`` that point here."""

    target: str
    foreign_key: str
    # The property by which the rows are ordered, before their id.
    order: str = ""


@dataclass(frozen=True, eq=False)
class EntitySet:
    name: str
    properties: Mapping[str, Kind]
    navigation: Mapping[str, Navigation] = field(default_factory=dict)
    # Collections that are stored within the record, and served with $expand alone.
    embedded: frozenset[str] = frozenset()
    is_open: bool = False
    methods: frozenset[str] = frozenset()
    # Properties that no record may lack, and one whose value no other may have.
    required: tuple[str, ...] = ()
    unique: str = ""
    # The sets in which the records stand that properties refer to.
    references: Mapping[str, str] = field(default_factory=dict)
    # Each of one property, or of several with blanks between them.
    indexes: tuple[str, ...] = ()

    def kind(self, name: str) -> Kind:
        return self.properties.get(name, Kind.DYNAMIC)


def _properties(**names_by_kind: str) -> dict[str, Kind]:
    """Properties from one string of names a kind, after those that all sets have."""
    common = {
        "guid": "id",
        "string": "createdBy modifiedBy",
        "date": "createdOn modifiedOn",
    }
    return {
        name: Kind[kind.upper()]
        for names in (common, names_by_kind)
        for kind, joined in names.items()
        for name in joined.split()
    }


_CREATE_AND_UPDATE = frozenset({"POST", "PATCH"})

ENTITY_SETS: Mapping[str, EntitySet] = {
    entity_set.name: entity_set
    for entity_set in (
        EntitySet(
            "websites",
            _properties(guid="iscWebsiteId", string="name"),
            methods=_CREATE_AND_UPDATE,
            required=("name",),
        ),
        EntitySet(
            "languages",
            _properties(
                string="languageCode name",
                boolean="isDefault",
                integer="displaySequence",
            ),
            methods=_CREATE_AND_UPDATE,
            required=("languageCode",),
            unique="languageCode",
        ),
        EntitySet(
            "categoryTaxonomies",
            _properties(string="name description"),
            embedded=frozenset({"websites"}),
        ),
        EntitySet(
            "categorytrees",
            _properties(
                guid="parentId categoryTaxonomyId smallImageAssetId largeImageAssetId"
                " openGraphImageId",
                string="name description urlSegment pageTitle metaDescription"
                " metaKeywords dynamicFilter openGraphTitle openGraphUrl",
                integer="displaySequence",
                boolean="isDynamic hasChild autoAssignAttributes needsPublishing"
                " excludedFromDynamicRecommendations",
                date="activateOn deactivateOn",
            ),
        ),
        EntitySet(
            "categoryTreeProducts",
            _properties(guid="categoryTreeId productId"),
            indexes=("productId",),
        ),
        EntitySet(
            "categoryTreeProperties", _properties(guid="categoryTreeId propertyId")
        ),
        EntitySet(
            "products",
            _properties(
                guid="templateId primaryCategoryTreeId primaryImageAssetId"
                " parentProductId defaultChildProductId",
                string="productNumber productTitle urlSegment templateName"
                " primaryCategoryName parentVariantProductNumber status tagList",
                integer="percentComplete percentRecommendedComplete"
                " currentVersionNumber publishedVersionNumber",
                boolean="isVariantParent onHold isArchived",
                date="deactivateOn lastPublishedOn",
                strings="variantPropertyIdList",
            ),
            navigation={
                "productAssets": Navigation("productassets", "productId", "sortOrder"),
                "categoryTrees": Navigation("categoryTreeProducts", "productId"),
                "childrenProduct": Navigation("products", "parentProductId"),
                "productRelatedProducts": Navigation(
                    "productRelatedProducts", "productId", "sortOrder"
                ),
            },
            is_open=True,
            methods=frozenset({"PATCH"}),
            indexes=(
                "status",
                "status lastPublishedOn",
                "productNumber",
                "parentProductId",
                "primaryCategoryTreeId",
            ),
        ),
        EntitySet(
            "productassets",
            # The order is ours: the vendor's own is not documented.
            _properties(guid="productId assetId", integer="sortOrder"),
            indexes=("productId",),
        ),
        EntitySet(
            "productRelationships",
            _properties(string="name"),
            methods=_CREATE_AND_UPDATE,
            required=("name",),
        ),
        EntitySet(
            "productRelatedProducts",
            _properties(
                guid="productId relatedProductId productRelationshipId",
                integer="sortOrder",
            ),
            indexes=("productId",),
        ),
        EntitySet(
            "assets",
            _properties(
                guid="assetTreeId",
                string="name assetType type fileExtension assetFileName altText"
                " description tagList documentLanguage currentAssetHash"
                " externalFileUrl urlLarge urlMedium urlSmall internalFileName"
                " previousInternalFileName previousFileExtension",
                integer="currentVersionNumber productCount categoryCount",
                boolean="isExternal isArchived",
            ),
        ),
        EntitySet(
            "properties",
            _properties(
                guid="propertyGroupId",
                string="name displayName description type controlType stringRegEx"
                " booleanLabel defaultValue",
                integer="displaySequence stringMinLength stringMaxLength"
                " numberOfDecimals",
                number="numberMinValue numberMaxValue",
                boolean="isSystemProperty isGloballyRequired isExternalManaged"
                " isLocalizable stringAllowAdHocValues"
                " isIncludeTemplateSpecificValues",
                strings="stringValueBag",
            ),
            methods=_CREATE_AND_UPDATE,
            required=("name",),
            unique="name",
        ),
        EntitySet("propertygroups", _properties(string="name description")),
        EntitySet("propertyMappings", _properties(guid="propertyId")),
        EntitySet(
            "templates",
            _properties(
                guid="parentTemplateId productClassId",
                string="name",
                integer="displaySequence",
                boolean="isTemplate isStarterTemplate isDeleting hasChild"
                " isProductImageRequired",
                # Ours: "Product", "Variant"; a template without is for both.
                strings="kinds",
            ),
            methods=_CREATE_AND_UPDATE,
            required=("name",),
            unique="name",
        ),
        EntitySet(
            "templateproperties",
            _properties(
                guid="templateId propertyId templatePropertyGroupId",
                integer="displaySequence",
                boolean="isRequired isRecommended",
                strings="stringValueBag",
            ),
            methods=_CREATE_AND_UPDATE,
            required=("templateId", "propertyId"),
            references={"templateId": "templates", "propertyId": "properties"},
            indexes=("templateId",),
        ),
        EntitySet(
            "templatepropertygroups",
            _properties(guid="templateId propertyGroupId", integer="displaySequence"),
        ),
    )
}


def parse_guid(text: str) -> str | None:
    """The Guid in the one spelling in which Guids are stored, or None."""
    return text.lower() if _GUID.fullmatch(text) else None


def invalid_properties(
    entity_set: EntitySet, record: Mapping[str, Any]
) -> Iterable[str]:
    """What is wrong with the properties of a record that a client sent."""
    for name, value in record.items():
        kind = entity_set.kind(name)
        if kind is Kind.DYNAMIC and not entity_set.is_open:
            yield f"{entity_set.name} has no property '{name}'."
        elif not IDENTIFIER.fullmatch(name):
            yield f"'{name}' is not a property name."
        elif value is not None and not _IS_OF_KIND[kind](value):
            yield f"'{name}' is not of the type {kind}."


def is_moment(value: Any) -> bool:
    """Whether it is text in the form of Edm.DateTimeOffset, which needs a zone."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return False
    try:
        offset = datetime.fromisoformat(value).utcoffset()
    except ValueError:
        return False
    return offset is not None and abs(offset) <= timedelta(hours=14)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_IS_OF_KIND: Mapping[Kind, Callable[[Any], bool]] = {
    Kind.GUID: lambda value: isinstance(value, str) and parse_guid(value) is not None,
    Kind.STRING: lambda value: isinstance(value, str),
    Kind.INTEGER: lambda value: _is_number(value) and isinstance(value, int),
    Kind.NUMBER: _is_number,
    Kind.BOOLEAN: lambda value: isinstance(value, bool),
    Kind.DATE: is_moment,
    Kind.STRINGS: lambda value: (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    ),
    Kind.DYNAMIC: lambda value: isinstance(value, str | int | float | bool),
}
