"""Refresh of one product or variant, for the editor of its page who asks for it."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_pim.catalog.languages import site_languages
from wagtail_pim.catalog.planner import Places
from wagtail_pim.catalog.schema import CatalogSchema
from wagtail_pim.client.client import APPROVED, PUBLISHED
from wagtail_pim.client.entities import InvalidRecord, Product
from wagtail_pim.kinds import Kind
from wagtail_pim.models import PimLink

from . import items
from .base import PimConnection
from .journal import Journal
from .products import CatalogContext, ProductJob, is_withdrawn


class RefreshProduct(ProductJob):
    """Pulls the product of one page, as it is Published in the PIM; nothing else.

    It never writes to the PIM, so that it serves every environment. The site's
    categories are taken as they are.
    """

    name = "refresh_product"
    label = gettext_lazy("Refresh product")
    description = gettext_lazy(
        "Pulls one product as it is Published in the PIM; it writes nothing there."
    )

    def __init__(self, pim: PimConnection, journal: Journal, link: PimLink) -> None:
        super().__init__(pim, journal)
        self._link = link

    def execute(self) -> None:
        client = self.pim.client
        record = next(iter(client.products([self._link.guid])), None)
        if record is None:
            self._fail(_("The PIM has no such product any more; it was deleted there."))
            return
        if isinstance(record, InvalidRecord):
            self._fail(str(record.error))
            return
        if reason := _why_left(record):
            self.add(items.left_alone(record, reason))
            return
        languages = site_languages(client.assumed.languages())
        places = [Places(language) for language in languages]
        standing = next(
            (guid for each in places if (guid := each.above(self._link.page))), None
        )
        if _may_belong_elsewhere(record, places[0], standing):
            self._fail(
                _(
                    "Its primary category is not on the site, and it has left the one "
                    "that its page stands in. Only a job for the whole catalog can "
                    "tell where it belongs."
                )
            )
            return
        # A page stays where it is while the PIM lists its product there.
        default_ranks = places[0].ranks()
        ranks = [
            {guid: rank for guid, rank in default_ranks.items() if guid in each}
            for each in places
        ]
        for in_language in ranks:
            if standing in in_language:
                in_language[standing] = -1
        properties = client.properties()
        self.prepare(
            CatalogContext(
                schema=CatalogSchema(client.templates(), properties),
                places=places,
                ranks=ranks,
                vocabularies=self.read_vocabularies(properties, languages),
                types=self.read_relationship_types(languages),
            )
        )
        results, failures = self.write_products([record, *self._coming_along()])
        self.report_products(results, failures, {})

    def _coming_along(self) -> list[Product]:
        """The variants of a product that was off the site: they went with it."""
        pages = PimLink.objects.filter(kind=Kind.PRODUCT, guid=self._link.guid)
        if not pages.filter(page__live=False).exists():
            return []
        client = self.pim.client
        heads = client.variant_heads([self._link.guid])
        return [
            record
            for record in client.products([h.id for h in heads if h.id])
            if isinstance(record, Product) and record.has_status(PUBLISHED)
        ]

    def _fail(self, reason: str) -> None:
        link = self._link
        number = link.page.specific.product_number
        self.add(items.failed(link.kind, number, reason, link.guid))


def _why_left(product: Product) -> str:
    """Why the product is left as the site has it; empty if it is to be refreshed."""
    if is_withdrawn(product):
        return _(
            "It is archived in the PIM. Publish approved products takes it off the "
            "site."
        )
    if product.has_status(APPROVED):
        return _(
            "It is Approved in the PIM and waits for Publish approved products, which "
            "brings its new version."
        )
    if not product.has_status(PUBLISHED):
        return _(
            "It is being worked on in the PIM (its status is “%(status)s”). Once it "
            "is Approved, Publish approved products brings its new version."
        ) % {"status": product.status}
    return ""


def _may_belong_elsewhere(
    product: Product, places: Places, standing: UUID | None
) -> bool:
    """Whether its place is to be found in categories that the site does not know."""
    primary = product.primary_category_tree_id
    return (
        not product.is_variant()
        and primary is not None
        and primary not in places
        and standing not in product.category_ids()
    )
