"""Panels of fields that the PIM owns: the value, a lock, and no control.

Nothing has to be declared. ``locked_edit_handler`` goes through whatever panels a site
has put together and wraps those of owned fields; a wrapped panel decides per object,
as a page that was made by hand is the editors'.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import FieldDoesNotExist
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from wagtail.admin.panels import Panel, TabbedInterface
from wagtail.admin.staticfiles import versioned_static
from wagtail.models import Page

from .forms import locked_form
from .ownership import locked_fields, owned_fields
from .values import ValueDisplay

# Wagtail hides the heading of a panel of this class, and shows a collapsed one closed.
DROPPED_CLASSES = frozenset({"title", "collapsed"})


def locked_edit_handler(handler: Panel) -> Panel:
    """A copy of a bound edit handler that locks what the PIM owns."""
    owned = owned_fields(handler.model)
    if not owned:
        return handler
    locked = _locked(handler, owned)
    locked.base_form_class = locked_form(
        handler.base_form_class or handler.model.base_form_class
    )
    _first_group(locked).children.insert(0, BannerPanel().bind_to_model(handler.model))
    return locked


def _locked(panel: Panel, owned: frozenset[str]) -> Panel:
    if hasattr(panel, "children"):
        group = copy.copy(panel)
        group.children = [_locked(child, owned) for child in panel.children]
        return group
    names = _names(panel)
    return LockedPanel(panel) if names and names <= owned else panel


def _names(panel: Panel) -> frozenset[str]:
    """The fields and relations that a panel shows."""
    for attribute in ("field_name", "relation_name"):
        if name := getattr(panel, attribute, None):
            return frozenset({name})
    options = panel.get_form_options()
    return frozenset(options.get("fields", ())).union(options.get("formsets") or ())


def _first_group(panel: Panel) -> Any:
    while isinstance(panel, TabbedInterface) and panel.children:
        panel = panel.children[0]
    return panel


class LockedPanel(Panel):
    """Stands for another panel: shows it as it is, or locked, as the object wants."""

    def __init__(self, original: Panel) -> None:
        super().__init__(**Panel.clone_kwargs(original))
        self.original = original
        self.model = original.model
        self.names = _names(original)

    def clone_kwargs(self) -> dict[str, Any]:
        return {"original": self.original}

    def on_model_bound(self) -> None:
        self.original = self.original.bind_to_model(self.model)

    def get_form_options(self) -> dict[str, Any]:
        return self.original.get_form_options()

    @property
    def clean_name(self) -> str:
        return self.original.clean_name

    def get_bound_panel(
        self,
        instance: Any = None,
        request: Any = None,
        form: Any = None,
        prefix: str = "panel",
    ) -> Panel.BoundPanel:
        get = self.original.get_bound_panel
        if self.names & locked_fields(instance):
            get = super().get_bound_panel
        return get(instance=instance, request=request, form=form, prefix=prefix)

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_pim/locking/locked_panel.html"
        # What Wagtail's groups and rows ask a field's panel.
        read_only = True

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            original = self.panel.original
            self.heading = original.heading or self._text("verbose_name")
            self.help_text = original.help_text or self._text("help_text")

        def _text(self, attribute: str) -> str:
            """What the field itself says."""
            for name in self.panel.names:
                try:
                    field = self.panel.model._meta.get_field(name)
                except FieldDoesNotExist:
                    continue
                return capfirst(getattr(field, attribute, ""))
            return ""

        @property
        def icon(self) -> str:
            return "lock"

        def classes(self) -> list[str]:
            names = self.panel.original.classes()
            return [name for name in names if name not in DROPPED_CLASSES]

        def id_for_label(self) -> str:
            return self.prefix

        def is_shown(self) -> bool:
            permission = getattr(self.panel.original, "permission", None)
            return (
                not permission
                or self.request is None
                or self.request.user.has_perm(permission)
            )

        @property
        def media(self) -> forms.Media:
            return locking_media()

        @cached_property
        def value(self) -> SafeString:
            display = ValueDisplay(getattr(self.request, "user", None))
            return SafeString(
                "".join(
                    display.relation(self.instance, name, _columns(inline))
                    if (inline := self._inline(name))
                    else display.field(self.instance, name)
                    for name in sorted(self.panel.names)
                )
            )

        def _inline(self, name: str) -> Panel | None:
            """The panels of a child object, if the name is that of a relation."""
            return getattr(self.panel.original, "child_edit_handler", None)

        def get_context_data(
            self, parent_context: dict[str, Any] | None = None
        ) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            return {**context, "value": self.value, "id_for_label": self.prefix}


def _columns(panel: Panel) -> Iterator[tuple[str, str]]:
    """The (name, heading) pairs of the fields in the panels of a child object."""
    for child in getattr(panel, "children", ()):
        if name := getattr(child, "field_name", None):
            yield name, capfirst(child.heading or child.db_field.verbose_name)
        else:
            yield from _columns(child)


class BannerPanel(Panel):
    """Says above the form whose the object is."""

    @property
    def clean_name(self) -> str:
        return "pim_banner"

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_pim/locking/banner.html"

        @property
        def media(self) -> forms.Media:
            return locking_media()

        def is_shown(self) -> bool:
            return self.instance is not None

        def get_context_data(
            self, parent_context: dict[str, Any] | None = None
        ) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            return {
                **context,
                "is_managed": bool(locked_fields(self.instance)),
                "is_page": isinstance(self.instance, Page),
            }


def locking_media() -> forms.Media:
    return forms.Media(css={"all": [versioned_static("wagtail_pim/css/admin.css")]})
