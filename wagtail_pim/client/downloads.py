"""Fetching files whose addresses come from the PIM, which makes them untrusted.

No credentials are sent, no redirect is followed, only listed hosts are asked, and no
more than a set size is read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import requests
import urllib3
from django.utils.translation import gettext as _

from wagtail_pim.exceptions import (
    PimError,
    RecordError,
    ServerFaultError,
    UnreachableError,
)

from .options import LOOPBACK_HOSTS
from .transport import (
    CONNECTION_ERRORS,
    RetryPolicy,
    is_busy,
    origin,
    retry_after_seconds,
)

CHUNK_BYTES: Final = 64 * 1024


class Downloader:
    """Fetches files from the API's host and from ``more_hosts``."""

    def __init__(
        self, odata_root: str, more_hosts: Collection[str], policy: RetryPolicy
    ) -> None:
        self._root_origin = origin(odata_root)
        self._more_hosts = {host.casefold() for host in more_hosts}
        self._retry = policy
        self._timeout = (policy.connect_timeout, policy.read_timeout)
        self._session = requests.Session()
        # Also none that a .netrc holds for the host.
        self._session.auth = lambda request: request

    def fetch(self, url: str, max_bytes: int) -> bytes:
        """The file; raises RecordError or TransientError with the reason."""
        self._check(url)
        return self._retry.retrying()(self._fetch, url, max_bytes)

    def _fetch(self, url: str, max_bytes: int) -> bytes:
        try:
            with self._session.get(
                url, stream=True, allow_redirects=False, timeout=self._timeout
            ) as response:
                if response.status_code != requests.codes.ok:
                    message = _(
                        "Its file could not be had: the server answers %(status)d."
                    ) % {"status": response.status_code}
                    if is_busy(response):
                        raise ServerFaultError(message, retry_after_seconds(response))
                    raise RecordError(message)
                return self._read(response, max_bytes)
        except CONNECTION_ERRORS as error:
            raise UnreachableError(
                _("Its file could not be had: %(kind)s.")
                % {"kind": type(error).__name__}
            ) from error

    def _check(self, url: str) -> None:
        try:
            if origin(url) == self._root_origin:
                return
            # As the HTTP library reads it: see origin().
            parts = urllib3.util.parse_url(url)
        except ValueError:
            raise _not_allowed("?") from None
        host = ((parts.scheme and parts.host) or "?").strip("[]")
        if (
            parts.scheme != "https"
            or host not in self._more_hosts
            or host in LOOPBACK_HOSTS
        ):
            raise _not_allowed(host)

    def _read(self, response: requests.Response, max_bytes: int) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(CHUNK_BYTES):
            content += chunk
            if len(content) > max_bytes:
                raise RecordError(
                    _("Its file is larger than %(limit)d MB.")
                    % {"limit": max_bytes // 1024**2}
                )
        return bytes(content)


def _not_allowed(host: str) -> PimError:
    return RecordError(
        _(
            "Its file is on “%(host)s”, which is not among the hosts that may be "
            "asked. Add the host to WAGTAIL_PIM['ASSET_HOSTS'] if you trust it."
        )
        % {"host": host}
    )
