"""Image and document models of a site's own."""

from __future__ import annotations

from typing import Any

from django.db import models
from wagtail.documents.models import AbstractDocument
from wagtail.images.models import AbstractImage, AbstractRendition


class Photo(AbstractImage):
    credit = models.CharField(max_length=100)

    admin_form_fields = ("title", "file", "collection", "tags", "credit")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.credit = self.credit or f"Photo of {self.title}"
        super().save(*args, **kwargs)


class PhotoRendition(AbstractRendition):
    image = models.ForeignKey(
        Photo, on_delete=models.CASCADE, related_name="renditions"
    )

    class Meta:
        unique_together = [("image", "filter_spec", "focal_point_key")]


class Leaflet(AbstractDocument):
    """Asks for pages, which it can count for a title with a number in it."""

    pages = models.PositiveIntegerField()

    admin_form_fields = ("title", "file", "collection", "tags", "pages")

    def save(self, *args: Any, **kwargs: Any) -> None:
        numbers = [word for word in self.title.split() if word.isdecimal()]
        self.pages = int(numbers[0]) if numbers else None
        super().save(*args, **kwargs)
