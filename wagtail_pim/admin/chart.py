"""The chart of recent runs: what they brought, and how long they took.

It is drawn in percents of its width, so that text keeps its size on every window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wagtail.admin.ui.components import Component

from wagtail_pim.jobs import JOBS, job_label
from wagtail_pim.jobs.words import duration_in_words, run_title, seconds_in_words
from wagtail_pim.models import JobRun
from wagtail_pim.models.runs import ACTIVE_STATES, Outcome, State

SHOWN: Final = 20
COUNTS_HEIGHT: Final = 160
DURATIONS_HEIGHT: Final = 64
# Less could not be seen: one failed product of thousands has to.
SMALLEST_PART: Final = 3
MARK_GAP: Final = 4
# From the bottom up.
OUTCOMES: Final = (Outcome.CREATED, Outcome.UPDATED, Outcome.FAILED)
ENDED_EARLY: Final = (State.FAILED, State.STOPPED, State.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a bar; in pixels from the top."""

    outcome: str
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What one run looks like. ``x`` and ``centre`` are percents of the width."""

    run: JobRun
    x: str
    centre: str
    parts: list[Part]
    duration: Part

    @property
    def job_label(self) -> str:
        return job_label(self.run.job)

    @property
    def duration_text(self) -> str:
        return duration_in_words(self.run)

    @property
    def ended_early(self) -> bool:
        return self.run.state in ENDED_EARLY

    @property
    def mark_y(self) -> int:
        """Above the parts."""
        return (self.parts[-1].y if self.parts else COUNTS_HEIGHT) - MARK_GAP

    @property
    def title(self) -> str:
        """What the pointer is told."""
        counts = [
            f"{outcome.label}: {self.run.counts[outcome]}" for outcome in OUTCOMES
        ]
        state = str(self.run.get_state_display())
        return " · ".join([run_title(self.run), state, *counts, self.duration_text])


class RunChart(Component):
    """The last runs that ended; neither dry runs nor refreshes of one product."""

    template_name = "wagtail_pim/admin/chart.html"

    def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
        runs = list(
            JobRun.objects.filter(dry_run=False, job__in=JOBS)
            .exclude(state__in=ACTIVE_STATES)
            .only("job", "state", "counts", "created_at", "started_at", "finished_at")[
                :SHOWN
            ]
        )
        runs.reverse()
        most = _round_up(max((_changed(run) for run in runs), default=0))
        longest = max((_seconds(run) for run in runs), default=0.0)
        return {
            "first": runs[0] if runs else None,
            "last": runs[-1] if runs else None,
            "bars": list(_bars(runs, most, longest)),
            "most": most,
            "half": most // 2 if most % 2 == 0 else None,
            "longest": seconds_in_words(longest),
            "bar_width": f"{_SLOT * 0.7:.2f}%",
            "counts_height": COUNTS_HEIGHT,
            "durations_height": DURATIONS_HEIGHT,
        }


_SLOT: Final = 100 / SHOWN


def _bars(runs: Sequence[JobRun], most: int, longest: float) -> Iterator[Bar]:
    for at, run in enumerate(runs):
        tall = _scaled(_seconds(run), longest, DURATIONS_HEIGHT)
        yield Bar(
            run=run,
            x=f"{(at + 0.15) * _SLOT:.2f}%",
            centre=f"{(at + 0.5) * _SLOT:.2f}%",
            parts=list(_parts(run, most)),
            duration=Part("duration", DURATIONS_HEIGHT - tall, tall),
        )


def _parts(run: JobRun, most: int) -> Iterator[Part]:
    top = COUNTS_HEIGHT
    for outcome in OUTCOMES:
        height = _scaled(run.counts[outcome], most, COUNTS_HEIGHT)
        if height:
            top -= height
            yield Part(outcome.value, top, height)


def _changed(run: JobRun) -> int:
    return sum(run.counts[outcome] for outcome in OUTCOMES)


def _seconds(run: JobRun) -> float:
    duration = run.duration()
    return duration.total_seconds() if duration else 0.0


def _scaled(value: float, most: float, height: int) -> int:
    return max(SMALLEST_PART, round(value / most * height)) if value else 0


def _round_up(count: int) -> int:
    """The top of the axis: 1, 2 or 5, and noughts."""
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= count:
                return step * power
        power *= 10
