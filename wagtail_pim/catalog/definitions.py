"""What the site's page types ask of the PIM: templates, properties, assignments.

Reads model classes; never the database, and nothing of the PIM.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import override
from taggit.managers import TaggableManager
from wagtail.fields import RichTextField

from wagtail_pim.client.controls import Control, ValueType
from wagtail_pim.conf import site_language
from wagtail_pim.converters import (
    Converter,
    converter_for,
    to_boolean,
    to_date,
    to_datetime,
    to_decimal,
    to_email,
    to_float,
    to_integer,
    to_json,
    to_line,
    to_name,
    to_names,
    to_rich_text,
    to_text,
    to_time,
    to_url,
)
from wagtail_pim.kinds import Kind
from wagtail_pim.markers import Sync, is_synced, normalise_name, sync_markers
from wagtail_pim.sanitizing import html_to_plain

from .schema import BASE_CLASSES, PageClass, page_classes, template_name

_CONTROLS: Final[dict[type, Control]] = {
    models.CharField: Control.TEXT_FIELD,
    models.TextField: Control.TEXT_AREA,
    RichTextField: Control.HTML,
    models.IntegerField: Control.DECIMAL,
    models.DecimalField: Control.DECIMAL,
    models.FloatField: Control.DECIMAL,
    models.BooleanField: Control.TOGGLE,
    models.DateField: Control.DATE_PICKER,
    models.DateTimeField: Control.DATE_TIME_PICKER,
    models.TimeField: Control.TEXT_FIELD,
    models.ForeignKey: Control.DROPDOWN,
    models.ManyToManyField: Control.MULTI_SELECT,
    TaggableManager: Control.MULTI_SELECT,
}

_LISTS: Final = (Control.DROPDOWN, Control.RADIO_BUTTON, Control.MULTI_SELECT)

_ANYTHING: Final = frozenset(ValueType)
_TEXT: Final = frozenset({ValueType.TEXT, ValueType.CHOICE})
# What each converter makes a value of its field's class of.
_CONVERTED: Final[dict[Converter, frozenset[ValueType]]] = {
    to_line: _ANYTHING,
    to_text: _ANYTHING,
    to_rich_text: _ANYTHING,
    to_json: _ANYTHING,
    to_email: _TEXT,
    to_url: _TEXT,
    to_time: _TEXT,
    to_name: _TEXT,
    to_names: _TEXT | {ValueType.CHOICES},
    to_integer: _TEXT | {ValueType.NUMBER},
    to_decimal: _TEXT | {ValueType.NUMBER},
    to_float: _TEXT | {ValueType.NUMBER},
    to_boolean: _TEXT | {ValueType.BOOLEAN},
    to_date: _TEXT | {ValueType.DATE, ValueType.DATE_TIME},
    to_datetime: _TEXT | {ValueType.DATE, ValueType.DATE_TIME},
}

# How tags are typed here is nothing that the PIM's people have to know.
_TAGGIT_HELP: Final = (
    inspect.signature(TaggableManager.__init__).parameters["help_text"].default
)

# What every product has, whatever properties are defined, and what it holds.
_OWN_KEYS: Final[dict[str, ValueType]] = {
    key: values
    for values, keys in {
        ValueType.TEXT: """
            id producttitle productnumber urlsegment status templateid templatename
            primarycategorytreeid primarycategoryname primaryimageassetid
            parentproductid parentvariantproductnumber defaultchildproductid createdby
            modifiedby
        """,
        ValueType.CHOICES: "taglist variantpropertyidlist",
        ValueType.BOOLEAN: "isvariantparent onhold isarchived",
        ValueType.NUMBER: """
            percentcomplete percentrecommendedcomplete currentversionnumber
            publishedversionnumber
        """,
        ValueType.DATE_TIME: "lastpublishedon deactivateon createdon modifiedon",
    }.items()
    for key in keys.split()
}
# What may hold any text; others read some texts only.
_ANY_TEXT: Final = (
    ValueType.TEXT,
    ValueType.HTML,
    ValueType.CHOICE,
    ValueType.CHOICES,
)

# What the PIM calls the kinds that a template is for.
TEMPLATE_KINDS: Final = {Kind.PRODUCT: "Product", Kind.VARIANT: "Variant"}


def default_control(field: Any) -> Control | None:
    """What suits the field's class; None for one of which that is not known."""
    if getattr(field, "choices", None) and not isinstance(field, models.BooleanField):
        return Control.DROPDOWN
    if isinstance(field, models.JSONField):
        return Control.MULTI_SELECT if field.default is list else Control.TEXT_AREA
    return next(
        (_CONTROLS[base] for base in type(field).__mro__ if base in _CONTROLS), None
    )


def takes(field: Any, values: ValueType) -> bool:
    """Whether such values can stand in the field; a site's own converters take any."""
    converter = converter_for(field)
    if converter is to_line and field.choices:
        return values in _TEXT
    return converter is None or values in _CONVERTED.get(converter, _ANYTHING)


def site_text(text: Any) -> str:
    """A lazy text in the site's language, whatever that of who starts the job."""
    with override(site_language()):
        return str(text)


