"""The screen of one run: how far it is, and what came of each record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import django_filters
from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.staticfiles import versioned_static
from wagtail.admin.ui.tables import Column, Table, TitleColumn
from wagtail.admin.utils import (
    get_user_display_name,
    get_valid_next_url_from_request,
)
from wagtail.models import Page

from wagtail_pim.catalog.restoring import NotRestorableError, parent_of, restore
from wagtail_pim.jobs import JOBS, job_label, runs
from wagtail_pim.jobs.discards import discarded_again
from wagtail_pim.jobs.removals import RemovalsToConfirmError
from wagtail_pim.jobs.report import Report
from wagtail_pim.jobs.setup_words import value_label
from wagtail_pim.jobs.words import (
    duration_in_words,
    run_title,
    seconds_in_words,
    shown,
    started_by,
    why_silent,
)
from wagtail_pim.kinds import CATEGORY_KINDS, PRODUCT_KINDS
from wagtail_pim.models import JobRun, JobRunItem
from wagtail_pim.models.runs import ITEM_KINDS, Outcome, State

from .chart import ENDED_EARLY
from .listings import (
    ListingView,
    RunsView,
    TemplateColumn,
    YesNoFilter,
)
from .permissions import (
    RUN_JOBS,
    STOP_JOBS,
    RunPermissionPolicy,
    may_run,
    may_stop,
    may_view,
)
from .side_panel import label_of
from .starting import start_run

SHORTENED_TO: Final = 200


# How far the run is


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a run goes: records a second, and how long the rest takes at that.

    Nothing is ``left`` once all records are done.
    """

    rate: float
    left: str

    @classmethod
    def of(cls, run: JobRun) -> Pace | None:
        """None while nothing can be told."""
        if not run.done or run.work_started_at is None or run.total is None:
            return None
        now = run.finished_at or timezone.now()
        seconds = (now - run.work_started_at).total_seconds()
        if seconds <= 0:
            return None
        rate = run.done / seconds
        rest = run.total - run.done
        return cls(rate, seconds_in_words(rest / rate) if rest else "")


def _explanation(run: JobRun) -> str:
    """What the state of the run means, and what follows or is to be done."""
    if run.is_active and (silence := why_silent(run)):
        return silence
    if run.state == State.QUEUED:
        return _("It waits for a worker.")
    if run.state == State.RUNNING:
        if run.stop_requested_at is not None:
            return _("It was asked to stop, and ends after the current batch.")
        if run.total is None:
            return _("It asks the PIM what there is to do.")
    return ""


def _stopped_by(run: JobRun) -> str:
    user = run.stop_requested_by
    if run.state != State.STOPPED or user is None:
        return ""
    return get_user_display_name(user)


def _announcement(run: JobRun) -> str:
    """What is read aloud, and so changes every tenth of the way and no oftener."""
    if run.state != State.RUNNING or not run.total:
        return str(run.get_state_display())
    return _("%(percent)d percent done") % {
        "percent": 10 * (10 * run.done // run.total)
    }


# What came of it


def _counts(
    run: JobRun, *, with_categories: bool
) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """By outcome: how many records and categories, and the query that lists them.

    What is in step is counted and not listed.
    """
    # Where nothing else is counted, all kinds are meant.
    columns = [(run.counts, PRODUCT_KINDS if with_categories else ())]
    if with_categories:
        columns.append((run.category_counts, CATEGORY_KINDS))
    for outcome in Outcome:
        yield (
            capfirst(outcome.label),
            [
                (number, _query(outcome, kinds) if number else "")
                for counts, kinds in columns
                for number in [counts[outcome.value]]
            ],
        )


def _query(outcome: Outcome, kinds: Sequence[str]) -> str:
    if outcome == Outcome.UNCHANGED:
        return ""
    return urlencode({"outcome": outcome.value, "kind": kinds}, doseq=True)


def overview(run: JobRun, user: Any) -> dict[str, Any]:
    """What the screen shows of the run besides its items."""
    ended = not run.is_active
    may_start = ended and run.job in JOBS and user.has_perm(RUN_JOBS)
    report = Report.of(run)
    return {
        "run": run,
        "job": job_label(run.job),
        "started_by": started_by(run),
        "stopped_by": _stopped_by(run),
        "duration": duration_in_words(run),
        "explanation": _explanation(run),
        "announcement": _announcement(run),
        "pace": Pace.of(run),
        "report": report,
        "counts": list(_counts(run, with_categories=report.with_categories)),
        "failed": run.failed_items().count(),
        "resumes": run.resumes and (run_title(run.resumes), run.resumes_id),
        "resumed_by": [(run_title(later), later.pk) for later in run.resumed_by.all()],
        "may_stop": not ended and user.has_perm(STOP_JOBS),
        "may_run_again": may_start and run.state in ENDED_EARLY and not run.numbers,
        "may_confirm": may_start and run.error_code == RemovalsToConfirmError.code,
        "retryable": len(run.retryable_numbers()) if may_start else 0,
    }


def _run_or_404(run_id: UUID) -> JobRun:
    related = ("user", "stop_requested_by", "resumes")
    return get_object_or_404(JobRun.objects.select_related(*related), pk=run_id)


# Its items


@dataclass(frozen=True, slots=True)
class Value:
    """As text; ``short`` is its beginning, where it is long."""

    text: str

    @property
    def short(self) -> str:
        return self.text[:SHORTENED_TO] if len(self.text) > SHORTENED_TO else ""


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    old: Value
    new: Value

    @classmethod
    def all_of(cls, item: JobRunItem, page: Page | None) -> list[Difference]:
        return [
            cls(
                value_label(name) if page is None else label_of(type(page), name),
                Value(_text(old)),
                Value(_text(new)),
            )
            for name, (old, new) in item.differences.items()
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.old.text or '–'} → {self.new.text or '–'}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    )


