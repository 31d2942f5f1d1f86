"""Runs: started, carried out, stopped, and taken for dead.

At most one run writes at a time; the database holds to that, for all processes and
hosts. A run that is carried out gives signs of life. Where they stop, the next start
takes it for dead, and goes on where it was interrupted.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any
from uuid import UUID

import tenacity
from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from wagtail_pim.client.entities import printable
from wagtail_pim.client.transport import RetryPolicy
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import (
    ConfigurationError,
    PimError,
    RunLostError,
    RunRefusedError,
    RunStoppedError,
)
from wagtail_pim.kinds import CATEGORY_KINDS
from wagtail_pim.models import JobRun, PimLink
from wagtail_pim.models.runs import ACTIVE_STATES, Outcome, State, Trigger
from wagtail_pim.signals import run_finished, run_started

from .base import IMPATIENT, Job, PimConnection, connect
from .heartbeat import Heartbeat
from .journal import Journal, Progress
from .notifications import tell_of_end
from .refresh_product import RefreshProduct
from .registry import JOBS, job_label, job_named, job_of_run
from .words import run_title, shown, started_by

logger = logging.getLogger(__name__)

FINISH_ATTEMPTS = 5

BROKEN_OFF = (State.FAILED, State.INTERRUPTED)

MakeJob = Callable[[PimConnection, Journal], Job]


def start(
    job: str,
    *,
    trigger: Trigger,
    user: Any = None,
    dry_run: bool = False,
    numbers: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> JobRun:
    """A new run, which waits for ``carry_out``.

    Where the last run of this kind was interrupted, the new one goes on from there.
    Raises RunRefusedError where another run writes, with who, since when and where;
    ConfigurationError where the job does not take these ``options``.
    """
    wanted = list(dict.fromkeys(printable(number.strip()) for number in numbers))
    run = JobRun(job=job, trigger=trigger, user=user, dry_run=dry_run, numbers=wanted)
    if options:
        run.options = job_named(job).checked_options(options)
    if wanted and not job_of_run(job).takes_numbers:
        raise ConfigurationError(
            _("%(job)s does not go by products: start it without their numbers.")
            % {"job": job_label(job)}
        )
    if wanted and run.options:
        raise ConfigurationError(
            _(
                "A run of named products takes no other options: name products, or "
                "give those, not both."
            )
        )
    recover()
    if not dry_run:
        run.resumes = interrupted_run(job, wanted, run.options)
    run.heartbeat_at = Now()
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError as error:
        raise RunRefusedError(_refusal()) from error
    run.refresh_from_db(fields=["heartbeat_at"])
    logger.info("Run %s: %s was started (%s)", run.pk, job, trigger)
    _log(run, "start", user)
    return run


def interrupted_run(
    job: str,
    numbers: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> JobRun | None:
    """The last run of this kind, if it was interrupted and none went on with it."""
    ended = JobRun.objects.exclude(state__in=ACTIVE_STATES)
    last = ended.filter(
        job=job, dry_run=False, numbers=list(numbers), options=dict(options or {})
    ).first()
    if last is None or last.state != State.INTERRUPTED or last.resumed_by.exists():
        return None
    return None if job_of_run(job).is_made_up_for(last) else last


def interrupted_runs() -> list[JobRun]:
    """The runs of all products that were interrupted and that none went on with."""
    candidates = JobRun.objects.filter(
        job__in=JOBS, dry_run=False, numbers=[], state=State.INTERRUPTED
    )
    return [
        run
        for run in candidates.order_by("created_at")
        if interrupted_run(run.job, options=run.options) == run
    ]


def active_writer() -> JobRun | None:
    """The run that writes, or waits to."""
    return (
        JobRun.objects.filter(dry_run=False, state__in=ACTIVE_STATES)
        .select_related("user")
        .first()
    )


def carry_out(
    run_id: UUID,
    *,
    show_progress: Progress | None = None,
    make_job: MakeJob | None = None,
    policy: RetryPolicy | None = None,
) -> JobRun:
    """Take a waiting run up and bring it to its end, which is in its ``state``.

    Raises RunLostError where it does not wait any more or was taken for dead meanwhile,
    and whatever ends the process.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}"
    taken_up = JobRun.objects.filter(pk=run_id, state=State.QUEUED).update(
        state=State.RUNNING, started_at=Now(), heartbeat_at=Now(), worker=worker
    )
    if not taken_up:
        raise RunLostError(
            _("Run %(run)s does not wait to be carried out.") % {"run": run_id}
        )
    run = JobRun.objects.select_related("user").get(pk=run_id)
    logger.info("Run %s: %s begins (dry run: %s)", run.pk, run.job, run.dry_run)
    run_started.send_robust(JobRun, run=run)
    with Heartbeat(run):
        try:
            journal = Journal(run, show_progress)
            state = _execute(journal, make_job, policy)
        except RunLostError as error:
            logger.error("Run %s: %s", run.pk, error)
            raise
        except BaseException as error:
            # The process is told to end: the next start goes on here.
            run.error_code = "interrupted"
            run.error = _(
                "It was interrupted (%(error)s). What was saved before stays; the next "
                "start goes on where it ended."
            ) % {"error": type(error).__name__}
            _finish(run, State.INTERRUPTED)
            raise
        _finish(run, state)
    return run


