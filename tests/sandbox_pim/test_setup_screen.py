"""The screen on which a person sees and changes how the PIM is set up."""

import html

import pytest
import requests

from .browser import TOKEN, chosen, faults, rows
from .records import PROPERTIES, guid

NASTY = "<script>alert('x')</script>\"&{name}"


def test_an_empty_pim_says_so(browser):
    page = browser.get("/setup")
    for what in (
        "websites",
        "category trees",
        "languages",
        "relationship types",
        "templates",
        "properties",
    ):
        assert f"No {what} yet" in page
    assert "There are none yet" in browser.get("/products/new")


def test_the_navigation(browser, boots):
    def current(path):
        page = browser.get(path)
        return [
            (label, what)
            for label in ("Products", "Setup")
            for what in ("page", "true")
            if f' aria-current="{what}">{label}</a>' in page
        ]

    assert current("/") == [("Products", "page")]
    assert current("/products/new") == [("Products", "true")]
    assert current("/setup") == [("Setup", "page")]
    assert current(f"/setup/trees/{guid('tree')}") == [("Setup", "true")]
    assert current(f"/setup/templates/{guid('Boot')}") == [("Setup", "true")]


def test_what_a_setup_has_created(browser, boots, client):
    client.post("websites", {"id": guid("web"), "name": "Web"})
    client.post("languages", {"languageCode": "de-DE", "name": "Deutsch"})
    client.post(
        "languages", {"languageCode": "en-GB", "name": "English", "isDefault": True}
    )
    client.post("productRelationships", {"id": guid("upsell"), "name": "Upsell"})
    page = browser.get("/setup")
    assert rows(page, "websites") == [["Web", "-", guid("web")]]
    assert rows(page, "trees")[0][:2] == ["Shop tree", "2"]
    assert rows(page, "languages") == [
        ["en-GB", "English", "Yes"],
        ["de-DE", "Deutsch", "No"],
    ]
    assert rows(page, "relationships") == [["Upsell", guid("upsell")]]
    assert rows(page, "templates") == [
        ["Boot", "Product, Variant", "Goods", "13 (2 inherited)"],
        ["Goods", "Product", "-", "2"],
    ]
    properties = {row[0]: row[1:] for row in rows(page, "properties")}
    assert list(properties) == sorted(PROPERTIES, key=str.casefold)
    assert properties["Summary"] == [
        "Summary of it",
        "TextField (String)",
        "20 characters",
        "-",
        "No",
        "No",
        "-",
    ]
    assert properties["Story"][-1] == "Told in the shop"
    assert properties["Price"][2] == "2 decimals"
    assert properties["Colour"][3] == "Moss, Ink & Co"
    assert properties["Care"][5] == "Yes"


def test_the_page_of_a_template(browser, boots):
    path = f"/setup/templates/{guid('Boot')}"
    assert f'<a href="{path}">Boot</a>' in browser.get("/setup")
    page = browser.get(path.replace(guid("Boot"), guid("Boot").upper()))
    assert f'href="/products/new?template={guid("Boot")}"' in page
    properties = rows(page[page.index("<h2>Properties") :])
    assert [row[0] for row in properties[:3]] == ["Summary", "Price", "Care"]
    assert properties[0] == [
        "Summary",
        "Summary of it",
        "TextField (String)",
        "Yes",
        "No",
        "-",
        "Goods",
    ]
    assert properties[2][3:] == ["No", "Yes", "-", "-"]
    assert "Moss, Ink &amp; Co" in page


def test_a_template_that_is_its_own_ancestor(browser, boots, server):
    server.store.patch("templates", guid("Goods"), parentTemplateId=guid("Boot"))
    page = browser.get(f"/setup/templates/{guid('Goods')}")
    assert "13 (11 inherited)" in page


def test_many_values_are_counted(browser, boots, server):
    values = [f"v{number}" for number in range(30)]
    server.store.patch("properties", guid("Colour"), stringValueBag=values)
    page = browser.get("/setup")
    assert "v23 and 6 more" in page
    assert "v24" not in page


def test_a_tree_with_categories(browser, server):
    page = browser.submit("/setup/trees", name="  Shop  ")
    assert "The category tree was created" in page
    (tree,) = server.store.find("categoryTaxonomies")
    assert (tree["name"], tree["websites"]) == ("Shop", [])
    path = f"/setup/trees/{tree['id']}"
    browser.submit(f"{path}/categories", name="Shoes", parent="", segment="")
    (shoes,) = server.store.find("categorytrees")
    page = browser.submit(
        f"{path}/categories", name="Boots", parent=shoes["id"], segment="big-boots"
    )
    browser.submit(f"{path}/categories", name="Belts", parent="", segment="")
    assert "The category was created" in page
    assert rows(page) == [["Shoes", "-", "-"], ["Boots", "Shoes", "big-boots"]]
    (boots,) = server.store.find("categorytrees", name="Boots")
    (belts,) = server.store.find("categorytrees", name="Belts")
    assert boots["parentId"] == shoes["id"]
    assert boots["categoryTaxonomyId"] == tree["id"]
    assert (shoes["displaySequence"], belts["displaySequence"]) == (0, 1)
    assert server.store.get("categorytrees", shoes["id"])["hasChild"] is True
    assert "3" in rows(browser.get("/setup"), "trees")[0]


@pytest.mark.parametrize(
    "name", ["", "  ", "shop TREE", "two\nlines", "a\0b", "x" * 256]
)
def test_a_tree_needs_a_name_of_its_own(browser, boots, server, name):
    page = browser.refused("/setup/trees", name=name)
    assert faults(page)["name"]
    assert html.escape(name.strip("\0")[:1]) in page
    assert len(server.store.find("categoryTaxonomies")) == 1


