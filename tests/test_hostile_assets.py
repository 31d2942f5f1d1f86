"""Assets that mean harm, or are not what they say, from a server of files to the site.

Each ends in one fault that tells why, and leaves nothing behind.
"""

from __future__ import annotations

import io
import itertools
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

from wagtail_pim.catalog.assets import obtain_assets
from wagtail_pim.client.downloads import Downloader
from wagtail_pim.client.transport import RetryPolicy
from wagtail_pim.kinds import DOCUMENT, PICTURE
from wagtail_pim.models import PimAsset

from .file_server import FileServer, answer
from .test_assets import PDF, asset, guid, nothing, picture

pytestmark = pytest.mark.django_db

KB = 1024
HTML = b"<!DOCTYPE html><script>alert(document.cookie)</script>"
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
    b"<script>alert(document.cookie)</script></svg>"
)
PE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff"


def zip_file() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    return file.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A picture of a few bytes that is said to be large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\x00" * 100_000, 9)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")]
    )


def animation(frames: int) -> bytes:
    file = io.BytesIO()
    first, *others = [
        Pillow.new("RGB", (50, 50), (4 * number, 0, 0)) for number in range(frames)
    ]
    first.save(file, "GIF", save_all=True, append_images=others)
    return file.getvalue()


@pytest.fixture(autouse=True)
def options(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.WAGTAIL_PIM = {
        **settings.WAGTAIL_PIM,
        "MAX_IMAGE_BYTES": 512 * KB,
        "MAX_DOCUMENT_BYTES": 512 * KB,
        "MAX_IMAGE_PIXELS": 100_000,
    }
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


@pytest.fixture
def server():
    with FileServer() as server:
        yield server


@pytest.fixture
def obtain(server, tmp_path, django_capture_on_commit_callbacks):
    """Rows by Guid and faults; of what failed, nothing may be left."""

    def obtain(*assets: Any) -> Any:
        policy = RetryPolicy(read_timeout=5, max_attempts=2, max_wait=0.01)
        downloader = Downloader(f"{server.url}/odata/", ["cdn.example"], policy)
        with django_capture_on_commit_callbacks(execute=True):
            rows, faults = obtain_assets(assets, downloader.fetch, nothing, nothing)
        stored = [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
        made = PimAsset.objects.count()
        assert len(stored) == made == len(rows)
        models = (get_image_model(), get_document_model())
        assert sum(model.objects.count() for model in models) == made
        assert list((tmp_path / "temporary").iterdir()) == []
        return rows, faults

    return obtain


@pytest.fixture
def reason(obtain, server):
    """Why an asset with this file was refused."""

    def reason(content: bytes | None, **properties: Any) -> str:
        if content is not None:
            server.serve("/file", answer(content))
        rows, [fault] = obtain(asset(**{"urlLarge": "/file", **properties}))
        assert rows == {}
        return fault.reason

    return reason


@pytest.fixture
def name_of(obtain, server):
    """What the file of an asset that was taken is called."""

    def name_of(content: bytes, **properties: Any) -> str:
        server.serve("/file", answer(content))
        rows, faults = obtain(asset(**{"urlLarge": "/file", **properties}))
        assert faults == []
        [row] = rows.values()
        return (row.image or row.document).filename

    return name_of


# Pictures

NO_PICTURE = "Its file is not a picture that this site takes (JPEG, PNG, GIF"


@pytest.mark.parametrize(
    "content", [HTML, SVG, PDF, PE, zip_file(), b"\x00" * 99, b"GIF89a", b"\xff\xd8"]
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(reason, content):
    said = reason(content, assetFileName="a.jpg", type="image/jpeg")
    assert said.startswith((NO_PICTURE, "Its picture is damaged"))


@pytest.mark.parametrize("extension", ["TIFF", "BMP", "ICO", "PPM", "TGA"])
def test_pictures_of_other_formats_are_refused(reason, extension):
    assert reason(picture(format=extension)).startswith(NO_PICTURE)


@pytest.mark.parametrize("asset_type", ["Image", "Document"])
def test_empty_file_is_refused(reason, asset_type):
    assert "is empty" in reason(b"", assetType=asset_type, fileExtension="pdf")


@pytest.mark.parametrize("size", [(317, 316), (30_000, 30_000), (2**31 - 1, 2**31 - 1)])
def test_picture_with_too_many_pixels_is_refused_before_it_is_unpacked(reason, size):
    said = reason(png_that_claims(*size))
    assert said.startswith("Its picture has more than 100000 pixels")


def test_frames_of_an_animation_are_pixels_too(reason, name_of):
    assert "pixels" in reason(animation(60))
    assert name_of(animation(30)) == "diamond.gif"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
def test_picture_that_breaks_off_is_refused(reason, format):
    whole = picture(size=(300, 300), format=format)
    noise = Pillow.effect_noise((300, 300), 90)
    file = io.BytesIO()
    noise.save(file, format)
    assert file.tell() > len(whole)
    said = reason(file.getvalue()[: file.tell() // 2])
    assert said.startswith(("Its picture is damaged or not whole", NO_PICTURE))


@pytest.mark.parametrize(
    ("mode", "format", "extension"),
    [
        ("RGB", "JPEG", "jpg"),
        ("CMYK", "JPEG", "jpg"),
        ("L", "JPEG", "jpg"),
        ("1", "PNG", "png"),
        ("P", "PNG", "png"),
        ("LA", "PNG", "png"),
        ("I;16", "PNG", "png"),
        ("RGBA", "PNG", "png"),
        ("P", "GIF", "gif"),
        ("RGBA", "WEBP", "webp"),
    ],
)
def test_pictures_of_all_modes_are_taken(name_of, mode, format, extension):
    file = io.BytesIO()
    Pillow.new(mode, (40, 30)).save(file, format)
    assert name_of(file.getvalue(), assetFileName="a.php") == f"a.{extension}"


def test_picture_with_exif_and_turned_is_taken(name_of):
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "x" * 9999
    content = picture(size=(40, 30), format="JPEG", exif=exif)
    assert name_of(content) == "diamond.jpg"


def test_several_pictures_in_one_jpeg_are_taken_as_the_first(name_of):
    file = io.BytesIO()
    first, second = (Pillow.new("RGB", (300, 300), c) for c in ("red", "blue"))
    first.save(file, "MPO", save_all=True, append_images=[second])
    assert name_of(file.getvalue()) == "diamond.jpg"


def test_only_formats_that_the_site_takes_are_taken(reason, name_of, settings):
    settings.WAGTAILIMAGES_EXTENSIONS = ["jpeg", "webp"]
    said = reason(picture(format="PNG"))
    assert "(JPEG, WEBP)" in said
    assert name_of(picture(format="JPEG")) == "diamond.jpg"


# Documents


@pytest.mark.parametrize(
    ("content", "extension"),
    [
        (PDF, "pdf"),
        (PDF, ".PDF"),
        (zip_file(), "docx"),
        (zip_file(), "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "xls"),
        (b"number;name\nMZ1;<none>", "csv"),
        (b"MZ;as text", "csv"),
        (b"< 5 mm", "txt"),
        ("Größe".encode("utf-16"), "txt"),
        (picture(format="JPEG"), "jpg"),
        (picture(format="WEBP"), "webp"),
        (b"\x00\x00\x00\x20ftypisom", "mp4"),
    ],
)
def test_documents_are_taken(name_of, content, extension):
    properties = {"assetType": "Document", "assetFileName": "The manual"}
    expected = f"the-manual.{extension.lower().strip('.')}"
    assert name_of(content, **properties, fileExtension=extension) == expected


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"fileExtension": "pdf", "assetFileName": "manual.v2"}, "manual.pdf"),
        ({"assetFileName": "manual.pdf"}, "manual.pdf"),
        ({"assetFileName": "", "urlLarge": "/file.pdf?x=.exe"}, "diamond.pdf"),
    ],
)
def test_extension_is_found_where_the_pim_has_it(name_of, server, properties, name):
    server.serve("/file.pdf?x=.exe", answer(PDF))
    assert name_of(PDF, assetType="Document", **properties) == name


PROGRAM = "Its file is a program, or a page that a browser would run."


@pytest.mark.parametrize("extension", ["pdf", "txt", "csv", "jpg", "zip", "foo"])
@pytest.mark.parametrize(
    "content",
    [
        HTML,
        SVG,
        b"\xef\xbb\xbf \r\n" + HTML,
        b"<?xml version='1.0'?><x/>",
        b"<!-- x --><html>",
        HTML.decode().encode("utf-16"),
        HTML.decode().encode("utf-32"),
        PE,
        b"\x7fELF\x02\x01",
        b"\xcf\xfa\xed\xfe\x07",
        b"#!/bin/sh\nrm -rf /",
    ],
    ids=lambda content: repr(content[:12]),
)
def test_pages_and_programs_are_refused_whatever_they_are_called(
    reason, settings, content, extension
):
    settings.WAGTAILDOCS_EXTENSIONS = ["pdf", "txt", "csv", "jpg", "zip", "foo"]
    assert reason(content, assetType="Document", fileExtension=extension).startswith(
        PROGRAM
    )


@pytest.mark.parametrize("extension", ["html", "SVG", "js", "xml", "bat"])
def test_nor_is_anything_stored_under_their_names(reason, settings, extension):
    settings.WAGTAILDOCS_EXTENSIONS = [extension]
    said = reason(b"alert(1)", assetType="Document", fileExtension=extension)
    assert said.startswith(PROGRAM)


@pytest.mark.parametrize("extension", ["exe", "foo", "", "x" * 500, "a\x00b", "../x"])
def test_unknown_extension_is_refused(reason, extension):
    said = reason(
        b"content", assetType="Document", fileExtension=extension, assetFileName="a"
    )
    assert "are not put on this site. Add it to WAGTAILDOCS_EXTENSIONS" in said


def test_sites_own_list_of_extensions_counts(reason, name_of, settings):
    settings.WAGTAILDOCS_EXTENSIONS = ["STEP"]
    properties = {"assetType": "Document", "fileExtension": "pdf"}
    assert "“pdf” are not put on this site" in reason(PDF, **properties)
    properties["fileExtension"] = "step"
    assert name_of(b"ISO-10303-21;", **properties) == "diamond.step"


@pytest.mark.parametrize(
    "extension", ["pdf", "docx", "xls", "jpg", "png", "gif", "zip"]
)
def test_content_has_to_fit_the_extension(reason, extension):
    said = reason(b"some text", assetType="Document", fileExtension=extension)
    assert said.startswith("Its file is not what its extension says")


# The way here


def test_declared_size_is_too_large(reason, server):
    server.serve("/file", answer(b"x", length=2 * 1024**3))
    assert reason(None).startswith("Its file is larger than 512.0\xa0KB.")


def test_endless_file(reason, server):
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    pieces = lambda: itertools.chain([head], itertools.repeat(b"x" * KB))  # noqa: E731
    server.serve_from("/file", pieces)
    assert reason(None).startswith("Its file is larger than")


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("http://127.0.0.1:9/latest/meta-data", "127.0.0.1"),
        ("https://elsewhere.example/a.png", "elsewhere.example"),
    ],
)
def test_redirect_elsewhere(reason, server, location, host):
    server.serve("/file", answer(b"", f"Location: {location}", status="302 Found"))
    assert f"Its file is on “{host}”, which is not among" in reason(None)


