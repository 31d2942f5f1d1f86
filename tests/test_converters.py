from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from hypothesis import given
from hypothesis import strategies as st
from modelcluster.contrib.taggit import ClusterTaggableManager
from modelcluster.fields import ParentalManyToManyField
from wagtail.fields import RichTextField, StreamField

from wagtail_pim import converters
from wagtail_pim.client.entities import Property
from wagtail_pim.converters import (
    ConversionError,
    Target,
    convert,
    converter_for,
    empty_value,
    register_converter,
    split_values,
)

CHAR = models.CharField(max_length=20)
TEXT = models.TextField()
RICH = RichTextField()
INTEGER = models.IntegerField()
DECIMAL = models.DecimalField(max_digits=9, decimal_places=2)
WIDE_DECIMAL = models.DecimalField(max_digits=40, decimal_places=10)
FLOAT = models.FloatField()
BOOLEAN = models.BooleanField()
DATE = models.DateField()
DATETIME = models.DateTimeField()
TIME = models.TimeField()
EMAIL = models.EmailField()
URL = models.URLField()
JSON = models.JSONField(default=list)
MANY = ParentalManyToManyField("shop.RidingStyle")
FOREIGN = models.ForeignKey("shop.Brand", models.CASCADE)
TAGS = ClusterTaggableManager(through="shop.HelmetTag")
FIT = models.CharField(max_length=10, choices=[("R", "Relaxed"), ("C", "Close")])
SPEEDS = models.IntegerField(choices=[(1, "One"), (7, "Seven")])

EVERY_FIELD = [
    CHAR,
    TEXT,
    RICH,
    INTEGER,
    DECIMAL,
    WIDE_DECIMAL,
    FLOAT,
    BOOLEAN,
    DATE,
    DATETIME,
    TIME,
    EMAIL,
    URL,
    models.SlugField(),
    JSON,
    MANY,
    FOREIGN,
    TAGS,
    FIT,
    SPEEDS,
]
HALF_A_CHARACTER = "a\ud800b"
NUL = "a\x00b"


def prop(control):
    return Property(id=UUID(int=1), name="Property", controlType=control)


MULTI = prop("Multi Select")
HTML = prop("HTML")


def converted(value, field, prop=None):
    return convert(value, Target(field, prop))


def refused(value, field, prop=None):
    with pytest.raises(ConversionError) as error:
        converted(value, field, prop)
    return str(error.value)


# Any field


@pytest.mark.parametrize("value", [None, "", "  ", "\n\t", []])
@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (CHAR, ""),
        (TEXT, ""),
        (models.CharField(max_length=5, null=True), None),
        (models.CharField(max_length=5, default="x"), "x"),
        (models.IntegerField(null=True, default=3), None),
        (models.IntegerField(default=3), 3),
        (models.BooleanField(default=True), True),
        (models.DateField(null=True), None),
        (JSON, []),
        (models.ForeignKey("shop.Brand", models.SET_NULL, null=True), None),
        (MANY, ()),
        (TAGS, ()),
    ],
)
def test_empty_value_is_the_fields_own(value, field, expected):
    assert converted(value, field) == expected


@pytest.mark.parametrize("field", [INTEGER, BOOLEAN, DATE, FOREIGN, DECIMAL])
def test_empty_value_where_one_is_needed(field):
    assert "a value is needed" in refused(None, field)
    with pytest.raises(ConversionError):
        empty_value(field)


@pytest.mark.parametrize(
    "value",
    [
        NUL,
        HALF_A_CHARACTER,
        {},
        {"a": 1},
        [{"a": [1]}],
        [None],
        [NUL],
        True,
        0,
        -1,
        1.5,
        float("nan"),
        float("inf"),
        float("-inf"),
        10**400,
        Decimal("1E+400"),
        Decimal("-1E+400"),
        Decimal("1E+999999999"),
        Decimal("1E-999999999"),
        "1e999999999",
        "1e400",
        "NaN",
        "sNaN",
        "x" * 100_000,
        "9" * 5_000,
        "~",
        "~~~",
        "http://[",
        "javascript:alert(1)",
        "<script>alert(1)</script>",
        "٣",
        "👩‍👩‍👧‍👦",
        "\N{RIGHT-TO-LEFT OVERRIDE}abc",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "0000-00-00",
    ],
    ids=lambda value: repr(value)[:25],
)
@pytest.mark.parametrize("prop", [None, MULTI, HTML], ids=["text", "multi", "html"])
def test_hostile_value_converts_or_is_refused_with_a_sentence(prop, value):
    for field in EVERY_FIELD:
        try:
            result = str(converted(value, field, prop))
        except ConversionError as error:
            result = str(error)
            assert 0 < len(result) < 300
        assert "\x00" not in result
        result.encode()


