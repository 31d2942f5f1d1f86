"""Assets as Wagtail's images and documents, without a PIM to fetch them from."""

from __future__ import annotations

import io
import threading
from typing import Any, BinaryIO
from uuid import NAMESPACE_DNS, UUID, uuid5

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.db.models.signals import pre_save
from django.urls import reverse
from django.utils import translation
from PIL import Image as Pillow
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.models import Collection

from wagtail_pim.catalog.assets import known_assets, obtain_assets
from wagtail_pim.client.entities import Asset
from wagtail_pim.exceptions import RecordError, RunStoppedError
from wagtail_pim.kinds import DOCUMENT, PICTURE
from wagtail_pim.models import PimAsset

pytestmark = pytest.mark.django_db

Image = get_image_model()
Document = get_document_model()

PDF = b"%PDF-1.7 the manual"


def guid(name: str) -> UUID:
    return uuid5(NAMESPACE_DNS, name)


GUID = guid("diamond")


def picture(
    color: str = "red", size: tuple[int, int] = (4, 4), **options: Any
) -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", size, color).save(file, **{"format": "PNG", **options})
    return file.getvalue()


def asset(which: str = "diamond", **properties: Any) -> Asset:
    return Asset.parse(
        {
            "id": str(guid(which)),
            "name": which.title(),
            "assetType": "Image",
            "assetFileName": f"{which}.png",
            "currentAssetHash": "1",
            "urlLarge": f"https://pim.example/{which}.png",
            **properties,
        }
    )


def manual(**properties: Any) -> Asset:
    return asset(
        "manual",
        **{
            "assetType": "Document",
            "fileExtension": "pdf",
            "assetFileName": "manual.pdf",
            **properties,
        },
    )


class Files:
    """The server of files; ``content`` None is a file that it does not have."""

    def __init__(self) -> None:
        self.content: bytes | None = picture()
        self.asked: list[str] = []

    def download(self, url: str, target: BinaryIO, max_bytes: int) -> None:
        self.asked.append(url)
        if self.content is None:
            raise RecordError("gone")
        target.write(self.content)


def nothing() -> None:
    """No reason to stop."""


@pytest.fixture
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    # It holds the renditions of images whose rows are rolled back.
    cache.clear()
    return Files()


@pytest.fixture
def obtain_all(files, django_capture_on_commit_callbacks):
    """Rows by Guid and faults; committed."""

    def obtain_all(*assets: Asset, **steps: Any) -> Any:
        given = {
            "download": files.download,
            "checkpoint": nothing,
            "before_commit": nothing,
            **steps,
        }
        with django_capture_on_commit_callbacks(execute=True):
            return obtain_assets(assets, **given)

    return obtain_all


@pytest.fixture
def obtain(obtain_all):
    """The image of one asset, or None, and the reasons why not."""

    def obtain(**properties):
        rows, faults = obtain_all(asset(**properties))
        row = rows.get(GUID)
        image = row and Image.objects.get(pk=row.image_id)
        return image, [fault.reason for fault in faults]

    return obtain


@pytest.fixture
def obtain_document(obtain_all, files):
    files.content = PDF

    def obtain_document(**properties):
        rows, faults = obtain_all(manual(**properties))
        row = rows.get(guid("manual"))
        document = row and Document.objects.get(pk=row.document_id)
        return document, [fault.reason for fault in faults]

    return obtain_document


@pytest.fixture
def stored(files, settings):
    """Names of all files in the storage."""

    def stored() -> list[str]:
        root = settings.MEDIA_ROOT
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())

    return stored


# The file


def test_same_file_is_fetched_once(obtain, files):
    first, _faults = obtain()
    again, _faults = obtain()
    assert again == first
    assert len(files.asked) == 1


def test_image_is_one_of_wagtails(obtain, files):
    image, faults = obtain()
    assert faults == []
    assert (image.title, image.filename) == ("Diamond", "diamond.png")
    assert (image.width, image.height) == (4, 4)
    assert image.file_size == len(files.content)
    kept = image.file_hash
    image._set_image_file_metadata()
    assert image.file_hash == kept
    assert image.collection.name == "PIM"


