"""How runs are spoken of, in the admin, on the command line and in e-mails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.utils import formats, timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin.utils import get_user_display_name

from wagtail_pim.conf import get_config
from wagtail_pim.models import JobRun
from wagtail_pim.models.runs import State

from .registry import job_label

# A worker takes a run up at once, unless it is busy with something else.
USUAL_WAIT: Final = timedelta(seconds=60)


def shown(moment: datetime) -> str:
    """A moment in short, in the reader's time zone."""
    local = timezone.localtime(moment)
    # English times end in a full stop, which a sentence may follow.
    return f"{formats.date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M}"


def run_title(run: JobRun) -> str:
    """What a run is called where a link leads to it."""
    return f"{job_label(run.job)}, {shown(run.created_at)}"


def started_by(run: JobRun) -> str:
    """The user's name, else from where the run was started."""
    if run.user is not None:
        return get_user_display_name(run.user)
    return str(run.get_trigger_display())


def seconds_in_words(seconds: float) -> str:
    """A duration as people say it."""
    whole = max(round(seconds), 1)
    if whole < 60:
        return ngettext("%(count)d second", "%(count)d seconds", whole) % {
            "count": whole
        }
    now = timezone.now()
    return timesince(now - timedelta(seconds=whole), now)


def duration_in_words(run: JobRun) -> str:
    duration = run.duration()
    return "" if duration is None else seconds_in_words(duration.total_seconds())


def why_silent(run: JobRun, now: datetime | None = None) -> str:
    """That nothing is heard of an active run, and what to do; empty if all is well."""
    now = now or timezone.now()
    heard = run.heartbeat_at or run.created_at
    patience = timedelta(seconds=get_config().heartbeat_timeout)
    if run.state == State.QUEUED:
        living = JobRun.objects.filter(
            state=State.RUNNING, heartbeat_at__gte=now - patience
        )
        if heard >= now - USUAL_WAIT or living.exists():
            return ""
        return _(
            "It has been waiting for a worker since %(time)s. Start one, for example "
            "with “manage.py db_worker” or “manage.py rqworker”, depending on the task "
            "backend; or stop the run and start the job on the command line: "
            "manage.py pim run %(job)s."
        ) % {"time": shown(heard), "job": run.job}
    if heard >= now - patience:
        return ""
    return _(
        "Its worker (%(worker)s) has given no sign of life since %(time)s. The next "
        "start takes the run over and goes on where it ended."
    ) % {"worker": run.worker, "time": shown(heard)}
