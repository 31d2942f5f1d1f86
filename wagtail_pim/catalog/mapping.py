"""One product of the PIM becomes the content of one page; no database, no network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _

from wagtail_pim.client.entities import Product, ProductHead, Property
from wagtail_pim.conf import get_config, unicode_slugs_allowed
from wagtail_pim.converters import (
    MULTI_VALUE_SEPARATOR,
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

from .languages import SiteLanguage, Vocabulary
from .schema import Binding, CatalogSchema, PageClass, PageType

MAX_TITLE_LENGTH: Final = 255
MAX_SLUG_LENGTH: Final = 255
SLUG_SUFFIX_ROOM: Final = 8

PageKey = tuple[UUID, int]
"""A page of the PIM's by its record's Guid and its locale's key."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """What the PIM wants a page to be.

    ``slug`` is the wanted one; ``slug_is_given`` tells whether the PIM names it. Made
    of the title it is for a new page only: a URL does not follow every correction.
    ``parent`` is the Guid of the category or, for a variant, of the product that it
    is placed under; ``categories`` are the others that list it. ``assets`` are Guids in
    their order, the primary image first; ``related`` are (relationship, product) Guids.
    ``values`` are the fields' values by name; those of relations are names (see
    converters). One that is ``left_out`` has no page in its language.
    """

    product: Product
    language: SiteLanguage
    kind: Kind
    page_type: PageType
    title: str
    slug: str
    slug_is_given: bool
    parent: UUID
    categories: frozenset[UUID]
    assets: tuple[UUID, ...]
    related: tuple[tuple[UUID, UUID], ...]
    values: dict[str, Any]
    left_out: bool = False
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
    def key(self) -> PageKey:
        return (self.guid, self.language.locale_id)

    def related_by(self, types: Collection[UUID]) -> tuple[tuple[UUID, UUID], ...]:
        """The relations of these types."""
        return tuple(pair for pair in self.related if pair[0] in types)

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
            "assets": self.assets,
            "related": self.related,
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


@dataclass(frozen=True, slots=True)
class Reading:
    """A product as it was read for one of the site's languages.

    ``translation`` is the same product read in that language; None where the site
    shows what ``product`` says.
    """

    product: Product
    language: SiteLanguage
    translation: Product | None = None
    vocabulary: Vocabulary = field(default_factory=Vocabulary)


def map_product(
    reading: Reading, schema: CatalogSchema, places: Mapping[UUID, int]
) -> PageContent:
    """Raises RecordError with everything that is wrong with the product.

    ``places`` are the ranks of the categories that stand on this site (best_place).
    """
    product = reading.product
    page_type = schema.page_type_for(product)
    translated = _Translated(reading)
    values, faults = _values(translated, page_type)
    title = ""
    try:
        title = clean_text(translated.title())
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
    is_placed = place is not None or product.is_variant()
    if not is_placed and reading.language.is_default:
        faults.append(
            _(
                "none of its categories is in a category tree that feeds a catalog "
                "of this site"
            )
        )
    if faults:
        raise RecordError(_told(faults, reading.language))
    given_slug = make_slug(translated.url_segment(), default="")
    return PageContent(
        product=product,
        language=reading.language,
        kind=Kind.VARIANT if product.is_variant() else Kind.PRODUCT,
        page_type=page_type,
        title=title,
        slug=make_slug(given_slug, title, product.product_number),
        slug_is_given=bool(given_slug),
        parent=cast(UUID, product.parent_product_id or place),
        categories=frozenset(g for g in product.category_ids() if g in places)
        - {place},
        assets=product.asset_ids(),
        related=product.relations(),
        values=values,
        left_out=not reading.language.is_default
        and (not is_placed or translated.is_to_be_left_out()),
    )


def _told(faults: Sequence[str], language: SiteLanguage) -> str:
    told = {"faults": capfirst("; ".join(faults)), "language": language.code}
    if language.is_default:
        return _("%(faults)s. Correct this in the PIM.") % told
    return (
        _("In the language %(language)s: %(faults)s. Correct this in the PIM.") % told
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


class _Translated:
    """What a product says in a language, as the settings have what is missing there."""

    def __init__(self, reading: Reading) -> None:
        self._product = reading.product
        self._translation = reading.translation
        self.vocabulary = reading.vocabulary
        self._policy = get_config().missing_translations
        self._missing: set[str] = set()
        self._found: set[str] = set()

    def value(self, name: str, prop: Property | None) -> Any:
        own = self._product.value(name)
        if self._translation is None or prop is None:
            return own
        there = self._translation.value(name)
        if not prop.is_localizable:
            return self._chosen(own if there is None else there, prop)
        if _says_something(there):
            self._found.add(name)
        elif _says_something(own):
            self._missing.add(name)
            return own if self._policy == "default" else None
        return there

    def shared_value(self, name: str) -> Any:
        """A value that is the same in all languages."""
        return self._product.value(name)

    def title(self) -> str:
        """A page needs one: the default language's stands in."""
        own = self._product.product_title
        if self._translation is None:
            return own
        there = self._translation.product_title
        if not there.strip():
            self._missing.add("title")
        elif there != own:
            self._found.add("title")
        return there if there.strip() else own

    def url_segment(self) -> str:
        """Empty where the page's own title says it better."""
        own = self._product.url_segment
        if self._translation is None:
            return own
        return self._translation.url_segment or ("" if "title" in self._found else own)

    def is_to_be_left_out(self) -> bool:
        """Whether it has no page, as it says nothing of its own in the language."""
        if self._policy != "leave_out":
            return False
        return "title" in self._missing or bool(self._missing and not self._found)

    def _chosen(self, value: Any, prop: Property) -> Any:
        """A value from the property's list, as it is called in the language."""
        if not isinstance(value, str):
            return value
        if not prop.holds_several_values():
            return self.vocabulary.value(prop, value)
        parts = value.split(MULTI_VALUE_SEPARATOR)
        named = (self.vocabulary.value(prop, part) for part in parts)
        return MULTI_VALUE_SEPARATOR.join(named)


