"""Runs in the background, by whichever backend of Django's Tasks the site has."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import django
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils.translation import gettext as _

from .conf import get_config
from .exceptions import RunLostError
from .jobs import runs
from .models import JobRun

if django.VERSION >= (6, 0):
    from django.tasks import task, task_backends
    from django.tasks.exceptions import TaskException
else:
    from django_tasks import task, task_backends
    from django_tasks.exceptions import TaskException

logger = logging.getLogger(__name__)


def configured_task(function: Callable[[str], None]) -> Any:
    """A task of the backend that the settings name.

    Each backend has tasks of its own class, and a worker of Celery knows those alone
    that are made for it at the start. Of settings that are wrong enqueueing will tell.
    """
    config = get_config()
    try:
        of_backend = task(backend=config.task_backend, queue_name=config.task_queue)
        return of_backend(function)
    except (ImproperlyConfigured, TaskException):
        return task()(function)


@configured_task
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
    try:
        configured = carry_out_run.using(
            backend=config.task_backend, queue_name=config.task_queue
        )
        configured.enqueue(str(run.pk))
    except Exception as error:
        logger.exception("Run %s could not be queued", run.pk)
        # A driver's text may hold parts of an address with a password.
        is_of_settings = isinstance(error, (ImproperlyConfigured, TaskException))
        runs.fail_to_start(run, str(error) if is_of_settings else type(error).__name__)


def why_not_in_background() -> str:
    """What is wrong with the task backend and what to do; empty if nothing is."""
    alias = get_config().task_backend
    try:
        backend = task_backends[alias]
    except ImproperlyConfigured as error:
        return _(
            "No run can be started here: the task backend “%(alias)s” does not work "
            "(%(error)s). Correct TASKS or WAGTAIL_PIM['TASK_BACKEND'] in the settings."
        ) % {"alias": alias, "error": error}
    # By name: on Django 6 it may be that of django.tasks or of django_tasks.
    kind = type(backend).__name__
    if kind == "DummyBackend":
        return _(
            "Nothing carries out what is started here: the task backend “%(alias)s” is "
            "the dummy one. Set up another in TASKS; the README says how."
        ) % {"alias": alias}
    if kind == "ImmediateBackend":
        return _(
            "A run that is started here goes on within the request: the page answers "
            "when it has ended, and a time-out of the web server interrupts it. Set up "
            "a task backend with a worker in TASKS; the README says how."
        )
    return ""
