"""The category trees of the PIM held against the catalog pages of the site."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast
from uuid import UUID

from django.utils.translation import gettext as _
from wagtail.models import Locale, Page, Site

from wagtail_pim.client.entities import Category, Taxonomy, Website
from wagtail_pim.conf import get_config
from wagtail_pim.converters import ConversionError, clean_text
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.kinds import Kind
from wagtail_pim.models import CatalogPage, CategoryPage, PimLink
from wagtail_pim.sanitizing import clean_html

from .changes import Action
from .languages import SiteLanguage
from .mapping import MAX_TITLE_LENGTH, make_slug
from .product_links import Assets, image_key
from .slugs import slugs_held_by_siblings

# What a category says in its own words in each language.
TRANSLATED: Final = ("name", "description", "url_segment")

# Of Wagtail's 63 levels some are above the catalog, and two below a category.
MAX_DEPTH: Final = 50


@dataclass(frozen=True, slots=True)
class WantedCategory:
    """A catalog or category as the PIM has it; a catalog has no parent.

    ``slug_is_given`` as in PageContent.
    """

    guid: UUID
    kind: Kind
    title: str
    slug: str
    slug_is_given: bool
    description: str
    image: UUID | None
    parent: UUID | None


@dataclass(frozen=True, slots=True)
class CategoryChange:
    """What has to be done for one catalog or category.

    ``differences`` are (old, new) pairs by name; ``parent`` and ``order`` stand for
    the place in the tree, ``follows`` is the elder sibling of one with an ``order``.
    ``page`` is None for what has to be created.
    """

    wanted: WantedCategory
    action: Action
    page: Page | None
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    follows: UUID | None = None


@dataclass(frozen=True, slots=True)
class CategoryFault:
    """A category that can't be shown, and why."""

    guid: UUID
    name: str
    reason: str


@dataclass(slots=True)
class CategoryPlan:
    """Of one language; ``changes`` are in tree order, parents first.

    ``gone`` left the PIM's trees. ``missing`` are pages that have to be translated by
    hand before a catalog can be shown below them.
    """

    language: SiteLanguage
    changes: list[CategoryChange]
    gone: list[Page]
    faults: list[CategoryFault]
    missing: list[Page] = field(default_factory=list)

    def ranks(self) -> dict[UUID, int]:
        """Categories by preference as a place for products: the deepest first."""
        depths: dict[UUID, int] = {}
        for change in self.changes:
            wanted = change.wanted
            depths[wanted.guid] = depths[wanted.parent] + 1 if wanted.parent else 0
        by_depth = sorted(depths, key=lambda guid: -depths[guid])
        return {guid: rank for rank, guid in enumerate(by_depth) if depths[guid] > 0}


@dataclass(frozen=True, slots=True)
class TreeMapping:
    """A category tree of the PIM, and the websites that it is mapped to there."""

    tree: Taxonomy
    websites: list[Website]

    @property
    def feeds_several(self) -> bool:
        return len(self.websites) > 1

    def problem(self) -> str:
        """What is wrong and where to mend it; empty where it feeds one website."""
        if not self.websites:
            return _(
                "The category tree “%(tree)s” is mapped to no website, so its products "
                "come to no catalog. If they should, choose the website in the PIM, in "
                "the settings of the category tree."
            ) % {"tree": self.tree.name}
        if self.feeds_several:
            return _(
                "The category tree “%(tree)s” is mapped to more than one website: "
                "%(websites)s. Map it to exactly one in the PIM, in the settings of "
                "the category tree."
            ) % {
                "tree": self.tree.name,
                "websites": ", ".join(sorted(w.name for w in self.websites)),
            }
        return ""


def tree_mappings(
    taxonomies: Iterable[Taxonomy], websites: Iterable[Website]
) -> list[TreeMapping]:
    by_id = {website.id: website for website in websites}
    return [
        TreeMapping(
            taxonomy,
            [
                by_id[link.website_id]
                for link in taxonomy.websites
                if link.website_id in by_id
            ],
        )
        for taxonomy in taxonomies
    ]


