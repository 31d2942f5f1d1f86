"""Each kind of value as an editor reads it, and what hostile values come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.utils import translation
from wagtail.documents import get_document_model

from tests.locking.conftest import SPECIFICATIONS, make_image
from tests.trial.models import (
    Maker,
    MakerPlace,
    Material,
    TrialProductPage,
)
from wagtail_pim.locking import values
from wagtail_pim.locking.values import ValueDisplay

SCRIPT = "<script>alert(1)</script>"
HOSTILE = f'"><img src=x onerror=alert(1)>{SCRIPT}'


def show(name: str, value: Any) -> str:
    """What is shown of a page's field that holds the value."""
    return ValueDisplay().field(TrialProductPage(**{name: value}), name)


def shown(name: str, value: Any) -> BeautifulSoup:
    return BeautifulSoup(show(name, value), "html.parser")


def texts(element: BeautifulSoup, selector: str) -> list[str]:
    return [found.get_text(" ", strip=True) for found in element.select(selector)]


def rows(element: BeautifulSoup) -> list[list[str]]:
    return [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
        for row in element.select("tr")
    ]


def assert_harmless(html: str) -> None:
    """Nothing in it that a browser would run."""
    parsed = BeautifulSoup(html, "html.parser")
    assert not parsed.select("script, iframe, object, style, form, input, button")
    for element in parsed.find_all(True):
        assert not [name for name in element.attrs if name.startswith("on")]
        for name in ("href", "src"):
            assert (
                not element.get(name, "").lower().startswith(("javascript:", "data:"))
            )


# Values without parts


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("text", "Short & sweet", "Short &amp; sweet"),
        ("text", "Größe 42 – 🚲 自転車", "Größe 42 – 🚲 自転車"),
        ("long_text", "One\nTwo", "One<br>Two"),
        ("choice", "s", "Small"),
        ("choice", "gone", "gone"),
        ("flag", True, "Yes"),
        ("flag", False, "No"),
        ("maybe", False, "No"),
        ("count", 0, "0"),
        ("count", 1234, "1234"),
        ("price", Decimal("1299.50"), "1299.50"),
        ("ratio", 0.25, "0.25"),
        ("day", date(2026, 3, 1), "March 1, 2026"),
        (
            "moment",
            datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
            "March 1, 2026, 10:30 a.m.",
        ),
        ("clock", time(17, 45), "5:45 p.m."),
    ],
)
def test_a_simple_value_is_shown_as_people_write_it(name, value, expected):
    assert show(name, value) == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("flag", True, "Ja"),
        ("price", Decimal("1299.50"), "1299,50"),
        ("ratio", 0.25, "0,25"),
        ("day", date(2026, 3, 1), "1. März 2026"),
        ("moment", datetime(2026, 3, 1, 9, 30, tzinfo=UTC), "1. März 2026 10:30"),
        ("clock", time(17, 45), "17:45"),
    ],
)
def test_values_speak_the_editors_language(name, value, expected):
    with translation.override("de"):
        assert show(name, value) == expected


@pytest.mark.parametrize(
    "name",
    ["text", "rich_text", "choice", "count", "day", "address", "data", "picture"],
)
def test_no_value_is_a_dash_that_is_read_out_as_empty(name):
    page = TrialProductPage()
    empty = "" if page._meta.get_field(name).empty_strings_allowed else None
    setattr(page, name, None if name == "picture" else empty)
    parsed = BeautifulSoup(ValueDisplay().field(page, name), "html.parser")
    assert parsed.select_one("[aria-hidden=true]").get_text() == "–"
    assert parsed.select_one(".w-sr-only").get_text() == "Empty"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data", []),
        ("data", {}),
        ("data", None),
        ("maybe", None),
        ("stream", []),
        ("stream", [("paragraph", "")]),
        ("rich_text", "<script>alert(1)</script><p></p>"),
    ],
)
def test_what_holds_nothing_is_empty_too(name, value):
    parsed = shown(name, value)
    assert "Empty" in parsed.get_text() or not parsed.get_text(strip=True)
    assert not parsed.select("script, table, li")


