"""E-mails to the people who watch over the jobs.

One is sent when a job changes its state, not with every run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urljoin

from django.core import mail
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.utils import get_admin_base_url

from wagtail_pim import conf
from wagtail_pim.client.entities import one_line
from wagtail_pim.models import JobRun, JobSchedule, PIMOptions
from wagtail_pim.models.runs import ACTIVE_STATES, Outcome, State

from .registry import JOBS, job_label
from .report import Report

logger = logging.getLogger(__name__)

ITEMS_TOLD: Final = 20
MAIL_TIMEOUT: Final = 10.0
"""Seconds, where the site sets none: a run must not wait for a silent server."""


def tell_of_end(run: JobRun) -> None:
    """Tell of a run that ended otherwise than the one of its job before it.

    Runs of single products say nothing of the job, and who stopped a run knows of it.
    """
    if run.dry_run or run.numbers or run.job not in JOBS or run.state == State.STOPPED:
        return
    before = (
        JobRun.objects.filter(
            job=run.job, dry_run=False, numbers=[], created_at__lt=run.created_at
        )
        .exclude(state__in=[*ACTIVE_STATES, State.STOPPED])
        .values_list("state", flat=True)
        .first()
    )
    if run.state != (before or State.SUCCEEDED):
        _send("run_ended.txt", lambda: _about_run(run))


def tell_of_lateness(schedule: JobSchedule, reason: str) -> None:
    """Tell once that a job has not started when it was due."""
    # Not of one that another host has started meanwhile.
    untold = JobSchedule.objects.filter(
        pk=schedule.pk, due_at=schedule.due_at, told_late=False
    )
    if untold.update(told_late=True):
        _send("late.txt", lambda: _about_lateness(schedule, reason))


def _about_run(run: JobRun) -> dict[str, Any]:
    job = job_label(run.job)
    failed = run.failed_items()
    count = failed.count()
    counts = [(outcome.label, run.counts[outcome]) for outcome in Outcome]
    if Report.of(run).with_acknowledged:
        counts.append((_("acknowledged"), run.acknowledged))
    headlines = {
        State.SUCCEEDED: _("%(job)s works again"),
        State.FAILED_ITEMS: ngettext(
            "%(job)s: %(count)d record failed",
            "%(job)s: %(count)d records failed",
            count,
        ),
        State.FAILED: _("%(job)s failed"),
        State.INTERRUPTED: _("%(job)s was interrupted"),
    }
    return {
        "headline": headlines[State(run.state)] % {"job": job, "count": count},
        "run": run,
        "counts": counts,
        "items": [
            one_line(f"{item.get_kind_display()} {item.number}: {item.reason}")
            for item in failed[:ITEMS_TOLD]
        ],
        "more": count - ITEMS_TOLD,
        "path": reverse("wagtail_pim:run", args=[run.pk]),
    }


def _about_lateness(schedule: JobSchedule, reason: str) -> dict[str, Any]:
    return {
        "headline": _("%(job)s is late") % {"job": job_label(schedule.job)},
        "reason": reason,
        "path": reverse("wagtail_pim:jobs"),
    }


def _send(template: str, context_of: Callable[[], dict[str, Any]]) -> None:
    """Nothing that goes wrong here may end a run."""
    try:
        recipients = PIMOptions.current().recipients()
        if not recipients:
            return
        with (
            translation.override(conf.site_language()),
            timezone.override(timezone.get_default_timezone()),
        ):
            context = context_of()
            if base := get_admin_base_url():
                context["url"] = urljoin(base, context["path"])
            message = EmailMessage(
                f"[{conf.site_name()}] {context['headline']}",
                render_to_string(
                    f"wagtail_pim/notifications/{template}", context
                ).strip(),
                conf.notification_sender(),
                recipients,
                headers={"Auto-Submitted": "auto-generated"},
            )
        _connection().send_messages([message])
    except Exception:
        logger.exception("An e-mail about the jobs could not be sent")


def _connection() -> Any:
    if hasattr(mail, "mailers"):  # since Django 6.1
        connection = mail.mailers.default
    else:
        connection = mail.get_connection()
    if getattr(connection, "timeout", MAIL_TIMEOUT) is None:
        connection.timeout = MAIL_TIMEOUT
    return connection
