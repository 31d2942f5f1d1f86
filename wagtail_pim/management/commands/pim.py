"""``manage.py pim``: run, watch and check the synchronization on the command line."""

from __future__ import annotations

import json
import sys
from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from uuid import UUID

from django.core.management.base import (
    BaseCommand,
    CommandError,
    DjangoHelpFormatter,
)
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.utils import timezone
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
from rich.text import Text
from wagtail.models import Page

from wagtail_pim.catalog.restoring import NotRestorableError, restore
from wagtail_pim.client.entities import one_line
from wagtail_pim.converters import quoted
from wagtail_pim.exceptions import ConfigurationError, PimError, RunRefusedError
from wagtail_pim.jobs import JOBS, job_label, runs
from wagtail_pim.jobs.connection_check import Level, check_connection
from wagtail_pim.jobs.discards import discarded_again
from wagtail_pim.jobs.health import Health, health_of
from wagtail_pim.jobs.journal import Progress as ShowProgress
from wagtail_pim.jobs.lookback import OPTIONS as LOOKBACK_OPTIONS
from wagtail_pim.jobs.notifications import tell_of_lateness
from wagtail_pim.jobs.removals import CONFIRM_REMOVALS
from wagtail_pim.jobs.report import Report
from wagtail_pim.jobs.schedules import in_words, start_due
from wagtail_pim.jobs.setup_overview import (
    ClassOverview,
    DefinitionRow,
    FieldRow,
    SetupOverview,
)
from wagtail_pim.jobs.setup_words import value_label
from wagtail_pim.jobs.termination import EXIT_CODE as TERMINATED
from wagtail_pim.jobs.termination import Terminated, told_of_sigterm
from wagtail_pim.jobs.words import shown, started_by
from wagtail_pim.models import JobRun, JobRunItem, JobSchedule
from wagtail_pim.models.runs import Outcome, State, Trigger

EXIT_CODES = {State.SUCCEEDED: 0, State.FAILED_ITEMS: 2}
INTERRUPTED = 130
ITEMS_SHOWN = 50
SHORT_ID = 8
IDS_SHOWN = 10
LEVEL_LABELS = {
    Level.OK: gettext_lazy("OK"),
    Level.WARNING: gettext_lazy("Warning"),
    Level.ERROR: gettext_lazy("Error"),
}
EXITS_LIKE_RUN = (
    "Exits with 0 if all went well, with 2 if items failed, and with 1 if a run failed "
    "or was refused."
)


class RunNotFoundError(PimError):
    """No run, or more than one, is called so."""

    code = "run_not_found"


