from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.utils import get_valid_next_url_from_request
from wagtail.contrib.settings.views import get_setting_edit_handler
from wagtail.models import Page

from wagtail_pim.exceptions import ConfigurationError, PimError
from wagtail_pim.jobs import runs
from wagtail_pim.jobs.connection_check import Finding, Level, check_connection
from wagtail_pim.kinds import ASSET_KINDS, PICTURE
from wagtail_pim.models import JobRun, JobRunItem, PimLink, PIMOptions
from wagtail_pim.models.runs import Outcome

from .permissions import CHANGE_OPTIONS
from .side_panel import label_of, may_refresh


@sensitive_post_parameters("secret_key")
@require_POST
def test_connection(request: HttpRequest) -> HttpResponse:
    """Tries the options that stand in the form, without saving them."""
    if not request.user.has_perm(CHANGE_OPTIONS):
        raise PermissionDenied
    return render(
        request,
        "wagtail_pim/admin/findings.html",
        {"findings": list(_findings(request.POST))},
    )


def _findings(posted: QueryDict) -> Iterator[Finding]:
    form_class = get_setting_edit_handler(PIMOptions).get_form_class()
    form = form_class(posted, instance=PIMOptions.current())
    if not form.is_valid():
        for name, errors in form.errors.items():
            label = str(form.fields[name].label) if name in form.fields else ""
            yield Finding(Level.ERROR, label or _("Options"), " ".join(errors))
        return
    try:
        options = form.instance.connection()
    except ConfigurationError as error:
        yield Finding(Level.ERROR, _("Options"), str(error), error.code)
        return
    yield from check_connection(options)


@require_POST
def refresh_product(request: HttpRequest, page_id: int) -> HttpResponse:
    """Pulls the product of the page from the PIM, while its editor waits."""
    link = get_object_or_404(PimLink.objects.select_related("page"), page=page_id)
    page = link.page.specific
    if not may_refresh(request.user, page):
        raise PermissionDenied
    try:
        run = runs.refresh_product(link, request.user)
    except PimError as error:
        messages.error(request, _not_refreshed(page, str(error)))
    else:
        _tell(request, page, run)
    back = reverse("wagtailadmin_pages:edit", args=[page.pk])
    return redirect(get_valid_next_url_from_request(request) or back)


def _tell(request: HttpRequest, page: Page, run: JobRun) -> None:
    items = list(run.items.all())
    for item in items:
        if item.kind in ASSET_KINDS:
            text = (
                _("The picture “%(name)s” could not be had: %(reason)s")
                if item.kind == PICTURE
                else _("The document “%(name)s” could not be had: %(reason)s")
            )
            messages.warning(
                request, text % {"name": item.number, "reason": item.reason}
            )
        elif item.failed:
            messages.error(request, _not_refreshed(page, item.reason))
        elif item.outcome == Outcome.UNCHANGED:
            messages.warning(request, _not_refreshed(page, item.note))
        else:
            messages.success(request, _refreshed(page, item))
            if item.note:
                messages.warning(request, item.note)
    if run.error:
        messages.error(request, _not_refreshed(page, run.error))
    elif not items:
        messages.success(
            request,
            _("“%(page)s” is up to date: it shows what the PIM has.")
            % {"page": page.get_admin_display_title()},
        )


def _refreshed(page: Page, item: JobRunItem) -> str:
    labels = [label_of(type(page), name) for name in item.differences]
    return _("“%(page)s” was refreshed from the PIM. Changed: %(fields)s.") % {
        "page": page.get_admin_display_title(),
        "fields": ", ".join(labels),
    }


def _not_refreshed(page: Page, reason: str) -> str:
    return _("“%(page)s” was not refreshed. %(reason)s") % {
        "page": page.get_admin_display_title(),
        "reason": reason,
    }
