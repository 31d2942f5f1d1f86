"""The pages of the PIM in Wagtail's tree, guarded where permissions don't reach.

An ancestor of a managed page may be any page of the site's, whose permissions know
nothing of the PIM: it is not deleted, nor copied with what is below it.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models.signals import pre_delete
from django.utils.translation import gettext as _
from wagtail.models import Page

from wagtail_pim.kinds import Kind

from .ownership import is_pim_writing


def managed_below(page: Page) -> bool:
    """Whether a page that the PIM manages stands below; a catalog is the site's."""
    return (
        Page.objects.descendant_of(page)
        .filter(pim_link__isnull=False)
        .exclude(pim_link__kind=Kind.CATALOG)
        .exists()
    )


def why_managed(page: Page) -> str:
    return _(
        "“%(page)s” is managed in PIM: it is moved, copied, unpublished and deleted "
        "there, and not here."
    ) % {"page": page.get_admin_display_title()}


def why_not_deleted(page: Page) -> str:
    return _(
        "“%(page)s” can't be deleted: pages below it are managed in PIM. They leave "
        "the site when they are archived or removed there."
    ) % {"page": page.get_admin_display_title()}


def why_not_copied(page: Page) -> str:
    return _(
        "“%(page)s” can't be copied with its subpages: some of them are managed in "
        "PIM. Copy it without them."
    ) % {"page": page.get_admin_display_title()}


def refuse_copy_with_subpages(page: Page) -> None:
    """Raises PermissionDenied where a managed page would be copied along."""
    if managed_below(page):
        raise PermissionDenied(why_not_copied(page))


def refuse_deletion(sender: Any, instance: Any, **kwargs: Any) -> None:
    """The last resort: whatever deletes a managed page deletes its PimLink with it.

    Tells of no more than the first; a deletion of Wagtail's is in a transaction, so
    that all others are still there too.
    """
    if instance.kind != Kind.CATALOG and not is_pim_writing():
        raise PermissionDenied(why_managed(instance.page))


def connect() -> None:
    pre_delete.connect(
        refuse_deletion, sender="wagtail_pim.PimLink", dispatch_uid="wagtail_pim"
    )
