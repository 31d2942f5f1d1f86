"""The settings of wagtail-pim, and the only place that reads Django's.

``WAGTAIL_PIM`` is one dict. The options of the PIM may stand there, in the environment
(``PIM_`` before the name) or in the admin; the first of these wins, and the admin shows
what the deployment has set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

OPTION_NAMES: Final = (
    "ENVIRONMENT",
    "APP_KEY",
    "SECRET_KEY",
    "NUMBER_OF_LOOKBACK_DAYS",
    "API_ADDRESS",
    "NOTIFICATION_EMAILS",
)
DEFAULT_TASKS: Final = {
    "default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}
}
RQ_DEFAULT_TIMEOUT: Final = 180
TUPLE_FIELDS: Final = frozenset({"catalogs", "asset_hosts"})


@dataclass(frozen=True, slots=True)
class DeployedOption:
    """An option that the deployment sets, and where a person finds it.

    The value may be the secret key, and is shown nowhere.
    """

    value: Any = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class Config:
    """What a site may set in ``WAGTAIL_PIM`` besides the options of the PIM.

    The README's table of settings says what each is for.
    """

    deployed_options: Mapping[str, DeployedOption] = field(default_factory=dict)
    catalog_page: str = "wagtail_pim.CatalogPage"
    category_page: str = "wagtail_pim.CategoryPage"
    default_product_page: str | None = None
    default_variant_page: str | None = None
    catalogs: tuple[str, ...] | None = None
    catalog_parent: str | None = None
    batch_size: int = 250
    max_failures_in_a_row: int = 100
    assumed_calls: str = "wagtail_pim.client.assumed.AssumedCalls"
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    max_attempts: int = 5
    max_retry_wait: float = 60.0
    product_url: str = "/products/{guid}"
    asset_collection: str = "PIM"
    asset_hosts: tuple[str, ...] = ()
    asset_downloads: int = 4
    max_image_bytes: int = 20 * 1024 * 1024
    max_image_pixels: int = 50_000_000
    max_document_bytes: int = 50 * 1024 * 1024
    languages: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    missing_translations: str = "default"
    discards: str = "delete"
    max_removal_share: float = 0.1
    task_backend: str = "default"
    task_queue: str = "default"
    heartbeat_timeout: float = 120.0
    queue_timeout: float = 600.0
    late_after: float = 900.0
    run_retention_days: int = 90


SETTING_NAMES: Final = frozenset(
    [f.name.upper() for f in fields(Config) if f.name != "deployed_options"]
    + list(OPTION_NAMES)
)


def _deployed_options(given: Mapping[str, Any]) -> dict[str, DeployedOption]:
    options = {}
    for name in OPTION_NAMES:
        if given.get(name) not in (None, ""):
            options[name] = DeployedOption(given[name], f'WAGTAIL_PIM["{name}"]')
        elif os.environ.get(f"PIM_{name}"):
            options[name] = DeployedOption(os.environ[f"PIM_{name}"], f"PIM_{name}")
    return options


def _as_tuple(value: Any) -> tuple[str, ...]:
    """One name alone is a list of one, not of its letters."""
    return (value,) if isinstance(value, str) else tuple(value)


@cache
def get_config() -> Config:
    """The site's configuration, read once and again when a setting changes."""
    given: Mapping[str, Any] = getattr(settings, "WAGTAIL_PIM", {})
    values: dict[str, Any] = {
        f.name: _as_tuple(value) if f.name in TUPLE_FIELDS else value
        for f in fields(Config)
        if (value := given.get(f.name.upper())) is not None
    }
    return Config(deployed_options=_deployed_options(given), **values)


def unknown_settings() -> list[str]:
    """Keys of ``WAGTAIL_PIM`` that mean nothing: most often a misspelling."""
    return sorted(set(getattr(settings, "WAGTAIL_PIM", {})) - SETTING_NAMES)


def site_name() -> str:
    return getattr(settings, "WAGTAIL_SITE_NAME", "Wagtail")


def site_language() -> str:
    """That of texts which nobody's browser asks for."""
    return settings.LANGUAGE_CODE


def notification_sender() -> str | None:
    """Wagtail's setting, None for Django's."""
    return getattr(settings, "WAGTAILADMIN_NOTIFICATION_FROM_EMAIL", None)


def cron_functions() -> list[str]:
    """What crontab calls, as the site lists it for django-crontab."""
    return [job[1] for job in getattr(settings, "CRONJOBS", [])]


def crontab_executable() -> str:
    return getattr(settings, "CRONTAB_EXECUTABLE", "/usr/bin/crontab")


def task_backend_settings() -> Mapping[str, Any] | None:
    """Those of the task backend that runs go to; None where the site has no such."""
    backends = getattr(settings, "TASKS", None)
    if backends is None:
        backends = DEFAULT_TASKS
    return backends.get(get_config().task_backend)


def rq_timeout() -> int:
    """Seconds that RQ lets a run take; -1 is without limit."""
    queue = getattr(settings, "RQ_QUEUES", {}).get(get_config().task_queue, {})
    return queue.get("DEFAULT_TIMEOUT") or RQ_DEFAULT_TIMEOUT


def encryption_secrets() -> list[str]:
    """The site's secret keys, the current one first, for what is kept encrypted."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def unicode_slugs_allowed() -> bool:
    return getattr(settings, "WAGTAIL_ALLOW_UNICODE_SLUGS", True)


def i18n_enabled() -> bool:
    """Whether the site is shown in more languages than its default one."""
    return getattr(settings, "WAGTAIL_I18N_ENABLED", False)


def document_extensions() -> Sequence[str] | None:
    """Those that Wagtail takes as documents; None where the site does not say."""
    return getattr(settings, "WAGTAILDOCS_EXTENSIONS", None)


def redirects_wanted() -> bool:
    return getattr(settings, "WAGTAILREDIRECTS_AUTO_CREATE", True)


@receiver(setting_changed)
def _forget(setting: str, **kwargs: Any) -> None:
    if setting == "WAGTAIL_PIM":
        get_config.cache_clear()
