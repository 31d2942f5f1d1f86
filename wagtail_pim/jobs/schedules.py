"""When jobs start by themselves."""

from __future__ import annotations

import calendar
import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

import tenacity
from cron_descriptor import ExpressionDescriptor, FormatError, Options
from cronsim import CronSim, CronSimError
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import RunLostError, RunRefusedError
from wagtail_pim.models import JobRun, JobSchedule
from wagtail_pim.models.runs import Trigger

from . import runs
from .notifications import tell_of_lateness
from .registry import JOBS, job_label
from .words import shown, started_by

logger = logging.getLogger(__name__)

RESUMPTIONS: Final = 3
"""How often a schedule goes on with a run that is interrupted again and again."""

_LOCALES: Final = {"de": "de_DE", "en": "en_US", "fr": "fr_FR"}
# The library takes its names from there, in English whatever the language.
_ENGLISH_NAMES: Final = dict(
    zip(
        [*calendar.day_name, *calendar.month_name[1:]],
        [*WEEKDAYS.values(), *MONTHS.values()],
        strict=True,
    )
)
_ENGLISH_NAME: Final = re.compile(rf"\b({'|'.join(_ENGLISH_NAMES)})\b")


def schedule_of(job: str) -> JobSchedule:
    """The job's schedule; a new one, not saved, where it has none."""
    return JobSchedule.objects.filter(job=job).first() or JobSchedule(job=job)


# Expressions


def next_times(
    cron: str, count: int = 3, *, after: datetime | None = None
) -> list[datetime]:
    """The next times of a cron expression, in the site's time zone.

    A time that the clocks skip in spring comes when they have skipped it; one that
    they show twice in autumn comes once. Raises ValueError for what is no expression.
    """
    return list(islice(_times(cron, after or timezone.now()), count))


def _times(cron: str, after: datetime) -> Iterator[datetime]:
    local = after.astimezone(timezone.get_default_timezone())
    try:
        times = CronSim(cron, local)
    except CronSimError as error:
        raise ValueError(f"{cron}: {error}") from error
    for time in times:
        # In the hour that comes twice, CronSim gives times of the first one. Times of
        # one zone compare by what the clocks show: only UTC tells which is later.
        if time.astimezone(UTC) > after.astimezone(UTC):
            yield time


def in_words(cron: str) -> str:
    """What the expression means, in the language of the person who asks.

    The expression itself, where it can't be told.
    """
    try:
        cron = clean_cron(cron)
    except ValidationError:
        return cron
    language = (get_language() or "en").partition("-")[0]
    _minute, _hour, day, _month, weekday = cron.split()
    if day != "*" and weekday != "*":
        # The library always takes them for "either", and has a word for that in English
        # alone. With a star, cron takes them for "both".
        if day.startswith("*") or weekday.startswith("*"):
            return cron
        language = "en"
    if "/" in weekday:
        # Cron knows no weeks, of which the library speaks here.
        return cron
    options = Options()
    options.locale_code = _LOCALES.get(language, "en_US")
    options.use_24hour_time_format = True
    try:
        text = str(ExpressionDescriptor(cron, options).get_description())
    except FormatError:
        return cron
    if options.locale_code == "de_DE":
        text = re.sub(r"\d+(?=(, \d+)*(,? und \d+)? Tag des)", r"\g<0>.", text)
    if options.locale_code != "en_US":
        # The comma before the last of a list is English, and so are all names.
        text = re.sub(", (und|et) ", r" \1 ", text)
        text = _ENGLISH_NAME.sub(lambda name: str(_ENGLISH_NAMES[name[0]]), text)
    return text


def clean_cron(text: str) -> str:
    """The expression in its plain form; raises ValidationError for any other text."""
    fields = text.upper().split()
    if len(fields) != 5:
        raise ValidationError(
            _(
                "A schedule has five fields: minute, hour, day of month, month and day "
                "of week. “0 2 * * *” is every day at 2:00."
            )
        )
    for at, (field, why) in enumerate(zip(fields, _field_errors(), strict=True)):
        try:
            CronSim(" ".join(field if i == at else "*" for i in range(5)), _SOME_TIME)
        except CronSimError as error:
            raise ValidationError(
                _("“%(field)s” is not understood. %(why)s")
                % {"field": field, "why": why}
            ) from error
    cron = " ".join(fields)
    try:
        comes = bool(next_times(cron, 1))
    except ValueError:
        comes = False
    if not comes:
        raise ValidationError(_("There is no such day: the job would never start."))
    return cron


_SOME_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)


