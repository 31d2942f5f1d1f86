"""Runs of jobs: what was started, by whom, how far it is, and what came of it.

A run is its own report: jobs fill it in while they go on, and everything that shows a
run reads it from here.
"""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.models import Page

from wagtail_pim.kinds import DOCUMENT, PICTURE, PRODUCT_KINDS, SetupKind

from .links import KINDS

ITEM_KINDS: Final = [
    *KINDS,
    (PICTURE, _("picture")),
    (DOCUMENT, _("document")),
    (SetupKind.LANGUAGE.value, _("language")),
    (SetupKind.WEBSITE.value, _("website")),
    (SetupKind.RELATIONSHIP.value, _("relationship type")),
    (SetupKind.PROPERTY.value, _("property")),
    (SetupKind.TEMPLATE.value, _("template")),
    (SetupKind.ASSIGNMENT.value, _("assignment")),
]


class Choice(StrEnum):
    """A value that is stored, and its label for people."""

    label: Any

    def __new__(cls, value: str, label: Any = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, Any]]:
        return [(member.value, member.label) for member in cls]


class State(Choice):
    """The life of a run; the values are what ``--json`` prints."""

    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED_ITEMS = "failed_items", _("failed items")
    FAILED = "failed", _("failed")
    STOPPED = "stopped", _("stopped")
    INTERRUPTED = "interrupted", _("interrupted")


ACTIVE_STATES: Final = (State.QUEUED.value, State.RUNNING.value)
COMPLETED_STATES: Final = (State.SUCCEEDED.value, State.FAILED_ITEMS.value)


class Trigger(Choice):
    ADMIN = "admin", _("admin")
    SCHEDULE = "schedule", _("schedule")
    COMMAND = "command", _("command line")


class Outcome(Choice):
    CREATED = "created", _("created")
    UPDATED = "updated", _("updated")
    UNCHANGED = "unchanged", _("unchanged")
    REMOVED = "removed", _("removed")
    FAILED = "failed", _("failed")


class CountsField(models.JSONField):
    """How many of each outcome; an outcome that is not there counts zero."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"default": Counter, **kwargs})

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return Counter(super().from_db_value(value, expression, connection))


class JobRun(models.Model):
    """One run of a job.

    ``counts`` are of products and variants, ``category_counts`` of catalogs and
    categories. ``total`` is None until the work is listed. A run ``resumes`` the last
    of its kind, if that was interrupted: the PIM lists what is left to do.

    Of a refresh, ``options`` say how far back it is to look, as a person or schedule
    asked, and ``published_since`` how far it did (None: all the way). What was
    published before ``refreshed_to`` is on the site since, but for its failed items.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.CharField(_("job"), max_length=50)
    trigger = models.CharField(
        _("started by"), max_length=10, choices=Trigger.choices()
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    dry_run = models.BooleanField(_("dry run"), default=False)
    numbers = models.JSONField(_("only these product numbers"), default=list)
    options = models.JSONField(_("options"), default=dict)
    published_since = models.DateTimeField(_("published since"), null=True)
    refreshed_to = models.DateTimeField(_("refreshed to"), null=True)
    state = models.CharField(
        _("state"),
        max_length=15,
        choices=State.choices(),
        default=State.QUEUED.value,
    )
    created_at = models.DateTimeField(_("started"), default=timezone.now)
    started_at = models.DateTimeField(_("taken up"), null=True)
    work_started_at = models.DateTimeField(_("work listed"), null=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    worker = models.CharField(_("worker"), max_length=255, blank=True)
    stop_requested_at = models.DateTimeField(_("stop requested"), null=True)
    stop_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("stopped by"),
    )
    resumes = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="resumed_by",
        verbose_name=_("resumes"),
    )
    done = models.PositiveIntegerField(_("done"), default=0)
    total = models.PositiveIntegerField(_("total"), null=True)
    counts = CountsField(_("products and variants"))
    category_counts = CountsField(_("categories"))
    acknowledged = models.PositiveIntegerField(_("acknowledged"), default=0)
    warnings = models.JSONField(_("warnings"), default=list)
    error = models.TextField(_("error"), blank=True)
    error_code = models.CharField(max_length=50, blank=True)

    class Meta:
        verbose_name = _("PIM run")
        verbose_name_plural = _("PIM runs")
        ordering = ["-created_at"]
        default_permissions = ("view",)
        # In English: Django keeps the names in the database.
        permissions = [
            ("run_jobs", "Can run PIM jobs"),
            ("stop_jobs", "Can stop PIM runs"),
        ]
        indexes = [
            models.Index(fields=["job", "-created_at"], name="wagtail_pim_run_job")
        ]
        constraints = [
            # One row at most can satisfy the condition, as all that do are alike.
            models.UniqueConstraint(
                fields=["dry_run"],
                condition=models.Q(dry_run=False, state__in=ACTIVE_STATES),
                name="wagtail_pim_run_one_writer",
            )
        ]

    def __str__(self) -> str:
        return f"{self.job} {timezone.localtime(self.created_at):%Y-%m-%d %H:%M}"

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE_STATES

    def duration(self) -> timedelta | None:
        """How long it ran, or runs by now."""
        if self.started_at is None:
            return None
        return (self.finished_at or timezone.now()) - self.started_at

    def failed_items(self) -> models.QuerySet[JobRunItem]:
        return self.items.exclude(reason="")

    def retryable_numbers(self) -> list[str]:
        """Products and variants that are to be taken again."""
        return list(
            dict.fromkeys(self.unsettled_items().values_list("number", flat=True))
        )

    def unsettled_items(self) -> models.QuerySet[JobRunItem]:
        """Products and variants that failed or that the PIM was not told of."""
        return self.items.filter(kind__in=PRODUCT_KINDS, unsettled=True)

    def as_json(self) -> dict[str, Any]:
        """The run without its items."""
        return {
            "run": str(self.pk),
            "job": self.job,
            "trigger": self.trigger,
            "user": self.user.get_username() if self.user else None,
            "dry_run": self.dry_run,
            "numbers": self.numbers,
            "options": self.options,
            "published_since": self.published_since,
            "state": self.state,
            "error": {"code": self.error_code, "message": self.error}
            if self.error
            else None,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "heartbeat_at": self.heartbeat_at,
            "worker": self.worker,
            "resumes": str(self.resumes_id) if self.resumes_id else None,
            "done": self.done,
            "total": self.total,
            **{outcome.value: self.counts[outcome] for outcome in Outcome},
            "acknowledged": self.acknowledged,
            "categories": {
                outcome.value: self.category_counts[outcome] for outcome in Outcome
            },
            "warnings": self.warnings,
        }


