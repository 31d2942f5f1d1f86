"""The PIM's request signature, ``epi-hmac``.

Source: the vendor's sample client (episerver/pim-api) and its API guide.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
import uuid
from typing import cast

from django.utils.translation import gettext as _
from requests import PreparedRequest
from requests.auth import AuthBase

from wagtail_pim.exceptions import ConfigurationError


def decode_secret_key(secret_key: str) -> bytes:
    """The key's bytes; raises ConfigurationError if it is not base64."""
    try:
        decoded = base64.b64decode(secret_key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError(
            _(
                "The secret key is not base64, as every key of the PIM is. Copy it "
                "again, whole, from the PIM."
            )
        ) from error
    if not decoded:
        raise ConfigurationError(_("The secret key is empty."))
    return decoded


class EpiHmacAuth(AuthBase):
    """Signs one prepared request.

    requests calls it whenever it prepares a request, so every attempt has to be
    prepared anew: the nonce of a signature is good once.
    """

    def __init__(self, app_key: str, secret_key: bytes) -> None:
        self.app_key = app_key
        self._secret_key = secret_key

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        timestamp = str(time.time_ns() // 1_000_000)
        nonce = uuid.uuid4().hex
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        body_digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        message = "".join(
            (
                self.app_key,
                cast(str, request.method).upper(),
                request.path_url,
                timestamp,
                nonce,
                body_digest,
            )
        )
        signature = base64.b64encode(
            hmac.digest(self._secret_key, message.encode(), "sha256")
        ).decode()
        request.headers["Authorization"] = (
            f"epi-hmac {self.app_key}:{timestamp}:{nonce}:{signature}"
        )
        return request
