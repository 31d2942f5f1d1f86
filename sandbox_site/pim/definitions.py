"""Templates and the properties that are assigned to them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from .data import Record
from .schema import ENTITY_SETS, IDENTIFIER
from .store import Records
from .values import SEPARATOR, Control, line, parse, texts_of, url_segment

PRODUCT, VARIANT = "Product", "Variant"
"""The kinds of record that a template can be for."""

_OWN_NAMES = {name.casefold() for name in ENTITY_SETS["products"].properties} | {
    "translations"
}
_LOCALIZABLE_OWN = {"productTitle": line, "urlSegment": url_segment}
"""What any product has, whatever its template, and how a translation of it is read."""


@dataclass(frozen=True)
class AssignedProperty:
    """A property as the products of a template have it.

    ``template`` is the one that it is assigned to: an ancestor where it is inherited.
    """

    definition: Record
    assignment: Record
    template: Record

    @property
    def name(self) -> str:
        return str(self.definition.get("name") or "")

    @property
    def label(self) -> str:
        return str(self.definition.get("displayName") or self.name)

    @property
    def control(self) -> Control:
        return Control.of(self.definition)

    @property
    def is_required(self) -> bool:
        return bool(
            self.assignment.get("isRequired")
            or self.definition.get("isGloballyRequired")
        )

    @property
    def is_custom(self) -> bool:
        """Whether it is entered as such: the product's own inputs are others."""
        return bool(
            self.name.casefold() not in _OWN_NAMES and IDENTIFIER.fullmatch(self.name)
        )

    @property
    def values(self) -> list[str]:
        """Those that may be chosen, the template's own before the property's."""
        return (
            self.assignment.get("stringValueBag")
            or self.definition.get("stringValueBag")
            or []
        )

    def in_language(self, code: str) -> Self:
        """The property with the values that may be chosen in this language."""
        translation = (self.definition.get("translations") or {}).get(code, {})
        bag = translation.get("stringValueBag") or self.definition.get("stringValueBag")
        return replace(self, definition={**self.definition, "stringValueBag": bag})

    def texts(self, product: Mapping[str, Any]) -> list[str]:
        return texts_of(product.get(self.name), self.control)

    def value(self, texts: Sequence[str], product: Mapping[str, Any]) -> Any:
        """What the product has of it once a person has entered these texts.

        What was left as it is stays, even what could not be entered today. Raises
        InvalidValueError.
        """
        if self._comparable(texts) == self._comparable(self.texts(product)):
            return product.get(self.name)
        if reader := _LOCALIZABLE_OWN.get(self.name):
            return reader("".join(texts[-1:])) or None
        may_be_others = self.definition.get("stringAllowAdHocValues")
        choices = [] if may_be_others else self.values
        return parse(texts, self.control, self.definition, choices)

    def _comparable(self, texts: Sequence[str]) -> list[str]:
        lines = [text.replace("\r\n", "\n") for text in texts if text]
        if self.control is Control.MULTI_SELECT:
            return sorted(SEPARATOR.join(lines).split(SEPARATOR))
        return lines


@dataclass(frozen=True)
class Definitions:
    """All templates and properties, by id, and the assignments by template."""

    templates: Mapping[str, Record]
    properties: Mapping[str, Record]
    assignments: Mapping[str, list[Record]] = field(default_factory=dict)

    @classmethod
    def read(cls, records: Records) -> Self:
        assignments: dict[str, list[Record]] = {}
        for assignment in records.find("templateproperties"):
            assignments.setdefault(assignment.get("templateId", ""), []).append(
                assignment
            )
        return cls(
            {record["id"]: record for record in _ordered(records, "templates")},
            {record["id"]: record for record in _ordered(records, "properties")},
            assignments,
        )

    def line(self, template_id: str | None) -> Iterator[Record]:
        """The template and its ancestors, from below, each once."""
        seen: set[str] = set()
        template = self.templates.get(template_id or "")
        while template is not None and template["id"] not in seen:
            seen.add(template["id"])
            yield template
            template = self.templates.get(template.get("parentTemplateId") or "")

    def properties_of(self, template_id: str | None) -> list[AssignedProperty]:
        """What products of the template have, the properties of ancestors first."""
        assigned: dict[str, AssignedProperty] = {}
        for template in reversed(list(self.line(template_id))):
            for assignment in sorted(
                self.assignments.get(template["id"], []), key=_position
            ):
                definition = self.properties.get(assignment.get("propertyId", ""))
                if definition is not None:
                    assigned[definition["id"]] = AssignedProperty(
                        definition, assignment, template
                    )
        return list(assigned.values())

    def inputs_of(self, template_id: str | None) -> list[AssignedProperty]:
        """The properties of a template that a person enters as such."""
        return [each for each in self.properties_of(template_id) if each.is_custom]

    def localizable_of(self, template_id: str | None) -> list[AssignedProperty]:
        """What a person enters once more for each other language."""
        own = (
            AssignedProperty(definition, {}, {})
            for definition in self.properties.values()
            if definition.get("name") in _LOCALIZABLE_OWN
        )
        return [
            each
            for each in (*own, *self.inputs_of(template_id))
            if each.definition.get("isLocalizable")
        ]


def other_languages(records: Records) -> list[Record]:
    """The languages that translations are for."""
    languages = records.find("languages")
    return sorted(
        (language for language in languages if not language.get("isDefault")),
        key=lambda each: (_position(each), str(each.get("languageCode"))),
    )


def _position(record: Record) -> int:
    return int(record.get("displaySequence") or 0)


def _ordered(records: Records, set_name: str) -> list[Record]:
    return sorted(
        records.find(set_name),
        key=lambda record: (_position(record), str(record.get("name")).casefold()),
    )
