from __future__ import annotations

from typing import NamedTuple

from django.utils.text import slugify

LANGUAGES = (
    ("en-US", "English (United States)"),
    ("de-DE", "Deutsch"),
    ("fr-FR", "Français"),
)


class Text(NamedTuple):
    """A text in English, and in German and French where it is translated."""

    en: str
    de: str | None = None
    fr: str | None = None

    def translations(self) -> dict[str, str]:
        """The translations by language code; English is not among them."""
        given = {"de-DE": self.de, "fr-FR": self.fr}
        return {code: text for code, text in given.items() if text is not None}

    def segments(self) -> Text:
        """How addresses name it in each language."""
        return Text._make(text and segment(text) for text in self)


# German spells these out; taking the dots away would make other words of them.
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def segment(text: str) -> str:
    return slugify(text.lower().translate(_SPELT_OUT))
