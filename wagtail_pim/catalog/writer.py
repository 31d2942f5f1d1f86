"""Puts planned changes of products and variants into the database, in batches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import Any, Final
from uuid import UUID

import tenacity
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import Page

from wagtail_pim.exceptions import RunEndedError
from wagtail_pim.kinds import PRODUCT_KINDS, Kind
from wagtail_pim.models import CategoryMembership, PimLink

from . import bulk
from .changes import Action
from .grouping import grouped
from .indexing import update_indexes
from .mapping import PageContent, PageKey
from .named_relations import NamedRelation
from .planner import Fault, PageChange, Places
from .product_links import Assets, image_key, write_assets, write_relations
from .slugs import SlugAllocator
from .urls import UrlChange, follow_url_changes

logger = logging.getLogger(__name__)

DEADLOCK_ATTEMPTS: Final = 3


Pages = Mapping[PageKey, Page]
"""Specific pages by their record and locale."""


class Writer:
    """Writes the batches of one run, each in a transaction of its own.

    ``places`` are those of each language, the site's default one first; ``types`` the
    keys of relationship types by the PIM's Guid. ``before_commit`` is called inside
    that transaction with what was written; an error that it raises undoes it.
    """

    def __init__(
        self,
        places: Sequence[Places],
        run_id: UUID,
        types: Mapping[UUID, int],
        before_commit: Callable[[Sequence[PageChange], Pages], None],
    ) -> None:
        self._places = places
        self._types = types
        self._run_id = run_id
        self._before_commit = before_commit

    def write(
        self, changes: Sequence[PageChange], assets: Assets
    ) -> tuple[dict[PageKey, Page], list[Fault]]:
        """The pages of what was committed, and what could not be.

        A change that the database refuses is set aside with its family in all
        languages; all others are written.
        """
        try:
            return self._commit(changes, assets), []
        except RunEndedError:
            raise
        except Exception as error:
            _require_database()
            families = _families(changes)
            if len(families) == 1:
                logger.exception("Run %s: a family could not be written", self._run_id)
                products = {change.guid: change.content.product for change in changes}
                return {}, [Fault(p, refusal(error)) for p in products.values()]
        half = len(families) // 2
        written: dict[PageKey, Page] = {}
        faults: list[Fault] = []
        for part in (families[:half], families[half:]):
            pages, refused = self.write([c for family in part for c in family], assets)
            written.update(pages)
            faults.extend(refused)
        return written, faults

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(OperationalError),
        stop=tenacity.stop_after_attempt(DEADLOCK_ATTEMPTS),
        wait=tenacity.wait_random_exponential(max=2),
        reraise=True,
    )
    def _commit(
        self, changes: Sequence[PageChange], assets: Assets
    ) -> dict[PageKey, Page]:
        by_locale = grouped(changes, key=lambda c: c.content.language.locale_id)
        pages: dict[PageKey, Page] = {}
        originals: dict[UUID, Page] = {}
        with transaction.atomic():
            # Before their originals change, whose values they would take.
            Page.objects.filter(pk__in=_former_aliases(changes)).update(alias_of=None)
            for places in self._places:
                locale_id = places.language.locale_id
                if locale_id not in by_locale:
                    continue
                batch = _Batch(
                    by_locale[locale_id],
                    assets,
                    places,
                    self._types,
                    self._run_id,
                    originals,
                )
                written = batch.write()
                if places.language.is_default:
                    originals = written
                pages |= {(guid, locale_id): page for guid, page in written.items()}
            self._before_commit(changes, pages)
        return pages


def _require_database() -> None:
    """Raise if the database is gone: that is not the fault of the records."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
        connection.ensure_connection()


def remove_page(page_id: int) -> list[Page]:
    """Take a product's page off the site, as an editor would, with its variants'.

    Returns those that were live. The caller gives the transaction.
    """
    path = Page.objects.values_list("path", flat=True).get(pk=page_id)
    variants = PimLink.objects.filter(
        kind=Kind.VARIANT, page__path__startswith=path, page__live=True
    ).values_list("page_id", flat=True)
    # Locked, so that what an editor publishes at this moment is not lost.
    pages = bulk.lock_pages({page_id, *variants})
    removed = sorted(
        (page for page in pages.values() if page.live), key=lambda p: -p.depth
    )
    for page in removed:
        page.unpublish()
    return removed


