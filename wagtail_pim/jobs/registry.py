"""The jobs, by the names that the command line and the history know."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from wagtail_pim.exceptions import ConfigurationError

from .base import Job
from .publish_approved_products import PublishApprovedProducts
from .reconcile_catalog import ReconcileCatalog
from .refresh_product import RefreshProduct
from .refresh_published_products import RefreshPublishedProducts
from .synchronize_setup_data import SynchronizeSetupData

JOBS: Final[dict[str, type[Job]]] = {
    job.name: job
    for job in (
        SynchronizeSetupData,
        PublishApprovedProducts,
        RefreshPublishedProducts,
        ReconcileCatalog,
    )
}
"""Those that people start and schedule, in the order of an introduction."""

_ALL: Final[dict[str, type[Job]]] = {**JOBS, RefreshProduct.name: RefreshProduct}


def job_label(name: str) -> str:
    """What people call the job of a run; of one that is no more, its name."""
    return str(_ALL[name].label) if name in _ALL else name


def job_of_run(name: str) -> type[Job]:
    """What is known of the job of a run; of one that is no more, what jobs share."""
    return _ALL.get(name, Job)


def job_named(name: str) -> type[Job]:
    """Raises ConfigurationError where this version has no such job."""
    try:
        return JOBS[name]
    except KeyError:
        raise ConfigurationError(
            _("There is no job %(name)s. The jobs are: %(names)s.")
            % {"name": name, "names": ", ".join(JOBS)}
        ) from None