@given(
    st.one_of(
        st.text(),
        st.integers(),
        st.floats(),
        st.decimals(),
        st.booleans(),
        st.lists(st.text()),
        st.dictionaries(st.text(), st.text()),
    ),
    st.sampled_from(EVERY_FIELD),
    st.sampled_from([None, MULTI, HTML]),
)
def test_nothing_but_a_conversion_error_is_raised(value, field, prop):
    try:
        converted(value, field, prop)
    except ConversionError as error:
        str(error).encode()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            models.CharField(max_length=9, validators=[RegexValidator("^x", "Say x!")]),
            "y",
            "Say x!",
        ),
        (models.IntegerField(validators=[MinValueValidator(5)]), 4, "5"),
        (models.PositiveSmallIntegerField(), -1, "0"),
        (models.SlugField(), "not a slug", "valid"),
        (DECIMAL, "12345678.9", "9 digits"),
    ],
)
def test_fields_own_validators_count(field, value, message):
    assert message in refused(value, field)


# Text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Jersey", "Jersey"),
        ("  Jersey\n", "Jersey"),
        ("Überzüge 💧 漢字", "Überzüge 💧 漢字"),
        ("a<b & c", "a<b & c"),
        (7, "7"),
        (0, "0"),
        (Decimal("1.10"), "1.10"),
        (True, "true"),
        (False, "false"),
        ("a~b", "a~b"),
    ],
)
def test_text(value, expected):
    assert converted(value, CHAR) == expected
    assert converted(value, TEXT) == expected


@pytest.mark.parametrize("field", [CHAR, TEXT, RICH, JSON, MANY, TAGS, FOREIGN])
@pytest.mark.parametrize(
    ("value", "message"), [(NUL, "NUL"), (HALF_A_CHARACTER, "half a character")]
)
def test_text_that_no_database_takes_is_refused(field, value, message):
    assert message in refused(value, field)


@pytest.mark.parametrize("field", [CHAR, TEXT, RICH, EMAIL, URL, FIT, FOREIGN])
@pytest.mark.parametrize("value", [["a"], {"a": 1}, {}])
def test_list_or_object_is_no_text(field, value):
    assert refused(value, field) == "a text is needed, not a list or an object"


def test_text_that_fits_exactly():
    assert converted("ä" * 20, CHAR) == "ä" * 20


def test_text_that_is_too_long_is_never_cut():
    assert refused("x" * 21, CHAR) == "the text has 21 characters; 20 fit"


def test_text_without_a_limit():
    assert len(converted("x" * 10**6, TEXT)) == 10**6


def test_html_in_a_line_becomes_its_words():
    assert converted("<p>Soft &amp; <b>warm</b></p>", CHAR, HTML) == "Soft & warm"


def test_html_in_a_text_is_cleaned():
    value = '<p onclick="x()">Soft<script>alert(1)</script></p>'
    assert converted(value, TEXT, HTML) == "<p>Soft</p>"
    assert converted(value, RICH, HTML) == "<p>Soft</p>"


def test_markup_of_a_plain_property_is_text_in_rich_text():
    assert converted("a <b>c</b>", RICH) == "<p>a &lt;b&gt;c&lt;/b&gt;</p>"
    assert "<script" not in converted("<script>x</script>", RICH)


@pytest.mark.parametrize("value", ["red~blue", ["red", "blue"], "~red~ blue ~red~"])
def test_several_values_in_a_text_are_listed(value):
    assert converted(value, CHAR, MULTI) == "red, blue"


# Choices


@pytest.mark.parametrize("value", ["R", "r", "Relaxed", "RELAXED", " relaxed "])
def test_choice_by_value_or_label_without_regard_to_case(value):
    assert converted(value, FIT) == "R"


def test_choice_of_a_group():
    field = models.CharField(max_length=2, choices=[("Wide", [("X", "Extra")])])
    assert converted("extra", field) == "X"


def test_value_of_a_choice_goes_before_the_label_of_another():
    field = models.CharField(max_length=5, choices=[("s", "M"), ("m", "L")])
    assert converted("M", field) == "m"
    assert converted("L", field) == "m"


def test_unknown_choice_is_told_with_those_there_are():
    assert refused("Baggy", FIT) == "“Baggy” is none of the choices here: R, C"


