"""What editors call a field or relation."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.utils.text import capfirst


def field_label(model: Any, name: str) -> str:
    """The field's own name for people; of a relation, that of its objects."""
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return str(capfirst(name.replace("_", " ")))
    if not hasattr(field, "verbose_name"):
        return str(capfirst(field.related_model._meta.verbose_name_plural))
    return str(capfirst(field.verbose_name))
