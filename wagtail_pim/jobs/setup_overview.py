"""How the site's definitions stand in the PIM, for the admin and the command line.

Reads both sides and writes nothing. What Synchronize setup data would do is said in
words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from wagtail.models import Locale, Page

from wagtail_pim.catalog.category_planner import TreeMapping
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.definitions import SiteDefinitions
from wagtail_pim.catalog.schema import (
    BASE_CLASSES,
    PageClass,
    page_classes,
    template_name,
)
from wagtail_pim.catalog.setup_changes import SetupChange, State
from wagtail_pim.catalog.setup_planner import (
    FieldMapping,
    PimSetup,
    SetupPlan,
    plan_setup,
)
from wagtail_pim.client.entities import printable
from wagtail_pim.client.options import ConnectionOptions
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import PimError
from wagtail_pim.kinds import Kind, SetupKind
from wagtail_pim.markers import is_synced, normalise_name, sync_markers
from wagtail_pim.models import PimLink
from wagtail_pim.models.links import KINDS

from .base import IMPATIENT, connect
from .setup_words import in_words, left_in_words, value_label

# An empty PIM: against it, all that is known is the site's own side.
_NOTHING: Final = PimSetup(
    languages=[],
    websites=[],
    taxonomies=[],
    relationships=[],
    properties=[],
    templates=[],
    assignments=[],
)

_SUMMARY: Final[Mapping[State, Any]] = {
    State.IN_STEP: ngettext_lazy(
        "%(count)d field in step", "%(count)d fields in step", "count"
    ),
    State.NEW: ngettext_lazy("%(count)d new field", "%(count)d new fields", "count"),
    State.DIFFERS: ngettext_lazy(
        "%(count)d field differs", "%(count)d fields differ", "count"
    ),
    State.CONFLICT: ngettext_lazy(
        "%(count)d field in conflict", "%(count)d fields in conflict", "count"
    ),
}

_KIND_LABELS: Final[Mapping[str, Any]] = dict(KINDS)
_GROUP_LABELS: Final[Mapping[SetupKind, Any]] = {
    SetupKind.LANGUAGE: gettext_lazy("Languages"),
    SetupKind.WEBSITE: gettext_lazy("Websites"),
    SetupKind.RELATIONSHIP: gettext_lazy("Relationship types"),
    SetupKind.PROPERTY: gettext_lazy("Properties"),
    SetupKind.TEMPLATE: gettext_lazy("Templates"),
}


@dataclass(frozen=True, slots=True)
class DefinitionRow:
    """A language, website, relationship type or template that the site asks for.

    ``state`` is None where the PIM was not read.
    """

    name: str
    state: State | None
    outlook: list[str]
    change: SetupChange

    @classmethod
    def of(cls, change: SetupChange, *, is_compared: bool) -> DefinitionRow:
        if not is_compared:
            return cls(printable(change.name), None, [], change)
        outlook = list(_outlook(change))
        return cls(printable(change.name), change.state, outlook, change)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "state": self.state,
            **_differences([self.change] if self.state else []),
            "conflict": printable(self.change.conflict) or None,
        }


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A marked field; ``state`` is None where the PIM was not read."""

    mapping: FieldMapping
    state: State | None

    @property
    def name(self) -> str:
        return self.mapping.marked.marker.field

    @property
    def label(self) -> str:
        return _label_of(self.mapping.marked.field)

    @property
    def property_name(self) -> str:
        standing = self.mapping.standing
        if standing is None:
            return self.mapping.marked.property_name()
        return printable(standing.name)

    @property
    def property_label(self) -> str:
        standing = self.mapping.standing
        return printable(standing.display_name) if standing else ""

    @property
    def is_required(self) -> bool:
        return self.mapping.marked.marker.required

    @property
    def is_translatable(self) -> bool:
        return self.mapping.marked.marker.translatable

    @property
    def site_type(self) -> Any:
        """What the field holds; of a field that suits no control type, its class."""
        control = self.mapping.marked.control()
        if control is None:
            return type(self.mapping.marked.field).__name__
        return control.value_type.label()

    @property
    def site_control(self) -> str:
        return self.mapping.marked.control() or ""

    @property
    def pim_type(self) -> Any:
        """What the property holds; empty where that is not known."""
        standing = self.mapping.standing
        holds = standing.holds() if standing else None
        return holds.label() if holds else ""

    @property
    def pim_control(self) -> str:
        """In the PIM's own spelling."""
        standing = self.mapping.standing
        return printable(standing.control_type or standing.type) if standing else ""

    @property
    def outlook(self) -> list[str]:
        """What Synchronize setup data would do."""
        mapping = self.mapping
        if mapping.conflict:
            return [printable(mapping.conflict)]
        if self.state is None:
            return []
        if mapping.definition is None:
            return [_("The PIM has it for every product.")]
        told = list(_outlook(mapping.definition, _("The property is created.")))
        if mapping.assignment is not None:
            told += _outlook(mapping.assignment, _("It is assigned to the template."))
        return told

    def as_json(self) -> dict[str, Any]:
        mapping = self.mapping
        standing = mapping.standing
        control = mapping.marked.control()
        changes = [c for c in (mapping.definition, mapping.assignment) if c]
        conflicts = [mapping.conflict, *(change.conflict for change in changes)]
        return {
            "field": self.name,
            "label": self.label,
            "property": self.property_name,
            "property_label": self.property_label or None,
            "site_type": control.value_type if control else None,
            "site_control": control,
            "pim_type": standing.holds() if standing else None,
            "pim_control": self.pim_control or None,
            "required": self.is_required,
            "translatable": self.is_translatable,
            "state": self.state,
            **_differences(changes if self.state else []),
            "conflict": printable(next(filter(None, conflicts), "")) or None,
        }


