"""What the site defines held against what the PIM has: what to write there, what not.

Nothing is ever deleted in the PIM. A record that stands there is changed only where
the site owns it: where the PIM still has what this site wrote (SetupRecord).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.models import Locale

from wagtail_pim.client.client import PimClient
from wagtail_pim.client.controls import Control
from wagtail_pim.client.entities import (
    Assignment,
    Language,
    Property,
    Record,
    Relationship,
    Taxonomy,
    Template,
    Website,
    printable,
)
from wagtail_pim.conf import get_config
from wagtail_pim.converters import quoted
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.kinds import Kind, SetupKind
from wagtail_pim.markers import normalise_name
from wagtail_pim.models import CatalogPage, PimLink, RelationshipType, SetupRecord

from .category_planner import TreeMapping, tree_mappings
from .changes import Action
from .definitions import (
    MarkedField,
    PropertyDefinition,
    SiteDefinitions,
    TemplateDefinition,
    site_text,
)
from .schema import PageClass, PropertyIndex, template_name

ENTITY_SETS: Final = {
    SetupKind.LANGUAGE: "languages",
    SetupKind.WEBSITE: "websites",
    SetupKind.RELATIONSHIP: "productRelationships",
    SetupKind.PROPERTY: "properties",
    SetupKind.TEMPLATE: "templates",
    SetupKind.ASSIGNMENT: "templateproperties",
}
# Values that take nothing from anybody: what stands is in them too.
_ONLY_ADDED_TO: Final = frozenset({"kinds"})
# Two sites that start at once, and a request that is sent again after its answer was
# lost, make one record: its id follows from what it is.
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "wagtail-pim/setup")


def setup_guid(kind: SetupKind, *names: object) -> UUID:
    """The id with which a record of these names is created, by whichever site."""
    return uuid5(_NAMESPACE, "/".join([kind, *map(str, names)]).casefold())


class State(StrEnum):
    """How something of the site's stands in the PIM."""

    NEW = "new"
    IN_STEP = "in_step"
    DIFFERS = "differs"
    CONFLICT = "conflict"
    ONLY_IN_PIM = "only_in_pim"

    def label(self) -> Any:
        return _STATE_LABELS[self]


_STATE_LABELS: Final = {
    State.NEW: gettext_lazy("new"),
    State.IN_STEP: gettext_lazy("in step"),
    State.DIFFERS: gettext_lazy("differs"),
    State.CONFLICT: gettext_lazy("conflict"),
    State.ONLY_IN_PIM: gettext_lazy("only in the PIM"),
}


@dataclass(frozen=True, slots=True)
class PimSetup:
    """All setup data of the PIM."""

    languages: list[Language]
    websites: list[Website]
    taxonomies: list[Taxonomy]
    relationships: list[Relationship]
    properties: list[Property]
    templates: list[Template]
    assignments: list[Assignment]

    @classmethod
    def read(cls, client: PimClient) -> PimSetup:
        return cls(
            languages=client.assumed.languages(),
            websites=client.websites(),
            taxonomies=client.taxonomies(),
            relationships=client.assumed.relationships(),
            properties=client.properties(),
            templates=client.templates(),
            assignments=client.assignments(),
        )


@dataclass(frozen=True, slots=True)
class SetupChange:
    """One record of the setup data: what is to be done about it.

    ``guid`` is its id in the PIM, also of one that is still to be created; ``values``
    are sent there, in the PIM's terms. ``differences`` are [old, new] pairs that a
    write takes away, ``left`` those that are not this site's to change. ``owned`` and
    ``written`` are what this site owns of it before and after, None where it owns
    nothing. ``conflict`` says why nothing is done and what a person has to do.
    ``subject`` is the site's object that has to remember the Guid, None where there is
    no such or it does already. ``needs`` are the Guids of the records that have to be
    there before.
    """

    kind: SetupKind
    guid: UUID
    name: str
    action: Action
    values: dict[str, Any] = field(default_factory=dict)
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    left: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    owned: dict[str, Any] | None = None
    written: dict[str, Any] | None = None
    conflict: str = ""
    etag: str | None = None
    subject: CatalogPage | RelationshipType | None = None
    needs: tuple[UUID, ...] = ()

    @property
    def state(self) -> State:
        if self.conflict:
            return State.CONFLICT
        if self.action == Action.CREATE:
            return State.NEW
        return State.DIFFERS if self.differences or self.left else State.IN_STEP


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """A marked field of a page type, and the property that fills it.

    ``standing`` is that property as the PIM has it, None where it lacks it.
    ``definition`` and ``assignment`` are None where there is a ``conflict``, and of
    what every product has.
    """

    marked: MarkedField
    template: str
    standing: Property | None
    definition: SetupChange | None = None
    assignment: SetupChange | None = None
    conflict: str = ""

    @property
    def state(self) -> State:
        if self.conflict:
            return State.CONFLICT
        states = {c.state for c in (self.definition, self.assignment) if c}
        for state in (State.CONFLICT, State.NEW, State.DIFFERS):
            if state in states:
                return state
        return State.IN_STEP


