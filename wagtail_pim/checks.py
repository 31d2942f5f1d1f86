"""System checks: what a developer got wrong, told before anything runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from django.apps import apps
from django.core import checks
from django.core.checks import CheckMessage, register
from django.core.exceptions import (
    FieldDoesNotExist,
    ImproperlyConfigured,
    ValidationError,
)
from django.db import models
from django.urls import get_resolver
from django.utils.module_loading import import_string
from wagtail.admin.panels import Panel
from wagtail.admin.viewsets import viewsets
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.coreutils import resolve_model_string
from wagtail.models import Page
from wagtail.snippets.models import get_snippet_models

from .catalog.definitions import MarkedField, takes
from .catalog.named_relations import is_named_relation, lookup_field
from .catalog.schema import (
    BASE_CLASSES,
    configured_model,
    default_page_class,
    is_base_field,
    page_classes,
    template_name,
)
from .client.controls import Control, ValueType
from .conf import (
    cron_functions,
    crontab_executable,
    get_config,
    rq_timeout,
    task_backend_settings,
    unknown_settings,
)
from .converters import converter_for
from .exceptions import ConfigurationError
from .locking.forms import LockedFormMixin
from .locking.ownership import SyncedModelMixin, owned_fields
from .locking.pages import SyncedPageMixin
from .locking.panels import LockedPanel
from .locking.permissions import ManagedModelPermissionPolicy
from .locking.viewsets import SyncedViewSetMixin, policy_registry
from .markers import Sync, is_synced, normalise_name, sync_markers
from .models import CatalogPage, CategoryPage
from .models.options import validate_addresses

LONG_RUN: Final = 3600
DISCARDS: Final = ("delete", "unpublish", "keep")
MISSING_TRANSLATIONS: Final = ("default", "leave_out", "empty")
FRAMEWORKS: Final = frozenset({"django", "modelcluster", "wagtail"})
GUARDS: Final[dict[type, tuple[str, ...]]] = {
    SyncedModelMixin: ("save", "full_clean", "with_content_json"),
    SyncedPageMixin: ("get_edit_handler", "permissions_for_user"),
}
"""What a mixin has to do before Django's and Wagtail's classes do it."""


@register()
def check_markers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every marker of every page type and other model that the PIM fills."""
    messages: list[CheckMessage] = []
    marked: list[MarkedField] = []
    for other in filter(_is_owned, apps.get_models()):
        if not issubclass(other, Page):
            messages.extend(_check_model(other))
    for kind in BASE_CLASSES:
        for model in page_classes(kind):
            if is_synced(model):
                messages.extend(_check_model(model))
                marked.extend(_marked_fields(model))
        messages.extend(_check_templates(list(filter(is_synced, page_classes(kind)))))
    messages.extend(_check_properties(marked))
    return messages


def _check_model(model: type[models.Model]) -> Iterator[CheckMessage]:
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


def _check_field(
    model: type[models.Model], marker: Sync, field: Any
) -> Iterator[CheckMessage]:
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
    else:
        yield from _check_control(model, marker, field)
        yield from _check_deletion(model, field)


def _check_control(
    model: type[models.Model], marker: Sync, field: Any
) -> Iterator[CheckMessage]:
    if marker.control is None:
        return
    control = Control.named(marker.control)
    if control is None:
        yield checks.Error(
            f"{model.__name__}.{marker.field}: the PIM has no control type "
            f"“{marker.control}”.",
            hint=f"It has these: {', '.join(Control)}.",
            obj=model,
            id="wagtail_pim.E022",
        )
    elif not takes(field, control.value_type):
        fitting = (c for c in Control if takes(field, c.value_type))
        yield checks.Error(
            f"{model.__name__}.{marker.field}: the control type “{marker.control}” "
            f"enters values that a {type(field).__name__} can't hold.",
            hint=f"These suit it: {', '.join(fitting)}. Or change the field's class.",
            obj=model,
            id="wagtail_pim.E022",
        )


def _marked_fields(model: Any) -> Iterator[MarkedField]:
    """Those that one property fills, as far as the markers are right."""
    for marker in sync_markers(model).values():
        with suppress(FieldDoesNotExist):
            field = model._meta.get_field(marker.field)
            marked = MarkedField(model, marker, field)
            if not marker.takes_any_property():
                yield marked


