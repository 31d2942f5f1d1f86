"""One product of the PIM becomes the content of one page; no database, no network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _

from wagtail_pim.client.entities import Product, ProductHead
from wagtail_pim.conf import unicode_slugs_allowed
from wagtail_pim.converters import (
    ConversionError,
    Target,
    clean_text,
    convert,
    is_empty,
    parse_decimal,
    plain_json,
    to_boolean,
    to_datetime,
)
from wagtail_pim.exceptions import RecordError
from wagtail_pim.kinds import Kind

from .schema import Binding, CatalogSchema, PageClass, PageType

MAX_TITLE_LENGTH: Final = 255
MAX_SLUG_LENGTH: Final = 255
SLUG_SUFFIX_ROOM: Final = 8


@dataclass(frozen=True, slots=True)
class PageContent:
    """What the PIM wants a page to be.

    ``slug`` is the wanted one; ``slug_is_given`` tells whether the PIM names it. Made
    of the title it is for a new page only: a URL does not follow every correction.
    ``parent`` is the Guid of the category or, for a variant, of the product that it
    is placed under; ``categories`` are the others that list it. ``values`` are the
    fields' values by name; those of relations are names (see converters).
    """

    product: Product
    kind: Kind
    page_type: PageType
    title: str
    slug: str
    slug_is_given: bool
    parent: UUID
    categories: frozenset[UUID]
    values: dict[str, Any]
    content_hash: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "content_hash", self._hash())

    @property
    def model(self) -> PageClass:
        return self.page_type.model

    @property
    def guid(self) -> UUID:
        return self.product.id

    @property
    def number(self) -> str:
        return self.product.product_number

    def _hash(self) -> str:
        content = {
            "model": self.model._meta.label,
            "title": self.title,
            "slug": self.slug,
            "parent": self.parent,
            "categories": sorted(map(str, self.categories)),
            "values": self.values,
        }
        text = json.dumps(
            content, cls=DjangoJSONEncoder, sort_keys=True, default=_hashable
        )
        return hashlib.sha256(text.encode()).hexdigest()


def _hashable(value: Any) -> Any:
    """Values of a site's own field classes count by their text."""
    try:
        return DjangoJSONEncoder().default(value)
    except TypeError:
        return str(value)


def map_product(
    product: Product, schema: CatalogSchema, places: Mapping[UUID, int]
) -> PageContent:
    """Raises RecordError with everything that is wrong with the product.

    ``places`` are the ranks of the categories that stand on this site (best_place).
    """
    page_type = schema.page_type_for(product)
    values, faults = _values(product, page_type)
    title = ""
    try:
        title = clean_text(product.product_title)
        if not title:
            faults.append(_("it has no title"))
        elif len(title) > MAX_TITLE_LENGTH:
            faults.append(
                _("its title has %(length)d characters; %(limit)d fit")
                % {"length": len(title), "limit": MAX_TITLE_LENGTH}
            )
        values["product_number"] = clean_text(product.product_number)
    except ConversionError as error:
        faults.append(str(error))
    values["expire_at"] = product.deactivate_on
    values["primary_image"] = product.primary_image_asset_id
    place = best_place(product, places)
    if place is None and not product.is_variant():
        faults.append(
            _(
                "none of its categories is in a category tree that feeds a catalog "
                "of this site"
            )
        )
    if faults:
        raise RecordError(
            _("%(faults)s. Correct this in the PIM.")
            % {"faults": capfirst("; ".join(faults))}
        )
    return PageContent(
        product=product,
        kind=Kind.VARIANT if product.is_variant() else Kind.PRODUCT,
        page_type=page_type,
        title=title,
        slug=make_slug(product.url_segment, title, product.product_number),
        slug_is_given=bool(make_slug(product.url_segment, default="")),
        parent=cast(UUID, product.parent_product_id or place),
        categories=frozenset(g for g in product.category_ids() if g in places)
        - {place},
        values=values,
    )


def best_place(head: ProductHead, places: Mapping[UUID, int]) -> UUID | None:
    """The category to place a product in; None if this site has none of its.

    It is the primary category, or where that is in a tree of another site's the best
    ranked of the others. ``places`` are the ranks of this site's categories.
    """
    ids = [guid for guid in head.category_ids() if guid in places]
    if not ids:
        return None
    if ids[0] == head.primary_category_tree_id:
        return ids[0]
    return min(ids, key=places.__getitem__)


def make_slug(*candidates: str, default: str = "page") -> str:
    """A URL segment from the first candidate that leaves anything of one.

    Room is left for the suffix that a second page of the same slug gets.
    """
    for candidate in candidates:
        slug = slugify(candidate, allow_unicode=unicode_slugs_allowed())
        if slug := slug[: MAX_SLUG_LENGTH - SLUG_SUFFIX_ROOM].strip("-_"):
            return slug
    return default


def _values(product: Product, page_type: PageType) -> tuple[dict[str, Any], list[str]]:
    """The marked fields' values by field name, and what is wrong with them."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for binding in page_type.bindings:
        raw = _raw_value(product, binding)
        try:
            values[binding.field_name()] = convert(
                raw, Target(binding.field, binding.property)
            )
        except ConversionError as error:
            faults.append(_fault_of(binding.label(), error))
    if page_type.catch_all is not None:
        entries = []
        for prop in page_type.unclaimed:
            raw = product.value(prop.name)
            target = Target(page_type.catch_all.field, prop)
            try:
                if is_empty(raw, target):
                    continue
                value = _specification_value(raw, target)
            except ConversionError as error:
                faults.append(_fault_of(prop.display_name or prop.name, error))
                continue
            entries.append(
                {
                    "name": prop.name,
                    "displayName": prop.display_name or prop.name,
                    "type": prop.type,
                    "controlType": prop.control_type,
                    "value": value,
                }
            )
        values[page_type.catch_all.field_name()] = entries
    return values, faults


def _fault_of(label: str, error: ConversionError) -> str:
    return _("“%(property)s”: %(fault)s") % {"property": label, "fault": error}


def _raw_value(product: Product, binding: Binding) -> Any:
    """A property's value; a name that is no property may be a product's own key."""
    name = binding.property.name if binding.property else binding.marker.property_name()
    return product.value(name)


def _specification_value(raw: Any, target: Target) -> Any:
    """The value in the JSON type that its property promises; dates stay as written."""
    kind = target.property.type.casefold() if target.property else ""
    if kind == "number":
        return plain_json(parse_decimal(raw), target)
    if kind == "boolean":
        return to_boolean(raw, target)
    if kind == "datetime":
        to_datetime(raw, target)
    return plain_json(raw, target)
