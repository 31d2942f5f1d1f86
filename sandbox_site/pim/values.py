"""Values of custom properties: what a person types, and what goes over the wire."""

import json
import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

SEPARATOR = "~"
"""What stands between the values of a multi-select."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_MAX_DIGITS = 15
_MAX_LINE_LENGTH = 255


class InvalidValueError(ValueError):
    """A text that is not a value; the message says what one would be."""


class Control(StrEnum):
    """How a value is entered. Spelt as in the vendor's guide, in one plain form."""

    TEXT = "textfield"
    TEXT_AREA = "textarea"
    HTML = "html"
    DROPDOWN = "dropdown"
    RADIO = "radiobutton"
    MULTI_SELECT = "multiselect"
    NUMBER = "decimal"
    DATE = "datepicker"
    DATE_TIME = "datetimepicker"
    TOGGLE = "toggle"

    @classmethod
    def of(cls, property: dict[str, Any]) -> "Control":
        """That of a property; its type decides where its control type is unknown."""
        for name in ("controlType", "type"):
            plain = re.sub(r"\W", "", str(property.get(name) or "")).casefold()
            if found := _BY_NAME.get(plain):
                return found
        return cls.TEXT

    @property
    def is_choice(self) -> bool:
        return self in (Control.DROPDOWN, Control.RADIO)


_BY_NAME = {
    **{str(control): control for control in Control},
    "number": Control.NUMBER,
    "boolean": Control.TOGGLE,
    "datetime": Control.DATE_TIME,
}


def texts_of(value: Any, control: Control) -> list[str]:
    """A value as a form shows it: the texts that ``parse`` would read it from."""
    if value is None or value == "":
        return []
    if not isinstance(value, str):
        return [json.dumps(value, ensure_ascii=False)]
    if control is Control.MULTI_SELECT:
        return value.split(SEPARATOR)
    if control in (Control.DATE, Control.DATE_TIME):
        return _texts_of_moment(value, control)
    return [value.replace("\r\n", "\n")]


def _texts_of_moment(value: str, control: Control) -> list[str]:
    try:
        moment = datetime.fromisoformat(value)
        if control is Control.DATE:
            return [moment.date().isoformat()]
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return []
    precision = "seconds" if moment.second else "minutes"
    return [moment.replace(tzinfo=None).isoformat(timespec=precision)]


def parse(
    texts: Sequence[str],
    control: Control,
    property: dict[str, Any],
    values: Sequence[str],
) -> Any:
    """The value in the shape of the wire; None where nothing was entered.

    ``values`` are those that may be chosen; none of them: any may.
    """
    if control is Control.MULTI_SELECT:
        return _multi_select(texts, values)
    text = clean(texts[-1] if texts else "")
    if not text:
        return None
    if control is Control.NUMBER:
        return _number(text, property)
    if control is Control.TOGGLE:
        if text not in ("true", "false"):
            raise InvalidValueError("Choose true or false.")
        return text == "true"
    if control is Control.DATE:
        return _date(text)
    if control is Control.DATE_TIME:
        return _moment(text)
    if control.is_choice:
        return _one_of(text, values)
    return _bounded(_one_line(text) if control is Control.TEXT else text, property)


def clean(text: str) -> str:
    """The text without blanks around it, its lines as the PIM ends them."""
    text = text.replace("\r\n", "\n").strip()
    if re.search("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", text):
        raise InvalidValueError("There is a character in it that cannot be printed.")
    return text


def required_line(text: str) -> str:
    """A line that is not empty and not too long."""
    if not (text := line(text)):
        raise InvalidValueError("This must not be empty.")
    return text


def line(text: str) -> str:
    text = _one_line(clean(text))
    if len(text) > _MAX_LINE_LENGTH:
        raise InvalidValueError(
            f"It has {len(text)} characters; {_MAX_LINE_LENGTH} fit."
        )
    return text


def url_segment(text: str) -> str | None:
    text = line(text)
    if not re.fullmatch(r"[\w-]*", text):
        raise InvalidValueError("Use letters, digits and hyphens only.")
    return text or None


def _one_line(text: str) -> str:
    if "\n" in text:
        raise InvalidValueError("Write one line only.")
    return text


def _multi_select(texts: Sequence[str], values: Sequence[str]) -> str | None:
    chosen = (
        _one_of(part, values)
        for text in texts
        for part in map(clean, text.split(SEPARATOR))
        if part
    )
    return SEPARATOR.join(dict.fromkeys(chosen)) or None


def _one_of(text: str, values: Sequence[str]) -> str:
    if values and text not in values:
        raise InvalidValueError(f"“{text}” is none of its values: {', '.join(values)}.")
    return _one_line(text)


def _bounded(text: str, property: dict[str, Any]) -> str:
    """The text, if it is as long as the property wants it; 0 stands for any length."""
    longest = property.get("stringMaxLength") or math.inf
    shortest = property.get("stringMinLength") or 0
    if len(text) > longest:
        raise InvalidValueError(f"It has {len(text)} characters; {longest} fit.")
    if len(text) < shortest:
        raise InvalidValueError(
            f"It has {len(text)} characters; it needs {shortest} at least."
        )
    return text


def _number(text: str, property: dict[str, Any]) -> int | float:
    if not _NUMBER.fullmatch(text):
        raise InvalidValueError("Write a number, such as 1250 or -3.75.")
    whole, _, fraction = text.lstrip("+-").partition(".")
    if len(whole + fraction) > _MAX_DIGITS:
        raise InvalidValueError(f"It has more than {_MAX_DIGITS} digits.")
    decimals = property.get("numberOfDecimals")
    if decimals is not None and len(fraction.rstrip("0")) > decimals:
        raise InvalidValueError(
            f"It has {len(fraction)} decimals; {decimals} fit."
            if decimals
            else "Write a whole number."
        )
    number = float(text) if fraction.strip("0") else int(text.partition(".")[0])
    lowest = property.get("numberMinValue") or 0
    highest = property.get("numberMaxValue") or 0
    # Both 0: the property has no limits.
    if lowest < highest and not lowest <= number <= highest:
        raise InvalidValueError(f"It must be from {lowest} to {highest}.")
    return number


def _date(text: str) -> str:
    try:
        return f"{date.fromisoformat(text).isoformat()}T00:00:00Z"
    except ValueError:
        message = "Write a date as year-month-day, such as 2026-03-31."
        raise InvalidValueError(message) from None


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
        # What has no zone is in UTC, as the form says.
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        message = "Write a date and a time in UTC, such as 2026-03-31T14:30."
        raise InvalidValueError(message) from None
    return f"{moment.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
