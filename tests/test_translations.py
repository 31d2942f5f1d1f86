"""The German and French translations: whole, in step with the source, compiled.

They are held against what gettext's own tools make of the source, so these tools are
needed here as they are for translating.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from gettext import GNUTranslations
from pathlib import Path

import pytest
from django.utils.translation import gettext, ngettext, override

import wagtail_pim
from wagtail_pim.client.entities import Product
from wagtail_pim.converters import quoted
from wagtail_pim.exceptions import PayloadError

PACKAGE = Path(wagtail_pim.__file__).parent
LANGUAGES = ["de", "fr"]
TOOLS = ["xgettext", "msguniq", "msgmerge", "msgattrib", "msgfmt"]
# A module of the package is called html: -P keeps it from hiding Python's own.
MAKEMESSAGES = [
    *(sys.executable, "-P", "-m", "django", "makemessages"),
    *("--no-obsolete", "--no-wrap", "--add-location", "file"),
]
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%")
GETTEXT_NAMES = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}


@pytest.fixture(scope="module", autouse=True)
def gettext_tools():
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.fail(
            f"{', '.join(missing)} not found: install GNU gettext "
            "(Debian: apt-get install gettext)."
        )


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """A copy of the package whose .po files are merged with its source again."""
    copy = tmp_path_factory.mktemp("source") / "wagtail_pim"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    locales = [f"--locale={language}" for language in LANGUAGES]
    # Without settings, or makemessages would read those of these tests.
    env = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([*MAKEMESSAGES, *locales], cwd=copy, env=env, check=True)
    return copy


def po_file(package, language):
    return package / "locale" / language / "LC_MESSAGES" / "django.po"


def unfinished(po, kind):
    """The messages of a .po file that are ``untranslated`` or ``only-fuzzy``."""
    command = ["msgattrib", f"--{kind}", "--no-wrap", po]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [m for m in re.findall(r'^msgid "(.*)"$', listed, re.MULTILINE) if m]


def catalog(mo):
    """The messages of a .mo file and its headers, by msgid (and number)."""
    with mo.open("rb") as file:
        return dict(GNUTranslations(file)._catalog)


def compiled(po, folder):
    """The messages of a .po file that pass all checks of msgfmt."""
    mo = folder / "compiled.mo"
    subprocess.run(["msgfmt", "--check", f"--output-file={mo}", po], check=True)
    return catalog(mo)


def without_headers(messages):
    return {msgid: text for msgid, text in messages.items() if msgid != ""}


def shipped(language):
    return catalog(po_file(PACKAGE, language).with_suffix(".mo"))


def test_all_languages_are_known():
    assert sorted(path.name for path in (PACKAGE / "locale").iterdir()) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["untranslated", "only-fuzzy"])
def test_every_message_is_translated(language, kind):
    assert unfinished(po_file(PACKAGE, language), kind) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_file_is_that_of_the_translations(language, tmp_path):
    assert shipped(language) == compiled(po_file(PACKAGE, language), tmp_path)


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_are_those_of_the_source(extracted, language, tmp_path):
    """What is new in the source is unfinished here; what has left it is gone."""
    po = po_file(extracted, language)
    assert unfinished(po, "untranslated") + unfinished(po, "only-fuzzy") == []
    merged = without_headers(compiled(po, tmp_path))
    assert without_headers(shipped(language)).keys() == merged.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_and_outer_spaces_are_kept(language):
    for key, text in without_headers(shipped(language)).items():
        msgid, plural = key if isinstance(key, tuple) else (key, 0)
        found, wanted = map(set, map(PLACEHOLDER.findall, (text, msgid)))
        # A plural may need one more, as for its number; msgfmt compares these.
        assert found >= wanted if plural else found == wanted, msgid
        assert text.endswith(" ") == msgid.endswith(" "), msgid
        assert text.startswith(" ") == msgid.startswith(" "), msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_quotation_marks_are_those_of_the_language(language):
    foreign = {"de": "”«»", "fr": "“”„"}[language]
    for text in without_headers(shipped(language)).values():
        assert not set(text) & set(foreign), text
        assert not re.search(r"« | »| [:;!?](\s|$)", text), f"breaks in a line: {text}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_headers_name_the_project_and_nobody(language):
    headers = shipped(language)[""]
    assert "Project-Id-Version: wagtail-pim\n" in headers
    assert f"Language: {language}\n" in headers
    assert "@" not in po_file(PACKAGE, language).read_text()


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_no_message_stands_where_xgettext_does_not_look(path):
    """It reads neither f-strings nor anything but literals."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            assert not list(gettext_calls(node)), f"line {node.lineno}"
    for call in gettext_calls(ast.parse(path.read_text())):
        count = 2 if getattr(call.func, "id", "").startswith("n") else 1
        for argument in call.args[:count]:
            assert isinstance(argument, ast.Constant), f"line {call.lineno}"


def gettext_calls(tree):
    return (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in GETTEXT_NAMES
    )


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "“Shirt”"), ("de", "„Shirt“"), ("fr", "«\xa0Shirt\xa0»")],
)
def test_values_are_quoted_as_the_language_does(language, expected):
    with override(language):
        assert quoted("Shirt") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "The PIM sent a product that can't be read (no id)"),
        ("de", "nicht gelesen werden kann (Produkt, keine ID)"),
        ("fr", "enregistrement illisible (produit, sans identifiant)"),
    ],
)
def test_error_of_the_client_speaks_the_language(language, expected):
    with override(language), pytest.raises(PayloadError, match=re.escape(expected)):
        Product.parse(None)


@pytest.mark.parametrize(
    ("language", "count", "expected"),
    [
        ("de", 0, "0 Seiten liegen"),
        ("de", 1, "1 Seite liegt"),
        ("fr", 0, "0 page se trouve"),
        ("fr", 2, "2 pages se trouvent"),
    ],
)
def test_plurals(language, count, expected):
    with override(language):
        text = ngettext(
            "It left the PIM, but %(count)d page is still below it.",
            "It left the PIM, but %(count)d pages are still below it.",
            count,
        )
    assert expected in text % {"count": count}


@pytest.mark.parametrize(
    ("language", "expected"),
    [("de", "Verbindung testen"), ("fr", "Tester la connexion")],
)
def test_django_finds_the_translations(language, expected):
    with override(language):
        assert gettext("Test connection") == expected
