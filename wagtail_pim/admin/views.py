from __future__ import annotations

from collections.abc import Iterator

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from wagtail.contrib.settings.views import get_setting_edit_handler

from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.jobs.connection_check import Finding, Level, check_connection
from wagtail_pim.models import PIMOptions


@sensitive_post_parameters("secret_key")
@require_POST
def test_connection(request: HttpRequest) -> HttpResponse:
    """Tries the options that stand in the form, without saving them."""
    if not request.user.has_perm("wagtail_pim.change_pimoptions"):
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
