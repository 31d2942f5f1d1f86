"""What all pages of the screen are made of."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from .messages import Response

STYLESHEET = "/screen.css"

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


def join(parts: Iterable[Html]) -> Html:
    return Html("\n".join(parts))


def template(name: str) -> str:
    """One of the templates that stand beside this module."""
    return (_FOLDER / f"{name}.html").read_text(encoding="utf-8")


def stylesheet() -> Response:
    content = (_FOLDER / "screen.css").read_bytes()
    return Response(200, content, "text/css; charset=utf-8")


def url(path: str, **options: str) -> str:
    query = urlencode({name: value for name, value in options.items() if value})
    return f"{path}?{query}" if query else path


# Pages

_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Sandbox PIM</title>
<link rel="stylesheet" href="/screen.css">
</head>
<body>
<header class="banner">
<a class="name" href="/">Sandbox PIM</a>
<nav aria-label="Main">
<ul>
{navigation}
</ul>
</nav>
</header>
<main>
{content}
</main>
</body>
</html>
"""
_NAVIGATION = {"Products": ("/", "/products/"), "Setup": ("/setup", "/setup/")}
_NAVIGATION_LINK = '<li><a href="{url}"{current}>{label}</a></li>'
_ERROR = """<h1>Sorry</h1>
<p role="alert">{message}</p>
<p><a href="/">Back to the products</a></p>"""
_NOTICE = '<p class="notice" role="status">{text}</p>'


def page(title: str, content: Html, *, path: str = "", status: int = 200) -> Response:
    """A whole page; ``path`` is where it stands in the navigation."""
    navigation = join(
        fill(
            _NAVIGATION_LINK,
            url=start,
            label=label,
            current=current_if(path == start)
            or current_if(path.startswith(below), "true"),
        )
        for label, (start, below) in _NAVIGATION.items()
    )
    text = fill(_DOCUMENT, title=title, navigation=navigation, content=content)
    # A replacement for halves of characters, which the store may hold and UTF-8 not.
    body = text.encode("utf-8", "replace")
    return Response(status, body, "text/html; charset=utf-8", _SECURITY_HEADERS)


def error_page(status: int, message: str) -> Response:
    return page("Sorry", fill(_ERROR, message=message), status=status)


def redirect(path: str, **options: str) -> Response:
    return Response(303, headers={"Location": url(path, **options)})


def notice(text: str) -> Html:
    return fill(_NOTICE, text=text) if text else Html("")


def current_if(is_current: bool, what: str = "page") -> Html:
    return fill(' aria-current="{what}"', what=what) if is_current else Html("")


# Tables

_TABLE = """<table>
<caption>{caption}</caption>
<thead>
<tr>
{headings}
</tr>
</thead>
<tbody>
{rows}
</tbody>
</table>"""
_HEADING = '<th scope="col">{label}</th>'
_FIRST_CELL = '<th scope="row" data-label="{label}">{value}</th>'
_CELL = '<td data-label="{label}">{value}</td>'


def table(
    caption: str, headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str
) -> Html:
    """A table whose rows begin with their name; ``empty`` is said where it has none."""
    lines = [
        fill(
            "<tr>\n{cells}\n</tr>",
            cells=join(
                fill(_CELL if place else _FIRST_CELL, label=label, value=or_dash(value))
                for place, (label, value) in enumerate(zip(headings, row, strict=True))
            ),
        )
        for row in rows
    ]
    if not lines:
        return fill('<p class="empty">{empty}</p>', empty=empty)
    return fill(
        _TABLE,
        caption=caption,
        headings=join(fill(_HEADING, label=label) for label in headings),
        rows=join(lines),
    )


def or_dash(value: object) -> object:
    return "-" if value in (None, "") else value


def yes_or_no(value: object) -> str:
    return "Yes" if value else "No"


def link(path: str, label: object) -> Html:
    return fill('<a href="{path}">{label}</a>', path=path, label=label)


# Inputs

