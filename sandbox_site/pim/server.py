"""The HTTP server: sockets, bodies, the request log, and the faults of tests.

The standard library's server is used because it hands over the raw request target,
over which clients sign, and lets a fault close a connection midway.
"""

import contextlib
import logging
import mimetypes
import os
import re
import socket
import socketserver
import sys
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import unquote

from . import api, screen
from .errors import ODataError, SandboxError
from .faults import Fault, Faults
from .markup import error_page
from .messages import BrokenResponse, Request, Response
from .store import Store

logger = logging.getLogger(__name__)

_ASSETS = "/assets/"
_UNKNOWN_TYPE = "application/octet-stream"
# The same on all machines, and what not all versions of Python know.
_CONTENT_TYPES = mimetypes.MimeTypes()
for _suffix, _type in {
    ".avif": "image/avif",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".heic": "image/heic",
    ".pptx": "application/vnd.openxmlformats-officedocument"
    ".presentationml.presentation",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}.items():
    _CONTENT_TYPES.add_type(_type, _suffix)

_LARGEST_BODY = 10 * 1024 * 1024
_IDLE_TIMEOUT = 120


class LoggedRequest(NamedTuple):
    """A request that was handled; no status where no answer was sent."""

    method: str
    target: str
    status: int | None


class PimServer:
    """The sandbox PIM on a port, served from a thread while in its ``with`` block.

    Port 0 takes a free one. ``environment`` is the Active Publishing Environment;
    None makes the PIM one that does not serve its settings. It may be changed while
    the server runs.
    """

    def __init__(
        self,
        database: str | os.PathLike[str],
        host: str = "127.0.0.1",
        port: int = 0,
        environment: str | None = "Sandbox",
    ) -> None:
        self.store = Store(database)
        self.faults = Faults()
        self.requests: deque[LoggedRequest] = deque(maxlen=100_000)
        self._api = api.Api(self.store, environment)
        self._screen = screen.Screen(self.store)
        try:
            self._http = _HttpServer((host, port), self)
        except OSError as error:
            self.store.close()
            message = f"Cannot listen on {host}:{port}: {error.strerror or error}."
            raise SandboxError(message) from error
        self.url = f"http://{host}:{self._http.server_address[1]}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}
        )

    @property
    def environment(self) -> str | None:
        return self._api.environment

    @environment.setter
    def environment(self, environment: str | None) -> None:
        self._api.environment = environment

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.close_connections()
        self._http.server_close()
        self.store.close()

    def answer(self, request: Request) -> Response | None:
        """The answer to a request, or None where its connection is to be closed."""
        response = self._answer(request)
        status = response.status if response else None
        self.requests.append(LoggedRequest(request.method, request.target, status))
        return response

    def _answer(self, request: Request) -> Response | None:
        try:
            if request.path.startswith(api.ROOT):
                # Before the faults: a retry after one must be signed anew.
                self._api.authenticate(request)
            for fault in self.faults.due(request.method, request.target):
                if fault.kind != "call":
                    return self._break(request, fault)
                fault.callback()
            return self._handle(request)
        except ODataError as error:
            return error.response()
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return ODataError(
                500, "InternalServerError", "The sandbox PIM failed; its log says why."
            ).response()

    def _handle(self, request: Request) -> Response:
        if request.path.startswith(api.ROOT):
            return self._api.handle(request)
        if request.path.startswith(_ASSETS):
            return _asset(self.store.images, request)
        return self._screen.handle(request)

    def _break(self, request: Request, fault: Fault) -> Response | None:
        if fault.kind == "status":
            return ODataError(
                fault.status, "InjectedFault", "This is a fault.", fault.headers
            ).response()
        if fault.kind == "drop":
            return None
        response = self._handle(request)
        if fault.kind == "lose":
            return None
        body, half = response.body, len(response.body) // 2
        if fault.kind == "truncate":
            return Response(
                response.status, body[:half], response.content_type, response.headers
            )
        return BrokenResponse(
            response.status, body, response.content_type, response.headers
        )


def _asset(folder: Path, request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        return error_page(405, "A file can only be read.")
    name = unquote(request.path.removeprefix(_ASSETS))
    try:
        path = (folder / name).resolve()
        if path.is_relative_to(folder.resolve()) and path.is_file():
            return Response(200, path.read_bytes(), _content_type(path.name))
    except (OSError, ValueError) as error:
        logger.info("No file can be called %r: %s", name, error)
    return error_page(404, "There is no such file.")


def _content_type(file_name: str) -> str:
    content_type, encoding = _CONTENT_TYPES.guess_type(file_name)
    # What is compressed is not of the type that it has inside.
    return content_type if content_type and not encoding else _UNKNOWN_TYPE


class _HttpServer(ThreadingHTTPServer):
    """Threads that end when the server does: it closes the connections they serve."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], pim: PimServer) -> None:
        self.pim = pim
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the look-up of the host's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exception(), ConnectionError | TimeoutError):
            logger.debug("The connection of %s broke off", client_address)
        else:
            logger.exception("The connection of %s failed", client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_TIMEOUT
    server_version = "SandboxPIM"
    sys_version = ""
    server: _HttpServer

    def respond(self) -> None:
        try:
            request = self._request()
        except ODataError as error:
            # What is left of the request cannot be told from the next one.
            self.close_connection = True
            self._send(error.response())
            return
        response = self.server.pim.answer(request)
        if response is None:
            self.close_connection = True
        else:
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = respond  # noqa: N815

    def _request(self) -> Request:
        # self.path is not what the client sent: it has no leading double slash.
        target = self.requestline.split()[1]
        host = self.headers.get("Host", "")
        base_url = self.server.pim.url
        if re.fullmatch(r"[\w.:\[\]-]+", host, re.ASCII):
            base_url = f"http://{host}"
        return Request(self.command, target, self.headers, self._body(), base_url)

    def _body(self) -> bytes:
        if "Transfer-Encoding" in self.headers:
            raise ODataError(411, "LengthRequired", "Send a Content-Length.")
        length = self.headers.get("Content-Length", "0")
        if not re.fullmatch(r"[0-9]{1,18}", length):
            raise ODataError(400, "InvalidLength", "Content-Length is not a number.")
        if int(length) > _LARGEST_BODY:
            raise ODataError(413, "TooLarge", "The body is larger than 10 MB.")
        return self.rfile.read(int(length))

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        if response.content_type:
            self.send_header("Content-Type", response.content_type)
        self.send_header("X-Content-Type-Options", "nosniff")
        for name, value in response.headers.items():
            self.send_header(name, value)
        body = response.body
        if response.status != 204:
            self.send_header("Content-Length", str(len(body)))
        if isinstance(response, BrokenResponse):
            self.close_connection = True
            body = body[: len(body) // 2]
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        # Escaped, lest a request writes lines of its own into the log.
        logger.info("%s", (format % args).encode("unicode_escape").decode())
