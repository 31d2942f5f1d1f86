"""The PIM's documented API in its own terms.

What the vendor documents nowhere is in ``assumed.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote
from uuid import UUID

from wagtail_pim.exceptions import PayloadError

from .assumed import AssumedCalls
from .entities import (
    Asset,
    Assignment,
    Category,
    InvalidRecord,
    Product,
    ProductHead,
    Property,
    Taxonomy,
    Template,
    Website,
)
from .odata import AnyRecord, any_of, counted, instant, pages, quoted, whole_set
from .transport import Transport

# Through this function the vendor's own client filters products by any property, and
# reads them in a language.
PRODUCTS_IN_LANGUAGE: Final = (
    "products/GetInternal(notificationId=null,languageId={language},"
    "isShowOnlyProductsMissingTranslations=false)"
)
PRODUCTS: Final = PRODUCTS_IN_LANGUAGE.format(language="null")
# A listing by ids or numbers keeps its URL below the 2,048 characters that servers
# allow.
IDS_PER_REQUEST: Final = 40
NUMBERS_LENGTH: Final = 1_200

HEAD_QUERY: Final = {
    "$select": ",".join(ProductHead.FIELDS),
    "$expand": "categoryTrees",
}

WHOLE_QUERY: Final = {"$expand": "categoryTrees,productAssets,productRelatedProducts"}

APPROVED: Final = "Approved"
PUBLISHED: Final = "Published"


class PimClient:
    """Reads a PIM. ``assumed`` holds the calls that are not documented."""

    def __init__(
        self, transport: Transport, assumed: type[AssumedCalls] = AssumedCalls
    ) -> None:
        self._transport = transport
        self.assumed = assumed(transport)

    def taxonomies(self) -> list[Taxonomy]:
        return whole_set(
            self._transport, Taxonomy, "categoryTaxonomies", {"$expand": "websites"}
        )

    def websites(self) -> list[Website]:
        return whole_set(self._transport, Website, "websites")

    def properties(self) -> list[Property]:
        return whole_set(self._transport, Property, "properties")

    def templates(self) -> list[Template]:
        return whole_set(self._transport, Template, "templates")

    def assignments(self) -> list[Assignment]:
        return whole_set(self._transport, Assignment, "templateproperties")

    def categories(self) -> Iterator[Category | InvalidRecord]:
        return self._records(Category, "categorytrees")

    def product_heads(
        self, status: str, *, published_since: datetime | None = None
    ) -> Iterator[ProductHead | InvalidRecord]:
        """A complete listing of small records, to plan a run by.

        ``published_since`` has a zone; None takes those too that have no such time.
        """
        condition = f"status eq {quoted(status)}"
        if published_since is not None:
            condition += f" and lastPublishedOn ge {instant(published_since)}"
        yield from self._records(
            ProductHead, PRODUCTS, {"$filter": condition, **HEAD_QUERY}
        )

    def all_product_heads(self) -> Iterator[ProductHead | InvalidRecord]:
        """A complete listing, whatever the status."""
        return self._records(ProductHead, PRODUCTS, HEAD_QUERY)

    def waiting(self, status: str) -> tuple[int, datetime | None]:
        """How many products have this status, and when the oldest last changed.

        The latter is None where the PIM does not say.
        """
        records, count = counted(
            self._transport,
            PRODUCTS,
            {
                "$filter": f"status eq {quoted(status)}",
                "$orderby": "modifiedOn",
                "$top": "1",
                "$select": HEAD_QUERY["$select"],
            },
        )
        oldest = [ProductHead.parse(raw).modified_on for raw in records]
        return count, oldest[0] if oldest else None

    def product_heads_by_number(
        self, numbers: Iterable[str]
    ) -> Iterator[ProductHead | InvalidRecord]:
        for some in _short_enough(map(quoted, numbers)):
            query = {"$filter": any_of("productNumber", some), **HEAD_QUERY}
            yield from self._records(ProductHead, PRODUCTS, query)

    def product_heads_by_id(
        self, ids: Iterable[UUID]
    ) -> Iterator[ProductHead | InvalidRecord]:
        return self._records_by_id(ProductHead, PRODUCTS, ids, HEAD_QUERY)

    def variant_heads(
        self, parents: Iterable[UUID]
    ) -> Iterator[ProductHead | InvalidRecord]:
        """The variants of these products."""
        return self._records_by_id(
            ProductHead, PRODUCTS, parents, HEAD_QUERY, key="parentProductId"
        )

    def products(self, ids: Iterable[UUID]) -> Iterator[Product | InvalidRecord]:
        """Whole products; one that is gone meanwhile is left out."""
        return self._records_by_id(Product, PRODUCTS, ids, WHOLE_QUERY)

    def products_in_language(
        self, ids: Iterable[UUID], language: UUID
    ) -> Iterator[Product | InvalidRecord]:
        """What whole products say in a language, without what they link to."""
        target = PRODUCTS_IN_LANGUAGE.format(language=language)
        return self._records_by_id(Product, target, ids, {})

    def assets(self, ids: Iterable[UUID]) -> Iterator[Asset | InvalidRecord]:
        return self._records_by_id(Asset, "assets", ids, {})

    def all_assets(self) -> Iterator[Asset | InvalidRecord]:
        return self._records(Asset, "assets")

    def _records(
        self,
        model: type[AnyRecord],
        target: str,
        query: Mapping[str, str] | None = None,
    ) -> Iterator[AnyRecord | InvalidRecord]:
        seen: set[UUID] = set()
        for page in pages(self._transport, target, query or {}):
            for raw in page:
                try:
                    record = model.parse(raw)
                except PayloadError as error:
                    yield InvalidRecord.of(raw, error)
                    continue
                # Paging over data that changes can show a record twice.
                if record.id not in seen:
                    seen.add(record.id)
                    yield record

    def _records_by_id(
        self,
        model: type[AnyRecord],
        target: str,
        ids: Iterable[UUID],
        query: Mapping[str, str],
        key: str = "id",
    ) -> Iterator[AnyRecord | InvalidRecord]:
        wanted = list(ids)
        for start in range(0, len(wanted), IDS_PER_REQUEST):
            chunk = wanted[start : start + IDS_PER_REQUEST]
            yield from self._records(
                model, target, {"$filter": any_of(key, chunk), **query}
            )


def _short_enough(literals: Iterable[str]) -> Iterator[list[str]]:
    """As many literals at a time as the URL of a request can hold."""
    some: list[str] = []
    length = 0
    for literal in literals:
        added = len(quote(literal)) + len("%2C")
        if some and length + added > NUMBERS_LENGTH:
            yield some
            some, length = [], 0
        some.append(literal)
        length += added
    if some:
        yield some
