"""The question before a run removes much of the catalog.

It may be meant so; more often the PIM was emptied, a tree unmapped, or the options name
another PIM. The run ends before it removes anything, and a person confirms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Page

from wagtail_pim.catalog.discards import handmade_pages
from wagtail_pim.catalog.grouping import chunked
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import PimError
from wagtail_pim.kinds import PRODUCT_KINDS, Kind
from wagtail_pim.models import JobRun, PimLink

CONFIRM_REMOVALS: Final = "confirm_removals"
"""The option of a run whose removals a person has confirmed."""
ROWS_PER_QUERY: Final = 500
UNQUESTIONED: Final = 10
"""So many pages may go whatever their share: a small catalog changes too."""


class RemovalsToConfirmError(PimError):
    """So much of the catalog would go that a person has to say so."""

    code = "removals_to_confirm"


def standing_pages() -> int:
    """How many pages the catalog has: live ones of the PIM's, and hand-made ones."""
    links = PimLink.objects.exclude(kind=Kind.CATALOG).filter(page__live=True)
    return links.count() + len(handmade_pages())


def live_products(guids: Iterable[UUID]) -> set[UUID]:
    """Those of the products and variants that are on the site."""
    return {
        guid
        for some in chunked(list(guids), ROWS_PER_QUERY)
        for guid in PimLink.objects.filter(
            kind__in=PRODUCT_KINDS, guid__in=some, page__live=True
        ).values_list("guid", flat=True)
    }


def pages_leaving(guids: Iterable[UUID]) -> set[str]:
    """The paths of all live pages that go when these products and variants do.

    With a product its variants go, and with the last of its variants the product.
    """
    products: set[str] = set()
    variants: set[str] = set()
    for some in chunked(list(guids), ROWS_PER_QUERY):
        links = PimLink.objects.filter(
            kind__in=PRODUCT_KINDS, guid__in=some, page__live=True
        )
        for kind, path in links.values_list("kind", "page__path"):
            (variants if kind == Kind.VARIANT else products).add(path)
    if not products and not variants:
        return set()
    left: set[str] = set()
    live = PimLink.objects.filter(kind=Kind.VARIANT, page__live=True).order_by()
    for path in live.values_list("page__path", flat=True).iterator():
        parent = path[: -Page.steplen]
        if parent in products:
            variants.add(path)
        elif path not in variants:
            left.add(parent)
    parents = {path[: -Page.steplen] for path in variants} - left
    return products | variants | parents


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
        "That is so much that a person has to confirm it, so the run stopped before "
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
