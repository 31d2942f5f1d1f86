"""What the PIM's workflow does to products: their entry, edits and publishing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from . import links
from .data import Record
from .definitions import (
    PRODUCT,
    VARIANT,
    AssignedProperty,
    Definitions,
    other_languages,
)
from .errors import EntryError, ODataError, UnknownProductsError
from .schema import parse_guid
from .store import Records, Store
from .values import (
    Control,
    InvalidValueError,
    line,
    parse,
    required_line,
    texts_of,
    url_segment,
)

_ACKNOWLEDGEMENT = {"status", "publishedVersionNumber"}

OWN_INPUTS = {
    "productNumber": "Number",
    "productTitle": "Title",
    "urlSegment": "URL segment",
    "primaryCategoryTreeId": "Primary category",
    "deactivateOn": "Deactivate on",
}
"""What a person enters of any product, and its label."""

ASSETS, PRIMARY_IMAGE = "assets", "primaryImageAssetId"
"""The inputs of a product's assets: their names, one a line, and that of the first."""

Value = TypeVar("Value")
Texts = Mapping[str, Sequence[str]]
"""What a person entered, by the name that a product has for it."""


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


# Inputs


def own_text(product: Mapping[str, Any], name: str) -> str:
    """What the input of this name, one of OWN_INPUTS, shows of a product."""
    if name == "deactivateOn":
        return "".join(texts_of(product.get(name), Control.DATE_TIME))
    return str(product.get(name) or "")


def translation_name(name: str, language: Record) -> str:
    """What the input is called in which a property is entered in a language."""
    return f"{name}.{language.get('languageCode')}"


def relation_name(relationship: Record) -> str:
    """What the input is called with the numbers of products related in this way."""
    return f"related.{relationship['id']}"


def texts_of_links(records: Records, product: Record) -> dict[str, Sequence[str]]:
    """What the inputs of assets and related products show."""
    assets = links.assets_of(records, product["id"])
    primary = records.get("assets", str(product.get(PRIMARY_IMAGE)))
    names = {
        ASSETS: "\n".join(str(asset.get("name")) for asset in assets),
        PRIMARY_IMAGE: str(primary.get("name")) if primary else "",
    }
    for relationship in links.relationships(records):
        related = links.related_to(records, product["id"], relationship["id"])
        numbers = ", ".join(str(each.get("productNumber")) for each in related)
        names[relation_name(relationship)] = numbers
    return {name: [text] for name, text in names.items()}


# Completeness


def missing(
    product: Mapping[str, Any], assigned: Iterable[AssignedProperty]
) -> list[AssignedProperty]:
    """The required properties that the product has no value of."""
    return [
        each
        for each in assigned
        if each.is_required and product.get(each.name) in (None, "")
    ]


def percent_complete(
    product: Mapping[str, Any], assigned: Sequence[AssignedProperty]
) -> int:
    required = sum(each.is_required for each in assigned)
    if not required:
        return 100
    return 100 * (required - len(missing(product, assigned))) // required


# Entry


def create(store: Store, template_id: str, texts: Texts) -> Record:
    """A new product, or a variant where ``parentVariantProductNumber`` names a parent.

    Raises EntryError.
    """
    with store.writing() as records:
        definitions = Definitions.read(records)
        template = definitions.templates.get(template_id)
        if template is None:
            raise EntryError({"templateId": "There is no such template."})
        entry = _Entry(records, texts)
        parent = entry.read(
            "parentVariantProductNumber", lambda text: _parent(records, text, template)
        )
        moment = now()
        product = {
            "createdOn": moment,
            "modifiedOn": moment,
            "templateId": template["id"],
            "templateName": template.get("name"),
            "parentProductId": parent and parent["id"],
            "parentVariantProductNumber": parent and parent["productNumber"],
            "status": "Incomplete",
            "currentVersionNumber": 1,
            "publishedVersionNumber": 0,
            "lastPublishedOn": None,
            "deactivateOn": None,
            "primaryImageAssetId": None,
            "defaultChildProductId": None,
            "isVariantParent": False,
            "variantPropertyIdList": [],
            "onHold": False,
            "isArchived": False,
            "tagList": "",
        }
        # That the parent is none of the products is a fault of its own.
        is_variant = bool(parent or entry.faults)
        product = records.put(
            "products", _entered(product, entry, definitions, is_variant=is_variant)
        )
        if parent is not None:
            _adopt(records, parent, product)
        _move(records, product, None)
        return product