class Command(BaseCommand):
    help = "Synchronizes the product catalog with Optimizely PIM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="action", required=True)
        # Django's own options may stand after the action too.
        common = BaseCommand().create_parser("", "", add_help=False)
        for option in common._actions:
            option.default = SUPPRESS

        def add(name: str, help: str, description: str) -> ArgumentParser:
            command = commands.add_parser(
                name,
                help=help,
                description=description,
                parents=[common],
                formatter_class=DjangoHelpFormatter,
            )
            command.add_argument(
                "--json", action="store_true", help="print one JSON object"
            )
            return command

        run = add("run", "run a job", EXITS_LIKE_RUN)
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
        lookback = run.add_argument_group(
            "how far back refresh_published_products looks",
            "Without any: the lookback days of the PIM options, or to the last good "
            "refresh if that is longer ago.",
        ).add_mutually_exclusive_group()
        lookback.add_argument(
            "--lookback-days", metavar="N", help="what was published in N days"
        )
        lookback.add_argument(
            "--since", metavar="DATE", help="what was published since then, in UTC"
        )
        lookback.add_argument(
            "--all", action="store_true", default=None, help="all that is Published"
        )
        run.add_argument(
            "--confirm-removals",
            action="store_true",
            default=None,
            help="remove what the run finds to be removed, however much of the "
            "catalog it is; look at a dry run first",
        )
        add(
            "status",
            "show how the jobs are",
            "Exits with 1 if a job fails, is late or hangs.",
        )
        history = add(
            "runs", "list the last runs, or report one", "The newest run comes first."
        )
        history.add_argument(
            "run",
            nargs="?",
            metavar="RUN",
            help="report this run: its id, or the beginning of it",
        )
        history.add_argument(
            "--removed",
            action="store_true",
            help="list the pages that this run removed, with the ids by which they "
            "can be restored",
        )
        history.add_argument("--job", help="only those of this job")
        history.add_argument(
            "--limit", type=_positive_number, default=20, help="how many at most"
        )
        stop = add(
            "stop",
            "stop a run after the current batch",
            "What it saved stays. Exits with 1 if there is nothing to stop.",
        )
        stop.add_argument(
            "run",
            nargs="?",
            metavar="RUN",
            help="the run's id, or the beginning of it; without it, the run that "
            "writes",
        )
        restore = add(
            "restore",
            "make a page again that a run has deleted",
            "It becomes a draft where it was. While DISCARDS is “delete”, the next "
            "Publish approved products deletes it again, unless it is moved out of "
            "the catalog.",
        )
        restore.add_argument(
            "item",
            type=_positive_number,
            metavar="ITEM",
            help="its id, as “pim runs RUN --removed” lists it",
        )
        restore.add_argument(
            "--parent",
            metavar="PAGE",
            help="the page to put it under, instead of where it was: its id, or its "
            "path from the root of the page tree, such as /home/old/",
        )
        recover = add(
            "recover",
            "go on with what was interrupted",
            f"Runs without a sign of life are taken for dead. {EXITS_LIKE_RUN}",
        )
        recover.add_argument(
            "--now",
            action="store_true",
            help="take all runs for dead at once; one that lives ends before it "
            "saves more",
        )
        add(
            "due",
            "run what is due, as crontab does once a minute",
            f"For other timers than crontab. {EXITS_LIKE_RUN}",
        )
        add(
            "check",
            "check the options and the connection",
            "Exits with 1 if something has to be corrected.",
        )
        add(
            "schema",
            "show the site's definitions beside the PIM's",
            "Writes nothing. Exits with 1 if there are conflicts, if a category tree "
            "is mapped to several websites, or if the PIM can't be read.",
        )

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {
            "run": self.run,
            "status": self.show_status,
            "runs": self.show_runs,
            "stop": self.stop,
            "restore": self.restore,
            "recover": self.recover,
            "due": self.run_due,
            "check": self.check_connection,
            "schema": self.show_schema,
        }
        as_json = options["json"]
        for output in (self.stdout, self.stderr):
            # A terminal or a cron that knows few characters must not end the report.
            if hasattr(output, "reconfigure"):
                output.reconfigure(errors="replace")
        try:
            with told_of_sigterm():
                actions[action](**options)
        except (KeyboardInterrupt, Terminated) as end:
            self._give_up(
                as_json,
                State.INTERRUPTED,
                "interrupted",
                _("Stopped. What was saved before stays; run again."),
                TERMINATED if isinstance(end, Terminated) else INTERRUPTED,
            )
        except PimError as error:
            state = "refused" if isinstance(error, RunRefusedError) else State.FAILED
            self._give_up(as_json, state, error.code, str(error), 1)

    # Actions

    def run(
        self,
        *,
        job: str,
        dry_run: bool,
        product: list[str],
        json: bool,
        **options: Any,
    ) -> None:
        given = {
            name: options[name]
            for name in (*LOOKBACK_OPTIONS, CONFIRM_REMOVALS)
            if options[name] is not None
        }
        run = self._carry_out(job, dry_run=dry_run, numbers=product, options=given)
        if json:
            self._print_json_with_items(run)
        else:
            self._print_report(run)
        _exit_like([run])

    def show_status(self, *, json: bool, **_rest: Any) -> None:
        jobs = [health_of(job) for job in JOBS]
        for health in jobs:
            if health.schedule and health.late:
                tell_of_lateness(health.schedule, health.late)
        failed = any(health.level == Level.ERROR for health in jobs)
        if json:
            self._print_json(
                {"ok": not failed, "jobs": [health.as_json() for health in jobs]}
            )
        else:
            for health in jobs:
                self._print_health(health)
        if failed:
            sys.exit(1)

    def show_runs(
        self,
        *,
        run: str | None,
        removed: bool,
        job: str | None,
        limit: int,
        json: bool,
        **_rest: Any,
    ) -> None:
        if removed:
            self._show_removed(run, json)
            return
        if run:
            found = _run_called(run)
            if json:
                self._print_json_with_items(found)
            else:
                self.stdout.write(one_line(f"{found.pk}: {_in_short(found)}"))
                self._print_report(found)
            return
        chosen = JobRun.objects.select_related("user")
        if job:
            _expect_job(job)
            chosen = chosen.filter(job=job)
        chosen = chosen[:limit]
        if json:
            self._print_json({"runs": [run.as_json() for run in chosen]})
        elif chosen:
            self._print_runs(chosen)
        else:
            self.stdout.write(_("No runs."))

    def stop(self, *, run: str | None, json: bool, **_rest: Any) -> None:
        found = _run_called(run) if run else runs.active_writer()
        if found is None or not runs.request_stop(found):
            message = (
                _("Run %(run)s has ended.") % {"run": found.pk}
                if found
                else _("There is no run to stop.")
            )
            self._give_up(json, "idle", "nothing_to_stop", message, 1)
        found.refresh_from_db()
        if json:
            self._print_json(found.as_json())
        elif found.is_active:
            self.stdout.write(
                _("Run %(run)s ends after the current batch.") % {"run": found.pk}
            )
        else:
            self.stdout.write(_("Run %(run)s was stopped.") % {"run": found.pk})

    def _show_removed(self, run: str | None, json: bool) -> None:
        if run is None:
            raise RunNotFoundError(_("Say of which run: pim runs RUN --removed."))
        found = _run_called(run)
        removed = found.items.filter(outcome=Outcome.REMOVED)
        if json:
            self._print_json(
                {"run": str(found.pk), "items": [item.as_json() for item in removed]}
            )
        elif removed:
            self._console().print(_removed_table(removed))
        else:
            self.stdout.write(_("It removed nothing."))

    def restore(
        self, *, item: int, parent: str | None, json: bool, **_rest: Any
    ) -> None:
        found = JobRunItem.objects.filter(pk=item).first()
        if found is None:
            raise NotRestorableError(
                _("There is no record %(item)d in any run.") % {"item": item}
            )
        page, gone = restore(found, parent=_page_called(parent) if parent else None)
        if json:
            self._print_json({"page": page.pk, "url_path": page.url_path, "gone": gone})
            return
        self.stdout.write(
            _("“%(title)s” is restored as a draft: page %(page)d, %(path)s")
            % {"title": found.title, "page": page.pk, "path": page.url_path}
        )
        for each in gone:
            self.stdout.write(_("It is gone and left out: %(what)s") % {"what": each})
        if warning := discarded_again(page):
            self.stdout.write(warning)

    def recover(self, *, now: bool, json: bool, **_rest: Any) -> None:
        dead = runs.recover(at_once=now)
        resumed = [
            self._carry_out(run.job, options=run.options)
            for run in runs.interrupted_runs()
            # The one before may have made up for it.
            if runs.interrupted_run(run.job, options=run.options) == run
        ]
        if json:
            self._print_json(
                {
                    "interrupted": [run.as_json() for run in dead],
                    "resumed": [run.as_json() for run in resumed],
                }
            )
        else:
            for run in dead:
                self.stdout.write(one_line(f"{job_label(run.job)}: {run.error}"))
            for run in resumed:
                self._print_report(run)
            if not dead and not resumed:
                self.stdout.write(_("Nothing was interrupted."))
        _exit_like(resumed)

    def run_due(self, *, json: bool, **_rest: Any) -> None:
        waiting: list[tuple[str, str]] = []
        ended = start_due(tell_waiting=lambda job, why: waiting.append((job, str(why))))
        if json:
            self._print_json(
                {
                    "runs": [run.as_json() for run in ended],
                    "waiting": [{"job": job, "why": why} for job, why in waiting],
                }
            )
        else:
            for run in ended:
                self._print_report(run)
            for job, why in waiting:
                text = _("%(job)s is due and waits: %(why)s")
                self.stdout.write(one_line(text % {"job": job_label(job), "why": why}))
            if not ended and not waiting:
                self.stdout.write(_("Nothing is due."))
        _exit_like(ended)

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
            for finding in findings:
                level = self._styled_level(finding.level)
                self.stdout.write(f"{level} {finding.subject}: {finding.message}")
        if failed:
            sys.exit(1)

    def show_schema(self, *, json: bool, **_rest: Any) -> None:
        overview = SetupOverview.read()
        if json:
            self._print_json(overview.as_json())
        else:
            self._print_schema(overview)
        if not overview.is_in_order():
            sys.exit(1)

    # Runs

    def _carry_out(self, job: str, **options: Any) -> JobRun:
        with _progress(job_label(job)) as show:
            run = runs.start(job, trigger=Trigger.COMMAND, **options)
            return runs.carry_out(run.pk, show_progress=show)

    def _give_up(
        self, as_json: bool, state: str, code: str, message: str, exit_code: int
    ) -> NoReturn:
        """End without a run to report."""
        if not as_json:
            raise CommandError(message, returncode=exit_code)
        self._print_json({"state": state, "error": {"code": code, "message": message}})
        sys.exit(exit_code)

    # Output

    def _print_json(self, value: dict[str, Any]) -> None:
        self.stdout.write(_as_json(value))

    def _print_json_with_items(self, run: JobRun) -> None:
        """One object too, never whole in memory: a run may have very many items."""
        beginning = _as_json(run.as_json()).removesuffix("}")
        self.stdout.write(f'{beginning}, "items": [', ending="")
        for at, item in enumerate(run.items.iterator()):
            comma = ", " if at else ""
            self.stdout.write(comma + _as_json(item.as_json()), ending="")
        self.stdout.write("]}")

    def _console(self) -> Console:
        return Console(
            file=self.stdout._out, highlight=False, no_color=not self.stdout.isatty()
        )

    def _styled_level(self, level: Level) -> str:
        style = {
            Level.OK: self.style.SUCCESS,
            Level.WARNING: self.style.WARNING,
            Level.ERROR: self.style.ERROR,
        }[level]
        return str(style(f"{LEVEL_LABELS[level].upper():7}"))

    def _print_health(self, health: Health) -> None:
        self.stdout.write(f"{self._styled_level(health.level)} {job_label(health.job)}")
        facts = list(health.messages)
        if health.active:
            facts.append(_("Now: %(run)s") % {"run": _in_short(health.active)})
        if health.last_run:
            facts.append(_("Last run: %(run)s") % {"run": _in_short(health.last_run)})
        facts.append(_schedule_in_short(health.schedule))
        for fact in facts:
            self.stdout.write(f"        {one_line(fact)}")

    def _print_runs(self, chosen: Iterable[JobRun]) -> None:
        table = Table()
        table.add_column(_("Run"), no_wrap=True)
        for heading in (_("Job"), _("Started"), _("By"), _("State")):
            table.add_column(heading)
        table.add_column(_("Failed"), justify="right")
        for run in chosen:
            cells = (
                str(run.pk)[:SHORT_ID],
                _title(run),
                shown(run.created_at),
                started_by(run),
                run.get_state_display(),
                str(run.counts[Outcome.FAILED]),
            )
            table.add_row(*(Text(one_line(cell)) for cell in cells))
        self._console().print(table)

    def _print_schema(self, overview: SetupOverview) -> None:
        console = self._console()

        def tell(text: str = "") -> None:
            console.print(one_line(text), markup=False, soft_wrap=True)

        for each in overview.classes:
            tell(_class_title(each))
            console.print(_fields_table(each))
            rows: list[DefinitionRow | FieldRow] = [each.template, *each.fields]
            for row in rows:
                for sentence in row.outlook:
                    tell(f"{row.name}: {sentence}")
            tell()
        for _kind, heading, definitions in overview.others:
            if definitions:
                tell(str(heading))
                console.print(_definitions_table(definitions))
        for tree in overview.trees:
            for website in tree.websites:
                tell(f"{tree.name} → {website.name}: {website.page or website.note}")
            if tree.problem:
                tell(tree.problem)
        for heading, names in overview.rest:
            tell(
                _("Only in the PIM: %(heading)s: %(names)s")
                % {"heading": heading, "names": ", ".join(names)}
            )
        for model in overview.kept_out:
            tell(_("Kept out of the synchronization: %(name)s") % {"name": model.name})
        if overview.error:
            tell(_("The PIM could not be read: %(error)s") % {"error": overview.error})
        else:
            tell(", ".join(text for _state, text in overview.summary()))

    def _print_report(self, run: JobRun) -> None:
        console = self._console()
        title = job_label(run.job)
        if run.dry_run:
            title = _("%(job)s (dry run: nothing was written)") % {"job": title}
        table = Table("", title=title, title_justify="left")
        report = Report.of(run)
        columns = [run.counts]
        table.add_column(str(report.counted), justify="right")
        if report.with_categories:
            columns.append(run.category_counts)
            table.add_column(_("Categories"), justify="right")
        for outcome in Outcome:
            numbers = [str(counts[outcome]) for counts in columns]
            table.add_row(str(outcome.label), *numbers)
        if report.with_acknowledged:
            table.add_row(_("acknowledged"), str(run.acknowledged))
        console.print(table)
        if report.looked_back:
            console.print(_("Taken: %(which)s") % {"which": report.looked_back})
        if not run.is_active and not run.error and not run.counts.total():
            console.print(_("There was nothing to do."))
        if run.dry_run:
            _print_some(console, run.items.filter(reason=""), _planned_lines)
        _print_some(console, run.failed_items(), _failure_line)
        closing = [_("Warning: %(text)s") % {"text": text} for text in run.warnings]
        if run.state == State.FAILED:
            closing.append(_("The run failed: %(error)s") % {"error": run.error})
        elif run.error:
            closing.append(run.error)
        for line in closing:
            console.print(one_line(line), markup=False)


