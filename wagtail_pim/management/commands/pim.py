"""``manage.py pim``: run and check the synchronization from the command line."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
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
from wagtail_pim.exceptions import PimError
from wagtail_pim.jobs import JOBS, connect
from wagtail_pim.jobs.connection_check import Level, check_connection
from wagtail_pim.jobs.report import PICTURE, Item, Outcome, RunReport, State
from wagtail_pim.models.links import KINDS

EXIT_CODES = {State.SUCCEEDED: 0, State.FAILED: 1, State.FAILED_ITEMS: 2}
INTERRUPTED = 130
ITEMS_SHOWN = 50
LEVEL_LABELS = {
    Level.OK: gettext_lazy("OK"),
    Level.WARNING: gettext_lazy("Warning"),
    Level.ERROR: gettext_lazy("Error"),
}
OUTCOME_LABELS = {
    Outcome.CREATED: gettext_lazy("created"),
    Outcome.UPDATED: gettext_lazy("updated"),
    Outcome.UNCHANGED: gettext_lazy("unchanged"),
    Outcome.REMOVED: gettext_lazy("removed"),
    Outcome.FAILED: gettext_lazy("failed"),
}
KIND_LABELS = {**dict(KINDS), PICTURE: gettext_lazy("picture")}


def _kind(item: Item) -> str:
    return str(KIND_LABELS.get(item.kind, item.kind))


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
                report = JOBS[job](
                    connect(),
                    dry_run=dry_run,
                    numbers=product,
                    progress=lambda done, total: bar.update(
                        task, completed=done, total=total
                    ),
                ).run()
            except PimError as error:
                report = RunReport.of_failed_start(job, dry_run, error)
            except KeyboardInterrupt:
                raise CommandError(
                    _("Stopped. What was committed before stays; run again."),
                    returncode=INTERRUPTED,
                ) from None
        if json:
            self._print_json(report.as_json())
        else:
            self._print_report(report)
        if code := EXIT_CODES[report.state]:
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

    def _print_report(self, report: RunReport) -> None:
        console = Console(
            file=self.stdout._out, highlight=False, no_color=not self.stdout.isatty()
        )
        title = str(JOBS[report.job].label)
        if report.dry_run:
            title += " " + _("(dry run: nothing was written)")
        table = Table("", title=title, title_justify="left")
        table.add_column(_("Products and variants"), justify="right")
        table.add_column(_("Categories"), justify="right")
        for outcome in Outcome:
            table.add_row(
                str(OUTCOME_LABELS[outcome]),
                str(report.counts[outcome]),
                str(report.category_counts[outcome]),
            )
        table.add_row(_("acknowledged"), str(report.acknowledged), "")
        console.print(table)
        if not report.error and not report.counts.total():
            console.print(_("No product is Approved in the PIM: nothing to publish."))
        failed = list(report.failed_items())
        if report.dry_run:
            planned = [item for item in report.items if not item.reason]
            _print_some(console, map(_planned_lines, planned), len(planned))
        _print_some(console, map(_failure_line, failed), len(failed))
        closing = [_("Warning: %(text)s") % {"text": text} for text in report.warnings]
        if report.error:
            closing.append(_("The run failed: %(error)s") % {"error": report.error})
        for line in closing:
            console.print(printable(line), markup=False)


def _print_some(console: Console, entries: Iterable[str], total: int) -> None:
    """The first entries, and how many more there are."""
    for entry in islice(entries, ITEMS_SHOWN):
        console.print(printable(entry), markup=False)
    if total > ITEMS_SHOWN:
        console.print(
            _("… and %(count)d more; --json lists all.")
            % {"count": total - ITEMS_SHOWN}
        )


def _planned_lines(item: Item) -> str:
    lines = [f"{OUTCOME_LABELS[item.outcome]} {_kind(item)} {item.number}"]
    lines += [
        f"    {name}: {quoted(old)} → {quoted(new)}"
        for name, (old, new) in item.differences.items()
    ]
    return "\n".join(lines)


def _failure_line(item: Item) -> str:
    return _("Failed: %(kind)s %(number)s: %(reason)s") % {
        "kind": _kind(item),
        "number": item.number,
        "reason": item.reason,
    }
