"""The snippet "Relationship types": how products are related, as editors name it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import ObjectList
from wagtail.admin.ui.tables import UpdatedAtColumn
from wagtail.snippets.views.snippets import SnippetViewSet

from wagtail_pim.models import RelationshipType


class RelationshipTypeForm(WagtailAdminModelForm):
    def clean_name(self) -> str:
        """The PIM knows no difference of case, and databases do beyond ASCII."""
        name: str = self.cleaned_data["name"]
        others = RelationshipType.objects.exclude(pk=self.instance.pk)
        for other in others.values_list("name", flat=True):
            if other.casefold() == name.casefold():
                raise ValidationError(
                    _(
                        "There is a relationship type “%(name)s” already, and the PIM "
                        "makes no difference between capitals and small letters. "
                        "Choose another name."
                    )
                    % {"name": other}
                )
        return name


class RelationshipTypeViewSet(SnippetViewSet):
    model = RelationshipType
    icon = "link"
    list_display = ["name", UpdatedAtColumn()]
    search_fields = ["name"]
    edit_handler = ObjectList(
        RelationshipType.panels, base_form_class=RelationshipTypeForm
    )
    # A copy would have the Guid of what it was copied from.
    copy_view_enabled = False