def feeding_trees(
    taxonomies: Iterable[Taxonomy], websites: Iterable[Website]
) -> dict[UUID, Website]:
    """The website by the Guid of each tree that feeds a catalog of this site.

    Raises ConfigurationError for a tree mapped to several websites, which the PIM's
    rules forbid, and where no tree feeds this site at all.
    """
    chosen = get_config().catalogs
    trees = {}
    for mapping in tree_mappings(taxonomies, websites):
        if mapping.feeds_several:
            raise ConfigurationError(mapping.problem())
        for website in mapping.websites:
            if chosen is None or website.name in chosen:
                trees[mapping.tree.id] = website
    if not trees:
        raise ConfigurationError(
            _(
                "No category tree of the PIM is mapped to a website. Map one in the "
                "PIM, in the settings of the category tree."
            )
            if chosen is None
            else _(
                "No category tree of the PIM is mapped to one of the websites that "
                "WAGTAIL_PIM['CATALOGS'] names: %(names)s."
            )
            % {"names": ", ".join(chosen)}
        )
    return trees


def wanted_tree(
    trees: dict[UUID, Website],
    taxonomies: Sequence[Taxonomy],
    categories: Iterable[Category],
) -> tuple[list[WantedCategory], list[CategoryFault]]:
    """Catalogs and categories, parents before children and in the PIM's order."""
    tree_names = {taxonomy.id: taxonomy.name for taxonomy in taxonomies}
    mine = [c for c in categories if c.category_taxonomy_id in trees]
    children: dict[UUID, list[Category]] = {}
    for category in sorted(
        mine,
        key=lambda c: (
            tree_names[c.category_taxonomy_id],
            c.display_sequence,
            c.name,
            str(c.id),
        ),
    ):
        parent = category.parent_id or trees[category.category_taxonomy_id].id
        children.setdefault(parent, []).append(category)
    wanted: list[WantedCategory] = []
    faults: list[CategoryFault] = []
    for website in {w.id: w for w in trees.values()}.values():
        wanted.append(
            WantedCategory(
                guid=website.id,
                kind=Kind.CATALOG,
                title=website.name[:MAX_TITLE_LENGTH],
                slug=make_slug(website.name),
                slug_is_given=False,
                description="",
                image=None,
                parent=None,
            )
        )
        _append_branch(website.id, children, wanted, faults)
    reached = {w.guid for w in wanted} | {fault.guid for fault in faults}
    faults.extend(
        CategoryFault(
            category.id,
            category.name,
            _(
                "Its parent category is missing, broken or below itself. Correct the "
                "tree in the PIM."
            ),
        )
        for category in mine
        if category.id not in reached
    )
    return wanted, faults


def _append_branch(
    root: UUID,
    children: dict[UUID, list[Category]],
    wanted: list[WantedCategory],
    faults: list[CategoryFault],
) -> None:
    """Everything below ``root``, depth first; without recursion, however deep."""
    stack = [(category, root, 1) for category in reversed(children.pop(root, []))]
    while stack:
        category, parent, depth = stack.pop()
        try:
            if depth > MAX_DEPTH:
                raise ConversionError(
                    _("It is more than %(limit)d levels deep.") % {"limit": MAX_DEPTH}
                )
            title = clean_text(category.name)
            if not title or len(title) > MAX_TITLE_LENGTH:
                raise ConversionError(
                    _("Its name is empty or longer than %(limit)d characters.")
                    % {"limit": MAX_TITLE_LENGTH}
                )
            description = clean_html(clean_text(category.description))
        except ConversionError as error:
            faults.append(CategoryFault(category.id, category.name, str(error)))
            continue
        wanted.append(
            WantedCategory(
                guid=category.id,
                kind=Kind.CATEGORY,
                title=title,
                slug=make_slug(category.url_segment, title),
                slug_is_given=bool(make_slug(category.url_segment, default="")),
                description=description,
                image=category.image_id(),
                parent=parent,
            )
        )
        stack.extend(
            (child, category.id, depth + 1)
            for child in reversed(children.pop(category.id, []))
        )


