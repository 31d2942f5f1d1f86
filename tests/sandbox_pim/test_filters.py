import pytest

from .client import error_code
from .records import guid, product


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ("status eq 'Approved'", "A"),
        ("STATUS eq 'Approved'", "A"),
        ("status eq 'approved'", ""),
        ("'Approved' eq status", "A"),
        ("status ne 'Approved'", "BC"),
        ("status in ('Approved','New')", "AC"),
        ("status in ('Approved', 'New', 'x)')", "AC"),
        ("status in ('New')", "C"),
        ("not (status in ('New'))", "AB"),
        (f"id eq {guid('A')}", "A"),
        (f"id eq {guid('A').upper()}", "A"),
        (f"id in ({guid('A')},{guid('B')})", "AB"),
        (f"id in ({guid('A')})", "A"),
        (f"parentProductId eq {guid('A')}", "B"),
        ("parentProductId eq null", "AC"),
        ("parentProductId ne null", "B"),
        ("null eq parentProductId", "AC"),
        (f"parentProductId ne {guid('A')}", "AC"),
        ("onHold eq true", "C"),
        ("onHold", "C"),
        ("not onHold", "AB"),
        ("onHold eq false and status eq 'Published'", "B"),
        ("status eq 'New' or status eq 'Approved' and onHold eq true", "C"),
        ("(status eq 'New' or status eq 'Approved') and onHold eq true", "C"),
        ("currentVersionNumber gt 2", "ABC"),
        ("currentVersionNumber gt publishedVersionNumber", "ABC"),
        ("currentVersionNumber lt 2.5", ""),
        ("currentVersionNumber le 3 and currentVersionNumber ge 3", "ABC"),
        ("currentVersionNumber lt 100000000000000000000000", "ABC"),
        ("lastPublishedOn ge 2026-01-10T00:00:00Z", "A"),
        ("lastPublishedOn gt 2026-01-10T00:00:00Z", ""),
        ("lastPublishedOn eq 2026-01-10T01:00:00+01:00", "A"),
        ("lastPublishedOn ge 2026-01-09T23:59:59.999Z", "A"),
        ("lastPublishedOn lt 2026-01-10T00:00:00.0010000Z", "A"),
        ("not (lastPublishedOn ge 2026-01-10T00:00:00Z)", "BC"),
        ("color eq 'Red'", "A"),
        ("Color eq 'Red'", "A"),
        ("color ne 'Red'", "BC"),
        ("color eq null", "B"),
        ("color eq 'it''s «blau» ''n'' 💧'", "C"),
        ("weight gt 2", "B"),
        ("weight lt 2", "A"),
        ("weight eq 10.0", "B"),
        ("color gt 5", ""),
        ("washable eq true", "A"),
        ("washable", "A"),
        ("contains(color, '''s «b')", "C"),
        ("contains(productTitle, 'of')", "ABC"),
        ("contains(productTitle, '%')", ""),
        ("startswith(color, 'R')", "A"),
        ("startswith(color, 'r')", ""),
        ("endswith(productTitle, ' B')", "B"),
        ("endswith(productTitle, '')", "ABC"),
        ("endswith(status, 'NotNew')", ""),
        ("not contains(color, 'Red')", "BC"),
        (f"categoryTrees/any(c: c/categoryTreeId eq {guid('sale')})", "AC"),
        (f"categoryTrees/any(c: c/categoryTreeId eq {guid('lamps')})", "A"),
        ("categoryTrees/any()", "AC"),
        ("not categoryTrees/any()", "B"),
        ("childrenProduct/any(x: x/status eq 'Published')", "A"),
        ("childrenProduct/any(x: x/weight gt weight)", "A"),
        (
            f"categoryTrees/any(c: c/categoryTreeId eq {guid('sale')}) and"
            f" categoryTrees/any(c: c/categoryTreeId eq {guid('lamps')})",
            "A",
        ),
        ("status eq '; DROP TABLE products; --'", ""),
        ("status eq '\x00'", ""),
    ],
)
def test_filter(client, shop, condition, numbers):
    assert client.numbers(filter=condition, orderby="productNumber") == list(numbers)
    page = client.get("products", filter=condition, top="0", count="true").json()
    assert page["@odata.count"] == len(numbers)


