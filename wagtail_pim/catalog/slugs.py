"""Slugs that are unique among siblings, found for many pages by few queries."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from django.db import models
from django.db.models import Q
from django.db.models.functions import Substr
from wagtail.models import Page

from .grouping import grouped


def children_of(parents: Iterable[Page]) -> Iterable[models.QuerySet[Page]]:
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
        for children in children_of(parents.values()):
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
            for children in children_of(parents.values()):
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
