"""Records as tests put them into the sandbox PIM."""

import uuid
from collections.abc import Iterator
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


# Control type, type and what else is said of it, by the name of the property.
PROPERTIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Summary": ("TextField", "String", {"stringMaxLength": 20}),
    "Care": ("TextArea", "String", {"isLocalizable": True}),
    "Story": ("Html", "String", {"description": "Told in the shop"}),
    "Colour": ("Dropdown", "String", {"stringValueBag": ["Moss", "Ink & Co"]}),
    "Fit": ("Radio Button", "String", {"stringValueBag": ["Close", "Loose"]}),
    "Maker": ("Dropdown", "String", {}),
    "Seasons": ("MultiSelect", "String", {"stringValueBag": ["Spring", "Autumn"]}),
    "Tags": ("Multi Select", "String", {}),
    "Price": ("Decimal", "Number", {"numberOfDecimals": 2}),
    "Eyelets": ("Decimal", "Number", {"numberOfDecimals": 0}),
    "From": ("DatePicker", "DateTime", {}),
    "Seen": ("Date/Time Picker", "DateTime", {}),
    "Dry": ("Toggle", "Boolean", {}),
}
REQUIRED = ("Summary", "Price")


def definitions() -> Iterator[tuple[str, dict[str, Any]]]:
    """A template that inherits what is required, and has a property of each control."""
    yield "templates", {"id": guid("Goods"), "name": "Goods", "kinds": ["Product"]}
    yield (
        "templates",
        {
            "id": guid("Boot"),
            "name": "Boot",
            "kinds": ["Product", "Variant"],
            "parentTemplateId": guid("Goods"),
        },
    )
    for position, (name, (control, kind, more)) in enumerate(PROPERTIES.items()):
        is_required = name in REQUIRED
        yield (
            "properties",
            {
                "id": guid(name),
                "name": name,
                "displayName": f"{name} of it",
                "controlType": control,
                "type": kind,
                **more,
            },
        )
        yield (
            "templateproperties",
            {
                "templateId": guid("Goods" if is_required else "Boot"),
                "propertyId": guid(name),
                "isRequired": is_required,
                "displaySequence": position,
            },
        )