@pytest.mark.parametrize("value", [7, "7", Decimal("7.0"), "7.00"])
def test_choice_of_a_number(value):
    assert converted(value, SPEEDS) == 7


@pytest.mark.parametrize("value", [2, "2", "-7"])
def test_unknown_choice_of_a_number(value):
    assert "none of the choices" in refused(value, SPEEDS)


@pytest.mark.parametrize("value", ["~", "~ ~", ["", " "]])
@pytest.mark.parametrize(
    ("field", "expected"),
    [(CHAR, ""), (models.CharField(max_length=9, null=True), None), (FIT, "")],
)
def test_several_values_of_which_there_are_none_are_empty(value, field, expected):
    assert converted(value, field, MULTI) == expected


# Addresses


@pytest.mark.parametrize("value", ["me@shop.example", "a+b@sub.shop.example"])
def test_email(value):
    assert converted(value, EMAIL) == value


@pytest.mark.parametrize("value", ["me", "me@", "@shop.example", "a b@c.example", 5])
def test_email_that_is_none(value):
    assert refused(value, EMAIL) == f"“{value}” is not an e-mail address"


@pytest.mark.parametrize(
    "value", ["https://shop.example/a?b=c#d", "http://localhost:8000/", "HTTPS://A.DE"]
)
def test_web_address(value):
    assert converted(value, URL) == value


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//shop.example",
        "shop.example",
        "https://",
        "ftp://shop.example",
        "http://[",
        "http://[::1",
        5,
    ],
)
def test_web_address_that_is_none(value):
    assert refused(value, URL) == f"“{value}” is not a web address"


# Numbers


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        ("7", 7),
        (" -7 ", -7),
        (Decimal("7.00"), 7),
        ("7.0", 7),
        (7.0, 7),
        ("1e3", 1000),
        (0, 0),
        ("٣", 3),
    ],
)
def test_integer(value, expected):
    result = converted(value, INTEGER)
    assert result == expected
    assert type(result) is int


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1.5", Decimal("1.50")),
        (Decimal("1.500000"), Decimal("1.50")),
        (3, Decimal("3.00")),
        (0.1, Decimal("0.10")),
        (Decimal("0E-7"), Decimal("0.00")),
        ("-9999999.99", Decimal("-9999999.99")),
    ],
)
def test_decimal_has_the_fields_places(value, expected):
    result = converted(value, DECIMAL)
    assert (result, result.as_tuple()) == (expected, expected.as_tuple())


@pytest.mark.parametrize("value", ["1.005", Decimal("0.001"), "1E-50", "1." + "3" * 90])
def test_decimal_is_never_rounded(value):
    assert "has more than 2 decimals" in refused(value, DECIMAL)


@pytest.mark.parametrize("value", ["1e19", "1e29", "-12345678901234567890.5"])
def test_decimal_of_many_digits(value):
    assert converted(value, WIDE_DECIMAL) == Decimal(value)


@pytest.mark.parametrize("value", ["1e30", "1e40", "1e300"])
def test_decimal_that_does_not_fit_its_field(value):
    assert "no more than" in refused(value, WIDE_DECIMAL)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.5", 1.5), (Decimal("0.1"), 0.1), (7, 7.0), ("-1e300", -1e300), ("1e-400", 0)],
)
def test_float(value, expected):
    result = converted(value, FLOAT)
    assert result == expected
    assert type(result) is float


@pytest.mark.parametrize("field", [INTEGER, DECIMAL, FLOAT, SPEEDS])
@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        "true",
        "seven",
        "1,5",
        "1 000",
        "0x10",
        "NaN",
        "Infinity",
        "-inf",
        float("nan"),
        float("inf"),
        {"amount": 1},
        [1],
        "1\x002",
        "½",
    ],
)
def test_what_is_no_number(field, value):
    assert "is not a number" in refused(value, field)


@pytest.mark.parametrize("field", [INTEGER, DECIMAL, FLOAT, SPEEDS, JSON])
@pytest.mark.parametrize(
    "value", [Decimal("1E+400"), Decimal("-1E+400"), Decimal("1E+999999999")]
)
def test_number_beyond_all_measure_is_refused_at_once(field, value):
    assert "is too large" in refused(value, field)


@pytest.mark.parametrize("value", ["1.5", Decimal("7.000001"), 0.5])
def test_integer_is_never_rounded(value):
    assert refused(value, INTEGER) == f"“{value}” is not a whole number"


