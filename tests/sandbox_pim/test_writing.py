import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from .client import Client, error_code
from .records import guid

CREATABLE = {
    "websites": {"name": "Outlet"},
    "languages": {"languageCode": "fr-FR", "name": "Français"},
    "productRelationships": {"name": "Cross sell"},
    "properties": {"name": "fabric", "type": "String", "stringValueBag": ["a", "b"]},
    "templates": {
        "name": "Shirt",
        "parentTemplateId": None,
        "isTemplate": True,
        "kinds": ["Product", "Variant"],
    },
    "templateproperties": {"templateId": guid("t"), "propertyId": guid("p")},
}


@pytest.fixture
def defined(client):
    """A client of a server that has a template and a property."""
    client.server.store.put("templates", {"id": guid("t"), "name": "Coat"})
    client.server.store.put("properties", {"id": guid("p"), "name": "lining"})
    return client


@pytest.mark.parametrize("name", CREATABLE)
def test_create_and_change(defined, name):
    client = defined
    response = client.post(name, CREATABLE[name])
    assert response.status_code == 201, response.text
    created = response.json()
    assert {key: created[key] for key in CREATABLE[name]} == CREATABLE[name]
    assert response.headers["ETag"] == created["@odata.etag"]
    read = client.get(response.headers["Location"])
    assert read.json() == created

    path = f"{name}({created['id']})"
    response = client.patch(path, {"createdBy": "me"})
    assert response.status_code == 204
    assert response.content == b""
    changed = client.get(path).json()
    assert changed["createdBy"] == "me"
    assert changed["@odata.etag"] == response.headers["ETag"] != created["@odata.etag"]


def test_create_with_an_id_of_ones_own(client):
    website = {"id": guid("Mine").upper(), "name": "Mine"}
    assert client.post("websites", website).json()["id"] == guid("Mine")
    response = client.post("websites", website)
    assert response.status_code == 409
    assert error_code(response) == "Conflict"


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("properties", {"name": "fabric"}, {"name": "Fabric"}),
        ("templates", {"name": "Shirt"}, {"name": "Shirt"}),
        ("languages", {"languageCode": "de-DE"}, {"languageCode": "de-de"}),
    ],
)
def test_names_are_unique_and_required(client, name, first, second):
    assert client.post(name, first).status_code == 201
    assert client.post(name, second).status_code == 409
    response = client.post(name, {})
    assert response.status_code == 400
    assert error_code(response) == "MissingProperty"


@pytest.mark.parametrize(
    "name", ["websites", "productRelationships", "properties", "templates"]
)
@pytest.mark.parametrize("values", [{}, {"name": None}, {"name": ""}, {"name": " "}])
def test_a_name_is_required(client, name, values):
    response = client.post(name, values)
    assert response.status_code == 400
    assert error_code(response) == "MissingProperty"
    created = client.post(name, {"name": "x"}).json()
    path = f"{name}({created['id']})"
    assert client.patch(path, {**values, "createdBy": "me"}).status_code == (
        400 if values else 204
    )
    assert client.get(path).json()["name"] == "x"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"propertyId": guid("p")}, "MissingProperty"),
        ({"templateId": guid("t")}, "MissingProperty"),
        ({"templateId": guid("t"), "propertyId": None}, "MissingProperty"),
        ({"templateId": guid("x"), "propertyId": guid("p")}, "UnknownReference"),
        ({"templateId": guid("t"), "propertyId": guid("t")}, "UnknownReference"),
    ],
)
def test_what_is_assigned_must_exist(defined, values, code):
    response = defined.post("templateproperties", values)
    assert response.status_code == 400
    assert error_code(response) == code
    assert defined.values("templateproperties") == []


