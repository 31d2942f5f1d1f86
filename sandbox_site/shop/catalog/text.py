from __future__ import annotations

from typing import NamedTuple

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
