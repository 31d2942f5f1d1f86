from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.models import Page

from .pages import CategoryPage


class RelationshipType(models.Model):
    """How products are related, such as accessories; editors of the site name them."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    guid = models.UUIDField(_("PIM Guid"), null=True, unique=True, editable=False)

    panels = [FieldPanel("name")]

    class Meta:
        verbose_name = _("relationship type")
        verbose_name_plural = _("relationship types")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


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
