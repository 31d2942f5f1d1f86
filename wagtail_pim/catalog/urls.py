"""What has to follow when a page's URL changes: its children, and a redirect.

Wagtail does this page by page, and on SQLite fails for a page with thousands below
it; a category has that many. So it is done here, in batches, for all of a sync.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.apps import apps
from django.db.models import CharField, Value
from django.db.models.functions import Concat, Substr
from wagtail.models import Page

from wagtail_pim.conf import redirects_wanted

ROWS_PER_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class UrlChange:
    """A page whose ``url_path`` is new; it is saved, its descendants are not."""

    page: Page
    old_url_path: str

    def has_effect(self) -> bool:
        return self.page.url_path != self.old_url_path


def follow_url_changes(changes: Iterable[UrlChange]) -> None:
    """Give descendants their new url_path and let every old URL lead to its page."""
    effective = [change for change in changes if change.has_effect()]
    moved: list[tuple[Page, str]] = []
    for change in effective:
        page = change.page
        moved.append((page, change.old_url_path))
        if page.numchild:
            descendants = Page.objects.filter(
                path__startswith=page.path, depth__gt=page.depth
            )
            descendants.filter(url_path__startswith=change.old_url_path).update(
                url_path=Concat(
                    Value(page.url_path),
                    Substr("url_path", len(change.old_url_path) + 1),
                    output_field=CharField(),
                )
            )
            moved.extend(
                (child, change.old_url_path + child.url_path[len(page.url_path) :])
                for child in descendants.filter(live=True)
                .only("pk", "url_path", "locale")
                .iterator(ROWS_PER_STATEMENT)
            )
    _leave_redirects(moved)


def _leave_redirects(moved: Sequence[tuple[Page, str]]) -> None:
    if not apps.is_installed("wagtail.contrib.redirects") or not redirects_wanted():
        return
    from wagtail.contrib.redirects.models import Redirect

    redirects = {}
    for page, old_url_path in moved:
        new_parts = page.get_url_parts()
        old_parts = Page(
            url_path=old_url_path, locale_id=page.locale_id
        ).get_url_parts()
        # A page that went to another site has no redirect across the two.
        if not old_parts or not new_parts or old_parts[0] != new_parts[0]:
            continue
        site_id, _root, old_path = old_parts
        if old_path is not None and old_path != new_parts[2]:
            path = Redirect.normalise_path(old_path)
            redirects[site_id, path] = Redirect(
                site_id=site_id,
                old_path=path,
                redirect_page_id=page.pk,
                automatically_created=True,
            )
    rows = list(redirects.values())
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        chunk = rows[start : start + ROWS_PER_STATEMENT]
        # An older automatic redirect at the same URL would lead to the wrong page.
        Redirect.objects.filter(
            automatically_created=True, old_path__in=[row.old_path for row in chunk]
        ).delete()
        Redirect.objects.bulk_create(chunk, ignore_conflicts=True)
