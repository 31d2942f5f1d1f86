"""Many pages written at once, leaving what a normal publish leaves.

One batch costs a number of queries that depends on the page types in it, not on the
number of pages. What a publish does besides the rows is done here too: log entries,
search index, reference index, ``page_published``. No revision is made: an editor's
draft stays the latest one. Everything must run inside the caller's transaction.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.db import connections, models, router, transaction
from django.db.models import Max, Q
from django.db.models.functions import Substr
from django.utils import timezone
from modelcluster.models import get_all_child_m2m_relations, get_all_child_relations
from wagtail.models import Page, PageLogEntry, ReferenceIndex
from wagtail.search import index
from wagtail.search.backends import get_search_backends
from wagtail.signals import page_published

# What saving a draft, publishing and unpublishing write besides the content.
EDITORS_COLUMNS = frozenset(
    {"draft_title", "live", "expired", "has_unpublished_changes"}
)
CONTENT_ACTIONS = frozenset({"wagtail.create", "wagtail.publish"})

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class NewPage:
    """An unsaved page and what it goes under: a saved page or another new one.

    The page's slug is the wanted one; it gets a suffix where it is taken.
    """

    page: Page
    parent: Page


def grouped(
    values: Iterable[Value], key: Callable[[Value], Key]
) -> dict[Key, list[Value]]:
    groups: dict[Key, list[Value]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return dict(groups)


def by_class(pages: Iterable[Page]) -> dict[type[Page], list[Page]]:
    return grouped(pages, key=lambda page: page.__class__)


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


def insert_pages(new: Sequence[NewPage]) -> None:
    """Insert published pages, each after its parent's last child.

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
    now = timezone.now()
    for page in pages:
        page.live = True
        page.has_unpublished_changes = False
        page.first_published_at = page.last_published_at = now
        page.draft_title = page.title
    _insert_rows(pages)
    update_columns(saved_parents, lambda parent: {"numchild"})


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


def _children(parents: Iterable[Page]) -> Iterable[models.QuerySet[Page]]:
    """The parents' children, with a ``parent_path``; one queryset a depth."""
    for depth, siblings in grouped(parents, key=lambda page: page.depth).items():
        paths = sorted(page.path for page in siblings)
        yield (
            Page.objects.filter(
                depth=depth + 1,
                path__range=(
                    Page._get_children_path_interval(paths[0])[0],
                    Page._get_children_path_interval(paths[-1])[1],
                ),
            )
            .annotate(parent_path=Substr("path", 1, len(paths[0])))
            .filter(parent_path__in=paths)
            .order_by()
        )


def _last_steps(parents: Iterable[Page]) -> dict[str, int]:
    """The number in its row of each parent's last child."""
    steps = {}
    for children in _children(parents):
        for path, last in children.values_list("parent_path").annotate(Max("path")):
            steps[path] = Page._str2int(last[-Page.steplen :])
    return steps


class SlugAllocator:
    """Hands out slugs that are unique among the children of one parent.

    ``wanted`` are (parent path, slug) pairs, so that one query finds those taken;
    ``leaving_out`` are pages whose own slugs are about to change.
    """

    def __init__(
        self,
        parents: dict[str, Page],
        wanted: Iterable[tuple[str, str]],
        leaving_out: Iterable[int] = (),
    ) -> None:
        excluded = list(leaving_out)
        self._taken: dict[str, set[str]] = defaultdict(set)
        pairs = Counter(pair for pair in wanted if pair[0] in parents)
        if not pairs:
            return
        slugs = {slug for _path, slug in pairs}
        clashes = {slug for (_path, slug), times in pairs.items() if times > 1}
        for children in _children(parents.values()):
            for path, slug in (
                children.filter(slug__in=slugs)
                .exclude(pk__in=excluded)
                .values_list("parent_path", "slug")
            ):
                self._taken[path].add(slug)
                clashes.add(slug)
        if clashes:
            suffixed = Q()
            for slug in clashes:
                suffixed |= Q(slug__startswith=f"{slug}-")
            for children in _children(parents.values()):
                for path, slug in (
                    children.filter(suffixed)
                    .exclude(pk__in=excluded)
                    .values_list("parent_path", "slug")
                ):
                    self._taken[path].add(slug)

    def allocate(self, parent_path: str, wanted: str) -> str:
        taken = self._taken[parent_path]
        slug, suffix = wanted, 2
        while slug in taken:
            slug, suffix = f"{wanted}-{suffix}", suffix + 1
        taken.add(slug)
        return slug


