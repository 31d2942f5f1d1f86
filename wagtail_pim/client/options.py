"""The five options of PIMOptions, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_pim.exceptions import ConfigurationError

from .auth import decode_secret_key

DEFAULT_API_ADDRESS: Final = "https://pim.insitecloud.net/"
MAX_LOOKBACK_DAYS: Final = 3650
LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Environment(StrEnum):
    """The publishing environments of the PIM."""

    PRODUCTION = "Production"
    SANDBOX = "Sandbox"

    def label(self) -> str:
        return {
            Environment.PRODUCTION: gettext_lazy("Production"),
            Environment.SANDBOX: gettext_lazy("Sandbox"),
        }[self]


def _is_host(name: str) -> bool:
    return all(name.removesuffix(".").split(".")) and not set(name) & set(" \\%")


def normalise_api_address(address: str) -> str:
    """The OData root below ``address``, which may or may not name it already.

    Plain HTTP is accepted on this machine alone: a signature protects the request,
    not the catalog in the answer.
    """
    try:
        parts = urlsplit(address.strip())
        usable = (
            parts.scheme in {"http", "https"}
            and _is_host(parts.hostname or "")
            and parts.port != 0
            and not parts.query
            and not parts.fragment
            and "@" not in parts.netloc
        )
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            _(
                "The API address “%(address)s” is not the address of a PIM. It looks "
                "like https://pim.insitecloud.net/."
            )
            # What stands before an @ may be a password.
            % {"address": address.rpartition("@")[2]}
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ConfigurationError(
            _(
                "The API address “%(address)s” is not encrypted. Use https:// (http:// "
                "works with a PIM on this machine only)."
            )
            % {"address": address}
        )
    # One slash at the front: of several, some versions of requests send one, but sign
    # all of them.
    path = f"/{parts.path.strip('/')}".rstrip("/")
    if not path.casefold().endswith("/odata"):
        path += "/odata"
    return urlunsplit((parts.scheme, parts.netloc, path + "/", "", ""))


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """Options that have passed all checks that need no network."""

    environment: Environment
    app_key: str
    secret_key: bytes = field(repr=False)
    number_of_lookback_days: int
    odata_root: str

    @classmethod
    def checked(
        cls,
        *,
        environment: object,
        app_key: object,
        secret_key: object,
        number_of_lookback_days: object,
        api_address: object,
    ) -> ConnectionOptions:
        """Raises ConfigurationError, naming the option, if one can't be used."""
        chosen = next(
            (e for e in Environment if e.casefold() == str(environment).casefold()),
            None,
        )
        if chosen is None:
            raise ConfigurationError(
                _("The environment is “%(given)s”; set Production or Sandbox.")
                % {"given": environment}
            )
        for label, given in (
            (_("application key"), app_key),
            (_("secret key"), secret_key),
        ):
            if not given:
                raise ConfigurationError(
                    _(
                        "The %(option)s of the PIM is not set. Set it in Settings > "
                        "PIM options, in WAGTAIL_PIM or in the environment."
                    )
                    % {"option": label}
                )
        if not str(app_key).isascii() or any(c in str(app_key) for c in ": \t\r\n"):
            raise ConfigurationError(
                _("The application key holds characters that no key has.")
            )
        try:
            days = int(str(number_of_lookback_days))
        except ValueError:
            days = 0
        if not 1 <= days <= MAX_LOOKBACK_DAYS:
            raise ConfigurationError(
                _("The number of lookback days is “%(given)s”; set 1 to %(limit)d.")
                % {"given": number_of_lookback_days, "limit": MAX_LOOKBACK_DAYS}
            )
        return cls(
            environment=chosen,
            app_key=str(app_key),
            secret_key=decode_secret_key(str(secret_key)),
            number_of_lookback_days=days,
            odata_root=normalise_api_address(str(api_address)),
        )
