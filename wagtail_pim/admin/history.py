"""What Wagtail's site history tells of runs and schedules."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import LogFormatter

from wagtail_pim.models.runs import State


class EndOfRun(LogFormatter):
    label = gettext_lazy("End of PIM run")

    def format_message(self, log_entry: Any) -> str:
        return _("A PIM run ended: %(state)s") % {
            "state": State(log_entry.data["state"]).label
        }


class ChangeOfSchedule(LogFormatter):
    label = gettext_lazy("Change PIM schedule")

    def format_message(self, log_entry: Any) -> str:
        if log_entry.data["enabled"]:
            told = _("A PIM job starts by itself now: %(cron)s")
        else:
            told = _("A PIM job does not start by itself any more (%(cron)s)")
        return told % {"cron": log_entry.data["cron"]}
