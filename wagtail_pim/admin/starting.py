"""What every button does that starts a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from wagtail_pim.exceptions import ConfigurationError, RunRefusedError
from wagtail_pim.jobs import job_label, runs
from wagtail_pim.jobs.registry import job_named
from wagtail_pim.jobs.removals import question_before_removals
from wagtail_pim.models.runs import Trigger
from wagtail_pim.tasks import enqueue

# Sent along by a person who was asked, and means it.
CONFIRMED: Final = "confirmed"


def start_run(
    request: HttpRequest,
    job: str,
    *,
    back: str,
    dry_run: bool,
    numbers: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Begin a run and show its page; where it is refused, say why and go ``back``.

    Where the job has a question, it is asked first: the same request has to come once
    more, with the answer.
    """
    try:
        options = job_named(job).checked_options(options or {})
        question = "" if dry_run else _question(job, options)
        if question and CONFIRMED not in request.POST:
            ask = QuestionView.as_view(job=job, question=question, back=back)
            return ask(request)
        run = runs.start(
            job,
            trigger=Trigger.ADMIN,
            user=request.user,
            dry_run=dry_run,
            numbers=numbers,
            options=options,
        )
    except RunRefusedError as error:
        messages.error(request, str(error), buttons=_buttons_to_active_run())
        return redirect(back)
    except ConfigurationError as error:
        messages.error(request, str(error))
        return redirect(back)
    enqueue(run)
    return redirect("wagtail_pim:run", run.pk)


def _question(job: str, options: Mapping[str, Any]) -> str:
    questions = (question_before_removals(options), job_named(job).question())
    return " ".join(filter(None, questions))


class QuestionView(WagtailAdminTemplateMixin, TemplateView):
    """Asks once more, with all that was sent, before a job starts."""

    template_name = "wagtail_pim/admin/start_question.html"
    page_title = gettext_lazy("Confirm the start")
    header_icon = "tasks"
    http_method_names = ["post"]
    job = ""
    question = ""
    back = ""

    def get_page_subtitle(self) -> str:
        return job_label(self.job)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse("wagtail_pim:jobs"), "label": _("Jobs")},
            {"url": "", "label": self.page_title, "sublabel": job_label(self.job)},
        ]

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        sent = {
            name: value
            for name, value in request.POST.items()
            if name != "csrfmiddlewaretoken"
        }
        context = self.get_context_data(
            question=self.question,
            back=self.back,
            fields={**sent, CONFIRMED: "on"},
        )
        return self.render_to_response(context)


def _buttons_to_active_run() -> list[Any]:
    run = runs.active_writer()
    if run is None:
        return []
    return [
        messages.button(reverse("wagtail_pim:run", args=[run.pk]), _("See the run"))
    ]
