"""Puts a CategoryPlan into the page tree."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from wagtail.models import Page, Site

from wagtail_pim.conf import get_config
from wagtail_pim.kinds import CATEGORY_KINDS, Kind
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import CatalogPage, CategoryPage, PimLink

from . import bulk
from .category_planner import (
    CategoryChange,
    CategoryPlan,
    WantedCategory,
    catalog_parent,
)
from .changes import Action
from .indexing import update_indexes
from .product_links import Assets, image_key
from .restoring import page_content
from .schema import configured_model
from .slugs import SlugAllocator
from .urls import UrlChange, follow_url_changes


def write_categories(
    plan: CategoryPlan, run_id: UUID, assets: Assets, originals: Mapping[UUID, Page]
) -> dict[UUID, Page]:
    """Create, move, change and order; the pages of all categories by Guid.

    ``originals`` are those of the site's default language, of which these are
    translations. The caller gives the transaction.
    """
    pages = {c.wanted.guid: c.page for c in plan.changes if c.page is not None}
    created = _create(plan, pages, assets, originals)
    _adopt(plan, pages, originals)
    _link(plan, pages, run_id)
    leaving_their_slug = {
        c.page.pk
        for c in plan.changes
        if c.page is not None and {"slug", "parent"} & c.differences.keys()
    }
    for change in plan.changes:
        if change.action == Action.UPDATE or "order" in change.differences:
            page = _apply(change, pages, assets, leaving_their_slug)
            pages[change.wanted.guid] = page
            leaving_their_slug.discard(page.pk)
    changed = [pages[c.wanted.guid] for c in plan.changes if c.action == Action.UPDATE]
    bulk.log(changed, "wagtail.publish")
    bulk.log_renames(
        (pages[c.wanted.guid], c.differences["title"])
        for c in plan.changes
        if "title" in c.differences
    )
    bulk.update_aliases(changed)
    bulk.announce_after_commit(update_indexes([*created, *changed]))
    return pages


@dataclass(frozen=True, slots=True)
class Removal:
    """A category page that left the PIM's tree.

    One that has pages below it stays: live while one of them is, else unpublished. So
    does one at which a site begins, which Wagtail would delete with it.
    """

    title: str
    page_id: int
    was_live: bool
    pages_below: int
    live_below: int
    is_site_root: bool

    def deletes(self) -> bool:
        return self.pages_below == 0 and not self.is_site_root

    def unpublishes(self) -> bool:
        return (
            self.was_live
            and self.pages_below > 0
            and self.live_below == 0
            and not self.is_site_root
        )

    def done(self) -> bool:
        return self.deletes() or self.unpublishes()


def planned_removals(gone: Iterable[Page]) -> list[Removal]:
    """What ``remove_category`` would do with each now."""
    removals: list[Removal] = []
    deleted: list[int] = []
    hidden: list[int] = []
    for page in gone:
        removal = _removal(page, deleted, hidden)
        if removal.deletes():
            deleted.append(page.pk)
        elif removal.unpublishes():
            hidden.append(page.pk)
        removals.append(removal)
    return removals


def remove_category(page_id: int) -> tuple[Removal, dict[str, Any] | None] | None:
    """Delete it if it is empty; with all that stood on it, if it was deleted.

    None where it is gone already. Of several the deepest have to come first. The
    caller gives the transaction.
    """
    # Locked, so that nothing is put below it meanwhile.
    current = bulk.lock_pages([page_id]).get(page_id)
    if current is None:
        return None
    removal = _removal(current)
    content = None
    with pim_write():
        if removal.deletes():
            content = page_content(current)
            # They become pages of their own, of a category that is none any more.
            for alias in current.aliases.all():
                alias.unpublish()
            current.delete()
        elif removal.unpublishes():
            current.unpublish()
    return removal, content


def _removal(
    page: Page, deleted: Collection[int] = (), hidden: Collection[int] = ()
) -> Removal:
    """``deleted`` and ``hidden`` count as such already."""
    below = page.get_descendants().exclude(pk__in=deleted)
    return Removal(
        page.title,
        page.pk,
        page.live,
        below.count(),
        below.live().exclude(pk__in=hidden).count(),
        Site.objects.filter(root_page=page.pk).exists(),
    )


def _create(
    plan: CategoryPlan,
    pages: dict[UUID, Page],
    assets: Assets,
    originals: Mapping[UUID, Page],
) -> list[Page]:
    config = get_config()
    models = {
        Kind.CATALOG: configured_model(config.catalog_page, CatalogPage),
        Kind.CATEGORY: configured_model(config.category_page, CategoryPage),
    }
    creations = [c.wanted for c in plan.changes if c.action == Action.CREATE]
    if not creations:
        return []
    translated = _translation_keys(creations)
    roots = {
        w.guid: _root(plan, originals.get(w.guid)) for w in creations if not w.parent
    }
    parent_ids = {pages[w.parent].pk for w in creations if w.parent in pages}
    locked = bulk.lock_pages({*parent_ids, *(root.pk for root in roots.values())})
    new = []
    for wanted in creations:
        values = {"title": wanted.title, "slug": wanted.slug}
        if wanted.kind == Kind.CATEGORY:
            values["description"] = wanted.description
        parent = pages[wanted.parent] if wanted.parent else roots[wanted.guid]
        page = models[wanted.kind](**values)
        if wanted.kind == Kind.CATEGORY:
            page.primary_image_id = image_key(wanted.image, assets, page)
        if not plan.language.is_default:
            page.translation_key = originals[wanted.guid].translation_key
        elif wanted.guid in translated:
            page.translation_key = translated[wanted.guid]
        new.append(bulk.NewPage(page, locked.get(parent.pk, parent)))
        pages[wanted.guid] = page
    bulk.insert_pages(new, timezone.now())
    return [item.page for item in new]


def _adopt(
    plan: CategoryPlan, pages: dict[UUID, Page], originals: Mapping[UUID, Page]
) -> None:
    """Make catalogs that people made in another language translations of ours."""
    adopted = [pages[c.wanted.guid] for c in plan.changes if c.action == Action.ADOPT]
    if plan.language.is_default or not adopted:
        return
    for change in plan.changes:
        if change.action == Action.ADOPT:
            page = pages[change.wanted.guid]
            page.translation_key = originals[change.wanted.guid].translation_key
    bulk.update_columns(adopted, lambda _page: {"translation_key"})


def _translation_keys(wanted: Iterable[WantedCategory]) -> dict[UUID, UUID]:
    """Those of categories that stand in other languages still, by Guid."""
    return dict(
        PimLink.objects.filter(
            kind__in=CATEGORY_KINDS, guid__in=[item.guid for item in wanted]
        ).values_list("guid", "page__translation_key")
    )


def _root(plan: CategoryPlan, original: Page | None) -> Page:
    """The page that a new catalog goes under, in the plan's language."""
    root = catalog_parent(original)
    if plan.language.is_default:
        return root
    return root.get_translation(plan.language.locale_id)


