from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import TemplateView
from wagtail.admin.views.generic import WagtailAdminTemplateMixin
from wagtail.contrib.settings.views import get_setting_edit_handler

from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.jobs.connection_check import Finding, Level, check_connection
from wagtail_pim.models import PIMOptions


@method_decorator(sensitive_post_parameters("secret_key"), name="dispatch")
class TestConnectionView(WagtailAdminTemplateMixin, TemplateView):
    """Tries the options that stand in the form, without saving them."""

    http_method_names = ["post"]
    page_title = gettext_lazy("PIM connection")
    header_icon = "cogs"
    template_name = "wagtail_pim/admin/test_connection.html"
    fragment_template_name = "wagtail_pim/admin/findings.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm("wagtail_pim.change_pimoptions"):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        findings = list(self._findings(request.POST))
        return self.render_to_response(self.get_context_data(findings=findings))

    def get_template_names(self) -> list[str]:
        if self.request.headers.get("X-Requested-With") == "XMLHttpRequest":
            return [self.fragment_template_name]
        return [self.template_name]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["options_url"] = reverse(
            "wagtailsettings:edit", args=("wagtail_pim", "pimoptions")
        )
        context["media"] = (
            get_setting_edit_handler(PIMOptions)
            .get_bound_panel(instance=PIMOptions(), request=self.request)
            .media
        )
        return context

    def _findings(self, posted: QueryDict) -> Iterator[Finding]:
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