def edit(
    store: Store,
    id: str,
    texts: Texts,
    *,
    version: int | None = None,
    approve: bool = False,
) -> Record | None:
    """Change what is entered of a product: its next version, Ready for Approval.

    What ``texts`` does not name stays; None if the product is gone. With ``version``,
    the one that the person saw, an edit of another is refused. Raises EntryError.
    """
    with store.writing() as records:
        before = records.get("products", id)
        if before is None:
            return None
        current = before.get("currentVersionNumber") or 0
        if version not in (None, current):
            raise EntryError(
                {"version": f"It is at {current} by now. Open the form anew."}
            )
        entry = _Entry(records, texts)
        product = _entered(
            {**before, **_enter_links(before, entry)},
            entry,
            Definitions.read(records),
            is_variant=before.get("parentProductId") is not None,
        )
        status = "Approved" if approve else "Ready for Approval"
        product = records.put(
            "products", {**product, **edited(product, {"status": status})}
        )
        _move(records, product, before.get("primaryCategoryTreeId"))
        if product["productNumber"] != before.get("productNumber"):
            _tell_variants(records, product)
        return product


def edit_by_number(
    store: Store,
    number: str,
    pairs: Iterable[tuple[str, str]],
    *,
    approve: bool = False,
) -> Record:
    """As ``edit``, with names in any case. Raises SandboxError."""
    with store.reading() as records:
        found = records.find("products", productNumber=number)
        if not found:
            raise UnknownProductsError([number], "Nothing was changed.")
        definitions = Definitions.read(records)
        template = found[0].get("templateId")
        names = [
            *OWN_INPUTS,
            *(each.name for each in definitions.inputs_of(template)),
            *(
                translation_name(each.name, language)
                for language in other_languages(records)
                for each in definitions.localizable_of(template)
            ),
        ]
    exact = {name.casefold(): name for name in names}
    texts: dict[str, list[str]] = {}
    for name, text in pairs:
        if name.casefold() not in exact:
            raise EntryError(
                {name: f"The product has no such property. It has {', '.join(names)}."}
            )
        texts[exact[name.casefold()]] = [text]
    product = edit(store, found[0]["id"], texts, approve=approve)
    if product is None:
        raise UnknownProductsError([number], "Nothing was changed.")
    return product


class _Entry:
    """Reads what a person entered; gathers what is wrong by the input's name."""

    def __init__(self, records: Records, texts: Texts) -> None:
        self.faults: dict[str, str] = {}
        self.records = records
        self.texts = texts

    def finish(self) -> None:
        if self.faults:
            raise EntryError(self.faults)

    def read(self, name: str, reader: Callable[[str], Value]) -> Value | None:
        """What ``reader`` makes of the input's text; None if that is a fault."""
        return self.read_text(name, self._text(name), reader)

    def read_text(
        self, name: str, text: str, reader: Callable[[str], Value]
    ) -> Value | None:
        """The same of this text."""
        try:
            return reader(text)
        except InvalidValueError as error:
            self.faults[name] = str(error)
            return None

    def read_each(
        self, name: str, separator: str, reader: Callable[[str], str]
    ) -> list[str]:
        """What ``reader`` makes of each part of the text, each result once."""
        parts = map(str.strip, (self.lines(name) or "").split(separator))
        found = (self.read_text(name, part, reader) for part in parts if part)
        return list(dict.fromkeys(filter(None, found)))

    def lines(self, name: str) -> str | None:
        """The text as it stands, its lines as the PIM ends them; None without one."""
        if name not in self.texts:
            return None
        return self._text(name).replace("\r\n", "\n")

    def _text(self, name: str) -> str:
        return "".join(self.texts.get(name, [])[-1:])

    def is_touched(self, name: str, product: Record) -> bool:
        """Whether a value is new: what is left as it is stays, whatever the rules."""
        if "id" not in product:
            return True
        return name in self.texts and list(self.texts[name]) != [
            own_text(product, name)
        ]


def _entered(
    product: Record, entry: _Entry, definitions: Definitions, *, is_variant: bool
) -> Record:
    """The product with all that a person entered. Raises EntryError."""
    product = {
        **product,
        **_own_values(product, entry, is_variant=is_variant),
        "translations": _translations(product, entry, definitions),
    }
    inputs = definitions.inputs_of(product.get("templateId"))
    _enter(product, {each.name: each for each in inputs}, entry)
    entry.finish()
    assigned = definitions.properties_of(product.get("templateId"))
    return {**product, "percentComplete": percent_complete(product, assigned)}


def _own_values(product: Record, entry: _Entry, *, is_variant: bool) -> Record:
    """Those of OWN_INPUTS that a person entered."""
    readers: dict[str, Callable[[str], Any]] = {
        "productNumber": lambda text: _free_number(entry.records, text, product),
        "productTitle": required_line,
        "urlSegment": url_segment,
        "deactivateOn": lambda text: parse([text], Control.DATE_TIME, {}, []),
    }
    values: Record = {
        name: entry.read(name, reader)
        for name, reader in readers.items()
        if entry.is_touched(name, product)
    }
    name = "primaryCategoryTreeId"
    if entry.is_touched(name, product):
        category = entry.read(
            name,
            lambda text: _category(entry.records, text, may_be_empty=is_variant),
        )
        values[name] = category and category["id"]
        values["primaryCategoryName"] = category and category.get("name")
    return values


