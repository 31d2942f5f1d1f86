"""Reading whole listings of OData v4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.utils.translation import gettext as _

from wagtail_pim.exceptions import PayloadError

from .entities import Record
from .transport import Transport

AnyRecord = TypeVar("AnyRecord", bound=Record)


def whole_set(
    transport: Transport,
    model: type[AnyRecord],
    target: str,
    query: Mapping[str, str] | None = None,
) -> list[AnyRecord]:
    """A set without which nothing can be mapped: one bad record is an error."""
    records = (
        model.parse(raw)
        for page in pages(transport, target, query or {})
        for raw in page
    )
    # Paging over data that changes can show a record twice.
    return list({record.id: record for record in records}.values())


def counted(
    transport: Transport, target: str, query: Mapping[str, str]
) -> tuple[list[Any], int]:
    """The first records of a listing, and how many there are of all."""
    answer = transport.get(target, {**query, "$count": "true"})
    return _records(target, answer), _count(target, answer)


def pages(
    transport: Transport, target: str, query: Mapping[str, str]
) -> Iterator[list[Any]]:
    """The pages of a listing, to its end.

    A listing that broke off is an error, never the end: the PIM's own count, asked
    with the first page, has to be reached. ``query`` must not hold ``$top``, with
    which the PIM never says that there is more.
    """
    seen = 0
    followed: set[str] = set()
    answer = transport.get(target, {**query, "$count": "true"})
    records = _records(target, answer)
    expected = _count(target, answer)
    while True:
        seen += len(records)
        yield records
        next_link = answer.get("@odata.nextLink")
        if not next_link:
            break
        # Each page of a listing that goes on holds at least one record.
        endless = len(followed) > expected
        if not isinstance(next_link, str) or next_link in followed or endless:
            raise PayloadError(
                _("The PIM's listing %(target)s does not end: it repeats a page.")
                % {"target": target}
            )
        followed.add(next_link)
        answer = transport.get(next_link)
        records = _records(target, answer)
    if seen < expected:
        raise PayloadError(
            _(
                "The PIM's listing %(target)s broke off: %(seen)d of %(expected)d "
                "records came. Run again."
            )
            % {"target": target, "seen": seen, "expected": expected}
        )


def _records(target: str, answer: Any) -> list[Any]:
    records = answer.get("value") if isinstance(answer, Mapping) else None
    if not isinstance(records, list):
        raise PayloadError(
            _("The PIM's answer to %(target)s is not a listing.") % {"target": target}
        )
    return records


def _count(target: str, answer: Mapping[str, Any]) -> int:
    """How many records there are; without that, a gap would not be noticed."""
    count = str(answer.get("@odata.count"))
    # Some services write 64-bit counts as strings (IEEE754Compatible).
    if not count.isdecimal():
        raise PayloadError(
            _("The PIM does not say how many records %(target)s has.")
            % {"target": target}
        )
    return int(count)


def any_of(field: str, literals: Iterable[UUID | str]) -> str:
    """A filter for records whose ``field`` is one of these Guids or literals."""
    return f"{field} in ({','.join(map(str, literals))})"


def instant(moment: datetime) -> str:
    """A literal for a point in time, in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"
