"""Which variants of a product there are to choose, colour by colour, size by size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from wagtail_pim.models import VariantPage

from .facets import place_of_size

MOST_DIFFERENCES: Final = 3

Key = Callable[[VariantPage], str]


def in_order(variants: Iterable[VariantPage]) -> list[VariantPage]:
    """Colour by colour and from small to large."""

    def order(variant: VariantPage) -> tuple[str, int, str]:
        return colour_of(variant), place_of_size(size_of(variant)), variant.title

    return sorted(variants, key=order)


def colour_of(variant: VariantPage) -> str:
    return getattr(variant, "colour", "")


def size_of(variant: VariantPage) -> str:
    return getattr(variant, "size", "")


@dataclass(frozen=True, slots=True)
class Choice:
    """A colour, a size or a whole variant; ``variant`` is where choosing it leads.

    ``combines`` tells whether it is made in the size or colour that is chosen already.
    """

    label: str
    variant: VariantPage | None
    current: bool = False
    combines: bool = True

    @property
    def is_sold_out(self) -> bool:
        return getattr(self.variant, "in_stock", None) is False


class Picker:
    """The choices that a product's page, or the page of one of its variants, offers."""

    def __init__(
        self, variants: Sequence[VariantPage], current: VariantPage | None = None
    ) -> None:
        self.variants = variants
        self.current = next((v for v in variants if v == current), None)

    @cached_property
    def colours(self) -> list[Choice]:
        """Each leads to the same size in this colour, or else to another size of it."""
        choices = []
        for colour, variants in _grouped(self.variants, colour_of).items():
            best = _best(variants, size_of, self.current)
            choices.append(
                Choice(
                    colour,
                    best,
                    self.current is not None and colour_of(self.current) == colour,
                    self.current is None or size_of(best) == size_of(self.current),
                )
            )
        return choices

    @cached_property
    def sizes(self) -> list[Choice]:
        """Each leads to this size in the chosen colour, or nowhere if there is none."""
        by_size = _grouped(self.variants, size_of)
        choices = []
        for size in sorted(by_size, key=lambda size: (place_of_size(size), size)):
            variants = by_size[size]
            if self.current is not None:
                colour = colour_of(self.current)
                variants = [v for v in variants if colour_of(v) == colour]
            choices.append(
                Choice(
                    size,
                    _best(variants, colour_of, self.current) if variants else None,
                    self.current is not None and size_of(self.current) == size,
                    bool(variants),
                )
            )
        return choices

    @cached_property
    def others(self) -> list[Choice]:
        """Variants that neither a colour nor a size tells apart."""
        if self.colours or self.sizes:
            return []
        return [
            Choice(name, variant, variant == self.current)
            for variant, name in self.names
        ]

    @cached_property
    def names(self) -> list[tuple[VariantPage, str]]:
        """The variants with what tells each from the others, in a few words."""
        names = [
            ", ".join(filter(None, (colour_of(variant), size_of(variant))))
            for variant in self.variants
        ]
        if len(set(names)) < len(names) or not all(names):
            names = _differences(self.variants)
        return list(zip(self.variants, names, strict=True))

    @property
    def tells_stock(self) -> bool:
        return any(
            getattr(variant, "in_stock", None) is not None
            or getattr(variant, "delivery_note", "")
            for variant in self.variants
        )

    @property
    def tells_price(self) -> bool:
        return any(
            getattr(variant, "price", None) is not None for variant in self.variants
        )


def _differences(variants: Sequence[VariantPage]) -> list[str]:
    """The first facts that are not the same in all variants; else title and number."""
    facts = [
        {fact.label: str(fact.value) for fact in variant.facts()}
        for variant in variants
    ]
    labels = dict.fromkeys(label for known in facts for label in known)
    differing = [
        label for label in labels if len({known.get(label) for known in facts}) > 1
    ][:MOST_DIFFERENCES]
    names = [
        ", ".join(f"{label} {known[label]}" for label in differing if label in known)
        for known in facts
    ]
    if len(set(names)) == len(names) and all(names):
        return names
    return [f"{variant.title} ({variant.product_number})" for variant in variants]


def _grouped(variants: Iterable[VariantPage], by: Key) -> dict[str, list[VariantPage]]:
    groups: dict[str, list[VariantPage]] = {}
    for variant in variants:
        if by(variant):
            groups.setdefault(by(variant), []).append(variant)
    return groups


def _best(
    variants: Sequence[VariantPage], like: Key, current: VariantPage | None
) -> VariantPage:
    """The one that is most like the current one, else the first that is in stock."""

    def order(variant: VariantPage) -> tuple[bool, bool, bool]:
        return (
            variant != current,
            current is not None and like(variant) != like(current),
            getattr(variant, "in_stock", None) is False,
        )

    return min(variants, key=order)