def note_statuses(statuses: Mapping[UUID, str]) -> None:
    """Keep what is known of the products' statuses in the PIM, where it is news."""
    known = PimLink.objects.filter(
        kind__in=PRODUCT_KINDS, guid__in=statuses
    ).values_list("pk", "guid", "status")
    news = [(pk, statuses[guid]) for pk, guid, old in known if statuses[guid] != old]
    for status, group in grouped(news, key=lambda pair: pair[1]).items():
        PimLink.objects.filter(pk__in=[pk for pk, _s in group]).update(status=status)


def refusal(error: Exception) -> str:
    """Why something could not be stored, for a person."""
    if isinstance(error, ValidationError):
        said = " ".join(error.messages)
    else:
        said = f"{type(error).__name__}: {error}"
    return _("The site could not store it (%(said)s).") % {"said": said[:500]}


def _former_aliases(changes: Iterable[PageChange]) -> list[int]:
    return [c.page.pk for c in changes if c.page and "alias_of" in c.differences]


def _slug_for(change: PageChange, page: Page) -> str:
    content = change.content
    return content.slug if content.slug_is_given else page.slug


def _families(changes: Sequence[PageChange]) -> list[list[PageChange]]:
    """Products, each with its variants; variants of absent parents by parent."""
    return list(grouped(changes, key=lambda c: c.content.product.family).values())


