"""One signed request to the PIM, tried again while that can help.

All that is HTTP lives here: the session, time-outs, retries and what each status
means. Credentials go to the API's origin alone.
"""

from __future__ import annotations

import json
import logging
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
import tenacity
import urllib3
from django.utils.translation import gettext as _

from wagtail_pim.exceptions import (
    AuthenticationError,
    ClockSkewError,
    ConfigurationError,
    PayloadError,
    PermanentError,
    PermissionDeniedError,
    PimError,
    RecordNotFoundError,
    ServerFaultError,
    TransientError,
    TruncatedPayloadError,
    UnreachableError,
    VersionConflictError,
)

from .auth import EpiHmacAuth
from .options import ConnectionOptions

logger = logging.getLogger(__name__)

MAX_CLOCK_SKEW_SECONDS: Final = 300
BUSY_STATUSES: Final = frozenset({408, 425, 429})
# requests lets some errors of urllib3 through, such as that of a host's name.
CONNECTION_ERRORS: Final = (requests.RequestException, urllib3.exceptions.HTTPError)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``max_wait`` bounds one wait in seconds, also one that the PIM asks for."""

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    max_attempts: int = 5
    max_wait: float = 60.0

    def wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next attempt: what the PIM asks, else backoff + jitter."""
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None)
        if asked is not None:
            return min(asked, self.max_wait)
        backoff = min(0.5 * 2 ** (state.attempt_number - 1), self.max_wait)
        return backoff * random.uniform(0.5, 1.0)  # noqa: S311  (jitter, no secret)


class Transport:
    """Sends requests to one PIM; safe to use from several threads."""

    def __init__(self, options: ConnectionOptions, retry: RetryPolicy) -> None:
        self.root = options.odata_root
        self._retry = retry
        self._auth = EpiHmacAuth(options.app_key, options.secret_key)
        self._local = threading.local()

    def get(self, target: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON at ``target``: a path below the OData root, or a whole URL."""
        return self._request("GET", self._url(target), params=params)

    def patch(
        self, target: str, body: Mapping[str, Any], *, etag: str | None = None
    ) -> None:
        headers = {"If-Match": etag} if etag else {}
        self._request("PATCH", self._url(target), body=body, headers=headers)

    def _url(self, target: str) -> str:
        try:
            url = urljoin(self.root, target)
            other = origin(url)
        except ValueError:
            other = _("an address that can't be read")
        own = origin(self.root)
        if other != own:
            raise PayloadError(
                _(
                    "The PIM's answer points to %(other)s. Credentials go to "
                    "%(own)s only, so this was not followed."
                )
                % {"other": other, "own": own}
            )
        return url

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.headers["Accept"] = "application/json"
        session: requests.Session = self._local.session
        return session

    def _request(self, method: str, url: str, **options: Any) -> Any:
        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=tenacity.stop_after_attempt(self._retry.max_attempts),
            wait=self._retry.wait,
            before_sleep=_log_retry,
            reraise=True,
        )
        return attempts(self._attempt, method, url, **options)

    def _attempt(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        where = f"{method} {urlsplit(url).path}"
        try:
            response = self._session.request(
                method,
                url,
                params=params,
                json=body,
                headers=headers,
                auth=self._auth,
                allow_redirects=False,
                timeout=(self._retry.connect_timeout, self._retry.read_timeout),
            )
        except CONNECTION_ERRORS as error:
            # The library's own text may hold the whole URL: name the kind alone.
            raise UnreachableError(
                _(
                    "The PIM at %(origin)s does not answer (%(where)s: %(kind)s). "
                    "Check the API address and that this machine may connect to it."
                )
                % {
                    "origin": origin(url),
                    "where": where,
                    "kind": type(error).__name__,
                }
            ) from None
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise _refusal(response, where)
        if response.status_code == HTTPStatus.NO_CONTENT or not response.content:
            return None
        try:
            return json.loads(response.content, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise TruncatedPayloadError(
                _("The PIM's answer to %(where)s is not whole JSON.") % {"where": where}
            ) from error


def origin(url: str) -> str:
    """Where a request for ``url`` goes to; raises ValueError if that can't be told.

    Read as the HTTP library does. ``urllib.parse`` takes the host of
    ``http://a\\@b/`` to be b; the library connects to a.
    """
    parts = urllib3.util.parse_url(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme or "")
    return f"{parts.scheme}://{parts.host}:{port}"


def _log_retry(state: tenacity.RetryCallState) -> None:
    wait = state.next_action.sleep if state.next_action else 0
    error = state.outcome.exception() if state.outcome else None
    logger.warning(
        "Attempt %s failed, next in %.1f s: %s", state.attempt_number, wait, error
    )


def _refusal(response: requests.Response, where: str) -> PimError:
    """The error that a status other than success stands for."""
    status = response.status_code
    said = _message_of(response)
    details = {"where": where, "status": status, "said": said}
    if response.is_redirect:
        return ConfigurationError(
            _(
                "The PIM answers %(where)s with a redirect. Set the API address to "
                "the address that it redirects to."
            )
            % details
        )
    if status == HTTPStatus.UNAUTHORIZED:
        skew = _clock_skew_seconds(response)
        if skew is not None and abs(skew) > MAX_CLOCK_SKEW_SECONDS:
            return ClockSkewError(
                _(
                    "Clock skew: this machine's clock is %(minutes)d minutes "
                    "%(direction)s the PIM's, so every signature is refused. Set "
                    "the clock (NTP)."
                )
                % {
                    "minutes": abs(skew) // 60,
                    "direction": _("ahead of") if skew > 0 else _("behind"),
                }
            )
        return AuthenticationError(
            _(
                "The PIM does not accept the application key and secret key "
                "(401%(said)s). Check both in Settings > PIM options."
            )
            % details
        )
    if status == HTTPStatus.FORBIDDEN:
        return PermissionDeniedError(
            _(
                "The application key may not do this (%(where)s, 403%(said)s). "
                "Publishing needs a key with write access."
            )
            % details
        )
    if status in BUSY_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerFaultError(
            _("The PIM has a fault of its own (%(where)s, %(status)d%(said)s).")
            % details,
            _retry_after_seconds(response),
        )
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return RecordNotFoundError(
            _("The PIM does not have this (%(where)s, %(status)d%(said)s).") % details
        )
    if status == HTTPStatus.PRECONDITION_FAILED:
        return VersionConflictError(
            _("The record was changed in the PIM meanwhile (%(where)s).") % details
        )
    return PermanentError(
        _("The PIM refuses the request (%(where)s, %(status)d%(said)s).") % details
    )


def _message_of(response: requests.Response) -> str:
    """What the OData error says, shortened, to stand behind the status."""
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f": {' '.join(str(message).split())[:300]}"


def _clock_skew_seconds(response: requests.Response) -> int | None:
    """How far this machine is ahead of the PIM, by its answer's Date header."""
    theirs = _parsed_date(response.headers.get("Date", ""))
    return int((datetime.now(UTC) - theirs).total_seconds()) if theirs else None


def _retry_after_seconds(response: requests.Response) -> float | None:
    """Retry-After, in seconds or as a date; None if absent or unreadable."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdecimal():
        return float(value)
    until = _parsed_date(value)
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until else None


def _parsed_date(value: str) -> datetime | None:
    """The time that an HTTP header names; None if it can't be read."""
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
