"""The forms in which a person enters products and edits them."""

import html
import re

import pytest

from sandbox_site.pim.server import PimServer

from .browser import Browser, chosen, faults, rows, untouched, value_of
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


# Languages


@pytest.fixture
def languages(boots):
    """Care is localizable, and here also the title, the segment and a choice."""
    store = boots.store
    for position, (code, name) in enumerate(
        [("en-US", "English"), ("de-DE", "Deutsch"), ("fr-FR", "Français")]
    ):
        store.put(
            "languages",
            {
                "id": guid(code),
                "languageCode": code,
                "name": name,
                "isDefault": code == "en-US",
                "displaySequence": -position,
            },
        )
    for name in ("productTitle", "urlSegment"):
        store.put(
            "properties",
            {"id": guid(name), "name": name, "isSystemProperty": True}
            | {"isLocalizable": True},
        )
    store.patch(
        "properties",
        guid("Colour"),
        isLocalizable=True,
        translations={"de-DE": {"stringValueBag": ["Moosgrün", "Tinte"]}},
    )
    return boots


def test_translations_are_entered(browser, languages, client):
    enter(browser, Care="Brush.", Colour="Moss")
    path = edit_path(languages, "B-1")
    page = browser.get(path)
    headings = re.findall("<h2>(.*?)</h2>", page)
    assert headings == [
        "Properties",
        "Français (fr-FR)",
        "Deutsch (de-DE)",
        "Assets and related products",
    ]
    labels = re.findall(r">([^<]*) \(de-DE\)</label>", page)
    assert labels == ["Title", "URL segment", "Care of it", "Colour of it"]
    assert 'value="Tinte"' in page
    form = untouched(page)
    form |= {
        "productTitle.de-DE": [" Stiefel eins "],
        "urlSegment.de-DE": ["stiefel-eins"],
        "Care.de-DE": ["Bürsten.\r\nWachsen."],
        "Colour.de-DE": ["Moosgrün"],
    }
    page = browser.submit(path, **form)
    assert "Version 2 was saved" in page
    assert "<h2>Deutsch (de-DE)</h2>" in page
    assert "<td>Stiefel eins</td>" in page
    record = find(languages, "B-1")
    assert record["status"] == "Ready for Approval"
    assert record["translations"] == {
        "de-DE": {
            "productTitle": "Stiefel eins",
            "urlSegment": "stiefel-eins",
            "Care": "Bürsten.\nWachsen.",
            "Colour": "Moosgrün",
        }
    }
    (german,) = client.values(
        f"products/GetInternal(notificationId=null,languageId={guid('de-DE')},"
        "isShowOnlyProductsMissingTranslations=false)"
    )
    assert (german["productTitle"], german["Colour"]) == ("Stiefel eins", "Moosgrün")
    assert "translations" not in german


def test_translations_are_taken_away_and_others_stay(browser, languages):
    enter(browser)
    odd = {"Care": "Soin", "Colour": "Mousse", "more": 5}
    before = {"de-DE": {"Care": "Pflege"}, "fr-FR": odd, "it-IT": {"Care": "Cura"}}
    languages.store.patch("products", find(languages, "B-1")["id"], translations=before)
    path = edit_path(languages, "B-1")
    form = untouched(browser.get(path))
    browser.submit(path, **form)
    assert find(languages, "B-1")["translations"] == before
    browser.submit(path, **{**form, "Care.de-DE": [""], "form-version": ["2"]})
    after = {"fr-FR": odd, "it-IT": {"Care": "Cura"}}
    assert find(languages, "B-1")["translations"] == after


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("urlSegment.de-DE", "a b"),
        ("productTitle.fr-FR", "x" * 256),
        ("Care.de-DE", "a\x1bb"),
        ("Colour.de-DE", "Ink & Co"),
    ],
)
def test_what_is_wrong_with_a_translation(browser, languages, name, text):
    enter(browser)
    path = edit_path(languages, "B-1")
    page = browser.refused(path, **{name: text})
    assert list(faults(page)) == [name]
    assert f'href="#input-{name}"' in page
    assert "translations" not in languages.store.get(
        "products", find(languages, "B-1")["id"]
    )
    assert find(languages, "B-1")["currentVersionNumber"] == 1


def test_no_languages_no_inputs(browser, boots):
    enter(browser)
    page = browser.get(edit_path(boots, "B-1"))
    assert re.findall("<h2>(.*?)</h2>", page) == [
        "Properties",
        "Assets and related products",
    ]


