"""The PIM's pictures in Wagtail's image admin: their file is replaced in the PIM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from wagtail_pim.models import PimAsset


def keeping_file(init: Callable[..., None]) -> Callable[..., None]:
    """``BaseImageForm.__init__``, whose form leaves such a picture's file alone."""

    def init_with_locked_file(form: Any, *args: Any, **kwargs: Any) -> None:
        init(form, *args, **kwargs)
        image = form.instance.pk
        if image and "file" in form.fields and is_of_pim(image):
            field = form.fields["file"]
            field.disabled = True
            # Even then Django has it cleaned, which holds a picture of the PIM's
            # against Wagtail's rules for uploads.
            field.clean = lambda value, initial=None: initial
            field.help_text = _("Managed in PIM: the file is replaced there.")

    return init_with_locked_file


def is_of_pim(image_id: Any) -> bool:
    return PimAsset.objects.filter(image=image_id).exists()
