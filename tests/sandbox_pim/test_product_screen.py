"""The forms in which a person enters products and edits them."""

import html
import re

import pytest

from sandbox_site.pim.server import PimServer

from .browser import Browser, chosen, faults, untouched, value_of
from .records import PROPERTIES, guid, product

NASTY = "<script>alert('x')</script>\"&{name}"

# What a person enters, and what the product then has.
ENTERED = {
    "Summary": ("  Dry feet  ", "Dry feet"),
    "Care": ("Brush.\r\nWax.", "Brush.\nWax."),
    "Story": ("<p>Made by <em>hand</em></p>", "<p>Made by <em>hand</em></p>"),
    "Colour": ("Ink & Co", "Ink & Co"),
    "Fit": ("Close", "Close"),
    "Maker": ("Hollis", "Hollis"),
    "Seasons": (["Spring", "Autumn"], "Spring~Autumn"),
    "Tags": ("warm ~ dry ~~warm", "warm~dry"),
    "Price": ("129.50", 129.5),
    "Eyelets": ("12", 12),
    "From": ("2026-03-31", "2026-03-31T00:00:00Z"),
    "Seen": ("2026-03-31T14:30", "2026-03-31T14:30:00Z"),
    "Dry": ("false", False),
}


def enter(browser: Browser, **inputs: object) -> str:
    """Creates a product, and returns its page."""
    form = {
        "form-template": guid("Boot"),
        "productNumber": "B-1",
        "productTitle": "Boot one",
        "primaryCategoryTreeId": guid("boots"),
        **inputs,
    }
    return browser.submit("/products/new", **form)


def refuse(browser: Browser, **inputs: object) -> dict[str, str]:
    form = {
        "form-template": guid("Boot"),
        "productNumber": "B-1",
        "productTitle": "Boot one",
        "primaryCategoryTreeId": guid("boots"),
        **inputs,
    }
    return faults(browser.refused("/products/new", **form))


def find(server: PimServer, number: str) -> dict[str, object]:
    (found,) = server.store.find("products", productNumber=number)
    return found


def test_from_a_template(browser, boots, client):
    page = browser.get("/products/new")
    options = re.findall(r'<option value="([^"]+)">([^<]+)<', page)
    assert options == [
        (guid("Boot"), "Boot (product, variant)"),
        (guid("Goods"), "Goods (product)"),
    ]
    page = browser.get(f"/products/new?template={guid('Boot')}")
    for name in PROPERTIES:
        assert f">{name} of it" in page
        assert f'name="{name}"' in page
    assert "Shoes › Boots" in page
    assert "Told in the shop" in page

    page = enter(browser, **{name: entered for name, (entered, _) in ENTERED.items()})
    assert "The product was created" in page
    assert "<h1>Boot one</h1>" in page
    assert "missing" not in page
    (record,) = client.values("products", expand="categoryTrees")
    assert {name: record[name] for name in ENTERED} == {
        name: value for name, (_, value) in ENTERED.items()
    }
    assert {type(record[name]) for name in ("Price", "Eyelets", "Dry")} == {
        float,
        int,
        bool,
    }
    expected = {
        "productNumber": "B-1",
        "productTitle": "Boot one",
        "urlSegment": None,
        "templateId": guid("Boot"),
        "templateName": "Boot",
        "primaryCategoryTreeId": guid("boots"),
        "primaryCategoryName": "Boots",
        "parentProductId": None,
        "status": "Incomplete",
        "currentVersionNumber": 1,
        "publishedVersionNumber": 0,
        "percentComplete": 100,
        "isVariantParent": False,
    }
    assert {name: record[name] for name in expected} == expected
    assert [link["categoryTreeId"] for link in record["categoryTrees"]] == [
        guid("boots")
    ]
    assert client.get(f"products({record['id']})").status_code == 200


def test_then_it_is_approved(browser, boots, client):
    page = enter(browser)
    assert '<button name="number" value="B-1">Approve</button>' in page
    assert "1 product approved" in browser.submit("/approve", number="B-1")
    assert client.numbers(filter="status eq 'Approved'") == ["B-1"]
    assert ">Approve</button>" not in browser.get(
        f"/products/{find(boots, 'B-1')['id']}"
    )


