"""What a run reports of each thing that it dealt with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.models import Page

from wagtail_pim.catalog.category_planner import CategoryChange
from wagtail_pim.catalog.category_writer import Removal
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.discards import HandmadePage
from wagtail_pim.catalog.languages import SiteLanguage
from wagtail_pim.catalog.planner import PageChange
from wagtail_pim.catalog.setup_changes import SetupChange
from wagtail_pim.catalog.setup_planner import FieldMapping
from wagtail_pim.client.entities import Asset, Product, ProductHead
from wagtail_pim.kinds import Kind, SetupKind
from wagtail_pim.models import JobRunItem, PimLink
from wagtail_pim.models.runs import Outcome

from .setup_words import left_in_words

LANGUAGE_SEPARATOR: Final = ":"
"""Between a locale's code and the name of what differs in that language."""

OUTCOMES: Final = {
    Action.CREATE: Outcome.CREATED,
    Action.ADOPT: Outcome.UPDATED,
    Action.UPDATE: Outcome.UPDATED,
    Action.UNCHANGED: Outcome.UNCHANGED,
    Action.REMOVE: Outcome.UPDATED,
}


def changed_category(
    changes: Sequence[tuple[SiteLanguage, CategoryChange]], page_id: int | None
) -> JobRunItem:
    """Of one category in all languages, the site's default one first."""
    wanted = changes[0][1].wanted
    return JobRunItem(
        kind=wanted.kind,
        number=wanted.title,
        title=wanted.title,
        guid=wanted.guid,
        outcome=_outcome(change.action for _language, change in changes),
        page_id=page_id,
        differences=_differences(
            (language, change.differences) for language, change in changes
        ),
    )


def removed_category(removal: Removal, *, carried_out: bool) -> JobRunItem:
    """Of a category that left the PIM, planned or ``carried_out``."""
    note = ""
    if removal.is_site_root:
        note = _(
            "It left the PIM, but a site of Settings > Sites begins at it. Choose "
            "another root page there."
        )
    elif removal.unpublishes():
        note = ngettext(
            "It was unpublished, not deleted: %(count)d page that is off the site is "
            "still below it.",
            "It was unpublished, not deleted: %(count)d pages that are off the site "
            "are still below it.",
            removal.pages_below,
        ) % {"count": removal.pages_below}
    elif not removal.deletes():
        note = ngettext(
            "It left the PIM, but %(count)d page is still below it.",
            "It left the PIM, but %(count)d pages are still below it.",
            removal.pages_below,
        ) % {"count": removal.pages_below}
    is_deleted = carried_out and removal.deletes()
    return JobRunItem(
        kind=Kind.CATEGORY,
        number=removal.title,
        title=removal.title,
        page_id=None if is_deleted else removal.page_id,
        outcome=Outcome.REMOVED if removal.done() else Outcome.UNCHANGED,
        note=note,
    )


def changed_product(
    product: Product,
    changes: Sequence[PageChange],
    page_id: int | None,
    *,
    new_values: bool = False,
) -> JobRunItem:
    """Of one product in all languages, the site's default one first.

    ``new_values`` shows those of a page to create, which has no differences.
    """
    return _of_product(
        product,
        outcome=_outcome(change.action for change in changes),
        page_id=page_id,
        differences=_differences(
            (
                change.content.language,
                {name: (None, value) for name, value in change.content.values.items()}
                if new_values and change.action == Action.CREATE
                else change.differences,
            )
            for change in changes
        ),
    )


def _outcome(actions: Iterable[Action]) -> Outcome:
    """What became of a record whose pages were treated like this, the first first."""
    first, *others = actions
    if first == Action.UNCHANGED and any(a != Action.UNCHANGED for a in others):
        return Outcome.UPDATED
    return OUTCOMES[first]


def _differences(
    by_language: Iterable[tuple[SiteLanguage, Mapping[str, tuple[Any, Any]]]],
) -> dict[str, list[Any]]:
    """Those of other languages have the locale's code before their names.

    What differs there as it does in the default language is told once.
    """
    told: dict[str, list[Any]] = {}
    for language, differences in by_language:
        for name, pair in _printable(differences).items():
            if language.is_default:
                told[name] = pair
            elif told.get(name) != pair:
                told[f"{language.code}{LANGUAGE_SEPARATOR}{name}"] = pair
    return told


def held_back(product: Product) -> JobRunItem:
    """Of a product that would be fine, but for others of its family."""
    return _of_product(
        product,
        outcome=Outcome.UNCHANGED,
        unsettled=True,
        note=_(
            "It waits: another of the same product failed, and a product is shown with "
            "all its variants or not at all."
        ),
    )


