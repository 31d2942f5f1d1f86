import base64
import hashlib
import hmac
import time
from types import SimpleNamespace

import pytest
import requests

from wagtail_pim.client import auth
from wagtail_pim.client.auth import EpiHmacAuth, decode_secret_key
from wagtail_pim.exceptions import ConfigurationError

from .conftest import APP_KEY, SECRET, SECRET_KEY

URL = "https://pim.example/odata/products"


def signed(method="GET", url=URL, **options):
    signer = EpiHmacAuth(APP_KEY, SECRET)
    return requests.Request(method, url, auth=signer, **options).prepare()


def expected_signature(request, timestamp, nonce, body=b""):
    """The vendor's recipe, written out once more."""
    target = request.url.removeprefix("https://pim.example")
    body_hash = base64.b64encode(hashlib.md5(body).digest()).decode()
    message = APP_KEY + request.method + target + timestamp + nonce + body_hash
    digest = hmac.new(SECRET, message.encode("utf-8"), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    ("method", "options", "body"),
    [
        ("GET", {}, b""),
        ("GET", {"params": {"$filter": "name eq 'Käse & Co'"}}, b""),
        ("GET", {"params": {"$skiptoken": "a+b/c=="}}, b""),
        ("PATCH", {"json": {"status": "Published"}}, b'{"status": "Published"}'),
        ("PATCH", {"data": "Käse".encode()}, "Käse".encode()),
        ("PATCH", {"data": "Käse"}, "Käse".encode()),
    ],
)
def test_signature_covers_what_is_sent(method, options, body):
    request = signed(method, **options)
    scheme, _, credentials = request.headers["Authorization"].partition(" ")
    app_key, timestamp, nonce, signature = credentials.split(":")
    assert (scheme, app_key) == ("epi-hmac", APP_KEY)
    assert signature == expected_signature(request, timestamp, nonce, body)


@pytest.mark.parametrize(
    ("method", "url", "body", "signature"),
    [
        (
            "GET",
            "https://pim.example/odata/products(8a0e)?%24top=1",
            None,
            "YeMJBzDuW6LGdSjtbVyDyd+n8iyBYNjfO+tDNZYi2rI=",
        ),
        (
            "patch",
            "https://pim.example/odata/products(8a0e)?%24top=1",
            b'{"status": "Published"}',
            "fGZNDHI3J/RBs8Z9nW/NmIWv8/RUyj0p2J9Jb1aiOxQ=",
        ),
    ],
)
def test_signature_is_the_one_that_openssl_makes(
    monkeypatch, method, url, body, signature
):
    nonce = "00112233445566778899aabbccddeeff"
    clock = SimpleNamespace(time_ns=lambda: 1_700_000_000_123_456_789)
    monkeypatch.setattr(auth, "time", clock)
    monkeypatch.setattr(auth.uuid, "uuid4", lambda: SimpleNamespace(hex=nonce))
    request = signed(method, url, data=body)
    assert request.headers["Authorization"] == (
        f"epi-hmac {APP_KEY}:1700000000123:{nonce}:{signature}"
    )


def test_timestamp_is_now_in_milliseconds():
    timestamp = int(signed().headers["Authorization"].split(":")[1])
    assert timestamp == pytest.approx(time.time() * 1000, abs=10_000)


def test_every_preparation_has_a_nonce_of_its_own():
    headers = [signed().headers["Authorization"] for _ in range(50)]
    nonces = {header.split(":")[2] for header in headers}
    assert len(nonces) == 50
    assert all(len(nonce) == 32 and int(nonce, 16) >= 0 for nonce in nonces)


def test_secret_key_is_decoded():
    assert decode_secret_key(SECRET_KEY) == SECRET


@pytest.mark.parametrize(
    "secret_key",
    [
        "not base64!",
        "YWJ",
        "YWJj\n",
        " YWJj",
        "YW Jj",
        "a-_b",
        "schlüssel",
        "\ud800",
    ],
)
def test_secret_key_that_is_not_base64_is_a_configuration_error(secret_key):
    with pytest.raises(ConfigurationError, match="is not base64") as error:
        decode_secret_key(secret_key)
    assert "Copy it again" in str(error.value)
    assert secret_key not in str(error.value)


def test_empty_secret_key_is_a_configuration_error():
    with pytest.raises(ConfigurationError, match="empty"):
        decode_secret_key("")


def test_secret_is_in_no_repr():
    assert "secret" not in repr(EpiHmacAuth(APP_KEY, SECRET))
