"""The jobs, by the names that the command line knows, and the refresh of one page."""

from .base import Job, PimConnection, connect
from .publish_approved_products import PublishApprovedProducts
from .refresh_product import RefreshProduct

JOBS: dict[str, type[Job]] = {job.name: job for job in (PublishApprovedProducts,)}

__all__ = [
    "JOBS",
    "Job",
    "PimConnection",
    "PublishApprovedProducts",
    "RefreshProduct",
    "connect",
]