def _says_something(value: Any) -> bool:
    return value not in (None, "", []) and not (
        isinstance(value, str) and not value.strip()
    )


def _values(
    translated: _Translated, page_type: PageType
) -> tuple[dict[str, Any], list[str]]:
    """The marked fields' values by field name, and what is wrong with them."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for binding in page_type.bindings:
        raw = _raw_value(translated, binding)
        try:
            values[binding.field_name()] = convert(
                raw, Target(binding.field, binding.property)
            )
        except ConversionError as error:
            faults.append(_fault_of(binding.label(), error))
    if page_type.catch_all is not None:
        entries = []
        for prop in page_type.unclaimed:
            raw = translated.value(prop.name, prop)
            target = Target(page_type.catch_all.field, prop)
            label = translated.vocabulary.label(prop)
            try:
                if is_empty(raw, target):
                    continue
                value = _specification_value(raw, target)
            except ConversionError as error:
                faults.append(_fault_of(label, error))
                continue
            entries.append(
                {
                    "name": prop.name,
                    "displayName": label,
                    "type": prop.type,
                    "controlType": prop.control_type,
                    "value": value,
                }
            )
        values[page_type.catch_all.field_name()] = entries
    return values, faults


def _fault_of(label: str, error: ConversionError) -> str:
    return _("“%(property)s”: %(fault)s") % {"property": label, "fault": error}


def _raw_value(translated: _Translated, binding: Binding) -> Any:
    """A property's value; a name that is no property may be a product's own key."""
    name = binding.property.name if binding.property else binding.marker.property_name()
    # Of choices the field holds the value, and knows what it is called.
    if not binding.marker.translatable or getattr(binding.field, "choices", None):
        return translated.shared_value(name)
    return translated.value(name, binding.property)


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
