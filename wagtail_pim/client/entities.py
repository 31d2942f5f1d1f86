"""The PIM's records, as the rest of the package sees them.

Keys are matched without regard to case, as the PIM's own client does. Keys that a
model does not name are dropped, except for products: there they are the custom
properties.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import (
    AfterValidator,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from wagtail_pim.exceptions import PayloadError
from wagtail_pim.markers import normalise_name

from .controls import Control, ValueType

NullAsEmpty = Annotated[str, BeforeValidator(lambda v: "" if v is None else v)]
NullAsZero = Annotated[int, BeforeValidator(lambda v: 0 if v is None else v)]
NullAsFalse = Annotated[bool, BeforeValidator(lambda v: False if v is None else v)]
NullAsList = BeforeValidator(lambda v: [] if v is None else v)
ZeroAsNull = Annotated[int | None, AfterValidator(lambda v: v or None)]
WithoutNulls = BeforeValidator(
    lambda v: (
        [each for each in v if each is not None] if isinstance(v, list) else v or []
    )
)
# A time without a zone is in UTC, as all of the PIM's are.
AwareTime = Annotated[
    datetime, AfterValidator(lambda v: v if v.tzinfo else v.replace(tzinfo=UTC))
]

# Control characters but for line breaks and tabs, marks that turn the direction of
# text around, and halves of characters.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Payload(BaseModel):
    """One object of an answer; keys match without regard to case."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=AliasGenerator(validation_alias=to_camel),
    )

    @model_validator(mode="before")
    @classmethod
    def _match_keys_without_regard_to_case(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        aliases = _aliases(cls)
        return {aliases.get(key.casefold(), key): value for key, value in data.items()}


class Record(Payload):
    """One record of an entity set."""

    entity: ClassVar[str]

    id: UUID
    etag: str | None = Field(None, validation_alias="@odata.etag")

    @classmethod
    def parse(cls, data: Any) -> Self:
        """Raises PayloadError that names the record and each field at fault."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            # What stands inside an f-string is not found by xgettext.
            whole = _("record")
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or whole}: {fault['msg']}"
                for fault in error.errors(include_url=False, include_input=False)[:5]
            )
            raise PayloadError(
                _(
                    "The PIM sent a %(entity)s that can't be read (%(record)s): "
                    "%(faults)s."
                )
                % {
                    "entity": cls.entity,
                    "record": describe_raw(data),
                    "faults": faults,
                }
            ) from error

    def wire_values(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of these keys, spelled as the PIM spells them."""
        names = {to_camel(name): name for name in type(self).model_fields}
        return {key: getattr(self, names[key]) for key in keys}


_ALIASES: dict[type[Payload], dict[str, str]] = {}


def _aliases(cls: type[Payload]) -> dict[str, str]:
    if cls not in _ALIASES:
        _ALIASES[cls] = {
            str(f.validation_alias or name).casefold(): str(f.validation_alias or name)
            for name, f in cls.model_fields.items()
        }
    return _ALIASES[cls]


def raw_value(data: Any, key: str) -> Any:
    """A value of an unparsed record, by its key without regard to case."""
    if not isinstance(data, Mapping):
        return None
    folded = key.casefold()
    return next((v for k, v in data.items() if k.casefold() == folded), None)


def printable(text: str) -> str:
    """``text`` without what no database takes and what would steer a terminal."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """``text`` as part of a line, which it can neither end nor steer."""
    return " ".join(printable(text).split())


def describe_raw(data: Any) -> str:
    """Which record it is, for a message, as far as that can be told."""
    for key in ("productNumber", "name", "id"):
        if isinstance(value := raw_value(data, key), str) and value:
            return f"{key} {printable(value[:100])}"
    return _("no id")


@dataclass(frozen=True, slots=True)
class InvalidRecord:
    """A record of a listing that can't be read; the others of it can.

    ``family`` is as of a ProductHead.
    """

    id: UUID | None
    number: str
    error: PayloadError
    family: UUID | None = None

    @classmethod
    def of(cls, data: Any, error: PayloadError) -> InvalidRecord:
        guid = _guid_in(data, "id")
        family = _guid_in(data, "parentProductId") or guid
        number = raw_value(data, "productNumber") or raw_value(data, "name")
        return cls(guid, printable(str(number or guid or "?")[:255]), error, family)


def _guid_in(data: Any, key: str) -> UUID | None:
    try:
        return UUID(str(raw_value(data, key)))
    except ValueError:
        return None


class WebsiteLink(Record):
    entity = gettext_lazy("taxonomy's website link")
    website_id: UUID


class Taxonomy(Record):
    """A category tree as a whole; ``websites`` are the catalogs that it feeds."""

    entity = gettext_lazy("category taxonomy")
    name: str
    websites: Annotated[list[WebsiteLink], NullAsList] = []


class Website(Record):
    entity = gettext_lazy("website")
    name: str


class Language(Record):
    entity = gettext_lazy("language")
    language_code: str
    name: NullAsEmpty = ""
    is_default: NullAsFalse = False


class Relationship(Record):
    """A type of relationship between products, such as accessories."""

    entity = gettext_lazy("relationship type")
    name: str


class Category(Record):
    """A node of a category tree."""

    entity = gettext_lazy("category")
    name: str
    category_taxonomy_id: UUID
    parent_id: UUID | None = None
    url_segment: NullAsEmpty = ""
    description: NullAsEmpty = ""
    display_sequence: NullAsZero = 0
    small_image_asset_id: UUID | None = None
    large_image_asset_id: UUID | None = None

    def image_id(self) -> UUID | None:
        return self.large_image_asset_id or self.small_image_asset_id


class Property(Record):
    """The definition of a property; ``name`` is unique, ``display_name`` is not."""

    entity = gettext_lazy("property")
    name: str
    display_name: NullAsEmpty = ""
    description: NullAsEmpty = ""
    type: NullAsEmpty = ""
    control_type: NullAsEmpty = ""
    # 0 is no limit here, but whole numbers below.
    string_max_length: ZeroAsNull = None
    string_value_bag: Annotated[list[str], WithoutNulls] = []
    string_allow_ad_hoc_values: NullAsFalse = False
    number_of_decimals: int | None = None
    is_globally_required: NullAsFalse = False
    is_localizable: NullAsFalse = False
    is_system_property: NullAsFalse = False
    display_sequence: NullAsZero = 0

    def control(self) -> Control | None:
        """None where the PIM names none that is known."""
        return Control.named(self.control_type)

    def holds(self) -> ValueType | None:
        """What its values are; None where the PIM's own words for it are unknown."""
        control = self.control()
        if control is not None:
            return control.value_type
        return None if self.control_type else ValueType.of_wire_type(self.type)

    def holds_several_values(self) -> bool:
        return self.control() is Control.MULTI_SELECT

    def holds_html(self) -> bool:
        return self.control() is Control.HTML


class Template(Record):
    """``kinds`` are those of records that it is for; older ones do not say."""

    entity = gettext_lazy("template")
    name: str
    parent_template_id: UUID | None = None
    is_starter_template: NullAsFalse = False
    kinds: Annotated[list[str], NullAsList] = []


class Assignment(Record):
    """That products of a template have a property."""

    entity = gettext_lazy("template's property")
    template_id: UUID
    property_id: UUID
    is_required: NullAsFalse = False


class PublishingSettings(Payload):
    active_publishing_environment: str


class Asset(Record):
    """A file of the PIM; ``current_asset_hash`` changes with its content."""

    entity = gettext_lazy("asset")
    name: NullAsEmpty = ""
    asset_type: NullAsEmpty = ""
    type: NullAsEmpty = ""
    file_extension: NullAsEmpty = ""
    asset_file_name: NullAsEmpty = ""
    alt_text: NullAsEmpty = ""
    tag_list: NullAsEmpty = ""
    current_asset_hash: NullAsEmpty = ""
    url_large: NullAsEmpty = ""
    external_file_url: NullAsEmpty = ""
    is_external: NullAsFalse = False
    is_archived: NullAsFalse = False

    def is_image(self) -> bool:
        """What it is not, is a document."""
        return (
            self.asset_type.strip().casefold() == "image"
            or self.type.strip().casefold().startswith("image/")
        )

    def address(self) -> str:
        """Where its file is; empty if it has none."""
        return self.external_file_url if self.is_external else self.url_large

    def tags(self) -> list[str]:
        named = (one_line(tag) for tag in self.tag_list.split(","))
        return list(dict.fromkeys(tag for tag in named if tag))


class CategoryLink(Record):
    entity = gettext_lazy("product's category link")
    category_tree_id: UUID


class AssetLink(Record):
    entity = gettext_lazy("product's asset link")
    asset_id: UUID
    sort_order: NullAsZero = 0


class RelationLink(Record):
    entity = gettext_lazy("product's relation")
    related_product_id: UUID
    product_relationship_id: UUID
    sort_order: NullAsZero = 0


class ProductHead(Record):
    """What planning needs of a product; a listing of these is small."""

    entity = gettext_lazy("product")
    product_number: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1)
    ]
    status: NullAsEmpty = ""
    primary_category_tree_id: UUID | None = None
    parent_product_id: UUID | None = None
    is_variant_parent: bool | None = None
    modified_on: AwareTime | None = None
    deactivate_on: AwareTime | None = None
    category_trees: Annotated[list[CategoryLink], NullAsList] = []

    FIELDS: ClassVar = (
        "id",
        "productNumber",
        "status",
        "primaryCategoryTreeId",
        "parentProductId",
        "isVariantParent",
        "modifiedOn",
        "deactivateOn",
    )

    @property
    def family(self) -> UUID:
        """The Guid of the product that it is, or is a variant of."""
        return self.parent_product_id or self.id

    def is_variant(self) -> bool:
        return self.parent_product_id is not None

    def is_deactivated(self) -> bool:
        return self.deactivate_on is not None and self.deactivate_on <= timezone.now()

    def category_ids(self) -> list[UUID]:
        """All categories, the primary one first."""
        listed = [link.category_tree_id for link in self.category_trees]
        primary = self.primary_category_tree_id
        return list(dict.fromkeys(([primary] if primary else []) + listed))

    def has_status(self, status: str) -> bool:
        return self.status.strip().casefold() == status.casefold()