def _as_json(value: dict[str, Any]) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder)


def _positive_number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number, 1 or more")
    return int(text)


def _exit_like(ended: Iterable[JobRun]) -> None:
    """With the code of the worst of the runs."""
    codes = {EXIT_CODES.get(State(run.state), 1) for run in ended}
    if worst := next((code for code in (1, 2) if code in codes), 0):
        sys.exit(worst)


@contextmanager
def _progress(title: str) -> Iterator[ShowProgress]:
    """A bar where somebody looks; what moves it."""
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
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _run_called(beginning: str) -> JobRun:
    """The one whose id begins so; raises RunNotFoundError if it is not one."""
    digits = beginning.strip().replace("-", "")
    try:
        first, last = (UUID(digits.ljust(32, end)) for end in "0f")
    except ValueError:
        found = []
    else:
        found = list(JobRun.objects.filter(pk__range=(first, last))[: IDS_SHOWN + 1])
    if not found:
        raise RunNotFoundError(
            _("There is no run whose id begins with “%(beginning)s”.")
            % {"beginning": beginning}
        )
    if len(found) > 1:
        ids = [str(run.pk) for run in found[:IDS_SHOWN]]
        if len(found) > IDS_SHOWN:
            ids.append("…")
        raise RunNotFoundError(
            _("Several runs have ids that begin with “%(beginning)s”: %(ids)s")
            % {"beginning": beginning, "ids": ", ".join(ids)}
        )
    return found[0]


