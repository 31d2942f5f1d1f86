"""The screen on which a person looks at the products and approves them."""

import hmac
import json
import secrets
import uuid
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlencode

from .data import Record
from .errors import UnknownProductsError
from .messages import Request, Response
from .store import Store

PRODUCTS_PER_PAGE = 50
PRODUCT_PATH = "/products/"

_FOLDER = Path(__file__).parent
_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Html(str):
    """Text that is markup already, and not escaped again."""


def fill(template: str, /, **values: object) -> Html:
    """The template with its ``{names}`` filled in, escaped."""
    return Html(
        template.format_map(
            {
                name: value if isinstance(value, Html) else escape(str(value))
                for name, value in values.items()
            }
        )
    )


def error_page(status: int, message: str) -> Response:
    return _page(status, "Sorry", fill(_ERROR, message=message))


class Screen:
    """Answers the requests of a browser.

    A form carries a token that no other site can read, so that none can approve.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._token = secrets.token_urlsafe()

    def handle(self, request: Request) -> Response:
        reads = request.method in ("GET", "HEAD")
        if request.path == "/" and reads:
            return self._list(_form(request.query))
        if request.path == "/screen.css" and reads:
            stylesheet = (_FOLDER / "screen.css").read_bytes()
            return Response(200, stylesheet, "text/css; charset=utf-8")
        if request.path == "/approve" and request.method == "POST":
            return self._approve(_form(request.body.decode("utf-8", "replace")))
        is_product = request.path.startswith(PRODUCT_PATH)
        if is_product and reads:
            return self._product(request.path.removeprefix(PRODUCT_PATH))
        if is_product or request.path in ("/", "/screen.css", "/approve"):
            return error_page(405, "This page does not take such a request.")
        return error_page(404, "There is no such page.")

    def _list(self, options: Mapping[str, list[str]]) -> Response:
        status, search = _last(options, "status"), _last(options, "search").strip()
        counts = self._store.status_counts(search)
        total = sum(counts.values())
        found = counts.get(status, 0) if status else total
        pages = max(1, -(-found // PRODUCTS_PER_PAGE))
        page = min(max(_integer(_last(options, "page")), 1), pages)
        products = self._store.products(
            status,
            search,
            limit=PRODUCTS_PER_PAGE,
            offset=(page - 1) * PRODUCTS_PER_PAGE,
        )
        tabs = [("", "All", total), *((name, name, n) for name, n in counts.items())]
        content = fill(
            _LIST,
            notice=_notice(_last(options, "approved")),
            tabs=_join(_tab(*tab, status, search) for tab in tabs),
            token=self._token,
            status=status,
            search=search,
            rows=_join(_row(product) for product in products) or _NO_PRODUCTS,
            found=found,
            paging=_paging(page, pages, status, search),
        )
        return _page(200, "Products", content)

    def _product(self, id: str) -> Response:
        try:
            product = self._store.get("products", str(uuid.UUID(id)))
        except ValueError:
            product = None
        if product is None:
            return error_page(404, "There is no such product.")
        title = str(product.get("productTitle") or product.get("productNumber", ""))
        content = fill(
            _PRODUCT,
            title=title,
            facts=_join(
                _fact(label, _value(product, name)) for name, label in _FACTS.items()
            ),
            properties=_join(
                _fact(name, _value(product, name))
                for name in sorted(product, key=str.casefold)
                if name not in _FACTS and not name.startswith("@")
            ),
        )
        return _page(200, title, content)

    def _approve(self, form: Mapping[str, list[str]]) -> Response:
        if not hmac.compare_digest(_last(form, "token").encode(), self._token.encode()):
            return error_page(403, "This form is out of date. Reload the list.")
        status, search = _last(form, "status"), _last(form, "search")
        try:
            if _last(form, "approve") == "all":
                approved = self._store.approve_all(status, search)
            else:
                approved = self._store.approve(form.get("number", []))
        except UnknownProductsError as error:
            return error_page(409, f"{error} Reload the list.")
        url = _url(status=status, search=search, approved=str(approved))
        return Response(303, headers={"Location": url})


_LIST = (_FOLDER / "screen.html").read_text(encoding="utf-8")
_PRODUCT = (_FOLDER / "product.html").read_text(encoding="utf-8")

_FACTS = {
    "productNumber": "Number",
    "status": "Status",
    "currentVersionNumber": "Version",
    "publishedVersionNumber": "Published version",
    "lastPublishedOn": "Last published (UTC)",
    "templateName": "Template",
}

_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Sandbox PIM</title>
<link rel="stylesheet" href="/screen.css">
</head>
<body>
<header class="banner"><a href="/">Sandbox PIM</a></header>
<main>
{content}
</main>
</body>
</html>
"""
_ERROR = """<h1>Sorry</h1>
<p role="alert">{message}</p>
<p><a href="/">Back to the products</a></p>"""
_NOTICE = '<p class="notice" role="status">{text}</p>'
_TAB = (
    '<li><a href="{url}"{current}>{label} <span class="count">{count}</span></a></li>'
)
_CURRENT = Html(' aria-current="page"')
_ROW = """<tr>
<td class="choice"><input type="checkbox" name="number" value="{number}"
 aria-label="Select {number}"></td>
<th scope="row" data-label="Number">{number}</th>
<td data-label="Title"><a href="{url}">{title}</a></td>
<td data-label="Template">{template}</td>
<td data-label="Status"><span class="status" data-status="{status}">{status}</span></td>
<td data-label="Version">{version}</td>
<td data-label="Published version">{published_version}</td>
<td data-label="Last published">{last_published}</td>
</tr>"""
_FACT = '<tr><th scope="row">{label}</th><td>{value}</td></tr>'
_NO_PRODUCTS = Html('<tr><td colspan="8">No products here.</td></tr>')
_PAGE_LINK = '<a href="{url}" rel="{rel}">{label}</a>'


