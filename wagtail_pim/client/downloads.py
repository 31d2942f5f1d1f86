"""Fetching files whose addresses come from the PIM, which makes them untrusted.

No credentials are sent. Only listed hosts are asked, also where one of them redirects,
and none at an address of a private network. Neither the size of an answer nor the time
that it takes is without a limit.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar, Final
from urllib.parse import urljoin

import requests
import urllib3
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from wagtail_pim.exceptions import (
    PimError,
    RecordError,
    ServerFaultError,
    UnreachableError,
)

from .transport import (
    CONNECTION_ERRORS,
    RetryPolicy,
    is_busy,
    origin,
    retry_after_seconds,
)

CHUNK_BYTES: Final = 64 * 1024
MAX_REDIRECTS: Final = 5
# Of one answer, however many small pieces it comes in.
MAX_SECONDS: Final = 300.0


class Downloader:
    """Fetches files from the API's host and from ``more_hosts``.

    May be used by several threads at once.
    """

    def __init__(
        self, odata_root: str, more_hosts: Collection[str], policy: RetryPolicy
    ) -> None:
        self._root = odata_root
        self._root_origin = origin(odata_root)
        self._more_hosts = {host.casefold().strip("[]") for host in more_hosts}
        self._retry = policy
        self._timeout = (policy.connect_timeout, policy.read_timeout)
        self._own = _Sessions(_TimedAdapter)
        self._others = _Sessions(_GuardedAdapter)

    def fetch(self, url: str, target: BinaryIO, max_bytes: int) -> None:
        """Write the file to ``target``, in place of all that it holds.

        A relative ``url`` is one of the API's. Raises RecordError or TransientError
        with the reason.
        """
        self._retry.retrying()(self._fetch, url, target, max_bytes)

    def _fetch(self, url: str, target: BinaryIO, max_bytes: int) -> None:
        target.seek(0)
        target.truncate()
        base = self._root
        for _hop in range(1 + MAX_REDIRECTS):
            address = self._checked(base, url)
            with self._answer(address) as response:
                if not response.is_redirect:
                    _save(response, target, max_bytes)
                    return
                base, url = address, response.headers["Location"]
        raise RecordError(
            _(
                "Its file could not be had: %(host)s redirects more than %(count)d "
                "times. Correct its address in the PIM."
            )
            % {"host": _host(base), "count": MAX_REDIRECTS}
        )

    @contextmanager
    def _answer(self, url: str) -> Iterator[requests.Response]:
        sessions = self._own if origin(url) == self._root_origin else self._others
        try:
            with (
                sessions.borrowed() as session,
                session.get(url, stream=True, timeout=self._timeout) as response,
            ):
                yield response
        except CONNECTION_ERRORS as error:
            raise UnreachableError(
                _(
                    "Its file could not be had: %(host)s does not answer as it should "
                    "(%(kind)s). Check its address in the PIM, and that this machine "
                    "may connect to it."
                )
                % {"host": _host(url), "kind": type(error).__name__}
            ) from error

    def _checked(self, base: str, url: str) -> str:
        """The whole address, if it may be asked."""
        try:
            whole = urljoin(base, url)
            if origin(whole) == self._root_origin:
                return whole
            # As the HTTP library reads it: see origin().
            parts = urllib3.util.parse_url(whole)
        except ValueError:
            raise _not_allowed("?") from None
        host = ((parts.scheme and parts.host) or "?").strip("[]")
        if parts.scheme != "https" or host not in self._more_hosts:
            raise _not_allowed(host)
        return whole


class _Session(requests.Session):
    """Takes no notice of redirects: else it would read their bodies, however long."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Sessions:
    """Sessions that serve one thread at a time, and keep their connections."""

    def __init__(self, adapter: type[HTTPAdapter]) -> None:
        self._adapter = adapter
        self._idle: list[requests.Session] = []

    @contextmanager
    def borrowed(self) -> Iterator[requests.Session]:
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._new()
        try:
            yield session
        finally:
            self._idle.append(session)

    def _new(self) -> requests.Session:
        session = _Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, self._adapter())
        # As it is: what is packed for the way can unpack to any size.
        session.headers["Accept-Encoding"] = "identity"
        # Also none that a .netrc holds for the host.
        session.auth = lambda request: request
        return session


def _save(response: requests.Response, target: BinaryIO, max_bytes: int) -> None:
    """Raises for an answer that is no file, or a larger one than ``max_bytes``."""
    if response.status_code != requests.codes.ok:
        message = _(
            "Its file could not be had: %(host)s answers %(status)d. Check its address "
            "in the PIM."
        ) % {"host": _host(response.url), "status": response.status_code}
        if is_busy(response):
            raise ServerFaultError(message, retry_after_seconds(response))
        raise RecordError(message)
    declared = response.headers.get("Content-Length", "")
    written = 0
    if not (declared.isdecimal() and int(declared) > max_bytes):
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
            written += len(chunk)
            if written > max_bytes:
                break
            target.write(chunk)
        else:
            return
    raise RecordError(
        _(
            "Its file is larger than %(limit)s. Make it smaller in the PIM, or raise "
            "MAX_IMAGE_BYTES or MAX_DOCUMENT_BYTES in WAGTAIL_PIM."
        )
        % {"limit": filesizeformat(max_bytes)}
    )


class _TimedReader(io.RawIOBase):
    """What comes from a socket, which has to end in time.

    A time-out of the socket begins anew with each byte.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._deadline = time.monotonic() + MAX_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self._deadline:
            raise RecordError(
                _(
                    "Its file could not be had: it was not there after %(seconds)d "
                    "seconds. Make it smaller in the PIM, or see why its server is "
                    "slow."
                )
                % {"seconds": MAX_SECONDS}
            )
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach()))


class _TimedConnection(HTTPConnection):
    response_class = _TimedResponse


class _TimedSecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _GuardedConnection(_TimedSecureConnection):
    """Speaks only to public addresses, unless the site lists the address itself.

    Asked of the socket, as a name may lead elsewhere each time that it is looked up.
    """

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        address = connected.getpeername()[0]
        if _is_address(self.host) or is_public(address):
            return connected
        connected.close()
        raise RecordError(
            _(
                "Its file is on “%(host)s”, which leads to the private address "
                "%(address)s. Such an address is asked only where the asset's own "
                "address and WAGTAIL_PIM['ASSET_HOSTS'] name it instead of the host."
            )
            % {"host": self.host, "address": address}
        )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether it is one of the internet, and not of a network behind a router."""
    parsed = ipaddress.ip_address(address)
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_global


class _TimedPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _TimedSecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TimedSecureConnection


class _GuardedPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _GuardedConnection


class _TimedAdapter(HTTPAdapter):
    """Through a proxy of the environment, its limits are in force and not ours."""

    pools: ClassVar[dict[str, type[urllib3.HTTPConnectionPool]]] = {
        "http": _TimedPool,
        "https": _TimedSecurePool,
    }

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools


class _GuardedAdapter(_TimedAdapter):
    pools = {"https": _GuardedPool}


def _host(url: str) -> str:
    return urllib3.util.parse_url(url).host or "?"


def _not_allowed(host: str) -> PimError:
    return RecordError(
        _(
            "Its file is on “%(host)s”, which is not among the hosts that may be "
            "asked. Add the host to WAGTAIL_PIM['ASSET_HOSTS'] if you trust it."
        )
        % {"host": host}
    )
