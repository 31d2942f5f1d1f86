"""Listings of products: what is in them, filtered, sorted and cut into pages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.core.paginator import Page as Sheet
from django.core.paginator import Paginator
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.http import HttpRequest, QueryDict
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.models import Locale, Page, PageQuerySet

from wagtail_pim.models import (
    CategoryMembership,
    CategoryPage,
    ProductPage,
    VariantPage,
)

from .facets import (
    HIGHEST,
    LOWEST,
    MOST_PRODUCTS,
    PREFIX,
    Facet,
    Facets,
    Selection,
)
from .pictures import with_cards

PRODUCTS_ON_A_SHEET: Final = 24
NAME, NEWEST, CHEAPEST, DEAREST, BEST = "name", "newest", "price", "-price", "best"
SHORTEST_NUMBER: Final = 2
MOST_WORDS: Final = 12


@dataclass(frozen=True, slots=True)
class Link:
    """A word of the listing that leads to the same listing in another state."""

    label: str
    query: str
    current: bool = False


def products_below(page: Page) -> PageQuerySet:
    """Those of a catalog, or of a category and the categories below it."""
    products = ProductPage.objects.live()
    if not isinstance(page, CategoryPage):
        return products.descendant_of(page)
    listed = CategoryMembership.objects.filter(
        category__path__startswith=page.path, category__live=True
    )
    return products.filter(
        Q(path__startswith=page.path) | Q(pk__in=listed.values("page"))
    )


class Listing:
    """Products as the visitor's address asks for them, for the templates to show.

    The number of queries depends on the types of the products, not on how many there
    are. With more than ``MOST_PRODUCTS`` there are neither filters nor prices to sort
    by: the visitor chooses a category first.
    """

    def __init__(
        self,
        products: PageQuerySet,
        query: QueryDict,
        best_first: Sequence[int] | None = None,
    ) -> None:
        """``best_first`` are the primary keys of found products in their order."""
        self._products = products
        self._query = query
        self._selection = Selection.of(query)
        self._places = {pk: place for place, pk in enumerate(best_first or ())}
        self._is_search = best_first is not None
        rows = list(
            products.order_by(Lower("title"), "pk").values_list(
                "pk", "path", "content_type_id", "first_published_at"
            )[: MOST_PRODUCTS + 1]
        )
        self.can_be_filtered = len(rows) <= MOST_PRODUCTS
        self._facets = Facets(row[:3] for row in rows if self.can_be_filtered)
        self._published_at = {row[0]: row[3] for row in rows}

    @cached_property
    def sheet(self) -> Sheet:
        """The part of the listing that the visitor asked for."""
        if self.can_be_filtered:
            sheet = self._cut(self._sorted(self._facets.matching(self._selection)))
        else:
            newest = self._sort == NEWEST
            order = F("first_published_at").desc() if newest else Lower("title")
            products = self._products.order_by(order, "pk")
            sheet = self._cut(products.values_list("pk", flat=True))
        pks = list(sheet.object_list)
        cards = with_cards(ProductPage.objects.filter(pk__in=pks)).in_bulk()
        sheet.object_list = [cards[pk] for pk in pks if pk in cards]
        return sheet

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is nothing at all, whatever is chosen."""
        return not self._published_at

    @cached_property
    def facets(self) -> list[Facet]:
        return self._facets.facets(self._selection)

    @cached_property
    def price_range(self) -> tuple[Decimal, Decimal] | None:
        return self._facets.price_range()

    @property
    def lowest(self) -> Decimal | None:
        return self._selection.lowest

    @property
    def highest(self) -> Decimal | None:
        return self._selection.highest

    @cached_property
    def chips(self) -> list[Link]:
        """What is chosen; each leads to the listing without it."""
        if not self.can_be_filtered:
            return []
        chips = [
            Link(
                self._facets.label_of(name, value),
                self._address(lambda query, n=name, v=value: _drop(query, n, v)),
            )
            for name, values in self._selection.chosen.items()
            for value in sorted(values)
        ]
        for parameter, amount, text in (
            (LOWEST, self.lowest, _("From € %(amount)s")),
            (HIGHEST, self.highest, _("Up to € %(amount)s")),
        ):
            if amount is not None:
                label = text % {"amount": number_format(amount)}
                without = self._address(lambda query, p=parameter: query.pop(p))
                chips.append(Link(label, without))
        return chips

    @cached_property
    def without_chips(self) -> str:
        """The address of the listing with nothing chosen."""

        def clear(query: QueryDict) -> None:
            for name in list(query):
                if name.startswith(PREFIX) or name in (LOWEST, HIGHEST):
                    del query[name]

        return self._address(clear)

    @cached_property
    def sorts(self) -> list[Link]:
        labels = {
            BEST: _("Best match"),
            NAME: _("Name"),
            CHEAPEST: _("Price, low to high"),
            DEAREST: _("Price, high to low"),
            NEWEST: _("Newest"),
        }
        return [
            Link(
                labels[sort],
                self._address(lambda query, s=sort: query.update({"sort": s}), "sort"),
                sort == self._sort,
            )
            for sort in self._sorts()
        ]

    @cached_property
    def kept(self) -> list[tuple[str, str]]:
        """What the form of the filters sends along: the words and the order."""
        return [
            (name, self._query[name]) for name in ("q", "sort") if self._query.get(name)
        ]

    def _sorts(self) -> list[str]:
        sorts = [NAME, NEWEST]
        if self.price_range:
            sorts[1:1] = [CHEAPEST, DEAREST]
        return [BEST, *sorts] if self._is_search else sorts

    @property
    def _sort(self) -> str:
        sorts = self._sorts()
        asked = self._query.get("sort", "")
        return asked if asked in sorts else sorts[0]

    def _sorted(self, pks: list[int]) -> list[int]:
        """In the order asked for; what is alike in it stays sorted by name."""
        if self._sort == BEST:
            return sorted(pks, key=self._places.__getitem__)
        if self._sort == NEWEST:
            return sorted(pks, key=self._published, reverse=True)
        if self._sort in (CHEAPEST, DEAREST):
            sign = 1 if self._sort == CHEAPEST else -1

            def key(pk: int) -> tuple[bool, Decimal]:
                price = self._facets.price_of(pk)
                return price is None, sign * (price or Decimal())

            return sorted(pks, key=key)
        return pks

    def _published(self, pk: int) -> float:
        moment = self._published_at[pk]
        return moment.timestamp() if moment else 0

    def _cut(self, pks: Any) -> Sheet:
        return Paginator(pks, PRODUCTS_ON_A_SHEET).get_page(self._query.get("page"))

    def _address(self, change: Callable[[QueryDict], Any], *dropped: str) -> str:
        """The query string with a change, from the first page on."""
        query = self._query.copy()
        for name in ("page", *dropped):
            query.pop(name, None)
        change(query)
        return f"?{query.urlencode()}"


