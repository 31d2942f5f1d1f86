"""Models that no shop would have: every kind of field, panel and relation at once."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from django.db import models
from django.http import HttpResponse
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalKey, ParentalManyToManyField
from modelcluster.models import ClusterableModel
from taggit.models import TaggedItemBase
from wagtail import VERSION as WAGTAIL_VERSION
from wagtail import blocks
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    HelpPanel,
    InlinePanel,
    MultiFieldPanel,
    MultipleChooserPanel,
    ObjectList,
    PublishingPanel,
    TabbedInterface,
    TitleFieldPanel,
)
from wagtail.api import APIField
from wagtail.documents import get_document_model_string
from wagtail.fields import RichTextField, StreamField
from wagtail.images import get_image_model_string
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    Orderable,
    Page,
    PreviewableMixin,
    RevisionMixin,
    TranslatableMixin,
)

from wagtail_pim.locking.ownership import SyncedModelMixin
from wagtail_pim.markers import Sync, no_sync
from wagtail_pim.models import ProductPage


def writable_api_fields(*names: str) -> list[APIField]:
    """Fields that Wagtail's API writes, from the version on in which it writes."""
    options = {"writable": True} if WAGTAIL_VERSION >= (8, 0) else {}
    return [APIField(name, **options) for name in names]


