"""What a product page's table of specifications shows, from fields or from JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from django.db import models
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.html import strip_tags
from django.utils.text import capfirst

from wagtail_pim.markers import normalise_name

LONGEST_CHOICE: Final = 40
# What PIMs call colours, sizes and prices, besides what the shop's own types do.
OTHER_NAMES: Final = {
    "color": "colour",
    "maincolor": "colour",
    "clothingsize": "size",
    "eushoessize": "size",
    "priceeur": "price",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the table; the template shows a value by its kind."""

    label: str
    value: Any

    @property
    def kind(self) -> str:
        match self.value:
            case bool():
                return "boolean"
            case datetime():
                return "datetime"
            case date():
                return "date"
            case list() | tuple():
                return "list"
            case int() | float():
                return "number"
            case _:
                return "text"


def facts_of_fields(page: models.Model, names: Iterable[str]) -> Iterator[Fact]:
    """The named fields that have a value, labelled as in the editor."""
    for name in names:
        field = page._meta.get_field(name)
        value = getattr(page, name)
        if getattr(field, "choices", None):
            value = getattr(page, f"get_{name}_display")()
        elif field.many_to_many:
            value = [str(related) for related in value.all()]
        if value not in (None, "", []):
            yield Fact(capfirst(str(field.verbose_name)), value)


def facts_of_specifications(entries: Iterable[dict[str, Any]]) -> Iterator[Fact]:
    """The entries that ``Sync("specifications", property="*")`` collects."""
    for entry in entries:
        value = entry.get("value")
        if str(entry.get("controlType", "")).casefold() == "html":
            value = strip_tags(str(value)).strip()
        if "date" in str(entry.get("type", "")).casefold():
            value = _moment(value)
        if value not in (None, "", []):
            yield Fact(entry.get("displayName") or entry.get("name", ""), value)


def name_of(entry: dict[str, Any]) -> str:
    """The property's name as the shop's own types would spell it, in small letters."""
    name = normalise_name(entry.get("name", ""))
    return OTHER_NAMES.get(name, name)


def can_be_chosen(entry: dict[str, Any]) -> bool:
    """Whether products can be filtered by it: no prose and no point in time."""
    value = entry.get("value")
    members = value if isinstance(value, list) else [value]
    return (
        str(entry.get("controlType", "")).casefold() not in ("html", "textarea")
        and "date" not in str(entry.get("type", "")).casefold()
        and all(isinstance(member, (str, int, float)) for member in members)
        and all(len(str(member)) <= LONGEST_CHOICE for member in members)
    )


def _moment(value: Any) -> Any:
    """The date behind an ISO 8601 text; a time of midnight UTC is a date alone."""
    try:
        moment = parse_datetime(str(value))
        if moment is None:
            return parse_date(str(value)) or value
    except ValueError:
        return value
    is_a_date = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    return moment.date() if is_a_date else moment


class Specified:
    """Reads from ``specifications`` what the shop's own page types have as fields."""

    specifications: list[dict[str, Any]]
    read_from_specifications: ClassVar[list[str]] = []

    def specified(self, name: str) -> Any:
        """The value of the property of this name, if the product has it."""
        return next(
            (
                entry.get("value")
                for entry in self.specifications
                if name_of(entry) == name
            ),
            None,
        )

    @property
    def price(self) -> float | None:
        price = self.specified("price")
        return price if isinstance(price, (int, float)) else None

    def facts(self) -> list[Fact]:
        """What is not shown elsewhere on the page."""
        return list(
            facts_of_specifications(
                entry
                for entry in self.specifications
                if name_of(entry) not in self.read_from_specifications
            )
        )
