import django.core.validators
import django.db.models.deletion
import wagtail.fields
from django.db import migrations, models
from wagtail.images import get_image_model_string

import wagtail_pim.models.options


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("wagtailcore", "0097_baselogentry_uuid_action_timestamp_indexes"),
        ("wagtailimages", "0027_image_description"),
        migrations.swappable_dependency(get_image_model_string()),
    ]

    operations = [
        migrations.CreateModel(
            name="CatalogPage",
            fields=[
                (
                    "page_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="wagtailcore.page",
                    ),
                ),
            ],
            options={
                "verbose_name": "catalog",
                "verbose_name_plural": "catalogs",
            },
            bases=("wagtailcore.page",),
        ),
        migrations.CreateModel(
            name="CategoryPage",
            fields=[
                (
                    "page_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="wagtailcore.page",
                    ),
                ),
                (
                    "description",
                    wagtail.fields.RichTextField(
                        blank=True, verbose_name="description"
                    ),
                ),
            ],
            options={
                "verbose_name": "category",
                "verbose_name_plural": "categories",
            },
            bases=("wagtailcore.page",),
        ),
        migrations.CreateModel(
            name="PIMOptions",
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
                    "environment",
                    models.CharField(
                        choices=[("Production", "Production"), ("Sandbox", "Sandbox")],
                        default="Sandbox",
                        help_text="Must be the active publishing environment of the PIM.",
                        max_length=10,
                        verbose_name="environment",
                    ),
                ),
                (
                    "app_key",
                    models.CharField(
                        blank=True, max_length=255, verbose_name="application key"
                    ),
                ),
                ("encrypted_secret_key", models.TextField(blank=True, editable=False)),
                (
                    "number_of_lookback_days",
                    models.PositiveSmallIntegerField(
                        default=5,
                        help_text="How far back Refresh published products looks.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="number of lookback days",
                    ),
                ),
                (
                    "api_address",
                    models.CharField(
                        default="https://pim.insitecloud.net/",
                        max_length=255,
                        validators=[wagtail_pim.models.options.validate_api_address],
                        verbose_name="API address",
                    ),
                ),
            ],
            options={
                "verbose_name": "PIM options",
                "verbose_name_plural": "PIM options",
            },
        ),
        migrations.CreateModel(
            name="PimAsset",
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
                ("guid", models.UUIDField(unique=True, verbose_name="PIM Guid")),
                ("content_hash", models.TextField(verbose_name="content hash")),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=get_image_model_string(),
                        verbose_name="image",
                    ),
                ),
            ],
            options={
                "verbose_name": "PIM asset",
                "verbose_name_plural": "PIM assets",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("image",), name="wagtail_pim_asset_unique_image"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProductPage",
            fields=[
                (
                    "page_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="wagtailcore.page",
                    ),
                ),
                (
                    "product_number",
                    models.CharField(
                        blank=True,
                        db_index=True,
                        max_length=255,
                        verbose_name="product number",
                    ),
                ),
                (
                    "primary_image",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=get_image_model_string(),
                        verbose_name="primary image",
                    ),
                ),
            ],
            options={
                "verbose_name": "product",
                "verbose_name_plural": "products",
            },
            bases=("wagtailcore.page",),
        ),
        migrations.CreateModel(
            name="VariantPage",
            fields=[
                (
                    "page_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="wagtailcore.page",
                    ),
                ),
                (
                    "product_number",
                    models.CharField(
                        blank=True,
                        db_index=True,
                        max_length=255,
                        verbose_name="product number",
                    ),
                ),
                (
                    "primary_image",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=get_image_model_string(),
                        verbose_name="primary image",
                    ),
                ),
            ],
            options={
                "verbose_name": "variant",
                "verbose_name_plural": "variants",
            },
            bases=("wagtailcore.page",),
        ),
        migrations.CreateModel(
            name="CategoryMembership",
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
                    "page",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pim_memberships",
                        to="wagtailcore.page",
                        verbose_name="page",
                    ),
                ),
                (
                    "category",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to="wagtail_pim.categorypage",
                        verbose_name="category",
                    ),
                ),
            ],
            options={
                "verbose_name": "category membership",
                "verbose_name_plural": "category memberships",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("page", "category"),
                        name="wagtail_pim_membership_unique",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PimLink",
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
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "guid",
                    models.UUIDField(
                        help_text="The record's id in the PIM; never changes.",
                        verbose_name="PIM Guid",
                    ),
                ),
                (
                    "version",
                    models.PositiveIntegerField(
                        help_text="The PIM's version that was applied last.",
                        null=True,
                        verbose_name="version",
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        blank=True,
                        help_text="The product's status in the PIM, as far as this site knows.",
                        max_length=30,
                        verbose_name="status",
                    ),
                ),
                (
                    "content_hash",
                    models.CharField(
                        blank=True, max_length=64, verbose_name="content hash"
                    ),
                ),
                ("synced_at", models.DateTimeField(verbose_name="last synced")),
                (
                    "run_id",
                    models.UUIDField(
                        help_text="The run that wrote the page last.",
                        verbose_name="run",
                    ),
                ),
                (
                    "locale",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="wagtailcore.locale",
                        verbose_name="locale",
                    ),
                ),
                (
                    "page",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pim_link",
                        to="wagtailcore.page",
                        verbose_name="page",
                    ),
                ),
            ],
            options={
                "verbose_name": "PIM link",
                "verbose_name_plural": "PIM links",
                "permissions": [
                    ("refresh_pimlink", "Can refresh products from the PIM")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("kind", "guid", "locale"),
                        name="wagtail_pim_link_unique_record",
                    )
                ],
            },
        ),
    ]