def test_document_is_one_of_wagtails(obtain_document):
    document, faults = obtain_document(tagList="bikes")
    assert faults == []
    assert (document.title, document.filename) == ("Manual", "manual.pdf")
    assert document.file.read() == PDF
    kept = (document.file_size, document.file_hash)
    document._set_document_file_metadata()
    assert (document.file_size, document.file_hash) == kept
    assert document.tags.get().name == "bikes"
    assert document.collection.name == "PIM"


def test_changed_file_replaces_the_old_one(obtain, files, stored):
    first, _faults = obtain()
    rendition = first.get_rendition("width-1")
    files.content = picture("blue", (8, 6))
    second, faults = obtain(currentAssetHash="2")
    assert (second.pk, faults) == (first.pk, [])
    assert second.file.read() == picture("blue", (8, 6))
    assert (second.width, second.height) == (8, 6)
    assert second.file_size == len(files.content)
    assert second.file_hash != first.file_hash
    assert stored() == [second.file.name]
    assert not second.renditions.exists()
    assert not rendition.file.storage.exists(rendition.file.name)


def test_changed_document_is_replaced_in_place(obtain_document, files, stored):
    first, _faults = obtain_document()
    files.content = PDF + b", second edition"
    second, faults = obtain_document(currentAssetHash="2")
    assert (second.pk, faults) == (first.pk, [])
    assert second.file.read() == files.content
    assert second.file_size == len(files.content)
    assert second.file_hash != first.file_hash
    assert stored() == [second.file.name]


def test_file_that_takes_the_name_of_a_lost_one_is_kept(obtain, stored):
    first, _faults = obtain()
    first.file.storage.delete(first.file.name)
    second, _faults = obtain(currentAssetHash="2")
    assert stored() == [second.file.name]


def test_old_file_stays_where_the_new_one_cannot_be_had(obtain, files):
    first, _faults = obtain()
    files.content = None
    second, faults = obtain(currentAssetHash="2")
    assert (second, faults) == (first, ["gone"])
    assert second.file.read() == picture()
    assert PimAsset.objects.get().content_hash == "1"


def test_old_file_that_cannot_be_deleted_is_no_fault(obtain, files, monkeypatch):
    first, _faults = obtain()
    files.content = picture("blue")

    def refuse(name):
        raise OSError("read-only")

    monkeypatch.setattr(first.file.storage, "delete", refuse)
    _image, faults = obtain(currentAssetHash="2")
    assert faults == []


@pytest.mark.parametrize("content_hash", ["", None])
def test_file_without_a_hash_is_fetched_each_time_but_written_once(
    obtain, files, queries, content_hash
):
    first, _faults = obtain(currentAssetHash=content_hash)
    with queries() as captured:
        obtain(currentAssetHash=content_hash)
    assert len(files.asked) == 2
    assert captured.writes() == []
    files.content = picture("blue")
    image, _faults = obtain(currentAssetHash=content_hash)
    assert image.pk == first.pk
    assert image.file.read() == files.content


def test_same_file_under_a_new_hash_keeps_its_renditions(obtain):
    first, _faults = obtain()
    first.get_rendition("width-1")
    second, _faults = obtain(currentAssetHash="2")
    assert second.file.name == first.file.name
    assert second.renditions.exists()
    assert PimAsset.objects.get().content_hash == "2"


def test_hash_of_any_length_is_kept(obtain, files):
    obtain(currentAssetHash="x" * 5000)
    obtain(currentAssetHash="x" * 5000)
    assert len(files.asked) == 1


def test_archived_asset_is_shown_nowhere(obtain_all, files):
    assert obtain_all(asset(isArchived=True)) == ({GUID: None}, [])
    assert files.asked == []
    obtain_all(asset())
    assert obtain_all(asset(isArchived=True)) == ({GUID: None}, [])
    assert Image.objects.count() == PimAsset.objects.count() == 1


@pytest.mark.parametrize("missing", [{"urlLarge": None}, {"isExternal": True}])
def test_asset_without_an_address_has_no_file(obtain, files, missing):
    assert obtain(**missing) == (None, ["It has no file in the PIM."])
    assert files.asked == []


