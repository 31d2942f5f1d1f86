"""What the site defines held against what the PIM has: what to write there, what not.

Nothing is ever deleted in the PIM.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.models import Locale

from wagtail_pim.client.client import PimClient
from wagtail_pim.client.entities import (
    Assignment,
    Language,
    Property,
    Relationship,
    Taxonomy,
    Template,
    Website,
    printable,
)
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.kinds import Kind, SetupKind
from wagtail_pim.markers import normalise_name
from wagtail_pim.models import CatalogPage, PimLink, RelationshipType

from .category_planner import TreeMapping, tree_mappings
from .changes import Action
from .definitions import (
    MarkedField,
    PropertyDefinition,
    SiteDefinitions,
    TemplateDefinition,
    site_text,
)
from .languages import fitting_language, named_language
from .schema import PageClass, PropertyIndex, template_name
from .setup_changes import Comparison, SetupChange, State, setup_guid
from .setup_conflicts import conflicts_of, own_type_conflict
from .setup_names import Named, plan_named


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
        self._comparison = Comparison()

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
        codes = [locale.language_code for locale in locales]
        wanted: set[str] = set()
        for locale in locales:
            is_default = locale == default
            code = named_language(locale.language_code) or locale.language_code
            # Several locales may show one language.
            if code in wanted:
                continue
            wanted.add(code)
            yield self._comparison.change(
                SetupKind.LANGUAGE,
                locale.language_code,
                standing=fitting_language(
                    locale.language_code, codes, self._pim.languages
                ),
                wanted={"isDefault": True} if is_default else {},
                at_creation={
                    "languageCode": code,
                    "name": capfirst(site_text(locale)),
                    # The PIM has one default language.
                    "isDefault": is_default and pim_default is None,
                },
            )

    def _websites(self) -> Iterator[SetupChange]:
        pages = CatalogPage.objects.filter(locale=Locale.get_default(), alias_of=None)
        guids: dict[int, UUID] = dict(
            PimLink.objects.filter(kind=Kind.CATALOG, page__in=pages).values_list(
                "page_id", "guid"
            )
        )
        chosen = get_config().catalogs
        self._comparison.used.update(guids.values())
        return plan_named(
            self._comparison,
            SetupKind.WEBSITE,
            self._pim.websites,
            [
                Named(
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
            Named(each.name.strip(), each.guid, each, each.name)
            for each in RelationshipType.objects.order_by("pk")
        ]
        return plan_named(
            self._comparison,
            SetupKind.RELATIONSHIP,
            self._pim.relationships,
            types,
            linked={each.guid for each in types if each.guid},
        )

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
        elif why := self._renamed(self._pim.templates, SetupKind.TEMPLATE, key):
            guid = setup_guid(SetupKind.TEMPLATE, key)
            return SetupChange.in_conflict(
                SetupKind.TEMPLATE, guid, definition.name, why
            )
        starters = [t for t in self._pim.templates if t.is_starter_template]
        return self._comparison.change(
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
        )

    def _renamed(
        self, records: Iterable[Template | Property], kind: SetupKind, key: str
    ) -> str:
        """Why a record that the PIM has by another name now is not made again."""
        guid = setup_guid(kind, key)
        names = [record.name for record in records if record.id == guid]
        if not names:
            return ""
        self._comparison.used.add(guid)
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
                why = own_type_conflict(marked)
                mappings[marked.path()] = self._mapping(marked, None, why)
                continue
            found = standing.id if standing else marked.key()
            sharing.setdefault(found, (standing, []))[1].append(marked)
        definitions = []
        for key, (standing, fields) in sharing.items():
            if standing is not None:
                self._comparison.used.add(standing.id)
            renamed = ""
            if standing is None:
                renamed = self._renamed(
                    self._pim.properties, SetupKind.PROPERTY, str(key)
                )
            conflicts = (
                {marked.path(): (marked, renamed) for marked in fields}
                if renamed
                else conflicts_of(fields, standing)
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
        if standing is not None:
            wanted = self._without_what_is_open(wanted, standing)
        return self._comparison.change(
            SetupKind.PROPERTY,
            name,
            standing=standing,
            wanted=wanted,
            at_creation=definition.at_creation(),
            own_guid=setup_guid(SetupKind.PROPERTY, normalise_name(name)),
        )

    def _without_what_is_open(
        self, wanted: Mapping[str, Any], standing: Property
    ) -> dict[str, Any]:
        """What the site leaves open is the PIM's people's to say.

        Unless the site did say it before: then it is taken back.
        """
        ours = self._comparison.owned.get(standing.id, {})
        current = standing.wire_values(wanted)
        kept = {
            key: value
            for key, value in wanted.items()
            if value not in (None, []) or (key in ours and ours[key] == current[key])
        }
        if "stringValueBag" not in kept:
            # It says whether the list is complete, which is theirs too.
            kept.pop("stringAllowAdHocValues", None)
        return kept

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
        change = self._comparison.change(
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
        why = _("Its template “%(template)s” is in conflict: %(why)s") % {
            "template": template.name,
            "why": template.conflict,
        }
        return SetupChange.in_conflict(change.kind, change.guid, change.name, why)

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
        used = self._comparison.used
        names = (printable(getattr(r, called)) for r in records if r.id not in used)
        return sorted(names, key=str.casefold)
