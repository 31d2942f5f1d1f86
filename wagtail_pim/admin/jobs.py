"""The screen "Jobs": what each job does, how it is, and its buttons."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from django.views.generic import TemplateView, UpdateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.admin.widgets import SwitchInput

from wagtail_pim.client.options import MAX_LOOKBACK_DAYS
from wagtail_pim.exceptions import PimError
from wagtail_pim.jobs import JOBS, connect
from wagtail_pim.jobs.base import IMPATIENT, Job
from wagtail_pim.jobs.health import health_of
from wagtail_pim.jobs.lookback import OPTIONS
from wagtail_pim.jobs.removals import CONFIRM_REMOVALS
from wagtail_pim.jobs.schedules import (
    clean_cron,
    in_words,
    next_times,
    save_schedule,
    schedule_of,
)
from wagtail_pim.jobs.words import duration_in_words
from wagtail_pim.models import JobRun, JobSchedule, PIMOptions
from wagtail_pim.models.runs import ACTIVE_STATES
from wagtail_pim.tasks import why_not_in_background

from .chart import RunChart
from .permissions import may_run, may_schedule, may_view
from .starting import start_run


@method_decorator(may_view, name="dispatch")
class JobsView(WagtailAdminTemplateMixin, TemplateView):
    template_name = "wagtail_pim/admin/jobs.html"
    page_title = gettext_lazy("Jobs")
    header_icon = "tasks"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [*self.breadcrumbs_items, {"url": "", "label": self.page_title}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "cards": list(_cards()),
            "backend_warning": why_not_in_background(),
            "chart": RunChart(),
        }


def _cards() -> Iterator[dict[str, Any]]:
    for name, job in JOBS.items():
        context = _state_of(job)
        schedule = context["health"].schedule or schedule_of(name)
        yield {
            **context,
            "description": job.description,
            "icon": job.icon,
            "schedule": schedule,
            "meaning": meaning_of(schedule.cron),
            "asks_pim": bool(job.waiting_status),
            "lookback": _lookback() if job.looks_back else None,
        }


class LookbackForm(forms.Form):
    """How far back Refresh published products looks; the job checks what is given."""

    lookback_days = forms.IntegerField(
        label=gettext_lazy("Published in the last … days"),
        min_value=1,
        max_value=MAX_LOOKBACK_DAYS,
        required=False,
    )
    since = forms.DateField(
        label=gettext_lazy("Or published since (a date, in UTC)"),
        widget=forms.DateInput(attrs={"type": "date"}),
        required=False,
    )
    all = forms.BooleanField(
        label=gettext_lazy("Or all published products"), required=False
    )


def _lookback() -> dict[str, Any]:
    days = PIMOptions.current().in_force("number_of_lookback_days")
    return {"form": LookbackForm(), "usual_days": days}


def _state_of(job: type[Job]) -> dict[str, Any]:
    health = health_of(job.name)
    active = JobRun.objects.filter(job=job.name, state__in=ACTIVE_STATES)
    last = health.last_run
    return {
        "label": job.label,
        "counted": job.counted,
        "health": health,
        # A dry run may go on beside a run that writes: the one that runs comes first.
        "active": list(active.order_by("-state")),
        "last_took": duration_in_words(last) if last else "",
    }


def meaning_of(text: str) -> dict[str, Any]:
    """What a cron expression says: ``words`` and ``times``, or an ``error``."""
    try:
        cron = clean_cron(text)
    except ValidationError as error:
        return {"error": " ".join(error.messages)}
    return {"words": in_words(cron), "times": next_times(cron)}


def _job_or_404(name: str) -> type[Job]:
    try:
        return JOBS[name]
    except KeyError:
        raise Http404 from None


@require_GET
@may_view
def state(request: HttpRequest, job: str) -> HttpResponse:
    """How the job is at this moment, for the page that is open."""
    context = _state_of(_job_or_404(job))
    return render(request, "wagtail_pim/admin/jobs_state.html", context)


@require_GET
@may_view
def waiting(request: HttpRequest, job: str) -> HttpResponse:
    """How many products wait in the PIM; the PIM may take its time to tell."""
    status = _job_or_404(job).waiting_status
    if not status:
        raise Http404
    context: dict[str, Any] = {}
    try:
        pim = connect(policy=IMPATIENT)
        context["count"], context["since"] = pim.client.waiting(status)
    except PimError as error:
        context["error"] = error
    return render(request, "wagtail_pim/admin/jobs_waiting.html", context)


@require_POST
@may_run
def start(request: HttpRequest, job: str) -> HttpResponse:
    """Begin a run; its page shows how it goes on."""
    _job_or_404(job)
    return start_run(
        request,
        job,
        dry_run="dry_run" in request.POST,
        options={
            name: request.POST[name]
            for name in (*OPTIONS, CONFIRM_REMOVALS)
            if request.POST.get(name)
        },
        back=reverse("wagtail_pim:jobs"),
    )


class ScheduleForm(forms.ModelForm):
    class Meta:
        model = JobSchedule
        fields = ("enabled", "cron")
        widgets = {"enabled": SwitchInput}

    def clean_cron(self) -> str:
        return clean_cron(self.cleaned_data["cron"])


@method_decorator(may_schedule, name="dispatch")
class ScheduleView(WagtailAdminTemplateMixin, UpdateView):
    form_class = ScheduleForm
    template_name = "wagtail_pim/admin/schedule.html"
    page_title = gettext_lazy("Schedule")
    header_icon = "calendar-alt"

    def get_object(self, queryset: Any = None) -> JobSchedule:
        self.job = _job_or_404(self.kwargs["job"])
        return schedule_of(self.job.name)

    def get_page_subtitle(self) -> Any:
        return self.job.label

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("wagtail_pim:jobs"), "label": JobsView.page_title},
            {
                "url": "",
                "label": self.page_title,
                "sublabel": self.job.label,
            },
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {
            **context,
            "job": self.job.name,
            "description": self.job.description,
            "media": context["form"].media,
            "meaning": meaning_of(context["form"]["cron"].value() or ""),
            "action_url": self.request.path,
            "submit_button_label": _("Save"),
            "submit_button_active_label": _("Saving…"),
        }

    def form_valid(self, form: ScheduleForm) -> HttpResponse:
        save_schedule(form.instance, self.request.user)
        if form.instance.enabled:
            told = _("The schedule was saved: %(job)s starts by itself.")
        else:
            told = _("The schedule was saved: %(job)s does not start by itself.")
        messages.success(self.request, told % {"job": self.job.label})
        return redirect("wagtail_pim:jobs")

    def form_invalid(self, form: ScheduleForm) -> HttpResponse:
        messages.validation_error(
            self.request, _("The schedule was not saved because of errors."), form
        )
        return super().form_invalid(form)


@require_GET
@may_schedule
def schedule_meaning(request: HttpRequest, job: str) -> HttpResponse:
    """What the expression that somebody types would mean."""
    _job_or_404(job)
    meaning = meaning_of(request.GET.get("cron", ""))
    context = {"meaning": meaning, "with_times": True}
    return render(request, "wagtail_pim/admin/schedule_meaning.html", context)


urlpatterns = [
    path("jobs/", JobsView.as_view(), name="jobs"),
    path("jobs/<str:job>/state/", state, name="job_state"),
    path("jobs/<str:job>/waiting/", waiting, name="job_waiting"),
    path("jobs/<str:job>/start/", start, name="start"),
    path("jobs/<str:job>/schedule/", ScheduleView.as_view(), name="schedule"),
    path("jobs/<str:job>/schedule/meaning/", schedule_meaning, name="schedule_meaning"),
]
