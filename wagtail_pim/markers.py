"""What a site developer writes to hand a page type's fields over to the PIM.

::

    class ShirtPage(ProductPage):
        fabric_type = models.CharField(max_length=100, blank=True)
        website_color = models.CharField(max_length=30, blank=True)

        pim_fields = [Sync("fabric_type")]

    @no_sync
    class GiftCardPage(ProductPage): ...
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

ModelClass = TypeVar("ModelClass", bound=type)

ANY_PROPERTY: Final = "*"


@dataclass(frozen=True, slots=True)
class Sync:
    """Marks one field of a page type as owned by the PIM.

    ``field`` is the name of a field that the class itself or one of the site's own
    base classes declares. ``property`` is the *name* (not the display name) of the
    PIM's property; without it the property is matched by the field's name, without
    regard to case, spaces and underscores. ``"*"`` makes a JSON field take every
    custom property that no other marker of the class claims, as a list of objects
    with ``name``, ``displayName``, ``type``, ``controlType`` and ``value``.

    ``required`` and ``translatable`` say how Synchronize setup data declares the
    property in the PIM; ``control`` is the control type that it gets there, such as
    ``"Dropdown"``, where it is to be another than the field's class suggests.
    ``lookup`` names the text field by which a foreign key's or many-to-many field's
    objects are found and, if missing, created; without it ``name`` or ``title`` is
    taken.
    """

    field: str
    property: str | None = None
    required: bool = True
    translatable: bool = True
    lookup: str | None = None
    control: str | None = None

    def property_name(self) -> str:
        return self.property or self.field

    def takes_any_property(self) -> bool:
        return self.property == ANY_PROPERTY


def no_sync(cls: ModelClass) -> ModelClass:
    """Keep the PIM away from this class; its subclasses are synced again."""
    cls._pim_no_sync = True  # type: ignore[attr-defined]
    return cls


def is_synced(cls: type) -> bool:
    """Whether the PIM fills pages of this class; ``no_sync`` is not inherited."""
    return not vars(cls).get("_pim_no_sync", False)


def sync_markers(cls: type) -> dict[str, Sync]:
    """The class's markers by field name, those of its base classes included.

    A marker of a subclass replaces its bases' marker for the same field.
    """
    markers: dict[str, Sync] = {}
    for base in reversed(cls.__mro__):
        for marker in vars(base).get("pim_fields", ()):
            markers[marker.field] = marker
    return markers


def normalise_name(name: str) -> str:
    """``fabric_type``, ``FabricType`` and ``Fabric type`` are one name."""
    return "".join(c for c in name.casefold() if not c.isspace() and c != "_")