class _Batch:
    """The writing of one batch in one language, inside a transaction.

    ``originals`` are the pages of the site's default language, of which these are
    translations; for that language itself there are none.
    """

    def __init__(
        self,
        changes: Sequence[PageChange],
        assets: Assets,
        places: Places,
        types: Mapping[UUID, int],
        run_id: UUID,
        originals: Mapping[UUID, Page],
    ) -> None:
        self._assets = assets
        self._places = places
        self._types = types
        self._run_id = run_id
        self._originals = originals
        self._now = timezone.now()
        self._created = [c for c in changes if c.action == Action.CREATE]
        self._updated = [c for c in changes if c.action == Action.UPDATE]
        self._removed = [c for c in changes if c.action == Action.REMOVE]
        self._stale = [c for c in changes if c.stale_link and c.page is not None]
        # Copies: a batch that is tried again starts from what was planned.
        self._pages: dict[UUID, Page] = {
            c.guid: copy(c.page) for c in changes if c.page is not None
        }

    def write(self) -> dict[UUID, Page]:
        keys = self._related_keys()
        self._insert(keys)
        self._update(keys)
        self._write_links()
        self._write_memberships()
        self._write_related(keys)
        if self._places.language.is_default:
            self._write_product_links()
        self._finish()
        self._take_off()
        return self._pages

    def _take_off(self) -> None:
        """Products first: with them go their variants."""
        gone = {
            page.pk: page
            for change in self._removed
            for page in remove_page(self._pages[change.guid].pk)
        }
        for change in self._removed:
            page = self._pages[change.guid]
            self._pages[change.guid] = gone.get(page.pk, page)

    def _changed(self) -> list[PageChange]:
        return [*self._created, *self._updated]

    def _by_relation(self) -> Iterable[tuple[NamedRelation, list[PageChange]]]:
        """Each relation field with the changes that set it."""
        for group in grouped(self._changed(), key=lambda c: c.content.model).values():
            for name, relation in group[0].content.page_type.relations.items():
                setting = [c for c in group if c.page is None or name in c.differences]
                if setting:
                    yield relation, setting

    def _related_keys(self) -> dict[NamedRelation, dict[str, Any]]:
        """Keys of the objects that the batch names, new ones made."""
        keys = {}
        for relation, changes in self._by_relation():
            values = [c.content.values[relation.field.name] for c in changes]
            names = (
                [value for value in values if value is not None]
                if relation.is_single
                else [name for value in values for name in value]
            )
            keys[relation] = relation.keys(names)
        return keys

    def _insert(self, keys: Mapping[NamedRelation, Mapping[str, Any]]) -> None:
        if not self._created:
            return
        parents = self._lock_parents(self._created)
        new = []
        for change in self._created:
            content = change.content
            page = content.model(title=content.title, slug=content.slug)
            if not self._places.language.is_default:
                page.translation_key = self._originals[change.guid].translation_key
            self._set_values(page, change, content.values, keys)
            parent = self._pages.get(content.parent)
            if parent is None or parent.pk is not None:
                parent = parents[content.parent]
            self._pages[change.guid] = page
            new.append(bulk.NewPage(page, parent))
        bulk.insert_pages(new, self._now)

    def _lock_parents(self, changes: Iterable[PageChange]) -> dict[UUID, Page]:
        """The saved parents of these changes' pages by Guid, locked."""
        ids: dict[UUID, int] = {}
        strangers: set[UUID] = set()
        for change in changes:
            parent = change.content.parent
            if change.content.kind == Kind.PRODUCT:
                ids[parent] = self._places.page_ids[parent]
            elif (page := self._pages.get(parent)) is not None and page.pk:
                ids[parent] = page.pk
            else:
                strangers.add(parent)
        ids.update(
            PimLink.objects.filter(
                kind=Kind.PRODUCT,
                guid__in=strangers,
                locale=self._places.language.locale_id,
            ).values_list("guid", "page_id")
            if strangers
            else {}
        )
        locked = bulk.lock_pages(ids.values())
        return {guid: locked[page_id] for guid, page_id in ids.items()}

    def _set_values(
        self,
        page: Page,
        change: PageChange,
        names: Iterable[str],
        keys: Mapping[NamedRelation, Mapping[str, Any]],
    ) -> set[str]:
        """Set columns from the content; returns the columns that were set."""
        columns = set()
        relations = change.content.page_type.relations
        for name in names:
            value = change.content.values[name]
            if name == "primary_image":
                page.primary_image_id = image_key(value, self._assets, page)
            elif name not in relations:
                setattr(page, name, value)
            elif relations[name].is_single:
                key = None if value is None else keys[relations[name]][value]
                setattr(page, relations[name].field.attname, key)
            else:
                continue
            columns.add(name)
        return columns

    def _update(self, keys: Mapping[NamedRelation, Mapping[str, Any]]) -> None:
        columns: dict[int, set[str]] = {}
        self._move([c for c in self._updated if "parent" in c.differences])
        url_changes = self._allot_slugs(
            [c for c in self._updated if {"parent", "slug"} & c.differences.keys()]
        )
        for change in self._updated:
            page = self._pages[change.guid]
            names = change.differences.keys() & change.content.values.keys()
            changed = self._set_values(page, change, names, keys)
            changed.add("last_published_at")
            page.last_published_at = self._now
            if "title" in change.differences:
                page.title = page.draft_title = change.content.title
                changed |= {"title", "draft_title"}
            if "live" in change.differences:
                changed |= bulk.make_live(page)
            if "alias_of" in change.differences:
                page.alias_of_id = None
                changed.add("alias_of")
            columns[page.pk] = changed
        for url_change in url_changes:
            columns[url_change.page.pk] |= {"slug", "url_path"}
        pages = [self._pages[change.guid] for change in self._updated]
        bulk.update_columns(pages, lambda page: columns[page.pk])
        follow_url_changes(url_changes)
        bulk.log(pages, "wagtail.publish")
        bulk.log_renames(
            (self._pages[c.guid], c.differences["title"])
            for c in self._updated
            if "title" in c.differences
        )

    def _move(self, changes: Sequence[PageChange]) -> None:
        """Put each page under its new parent; rare, so one by one."""
        parents = self._lock_parents(changes) if changes else {}
        for change in changes:
            self._pages[change.guid] = bulk.move(
                self._pages[change.guid],
                parents[change.content.parent].pk,
                "last-child",
            )

    def _allot_slugs(self, changes: Sequence[PageChange]) -> list[UrlChange]:
        """Free slugs and the url_path that follows, set on the pages."""
        if not changes:
            return []
        pages = [(change, self._pages[change.guid]) for change in changes]
        # A page that moved just now has taken its children along.
        places = Page.objects.only("path", "depth").in_bulk([p.pk for _c, p in pages])
        for _change, page in pages:
            page.path, page.depth = places[page.pk].path, places[page.pk].depth
        parents = self._lock_parents_at(
            {page.path[: -Page.steplen] for _change, page in pages}
        )
        slugs = SlugAllocator(
            parents,
            [(page.path[: -Page.steplen], _slug_for(c, page)) for c, page in pages],
            leaving_out=[page.pk for _change, page in pages],
        )
        url_changes = []
        for change, page in pages:
            parent = parents[page.path[: -Page.steplen]]
            old_url_path = page.url_path
            page.slug = slugs.allocate(parent.path, _slug_for(change, page))
            page.url_path = f"{parent.url_path}{page.slug}/"
            url_changes.append(UrlChange(page, old_url_path))
        return url_changes

    def _lock_parents_at(self, paths: Iterable[str]) -> dict[str, Page]:
        ids = Page.objects.filter(path__in=paths).values_list("pk", flat=True)
        return {page.path: page for page in bulk.lock_pages(ids).values()}

    def _write_links(self) -> None:
        stale = {self._pages[c.guid].pk: c for c in self._stale}
        created = {self._pages[c.guid].pk: c for c in self._created}
        standing = (
            {link.page_id: link for link in PimLink.objects.filter(page_id__in=stale)}
            if stale
            else {}
        )
        new = []
        for page_id, change in {**created, **stale}.items():
            content = change.content
            link = standing.get(page_id)
            if link is None:
                link = PimLink(
                    page_id=page_id,
                    kind=content.kind,
                    guid=change.guid,
                    locale_id=content.language.locale_id,
                )
                new.append(link)
            link.version = content.product.current_version_number
            link.status = content.product.status.strip()
            link.content_hash = self._content_hash(content)
            link.synced_at = self._now
            link.run_id = self._run_id
        PimLink.objects.bulk_create(new)
        PimLink.objects.bulk_update(
            list(standing.values()),
            ["version", "status", "content_hash", "synced_at", "run_id"],
        )

    def _content_hash(self, content: PageContent) -> str:
        """None of a page whose assets or relations can't be whole: it is compared."""
        whole = all(guid in self._assets for guid in content.assets) and (
            content.related_by(self._types) == content.related
        )
        return content.content_hash if whole else ""

    def _setting(self, name: str) -> list[PageChange]:
        """The changes that set this of their pages."""
        return [c for c in self._changed() if c.page is None or name in c.differences]

    def _write_product_links(self) -> None:
        """Assets and relations, which all languages share."""
        if changes := self._setting("assets"):
            write_assets({c.guid: c.content.assets for c in changes}, self._assets)
        if changes := self._setting("related"):
            write_relations(
                {c.guid: c.content.related_by(self._types) for c in changes},
                self._types,
            )

    def _write_memberships(self) -> None:
        changing = self._setting("categories")
        wanted = {
            (self._pages[c.guid].pk, self._places.page_ids[category])
            for c in changing
            for category in c.content.categories
            if category in self._places.page_ids
        }
        standing = {
            (page_id, category_id): pk
            for pk, page_id, category_id in CategoryMembership.objects.filter(
                page_id__in=[c.page.pk for c in changing if c.page is not None]
            ).values_list("pk", "page_id", "category_id")
        }
        gone = [pk for pair, pk in standing.items() if pair not in wanted]
        if gone:
            CategoryMembership.objects.filter(pk__in=gone).delete()
        CategoryMembership.objects.bulk_create(
            CategoryMembership(page_id=page_id, category_id=category_id)
            for page_id, category_id in sorted(wanted - standing.keys())
        )

    def _write_related(self, keys: Mapping[NamedRelation, Mapping[str, Any]]) -> None:
        for relation, changes in self._by_relation():
            if not relation.is_single:
                relation.write(
                    {
                        self._pages[c.guid].pk: c.content.values[relation.field.name]
                        for c in changes
                    },
                    keys[relation],
                )

    def _finish(self) -> None:
        """All that a publish does besides the rows."""
        pages = [self._pages[change.guid] for change in self._changed()]
        stored = update_indexes(pages)
        bulk.update_aliases([self._pages[change.guid] for change in self._updated])
        bulk.announce_after_commit(stored)
