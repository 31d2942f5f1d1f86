import gzip
import json
import sqlite3
import stat

import pytest

from sandbox_site.pim.errors import ConflictError, SandboxError, UnknownProductsError
from sandbox_site.pim.store import Store

from .client import Client
from .records import guid, product


@pytest.fixture
def path(tmp_path):
    return tmp_path / "var" / "pim.sqlite3"


@pytest.fixture
def store(path):
    with Store(path) as store:
        yield store


@pytest.fixture
def folder(tmp_path):
    """A data folder with one picture."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "one.png").write_bytes(b"one")
    picture = {"id": guid("one"), "urlLarge": "images/one.png", "urlMedium": None}
    (folder / "assets.jsonl").write_text(json.dumps(picture) + "\n\n")
    with gzip.open(folder / "products.jsonl.gz", "wt", encoding="utf-8") as file:
        for number in ("A", "É"):
            print(json.dumps(product(number), ensure_ascii=False), file=file)
    return folder


def test_credentials_are_random_kept_and_private(store, path, tmp_path):
    write, read_only = store.credentials()
    assert (write.read_only, read_only.read_only) == (False, True)
    assert len({write.app_key, read_only.app_key}) == 2
    assert len(write.secret) == len(read_only.secret) == 32
    with Store(path) as again, Store(tmp_path / "other") as other:
        assert again.credentials() == (write, read_only)
        assert other.credentials().write != write
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_credentials_of_the_environment(path, monkeypatch):
    monkeypatch.setenv("PIM_APP_KEY", "app")
    monkeypatch.setenv("PIM_SECRET_KEY", "c2VjcmV0")
    with Store(path) as store:
        key = store.credentials().write
        assert (key.app_key, key.secret_key, key.secret) == (
            "app",
            "c2VjcmV0",
            b"secret",
        )
        assert store.credentials().read_only.app_key != "app"
    monkeypatch.setenv("PIM_APP_KEY", "changed")
    with Store(path) as store:
        assert store.credentials().write == key


@pytest.mark.parametrize(
    ("app_key", "secret_key", "message"),
    [
        ("", "c2VjcmV0", "PIM_APP_KEY"),
        ("a:b", "c2VjcmV0", "PIM_APP_KEY"),
        ("app", "", "PIM_SECRET_KEY"),
        ("app", "no base64!", "PIM_SECRET_KEY"),
        ("app", "é", "PIM_SECRET_KEY"),
    ],
)
def test_bad_credentials(path, monkeypatch, app_key, secret_key, message):
    monkeypatch.setenv("PIM_APP_KEY", app_key)
    monkeypatch.setenv("PIM_SECRET_KEY", secret_key)
    with pytest.raises(SandboxError, match=message):
        Store(path)


def test_not_a_database(tmp_path):
    path = tmp_path / "text"
    path.write_text("This is not a database, but a text of some length.")
    with pytest.raises(SandboxError, match="cannot be used"):
        Store(path)
    with pytest.raises(SandboxError, match="cannot be used"):
        Store(tmp_path)


def test_load_a_folder(server, folder):
    store = server.store
    assert store.is_empty()
    store.load_folder(folder)
    assert not store.is_empty()
    assert {record["productNumber"] for record in store.find("products")} == {"A", "É"}
    client = Client(server)
    with client.session:
        (asset,) = client.values("assets")
        assert client.session.get(asset["urlLarge"], timeout=10).content == b"one"
        assert asset["urlMedium"] is None


def test_the_pictures_outlive_the_folder(store, folder):
    store.load_folder(folder)
    (folder / "images" / "one.png").unlink()
    assert (store.images / "one.png").read_bytes() == b"one"


def test_only_an_empty_database_is_filled(store, folder):
    store.load_folder(folder)
    for fill in (lambda: store.load_folder(folder), lambda: store.generate(5)):
        with pytest.raises(SandboxError, match="nothing was loaded"):
            fill()
    assert len(store.find("products")) == 2


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"{}", b'{"id": null}', b'{"id": "x"}', b'{"id": 5}', b"\xff"],
)
def test_a_broken_folder_leaves_nothing(store, folder, line):
    with (folder / "templates.jsonl").open("wb") as file:
        file.write(b"\n" + line + b"\n")
    with pytest.raises(SandboxError, match="templates"):
        store.load_folder(folder)
    assert store.is_empty()


def test_a_folder_without_data(store, tmp_path):
    with pytest.raises(SandboxError, match="no folder"):
        store.load_folder(tmp_path / "none")
    with pytest.raises(SandboxError, match="has no data"):
        store.load_folder(tmp_path)


def test_records(store):
    record = store.put("products", {"productNumber": "A", "translations": {"de": {}}})
    assert store.get("products", record["id"].upper()) == record
    assert store.find("products", productNumber="A") == [record]
    assert store.find("products", productNumber="B") == []
    changed = store.patch("products", record["id"], color="Red", onHold=True)
    assert changed == {
        **record,
        "color": "Red",
        "onHold": True,
        "@odata.etag": changed["@odata.etag"],
    }
    assert changed["@odata.etag"] != record["@odata.etag"]
    assert store.find("products", onHold=True, color="Red") == [changed]
    assert store.delete("products", record["id"])
    assert not store.delete("products", record["id"])
    assert store.get("products", record["id"]) is None
    assert store.patch("products", record["id"], color="Red") is None


def test_insert(store):
    store.insert("templates", {"id": guid("a"), "name": "Shirt"})
    with pytest.raises(ConflictError):
        store.insert("templates", {"name": "shirt"})
    with pytest.raises(ConflictError):
        store.insert("templates", {"id": guid("a").upper(), "name": "Other"})
    assert len(store.find("templates")) == 1


def test_a_failed_update_changes_nothing(store):
    record = store.put("products", product("A"))

    def fail(record):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.update("products", record["id"], fail)
    assert store.get("products", record["id"]) == record
    assert store.patch("products", record["id"], color="Red")


def test_approve(store):
    for number, status in [("A", "New"), ("B", "Published"), ("C", "Approved")]:
        store.put("products", product(number, status=status, text="é {}"))
    with pytest.raises(UnknownProductsError) as error:
        store.approve(["A", "Z", "Y"])
    assert error.value.numbers == ["Y", "Z"]
    assert store.get("products", guid("A"))["status"] == "New"
    before = store.get("products", guid("A"))
    assert store.approve(["A", "A"]) == 1
    after = store.get("products", guid("A"))
    etag = after["@odata.etag"]
    assert after == {**before, "status": "Approved", "@odata.etag": etag}
    assert etag != before["@odata.etag"]
    assert store.approve([]) == 0
    assert store.approve_all() == 1
    assert store.approve_all() == 0


def test_generate(store, tmp_path):
    store.generate(600)
    products = store.find("products")
    assert len(products) == 600
    assert {record["status"] for record in products} == {"Approved"}
    variants = [record for record in products if record["parentProductId"]]
    assert len(variants) == 200
    parents = {record["id"] for record in products if record["isVariantParent"]}
    assert {record["parentProductId"] for record in variants} == parents
    assert len({record["controlType"] for record in store.find("properties")}) == 10
    (website,) = store.find("websites")
    (taxonomy,) = store.find("categoryTaxonomies")
    assert [link["websiteId"] for link in taxonomy["websites"]] == [website["id"]]
    categories = {record["id"]: record for record in store.find("categorytrees")}

    def depth(record):
        parent = record["parentId"]
        return 1 + (depth(categories[parent]) if parent else 0)

    assert {depth(record) for record in categories.values()} == {1, 2, 3}
    assert {record["primaryCategoryTreeId"] for record in products} <= set(categories)
    for asset in store.find("assets"):
        picture = store.images / asset["urlLarge"].removeprefix("/assets/")
        assert picture.read_bytes().startswith(b"\x89PNG")
    with Store(tmp_path / "other") as other:
        other.generate(600)
        without_etag = [
            [
                {key: value for key, value in record.items() if key != "@odata.etag"}
                for record in records
            ]
            for records in (products, other.find("products"))
        ]
        assert without_etag[0] == without_etag[1]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_generate_few(store, count):
    store.generate(count)
    products = {record["id"]: record for record in store.find("products")}
    assert len(products) == count
    for record in products.values():
        assert record["defaultChildProductId"] in {None, *products}


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        ("json_extract(it.document, '$.\"status\"') IS 'x' ORDER BY id", "status"),
        (
            "json_extract(it.document, '$.\"status\"') IS 'x' AND"
            " julianday(json_extract(it.document, '$.\"lastPublishedOn\"'))"
            " >= julianday('2026-11-19T00:00:00Z')",
            "status lastPublishedOn",
        ),
        ("json_extract(it.document, '$.\"productNumber\"') = 'x'", "productNumber"),
        ("json_extract(it.document, '$.\"parentProductId\"') = 'x'", "parentProductId"),
    ],
)
def test_queries_use_the_indexes(store, path, sql, index):
    connection = sqlite3.connect(path)
    plan = connection.execute(
        f"EXPLAIN QUERY PLAN SELECT 1 FROM products AS it WHERE {sql}"
    ).fetchall()
    connection.close()
    assert f"products_{index}" in plan[0][3]
    assert len(plan) == 1
