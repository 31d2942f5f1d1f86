"""Synchronize setup data: what the site defines, to the PIM."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.setup_changes import ENTITY_SETS, SetupChange
from wagtail_pim.catalog.setup_planner import PimSetup, plan_setup
from wagtail_pim.exceptions import (
    DuplicateError,
    PermanentError,
    PermissionDeniedError,
    VersionConflictError,
)
from wagtail_pim.kinds import Kind, SetupKind
from wagtail_pim.models import JobRunItem, PimLink, RelationshipType, SetupRecord

from . import items
from .base import Job

_REFERENCES: Final = ("templateId", "propertyId")
# After a look at what others made meanwhile there may be more of theirs, and then the
# assignments of it.
ROUNDS: Final = 5


class SynchronizeSetupData(Job):
    """Creates in the PIM what the site defines and it lacks; deletes nothing.

    Each record is written and noted down by itself: an interrupted run is completed by
    the next, which finds in the PIM what this one has written.
    """

    name = "synchronize_setup_data"
    label = gettext_lazy("Synchronize setup data")
    description = gettext_lazy(
        "Tells the PIM what this site defines: its languages, catalogs, relationship "
        "types, and the properties and templates of its page types."
    )
    icon = "upload"
    counted = gettext_lazy("Definitions")
    takes_numbers = False

    def execute(self) -> None:
        self._actual: dict[UUID, UUID] = {}
        self._failed: set[UUID] = set()
        self._settled: set[Hashable] = set()
        self._has_written = False
        for round_number in range(1, ROUNDS + 1):
            plan = plan_setup(PimSetup.read(self.pim.client))
            conflicts = [mapping for mapping in plan.fields if mapping.conflict]
            if round_number == 1:
                self.journal.begin(len(plan.changes) + len(conflicts))
            if not self._settle_all(plan.changes, is_last=round_number == ROUNDS):
                break
        self.journal.record([items.field_conflict(mapping) for mapping in conflicts])
        self.journal.settle(len(conflicts))
        for tree in plan.trees:
            if problem := tree.problem():
                self.journal.warn(problem)

    def _settle_all(self, changes: Sequence[SetupChange], *, is_last: bool) -> bool:
        """Whether another look is needed: somebody else wrote one of the records."""
        taken: set[UUID] = set()
        # A key that may not write is refused before the site notes anything down.
        in_order = sorted(_keyed(changes), key=lambda pair: _only_notes(pair[1]))
        for key, change in in_order:
            if key in self._settled:
                continue
            self.journal.checkpoint()
            if not taken.isdisjoint(change.needs):
                continue
            try:
                item = self._carry_out(change)
            except (DuplicateError, VersionConflictError) as error:
                # Somebody was faster, or an answer was lost.
                if not is_last:
                    taken.add(change.guid)
                    continue
                item = self._failure(change, _why_refused(change, error))
            self._settled.add(key)
            self.journal.record([item])
            self.journal.settle(1)
        return bool(taken)

    def _carry_out(self, change: SetupChange) -> JobRunItem:
        """Write one record, and note it down once the PIM has it."""
        if change.conflict:
            return self._failure(change, change.conflict)
        if not (_only_notes(change) or self._failed.isdisjoint(change.needs)):
            why = _("Its template or property failed; this run says why.")
            return self._failure(change, why)
        item = items.changed_definition(change)
        if self.run.dry_run:
            return item
        try:
            guid = self._write(change)
        except PermissionDeniedError as error:
            raise self._refusal(error) from error
        except PermanentError as error:
            if _may_be_settled_by_another_look(change, error):
                raise
            return self._failure(change, str(error))
        self._actual[change.guid] = item.guid = guid
        if change.action == Action.UNCHANGED:
            self._remember(change, guid)
            return item
        self._has_written = True
        with transaction.atomic():
            self._remember(change, guid)
            self.journal.insert([item])
        return item

    def _failure(self, change: SetupChange, why: str) -> JobRunItem:
        self._failed.add(change.guid)
        return items.failed(change.kind, change.name, why, change.guid)

    def _write(self, change: SetupChange) -> UUID:
        """The record's id in the PIM, which may give one of its own."""
        assumed = self.pim.client.assumed
        entity_set = ENTITY_SETS[change.kind]
        if change.action == Action.CREATE:
            values = {**change.values, **self._references(change)}
            return assumed.create(entity_set, change.guid, values)
        if change.action == Action.UPDATE:
            assumed.update(entity_set, change.guid, change.values, etag=change.etag)
        return change.guid

    def _references(self, change: SetupChange) -> dict[str, str]:
        """The ids of an assignment's two sides, as the PIM has given them."""
        planned = {k: UUID(change.values[k]) for k in _REFERENCES if k in change.values}
        return {k: str(self._actual.get(guid, guid)) for k, guid in planned.items()}

    def _refusal(self, error: PermissionDeniedError) -> PermissionDeniedError:
        if self._has_written:
            return error
        return PermissionDeniedError(
            _(
                "%(error)s Nothing was written. Set a key with write access in "
                "Settings > PIM options."
            )
            % {"error": error}
        )

    def _remember(self, change: SetupChange, guid: UUID) -> None:
        if change.written != change.owned:
            SetupRecord.objects.update_or_create(
                guid=guid, defaults={"kind": change.kind, "written": change.written}
            )
        subject = change.subject
        if isinstance(subject, RelationshipType):
            RelationshipType.objects.filter(pk=subject.pk).update(guid=guid)
        elif subject is not None:
            PimLink.objects.update_or_create(
                page=subject,
                defaults={
                    "kind": Kind.CATALOG,
                    "guid": guid,
                    "locale": subject.locale,
                    "synced_at": timezone.now(),
                    "run_id": self.run.pk,
                },
            )


def _only_notes(change: SetupChange) -> bool:
    return change.action == Action.UNCHANGED and not change.conflict


def _keyed(changes: Iterable[SetupChange]) -> Iterator[tuple[Hashable, SetupChange]]:
    """The changes with what they are known by in all rounds; two may share a name."""
    of_one_name: Counter[tuple[SetupKind, str]] = Counter()
    for change in changes:
        named = (change.kind, change.name)
        of_one_name[named] += 1
        yield (*named, of_one_name[named]), change


def _may_be_settled_by_another_look(change: SetupChange, error: PermanentError) -> bool:
    if change.action == Action.CREATE:
        return isinstance(error, DuplicateError)
    return isinstance(error, VersionConflictError)


def _why_refused(change: SetupChange, error: PermanentError) -> str:
    """Of a record that each look at the PIM shows otherwise than a write finds it."""
    if isinstance(error, VersionConflictError):
        return str(error)
    return _(
        "%(error)s But it does not list one that is called “%(name)s”. Look in the PIM "
        "for what has taken its place, or ask its vendor."
    ) % {"error": error, "name": change.name}
