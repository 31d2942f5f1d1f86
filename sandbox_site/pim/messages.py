"""A request and a response, as the rooms behind the HTTP server see them."""

import json
from dataclasses import dataclass, field
from email.message import Message
from typing import Any


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    ``target`` is the raw path and query, as the client sent and signed it.
    ``base_url`` is the server's address without a slash at the end.
    """

    method: str
    target: str
    headers: Message
    body: bytes
    base_url: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BrokenResponse(Response):
    """A response that announces its whole body, and breaks off after half of it."""


def compact_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_response(
    status: int, content: Any, headers: dict[str, str] | None = None
) -> Response:
    return json_text_response(status, compact_json(content), headers)


def json_text_response(
    status: int, text: str, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        status,
        text.encode(),
        "application/json; odata.metadata=minimal; charset=utf-8",
        {"OData-Version": "4.0", **(headers or {})},
    )
