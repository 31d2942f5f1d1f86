"""The PIM's records, as the rest of the package sees them.

Keys are matched without regard to case, as the PIM's own client does. Keys that a
model does not name are dropped, except for products: there they are the custom
properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from pydantic import (
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from wagtail_pim.exceptions import PayloadError

NullAsEmpty = Annotated[str, BeforeValidator(lambda v: "" if v is None else v)]
NullAsFalse = Annotated[bool, BeforeValidator(lambda v: False if v is None else v)]
NullAsList = BeforeValidator(lambda v: [] if v is None else v)


class Record(BaseModel):
    """One record of an entity set."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=AliasGenerator(validation_alias=to_camel),
    )
    entity: ClassVar[str]

    id: UUID

    @model_validator(mode="before")
    @classmethod
    def _match_keys_without_regard_to_case(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        aliases = _aliases(cls)
        return {aliases.get(key.casefold(), key): value for key, value in data.items()}

    @classmethod
    def parse(cls, data: Any) -> Self:
        """Raises PayloadError that names the record and each field at fault."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'record'}: {fault['msg']}"
                for fault in error.errors(include_url=False, include_input=False)[:5]
            )
            raise PayloadError(
                f"The PIM sent a {cls.entity} that can't be read "
                f"({describe_raw(data)}): {faults}."
            ) from error


_ALIASES: dict[type[Record], dict[str, str]] = {}


def _aliases(cls: type[Record]) -> dict[str, str]:
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


def describe_raw(data: Any) -> str:
    """Which record it is, for a message, as far as that can be told."""
    for key in ("productNumber", "name", "id"):
        if isinstance(value := raw_value(data, key), str) and value:
            return f"{key} {value[:100]}"
    return "no id"


@dataclass(frozen=True, slots=True)
class InvalidRecord:
    """A record of a listing that can't be read; the others of it can."""

    id: UUID | None
    number: str
    error: PayloadError

    @classmethod
    def of(cls, data: Any, error: PayloadError) -> InvalidRecord:
        try:
            guid = UUID(str(raw_value(data, "id")))
        except ValueError:
            guid = None
        number = raw_value(data, "productNumber") or raw_value(data, "name")
        return cls(guid, str(number or guid or "?")[:255], error)


class WebsiteLink(Record):
    entity = "taxonomy's website link"
    website_id: UUID


class Taxonomy(Record):
    """A category tree as a whole; ``websites`` are the catalogs that it feeds."""

    entity = "category taxonomy"
    name: str
    websites: Annotated[list[WebsiteLink], NullAsList] = []


class Website(Record):
    entity = "website"
    name: str


class Category(Record):
    """A node of a category tree."""

    entity = "category"
    name: str
    category_taxonomy_id: UUID
    parent_id: UUID | None = None
    url_segment: NullAsEmpty = ""
    description: NullAsEmpty = ""
    display_sequence: Annotated[
        int, BeforeValidator(lambda v: 0 if v is None else v)
    ] = 0


class Property(Record):
    """The definition of a property; ``name`` is unique, ``display_name`` is not."""

    entity = "property"
    name: str
    display_name: NullAsEmpty = ""
    type: NullAsEmpty = ""
    control_type: NullAsEmpty = ""
    is_system_property: NullAsFalse = False
    display_sequence: Annotated[
        int, BeforeValidator(lambda v: 0 if v is None else v)
    ] = 0

    def control(self) -> str:
        """The control type in one spelling; the wire's is not documented."""
        return "".join(c for c in self.control_type.casefold() if c.isalnum())

    def holds_several_values(self) -> bool:
        return self.control() == "multiselect"

    def holds_html(self) -> bool:
        return self.control() == "html"

    def holds_date(self) -> bool:
        return self.control() == "datepicker"


class Template(Record):
    entity = "template"
    name: str
    parent_template_id: UUID | None = None


class PublishingSettings(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)
    active_publishing_environment: str


class Asset(Record):
    """A file of the PIM; ``current_asset_hash`` changes with its content."""

    entity = "asset"
    name: NullAsEmpty = ""
    type: NullAsEmpty = ""
    asset_file_name: NullAsEmpty = ""
    alt_text: NullAsEmpty = ""
    current_asset_hash: NullAsEmpty = ""
    url_large: NullAsEmpty = ""
    external_file_url: NullAsEmpty = ""
    is_external: NullAsFalse = False
    is_archived: NullAsFalse = False


class CategoryLink(Record):
    entity = "product's category link"
    category_tree_id: UUID


class ProductHead(Record):
    """What planning needs of a product; a listing of these is small."""

    entity = "product"
    product_number: Annotated[str, Field(min_length=1)]
    status: NullAsEmpty = ""
    primary_category_tree_id: UUID | None = None
    parent_product_id: UUID | None = None
    category_trees: Annotated[list[CategoryLink], NullAsList] = []

    FIELDS: ClassVar = (
        "id",
        "productNumber",
        "status",
        "primaryCategoryTreeId",
        "parentProductId",
    )

    def is_variant(self) -> bool:
        return self.parent_product_id is not None

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
    current_version_number: Annotated[int, Field(ge=0)]
    deactivate_on: datetime | None = None
    is_archived: NullAsFalse = False
    primary_image_asset_id: UUID | None = None
    etag: str | None = Field(None, validation_alias="@odata.etag")
    properties: dict[str, Any] = Field({}, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _keep_every_key_as_property(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        folded = {key.casefold(): value for key, value in data.items()}
        return {**data, "properties": folded}
