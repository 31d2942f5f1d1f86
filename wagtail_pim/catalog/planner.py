"""What has to change so that the site shows what the PIM says; writes nothing.

A dry run ends here: the plan that it shows is the plan that a run carries out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from wagtail.models import Locale, Page

from wagtail_pim.client.entities import Product
from wagtail_pim.kinds import PRODUCT_KINDS, Kind
from wagtail_pim.models import CategoryMembership, PimLink

from .changes import Action
from .grouping import grouped
from .languages import SiteLanguage
from .mapping import PageContent, PageKey
from .product_links import Assets, StandingLinks, image_key
from .schema import PageType
from .slugs import slugs_held_by_siblings


@dataclass(frozen=True, slots=True)
class PageChange:
    """What has to be done for one page of a product or variant.

    ``page`` is the specific page, or None for one to create. ``differences`` are
    (old, new) pairs by field name; ``parent`` is the Guid that the page goes under.
    ``stale_link`` says that at least the link's version or hash has to be written. To
    remove is a page whose product says nothing in its language any more.
    """

    content: PageContent
    action: Action
    page: Page | None = None
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    stale_link: bool = False

    @property
    def guid(self) -> UUID:
        return self.content.guid

    @property
    def key(self) -> PageKey:
        return self.content.key


@dataclass(frozen=True, slots=True)
class Fault:
    """A product that can't be put on the site, and why."""

    product: Product
    reason: str


class Places:
    """The site's categories of one language by Guid, as parents of products.

    ``planned`` are those that a dry run would have created, ``failed`` those that
    can't be shown as they are.
    """

    def __init__(
        self,
        language: SiteLanguage | None = None,
        planned: Iterable[UUID] = (),
        failed: Iterable[UUID] = (),
    ) -> None:
        self.language = language or SiteLanguage.default()
        self.failed = frozenset(failed)
        rows = (
            PimLink.objects.filter(kind=Kind.CATEGORY, locale=self.language.locale_id)
            .order_by()
            .values_list("guid", "page_id", "page__path")
        )
        self.page_ids: dict[UUID, int] = {}
        self.paths: dict[UUID, str] = {}
        for guid, page_id, path in rows:
            self.page_ids[guid] = page_id
            self.paths[guid] = path
        self.guids = {page_id: guid for guid, page_id in self.page_ids.items()}
        self.guids_by_path = {path: guid for guid, path in self.paths.items()}
        self._known = self.page_ids.keys() | set(planned)

    def __contains__(self, guid: UUID) -> bool:
        return guid in self._known

    def ranks(self) -> dict[UUID, int]:
        """Categories by preference as a place for products, as of a CategoryPlan."""
        ordered = sorted(self.paths, key=lambda guid: self.paths[guid])
        ordered.sort(key=lambda guid: -len(self.paths[guid]))
        return {guid: rank for rank, guid in enumerate(ordered)}

    def above(self, page: Page) -> UUID | None:
        """The category that the page stands in, if it is one of the PIM's."""
        return self.guids_by_path.get(page.path[: -Page.steplen])


