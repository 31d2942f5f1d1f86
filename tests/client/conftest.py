"""Two PIMs to talk to: the sandbox's, and one that answers whatever a test scripts."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

import pytest
import tenacity.nap

from sandbox_site.pim.server import PimServer
from wagtail_pim.client.client import PimClient
from wagtail_pim.client.options import ConnectionOptions
from wagtail_pim.client.transport import RetryPolicy, Transport

APP_KEY = "the-app-key"
SECRET = b"the secret that nobody may see"
SECRET_KEY = base64.b64encode(SECRET).decode()


def guid(name: str) -> UUID:
    """The Guid of the record that a test calls by this name."""
    return uuid5(NAMESPACE_DNS, name)


def product(name: str, **properties: Any) -> dict[str, Any]:
    """A product as it comes over the wire."""
    return {
        "id": str(guid(name)),
        "productNumber": name,
        "productTitle": f"Title of {name}",
        "status": "Approved",
        "currentVersionNumber": 3,
        **properties,
    }


def options_for(address: str, **changes: Any) -> ConnectionOptions:
    options = {
        "environment": "Sandbox",
        "app_key": APP_KEY,
        "secret_key": SECRET_KEY,
        "number_of_lookback_days": 5,
        "api_address": address,
    }
    return ConnectionOptions.checked(**{**options, **changes})


@dataclass(frozen=True)
class Answer:
    """``body`` other than bytes is sent as JSON; ``status`` None closes the line."""

    status: int | None = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body).encode()


DROP = Answer(status=None)


@dataclass(frozen=True)
class Received:
    method: str
    target: str
    headers: Any
    body: bytes

    @property
    def authorization(self) -> str | None:
        return self.headers["Authorization"]

    @property
    def nonce(self) -> str:
        return self.authorization.split(":")[2]


class ScriptedServer:
    """Gives the answers of ``script`` in turn, the last one again and again."""

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.respond: Callable[[Received], Answer] = lambda request: Answer()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.host = f"127.0.0.1:{self._http.server_address[1]}"
        self.url = f"http://{self.host}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}
        )

    def script(self, *answers: Answer) -> None:
        remaining = list(answers)
        self.respond = lambda request: (
            remaining.pop(0) if len(remaining) > 1 else remaining[0]
        )

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def respond(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                target = self.requestline.split()[1]
                request = Received(self.command, target, self.headers, body)
                server.requests.append(request)
                answer = server.respond(request)
                if answer.status is None:
                    return
                content = answer.content()
                headers = {"Content-Length": str(len(content)), **answer.headers}
                self.send_response_only(answer.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = respond  # noqa: N815

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def other_host() -> Iterator[ScriptedServer]:
    """A server that is not the PIM: another port is another origin."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between attempts in seconds, taken down instead of waited."""
    waits: list[float] = []
    monkeypatch.setattr(tenacity.nap, "time", SimpleNamespace(sleep=waits.append))
    return waits


@pytest.fixture
def transport(scripted: ScriptedServer, waits: list[float]) -> Transport:
    """To the scripted server."""
    return Transport(options_for(scripted.url), RetryPolicy(read_timeout=5))


@pytest.fixture
def pim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PimServer]:
    monkeypatch.delenv("PIM_APP_KEY", raising=False)
    monkeypatch.delenv("PIM_SECRET_KEY", raising=False)
    with PimServer(database=tmp_path / "pim.sqlite3") as server:
        yield server


def transport_to(pim: PimServer, *, read_only: bool = False) -> Transport:
    credentials = pim.store.credentials()
    key = credentials.read_only if read_only else credentials.write
    options = options_for(pim.url, app_key=key.app_key, secret_key=key.secret_key)
    return Transport(options, RetryPolicy(read_timeout=5))


@pytest.fixture
def client(pim: PimServer, waits: list[float]) -> PimClient:
    """Of the sandbox PIM."""
    return PimClient(transport_to(pim))
