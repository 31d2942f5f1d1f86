"""What the site's page types ask of the PIM: templates, properties, assignments.

Reads model classes; never the database, and nothing of the PIM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db import models
from django.utils.text import capfirst
from taggit.managers import TaggableManager
from wagtail.fields import RichTextField

from wagtail_pim.client.controls import Control
from wagtail_pim.kinds import Kind
from wagtail_pim.markers import Sync, is_synced, normalise_name, sync_markers

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

# What the PIM calls the kinds that a template is for.
TEMPLATE_KINDS: Final = {Kind.PRODUCT: "Product", Kind.VARIANT: "Variant"}


def default_control(field: Any) -> Control | None:
    """What suits the field's class; None for one of which that is not known."""
    if getattr(field, "choices", None):
        return Control.DROPDOWN
    if isinstance(field, models.JSONField):
        return Control.MULTI_SELECT if field.default is list else Control.TEXT_AREA
    return next(
        (_CONTROLS[base] for base in type(field).__mro__ if base in _CONTROLS), None
    )


@dataclass(frozen=True, slots=True)
class MarkedField:
    """A field of a page type that one property of the PIM fills."""

    model: PageClass
    marker: Sync
    field: Any

    def path(self) -> str:
        return f"{self.model.__name__}.{self.marker.field}"

    def key(self) -> str:
        """The property's name in the form in which names are compared."""
        return normalise_name(self.marker.property_name())

    def property_name(self) -> str:
        """What a property that has to be created is called: ``FabricType``."""
        if self.marker.property:
            return self.marker.property
        parts = self.marker.field.split("_")
        return "".join(part[:1].upper() + part[1:] for part in parts)

    def control(self) -> Control | None:
        if self.marker.control:
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
        values: dict[str, Any] = {
            "name": self.name,
            "type": self.control.wire_type,
            "controlType": self.control.value,
        }
        if self.control in _LISTS:
            # Objects that the site lacks are made by their names.
            values["stringAllowAdHocValues"] = not _choices(self.fields)
        return values

    def values(self) -> dict[str, Any]:
        """What the site says of the property, besides its type, as the PIM has it."""
        markers = [each.marker for each in self.fields]
        values: dict[str, Any] = {
            "displayName": capfirst(str(self.fields[0].field.verbose_name)),
            "description": next(filter(None, map(_help_text, self.fields)), ""),
            "isGloballyRequired": all(marker.required for marker in markers),
            "isLocalizable": any(marker.translatable for marker in markers),
        }
        # What fits the narrowest field fits all.
        if lengths := [n for n in map(self._max_length, self.fields) if n]:
            values["stringMaxLength"] = min(lengths)
        if (decimals := _decimals(self.fields)) is not None:
            values["numberOfDecimals"] = decimals
        if choices := _choices(self.fields):
            values["stringValueBag"] = choices
        return values

    def _max_length(self, marked: MarkedField) -> int | None:
        if self.control not in (Control.TEXT_FIELD, Control.TEXT_AREA):
            return None
        return getattr(marked.field, "max_length", None)


def _help_text(marked: MarkedField) -> str:
    return str(getattr(marked.field, "help_text", ""))


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