def slugs_held_by_siblings(wanted: Iterable[tuple[Page, str]]) -> set[int]:
    """Keys of saved pages that have a suffix to their slug and still need it.

    ``wanted`` are pages with the slug each would have without siblings.
    """
    suffixed = [
        (page, slug)
        for page, slug in wanted
        if re.fullmatch(rf"{re.escape(slug)}-\d+", page.slug)
    ]
    if not suffixed:
        return set()
    holders = {
        (path[: -Page.steplen], slug)
        for path, slug in Page.objects.filter(
            slug__in={slug for _page, slug in suffixed}
        ).values_list("path", "slug")
    }
    return {
        page.pk
        for page, slug in suffixed
        if (page.path[: -Page.steplen], slug) in holders
    }


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


def log(
    pages: Iterable[Page],
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


def update_indexes(pages: Sequence[Page]) -> None:
    """Search and reference index of pages that were inserted or changed.

    The rows are read again: editors may have changed fields of theirs meanwhile.
    """
    for model, ids in by_class(pages).items():
        group = list(model._base_manager.filter(pk__in=[page.pk for page in ids]))
        _preload_children(model, group)
        _update_search_index(model, group)
        _update_reference_index(model, group)


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


def _preload_children(model: type[Page], pages: Sequence[Page]) -> None:
    """Read each child relation once for all pages, as modelcluster keeps them."""
    by_pk = {page.pk: page for page in pages}
    for page in pages:
        page.__dict__.setdefault("_cluster_related_objects", {})
    for relation in get_all_child_relations(model):
        name = relation.get_accessor_name()
        children = relation.related_model._base_manager.filter(
            **{f"{relation.field.name}__in": list(by_pk)}
        )
        by_parent = grouped(children, key=lambda c: getattr(c, relation.field.attname))
        for pk, page in by_pk.items():
            page._cluster_related_objects[name] = by_parent.get(pk, [])
    for field in get_all_child_m2m_relations(model):
        through = field.remote_field.through
        rows = through._base_manager.filter(
            **{f"{field.m2m_field_name()}__in": list(by_pk)}
        ).select_related(field.m2m_reverse_field_name())
        by_parent = grouped(
            rows, key=lambda r: getattr(r, f"{field.m2m_field_name()}_id")
        )
        for pk, page in by_pk.items():
            page._cluster_related_objects[field.name] = [
                getattr(row, field.m2m_reverse_field_name())
                for row in by_parent.get(pk, [])
            ]


def _update_search_index(model: type[Page], pages: Sequence[Page]) -> None:
    if not index.class_is_indexed(model) or not getattr(
        model, "search_auto_update", True
    ):
        return
    for backend in get_search_backends(with_auto_update=True):
        _forget_entries(backend, model, pages)
        backend.add_bulk(model, pages)


def _forget_entries(backend: Any, model: type[Page], pages: Sequence[Page]) -> None:
    """Spare the SQLite and MySQL backends one update for every entry they have."""
    entries = getattr(backend.get_index_for_model(model), "entries", None)
    if entries is not None and connections[entries.db].vendor != "postgresql":
        content_type = ContentType.objects.get_for_model(
            model, for_concrete_model=False
        )
        entries.filter(
            content_type=content_type, object_id__in=[str(page.pk) for page in pages]
        ).delete()


def _update_reference_index(model: type[Page], pages: Sequence[Page]) -> None:
    """``ReferenceIndex.create_or_update_for_object`` for many objects."""
    if not ReferenceIndex.is_indexed(model):
        return
    content_type = ContentType.objects.get_for_model(model, for_concrete_model=False)
    base_type = ReferenceIndex._get_base_content_type(model)
    wanted = {
        (str(page.pk), *reference)
        for page in pages
        for reference in ReferenceIndex._extract_references_from_object(page)
    }
    fields = ("object_id", "to_content_type_id", "to_object_id", "model_path")
    standing = {
        row[1:]: row[0]
        for row in ReferenceIndex.objects.filter(
            base_content_type=base_type, object_id__in=[str(page.pk) for page in pages]
        ).values_list("pk", *fields, "content_path")
    }
    gone = [pk for row, pk in standing.items() if row not in wanted]
    if gone:
        ReferenceIndex.objects.filter(pk__in=gone).delete()
    ReferenceIndex.objects.bulk_create(
        ReferenceIndex(
            content_type=content_type,
            base_content_type=base_type,
            **dict(zip(fields, row[:4], strict=True)),
            content_path=row[4],
            content_path_hash=ReferenceIndex._get_content_path_hash(row[4]),
        )
        for row in sorted(wanted - standing.keys())
    )