def test_what_is_empty_has_no_key(browser, boots):
    enter(browser, **dict.fromkeys(ENTERED, ""))
    assert not find(boots, "B-1").keys() & ENTERED.keys()


def test_what_is_required_may_be_missing(browser, boots):
    page = enter(browser, Summary="Warm")
    assert "Required, and missing: Price of it." in page
    assert find(boots, "B-1")["percentComplete"] == 50
    path = f"/products/{find(boots, 'B-1')['id']}/edit"
    assert "missing" not in browser.submit(path, Summary="Warm", Price="0")
    assert find(boots, "B-1")["percentComplete"] == 100


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Summary", "x" * 21),
        ("Summary", "two\r\nlines"),
        ("Care", "a\0b"),
        ("Care", "a\x1bb"),
        ("Colour", "Mauve"),
        ("Colour", "Moss~Ink & Co"),
        ("Fit", "close"),
        ("Seasons", ["Spring", "Winter"]),
        ("Seasons", "Spring~Winter"),
        ("Price", "much"),
        ("Price", "1,50"),
        ("Price", "1.505"),
        ("Price", "NaN"),
        ("Price", "Infinity"),
        ("Price", "1e3"),
        ("Price", "1_000"),
        ("Price", "١٢"),
        ("Price", "9" * 16),
        ("Price", "9" * 100_000),
        ("Eyelets", "1.5"),
        ("From", "31.3.2026"),
        ("From", "2026-02-30"),
        ("From", "2026-03-31T14:30"),
        ("Seen", "soon"),
        ("Seen", "2026-03-31T25:00"),
        ("Seen", "0001-01-01T00:00+14:00"),
        ("Dry", "perhaps"),
        ("productNumber", ""),
        ("productNumber", "x" * 256),
        ("productTitle", " "),
        ("urlSegment", "../up"),
        ("urlSegment", "a b"),
        ("urlSegment", "a?b=c"),
        ("primaryCategoryTreeId", ""),
        ("primaryCategoryTreeId", guid("none")),
        ("primaryCategoryTreeId", "' OR 1=1 --"),
        ("parentVariantProductNumber", "none"),
    ],
)
def test_what_is_wrong_with_an_input(browser, boots, name, text):
    found = refuse(browser, Maker="Hollis", **{name: text})
    assert list(found) == [name]
    assert found[name]
    assert boots.store.find("products") == []
    assert boots.store.find("categoryTreeProducts") == []


def test_what_was_entered_is_kept(browser, boots):
    page = browser.refused(
        "/products/new",
        **{"form-template": guid("Boot")},
        productNumber=NASTY,
        productTitle="",
        primaryCategoryTreeId=guid("boots"),
        Care=f"\r\n{NASTY}",
        Seasons=["Autumn", NASTY],
        Colour=NASTY,
        Dry="true",
        Price="x",
    )
    assert set(faults(page)) == {"productTitle", "Seasons", "Colour", "Price"}
    assert 'href="#input-Price">Price of it</a>' in page
    assert value_of(page, "productNumber") == NASTY
    assert value_of(page, "Price") == "x"
    assert chosen(page, "Care") == [f"\r\n{NASTY}"]
    assert chosen(page, "Seasons") == ["Autumn", NASTY]
    assert chosen(page, "Colour") == [NASTY]
    assert chosen(page, "Dry") == ["true"]
    assert chosen(page, "primaryCategoryTreeId") == [guid("boots")]


def test_a_number_is_taken_once(browser, boots):
    enter(browser)
    assert "productNumber" in refuse(browser)
    assert len(boots.store.find("products")) == 1
    page = enter(browser, productNumber="B-2")
    assert "Boot one" in page
    path = f"/products/{find(boots, 'B-2')['id']}/edit"
    assert "productNumber" in faults(browser.refused(path, productNumber="B-1"))