@pytest.mark.parametrize(
    ("inputs", "at_fault"),
    [
        ({"name": ""}, {"name"}),
        ({"name": "shoes"}, {"name"}),
        ({"name": "x", "parent": guid("none")}, {"parent"}),
        ({"name": "x", "parent": "../x"}, {"parent"}),
        ({"name": "x", "segment": "../x"}, {"segment"}),
        ({"name": "", "segment": "a b", "parent": "?"}, {"name", "segment", "parent"}),
    ],
)
def test_what_is_wrong_with_a_category(browser, boots, server, inputs, at_fault):
    path = f"/setup/trees/{guid('tree')}"
    page = browser.refused(f"{path}/categories", **inputs)
    assert set(faults(page)) == at_fault
    assert f'value="{inputs["name"]}"' in page
    assert "Nothing was saved" in page
    assert len(server.store.find("categorytrees")) == 2


def test_a_parent_in_another_tree(browser, boots, server):
    server.store.put("categoryTaxonomies", {"id": guid("other"), "name": "Other"})
    path = f"/setup/trees/{guid('other')}/categories"
    assert "parent" in faults(browser.refused(path, name="x", parent=guid("shoes")))


def test_the_website_of_a_tree(browser, boots, server):
    store, tree = server.store, guid("tree")
    for name in ("web", "outlet"):
        store.put("websites", {"id": guid(name), "name": name.title()})
    assert "It feeds no website" in browser.get("/setup")

    path = f"/setup/trees/{tree}/website"
    page = browser.submit(path, website=guid("web"))
    assert "It feeds" not in page
    assert f'value="{guid("web")}" selected' in page
    (link,) = store.get("categoryTaxonomies", tree)["websites"]
    assert (link["websiteId"], link["categoryTaxonomyId"]) == (guid("web"), tree)
    assert ["Web", "Shop tree", guid("web")] in rows(page, "websites")

    links = [link, {**link, "websiteId": guid("outlet")}]
    store.patch("categoryTaxonomies", tree, websites=links)
    page = browser.get(f"/setup/trees/{tree}")
    assert "It feeds 2 websites (Web, Outlet)" in page
    assert chosen(page, "website") == ["several"]

    browser.submit(path, website=guid("outlet"))
    (link,) = store.get("categoryTaxonomies", tree)["websites"]
    assert link["websiteId"] == guid("outlet")
    browser.submit(path, website="")
    assert store.get("categoryTaxonomies", tree)["websites"] == []


@pytest.mark.parametrize("website", ["several", guid("none"), "../x", NASTY])
def test_an_unknown_website(browser, boots, server, website):
    before = server.store.get("categoryTaxonomies", guid("tree"))
    page = browser.refused(f"/setup/trees/{guid('tree')}/website", website=website)
    assert "There is no such website" in page
    assert server.store.get("categoryTaxonomies", guid("tree")) == before


@pytest.mark.parametrize("id", [guid("none"), "x", "..%2fx", "%00", "a" * 5000])
@pytest.mark.parametrize("path", ["website", "categories"])
def test_an_unknown_tree(browser, boots, id, path):
    browser.get(f"/setup/trees/{id}", status=404)
    browser.get(f"/setup/templates/{id}", status=404)
    response = browser.post(f"/setup/trees/{id}/{path}", name="x")
    assert response.status_code == 404


def test_everything_is_escaped(browser, boots, server):
    store = server.store
    for set_name in ("websites", "categoryTaxonomies", "productRelationships"):
        store.put(set_name, {"id": guid("nasty"), "name": NASTY})
    store.put("languages", {"languageCode": NASTY, "name": NASTY})
    store.put("categorytrees", {"name": NASTY, "categoryTaxonomyId": guid("nasty")})
    store.patch(
        "properties",
        guid("Colour"),
        name=NASTY,
        displayName=NASTY,
        description=NASTY,
        controlType=NASTY,
        type=NASTY,
        stringValueBag=[NASTY],
    )
    store.patch("templates", guid("Boot"), name=NASTY, kinds=[NASTY])
    escaped = html.escape(NASTY)
    assert browser.get("/setup").count(escaped) > 12
    for path in (f"/setup/trees/{guid('nasty')}", f"/setup/templates/{guid('Boot')}"):
        assert browser.get(path).count(escaped) >= 3
    browser.get(f"/products/new?template={guid('Boot')}")
    assert escaped in browser.refused("/setup/trees", name=NASTY)


WRITES = [
    "/setup/trees",
    f"/setup/trees/{guid('tree')}/website",
    f"/setup/trees/{guid('tree')}/categories",
    "/products/new",
    f"/products/{guid('x')}/edit",
]


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_forms_need_the_token(browser, boots, path, token):
    assert browser.post(path, **{TOKEN: token}, name="x").status_code == 403
    assert browser.post(path, **{TOKEN: token}).status_code == 403


@pytest.mark.parametrize("path", WRITES)
def test_other_methods(boots, path):
    response = requests.request("DELETE", boots.url + path, timeout=10)
    assert response.status_code == 405
    assert requests.post(f"{boots.url}/setup", timeout=10).status_code == 405


@pytest.mark.parametrize("path", WRITES)
def test_forms_of_any_size(browser, boots, path):
    """A form too large or with too many inputs is refused, and the server goes on."""
    large = browser.post(path, name="x" * 9_000_000, website=guid("none"))
    assert large.status_code in (400, 404)
    assert browser.post(path, name=["x"] * 6000).status_code == 400
    try:
        response = browser.post(path, name="x" * 11_000_000)
    except OSError:
        pass  # The server closed the connection before all was sent.
    else:
        assert response.status_code == 413
    assert len(boots.store.find("categoryTaxonomies")) == 1