def refresh_product(link: PimLink, user: Any) -> JobRun:
    """Pull the product of one page, while a person waits; the run, ended.

    Raises RunRefusedError where another run writes.
    """
    run = start(
        RefreshProduct.name,
        trigger=Trigger.ADMIN,
        user=user,
        numbers=[link.page.specific.product_number],
    )
    return carry_out(
        run.pk,
        make_job=lambda pim, journal: RefreshProduct(pim, journal, link),
        policy=IMPATIENT,
    )


def _execute(
    journal: Journal, make_job: MakeJob | None, policy: RetryPolicy | None
) -> State:
    """The state in which the run ends; why, if not well, is noted in the run."""
    run = journal.run
    guard: AbstractContextManager[None] = (
        journal.writes_refused() if run.dry_run else nullcontext()
    )
    try:
        with guard:
            make_job = make_job or job_named(run.job)
            make_job(connect(policy=policy), journal).execute()
    except RunLostError:
        raise
    except RunStoppedError as error:
        run.error, run.error_code = str(error), error.code
        return State.STOPPED
    except PimError as error:
        logger.error("Run %s: %s", run.pk, error)
        run.error, run.error_code = str(error), error.code
        return State.FAILED
    except (OperationalError, InterfaceError) as error:
        # It was restarted, or busy for too long: no fault of the job's.
        logger.exception("Run %s: the database went away", run.pk)
        run.error_code = "database"
        run.error = _(
            "The site's database went away (%(error)s). What was saved before stays; "
            "the next start goes on where it ended."
        ) % {"error": error}
        return State.INTERRUPTED
    except DatabaseError as error:
        logger.exception("Run %s: the database failed", run.pk)
        run.error_code = "database"
        run.error = _(
            "The site's database failed (%(error)s). What was saved before stays; run "
            "again."
        ) % {"error": error}
        return State.FAILED
    except Exception as error:
        logger.exception("Run %s ended with a fault of the program", run.pk)
        run.error_code = "bug"
        run.error = _(
            "The program failed (%(error)s); its log tells more. What was saved before "
            "stays."
        ) % {"error": f"{type(error).__name__}: {error}"}
        return State.FAILED
    return State.FAILED_ITEMS if journal.any_failed else State.SUCCEEDED


@tenacity.retry(
    retry=tenacity.retry_if_exception_type((OperationalError, InterfaceError)),
    stop=tenacity.stop_after_attempt(FINISH_ATTEMPTS),
    wait=tenacity.wait_random_exponential(max=10),
    reraise=True,
)
def _store_end(run: JobRun, state: State) -> None:
    """The database may need a moment to come back."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    _recount(run)
    if state in BROKEN_OFF and _stop_requested(run):
        state = State.STOPPED
    run.state = state
    of_run = JobRun.objects.filter(pk=run.pk)
    stored = of_run.filter(state=State.RUNNING).update(
        state=state,
        finished_at=Now(),
        heartbeat_at=Now(),
        error=printable(run.error),
        error_code=run.error_code,
        warnings=run.warnings,
        done=run.done,
        counts=run.counts,
        category_counts=run.category_counts,
        acknowledged=run.acknowledged,
    )
    # On a second try it may have been stored, and the answer lost.
    if not stored and not of_run.filter(state=state, worker=run.worker).exists():
        raise RunLostError(_("The run was taken for dead meanwhile."))
    run.refresh_from_db(
        fields=["finished_at", "heartbeat_at", "work_started_at", "stop_requested_at"]
    )


def _finish(run: JobRun, state: State) -> None:
    _store_end(run, state)
    _tell_of_end(run)


def _tell_of_end(run: JobRun) -> None:
    """Whatever goes wrong here, the run has ended as it did."""
    logger.info("Run %s: %s", run.pk, run.state)
    try:
        # The time of those that a busy worker let wait counts from now on.
        JobRun.objects.filter(state=State.QUEUED).update(heartbeat_at=Now())
        _log(run, "finish", run.user, state=run.state)
        run_finished.send_robust(JobRun, run=run)
        tell_of_end(run)
        forget_old_runs()
    except Exception:
        logger.exception("Run %s: its end could not be told", run.pk)


def _stop_requested(run: JobRun) -> bool:
    """Whoever asked for the stop does not want the run to go on by itself."""
    asked = JobRun.objects.filter(pk=run.pk).exclude(stop_requested_at=None)
    return asked.exists()


def _log(run: JobRun, event: str, user: Any, **data: Any) -> None:
    """Into Wagtail's site history."""
    title = run_title(run)
    log(run, f"wagtail_pim.run.{event}", user=user, title=title, data=data)