@dataclass(frozen=True, slots=True)
class SetupPlan:
    """``changes`` stand in the order in which they have to be made.

    ``only_in_pim`` are records that nothing on the site asks for, by kind.
    """

    changes: list[SetupChange]
    fields: list[FieldMapping]
    trees: list[TreeMapping]
    only_in_pim: dict[SetupKind, list[str]]


def plan_setup(pim: PimSetup) -> SetupPlan:
    """Reads the site's definitions; writes nothing."""
    return _Planner(pim).plan()


class _Planner:
    def __init__(self, pim: PimSetup) -> None:
        self._pim = pim
        self._site = SiteDefinitions()
        self._owned: dict[UUID, dict[str, Any]] = dict(
            SetupRecord.objects.values_list("guid", "written")
        )
        self._used: set[UUID] = set()

    def plan(self) -> SetupPlan:
        languages = list(self._languages())
        websites = list(self._websites())
        relationships = list(self._relationships())
        templates = {t.name: self._template(t) for t in self._site.templates}
        fields, definitions = self._properties(templates)
        assignments = {
            f.assignment.guid: f.assignment for f in fields if f.assignment is not None
        }
        return SetupPlan(
            changes=[
                *languages,
                *websites,
                *relationships,
                *definitions,
                *templates.values(),
                *assignments.values(),
            ],
            fields=fields,
            trees=tree_mappings(self._pim.taxonomies, self._pim.websites),
            only_in_pim=self._rest(),
        )

    # What each kind asks for

    def _languages(self) -> Iterator[SetupChange]:
        default = Locale.get_default()
        pim_default = next((x for x in self._pim.languages if x.is_default), None)
        locales = list(Locale.objects.order_by("pk"))
        keys = {_language_key(locale.language_code) for locale in locales}
        for locale in locales:
            is_default = locale == default
            yield self._compared(
                SetupKind.LANGUAGE,
                locale.language_code,
                standing=self._language(locale.language_code, keys),
                wanted={"isDefault": True} if is_default else {},
                at_creation={
                    "languageCode": locale.language_code,
                    "name": capfirst(site_text(locale)),
                    # The PIM has one default language.
                    "isDefault": is_default and pim_default is None,
                },
            )

    def _language(self, code: str, all_keys: set[str]) -> Language | None:
        """The PIM's language for a locale.

        ``en`` is content with ``en-US``, unless that is another locale's.
        """
        wanted = _language_key(code)
        fitting = [
            language
            for language in self._pim.languages
            if (key := _language_key(language.language_code)) == wanted
            or (key.startswith(f"{wanted}-") and key not in all_keys)
        ]
        return min(
            fitting,
            key=lambda x: (_language_key(x.language_code) != wanted, not x.is_default),
            default=None,
        )

    def _websites(self) -> Iterator[SetupChange]:
        pages = CatalogPage.objects.filter(locale=Locale.get_default(), alias_of=None)
        guids: dict[int, UUID] = dict(
            PimLink.objects.filter(kind=Kind.CATALOG, page__in=pages).values_list(
                "page_id", "guid"
            )
        )
        chosen = get_config().catalogs
        self._used.update(guids.values())
        return self._named(
            SetupKind.WEBSITE,
            self._pim.websites,
            [
                _Named(
                    page.title.strip(),
                    guids.get(page.pk),
                    page,
                    f"{page.title} ({page.url_path})",
                )
                for page in pages.select_related("locale").order_by("path")
                if chosen is None or page.title in chosen
            ],
            linked=set(guids.values()),
        )

    def _relationships(self) -> Iterator[SetupChange]:
        types = [
            _Named(each.name.strip(), each.guid, each, each.name)
            for each in RelationshipType.objects.order_by("pk")
        ]
        return self._named(
            SetupKind.RELATIONSHIP,
            self._pim.relationships,
            types,
            linked={each.guid for each in types if each.guid},
        )

    def _named(
        self,
        kind: SetupKind,
        records: Sequence[Website | Relationship],
        wanted: Iterable[_Named],
        *,
        linked: set[UUID],
    ) -> Iterator[SetupChange]:
        """Of what goes by its Guid once that is known, and by its name before.

        ``linked`` are the Guids that something of the site has.
        """
        by_id = {record.id: record for record in records}
        # Of two with one name it is the known one's.
        in_order = sorted(wanted, key=lambda each: each.guid not in by_id)
        given_up = self._given_up(in_order, records)
        taken: set[str] = set()
        for each in in_order:
            key = _name_key(each.name)
            namesakes = [r for r in records if _name_key(r.name) == key]
            free = [record for record in namesakes if record.id not in linked]
            standing = by_id.get(each.guid) if each.guid else None
            if standing is None and len(free) == 1:
                standing = free[0]
            used = by_id.keys() | linked
            change = self._compared(
                kind,
                each.name,
                standing=standing,
                wanted={"name": each.name},
                own_guid=_free_guid(
                    kind, each.name, used - {standing.id if standing else each.guid}
                ),
                known_guid=each.guid,
                subject=each.subject,
            )
            others = [
                record
                for record in namesakes
                if record.id not in given_up and record is not standing
            ]
            conflict = ""
            if key in taken and (standing is None or standing.name != each.name):
                conflict = _(
                    "Another one here has this name too, and the PIM's people know it "
                    "by its name. Give one of them another name."
                )
            elif "name" in change.values and others:
                self._used.update(record.id for record in others)
                conflict = _name_taken(each.name, len(others))
            elif standing is None and each.guid is None:
                own = by_id.get(setup_guid(kind, each.name))
                if own and own.id not in linked and not self._has_named(own):
                    self._used.add(own.id)
                    conflict = _(
                        "It is called “%(name)s” in the PIM now. Give it back its name "
                        "there, or give it its new name here."
                    ) % {"name": own.name}
            taken.add(key)
            if conflict:
                change = SetupChange(
                    kind,
                    change.guid,
                    each.label,
                    Action.UNCHANGED,
                    conflict=conflict,
                )
            yield change

    def _given_up(
        self, wanted: Iterable[_Named], records: Sequence[Website | Relationship]
    ) -> set[UUID]:
        """The records whose name becomes free, as this site gives them another."""
        by_id = {record.id: record for record in records}
        moving = {
            record.id: _name_key(each.name)
            for each in wanted
            if each.guid
            and (record := by_id.get(each.guid))
            and _name_key(each.name) != _name_key(record.name)
            and self._has_named(record)
        }
        while kept := {_name_key(r.name) for r in records if r.id not in moving}:
            free = {guid: key for guid, key in moving.items() if key not in kept}
            if free == moving:
                break
            moving = free
        return set(moving)

    def _has_named(self, record: Website | Relationship) -> bool:
        """Whether it has the name that this site gave it last."""
        return bool(self._owned.get(record.id, {}).get("name") == record.name)

    def _template(self, definition: TemplateDefinition) -> SetupChange:
        key = normalise_name(definition.name)
        same = [t for t in self._pim.templates if normalise_name(t.name) == key]
        same.sort(key=lambda template: template.name != definition.name)
        standing = same[0] if same else None
        wanted: dict[str, Any] = {"kinds": list(definition.kinds)}
        if standing is not None:
            # Of a template that is for more than this site needs, nothing is taken.
            known = {kind.casefold() for kind in standing.kinds}
            more = [kind for kind in definition.kinds if kind.casefold() not in known]
            wanted = {"kinds": [*standing.kinds, *more]} if standing.kinds else {}
        starters = [t for t in self._pim.templates if t.is_starter_template]
        return self._compared(
            SetupKind.TEMPLATE,
            definition.name,
            standing=standing,
            wanted=wanted,
            at_creation={
                "name": definition.name,
                "isTemplate": True,
                "parentTemplateId": str(starters[0].id) if len(starters) == 1 else None,
            },
            own_guid=setup_guid(SetupKind.TEMPLATE, key),
            conflict="" if standing else self._renamed(SetupKind.TEMPLATE, key),
        )

    def _renamed(self, kind: SetupKind, key: str) -> str:
        """Why a record that the PIM has by another name now is not made again."""
        guid = setup_guid(kind, key)
        records: list[Template | Property] = [
            *self._pim.templates,
            *self._pim.properties,
        ]
        names = [record.name for record in records if record.id == guid]
        if not names:
            return ""
        self._used.add(guid)
        return _(
            "It is called “%(name)s” in the PIM now. Give it back its name there, or "
            "have a developer use the new one (pim_template or Sync(property=…))."
        ) % {"name": names[0]}

    def _properties(
        self, templates: Mapping[str, SetupChange]
    ) -> tuple[list[FieldMapping], list[SetupChange]]:
        """All field mappings, by page type, and what is to be done with properties."""
        by_class = {
            model: templates[definition.name]
            for definition in self._site.templates
            for model in definition.models
        }
        index = PropertyIndex(self._pim.properties)
        sharing: dict[object, tuple[Property | None, list[MarkedField]]] = {}
        mappings: dict[str, FieldMapping] = {}
        for marked in self._site.fields:
            try:
                standing = index.find(marked.marker.property_name())
            except ConfigurationError as error:
                mappings[marked.path()] = self._mapping(marked, None, str(error))
                continue
            if standing is None and marked.is_every_products():
                why = _own_type_conflict(marked)
                mappings[marked.path()] = self._mapping(marked, None, why)
                continue
            found = standing.id if standing else marked.key()
            sharing.setdefault(found, (standing, []))[1].append(marked)
        definitions = []
        for key, (standing, fields) in sharing.items():
            if standing is not None:
                self._used.add(standing.id)
            renamed = "" if standing else self._renamed(SetupKind.PROPERTY, str(key))
            conflicts = (
                {marked.path(): (marked, renamed) for marked in fields}
                if renamed
                else _conflicts(fields, standing)
            )
            for path, (marked, why) in conflicts.items():
                mappings[path] = self._mapping(marked, standing, why)
            fitting = [marked for marked in fields if marked.path() not in conflicts]
            if not fitting:
                continue
            definition = self._definition(fitting, standing)
            if definition is not None:
                definitions.append(definition)
            for mapping in self._mappings(fitting, standing, definition, by_class):
                mappings[mapping.marked.path()] = mapping
        return [mappings[marked.path()] for marked in self._site.fields], definitions

    def _mapping(
        self, marked: MarkedField, standing: Property | None, conflict: str = ""
    ) -> FieldMapping:
        """Of a field for which nothing is to be done."""
        name = template_name(marked.model)
        return FieldMapping(marked, name, standing, conflict=conflict)

    def _mappings(
        self,
        fields: Sequence[MarkedField],
        standing: Property | None,
        definition: SetupChange | None,
        templates: Mapping[PageClass, SetupChange],
    ) -> Iterator[FieldMapping]:
        """Of the fields that one property fills, each with the template of its own."""
        for marked in fields:
            template = templates[marked.model]
            assignment = definition and self._assignment(
                template,
                definition,
                # A product and its variants may share the template.
                is_required=all(
                    other.marker.required
                    for other in fields
                    if templates[other.model] is template
                ),
            )
            name = template_name(marked.model)
            yield FieldMapping(marked, name, standing, definition, assignment)

    def _definition(
        self, fields: Sequence[MarkedField], standing: Property | None
    ) -> SetupChange | None:
        """None for a property that is the PIM's own, and every product's."""
        if standing is not None and standing.is_system_property:
            return None
        definition = PropertyDefinition.of(fields)
        name = standing.name if standing else definition.name
        wanted = definition.values()
        if standing is not None and wanted.get("stringValueBag") == []:
            # Only a list that the site wrote is taken back; others are people's.
            ours = self._owned.get(standing.id, {}).get("stringValueBag")
            if ours != standing.string_value_bag:
                del wanted["stringValueBag"]
        return self._compared(
            SetupKind.PROPERTY,
            name,
            standing=standing,
            wanted=wanted,
            at_creation=definition.at_creation(),
            own_guid=setup_guid(SetupKind.PROPERTY, normalise_name(name)),
        )

    def _assignment(
        self, template: SetupChange, definition: SetupChange, *, is_required: bool
    ) -> SetupChange:
        ancestors = self._with_ancestors(template)
        found = [
            a
            for a in self._pim.assignments
            if a.property_id == definition.guid and a.template_id in ancestors
        ]
        found.sort(key=lambda a: ancestors.index(a.template_id))
        inherited = bool(found) and found[0].template_id != template.guid
        change = self._compared(
            SetupKind.ASSIGNMENT,
            _("%(property)s in %(template)s")
            % {"property": definition.name, "template": template.name},
            standing=found[0] if found else None,
            # What a template inherits is its ancestor's.
            wanted={} if inherited else {"isRequired": is_required},
            at_creation={
                "templateId": str(template.guid),
                "propertyId": str(definition.guid),
            },
            own_guid=setup_guid(SetupKind.ASSIGNMENT, template.guid, definition.guid),
            needs=(template.guid, definition.guid),
        )
        if not template.conflict or change.action == Action.UNCHANGED:
            return change
        return SetupChange(
            change.kind,
            change.guid,
            change.name,
            Action.UNCHANGED,
            conflict=_("Its template “%(template)s” is in conflict: %(why)s")
            % {"template": template.name, "why": template.conflict},
        )

    def _with_ancestors(self, template: SetupChange) -> list[UUID]:
        """The template's Guid, then those of the templates that it inherits from."""
        parents = {t.id: t.parent_template_id for t in self._pim.templates}
        if parent := template.values.get("parentTemplateId"):
            parents[template.guid] = UUID(parent)
        chain: list[UUID] = []
        current: UUID | None = template.guid
        while current is not None and current not in chain:
            chain.append(current)
            current = parents.get(current)
        return chain

    # How it stands

    def _compared(
        self,
        kind: SetupKind,
        name: str,
        *,
        standing: Record | None,
        wanted: dict[str, Any],
        at_creation: Mapping[str, Any] | None = None,
        own_guid: UUID | None = None,
        known_guid: UUID | None = None,
        subject: CatalogPage | RelationshipType | None = None,
        conflict: str = "",
        needs: tuple[UUID, ...] = (),
    ) -> SetupChange:
        """``own_guid`` is the id that every site gives it, ``known_guid`` that which
        this site remembers of a record that the PIM may have lost."""
        own_guid = own_guid or setup_guid(kind, name)
        if conflict:
            return SetupChange(
                kind, own_guid, name, Action.UNCHANGED, conflict=conflict
            )
        if standing is None:
            told = {k: v for k, v in wanted.items() if v is not None and v != []}
            values = {**told, **(at_creation or {})}
            return SetupChange(
                kind,
                known_guid or own_guid,
                name,
                Action.CREATE,
                values=values,
                differences={key: (None, value) for key, value in values.items()},
                written={k: v for k, v in wanted.items() if values.get(k, v) == v},
                subject=subject,
                needs=needs,
            )
        self._used.add(standing.id)
        current = standing.wire_values(wanted)
        equal = {key: value for key, value in wanted.items() if current[key] == value}
        noted = owned = self._owned.get(standing.id)
        if owned is None and standing.id == own_guid and equal == wanted:
            # It was created as this site would; the answer may have been lost.
            owned = {}
        differing = {k: (current[k], v) for k, v in wanted.items() if k not in equal}
        to_write = {
            key: (old, new)
            for key, (old, new) in differing.items()
            if key in _ONLY_ADDED_TO
            or (owned is not None and key in owned and owned[key] == old)
        }
        values = {key: new for key, (_old, new) in to_write.items()}
        return SetupChange(
            kind,
            standing.id,
            name,
            Action.UPDATE if values else Action.UNCHANGED,
            values=values,
            differences=to_write,
            left={k: pair for k, pair in differing.items() if k not in to_write},
            owned=noted,
            etag=standing.etag,
            written=None if owned is None else {**owned, **equal, **values},
            subject=None if standing.id == known_guid else subject,
            needs=needs,
        )

    def _rest(self) -> dict[SetupKind, list[str]]:
        """Records of the PIM that nothing here asks for, by what people call them."""
        rest: dict[SetupKind, list[str]] = {
            SetupKind.LANGUAGE: self._unused(self._pim.languages, "language_code"),
            SetupKind.WEBSITE: self._unused(self._pim.websites),
            SetupKind.RELATIONSHIP: self._unused(self._pim.relationships),
            SetupKind.PROPERTY: self._unused(
                p for p in self._pim.properties if not p.is_system_property
            ),
            SetupKind.TEMPLATE: self._unused(
                t for t in self._pim.templates if not t.is_starter_template
            ),
        }
        return {kind: names for kind, names in rest.items() if names}

    def _unused(self, records: Iterable[Any], called: str = "name") -> list[str]:
        return sorted(
            (printable(getattr(r, called)) for r in records if r.id not in self._used),
            key=str.casefold,
        )


