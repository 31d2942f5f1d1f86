"""Which page type shows which product, and which field shows which property.

Reads model classes and the PIM's definitions; never the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.utils.translation import gettext as _
from wagtail.models import Page

from wagtail_pim.client.entities import Product, Property, Template
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import ConfigurationError, RecordError
from wagtail_pim.kinds import Kind
from wagtail_pim.markers import Sync, is_synced, normalise_name, sync_markers
from wagtail_pim.models import CategoryPage, ProductPage, VariantPage

from .named_relations import NamedRelation, is_named_relation

PageClass = type[ProductPage] | type[VariantPage]

BASE_CLASSES: Final[dict[Kind, PageClass]] = {
    Kind.PRODUCT: ProductPage,
    Kind.VARIANT: VariantPage,
}


def page_classes(kind: Kind) -> list[PageClass]:
    """The site's own concrete page types for products or for variants."""
    base = BASE_CLASSES[kind]
    return [
        model
        for model in apps.get_models()
        if issubclass(model, base) and model is not base
    ]


def template_name(model: type) -> str:
    """The PIM template that a page type shows; ``pim_template`` is inherited not."""
    return vars(model).get("pim_template") or model.__name__


def is_base_field(field: Any) -> bool:
    """Whether Wagtail's Page or this package's types declare the field."""
    return field.model in (Page, CategoryPage, ProductPage, VariantPage)


@dataclass(frozen=True, slots=True)
class Binding:
    """A marked field and the property that fills it; None if the PIM has no such."""

    marker: Sync
    field: Any
    property: Property | None

    def field_name(self) -> str:
        return self.marker.field

    def label(self) -> str:
        """The property as the PIM's people know it."""
        if self.property is None:
            return self.marker.property_name()
        return self.property.display_name or self.property.name


@dataclass(frozen=True, eq=False)
class PageType:
    """A page class with its bindings; ``catch_all`` takes the ``unclaimed`` rest."""

    model: PageClass
    bindings: tuple[Binding, ...]
    catch_all: Binding | None
    unclaimed: tuple[Property, ...]

    @cached_property
    def relations(self) -> dict[str, NamedRelation]:
        """The bound fields that hold other objects, by field name."""
        return {
            binding.field_name(): NamedRelation(
                binding.marker, binding.field, self.model
            )
            for binding in self.bindings
            if is_named_relation(binding.field)
        }


class PropertyIndex:
    """The PIM's properties by name: as written, else without case and spaces."""

    def __init__(self, properties: Iterable[Property]) -> None:
        self._exact: dict[str, Property] = {}
        self._normalised: dict[str, list[Property]] = {}
        for prop in properties:
            self._exact[prop.name.casefold()] = prop
            self._normalised.setdefault(normalise_name(prop.name), []).append(prop)

    def find(self, name: str) -> Property | None:
        if exact := self._exact.get(name.casefold()):
            return exact
        similar = self._normalised.get(normalise_name(name), [])
        if len(similar) > 1:
            raise ConfigurationError(
                _(
                    "“%(name)s” fits several properties of the PIM: %(properties)s. "
                    "Name the one that is meant in its Sync marker."
                )
                % {
                    "name": name,
                    "properties": ", ".join(sorted(p.name for p in similar)),
                }
            )
        return similar[0] if similar else None

    def custom(self) -> list[Property]:
        """The properties that the PIM's people made, in their order."""
        return sorted(
            (p for p in self._exact.values() if not p.is_system_property),
            key=lambda p: (p.display_sequence, p.name),
        )