def test_an_assignment_cannot_be_moved_to_nowhere(defined):
    created = defined.post("templateproperties", CREATABLE["templateproperties"])
    path = f"templateproperties({created.json()['id']})"
    response = defined.patch(path, {"templateId": guid("x")})
    assert error_code(response) == "UnknownReference"
    assert defined.patch(path, {"isRequired": True}).status_code == 204
    assert defined.get(path).json()["templateId"] == guid("t")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "products", "GET"),
        ("POST", "categorytrees", "GET"),
        ("PATCH", "websites", "GET, POST"),
        ("PATCH", f"categorytrees({guid('x')})", "GET"),
        ("POST", f"websites({guid('x')})", "GET, PATCH"),
        ("DELETE", f"products({guid('x')})", "GET, PATCH"),
        ("PUT", f"products({guid('x')})", "GET, PATCH"),
        ("POST", "settings", "GET"),
    ],
)
def test_what_cannot_be_written(client, method, path, allowed):
    response = client.request(method, path, content={})
    assert response.status_code == 405
    assert error_code(response) == "MethodNotAllowed"
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff",
        b'{"name": NaN}',
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b'{"displaySequence": ' + b"9" * 5000 + b"}",
    ],
)
def test_malformed_bodies(client, body):
    response = client.request("POST", "templates", body=body)
    assert response.status_code == 400
    assert error_code(response) == "InvalidBody"
    assert client.server.store.find("templates") == []


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("websites", {"id": "not-a-guid", "name": "x"}),
        ("websites", {"id": 5, "name": "x"}),
        ("websites", {"name": 5}),
        ("websites", {"name": ["x"]}),
        ("websites", {"unheardOf": "x"}),
        ("languages", {"languageCode": "x", "isDefault": "yes"}),
        ("properties", {"name": "x", "stringValueBag": "a~b"}),
        ("properties", {"name": "x", "stringValueBag": [1]}),
        ("properties", {"name": "x", "numberMaxValue": "9"}),
        ("templates", {"name": "x", "kinds": "Product"}),
        ("templates", {"name": "x", "kinds": [1]}),
        ("templates", {"name": "x", "displaySequence": True}),
        ("templates", {"name": "x", "displaySequence": 1.5}),
        ("templates", {"name": "x", "createdOn": "yesterday"}),
        ("templates", {"name": "x", "createdOn": "2026-01-01T00:00:00"}),
        ("templates", {"name": "x", "createdOn": "2026-01-01T00:00:00+0200"}),
        ("templates", {"name": "x", "createdOn": "2026-01-01T00:00:00+15:00"}),
        ("templates", {"name": "x", "createdOn": "20260101T000000Z"}),
        ("templates", {"name": "x", "createdOn": "2026-02-30T00:00:00Z"}),
    ],
)
def test_wrong_types(client, path, content):
    response = client.post(path, content)
    assert response.status_code == 400
    assert error_code(response) == "InvalidProperty"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": guid("other")},
        {"id": None},
        {"status": None, "onHold": "no"},
        {"lastPublishedOn": 5},
        {"color": {"nested": True}},
        {"color": ["Red"]},
        {"not a name": "x"},
        {"translations": {"de-DE": {}}},
        {"@odata.id": "x"},
        {"status": "Published", "publishedVersionNumber": "3"},
    ],
)
def test_wrong_changes_of_a_product(client, shop, changes):
    before = shop.store.get("products", guid("A"))
    response = client.patch(f"products({guid('A')})", changes)
    assert response.status_code == 400
    assert error_code(response) == "InvalidProperty"
    assert shop.store.get("products", guid("A")) == before


def test_edit_a_product(client, shop):
    path = f"products({guid('A')})"
    before = client.get(path).json()
    changes = {"id": guid("A"), "color": "Blau 'é' 💧", "newProperty": 5}
    response = client.patch(path, changes, Prefer="return=representation")
    assert response.status_code == 200
    after = response.json()
    assert after == {
        **before,
        **changes,
        "currentVersionNumber": 4,
        "modifiedOn": after["modifiedOn"],
        "@odata.etag": response.headers["ETag"],
    }
    assert after["@odata.etag"] != before["@odata.etag"]
    assert client.numbers(filter="newProperty eq 5") == ["A"]
    german = shop.store.get("products", guid("A"))["translations"]["de-DE"]
    assert german["color"] == "Rot"


