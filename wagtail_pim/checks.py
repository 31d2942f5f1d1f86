"""System checks: what a developer got wrong, told before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.core import checks
from django.core.checks import CheckMessage, register
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from wagtail.models import Page

from .catalog.named_relations import is_named_relation, lookup_field
from .catalog.schema import (
    BASE_CLASSES,
    configured_model,
    default_page_class,
    is_base_field,
    page_classes,
    template_name,
)
from .conf import get_config, unknown_settings
from .converters import converter_for
from .exceptions import ConfigurationError
from .markers import Sync, is_synced, normalise_name, sync_markers
from .models import CatalogPage, CategoryPage


@register()
def check_markers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every marker of every page type that the PIM fills."""
    messages: list[CheckMessage] = []
    for kind in BASE_CLASSES:
        for model in page_classes(kind):
            if is_synced(model):
                messages.extend(_check_model(model))
        messages.extend(_check_templates(list(filter(is_synced, page_classes(kind)))))
    return messages


def _check_model(model: type[Page]) -> Iterator[CheckMessage]:
    claimed: dict[str, str] = {}
    for marker in sync_markers(model).values():
        try:
            field = model._meta.get_field(marker.field)
        except FieldDoesNotExist:
            yield checks.Error(
                f"{model.__name__}.pim_fields names “{marker.field}”, which is no "
                "field of it.",
                hint="Correct the name, or declare the field.",
                obj=model,
                id="wagtail_pim.E001",
            )
            continue
        if is_base_field(field):
            yield checks.Error(
                f"{model.__name__}.pim_fields: “{marker.field}” is a field of every "
                "page, not of this page type.",
                hint="Title, slug, product number and primary image are always the "
                "PIM's; the other fields of Wagtail's Page stay the editors'. Mark "
                "fields that the site's own classes declare.",
                obj=model,
                id="wagtail_pim.E004",
            )
            continue
        yield from _check_field(model, marker, field)
        name = normalise_name(marker.property_name())
        if name in claimed:
            yield checks.Error(
                f"{model.__name__}.pim_fields: “{claimed[name]}” and "
                f"“{marker.field}” both take the property "
                f"“{marker.property_name()}”.",
                hint="Mark one field for one property.",
                obj=model,
                id="wagtail_pim.E003",
            )
        claimed[name] = marker.field


def _check_field(model: type[Page], marker: Sync, field: Any) -> Iterator[CheckMessage]:
    if marker.takes_any_property():
        if not isinstance(field, models.JSONField):
            yield checks.Error(
                f"{model.__name__}.{marker.field} takes any property, but is a "
                f"{type(field).__name__}.",
                hint='A field with property="*" has to be a JSONField(default=list).',
                obj=model,
                id="wagtail_pim.E005",
            )
    elif converter_for(field) is None:
        yield checks.Error(
            f"{model.__name__}.{marker.field}: there is no converter for fields of "
            f"class {type(field).__name__}.",
            hint="Register one with wagtail_pim.converters.register_converter.",
            obj=model,
            id="wagtail_pim.E002",
        )
    elif is_named_relation(field) and lookup_field(marker, field) is None:
        yield checks.Error(
            f"{model.__name__}.{marker.field}: {field.related_model.__name__} has no "
            f"text field “{marker.lookup or 'name'}” to find its objects by.",
            hint='Name one: Sync("…", lookup="…").',
            obj=model,
            id="wagtail_pim.E006",
        )


def _check_templates(synced: list[type[Page]]) -> Iterator[CheckMessage]:
    shown: dict[str, type[Page]] = {}
    for model in synced:
        name = normalise_name(template_name(model))
        if name in shown:
            yield checks.Error(
                f"{shown[name].__name__} and {model.__name__} both show the PIM's "
                f"template “{template_name(model)}”.",
                hint="Give one of them another pim_template, or mark it @no_sync.",
                obj=model,
                id="wagtail_pim.E007",
            )
        shown[name] = model


@register()
def check_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    config = get_config()
    lookups: list[Callable[[], object]] = [
        lambda: configured_model(config.catalog_page, CatalogPage),
        lambda: configured_model(config.category_page, CategoryPage),
        *(lambda kind=kind: default_page_class(kind) for kind in BASE_CLASSES),
    ]
    messages: list[CheckMessage] = [
        checks.Warning(
            f"WAGTAIL_PIM has no setting “{name}”.",
            hint="The README lists all settings. Names are in capitals.",
            id="wagtail_pim.W001",
        )
        for name in unknown_settings()
    ]
    for lookup in lookups:
        try:
            lookup()
        except ConfigurationError as error:
            messages.append(checks.Error(str(error), id="wagtail_pim.E008"))
    if not apps.is_installed("wagtail.contrib.settings"):
        messages.append(
            checks.Error(
                "wagtail_pim needs wagtail.contrib.settings.",
                hint="Add it to INSTALLED_APPS.",
                id="wagtail_pim.E009",
            )
        )
    sizes: list[object] = [config.batch_size, config.max_failures_in_a_row]
    if not all(isinstance(size, int) and size >= 1 for size in sizes):
        messages.append(
            checks.Error(
                "WAGTAIL_PIM: BATCH_SIZE and MAX_FAILURES_IN_A_ROW must be whole "
                "numbers, 1 or more.",
                id="wagtail_pim.E010",
            )
        )
    return messages
