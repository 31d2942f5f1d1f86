from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox_site.pim.server import PimServer

from .browser import Browser
from .client import Client
from .records import definitions, guid, product


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PimServer]:
    monkeypatch.delenv("PIM_APP_KEY", raising=False)
    monkeypatch.delenv("PIM_SECRET_KEY", raising=False)
    with PimServer(database=tmp_path / "pim.sqlite3") as server:
        yield server


@pytest.fixture
def client(server: PimServer) -> Iterator[Client]:
    client = Client(server)
    with client.session:
        yield client


@pytest.fixture
def shop(server: PimServer) -> PimServer:
    """A server with a parent, its variant, and a third product beside them."""
    store = server.store
    for record in (
        product(
            "A",
            color="Red",
            weight=1.5,
            washable=True,
            lastPublishedOn="2026-01-10T00:00:00Z",
            translations={
                "de-DE": {"productTitle": "Überschrift von A", "color": "Rot"}
            },
        ),
        product("B", status="Published", parentProductId=guid("A"), weight=10),
        product("C", status="New", color="it's «blau» 'n' 💧", onHold=True),
    ):
        store.put("products", record)
    for code in ("en-US", "de-DE"):
        store.put("languages", {"id": guid(code), "languageCode": code, "name": code})
    for category, number in [("lamps", "A"), ("sale", "A"), ("sale", "C")]:
        store.put("categorytrees", {"id": guid(category), "name": category})
        store.put(
            "categoryTreeProducts",
            {"categoryTreeId": guid(category), "productId": guid(number)},
        )
    store.put("websites", {"id": guid("web"), "name": "Web"})
    store.put(
        "categoryTaxonomies",
        {
            "id": guid("taxonomy"),
            "name": "Master",
            "websites": [{"id": guid("link"), "websiteId": guid("web")}],
        },
    )
    store.put(
        "assets",
        {
            "id": guid("picture"),
            "name": "picture",
            "urlLarge": "/assets/picture.png",
            "urlMedium": "/assets/picture.png",
            "urlSmall": "https://elsewhere.example/picture.png",
        },
    )
    store.put("productassets", {"assetId": guid("picture"), "productId": guid("A")})
    store.put("productRelationships", {"id": guid("upsell"), "name": "Upsell"})
    store.put(
        "productRelatedProducts",
        {
            "productId": guid("A"),
            "relatedProductId": guid("C"),
            "productRelationshipId": guid("upsell"),
            "sortOrder": 0,
        },
    )
    return server


@pytest.fixture
def browser(server: PimServer) -> Browser:
    return Browser(server)


@pytest.fixture
def boots(server: PimServer, client: Client) -> PimServer:
    """A server with a template of every control, made as a site's setup makes it."""
    for set_name, record in definitions():
        response = client.post(set_name, record)
        assert response.status_code == 201, response.text
    store = server.store
    store.put("categoryTaxonomies", {"id": guid("tree"), "name": "Shop tree"})
    for name, parent in [("shoes", None), ("boots", "shoes")]:
        store.put(
            "categorytrees",
            {
                "id": guid(name),
                "name": name.title(),
                "categoryTaxonomyId": guid("tree"),
                "parentId": parent and guid(parent),
            },
        )
    return server