def _drop(query: QueryDict, name: str, value: str) -> None:
    parameter = PREFIX + name
    query.setlist(parameter, [v for v in query.getlist(parameter) if v != value])


class Found:
    """The products in one language that words, or a part of a number, lead to."""

    def __init__(self, words: str, locale: Locale) -> None:
        self.words = " ".join(words.split()[:MOST_WORDS])
        self._locale = locale
        self._products = ProductPage.objects.live().filter(locale=locale)

    def listing(self, request: HttpRequest) -> Listing:
        pks = self._best_first()
        return Listing(self._products.filter(pk__in=pks), request.GET, pks)

    def categories(self) -> PageQuerySet:
        """Categories with one of the words in their names."""
        names = Q()
        for word in self.words.split():
            names |= Q(title__icontains=word)
        categories = CategoryPage.objects.live().filter(names, locale=self._locale)
        return categories.order_by("path")[:8]

    def similar_words(self) -> str:
        """The words as the shop spells them; empty if it can't tell or they are so."""
        titles = self._products.values_list("title", flat=True)[:MOST_PRODUCTS]
        known = {word.casefold() for title in titles for word in title.split()}
        words = [
            next(iter(difflib.get_close_matches(word.casefold(), known, 1, 0.75)), "")
            for word in self.words.split()
        ]
        suggestion = " ".join(filter(None, words))
        return suggestion if suggestion != self.words.casefold() else ""

    def _best_first(self) -> list[int]:
        """By number, the whole one first, then by how well the words match."""
        products = self._products
        # What is no letter and no digit is syntax to some of the search backends.
        words = " ".join(re.findall(r"\w+", self.words))
        pks = [page.pk for page in products.search(words)[:MOST_PRODUCTS]]
        if not pks:
            # A word that is not written to its end.
            pks = [page.pk for page in products.autocomplete(words)[:MOST_PRODUCTS]]
        return list(dict.fromkeys([*self._by_number(), *pks]))[:MOST_PRODUCTS]

    def _by_number(self) -> Iterable[int]:
        if len(self.words) < SHORTEST_NUMBER or " " in self.words:
            return []
        has_number = Q(product_number__icontains=self.words)
        variants = VariantPage.objects.live().filter(has_number, locale=self._locale)
        paths = variants.values_list("path", flat=True)[:MOST_PRODUCTS]
        # Of a product with many such variants its path stands there but once.
        of_variants = Q(path__in={path[: -Page.steplen] for path in paths})
        rows = self._products.filter(has_number | of_variants).values_list(
            "pk", "product_number"
        )[:MOST_PRODUCTS]
        exact = self.words.casefold()
        return [
            pk
            for pk, number in sorted(rows, key=lambda row: row[1].casefold() != exact)
        ]