def _page_called(name: str) -> Page:
    """The page with this id or url_path; raises NotRestorableError without one."""
    pages = Page.objects.all()
    if name.isdecimal():
        found = pages.filter(pk=int(name)).first()
    else:
        found = pages.filter(url_path=f"/{name.strip('/')}/").first()
    if found is None:
        raise NotRestorableError(_("There is no page %(name)s.") % {"name": name})
    return found


def _expect_job(name: str) -> None:
    """Raises ConfigurationError for one that neither is nor was."""
    known = {*JOBS, *JobRun.objects.order_by().values_list("job", flat=True).distinct()}
    if name not in known:
        raise ConfigurationError(
            _("There is no job %(name)s. The jobs are: %(names)s.")
            % {"name": name, "names": ", ".join(sorted(known))}
        )


def _title(run: JobRun) -> str:
    title = job_label(run.job)
    return _("%(job)s (dry run)") % {"job": title} if run.dry_run else title


def _in_short(run: JobRun) -> str:
    return _("%(state)s, started %(time)s by %(who)s") % {
        "state": run.get_state_display(),
        "time": shown(run.created_at),
        "who": started_by(run),
    }


def _schedule_in_short(schedule: JobSchedule | None) -> str:
    if schedule is None or not schedule.enabled:
        return _("Schedule: off")
    words = in_words(schedule.cron)
    if schedule.due_at is None:
        return _(
            "Schedule: %(words)s; the next time is set when crontab asks what is due"
        ) % {"words": words}
    text = (
        _("Schedule: %(words)s; next %(time)s")
        if schedule.due_at > timezone.now()
        else _("Schedule: %(words)s; due since %(time)s")
    )
    return text % {"words": words, "time": shown(schedule.due_at)}


