"""Why a field can't have the property of the PIM that it asks for, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from wagtail_pim.client.controls import Control
from wagtail_pim.client.entities import Property
from wagtail_pim.converters import quoted

from .definitions import MarkedField
from .schema import template_name


def _fits(standing: Property, control: Control) -> bool:
    if standing.control_type:
        return standing.holds() is control.value_type
    # It says no more than what a value is stored as.
    return standing.type.strip().casefold() == control.wire_type.casefold()


def conflicts_of(
    fields: Sequence[MarkedField], standing: Property | None
) -> dict[str, tuple[MarkedField, str]]:
    """By path, the fields that can't have the property they ask for, and why."""
    conflicts: dict[str, tuple[MarkedField, str]] = {}
    fitting: list[MarkedField] = []
    for marked in fields:
        control = marked.control()
        if control is None:
            why = _(
                "It is not known which control type of the PIM suits %(field)s. A "
                "developer has to say so in its Sync marker (control=…)."
            ) % {"field": marked.path()}
            conflicts[marked.path()] = marked, why
        elif standing is not None and not _fits(standing, control):
            conflicts[marked.path()] = marked, _type_conflict(marked, standing)
        else:
            fitting.append(marked)
    if standing is None and len({_type_label(marked) for marked in fitting}) > 1:
        asked = ", ".join(f"{m.path()} ({_type_label(m)})" for m in fitting)
        why = _(
            "These fields ask for one property of different types: %(fields)s. A "
            "developer has to name a property of its own in the Sync marker of one of "
            "them (property=…)."
        ) % {"fields": asked}
        conflicts |= {marked.path(): (marked, why) for marked in fitting}
    return conflicts


def _type_conflict(marked: MarkedField, standing: Property) -> str:
    theirs = standing.holds()
    return _(
        "In the PIM, the property “%(property)s” is %(theirs)s, but %(field)s is "
        "%(ours)s: this site does not assign it to the template “%(template)s”. Assign "
        "another one, of the control type %(control)s, to the template in the PIM and "
        "have a developer name it in the field's Sync marker (property=…), or have the "
        "field's type changed."
    ) % {
        "property": standing.name,
        "theirs": theirs.label() if theirs else _unknown_type(standing),
        "field": marked.path(),
        "ours": _type_label(marked),
        "template": template_name(marked.model),
        "control": marked.control(),
    }


def own_type_conflict(marked: MarkedField) -> str:
    """Why what every product has can't fill the field; empty where it can."""
    theirs = marked.unsuitable_values()
    if theirs is None:
        return ""
    return _(
        "Every product has “%(property)s” in the PIM, and it is %(theirs)s, but "
        "%(field)s is %(ours)s. A developer has to name another property in the "
        "field's Sync marker (property=…) or change the field's type."
    ) % {
        "property": marked.marker.property_name(),
        "theirs": theirs.label(),
        "field": marked.path(),
        "ours": _type_label(marked),
    }


def _unknown_type(standing: Property) -> str:
    name = standing.control_type or standing.type
    return quoted(name) if name else _("of no type")


def _type_label(marked: MarkedField) -> str:
    control = marked.control()
    return str(control.value_type.label()) if control else type(marked.field).__name__