def fail_to_start(run: JobRun, why: str) -> None:
    """Of a waiting run that no worker can be told of."""
    run.error = _(
        "The task backend did not take it (%(error)s; the log tells more). Check that "
        "it is running and that TASKS in the settings names it correctly."
    ) % {"error": why}
    if JobRun.objects.filter(pk=run.pk, state=State.QUEUED).update(
        state=State.FAILED,
        finished_at=Now(),
        error=printable(run.error),
        error_code="not_queued",
    ):
        run.refresh_from_db()
        _tell_of_end(run)


def request_stop(run: JobRun, user: Any = None) -> bool:
    """Have the run end after the batch it is at; whether there was anything to stop."""
    waiting = JobRun.objects.filter(pk=run.pk, state=State.QUEUED)
    asked = {"stop_requested_at": Now(), "stop_requested_by": user}
    if waiting.update(state=State.STOPPED, finished_at=Now(), **asked):
        _log(run, "stop", user)
        run.refresh_from_db()
        _tell_of_end(run)
        return True
    going_on = JobRun.objects.filter(pk=run.pk, state=State.RUNNING)
    if going_on.filter(stop_requested_at=None).update(**asked):
        _log(run, "stop", user)
    return going_on.exists()


def recover(*, at_once: bool = False) -> list[JobRun]:
    """The runs that are dead, marked as interrupted now.

    A run is dead when it gave no sign of life for HEARTBEAT_TIMEOUT, or when no worker
    took it up within QUEUE_TIMEOUT while none was busy. ``at_once`` takes every run for
    dead: one that is alive all the same notices, and ends before it commits more.
    """
    config = get_config()
    patience = timedelta(seconds=config.heartbeat_timeout)
    living = Q(state=State.RUNNING, heartbeat_at__gte=Now() - patience)
    silent = Q(state=State.RUNNING, heartbeat_at__lt=Now() - patience)
    waiting = Q(
        state=State.QUEUED,
        heartbeat_at__lt=Now() - timedelta(seconds=config.queue_timeout),
    )
    if at_once:
        dead = Q(state__in=ACTIVE_STATES)
    elif JobRun.objects.filter(living).exists():
        # The only worker may be busy with that one.
        dead = silent
    else:
        dead = silent | waiting
    found = JobRun.objects.filter(dead).select_related("user").order_by("created_at")
    return [
        run
        for run in found
        if _interrupt(run, JobRun.objects.filter(dead, pk=run.pk), at_once=at_once)
    ]


def _interrupt(run: JobRun, if_dead: QuerySet[JobRun], *, at_once: bool) -> bool:
    run.error_code = "interrupted"
    if at_once:
        run.error = _(
            "Somebody declared it dead. What was saved before stays; the next start "
            "goes on where it ended."
        )
    elif run.state == State.QUEUED:
        run.error_code = "not_taken_up"
        run.error = _(
            "No worker took it up. Start a worker of the task backend, or run the job "
            "from the command line or crontab."
        )
    else:
        run.error = _(
            "Its worker (%(worker)s) gave no sign of life any more. What was saved "
            "before stays; the next start goes on where it ended."
        ) % {"worker": run.worker}
    with transaction.atomic():
        stopped = run.stop_requested_at is not None
        if not if_dead.update(
            state=State.STOPPED if stopped else State.INTERRUPTED,
            finished_at=Now(),
            error=run.error,
            error_code=run.error_code,
        ):
            return False
        run.refresh_from_db()
        _recount(run)
        run.save(update_fields=["counts", "category_counts"])
    logger.error("Run %s: %s", run.pk, run.error)
    _tell_of_end(run)
    return True


def _recount(run: JobRun) -> None:
    """Its last batch may have been committed and not counted; its items tell."""
    told = run.items.exclude(outcome=Outcome.UNCHANGED).order_by()
    for counts, items in (
        (run.category_counts, told.filter(kind__in=CATEGORY_KINDS)),
        (run.counts, told.exclude(kind__in=CATEGORY_KINDS)),
    ):
        counts.update(
            Counter(dict(items.values_list("outcome").annotate(Count("pk")))) - counts
        )


def forget_old_runs() -> None:
    """Delete what is older than RUN_RETENTION_DAYS; 0 keeps everything."""
    days = get_config().run_retention_days
    if not days:
        return
    old = JobRun.objects.exclude(state__in=ACTIVE_STATES).filter(
        created_at__lt=timezone.now() - timedelta(days=days)
    )
    kept = [pk for job in JOBS.values() for pk in job.runs_to_keep()]
    old.exclude(pk__in=kept).delete()


def _refusal() -> str:
    """Who holds the right to write, since when and where."""
    run = active_writer()
    if run is None:
        return _("Another run ended at this moment. Start again.")
    facts = {
        "job": job_label(run.job),
        "who": started_by(run),
        "since": shown(run.started_at or run.created_at),
        "where": run.worker,
    }
    if run.state == State.QUEUED:
        return (
            _(
                "%(job)s, started by %(who)s, has been waiting for a worker since "
                "%(since)s. Wait for its end, or stop it."
            )
            % facts
        )
    return (
        _(
            "%(job)s, started by %(who)s, has been running since %(since)s on "
            "%(where)s. Wait for its end, or stop it."
        )
        % facts
    )