@pytest.mark.parametrize("year", [datetime.min, datetime.max])
def test_the_first_and_last_moments_of_all_time_are_shown(year):
    assert str(year.year) in show("moment", year.replace(tzinfo=UTC))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, 10**40])
def test_strange_numbers_are_shown(value):
    assert show("data", [{"name": "n", "value": value}])


def test_an_attribute_that_is_no_field_is_shown():
    assert ValueDisplay().field(TrialProductPage(), "verbose_name") == show("text", "")


# Formatted text


def test_rich_text_keeps_its_form_and_loses_what_runs():
    parsed = shown(
        "rich_text",
        f"<h2>Ride</h2><p onclick='x()'>It <b>rides</b>.</p>{SCRIPT}"
        "<ul><li>Well</li></ul><iframe src='https://example.com'></iframe>"
        "<a href='javascript:alert(1)'>Go</a>",
    )
    assert texts(parsed, "h2, b, li") == ["Ride", "rides", "Well"]
    assert_harmless(str(parsed))
    assert "alert" not in parsed.get_text()


@pytest.mark.django_db
def test_links_in_rich_text_go_to_the_page(site):
    html = f'<p><a linktype="page" id="{site.root_page_id}">Home</a></p>'
    (link,) = shown("rich_text", html).select("a")
    assert link["href"] == "/"


def test_a_stream_is_shown_as_formatted_text():
    parsed = shown("stream", [("paragraph", "<p>One</p>"), ("paragraph", "<p>Two</p>")])
    assert texts(parsed, "p") == ["One", "Two"]


# Addresses


def test_an_address_of_the_web_is_a_link():
    (link,) = shown("address", "https://example.com/?a=1&b=2").select("a")
    assert link["href"] == link.get_text() == "https://example.com/?a=1&b=2"
    assert "noopener" in link["rel"]


@pytest.mark.parametrize(
    "value",
    ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "ftp://x", "x"],
)
def test_any_other_address_is_no_link(value):
    assert not shown("address", value).select("a")


# JSON


def test_specifications_are_a_table_of_labels_and_values():
    parsed = shown("data", SPECIFICATIONS)
    assert rows(parsed) == [["Weight (kg)", "12.5"], ["Colours", "Red Blue"]]
    assert texts(parsed, "th[scope=row]") == ["Weight (kg)", "Colours"]
    assert texts(parsed, "td li") == ["Red", "Blue"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"value": True, "type": "Boolean"}, "Yes"),
        ({"value": None, "type": "String"}, "– Empty"),
        ({"value": "2026-03-01T00:00:00Z", "type": "DateTime"}, "March 1, 2026"),
        (
            {"value": "2026-03-01T09:30:00", "type": "DateTime"},
            "March 1, 2026, 10:30 a.m.",
        ),
        ({"value": "soon", "type": "DateTime"}, "soon"),
        ({"value": "2026-99-01T00:00:00Z", "type": "DateTime"}, "2026-99-01T00:00:00Z"),
        ({"value": f"<b>B</b>{SCRIPT}", "controlType": "HTML"}, "B"),
        ({"value": "<b>", "controlType": "Text Field"}, "<b>"),
        ({"value": {"a": [1]}}, '{"a": [1]}'),
        ({"value": [[1], {"b": None}]}, '[[1], {"b": null}]'),
        ({"value": "x", "displayName": None}, "x"),
        ({"value": 5, "type": 7, "controlType": []}, "5"),
    ],
)
def test_a_specification_is_shown_by_its_type(entry, expected):
    parsed = shown("data", [{"name": "Property", **entry}])
    assert rows(parsed) == [["Property", expected]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1, "b": False}, [["a", "1"], ["b", "No"]]),
        ([{"x": 1}, {"y": 2}], [["x", "y"], ["1", "– Empty"], ["– Empty", "2"]]),
    ],
)
def test_other_objects_are_tables_as_well(value, expected):
    assert rows(shown("data", value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(["Red", 3, True, None], ["Red", "3", "Yes", "– Empty"]), ([["a"], 1], None)],
)
def test_a_plain_list_is_chips(value, expected):
    parsed = shown("data", value)
    assert texts(parsed, "li") == (expected or [])
    if expected is None:
        assert parsed.code.get_text() == '[["a"], 1]'


