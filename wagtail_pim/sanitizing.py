"""The PIM's HTML is untrusted: what of it may reach a page."""

from __future__ import annotations

import html
import re
from typing import Final

import nh3
from django.utils.html import linebreaks

ALLOWED_TAGS: Final = frozenset(
    """
    a abbr b blockquote br caption code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i li
    ol p pre s small strong sub sup table tbody td tfoot th thead tr u ul
    """.split()  # noqa: SIM905
)
ALLOWED_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
ALLOWED_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_TAG_BETWEEN_WORDS = re.compile(
    r"(?=</?(?:blockquote|br|caption|d[dlt]|div|h[1-6r]|li|[ou]l|p|pre|t[dhr])\b)",
    re.IGNORECASE,
)


def clean_html(text: str) -> str:
    """HTML without scripts, styles, frames, pictures and unknown attributes.

    Text without a single tag is plain text whose line breaks count.
    """
    if not _TAG.search(text):
        return plain_to_html(html.unescape(text))
    return nh3.clean(
        text,
        tags=set(ALLOWED_TAGS),
        attributes={tag: set(names) for tag, names in ALLOWED_ATTRIBUTES.items()},
        url_schemes=set(ALLOWED_SCHEMES),
    ).strip()


def plain_to_html(text: str) -> str:
    return linebreaks(text, autoescape=True) if text.strip() else ""


def html_to_plain(text: str) -> str:
    """The words of ``text``; tags go, entities become characters."""
    spaced = _TAG_BETWEEN_WORDS.sub(" ", text)
    return " ".join(html.unescape(nh3.clean(spaced, tags=set())).split())