class JobRunItem(models.Model):
    """One record of the PIM in a run; records that need no word are only counted.

    ``differences`` are printable [old, new] pairs by field. ``acknowledged`` is None
    where there is nothing to acknowledge. ``reason`` says why it failed, in whole or in
    part, and what to do; ``note`` what else a person may want to know. ``unsettled``
    says that the record has to be taken again. ``content`` is all that stood on a page
    that was removed for good (catalog/restoring.py), None of all others.
    """

    run = models.ForeignKey(JobRun, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(_("kind"), max_length=15, choices=ITEM_KINDS)
    number = models.TextField(_("number"))
    title = models.TextField(_("title"), blank=True)
    guid = models.UUIDField(_("PIM Guid"), null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices())
    reason = models.TextField(_("reason"), blank=True)
    note = models.TextField(_("note"), blank=True)
    page = models.ForeignKey(
        Page,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("page"),
    )
    acknowledged = models.BooleanField(_("acknowledged"), null=True)
    unsettled = models.BooleanField(_("to be taken again"), default=False)
    differences = models.JSONField(_("differences"), default=dict)
    content = models.JSONField(_("content"), null=True, editable=False)

    class Meta:
        verbose_name = _("record of a run")
        verbose_name_plural = _("records of runs")
        ordering = ["pk"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["run", "outcome"], name="wagtail_pim_item_outcome")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"

    @property
    def failed(self) -> bool:
        """Whether a person has to see to it; it may be published all the same."""
        return bool(self.reason)

    @property
    def is_restorable(self) -> bool:
        """Whether the page, which was deleted, can be made again and was not so far."""
        return self.content is not None and self.page_id is None

    def as_json(self) -> dict[str, Any]:
        """The record without a page's content, which can be long."""
        return {
            "id": self.pk,
            "kind": self.kind,
            "number": self.number,
            "guid": str(self.guid) if self.guid else None,
            "title": self.title,
            "outcome": self.outcome,
            "reason": self.reason,
            "note": self.note,
            "page": self.page_id,
            "restorable": self.is_restorable,
            "acknowledged": self.acknowledged,
            "differences": {
                name: {"old": old, "new": new}
                for name, (old, new) in self.differences.items()
            },
        }


class JobSchedule(models.Model):
    """When a job starts by itself.

    ``due_at`` is the next time, None while it is off; ``checked_at`` is when crontab
    last asked, and thereby a sign that it is alive.
    """

    job = models.CharField(_("job"), max_length=50, unique=True, editable=False)
    enabled = models.BooleanField(
        _("enabled"), default=False, help_text=_("Start the job by itself.")
    )
    cron = models.CharField(
        _("schedule"),
        max_length=100,
        default="0 2 * * *",
        help_text=_("Five fields: minute, hour, day of month, month, day of week."),
    )
    due_at = models.DateTimeField(_("next start"), null=True, editable=False)
    checked_at = models.DateTimeField(_("last checked"), null=True, editable=False)
    told_late = models.BooleanField(default=False, editable=False)

    class Meta:
        verbose_name = _("PIM schedule")
        verbose_name_plural = _("PIM schedules")
        default_permissions = ("change",)

    def __str__(self) -> str:
        return self.job