class Planner:
    """Plans the pages of one language in the batches of one run.

    Nothing of a dry run is written, so there a planned parent counts as one.
    ``types`` are the relationship types that the site knows.
    """

    def __init__(
        self, places: Places, types: Collection[UUID] = (), *, dry_run: bool = False
    ) -> None:
        self._places = places
        self._types = types
        self._dry_run = dry_run
        self._locale_id = places.language.locale_id
        self._planned_products: set[UUID] = set()

    def plan(
        self,
        contents: Sequence[PageContent],
        assets: Assets,
        standing: StandingLinks,
    ) -> tuple[list[PageChange], list[Fault]]:
        """Changes with parents before children, and products that can't be shown.

        The number of queries depends on the page types in the batch alone.
        """
        ordered = sorted(contents, key=lambda c: c.kind == Kind.VARIANT)
        links = self._links(
            {c.guid for c in ordered}
            | {c.parent for c in ordered if c.kind == Kind.VARIANT}
        )
        links |= self._to_adopt([c for c in ordered if c.guid not in links])
        changes: list[PageChange] = []
        faults: list[Fault] = []
        to_compare: list[tuple[PageContent, PimLink]] = []
        coming: set[UUID] = set()
        leaving: set[UUID] = set()
        for content in ordered:
            link = links.get(content.guid)
            has_parent = self._parent_stands(content, links, coming, leaving)
            if content.left_out or (not has_parent and self._leaves_out(content)):
                # What people made of it there, and is not the PIM's yet, stays theirs.
                if link is not None and link.pk is not None and link.page.live:
                    difference = {"live": (True, False)}
                    changes.append(
                        PageChange(content, Action.REMOVE, link.page, difference)
                    )
                leaving.add(content.guid)
                continue
            if not has_parent:
                faults.append(Fault(content.product, missing_parent(content.product)))
                continue
            if link is None:
                changes.append(PageChange(content, Action.CREATE))
            elif self._is_unchanged(content, link, links) and not self._changed_links(
                content, assets, standing
            ):
                stale = link.version != content.product.current_version_number
                changes.append(
                    PageChange(content, Action.UNCHANGED, link.page, stale_link=stale)
                )
            else:
                to_compare.append((content, link))
            if content.kind == Kind.PRODUCT:
                coming.add(content.guid)
        compared, mistyped = self._compare(to_compare, links, assets, standing)
        changes.extend(compared)
        faults.extend(mistyped)
        if self._dry_run:
            self._planned_products.update(
                change.guid for change in changes if change.content.kind == Kind.PRODUCT
            )
        order = {content.guid: at for at, content in enumerate(ordered)}
        return sorted(changes, key=lambda change: order[change.guid]), faults

    def _leaves_out(self, content: PageContent) -> bool:
        """Whether a page that has no place in its language is missing there rightly."""
        return (
            not self._places.language.is_default
            and content.parent not in self._places.failed
        )

    def _to_adopt(self, contents: Sequence[PageContent]) -> dict[UUID, PimLink]:
        """Translations and aliases of products' pages that were made on the site.

        As links that are to be stored.
        """
        if self._places.language.is_default or not contents:
            return {}
        keys = dict(
            PimLink.objects.filter(
                kind__in=PRODUCT_KINDS,
                guid__in=[content.guid for content in contents],
                locale=Locale.get_default(),
            ).values_list("page__translation_key", "guid")
        )
        kinds = {content.guid: content.kind for content in contents}
        return {
            keys[page.translation_key]: PimLink(
                page=page,
                guid=(guid := keys[page.translation_key]),
                kind=kinds[guid],
                locale_id=self._locale_id,
            )
            for page in Page.objects.filter(
                translation_key__in=keys, locale=self._locale_id, pim_link=None
            )
        }

    def _links(self, guids: set[UUID]) -> dict[UUID, PimLink]:
        return {
            link.guid: link
            for link in PimLink.objects.filter(
                kind__in=PRODUCT_KINDS, guid__in=guids, locale=self._locale_id
            ).select_related("page")
        }

    def _parent_stands(
        self,
        content: PageContent,
        links: Mapping[UUID, PimLink],
        coming: set[UUID],
        leaving: set[UUID],
    ) -> bool:
        parent = content.parent
        if content.kind == Kind.PRODUCT:
            return parent in self._places
        if parent in coming or parent in self._planned_products:
            return True
        link = links.get(parent)
        return (
            link is not None
            and link.kind == Kind.PRODUCT
            and link.page.live
            and parent not in leaving
        )

    def _parent_path(
        self, content: PageContent, links: Mapping[UUID, PimLink]
    ) -> str | None:
        if content.kind == Kind.PRODUCT:
            return self._places.paths.get(content.parent)
        link = links.get(content.parent)
        return link.page.path if link else None

    def _stands_in_place(
        self, content: PageContent, page: Page, links: Mapping[UUID, PimLink]
    ) -> bool:
        return page.path[: -Page.steplen] == self._parent_path(content, links)

    def _guid_at(self, path: str, links: Mapping[UUID, PimLink]) -> UUID | None:
        """Of the category or product at ``path``; None of a page of the site's own."""
        by_path = {link.page.path: guid for guid, link in links.items()}
        return (
            self._places.guids_by_path.get(path)
            or by_path.get(path)
            or PimLink.objects.filter(page__path=path)
            .values_list("guid", flat=True)
            .first()
        )

    def _is_unchanged(
        self, content: PageContent, link: PimLink, links: Mapping[UUID, PimLink]
    ) -> bool:
        return (
            link.content_hash == content.content_hash
            and link.page.live
            and not _was_touched(content, link)
            and self._stands_in_place(content, link.page, links)
        )

    def _compare(
        self,
        pairs: Sequence[tuple[PageContent, PimLink]],
        links: Mapping[UUID, PimLink],
        assets: Assets,
        standing: StandingLinks,
    ) -> tuple[list[PageChange], list[Fault]]:
        changes: list[PageChange] = []
        faults: list[Fault] = []
        held = slugs_held_by_siblings(
            (link.page, content.slug) for content, link in pairs
        )
        memberships = self._memberships([link.page_id for _content, link in pairs])
        for model, group in grouped(pairs, key=lambda pair: pair[0].model).items():
            pages = model._base_manager.in_bulk([link.page_id for _c, link in group])
            pages = {pk: p for pk, p in pages.items() if p.specific_class is model}
            page_type = group[0][0].page_type
            current = _RelatedValues(page_type, list(pages.values()))
            for content, link in group:
                page = pages.get(link.page_id)
                if page is None:
                    faults.append(Fault(content.product, _other_type(content, link)))
                    continue
                differences = current.differences(content, page, assets)
                if (
                    content.slug_is_given
                    and page.slug != content.slug
                    and page.pk not in held
                ):
                    differences["slug"] = (page.slug, content.slug)
                if not self._stands_in_place(content, page, links):
                    differences["parent"] = (
                        self._guid_at(page.path[: -Page.steplen], links),
                        content.parent,
                    )
                listed = memberships.get(page.pk, frozenset())
                if listed != content.categories:
                    differences["categories"] = (listed, content.categories)
                differences |= self._changed_links(content, assets, standing)
                if page.alias_of_id is not None:
                    differences["alias_of"] = (page.alias_of_id, None)
                action = Action.UPDATE if differences else Action.UNCHANGED
                changes.append(
                    PageChange(content, action, page, differences, stale_link=True)
                )
        return changes, faults

    def _changed_links(
        self, content: PageContent, assets: Assets, standing: StandingLinks
    ) -> dict[str, tuple[Any, Any]]:
        """Those of assets and relations; an asset that can't be had is none."""
        old_assets = standing.assets.get(content.guid, ())
        new_assets = tuple(
            guid
            for guid in content.assets
            if (assets[guid] is not None if guid in assets else guid in old_assets)
        )
        old_related = standing.related.get(content.guid, ())
        new_related = content.related_by(self._types)
        pairs = {
            "assets": (old_assets, new_assets),
            "related": (old_related, new_related),
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def _memberships(self, page_ids: Sequence[int]) -> dict[int, frozenset[UUID]]:
        rows = CategoryMembership.objects.filter(page__in=page_ids).values_list(
            "page_id", "category_id"
        )
        return {
            page_id: frozenset(
                self._places.guids[category]
                for _page, category in listed
                if category in self._places.guids
            )
            for page_id, listed in grouped(rows, key=lambda row: row[0]).items()
        }


def pages_to_remove(products: Iterable[Product]) -> dict[UUID, list[Page]]:
    """The live pages of products in all languages, by the product's Guid."""
    links = PimLink.objects.filter(
        kind__in=PRODUCT_KINDS,
        guid__in=[product.id for product in products],
        page__live=True,
    ).select_related("page")
    return {
        guid: [link.page for link in of_product]
        for guid, of_product in grouped(links, key=lambda link: link.guid).items()
    }


class _RelatedValues:
    """The present values of pages of one type, relations by the names in them."""

    def __init__(self, page_type: PageType, pages: Sequence[Page]) -> None:
        self._related = {
            name: relation.read(pages) for name, relation in page_type.relations.items()
        }

    def differences(
        self, content: PageContent, page: Page, assets: Assets
    ) -> dict[str, tuple[Any, Any]]:
        found: dict[str, tuple[Any, Any]] = {}
        if page.title != content.title:
            found["title"] = (page.title, content.title)
        for name, new in content.values.items():
            if name == "primary_image":
                old, new = page.primary_image_id, image_key(new, assets, page)
            elif name in self._related:
                old = self._related[name][page.pk]
            else:
                old = getattr(page, name)
            if old != new:
                found[name] = (old, new)
        if not page.live:
            found["live"] = (False, True)
        return found


def _was_touched(content: PageContent, link: PimLink) -> bool:
    """Whether something else than a sync wrote the page, as far as that shows."""
    page = link.page
    return (
        page.alias_of_id is not None
        or page.title != content.title
        or (content.slug_is_given and not page.slug.startswith(content.slug))
    )


def missing_parent(product: Product) -> str:
    if product.is_variant():
        return _(
            "Its parent product is not on the site. Approve the parent in the PIM, "
            "or correct what is wrong with it, then run again."
        )
    return _("Its category is not on the site. Correct the category in the PIM.")


def _other_type(content: PageContent, link: PimLink) -> str:
    return _(
        "Its template now needs a page of type “%(wanted)s”, but its page is of type "
        "“%(present)s”. A page keeps its type: give the product its old template back, "
        "or archive it and create it in the PIM anew."
    ) % {
        "wanted": content.model._meta.verbose_name,
        "present": link.page.specific_class._meta.verbose_name
        if link.page.specific_class
        else "?",
    }
