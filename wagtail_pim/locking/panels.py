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
from taggit.managers import TaggableManager
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import (
    FieldPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
    Panel,
    TabbedInterface,
)
from wagtail.admin.staticfiles import versioned_static
from wagtail.models import Page

from wagtail_pim.conf import get_config

from .forms import locked_form
from .labels import field_label
from .ownership import locked_fields, owned_fields
from .values import ValueDisplay

# Of these Wagtail hides the heading, or draws a guide to child forms.
DROPPED_CLASSES = frozenset({"title", "w-panel--nested"})


def locked_edit_handler(handler: Panel) -> Panel:
    """A copy of a bound edit handler that locks what the PIM owns."""
    owned = owned_fields(handler.model)
    if not owned:
        return handler
    locked = _locked(handler, owned)
    locked.base_form_class = locked_form(
        handler.base_form_class
        or getattr(handler.model, "base_form_class", WagtailAdminModelForm)
    )
    banner = BannerPanel().bind_to_model(handler.model)
    if isinstance(locked, LockedPanel):
        # The edit handler is one panel.
        group = ObjectList(base_form_class=locked.base_form_class)
        group = group.bind_to_model(handler.model)
        group.children = [locked]
        locked = group
    _first_group(locked).children.insert(0, banner)
    return locked


def _locked(panel: Panel, owned: frozenset[str]) -> Panel:
    if hasattr(panel, "children"):
        group = copy.copy(panel)
        # Wagtail's cache, which counts the children.
        vars(group).pop("child_identifiers", None)
        group.children = [_locked(child, owned) for child in panel.children]
        return group
    return panel if owned.isdisjoint(_names(panel)) else LockedPanel(panel, owned)


def _names(panel: Panel) -> list[str]:
    """The fields and relations that a panel shows or puts into the form."""
    options = panel.get_form_options()
    names = (
        getattr(panel, "field_name", None),
        getattr(panel, "relation_name", None),
        *options.get("fields", ()),
        *(options.get("formsets") or ()),
    )
    return list(dict.fromkeys(name for name in names if name))


def _first_group(panel: Panel) -> Any:
    """Where all people see it: a tab may be for some of them alone."""
    while isinstance(panel, TabbedInterface) and panel.children:
        tabs = panel.children
        panel = next((tab for tab in tabs if not tab.permission), tabs[0])
    return panel


class LockedPanel(Panel):
    """Stands for another panel: shows it as it is, or locked, as the object wants."""

    def __init__(self, original: Panel, owned: frozenset[str]) -> None:
        super().__init__(**Panel.clone_kwargs(original))
        self.original = original
        self.owned = owned
        self.model = original.model
        self.names = _names(original)

    def clone_kwargs(self) -> dict[str, Any]:
        return {"original": self.original, "owned": self.owned}

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
        locked = locked_fields(instance)
        if locked.isdisjoint(self.names):
            get = self.original.get_bound_panel
        elif locked.issuperset(self.names):
            get = super().get_bound_panel
        else:
            get = self._split.get_bound_panel
        return get(instance=instance, request=request, form=form, prefix=prefix)

    @cached_property
    def _split(self) -> Panel:
        """A panel for each name, where some are the PIM's and some the editors'.

        The site's own panel would miss what the form has not.
        """
        relations = self.get_form_options().get("formsets") or ()
        group = MultiFieldPanel(
            [
                InlinePanel(name) if name in relations else FieldPanel(name)
                for name in self.names
            ],
            **Panel.clone_kwargs(self.original),
            permission=getattr(self.original, "permission", None),
        )
        return _locked(group.bind_to_model(self.model), self.owned)

    class BoundPanel(Panel.BoundPanel):
        template_name = "wagtail_pim/locking/locked_panel.html"
        # What Wagtail's groups and rows ask a field's panel.
        read_only = True

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            original = self.panel.original
            name, *others = self.panel.names
            self.heading = original.heading
            self.help_text = original.help_text
            if not others:
                self.heading = self.heading or field_label(self.panel.model, name)
                self.help_text = self.help_text or _help(self.panel.model, name)

        @property
        def icon(self) -> str:
            return "lock"

        def classes(self) -> list[str]:
            names = " ".join(self.panel.original.classes()).split()
            return [name for name in names if name not in DROPPED_CLASSES]

        def id_for_label(self) -> str:
            return self.prefix

        def is_shown(self) -> bool:
            original = self.panel.original.get_bound_panel(
                instance=self.instance, request=self.request, prefix=self.prefix
            )
            return bool(original.is_shown())

        @property
        def media(self) -> forms.Media:
            return locking_media()

        @cached_property
        def value(self) -> SafeString:
            display = ValueDisplay(getattr(self.request, "user", None))
            name, *others = self.panel.names
            children = getattr(self.panel.original, "child_edit_handler", None)
            if children is not None:
                return display.relation(self.instance, name, _columns(children))
            if others:
                labels = [
                    (n, field_label(self.panel.model, n)) for n in self.panel.names
                ]
                return display.fields(self.instance, labels)
            return display.field(self.instance, name)

        def get_context_data(
            self, parent_context: dict[str, Any] | None = None
        ) -> dict[str, Any]:
            context = super().get_context_data(parent_context)
            return {**context, "value": self.value, "id_for_label": self.prefix}


def _columns(panel: Panel) -> Iterator[tuple[str, str]]:
    """The (name, heading) pairs of what the panels of a child object show."""
    for child in getattr(panel, "children", ()):
        if hasattr(child, "children"):
            yield from _columns(child)
            continue
        names = _names(child)
        for name in names:
            own = child.heading if len(names) == 1 else ""
            yield name, own or field_label(panel.model, name)


def _help(model: Any, name: str) -> str:
    """What the site says of its field; others' help is about how to fill it."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return ""
    if field.model is Page or isinstance(field, TaggableManager):
        return ""
    return getattr(field, "help_text", "")


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
                "is_off_site": not getattr(self.instance, "live", True),
                "discards": get_config().discards,
            }


def locking_media() -> forms.Media:
    return forms.Media(css={"all": [versioned_static("wagtail_pim/css/admin.css")]})
