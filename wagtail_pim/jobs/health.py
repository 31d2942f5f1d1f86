"""How a job is doing, for those who watch over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Min, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wagtail_pim.conf import get_config
from wagtail_pim.models import JobRun, JobRunItem, JobSchedule
from wagtail_pim.models.runs import ACTIVE_STATES, State

from .connection_check import Level
from .registry import job_label
from .words import shown, started_by, why_silent

BAD: Final = (State.FAILED, State.INTERRUPTED)
GOOD: Final = (State.SUCCEEDED, State.FAILED_ITEMS)
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
    last_good = of_all_products.filter(state__in=GOOD).first()

    late = lateness(schedule, writer, now) if schedule else ""
    findings = [
        *_of_active(active, now),
        *_of_results(of_all_products, last_good, ended, active),
    ]
    if late:
        blocked = writer is not None and not why_silent(writer, now)
        findings.append((Level.WARNING if blocked else Level.ERROR, late))
    elif schedule and schedule.enabled and _is_unwatched(schedule, now):
        findings.append((Level.WARNING, _crontab_is_silent(schedule)))
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
    of_all_products: QuerySet[JobRun],
    last_good: JobRun | None,
    ended: QuerySet[JobRun],
    active: JobRun | None,
) -> Iterator[tuple[Level, str]]:
    last = of_all_products.first()
    if last is None:
        if active is None:
            yield Level.WARNING, _("It has never run.")
    elif last.state in BAD:
        yield Level.ERROR, _failing(last, of_all_products, last_good)
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
        row = row.filter(created_at__gt=last_good.created_at)
    facts = row.order_by().aggregate(count=Count("pk"), since=Min("finished_at"))
    parts = [
        ngettext(
            "The last run failed (%(since)s): %(error)s",
            "The last %(count)d runs failed, since %(since)s: %(error)s",
            facts["count"],
        )
        % {
            "count": facts["count"],
            "since": shown(facts["since"]),
            "error": last.error,
        }
    ]
    if last_good is not None:
        parts.append(
            _("What was changed in the PIM after %(since)s waits.")
            % {"since": shown(last_good.started_at or last_good.created_at)}
        )
    return " ".join(parts)


def _still_failing(last: JobRun, ended: QuerySet[JobRun]) -> int:
    """Failed items of the run, without those that a retry has mended since."""
    retries = list(
        ended.filter(created_at__gt=last.created_at, state__in=GOOD)
        .exclude(numbers=[])
        .order_by("created_at")
    )
    failed_again = set(
        JobRunItem.objects.filter(run__in=retries)
        .exclude(reason="")
        .values_list("run", "number")
    )
    mended: set[str] = set()
    for retry in retries:
        for number in retry.numbers:
            if (retry.pk, number) in failed_again:
                mended.discard(number)
            else:
                mended.add(number)
    return last.failed_items().exclude(number__in=mended).count()


def _of_active(run: JobRun | None, now: datetime) -> Iterator[tuple[Level, str]]:
    if run is not None and (silence := why_silent(run, now)):
        yield Level.ERROR, silence


# The schedule


def lateness(schedule: JobSchedule, writer: JobRun | None, now: datetime) -> str:
    """Why a job has not started when it was due, and what to do; empty if it has.

    ``writer`` is the run that writes at this time, of whatever job.
    """
    patience = timedelta(seconds=get_config().late_after)
    if not schedule.enabled or schedule.due_at is None:
        return ""
    if schedule.due_at >= now - patience:
        return ""
    due = _("It was due at %(time)s and has not started.") % {
        "time": shown(schedule.due_at)
    }
    if writer is None:
        return f"{due} {_crontab_is_silent(schedule)}"
    way = _(
        "%(job)s, started by %(who)s, has been in the way since %(since)s. Wait for "
        "its end, or stop it."
    ) % {
        "job": job_label(writer.job),
        "who": started_by(writer),
        "since": shown(writer.started_at or writer.created_at),
    }
    return f"{due} {way}"


def _is_unwatched(schedule: JobSchedule, now: datetime) -> bool:
    patience = timedelta(seconds=get_config().late_after)
    return schedule.checked_at is None or schedule.checked_at < now - patience


def _crontab_is_silent(schedule: JobSchedule) -> str:
    if schedule.checked_at is None:
        silence = _("Crontab has never asked what is due.")
    else:
        silence = _("Crontab has not asked what is due since %(time)s.") % {
            "time": shown(schedule.checked_at)
        }
    remedy = _(
        "Check that “manage.py crontab show” lists the line of wagtail_pim.cron and "
        "that the cron service is running."
    )
    return f"{silence} {remedy}"
