"""What a run reports of each thing that it dealt with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Page

from wagtail_pim.catalog.category_planner import CategoryChange
from wagtail_pim.catalog.category_writer import Removal
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.planner import PageChange
from wagtail_pim.catalog.setup_changes import SetupChange
from wagtail_pim.catalog.setup_planner import FieldMapping
from wagtail_pim.client.entities import Product
from wagtail_pim.kinds import Kind, SetupKind
from wagtail_pim.models import JobRunItem
from wagtail_pim.models.runs import Outcome

from .setup_words import left_in_words

OUTCOMES: Final = {
    Action.CREATE: Outcome.CREATED,
    Action.ADOPT: Outcome.UPDATED,
    Action.UPDATE: Outcome.UPDATED,
    Action.UNCHANGED: Outcome.UNCHANGED,
}


def changed_category(change: CategoryChange, page_id: int | None) -> JobRunItem:
    return JobRunItem(
        kind=change.wanted.kind,
        number=change.wanted.title,
        title=change.wanted.title,
        guid=change.wanted.guid,
        outcome=OUTCOMES[change.action],
        page_id=page_id,
        differences=_printable(change.differences),
    )


def removed_category(removal: Removal, *, deleted: bool) -> JobRunItem:
    """Of a category that left the PIM; it stays while something is below it.

    ``deleted`` says that a removal that is done was not just planned.
    """
    note = ngettext(
        "It left the PIM, but %(count)d page is still below it.",
        "It left the PIM, but %(count)d pages are still below it.",
        removal.pages_below,
    ) % {"count": removal.pages_below}
    return JobRunItem(
        kind=Kind.CATEGORY,
        number=removal.title,
        title=removal.title,
        page_id=None if deleted and removal.done() else removal.page_id,
        outcome=Outcome.REMOVED if removal.done() else Outcome.UNCHANGED,
        note="" if removal.done() else note,
    )


def changed_product(
    change: PageChange, page_id: int | None, *, new_values: bool = False
) -> JobRunItem:
    """``new_values`` shows those of a page to create, which has no differences."""
    differences = change.differences
    if new_values and change.action == Action.CREATE:
        differences = {
            name: (None, value) for name, value in change.content.values.items()
        }
    return JobRunItem(
        kind=change.content.kind,
        number=change.content.number,
        title=change.content.title,
        guid=change.guid,
        outcome=OUTCOMES[change.action],
        page_id=page_id,
        differences=_printable(differences),
    )


def withdrawn_product(product: Product, page: Page | None) -> JobRunItem:
    """``page`` is the one that was unpublished, if there was one."""
    return JobRunItem(
        kind=_kind(product),
        number=product.product_number,
        title=product.product_title,
        guid=product.id,
        outcome=Outcome.REMOVED if page else Outcome.UNCHANGED,
        page_id=page.pk if page else None,
    )


def left_product(kind: Kind, number: str, guid: UUID, listed_status: str) -> JobRunItem:
    """Of a product that has another status when it is read than it was listed with."""
    return JobRunItem(
        kind=kind,
        number=number,
        guid=guid,
        outcome=Outcome.UNCHANGED,
        note=_("It was changed in the PIM meanwhile and is not %(status)s now.")
        % {"status": listed_status},
    )


def left_alone(product: Product, why: str) -> JobRunItem:
    """Of a product whose page stays as it is for now."""
    return JobRunItem(
        kind=_kind(product),
        number=product.product_number,
        title=product.product_title,
        guid=product.id,
        outcome=Outcome.UNCHANGED,
        note=why,
    )


def failed_product(product: Product, reason: str) -> JobRunItem:
    return failed(
        _kind(product),
        product.product_number,
        reason,
        product.id,
        product.product_title,
    )


def failed(
    kind: str, number: str, reason: str, guid: UUID | None = None, title: str = ""
) -> JobRunItem:
    return JobRunItem(
        kind=kind,
        number=number,
        title=title,
        guid=guid,
        outcome=Outcome.FAILED,
        reason=reason,
    )


def changed_definition(change: SetupChange) -> JobRunItem:
    """Of one of the site's definitions; those of the PIM's values that are left."""
    return JobRunItem(
        kind=change.kind,
        number=change.name,
        guid=change.guid,
        outcome=OUTCOMES[change.action],
        note=left_in_words(change) if change.left else "",
        differences=_printable(change.differences),
    )


def field_conflict(mapping: FieldMapping) -> JobRunItem:
    return failed(
        SetupKind.ASSIGNMENT,
        mapping.marked.path(),
        mapping.conflict,
        mapping.standing.id if mapping.standing else None,
    )


def _kind(product: Product) -> Kind:
    return Kind.VARIANT if product.is_variant() else Kind.PRODUCT


def _printable(differences: Mapping[str, tuple[Any, Any]]) -> dict[str, list[Any]]:
    return {
        name: [_printable_value(old), _printable_value(new)]
        for name, (old, new) in differences.items()
    }


def _printable_value(value: Any) -> Any:
    """As JSON has it, and short of nothing."""
    if value is None or isinstance(value, (bool, int, float, str, list, dict)):
        return value
    if isinstance(value, (tuple, set, frozenset)):
        return sorted(map(str, value))
    return str(value)
