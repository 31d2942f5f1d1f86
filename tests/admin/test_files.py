"""The PIM's pictures in Wagtail's image admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file

from tests.jobs.test_faults import picture  # noqa: F401
from wagtail_pim.models import ProductPage

pytestmark = pytest.mark.django_db


@pytest.fixture
def image(pim: Any, publish: Any, picture: Any) -> Any:  # noqa: F811
    pim.product("A1", primaryImageAssetId=picture)
    publish()
    # What Wagtail does after a commit, of which a test has none.
    call_command("rebuild_references_index", verbosity=0)
    return ProductPage.objects.get().primary_image


def edit(client: Client, image: Any) -> Any:
    upload = get_test_image_file(filename="other.png").file.getvalue()
    data = {
        "title": "Mine",
        "description": "Seen from the left",
        "collection": image.collection_id,
        "tags": "",
        "file": SimpleUploadedFile("other.png", upload, content_type="image/png"),
    }
    names = ("focal_point_x", "focal_point_y", "focal_point_width")
    data |= dict.fromkeys((*names, "focal_point_height"), "")
    client.post(reverse("wagtailimages:edit", args=[image.pk]), data)
    return get_image_model().objects.get(pk=image.pk)


def test_an_editor_titles_a_picture_but_does_not_replace_its_file(admin_client, image):
    edited = edit(admin_client, image)
    assert edited.file.name == image.file.name
    assert edited.title == "Mine"
    page = admin_client.get(reverse("wagtailimages:edit", args=[image.pk]))
    assert "Managed in PIM: the file is replaced there." in page.content.decode()


def test_the_sites_own_pictures_are_its_own(admin_client):
    own = get_image_model().objects.create(
        title="Own", file=get_test_image_file(filename="own.png")
    )
    assert "other" in edit(admin_client, own).file.name


@pytest.mark.parametrize("name", ["delete", "bulk"])
def test_a_picture_in_use_by_the_pim_is_not_deleted(admin_client, image, name):
    if name == "delete":
        url = reverse("wagtailimages:delete", args=[image.pk])
    else:
        args = ("wagtailimages", "image", "delete")
        url = f"{reverse('wagtail_bulk_action', args=args)}?id={image.pk}"
    assert "Yes, delete" not in admin_client.get(url).content.decode()
    admin_client.post(url)
    assert get_image_model().objects.filter(pk=image.pk).exists()


@pytest.mark.parametrize(
    "limit",
    [{"MAX_UPLOAD_SIZE": 5}, {"EXTENSIONS": ["svg"]}],
    ids=lambda d: next(iter(d)),
)
def test_wagtails_rules_for_uploads_do_not_hold_a_title_back(
    admin_client, image, settings, limit
):
    for name, value in limit.items():
        setattr(settings, f"WAGTAILIMAGES_{name}", value)
    assert edit(admin_client, image).title == "Mine"
