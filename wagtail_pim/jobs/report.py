"""What belongs in the report of a run, wherever it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wagtail_pim.models import JobRun

from .lookback import asked_lookback, looked_back
from .registry import job_of_run

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise


@dataclass(frozen=True, slots=True)
class Report:
    """``counted`` is what a run counts besides categories, if it reads those.

    ``looked_back`` and ``asked_lookback`` say how far a refresh looked and was asked
    to look; of other runs they are empty.
    """

    counted: StrOrPromise
    with_categories: bool
    with_acknowledged: bool
    looked_back: str
    asked_lookback: str

    @classmethod
    def of(cls, run: JobRun) -> Report:
        """What a run has counted is told whatever its job, which may be no more."""
        job = job_of_run(run.job)
        return cls(
            counted=job.counted,
            with_categories=job.reads_categories or run.category_counts.total() > 0,
            with_acknowledged=job.acknowledges or run.acknowledged > 0,
            looked_back=looked_back(run),
            asked_lookback=asked_lookback(run),
        )
