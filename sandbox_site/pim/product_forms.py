"""The forms in which a person enters products and edits them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from . import links, products
from .categories import places
from .data import Record
from .definitions import AssignedProperty, Definitions, other_languages
from .errors import EntryError
from .forms import Form
from .markup import (
    Html,
    Options,
    error_page,
    field,
    fill,
    join,
    page,
    problem,
    redirect,
    template,
)
from .messages import Response
from .product_page import NO_PRODUCT, PRODUCT_PATH, code_of, find_product, heading_of
from .products import (
    ASSETS,
    OWN_INPUTS,
    PRIMARY_IMAGE,
    Texts,
    own_text,
    relation_name,
    texts_of_links,
    translation_name,
)
from .store import Records, Store
from .values import Control

_PARENT = "parentVariantProductNumber"
_VERSION = "form-version"

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


class _Group(NamedTuple):
    """A part of a form below a heading, and the labels of its inputs by name."""

    heading: str
    fields: Html
    labels: Mapping[str, str]


class ProductForms:
    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        self._token = token

    def routes(self) -> dict[str, dict[str, Callable[..., Response]]]:
        return {
            "/products/new": {"GET": self._new, "POST": self._create},
            "/products/([^/]+)/edit": {"GET": self._edit, "POST": self._save},
        }

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
            product = find_product(records, id)
            if product is None:
                return error_page(404, NO_PRODUCT)
            definitions = Definitions.read(records)
            texts: dict[str, Sequence[str]] = {
                name: [own_text(product, name)] for name in OWN_INPUTS
            }
            for each in definitions.inputs_of(product.get("templateId")):
                texts[each.name] = each.texts(product)
            translations = product.get("translations") or {}
            for name, (language, each) in _translatable(
                records, definitions, product
            ).items():
                texts[name] = each.texts(translations.get(code_of(language), {}))
            texts |= texts_of_links(records, product)
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
            more=[
                *_language_groups(records, definitions, product, texts, faults or {}),
                _link_group(records, texts, faults or {}),
            ],
        )

    def _save(self, form: Form, id: str) -> Response:
        with self._store.reading() as records:
            product = find_product(records, id)
            if product is None:
                return error_page(404, NO_PRODUCT)
            definitions = Definitions.read(records)
            own = [*OWN_INPUTS, *texts_of_links(records, product)]
            texts = _texts(form, own, definitions, product.get("templateId"))
            for name in _translatable(records, definitions, product):
                texts[name] = form.all(name)
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
            return error_page(404, NO_PRODUCT)
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
        more: Sequence[_Group] = (),
    ) -> Response:
        labels = {
            **OWN_INPUTS,
            _PARENT: "Parent product",
            **{each.name: each.label for each in inputs},
        }
        for group in more:
            labels |= group.labels
        fields = [
            _property_field(
                each,
                each.name,
                each.label,
                texts,
                faults,
                is_required=each.is_required,
            )
            for each in inputs
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
            more=join(fill(_GROUP, **group._asdict()) for group in more),
            button=button,
        )
        return page(title, content, path=path, status=400 if faults else 200)


_FORM = template("product_form")
_CHOOSE = template("product_template")

_FIELDS = '<div class="fields">\n{fields}\n</div>'
_HIDDEN = '<input type="hidden" name="{name}" value="{value}">'
_NO_PROPERTIES = Html('<p class="empty">The template has no properties yet.</p>')
_GROUP = """<h2>{heading}</h2>
<div class="fields">
{fields}
</div>"""


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
        "deactivateOn": "In UTC. A site takes the product off then.",
    }
    controls = {"primaryCategoryTreeId": "select", "deactivateOn": "datetime-local"}
    return [
        field(
            name,
            label,
            controls.get(name, "text"),
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


def _translatable(
    records: Records, definitions: Definitions, product: Record
) -> dict[str, tuple[Record, AssignedProperty]]:
    """Languages and their properties, by the names of the inputs that they have."""
    localizable = definitions.localizable_of(product.get("templateId"))
    return {
        translation_name(each.name, language): (
            language,
            each.in_language(code_of(language)),
        )
        for language in other_languages(records)
        for each in localizable
    }


def _language_groups(
    records: Records,
    definitions: Definitions,
    product: Record,
    texts: Texts,
    faults: Mapping[str, str],
) -> Iterator[_Group]:
    """The inputs of each language."""
    translatable = _translatable(records, definitions, product)
    for language in other_languages(records):
        fields, labels = [], {}
        for name, (of, each) in translatable.items():
            if of != language:
                continue
            label = OWN_INPUTS.get(each.name, each.label)
            labels[name] = f"{label} ({code_of(language)})"
            fields.append(_property_field(each, name, labels[name], texts, faults))
        if fields:
            yield _Group(heading_of(language), join(fields), labels)


def _link_group(records: Records, texts: Texts, faults: Mapping[str, str]) -> _Group:
    """The inputs of what the product is linked to."""
    relationships = links.relationships(records)
    labels = {
        ASSETS: "Assets",
        PRIMARY_IMAGE: "Primary image",
        **{relation_name(each): str(each.get("name")) for each in relationships},
    }
    hints = {ASSETS: "Their names, one a line", PRIMARY_IMAGE: "An asset’s name"}
    fields = [
        field(
            name,
            label,
            "area" if name == ASSETS else "text",
            texts.get(name, ()),
            hint=hints.get(name, "Numbers of products with commas between them"),
            fault=faults.get(name, ""),
        )
        for name, label in labels.items()
    ]
    return _Group("Assets and related products", join(fields), labels)


def _property_field(
    each: AssignedProperty,
    name: str,
    label: str,
    all_texts: Texts,
    faults: Mapping[str, str],
    *,
    is_required: bool = False,
) -> Html:
    texts = all_texts.get(name, ())
    control, options = _control(each, texts)
    hints = [
        _HINTS.get(each.control, ""),
        str(each.definition.get("description") or ""),
    ]
    if control == "text" and each.control is Control.MULTI_SELECT:
        texts = ["~".join(texts)] if texts else []
        hints.insert(0, "Several values with ~ between them")
    return field(
        name,
        label,
        control,
        texts,
        hint=". ".join(hint.rstrip(".") for hint in hints if hint),
        fault=faults.get(name, ""),
        is_required=is_required,
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
