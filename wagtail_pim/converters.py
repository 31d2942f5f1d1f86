"""How a value of the PIM becomes a value of a Django field, by field class.

A site adds its own field classes::

    @register_converter(MoneyField)
    def to_money(value, target):
        return Money(parse_decimal(value), "EUR")

A converter gets the PIM's value, never an empty one, and the ``Target``. It returns
the field's value or raises ``ConversionError`` with a sentence that a shop manager
understands. Converters do not touch the database: objects of foreign keys,
many-to-many fields and tags are named, and found or created by name when written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, InvalidOperation
from math import isfinite
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime, parse_time
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from taggit.managers import TaggableManager
from wagtail.fields import RichTextField

from .client.entities import Property, printable
from .sanitizing import clean_html, html_to_plain, plain_to_html

MULTI_VALUE_SEPARATOR: Final = "~"

# Wide enough for every number that parse_decimal lets through.
_QUANTIZING: Final = Context(prec=1000)

_TRUE: Final = frozenset({"true", "yes", "y", "1", "on"})
_FALSE: Final = frozenset({"false", "no", "n", "0", "off"})


class ConversionError(ValueError):
    """The value does not fit the field; says why, for a person."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a value goes: the field, and the PIM's definition of its property."""

    field: Any
    property: Property | None = None

    def holds_html(self) -> bool:
        return self.property is not None and self.property.holds_html()

    def holds_several_values(self) -> bool:
        return self.property is not None and self.property.holds_several_values()


Converter = Callable[[Any, Target], Any]

_registry: dict[type, Converter] = {}


def register_converter(*field_classes: type) -> Callable[[Converter], Converter]:
    """Use the function for these field classes and their subclasses."""

    def register(converter: Converter) -> Converter:
        for field_class in field_classes:
            _registry[field_class] = converter
        return converter

    return register


def converter_for(field: Any) -> Converter | None:
    """The converter of the field's class or of its nearest base class."""
    for field_class in type(field).__mro__:
        if field_class in _registry:
            return _registry[field_class]
    return None


def convert(value: Any, target: Target) -> Any:
    """The field's value for the PIM's; the field's empty value for an empty one."""
    field = target.field
    if is_empty(value, target):
        return empty_value(field)
    converter = converter_for(field)
    if converter is None:
        raise ConversionError(
            _("no converter is registered for fields of class %(field)s")
            % {"field": type(field).__name__}
        )
    converted = converter(value, target)
    _check_against_field(field, converted)
    return converted


def is_empty(value: Any, target: Target) -> bool:
    """Whether the PIM has no value: nothing, blanks, or a multi-select of nothing."""
    if value is None or value == [] or (isinstance(value, str) and not value.strip()):
        return True
    return target.holds_several_values() and not split_values(value)


def empty_value(field: Any) -> Any:
    """What stands in the field where the PIM has no value."""
    if isinstance(field, (TaggableManager, models.ManyToManyField)):
        return ()
    if field.null:
        return None
    if field.has_default():
        return field.get_default()
    if field.empty_strings_allowed and not field.is_relation:
        return ""
    raise ConversionError(_("a value is needed here, and the PIM has none"))


def _check_against_field(field: Any, value: Any) -> None:
    """The field's own length limits and validators."""
    if isinstance(field, (TaggableManager, models.ManyToManyField, models.ForeignKey)):
        return
    try:
        field.run_validators(value)
    except ValidationError as error:
        raise ConversionError(" ".join(error.messages)) from error


def quoted(value: Any) -> str:
    """A value as a message shows it: short, in quotation marks."""
    return _("“%(value)s”") % {"value": Truncator(printable(str(value))).chars(60)}


def clean_text(value: Any) -> str:
    """Text that every database takes."""
    if value is None or isinstance(value, (dict, list)):
        raise ConversionError(_("a text is needed, not a list or an object"))
    text = str(value).strip() if not isinstance(value, bool) else str(value).lower()
    if "\x00" in text:
        raise ConversionError(_("the text holds a NUL character"))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConversionError(_("the text holds half a character")) from error
    return text


def split_values(value: Any) -> tuple[str, ...]:
    """The single values of a multi-select, each once, in the PIM's order."""
    parts = (
        value
        if isinstance(value, list)
        else clean_text(value).split(MULTI_VALUE_SEPARATOR)
    )
    return tuple(dict.fromkeys(text for part in parts if (text := clean_text(part))))


def _to_plain_text(value: Any, target: Target) -> str:
    if target.holds_several_values():
        return ", ".join(split_values(value))
    return clean_text(value)


@register_converter(models.CharField)
def to_line(value: Any, target: Target) -> str:
    text = _to_plain_text(value, target)
    if target.holds_html():
        text = html_to_plain(text)
    if target.field.choices:
        return str(_choice(text, target.field))
    limit = target.field.max_length
    if limit is not None and len(text) > limit:
        raise ConversionError(
            _("the text has %(length)d characters; %(limit)d fit")
            % {"length": len(text), "limit": limit}
        )
    return text


def _choice(text: str, field: Any) -> Any:
    """The choice whose value or label is ``text``, without regard to case."""
    folded = text.casefold()
    choices = list(field.flatchoices)
    # A value goes before another choice's label of the same text.
    for position in (0, 1):
        for choice in choices:
            if folded == str(choice[position]).casefold():
                return choice[0]
    raise ConversionError(
        _("%(value)s is none of the choices here: %(choices)s")
        % {
            "value": quoted(text),
            "choices": ", ".join(str(value) for value, _label in choices),
        }
    )