def test_an_object_that_is_too_wide_for_a_table_is_shown_as_it_is():
    wide = [{f"column {number}": 1 for number in range(values.SHOWN_COLUMNS + 1)}]
    parsed = shown("data", wide)
    assert not parsed.table
    assert "column 3" in parsed.code.get_text()


@pytest.mark.parametrize("kind", ["specifications", "objects", "mapping", "list"])
def test_of_huge_json_the_first_part_is_shown_and_how_much_is_left_out(kind):
    count = 50_000
    parsed = shown(
        "data",
        {
            "specifications": [{"name": f"N{n}", "value": n} for n in range(count)],
            "objects": [{"a": n} for n in range(count)],
            "mapping": {f"N{n}": n for n in range(count)},
            "list": list(range(count)),
        }[kind],
    )
    assert len(parsed.select("tbody tr, li")) == values.SHOWN_ITEMS
    left = count - values.SHOWN_ITEMS
    assert texts(parsed, ".pim-locked__more") == [f"and {left} more"]


@pytest.mark.parametrize("levels", [20, 5_000])
def test_json_is_shown_however_deep_it_is(levels):
    value: Any = "the core"
    for _level in range(levels):
        value = {"in": [value]}
    expected = "the core" if levels < 100 else "Nested too deeply to be shown."
    assert expected in shown("data", value).get_text()


# Chips and objects


@pytest.mark.django_db
def test_materials_and_tags_are_chips(trial_page):
    display = ValueDisplay()
    for name, expected in (
        ("materials", ["Steel", "Wool"]),
        ("plain_materials", ["Wool"]),
        ("tags", ["light", "reflective"]),
    ):
        parsed = BeautifulSoup(display.field(trial_page, name), "html.parser")
        assert sorted(texts(parsed, "li")) == expected


@pytest.mark.django_db
def test_related_objects_are_links_for_those_who_may_edit_them(
    trial_page, admin_user, django_user_model
):
    reader = django_user_model.objects.create_user("reader", password="x")
    for user, count in ((admin_user, 1), (reader, 0)):
        for name, label in (("successor", "Home"), ("manual", "Assembly manual")):
            html = ValueDisplay(user).field(trial_page, name)
            parsed = BeautifulSoup(html, "html.parser")
            assert parsed.get_text() == label
            assert len(parsed.select("a")) == count


@pytest.mark.django_db
def test_an_object_that_is_gone_is_empty(site):
    page = TrialProductPage(material_id=4711)
    assert "Empty" in ValueDisplay().field(page, "material")


@pytest.mark.django_db
def test_an_image_is_a_picture_with_its_title():
    page = TrialProductPage(picture=make_image("Side view"))
    parsed = BeautifulSoup(ValueDisplay().field(page, "picture"), "html.parser")
    (picture,) = parsed.select("figure img")
    assert picture["src"].startswith("/media/images/")
    assert parsed.figcaption.get_text() == "Side view"


@pytest.mark.django_db
@pytest.mark.parametrize("content", [None, b"this is no picture", b""])
def test_an_image_without_a_sound_file_says_so(content):
    # Wagtail keeps there which renditions it has made.
    cache.clear()
    image = make_image("Side view")
    if content is None:
        image.file.storage.delete(image.file.name)
    else:
        with image.file.storage.open(image.file.name, "wb") as file:
            file.write(content)
    image = type(image).objects.get(pk=image.pk)
    html = ValueDisplay().field(TrialProductPage(picture=image), "picture")
    parsed = BeautifulSoup(html, "html.parser")
    assert not parsed.select("img")
    assert "missing or broken" in parsed.get_text()
    assert parsed.figcaption.get_text() == "Side view"


