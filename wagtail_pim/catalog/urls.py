"""What has to follow when a page's URL changes: its children, and a redirect.

Wagtail does this page by page, and on SQLite fails for a page with thousands below
it; a category has that many. So it is done here, in batches, for all of a sync.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Case, F, TextField, Value, When
from django.db.models.functions import Concat, Substr
from wagtail.models import Page

from wagtail_pim.conf import redirects_wanted

from .grouping import chunked, grouped

ROWS_PER_STATEMENT = 500
# SQLite takes 999 variables a statement in old builds.
CHANGES_PER_STATEMENT = 100


@dataclass(frozen=True, slots=True)
class UrlChange:
    """A page whose ``url_path`` is new; it is saved, its descendants are not."""

    page: Page
    old_url_path: str

    def has_effect(self) -> bool:
        return self.page.url_path != self.old_url_path


def follow_url_changes(changes: Iterable[UrlChange]) -> None:
    """Give descendants their new url_path and let every old URL lead to its page.

    The number of queries depends on the depths at which pages changed, not on the
    number of pages. The deepest come first: below them stand the URLs of which their
    ancestors' old ones are a part still.
    """
    effective = [change for change in changes if change.has_effect()]
    moved = [(change.page, change.old_url_path) for change in effective]
    by_depth = grouped(effective, key=lambda change: change.page.depth)
    for depth in sorted(by_depth, reverse=True):
        level = sorted(by_depth[depth], key=lambda change: change.page.path)
        for some in chunked(level, CHANGES_PER_STATEMENT):
            moved += _follow_below(some)
    _leave_redirects(moved)


def _follow_below(changes: Sequence[UrlChange]) -> list[tuple[Page, str]]:
    """Pages below changed pages of one depth, with the url_path that they had.

    ``changes`` are in order of path.
    """
    by_path = {change.page.path: change for change in changes}
    first, last = changes[0].page, changes[-1].page
    length = len(first.path)
    descendants = (
        Page.objects.filter(
            depth__gt=first.depth,
            path__range=(first.path, Page._get_children_path_interval(last.path)[1]),
        )
        .annotate(ancestor=Substr("path", 1, length))
        .filter(ancestor__in=list(by_path))
        .order_by()
    )
    descendants.update(
        url_path=Case(
            *(
                When(
                    path__startswith=path,
                    url_path__startswith=change.old_url_path,
                    then=Concat(
                        Value(change.page.url_path),
                        Substr("url_path", len(change.old_url_path) + 1),
                        output_field=TextField(),
                    ),
                )
                for path, change in by_path.items()
            ),
            default=F("url_path"),
        )
    )
    followed = []
    for page in (
        descendants.filter(live=True)
        .only("pk", "path", "url_path", "locale")
        .iterator(ROWS_PER_STATEMENT)
    ):
        change = by_path[page.path[:length]]
        new = change.page.url_path
        if page.url_path.startswith(new):
            followed.append((page, change.old_url_path + page.url_path[len(new) :]))
    return followed


def _leave_redirects(moved: Sequence[tuple[Page, str]]) -> None:
    if not apps.is_installed("wagtail.contrib.redirects") or not redirects_wanted():
        return
    from wagtail.contrib.redirects.models import Redirect

    longest = Redirect._meta.get_field("old_path").max_length
    redirects: dict[tuple[int, str], Any] = {}
    # Automatic redirects at an old URL would lead to the wrong page; one at the new
    # URL would lead to itself.
    taken: dict[int, set[str]] = {}
    for page, old_url_path in moved:
        new_parts = page.get_url_parts()
        old_parts = Page(
            url_path=old_url_path, locale_id=page.locale_id
        ).get_url_parts()
        # A page that went to another site has no redirect across the two.
        if not old_parts or not new_parts or old_parts[0] != new_parts[0]:
            continue
        site_id, _root, old_path = old_parts
        if old_path is None or old_path == new_parts[2]:
            continue
        path = Redirect.normalise_path(old_path)
        if len(path) > longest:
            continue
        taken.setdefault(site_id, set()).update(
            (path, Redirect.normalise_path(new_parts[2]))
        )
        redirects[site_id, path] = Redirect(
            site_id=site_id,
            old_path=path,
            redirect_page_id=page.pk,
            automatically_created=True,
        )
    for site_id, paths in taken.items():
        for chunk in chunked(sorted(paths), ROWS_PER_STATEMENT):
            Redirect.objects.filter(
                automatically_created=True, site_id=site_id, old_path__in=chunk
            ).delete()
    for rows in chunked(list(redirects.values()), ROWS_PER_STATEMENT):
        Redirect.objects.bulk_create(rows, ignore_conflicts=True)
