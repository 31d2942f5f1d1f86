"""The jobs, and how they are run."""

from .base import Job, PimConnection, connect
from .publish_approved_products import PublishApprovedProducts
from .reconcile_catalog import ReconcileCatalog
from .refresh_product import RefreshProduct
from .refresh_published_products import RefreshPublishedProducts
from .registry import JOBS, job_label
from .synchronize_setup_data import SynchronizeSetupData

__all__ = [
    "JOBS",
    "Job",
    "PimConnection",
    "PublishApprovedProducts",
    "ReconcileCatalog",
    "RefreshProduct",
    "RefreshPublishedProducts",
    "SynchronizeSetupData",
    "connect",
    "job_label",
]