def _check_properties(fields: list[MarkedField]) -> Iterator[CheckMessage]:
    """What Synchronize setup data would not know how to tell the PIM."""
    first: dict[str, tuple[MarkedField, ValueType]] = {}
    for marked in fields:
        control = marked.control()
        if marked.is_every_products():
            yield from _check_own_type(marked)
        elif control is None:
            if marked.marker.control is None and converter_for(marked.field):
                yield checks.Warning(
                    f"{marked.path()}: it is not known which control type of the PIM "
                    f"suits a {type(marked.field).__name__}.",
                    hint=f'Name one: Sync("{marked.marker.field}", control="…").',
                    obj=marked.model,
                    id="wagtail_pim.W008",
                )
        else:
            values = control.value_type
            other, others = first.setdefault(marked.key(), (marked, values))
            if values is not others:
                yield checks.Warning(
                    f"{other.path()} and {marked.path()} both take the property "
                    f"“{marked.marker.property_name()}”, but one holds "
                    f"{others.label()} and the other {values.label()}.",
                    hint="The PIM then gets it for neither. Name another property for "
                    "one, Sync(property=…), or the same control type for both, "
                    "Sync(control=…).",
                    obj=marked.model,
                    id="wagtail_pim.W007",
                )


def _check_own_type(marked: MarkedField) -> Iterator[CheckMessage]:
    if theirs := marked.unsuitable_values():
        yield checks.Warning(
            f"{marked.path()} is a {type(marked.field).__name__}, but what every "
            f"product of the PIM has as “{marked.marker.property_name()}” is "
            f"{theirs.label()}.",
            hint="Name another property, Sync(property=…), or change the field's "
            "class.",
            obj=marked.model,
            id="wagtail_pim.W009",
        )


