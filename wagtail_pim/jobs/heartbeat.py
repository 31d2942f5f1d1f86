"""The sign of life of a run that is being carried out."""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Self

from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from wagtail_pim.conf import get_config
from wagtail_pim.models import JobRun
from wagtail_pim.models.runs import State

logger = logging.getLogger(__name__)

BEATS_PER_TIMEOUT = 4


class Heartbeat:
    """Renews the run's lease from a thread, however long the work between takes.

    Times are the database's, so that the clocks of several hosts do not matter.
    """

    def __init__(self, run: JobRun) -> None:
        self._run = run
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, name=f"heartbeat of run {run.pk}", daemon=True
        )

    def __enter__(self) -> Self:
        # Another connection would not see the run before this transaction ends.
        if not connection.in_atomic_block:
            self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _beat(self) -> None:
        pause = get_config().heartbeat_timeout / BEATS_PER_TIMEOUT
        mine = JobRun.objects.filter(pk=self._run.pk, state=State.RUNNING)
        try:
            while not self._ended.wait(pause):
                try:
                    mine.update(heartbeat_at=Now())
                except (DatabaseError, InterfaceError) as error:
                    # The next beat may get through.
                    logger.warning("Run %s: no heartbeat: %s", self._run.pk, error)
                    connection.close()
        finally:
            connection.close()
