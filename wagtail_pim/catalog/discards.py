"""Pages of the catalog that people made by hand.

What the catalog holds comes from the PIM alone. These pages do not, drafts included:
Publish approved products discards them, as the setting ``DISCARDS`` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import or_
from typing import Any, Final

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from wagtail.models import Page

from wagtail_pim.kinds import Kind
from wagtail_pim.markers import is_synced
from wagtail_pim.models import (
    CatalogPage,
    CategoryPage,
    PimLink,
    ProductPage,
    VariantPage,
)

from . import bulk
from .grouping import chunked

BASE_CLASSES: Final[dict[Kind, Any]] = {
    Kind.CATEGORY: CategoryPage,
    Kind.PRODUCT: ProductPage,
    Kind.VARIANT: VariantPage,
}
# SQLite takes a condition of so many parts, and no more than 1,000.
PATHS_PER_QUERY: Final = 200


@dataclass(frozen=True, slots=True)
class HandmadePage:
    """A page that the catalog holds and the PIM does not know.

    ``is_out`` says that it is live, or will be by a schedule. Below it stand
    ``pages_kept``: those of the editors' own, and those that the PIM manages.
    """

    page_id: int
    kind: Kind
    number: str
    title: str
    is_out: bool
    pages_kept: int


def handmade_pages() -> list[HandmadePage]:
    """Those below the catalogs of the PIM in all languages, the deepest first.

    Catalogs themselves, aliases, translations of the PIM's pages, pages of types that
    are not synced, and those at which a site begins are none; nor is what stands below
    a catalog of the site's own. The number of queries does not depend on the number of
    pages.
    """
    catalogs = Page.objects.filter(pim_link__kind=Kind.CATALOG)
    paths = list(catalogs.values_list("path", flat=True))
    found = [
        (kind, page)
        for kind, base in BASE_CLASSES.items()
        for some in chunked(_topmost(paths), PATHS_PER_QUERY)
        for page in _of_kind(base, some)
    ]
    own = _own_catalogs(paths)
    found = [pair for pair in found if not own.intersection(_ancestors(pair[1].path))]
    found.sort(key=lambda pair: (-pair[1].depth, pair[1].path))
    kept = _kept_below({page.path: page.numchild for _kind, page in found})
    return [
        HandmadePage(
            page_id=page.pk,
            kind=kind,
            number=getattr(page, "product_number", "") or page.title,
            title=page.get_admin_display_title(),
            is_out=page.live or page.approved_schedule,
            pages_kept=kept[page.path],
        )
        for kind, page in found
    ]


def _of_kind(base: Any, paths: Iterable[str]) -> Any:
    """The unlinked pages of the base class and its subclasses below these paths."""
    models = [m for m in apps.get_models() if issubclass(m, base) and is_synced(m)]
    types = ContentType.objects.get_for_models(*models, for_concrete_models=False)
    # What is a translation of one becomes the PIM's with the product's next run.
    linked = Page.objects.filter(pim_link__isnull=False).values("translation_key")
    return (
        base.objects.filter(
            _below(paths),
            content_type__in=types.values(),
            pim_link__isnull=True,
            alias_of__isnull=True,
            # Wagtail would delete the site with it.
            sites_rooted_here__isnull=True,
        )
        .exclude(translation_key__in=linked)
        .annotate_approved_schedule()
    )


def _own_catalogs(paths: Iterable[str]) -> set[str]:
    """The paths of catalogs below these that are the site's own."""
    return {
        path
        for some in chunked(_topmost(paths), PATHS_PER_QUERY)
        for path in CatalogPage.objects.filter(
            _below(some), pim_link__isnull=True
        ).values_list("path", flat=True)
    }


def _kept_below(children: dict[str, int]) -> Counter[str]:
    """By path: how many pages below are no hand-made ones.

    ``children`` are how many each of the hand-made pages has.
    """
    counts: Counter[str] = Counter()
    for some in chunked(_topmost(p for p, n in children.items() if n), PATHS_PER_QUERY):
        below = Page.objects.filter(_below(some)).order_by()
        for path in below.values_list("path", flat=True).iterator():
            if path not in children:
                counts.update(a for a in _ancestors(path) if a in children)
    return counts


def _topmost(paths: Iterable[str]) -> list[str]:
    """Those of the paths that are below no other of them."""
    topmost: list[str] = []
    for path in sorted(paths):
        if not topmost or not path.startswith(topmost[-1]):
            topmost.append(path)
    return topmost


def _below(paths: Iterable[str]) -> Q:
    return reduce(or_, (Q(path__startswith=p) & ~Q(path=p) for p in paths))


def _ancestors(path: str) -> Iterator[str]:
    steps = (path[at : at + Page.steplen] for at in range(0, len(path), Page.steplen))
    return (each for each in accumulate(steps) if each != path)


def lock_handmade(page_id: int) -> Page | None:
    """The specific page, locked until the transaction ends; None if it is none now.

    Since it was found, an editor may have deleted it or moved it out of the catalog.
    """
    page = bulk.lock_pages([page_id]).get(page_id)
    if page is None or page.alias_of_id or page.sites_rooted_here.exists():
        return None
    if PimLink.objects.filter(page_id=page_id).exists():
        return None
    # Of catalogs that stand in each other, the innermost counts.
    catalog = (
        CatalogPage.objects.filter(path__in=list(_ancestors(page.path)))
        .order_by("-depth")
        .values_list("pim_link__kind", flat=True)
        .first()
    )
    return page if catalog == Kind.CATALOG else None


def take_off(page: Page) -> None:
    """Unpublish the page, for good: no schedule publishes it again."""
    page.unpublish()
    # Wagtail forgets the schedules only of what was live.
    page.revisions.exclude(approved_go_live_at=None).update(approved_go_live_at=None)
