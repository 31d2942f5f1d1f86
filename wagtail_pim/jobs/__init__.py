"""The jobs, and how they are run."""

from .base import Job, PimConnection, connect
from .publish_approved_products import PublishApprovedProducts
from .refresh_product import RefreshProduct
from .registry import JOBS, job_label

__all__ = [
    "JOBS",
    "Job",
    "PimConnection",
    "PublishApprovedProducts",
    "RefreshProduct",
    "connect",
    "job_label",
]
