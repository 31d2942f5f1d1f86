"""The page of a product: what the PIM knows of it, and what ends its life."""

import json
from collections.abc import Callable, Iterable, Sequence

from . import lifecycle, links, products
from .data import Record
from .definitions import AssignedProperty, Definitions, other_languages
from .errors import UnknownProductsError
from .forms import Form
from .markup import (
    Html,
    error_page,
    fill,
    join,
    link,
    notice,
    page,
    redirect,
    table,
    template,
    url,
    yes_or_no,
)
from .messages import Response
from .products import PRIMARY_IMAGE
from .schema import parse_guid
from .store import Records, Store

PRODUCT_PATH = "/products/"
NO_PRODUCT = "There is no such product."


class ProductPage:
    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        self._token = token

    def routes(self) -> dict[str, dict[str, Callable[..., Response]]]:
        return {
            "/products/([^/]+)": {"GET": self._product},
            "/products/([^/]+)/archive": {"POST": self._archive},
            "/products/([^/]+)/reactivate": {"POST": self._reactivate},
            "/products/([^/]+)/delete": {
                "GET": self._confirm_delete,
                "POST": self._delete,
            },
        }

    def _product(self, options: Form, id: str) -> Response:
        with self._store.reading() as records:
            product = find_product(records, id)
            if product is None:
                return error_page(404, NO_PRODUCT)
            definitions = Definitions.read(records)
            assigned = definitions.properties_of(product.get("templateId"))
            translations = _translations(records, definitions, product)
            assets = _assets(records, product)
            related = _related(records, product)
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
            actions=self._actions(product, path),
            properties=join(
                _fact(name, shown(product, name))
                for name in sorted(product, key=str.casefold)
                if name not in _FACTS
                and name != "translations"
                and not name.startswith("@")
            ),
            translations=translations,
            assets=assets,
            related=related,
        )
        return page(title, content, path=path)

    def _actions(self, product: Record, path: str) -> Html:
        approval = Html("")
        if product.get("status") != "Approved":
            number = product.get("productNumber", "")
            approval = fill(_APPROVE, token=self._token, number=number)
        action = "Reactivate" if product.get("isArchived") else "Archive"
        return join(
            [
                approval,
                fill(
                    _ACTION,
                    token=self._token,
                    path=path,
                    action=action.lower(),
                    label=action,
                ),
                fill('<a class="button" href="{path}/delete">Delete</a>', path=path),
            ]
        )

    # The end of a product

    def _archive(self, form: Form, id: str) -> Response:
        return self._end(id, lifecycle.archive, _page_that_says("archived"))

    def _reactivate(self, form: Form, id: str) -> Response:
        return self._end(id, lifecycle.reactivate, _page_that_says("reactivated"))

    def _confirm_delete(self, options: Form, id: str) -> Response:
        with self._store.reading() as records:
            product = find_product(records, id)
            if product is None:
                return error_page(404, NO_PRODUCT)
            variants = len(lifecycle.variants_of(records, product))
        number = str(product.get("productNumber", ""))
        content = fill(
            _DELETE,
            token=self._token,
            path=f"{PRODUCT_PATH}{product['id']}",
            number=number,
            what=_what_goes(variants),
        )
        return page(f"Delete {number}", content, path=PRODUCT_PATH)

    def _delete(self, form: Form, id: str) -> Response:
        return self._end(
            id,
            lifecycle.delete,
            lambda product: redirect("/", deleted=product["productNumber"]),
        )

    def _end(
        self,
        id: str,
        act: Callable[[Store, Iterable[str]], int],
        afterwards: Callable[[Record], Response],
    ) -> Response:
        with self._store.reading() as records:
            product = find_product(records, id)
        if product is None:
            return error_page(404, NO_PRODUCT)
        try:
            act(self._store, [str(product.get("productNumber", ""))])
        except UnknownProductsError as error:
            return error_page(409, str(error))
        return afterwards(product)


_PRODUCT = template("product")
_DELETE = template("product_delete")
_FACTS = {
    "productNumber": "Number",
    "status": "Status",
    "percentComplete": "Complete (%)",
    "currentVersionNumber": "Version",
    "publishedVersionNumber": "Published version",
    "lastPublishedOn": "Last published (UTC)",
    "templateName": "Template",
    "isArchived": "Archived",
    "deactivateOn": "Deactivate on (UTC)",
}
_FACT = '<tr><th scope="row">{label}</th><td>{value}</td></tr>'
_APPROVE = """<form action="/approve" method="post">
<input type="hidden" name="form-token" value="{token}">
<input type="hidden" name="search" value="{number}">
<button name="number" value="{number}">Approve</button>
</form>"""
_ACTION = """<form action="{path}/{action}" method="post">
<input type="hidden" name="form-token" value="{token}">
<button>{label}</button>
</form>"""
_TRANSLATION = """<h2>{heading}</h2>
<table class="facts">
<caption>Properties in {heading}</caption>
<tbody>
{facts}
</tbody>
</table>"""
_MISSING = """<p class="warning">Required, and missing: {names}.</p>"""