@dataclass(frozen=True, slots=True)
class Named:
    """A field or page class of which there is no more to say than what it is called."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class ClassOverview:
    """A page class; ``takes_any`` are fields that take whatever no other one claims."""

    name: str
    label: str
    kind: Kind
    template: DefinitionRow
    fields: list[FieldRow]
    takes_any: list[Named]

    @property
    def kind_label(self) -> Any:
        return _KIND_LABELS[self.kind]

    def as_json(self) -> dict[str, Any]:
        return {
            "class": self.name,
            "label": self.label,
            "kind": self.kind,
            "template": self.template.name,
            "fields": [row.as_json() for row in self.fields],
            "takes_any_property": [field.name for field in self.takes_any],
        }


@dataclass(frozen=True, slots=True)
class FedWebsite:
    """A website that a tree feeds; ``page`` is its catalog on this site."""

    name: str
    page: Page | None
    is_wanted: bool

    @property
    def note(self) -> str:
        """Why it has no catalog page here, and what comes next; else empty."""
        if not self.is_wanted:
            return _(
                "This site does not show it: WAGTAIL_PIM['CATALOGS'] does not name it."
            )
        if self.page is None:
            return _(
                "It has no catalog page yet; Publish approved products creates one."
            )
        return ""


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A category tree of the PIM and where on this site it leads."""

    mapping: TreeMapping
    websites: list[FedWebsite]

    @property
    def name(self) -> str:
        return printable(self.mapping.tree.name)

    @property
    def feeds_several(self) -> bool:
        return self.mapping.feeds_several

    @property
    def problem(self) -> str:
        return printable(self.mapping.problem())

    def as_json(self) -> dict[str, Any]:
        return {
            "tree": self.name,
            "websites": [
                {
                    "website": website.name,
                    "catalog_page": website.page.pk if website.page else None,
                    "shown_on_this_site": website.is_wanted,
                }
                for website in self.websites
            ],
            "problem": self.problem or None,
        }


@dataclass(frozen=True, slots=True)
class SetupOverview:
    """All that there is to see; where the PIM can't be read, the site's side of it.

    ``error`` says why it can't, ``pim`` which PIM it is, as far as that is known.
    """

    read_at: datetime
    pim: ConnectionOptions | None
    error: PimError | None
    classes: list[ClassOverview]
    kept_out: list[Named]
    languages: list[DefinitionRow]
    websites: list[DefinitionRow]
    relationships: list[DefinitionRow]
    templates: list[DefinitionRow]
    trees: list[TreeRow]
    only_in_pim: dict[SetupKind, list[str]]

    @classmethod
    def read(cls) -> SetupOverview:
        """Asks the PIM, for a person who waits."""
        options: ConnectionOptions | None = None
        error: PimError | None = None
        setup = _NOTHING
        try:
            connection = connect(policy=IMPATIENT)
            options = connection.options
            setup = PimSetup.read(connection.client)
        except PimError as failure:
            error = failure
        plan = plan_setup(setup)
        is_compared = error is None
        rows = {
            kind: [
                DefinitionRow.of(change, is_compared=is_compared)
                for change in plan.changes
                if change.kind == kind
            ]
            for kind in SetupKind
        }
        templates = rows[SetupKind.TEMPLATE]
        return cls(
            read_at=timezone.now(),
            pim=options,
            error=error,
            classes=list(_classes(plan, templates, is_compared=is_compared)),
            kept_out=[
                Named(model._meta.label, _label_of(model._meta))
                for kind in BASE_CLASSES
                for model in page_classes(kind)
                if not is_synced(model)
            ],
            languages=rows[SetupKind.LANGUAGE],
            websites=rows[SetupKind.WEBSITE],
            relationships=rows[SetupKind.RELATIONSHIP],
            templates=templates,
            trees=_trees(plan),
            only_in_pim=plan.only_in_pim,
        )

    @property
    def others(self) -> list[tuple[SetupKind, Any, list[DefinitionRow]]]:
        """The setup data that no page class defines: kind, heading and records."""
        rows = {
            SetupKind.LANGUAGE: self.languages,
            SetupKind.WEBSITE: self.websites,
            SetupKind.RELATIONSHIP: self.relationships,
        }
        return [(kind, _GROUP_LABELS[kind], rows[kind]) for kind in rows]

    @property
    def rest(self) -> list[tuple[Any, list[str]]]:
        """The names of what is only in the PIM, under their headings."""
        return [
            (_GROUP_LABELS[kind], names) for kind, names in self.only_in_pim.items()
        ]

    def summary(self) -> list[tuple[State, str]]:
        """How many fields there are of each state."""
        counts = Counter(row.state for each in self.classes for row in each.fields)
        return [
            (state, text % {"count": counts[state]}) for state, text in _SUMMARY.items()
        ]

    def is_in_order(self) -> bool:
        """Whether the PIM was read and nothing needs a person."""
        rows: list[DefinitionRow | FieldRow] = [
            *(row for each in self.classes for row in each.fields),
            *self.templates,
            *(row for _kind, _heading, rows in self.others for row in rows),
        ]
        return (
            self.error is None
            and not any(row.state == State.CONFLICT for row in rows)
            and not any(tree.feeds_several for tree in self.trees)
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.is_in_order(),
            "error": {"code": self.error.code, "message": str(self.error)}
            if self.error
            else None,
            "read_at": self.read_at,
            "api_address": self.pim.odata_root if self.pim else None,
            "environment": self.pim.environment if self.pim else None,
            "classes": [each.as_json() for each in self.classes],
            "kept_out": [each.name for each in self.kept_out],
            "templates": [row.as_json() for row in self.templates],
            "languages": [row.as_json() for row in self.languages],
            "websites": [row.as_json() for row in self.websites],
            "relationship_types": [row.as_json() for row in self.relationships],
            "trees": [tree.as_json() for tree in self.trees],
            "only_in_pim": self.only_in_pim,
        }


