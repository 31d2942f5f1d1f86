"""The pages of what the PIM is set up with: trees, templates, properties and so on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute

from .categories import (
    Place,
    create_category,
    create_tree,
    map_tree,
    places,
    websites_fed,
)
from .data import Record
from .definitions import AssignedProperty, Definitions
from .errors import EntryError
from .forms import Form
from .markup import (
    Html,
    error_page,
    field,
    fill,
    join,
    link,
    notice,
    or_dash,
    page,
    problem,
    redirect,
    select_options,
    table,
    template,
    url,
    yes_or_no,
)
from .messages import Response
from .schema import parse_guid
from .store import Records, Store

SETUP_PATH = "/setup"
_TREES = f"{SETUP_PATH}/trees"
_TEMPLATES = f"{SETUP_PATH}/templates"
_NO_TREE = "There is no such category tree."

_MAX_VALUES = 24
"""How many values of a list are shown before the rest is only counted."""


@dataclass(frozen=True)
class _Attempt:
    """A form that was refused: what it said, and why it was.

    ``form`` is the id of a tree where the form maps that to a website.
    """

    form: str = ""
    texts: Mapping[str, str] = attribute(default_factory=dict)
    faults: Mapping[str, str] = attribute(default_factory=dict)


_NONE = _Attempt()


class SetupScreen:
    def __init__(self, store: Store, token: str) -> None:
        self._store = store
        self._token = token

    def routes(self) -> dict[str, dict[str, Callable[..., Response]]]:
        return {
            SETUP_PATH: {"GET": self._overview},
            _TREES: {"POST": self._create_tree},
            f"{_TREES}/([^/]+)": {"GET": self._tree},
            f"{_TREES}/([^/]+)/website": {"POST": self._map},
            f"{_TREES}/([^/]+)/categories": {"POST": self._create_category},
            f"{_TEMPLATES}/([^/]+)": {"GET": self._template},
        }

    # The overview

    def _overview(self, options: Form, attempt: _Attempt = _NONE) -> Response:
        with self._store.reading() as records:
            definitions = Definitions.read(records)
            websites = _by_name(records, "websites")
            languages = records.find("languages")
            relationships = _by_name(records, "productRelationships")
            trees = _by_name(records, "categoryTaxonomies")
            sizes = {tree["id"]: len(places(records, tree["id"])) for tree in trees}
        counts = {
            "websites": ("Websites", len(websites)),
            "trees": ("Category trees", len(trees)),
            "languages": ("Languages", len(languages)),
            "relationships": ("Relationship types", len(relationships)),
            "templates": ("Templates", len(definitions.templates)),
            "properties": ("Properties", len(definitions.properties)),
        }
        content = fill(
            _OVERVIEW,
            notice=notice(_DONE.get(options["done"], "")),
            token=self._token,
            sections=join(
                fill(_SECTION, anchor=anchor, label=label, count=count)
                for anchor, (label, count) in counts.items()
            ),
            websites=table(
                "Websites by name",
                ("Name", "Fed by", "Id"),
                [
                    (
                        website.get("name"),
                        ", ".join(
                            str(tree.get("name"))
                            for tree in trees
                            if website["id"] in websites_fed(tree)
                        ),
                        website["id"],
                    )
                    for website in websites
                ],
                "No websites yet: a site’s setup adds its catalogs here.",
            ),
            trees=table(
                "Category trees by name",
                ("Name", "Categories", "Website"),
                [
                    (
                        link(f"{_TREES}/{tree['id']}", tree.get("name")),
                        sizes[tree["id"]],
                        self._website_form(tree, websites, attempt),
                    )
                    for tree in trees
                ],
                "No category trees yet.",
            ),
            tree_name=field(
                "name",
                "New category tree",
                "text",
                [attempt.texts.get("name", "")],
                fault=attempt.faults.get("name", ""),
            ),
            languages=table(
                "Languages",
                ("Code", "Name", "Default"),
                [
                    (
                        language.get("languageCode"),
                        language.get("name"),
                        yes_or_no(language.get("isDefault")),
                    )
                    for language in sorted(languages, key=_language_order)
                ],
                "No languages yet: a site’s setup adds its own here.",
            ),
            relationships=table(
                "Relationship types by name",
                ("Name", "Id"),
                [(each.get("name"), each["id"]) for each in relationships],
                "No relationship types yet: a site’s setup adds its own here.",
            ),
            templates=table(
                "Templates",
                _TEMPLATE_HEADINGS,
                [
                    _template_row(definitions, record)
                    for record in definitions.templates.values()
                ],
                "No templates yet: a site’s setup adds its page types here.",
            ),
            properties=table(
                "Properties",
                (
                    "Name",
                    "Display name",
                    "Type",
                    "Limits",
                    "Values",
                    "Required",
                    "Translatable",
                    "Description",
                ),
                [_property_row(record) for record in definitions.properties.values()],
                "No properties yet: a site’s setup adds its fields here.",
            ),
        )
        return page(
            "Setup", content, path=SETUP_PATH, status=400 if attempt.faults else 200
        )

    def _website_form(
        self, tree: Record, websites: Sequence[Record], attempt: _Attempt
    ) -> Html:
        """What the tree feeds, and the select that changes it."""
        fed = websites_fed(tree)
        names = {website["id"]: str(website.get("name")) for website in websites}
        options = [("", "None"), *names.items()]
        chosen = fed[0] if fed else ""
        if len(fed) > 1:
            chosen = "several"
            options.insert(0, (chosen, "Choose one"))
        fault = attempt.faults.get("website", "") if attempt.form == tree["id"] else ""
        return fill(
            _WEBSITE,
            action=f"{_TREES}/{tree['id']}/website",
            id=f"website-of-{tree['id']}",
            token=self._token,
            tree=tree.get("name", ""),
            options=select_options({"": options}, chosen),
            warning=fill(_WARNING, text=fault or _mapping_warning(fed, names))
            if fault or len(fed) != 1
            else Html(""),
        )

    def _create_tree(self, form: Form) -> Response:
        name = form["name"]
        try:
            create_tree(self._store, name)
        except EntryError as error:
            return self._overview(
                Form({}), _Attempt(texts={"name": name}, faults=error.messages)
            )
        return redirect(SETUP_PATH, done="tree")

    def _map(self, form: Form, id: str) -> Response:
        tree_id = parse_guid(id)
        try:
            tree = tree_id and map_tree(self._store, tree_id, form["website"])
        except EntryError as error:
            attempt = _Attempt(form=tree_id or "", faults=error.messages)
            return self._overview(Form({}), attempt)
        if not tree:
            return error_page(404, _NO_TREE)
        return redirect(SETUP_PATH, done="website")

    # One tree

    def _tree(self, options: Form, id: str, attempt: _Attempt = _NONE) -> Response:
        tree_id = parse_guid(id)
        with self._store.reading() as records:
            tree = records.get("categoryTaxonomies", tree_id) if tree_id else None
            if tree is None:
                return error_page(404, _NO_TREE)
            websites = _by_name(records, "websites")
            all_places = places(records, tree["id"])
        path = f"{_TREES}/{tree['id']}"
        name = str(tree.get("name"))
        content = fill(
            _TREE,
            name=name,
            path=path,
            token=self._token,
            notice=notice(_DONE.get(options["done"], "")),
            website=self._website_form(tree, websites, attempt),
            categories=table(
                "Categories as they stand in the tree",
                ("Name", "Below", "URL segment"),
                [_place_row(place) for place in all_places],
                "No categories yet.",
            ),
            problem=problem(attempt.faults, _CATEGORY_LABELS),
            fields=_category_fields(all_places, attempt),
        )
        return page(name, content, path=path, status=400 if attempt.faults else 200)

    def _create_category(self, form: Form, id: str) -> Response:
        tree_id = parse_guid(id)
        texts = {name: form[name] for name in _CATEGORY_LABELS}
        try:
            category = tree_id and create_category(
                self._store,
                tree_id,
                texts["name"],
                parent_id=texts["parent"],
                segment=texts["segment"],
            )
        except EntryError as error:
            return self._tree(
                Form({}), id, _Attempt(texts=texts, faults=error.messages)
            )
        if not category:
            return error_page(404, _NO_TREE)
        return redirect(f"{_TREES}/{tree_id}", done="category")

    # One template

    def _template(self, options: Form, id: str) -> Response:
        with self._store.reading() as records:
            definitions = Definitions.read(records)
        record = definitions.templates.get(parse_guid(id) or "")
        if record is None:
            return error_page(404, "There is no such template.")
        name = str(record.get("name"))
        facts = zip(_TEMPLATE_HEADINGS, _template_row(definitions, record), strict=True)
        content = fill(
            _TEMPLATE,
            name=name,
            new_product=url("/products/new", template=record["id"]),
            facts=join(
                fill(_FACT, label=label, value=or_dash(value))
                for label, value in facts
                if label != "Name"
            ),
            properties=table(
                "Properties of the template, those of its ancestors first",
                (
                    "Name",
                    "Display name",
                    "Control type",
                    "Required",
                    "Translatable",
                    "Values",
                    "Inherited from",
                ),
                [
                    _assigned_row(each, record)
                    for each in definitions.properties_of(record["id"])
                ],
                "No properties yet.",
            ),
        )
        return page(name, content, path=f"{_TEMPLATES}/{record['id']}")


_OVERVIEW = template("setup")
_TREE = template("setup_tree")
_TEMPLATE = template("setup_template")

_TEMPLATE_HEADINGS = ("Name", "For", "Parent", "Properties")

_DONE = {
    "tree": "The category tree was created. Give it categories and a website.",
    "category": "The category was created.",
    "website": "The website of the category tree was set.",
}
_CATEGORY_LABELS = {"name": "Name", "parent": "Below", "segment": "URL segment"}
_SECTION = '<li><a href="#{anchor}">{label} <span class="count">{count}</span></a></li>'
_FACT = '<tr><th scope="row">{label}</th><td>{value}</td></tr>'
_WARNING = '<p class="warning">{text}</p>'
_WEBSITE = """<form class="line" action="{action}" method="post">
<input type="hidden" name="form-token" value="{token}">
<label class="hidden" for="{id}">Website that {tree} feeds</label>
<select id="{id}" name="website">
{options}
</select>
<button>Set website</button>
</form>
{warning}"""


def _by_name(records: Records, set_name: str) -> list[Record]:
    return sorted(
        records.find(set_name), key=lambda record: str(record.get("name")).casefold()
    )


def _language_order(language: Record) -> tuple[bool, str]:
    return not language.get("isDefault"), str(language.get("languageCode"))


def _mapping_warning(fed: Sequence[str], names: Mapping[str, str]) -> str:
    if not fed:
        return "It feeds no website: no site shows its products."
    fed_names = ", ".join(names.get(key, f"an unknown one, {key}") for key in fed)
    return f"It feeds {len(fed)} websites ({fed_names}); one at most is right."


def _template_row(
    definitions: Definitions, record: Record
) -> tuple[Html, str, object, str]:
    assigned = definitions.properties_of(record["id"])
    inherited = sum(each.template is not record for each in assigned)
    parent = definitions.templates.get(record.get("parentTemplateId") or "")
    count = f"{len(assigned)} ({inherited} inherited)" if inherited else len(assigned)
    return (
        link(f"{_TEMPLATES}/{record['id']}", record.get("name")),
        ", ".join(map(str, record.get("kinds") or [])),
        parent and link(f"{_TEMPLATES}/{parent['id']}", parent.get("name")),
        str(count),
    )


def _property_row(record: Record) -> tuple[object, ...]:
    return (
        record.get("name"),
        record.get("displayName"),
        _type(record),
        _limits(record),
        _listed(record.get("stringValueBag") or []),
        yes_or_no(record.get("isGloballyRequired")),
        yes_or_no(record.get("isLocalizable")),
        record.get("description"),
    )


def _assigned_row(each: AssignedProperty, shown: Record) -> tuple[object, ...]:
    is_inherited = each.template["id"] != shown["id"]
    return (
        each.name,
        each.definition.get("displayName"),
        _type(each.definition),
        yes_or_no(each.is_required),
        yes_or_no(each.definition.get("isLocalizable")),
        _listed(each.values),
        each.template.get("name") if is_inherited else "",
    )


def _type(record: Record) -> str:
    control, kind = record.get("controlType"), record.get("type")
    return f"{control} ({kind})" if control and kind else str(control or kind or "")


def _limits(record: Record) -> str:
    """Length and decimals; a length of 0 is none."""
    limits = []
    if length := record.get("stringMaxLength"):
        limits.append(f"{length} characters")
    decimals = record.get("numberOfDecimals")
    if decimals is not None and str(record.get("type")).casefold() == "number":
        limits.append(f"{decimals} decimals")
    return ", ".join(limits)


def _listed(values: Sequence[str]) -> str:
    shown = ", ".join(map(str, values[:_MAX_VALUES]))
    rest = len(values) - _MAX_VALUES
    return f"{shown} and {rest} more" if rest > 0 else shown


def _place_row(place: Place) -> tuple[object, ...]:
    *above, name = place.path
    return name, " › ".join(above), place.category.get("urlSegment")


def _category_fields(all_places: Sequence[Place], attempt: _Attempt) -> Html:
    parents = [
        ("", "Top of the tree"),
        *((place.category["id"], " › ".join(place.path)) for place in all_places),
    ]
    controls = {"parent": "select"}
    hints = {"segment": "Empty: the site makes it of the name."}
    return join(
        field(
            name,
            label,
            controls.get(name, "text"),
            [attempt.texts.get(name, "")],
            hint=hints.get(name, ""),
            fault=attempt.faults.get(name, ""),
            is_required=name == "name",
            options={"": parents},
        )
        for name, label in _CATEGORY_LABELS.items()
    )