@register_converter(models.TextField)
def to_text(value: Any, target: Target) -> str:
    text = _to_plain_text(value, target)
    return clean_html(text) if target.holds_html() else text


@register_converter(RichTextField)
def to_rich_text(value: Any, target: Target) -> str:
    text = _to_plain_text(value, target)
    return clean_html(text) if target.holds_html() else plain_to_html(text)


@register_converter(models.EmailField)
def to_email(value: Any, target: Target) -> str:
    text = to_line(value, target)
    try:
        validate_email(text)
    except ValidationError as error:
        raise ConversionError(
            _("%(value)s is not an e-mail address") % {"value": quoted(text)}
        ) from error
    return text


@register_converter(models.URLField)
def to_url(value: Any, target: Target) -> str:
    text = to_line(value, target)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.netloc)
    except ValueError:
        usable = False
    if not usable:
        raise ConversionError(
            _("%(value)s is not a web address") % {"value": quoted(text)}
        )
    return text


@register_converter(models.IntegerField)
def to_integer(value: Any, target: Target) -> int:
    number = parse_decimal(value)
    if number != number.to_integral_value():
        raise ConversionError(
            _("%(value)s is not a whole number") % {"value": quoted(value)}
        )
    whole = int(number)
    if target.field.choices:
        return int(_choice(str(whole), target.field))
    return whole


@register_converter(models.DecimalField)
def to_decimal(value: Any, target: Target) -> Decimal:
    number = parse_decimal(value)
    places = target.field.decimal_places
    # Trailing zeros are no digits lost; any other digit would be.
    exact = number.quantize(Decimal(1).scaleb(-places), context=_QUANTIZING)
    if exact != number:
        raise ConversionError(
            _("%(value)s has more than %(places)d decimals")
            % {"value": quoted(value), "places": places}
        )
    return exact


@register_converter(models.FloatField)
def to_float(value: Any, target: Target) -> float:
    return float(parse_decimal(value))


def parse_decimal(value: Any) -> Decimal:
    """A finite number that a float can hold; a boolean is none.

    Without that limit the ten characters ``1E+999999999`` become an integer that
    takes hours and gigabytes to write out.
    """
    try:
        if isinstance(value, (bool, dict, list)):
            raise InvalidOperation
        number = Decimal(str(value).strip())
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation as error:
        raise ConversionError(
            _("%(value)s is not a number") % {"value": quoted(value)}
        ) from error
    if not isfinite(float(number)):
        raise ConversionError(_("%(value)s is too large") % {"value": quoted(value)})
    return number


@register_converter(models.BooleanField)
def to_boolean(value: Any, target: Target) -> bool:
    text = str(value).strip().casefold()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ConversionError(
        _("%(value)s is neither yes nor no") % {"value": quoted(value)}
    )


@register_converter(models.DateField)
def to_date(value: Any, target: Target) -> date:
    """The date as it is written: no time zone moves it to the next day."""
    text = str(value).strip()
    try:
        parsed = parse_date(text) or parse_date(text[:10])
        if parsed and len(text) > 10 and parse_datetime(text) is None:
            parsed = None
    except ValueError:
        parsed = None
    if parsed is None:
        raise ConversionError(_("%(value)s is not a date") % {"value": quoted(value)})
    return parsed


@register_converter(models.DateTimeField)
def to_datetime(value: Any, target: Target) -> datetime:
    """An aware time; one without a zone is in UTC, as all of the PIM's are."""
    text = str(value).strip()
    try:
        parsed = parse_datetime(text)
        if parsed is None and (day := parse_date(text)):
            parsed = datetime.combine(day, time())
        if parsed is not None:
            parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
            # A time that has none in UTC can't be stored.
            parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        parsed = None
    if parsed is None:
        raise ConversionError(
            _("%(value)s is not a date and time") % {"value": quoted(value)}
        )
    return parsed


@register_converter(models.TimeField)
def to_time(value: Any, target: Target) -> time:
    try:
        parsed = parse_time(str(value).strip())
    except ValueError:
        parsed = None
    if parsed is None:
        raise ConversionError(_("%(value)s is not a time") % {"value": quoted(value)})
    return parsed


@register_converter(models.JSONField)
def to_json(value: Any, target: Target) -> Any:
    return plain_json(value, target)


def plain_json(value: Any, target: Target) -> Any:
    """The value as JSON has it: exact decimals become numbers, HTML is cleaned."""
    if target.holds_several_values():
        return list(split_values(value))
    if isinstance(value, (Decimal, float)):
        number = parse_decimal(value)
        return int(number) if number == number.to_integral_value() else float(number)
    if isinstance(value, str):
        text = clean_text(value)
        return clean_html(text) if target.holds_html() else text
    if isinstance(value, list):
        return [plain_json(item, Target(target.field)) for item in value]
    if isinstance(value, Mapping):
        return {
            clean_text(key): plain_json(item, Target(target.field))
            for key, item in value.items()
        }
    return value


@register_converter(models.ForeignKey)
def to_name(value: Any, target: Target) -> str:
    return clean_text(value)


@register_converter(models.ManyToManyField, TaggableManager)
def to_names(value: Any, target: Target) -> tuple[str, ...]:
    """Sorted, as these fields have no order of their own."""
    return tuple(sorted(split_values(value)))
