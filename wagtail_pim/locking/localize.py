"""What wagtail-localize has translated of a managed object: the editors' fields alone.

Its translators are not shown what the PIM owns: that comes from the PIM in every
language. Imported only where wagtail-localize is installed.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import router
from wagtail.models import TranslatableMixin
from wagtail_localize.fields import BaseTranslatableField, get_translatable_fields

from .ownership import SyncedModelMixin, owned_children, owned_fields


class OwnedField(BaseTranslatableField):
    """A field of the PIM's: as the site has it, but left alone on managed objects."""

    def __init__(self, field: BaseTranslatableField) -> None:
        super().__init__(field.field_name)
        self._field = field

    def is_translated(self, obj: Any) -> bool:
        return not _is_managed(obj) and self._field.is_translated(obj)

    def is_synchronized(self, obj: Any) -> bool:
        return not _is_managed(obj) and self._field.is_synchronized(obj)

    def is_overridable(self, obj: Any) -> bool:
        return not _is_managed(obj) and self._field.is_overridable(obj)


def _is_managed(obj: Any) -> bool:
    # The database is asked: wagtail-localize makes objects of what it has stored.
    return obj.pim_source_pk(router.db_for_write(type(obj), instance=obj)) is not None


def keep_owned_fields_from_translation() -> None:
    """Give every synced model that has translations its ``translatable_fields``."""
    fields = {
        model: _translatable_fields(model)
        for model in apps.get_models()
        if issubclass(model, SyncedModelMixin) and issubclass(model, TranslatableMixin)
    }
    # Not before all are known: a model without some of its own inherits its base's.
    for model, of_model in fields.items():
        model.translatable_fields = of_model


def _translatable_fields(model: Any) -> list[BaseTranslatableField]:
    owned = owned_fields(model) | owned_children(model, model)
    return [
        OwnedField(field) if field.field_name in owned else field
        for field in get_translatable_fields(model)
    ]