def _link(plan: CategoryPlan, pages: dict[UUID, Page], run_id: UUID) -> None:
    now = timezone.now()
    linked = set(
        PimLink.objects.filter(
            page_id__in=[page.pk for page in pages.values()]
        ).values_list("page_id", flat=True)
    )
    PimLink.objects.bulk_create(
        PimLink(
            page_id=pages[c.wanted.guid].pk,
            kind=c.wanted.kind,
            guid=c.wanted.guid,
            locale_id=plan.language.locale_id,
            synced_at=now,
            run_id=run_id,
        )
        for c in plan.changes
        if pages[c.wanted.guid].pk not in linked
    )
    PimLink.objects.filter(
        page_id__in=[
            pages[c.wanted.guid].pk for c in plan.changes if c.action == Action.UPDATE
        ]
    ).update(synced_at=now, run_id=run_id)


def _apply(
    change: CategoryChange,
    pages: dict[UUID, Page],
    assets: Assets,
    leaving_their_slug: set[int],
) -> Page:
    """Change one saved category; its ancestors and elder siblings are in place."""
    wanted, differences = change.wanted, change.differences
    if wanted.kind == Kind.CATALOG:
        return _become_translation(pages[wanted.guid])
    page = CategoryPage.objects.get(pk=pages[wanted.guid].pk).specific
    old_url_path = page.url_path
    if "parent" in differences:
        page = bulk.move(page, pages[cast(UUID, wanted.parent)].pk, "last-child")
    if "order" in differences:
        page = _put_in_order(page, change, pages)
    parent = page.get_parent(update=True)
    if {"slug", "parent"} & differences.keys():
        slug = wanted.slug if wanted.slug_is_given else page.slug
        siblings = SlugAllocator(
            {parent.path: parent},
            [(parent.path, slug)],
            leaving_out=leaving_their_slug,
        )
        page.slug = siblings.allocate(parent.path, slug)
    page.title = page.draft_title = wanted.title
    page.description = wanted.description
    page.primary_image_id = image_key(wanted.image, assets, page)
    page.alias_of_id = None
    page.url_path = f"{parent.url_path}{page.slug}/"
    page.last_published_at = timezone.now()
    columns = bulk.make_live(page) | {
        "title",
        "draft_title",
        "slug",
        "url_path",
        "description",
        "primary_image",
        "alias_of",
        "last_published_at",
    }
    bulk.update_columns([page], lambda _page: columns)
    follow_url_changes([UrlChange(page, old_url_path)])
    return page


def _become_translation(page: Page) -> Page:
    """A catalog's alias in another language, which is none any more."""
    page.alias_of_id = None
    bulk.update_columns([page], lambda _page: {"alias_of"})
    return page


def _put_in_order(page: Page, change: CategoryChange, pages: dict[UUID, Page]) -> Page:
    """Behind the sibling that comes before it in the PIM, or before all others."""
    elder = change.follows
    if elder is not None:
        return bulk.move(page, pages[elder].pk, "right")
    first = (
        CategoryPage.objects.sibling_of(page, inclusive=False)
        .filter(pim_link__isnull=False)
        .order_by("path")
        .first()
    )
    return bulk.move(page, first.pk, "left") if first else page