def _page(status: int, title: str, content: Html) -> Response:
    text = fill(_DOCUMENT, title=title, content=content)
    # A replacement for halves of characters, which the store may hold and UTF-8 not.
    body = text.encode("utf-8", "replace")
    return Response(status, body, "text/html; charset=utf-8", _SECURITY_HEADERS)


def _notice(approved: str) -> Html:
    if not approved:
        return Html("")
    count = _integer(approved)
    if count == 0:
        text = "No product was approved: select some first."
    else:
        text = f"{count} product{'' if count == 1 else 's'} approved."
    return fill(_NOTICE, text=text)


def _tab(status: str, label: str, count: int, chosen: str, search: str) -> Html:
    current = _CURRENT if status == chosen else ""
    url = _url(status=status, search=search)
    return fill(_TAB, url=url, current=current, label=label or "None", count=count)


def _row(product: Record) -> Html:
    return fill(
        _ROW,
        number=product.get("productNumber", ""),
        url=f"{PRODUCT_PATH}{product['id']}",
        title=_value(product, "productTitle"),
        template=_value(product, "templateName"),
        status=_value(product, "status"),
        version=_value(product, "currentVersionNumber"),
        published_version=_value(product, "publishedVersionNumber"),
        last_published=_value(product, "lastPublishedOn"),
    )


def _fact(label: str, value: str) -> Html:
    return fill(_FACT, label=label, value=value)


def _value(product: Record, name: str) -> str:
    value = product.get(name)
    if value in (None, ""):
        return "-"
    if name == "lastPublishedOn":
        return str(value)[:16].replace("T", " ")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _paging(page: int, pages: int, status: str, search: str) -> Html:
    links = {page - 1: ("prev", "Previous"), page + 1: ("next", "Next")}
    parts = [fill("<span>Page {page} of {pages}</span>", page=page, pages=pages)]
    for number, (rel, label) in links.items():
        if 1 <= number <= pages:
            url = _url(status=status, search=search, page=str(number))
            parts.append(fill(_PAGE_LINK, url=url, rel=rel, label=label))
    return _join(parts)


def _url(**options: str) -> str:
    query = urlencode({name: value for name, value in options.items() if value})
    return f"/?{query}" if query else "/"


def _join(parts: Iterable[Html]) -> Html:
    return Html("\n".join(parts))


def _form(encoded: str) -> dict[str, list[str]]:
    return parse_qs(encoded)


def _last(form: Mapping[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1]


def _integer(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
