"""The pages of a product: what it is, and the forms to enter and to edit it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from . import products
from .categories import places
from .data import Record
from .definitions import AssignedProperty, Definitions
from .errors import EntryError
from .forms import Form
from .markup import (
    Html,
    Options,
    error_page,
    field,
    fill,
    join,
    link,
    notice,
    page,
    problem,
    redirect,
    template,
    url,
)
from .messages import Response
from .products import OWN_INPUTS, Texts
from .schema import parse_guid
from .store import Records, Store
from .values import Control

PRODUCT_PATH = "/products/"

_PARENT = "parentVariantProductNumber"
_VERSION = "form-version"
_NO_PRODUCT = "There is no such product."

_CONTROLS = {
    Control.TEXT: "text",
    Control.TEXT_AREA: "area",
    Control.HTML: "area",
    Control.NUMBER: "number",
    Control.DATE: "date",
    Control.DATE_TIME: "datetime-local",
}
_HINTS = {
    Control.HTML: "HTML",
    Control.DATE_TIME: "In UTC",
}
_YES_OR_NO = [("", "Unknown"), ("true", "Yes"), ("false", "No")]


class ProductScreen:
    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        self._token = token

    def routes(self) -> dict[str, dict[str, Callable[..., Response]]]:
        return {
            "/products/new": {"GET": self._new, "POST": self._create},
            "/products/([^/]+)": {"GET": self._product},
            "/products/([^/]+)/edit": {"GET": self._edit, "POST": self._save},
        }

    # Reading

    def _product(self, options: Form, id: str) -> Response:
        with self._store.reading() as records:
            product = _find(records, id)
            if product is None:
                return error_page(404, _NO_PRODUCT)
            assigned = Definitions.read(records).properties_of(
                product.get("templateId")
            )
        path = f"{PRODUCT_PATH}{product['id']}"
        title = str(product.get("productTitle") or product.get("productNumber", ""))
        content = fill(
            _PRODUCT,
            title=title,
            path=path,
            add_variant=_add_variant(product),
            notice=notice(_done(options["done"], product)),
            missing=_missing(product, assigned),
            facts=join(
                _fact(label, shown(product, name)) for name, label in _FACTS.items()
            ),
            approve=self._approve_form(product),
            properties=join(
                _fact(name, shown(product, name))
                for name in sorted(product, key=str.casefold)
                if name not in _FACTS and not name.startswith("@")
            ),
        )
        return page(title, content, path=path)

    def _approve_form(self, product: Record) -> Html:
        if product.get("status") == "Approved":
            return Html("")
        number = product.get("productNumber", "")
        return fill(_APPROVE, token=self._token, number=number)

    # A new product

    def _new(self, options: Form) -> Response:
        with self._store.reading() as records:
            definitions = Definitions.read(records)
            chosen = definitions.templates.get(options["template"])
            if chosen is None:
                return self._choose_template(definitions, options)
            texts = {_PARENT: [options["parent"]]}
            return self._new_form(records, definitions, chosen, texts)

    def _choose_template(self, definitions: Definitions, options: Form) -> Response:
        fault = "There is no such template." if options["template"] else ""
        offered = [
            (record["id"], f"{record.get('name')}{_for_kinds(record)}")
            for record in definitions.templates.values()
        ]
        hint = "" if offered else "There are none yet: a site’s setup adds them."
        content = fill(
            _CHOOSE,
            parent=options["parent"],
            templates=field(
                "template",
                "Template",
                "select",
                options={"": [("", "Choose one"), *offered]},
                hint=hint,
                fault=fault,
            ),
        )
        return page(
            "New product",
            content,
            path="/products/new",
            status=400 if fault else 200,
        )

    def _new_form(
        self,
        records: Records,
        definitions: Definitions,
        chosen: Record,
        texts: Texts,
        faults: Mapping[str, str] | None = None,
    ) -> Response:
        name = str(chosen.get("name"))
        parent = field(
            _PARENT,
            "Parent product",
            "text",
            texts.get(_PARENT, ()),
            hint="The number of the product that this is a variant of; empty for none.",
            fault=(faults or {}).get(_PARENT, ""),
        )
        own = join([*_own_fields(records, texts, faults or {}), parent])
        inputs = definitions.inputs_of(chosen["id"])
        return self._form(
            title=f"New product: {name}",
            path="/products/new",
            action="/products/new",
            back=("/products/new", "Templates"),
            hidden=fill(_HIDDEN, name="form-template", value=chosen["id"]),
            about=f"Template: {name}. It starts as Incomplete, at version 1.",
            own=own,
            inputs=inputs,
            texts=texts,
            faults=faults or {},
            button="Create product",
        )

    def _create(self, form: Form) -> Response:
        with self._store.reading() as records:
            definitions = Definitions.read(records)
        chosen = definitions.templates.get(form["form-template"])
        if chosen is None:
            return error_page(404, "There is no such template.")
        texts = _texts(form, [*OWN_INPUTS, _PARENT], definitions, chosen["id"])
        try:
            product = products.create(self._store, chosen["id"], texts)
        except EntryError as error:
            with self._store.reading() as records:
                return self._new_form(
                    records, definitions, chosen, texts, error.messages
                )
        return redirect(f"{PRODUCT_PATH}{product['id']}", done="created")

    # An edit

    def _edit(self, options: Form, id: str) -> Response:
        with self._store.reading() as records:
            product = _find(records, id)
            if product is None:
                return error_page(404, _NO_PRODUCT)
            definitions = Definitions.read(records)
            texts: dict[str, Sequence[str]] = {
                name: [str(product.get(name) or "")] for name in OWN_INPUTS
            }
            for each in definitions.inputs_of(product.get("templateId")):
                texts[each.name] = each.texts(product)
            version = str(product.get("currentVersionNumber") or 0)
            return self._edit_form(records, definitions, product, texts, version)

    def _edit_form(
        self,
        records: Records,
        definitions: Definitions,
        product: Record,
        texts: Texts,
        version: str,
        faults: Mapping[str, str] | None = None,
    ) -> Response:
        number = str(product.get("productNumber", ""))
        path = f"{PRODUCT_PATH}{product['id']}"
        facts = [f"Template: {product.get('templateName') or 'none'}."]
        if parent := product.get(_PARENT):
            facts.append(f"A variant of {parent}.")
        facts.append("Saving makes the next version, and it is Ready for Approval.")
        return self._form(
            title=f"Edit {number}",
            path=f"{path}/edit",
            action=f"{path}/edit",
            back=(path, number),
            hidden=fill(_HIDDEN, name=_VERSION, value=version),
            about=" ".join(facts),
            own=join(_own_fields(records, texts, faults or {})),
            inputs=definitions.inputs_of(product.get("templateId")),
            texts=texts,
            faults=faults or {},
            button="Save",
        )

    def _save(self, form: Form, id: str) -> Response:
        with self._store.reading() as records:
            product = _find(records, id)
            if product is None:
                return error_page(404, _NO_PRODUCT)
            definitions = Definitions.read(records)
        texts = _texts(form, OWN_INPUTS, definitions, product.get("templateId"))
        version = form[_VERSION]
        try:
            saved = products.edit(
                self._store,
                product["id"],
                texts,
                version=form.integer(_VERSION) if version else None,
            )
        except EntryError as error:
            with self._store.reading() as records:
                return self._edit_form(
                    records, definitions, product, texts, version, error.messages
                )
        if saved is None:
            return error_page(404, _NO_PRODUCT)
        return redirect(f"{PRODUCT_PATH}{product['id']}", done="saved")

    # Both forms

    def _form(
        self,
        *,
        title: str,
        path: str,
        action: str,
        back: tuple[str, str],
        hidden: Html,
        about: str,
        own: Html,
        inputs: Sequence[AssignedProperty],
        texts: Texts,
        faults: Mapping[str, str],
        button: str,
    ) -> Response:
        labels = {
            **OWN_INPUTS,
            _PARENT: "Parent product",
            **{each.name: each.label for each in inputs},
        }
        fields = [
            _property_field(each, texts.get(each.name, ()), faults) for each in inputs
        ]
        content = fill(
            _FORM,
            title=title,
            action=action,
            back=back[0],
            back_label=back[1],
            token=self._token,
            hidden=hidden,
            about=about,
            problem=problem(faults, labels),
            own=own,
            properties=fill(_FIELDS, fields=join(fields)) if fields else _NO_PROPERTIES,
            button=button,
        )
        return page(title, content, path=path, status=400 if faults else 200)


_PRODUCT = template("product")
_FORM = template("product_form")
_CHOOSE = template("product_template")

_FACTS = {
    "productNumber": "Number",
    "status": "Status",
    "percentComplete": "Complete (%)",
    "currentVersionNumber": "Version",
    "publishedVersionNumber": "Published version",
    "lastPublishedOn": "Last published (UTC)",
    "templateName": "Template",
}
_FACT = '<tr><th scope="row">{label}</th><td>{value}</td></tr>'
_FIELDS = '<div class="fields">\n{fields}\n</div>'
_HIDDEN = '<input type="hidden" name="{name}" value="{value}">'
_NO_PROPERTIES = Html('<p class="empty">The template has no properties yet.</p>')
_APPROVE = """<form action="/approve" method="post">
<input type="hidden" name="form-token" value="{token}">
<input type="hidden" name="search" value="{number}">
<p class="actions"><button name="number" value="{number}">Approve</button></p>
</form>"""
_MISSING = """<p class="warning">Required, and missing: {names}.</p>"""


def shown(product: Record, name: str) -> str:
    """A value of a product as text."""
    value = product.get(name)
    if value in (None, ""):
        return "-"
    if name == "lastPublishedOn":
        return str(value)[:16].replace("T", " ")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _find(records: Records, id: str) -> Record | None:
    guid = parse_guid(id)
    return records.get("products", guid) if guid else None


def _fact(label: str, value: str) -> Html:
    return fill(_FACT, label=label, value=value)


def _done(what: str, product: Record) -> str:
    version = product.get("currentVersionNumber")
    return {
        "created": "The product was created. A site gets it once it is approved.",
        "saved": f"Version {version} was saved. A site gets it once it is approved.",
    }.get(what, "")


def _missing(product: Record, assigned: Sequence[AssignedProperty]) -> Html:
    names = ", ".join(each.label for each in products.missing(product, assigned))
    return fill(_MISSING, names=names) if names else Html("")


def _add_variant(product: Record) -> Html:
    if product.get("parentProductId"):
        return link(f"{PRODUCT_PATH}{product['parentProductId']}", "Parent product")
    address = url("/products/new", parent=str(product.get("productNumber", "")))
    return fill('<a class="button" href="{url}">Add a variant</a>', url=address)


def _for_kinds(record: Record) -> str:
    kinds = record.get("kinds") or []
    return f" ({', '.join(map(str, kinds)).lower()})" if kinds else ""


def _texts(
    form: Form,
    own_names: Iterable[str],
    definitions: Definitions,
    template_id: str | None,
) -> dict[str, Sequence[str]]:
    """What a form says of a product; a box that is not ticked says nothing."""
    own = {name: form.all(name) for name in own_names if form.all(name)}
    return own | {
        each.name: form.all(each.name) for each in definitions.inputs_of(template_id)
    }


def _own_fields(
    records: Records,
    texts: Texts,
    faults: Mapping[str, str],
) -> list[Html]:
    options = {"primaryCategoryTreeId": _categories(records)}
    hints = {
        "urlSegment": "Empty: the site makes it of the title.",
        "primaryCategoryTreeId": "Only a variant needs none.",
    }
    return [
        field(
            name,
            label,
            "select" if name in options else "text",
            texts.get(name, ()),
            hint=hints.get(name, ""),
            fault=faults.get(name, ""),
            is_required=name in ("productNumber", "productTitle"),
            options=options.get(name),
        )
        for name, label in OWN_INPUTS.items()
    ]


def _categories(records: Records) -> Options:
    options: dict[str, list[tuple[str, str]]] = {"": [("", "None")]}
    for tree in records.find("categoryTaxonomies"):
        options.setdefault(str(tree.get("name")), []).extend(
            (place.category["id"], " › ".join(place.path))
            for place in places(records, tree["id"])
        )
    return options


def _property_field(
    each: AssignedProperty, texts: Sequence[str], faults: Mapping[str, str]
) -> Html:
    control, options = _control(each, texts)
    hints = [
        _HINTS.get(each.control, ""),
        str(each.definition.get("description") or ""),
    ]
    if control == "text" and each.control is Control.MULTI_SELECT:
        texts = ["~".join(texts)] if texts else []
        hints.insert(0, "Several values with ~ between them")
    return field(
        each.name,
        each.label,
        control,
        texts,
        hint=". ".join(hint.rstrip(".") for hint in hints if hint),
        fault=faults.get(each.name, ""),
        is_required=each.is_required,
        options=options,
    )


def _control(each: AssignedProperty, texts: Sequence[str]) -> tuple[str, Options]:
    offered = [(value, value) for value in each.values]
    if each.control is Control.TOGGLE:
        return "select", {"": _YES_OR_NO}
    if each.control is Control.MULTI_SELECT:
        return ("boxes" if offered else "text"), {"": offered}
    if each.control.is_choice:
        return ("select" if offered else "text"), {"": [("", "None"), *offered]}
    control = _CONTROLS[each.control]
    # A line drops the breaks that the value has.
    if control == "text" and any("\n" in text for text in texts):
        control = "area"
    return control, {}
