"""Calls that the vendor documents nowhere; the README lists what we assume.

A site whose PIM answers otherwise subclasses ``AssumedCalls`` and names its class in
``WAGTAIL_PIM["ASSUMED_CALLS"]``.
"""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import gettext as _
from pydantic import ValidationError

from wagtail_pim.exceptions import (
    PayloadError,
    RecordNotFoundError,
    VersionConflictError,
)

from .entities import Product, PublishingSettings, raw_value
from .transport import Transport


class Acknowledgement(StrEnum):
    """What became of telling the PIM that a product is published."""

    DONE = "done"
    MOVED_ON = "moved_on"
    GONE = "gone"


class AssumedCalls:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def active_publishing_environment(self) -> str | None:
        """None where the PIM does not tell (404)."""
        try:
            answer = self._transport.get("settings")
            return PublishingSettings.model_validate(
                answer
            ).active_publishing_environment
        except RecordNotFoundError:
            return None
        except ValidationError as error:
            raise PayloadError(
                _("The PIM's settings do not name its active publishing environment.")
            ) from error

    def acknowledge(self, product: Product) -> Acknowledgement:
        """Set the product Published at the version that was applied.

        Idempotent: where the PIM refuses for the product's version, it is asked
        whether an earlier attempt, whose answer was lost, has done it already.
        """
        target = f"products({product.id})"
        version = product.current_version_number
        try:
            self._transport.patch(
                target,
                {"status": "Published", "publishedVersionNumber": version},
                etag=product.etag,
            )
        except VersionConflictError:
            return self._acknowledged_before(target, version)
        except RecordNotFoundError:
            return Acknowledgement.GONE
        return Acknowledgement.DONE

    def _acknowledged_before(self, target: str, version: int) -> Acknowledgement:
        try:
            record = self._transport.get(
                target, {"$select": "status,publishedVersionNumber"}
            )
        except RecordNotFoundError:
            return Acknowledgement.GONE
        if (
            str(raw_value(record, "status")).casefold() == "published"
            and raw_value(record, "publishedVersionNumber") == version
        ):
            return Acknowledgement.DONE
        return Acknowledgement.MOVED_ON