def _class_title(each: ClassOverview) -> str:
    return _("%(label)s: %(class)s, %(kind)s, template: %(template)s") % {
        "label": each.label,
        "class": each.name,
        "kind": each.kind_label,
        "template": ", ".join(
            filter(None, (each.template.name, _state(each.template)))
        ),
    }


def _fields_table(each: ClassOverview) -> Table:
    rows = [
        (
            row.name,
            row.property_name,
            row.site_type,
            row.pim_type or row.pim_control,
            _("yes") if row.is_required else _("no"),
            _("yes") if row.is_translatable else _("no"),
            _state(row),
        )
        for row in each.fields
    ]
    takers = [(field.name, _("any other")) for field in each.takes_any]
    headings = (
        _("Field"),
        _("PIM property"),
        _("Type here"),
        _("Type in the PIM"),
        _("Required"),
        _("Translatable"),
        _("State"),
    )
    return _table(headings, [*rows, *takers])


def _definitions_table(definitions: Iterable[DefinitionRow]) -> Table:
    rows = [(row.name, _state(row), " ".join(row.outlook)) for row in definitions]
    headings = (_("Name"), _("State"), _("Synchronize setup data"))
    return _table(headings, rows)


def _removed_table(removed: Iterable[JobRunItem]) -> Table:
    headings = (_("Id"), _("Kind"), _("Number"), _("Title"), _("Can be restored"))
    rows = [
        (
            str(item.pk),
            item.get_kind_display(),
            item.number,
            item.title,
            _("yes") if item.is_restorable else _("no"),
        )
        for item in removed
    ]
    return _table(headings, rows)


