"""The page types of the shop.

Each class says in ``pim_fields`` what the PIM fills. All other fields are the shop's
own: its editors write them, and no sync touches them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey, ParentalManyToManyField
from taggit.models import TaggedItemBase
from wagtail import blocks
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    MultiFieldPanel,
    ObjectList,
    TabbedInterface,
)
from wagtail.fields import RichTextField, StreamField
from wagtail.images.blocks import ImageBlock
from wagtail.models import Page
from wagtail.search import index
from wagtail.snippets.models import register_snippet

from wagtail_pim.locking.ownership import SyncedModelMixin
from wagtail_pim.markers import Sync, no_sync
from wagtail_pim.models import CatalogPage, ProductPage, VariantPage

from .facts import Fact, Specified, facts_of_fields
from .picker import Picker, in_order
from .pictures import pictures_of, with_cards


class HomePage(Page):
    """The front page; the job puts the PIM's catalogs below it."""

    headline = models.CharField(_("headline"), max_length=120, blank=True)
    introduction = models.TextField(_("introduction"), blank=True)
    story = RichTextField(_("story"), blank=True)

    content_panels = [
        *Page.content_panels,
        FieldPanel("headline"),
        FieldPanel("introduction"),
        FieldPanel("story"),
    ]

    class Meta:
        verbose_name = _("home page")

    def get_context(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        context["catalogs"] = CatalogPage.objects.live().child_of(self)
        return context


class Brand(SyncedModelMixin, models.Model):
    """Who makes a product; a sync adds the brands that the PIM names."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    story = models.TextField(
        _("story"),
        blank=True,
        help_text=_("In the shop's own words, shown with its products."),
    )

    pim_fields = [Sync("name")]
    panels = [FieldPanel("name"), FieldPanel("story")]

    class Meta:
        ordering = ["name"]
        verbose_name = _("brand")
        verbose_name_plural = _("brands")

    def __str__(self) -> str:
        return self.name


@register_snippet
class RidingStyle(models.Model):
    """What a bicycle is made for."""

    name = models.CharField(_("name"), max_length=100, unique=True)

    panels = [FieldPanel("name")]

    class Meta:
        ordering = ["name"]
        verbose_name = _("riding style")
        verbose_name_plural = _("riding styles")

    def __str__(self) -> str:
        return self.name


class StoryBlock(blocks.StreamBlock):
    """What editors tell about a product beyond the catalog."""

    heading = blocks.CharBlock(icon="title", template="shop/blocks/heading.html")
    paragraph = blocks.RichTextBlock(icon="pilcrow")
    quote = blocks.BlockQuoteBlock()
    image = ImageBlock(template="shop/blocks/image.html")


class BadgeColour(models.TextChoices):
    FOREST = "forest", _("Forest")
    RUST = "rust", _("Rust")
    INK = "ink", _("Ink")


class ShowcaseMixin:
    """What the pages of products and of their variants show alike."""

    def get_context(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        context = super().get_context(request, *args, **kwargs)
        is_variant = isinstance(self, VariantPage)
        product = self.get_parent().specific if is_variant else self
        variants = in_order(with_cards(product.variants()))
        facts = self.facts()
        if is_variant:
            # What is true of the product is true of the variant, unless it says more.
            known = {fact.label for fact in facts}
            facts += [fact for fact in product.facts() if fact.label not in known]
        return context | {
            "product": product,
            "picker": Picker(variants, self if is_variant else None),
            "images": pictures_of(self, product),
            "facts": facts,
        }


class CampaignProductPage(ShowcaseMixin, ProductPage):
    """A product with a description of the PIM's and a campaign of the shop's own."""

    description = RichTextField(_("description"), blank=True)

    campaign_text = models.CharField(
        _("campaign text"),
        max_length=200,
        blank=True,
        help_text=_("One line above the price, such as a seasonal offer."),
    )
    badge = models.CharField(_("badge"), max_length=30, blank=True)
    badge_colour = models.CharField(
        _("badge colour"),
        max_length=10,
        choices=BadgeColour,
        default=BadgeColour.FOREST,
    )
    story = StreamField(StoryBlock(), blank=True, verbose_name=_("story"))

    pim_fields = [Sync("description")]

    parent_page_types = ["wagtail_pim.CategoryPage"]

    content_panels = [*ProductPage.content_panels, FieldPanel("description")]
    campaign_panels = [
        MultiFieldPanel(
            [
                FieldPanel("campaign_text"),
                FieldRowPanel([FieldPanel("badge"), FieldPanel("badge_colour")]),
            ],
            heading=_("Campaign"),
        ),
        FieldPanel("story"),
    ]
    search_fields = [*ProductPage.search_fields, index.SearchField("description")]

    class Meta:
        abstract = True


class ShopProductPage(CampaignProductPage):
    """What the shop's own kinds of product have in common."""

    summary = models.CharField(_("summary"), max_length=255, blank=True)
    price = models.DecimalField(
        _("price"), max_digits=9, decimal_places=2, null=True, blank=True
    )

    pim_fields = [Sync("summary"), Sync("price", translatable=False)]
    fact_fields: ClassVar[list[str]] = []
    facet_fields: ClassVar[list[str]] = []

    content_panels = [
        *CampaignProductPage.content_panels,
        FieldPanel("summary"),
        FieldPanel("price"),
    ]
    search_fields = [*CampaignProductPage.search_fields, index.SearchField("summary")]

    class Meta:
        abstract = True

    def facts(self) -> list[Fact]:
        return list(facts_of_fields(self, self.fact_fields))


class ShopVariantPage(ShowcaseMixin, VariantPage):
    """What every variant of the shop has."""

    colour = models.CharField(_("colour"), max_length=40, blank=True)
    size = models.CharField(_("size"), max_length=20, blank=True)
    price = models.DecimalField(
        _("price"), max_digits=9, decimal_places=2, null=True, blank=True
    )
    in_stock = models.BooleanField(
        _("in stock"),
        null=True,
        blank=True,
        help_text=_("Unknown where the PIM does not say."),
    )
    delivery_note = models.CharField(
        _("delivery note"),
        max_length=120,
        blank=True,
        help_text=_("Shown beside the availability; the shop's own."),
    )

    # A template is that of products and variants: it can't require what variants have.
    pim_fields = [
        Sync("colour", required=False, control="Dropdown"),
        Sync("size", required=False, translatable=False, control="Dropdown"),
        Sync("price", translatable=False),
        Sync("in_stock", required=False, translatable=False),
    ]
    fact_fields: ClassVar[list[str]] = ["colour", "size"]
    facet_fields: ClassVar[list[str]] = ["colour", "size", "in_stock"]

    parent_page_types: ClassVar[list[str]] = []
    subpage_types: ClassVar[list[str]] = []

    content_panels = [
        *VariantPage.content_panels,
        FieldRowPanel([FieldPanel("colour"), FieldPanel("size")]),
        FieldRowPanel([FieldPanel("price"), FieldPanel("in_stock")]),
        FieldPanel("delivery_note"),
    ]

    class Meta:
        abstract = True

    def facts(self) -> list[Fact]:
        return list(facts_of_fields(self, self.fact_fields))


class BicyclePage(ShopProductPage):
    """A bicycle; the template Cargo bicycle of the PIM inherits from Bicycle."""

    class FrameMaterial(models.TextChoices):
        STEEL = "Steel", _("Steel")
        ALUMINIUM = "Aluminium", _("Aluminium")
        TITANIUM = "Titanium", _("Titanium")

    brand = models.ForeignKey(
        Brand,
        verbose_name=_("brand"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    riding_styles = ParentalManyToManyField(
        RidingStyle, verbose_name=_("riding styles"), blank=True, related_name="+"
    )
    frame_material = models.CharField(
        _("frame material"), max_length=20, choices=FrameMaterial, blank=True
    )
    gears = models.IntegerField(_("gears"), null=True, blank=True)
    weight = models.FloatField(_("weight (kg)"), null=True, blank=True)
    electric = models.BooleanField(_("electric assistance"), default=False)
    available_from = models.DateField(_("available from"), null=True, blank=True)
    equipment = models.JSONField(_("equipment"), default=list, blank=True)

    pim_template = "Bicycle"
    pim_fields = [
        Sync("brand", translatable=False),
        Sync("riding_styles"),
        Sync("frame_material", translatable=False),
        Sync("gears", translatable=False),
        Sync("weight", translatable=False),
        Sync("electric", translatable=False),
        Sync("available_from", required=False, translatable=False),
        Sync("equipment", required=False),
    ]
    fact_fields = [
        "brand",
        "riding_styles",
        "frame_material",
        "gears",
        "weight",
        "electric",
        "available_from",
        "equipment",
    ]
    facet_fields = ["brand", "riding_styles", "frame_material", "gears", "electric"]

    template = "shop/product_page.html"
    subpage_types = ["shop.BicycleVariantPage"]

    edit_handler = TabbedInterface(
        [
            ObjectList(ShopProductPage.content_panels, heading=_("Content")),
            ObjectList(
                [
                    FieldPanel("brand"),
                    FieldPanel("riding_styles"),
                    FieldRowPanel(
                        [
                            FieldPanel("frame_material"),
                            FieldPanel("gears"),
                            FieldPanel("weight"),
                        ]
                    ),
                    FieldPanel("electric"),
                    FieldPanel("available_from"),
                    FieldPanel("equipment"),
                ],
                heading=_("Specification"),
            ),
            ObjectList(CampaignProductPage.campaign_panels, heading=_("Campaign")),
            ObjectList(ShopProductPage.promote_panels, heading=_("Promote")),
            ObjectList(ShopProductPage.settings_panels, heading=_("Settings")),
        ]
    )

    class Meta:
        verbose_name = _("bicycle")
        verbose_name_plural = _("bicycles")


class BicycleVariantPage(ShopVariantPage):
    """A bicycle in one colour and frame size."""

    ean = models.CharField(_("EAN"), max_length=13, blank=True)
    restocked_at = models.DateTimeField(_("restocked at"), null=True, blank=True)

    pim_template = "Bicycle"
    pim_fields = [
        Sync(
            "size",
            property="FrameSize",
            required=False,
            translatable=False,
            control="Dropdown",
        ),
        Sync("ean", property="EAN", required=False, translatable=False),
        Sync("restocked_at", required=False, translatable=False),
    ]
    fact_fields = ["colour", "size", "ean", "restocked_at"]

    template = "shop/variant_page.html"
    parent_page_types = ["shop.BicyclePage"]

    content_panels = [
        *ShopVariantPage.content_panels,
        MultiFieldPanel(
            [FieldPanel("ean"), FieldPanel("restocked_at")], heading=_("Stock")
        ),
    ]

    class Meta:
        verbose_name = _("bicycle variant")
        verbose_name_plural = _("bicycle variants")


class HelmetTag(TaggedItemBase):
    content_object = ParentalKey(
        "shop.HelmetPage", on_delete=models.CASCADE, related_name="tagged_items"
    )


class HelmetPage(ShopProductPage):
    care_instructions = models.TextField(_("care instructions"), blank=True)
    safety_standards = models.JSONField(_("safety standards"), default=list, blank=True)
    vents = models.IntegerField(_("vents"), null=True, blank=True)
    weight = models.FloatField(_("weight (kg)"), null=True, blank=True)
    tested_on = models.DateField(_("tested on"), null=True, blank=True)
    labels = ClusterTaggableManager(
        through=HelmetTag, verbose_name=_("labels"), blank=True
    )

    pim_template = "Helmet"
    pim_fields = [
        Sync("care_instructions", required=False),
        Sync("safety_standards", translatable=False),
        Sync("vents", required=False, translatable=False),
        Sync("weight", translatable=False),
        Sync("tested_on", required=False, translatable=False),
        Sync("labels", required=False),
    ]
    fact_fields = [
        "safety_standards",
        "vents",
        "weight",
        "tested_on",
        "labels",
        "care_instructions",
    ]
    facet_fields = ["safety_standards", "labels"]

    template = "shop/product_page.html"
    subpage_types = ["shop.HelmetVariantPage"]

    content_panels = [
        *ShopProductPage.content_panels,
        MultiFieldPanel(
            [
                FieldPanel("safety_standards"),
                FieldPanel("tested_on"),
                FieldPanel("vents"),
                FieldPanel("weight"),
                FieldPanel("labels"),
                FieldPanel("care_instructions"),
            ],
            heading=_("Safety and care"),
        ),
        *CampaignProductPage.campaign_panels,
    ]

    class Meta:
        verbose_name = _("helmet")
        verbose_name_plural = _("helmets")


class HelmetVariantPage(ShopVariantPage):
    pim_template = "Helmet"

    template = "shop/variant_page.html"
    parent_page_types = ["shop.HelmetPage"]

    class Meta:
        verbose_name = _("helmet variant")
        verbose_name_plural = _("helmet variants")


class ApparelPage(ShopProductPage):
    class Fit(models.TextChoices):
        RELAXED = "Relaxed", _("Relaxed")
        REGULAR = "Regular", _("Regular")
        CLOSE = "Close", pgettext_lazy("fit of clothing", "Close")

    fabric = models.CharField(_("fabric"), max_length=120, blank=True)
    fit = models.CharField(_("fit"), max_length=10, choices=Fit, blank=True)
    waterproof = models.BooleanField(_("waterproof"), default=False)
    seasons = models.JSONField(_("seasons"), default=list, blank=True)
    care_instructions = models.TextField(_("care instructions"), blank=True)
    size_advice = RichTextField(
        _("size advice"),
        blank=True,
        features=["bold", "italic", "ul"],
        help_text=_("From the shop's own fitting room."),
    )

    pim_template = "Apparel"
    pim_fields = [
        Sync("fabric"),
        Sync("fit"),
        Sync("waterproof", required=False, translatable=False),
        Sync("seasons", required=False),
        Sync("care_instructions", required=False),
    ]
    fact_fields = ["fabric", "fit", "waterproof", "seasons", "care_instructions"]
    facet_fields = ["fit", "waterproof", "seasons"]

    template = "shop/apparel_page.html"
    subpage_types = ["shop.ApparelVariantPage"]

    content_panels = [
        *ShopProductPage.content_panels,
        MultiFieldPanel(
            [
                FieldPanel("fabric"),
                FieldRowPanel([FieldPanel("fit"), FieldPanel("waterproof")]),
                FieldPanel("seasons"),
                FieldPanel("care_instructions"),
            ],
            heading=_("Fabric and fit"),
        ),
        FieldPanel("size_advice"),
        *CampaignProductPage.campaign_panels,
    ]

    class Meta:
        verbose_name = _("apparel")
        verbose_name_plural = _("apparel")


class ApparelVariantPage(ShopVariantPage):
    pim_template = "Apparel"

    template = "shop/variant_page.html"
    parent_page_types = ["shop.ApparelPage"]

    class Meta:
        verbose_name = _("apparel variant")
        verbose_name_plural = _("apparel variants")


class GenericProductPage(Specified, CampaignProductPage):
    """A product of any other kind: whatever the PIM says of it stands in a table."""

    specifications = models.JSONField(_("specifications"), default=list, blank=True)

    pim_fields = [Sync("specifications", property="*")]
    read_from_specifications = ["summary", "price"]

    template = "shop/product_page.html"
    subpage_types = ["shop.GenericVariantPage"]

    content_panels = [
        *CampaignProductPage.content_panels,
        FieldPanel("specifications"),
        *CampaignProductPage.campaign_panels,
    ]

    class Meta:
        verbose_name = _("other product")
        verbose_name_plural = _("other products")

    @property
    def summary(self) -> str:
        return self.specified("summary") or ""


class GenericVariantPage(Specified, ShowcaseMixin, VariantPage):
    """A variant of any other kind of product."""

    specifications = models.JSONField(_("specifications"), default=list, blank=True)

    pim_fields = [Sync("specifications", property="*")]
    read_from_specifications = ["price", "instock"]

    template = "shop/variant_page.html"
    parent_page_types = ["shop.GenericProductPage"]
    subpage_types: ClassVar[list[str]] = []

    content_panels = [*VariantPage.content_panels, FieldPanel("specifications")]

    class Meta:
        verbose_name = _("variant of another product")
        verbose_name_plural = _("variants of other products")

    @property
    def colour(self) -> str:
        return self.specified("colour") or ""

    @property
    def size(self) -> str:
        return self.specified("size") or ""

    @property
    def in_stock(self) -> bool | None:
        return self.specified("instock")


@no_sync
class GiftCardPage(ProductPage):
    """Sold by the shop alone: the PIM knows nothing of it and never touches it."""

    amount = models.PositiveSmallIntegerField(_("amount in euros"), default=50)
    greeting = models.CharField(_("greeting"), max_length=200, blank=True)

    template = "shop/gift_card_page.html"
    parent_page_types = ["shop.HomePage"]
    subpage_types: ClassVar[list[str]] = []

    content_panels = [
        *ProductPage.content_panels,
        FieldPanel("amount"),
        FieldPanel("greeting"),
    ]

    class Meta:
        verbose_name = _("gift card")
        verbose_name_plural = _("gift cards")
