"""``manage.py pim``: run and check the synchronization from the command line."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from wagtail_pim.client.entities import printable
from wagtail_pim.converters import quoted
from wagtail_pim.jobs import JOBS, job_label, runs
from wagtail_pim.jobs.connection_check import Level, check_connection
from wagtail_pim.models import JobRun, JobRunItem
from wagtail_pim.models.runs import Outcome, State, Trigger

EXIT_CODES = {State.SUCCEEDED: 0, State.FAILED_ITEMS: 2}
INTERRUPTED = 130
ITEMS_SHOWN = 50
LEVEL_LABELS = {
    Level.OK: gettext_lazy("OK"),
    Level.WARNING: gettext_lazy("Warning"),
    Level.ERROR: gettext_lazy("Error"),
}


class Command(BaseCommand):
    help = "Synchronizes the product catalog with Optimizely PIM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        run = commands.add_parser(
            "run",
            help="run a job",
            description="Exits with 0 if all went well, with 2 if items failed, and "
            "with 1 if the run failed.",
        )
        run.add_argument("job", choices=sorted(JOBS))
        run.add_argument(
            "--dry-run",
            action="store_true",
            help="show what would change; write nothing, here or in the PIM",
        )
        run.add_argument(
            "--product",
            action="append",
            default=[],
            metavar="NUMBER",
            help="only this product or variant; can be given several times",
        )
        run.add_argument("--json", action="store_true", help="print one JSON object")
        check = commands.add_parser(
            "check",
            help="check the options and the connection",
            description="Exits with 1 if something has to be corrected.",
        )
        check.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        {"run": self.run, "check": self.check_connection}[action](**options)

    def run(
        self, *, job: str, dry_run: bool, product: list[str], json: bool, **_rest: Any
    ) -> None:
        console = Console(file=sys.stderr)
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as bar:
            task = bar.add_task(str(JOBS[job].label), total=None)
            try:
                run = runs.start(
                    job, trigger=Trigger.COMMAND, dry_run=dry_run, numbers=product
                )
                run = runs.carry_out(
                    run.pk,
                    show_progress=lambda done, total: bar.update(
                        task, completed=done, total=total
                    ),
                )
            except KeyboardInterrupt:
                raise CommandError(
                    _("Stopped. What was committed before stays; run again."),
                    returncode=INTERRUPTED,
                ) from None
        if json:
            items = [item.as_json() for item in run.items.iterator()]
            self._print_json({**run.as_json(), "items": items})
        else:
            self._print_report(run)
        if code := EXIT_CODES.get(State(run.state), 1):
            sys.exit(code)

    def check_connection(self, *, json: bool, **_rest: Any) -> None:
        findings = list(check_connection())
        failed = any(finding.level == Level.ERROR for finding in findings)
        if json:
            self._print_json(
                {
                    "ok": not failed,
                    "findings": [finding.as_json() for finding in findings],
                }
            )
        else:
            styles = {
                Level.OK: self.style.SUCCESS,
                Level.WARNING: self.style.WARNING,
                Level.ERROR: self.style.ERROR,
            }
            for finding in findings:
                level = styles[finding.level](
                    f"{LEVEL_LABELS[finding.level].upper():7} "
                )
                self.stdout.write(f"{level}{finding.subject}: {finding.message}")
        if failed:
            sys.exit(1)

    def _print_json(self, value: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False))

    def _print_report(self, run: JobRun) -> None:
        console = Console(
            file=self.stdout._out, highlight=False, no_color=not self.stdout.isatty()
        )
        title = job_label(run.job)
        if run.dry_run:
            title += " " + _("(dry run: nothing was written)")
        table = Table("", title=title, title_justify="left")
        table.add_column(_("Products and variants"), justify="right")
        table.add_column(_("Categories"), justify="right")
        for outcome in Outcome:
            table.add_row(
                str(outcome.label),
                str(run.counts[outcome]),
                str(run.category_counts[outcome]),
            )
        table.add_row(_("acknowledged"), str(run.acknowledged), "")
        console.print(table)
        if not run.error and not run.counts.total():
            console.print(_("No product is Approved in the PIM: nothing to publish."))
        if run.dry_run:
            _print_some(console, run.items.filter(reason=""), _planned_lines)
        _print_some(console, run.failed_items(), _failure_line)
        closing = [_("Warning: %(text)s") % {"text": text} for text in run.warnings]
        if run.error:
            closing.append(_("The run failed: %(error)s") % {"error": run.error})
        for line in closing:
            console.print(printable(line), markup=False)


def _print_some(
    console: Console,
    items: QuerySet[JobRunItem],
    as_text: Callable[[JobRunItem], str],
) -> None:
    """The first items, and how many more there are."""
    for item in items[:ITEMS_SHOWN]:
        console.print(printable(as_text(item)), markup=False)
    more = items.count() - ITEMS_SHOWN
    if more > 0:
        console.print(_("… and %(count)d more; --json lists all.") % {"count": more})


def _planned_lines(item: JobRunItem) -> str:
    lines = [
        f"{item.get_outcome_display()} {item.get_kind_display()} {item.number}",
        *(
            f"    {name}: {quoted(old)} → {quoted(new)}"
            for name, (old, new) in item.differences.items()
        ),
    ]
    return "\n".join(lines)


def _failure_line(item: JobRunItem) -> str:
    return _("Failed: %(kind)s %(number)s: %(reason)s") % {
        "kind": item.get_kind_display(),
        "number": item.number,
        "reason": item.reason,
    }
