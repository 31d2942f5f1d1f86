"""What every button does that starts a run."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.admin import messages

from wagtail_pim.exceptions import RunRefusedError
from wagtail_pim.jobs import runs
from wagtail_pim.models.runs import Trigger
from wagtail_pim.tasks import enqueue


def start_run(
    request: HttpRequest, job: str, *, back: str, **options: Any
) -> HttpResponse:
    """Begin a run and show its page; where it is refused, say why and go ``back``."""
    try:
        run = runs.start(job, trigger=Trigger.ADMIN, user=request.user, **options)
    except RunRefusedError as error:
        messages.error(request, str(error), buttons=_buttons_to_active_run())
        return redirect(back)
    enqueue(run)
    return redirect("wagtail_pim:run", run.pk)


def _buttons_to_active_run() -> list[Any]:
    run = runs.active_writer()
    if run is None:
        return []
    return [
        messages.button(reverse("wagtail_pim:run", args=[run.pk]), _("See the run"))
    ]
