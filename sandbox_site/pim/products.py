"""What the PIM's workflow does to a product, as changes to its record."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .data import Record
from .errors import ODataError

_ACKNOWLEDGEMENT = {"status", "publishedVersionNumber"}


def patched(product: Record, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a client's PATCH changes: an acknowledgement, or an edit."""
    if "publishedVersionNumber" not in changes:
        return edited(product, changes)
    status = changes.get("status")
    if set(changes) != _ACKNOWLEDGEMENT or str(status).lower() != "published":
        raise ODataError(
            400,
            "InvalidAcknowledgement",
            "publishedVersionNumber goes with the status Published, and nothing else.",
        )
    return acknowledged(product, changes["publishedVersionNumber"])


def acknowledged(product: Record, version: int | None) -> Mapping[str, Any]:
    """The product as published in the version that a site has applied."""
    current = product.get("currentVersionNumber")
    if version != current:
        raise ODataError(
            412, "VersionMismatch", f"The product's current version is {current}."
        )
    return {
        "status": "Published",
        "publishedVersionNumber": version,
        "lastPublishedOn": now(),
    }


def edited(product: Record, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The product after an edit: the next version, its status as it was unless sent."""
    return {
        **changes,
        "currentVersionNumber": (product.get("currentVersionNumber") or 0) + 1,
        "modifiedOn": now(),
    }


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
