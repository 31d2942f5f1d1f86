from __future__ import annotations

from django import forms
from wagtail.admin.panels import Panel
from wagtail.admin.staticfiles import versioned_static


class TestConnectionPanel(Panel):
    """A button that tests the connection with what stands in the form, unsaved."""

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_pim/admin/test_connection_panel.html"

        @property
        def media(self) -> forms.Media:
            return forms.Media(
                js=[versioned_static("wagtail_pim/js/test-connection.js")],
                css={"all": [versioned_static("wagtail_pim/css/admin.css")]},
            )
