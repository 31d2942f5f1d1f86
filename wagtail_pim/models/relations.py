from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.models import Page

from .links import PimAsset
from .pages import CategoryPage


class RelationshipType(models.Model):
    """How products are related, such as accessories; editors of the site name them.

    ``names`` are what the PIM calls it in other languages, by the locale's code.
    """

    name = models.CharField(_("name"), max_length=100, unique=True)
    names = models.JSONField(_("names"), default=dict, editable=False)
    guid = models.UUIDField(_("PIM Guid"), null=True, unique=True, editable=False)

    panels = [FieldPanel("name")]

    class Meta:
        verbose_name = _("relationship type")
        verbose_name_plural = _("relationship types")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def name_in(self, code: str) -> str:
        """What it is called in the locale of this code."""
        return self.names.get(code) or self.name


class CategoryMembership(models.Model):
    """A product or variant listed in a category that is not its place in the tree.

    Plain foreign keys, no child relation: a draft or revision cannot hold it, and so
    cannot bring an old state back.
    """

    page = models.ForeignKey(
        Page,
        on_delete=models.CASCADE,
        related_name="pim_memberships",
        verbose_name=_("page"),
    )
    category = models.ForeignKey(
        CategoryPage,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=_("category"),
    )

    class Meta:
        verbose_name = _("category membership")
        verbose_name_plural = _("category memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["page", "category"], name="wagtail_pim_membership_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.page} in {self.category}"


class ProductAsset(models.Model):
    """A picture or document of a product or variant, in its order; the primary first.

    What is the same in all languages is kept once for a product, by its Guid.
    """

    product_guid = models.UUIDField(_("PIM Guid of the product"))
    asset = models.ForeignKey(
        PimAsset,
        on_delete=models.CASCADE,
        related_name="uses",
        verbose_name=_("asset"),
    )
    sort_order = models.PositiveIntegerField(_("order"))

    class Meta:
        verbose_name = _("product's asset")
        verbose_name_plural = _("products' assets")
        ordering = ["sort_order"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["product_guid", "asset"],
                name="wagtail_pim_product_asset_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.asset} of {self.product_guid}"


class ProductRelation(models.Model):
    """That the PIM relates a product to another, by their Guids.

    The other one may come to the site later, or leave it: who shows relations asks for
    the pages that are there. In its order among those of its type.
    """

    product_guid = models.UUIDField(_("PIM Guid of the product"))
    type = models.ForeignKey(
        RelationshipType,
        on_delete=models.CASCADE,
        related_name="relations",
        verbose_name=_("relationship type"),
    )
    related_guid = models.UUIDField(_("PIM Guid of the related product"), db_index=True)
    sort_order = models.PositiveIntegerField(_("order"))

    class Meta:
        verbose_name = _("product relation")
        verbose_name_plural = _("product relations")
        ordering = ["sort_order"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["product_guid", "type", "related_guid"],
                name="wagtail_pim_product_relation_unique",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type}: {self.product_guid} → {self.related_guid}"
