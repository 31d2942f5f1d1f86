"""The screen of a person: where requests go, and the list of products."""

import hmac
import re
import secrets
from collections.abc import Callable, Mapping

from .data import Record
from .errors import UnknownProductsError
from .forms import PROOF_OF_ORIGIN, Form
from .markup import (
    STYLESHEET,
    Html,
    current_if,
    error_page,
    fill,
    join,
    link,
    notice,
    page,
    redirect,
    stylesheet,
    template,
    url,
)
from .messages import Request, Response
from .product_forms import ProductForms
from .product_page import PRODUCT_PATH, ProductPage, shown
from .setup_screen import SetupScreen
from .store import Store

PRODUCTS_PER_PAGE = 50

Handler = Callable[..., Response]
"""Takes the form or the options of the address, and what stands in its path."""


class Screen:
    """Answers the requests of a browser.

    A form carries a token that no other site can read, so that none can write.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._token = secrets.token_urlsafe()
        self._routes: Mapping[str, Mapping[str, Handler]] = {
            "/": {"GET": self._list},
            STYLESHEET: {"GET": lambda form: stylesheet()},
            "/approve": {"POST": self._approve},
            **ProductForms(store, self._token).routes(),
            **ProductPage(store, self._token).routes(),
            **SetupScreen(store, self._token).routes(),
        }

    def handle(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        for pattern, handlers in self._routes.items():
            if match := re.fullmatch(pattern, request.path):
                handler = handlers.get(method)
                if handler is None:
                    return error_page(405, "This page does not take such a request.")
                return self._answer(request, handler, match.groups())
        return error_page(404, "There is no such page.")

    def _answer(
        self, request: Request, handler: Handler, path: tuple[str, ...]
    ) -> Response:
        writes = request.method == "POST"
        encoded = request.body.decode("utf-8", "replace") if writes else request.query
        try:
            form = Form.read(encoded)
        except ValueError:
            return error_page(400, "There are too many inputs in this request.")
        token = form[PROOF_OF_ORIGIN].encode("utf-8", "replace")
        if writes and not hmac.compare_digest(token, self._token.encode()):
            return error_page(
                403, "This form is out of date. Go back, and reload the page."
            )
        return handler(form, *path)

    def _list(self, options: Form) -> Response:
        status, search = options["status"], options["search"].strip()
        counts = self._store.status_counts(search)
        total = sum(counts.values())
        found = counts.get(status, 0) if status else total
        pages = max(1, -(-found // PRODUCTS_PER_PAGE))
        number = min(max(options.integer("page"), 1), pages)
        products = self._store.products(
            status,
            search,
            limit=PRODUCTS_PER_PAGE,
            offset=(number - 1) * PRODUCTS_PER_PAGE,
        )
        tabs = [("", "All", total), *((name, name, n) for name, n in counts.items())]
        content = fill(
            _LIST,
            notice=notice(_done(options)),
            tabs=join(_tab(*tab, status, search) for tab in tabs),
            token=self._token,
            status=status,
            search=search,
            rows=join(_row(product) for product in products) or _NO_PRODUCTS,
            found=found,
            paging=_paging(number, pages, status, search),
        )
        return page("Products", content, path="/")

    def _approve(self, form: Form) -> Response:
        status, search = form["status"], form["search"]
        try:
            if form["approve"] == "all":
                approved = self._store.approve_all(status, search)
            else:
                approved = self._store.approve(form.all("number"))
        except UnknownProductsError as error:
            return error_page(409, f"{error} Reload the list.")
        return redirect("/", status=status, search=search, approved=str(approved))


_LIST = template("screen")
_TAB = (
    '<li><a href="{url}"{current}>{label} <span class="count">{count}</span></a></li>'
)
_ROW = """<tr>
<td class="choice"><input type="checkbox" name="number" value="{number}"
 aria-label="Select {number}"></td>
<th scope="row" data-label="Number">{number}</th>
<td data-label="Title">{title}</td>
<td data-label="Template">{template}</td>
<td data-label="Status"><span class="status" data-status="{status}">{status}</span>
{archived}</td>
<td data-label="Version">{version}</td>
<td data-label="Published version">{published_version}</td>
<td data-label="Last published">{last_published}</td>
</tr>"""
_ARCHIVED = Html('<span class="status">Archived</span>')
_NO_PRODUCTS = Html('<tr><td colspan="8">No products here.</td></tr>')
_PAGE_LINK = '<a href="{url}" rel="{rel}">{label}</a>'


def _done(options: Form) -> str:
    if number := options["deleted"]:
        return f"{number} was deleted. A site learns of it when it next reconciles."
    if not options["approved"]:
        return ""
    count = options.integer("approved")
    if count == 0:
        return "No product was approved: select some first."
    return f"{count} product{'' if count == 1 else 's'} approved."


def _tab(status: str, label: str, count: int, chosen: str, search: str) -> Html:
    return fill(
        _TAB,
        url=url("/", status=status, search=search),
        current=current_if(status == chosen),
        label=label or "None",
        count=count,
    )


def _row(product: Record) -> Html:
    return fill(
        _ROW,
        number=product.get("productNumber", ""),
        title=link(f"{PRODUCT_PATH}{product['id']}", shown(product, "productTitle")),
        template=shown(product, "templateName"),
        status=shown(product, "status"),
        archived=_ARCHIVED if product.get("isArchived") else Html(""),
        version=shown(product, "currentVersionNumber"),
        published_version=shown(product, "publishedVersionNumber"),
        last_published=shown(product, "lastPublishedOn"),
    )


def _paging(number: int, pages: int, status: str, search: str) -> Html:
    links = {number - 1: ("prev", "Previous"), number + 1: ("next", "Next")}
    parts = [fill("<span>Page {number} of {pages}</span>", number=number, pages=pages)]
    for other, (rel, label) in links.items():
        if 1 <= other <= pages:
            address = url("/", status=status, search=search, page=str(other))
            parts.append(fill(_PAGE_LINK, url=address, rel=rel, label=label))
    return join(parts)
