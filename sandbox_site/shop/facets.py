"""Filters by specification, for products of all types in one listing.

Products are filtered by what their class names in ``facet_fields`` and by the same of
their variants; products of any other kind, by those of their specifications that tell
them apart. Values are read in a fixed number of queries, whatever the number of
products, and compared in memory: who has more products than ``MOST_PRODUCTS`` narrows
them down by category or by words first.
"""

from __future__ import annotations

import os.path
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.db.models.functions import Left, Length
from django.http import QueryDict
from django.utils.formats import localize
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.models import Page

from wagtail_pim.markers import normalise_name
from wagtail_pim.models import VariantPage

from .facts import Specified, can_be_chosen, name_of

MOST_PRODUCTS: Final = 2000
MOST_FACETS: Final = 6
MOST_VALUES: Final = 10
MOST_DIGITS: Final = 12

# Names in the address: a property of the PIM may be called "page".
PREFIX: Final = "f."
LOWEST: Final = "price_min"
HIGHEST: Final = "price_max"

SIZES: Final = ["XS", "S", "M", "L", "XL", "XXL", "XXXL"]

Chosen = Mapping[str, frozenset[str]]


def place_of_size(size: str) -> int:
    """From small to large; what is no such size comes last."""
    return SIZES.index(size) if size in SIZES else len(SIZES)


@dataclass(slots=True)
class Face:
    """What a product, or one of its variants, can be chosen by."""

    values: dict[str, set[str]] = field(default_factory=dict)
    price: Decimal | None = None

    def over(self, product: Face) -> Face:
        """This variant, with what its product says where it says nothing itself."""
        price = product.price if self.price is None else self.price
        return Face({**product.values, **self.values}, price)


@dataclass(frozen=True, slots=True)
class Value:
    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    name: str
    label: str
    values: list[Value]

    @property
    def parameter(self) -> str:
        return PREFIX + self.name


@dataclass(frozen=True, slots=True)
class Selection:
    """What the visitor chose: values of a facet are alternatives, facets add up."""

    chosen: Chosen
    lowest: Decimal | None
    highest: Decimal | None

    @classmethod
    def of(cls, query: QueryDict) -> Selection:
        chosen = {
            name.removeprefix(PREFIX): frozenset(filter(None, query.getlist(name)))
            for name in query
            if name.startswith(PREFIX)
        }
        return cls(
            {name: values for name, values in chosen.items() if values},
            _amount(query.get(LOWEST)),
            _amount(query.get(HIGHEST)),
        )

    def fits(self, face: Face, besides: str = "") -> bool:
        """Whether it has all that is chosen, but for the facet named ``besides``."""
        for name, values in self.chosen.items():
            if name != besides and values.isdisjoint(face.values.get(name, ())):
                return False
        if self.lowest is None and self.highest is None:
            return True
        return (
            face.price is not None
            and (self.lowest is None or face.price >= self.lowest)
            and (self.highest is None or face.price <= self.highest)
        )


