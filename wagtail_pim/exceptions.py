"""Everything that can go wrong with a PIM, told apart by what a person has to do.

Each message names what failed, for which record, and what to do about it. None of
them ever holds a secret or a whole payload.
"""

from __future__ import annotations

from typing import ClassVar


class PimError(Exception):
    """Base of all errors of wagtail-pim.

    ``code`` is stable and machine-readable; the message is for people.
    """

    code: ClassVar[str] = "error"


class ConfigurationError(PimError):
    """The settings of the site or of the PIM do not allow what was asked."""

    code = "configuration"


class AuthenticationError(PimError):
    """The PIM did not accept the application key or the signature (401)."""

    code = "authentication"


class ClockSkewError(AuthenticationError):
    """The PIM refused the signature because this machine's clock is off."""

    code = "clock_skew"


class PermissionDeniedError(PimError):
    """The application key is valid but may not do this (403)."""

    code = "permission"


class TransientError(PimError):
    """Trying again later may help; the client already tried several times."""

    code = "transient"


class UnreachableError(TransientError):
    """No answer: no connection, a dropped connection or a time-out."""

    code = "unreachable"


class ServerFaultError(TransientError):
    """The server answered with a fault of its own (5xx) or asked to slow down (429).

    ``retry_after`` is the number of seconds that it asked to wait, if it did.
    """

    code = "server_fault"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(PimError):
    """The PIM refused the request; the same request will be refused again."""

    code = "refused"


class RecordNotFoundError(PermanentError):
    """The record, or the call itself, does not exist in the PIM (404)."""

    code = "not_found"


class DuplicateError(PermanentError):
    """The PIM has such a record already (409)."""

    code = "duplicate"


class VersionConflictError(PermanentError):
    """The record was changed in the PIM since it was read (412)."""

    code = "version_conflict"


class PayloadError(PimError):
    """The PIM's answer is not what its contract says."""

    code = "payload"


class TruncatedPayloadError(PayloadError, TransientError):
    """An answer that broke off; the same request may well succeed."""


class RecordError(PimError):
    """One record cannot be put on the site; all others can."""

    code = "record"


class RunEndedError(PimError):
    """The run must not go on; what it committed stays."""


class RunStoppedError(RunEndedError):
    """Somebody asked the run to stop."""

    code = "stopped"


class RunLostError(RunEndedError):
    """The run was taken for dead meanwhile, and may have been taken up by another."""

    code = "lost"


class RunRefusedError(PimError):
    """Another run writes at this time."""

    code = "run_in_progress"
