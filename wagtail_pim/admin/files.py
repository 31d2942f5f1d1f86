"""The PIM's images and documents in Wagtail's admin: their file is replaced there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from wagtail.images.models import AbstractImage

from wagtail_pim.models import PimAsset


def keeping_file(init: Callable[..., None]) -> Callable[..., None]:
    """The form's ``__init__``, which then leaves the file of such an object alone."""

    def init_with_locked_file(form: Any, *args: Any, **kwargs: Any) -> None:
        init(form, *args, **kwargs)
        if "file" in form.fields and is_of_pim(form.instance):
            field = form.fields["file"]
            field.disabled = True
            # Even then Django has it cleaned, which holds a picture of the PIM's
            # against Wagtail's rules for uploads.
            field.clean = lambda value, initial=None: initial
            field.help_text = _("Managed in PIM: the file is replaced there.")

    return init_with_locked_file


def is_of_pim(image_or_document: Any) -> bool:
    key = image_or_document.pk
    if key is None:
        return False
    is_image = isinstance(image_or_document, AbstractImage)
    return PimAsset.objects.filter(
        Q(image=key) if is_image else Q(document=key)
    ).exists()