def in_language(
    categories: Iterable[Category], translated: Mapping[UUID, Category]
) -> list[Category]:
    """The categories with what they are called in a language, as far as they are."""
    return [
        category.model_copy(
            update={
                name: text
                for name in TRANSLATED
                if (text := getattr(translated[category.id], name))
            }
        )
        if category.id in translated
        else category
        for category in categories
    ]


def plan_categories(
    wanted: Sequence[WantedCategory],
    faults: list[CategoryFault],
    language: SiteLanguage,
    assets: Assets,
    *,
    listing_is_whole: bool,
) -> CategoryPlan:
    """Reads the site's categories once; nothing is removed by a listing with gaps."""
    standing = _StandingPages(wanted, language)
    missing = standing.missing_parents()
    if missing:
        wanted = _without_branches(wanted, standing.without_place)
    paths = {page.path: guid for guid, page in standing.pages.items()}
    held = slugs_held_by_siblings(
        (page, item.slug) for item in wanted if (page := standing.pages.get(item.guid))
    )
    changes = []
    for item in wanted:
        page = standing.pages.get(item.guid)
        if page is None and item.guid in standing.to_adopt:
            changes.append(
                CategoryChange(item, Action.ADOPT, standing.to_adopt[item.guid])
            )
        elif page is None:
            changes.append(CategoryChange(item, Action.CREATE, None))
        else:
            parent = paths.get(page.path[: -Page.steplen])
            differences = _differences(item, page, parent, held, assets)
            action = Action.UPDATE if differences else Action.UNCHANGED
            changes.append(CategoryChange(item, action, page, differences))
    _add_order(changes)
    kept = {item.guid for item in wanted} | {fault.guid for fault in faults}
    gone = [
        page
        for guid, page in sorted(
            standing.pages.items(), key=lambda pair: -pair[1].depth
        )
        if guid not in kept and isinstance(page, CategoryPage) and not missing
    ]
    return CategoryPlan(
        language, changes, gone if listing_is_whole else [], faults, missing
    )


def _without_branches(
    wanted: Sequence[WantedCategory], roots: Collection[UUID]
) -> list[WantedCategory]:
    left_out = set(roots)
    kept = []
    for item in wanted:
        if item.guid in left_out or item.parent in left_out:
            left_out.add(item.guid)
        else:
            kept.append(item)
    return kept


class _StandingPages:
    """The catalog and category pages of a language; a few queries.

    ``pages`` are by Guid, in other languages also those that people made there of a
    page of the PIM's; ``to_adopt`` are catalogs without a record yet.
    """

    def __init__(
        self, wanted: Sequence[WantedCategory], language: SiteLanguage
    ) -> None:
        self._language = language
        self._catalogs = [item for item in wanted if item.kind == Kind.CATALOG]
        self.pages = _linked_pages(language.locale_id)
        self._originals: dict[UUID, Page] = {}
        self.without_place: set[UUID] = set()
        if not language.is_default:
            self._originals = _linked_pages(Locale.get_default().pk)
            self.pages |= _translations(
                {g: p for g, p in self._originals.items() if g not in self.pages},
                language.locale_id,
            )
        self.to_adopt = self._catalogs_to_adopt()

    def _catalogs_to_adopt(self) -> dict[UUID, Page]:
        """Catalog pages that editors made for a website of the same name."""
        unlinked = {
            page.title.casefold(): page
            for page in CatalogPage.objects.filter(
                pim_link__isnull=True,
                alias_of=None,
                locale=self._language.locale_id,
            )
        }
        return {
            item.guid: unlinked[item.title.casefold()]
            for item in self._catalogs
            if item.guid not in self.pages and item.title.casefold() in unlinked
        }

    def missing_parents(self) -> list[Page]:
        """Pages without a translation, of catalogs that would stand below it."""
        missing: list[Page] = []
        if self._language.is_default:
            return missing
        for item in self._catalogs:
            if item.guid in self.pages or item.guid in self.to_adopt:
                continue
            parent = catalog_parent(self._originals.get(item.guid))
            if not _translations({item.guid: parent}, self._language.locale_id):
                missing.append(parent)
                self.without_place.add(item.guid)
        return missing


