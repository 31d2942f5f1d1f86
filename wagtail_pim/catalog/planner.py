"""What has to change so that the site shows what the PIM says; writes nothing.

A dry run ends here: the plan that it shows is the plan that a run carries out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from .mapping import PageContent
from .schema import PageType
from .slugs import slugs_held_by_siblings


@dataclass(frozen=True, slots=True)
class PageChange:
    """What has to be done for one product or variant.

    ``page`` is the specific page, or None for one to create. ``differences`` are
    (old, new) pairs by field name; ``parent`` is the Guid that the page goes under.
    ``stale_link`` says that at least the link's version or hash has to be written.
    """

    content: PageContent
    action: Action
    page: Page | None = None
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    stale_link: bool = False

    @property
    def guid(self) -> UUID:
        return self.content.guid


@dataclass(frozen=True, slots=True)
class Fault:
    """A product that can't be put on the site, and why."""

    product: Product
    reason: str


class Places:
    """The site's categories by Guid, as parents of products.

    ``planned`` are those that a dry run would have created.
    """

    def __init__(self, planned: Iterable[UUID] = ()) -> None:
        rows = (
            PimLink.objects.filter(kind=Kind.CATEGORY, locale=Locale.get_default())
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
    """Plans the batches of one run.

    Nothing of a dry run is written, so there a planned parent counts as one.
    """

    def __init__(self, places: Places, *, dry_run: bool = False) -> None:
        self._places = places
        self._dry_run = dry_run
        self._locale = Locale.get_default()
        self._planned_products: set[UUID] = set()

    def plan(
        self,
        contents: Sequence[PageContent],
        images: Mapping[UUID, int | None],
    ) -> tuple[list[PageChange], list[Fault]]:
        """Changes with parents before children, and products that can't be shown.

        ``images`` are image keys by asset Guid.
        The number of queries depends on the page types in the batch alone.
        """
        ordered = sorted(contents, key=lambda c: c.kind == Kind.VARIANT)
        links = self._links(
            {c.guid for c in ordered}
            | {c.parent for c in ordered if c.kind == Kind.VARIANT}
        )
        changes: list[PageChange] = []
        faults: list[Fault] = []
        to_compare: list[tuple[PageContent, PimLink]] = []
        coming: set[UUID] = set()
        for content in ordered:
            link = links.get(content.guid)
            if not self._parent_stands(content, links, coming):
                faults.append(Fault(content.product, _missing_parent(content)))
                continue
            if link is None:
                changes.append(PageChange(content, Action.CREATE))
            elif self._is_unchanged(content, link, links):
                stale = link.version != content.product.current_version_number
                changes.append(
                    PageChange(content, Action.UNCHANGED, link.page, stale_link=stale)
                )
            else:
                to_compare.append((content, link))
            if content.kind == Kind.PRODUCT:
                coming.add(content.guid)
        compared, mistyped = self._compare(to_compare, links, images)
        changes.extend(compared)
        faults.extend(mistyped)
        if self._dry_run:
            self._planned_products.update(
                change.guid for change in changes if change.content.kind == Kind.PRODUCT
            )
        order = {content.guid: at for at, content in enumerate(ordered)}
        return sorted(changes, key=lambda change: order[change.guid]), faults

    def plan_removals(self, products: Iterable[Product]) -> dict[UUID, Page]:
        """The live pages of archived products, the variants' before their parents'."""
        links = self._links({product.id for product in products})
        live = [link for link in links.values() if link.page.live]
        live.sort(key=lambda link: -link.page.depth)
        return {link.guid: link.page for link in live}

    def _links(self, guids: set[UUID]) -> dict[UUID, PimLink]:
        return {
            link.guid: link
            for link in PimLink.objects.filter(
                kind__in=PRODUCT_KINDS, guid__in=guids, locale=self._locale
            ).select_related("page")
        }

    def _parent_stands(
        self,
        content: PageContent,
        links: Mapping[UUID, PimLink],
        coming: set[UUID],
    ) -> bool:
        if content.kind == Kind.PRODUCT:
            return content.parent in self._places
        link = links.get(content.parent)
        return (
            content.parent in coming
            or (link is not None and link.kind == Kind.PRODUCT)
            or content.parent in self._planned_products
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
        """Of the category or, as far as it is known here, the product at ``path``."""
        by_path = {link.page.path: guid for guid, link in links.items()}
        return self._places.guids_by_path.get(path) or by_path.get(path)

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
        images: Mapping[UUID, int | None],
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
                differences = current.differences(content, page, images)
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
                action = Action.UPDATE if differences else Action.UNCHANGED
                changes.append(
                    PageChange(content, action, page, differences, stale_link=True)
                )
        return changes, faults

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


class _RelatedValues:
    """The present values of pages of one type, relations by the names in them."""

    def __init__(self, page_type: PageType, pages: Sequence[Page]) -> None:
        self._related = {
            name: relation.read(pages) for name, relation in page_type.relations.items()
        }

    def differences(
        self, content: PageContent, page: Page, images: Mapping[UUID, int | None]
    ) -> dict[str, tuple[Any, Any]]:
        found: dict[str, tuple[Any, Any]] = {}
        if page.title != content.title:
            found["title"] = (page.title, content.title)
        for name, new in content.values.items():
            if name == "primary_image":
                old, new = page.primary_image_id, image_key(content, images, page)
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
    return page.title != content.title or (
        content.slug_is_given and not page.slug.startswith(content.slug)
    )


def image_key(
    content: PageContent, images: Mapping[UUID, int | None], page: Page | None
) -> int | None:
    """The primary image; one that could not be had leaves the present one."""
    guid = content.values["primary_image"]
    if guid is None:
        return None
    present = page.primary_image_id if page is not None else None
    return images.get(guid, present)


def _missing_parent(content: PageContent) -> str:
    if content.kind == Kind.VARIANT:
        return _(
            "Its parent product is not on the site. Approve the parent in the PIM, "
            "or correct what is wrong with it, then run again."
        )
    return _("Its category is not on the site. Correct the category in the PIM.")


def _other_type(content: PageContent, link: PimLink) -> str:
    return _(
        "Its template now needs a page of type “%(wanted)s”, but its page is of type "
        "“%(present)s”. A page keeps its type: delete the page, with what editors "
        "wrote on it, or give the product its old template back."
    ) % {
        "wanted": content.model._meta.verbose_name,
        "present": link.page.specific_class._meta.verbose_name
        if link.page.specific_class
        else "?",
    }
