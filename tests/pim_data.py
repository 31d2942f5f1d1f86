"""Records for the sandbox PIM, called by short names instead of Guids."""

from __future__ import annotations

import hashlib
import io
import mimetypes
import uuid
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, NamedTuple
from urllib.parse import quote

from PIL import Image

from sandbox_site.pim import lifecycle, links
from sandbox_site.pim.products import edited
from sandbox_site.pim.store import Store
from sandbox_site.shop.catalog.documents import pdf

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
SYSTEM_PROPERTIES = ("productTitle", "urlSegment")
TEMPLATES = ("Bicycle", "Helmet", "GenericProductPage")


def guid(kind: str, name: str) -> str:
    """The Guid of the record of this kind that tests call by this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {name}"))


class Acknowledgement(NamedTuple):
    """What the PIM holds of a product's publishing."""

    status: str
    version: int | None


def content_of(name: str, file_name: str) -> bytes:
    """A small file of the kind that its name says, another for each ``name``."""
    if file_name.endswith(".pdf"):
        return pdf(name)
    file = io.BytesIO()
    colour = tuple(hashlib.sha1(name.encode()).digest()[:3])
    kind = "JPEG" if file_name.endswith((".jpg", ".jpeg")) else "PNG"
    Image.new("RGB", (4, 3), colour).save(file, kind)
    return file.getvalue()


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

    def translate_category(self, name: str, code: str, /, **values: Any) -> None:
        """What the category is called in a language, instead of what it was."""
        self._translate("categorytrees", guid("category", name), code, values)

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

    def language(self, code: str, *, default: bool = False) -> str:
        return self.store.put(
            "languages",
            {
                "id": guid("language", code),
                "languageCode": code,
                "name": code,
                "isDefault": default,
            },
        )["id"]

    def localizable(self, *names: str) -> None:
        """Let these properties be translated; also productTitle and urlSegment."""
        for name in names:
            if name in SYSTEM_PROPERTIES:
                self.property(name, isSystemProperty=True, isLocalizable=True)
            else:
                key = guid("property", name)
                assert self.store.patch("properties", key, isLocalizable=True)

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
        if parent:
            self._adopt(parent)
        self.list_in(number, *([category] if category else []), *also_in)
        return record["id"]

    def variant(self, number: str, parent: str, **fields: Any) -> str:
        return self.product(
            number, fields.pop("category", None), parent=parent, **fields
        )

    def move_variant(self, number: str, parent: str) -> None:
        """A new version of the variant, below another parent."""
        self.change(number, parentProductId=guid("product", parent))
        self._adopt(parent)

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

    def translate(self, number: str, code: str, /, **values: Any) -> None:
        """What the product says in a language, instead of what it did; as change()."""
        self._translate("products", guid("product", number), code, values)
        self.change(number)

    def archive(self, *numbers: str) -> None:
        lifecycle.archive(self.store, numbers)

    def reactivate(self, *numbers: str) -> None:
        lifecycle.reactivate(self.store, numbers)

    def delete(self, *numbers: str) -> None:
        """Delete these products for good, with their variants."""
        lifecycle.delete(self.store, numbers)

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

    # Links: they change without a change of the product's version.

    def asset(
        self,
        name: str,
        content: bytes | None = None,
        *,
        file_name: str = "",
        **fields: Any,
    ) -> str:
        """An asset with its file, a small picture or PDF unless given; its Guid.

        Without a name of its own the file is called as the asset, a PNG.
        """
        file_name = file_name or f"{name}.png"
        path = f"/assets/{quote(file_name)}"
        kind = mimetypes.guess_type(file_name)[0] or ""
        record = {
            "id": guid("asset", name),
            "name": name,
            "assetType": "Image" if kind.startswith("image/") else "Document",
            "type": kind,
            "fileExtension": PurePath(file_name).suffix.lstrip("."),
            "assetFileName": file_name,
            "altText": "",
            "currentVersionNumber": 1,
            "isExternal": False,
            "externalFileUrl": "",
            "urlLarge": path,
            "urlMedium": path,
            "urlSmall": path,
            "isArchived": False,
            **fields,
        }
        content = content_of(name, file_name) if content is None else content
        return self._put_file(record, content, **fields)

    def change_asset(
        self, name: str, content: bytes | None = None, **fields: Any
    ) -> None:
        """Another file with another hash, or other fields, or both."""
        record = self.store.get("assets", guid("asset", name))
        assert record
        version = record["currentVersionNumber"] + 1
        record |= {"currentVersionNumber": version, **fields}
        if content is None:
            self.store.put("assets", record)
        else:
            self._put_file(record, content, **fields)

    def attach(self, number: str, *names: str, primary: str | None = None) -> None:
        """Give the product these assets in this order, and no others.

        ``primary`` becomes its primary image; without, that stays what it is.
        """
        product = guid("product", number)
        with self.store.writing() as records:
            links.set_assets(records, product, [guid("asset", name) for name in names])
        if primary:
            image = guid("asset", primary)
            assert self.store.patch("products", product, primaryImageAssetId=image)

    def relationship(self, name: str) -> str:
        return self.store.put(
            "productRelationships", {"id": guid("relationship", name), "name": name}
        )["id"]

    def relate(self, number: str, relationship: str, *numbers: str) -> None:
        """Relate the product to these in this way and order, and to no others."""
        with self.store.writing() as records:
            links.set_related(
                records,
                guid("product", number),
                guid("relationship", relationship),
                [guid("product", other) for other in numbers],
            )

    def _adopt(self, parent: str) -> None:
        self.store.patch("products", guid("product", parent), isVariantParent=True)

    def _translate(
        self, set_name: str, id: str, code: str, values: dict[str, Any]
    ) -> None:
        record = self.store.get(set_name, id)
        assert record
        translations = {**record.get("translations", {}), code: values}
        self.store.patch(set_name, id, translations=translations)

    def _put_file(self, record: dict[str, Any], content: bytes, **fields: Any) -> str:
        self.store.images.mkdir(exist_ok=True)
        (self.store.images / record["assetFileName"]).write_bytes(content)
        digest = hashlib.sha1(content).hexdigest()
        return self.store.put(
            "assets", {**record, "currentAssetHash": digest, **fields}
        )["id"]


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