def test_external_asset_is_fetched_from_elsewhere(obtain, files):
    obtain(isExternal=True, externalFileUrl="https://cdn.example/diamond.png")
    assert files.asked == ["https://cdn.example/diamond.png"]


@pytest.mark.parametrize(
    ("properties", "kind"),
    [
        ({"assetType": "image"}, PICTURE),
        ({"assetType": "", "type": "IMAGE/PNG"}, PICTURE),
        ({"assetType": "Document", "type": "application/pdf"}, DOCUMENT),
        ({"assetType": None, "type": None}, DOCUMENT),
    ],
)
def test_what_is_no_image_is_a_document(obtain_all, files, properties, kind):
    files.content = None
    _rows, [fault] = obtain_all(asset(**properties))
    assert fault.kind == kind


# What the PIM says of it


DETAILS = {"altText": "A diamond frame", "tagList": "Frames, steel,frames , ,"}


def test_title_alternative_text_and_tags_are_the_pims(obtain):
    image, _faults = obtain(**DETAILS)
    assert (image.title, image.description) == ("Diamond", "A diamond frame")
    assert image.default_alt_text == "A diamond frame"
    assert set(image.tags.names()) == {"Frames", "steel", "frames"}


def test_changed_details_are_written_without_a_download(obtain, files):
    first, _faults = obtain(**DETAILS)
    rendition = first.get_rendition("width-1")
    image, _faults = obtain(name="Frame", altText="", tagList="alloy")
    assert (image.pk, image.title, image.description) == (first.pk, "Frame", "")
    assert set(image.tags.names()) == {"alloy"}
    assert image.file.name == first.file.name
    assert image.renditions.get() == rendition
    assert len(files.asked) == 1


def test_what_an_editor_wrote_stays_until_the_pim_says_something_new(obtain, files):
    image, _faults = obtain(**DETAILS)
    image.title = "Mine"
    image.focal_point_x = image.focal_point_y = 2
    image.focal_point_width = image.focal_point_height = 1
    image.save()
    files.content = picture("blue")
    image, _faults = obtain(**DETAILS, currentAssetHash="2")
    assert image.title == "Mine"
    image, _faults = obtain(name="Frame", currentAssetHash="2")
    assert image.title == "Frame"
    assert image.has_focal_point()


def test_focal_point_outside_of_a_smaller_file_does_no_harm(obtain, files):
    files.content = picture("red", (400, 300))
    image, _faults = obtain()
    image.focal_point_x = image.focal_point_y = 250
    image.focal_point_width = image.focal_point_height = 90
    image.save()
    files.content = picture("blue", (40, 30))
    image, _faults = obtain(currentAssetHash="2")
    rendition = image.get_rendition("fill-20x20-c100")
    assert (rendition.width, rendition.height) == (20, 20)


@pytest.mark.parametrize(
    ("properties", "title", "stem"),
    [
        ({"name": "x" * 900}, "x" * 255, "diamond"),
        ({"name": ""}, "diamond", "diamond"),
        ({"name": "A\x00B\nC\u202e"}, "A\ufffdB C\ufffd", "diamond"),
        ({"name": "Стол", "assetFileName": "стол.png"}, "Стол", str(GUID)),
        ({"assetFileName": ""}, "Diamond", "diamond"),
        ({"assetFileName": "", "name": ""}, str(GUID), str(GUID)),
        ({"assetFileName": "../../etc/passwd"}, "Diamond", "passwd"),
        ({"assetFileName": "..\\..\\evil.php.png"}, "Diamond", "evilphp"),
        ({"assetFileName": "a\x00b/\x00c.svg"}, "Diamond", "c"),
        ({"assetFileName": "\x00"}, "Diamond", str(GUID)),
        ({"assetFileName": ".."}, "Diamond", str(GUID)),
        ({"assetFileName": "y" * 5000 + ".png"}, "Diamond", "y" * 60),
        ({"assetFileName": "Ünïcode näme.PNG"}, "Diamond", "unicode-name"),
        ({"tagList": "t" * 5000, "altText": "a" * 5000}, "Diamond", "diamond"),
    ],
)
def test_names_from_the_pim_are_made_fit(obtain, properties, title, stem, stored):
    image, faults = obtain(**properties)
    assert faults == []
    assert image.title == title
    assert stored() == [image.file.name] == [f"original_images/{stem}.png"]