@dataclass(frozen=True, slots=True)
class _Named:
    """A catalog or relationship type; ``label`` tells it from one of its name."""

    name: str
    guid: UUID | None
    subject: CatalogPage | RelationshipType
    label: str


def _free_guid(kind: SetupKind, name: str, taken: Container[UUID]) -> UUID:
    """Another than that of a record that had this name before."""
    guid = setup_guid(kind, name)
    while guid in taken:
        guid = setup_guid(kind, guid, name)
    return guid


def _name_key(name: str) -> str:
    return name.strip().casefold()


def _name_taken(name: str, count: int) -> str:
    return ngettext(
        "The PIM has another one that is called “%(name)s”. Rename one of them, here "
        "or there.",
        "The PIM has %(count)d that are called “%(name)s”. Rename or delete there all "
        "but the one that is meant.",
        count,
    ) % {"name": name, "count": count}


def _language_key(code: str) -> str:
    return code.casefold().replace("_", "-")


def _fits(standing: Property, control: Control) -> bool:
    if standing.control_type:
        return standing.holds() is control.value_type
    # It says no more than what a value is stored as.
    return standing.type.strip().casefold() == control.wire_type.casefold()


def _conflicts(
    fields: Sequence[MarkedField], standing: Property | None
) -> dict[str, tuple[MarkedField, str]]:
    """By path, the fields that can't have the property they ask for, and why."""
    conflicts: dict[str, tuple[MarkedField, str]] = {}
    fitting: list[MarkedField] = []
    for marked in fields:
        control = marked.control()
        if control is None:
            why = _(
                "It is not known which control type of the PIM suits %(field)s. A "
                "developer has to say so in its Sync marker (control=…)."
            ) % {"field": marked.path()}
            conflicts[marked.path()] = marked, why
        elif standing is not None and not _fits(standing, control):
            conflicts[marked.path()] = marked, _type_conflict(marked, standing)
        else:
            fitting.append(marked)
    if standing is None and len({_type_label(marked) for marked in fitting}) > 1:
        asked = ", ".join(f"{m.path()} ({_type_label(m)})" for m in fitting)
        why = _(
            "These fields ask for one property of different types: %(fields)s. A "
            "developer has to name a property of its own in the Sync marker of one of "
            "them (property=…)."
        ) % {"fields": asked}
        conflicts |= {marked.path(): (marked, why) for marked in fitting}
    return conflicts