def withdrawn_product(product: Product, pages: Sequence[Page]) -> JobRunItem:
    """``pages`` are those that were unpublished, in all languages."""
    return _of_product(
        product,
        outcome=Outcome.REMOVED if pages else Outcome.UNCHANGED,
        page_id=pages[0].pk if pages else None,
    )


def bereft_product(head: ProductHead, page: Page) -> JobRunItem:
    return JobRunItem(
        kind=Kind.PRODUCT,
        number=head.product_number,
        title=page.title,
        guid=head.id,
        outcome=Outcome.REMOVED,
        page_id=page.pk,
        note=_("All its variants are gone."),
    )


def deleted_product(links: Sequence[PimLink]) -> JobRunItem:
    """Of a product that the PIM has no more; the first link's page is shown."""
    page = links[0].page.specific
    live = [link.page_id for link in links if link.page.live]
    return JobRunItem(
        kind=links[0].kind,
        number=page.product_number,
        title=page.get_admin_display_title(),
        guid=links[0].guid,
        outcome=Outcome.REMOVED if live else Outcome.UNCHANGED,
        page_id=page.pk,
        note=_("It was deleted in the PIM. Its page stays here, unpublished."),
    )


def returned_product(head: ProductHead) -> JobRunItem:
    """Of a product that was deleted in the PIM, and is there again."""
    return JobRunItem(
        kind=Kind.VARIANT if head.is_variant() else Kind.PRODUCT,
        number=head.product_number,
        guid=head.id,
        outcome=Outcome.UNCHANGED,
        note=_(
            "It had been deleted in the PIM and is there again (its status is "
            "“%(status)s”). Approve it there, and Publish approved products brings it "
            "back to the site."
        )
        % {"status": head.status},
    )


def discarded_page(
    page: HandmadePage, *, is_deleted: bool, is_unpublished: bool, pages_below: int
) -> JobRunItem:
    """Of a page that was made by hand, and what becomes of it."""
    return JobRunItem(
        kind=page.kind,
        number=page.number,
        title=page.title,
        outcome=Outcome.REMOVED if is_deleted or is_unpublished else Outcome.UNCHANGED,
        page_id=page.page_id,
        note=_why_discarded(is_deleted, is_unpublished, pages_below),
    )


def _why_discarded(is_deleted: bool, is_unpublished: bool, pages_below: int) -> str:
    if is_deleted:
        return _(
            "It was made by hand and not by the PIM, so it is deleted. The run keeps "
            "all that stood on it, so that it can be restored."
        )
    if not is_unpublished and not pages_below:
        return _(
            "It was made by hand and not by the PIM. It stays, as "
            "WAGTAIL_PIM['DISCARDS'] says."
        )
    if not pages_below:
        return _(
            "It was made by hand and not by the PIM, so it is unpublished. It stays "
            "here as a draft."
        )
    if is_unpublished:
        text = ngettext(
            "It was made by hand and not by the PIM. It is unpublished and not "
            "deleted, because %(count)d page stands below it that is to stay.",
            "It was made by hand and not by the PIM. It is unpublished and not "
            "deleted, because %(count)d pages stand below it that are to stay.",
            pages_below,
        )
    else:
        text = ngettext(
            "It was made by hand and not by the PIM. It stays as a draft, because "
            "%(count)d page stands below it that is to stay.",
            "It was made by hand and not by the PIM. It stays as a draft, because "
            "%(count)d pages stand below it that are to stay.",
            pages_below,
        )
    return text % {"count": pages_below}


def changed_asset(asset: Asset, kind: str) -> JobRunItem:
    """Of a picture or document that the site had, and has anew."""
    return JobRunItem(
        kind=kind, number=asset.name, guid=asset.id, outcome=Outcome.UPDATED
    )


def archived_asset(asset: Asset, kind: str) -> JobRunItem:
    return JobRunItem(
        kind=kind,
        number=asset.name,
        guid=asset.id,
        outcome=Outcome.REMOVED,
        note=_("It was archived in the PIM: no page shows it any more."),
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
    return _of_product(
        product,
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


def _of_product(product: Product, **values: Any) -> JobRunItem:
    return JobRunItem(
        kind=_kind(product),
        number=product.product_number,
        title=product.product_title,
        guid=product.id,
        **values,
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
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if isinstance(value, tuple):
        return [_printable_value(each) for each in value]
    return str(value)