def test_redirect_in_a_loop(reason, server):
    server.serve("/file", answer(b"", "Location: /file", status="302 Found"))
    assert "redirects more than 5 times" in reason(None)


@pytest.mark.parametrize(
    ("status", "attempts"), [("404 Not Found", 1), ("500 Oops", 2)]
)
def test_file_that_is_not_there(reason, server, status, attempts):
    server.serve("/file", answer(b"", status=status))
    assert f"answers {status.split()[0]}" in reason(None)
    assert len(server.requests) == attempts


def test_connection_that_breaks_off_midway(reason, server):
    content = picture()
    server.serve("/file", answer(content[:20], length=len(content)))
    assert "does not answer as it should" in reason(None)
    assert len(server.requests) == 2


def test_second_attempt_is_whole(obtain, server):
    content = picture()
    answers = iter(
        [answer(content[:-1], length=len(content)), answer(content)],
    )
    server.serve_from("/file", lambda: [next(answers)])
    rows, faults = obtain(asset(urlLarge="/file"))
    assert faults == []
    assert rows[guid("diamond")].image.file.read() == content


def test_external_file_on_a_host_that_is_not_listed(reason):
    said = reason(
        None, isExternal=True, externalFileUrl="https://elsewhere.example/a.png"
    )
    assert "“elsewhere.example”, which is not among" in said


def test_of_a_hundred_assets_the_one_that_fails_is_told(obtain, server):
    server.serve("/file", answer(picture()))
    server.serve("/broken", answer(HTML))
    server.serve("/manual", answer(PDF))
    assets = [asset(f"a{number}", urlLarge="/file") for number in range(98)]
    assets.insert(40, asset("bad", urlLarge="/broken"))
    assets.append(
        asset("manual", urlLarge="/manual", assetType="Document", fileExtension="pdf")
    )
    rows, [fault] = obtain(*assets)
    assert len(rows) == 99
    assert (fault.asset.id, fault.kind) == (guid("bad"), PICTURE)


def test_faults_come_in_the_order_of_the_assets(obtain, server):
    server.serve("/file", answer(HTML))
    kinds = itertools.cycle([("Image", PICTURE), ("Document", DOCUMENT)])
    assets, expected = [], []
    for number, (asset_type, kind) in zip(range(20), kinds, strict=False):
        name = f"a{number}"
        assets.append(asset(name, urlLarge="/file", assetType=asset_type))
        expected.append((guid(name), kind))
    rows, faults = obtain(*assets)
    assert rows == {}
    assert [(fault.asset.id, fault.kind) for fault in faults] == expected
