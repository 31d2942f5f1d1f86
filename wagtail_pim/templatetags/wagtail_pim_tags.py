"""How runs and setup data are shown in the templates of the admin."""

from __future__ import annotations

from typing import Final

from django import template

from wagtail_pim.catalog.setup_changes import State as SetupState
from wagtail_pim.jobs.words import shown
from wagtail_pim.models.runs import Outcome, State

_ICONS: Final[dict[str, str]] = {
    State.QUEUED: "time",
    State.RUNNING: "rotate",
    State.SUCCEEDED: "success",
    State.FAILED_ITEMS: "warning",
    State.FAILED: "circle-xmark",
    State.STOPPED: "minus",
    State.INTERRUPTED: "circle-xmark",
    Outcome.CREATED: "circle-plus",
    Outcome.UPDATED: "edit",
    Outcome.UNCHANGED: "minus",
    Outcome.REMOVED: "bin",
    Outcome.FAILED: "circle-xmark",
    SetupState.NEW: "circle-plus",
    SetupState.IN_STEP: "success",
    SetupState.DIFFERS: "edit",
    SetupState.CONFLICT: "warning",
    SetupState.ONLY_IN_PIM: "minus",
}

register = template.Library()
register.filter("shown", shown)


@register.filter
def icon_of(value: str) -> str:
    """The icon of a run's or definition's state, or of an item's outcome."""
    return _ICONS[value]
