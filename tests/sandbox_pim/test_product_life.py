"""Products that are archived, reactivated and deleted: on the screen and by command."""

import html

import pytest

from sandbox_site.pim.__main__ import main
from sandbox_site.pim.server import PimServer

from .browser import Browser
from .client import Client
from .records import guid, product


@pytest.fixture
def family(server: PimServer) -> PimServer:
    """A parent with two variants, and a product that is related to one of them."""
    store = server.store
    store.put(
        "products",
        product("P", status="Published", defaultChildProductId=guid("P-1")),
    )
    for number in ("P-1", "P-2"):
        store.put("products", product(number, parentProductId=guid("P")))
    store.put("products", product("Q", status="Published"))
    for number in ("P", "P-1", "P-2", "Q"):
        store.put("productassets", {"productId": guid(number), "assetId": guid("a")})
        store.put(
            "categoryTreeProducts",
            {"productId": guid(number), "categoryTreeId": guid("c")},
        )
    for number, other in [("P", "Q"), ("Q", "P-1"), ("Q", "P-2")]:
        store.put(
            "productRelatedProducts",
            {"productId": guid(number), "relatedProductId": guid(other)},
        )
    return server


def owners(server: PimServer, set_name: str) -> set[str]:
    return {link["productId"] for link in server.store.find(set_name)}


def test_archive_and_reactivate(browser: Browser, family: PimServer) -> None:
    path = f"/products/{guid('P')}"
    before = family.store.get("products", guid("P"))
    assert ">Archive</button>" in browser.get(path)
    page = browser.submit(f"{path}/archive")
    assert "The product was archived" in page
    assert ">Reactivate</button>" in page
    assert ">Archived</span>" in browser.get("/")
    after = family.store.get("products", guid("P"))
    etag = after["@odata.etag"]
    assert etag != before["@odata.etag"]
    changed = {"isArchived": True, "status": "Approved", "@odata.etag": etag}
    assert after == {**before, **changed}

    family.store.patch("products", guid("P"), status="Published")
    page = browser.submit(f"{path}/reactivate")
    assert "The product is back" in page
    after = family.store.get("products", guid("P"))
    assert (after["isArchived"], after["status"]) == (False, "Approved")
    assert ">Archived</span>" not in browser.get("/")


def test_delete_asks_first(browser: Browser, family: PimServer, client: Client) -> None:
    path = f"/products/{guid('P')}"
    assert f'href="{path}/delete"' in browser.get(path)
    page = browser.get(f"{path}/delete")
    assert "Delete P?" in page
    assert "its 2 variants go" in page
    assert len(client.numbers()) == 4
    page = browser.submit(f"{path}/delete")
    assert "P was deleted" in page
    assert client.numbers() == ["Q"]
    browser.get(path, status=404)
    for set_name in ("productassets", "categoryTreeProducts"):
        assert owners(family, set_name) == {guid("Q")}
    assert family.store.find("productRelatedProducts") == []


def test_delete_a_variant(browser: Browser, family: PimServer) -> None:
    path = f"/products/{guid('P-1')}/delete"
    assert "with its links" in browser.get(path)
    browser.submit(path)
    parent = family.store.get("products", guid("P"))
    assert parent["defaultChildProductId"] == guid("P-2")
    assert "its variant goes" in browser.get(f"/products/{guid('P')}/delete")
    browser.submit(f"/products/{guid('P-2')}/delete")
    parent = family.store.get("products", guid("P"))
    assert parent["defaultChildProductId"] is None
    (link,) = family.store.find("productRelatedProducts")
    assert link["relatedProductId"] == guid("Q")


def test_delete_is_escaped(browser: Browser, server: PimServer) -> None:
    nasty = "<script>alert('x')</script>\"&{number}"
    server.store.put("products", product(nasty))
    page = browser.get(f"/products/{guid(nasty)}/delete")
    assert html.escape(nasty) in page
    assert html.escape(nasty) in browser.submit(f"/products/{guid(nasty)}/delete")


@pytest.mark.parametrize("action", ["archive", "reactivate", "delete"])
def test_no_end_without_the_token_or_a_product(
    browser: Browser, family: PimServer, action: str
) -> None:
    before = family.store.find("products")
    forged = {"form-token": "forged"}
    assert browser.post(f"/products/{guid('P')}/{action}", **forged).status_code == 403
    for key in (guid("none"), "x"):
        assert browser.post(f"/products/{key}/{action}").status_code == 404
    assert family.store.find("products") == before


def test_actions_are_posts(browser: Browser, family: PimServer) -> None:
    for action in ("archive", "reactivate"):
        browser.get(f"/products/{guid('P')}/{action}", status=405)
    browser.get(f"/products/{guid('none')}/delete", status=404)


def test_a_product_without_a_number(browser: Browser, server: PimServer) -> None:
    server.store.put("products", product("N", productNumber=None))
    assert browser.post(f"/products/{guid('N')}/delete").status_code == 409
    assert len(server.store.find("products")) == 1


def test_commands(family: PimServer, capsys: pytest.CaptureFixture[str]) -> None:
    database = f"--database={family.store.path}"
    assert main(["archive", "P-1", "P-2", database]) == 0
    assert capsys.readouterr().out == "2 products archived.\n"
    assert len(family.store.find("products", isArchived=True, status="Approved")) == 2
    assert main(["reactivate", "P-1", database]) == 0
    assert capsys.readouterr().out == "1 product reactivated.\n"
    assert family.store.get("products", guid("P-1"))["isArchived"] is False
    assert main(["delete", "P", database]) == 0
    assert capsys.readouterr().out == "3 products deleted.\n"
    assert len(family.store.find("products")) == 1


@pytest.mark.parametrize("command", ["archive", "reactivate", "delete"])
def test_commands_of_an_unknown_product(
    family: PimServer, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    before = family.store.find("products")
    database = f"--database={family.store.path}"
    assert main([command, "P", "none", database]) == 1
    assert "no product with the number none" in capsys.readouterr().err
    assert family.store.find("products") == before