def _type_conflict(marked: MarkedField, standing: Property) -> str:
    theirs = standing.holds()
    return _(
        "In the PIM, the property “%(property)s” is %(theirs)s, but %(field)s is "
        "%(ours)s: this site does not assign it to the template “%(template)s”. Assign "
        "another one, of the control type %(control)s, to the template in the PIM and "
        "have a developer name it in the field's Sync marker (property=…), or have the "
        "field's type changed."
    ) % {
        "property": standing.name,
        "theirs": theirs.label() if theirs else _unknown_type(standing),
        "field": marked.path(),
        "ours": _type_label(marked),
        "template": template_name(marked.model),
        "control": marked.control(),
    }


def _own_type_conflict(marked: MarkedField) -> str:
    """Why what every product has can't fill the field; empty where it can."""
    theirs = marked.unsuitable_values()
    if theirs is None:
        return ""
    return _(
        "Every product has “%(property)s” in the PIM, and it is %(theirs)s, but "
        "%(field)s is %(ours)s. A developer has to name another property in the "
        "field's Sync marker (property=…) or change the field's type."
    ) % {
        "property": marked.marker.property_name(),
        "theirs": theirs.label(),
        "field": marked.path(),
        "ours": _type_label(marked),
    }


def _unknown_type(standing: Property) -> str:
    name = standing.control_type or standing.type
    return quoted(name) if name else _("of no type")


def _type_label(marked: MarkedField) -> str:
    control = marked.control()
    return str(control.value_type.label()) if control else type(marked.field).__name__