def test_edit_with_a_status(client, shop):
    client.patch(f"products({guid('B')})", {"status": "Approved"})
    product = shop.store.get("products", guid("B"))
    assert (product["status"], product["currentVersionNumber"]) == ("Approved", 4)


def test_acknowledge(client, shop):
    path = f"products({guid('A')})"
    etag = client.get(path).json()["@odata.etag"]
    acknowledgement = {"status": "Published", "publishedVersionNumber": 3}
    assert client.patch(path, acknowledgement, If_Match=etag).status_code == 204
    product = client.get(path).json()
    assert product["status"] == "Published"
    assert product["publishedVersionNumber"] == product["currentVersionNumber"] == 3
    published_on = datetime.fromisoformat(product["lastPublishedOn"])
    assert abs(datetime.now(UTC) - published_on) < timedelta(minutes=1)
    assert product["@odata.etag"] != etag
    assert client.numbers(
        filter="lastPublishedOn ge 2026-02-01T00:00:00Z and status eq 'Published'"
    ) == ["A"]
    # Without If-Match it may be repeated.
    assert client.patch(path, acknowledgement).status_code == 204


@pytest.mark.parametrize("version", [2, 4, 0, -1, 10**30, None])
def test_acknowledge_another_version(client, shop, version):
    response = client.patch(
        f"products({guid('A')})",
        {"status": "Published", "publishedVersionNumber": version},
    )
    assert response.status_code == 412
    assert error_code(response) == "VersionMismatch"
    assert shop.store.get("products", guid("A"))["status"] == "Approved"


@pytest.mark.parametrize(
    "changes",
    [
        {"publishedVersionNumber": 3},
        {"publishedVersionNumber": 3, "status": "Approved"},
        {"publishedVersionNumber": 3, "status": "Published", "color": "x"},
    ],
)
def test_what_is_no_acknowledgement(client, shop, changes):
    response = client.patch(f"products({guid('A')})", changes)
    assert response.status_code == 400
    assert error_code(response) == "InvalidAcknowledgement"


def test_if_match(client, shop):
    path = f"products({guid('A')})"
    etag = client.get(path).headers["ETag"]
    changes = {"color": "Blue"}
    assert client.patch(path, changes, If_Match=f'"x", {etag}').status_code == 204
    response = client.patch(path, changes, If_Match=etag)
    assert response.status_code == 412
    assert error_code(response) == "PreconditionFailed"
    assert client.patch(path, changes, If_Match="*").status_code == 204
    assert shop.store.get("products", guid("A"))["currentVersionNumber"] == 5


def test_changes_of_what_is_gone(client, shop):
    for content in (
        {"status": "Published", "publishedVersionNumber": 3},
        {"color": "x"},
    ):
        response = client.patch(f"products({guid('none')})", content, If_Match='"x"')
        assert response.status_code == 404
        assert error_code(response) == "NotFound"


def test_one_of_many_writers_wins(shop):
    path = f"products({guid('A')})"
    etag = Client(shop).get(path).headers["ETag"]
    statuses = []

    def write():
        client = Client(shop)
        with client.session:
            response = client.patch(path, {"color": "x"}, If_Match=etag)
            statuses.append(response.status_code)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [204] + [412] * 7


def test_a_large_body_is_refused(client):
    body = json.dumps({"name": "x" * 11_000_000}).encode()
    try:
        response = client.request("POST", "websites", body=body)
    except OSError:
        pass  # The server closed the connection before all was sent.
    else:
        assert response.status_code == 413
    assert client.get("websites").json()["value"] == []
