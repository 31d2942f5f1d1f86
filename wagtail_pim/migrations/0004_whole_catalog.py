import django.db.models.deletion
from django.db import migrations, models
from wagtail.documents import get_document_model_string
from wagtail.images import get_image_model_string


class Migration(migrations.Migration):
    dependencies = [
        ("wagtail_pim", "0003_setup_and_refresh"),
        ("wagtaildocs", "0014_alter_document_file_size"),
        ("wagtailimages", "0027_image_description"),
        migrations.swappable_dependency(get_image_model_string()),
        migrations.swappable_dependency(get_document_model_string()),
    ]

    operations = [
        migrations.CreateModel(
            name="ProductAsset",
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
                    "product_guid",
                    models.UUIDField(verbose_name="PIM Guid of the product"),
                ),
                ("sort_order", models.PositiveIntegerField(verbose_name="order")),
            ],
            options={
                "verbose_name": "product's asset",
                "verbose_name_plural": "products' assets",
                "ordering": ["sort_order"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ProductRelation",
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
                    "product_guid",
                    models.UUIDField(verbose_name="PIM Guid of the product"),
                ),
                (
                    "related_guid",
                    models.UUIDField(
                        db_index=True, verbose_name="PIM Guid of the related product"
                    ),
                ),
                ("sort_order", models.PositiveIntegerField(verbose_name="order")),
            ],
            options={
                "verbose_name": "product relation",
                "verbose_name_plural": "product relations",
                "ordering": ["sort_order"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="relationshiptype",
            name="names",
            field=models.JSONField(default=dict, editable=False, verbose_name="names"),
        ),
        migrations.AddField(
            model_name="categorypage",
            name="primary_image",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=get_image_model_string(),
                verbose_name="primary image",
            ),
        ),
        migrations.AddField(
            model_name="jobrunitem",
            name="content",
            field=models.JSONField(editable=False, null=True, verbose_name="content"),
        ),
        migrations.AddField(
            model_name="pimasset",
            name="details_hash",
            field=models.CharField(
                blank=True, max_length=64, verbose_name="details hash"
            ),
        ),
        migrations.AddField(
            model_name="pimasset",
            name="document",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=get_document_model_string(),
                verbose_name="document",
            ),
        ),
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
                    ("document", "document"),
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
        migrations.AlterField(
            model_name="pimasset",
            name="image",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=get_image_model_string(),
                verbose_name="image",
            ),
        ),
        migrations.AddConstraint(
            model_name="pimasset",
            constraint=models.UniqueConstraint(
                fields=("document",), name="wagtail_pim_asset_unique_document"
            ),
        ),
        migrations.AddConstraint(
            model_name="pimasset",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("image", None), ("document", None), _connector="XOR"
                ),
                name="wagtail_pim_asset_image_or_document",
            ),
        ),
        migrations.AddField(
            model_name="productasset",
            name="asset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="uses",
                to="wagtail_pim.pimasset",
                verbose_name="asset",
            ),
        ),
        migrations.AddField(
            model_name="productrelation",
            name="type",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="relations",
                to="wagtail_pim.relationshiptype",
                verbose_name="relationship type",
            ),
        ),
        migrations.AddConstraint(
            model_name="productasset",
            constraint=models.UniqueConstraint(
                fields=("product_guid", "asset"),
                name="wagtail_pim_product_asset_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="productrelation",
            constraint=models.UniqueConstraint(
                fields=("product_guid", "type", "related_guid"),
                name="wagtail_pim_product_relation_unique",
            ),
        ),
    ]