def _check_deletion(model: type[models.Model], field: Any) -> Iterator[CheckMessage]:
    if (
        isinstance(field, models.ForeignKey)
        and not is_base_field(field)
        and field.remote_field.on_delete is not models.PROTECT
    ):
        yield checks.Warning(
            f"{model.__name__}.{field.name} is the PIM's, but is emptied when "
            f"somebody deletes the {field.related_model._meta.verbose_name}.",
            hint="Declare it with on_delete=models.PROTECT.",
            obj=model,
            id="wagtail_pim.W002",
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
def check_locking(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whether what the PIM owns is locked wherever people could change it."""
    messages: list[CheckMessage] = []
    for model in filter(_is_owned, apps.get_models()):
        messages.extend(_check_owned_names(model))
        faults = list(_check_bases(model))
        if not faults and issubclass(model, Page):
            handler = model.get_edit_handler()
            faults.extend(_check_form(model, handler, handler.get_form_class()))
        messages.extend(faults)
    for viewset in _registered_viewsets():
        messages.extend(_check_viewset(viewset))
    return messages


def _is_owned(model: type[models.Model]) -> bool:
    """Whether the model says that some of it is the PIM's, be it locked or not."""
    named = sync_markers(model) or any(
        vars(base).get("pim_owned_fields") for base in model.__mro__
    )
    return bool(named) and is_synced(model)


def _check_owned_names(model: Any) -> Iterator[CheckMessage]:
    for name in sorted(owned_fields(model) - sync_markers(model).keys()):
        try:
            yield from _check_deletion(model, model._meta.get_field(name))
        except FieldDoesNotExist:
            yield checks.Error(
                f"{model.__name__}.pim_owned_fields names “{name}”, which is no field "
                "or relation of it.",
                hint="Correct the name, or declare the field. A child relation goes "
                "by its related_name.",
                obj=model,
                id="wagtail_pim.E012",
            )


def _check_bases(model: type[models.Model]) -> Iterator[CheckMessage]:
    mixin = SyncedPageMixin if issubclass(model, Page) else SyncedModelMixin
    if not issubclass(model, mixin):
        yield checks.Error(
            f"{model.__name__} has fields of the PIM's, but no {mixin.__name__}: "
            "nothing locks them.",
            hint=f"Put {mixin.__name__} first among its bases, or derive it from "
            "ProductPage or VariantPage if it is a product's page.",
            obj=model,
            id="wagtail_pim.E013",
        )
        return
    for method in _methods_before(model):
        yield checks.Error(
            f"{model.__name__}: {mixin.__name__} stands too late among its bases; "
            f"{method}() comes before what locks the PIM's fields.",
            hint=f"Put {mixin.__name__} first: "
            f"class {model.__name__}({mixin.__name__}, …).",
            obj=model,
            id="wagtail_pim.E011",
        )
        # One move of the mixin corrects them all.
        return


def _methods_before(model: type[models.Model]) -> Iterator[str]:
    """Those of Django's and Wagtail's that Python finds before a guard's own."""
    bases = model.__mro__
    for guard, names in GUARDS.items():
        for base in bases[: bases.index(guard)] if guard in bases else ():
            if base.__module__.split(".")[0] in FRAMEWORKS:
                yield from (
                    f"{base.__name__}.{name}" for name in names if name in vars(base)
                )


def _check_form(model: Any, handler: Any, form_class: type) -> Iterator[CheckMessage]:
    """Form classes are the same for all objects; whether they lock is not."""
    names = sorted(owned_fields(model) & _names_of_form(form_class))
    if names and not issubclass(form_class, LockedFormMixin):
        yield checks.Error(
            f"The edit form of {model.__name__} lets people change what the PIM owns: "
            f"{', '.join(names)}.",
            hint="Where get_edit_handler() or get_form_class() is overridden, call "
            "super(), or wrap with locked_edit_handler() of wagtail_pim.locking.panels "
            "or locked_form() of wagtail_pim.locking.forms what it returns.",
            obj=model,
            id="wagtail_pim.E015",
        )
    elif open_names := sorted(owned_fields(model) & _names_in_open_panels(handler)):
        yield checks.Error(
            f"The edit form of {model.__name__} has panels that don't lock: "
            f"{', '.join(open_names)}.",
            hint="Pass the whole edit handler through locked_edit_handler() of "
            "wagtail_pim.locking.panels, after the last panel was added.",
            obj=model,
            id="wagtail_pim.E015",
        )


def _names_of_form(form_class: Any) -> set[str]:
    return {*form_class.base_fields, *getattr(form_class, "formsets", ())}


def _names_in_open_panels(panel: Panel | None) -> set[str]:
    if panel is None or isinstance(panel, LockedPanel):
        return set()
    if hasattr(panel, "children"):
        return set().union(*map(_names_in_open_panels, panel.children))
    options = panel.get_form_options()
    return {*options.get("fields", ()), *(options.get("formsets") or ())}


def _registered_viewsets() -> list[Any]:
    """Those of the site's hooks too, which register while Wagtail's URLs are read."""
    get_snippet_models()
    resolver = None
    with suppress(AttributeError):
        # A site may have no ROOT_URLCONF.
        resolver = get_resolver()
    if resolver is not None:
        _ = resolver.url_patterns
    return list(viewsets.viewsets)


def _check_viewset(viewset: Any) -> Iterator[CheckMessage]:
    if not isinstance(viewset, (ModelViewSet, ChooserViewSet)) or not viewset.model:
        return
    model = resolve_model_string(viewset.model)
    name = type(viewset).__name__
    if not _is_owned(model) or issubclass(model, Page):
        return
    if isinstance(viewset, ModelViewSet):
        if not issubclass(type(viewset), SyncedViewSetMixin):
            yield checks.Error(
                f"{model.__name__} has fields of the PIM's, but is registered with "
                f"{name}, which locks nothing.",
                hint="Register it with a viewset that has SyncedSnippetViewSetMixin or "
                "SyncedModelViewSetMixin of wagtail_pim.locking.viewsets first among "
                "its bases.",
                obj=model,
                id="wagtail_pim.E014",
            )
            return
        form_class = viewset.get_form_class(for_update=True)
        yield from _check_form(model, viewset._edit_handler, form_class)
    elif not _can_create(viewset):
        return
    if not isinstance(_policy(viewset, model), ManagedModelPermissionPolicy):
        yield checks.Error(
            f"{name} lets people add objects of {model.__name__}, which only the PIM "
            "adds and deletes.",
            hint="A chooser needs SyncedChooserViewSetMixin of "
            "wagtail_pim.locking.viewsets first among its bases; a permission policy "
            "of the site's own derives from ManagedModelPermissionPolicy of "
            "wagtail_pim.locking.permissions.",
            obj=model,
            id="wagtail_pim.E016",
        )


def _can_create(chooser: Any) -> bool:
    sources = (
        chooser.creation_form_class,
        chooser.form_fields,
        chooser.exclude_form_fields,
    )
    return any(source is not None for source in sources)


def _policy(viewset: Any, model: type[models.Model]) -> Any:
    """The policy that the views ask."""
    given = viewset.permission_policy
    if policy_registry is None:
        return given
    if isinstance(viewset, ChooserViewSet) and given is not viewset.UNDEFINED:
        return given
    return policy_registry.get_by_type(model, fallback=False)


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
    for app, code in (
        ("wagtail.contrib.settings", "wagtail_pim.E009"),
        ("wagtail_modeladmin", "wagtail_pim.E017"),
        ("wagtail.snippets", "wagtail_pim.E023"),
    ):
        if not apps.is_installed(app):
            messages.append(
                checks.Error(
                    f"wagtail_pim needs {app}.",
                    hint="Add it to INSTALLED_APPS.",
                    id=code,
                )
            )
    sizes = (config.batch_size, config.max_failures_in_a_row)
    if not all(_is_number(size, int) and size >= 1 for size in sizes):
        messages.append(
            checks.Error(
                "WAGTAIL_PIM: BATCH_SIZE and MAX_FAILURES_IN_A_ROW must be whole "
                "numbers, 1 or more.",
                id="wagtail_pim.E010",
            )
        )
    times = (config.heartbeat_timeout, config.queue_timeout, config.late_after)
    if not all(_is_number(time, int, float) and time > 0 for time in times):
        messages.append(
            checks.Error(
                "WAGTAIL_PIM: HEARTBEAT_TIMEOUT, QUEUE_TIMEOUT and LATE_AFTER must be "
                "numbers of seconds, more than 0.",
                id="wagtail_pim.E019",
            )
        )
    days = config.run_retention_days
    if not _is_number(days, int) or days < 0:
        messages.append(
            checks.Error(
                "WAGTAIL_PIM: RUN_RETENTION_DAYS must be a whole number, 0 or more.",
                hint="0 keeps all runs.",
                id="wagtail_pim.E020",
            )
        )
    messages.extend(_check_catalog_settings())
    messages.extend(_check_addresses())
    return messages


def _check_catalog_settings() -> Iterator[CheckMessage]:
    """What is said of removals, languages and assets."""
    config = get_config()
    for name, given, words in (
        ("DISCARDS", config.discards, DISCARDS),
        ("MISSING_TRANSLATIONS", config.missing_translations, MISSING_TRANSLATIONS),
    ):
        if given not in words:
            yield checks.Error(
                f"WAGTAIL_PIM: {name} is {given!r}, which is none of its words.",
                hint=f"Set it to one of these: {', '.join(words)}.",
                id="wagtail_pim.E024",
            )
    share = config.max_removal_share
    if not _is_number(share, int, float) or not 0 <= share <= 1:
        yield checks.Error(
            "WAGTAIL_PIM: MAX_REMOVAL_SHARE must be a number from 0 to 1.",
            hint="0.1 is a tenth of the catalog; 1 never asks for a confirmation.",
            id="wagtail_pim.E025",
        )
    if not _are_languages(config.languages):
        yield checks.Error(
            "WAGTAIL_PIM: LANGUAGES must name for each language of the PIM a locale "
            "of the site, or a list of locales.",
            hint='By their codes, as in {"en-US": "en", "de-DE": ["de", "de-at"]}.',
            id="wagtail_pim.E026",
        )
    sizes = (
        config.asset_downloads,
        config.max_image_bytes,
        config.max_image_pixels,
        config.max_document_bytes,
    )
    if not all(_is_number(size, int) and size >= 1 for size in sizes):
        yield checks.Error(
            "WAGTAIL_PIM: ASSET_DOWNLOADS, MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS and "
            "MAX_DOCUMENT_BYTES must be whole numbers, 1 or more.",
            id="wagtail_pim.E027",
        )


def _are_languages(given: object) -> bool:
    if not isinstance(given, Mapping):
        return False
    return all(
        isinstance(code, str)
        and (
            isinstance(locales, str)
            or (
                isinstance(locales, (list, tuple))
                and all(isinstance(locale, str) for locale in locales)
            )
        )
        for code, locales in given.items()
    )


def _is_number(value: object, *types: type) -> bool:
    """Of one of the types; a truth value, which Python takes for an int, is none."""
    return isinstance(value, types) and not isinstance(value, bool)


def _check_addresses() -> Iterator[CheckMessage]:
    deployed = get_config().deployed_options.get("NOTIFICATION_EMAILS")
    if deployed is None:
        return
    try:
        validate_addresses(deployed.value)
    except ValidationError as error:
        yield checks.Warning(
            f"{deployed.source}: {' '.join(error.messages)}",
            id="wagtail_pim.W006",
        )


@register()
def check_crontab(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What django-crontab itself passes over in silence."""
    ours = [name for name in cron_functions() if name.startswith("wagtail_pim.cron.")]
    if not ours:
        return []
    messages: list[CheckMessage] = []
    if not apps.is_installed("django_crontab"):
        messages.append(
            checks.Warning(
                "CRONJOBS names jobs of wagtail_pim, but nothing installs them.",
                hint="Add django_crontab to INSTALLED_APPS, then run manage.py crontab "
                "add.",
                id="wagtail_pim.W004",
            )
        )
    if shutil.which(crontab_executable()) is None:
        messages.append(
            checks.Warning(
                f"There is no {crontab_executable()}: “manage.py crontab add” would "
                "install nothing and not say so.",
                hint="Install cron, set CRONTAB_EXECUTABLE, or let another timer run "
                "“manage.py pim due” once a minute.",
                id="wagtail_pim.W003",
            )
        )
    for name in ours:
        try:
            import_string(name)
        except ImportError:
            messages.append(
                checks.Error(
                    f"CRONJOBS names {name}, which does not exist.",
                    hint="The README says what can be listed.",
                    id="wagtail_pim.E021",
                )
            )
    return messages


@register()
def check_tasks(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whether the task backend takes runs, and lets them end."""
    config = get_config()
    backend = task_backend_settings()
    if backend is None:
        return [
            checks.Error(
                f"TASKS has no backend “{config.task_backend}”, which "
                "WAGTAIL_PIM['TASK_BACKEND'] names.",
                hint="Correct one of them.",
                id="wagtail_pim.E018",
            )
        ]
    path = backend.get("BACKEND", "")
    try:
        import_string(path)
    except (ImportError, ImproperlyConfigured) as error:
        return [
            checks.Error(
                f"The task backend “{config.task_backend}” can't be imported: {error}",
                hint="Correct BACKEND of it in TASKS, or install what it needs.",
                id="wagtail_pim.E018",
            )
        ]
    queues = backend.get("QUEUES", ["default"])
    # An empty list lets every queue be.
    if queues and config.task_queue not in queues:
        return [
            checks.Error(
                f"The task backend “{config.task_backend}” has no queue "
                f"“{config.task_queue}”, which WAGTAIL_PIM['TASK_QUEUE'] names.",
                hint="Add it to QUEUES of the backend in TASKS.",
                id="wagtail_pim.E018",
            )
        ]
    seconds = rq_timeout()
    if path.endswith(".RQBackend") and 0 <= seconds < LONG_RUN:
        return [
            checks.Warning(
                f"RQ ends whatever takes longer than {seconds} seconds in the queue "
                f"“{config.task_queue}”, and runs may.",
                hint="Set DEFAULT_TIMEOUT of the queue in RQ_QUEUES to -1 (no limit).",
                id="wagtail_pim.W005",
            )
        ]
    return []
