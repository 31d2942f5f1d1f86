"""E-mails to the people who watch over the jobs."""

from __future__ import annotations

from wagtail_pim.models import JobRun


def tell_of_end(run: JobRun) -> None:
    """Tell of a run that ended otherwise than the one of its job before it."""
