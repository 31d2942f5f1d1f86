"""Records for the sandbox PIM, called by short names instead of Guids."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any, NamedTuple

from sandbox_site.pim.products import edited
from sandbox_site.pim.store import Store

WEBSITE = "Spokewell"
TAXONOMY = "Spokewell shop"

# Control type, type and display name by the name of the property.
PROPERTIES = {
    "Summary": ("Text Field", "String", "Summary"),
    "Description": ("HTML", "String", "Description"),
    "Price": ("Decimal", "Number", "Price (EUR)"),
    "Brand": ("Dropdown", "String", "Brand"),
    "RidingStyles": ("Multi Select", "String", "Riding styles"),
    "FrameMaterial": ("Radio Button", "String", "Frame material"),
    "Gears": ("Decimal", "Number", "Gears"),
    "Weight": ("Decimal", "Number", "Weight (kg)"),
    "Electric": ("Toggle", "Boolean", "Electric assistance"),
    "AvailableFrom": ("Date Picker", "DateTime", "Available from"),
    "Equipment": ("Multi Select", "String", "Equipment"),
    "Colour": ("Dropdown", "String", "Colour"),
    "FrameSize": ("Dropdown", "String", "Frame size"),
    "Size": ("Dropdown", "String", "Size"),
    "InStock": ("Toggle", "Boolean", "In stock"),
    "EAN": ("Text Field", "String", "EAN"),
    "RestockedAt": ("Date/Time Picker", "DateTime", "Restocked at"),
    "CareInstructions": ("Text Area", "String", "Care instructions"),
    "SafetyStandards": ("Multi Select", "String", "Safety standards"),
    "Vents": ("Decimal", "Number", "Vents"),
    "TestedOn": ("Date Picker", "DateTime", "Tested on"),
    "Labels": ("Multi Select", "String", "Labels"),
}
TEMPLATES = ("Bicycle", "Helmet", "GenericProductPage")


def guid(kind: str, name: str) -> str:
    """The Guid of the record of this kind that tests call by this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {name}"))


class Acknowledgement(NamedTuple):
    """What the PIM holds of a product's publishing."""

    status: str
    version: int | None


class PimData:
    """Puts records into a sandbox PIM and changes them, as its editors would."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # The tree

    def website(self, name: str = WEBSITE) -> None:
        self.store.put("websites", {"id": guid("website", name), "name": name})

    def taxonomy(
        self, name: str = TAXONOMY, websites: Iterable[str] = (WEBSITE,)
    ) -> None:
        """A category tree that feeds these websites' catalogs."""
        links = [
            {
                "id": guid("link", f"{name} {website}"),
                "websiteId": guid("website", website),
            }
            for website in websites
        ]
        self.store.put(
            "categoryTaxonomies",
            {"id": guid("taxonomy", name), "name": name, "websites": links},
        )

    def category(
        self,
        name: str,
        /,
        parent: str | None = None,
        *,
        taxonomy: str = TAXONOMY,
        order: int = 0,
        **fields: Any,
    ) -> str:
        """Ordered by name among siblings, unless by ``order``; returns its Guid."""
        record = {
            "id": guid("category", name),
            "name": name,
            "parentId": guid("category", parent) if parent else None,
            "categoryTaxonomyId": guid("taxonomy", taxonomy),
            "displaySequence": order,
            "urlSegment": None,
            "description": None,
            **fields,
        }
        self.store.put("categorytrees", record)
        return record["id"]

    def change_category(self, name: str, /, **fields: Any) -> None:
        if "parent" in fields:
            parent = fields.pop("parent")
            fields["parentId"] = guid("category", parent) if parent else None
        assert self.store.patch("categorytrees", guid("category", name), **fields)

    def drop_category(self, name: str) -> None:
        assert self.store.delete("categorytrees", guid("category", name))

    # Definitions

    def template(self, name: str, parent: str | None = None) -> None:
        self.store.put(
            "templates",
            {
                "id": guid("template", name),
                "name": name,
                "parentTemplateId": guid("template", parent) if parent else None,
                "isTemplate": True,
            },
        )

    def property(
        self,
        name: str,
        control: str = "Text Field",
        type: str = "String",
        label: str = "",
        **fields: Any,
    ) -> None:
        self.store.put(
            "properties",
            {
                "id": guid("property", name),
                "name": name,
                "displayName": label or name,
                "type": type,
                "controlType": control,
                "isSystemProperty": False,
                **fields,
            },
        )

    # Products

    def product(
        self,
        number: str,
        category: str | None = "City",
        *,
        also_in: Iterable[str] = (),
        template: str | None = "Bicycle",
        parent: str | None = None,
        status: str = "Approved",
        **fields: Any,
    ) -> str:
        """A product, or with a ``parent`` a variant of it; returns its Guid."""
        record = self.store.put(
            "products",
            {
                "id": guid("product", number),
                "productNumber": number,
                "productTitle": f"Title of {number}",
                "urlSegment": number.lower(),
                "status": status,
                "templateId": guid("template", template) if template else None,
                "templateName": template,
                "primaryCategoryTreeId": guid("category", category)
                if category
                else None,
                "parentProductId": guid("product", parent) if parent else None,
                "currentVersionNumber": 1,
                "publishedVersionNumber": None,
                "lastPublishedOn": None,
                **fields,
            },
        )
        self.list_in(number, *([category] if category else []), *also_in)
        return record["id"]

    def variant(self, number: str, parent: str, **fields: Any) -> str:
        return self.product(
            number, fields.pop("category", None), parent=parent, **fields
        )

    def list_in(self, number: str, *categories: str) -> None:
        """List the product in these categories and in no others."""
        product = guid("product", number)
        for link in self.store.find("categoryTreeProducts", productId=product):
            self.store.delete("categoryTreeProducts", link["id"])
        for category in categories:
            self.store.put(
                "categoryTreeProducts",
                {"categoryTreeId": guid("category", category), "productId": product},
            )

    def change(self, number: str, **fields: Any) -> None:
        """A new version of the product, Approved."""
        if "category" in fields:
            category = fields.pop("category")
            fields["primaryCategoryTreeId"] = guid("category", category)
            self.list_in(number, category)
        changes = {"status": "Approved", **fields}
        assert self.store.update(
            "products", guid("product", number), lambda record: edited(record, changes)
        )

    def approve(self, *numbers: str) -> None:
        """Approve these products as they are, or all."""
        if numbers:
            self.store.approve(numbers)
        else:
            self.store.approve_all()

    def acknowledgement(self, number: str) -> Acknowledgement:
        record = self.store.get("products", guid("product", number))
        return Acknowledgement(record["status"], record["publishedVersionNumber"])

    def status(self, number: str) -> str:
        return self.acknowledgement(number).status


def fill(pim: PimData) -> None:
    """A small shop without products: Bicycles (City, Touring) and Helmets."""
    pim.website()
    pim.taxonomy()
    pim.category("Bicycles", order=1)
    pim.category("City", "Bicycles", order=1)
    pim.category("Touring", "Bicycles", order=2)
    pim.category("Helmets", order=2)
    for name in TEMPLATES:
        pim.template(name)
    for name, definition in PROPERTIES.items():
        pim.property(name, *definition)