_FIELD = """<div class="field">
<label for="{id}">{label}{required}</label>
{hint}
{control}
{fault}
</div>"""
_GROUP = """<fieldset class="field" id="{id}"{described}>
<legend>{label}{required}</legend>
{hint}
{control}
{fault}
</fieldset>"""
_REQUIRED = Html(' <span class="required">required</span>')
_NOTE = '<p class="{kind}" id="{id}">{text}</p>'
_LINE = '<input id="{id}" name="{name}" type="{type}" value="{text}"{more}{described}>'
_AREA = '<textarea id="{id}" name="{name}" rows="{rows}"{described}>\n{text}</textarea>'
_SELECT = '<select id="{id}" name="{name}"{described}>\n{options}\n</select>'
_OPTION = '<option value="{value}"{selected}>{label}</option>'
_OPTIONS = '<optgroup label="{label}">\n{options}\n</optgroup>'
_BOX = """<label class="box">
<input type="checkbox" name="{name}" value="{value}"{checked}> {value}</label>"""
_PROBLEM = """<div class="problem" role="alert">
<p>{text}</p>
<ul>
{faults}
</ul>
</div>"""

Options = Mapping[str, Sequence[tuple[str, str]]]
"""Values and labels of a select, by the heading that they stand under, or by ``""``."""


def field(
    name: str,
    label: str,
    control: str,
    texts: Sequence[str] = (),
    *,
    hint: str = "",
    fault: str = "",
    is_required: bool = False,
    options: Options | None = None,
) -> Html:
    """A labelled input.

    ``control`` is a type of ``<input>``, or area, select or boxes; the last two offer
    ``options``, and what is chosen besides them.
    """
    input_id = f"input-{name}"
    notes = {
        kind: fill(_NOTE, id=f"{input_id}-{kind}", kind=kind, text=text)
        for kind, text in {"hint": hint, "fault": fault}.items()
        if text
    }
    values: dict[str, object] = {
        "id": input_id,
        "name": name,
        "described": _description(input_id, notes),
    }
    return fill(
        _GROUP if control == "boxes" else _FIELD,
        label=label,
        required=_REQUIRED if is_required else Html(""),
        hint=notes.get("hint", Html("")),
        fault=notes.get("fault", Html("")),
        control=_control(control, texts, options or {}, values),
        **values,
    )


def _description(input_id: str, notes: Iterable[str]) -> Html:
    """Attributes that tie an input to its notes, and mark one with a fault."""
    ids = " ".join(f"{input_id}-{kind}" for kind in notes)
    described = fill(' aria-describedby="{ids}"', ids=ids) if ids else ""
    return Html(described + (' aria-invalid="true"' if "fault" in notes else ""))


def _control(
    control: str,
    texts: Sequence[str],
    options: Options,
    values: Mapping[str, object],
) -> Html:
    text = texts[-1] if texts else ""
    if control == "area":
        rows = min(max(text.count("\n") + len(text) // 60 + 2, 3), 12)
        return fill(_AREA, text=text, rows=rows, **values)
    if control == "select":
        return fill(_SELECT, options=select_options(options, text), **values)
    if control == "boxes":
        offered = [value for value, _ in options.get("", ())]
        return join(
            fill(
                _BOX,
                value=value,
                checked=Html(" checked" if value in texts else ""),
                **values,
            )
            for value in dict.fromkeys([*offered, *filter(None, texts)])
        )
    # Any number of decimals and of seconds: the server says what is wrong with them.
    more = {"number": ' step="any"', "datetime-local": ' step="1"'}.get(control, "")
    return fill(_LINE, type=control, text=text, more=Html(more), **values)


def select_options(options: Options, chosen: str) -> Html:
    offered = {value for group in options.values() for value, _ in group}
    if chosen not in offered:
        options = {**options, "Other": [*options.get("Other", ()), (chosen, chosen)]}
    return join(
        _options(heading, group, chosen) for heading, group in options.items() if group
    )


def _options(heading: str, group: Iterable[tuple[str, str]], chosen: str) -> Html:
    lines = join(
        fill(
            _OPTION,
            value=value,
            label=label,
            selected=Html(" selected" if value == chosen else ""),
        )
        for value, label in group
    )
    return fill(_OPTIONS, label=heading, options=lines) if heading else lines


def problem(faults: Mapping[str, str], labels: Mapping[str, str]) -> Html:
    """What is wrong with a form, linked to its inputs, of which these are labels."""
    if not faults:
        return Html("")
    return fill(
        _PROBLEM,
        text="Nothing was saved. Please correct this:",
        faults=join(
            fill(
                "<li>{what}: {why}</li>",
                what=link(f"#input-{name}", labels[name])
                if name in labels
                else name.capitalize(),
                why=why,
            )
            for name, why in faults.items()
        ),
    )