def _enter(
    record: Record, inputs: Mapping[str, AssignedProperty], entry: _Entry
) -> None:
    """Set the properties, by the names of their inputs, to what a person entered."""
    for name, each in inputs.items():
        if name not in entry.texts:
            continue
        before = record.pop(each.name, None)
        try:
            value = each.value(entry.texts[name], {each.name: before})
        except InvalidValueError as error:
            entry.faults[name] = str(error)
            continue
        # An empty value has no key.
        if value is not None:
            record[each.name] = value


def _translations(
    product: Record, entry: _Entry, definitions: Definitions
) -> dict[str, Record]:
    """What the product says in other languages, with what a person entered of it."""
    translations = {**(product.get("translations") or {})}
    localizable = definitions.localizable_of(product.get("templateId"))
    for language in other_languages(entry.records):
        code = str(language.get("languageCode"))
        translation = {**translations.pop(code, {})}
        inputs = {
            translation_name(each.name, language): each.in_language(code)
            for each in localizable
        }
        _enter(translation, inputs, entry)
        if translation:
            translations[code] = translation
    return translations


def _enter_links(product: Record, entry: _Entry) -> Record:
    """Write the links that a person changed; what that changes of the product."""
    records, key = entry.records, product["id"]
    shown = texts_of_links(records, product)
    changed = {name for name in shown if entry.lines(name) not in (None, *shown[name])}
    values: Record = {}
    if PRIMARY_IMAGE in changed:
        values[PRIMARY_IMAGE] = entry.read(
            PRIMARY_IMAGE, lambda text: _asset(records, text) if text.strip() else None
        )
    if ASSETS in changed:
        links.set_assets(
            records,
            key,
            entry.read_each(ASSETS, "\n", lambda name: _asset(records, name)),
        )
    for relationship in links.relationships(records):
        name = relation_name(relationship)
        if name in changed:
            related = entry.read_each(name, ",", lambda text: _related(records, text))
            links.set_related(records, key, relationship["id"], related)
    return values


def _asset(records: Records, name: str) -> str:
    return _only(records.find("assets", name=line(name)), f"asset “{name}”")


def _related(records: Records, number: str) -> str:
    found = records.find("products", productNumber=line(number))
    return _only(found, f"product with the number “{number}”")


def _only(found: Sequence[Record], what: str) -> str:
    if not found:
        raise InvalidValueError(f"There is no {what}.")
    if len(found) > 1:
        raise InvalidValueError(f"There is more than one {what}.")
    return str(found[0]["id"])


def _free_number(records: Records, text: str, product: Record) -> str:
    number = required_line(text)
    others = records.find("products", productNumber=number)
    if any(other["id"] != product.get("id") for other in others):
        raise InvalidValueError(f"There is a product with the number “{number}”.")
    return number


def _category(records: Records, id: str, *, may_be_empty: bool) -> Record | None:
    if not id and may_be_empty:
        return None
    if not id:
        raise InvalidValueError("Choose a category: only a variant needs none.")
    guid = parse_guid(id)
    category = records.get("categorytrees", guid) if guid else None
    if category is None:
        raise InvalidValueError("There is no such category.")
    return category


def _parent(records: Records, text: str, template: Record) -> Record | None:
    """The product of which a new one is a variant, if the template is for such."""
    number = line(text)
    kinds = template.get("kinds") or [PRODUCT, VARIANT]
    if not number:
        if PRODUCT not in kinds:
            raise InvalidValueError(
                "The template is for variants: name the product that this is one of."
            )
        return None
    found = records.find("products", productNumber=number)
    if not found:
        raise InvalidValueError(f"There is no product with the number “{number}”.")
    if found[0].get("parentProductId"):
        raise InvalidValueError(f"“{number}” is a variant itself, and can have none.")
    if VARIANT not in kinds:
        raise InvalidValueError(
            "The template is not for variants: leave this empty, or choose another."
        )
    return found[0]


def _adopt(records: Records, parent: Record, variant: Record) -> None:
    """Tell the parent of its new variant. That is no edit: the version stays."""
    child = parent.get("defaultChildProductId") or variant["id"]
    family = {"isVariantParent": True, "defaultChildProductId": child}
    if not family.items() <= parent.items():
        records.put("products", {**parent, **family})


def _tell_variants(records: Records, parent: Record) -> None:
    """Give the parent's new number to its variants, which repeat it."""
    number = parent["productNumber"]
    for variant in records.find("products", parentProductId=parent["id"]):
        records.put("products", {**variant, "parentVariantProductNumber": number})


def _move(records: Records, product: Record, category_before: str | None) -> None:
    """Put the product into its primary category, out of that of before."""
    category = product.get("primaryCategoryTreeId")
    if category == category_before:
        return
    links = records.find("categoryTreeProducts", productId=product["id"])
    for link in links:
        if link.get("categoryTreeId") == category_before:
            records.delete("categoryTreeProducts", link["id"])
    if category and category not in {link.get("categoryTreeId") for link in links}:
        moment = now()
        records.put(
            "categoryTreeProducts",
            {
                "createdOn": moment,
                "modifiedOn": moment,
                "categoryTreeId": category,
                "productId": product["id"],
            },
        )
