"""Records as tests put them into the sandbox PIM."""

import uuid
from typing import Any


def guid(name: str) -> str:
    """The Guid of the record that a test calls by this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def product(number: str, **properties: Any) -> dict[str, Any]:
    return {
        "id": guid(number),
        "productNumber": number,
        "productTitle": f"Title of {number}",
        "status": "Approved",
        "onHold": False,
        "currentVersionNumber": 3,
        "publishedVersionNumber": 2,
        "lastPublishedOn": None,
        "parentProductId": None,
        **properties,
    }
