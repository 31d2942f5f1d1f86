"""Many pages written at once, leaving what a normal publish leaves.

One batch costs a number of queries that depends on the page types in it, not on the
number of pages. What a publish does besides the rows is done here and in
``indexing``: log entries, ``page_published``, aliases, search and reference index. No
revision is made: an editor's draft stays the latest one. Everything must run inside
the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.db import connections, router, transaction
from django.db.models import Max
from django.utils import timezone
from treebeard.mp_tree import MP_Node
from wagtail.models import Page, PageLogEntry
from wagtail.signals import page_published

from .grouping import grouped
from .slugs import SlugAllocator, children_of

# What saving a draft, publishing and unpublishing write besides the content.
EDITORS_COLUMNS = frozenset(
    {"draft_title", "live", "expired", "has_unpublished_changes"}
)
CONTENT_ACTIONS = frozenset({"wagtail.create", "wagtail.publish"})

AnyPage = TypeVar("AnyPage", bound=Page)


@dataclass(slots=True)
class NewPage:
    """An unsaved page and what it goes under: a saved page or another new one.

    The page's slug is the wanted one; it gets a suffix where it is taken.
    """

    page: Page
    parent: Page


def lock_pages(ids: Iterable[int]) -> dict[int, Page]:
    """The pages with all columns of theirs, locked until the transaction ends.

    They are locked as Wagtail's own page tree operations lock them, in one order, so
    that neither two batches nor a batch and an editor wait for each other forever.
    """
    by_type = grouped(
        Page.objects.filter(pk__in=list(ids)).values_list("pk", "content_type_id"),
        key=lambda row: row[1],
    )
    pages: dict[int, Page] = {}
    for content_type_id in sorted(by_type):
        content_type = ContentType.objects.get_for_id(content_type_id)
        model = content_type.model_class() or Page
        database = router.db_for_write(model)
        features = connections[database].features
        locked = (
            model._base_manager.using(database)
            .select_for_update(no_key=features.has_select_for_no_key_update)
            .filter(pk__in=[pk for pk, _ in by_type[content_type_id]])
            .order_by("pk")
        )
        pages.update((page.pk, page) for page in locked)
    return pages


def insert_pages(new: Sequence[NewPage], now: datetime) -> None:
    """Insert pages published ``now``, each after its parent's last child.

    Parents that are new come before their children in ``new``; saved parents must be
    locked (``lock_pages``). Afterwards every page has its primary key.
    """
    if not new:
        return
    pages = [item.page for item in new]
    made_here = set(map(id, pages))
    saved_parents = list(
        {id(p): p for item in new if id(p := item.parent) not in made_here}.values()
    )
    _place(new, saved_parents)
    for page in pages:
        page.live = True
        page.has_unpublished_changes = False
        page.first_published_at = page.last_published_at = now
        page.draft_title = page.title
    _insert_rows(pages)
    update_columns(saved_parents, lambda parent: {"numchild"})
    log(pages, "wagtail.create")
    log(pages, "wagtail.publish")


def _place(new: Sequence[NewPage], saved: Sequence[Page]) -> None:
    """Path, depth, locale, slug and url_path of each page, in memory."""
    last_step = _last_steps(saved)
    slugs = SlugAllocator(
        {parent.path: parent for parent in saved},
        [(item.parent.path, item.page.slug) for item in new if item.parent.path],
    )
    for item in new:
        page, parent = item.page, item.parent
        step = last_step.get(parent.path, 0) + 1
        last_step[parent.path] = step
        page.depth = parent.depth + 1
        page.path = Page._get_path(parent.path, page.depth, step)
        page.numchild = 0
        page.locale_id = parent.locale_id
        page.slug = slugs.allocate(parent.path, page.slug)
        page.url_path = f"{parent.url_path}{page.slug}/"
        parent.numchild += 1


def _last_steps(parents: Iterable[Page]) -> dict[str, int]:
    """The number in its row of each parent's last child."""
    steps = {}
    for children in children_of(parents):
        for path, last in children.values_list("parent_path").annotate(Max("path")):
            steps[path] = Page._str2int(last[-Page.steplen :])
    return steps