def _field_errors() -> tuple[str, ...]:
    return (
        _("The minute is 0 to 59, a list such as 0,30 or a step such as */15."),
        _("The hour is 0 to 23, a range such as 8-18 or a step such as */2."),
        _("The day of month is 1 to 31, or L for the last one."),
        _("The month is 1 to 12, or a name such as JAN."),
        _("The day of week is 0 to 7 (0 and 7 are Sunday), or a name such as MON."),
    )


# Schedules


def save_schedule(schedule: JobSchedule, user: Any) -> None:
    """Store what a person has set; the next start is counted from now."""
    schedule.due_at = next_times(schedule.cron, 1)[0] if schedule.enabled else None
    schedule.told_late = False
    schedule.save()
    log(
        schedule,
        "wagtail_pim.schedule.change",
        user=user,
        data={"enabled": schedule.enabled, "cron": schedule.cron},
    )


def _log_waiting(job: str, why: RunRefusedError) -> None:
    logger.info("%s is due and waits: %s", job, why)


def start_due(
    now: datetime | None = None,
    *,
    tell_waiting: Callable[[str, RunRefusedError], object] = _log_waiting,
) -> list[JobRun]:
    """Carry out here, one by one, what is due; the runs, ended.

    Crontab calls this once a minute, on as many hosts as there are. What was missed
    several times is run once. ``tell_waiting`` hears of each job that is due while
    another run is in its way.
    """
    runs.recover()
    enabled = JobSchedule.objects.filter(enabled=True, job__in=JOBS)
    schedules = list(enabled)
    writer = runs.active_writer()
    for schedule in schedules:
        if reason := lateness(schedule, writer, now or timezone.now()):
            tell_of_lateness(schedule, reason)
    enabled.update(checked_at=now or timezone.now())
    ended = []
    for schedule in schedules:
        if invalid := why_invalid(schedule):
            logger.error("%s does not start: %s", schedule.job, invalid)
            continue
        try:
            run = _start(schedule, now or timezone.now())
            if run is not None:
                ended.append(runs.carry_out(run.pk))
        except RunRefusedError as error:
            tell_waiting(schedule.job, error)
        except RunLostError as error:
            logger.error("The scheduled run of %s was lost: %s", schedule.job, error)
    return ended


def _start(schedule: JobSchedule, now: datetime) -> JobRun | None:
    """A new run, if the job is due or has to go on after an interruption.

    Raises RunRefusedError where another run writes; the job is due still.
    """
    due_at = schedule.due_at
    unmoved = JobSchedule.objects.filter(pk=schedule.pk, enabled=True, due_at=due_at)
    if due_at is None:
        unmoved.update(due_at=next(_times(schedule.cron, now), None))
    elif due_at <= now:
        following = next(_times(schedule.cron, now), None)
        with transaction.atomic():
            # Of all that ask at this time, the one that moves it starts the job.
            if not unmoved.update(due_at=following, told_late=False):
                return None
            return runs.start(schedule.job, trigger=Trigger.SCHEDULE)
    if _goes_on(schedule.job):
        return runs.start(schedule.job, trigger=Trigger.SCHEDULE)
    return None


def run_when_free(job: str) -> JobRun | None:
    """Carry the job out here, after a run that is in the way; the run, ended.

    An editor's refresh of one product must not cost a night's run. What is in the way
    for longer than QUEUE_TIMEOUT does: the answer is None.
    """
    free = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(RunRefusedError),
        stop=tenacity.stop_after_delay(get_config().queue_timeout),
        wait=tenacity.wait_exponential(max=15),
        reraise=True,
    )
    try:
        run = free(runs.start, job, trigger=Trigger.SCHEDULE)
    except RunRefusedError as error:
        logger.error("%s was not started: %s", job, error)
        return None
    return runs.carry_out(run.pk)


def _goes_on(job: str) -> bool:
    """Whether the last run was a schedule's, was interrupted, and is worth a try."""
    run = runs.interrupted_run(job, [])
    if run is None or run.trigger != Trigger.SCHEDULE:
        return False
    for _resumption in range(RESUMPTIONS):
        if run.resumes is None:
            return True
        run = run.resumes
    return False


# What keeps a job from starting


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
    if invalid := why_invalid(schedule):
        return f"{due} {invalid}"
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


def why_invalid(schedule: JobSchedule) -> str:
    """What is wrong with an expression that no form has checked; empty if nothing."""
    try:
        clean_cron(schedule.cron)
    except ValidationError as error:
        return _("The schedule “%(cron)s” is invalid. %(why)s") % {
            "cron": schedule.cron,
            "why": error.messages[0],
        }
    return ""


def crontab_silence(schedule: JobSchedule, now: datetime) -> str:
    """That crontab does not ask what is due, and what to do; empty if it does."""
    patience = timedelta(seconds=get_config().late_after)
    if schedule.checked_at is not None and schedule.checked_at >= now - patience:
        return ""
    return _crontab_is_silent(schedule)


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
