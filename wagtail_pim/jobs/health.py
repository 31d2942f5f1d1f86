"""How a job is doing, for those who watch over it."""

from __future__ import annotations

from dataclasses import dataclass, field

from wagtail_pim.models import JobRun, JobSchedule

from .connection_check import Level


@dataclass(frozen=True, slots=True)
class Health:
    """One job. ``messages`` say what is wrong and what to do, the gravest first.

    ``last_run`` is the last that ended, dry runs left out; ``last_good`` the last that
    brought all or most products (succeeded, or with failed items).
    """

    job: str
    level: Level
    messages: list[str] = field(default_factory=list)
    active: JobRun | None = None
    last_run: JobRun | None = None
    last_good: JobRun | None = None
    schedule: JobSchedule | None = None


def health_of(job: str) -> Health:
    raise NotImplementedError