class ItemFilterSet(WagtailFilterSet):
    outcome = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("Outcome"),
        choices=Outcome.choices(),
        widget=forms.CheckboxSelectMultiple,
    )
    kind = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("Kind"),
        choices=ITEM_KINDS,
        widget=forms.CheckboxSelectMultiple,
    )
    attention = YesNoFilter(
        label=gettext_lazy("Attention"),
        method="filter_attention",
        yes=gettext_lazy("Needed"),
        no=gettext_lazy("Not needed"),
    )
    acknowledged = YesNoFilter(
        label=gettext_lazy("Acknowledged in the PIM"),
        yes=gettext_lazy("Acknowledged"),
        no=gettext_lazy("Not acknowledged"),
    )

    class Meta:
        model = JobRunItem
        fields: list[str] = []

    def filter_attention(
        self, items: QuerySet[JobRunItem], name: str, value: str
    ) -> QuerySet[JobRunItem]:
        return items.exclude(reason="") if value == "True" else items.filter(reason="")


class ItemTable(Table):
    """Below a row stands what differs."""

    template_name = "wagtail_pim/admin/item_table.html"


class RunView(ListingView):
    """The run and its items."""

    model = JobRunItem
    permission_policy = RunPermissionPolicy(JobRun)
    template_name = "wagtail_pim/admin/run.html"
    header_icon = "history"
    verbose_name_plural = gettext_lazy("records")
    filterset_class = ItemFilterSet
    search_fields = ["number", "title", "reason"]
    default_ordering = "pk"
    table_class = ItemTable
    columns = [
        Column("number", label=gettext_lazy("Number"), sort_key="number"),
        TitleColumn(
            "title",
            label=gettext_lazy("Title"),
            sort_key="title",
            get_url=lambda item: item.edit_url,
        ),
        Column(
            "kind",
            label=gettext_lazy("Kind"),
            accessor="get_kind_display",
            sort_key="kind",
        ),
        TemplateColumn(
            "item_outcome", label=gettext_lazy("Outcome"), sort_key="outcome"
        ),
        TemplateColumn("item_reason", label=gettext_lazy("Reason or note")),
        TemplateColumn("item_links", label=gettext_lazy("See also")),
    ]
    export_names = {
        "number": gettext_lazy("Number"),
        "title": gettext_lazy("Title"),
        "get_kind_display": gettext_lazy("Kind"),
        "get_outcome_display": gettext_lazy("Outcome"),
        "acknowledged": gettext_lazy("Acknowledged in the PIM"),
        "reason": gettext_lazy("Reason"),
        "note": gettext_lazy("Note"),
        "page_id": gettext_lazy("Page"),
        "page_url": gettext_lazy("Address"),
        "guid": gettext_lazy("PIM Guid"),
        "differences_in_words": gettext_lazy("Differences"),
    }

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.run = _run_or_404(kwargs["run_id"])
        self.may_restore = request.user.has_perm(RUN_JOBS)

    def get_page_title(self) -> str:
        return run_title(self.run)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        of_list = {
            "url": reverse(RunsView.index_url_name),
            "label": RunsView.page_title,
        }
        of_run = {"url": "", "label": shown(self.run.created_at)}
        return [*self.breadcrumbs_items, of_list, of_run]

    def get_index_url(self) -> str:
        return reverse("wagtail_pim:run", args=[self.run.pk])

    def get_index_results_url(self) -> str:
        return reverse("wagtail_pim:run_results", args=[self.run.pk])

    def get_filename(self) -> str:
        return f"pim-run-{self.run.pk}"

    @cached_property
    def no_results_message(self) -> str:
        message = str(super().no_results_message)
        in_step = self.run.counts[Outcome.UNCHANGED.value]
        if self.is_filtering or self.is_searching or not in_step:
            return message
        hint = _("Unchanged ones are only counted.")
        return f"{message} {hint}"

    def get_base_queryset(self) -> QuerySet[JobRunItem]:
        return self.run.items.all()

    def complete(self, rows: Sequence[Any]) -> None:
        pages = self.pages(rows)
        for item in rows:
            page = pages.get(item.page_id)
            item.edit_url = page and self.urls.get_edit_url(page)
            item.page_url = page and page.get_full_url(self.request)
            item.differences_shown = Difference.all_of(item, page)
            item.may_restore = self.may_restore and item.is_restorable
            item.differences_in_words = "\n".join(map(str, item.differences_shown))
            item.address_in_pim = (
                self.product_address(item.guid, item.number)
                if item.guid and item.kind in PRODUCT_KINDS
                else ""
            )

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["media"] += forms.Media(
            js=[versioned_static("wagtail_pim/js/run-progress.js")]
        )
        return context | overview(self.run, self.request.user)


