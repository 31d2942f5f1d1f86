"""The admin of the models that are no pages."""

from __future__ import annotations

from wagtail import hooks
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet

from tests.trial.models import Certificate, Maker
from wagtail_pim.locking.viewsets import (
    SyncedChooserViewSetMixin,
    SyncedModelViewSetMixin,
    SyncedSnippetViewSetMixin,
)


class MakerViewSet(SyncedSnippetViewSetMixin, SnippetViewSet):
    model = Maker
    inspect_view_enabled = True


class CertificateViewSet(SyncedModelViewSetMixin, ModelViewSet):
    model = Certificate
    form_fields = ["number", "remark"]
    inspect_view_enabled = True
    icon = "doc-full"


class CertificateChooserViewSet(SyncedChooserViewSetMixin, ChooserViewSet):
    model = Certificate
    form_fields = ["number", "remark"]


register_snippet(MakerViewSet)


@hooks.register("register_admin_viewset")
def register_viewsets():
    return [
        CertificateViewSet("certificates"),
        CertificateChooserViewSet("certificate_chooser"),
    ]