@pytest.mark.parametrize("template", ["", guid("none"), "x", "../x", NASTY])
def test_an_unknown_template(browser, boots, template):
    response = browser.post("/products/new", **{"form-template": template})
    assert response.status_code == 404
    if template:
        browser.get(f"/products/new?template={template}", status=400)


def test_a_property_cannot_stand_for_what_a_product_has(browser, boots):
    """Names that would overwrite the product's own keys are no inputs."""
    for name in ("Status", "id", "translations", "@odata.etag", "a b"):
        boots.store.put("properties", {"id": guid(f"own {name}"), "name": name})
        boots.store.put(
            "templateproperties",
            {"templateId": guid("Boot"), "propertyId": guid(f"own {name}")},
        )
    enter(browser, Status="Published", id=guid("x"), translations="x")
    record = find(boots, "B-1")
    assert record["status"] == "Incomplete"
    assert record["id"] != guid("x")
    assert not {"Status", "translations", "a b"} & record.keys()
    page = browser.get(f"/products/new?template={guid('Boot')}")
    assert 'name="Status"' not in page


# Variants


def test_a_variant(browser, boots):
    page = enter(browser)
    assert 'href="/products/new?parent=B-1"' in page
    assert value_of(browser.get("/products/new?parent=B-1"), "parent") == "B-1"
    path = f"/products/new?template={guid('Boot')}&parent=B-1"
    assert value_of(browser.get(path), "parentVariantProductNumber") == "B-1"

    before = find(boots, "B-1")
    for number in ("B-1-S", "B-1-L"):
        page = enter(
            browser,
            productNumber=number,
            primaryCategoryTreeId="",
            parentVariantProductNumber="B-1",
        )
    parent, variant = find(boots, "B-1"), find(boots, "B-1-S")
    assert f'<a href="/products/{parent["id"]}">Parent product</a>' in page
    assert variant["parentProductId"] == parent["id"]
    assert variant["parentVariantProductNumber"] == "B-1"
    assert variant["primaryCategoryTreeId"] is variant["primaryCategoryName"] is None
    assert parent["isVariantParent"] is True
    assert parent["defaultChildProductId"] == variant["id"]
    assert parent["currentVersionNumber"] == before["currentVersionNumber"]
    assert parent["status"] == before["status"]
    (link,) = boots.store.find("categoryTreeProducts")
    assert link["productId"] == parent["id"]

    found = refuse(browser, productNumber="B-1-S-X", parentVariantProductNumber="B-1-S")
    assert "is a variant itself" in found["parentVariantProductNumber"]


def test_a_template_is_for_kinds(browser, boots):
    enter(browser)
    goods = {"form-template": guid("Goods"), "productNumber": "G"}
    found = refuse(browser, **goods, parentVariantProductNumber="B-1")
    assert "not for variants" in found["parentVariantProductNumber"]
    boots.store.patch("templates", guid("Goods"), kinds=["Variant"])
    found = refuse(browser, **goods, parentVariantProductNumber="")
    assert "is for variants" in found["parentVariantProductNumber"]
    boots.store.patch("templates", guid("Goods"), kinds=None)
    enter(browser, **goods)


# Edits


def edit_path(server: PimServer, number: str) -> str:
    return f"/products/{find(server, number)['id']}/edit"


def test_edit(browser, boots):
    enter(browser, **{name: entered for name, (entered, _) in ENTERED.items()})
    before = boots.store.patch(
        "products", find(boots, "B-1")["id"], status="Published", note="kept"
    )
    path = edit_path(boots, "B-1")
    form = untouched(browser.get(path))
    form |= {"productTitle": "Boot 1", "Colour": "Moss", "Dry": "", "Seasons": []}
    page = browser.submit(path, **form)
    assert "Version 2 was saved" in page
    after = find(boots, "B-1")
    changed = {
        "productTitle": "Boot 1",
        "Colour": "Moss",
        "status": "Ready for Approval",
        "currentVersionNumber": 2,
        "modifiedOn": after["modifiedOn"],
        "@odata.etag": after["@odata.etag"],
    }
    kept = {name: before[name] for name in before if name not in ("Dry", "Seasons")}
    assert after == {**kept, **changed}
    assert after["@odata.etag"] != before["@odata.etag"]