# The end of life, and links


def test_deactivate_on(browser, boots):
    enter(browser)
    path = edit_path(boots, "B-1")
    page = browser.submit(path, deactivateOn="2027-01-31T18:30")
    assert '<th scope="row">Deactivate on (UTC)</th><td>2027-01-31 18:30</td>' in page
    assert find(boots, "B-1")["deactivateOn"] == "2027-01-31T18:30:00Z"
    page = browser.get(path)
    assert value_of(page, "deactivateOn") == "2027-01-31T18:30"
    assert list(faults(browser.refused(path, deactivateOn="soon"))) == ["deactivateOn"]
    browser.submit(path, deactivateOn="")
    assert find(boots, "B-1")["deactivateOn"] is None
    odd = "2027-01-31T18:30:00.5+02:00"
    boots.store.patch("products", find(boots, "B-1")["id"], deactivateOn=odd)
    browser.submit(path, **untouched(browser.get(path)))
    assert find(boots, "B-1")["deactivateOn"] == odd


@pytest.fixture
def linked(browser, boots):
    store = boots.store
    for name in ("front", "back", "manual"):
        store.put("assets", {"id": guid(name), "name": name, "urlLarge": "/assets/x"})
    for name in ("Upsell", "Also"):
        store.put("productRelationships", {"id": guid(name), "name": name})
    for number in ("B-1", "B-2", "B-3"):
        enter(browser, productNumber=number)
    return boots


def ids_of_links(server, set_name, name):
    product = find(server, "B-1")["id"]
    found = server.store.find(set_name, productId=product)
    return [link[name] for link in sorted(found, key=lambda link: link["sortOrder"])]


def test_links_are_entered_and_shown(browser, linked):
    path = edit_path(linked, "B-1")
    upsell = f"related.{guid('Upsell')}"
    page = browser.submit(
        path,
        assets="manual\r\nfront\r\n\r\n manual",
        primaryImageAssetId="front",
        **{upsell: "B-3, B-2,B-3"},
    )
    assert ids_of_links(linked, "productassets", "assetId") == [
        guid("manual"),
        guid("front"),
    ]
    related = ids_of_links(linked, "productRelatedProducts", "relatedProductId")
    assert related == [find(linked, "B-3")["id"], find(linked, "B-2")["id"]]
    assert find(linked, "B-1")["primaryImageAssetId"] == guid("front")
    assert [row[0] for row in rows(page[page.index("<h2>Assets") :])] == [
        "manual",
        "front",
    ]
    assert [row[:3] for row in rows(page[page.index("<h2>Related") :])] == [
        ["B-3", "Boot one", "Upsell"],
        ["B-2", "Boot one", "Upsell"],
    ]
    page = browser.get(path)
    assert chosen(page, "assets") == ["manual\nfront"]
    assert value_of(page, upsell) == "B-3, B-2"
    before = (
        linked.store.find("productassets"),
        linked.store.find("productRelatedProducts"),
    )
    browser.submit(path, **untouched(page))
    assert before == (
        linked.store.find("productassets"),
        linked.store.find("productRelatedProducts"),
    )
    page = browser.submit(path, **{"assets": "", "primaryImageAssetId": "", upsell: ""})
    assert linked.store.find("productassets") == []
    assert linked.store.find("productRelatedProducts") == []
    assert find(linked, "B-1")["primaryImageAssetId"] is None
    assert "It has none." in page


def test_links_to_what_is_not_there(browser, linked):
    linked.store.put("assets", {"name": "back"})
    path = edit_path(linked, "B-1")
    upsell = f"related.{guid('Upsell')}"
    page = browser.refused(
        path,
        **{"assets": "front\nback", "primaryImageAssetId": "none", upsell: "B-2,x"},
    )
    assert faults(page) == {
        "assets": "There is more than one asset “back”.",
        "primaryImageAssetId": "There is no asset “none”.",
        upsell: "There is no product with the number “x”.",
    }
    assert linked.store.find("productassets") == []
    assert linked.store.find("productRelatedProducts") == []


def test_only_addresses_of_the_web_are_linked(browser, linked):
    for name, address in [("front", "javascript:alert(1)"), ("back", None)]:
        linked.store.patch("assets", guid(name), urlLarge=address)
    page = browser.submit(edit_path(linked, "B-1"), assets="front\nback\nmanual")
    assert "javascript:" not in page
    assert '<a href="/assets/x">manual</a>' in page
