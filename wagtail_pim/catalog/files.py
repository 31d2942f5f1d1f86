"""What a file of the PIM is, by its content, and what it is called on the site.

Visitors get these files from the site's own domain, and nobody has looked at them:
neither a name nor a type that comes with one is believed.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from django.utils.text import slugify
from django.utils.translation import gettext as _
from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from wagtail.images.utils import get_allowed_image_extensions

from wagtail_pim.client.entities import Asset, one_line
from wagtail_pim.conf import document_extensions, get_config
from wagtail_pim.exceptions import RecordError

# By Pillow's names of the formats. MPO is a JPEG with more pictures behind the first.
PICTURES: Final = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "GIF": "gif",
    "WEBP": "webp",
    "AVIF": "avif",
}
JPEGS: Final = ("JPEG", "MPO")

# What browsers and desktops run, as far as the content alone does not tell.
PAGES: Final = {"htm", "html", "mht", "mhtml", "php", "shtml", "xht", "xhtml"}
MARKUP: Final = {"svg", "svgz", "xml", "xsl", "xslt"}
SCRIPTS: Final = {"bat", "cmd", "hta", "js", "mjs", "ps1", "sh", "vbs"}
ACTIVE_EXTENSIONS: Final = frozenset(PAGES | MARKUP | SCRIPTS)
EXECUTABLES: Final = (
    b"#!",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xfe\xed\xfa",
)


class Signature:
    """What files of a kind have at ``offset``: one of ``beginnings``."""

    def __init__(self, *beginnings: bytes, offset: int = 0) -> None:
        self.beginnings = beginnings
        self.offset = offset

    def fits(self, head: bytes) -> bool:
        return head[self.offset :].startswith(self.beginnings)


ANYTHING: Final = Signature(b"")
OLE: Final = Signature(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
ZIP: Final = Signature(b"PK\x03\x04")
JPEG: Final = Signature(b"\xff\xd8\xff")
TIFF: Final = Signature(b"II*\x00", b"MM\x00*")
STEP: Final = Signature(b"ISO-10303-21")

# By extension; all of these are taken where WAGTAILDOCS_EXTENSIONS say nothing.
DOCUMENTS: Final = {
    "csv": ANYTHING,
    "doc": OLE,
    "docx": ZIP,
    "dwg": Signature(b"AC"),
    "dxf": ANYTHING,
    "gif": Signature(b"GIF87a", b"GIF89a"),
    "iges": ANYTHING,
    "igs": ANYTHING,
    "jpeg": JPEG,
    "jpg": JPEG,
    "key": ZIP,
    "mp4": Signature(b"ftyp", offset=4),
    "numbers": ZIP,
    "odp": ZIP,
    "ods": ZIP,
    "odt": ZIP,
    "pages": ZIP,
    "pdf": Signature(b"%PDF-"),
    "png": Signature(b"\x89PNG\r\n\x1a\n"),
    "ppt": OLE,
    "pptx": ZIP,
    "rtf": Signature(b"{\\rtf"),
    "step": STEP,
    "stl": ANYTHING,
    "stp": STEP,
    "tif": TIFF,
    "tiff": TIFF,
    "txt": ANYTHING,
    "webp": Signature(b"WEBP", offset=8),
    "xls": OLE,
    "xlsx": ZIP,
    "zip": ZIP,
}
HEAD_BYTES: Final = 1024
STEM_LENGTH: Final = 60
EXTENSION_LENGTH: Final = 10


def title_of(asset: Asset) -> str:
    return one_line(asset.name) or _stem(asset)


def checked_name(asset: Asset, file: BinaryIO) -> str:
    """What the file is called; raises RecordError for one that the site does not take.

    The extension of a picture is that of its content.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        raise RecordError(_("Its file is empty. Put it into the PIM again."))
    if asset.is_image():
        extension = _picture_extension(file, get_config().max_image_pixels)
    else:
        extension = _document_extension(asset, head)
    return f"{_stem(asset)}.{extension}"


def _stem(asset: Asset) -> str:
    name = PurePosixPath(asset.asset_file_name or asset.name)
    return slugify(name.stem)[:STEM_LENGTH].strip("-_") or str(asset.id)


def _picture_extension(file: BinaryIO, max_pixels: int) -> str:
    Pillow.init()
    allowed = {extension.lower() for extension in get_allowed_image_extensions()}
    allowed |= {"jpg"} if "jpeg" in allowed else set()
    formats = [f for f, e in PICTURES.items() if e in allowed and f in Pillow.OPEN]
    try:
        file.seek(0)
        with Pillow.open(file, formats=formats) as picture:
            format_ = picture.format or ""
            pixels = picture.width * picture.height
            # Those that follow in a JPEG are other sizes of the first.
            if format_ not in JPEGS:
                pixels *= getattr(picture, "n_frames", 1)
            if pixels <= max_pixels:
                _read_whole(picture)
    except UnidentifiedImageError as error:
        raise RecordError(
            _("Its file is not a picture that this site takes (%(formats)s).")
            % {"formats": ", ".join(formats)}
        ) from error
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise _too_large(max_pixels) from error
    except Exception as error:
        # Broken files make the decoders raise anything.
        raise RecordError(
            _("Its picture is damaged or not whole. Put it into the PIM again.")
        ) from error
    if pixels > max_pixels:
        raise _too_large(max_pixels)
    return PICTURES[format_]


def _too_large(max_pixels: int) -> RecordError:
    return RecordError(
        _(
            "Its picture has more than %(limit)d pixels, which is too large. Make it "
            "smaller in the PIM, or raise WAGTAIL_PIM['MAX_IMAGE_PIXELS']."
        )
        % {"limit": max_pixels}
    )


def _read_whole(picture: Pillow.Image) -> None:
    """Raises for a picture that breaks off; takes as little memory as it can."""
    if picture.format == "PNG":
        picture.verify()
        return
    if picture.format in JPEGS:
        # An eighth of its size in each direction.
        picture.draft(None, (1, 1))
    picture.load()


def _document_extension(asset: Asset, head: bytes) -> str:
    extension = _given_extension(asset)
    allowed = document_extensions() or DOCUMENTS
    if extension in ACTIVE_EXTENSIONS or _is_active(head):
        raise RecordError(
            _(
                "Its file is a program, or a page that a browser would run. Such files "
                "are not put on a site. Replace it in the PIM, with a PDF for example."
            )
        )
    if extension not in {each.lower() for each in allowed}:
        raise RecordError(
            _(
                "Files with the extension “%(extension)s” are not put on this site. "
                "Add it to WAGTAILDOCS_EXTENSIONS if you trust them."
            )
            % {"extension": extension}
        )
    if not DOCUMENTS.get(extension, ANYTHING).fits(head):
        raise RecordError(
            _(
                "Its file is not what its extension says (%(extension)s). Replace it "
                "in the PIM."
            )
            % {"extension": extension}
        )
    return extension


def _given_extension(asset: Asset) -> str:
    names = (asset.asset_file_name, urlsplit(asset.address()).path)
    given = (asset.file_extension, *(PurePosixPath(name).suffix for name in names))
    extension = next(filter(None, (each.strip(". ") for each in given)), "")
    return one_line(extension)[:EXTENSION_LENGTH].lower()


def _is_active(head: bytes) -> bool:
    """Whether it is a program, or text with markup, in whichever encoding."""
    if head.startswith(EXECUTABLES) or (head.startswith(b"MZ") and b"\0" in head):
        return True
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\f\v")
    return text.startswith(b"<") and (text[1:2].isalpha() or text[1:2] in b"!?/")