def _linked_pages(locale_id: int) -> dict[UUID, Page]:
    guids = dict(
        PimLink.objects.filter(
            kind__in=[Kind.CATALOG, Kind.CATEGORY], locale=locale_id
        ).values_list("page_id", "guid")
    )
    return {
        guids[page.pk]: page
        for model in (CatalogPage, CategoryPage)
        for page in model.objects.filter(pim_link__isnull=False, locale=locale_id)
        if page.pk in guids
    }


def _translations(originals: Mapping[UUID, Page], locale_id: int) -> dict[UUID, Page]:
    """The originals' pages in a locale, aliases among them, by the same Guids."""
    guids = {page.translation_key: guid for guid, page in originals.items()}
    return {
        guids[page.translation_key]: page
        for page in Page.objects.filter(
            translation_key__in=guids, locale=locale_id
        ).specific()
    }


def _differences(
    wanted: WantedCategory,
    page: Page,
    parent: UUID | None,
    held: set[int],
    assets: Assets,
) -> dict[str, tuple[Any, Any]]:
    differences: dict[str, tuple[Any, Any]] = {}
    if page.alias_of_id is not None:
        differences["alias_of"] = (page.alias_of_id, None)
    if not isinstance(page, CategoryPage):
        # A catalog's name and place are the site's own.
        return differences
    if page.title != wanted.title:
        differences["title"] = (page.title, wanted.title)
    if wanted.slug_is_given and page.slug != wanted.slug and page.pk not in held:
        differences["slug"] = (page.slug, wanted.slug)
    if page.description != wanted.description:
        differences["description"] = (page.description, wanted.description)
    image = image_key(wanted.image, assets, page)
    if page.primary_image_id != image:
        differences["primary_image"] = (page.primary_image_id, image)
    if parent != wanted.parent:
        differences["parent"] = (parent, wanted.parent)
    if not page.live:
        differences["live"] = (False, True)
    return differences


def _add_order(changes: list[CategoryChange]) -> None:
    """Mark the fewest categories whose moving gives the PIM's order."""
    siblings: dict[UUID, list[int]] = {}
    for position, change in enumerate(changes):
        if change.wanted.parent is not None:
            siblings.setdefault(change.wanted.parent, []).append(position)
    for positions in siblings.values():
        new = [p for p in positions if changes[p].page is None]
        moved = [p for p in positions if "parent" in changes[p].differences]
        settled = [p for p in positions if p not in {*new, *moved}]
        # The writer puts new pages last, and moved ones behind these.
        settled.sort(key=lambda p: getattr(changes[p].page, "path", ""))
        standing = settled + new + moved
        staying = longest_increasing(standing)
        for position in positions:
            if position in staying:
                continue
            change = changes[position]
            place = positions.index(position)
            elder = changes[positions[place - 1]].wanted.guid if place else None
            changes[position] = replace(
                change,
                action=Action.UPDATE
                if change.action == Action.UNCHANGED
                else change.action,
                differences={
                    **change.differences,
                    "order": (standing.index(position) + 1, place + 1),
                },
                follows=elder,
            )


def longest_increasing(numbers: Sequence[int]) -> set[int]:
    """The members of a longest increasing subsequence of distinct numbers."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(tails, number)
        before[number] = tails[at - 1] if at else None
        tails[at : at + 1] = [number]
    chain = set()
    link = tails[-1] if tails else None
    while link is not None:
        chain.add(link)
        link = before[link]
    return chain


def catalog_parent(catalog: Page | None = None) -> Page:
    """The page that a catalog stands under, or a new one goes under.

    Raises ConfigurationError where there is none.
    """
    if catalog is not None:
        return cast(Page, catalog.get_parent())
    url_path = get_config().catalog_parent
    if url_path:
        normalised = f"/{url_path.strip('/')}/"
        page = Page.objects.filter(url_path=normalised).first()
        if page is None:
            raise ConfigurationError(
                _("WAGTAIL_PIM['CATALOG_PARENT']: there is no page at %(path)s.")
                % {"path": normalised}
            )
        return page
    site = Site.objects.filter(is_default_site=True).select_related("root_page").first()
    if site is None:
        raise ConfigurationError(
            _("There is no default site to put the catalog in. Make one in Settings.")
        )
    return site.root_page
