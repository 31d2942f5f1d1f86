"""A server of files that minds no rules: it sends the pieces that a test gives it."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"


def answer(
    body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None
) -> bytes:
    """A whole answer; ``length`` is what it says of itself."""
    size = len(body) if length is None else length
    head = [f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


class FileServer:
    """``pieces`` maps a path to what is sent, one after the other.

    The connection is closed behind the last piece. ``connections`` counts those that
    were made, ``requests`` are the heads of requests that came.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pieces: dict[str, Callable[[], Iterable[bytes]]] = {}
        self.requests: list[str] = []
        self.connections = 0
        self._tls = tls
        self._socket = socket.create_server((HOST, 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.port}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def serve(self, path: str, *pieces: bytes) -> str:
        """The address of a file that is sent in these pieces."""
        return self.serve_from(path, lambda: pieces)

    def serve_from(self, path: str, pieces: Callable[[], Iterable[bytes]]) -> str:
        self.pieces[path] = pieces
        return f"{self.url}{path}"

    def __enter__(self) -> FileServer:
        self._threads[0].start()
        return self

    def __exit__(self, *exception: object) -> None:
        # A blocked accept() does not notice that its socket is closed.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=[connection])
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        with plain, contextlib.suppress(OSError):
            if self._tls:
                connection: socket.socket = self._tls.wrap_socket(
                    plain, server_side=True
                )
                self._open.append(connection)
            else:
                connection = plain
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    received = connection.recv(4096)
                    if not received:
                        return
                    head += received
                self.requests.append(head.decode())
                for piece in self.pieces[head.split()[1].decode()]():
                    connection.sendall(piece)


def self_signed(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for this machine, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "files")])
    now = datetime.datetime.now(datetime.UTC)
    names = [
        x509.IPAddress(ipaddress.ip_address(HOST)),
        x509.DNSName("files.example"),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "files.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context
