"""Runs in the background, by whichever backend of Django's Tasks the site has."""

from __future__ import annotations

import logging
from functools import partial
from uuid import UUID

import django
from django.db import transaction

from .conf import get_config
from .exceptions import RunLostError
from .jobs import runs
from .models import JobRun

if django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task

logger = logging.getLogger(__name__)


@task()
def carry_out_run(run_id: str) -> None:
    try:
        runs.carry_out(UUID(run_id))
    except RunLostError as error:
        # A queue may deliver twice, and late.
        logger.warning("Run %s: %s", run_id, error)


def enqueue(run: JobRun) -> None:
    """Hand a waiting run to the workers once this transaction is committed."""
    transaction.on_commit(partial(_enqueue, run))


def _enqueue(run: JobRun) -> None:
    config = get_config()
    queued = carry_out_run.using(
        backend=config.task_backend, queue_name=config.task_queue
    )
    try:
        queued.enqueue(str(run.pk))
    except Exception as error:
        logger.exception("Run %s could not be queued", run.pk)
        runs.fail_to_start(run, error)