def _classes(
    plan: SetupPlan, templates: Iterable[DefinitionRow], *, is_compared: bool
) -> Iterator[ClassOverview]:
    by_name = {normalise_name(row.name): row for row in templates}
    rows: dict[PageClass, list[FieldRow]] = {}
    for mapping in plan.fields:
        row = FieldRow(mapping, mapping.state if is_compared else None)
        rows.setdefault(mapping.marked.model, []).append(row)
    for model, kind in SiteDefinitions().models.items():
        yield ClassOverview(
            name=model._meta.label,
            label=_label_of(model._meta),
            kind=kind,
            template=by_name[normalise_name(template_name(model))],
            fields=rows.get(model, []),
            takes_any=[
                Named(marker.field, _label_of(model._meta.get_field(marker.field)))
                for marker in sync_markers(model).values()
                if marker.takes_any_property()
            ],
        )


def _trees(plan: SetupPlan) -> list[TreeRow]:
    pages = _catalog_pages(plan)
    chosen = get_config().catalogs
    return [
        TreeRow(
            mapping,
            [
                FedWebsite(
                    printable(website.name),
                    pages.get(website.id),
                    is_wanted=chosen is None or website.name in chosen,
                )
                for website in mapping.websites
            ],
        )
        for mapping in plan.trees
    ]


def _catalog_pages(plan: SetupPlan) -> dict[UUID, Page]:
    """This site's catalog pages by the Guid of their website; one query.

    Also those that only have the same name so far, and will be the website's.
    """
    namesakes: dict[UUID, Page] = {
        change.guid: change.subject
        for change in plan.changes
        if change.kind == SetupKind.WEBSITE and isinstance(change.subject, Page)
    }
    guids = {website.id for mapping in plan.trees for website in mapping.websites}
    links = PimLink.objects.filter(
        kind=Kind.CATALOG, guid__in=guids, locale=Locale.get_default()
    )
    return namesakes | {
        link.guid: link.page for link in links.select_related("page__content_type")
    }


# In words


def _label_of(named: Any) -> str:
    """Of a field, or a model's options."""
    return capfirst(str(named.verbose_name))


def _outlook(change: SetupChange, created: str = "") -> Iterator[str]:
    """What would be done about one record, one sentence each."""
    if change.conflict:
        yield printable(change.conflict)
        return
    if change.action == Action.CREATE:
        yield created or _("It is created in the PIM.")
        return
    for key, (old, new) in change.differences.items():
        yield _("%(value)s: %(old)s becomes %(new)s.") % {
            "value": value_label(key),
            "old": in_words(old),
            "new": in_words(new),
        }
    if change.left:
        yield left_in_words(change)


def _differences(changes: Iterable[SetupChange]) -> dict[str, Any]:
    """[old, new] pairs: those that a write takes away, and those that are left."""
    pairs: dict[str, Any] = {"differences": {}, "left": {}}
    for change in changes:
        pairs["differences"] |= change.differences
        pairs["left"] |= change.left
    return pairs
