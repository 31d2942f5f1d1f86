"""One signed request to the PIM, tried again while that can help.

All that is HTTP lives here: the session, time-outs, retries and what each status
means. Credentials go to the API's origin alone.
"""

from __future__ import annotations

import json
import logging
import random
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
    DuplicateError,
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
    """``max_wait`` bounds one wait in seconds, also one that a server asks for."""

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    max_attempts: int = 5
    max_wait: float = 60.0

    def retrying(self) -> tenacity.Retrying:
        """Calls a function, again and again while it raises TransientError."""
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            stop=tenacity.stop_after_attempt(self.max_attempts),
            wait=self._wait,
            before_sleep=_log_retry,
            reraise=True,
        )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next attempt: as the server asks, else backoff + jitter."""
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None)
        if asked is not None:
            return min(asked, self.max_wait)
        backoff = min(0.5 * 2 ** (state.attempt_number - 1), self.max_wait)
        return backoff * random.uniform(0.5, 1.0)  # noqa: S311  (jitter, no secret)


class Transport:
    """Sends requests to one PIM."""

    def __init__(self, options: ConnectionOptions, retry: RetryPolicy) -> None:
        self.root = options.odata_root
        self._retry = retry
        self._auth = EpiHmacAuth(options.app_key, options.secret_key)
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"

    def get(self, target: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON at ``target``: a path below the OData root, or a whole URL."""
        return self._retry.retrying()(self._read, self._url(target), params)

    def post(self, target: str, body: Mapping[str, Any]) -> Any:
        """Create, and the JSON of what was created.

        As it is tried again after an answer that was lost, ``body`` has to hold the
        record's id: the PIM then refuses the second one with DuplicateError.
        """
        return self._retry.retrying()(self._create, self._url(target), body)

    def patch(
        self, target: str, body: Mapping[str, Any], *, etag: str | None = None
    ) -> None:
        """Write; what the PIM answers to a success is its own affair."""
        headers = {"If-Match": etag} if etag else {}
        self._retry.retrying()(
            self._send, "PATCH", self._url(target), json=body, headers=headers
        )

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

    def _read(self, url: str, params: Mapping[str, str] | None) -> Any:
        return _json("GET", url, self._send("GET", url, params=params))

    def _create(self, url: str, body: Mapping[str, Any]) -> Any:
        response = self._send("POST", url, json=body)
        return _json("POST", url, response) if response.content else None

    def _send(self, method: str, url: str, **content: Any) -> requests.Response:
        """One attempt; raises the PimError that an answer without success means."""
        where = _where(method, url)
        try:
            response = self._session.request(
                method,
                url,
                auth=self._auth,
                allow_redirects=False,
                timeout=(self._retry.connect_timeout, self._retry.read_timeout),
                **content,
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
        return response


def _json(method: str, url: str, response: requests.Response) -> Any:
    try:
        return json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise TruncatedPayloadError(
            _("The PIM's answer to %(where)s is not whole JSON.")
            % {"where": _where(method, url)}
        ) from error


def origin(url: str) -> str:
    """Where a request for ``url`` goes to; raises ValueError if that can't be told.

    Read as the HTTP library does. ``urllib.parse`` takes the host of
    ``http://a\\@b/`` to be b; the library connects to a.
    """
    parts = urllib3.util.parse_url(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme or "")
    return f"{parts.scheme}://{parts.host}:{port}"


def is_busy(response: requests.Response) -> bool:
    """Whether the server has a fault of its own, or asks to slow down."""
    status = response.status_code
    return status in BUSY_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def retry_after_seconds(response: requests.Response) -> float | None:
    """Retry-After, in seconds or as a date; None if absent or unreadable."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    if value.isdecimal():
        return float(value)
    until = _parsed_date(value)
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until else None


def _where(method: str, url: str) -> str:
    """Which request it was, for a message: without its query."""
    return f"{method} {urlsplit(url).path}"


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
            message = (
                _(
                    "Clock skew: this machine's clock is %(minutes)d minutes ahead "
                    "of the PIM's, so every signature is refused. Set the clock (NTP)."
                )
                if skew > 0
                else _(
                    "Clock skew: this machine's clock is %(minutes)d minutes behind "
                    "the PIM's, so every signature is refused. Set the clock (NTP)."
                )
            )
            return ClockSkewError(message % {"minutes": abs(skew) // 60})
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
                "Writing to the PIM needs a key with write access."
            )
            % details
        )
    if is_busy(response):
        return ServerFaultError(
            _("The PIM has a fault of its own (%(where)s, %(status)d%(said)s).")
            % details,
            retry_after_seconds(response),
        )
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return RecordNotFoundError(
            _(
                "The PIM does not have this (%(where)s, %(status)d%(said)s). If that "
                "goes for everything, check the API address."
            )
            % details
        )
    if status == HTTPStatus.CONFLICT:
        return DuplicateError(
            _("The PIM has such a record already (%(where)s, 409%(said)s).") % details
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


def _parsed_date(value: str) -> datetime | None:
    """The time that an HTTP header names; None if it can't be read."""
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
