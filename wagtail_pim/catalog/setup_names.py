"""Catalogs and relationship types: the PIM's people know them by their names alone."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wagtail_pim.client.entities import Relationship, Website
from wagtail_pim.kinds import SetupKind
from wagtail_pim.models import CatalogPage, RelationshipType

from .setup_changes import Comparison, SetupChange, setup_guid


@dataclass(frozen=True, slots=True)
class Named:
    """A catalog or relationship type; ``label`` tells it from one of its name."""

    name: str
    guid: UUID | None
    subject: CatalogPage | RelationshipType
    label: str


def plan_named(
    comparison: Comparison,
    kind: SetupKind,
    records: Sequence[Website | Relationship],
    wanted: Iterable[Named],
    *,
    linked: set[UUID],
) -> Iterator[SetupChange]:
    """Of what goes by its Guid once that is known, and by its name before.

    ``linked`` are the Guids that something of the site has.
    """
    by_id = {record.id: record for record in records}
    # Of two with one name it is the known one's.
    in_order = sorted(wanted, key=lambda each: each.guid not in by_id)
    given_up = _given_up(comparison, in_order, records)
    taken: set[str] = set()
    for each in in_order:
        key = _name_key(each.name)
        namesakes = [r for r in records if _name_key(r.name) == key]
        free = [record for record in namesakes if record.id not in linked]
        standing = by_id.get(each.guid) if each.guid else None
        if standing is None and len(free) == 1:
            standing = free[0]
        used = by_id.keys() | linked
        change = comparison.change(
            kind,
            each.name,
            standing=standing,
            wanted={"name": each.name},
            own_guid=_free_guid(
                kind, each.name, used - {standing.id if standing else each.guid}
            ),
            known_guid=each.guid,
            subject=each.subject,
        )
        others = [
            record
            for record in namesakes
            if record.id not in given_up and record is not standing
        ]
        conflict = ""
        if key in taken and (standing is None or standing.name != each.name):
            conflict = _(
                "Another one here has this name too, and the PIM's people know it "
                "by its name. Give one of them another name."
            )
        elif "name" in change.values and others:
            comparison.used.update(record.id for record in others)
            conflict = _name_taken(each.name, len(others))
        elif standing is None and each.guid is None:
            own = by_id.get(setup_guid(kind, each.name))
            if own and own.id not in linked and not _has_named(comparison, own):
                comparison.used.add(own.id)
                conflict = _(
                    "It is called “%(name)s” in the PIM now. Give it back its name "
                    "there, or give it its new name here."
                ) % {"name": own.name}
        taken.add(key)
        if conflict:
            change = SetupChange.in_conflict(kind, change.guid, each.label, conflict)
        yield change


def _given_up(
    comparison: Comparison,
    wanted: Iterable[Named],
    records: Sequence[Website | Relationship],
) -> set[UUID]:
    """The records whose name becomes free, as this site gives them another."""
    by_id = {record.id: record for record in records}
    moving = {
        record.id: _name_key(each.name)
        for each in wanted
        if each.guid
        and (record := by_id.get(each.guid))
        and _name_key(each.name) != _name_key(record.name)
        and _has_named(comparison, record)
    }
    while kept := {_name_key(r.name) for r in records if r.id not in moving}:
        free = {guid: key for guid, key in moving.items() if key not in kept}
        if free == moving:
            break
        moving = free
    return set(moving)


def _has_named(comparison: Comparison, record: Website | Relationship) -> bool:
    """Whether it has the name that this site gave it last."""
    return bool(comparison.owned.get(record.id, {}).get("name") == record.name)


def _free_guid(kind: SetupKind, name: str, taken: Container[UUID]) -> UUID:
    """Another than that of a record that had this name before."""
    guid = setup_guid(kind, name)
    while guid in taken:
        guid = setup_guid(kind, guid, name)
    return guid


def _name_key(name: str) -> str:
    return name.strip().casefold()


def _name_taken(name: str, count: int) -> str:
    return ngettext(
        "The PIM has another one that is called “%(name)s”. Rename one of them, here "
        "or there.",
        "The PIM has %(count)d that are called “%(name)s”. Rename or delete there all "
        "but the one that is meant.",
        count,
    ) % {"name": name, "count": count}
