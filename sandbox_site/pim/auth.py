"""The epi-hmac signature, as the PIM checks it."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import threading
import time
from dataclasses import dataclass
from typing import NamedTuple

from .errors import ODataError, SandboxError
from .messages import Request

CLOCK_TOLERANCE = 5 * 60
"""How many seconds a client's clock may differ from ours."""

_HEADER = re.compile(
    r"epi-hmac (?P<app_key>[^:\s]+):(?P<timestamp>\d{1,20}):(?P<nonce>[^:\s]+)"
    r":(?P<signature>[A-Za-z0-9+/=]+)",
    re.ASCII,
)


@dataclass(frozen=True)
class Key:
    """An app key and its secret, of which no log and no traceback shows the latter."""

    app_key: str
    secret_key: str
    read_only: bool

    def __repr__(self) -> str:
        return f"Key({self.app_key!r}, read_only={self.read_only})"

    @property
    def secret(self) -> bytes:
        return base64.b64decode(self.secret_key)


class Credentials(NamedTuple):
    write: Key
    read_only: Key


def new_key(*, read_only: bool) -> Key:
    secret_key = base64.b64encode(secrets.token_bytes(32)).decode()
    return Key(secrets.token_hex(16), secret_key, read_only)


def configured_key(app_key: str, secret_key: str) -> Key:
    """The write key that the environment sets.

    Raises SandboxError for one that no client could sign with.
    """
    if not re.fullmatch(r"[^:\s]+", app_key):
        raise SandboxError("PIM_APP_KEY must be one word without a colon.")
    try:
        is_secret = bool(base64.b64decode(secret_key, validate=True))
    except (binascii.Error, ValueError):
        is_secret = False
    if not is_secret:
        raise SandboxError("PIM_SECRET_KEY must be base64.")
    return Key(app_key, secret_key, read_only=False)


def signature(key: Key, request: Request, timestamp: str, nonce: str) -> str:
    body_hash = base64.b64encode(hashlib.md5(request.body).digest()).decode()
    message = "".join(
        (key.app_key, request.method, request.target, timestamp, nonce, body_hash)
    )
    digest = hmac.digest(key.secret, message.encode(), "sha256")
    return base64.b64encode(digest).decode()


class Authenticator:
    """Lets a request pass whose signature is right, fresh, and not used before."""

    def __init__(self, credentials: Credentials) -> None:
        self._keys = {key.app_key: key for key in credentials}
        self._lock = threading.Lock()
        self._nonces: dict[tuple[str, str], float] = {}

    def authenticate(self, request: Request) -> Key:
        """The key that signed the request.

        The signature is checked before the clock and the nonce: of those two, only
        the holder of the key learns anything.
        """
        header = request.headers.get("Authorization")
        if not header:
            raise _unauthorized("MissingSignature", "The request is not signed.")
        match = _HEADER.fullmatch(header.strip())
        if match is None:
            raise _unauthorized(
                "MalformedSignature",
                "Expected: epi-hmac {appKey}:{timestamp}:{nonce}:{signature}",
            )
        key = self._keys.get(match["app_key"])
        if key is None:
            raise _unauthorized("UnknownAppKey", "There is no such app key.")
        expected = signature(key, request, match["timestamp"], match["nonce"])
        if not hmac.compare_digest(expected, match["signature"]):
            raise _unauthorized("InvalidSignature", "The signature does not match.")
        if abs(time.time() - int(match["timestamp"]) / 1000) > CLOCK_TOLERANCE:
            raise _unauthorized(
                "ClockSkew", "The timestamp is more than 5 minutes from our clock."
            )
        self._use_nonce(key.app_key, match["nonce"])
        if key.read_only and request.method not in ("GET", "HEAD"):
            raise ODataError(403, "ReadOnlyKey", "This app key can only read.")
        return key

    def _use_nonce(self, app_key: str, nonce: str) -> None:
        now = time.time()
        with self._lock:
            if (app_key, nonce) in self._nonces:
                raise _unauthorized("ReusedNonce", "The nonce has been used before.")
            self._nonces[app_key, nonce] = now
            self._forget_nonces_before(now - 2 * CLOCK_TOLERANCE)

    def _forget_nonces_before(self, moment: float) -> None:
        """Drop the nonces whose timestamps the clock refuses by now, oldest first."""
        while (oldest := next(iter(self._nonces))) and self._nonces[oldest] < moment:
            del self._nonces[oldest]


def _unauthorized(code: str, message: str) -> ODataError:
    return ODataError(401, code, message, {"WWW-Authenticate": "epi-hmac"})