@given(st.integers(-(2**31), 2**31 - 1))
def test_every_integer_arrives(number):
    assert converted(number, INTEGER) == converted(str(number), INTEGER) == number


@given(st.decimals(-9_999_999, 9_999_999, places=2))
def test_every_decimal_arrives(number):
    assert converted(number, DECIMAL) == converted(str(number), DECIMAL) == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_arrives(number):
    assert converted(number, FLOAT) == number


# Yes and no


@pytest.mark.parametrize("value", [True, "true", "TRUE", "Yes", "y", 1, "1", "on"])
def test_yes(value):
    assert converted(value, BOOLEAN) is True


@pytest.mark.parametrize("value", [False, "false", "No", " n ", 0, "0", "OFF"])
def test_no(value):
    assert converted(value, BOOLEAN) is False


@pytest.mark.parametrize("value", ["maybe", 2, -1, "null", "t\x00", {"a": 1}, [True]])
def test_neither_yes_nor_no(value):
    assert "is neither yes nor no" in refused(value, BOOLEAN)


# Dates and times


@pytest.mark.parametrize(
    "value",
    [
        "2030-06-01",
        "2030-06-01T00:00:00Z",
        "2030-06-01T23:59:59Z",
        "2030-06-01T23:59:59-11:00",
        "2030-06-01T00:00:00+14:00",
        "2030-06-01T00:00:00",
        "2030-06-01T12:00:00.1234567Z",
        "2030-06-01 12:00",
        " 2030-06-01 ",
    ],
)
def test_date_is_the_one_that_is_written(value, settings):
    for settings.TIME_ZONE in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert converted(value, DATE) == date(2030, 6, 1)


@pytest.mark.parametrize(
    "value",
    [
        "01.06.2030",
        "2030-02-30",
        "2030-06-01T25:00:00Z",
        "2030-06-01 soon",
        "2030-06-01T",
        "0000-01-01",
        "10000-01-01",
        "today",
        True,
        {"year": 2030},
        "2030-06-01\x00",
    ],
)
def test_what_is_no_date(value):
    assert "is not a date" in refused(value, DATE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2030-06-01T12:00:00Z", datetime(2030, 6, 1, 12, tzinfo=UTC)),
        ("2030-06-01T12:00:00+14:00", datetime(2030, 5, 31, 22, tzinfo=UTC)),
        ("2030-06-01T12:00:00-12:00", datetime(2030, 6, 2, tzinfo=UTC)),
        ("2030-06-01T12:00:00", datetime(2030, 6, 1, 12, tzinfo=UTC)),
        ("2030-06-01 12:00", datetime(2030, 6, 1, 12, tzinfo=UTC)),
        ("2030-06-01", datetime(2030, 6, 1, tzinfo=UTC)),
        ("2030-06-01T00:00:00.1234567Z", datetime(2030, 6, 1, 0, 0, 0, 123456, UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        # An hour that a change of summer time skips, and one that comes twice.
        ("2030-03-31T02:30:00", datetime(2030, 3, 31, 2, 30, tzinfo=UTC)),
        ("2030-10-27T02:30:00", datetime(2030, 10, 27, 2, 30, tzinfo=UTC)),
    ],
)
def test_datetime_is_aware_and_utc_where_no_zone_is_given(value, expected):
    result = converted(value, DATETIME)
    assert result == expected
    assert result.tzinfo is not None


@pytest.mark.parametrize(
    "value",
    [
        "2030-02-30T12:00:00Z",
        "2030-06-01T24:30:00Z",
        "2030-06-01T12:00:00+99:00",
        "noon",
        True,
        {},
        # No database can store these in UTC.
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_datetime(value):
    assert "is not a date and time" in refused(value, DATETIME)


@given(
    st.datetimes(
        min_value=datetime(2, 1, 1),
        max_value=datetime(9998, 12, 31),
        timezones=st.integers(-14 * 60, 14 * 60).map(
            lambda minutes: timezone(timedelta(minutes=minutes))
        ),
    )
)
def test_every_datetime_arrives(moment):
    assert converted(moment.isoformat(), DATETIME) == moment
    assert converted(moment.isoformat(), DATE) == moment.date()


@pytest.mark.parametrize("value", ["08:30", "08:30:00", "08:30:00.000"])
def test_time(value):
    assert converted(value, TIME) == time(8, 30)


@pytest.mark.parametrize("value", ["25:00", "noon", 8, True, "08:30 soon"])
def test_what_is_no_time(value):
    assert "is not a time" in refused(value, TIME)


# Several values, JSON, names


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("M1~M2", ("M1", "M2")),
        ("M2~M1", ("M2", "M1")),
        ("M1", ("M1",)),
        ("~M1~~ M2 ~", ("M1", "M2")),
        ("M1~m1~M1", ("M1", "m1")),
        (["M1", "M~2"], ("M1", "M~2")),
        (["M1", 7, True], ("M1", "7", "true")),
        ("~", ()),
        (7, ("7",)),
    ],
)
def test_values_are_split(value, expected):
    assert split_values(value) == expected


@pytest.mark.parametrize("value", [[None], [["a"]], [{"a": 1}], {"a": 1}])
def test_values_that_are_no_texts_are_refused(value):
    assert "a text is needed" in refused(value, MANY)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="~\x00"))))
