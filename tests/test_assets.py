"""The pictures of products as Wagtail images, without a PIM to fetch them from."""

import io
from uuid import NAMESPACE_DNS, uuid5

import pytest
from PIL import Image as Pillow
from wagtail.images import get_image_model

from wagtail_pim.catalog.assets import obtain_images
from wagtail_pim.client.entities import Asset
from wagtail_pim.exceptions import RecordError
from wagtail_pim.models import PimAsset

pytestmark = pytest.mark.django_db

GUID = uuid5(NAMESPACE_DNS, "diamond")


def picture(color: str) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (2, 2), color).save(file, "PNG")
    return file.getvalue()


def asset(**properties):
    return Asset.parse(
        {
            "id": str(GUID),
            "name": "Diamond",
            "assetFileName": "diamond.png",
            "currentAssetHash": "1",
            "urlLarge": "https://pim.example/diamond.png",
            **properties,
        }
    )


class Files:
    """The server of files; ``content`` None is a file that it does not have."""

    def __init__(self) -> None:
        self.content: bytes | None = picture("red")
        self.asked: list[str] = []

    def fetch(self, url: str, max_bytes: int) -> bytes:
        self.asked.append(url)
        if self.content is None:
            raise RecordError("gone")
        return self.content


@pytest.fixture
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return Files()


@pytest.fixture
def obtain(files, django_capture_on_commit_callbacks):
    """The image of one asset, or None, and the reasons why not; committed."""

    def obtain(**properties):
        with django_capture_on_commit_callbacks(execute=True):
            images, faults = obtain_images(
                [asset(**properties)], files.fetch, lambda: None
            )
        image = get_image_model().objects.filter(pk=images.get(GUID)).first()
        return image, [fault.reason for fault in faults]

    return obtain


@pytest.fixture
def stored(files, settings):
    """Names of the files of images in the storage."""
    folder = settings.MEDIA_ROOT / "original_images"
    return lambda: [f"original_images/{path.name}" for path in folder.iterdir()]


def test_same_file_is_fetched_once(obtain, files):
    first, _ = obtain()
    again, _ = obtain()
    assert again == first
    assert len(files.asked) == 1


def test_changed_file_replaces_the_old_one(obtain, files, stored):
    first, _ = obtain()
    rendition = first.get_rendition("width-1")
    files.content = picture("blue")
    second, faults = obtain(currentAssetHash="2")
    assert (second.pk, faults) == (first.pk, [])
    assert second.file.read() == picture("blue")
    assert stored() == [second.file.name]
    assert not rendition.file.storage.exists(rendition.file.name)


def test_file_that_takes_the_name_of_a_lost_one_is_kept(obtain, files, stored):
    first, _ = obtain()
    first.file.storage.delete(first.file.name)
    second, _ = obtain(currentAssetHash="2")
    assert stored() == [second.file.name]


def test_old_file_stays_where_the_new_one_cannot_be_had(obtain, files):
    first, _ = obtain()
    files.content = None
    second, faults = obtain(currentAssetHash="2")
    assert (second, faults) == (first, ["gone"])
    assert second.file.read() == picture("red")
    assert PimAsset.objects.get().content_hash == "1"


def test_old_file_that_cannot_be_deleted_is_no_fault(obtain, files, monkeypatch):
    first, _ = obtain()

    def refuse(name):
        raise OSError("read-only")

    monkeypatch.setattr(first.file.storage, "delete", refuse)
    _image, faults = obtain(currentAssetHash="2")
    assert faults == []


@pytest.mark.parametrize("content_hash", ["", None])
def test_file_without_a_hash_is_fetched_each_time(obtain, files, content_hash):
    obtain(currentAssetHash=content_hash)
    obtain(currentAssetHash=content_hash)
    assert len(files.asked) == 2


def test_hash_of_any_length_is_kept(obtain, files):
    obtain(currentAssetHash="x" * 5000)
    obtain(currentAssetHash="x" * 5000)
    assert len(files.asked) == 1


def test_archived_asset_is_no_picture(obtain, files):
    assert obtain(isArchived=True) == (None, [])
    assert files.asked == []


def test_asset_without_an_address_has_no_file(obtain, files):
    assert obtain(urlLarge=None) == (None, ["It has no file in the PIM."])
    assert files.asked == []


def test_external_address_goes_before_the_pims(obtain, files):
    obtain(externalFileUrl="https://cdn.example/diamond.png")
    assert files.asked == ["https://cdn.example/diamond.png"]
