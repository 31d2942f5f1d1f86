from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.documents import get_document_model_string
from wagtail.images import get_image_model_string
from wagtail.models import Locale, Page

from wagtail_pim.kinds import Kind

KINDS = [
    (Kind.CATALOG.value, _("catalog")),
    (Kind.CATEGORY.value, _("category")),
    (Kind.PRODUCT.value, _("product")),
    (Kind.VARIANT.value, _("variant")),
]


class PimLink(models.Model):
    """Which record of the PIM a page shows, and in which state.

    A table of its own: fields on the page would travel with aliases, copies and
    translations, which are not the PIM's.
    """

    page = models.OneToOneField(
        Page, on_delete=models.CASCADE, related_name="pim_link", verbose_name=_("page")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=KINDS)
    guid = models.UUIDField(
        _("PIM Guid"), help_text=_("The record's id in the PIM; never changes.")
    )
    locale = models.ForeignKey(
        Locale, on_delete=models.CASCADE, related_name="+", verbose_name=_("locale")
    )
    version = models.PositiveIntegerField(
        _("version"), null=True, help_text=_("The PIM's version that was applied last.")
    )
    status = models.CharField(
        _("status"),
        max_length=30,
        blank=True,
        help_text=_("The product's status in the PIM, as far as this site knows."),
    )
    content_hash = models.CharField(_("content hash"), max_length=64, blank=True)
    synced_at = models.DateTimeField(_("last synced"))
    run_id = models.UUIDField(
        _("run"), help_text=_("The run that wrote the page last.")
    )

    class Meta:
        verbose_name = _("PIM record")
        verbose_name_plural = _("PIM records")
        # In English: Django keeps the name in the database.
        permissions = [("refresh_pimlink", "Can refresh products from the PIM")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "guid", "locale"], name="wagtail_pim_link_unique_record"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.guid}"


class PimAsset(models.Model):
    """A file of the PIM and the Wagtail image or document that was made of it.

    While it is there, Wagtail does not let anybody delete these: its reference index
    knows of it, as it would not of a one-to-one field. ``details_hash`` is that of what
    the PIM said of the file last, besides its content.
    """

    guid = models.UUIDField(_("PIM Guid"), unique=True)
    content_hash = models.TextField(_("content hash"))
    details_hash = models.CharField(_("details hash"), max_length=64, blank=True)
    image = models.ForeignKey(
        get_image_model_string(),
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("image"),
    )
    document = models.ForeignKey(
        get_document_model_string(),
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("document"),
    )

    class Meta:
        verbose_name = _("PIM asset")
        verbose_name_plural = _("PIM assets")
        constraints = [
            models.UniqueConstraint(
                fields=["image"], name="wagtail_pim_asset_unique_image"
            ),
            models.UniqueConstraint(
                fields=["document"], name="wagtail_pim_asset_unique_document"
            ),
            models.CheckConstraint(
                condition=models.Q(image=None) ^ models.Q(document=None),
                name="wagtail_pim_asset_image_or_document",
            ),
        ]

    def __str__(self) -> str:
        return str(self.guid)
