"""One record of the PIM's setup data: how it stands, and what is to be done about it.

A record that stands there is changed only where the site owns it: where the PIM still
has what this site wrote last (SetupRecord).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.utils.translation import gettext_lazy

from wagtail_pim.client.entities import Record
from wagtail_pim.kinds import SetupKind
from wagtail_pim.models import CatalogPage, RelationshipType, SetupRecord

from .changes import Action

ENTITY_SETS: Final = {
    SetupKind.LANGUAGE: "languages",
    SetupKind.WEBSITE: "websites",
    SetupKind.RELATIONSHIP: "productRelationships",
    SetupKind.PROPERTY: "properties",
    SetupKind.TEMPLATE: "templates",
    SetupKind.ASSIGNMENT: "templateproperties",
}
# Values that take nothing from anybody: what stands is in them too.
_ONLY_ADDED_TO: Final = frozenset({"kinds"})
# Two sites that start at once, and a request that is sent again after its answer was
# lost, make one record: its id follows from what it is.
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "wagtail-pim/setup")


def setup_guid(kind: SetupKind, *names: object) -> UUID:
    """The id with which a record of these names is created, by whichever site."""
    return uuid5(_NAMESPACE, "/".join([kind, *map(str, names)]).casefold())


class State(StrEnum):
    """How something of the site's stands in the PIM."""

    NEW = "new"
    IN_STEP = "in_step"
    DIFFERS = "differs"
    CONFLICT = "conflict"
    ONLY_IN_PIM = "only_in_pim"

    def label(self) -> Any:
        return _STATE_LABELS[self]


_STATE_LABELS: Final = {
    State.NEW: gettext_lazy("new"),
    State.IN_STEP: gettext_lazy("in step"),
    State.DIFFERS: gettext_lazy("differs"),
    State.CONFLICT: gettext_lazy("conflict"),
    State.ONLY_IN_PIM: gettext_lazy("only in the PIM"),
}


@dataclass(frozen=True, slots=True)
class SetupChange:
    """One record of the setup data: what is to be done about it.

    ``guid`` is its id in the PIM, also of one that is still to be created; ``values``
    are sent there, in the PIM's terms. ``differences`` are [old, new] pairs that a
    write takes away, ``left`` those that are not this site's to change. ``owned`` and
    ``written`` are what this site owns of it before and after, None where it owns
    nothing. ``conflict`` says why nothing is done and what a person has to do.
    ``etag`` is that of the record as it was read. ``subject`` is the site's object that
    has to remember the Guid, None where there is no such or it does already. ``needs``
    are the Guids of the records that have to be there before.
    """

    kind: SetupKind
    guid: UUID
    name: str
    action: Action
    values: dict[str, Any] = field(default_factory=dict)
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    left: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    owned: dict[str, Any] | None = None
    written: dict[str, Any] | None = None
    conflict: str = ""
    etag: str | None = None
    subject: CatalogPage | RelationshipType | None = None
    needs: tuple[UUID, ...] = ()

    @classmethod
    def in_conflict(
        cls, kind: SetupKind, guid: UUID, name: str, why: str
    ) -> SetupChange:
        return cls(kind, guid, name, Action.UNCHANGED, conflict=why)

    @property
    def state(self) -> State:
        if self.conflict:
            return State.CONFLICT
        if self.action == Action.CREATE:
            return State.NEW
        return State.DIFFERS if self.differences or self.left else State.IN_STEP


class Comparison:
    """Holds what the site asks for against what the PIM has.

    ``used`` are the records of the PIM that something of the site is about.
    """

    def __init__(self) -> None:
        self.owned: dict[UUID, dict[str, Any]] = dict(
            SetupRecord.objects.values_list("guid", "written")
        )
        self.used: set[UUID] = set()

    def change(
        self,
        kind: SetupKind,
        name: str,
        *,
        standing: Record | None,
        wanted: dict[str, Any],
        at_creation: Mapping[str, Any] | None = None,
        own_guid: UUID | None = None,
        known_guid: UUID | None = None,
        subject: CatalogPage | RelationshipType | None = None,
        needs: tuple[UUID, ...] = (),
    ) -> SetupChange:
        """What is to be done about one record, in the PIM's terms.

        ``wanted`` are its values, ``at_creation`` those that a new one gets besides.
        ``own_guid`` is the id that every site gives it, ``known_guid`` that which this
        site remembers, also of a record that the PIM has lost.
        """
        own_guid = own_guid or setup_guid(kind, name)
        if standing is None:
            told = {k: v for k, v in wanted.items() if v is not None and v != []}
            values = {**told, **(at_creation or {})}
            return SetupChange(
                kind,
                known_guid or own_guid,
                name,
                Action.CREATE,
                values=values,
                differences={key: (None, value) for key, value in values.items()},
                written={k: v for k, v in wanted.items() if values.get(k, v) == v},
                subject=subject,
                needs=needs,
            )
        self.used.add(standing.id)
        current = standing.wire_values(wanted)
        equal = {key: value for key, value in wanted.items() if current[key] == value}
        owned = self.owned.get(standing.id)
        ours = owned
        if ours is None and standing.id == own_guid and equal == wanted:
            # It was created as this site would; the answer may have been lost.
            ours = {}
        differing = {k: (current[k], v) for k, v in wanted.items() if k not in equal}
        differences = {
            key: (old, new)
            for key, (old, new) in differing.items()
            if key in _ONLY_ADDED_TO
            or (ours is not None and key in ours and ours[key] == old)
        }
        values = {key: new for key, (_old, new) in differences.items()}
        return SetupChange(
            kind,
            standing.id,
            name,
            Action.UPDATE if values else Action.UNCHANGED,
            values=values,
            differences=differences,
            left={k: pair for k, pair in differing.items() if k not in differences},
            owned=owned,
            written=None if ours is None else {**ours, **equal, **values},
            etag=standing.etag,
            subject=None if standing.id == known_guid else subject,
            needs=needs,
        )