@pytest.mark.django_db
def test_child_objects_are_a_table_read_with_one_query(
    trial_page, django_assert_num_queries
):
    with django_assert_num_queries(1):
        html = ValueDisplay().relation(
            trial_page, "sizes", [("name", "Name"), ("stock", "Stock")]
        )
    parsed = BeautifulSoup(html, "html.parser")
    assert rows(parsed) == [["Name", "Stock"], ["M", "5"], ["L", "0"]]
    assert texts(parsed, "th[scope=col]") == ["Name", "Stock"]


@pytest.mark.django_db
def test_pictures_of_child_objects_come_with_them(
    trial_page, django_assert_num_queries
):
    columns = [("image", "Image")]
    # Makes the renditions, which Wagtail caches.
    html = ValueDisplay().relation(trial_page, "gallery", columns)
    assert texts(BeautifulSoup(html, "html.parser"), "figcaption") == ["Front", "Back"]
    with django_assert_num_queries(1):
        ValueDisplay().relation(trial_page, "gallery", columns)


@pytest.mark.django_db
def test_child_objects_of_a_draft_are_shown_as_it_holds_them():
    maker = Maker(name="Karu")
    maker.places = [MakerPlace(city="Tartu")]
    html = ValueDisplay().relation(maker, "places", [("city", "City")])
    assert rows(BeautifulSoup(html, "html.parser")) == [["City"], ["Tartu"]]
    chips = BeautifulSoup(ValueDisplay().field(maker, "places"), "html.parser")
    assert len(chips.select("li")) == 1


# Hostile values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", HOSTILE),
        ("long_text", HOSTILE),
        ("rich_text", HOSTILE),
        ("stream", [("paragraph", HOSTILE)]),
        ("choice", HOSTILE),
        ("address", HOSTILE),
        ("address", f"https://example.com/{HOSTILE}"),
        ("data", HOSTILE),
        ("data", [HOSTILE]),
        ("data", {HOSTILE: HOSTILE}),
        ("data", [{HOSTILE: HOSTILE}]),
        ("data", [{HOSTILE: {HOSTILE: [HOSTILE]}}]),
        ("data", [{"name": HOSTILE, "value": HOSTILE}]),
        ("data", [{"name": "x", "displayName": HOSTILE, "value": [HOSTILE]}]),
        ("data", [{"name": "x", "displayName": {"a": HOSTILE}, "value": 1}]),
        ("data", [{"name": "x", "controlType": "HTML", "value": HOSTILE}]),
        ("data", [{"name": "x", "type": f"date{HOSTILE}", "value": HOSTILE}]),
    ],
)
def test_nothing_in_a_value_runs(name, value):
    html = show(name, value)
    assert_harmless(html)
    # Something of it is there to be seen.
    assert BeautifulSoup(html, "html.parser").get_text(strip=True)


@pytest.mark.django_db
def test_nothing_in_a_label_runs(site, admin_user):
    site.root_page.draft_title = HOSTILE
    page = TrialProductPage(
        material=Material.objects.create(name=HOSTILE),
        successor=site.root_page,
        picture=make_image(HOSTILE),
        manual=get_document_model().objects.create(
            title=HOSTILE, file=ContentFile(b"x", "x.txt")
        ),
    )
    page.materials = [page.material]
    page.tags.add(HOSTILE)
    for user in (None, admin_user):
        for name in (
            "material",
            "successor",
            "picture",
            "manual",
            "materials",
            "tags",
        ):
            html = ValueDisplay(user).field(page, name)
            parsed = BeautifulSoup(html, "html.parser")
            assert HOSTILE in parsed.get_text()
            for picture in parsed.select("figure img"):
                picture.extract()
            assert_harmless(str(parsed))
            assert not parsed.select("img")


def test_nothing_in_a_heading_runs():
    page = TrialProductPage(text="x")
    assert_harmless(ValueDisplay().fields(page, [("text", HOSTILE)]))
