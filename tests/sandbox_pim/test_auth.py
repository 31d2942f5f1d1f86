import base64
import logging
import time
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import requests

from sandbox_site.pim.auth import Key
from sandbox_site.pim.server import PimServer

from .client import Client, authorization, error_code
from .records import guid

MINUTE = 60 * 1000


def send(server: PimServer, header: str | None, target: str) -> requests.Response:
    headers = {} if header is None else {"Authorization": header}
    return requests.get(server.url + target, headers=headers, timeout=10)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "MissingSignature"),
        ("", "MissingSignature"),
        ("Bearer secret", "MalformedSignature"),
        ("epi-hmac a:b", "MalformedSignature"),
        ("epi-hmac key:now:nonce:c2ln", "MalformedSignature"),
        ("epi-hmac key:" + "9" * 5000 + ":nonce:c2ln", "MalformedSignature"),
        ("epi-hmac key:\u00b2:nonce:c2ln", "MalformedSignature"),
        ("epi-hmac key:1:nonce:c2ln", "UnknownAppKey"),
    ],
)
def test_unsigned_requests(server, header, code):
    header = header and header.encode("utf-8").decode("latin-1")
    response = send(server, header, "/odata/products")
    assert response.status_code == 401
    assert error_code(response) == code
    sent_at = parsedate_to_datetime(response.headers["Date"]).timestamp()
    assert abs(sent_at - time.time()) < 60


def test_a_signature_is_good_once(server):
    target = "/odata/products?$top=1"
    header = authorization(server.store.credentials().write, "GET", target)
    assert send(server, header, target).status_code == 200
    response = send(server, header, target)
    assert response.status_code == 401
    assert error_code(response) == "ReusedNonce"


@pytest.mark.parametrize("signed", ["/odata/products", "/odata/websites?$top=1"])
def test_the_signature_covers_path_and_query(server, signed):
    header = authorization(server.store.credentials().write, "GET", signed)
    response = send(server, header, "/odata/websites")
    assert response.status_code == 401
    assert error_code(response) == "InvalidSignature"


def test_the_signature_covers_method_and_body(server):
    key = server.store.credentials().write
    target = "/odata/websites"
    for header in (
        authorization(key, "GET", target, b'{"name": "A"}'),
        authorization(key, "POST", target, b'{"name": "B"}'),
    ):
        response = requests.post(
            server.url + target,
            data=b'{"name": "A"}',
            headers={"Authorization": header},
            timeout=10,
        )
        assert error_code(response) == "InvalidSignature"
    assert server.store.find("websites") == []


def test_the_target_is_signed_as_it_is_encoded(server):
    """Two encodings of one address are two targets."""
    key = server.store.credentials().write
    target = "/odata/products?$filter=productNumber%20eq%20%27%C3%A9%27"
    header = authorization(key, "GET", target)
    assert send(server, header, target).status_code == 200
    header = authorization(key, "GET", target)
    response = send(server, header, target.replace("$", "%24"))
    assert error_code(response) == "InvalidSignature"


def test_a_double_slash_is_signed_as_sent(server):
    header = authorization(server.store.credentials().write, "GET", "//odata/products")
    # Some versions of requests send one slash.
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    connection.request("GET", "//odata/products", headers={"Authorization": header})
    assert connection.getresponse().status == 404
    connection.close()


def test_wrong_secret(server):
    key = server.store.credentials().write
    other = Key(key.app_key, base64.b64encode(b"other").decode(), read_only=False)
    header = authorization(other, "GET", "/odata/products")
    assert error_code(send(server, header, "/odata/products")) == "InvalidSignature"


@pytest.mark.parametrize(
    ("minutes", "status"), [(-6, 401), (-4, 200), (4, 200), (6, 401)]
)
def test_clock(server, minutes, status):
    timestamp = int(time.time() * 1000) + minutes * MINUTE
    key = server.store.credentials().write
    header = authorization(key, "GET", "/odata/products", timestamp=timestamp)
    response = send(server, header, "/odata/products")
    assert response.status_code == status
    if status == 401:
        assert error_code(response) == "ClockSkew"


def test_the_read_only_key_reads_only(shop):
    client = Client(shop, shop.store.credentials().read_only)
    assert client.get("products").status_code == 200
    for method, path in [
        ("POST", "websites"),
        ("PATCH", f"products({guid('A')})"),
        ("DELETE", f"products({guid('A')})"),
    ]:
        response = client.request(method, path, content={"name": "X"})
        assert response.status_code == 403
        assert error_code(response) == "ReadOnlyKey"


def test_no_secret_in_logs_and_representations(client, caplog):
    caplog.set_level(logging.DEBUG)
    client.get("products")
    for key in client.server.store.credentials():
        assert key.secret_key not in caplog.text + repr(key)
    assert "products" in caplog.text
    assert "epi-hmac" not in caplog.text