class Material(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class TrialTag(TaggedItemBase):
    content_object = ParentalKey(
        "trial.TrialProductPage", on_delete=models.CASCADE, related_name="tagged_items"
    )


class TrialForm(WagtailAdminPageForm):
    """Reads a locked field as the README tells sites to."""

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("text") == "refused":
            self.add_error("text", "Not this one.")
        return cleaned


class TrialProductPage(ProductPage):
    """A product with a field of every kind, all of them the PIM's but the notes."""

    text = models.CharField(max_length=100, blank=True, help_text="Plain text.")
    required_text = models.CharField(max_length=100)
    long_text = models.TextField(blank=True)
    rich_text = RichTextField(blank=True)
    stream = StreamField([("paragraph", blocks.RichTextBlock())], blank=True)
    choice = models.CharField(
        max_length=10, choices=[("s", "Small"), ("l", "Large")], blank=True
    )
    flag = models.BooleanField(default=False)
    maybe = models.BooleanField(null=True, blank=True)
    count = models.IntegerField(null=True, blank=True)
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    ratio = models.FloatField(null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    moment = models.DateTimeField(null=True, blank=True)
    clock = models.TimeField(null=True, blank=True)
    address = models.URLField(blank=True)
    data = models.JSONField(default=list, blank=True)
    picture = models.ForeignKey(
        get_image_model_string(),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    manual = models.ForeignKey(
        get_document_model_string(),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    successor = models.ForeignKey(
        Page, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    material = models.ForeignKey(
        Material, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    materials = ParentalManyToManyField(Material, blank=True, related_name="+")
    plain_materials = models.ManyToManyField(Material, blank=True, related_name="+")
    tags = ClusterTaggableManager(through=TrialTag, blank=True)

    note = models.CharField(max_length=100, blank=True)
    campaign = RichTextField(blank=True)

    pim_fields = [
        Sync(name)
        for name in (
            "text",
            "required_text",
            "long_text",
            "rich_text",
            "choice",
            "flag",
            "maybe",
            "count",
            "price",
            "ratio",
            "day",
            "moment",
            "address",
            "data",
            "material",
            "materials",
            "tags",
        )
    ]
    # The PIM's too, though no converter fills them.
    pim_owned_fields: ClassVar[list[str]] = [
        "stream",
        "clock",
        "picture",
        "manual",
        "successor",
        "plain_materials",
        "sizes",
        "gallery",
    ]

    base_form_class = TrialForm

    content_panels = [
        TitleFieldPanel("title"),
        FieldPanel("text"),
        FieldPanel("required_text"),
        MultiFieldPanel(
            [
                FieldPanel("long_text"),
                FieldRowPanel([FieldPanel("choice"), FieldPanel("flag")]),
                FieldRowPanel(
                    [FieldPanel("maybe"), FieldPanel("count"), FieldPanel("note")]
                ),
            ],
            heading="Group",
        ),
        FieldPanel("rich_text"),
        FieldPanel("stream"),
        FieldPanel("price"),
        FieldPanel("ratio"),
        FieldPanel("day"),
        FieldPanel("moment"),
        FieldPanel("clock"),
        FieldPanel("address"),
        FieldPanel("data"),
        FieldPanel("picture"),
        FieldPanel("manual"),
        FieldPanel("successor"),
        FieldPanel("material"),
        FieldPanel("materials", widget=forms.CheckboxSelectMultiple),
        FieldPanel("plain_materials"),
        FieldPanel("tags"),
        InlinePanel("sizes", label="Size", min_num=0),
        MultipleChooserPanel("gallery", chooser_field_name="image", label="Picture"),
        InlinePanel("links", label="Link"),
        FieldPanel("campaign"),
    ]
    settings_panels = [PublishingPanel(), FieldPanel("product_number")]
    api_fields = writable_api_fields(
        "text", "rich_text", "materials", "tags", "sizes", "note", "campaign", "links"
    )


class TrialSize(Orderable):
    page = ParentalKey(TrialProductPage, on_delete=models.CASCADE, related_name="sizes")
    name = models.CharField(max_length=20)
    stock = models.IntegerField(default=0)

    panels = [FieldRowPanel([FieldPanel("name"), FieldPanel("stock")])]
    api_fields = writable_api_fields("name", "stock")


class TrialGalleryImage(Orderable):
    page = ParentalKey(
        TrialProductPage, on_delete=models.CASCADE, related_name="gallery"
    )
    image = models.ForeignKey(
        get_image_model_string(), on_delete=models.CASCADE, related_name="+"
    )


class TrialLink(Orderable):
    """The editors' own child objects."""

    page = ParentalKey(TrialProductPage, on_delete=models.CASCADE, related_name="links")
    label = models.CharField(max_length=50)

    panels = [FieldPanel("label")]
    api_fields = writable_api_fields("label")


class TrialHandlerPage(ProductPage):
    """An edit handler of the site's own making, with everything nested."""

    colour = models.CharField(max_length=30, blank=True)
    size = models.CharField(max_length=30, blank=True)
    note = models.CharField(max_length=100, blank=True)

    pim_fields = [Sync("colour", control="Dropdown"), Sync("size", control="Dropdown")]

    edit_handler = TabbedInterface(
        [
            ObjectList(
                [
                    HelpPanel("Read this first."),
                    MultiFieldPanel(
                        [
                            FieldPanel("title", classname="title"),
                            FieldRowPanel(
                                [
                                    FieldPanel("colour"),
                                    MultiFieldPanel(["size", "note"]),
                                ]
                            ),
                        ],
                        heading="All",
                    ),
                ],
                heading="Product",
            ),
            ObjectList([FieldPanel("slug"), "product_number"], heading="More"),
        ]
    )


@no_sync
class TrialFreePage(TrialHandlerPage):
    """Kept out of the synchronization, so all of it is the editors'."""


FIELD_COUNT = 60


class SixtyFields(models.Model):
    """Sixty fields of the common kinds, for the benchmark."""

    class Meta:
        abstract = True


for number in range(FIELD_COUNT):
    kind = (
        models.CharField(max_length=100, blank=True),
        models.TextField(blank=True),
        models.IntegerField(null=True, blank=True),
        models.BooleanField(default=False),
        models.DateField(null=True, blank=True),
        models.CharField(
            max_length=10, choices=[("s", "Small"), ("l", "Large")], blank=True
        ),
    )[number % 6]
    SixtyFields.add_to_class(f"field_{number}", kind)
SIXTY_NAMES = [f"field_{number}" for number in range(FIELD_COUNT)]
SIXTY_PANELS = [FieldPanel(name) for name in SIXTY_NAMES]


class SixtyLockedPage(SixtyFields, ProductPage):
    pim_fields = [Sync(name) for name in SIXTY_NAMES]
    content_panels = [*ProductPage.content_panels, *SIXTY_PANELS]


class SixtyOpenPage(SixtyFields, Page):
    """The same panels in a page that knows nothing of a PIM."""

    product_number = models.CharField(max_length=255, blank=True)
    primary_image = models.ForeignKey(
        get_image_model_string(),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    content_panels = [
        *Page.content_panels,
        FieldPanel("product_number"),
        FieldPanel("primary_image"),
        *SIXTY_PANELS,
    ]


class Maker(
    SyncedModelMixin,
    PreviewableMixin,
    DraftStateMixin,
    LockableMixin,
    RevisionMixin,
    ClusterableModel,
):
    """A snippet with drafts: its name is the PIM's, its story the editors'."""

    name = models.CharField(max_length=100)
    story = models.TextField(blank=True)

    pim_fields = [Sync("name")]
    pim_owned_fields = ("places", "expire_at")
    panels = [
        FieldPanel("name"),
        FieldPanel("story"),
        InlinePanel("places"),
        PublishingPanel(),
    ]

    def __str__(self) -> str:
        return self.name

    def serve_preview(self, request, mode_name):
        return HttpResponse(f"{self.name}: {self.story}")


class MakerPlace(Orderable):
    maker = ParentalKey(Maker, on_delete=models.CASCADE, related_name="places")
    city = models.CharField(max_length=50)

    panels = [FieldPanel("city")]


class Certificate(SyncedModelMixin, models.Model):
    """A plain model, edited through a ModelViewSet."""

    number = models.CharField(max_length=50)
    remark = models.CharField(max_length=100, blank=True)

    pim_fields = [Sync("number")]

    def __str__(self) -> str:
        return self.number


class Fabric(SyncedModelMixin, TranslatableMixin, models.Model):
    """A model with translations: its name is the PIM's, its care the editors'."""

    name = models.CharField(max_length=50)
    care = models.CharField(max_length=100, blank=True)

    pim_fields = [Sync("name")]

    class Meta(TranslatableMixin.Meta):
        pass

    def __str__(self) -> str:
        return self.name