@pytest.mark.parametrize(
    "condition",
    [
        "nonsense eq 1",
        "translations eq null",
        "status",
        "'true'",
        "status eq",
        "status eq 'x' and",
        "status eq 'x",
        "status = 'x'",
        'status eq "x"',
        "status eq 5",
        "status eq true",
        "onHold eq 'true'",
        "currentVersionNumber eq '3'",
        f"id eq '{guid('A')}'",
        f"status eq {guid('A')}",
        "id in ()",
        "id in",
        "status in 'x'",
        "status in ('x', 5)",
        "lastPublishedOn ge 2026-01-10",
        "lastPublishedOn ge 2026-01-10T00:00:00",
        "lastPublishedOn ge 2026-01-10T00:00:00+15:00",
        "lastPublishedOn ge 2026-02-30T00:00:00Z",
        "lastPublishedOn ge '2026-01-10T00:00:00Z'",
        "variantPropertyIdList eq null",
        "contains(currentVersionNumber, '3')",
        "contains(status)",
        "tolower(status) eq 'new'",
        "load_extension('x') eq 1",
        "f(a=1,b=2,c=3)",
        "currentVersionNumber add 1 eq 4",
        "-currentVersionNumber eq 4",
        "status/length eq 4",
        "c/status eq 'x'",
        "a/b/c eq 1",
        "categoryTrees/any(c: c/nonsense eq 1)",
        "categoryTrees/any(c: d/productId eq null)",
        "categoryTrees/all(c: c/productId eq null)",
        "status/any(c: c/productId eq null)",
        "categoryTrees eq null",
        "categoryTrees/any(c: childrenProduct/any(d: d/status eq 'x'))",
        "categoryTrees/any(c: " + "not (onHold or " * 30 + "onHold" + ")" * 31,
        "not " * 25 + "onHold",
        "not " * 1000 + "onHold",
        "(" * 500 + "onHold" + ")" * 499,
        " or ".join(["onHold"] * 1000),
        "🙂",
        ")",
        "x y z",
        "duration'P1D' eq duration'P1D'",
    ],
)
def test_invalid_filter(client, shop, condition):
    response = client.get("products", filter=condition)
    assert response.status_code == 400, response.text
    assert error_code(response) == "InvalidQuery"


@pytest.mark.parametrize(
    "name",
    ["allergens", "anyone", "trueColor", "falsework", "nullable", "notes", "größe"],
)
def test_names_that_begin_like_a_word_of_the_language(client, name):
    client.server.store.put("products", product("A", **{name: "x"}))
    client.server.store.put("products", product("B"))
    assert client.numbers(filter=f"{name} eq 'x'") == ["A"]
    assert client.numbers(orderby=name) == ["B", "A"]


def test_a_property_that_no_product_has_yet(client, shop):
    assert client.get("products", filter="fabric eq null").status_code == 400
    shop.store.put("properties", {"name": "fabric"})
    assert len(client.numbers(filter="Fabric eq null")) == 3
    assert client.values("products", select="fabric")


def test_many_keys(client):
    client.server.store.generate(300)
    ids = [record["id"] for record in client.server.store.find("products")]
    assert len(client.numbers(filter=f"id in ({','.join(ids)})")) == 300
    any_of = " or ".join(f"id eq {key}" for key in ids)
    assert len(client.numbers(filter=any_of)) == 300


def test_filters_of_other_sets(client, shop):
    assert client.values("languages", filter="languageCode eq 'de-DE'")[0][
        "id"
    ] == guid("de-DE")
    rows = client.values("categoryTreeProducts", filter=f"productId eq {guid('A')}")
    assert len(rows) == 2
    response = client.get("languages", filter="color eq 'x'")
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("stored", "is_found"),
    [
        ("2026-11-19T00:00:00Z", True),
        ("2026-11-19T00:00:00.0000000Z", True),
        ("2026-11-19T00:00Z", True),
        ("2026-11-19T02:00:00+02:00", True),
        ("2026-11-19T13:45:00+13:45", True),
        # In text before the boundary, as a moment after it.
        ("2026-11-18T19:00:00-05:00", True),
        ("2026-11-18T12:00:00-12:00", True),
        # In text after the boundary, as a moment before it.
        ("2026-11-19T01:00:00+02:00", False),
        ("2026-11-19T13:44:59.999+13:45", False),
        ("2026-11-18T23:59:59.999Z", False),
        ("2026-11-18T18:59:59-05:00", False),
        (None, False),
    ],
)
@pytest.mark.parametrize(
    "boundary", ["2026-11-19T00:00:00Z", "2026-11-19T05:30:00+05:30"]
)
def test_published_since(client, stored, is_found, boundary):
    for number, status in [("A", "Published"), ("B", "Approved")]:
        client.server.store.put(
            "products", product(number, status=status, lastPublishedOn=stored)
        )
    condition = f"status eq 'Published' and lastPublishedOn ge {boundary}"
    assert client.numbers(filter=condition) == (["A"] if is_found else [])