def test_new_and_changed_image_is_found_in_the_admins_search(obtain, admin_client):
    def found(text: str) -> bool:
        url = reverse("wagtailimages:index_results")
        return "original_images" in _images(admin_client.get(url, {"q": text}))

    def _images(response: Any) -> str:
        return " ".join(image.file.name for image in response.context["page_obj"])

    obtain(name="Velocipede", altText="Penny-farthing", tagList="antique")
    assert all(map(found, ["velocipede", "farthing", "antique"]))
    obtain(name="Tandem", tagList="modern")
    assert found("tandem")
    assert found("modern")
    assert not found("velocipede")
    assert not found("antique")


# What it costs


def test_what_has_not_changed_costs_one_query(obtain_all, files, queries):
    files.content = picture()
    assets = [asset(f"a{number}", **DETAILS) for number in range(20)]
    obtain_all(*assets)
    with queries() as captured:
        rows, _faults = obtain_all(*assets)
    assert len(captured.captured_queries) == 1
    assert len(files.asked) == 20
    with queries() as captured:
        assert len({row.image.title for row in rows.values()}) == 20
    assert not captured.captured_queries


def test_known_assets_come_with_their_images_and_documents(
    obtain, obtain_document, files, django_assert_num_queries
):
    document, _faults = obtain_document()
    files.content = picture()
    image, _faults = obtain()
    with django_assert_num_queries(1):
        known = known_assets({GUID, guid("manual"), guid("nowhere")})
        assert known[GUID].image == image
        assert known[guid("manual")].document == document
    assert len(known) == 2


def test_downloads_are_parallel_but_not_more_than_the_setting(
    obtain_all, files, settings
):
    settings.WAGTAIL_PIM = {**settings.WAGTAIL_PIM, "ASSET_DOWNLOADS": 3}
    together = threading.Barrier(3)
    lock = threading.Lock()
    most = present = 0

    def download(url: str, target: BinaryIO, max_bytes: int) -> None:
        nonlocal most, present
        with lock:
            present += 1
            most = max(most, present)
        together.wait(30)
        with lock:
            present -= 1
        files.download(url, target, max_bytes)

    assets = [asset(f"a{number}") for number in range(9)]
    rows, faults = obtain_all(*assets, download=download)
    assert (len(rows), faults) == (9, [])
    assert most == 3


def test_only_the_calling_thread_touches_the_database(obtain_all, files):
    threads = set()

    def note(**kwargs: Any) -> None:
        threads.add(threading.current_thread())

    pre_save.connect(note)
    try:
        obtain_all(asset(), manual(assetFileName="a.png", fileExtension="png"))
    finally:
        pre_save.disconnect(note)
    assert threads == {threading.current_thread()}


def test_reason_is_in_the_language_of_the_caller(obtain_all):
    def download(url: str, target: BinaryIO, max_bytes: int) -> None:
        raise RecordError(translation.get_language())

    with translation.override("de"):
        _rows, [fault] = obtain_all(asset(), download=download)
    assert fault.reason == "de"


# What interrupts it


def test_run_that_is_stopped_leaves_the_rest_and_its_downloads(
    obtain_all, files, settings, stored
):
    settings.WAGTAIL_PIM = {**settings.WAGTAIL_PIM, "ASSET_DOWNLOADS": 2}
    started, stopped, ended = (threading.Event() for _number in range(3))
    targets = []

    def download(url: str, target: BinaryIO, max_bytes: int) -> None:
        targets.append(target)
        if url.endswith("a0.png"):
            started.wait(30)
            files.download(url, target, max_bytes)
            return
        started.set()
        stopped.wait(30)
        try:
            target.write(b"more")
        except ValueError:
            ended.set()

    def checkpoint() -> None:
        raise RunStoppedError("Stopped.")

    assets = [asset(f"a{number}") for number in range(10)]
    with pytest.raises(RunStoppedError):
        obtain_all(*assets, download=download, checkpoint=checkpoint)
    assert all(target.closed for target in targets)
    stopped.set()
    assert ended.wait(30)
    assert len(targets) == 2
    assert stored() == []
    assert not PimAsset.objects.exists()