class Product(ProductHead):
    """A whole product or variant; ``properties`` are all its other keys, folded."""

    product_title: NullAsEmpty = ""
    url_segment: NullAsEmpty = ""
    template_id: UUID | None = None
    template_name: NullAsEmpty = ""
    current_version_number: Annotated[int, Field(ge=0, lt=2**31)]
    is_archived: NullAsFalse = False
    primary_image_asset_id: UUID | None = None
    product_assets: Annotated[list[AssetLink], NullAsList] = []
    product_related_products: Annotated[list[RelationLink], NullAsList] = []
    properties: dict[str, Any] = Field({}, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _keep_every_key_as_property(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        folded = {key.casefold(): value for key, value in data.items()}
        return {**data, "properties": folded}

    def asset_ids(self) -> tuple[UUID, ...]:
        """All assets in their order, the primary image first."""
        primary = self.primary_image_asset_id
        links = sorted(self.product_assets, key=lambda link: link.sort_order)
        listed = [link.asset_id for link in links]
        return tuple(dict.fromkeys(([primary] if primary else []) + listed))

    def relations(self) -> tuple[tuple[UUID, UUID], ...]:
        """Relationship and related product of all relations, in their order."""
        links = sorted(self.product_related_products, key=lambda x: x.sort_order)
        pairs = ((x.product_relationship_id, x.related_product_id) for x in links)
        return tuple(dict.fromkeys(pairs))

    def value(self, name: str) -> Any:
        """The property's value: by its name as written, else by its like."""
        folded = name.casefold()
        if folded in self.properties:
            return self.properties[folded]
        return self._by_normalised_name.get(normalise_name(name))

    @cached_property
    def _by_normalised_name(self) -> dict[str, Any]:
        return {normalise_name(key): value for key, value in self.properties.items()}
