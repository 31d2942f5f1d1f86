"""When jobs start by themselves."""

from __future__ import annotations

from datetime import datetime

from wagtail_pim.models import JobSchedule


def schedule_of(job: str) -> JobSchedule:
    """The job's schedule; a new one, not saved, where it has none."""
    return JobSchedule.objects.filter(job=job).first() or JobSchedule(job=job)


def next_times(
    cron: str, count: int = 3, *, after: datetime | None = None
) -> list[datetime]:
    """The next times of a cron expression, in the site's time zone."""
    raise NotImplementedError


def in_words(cron: str) -> str:
    """What the expression means, in the language of the person who asks."""
    raise NotImplementedError
