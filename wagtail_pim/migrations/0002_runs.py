import collections
import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import wagtail_pim.models.options
import wagtail_pim.models.runs


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_pim", "0001_initial"),
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="JobSchedule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "job",
                    models.CharField(
                        editable=False, max_length=50, unique=True, verbose_name="job"
                    ),
                ),
                (
                    "enabled",
                    models.BooleanField(
                        default=False,
                        help_text="Start the job by itself.",
                        verbose_name="enabled",
                    ),
                ),
                (
                    "cron",
                    models.CharField(
                        default="0 2 * * *",
                        help_text="Five fields: minute, hour, day of month, month, day of week.",
                        max_length=100,
                        verbose_name="schedule",
                    ),
                ),
                (
                    "due_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="next start"
                    ),
                ),
                (
                    "checked_at",
                    models.DateTimeField(
                        editable=False, null=True, verbose_name="last checked"
                    ),
                ),
                ("told_late", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "verbose_name": "PIM schedule",
                "verbose_name_plural": "PIM schedules",
                "default_permissions": ("change",),
            },
        ),
        migrations.AlterModelOptions(
            name="pimlink",
            options={
                "permissions": [
                    ("refresh_pimlink", "Can refresh products from the PIM")
                ],
                "verbose_name": "PIM record",
                "verbose_name_plural": "PIM records",
            },
        ),
        migrations.AddField(
            model_name="pimoptions",
            name="notification_emails",
            field=models.TextField(
                blank=True,
                help_text="E-mail addresses, one per line. They get a mail when a job fails, is late, has failed items, or works again.",
                validators=[wagtail_pim.models.options.validate_addresses],
                verbose_name="notification addresses",
            ),
        ),
        migrations.CreateModel(
            name="JobRun",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("job", models.CharField(max_length=50, verbose_name="job")),
                (
                    "trigger",
                    models.CharField(
                        choices=[
                            ("admin", "admin"),
                            ("schedule", "schedule"),
                            ("command", "command line"),
                        ],
                        max_length=10,
                        verbose_name="started by",
                    ),
                ),
                ("dry_run", models.BooleanField(default=False, verbose_name="dry run")),
                (
                    "numbers",
                    models.JSONField(
                        default=list, verbose_name="only these product numbers"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("succeeded", "succeeded"),
                            ("failed_items", "failed items"),
                            ("failed", "failed"),
                            ("stopped", "stopped"),
                            ("interrupted", "interrupted"),
                        ],
                        default="queued",
                        max_length=15,
                        verbose_name="state",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="started"
                    ),
                ),
                (
                    "started_at",
                    models.DateTimeField(null=True, verbose_name="taken up"),
                ),
                (
                    "work_started_at",
                    models.DateTimeField(null=True, verbose_name="work listed"),
                ),
                (
                    "heartbeat_at",
                    models.DateTimeField(null=True, verbose_name="last sign of life"),
                ),
                (
                    "finished_at",
                    models.DateTimeField(null=True, verbose_name="finished"),
                ),
                (
                    "worker",
                    models.CharField(blank=True, max_length=255, verbose_name="worker"),
                ),
                (
                    "stop_requested_at",
                    models.DateTimeField(null=True, verbose_name="stop requested"),
                ),
                ("done", models.PositiveIntegerField(default=0, verbose_name="done")),
                ("total", models.PositiveIntegerField(null=True, verbose_name="total")),
                (
                    "counts",
                    wagtail_pim.models.runs.CountsField(
                        default=collections.Counter,
                        verbose_name="products and variants",
                    ),
                ),
                (
                    "category_counts",
                    wagtail_pim.models.runs.CountsField(
                        default=collections.Counter, verbose_name="categories"
                    ),
                ),
                (
                    "acknowledged",
                    models.PositiveIntegerField(default=0, verbose_name="acknowledged"),
                ),
                ("warnings", models.JSONField(default=list, verbose_name="warnings")),
                ("error", models.TextField(blank=True, verbose_name="error")),
                ("error_code", models.CharField(blank=True, max_length=50)),
                (
                    "resumes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="resumed_by",
                        to="wagtail_pim.jobrun",
                        verbose_name="resumes",
                    ),
                ),
                (
                    "stop_requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="stopped by",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "PIM run",
                "verbose_name_plural": "PIM runs",
                "ordering": ["-created_at"],
                "permissions": [
                    ("run_jobs", "Can run PIM jobs"),
                    ("stop_jobs", "Can stop PIM runs"),
                ],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="JobRunItem",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("catalog", "catalog"),
                            ("category", "category"),
                            ("product", "product"),
                            ("variant", "variant"),
                            ("picture", "picture"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("number", models.TextField(verbose_name="number")),
                ("title", models.TextField(blank=True, verbose_name="title")),
                ("guid", models.UUIDField(null=True, verbose_name="PIM Guid")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("created", "created"),
                            ("updated", "updated"),
                            ("unchanged", "unchanged"),
                            ("removed", "removed"),
                            ("failed", "failed"),
                        ],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "acknowledged",
                    models.BooleanField(null=True, verbose_name="acknowledged"),
                ),
                (
                    "differences",
                    models.JSONField(default=dict, verbose_name="differences"),
                ),
                (
                    "page",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailcore.page",
                        verbose_name="page",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="items",
                        to="wagtail_pim.jobrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "record of a run",
                "verbose_name_plural": "records of runs",
                "ordering": ["pk"],
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="jobrun",
            index=models.Index(
                fields=["job", "-created_at"], name="wagtail_pim_run_job"
            ),
        ),
        migrations.AddConstraint(
            model_name="jobrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("dry_run", False), ("state__in", ("queued", "running"))
                ),
                fields=("dry_run",),
                name="wagtail_pim_run_one_writer",
            ),
        ),
        migrations.AddIndex(
            model_name="jobrunitem",
            index=models.Index(
                fields=["run", "outcome"], name="wagtail_pim_item_outcome"
            ),
        ),
    ]
