"""Encryption at rest for the PIM's secret key, with keys derived from SECRET_KEY.

A rotated ``SECRET_KEY`` keeps working through ``SECRET_KEY_FALLBACKS``, as Django's
own signatures do.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.utils.translation import gettext as _

from .conf import encryption_secrets
from .exceptions import ConfigurationError


def _fernet(secret: str) -> Fernet:
    derived = HKDF(
        algorithm=SHA256(), length=32, salt=None, info=b"wagtail_pim.secret_key"
    ).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(derived))


def _keyring() -> MultiFernet:
    return MultiFernet([_fernet(secret) for secret in encryption_secrets()])


def encrypt(text: str) -> str:
    return _keyring().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Raises ConfigurationError where SECRET_KEY has changed since encryption."""
    try:
        return _keyring().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise ConfigurationError(
            _(
                "The stored secret key cannot be decrypted: the site's SECRET_KEY has "
                "changed. Enter the PIM's secret key again in Settings > PIM options, "
                "or put the old SECRET_KEY into SECRET_KEY_FALLBACKS."
            )
        ) from error
