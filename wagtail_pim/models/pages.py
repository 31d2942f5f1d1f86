"""The four kinds of catalog page; sites subclass the product and variant types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.fields import RichTextField
from wagtail.images import get_image_model_string
from wagtail.models import Page, PageQuerySet
from wagtail.search import index

from wagtail_pim.kinds import PRODUCT_KINDS
from wagtail_pim.locking.pages import (
    TREE_COLUMNS,
    SyncedPageMixin,
    has_link,
    original_of,
)
from wagtail_pim.locking.permissions import CatalogPermissionTester

if TYPE_CHECKING:
    from .links import PimAsset
    from .relations import RelationshipType


class CatalogPage(SyncedPageMixin, Page):
    """A catalog: one website of the PIM, with the category trees mapped to it.

    Its title, slug and place are the site's own; what is below it is the PIM's.
    """

    # Whether it is live is the site's own too.
    kept_columns = TREE_COLUMNS

    class Meta:
        verbose_name = _("catalog")
        verbose_name_plural = _("catalogs")

    def categories(self) -> PageQuerySet:
        """Live categories of the first level, in the PIM's order."""
        return CategoryPage.objects.live().child_of(self)

    def permissions_for_user(self, user: Any) -> CatalogPermissionTester:
        return CatalogPermissionTester(user, self)


def _primary_image() -> models.ForeignKey:
    return models.ForeignKey(
        get_image_model_string(),
        verbose_name=_("primary image"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )


class CategoryPage(SyncedPageMixin, Page):
    """A category of the PIM, nested as it is there."""

    description = RichTextField(_("description"), blank=True)
    primary_image = _primary_image()

    pim_owned_fields = ("title", "slug", "expire_at", "description", "primary_image")

    content_panels = [
        *Page.content_panels,
        FieldPanel("description"),
        FieldPanel("primary_image"),
    ]
    search_fields = [*Page.search_fields, index.SearchField("description")]

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def categories(self) -> PageQuerySet:
        """Live categories one level below, in the PIM's order."""
        return CategoryPage.objects.live().child_of(self)

    def products(self) -> PageQuerySet:
        """Live products of this category: those placed here and those listed here."""
        return (
            ProductPage.objects.live()
            .filter(
                models.Q(pk__in=self.memberships.values("page"))
                | models.Q(path__startswith=self.path, depth=self.depth + 1)
            )
            .order_by("title", "pk")
        )


class RelatedProducts(NamedTuple):
    """The products to which one is related in one way; ``name`` is in its language."""

    type: RelationshipType
    name: str
    pages: list[Page]


class _NumberedPage(SyncedPageMixin, Page):
    """What products and variants share."""

    product_number = models.CharField(
        _("product number"), max_length=255, blank=True, db_index=True
    )
    primary_image = _primary_image()

    pim_template: ClassVar[str | None] = None
    """The PIM template that this class shows, if not the one of the class's name."""
    pim_owned_fields = (
        "title",
        "slug",
        "expire_at",
        "product_number",
        "primary_image",
    )

    content_panels = [
        *Page.content_panels,
        FieldPanel("product_number"),
        FieldPanel("primary_image"),
    ]
    search_fields = [
        *Page.search_fields,
        index.SearchField("product_number", boost=2),
        index.AutocompleteField("product_number"),
        index.FilterField("product_number"),
    ]

    class Meta:
        abstract = True

    def listed_in(self) -> PageQuerySet:
        """The categories that list this page besides the one it is placed in."""
        return CategoryPage.objects.filter(memberships__page=self.pk)

    def images(self) -> list[Any]:
        """The product's Wagtail images in the PIM's order, the primary one first."""
        return [asset.image for asset in self._assets("image")]

    def documents(self) -> list[Any]:
        """The product's Wagtail documents in the PIM's order."""
        return [asset.document for asset in self._assets("document")]

    def related_products(self) -> list[RelatedProducts]:
        """Live pages of related products and variants in this page's language.

        By type of relationship, in the PIM's order; two queries besides those for the
        pages themselves.
        """
        from .links import PimLink
        from .relations import ProductRelation

        relations = list(
            ProductRelation.objects.filter(product_guid=self._pim_guid())
            .select_related("type")
            .order_by("type__name", "sort_order")
        )
        pages = dict(
            PimLink.objects.filter(
                kind__in=PRODUCT_KINDS,
                guid__in=[relation.related_guid for relation in relations],
                locale=self.locale_id,
            ).values_list("page_id", "guid")
        )
        live = {
            pages[page.pk]: page
            for page in Page.objects.live().filter(pk__in=pages).specific()
        }
        by_type: dict[RelationshipType, list[Page]] = {}
        for relation in relations:
            if (page := live.get(relation.related_guid)) is not None:
                by_type.setdefault(relation.type, []).append(page)
        code = self.locale.language_code
        return [
            RelatedProducts(kind, kind.name_in(code), related)
            for kind, related in by_type.items()
        ]

    def _assets(self, kind: str) -> models.QuerySet[PimAsset]:
        from .links import PimAsset

        return (
            PimAsset.objects.filter(uses__product_guid=self._pim_guid())
            .exclude(**{kind: None})
            .select_related(kind)
            .order_by("uses__sort_order")
        )

    def _pim_guid(self) -> UUID | None:
        """That of the product; of an alias, of the product that it follows."""
        page = original_of(self)
        return page.pim_link.guid if has_link(page) else None


class ProductPage(_NumberedPage):
    """A product of the PIM, placed in its primary category."""

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def variants(self) -> PageQuerySet:
        """Live variants in the order of the tree."""
        return VariantPage.objects.live().child_of(self)


class VariantPage(_NumberedPage):
    """A variant of a product, placed below it."""

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
