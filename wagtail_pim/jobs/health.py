"""How a job is doing, for those who watch over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wagtail_pim.kinds import ASSET_KINDS
from wagtail_pim.models import JobRun, JobRunItem, JobSchedule
from wagtail_pim.models.runs import ACTIVE_STATES, COMPLETED_STATES, State

from .connection_check import Level
from .registry import job_of_run
from .schedules import crontab_silence, lateness, why_invalid
from .words import shown, why_silent

BAD: Final = (State.FAILED, State.INTERRUPTED)
_GRAVITY: Final = (Level.ERROR, Level.WARNING, Level.OK)


@dataclass(frozen=True, slots=True)
class Health:
    """One job. ``messages`` say what is wrong and what to do, the gravest first.

    ``last_run`` is the last that ended, dry runs left out; ``last_good`` the last that
    brought all or most products (succeeded, or with failed items). ``late`` is why the
    job has not started when it was due, empty if it has.
    """

    job: str
    level: Level
    messages: list[str] = field(default_factory=list)
    active: JobRun | None = None
    last_run: JobRun | None = None
    last_good: JobRun | None = None
    schedule: JobSchedule | None = None
    late: str = ""

    def as_json(self) -> dict[str, Any]:
        schedule = self.schedule
        return {
            "job": self.job,
            "level": self.level.value,
            "messages": self.messages,
            **{
                name: run.as_json() if run else None
                for name, run in (
                    ("active", self.active),
                    ("last_run", self.last_run),
                    ("last_good", self.last_good),
                )
            },
            "schedule": {
                "enabled": schedule.enabled,
                "cron": schedule.cron,
                "due_at": schedule.due_at,
                "checked_at": schedule.checked_at,
            }
            if schedule
            else None,
        }


def health_of(job: str, *, now: datetime | None = None) -> Health:
    now = now or timezone.now()
    all_active = list(
        JobRun.objects.filter(state__in=ACTIVE_STATES)
        .select_related("user")
        .order_by("dry_run")
    )
    active = next((run for run in all_active if run.job == job), None)
    writer = next((run for run in all_active if not run.dry_run), None)
    schedule = JobSchedule.objects.filter(job=job).first()
    ended = (
        JobRun.objects.filter(job=job, dry_run=False)
        .exclude(state__in=ACTIVE_STATES)
        .select_related("user")
    )
    of_all_products = ended.filter(numbers=[]).exclude(state=State.STOPPED)
    last_good = of_all_products.filter(state__in=COMPLETED_STATES).first()

    late = lateness(schedule, writer, now) if schedule else ""
    findings = [
        *_of_active(active, now),
        *_of_results(job, of_all_products, last_good, ended, active),
        *_of_schedule(schedule, writer, late, now),
    ]
    findings.sort(key=lambda finding: _GRAVITY.index(finding[0]))
    return Health(
        job=job,
        level=findings[0][0] if findings else Level.OK,
        messages=[message for _level, message in findings],
        active=active,
        last_run=ended.first(),
        last_good=last_good,
        schedule=schedule,
        late=late,
    )


# The results


def _of_results(
    job: str,
    of_all_products: QuerySet[JobRun],
    last_good: JobRun | None,
    ended: QuerySet[JobRun],
    active: JobRun | None,
) -> Iterator[tuple[Level, str]]:
    last = of_all_products.first()
    # Not every site needs the jobs that nothing waits for.
    is_awaited = bool(job_of_run(job).waiting_status)
    if last is None:
        if active is None and is_awaited:
            yield Level.WARNING, _("It has never run.")
    elif last.state in BAD:
        failing = _failing(last, of_all_products, last_good)
        if last_good is not None and is_awaited:
            waits = _("What was changed in the PIM after %(since)s waits.") % {
                "since": shown(last_good.started_at or last_good.created_at)
            }
            failing = f"{failing} {waits}"
        yield Level.ERROR, failing
    elif last.state == State.FAILED_ITEMS and (count := _still_failing(last, ended)):
        yield (
            Level.WARNING,
            ngettext(
                "%(count)d record failed. The run says why; retry it once the "
                "cause is fixed.",
                "%(count)d records failed. The run says why; retry them once the "
                "cause is fixed.",
                count,
            )
            % {"count": count},
        )


def _failing(
    last: JobRun, of_all_products: QuerySet[JobRun], last_good: JobRun | None
) -> str:
    row = of_all_products.filter(state__in=BAD)
    if last_good is not None:
        row = row.filter(created_at__gte=last_good.created_at)
    facts = row.order_by().aggregate(count=Count("pk"), since=Min("finished_at"))
    return ngettext(
        "The last run failed (%(since)s): %(error)s",
        "The last %(count)d runs failed, since %(since)s: %(error)s",
        facts["count"],
    ) % {
        "count": facts["count"],
        "since": shown(facts["since"]),
        "error": last.error,
    }


def _still_failing(last: JobRun, ended: QuerySet[JobRun]) -> int:
    """Failed items of the run, without those that a retry has mended since.

    A product whose picture failed is not acknowledged.
    """
    retries = list(
        ended.filter(created_at__gt=last.created_at, state__in=COMPLETED_STATES)
        .exclude(numbers=[])
        .order_by("created_at")
    )
    failed_again = set(
        JobRunItem.objects.filter(unsettled=True, run__in=retries).values_list(
            "run", "number"
        )
    )
    mended: set[str] = set()
    for retry in retries:
        for number in retry.numbers:
            if (retry.pk, number) in failed_again:
                mended.discard(number)
            else:
                mended.add(number)
    failing = last.failed_items().exclude(number__in=mended)
    if mended and mended.issuperset(last.retryable_numbers()):
        # No product lacks its pictures and documents any more.
        failing = failing.exclude(kind__in=ASSET_KINDS)
    return failing.count()


def _of_active(run: JobRun | None, now: datetime) -> Iterator[tuple[Level, str]]:
    if run is not None and (silence := why_silent(run, now)):
        yield Level.ERROR, silence


def _of_schedule(
    schedule: JobSchedule | None, writer: JobRun | None, late: str, now: datetime
) -> Iterator[tuple[Level, str]]:
    if schedule is None or not schedule.enabled:
        return
    invalid = why_invalid(schedule)
    if late:
        waits = writer is not None and not why_silent(writer, now) and not invalid
        yield Level.WARNING if waits else Level.ERROR, late
    elif invalid:
        yield Level.ERROR, invalid
    elif silence := crontab_silence(schedule, now):
        yield Level.WARNING, silence