def _insert_rows(pages: Sequence[Page]) -> None:
    """The rows of every table of the pages' classes, base tables first."""
    shared = Page._meta.concrete_fields
    rows = [
        Page(**{f.attname: getattr(page, f.attname) for f in shared}) for page in pages
    ]
    for page, row in zip(pages, Page.objects.bulk_create(rows), strict=True):
        for model in (type(page), *page._meta.get_parent_list()):
            setattr(page, model._meta.pk.attname, row.pk)
    tables: dict[type[Page], list[Page]] = {}
    for page in pages:
        for model in reversed([type(page), *page._meta.get_parent_list()]):
            if model is not Page:
                tables.setdefault(model, []).append(page)
    for model in sorted(tables, key=lambda model: len(model._meta.get_parent_list())):
        model._base_manager.all()._batched_insert(
            tables[model], model._meta.local_concrete_fields, batch_size=None
        )
    for page in pages:
        page._state.adding = False
        page._state.db = router.db_for_write(type(page))


def make_live(page: Page) -> set[str]:
    """Set what publishing sets, and return the names of the columns.

    Wagtail marks every unpublished page as one with changes; it has some only where
    an editor ever saved a draft.
    """
    page.live, page.expired = True, False
    page.has_unpublished_changes &= page.latest_revision_id is not None
    return {"live", "expired", "has_unpublished_changes"}


def update_columns(pages: Iterable[Page], columns: Callable[[Page], set[str]]) -> None:
    """Write the columns that ``columns`` names for each page, in a few statements.

    Within a class all pages get the union of their columns, of which each has the
    value that it was read with; but what an editor may have written since is written
    only where it is named.
    """
    groups = grouped(
        pages, key=lambda p: (p.__class__, frozenset(columns(p) & EDITORS_COLUMNS))
    )
    for (model, _editors), group in groups.items():
        names = sorted(set().union(*map(columns, group)))
        if names:
            model._base_manager.bulk_update(group, names)


def move(page: AnyPage, target_id: int, position: str) -> AnyPage:
    """The page after treebeard's own move: Wagtail's writes redirects page by page."""
    source = page.get_parent(update=True)
    MP_Node.move(
        Page.objects.get(pk=page.pk), Page.objects.get(pk=target_id), pos=position
    )
    moved = type(page)._base_manager.get(pk=page.pk)
    destination = moved.get_parent()
    if source.pk == destination.pk:
        log([moved], "wagtail.reorder")
    else:
        ends = {
            "source": {"id": source.pk, "title": source.title},
            "destination": {"id": destination.pk, "title": destination.title},
        }
        log([moved], "wagtail.move", lambda _page: ends)
    return moved


def log(
    pages: Collection[Page],
    action: str,
    data: Callable[[Page], dict[str, Any]] | None = None,
) -> None:
    """Wagtail's log entries, as ``wagtail.log_actions.log`` makes them one by one."""
    now = timezone.now()
    types = ContentType.objects.get_for_models(
        *{type(page) for page in pages}, for_concrete_models=False
    )
    PageLogEntry.objects.bulk_create(
        PageLogEntry(
            page_id=page.pk,
            content_type=types[type(page)],
            label=page.get_admin_display_title(),
            action=action,
            timestamp=now,
            data=data(page) if data else {},
            content_changed=action in CONTENT_ACTIONS,
        )
        for page in pages
    )


def log_renames(renamed: Iterable[tuple[Page, tuple[str, str]]]) -> None:
    """Log entries for pages with their (old, new) titles."""
    titles = dict(renamed)
    log(
        titles,
        "wagtail.rename",
        lambda page: {"title": {"old": titles[page][0], "new": titles[page][1]}},
    )


def update_aliases(pages: Iterable[Page]) -> None:
    """Let aliases of changed pages follow, one by one; they are few."""
    originals = Page.objects.filter(
        pk__in=Page.objects.filter(alias_of__in=[page.pk for page in pages]).values(
            "alias_of"
        )
    )
    for original in originals:
        original.specific.update_aliases()


def announce_after_commit(pages: Sequence[Page]) -> None:
    """Send ``page_published``, to which sites and Wagtail's front-end cache listen.

    A receiver that fails is logged and keeps nothing from being published.
    """
    listened = [page for page in pages if page_published.has_listeners(type(page))]

    def announce() -> None:
        for page in listened:
            page_published.send_robust(sender=type(page), instance=page, revision=None)

    if listened:
        transaction.on_commit(announce)