# Its views


@require_GET
@may_view
def progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The overview, for the page that is open."""
    context = overview(_run_or_404(run_id), request.user)
    return render(request, "wagtail_pim/admin/run_overview.html", context)


@require_POST
@may_stop
def stop(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _run_or_404(run_id)
    if not runs.request_stop(run, request.user):
        messages.warning(request, _("The run has ended already."))
    elif run.is_active:
        messages.success(request, _("The run ends after the current batch."))
    else:
        messages.success(request, _("The run was stopped before it began."))
    back = reverse("wagtail_pim:run", args=[run.pk])
    return redirect(get_valid_next_url_from_request(request) or back)


@require_POST
@may_run
def retry(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The same job again, for the products alone with which it failed."""
    run = _run_or_404(run_id)
    numbers = run.retryable_numbers()
    if run.is_active or run.job not in JOBS or not numbers:
        messages.warning(request, _("There is nothing to retry."))
        return redirect("wagtail_pim:run", run.pk)
    return start_run(
        request,
        run.job,
        dry_run=run.dry_run,
        numbers=numbers,
        back=reverse("wagtail_pim:run", args=[run.pk]),
    )


@require_POST
@may_run
def restore_page(request: HttpRequest, run_id: UUID, item_id: int) -> HttpResponse:
    """Make a page again that the run has deleted, as a draft where it was."""
    item = get_object_or_404(JobRunItem, run=run_id, pk=item_id)
    try:
        parent = parent_of(item)
        if not parent.permissions_for_user(request.user).can_add_subpage():
            raise PermissionDenied
        page, gone = restore(item, parent, user=request.user)
    except NotRestorableError as error:
        messages.error(request, str(error))
        return redirect("wagtail_pim:run", run_id)
    title = page.get_admin_display_title()
    messages.success(request, _("“%(page)s” is restored as a draft.") % {"page": title})
    if gone:
        text = _("What is gone meanwhile was left out: %(gone)s.")
        messages.warning(request, text % {"gone": ", ".join(gone)})
    if warning := discarded_again(page):
        messages.warning(request, warning)
    return redirect("wagtailadmin_pages:edit", page.pk)


urlpatterns = [
    path("runs/<uuid:run_id>/", RunView.as_view(), name="run"),
    path(
        "runs/<uuid:run_id>/results/",
        RunView.as_view(results_only=True),
        name="run_results",
    ),
    path("runs/<uuid:run_id>/progress/", progress, name="run_progress"),
    path("runs/<uuid:run_id>/stop/", stop, name="stop"),
    path("runs/<uuid:run_id>/retry/", retry, name="retry"),
    path(
        "runs/<uuid:run_id>/records/<int:item_id>/restore/",
        restore_page,
        name="restore",
    ),
]