class CatalogSchema:
    """The site's page types held against the PIM's templates and properties."""

    def __init__(
        self, templates: Iterable[Template], properties: Iterable[Property]
    ) -> None:
        self._templates = {template.id: template for template in templates}
        self._properties = PropertyIndex(properties)
        self._by_template = {
            kind: {
                normalise_name(template_name(model)): model
                # A synced class goes before one that shares its template but opts out.
                for model in sorted(page_classes(kind), key=is_synced)
            }
            for kind in BASE_CLASSES
        }
        self._types: dict[PageClass, PageType] = {}

    def page_type_for(self, product: Product) -> PageType:
        """Raises RecordError where no page type of the site shows the product."""
        kind = Kind.VARIANT if product.is_variant() else Kind.PRODUCT
        return self.page_type(self._page_class_for(product, kind))

    def page_type(self, model: PageClass) -> PageType:
        if model not in self._types:
            self._types[model] = self._bind(model)
        return self._types[model]

    def missing_properties(self) -> list[str]:
        """Fields of the page types in use whose property the PIM does not have."""
        return sorted(
            f"{page_type.model.__name__}.{binding.field_name()} "
            f"({binding.marker.property_name()})"
            for page_type in self._types.values()
            for binding in page_type.bindings
            if binding.property is None
        )

    def _page_class_for(self, product: Product, kind: Kind) -> PageClass:
        names = self._template_names(product)
        for name in names:
            if model := self._by_template[kind].get(normalise_name(name)):
                if not is_synced(model):
                    raise RecordError(
                        _(
                            "Its template “%(template)s” belongs to the page type "
                            "%(model)s, which the site keeps out of the "
                            "synchronization (no_sync)."
                        )
                        % {"template": name, "model": model.__name__}
                    )
                return model
        default = default_page_class(kind)
        if default is not None:
            return default
        if not names:
            raise RecordError(
                _("It has no product template. Choose one for it in the PIM.")
            )
        raise RecordError(
            _(
                "The site has no page type for its template “%(template)s”. A "
                "developer has to add one, or set %(setting)s."
            )
            % {"template": names[0], "setting": f"DEFAULT_{kind.name}_PAGE"}
        )

    def _template_names(self, product: Product) -> list[str]:
        """The product's template and its ancestors, the nearest first."""
        names: list[str] = []
        seen: set[UUID] = set()
        template = (
            self._templates.get(product.template_id) if product.template_id else None
        )
        while template is not None and template.id not in seen:
            seen.add(template.id)
            names.append(template.name)
            parent = template.parent_template_id
            template = self._templates.get(parent) if parent else None
        if not names and product.template_name:
            names.append(product.template_name)
        return names

    def _bind(self, model: PageClass) -> PageType:
        bindings = []
        catch_all = None
        for marker in sync_markers(model).values():
            field = model._meta.get_field(marker.field)
            if marker.takes_any_property():
                catch_all = Binding(marker, field, None)
            else:
                prop = self._properties.find(marker.property_name())
                bindings.append(Binding(marker, field, prop))
        claimed = {b.property.id for b in bindings if b.property is not None}
        return PageType(
            model=model,
            bindings=tuple(bindings),
            catch_all=catch_all,
            unclaimed=tuple(p for p in self._properties.custom() if p.id not in claimed)
            if catch_all
            else (),
        )


def default_page_class(kind: Kind) -> PageClass | None:
    """The page type that the settings name for products without one of their own."""
    config = get_config()
    path = {
        Kind.PRODUCT: config.default_product_page,
        Kind.VARIANT: config.default_variant_page,
    }[kind]
    return configured_model(path, BASE_CLASSES[kind]) if path else None


def configured_model(path: str, base: type[Page]) -> Any:
    """The model that a setting names; raises ConfigurationError if it can't serve."""
    try:
        model = apps.get_model(path)
    except (LookupError, ValueError) as error:
        raise ConfigurationError(
            _("WAGTAIL_PIM names the page type “%(path)s”, which does not exist.")
            % {"path": path}
        ) from error
    if not issubclass(model, base):
        raise ConfigurationError(
            _("WAGTAIL_PIM names “%(path)s”, which is no %(base)s.")
            % {"path": path, "base": base.__name__}
        )
    return model