def test_run_that_is_lost_before_the_commit_stores_nothing(obtain_all, stored):
    def before_commit() -> None:
        raise RunStoppedError("Lost.")

    with pytest.raises(RunStoppedError):
        obtain_all(asset(), before_commit=before_commit)
    assert stored() == []
    assert not PimAsset.objects.exists()
    assert not Image.objects.exists()


def test_commit_that_fails_leaves_what_was_there(obtain_all, obtain, files, stored):
    first, _faults = obtain()
    rendition = first.get_rendition("width-1")
    files.content = picture("blue")

    def before_commit() -> None:
        raise DatabaseError("no space")

    rows, [fault] = obtain_all(
        asset(currentAssetHash="2", name="New"), before_commit=before_commit
    )
    assert "no space" in fault.reason
    assert rows[GUID].image.title == "Diamond"
    assert stored() == sorted([first.file.name, rendition.file.name])
    assert rows[GUID].image.file.read() == picture()
    image = Image.objects.get()
    assert (image.title, image.renditions.count()) == ("Diamond", 1)
    assert PimAsset.objects.get().content_hash == "1"


def test_asset_that_another_process_stored_meanwhile_is_taken(
    obtain_all, files, stored
):
    other = Image.objects.create(
        title="Other", file=SimpleUploadedFile("other.png", picture())
    )

    def checkpoint() -> None:
        PimAsset.objects.get_or_create(
            guid=GUID, defaults={"content_hash": "1", "image": other}
        )

    rows, faults = obtain_all(asset(), checkpoint=checkpoint)
    assert faults == []
    assert rows[GUID].image == other
    assert Image.objects.get() == other
    assert stored() == [other.file.name]


def test_same_guid_twice_is_one_asset(obtain_all, files):
    rows, faults = obtain_all(asset(), asset())
    assert (list(rows), faults) == ([GUID], [])
    assert len(files.asked) == 1


def test_image_model_that_asks_for_more_than_the_pim_has_is_told(
    obtain_all, stored, monkeypatch
):
    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise KeyError("photographer")

    monkeypatch.setattr(Image, "save", refuse)
    rows, [fault] = obtain_all(asset())
    assert rows == {}
    assert fault.reason == ("The site could not store it (KeyError: 'photographer').")
    assert stored() == []


# The kind


def test_image_that_becomes_a_document_is_a_new_object(
    obtain, obtain_all, files, stored
):
    image, _faults = obtain()
    files.content = PDF
    changed = asset(assetType="Document", fileExtension="pdf")
    rows, faults = obtain_all(changed)
    assert faults == []
    row = PimAsset.objects.get()
    assert (rows[GUID], row.image) == (row, None)
    assert row.document.file.read() == PDF
    # It may be in use, and is the site's from now on.
    assert Image.objects.get() == image
    assert stored() == sorted([image.file.name, row.document.file.name])
    files.asked.clear()
    obtain_all(changed)
    assert files.asked == []


def test_image_that_cannot_become_a_document_stays_one(obtain, obtain_all, files):
    image, _faults = obtain()
    files.content = b"<html>"
    rows, [fault] = obtain_all(asset(assetType="Document"))
    assert fault.kind == DOCUMENT
    assert rows[GUID].image == image


# The collection


def test_collection_is_made_once_and_shared(obtain, obtain_document, files, settings):
    settings.WAGTAIL_PIM = {**settings.WAGTAIL_PIM, "ASSET_COLLECTION": "Catalog"}
    document, _faults = obtain_document()
    files.content = picture()
    image, _faults = obtain()
    assert image.collection == document.collection
    assert Collection.objects.get(name="Catalog") == image.collection


def test_collection_that_was_moved_is_found(obtain):
    root = Collection.get_first_root_node()
    place = root.add_child(name="Marketing").add_child(name="PIM")
    image, _faults = obtain()
    assert image.collection == place


def test_image_stays_in_the_collection_that_an_editor_gave_it(obtain, files):
    image, _faults = obtain()
    image.collection = Collection.get_first_root_node()
    image.save()
    files.content = picture("blue")
    image, _faults = obtain(currentAssetHash="2", name="New")
    assert image.collection == Collection.get_first_root_node()
