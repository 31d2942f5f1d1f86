"""What all jobs share: a connection, a report, and how they end."""

from __future__ import annotations

import logging
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from wagtail_pim.client.client import PimClient
from wagtail_pim.client.downloads import Downloader
from wagtail_pim.client.entities import printable
from wagtail_pim.client.options import ConnectionOptions
from wagtail_pim.client.transport import RetryPolicy, Transport
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import ConfigurationError, PimError
from wagtail_pim.models import PIMOptions

from .report import PICTURE, Item, RunReport

logger = logging.getLogger(__name__)

# A person waits for the answer.
IMPATIENT = RetryPolicy(connect_timeout=5, read_timeout=15, max_attempts=1)


class Progress(Protocol):
    """Called after each step with the number of records done and of all."""

    def __call__(self, done: int, total: int) -> None: ...


class TooManyFailuresError(PimError):
    """So many records failed in a row that the fault is not theirs."""

    code = "too_many_failures"


@dataclass(frozen=True, slots=True)
class PimConnection:
    """The PIM that the options in force name."""

    options: ConnectionOptions
    client: PimClient
    downloader: Downloader


def connect(
    options: ConnectionOptions | None = None, *, policy: RetryPolicy | None = None
) -> PimConnection:
    """Raises ConfigurationError where the options can't be used; sends nothing."""
    options = options or PIMOptions.current().connection()
    config = get_config()
    policy = policy or RetryPolicy(
        connect_timeout=config.connect_timeout,
        read_timeout=config.read_timeout,
        max_attempts=config.max_attempts,
        max_wait=config.max_retry_wait,
    )
    try:
        assumed_calls = import_string(config.assumed_calls)
    except ImportError as error:
        raise ConfigurationError(
            _("WAGTAIL_PIM['ASSUMED_CALLS'] names %(path)s, which can't be imported.")
            % {"path": config.assumed_calls}
        ) from error
    return PimConnection(
        options=options,
        client=PimClient(Transport(options, policy), assumed_calls),
        downloader=Downloader(options.odata_root, config.image_hosts, policy),
    )


def environment_warnings(pim: PimConnection) -> list[str]:
    """Raises ConfigurationError where the PIM publishes to another environment."""
    own = pim.options.environment
    active = pim.client.assumed.active_publishing_environment()
    if active is None:
        return [
            _(
                "The PIM does not tell its active publishing environment, so it was "
                "not compared with this site's (%(own)s)."
            )
            % {"own": own}
        ]
    if active.casefold() != own.casefold():
        raise ConfigurationError(
            _(
                "The PIM publishes to %(active)s, but this site is %(own)s. Change the "
                "environment in Settings > PIM options, or the active publishing "
                "environment in the PIM."
            )
            % {"active": active, "own": own}
        )
    return []


@contextmanager
def writes_refused() -> Iterator[None]:
    """Let the database refuse everything but reading, so that a dry run is one."""

    def read_only(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip("( ").upper().startswith(("SELECT", "SAVEPOINT", "RELEASE")):
            raise DatabaseError("A dry run tried to write to the database.")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(read_only):
        yield


class Job(ABC):
    """One run of a job. Subclasses implement ``execute``.

    ``numbers`` limits the run to these products and variants.
    """

    name: ClassVar[str]
    label: ClassVar[str]

    def __init__(
        self,
        pim: PimConnection,
        *,
        numbers: Iterable[str] = (),
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> None:
        self.pim = pim
        self.numbers = list(dict.fromkeys(number.strip() for number in numbers))
        self.dry_run = dry_run
        self.report = RunReport(
            run_id=uuid.uuid4(),
            job=self.name,
            dry_run=dry_run,
            started_at=timezone.now(),
        )
        self._progress = progress
        self._failures_in_a_row = 0

    @abstractmethod
    def execute(self) -> None:
        """Do the job and report it; raises PimError where the run has to end."""

    def run(self) -> RunReport:
        """The report, also of a run that failed."""
        run_id = self.report.run_id
        logger.info("Run %s: %s starts (dry run: %s)", run_id, self.name, self.dry_run)
        guard: AbstractContextManager[None] = (
            writes_refused() if self.dry_run else nullcontext()
        )
        try:
            with guard:
                self.execute()
        except PimError as error:
            logger.error("Run %s: %s", run_id, error)
            self.report.error, self.report.error_code = str(error), error.code
        except DatabaseError as error:
            logger.exception("Run %s: the database failed", run_id)
            self.report.error_code = "database"
            self.report.error = _(
                "The site's database failed (%(error)s). What was committed before "
                "stays; run again."
            ) % {"error": error}
        except Exception as error:
            logger.exception("Run %s ended with a fault of the program", run_id)
            self.report.error_code = "bug"
            self.report.error = _(
                "The program failed (%(error)s); its log tells more. What was "
                "committed before stays."
            ) % {"error": f"{type(error).__name__}: {error}"}
        self.report.finished_at = timezone.now()
        logger.info("Run %s: %s", run_id, self.report.state)
        return self.report

    def add(self, *items: Item) -> None:
        """Report items, all of them before any error.

        Raises TooManyFailuresError at the limit of the settings.
        """
        limit = get_config().max_failures_in_a_row
        last_straw: Item | None = None
        for item in items:
            self.report.add(item)
            if not item.failed:
                self._failures_in_a_row = 0
                continue
            logger.warning(
                "Run %s: %s %s failed: %s",
                self.report.run_id,
                item.kind,
                printable(item.number),
                printable(item.reason),
            )
            # A product goes on without its picture.
            if item.kind != PICTURE:
                self._failures_in_a_row += 1
            if self._failures_in_a_row == limit:
                last_straw = item
        if last_straw is not None:
            raise TooManyFailuresError(
                _(
                    "%(count)d records failed in a row, the last with: %(reason)s The "
                    "run was stopped; what was published before stays. The limit is "
                    "WAGTAIL_PIM['MAX_FAILURES_IN_A_ROW']."
                )
                % {"count": limit, "reason": last_straw.reason}
            )

    def show_progress(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total)
