"""A client of the PIM that shares no code with the sandbox PIM."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from typing import Any

import requests

from sandbox_site.pim.auth import Key
from sandbox_site.pim.server import PimServer


def authorization(
    key: Key,
    method: str,
    target: str,
    body: bytes = b"",
    *,
    timestamp: int | None = None,
    nonce: str | None = None,
) -> str:
    timestamp = int(time.time() * 1000) if timestamp is None else timestamp
    nonce = nonce or uuid.uuid4().hex
    body_hash = base64.b64encode(hashlib.md5(body).digest()).decode()
    message = f"{key.app_key}{method}{target}{timestamp}{nonce}{body_hash}"
    secret = base64.b64decode(key.secret_key)
    digest = hmac.new(secret, message.encode("utf-8"), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    return f"epi-hmac {key.app_key}:{timestamp}:{nonce}:{signature}"


class Client:
    """Signs each request with the key of the server's store."""

    def __init__(self, server: PimServer, key: Key | None = None) -> None:
        self.server = server
        self.key = key or server.store.credentials().write
        self.session = requests.Session()

    def request(
        self,
        method: str,
        path: str,
        *,
        content: Any = None,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        **options: str,
    ) -> requests.Response:
        """``options`` are query options without their dollar sign."""
        request = requests.Request(
            method,
            path if "://" in path else f"{self.server.url}/odata/{path}",
            params={f"${name}": value for name, value in options.items()},
            data=body if content is None else json.dumps(content).encode(),
            headers=headers or {},
        )
        prepared = self.session.prepare_request(request)
        prepared.headers["Authorization"] = authorization(
            self.key, method, prepared.path_url, prepared.body or b""
        )
        return self.session.send(prepared, timeout=10, allow_redirects=False)

    def get(self, path: str, **options: str) -> requests.Response:
        return self.request("GET", path, **options)

    def patch(self, path: str, content: Any, **headers: str) -> requests.Response:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("PATCH", path, content=content, headers=headers)

    def post(self, path: str, content: Any) -> requests.Response:
        return self.request("POST", path, content=content)

    def values(self, path: str, **options: str) -> list[dict[str, Any]]:
        response = self.get(path, **options)
        assert response.status_code == 200, response.text
        return response.json()["value"]

    def numbers(self, path: str = "products", **options: str) -> list[str]:
        return [product["productNumber"] for product in self.values(path, **options)]


def error_code(response: requests.Response) -> str:
    assert response.headers["Content-Type"].startswith("application/json")
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"]
    return error["code"]