def test_joined_values_are_split_again(values):
    kept = [v.strip() for v in values if v.strip()]
    assert split_values("~".join(values)) == tuple(dict.fromkeys(kept))


@pytest.mark.parametrize("field", [MANY, TAGS])
def test_names_of_many_objects_are_sorted(field):
    assert converted("b~a~b", field) == ("a", "b")


@pytest.mark.parametrize(("value", "expected"), [(" Bosch ", "Bosch"), (7, "7")])
def test_name_of_one_object(value, expected):
    assert converted(value, FOREIGN) == expected


@pytest.mark.parametrize(
    ("value", "prop", "expected"),
    [
        ("M1~M2", MULTI, ["M1", "M2"]),
        ("M1~M2", None, "M1~M2"),
        (" text ", None, "text"),
        ("<p onclick='x'>a</p>", HTML, "<p>a</p>"),
        (Decimal("1.10"), None, 1.1),
        (Decimal("7.00"), None, 7),
        (7, None, 7),
        (True, None, True),
        ([1, None, " a ", [True]], None, [1, None, "a", [True]]),
        ({"a ": {"b": Decimal("0.5")}}, None, {"a": {"b": 0.5}}),
    ],
)
def test_json(value, prop, expected):
    result = converted(value, JSON, prop)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        [float("-inf")],
        {"a": float("nan")},
        [NUL],
        {"a": HALF_A_CHARACTER},
        {NUL: 1},
    ],
)
def test_what_json_does_not_have_is_refused(value):
    refused(value, JSON)


# The registry


class MoneyField(models.DecimalField):
    pass


class EuroField(MoneyField):
    pass


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(converters, "_registry", dict(converters._registry))


def test_site_registers_a_converter_of_its_own(registry):
    @register_converter(MoneyField)
    def to_money(value, target):
        return Decimal(value.removesuffix(" EUR"))

    field = EuroField(max_digits=5, decimal_places=2)
    assert converter_for(field) is to_money
    assert converted("1.50 EUR", field) == Decimal("1.50")
    assert converter_for(DECIMAL) is converters.to_decimal


def test_subclass_without_a_converter_takes_its_bases(registry):
    assert converter_for(EuroField()) is converters.to_decimal


def test_nearest_converter_wins_and_can_be_replaced(registry):
    first, second, third = (lambda v, t, n=n: n for n in range(3))
    register_converter(MoneyField)(first)
    register_converter(EuroField, FloatOnly)(second)
    assert converter_for(EuroField()) is second
    assert converter_for(FloatOnly()) is second
    register_converter(EuroField)(third)
    assert converter_for(EuroField()) is third


class FloatOnly(models.FloatField):
    pass


def test_own_converter_gets_no_empty_value_but_the_target(registry):
    seen = []
    register_converter(MoneyField)(lambda value, target: seen.append((value, target)))
    field = MoneyField(max_digits=5, decimal_places=2, null=True)
    converted("", field)
    converted("5", field, HTML)
    assert seen == [("5", Target(field, HTML))]


def test_result_of_an_own_converter_is_checked_against_the_field(registry):
    register_converter(MoneyField)(lambda value, target: Decimal("1.234"))
    field = MoneyField(max_digits=5, decimal_places=2)
    assert "2 decimal places" in refused("x", field)


@pytest.mark.parametrize(
    "field", [models.UUIDField(), models.BinaryField(), StreamField([])]
)
def test_field_without_a_converter(field):
    assert converter_for(field) is None
    assert type(field).__name__ in refused("x", field)


def test_target_without_a_property_holds_neither_html_nor_several_values():
    target = Target(SimpleNamespace())
    assert not target.holds_html()
    assert not target.holds_several_values()
