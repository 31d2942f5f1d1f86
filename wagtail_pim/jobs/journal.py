"""What a run tells of itself while it goes on, and what it learns from others."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from wagtail_pim.client.entities import printable
from wagtail_pim.exceptions import RunLostError, RunStoppedError
from wagtail_pim.kinds import CATEGORY_KINDS
from wagtail_pim.models import JobRun, JobRunItem
from wagtail_pim.models.runs import Outcome, State

logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 1.0
READING: Final = ("SELECT", "SAVEPOINT", "RELEASE")


class Progress(Protocol):
    """Called after each step with the number of records done and of all."""

    def __call__(self, done: int, total: int) -> None: ...


class Journal:
    """Keeps a run's row and items up to date; ``run`` is a row that is running.

    Each method that stores something raises RunLostError where the run is no longer
    this worker's; ``settle`` and ``checkpoint`` raise RunStoppedError where somebody
    asked it to stop.
    """

    def __init__(self, run: JobRun, show_progress: Progress | None = None) -> None:
        self.run = run
        self.any_failed = False
        self._show_progress = show_progress
        self._guarded = False
        self._checked_at = time.monotonic()

    # Items

    def insert(self, items: Sequence[JobRunItem]) -> None:
        """Store items in the transaction that commits what they tell of.

        ``record`` has to follow once it is committed.
        """
        self.hold()
        self._create(items)

    def hold(self) -> None:
        """Let nobody take the run over before this transaction ends."""
        self._update()

    def record(self, items: Sequence[JobRunItem]) -> None:
        """Count items, store those that are new and complete those that are not."""
        self._store(
            [item for item in items if item.pk is None and _is_news(item)],
            [item for item in items if item.pk is not None],
        )
        for item in items:
            counts = (
                self.run.category_counts
                if item.kind in CATEGORY_KINDS
                else self.run.counts
            )
            counts[Outcome(item.outcome).value] += 1
            self.run.acknowledged += bool(item.acknowledged)
            self.any_failed |= item.failed

    def _store(self, new: list[JobRunItem], known: list[JobRunItem]) -> None:
        acknowledged = [i.pk for i in known if i.acknowledged and not _tells_more(i)]
        told = [i for i in known if _tells_more(i) or i.acknowledged is False]
        if not new and not acknowledged and not told:
            return
        with self._writing(), transaction.atomic():
            self.hold()
            self._create(new)
            if acknowledged:
                self.run.items.filter(pk__in=acknowledged).update(acknowledged=True)
            if told:
                for item in told:
                    _complete(item)
                JobRunItem.objects.bulk_update(
                    told, ["acknowledged", "reason", "note", "unsettled"]
                )

    def _create(self, items: Sequence[JobRunItem]) -> None:
        for item in items:
            item.run = self.run
            _complete(item)
        JobRunItem.objects.bulk_create(items)

    def warn(self, text: str) -> None:
        self.run.warnings.append(printable(text))

    def note(self, **values: Any) -> None:
        """Keep facts of the run itself, by the names of its fields."""
        for name, value in values.items():
            setattr(self.run, name, value)
        self._save(**values)

    # Progress

    def begin(self, total: int) -> None:
        """The work is listed: ``total`` records are to be done."""
        self.run.total = total
        self._save(total=total, work_started_at=Now(), warnings=self.run.warnings)
        self._show()

    def settle(self, records: int) -> None:
        """``records`` more are done with, whatever came of them."""
        self.run.done += records
        self._save(
            done=self.run.done,
            counts=self.run.counts,
            category_counts=self.run.category_counts,
            acknowledged=self.run.acknowledged,
        )
        self._show()
        self._checked_at = time.monotonic()
        self._look()

    def checkpoint(self) -> None:
        """To be called between steps; asks the database once a second at most."""
        now = time.monotonic()
        if now - self._checked_at >= CHECK_SECONDS:
            self._checked_at = now
            self._look()

    def _look(self) -> None:
        mine = JobRun.objects.filter(pk=self.run.pk, state=State.RUNNING)
        requests = list(mine.values_list("stop_requested_at", flat=True))
        if not requests:
            raise _lost()
        if requests != [None]:
            raise RunStoppedError(_("Stopped. What was saved before stays."))

    def _show(self) -> None:
        if self._show_progress is not None and self.run.total is not None:
            self._show_progress(self.run.done, self.run.total)

    def _save(self, **values: Any) -> None:
        with self._writing():
            self._update(**values)

    def _update(self, **values: Any) -> None:
        mine = JobRun.objects.filter(pk=self.run.pk, state=State.RUNNING)
        if not mine.update(heartbeat_at=Now(), **values):
            raise _lost()

    # The dry run

    @contextmanager
    def writes_refused(self) -> Iterator[None]:
        """Let the database refuse all but reading, except for the journal itself."""

        def read_only(
            execute: Any, sql: str, params: Any, many: bool, context: Any
        ) -> Any:
            if self._guarded and not sql.lstrip("( ").upper().startswith(READING):
                raise DatabaseError("A dry run tried to write to the database.")
            return execute(sql, params, many, context)

        self._guarded = True
        try:
            with connection.execute_wrapper(read_only):
                yield
        finally:
            self._guarded = False

    @contextmanager
    def _writing(self) -> Iterator[None]:
        guarded, self._guarded = self._guarded, False
        try:
            yield
        finally:
            self._guarded = guarded


def _is_news(item: JobRunItem) -> bool:
    return item.outcome != Outcome.UNCHANGED or _tells_more(item)


def _tells_more(item: JobRunItem) -> bool:
    return bool(item.reason or item.note or item.unsettled)


def _lost() -> RunLostError:
    return RunLostError(
        _(
            "The run was taken for dead, as it gave no sign of life for too long, and "
            "ends here. What it saved stays."
        )
    )


def _complete(item: JobRunItem) -> None:
    """Fill in what follows from the rest, and what every database takes."""
    item.unsettled |= bool(item.reason) or item.acknowledged is False
    for name in ("number", "title", "reason", "note"):
        setattr(item, name, printable(getattr(item, name)))
    item.differences = _printable_json(item.differences)


def _printable_json(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(k)): _printable_json(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable_json(each) for each in value]
    return value
