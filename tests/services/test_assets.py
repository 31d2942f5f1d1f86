"""Two processes that obtain assets at the same moment; here they are threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

import pytest
from django.db import connection
from wagtail.images import get_image_model
from wagtail.models import Collection

from tests.test_assets import asset, guid, nothing, picture
from wagtail_pim.catalog.assets import obtain_assets
from wagtail_pim.models import PimAsset

pytestmark = [
    pytest.mark.service,
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("refilled_database"),
]

TRIES = 10


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


def obtain_at_once(*names: str) -> list[Any]:
    """What as many threads get, each for the asset of its name."""
    barrier = threading.Barrier(len(names))

    def download(url: str, target: BinaryIO, max_bytes: int) -> None:
        barrier.wait(30)
        target.write(picture())

    def obtain(name: str) -> Any:
        try:
            return obtain_assets([asset(name)], download, nothing, nothing)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(obtain, names))


def test_one_collection_is_made(site):
    for _number in range(TRIES):
        PimAsset.objects.all().delete()
        get_image_model().objects.all().delete()
        Collection.objects.filter(name="PIM").delete()
        results = obtain_at_once("a", "b")
        assert [faults for _rows, faults in results] == [[], []]
        collection = Collection.objects.get(name="PIM")
        images = get_image_model().objects.filter(collection=collection)
        assert images.count() == 2


def test_one_image_is_made_of_an_asset(site, media):
    for number in range(TRIES):
        name = f"a{number}"
        results = obtain_at_once(name, name)
        rows = [rows[guid(name)] for rows, faults in results if not faults]
        assert len(rows) == 2
        assert rows[0] == rows[1]
        assert rows[0].image == rows[1].image
    stored = list((media / "original_images").iterdir())
    assert len(stored) == get_image_model().objects.count() == TRIES
