"""Fetching files whose addresses come from the PIM, which makes them untrusted.

No credentials are sent, no redirect is followed, only listed hosts are asked, and no
more than a set size is read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

import requests
from django.utils.translation import gettext as _

from wagtail_pim.exceptions import PimError, RecordError, UnreachableError

from .options import LOOPBACK_HOSTS
from .transport import RetryPolicy

CHUNK_BYTES: Final = 64 * 1024


class Downloader:
    """Fetches files from the API's host and from ``more_hosts``."""

    def __init__(
        self, odata_root: str, more_hosts: Collection[str], policy: RetryPolicy
    ) -> None:
        root = urlsplit(odata_root)
        self._root_origin = (root.scheme, root.hostname, root.port)
        self._more_hosts = {host.casefold() for host in more_hosts}
        self._timeout = (policy.connect_timeout, policy.read_timeout)
        self._session = requests.Session()
        self._session.trust_env = False

    def fetch(self, url: str, max_bytes: int) -> bytes:
        """The file; raises RecordError or UnreachableError with the reason."""
        self._check(url)
        try:
            with self._session.get(
                url, stream=True, allow_redirects=False, timeout=self._timeout
            ) as response:
                if response.status_code != requests.codes.ok:
                    raise RecordError(
                        _("Its file could not be had: the server answers %(status)d.")
                        % {"status": response.status_code}
                    )
                return self._read(response, max_bytes)
        except requests.RequestException as error:
            raise UnreachableError(
                _("Its file could not be had: %(kind)s.")
                % {"kind": type(error).__name__}
            ) from error

    def _check(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            origin = (parts.scheme, parts.hostname, parts.port)
        except ValueError:
            raise _not_allowed("?") from None
        if origin == self._root_origin:
            return
        if (
            parts.scheme != "https"
            or parts.hostname not in self._more_hosts
            or parts.hostname in LOOPBACK_HOSTS
        ):
            raise _not_allowed(parts.hostname or "?")

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
            "asked. Add the host to WAGTAIL_PIM[“IMAGE_HOSTS”] if you trust it."
        )
        % {"host": host}
    )
