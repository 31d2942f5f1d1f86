"""The shop's documents: pages of text as PDF files, made by code.

The parts of such a file are described in ISO 32000-1, 7.5; it needs no more than these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

A4: Final = (595, 842)
MARGIN: Final = 64
TITLE_SIZE: Final = 22
TEXT_SIZE: Final = 11
LEADING: Final = 18


def pdf(title: str, lines: Sequence[str] = ()) -> bytes:
    """A page with a title and these lines, always the same bytes.

    What Windows-1252 does not have is printed as a question mark.
    """
    width, height = A4
    page = (
        f"BT /F2 {TITLE_SIZE} Tf {MARGIN} {height - MARGIN - TITLE_SIZE} Td"
        f" ({_escaped(title)}) Tj /F1 {TEXT_SIZE} Tf {LEADING} TL 0 -{LEADING} Td\n"
        + "".join(f"T* ({_escaped(line)}) Tj\n" for line in lines)
        + "ET"
    ).encode("cp1252", "replace")
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}]"
        " /Resources << /Font << /F1 4 0 R /F2 5 0 R >> >> /Contents 6 0 R >>".encode(),
        font.format("Helvetica").encode(),
        font.format("Helvetica-Bold").encode(),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        f"<< /Title ({_escaped(title)}) >>".encode("cp1252", "replace"),
    ]
    file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += (
        b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, len(objects), table)
    )
    return bytes(file)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


@dataclass(frozen=True, slots=True)
class Document:
    """One for the products of these templates."""

    name: str
    title: str
    templates: tuple[str, ...]
    lines: tuple[str, ...]

    def content(self) -> bytes:
        return pdf(self.title, self.lines)


DOCUMENTS: Final = (
    Document(
        "bicycle-manual",
        "Your Spokewell bicycle",
        ("Bicycle", "Cargo bicycle"),
        (
            "Before each ride",
            "  Brakes bite, tyres are hard, nothing rattles.",
            "",
            "Each month",
            "  Wipe the chain, oil it, wipe it again.",
            "  Pump the tyres to what is printed on their side.",
            "",
            "Each year",
            "  Bring it to a workshop: the first time is free.",
        ),
    ),
    Document(
        "cargo-loading",
        "How to load a cargo bicycle",
        ("Cargo bicycle",),
        (
            "Heavy things first, low, and towards the middle.",
            "Children wear belts and helmets, also on the way to the corner.",
            "100 kg at most, besides the rider.",
        ),
    ),
    Document(
        "helmet-sizes",
        "Which helmet fits?",
        ("Helmet",),
        (
            "Lay a tape around your head, a finger above the eyebrows.",
            "",
            "48 to 53 cm    children",
            "52 to 56 cm    adults, small",
            "57 to 61 cm    adults, large",
            "",
            "After a fall, replace it, even if it looks well.",
        ),
    ),
    Document(
        "clothing-sizes",
        "Sizes of our clothing",
        ("Apparel",),
        (
            "Size    Chest (cm)    Waist (cm)",
            "S       86 to 94      74 to 82",
            "M       94 to 102     82 to 90",
            "L       102 to 110    90 to 98",
            "XL      110 to 118    98 to 106",
        ),
    ),
)
