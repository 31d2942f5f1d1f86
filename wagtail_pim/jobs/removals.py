"""The question before a run removes much of the catalog.

It may be meant so; more often the PIM was emptied, a tree unmapped, or the options name
another PIM. The run ends before it removes anything, and a person confirms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wagtail_pim.catalog.discards import handmade_pages
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import PimError
from wagtail_pim.kinds import Kind
from wagtail_pim.models import JobRun, PimLink

CONFIRM_REMOVALS: Final = "confirm_removals"
"""The option of a run whose removals a person has confirmed."""
UNQUESTIONED: Final = 10
"""So many pages may go whatever their share: a small catalog changes too."""


class RemovalsToConfirmError(PimError):
    """So much of the catalog would go that a person has to say so."""

    code = "removals_to_confirm"


def standing_pages() -> int:
    """How many pages the catalog has: live ones of the PIM's, and hand-made ones."""
    links = PimLink.objects.exclude(kind=Kind.CATALOG).filter(page__live=True)
    return links.count() + len(handmade_pages())


def require_confirmation(run: JobRun, removals: int, standing: int) -> None:
    """To be called before anything is removed, with what the run is to remove.

    ``standing`` is how many pages the catalog has, those to remove included. Raises
    RemovalsToConfirmError where so many need a confirmation and the run has none. A dry
    run goes on, with a warning.
    """
    if not needs_confirmation(run, removals, standing):
        return
    how_many = ngettext(
        "%(removals)d of %(standing)d page of the catalog would be removed.",
        "%(removals)d of %(standing)d pages of the catalog would be removed.",
        standing,
    ) % {"removals": removals, "standing": standing}
    if run.dry_run:
        advice = _(
            "That is so much that the run itself stops and asks for a confirmation "
            "(WAGTAIL_PIM['MAX_REMOVAL_SHARE'])."
        )
        run.warnings.append(f"{how_many} {advice}")
        return
    advice = _(
        "That is so much that a person has to confirm it, and nothing was removed "
        "(WAGTAIL_PIM['MAX_REMOVAL_SHARE']). Start a dry run and look at what it "
        "lists. If it is right, choose “Run again and remove them” on the page of this "
        "run, or start it with manage.py pim run %(job)s --confirm-removals."
    ) % {"job": run.job}
    raise RemovalsToConfirmError(f"{how_many} {advice}")


def needs_confirmation(run: JobRun, removals: int, standing: int) -> bool:
    """Whether it is too much to be removed unasked."""
    share = get_config().max_removal_share
    return (
        removals > UNQUESTIONED
        and removals > share * standing
        and not is_confirmed(run)
    )


# The confirmation


def is_confirmed(run: JobRun) -> bool:
    return bool(run.options.get(CONFIRM_REMOVALS))


def question_before_removals(options: Mapping[str, Any]) -> str:
    """What a person is asked who starts a run that may remove any number of pages."""
    if not options.get(CONFIRM_REMOVALS):
        return ""
    return _(
        "This run removes all pages that it finds to be removed, however many they "
        "are. Start a dry run first, and look at what it lists as removed."
    )


def is_confirmation_stale(run: JobRun) -> bool:
    """Whether an interrupted run must not be gone on with as it was confirmed.

    What a person has looked at may be otherwise since another run of the job.
    """
    later = JobRun.objects.filter(
        job=run.job, dry_run=False, numbers=[], created_at__gt=run.created_at
    )
    return is_confirmed(run) and later.exists()
