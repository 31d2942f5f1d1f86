"""What a site holds, without the keys, times and runs that differ by chance."""

from __future__ import annotations

import hashlib
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import ModelLogEntry, Page, PageLogEntry

from tests.conftest import RUN_TABLES
from wagtail_pim.models import PimAsset

OF_RUNS = {*RUN_TABLES, ModelLogEntry._meta.db_table, PageLogEntry._meta.db_table}
# What each row has for itself; an entry of the search index is told by its text. How
# long its title is against others' depends on the order in which they came.
OWN = {"translation_key", "run_id", "uuid", "index_entry", "title_norm"}
TIMES_THAT_MATTER = {"go_live_at", "expire_at"}

Row = dict[str, Any]


class Names:
    """What rows are called that have other keys on another site."""

    def __init__(self) -> None:
        self._pages = dict(Page.objects.values_list("pk", "url_path"))
        self._images = {
            image.pk: hashlib.sha256(image.file.open().read()).hexdigest()
            for image in get_image_model().objects.all()
        }
        self._documents = {
            document.pk: hashlib.sha256(document.file.open().read()).hexdigest()
            for document in get_document_model().objects.all()
        }
        self._assets = dict(PimAsset.objects.values_list("pk", "guid"))

    def of(self, model: type[models.Model], key: Any) -> Any:
        if key is None:
            return None
        if issubclass(model, Page):
            return self._pages[int(key)]
        if issubclass(model, get_image_model()):
            return self._images[int(key)]
        if issubclass(model, get_document_model()):
            return self._documents[int(key)]
        if model is PimAsset:
            return self._assets[int(key)]
        return key


def site_content() -> dict[str, list[Row]]:
    """By model all rows, in an order that depends on nothing else."""
    names = Names()
    return {
        model._meta.label: sorted(
            (_named(model, row, names) for row in model._base_manager.values(*columns)),
            key=repr,
        )
        for model in apps.get_models()
        if model._meta.managed and model._meta.db_table not in OF_RUNS
        for columns in [[f.attname for f in model._meta.local_concrete_fields]]
    }


def _named(model: type[models.Model], row: Row, names: Names) -> Row:
    named = {}
    for field in model._meta.local_concrete_fields:
        value = row[field.attname]
        if field.name in OWN:
            continue
        if isinstance(field, models.DateTimeField):
            if field.name in TIMES_THAT_MATTER:
                named[field.name] = value
        elif isinstance(field, models.ForeignKey):
            named[field.name] = names.of(field.related_model, value)
        elif isinstance(field, models.FileField):
            # Its content is the row's name; a number may follow the file's own name.
            named[field.name] = names.of(model, row[model._meta.pk.attname])
        elif field.name in ("object_id", "to_object_id"):
            of_type = row.get(f"{field.name.removesuffix('object_id')}content_type_id")
            content_type = ContentType.objects.get_for_id(of_type)
            named[field.name] = names.of(content_type.model_class(), value)
        elif not field.primary_key:
            named[field.name] = value
    return named