def test_what_is_not_touched_stays_as_it_is(browser, boots):
    """Also what could not be entered: it is the data of others."""
    odd = {
        "Summary": "longer than twenty characters\nand with a second line",
        "Colour": "Mauve",
        "Seasons": "Winter~Spring",
        "Tags": "b~a",
        "Price": 1090.0,
        "Eyelets": 1.5,
        "From": "2026-03-31T00:00:00+02:00",
        "Seen": "2026-03-31T14:30:15.5+02:00",
        "Dry": "often",
        "urlSegment": "a/b",
        "primaryCategoryTreeId": guid("gone"),
        "Care": " blank ",
        "Maker": 5,
    }
    boots.store.put("products", product("Odd", templateId=guid("Boot"), **odd))
    before = find(boots, "Odd")
    path = edit_path(boots, "Odd")
    page = browser.get(path)
    assert chosen(page, "Colour") == ["Mauve"]
    assert chosen(page, "Seasons") == ["Spring", "Winter"]
    form = untouched(page)
    # As browsers end the lines of a text area.
    form["Summary"] = [odd["Summary"].replace("\n", "\r\n")]
    browser.submit(path, **form)
    after = find(boots, "Odd")
    assert {name: after[name] for name in odd} == odd
    assert after["currentVersionNumber"] == before["currentVersionNumber"] + 1
    assert repr(after["Price"]) == "1090.0"


def test_a_category_and_a_number_that_change(browser, boots):
    enter(browser)
    enter(browser, productNumber="B-1-S", parentVariantProductNumber="B-1")
    store, record = boots.store, find(boots, "B-1")
    store.put(
        "categoryTreeProducts",
        {"categoryTreeId": guid("sale"), "productId": record["id"]},
    )
    path = edit_path(boots, "B-1")
    browser.submit(
        path, productNumber="B-9", primaryCategoryTreeId=guid("shoes"), Summary="x"
    )
    after = find(boots, "B-9")
    assert after["primaryCategoryName"] == "Shoes"
    links = store.find("categoryTreeProducts", productId=record["id"])
    assert {link["categoryTreeId"] for link in links} == {guid("sale"), guid("shoes")}
    variant = find(boots, "B-1-S")
    assert variant["parentVariantProductNumber"] == "B-9"
    assert variant["currentVersionNumber"] == 1


def test_an_edit_of_an_old_version(browser, boots):
    enter(browser, Summary="One")
    path = edit_path(boots, "B-1")
    version = value_of(browser.get(path), "form-version")
    browser.submit(path, **{"form-version": version}, Summary="Two")
    page = browser.refused(path, **{"form-version": version}, Summary="Three")
    assert "Version: It is at 2 by now." in page
    assert value_of(page, "Summary") == "Three"
    assert find(boots, "B-1")["Summary"] == "Two"


@pytest.mark.parametrize("id", [guid("none"), "x", "..%2fx", "%3Cscript%3E"])
def test_an_edit_of_no_product(browser, boots, id):
    browser.get(f"/products/{id}/edit", status=404)
    assert browser.post(f"/products/{id}/edit").status_code == 404


def test_a_product_without_a_template(browser, boots):
    boots.store.put("products", product("Bare"))
    path = edit_path(boots, "Bare")
    page = browser.get(path)
    assert "has no properties yet" in page
    browser.submit(path, productTitle="Bare no more")
    after = find(boots, "Bare")
    assert (after["productTitle"], after["percentComplete"]) == ("Bare no more", 100)


def test_the_forms_are_escaped(browser, boots):
    boots.store.put(
        "products",
        product(NASTY, productTitle=NASTY, templateId=guid("Boot"), templateName=NASTY)
        | dict.fromkeys(PROPERTIES, NASTY)
        | {"Seasons": NASTY, "parentVariantProductNumber": NASTY},
    )
    page = browser.get(f"/products/{guid(NASTY)}/edit")
    assert page.count(html.escape(NASTY)) > 8