class Facets:
    """The values of some products, by which they are filtered and sorted by price."""

    def __init__(self, products: Iterable[tuple[int, str, int]]) -> None:
        """``products`` are primary keys, paths and ids of content types."""
        self._labels: dict[str, str] = {}
        self._value_labels: dict[tuple[str, str], str] = {}
        # The shop's own fields, which are worth a facet however many values they have.
        self._declared: set[str] = set()

        own: dict[str, Face] = {}
        by_pk: dict[int, Face] = {}
        by_type: dict[int, dict[int, Face]] = defaultdict(dict)
        for pk, path, type_id in products:
            own[path] = by_pk[pk] = by_type[type_id][pk] = Face()
        models = {
            ContentType.objects.get_for_id(type_id).model_class(): faces
            for type_id, faces in by_type.items()
        }
        for model, faces in models.items():
            self._read(model, faces)
        variants: dict[str, list[Face]] = defaultdict(list)
        kinds = {kind for model in models for kind in model.allowed_subpage_models()}
        for kind in sorted(kinds, key=lambda kind: kind._meta.label):
            if issubclass(kind, VariantPage):
                self._read_variants(kind, list(own), variants)
        # A product's variants with what it says of them all, or the product alone.
        self._faces: dict[int, list[Face]] = {
            pk: [variant.over(face) for variant in variants[path]] or [face]
            for (path, face), pk in zip(own.items(), by_pk, strict=True)
        }

    def matching(self, selection: Selection) -> list[int]:
        """The products that have what is chosen, in the order in which they came.

        One variant has to have all of it: large and in stock means in stock in large.
        """
        return [
            pk for pk, faces in self._faces.items() if any(map(selection.fits, faces))
        ]

    def price_of(self, pk: int) -> Decimal | None:
        """The lowest at which the product is to be had."""
        return min(_prices(self._faces[pk]), default=None)

    def price_range(self) -> tuple[Decimal, Decimal] | None:
        prices = {price for faces in self._faces.values() for price in _prices(faces)}
        return (min(prices), max(prices)) if len(prices) > 1 else None

    def facets(self, selection: Selection) -> list[Facet]:
        """Those that most products have, which do not change with what is chosen.

        A count is the number of products that there would be with this value and with
        what is chosen in the other facets.
        """
        facets = [
            Facet(name, self._labels[name], self._values_to_show(name, selection))
            for name in self._worth_showing(selection.chosen)
        ]
        return [facet for facet in facets if facet.values]

    def _values_to_show(self, name: str, selection: Selection) -> list[Value]:
        """The most frequent ones, and those that are chosen."""
        counts: Counter[str] = Counter()
        for faces in self._faces.values():
            counts.update(
                {
                    value
                    for face in faces
                    if selection.fits(face, besides=name)
                    for value in face.values.get(name, ())
                }
            )
        chosen = selection.chosen.get(name, frozenset())

        def order(value: str) -> tuple[int, int, str]:
            return -counts[value], place_of_size(value), self.label_of(name, value)

        return [
            Value(value, self.label_of(name, value), counts[value], value in chosen)
            for place, value in enumerate(sorted(counts.keys() | chosen, key=order))
            if place < MOST_VALUES or value in chosen
        ]

    def label_of(self, name: str, value: str) -> str:
        return self._value_labels.get((name, value), value)

    def _worth_showing(self, chosen: Chosen) -> list[str]:
        products: Counter[str] = Counter()
        values: dict[str, set[str]] = defaultdict(set)
        for faces in self._faces.values():
            products.update({name for face in faces for name in face.values})
            for face in faces:
                for name, some in face.values.items():
                    values[name] |= some

        def tells_apart(name: str) -> bool:
            few = len(values[name]) <= min(2 * MOST_VALUES, products[name] // 2)
            return len(values[name]) > 1 and (few or name in self._declared)

        names = sorted(
            filter(tells_apart, products),
            key=lambda name: (name not in self._declared, -products[name], name),
        )
        best = names[:MOST_FACETS]
        return best + [name for name in chosen if name in products if name not in best]

    def _read(self, model: type[Model], faces: Mapping[int, Face]) -> None:
        if issubclass(model, Specified):
            self._read_specifications(model, faces)
        else:
            self._read_fields(model, faces)

    def _read_variants(
        self,
        model: type[VariantPage],
        paths: list[str],
        variants: Mapping[str, list[Face]],
    ) -> None:
        """One query for the variants of all products besides those for their values."""
        rows = (
            model.objects.live()
            # What the products have in common, so that the index on paths helps.
            .filter(path__startswith=os.path.commonprefix(paths))  # noqa: RUF071
            .annotate(product=Left("path", Length("path") - Page.steplen))
            .filter(product__in=paths)
            .values_list("pk", "product")
        )
        faces: dict[int, Face] = {}
        for pk, path in rows:
            faces[pk] = Face()
            variants[path].append(faces[pk])
        if faces:
            self._read(model, faces)

    def _read_fields(self, model: type[Model], faces: Mapping[int, Face]) -> None:
        names: Sequence[str] = getattr(model, "facet_fields", ())
        fields = {name: model._meta.get_field(name) for name in names}
        many = [name for name, field in fields.items() if field.many_to_many]
        single = {
            name: f"{name}__name" if field.is_relation else name
            for name, field in fields.items()
            if name not in many
        }
        rows = model._default_manager.filter(pk__in=list(faces)).order_by()
        has_price = any(field.name == "price" for field in model._meta.get_fields())
        columns = [*single.values(), *(["price"] if has_price else [])]
        if columns:
            for pk, *values in rows.values_list("pk", *columns):
                face = faces[pk]
                if has_price:
                    face.price = values.pop()
                for name, value in zip(single, values, strict=True):
                    self._add(face, name, value, fields[name])
        for name in many:
            for pk, value in rows.values_list("pk", f"{name}__name"):
                self._add(faces[pk], name, value, fields[name])

    def _add(self, face: Face, name: str, value: Any, field: Any) -> None:
        key = normalise_name(name)
        self._declared.add(key)
        self._labels.setdefault(key, capfirst(str(field.verbose_name)))
        choices = dict(field.flatchoices) if getattr(field, "choices", None) else {}
        for single in value if isinstance(value, list) else [value]:
            self._add_value(face, key, single, choices.get(single))

    def _read_specifications(
        self, model: type[Model], faces: Mapping[int, Face]
    ) -> None:
        rows = model._default_manager.filter(pk__in=list(faces)).order_by()
        for pk, entries in rows.values_list("pk", "specifications"):
            for entry in entries:
                key = name_of(entry)
                value = entry.get("value")
                if key == "price" and isinstance(value, (int, float)):
                    faces[pk].price = Decimal(str(value))
                elif can_be_chosen(entry):
                    self._labels.setdefault(key, entry.get("displayName") or key)
                    for single in value if isinstance(value, list) else [value]:
                        self._add_value(faces[pk], key, single)

    def _add_value(
        self, face: Face, key: str, value: Any, label: Any | None = None
    ) -> None:
        if value in (None, ""):
            return
        text = _text(value)
        face.values.setdefault(key, set()).add(text)
        if (key, text) not in self._value_labels:
            self._value_labels[key, text] = str(label or _label(value))


def _prices(faces: Iterable[Face]) -> Iterator[Decimal]:
    return (face.price for face in faces if face.price is not None)


def _text(value: Any) -> str:
    """As it stands in the address; 8 and 8.0 are one value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _label(value: Any) -> Any:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return localize(value) if isinstance(value, (int, float)) else value


def _amount(text: str | None) -> Decimal | None:
    try:
        amount = Decimal((text or "").strip().replace(",", "."))
    except InvalidOperation:
        return None
    # Nobody's price has more digits, and 1e999999 would be written out.
    is_sane = amount.is_finite() and abs(amount.adjusted()) < MOST_DIGITS
    return amount if is_sane else None