def _state(row: DefinitionRow | FieldRow) -> str:
    return str(row.state.label()) if row.state else ""


def _table(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> Table:
    table = Table()
    for heading in headings:
        # Names are told to their end, however narrow the terminal.
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(str(cell))) for cell in row))
    return table


def _print_some(
    console: Console,
    items: QuerySet[JobRunItem],
    as_text: Callable[[JobRunItem], str],
) -> None:
    """The first items, and how many more there are."""
    for item in items[:ITEMS_SHOWN]:
        console.print(as_text(item), markup=False)
    more = items.count() - ITEMS_SHOWN
    if more > 0:
        console.print(_("… and %(count)d more; --json lists all.") % {"count": more})


def _planned_lines(item: JobRunItem) -> str:
    lines = [
        f"{item.get_outcome_display()} {item.get_kind_display()} {item.number}",
        *(
            f"{value_label(name)}: {quoted(old)} → {quoted(new)}"
            for name, (old, new) in item.differences.items()
        ),
    ]
    return "\n    ".join(map(one_line, lines))


def _failure_line(item: JobRunItem) -> str:
    return one_line(
        _("Failed: %(kind)s %(number)s: %(reason)s")
        % {
            "kind": item.get_kind_display(),
            "number": item.number,
            "reason": item.reason,
        }
    )