@dataclass(frozen=True, slots=True)
class MarkedField:
    """A field of a page type that the PIM fills."""

    model: PageClass
    marker: Sync
    field: Any

    def path(self) -> str:
        return f"{self.model.__name__}.{self.marker.field}"

    def key(self) -> str:
        """The property's name in the form in which names are compared."""
        return normalise_name(self.marker.property_name())

    def is_every_products(self) -> bool:
        """Whether no property fills it, but what every product has."""
        return self.key() in _OWN_KEYS

    def unsuitable_values(self) -> ValueType | None:
        """What every product has by its property's name, if it can't hold that."""
        theirs = _OWN_KEYS.get(self.key())
        control = self.control()
        if theirs is None or control is None:
            return None
        if theirs is ValueType.TEXT:
            return None if control.value_type in _ANY_TEXT else theirs
        return None if takes(self.field, theirs) else theirs

    def property_name(self) -> str:
        """What a property that has to be created is called: ``FabricType``."""
        if self.marker.property:
            return self.marker.property
        parts = self.marker.field.split("_")
        return "".join(part[:1].upper() + part[1:] for part in parts)

    def control(self) -> Control | None:
        if self.marker.control is not None:
            return Control.named(self.marker.control)
        return default_control(self.field)


@dataclass(frozen=True, slots=True)
class PropertyDefinition:
    """A property as all fields together ask for it that one fills."""

    name: str
    fields: tuple[MarkedField, ...]
    control: Control

    @classmethod
    def of(cls, fields: Sequence[MarkedField]) -> PropertyDefinition:
        """``fields`` hold values of one type; raises ValueError if that is unknown."""
        named = next((each for each in fields if each.marker.property), fields[0])
        control = fields[0].control()
        if control is None:
            raise ValueError(f"{fields[0].path()} has no control type.")
        return cls(named.property_name(), tuple(fields), control)

    def at_creation(self) -> dict[str, Any]:
        """What a property is made with, and then is the PIM's people's."""
        return {
            "name": self.name,
            "type": self.control.wire_type,
            "controlType": self.control.value,
        }

    def values(self) -> dict[str, Any]:
        """What the site says of the property, besides its type, as the PIM has it.

        All that its control type can have: None is no limit, an empty list of values
        leaves them to the PIM's people.
        """
        markers = [each.marker for each in self.fields]
        values: dict[str, Any] = {
            "displayName": capfirst(site_text(self.fields[0].field.verbose_name)),
            "description": next(filter(None, map(_help_text, self.fields)), ""),
            "isGloballyRequired": all(marker.required for marker in markers),
            "isLocalizable": any(marker.translatable for marker in markers),
        }
        if self.control.value_type is ValueType.TEXT:
            values["stringMaxLength"] = _max_length(self.fields)
        if self.control is Control.DECIMAL:
            values["numberOfDecimals"] = _decimals(self.fields)
        if self.control in _LISTS:
            choices = _choices(self.fields)
            values["stringValueBag"] = choices
            # Objects that the site lacks are made by their names.
            values["stringAllowAdHocValues"] = not choices
        return values


def _help_text(marked: MarkedField) -> str:
    """As plain text: Django shows help texts as HTML."""
    text = getattr(marked.field, "help_text", "")
    if isinstance(marked.field, TaggableManager) and text == _TAGGIT_HELP:
        return ""
    return html_to_plain(site_text(text))


def _max_length(fields: Sequence[MarkedField]) -> int | None:
    """What fits the narrowest field; None where no field limits it."""
    lengths = (getattr(marked.field, "max_length", None) for marked in fields)
    return min(filter(None, lengths), default=None)


def _decimals(fields: Sequence[MarkedField]) -> int | None:
    """None where no field limits them."""
    limits = []
    for marked in fields:
        if isinstance(marked.field, models.DecimalField):
            limits.append(marked.field.decimal_places)
        elif isinstance(marked.field, models.IntegerField):
            limits.append(0)
    return min(limits) if limits else None


def _choices(fields: Sequence[MarkedField]) -> list[str]:
    """The values of the choices; their labels change with the language."""
    return list(
        dict.fromkeys(
            str(value)
            for marked in fields
            for value, _label in getattr(marked.field, "flatchoices", ())
            if value not in (None, "")
        )
    )


@dataclass(frozen=True, slots=True)
class TemplateDefinition:
    """A template of the PIM; products and variants may have the same."""

    name: str
    models: tuple[PageClass, ...]
    kinds: tuple[str, ...]


class SiteDefinitions:
    """Templates, properties and marked fields of all synced page types."""

    @cached_property
    def models(self) -> dict[PageClass, Kind]:
        """The page types that the PIM fills, products first."""
        return {
            model: kind
            for kind in BASE_CLASSES
            for model in page_classes(kind)
            if is_synced(model)
        }

    @cached_property
    def fields(self) -> list[MarkedField]:
        """All marked fields, but those that take any property."""
        return [
            MarkedField(model, marker, model._meta.get_field(marker.field))
            for model in self.models
            for marker in sync_markers(model).values()
            if not marker.takes_any_property()
        ]

    @cached_property
    def templates(self) -> list[TemplateDefinition]:
        sharing: dict[str, list[PageClass]] = {}
        for model in self.models:
            sharing.setdefault(normalise_name(template_name(model)), []).append(model)
        return [
            TemplateDefinition(
                name=template_name(models[0]),
                models=tuple(models),
                kinds=tuple(TEMPLATE_KINDS[self.models[model]] for model in models),
            )
            for models in sharing.values()
        ]
