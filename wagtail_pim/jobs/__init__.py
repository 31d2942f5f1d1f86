"""The jobs, by the names that the command line knows."""

from .base import Job, PimConnection, connect
from .publish_approved_products import PublishApprovedProducts

JOBS: dict[str, type[Job]] = {job.name: job for job in (PublishApprovedProducts,)}

__all__ = ["JOBS", "Job", "PimConnection", "PublishApprovedProducts", "connect"]
