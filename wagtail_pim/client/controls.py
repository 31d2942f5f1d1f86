"""How people enter a property's values in the PIM, and what values these are."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ValueType(StrEnum):
    """What is compared when a property of the PIM is to fill a field of the site."""

    TEXT = "text"
    HTML = "html"
    CHOICE = "choice"
    CHOICES = "choices"
    NUMBER = "number"
    DATE = "date"
    DATE_TIME = "date_time"
    BOOLEAN = "boolean"

    @classmethod
    def of_wire_type(cls, name: str) -> ValueType | None:
        """Of a property without a control type."""
        return _OF_WIRE_TYPES.get(name.strip().casefold())

    def label(self) -> Any:
        return _LABELS[self]


class Control(StrEnum):
    """The PIM's control types, in the spelling in which they are sent to it.

    That of its answers is not documented: ``named`` takes any.
    """

    TEXT_FIELD = "TextField"
    TEXT_AREA = "TextArea"
    HTML = "Html"
    DROPDOWN = "Dropdown"
    RADIO_BUTTON = "RadioButton"
    MULTI_SELECT = "MultiSelect"
    DECIMAL = "Decimal"
    DATE_PICKER = "DatePicker"
    DATE_TIME_PICKER = "DateTimePicker"
    TOGGLE = "Toggle"

    @classmethod
    def named(cls, name: str) -> Control | None:
        return _BY_NAME.get(_plain(name))

    @property
    def value_type(self) -> ValueType:
        return _HOLDS[self]

    @property
    def wire_type(self) -> str:
        """The ``type`` of a property with this control."""
        return _WIRE_TYPES.get(self.value_type, "String")


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


_BY_NAME: Final = {_plain(control): control for control in Control}

_HOLDS: Final = {
    Control.TEXT_FIELD: ValueType.TEXT,
    Control.TEXT_AREA: ValueType.TEXT,
    Control.HTML: ValueType.HTML,
    Control.DROPDOWN: ValueType.CHOICE,
    Control.RADIO_BUTTON: ValueType.CHOICE,
    Control.MULTI_SELECT: ValueType.CHOICES,
    Control.DECIMAL: ValueType.NUMBER,
    Control.DATE_PICKER: ValueType.DATE,
    Control.DATE_TIME_PICKER: ValueType.DATE_TIME,
    Control.TOGGLE: ValueType.BOOLEAN,
}

_WIRE_TYPES: Final = {
    ValueType.NUMBER: "Number",
    ValueType.DATE: "DateTime",
    ValueType.DATE_TIME: "DateTime",
    ValueType.BOOLEAN: "Boolean",
}

_OF_WIRE_TYPES: Final = {
    "string": ValueType.TEXT,
    "number": ValueType.NUMBER,
    "datetime": ValueType.DATE_TIME,
    "boolean": ValueType.BOOLEAN,
}

_LABELS: Final = {
    ValueType.TEXT: _("text"),
    ValueType.HTML: _("formatted text (HTML)"),
    ValueType.CHOICE: _("one of a list"),
    ValueType.CHOICES: _("several of a list"),
    ValueType.NUMBER: pgettext_lazy("type of a value", "number"),
    ValueType.DATE: _("date"),
    ValueType.DATE_TIME: _("date and time"),
    ValueType.BOOLEAN: _("yes or no"),
}
