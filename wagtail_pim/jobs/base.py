"""What all jobs share: a connection to the PIM, and how they report."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_pim.client.client import PimClient
from wagtail_pim.client.downloads import Downloader
from wagtail_pim.client.entities import one_line
from wagtail_pim.client.options import ConnectionOptions
from wagtail_pim.client.transport import RetryPolicy, Transport
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import ConfigurationError, PimError
from wagtail_pim.kinds import ASSET_KINDS
from wagtail_pim.models import JobRun, JobRunItem, PIMOptions

from .journal import Journal
from .removals import CONFIRM_REMOVALS, is_confirmation_stale

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

logger = logging.getLogger(__name__)

# A person waits for the answer.
IMPATIENT = RetryPolicy(connect_timeout=5, read_timeout=15, max_attempts=1)


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
        downloader=Downloader(options.odata_root, config.asset_hosts, policy),
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


class Job(ABC):
    """What a run does. Subclasses implement ``execute``.

    A run with ``numbers`` is limited to these products and variants, if the job
    ``takes_numbers``.
    ``waiting_status`` is the status in the PIM with which products wait for the job; of
    a job that nothing waits for, it is empty. ``counted`` is what its runs count,
    besides categories if it ``reads_categories``; ``acknowledges`` says that it tells
    the PIM of each, ``looks_back`` that a person may say how far, ``confirms_removals``
    that it asks a person before it removes much.
    """

    name: ClassVar[str]
    label: ClassVar[StrOrPromise]
    description: ClassVar[StrOrPromise]
    icon: ClassVar[str] = "download"
    waiting_status: ClassVar[str] = ""
    counted: ClassVar[StrOrPromise] = gettext_lazy("Products and variants")
    reads_categories: ClassVar[bool] = False
    acknowledges: ClassVar[bool] = False
    takes_numbers: ClassVar[bool] = True
    looks_back: ClassVar[bool] = False
    confirms_removals: ClassVar[bool] = False

    def __init__(self, pim: PimConnection, journal: Journal) -> None:
        self.pim = pim
        self.journal = journal
        self.run = journal.run
        self.known_failures: Collection[UUID | None] = ()
        self._failures_in_a_row = 0

    @classmethod
    def checked_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a run in the form in which they are stored.

        Raises ConfigurationError for those that the job does not know.
        """
        known = {CONFIRM_REMOVALS} if cls.confirms_removals else set()
        if unknown := options.keys() - known:
            raise ConfigurationError(
                _("%(job)s takes no options such as %(names)s.")
                % {"job": cls.label, "names": ", ".join(sorted(unknown))}
            )
        return {name: True for name, value in options.items() if value}

    @classmethod
    def question(cls) -> str:
        """What a person is asked before the job starts; empty for no question."""
        return ""

    @classmethod
    def is_made_up_for(cls, run: JobRun) -> bool:
        """Whether a later run did what this one, interrupted, has left.

        Or whether it must not be gone on with as it was started.
        """
        return is_confirmation_stale(run)

    @classmethod
    def runs_to_keep(cls) -> list[UUID]:
        """Old runs that the next one has to know of."""
        return []

    @abstractmethod
    def execute(self) -> None:
        """Do the job and report it; raises PimError where the run has to end."""

    def add(self, *items: JobRunItem) -> None:
        """Report items; raises TooManyFailuresError at the limit of the settings."""
        self.journal.record(items)
        self.watch(items)

    def watch(self, items: Iterable[JobRunItem]) -> None:
        """Count failures in a row, of items that are reported.

        The ``known_failures`` of an earlier run say nothing of this one.
        Raises TooManyFailuresError at the limit of the settings.
        """
        limit = get_config().max_failures_in_a_row
        last_straw: JobRunItem | None = None
        for item in items:
            if not item.failed:
                self._failures_in_a_row = 0
                continue
            logger.warning(
                "Run %s: %s %s failed: %s",
                self.run.pk,
                item.kind,
                one_line(item.number),
                one_line(item.reason),
            )
            # A product goes on without its pictures.
            if item.kind not in ASSET_KINDS and item.guid not in self.known_failures:
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
