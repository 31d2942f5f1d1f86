"""What a run did, for people and machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from wagtail_pim.exceptions import PimError
from wagtail_pim.kinds import CATEGORY_KINDS


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    FAILED = "failed"


class State(StrEnum):
    """How a run ended; the values are what ``--json`` prints."""

    SUCCEEDED = "succeeded"
    FAILED_ITEMS = "failed_items"
    FAILED = "failed"


@dataclass(slots=True)
class Item:
    """One record of the PIM in a run.

    ``differences`` are printable (old, new) pairs. ``acknowledged`` is None where
    there is nothing to acknowledge, and ``note`` says what else a person may want to
    know of an item that did not fail.
    """

    kind: str
    number: str
    outcome: Outcome
    guid: UUID | None = None
    title: str = ""
    reason: str = ""
    note: str = ""
    page_id: int | None = None
    acknowledged: bool | None = None
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether a person has to see to it; it may be published all the same."""
        return bool(self.reason)

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "number": self.number,
            "guid": str(self.guid) if self.guid else None,
            "title": self.title,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "note": self.note,
            "page": self.page_id,
            "acknowledged": self.acknowledged,
            "differences": {
                name: {"old": old, "new": new}
                for name, (old, new) in self.differences.items()
            },
        }


@dataclass(slots=True)
class RunReport:
    """The result of one run.

    The counts are of products and variants; ``category_counts`` are of catalogs and
    categories. ``items`` leaves out what is unchanged.
    """

    run_id: UUID
    job: str
    dry_run: bool
    started_at: datetime
    finished_at: datetime | None = None
    counts: Counter[Outcome] = field(default_factory=Counter)
    category_counts: Counter[Outcome] = field(default_factory=Counter)
    acknowledged: int = 0
    items: list[Item] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    error_code: str = ""

    @classmethod
    def of_failed_start(cls, job: str, dry_run: bool, error: PimError) -> RunReport:
        """The report of a run that its options did not let begin."""
        now = timezone.now()
        return cls(
            uuid4(), job, dry_run, now, now, error=str(error), error_code=error.code
        )

    def add(self, item: Item) -> None:
        counts = self.category_counts if item.kind in CATEGORY_KINDS else self.counts
        counts[item.outcome] += 1
        if item.acknowledged:
            self.acknowledged += 1
        if item.outcome != Outcome.UNCHANGED or item.reason or item.note:
            self.items.append(item)

    def failed_items(self) -> Iterator[Item]:
        return (item for item in self.items if item.failed)

    @property
    def state(self) -> State:
        if self.error:
            return State.FAILED
        if any(True for _item in self.failed_items()):
            return State.FAILED_ITEMS
        return State.SUCCEEDED

    def as_json(self) -> dict[str, Any]:
        return {
            "run": str(self.run_id),
            "job": self.job,
            "dry_run": self.dry_run,
            "state": self.state.value,
            "error": {"code": self.error_code, "message": self.error}
            if self.error
            else None,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            **{outcome.value: self.counts[outcome] for outcome in Outcome},
            "acknowledged": self.acknowledged,
            "categories": {
                outcome.value: self.category_counts[outcome] for outcome in Outcome
            },
            "warnings": self.warnings,
            "items": [item.as_json() for item in self.items],
        }


PICTURE = "picture"