def shown(product: Record, name: str) -> str:
    """A value of a product as text."""
    value = product.get(name)
    if value in (None, ""):
        return "-"
    if name in ("lastPublishedOn", "deactivateOn"):
        return str(value)[:16].replace("T", " ")
    if name == "isArchived":
        return yes_or_no(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def find_product(records: Records, id: str) -> Record | None:
    guid = parse_guid(id)
    return records.get("products", guid) if guid else None


def _fact(label: str, value: str) -> Html:
    return fill(_FACT, label=label, value=value)


def _page_that_says(what: str) -> Callable[[Record], Response]:
    """What comes after an action: the product's page, with what was done to it."""
    return lambda product: redirect(f"{PRODUCT_PATH}{product['id']}", done=what)


def _done(what: str, product: Record) -> str:
    version = product.get("currentVersionNumber")
    return {
        "created": "The product was created. A site gets it once it is approved.",
        "saved": f"Version {version} was saved. A site gets it once it is approved.",
        "archived": "The product was archived. A site takes it off with its next run.",
        "reactivated": "The product is back, and Approved: a site’s next run shows it.",
    }.get(what, "")


def _missing(product: Record, assigned: Sequence[AssignedProperty]) -> Html:
    names = ", ".join(each.label for each in products.missing(product, assigned))
    return fill(_MISSING, names=names) if names else Html("")


def _add_variant(product: Record) -> Html:
    if product.get("parentProductId"):
        return link(f"{PRODUCT_PATH}{product['parentProductId']}", "Parent product")
    address = url("/products/new", parent=str(product.get("productNumber", "")))
    return fill('<a class="button" href="{url}">Add a variant</a>', url=address)


def _translations(records: Records, definitions: Definitions, product: Record) -> Html:
    """What the product says in other languages, also of what it has no input for."""
    parts = []
    names = [
        each.name for each in definitions.localizable_of(product.get("templateId"))
    ]
    for language in other_languages(records):
        translation = (product.get("translations") or {}).get(code_of(language), {})
        facts = [
            _fact(name, shown(translation, name))
            for name in dict.fromkeys([*names, *translation])
        ]
        if facts:
            parts.append(
                fill(_TRANSLATION, heading=heading_of(language), facts=join(facts))
            )
    return join(parts)


def _assets(records: Records, product: Record) -> Html:
    primary = product.get(PRIMARY_IMAGE)
    return table(
        "Assets in their order",
        ["Name", "File", "Type", "Alternative text", "Primary image"],
        [
            [
                _file_link(asset),
                asset.get("assetFileName"),
                asset.get("type"),
                asset.get("altText"),
                yes_or_no(asset["id"] == primary),
            ]
            for asset in links.assets_of(records, product["id"])
        ],
        "It has none.",
    )


def _file_link(asset: Record) -> object:
    """The asset's name, linked to its file where that has an address of the web."""
    address = str(asset.get("externalFileUrl") or asset.get("urlLarge") or "")
    is_web = address.startswith(("https://", "http://", "/assets/"))
    return link(address, asset.get("name")) if is_web else asset.get("name")


def _related(records: Records, product: Record) -> Html:
    return table(
        "Related products by type, in their order",
        ["Number", "Title", "Relationship", "Status"],
        [
            [
                link(f"{PRODUCT_PATH}{other['id']}", other.get("productNumber")),
                other.get("productTitle"),
                relationship.get("name"),
                other.get("status"),
            ]
            for relationship in links.relationships(records)
            for other in links.related_to(records, product["id"], relationship["id"])
        ],
        "There are none.",
    )


def _what_goes(variants: int) -> str:
    if not variants:
        return "The product goes, with its links to categories, assets and products."
    those = "its variant goes" if variants == 1 else f"its {variants} variants go"
    return f"The product goes, and {those} with it."


def code_of(language: Record) -> str:
    return str(language.get("languageCode"))


def heading_of(language: Record) -> str:
    return f"{language.get('name') or 'Translation'} ({code_of(language)})"
