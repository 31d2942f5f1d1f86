"""Snippets and other models whose fields the PIM owns, as they stand in the admin.

::

    class BrandViewSet(SyncedSnippetViewSetMixin, SnippetViewSet):
        model = Brand

The model has ``SyncedModelMixin``; its objects are made and deleted by the PIM alone.
A site with a permission policy of its own derives it from
``ManagedModelPermissionPolicy`` and sets it as the viewset's ``permission_policy``.
"""

from __future__ import annotations

from typing import Any

from django.forms import ALL_FIELDS
from django.forms.models import fields_for_model
from django.utils.functional import cached_property
from wagtail import permissions
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.viewsets.base import ViewSet
from wagtail.snippets.views.snippets import UnpublishView

from .panels import locked_edit_handler
from .permissions import ManagedModelPermissionPolicy

# Where Wagtail 8 looks for a model's policy; 7.4 hands it from viewset to view.
policy_registry: Any = getattr(permissions, "policy_registry", None)


class SyncedViewSetMixin:
    """What the edit view shows, and who may do what."""

    model: Any

    @cached_property
    def permission_policy(self) -> Any:
        return ManagedModelPermissionPolicy(self.model)

    def get_edit_handler(self) -> Any:
        handler = super().get_edit_handler()  # type: ignore[misc]
        handler = handler or self._panels_of_form_fields()
        return handler and locked_edit_handler(handler)

    def _panels_of_form_fields(self: Any) -> Any:
        """A ModelViewSet may have no panels but ``form_fields``, which can't lock."""
        fields, exclude = self.get_form_fields(), self.get_exclude_form_fields()
        if fields is None and exclude is None:
            return None
        wanted = None if fields == ALL_FIELDS else fields
        names = fields_for_model(self.model, wanted, exclude)
        return ObjectList([FieldPanel(n) for n in names]).bind_to_model(self.model)

    def register_permissions(self) -> None:
        if policy_registry is not None:
            registered = policy_registry.get_by_type(self.model, fallback=False)
            if not isinstance(registered, ManagedModelPermissionPolicy):
                policy_registry.register(
                    self.model, value=self.permission_policy, exact_class=True
                )
        super().register_permissions()  # type: ignore[misc]


class SyncedModelViewSetMixin(SyncedViewSetMixin):
    """Stands before ``ModelViewSet`` among the bases."""


class UnpublishRefusedView(UnpublishView):
    permission_required = "unpublish"


class SyncedSnippetViewSetMixin(SyncedViewSetMixin):
    """Stands before ``SnippetViewSet`` among the bases."""

    unpublish_view_class = UnpublishRefusedView

    @property
    def chooser_viewset(self) -> Any:
        chooser = super().chooser_viewset  # type: ignore[misc]
        chooser.permission_policy = _policy_of_chooser(self.permission_policy)
        return chooser


class SyncedChooserViewSetMixin:
    """Without a tab to create; stands before ``ChooserViewSet`` among the bases.

    The chooser that a snippet's own viewset brings needs it not.
    """

    model: Any

    @cached_property
    def permission_policy(self) -> Any:
        return _policy_of_chooser(ManagedModelPermissionPolicy(self.model))


def _policy_of_chooser(policy: ManagedModelPermissionPolicy) -> Any:
    """Wagtail 8 warns of a chooser that is given one, and asks its registry."""
    return policy if policy_registry is None else ViewSet.UNDEFINED
