from typing import Any

from django.db import migrations, models


def mark_unsettled_items(apps: Any, schema_editor: Any) -> None:
    """Runs from before can be retried still."""
    items = apps.get_model("wagtail_pim", "JobRunItem").objects
    items.filter(~models.Q(reason="") | models.Q(acknowledged=False)).update(
        unsettled=True
    )


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_pim", "0002_runs"),
    ]

    operations = [
        migrations.CreateModel(
            name="RelationshipType",
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
                    "name",
                    models.CharField(max_length=100, unique=True, verbose_name="name"),
                ),
                (
                    "guid",
                    models.UUIDField(
                        editable=False, null=True, unique=True, verbose_name="PIM Guid"
                    ),
                ),
            ],
            options={
                "verbose_name": "relationship type",
                "verbose_name_plural": "relationship types",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SetupRecord",
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
                ("kind", models.CharField(max_length=15, verbose_name="kind")),
                ("guid", models.UUIDField(unique=True, verbose_name="PIM Guid")),
                (
                    "written",
                    models.JSONField(default=dict, verbose_name="written values"),
                ),
            ],
            options={
                "verbose_name": "setup record",
                "verbose_name_plural": "setup records",
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="jobrun",
            name="options",
            field=models.JSONField(default=dict, verbose_name="options"),
        ),
        migrations.AddField(
            model_name="jobrun",
            name="published_since",
            field=models.DateTimeField(null=True, verbose_name="published since"),
        ),
        migrations.AddField(
            model_name="jobrun",
            name="refreshed_to",
            field=models.DateTimeField(null=True, verbose_name="refreshed to"),
        ),
        migrations.AddField(
            model_name="jobrunitem",
            name="unsettled",
            field=models.BooleanField(default=False, verbose_name="to be taken again"),
        ),
        migrations.RunPython(mark_unsettled_items, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="jobrunitem",
            name="kind",
            field=models.CharField(
                choices=[
                    ("catalog", "catalog"),
                    ("category", "category"),
                    ("product", "product"),
                    ("variant", "variant"),
                    ("picture", "picture"),
                    ("language", "language"),
                    ("website", "website"),
                    ("relationship", "relationship type"),
                    ("property", "property"),
                    ("template", "template"),
                    ("assignment", "assignment"),
                ],
                max_length=15,
                verbose_name="kind",
            ),
        ),
    ]
