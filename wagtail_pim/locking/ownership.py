"""Values that the PIM owns, kept as they are in the database.

The row is the only truth for them. Whatever a draft, a revision, a form or code holds
is replaced by what the row holds: in ``with_content_json()``, through which all that
comes from a revision passes, and in ``save()``, through which the rest does. Only
inside ``pim_write()`` is what stands on the object written.

``QuerySet.update()``, ``bulk_create()`` and ``set()`` of a plain many-to-many field
pass neither: the sync's own writers use them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import Any, ClassVar

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models, router, transaction
from modelcluster.fields import ParentalManyToManyField
from taggit.managers import TaggableManager

from wagtail_pim.markers import Sync, is_synced, sync_markers

# Columns that follow from an owned one.
DERIVED_COLUMNS = {"title": ("draft_title",), "slug": ("url_path",)}

_writing: ContextVar[bool] = ContextVar("wagtail_pim_writing", default=False)


@contextmanager
def pim_write() -> Iterator[None]:
    """Let ``save()`` write what the PIM owns, in this thread or task alone."""
    token = _writing.set(True)
    try:
        yield
    finally:
        _writing.reset(token)


def is_pim_writing() -> bool:
    return _writing.get()


@cache
def owned_fields(model: Any) -> frozenset[str]:
    """Names of the model's fields and relations that belong to the PIM.

    These are what ``pim_owned_fields`` of it and its bases name, and its markers'.
    """
    if not is_synced(model):
        return frozenset()
    always = (vars(base).get("pim_owned_fields", ()) for base in model.__mro__)
    return frozenset(sync_markers(model)).union(*always)


def locked_fields(instance: Any) -> frozenset[str]:
    """Names of what nobody but the PIM may change on this very object."""
    if not isinstance(instance, SyncedModelMixin) or instance.pim_row() is None:
        return frozenset()
    model: Any = type(instance)
    return owned_fields(model)


@cache
def owned_columns(model: Any) -> frozenset[str]:
    """Attribute names of the columns among the owned fields, and of derived ones."""
    names = owned_fields(model)
    names = names.union(*(DERIVED_COLUMNS.get(name, ()) for name in names))
    return frozenset(
        field.attname for field in model._meta.concrete_fields if field.name in names
    )


@cache
def owned_children(model: Any) -> frozenset[str]:
    """Names of the owned child relations, under which modelcluster holds them."""
    names = set()
    for field in _owned(model):
        if isinstance(field, TaggableManager):
            names.add(_tagged_items_name(field, model))
        elif field.one_to_many:
            names.add(field.get_accessor_name(model=model))
    return frozenset(names)


@cache
def owned_many_to_many(model: Any) -> frozenset[str]:
    """Names of the owned fields whose objects modelcluster holds."""
    return frozenset(
        field.name
        for field in _owned(model)
        if isinstance(field, ParentalManyToManyField)
    )


def _owned(model: Any) -> Iterator[Any]:
    for name in owned_fields(model):
        # The system checks tell of a name that is no field's.
        with suppress(FieldDoesNotExist):
            yield model._meta.get_field(name)


def _tagged_items_name(field: Any, model: Any) -> str:
    through = field.through._meta.get_field("content_object").remote_field
    return through.get_accessor_name(model=model)


class SyncedModelMixin(models.Model):
    """A model some of whose fields the PIM fills and nobody else changes.

    Stands before ``models.Model`` and Wagtail's mixins among the bases. ``pim_fields``
    are its markers; ``pim_owned_fields`` names what the PIM owns besides, child
    relations included.
    """

    pim_fields: ClassVar[list[Sync]] = []
    pim_owned_fields: ClassVar[Collection[str]] = ()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        row = None if is_pim_writing() else self._row_to_guard(kwargs)
        if row is None:
            super().save(*args, **kwargs)
            return
        with transaction.atomic(using=router.db_for_write(type(self), instance=self)):
            self._take_values_of_row(row, lock=True)
            super().save(*args, **kwargs)

    def is_pim_managed(self) -> bool:
        """Whether the PIM owns this object, which then is not deleted by hand."""
        return self.pk is not None and is_synced(type(self))

    def pim_row(self) -> Any:
        """The key of the row whose values count; None if no value is the PIM's."""
        return self.pk if self.is_pim_managed() else None

    def with_content_json(self, content: dict[str, Any]) -> Any:
        obj = super().with_content_json(content)
        if self.pim_row() is not None:
            obj._take_values_of_row(self.pim_row())
        return obj

    def full_clean(self, exclude: Collection[str] | None = None, **kwargs: Any) -> None:
        """Leaves out what an editor can't correct."""
        locked = frozenset() if is_pim_writing() else locked_fields(self)
        super().full_clean(exclude={*(exclude or ()), *locked}, **kwargs)

    def _row_to_guard(self, options: dict[str, Any]) -> Any:
        names = options.get("update_fields")
        model: Any = type(self)
        touched = owned_columns(model)
        if names is not None and touched.isdisjoint(map(self._attname, names)):
            return None
        return self.pim_row()

    def _attname(self, name: str) -> str:
        return getattr(self._meta.get_field(name), "attname", name)

    def _take_values_of_row(self, row: Any, *, lock: bool = False) -> None:
        """Set what the PIM owns to what stands in the database now.

        ``lock`` keeps a sync from writing the row until the transaction ends.
        """
        model: Any = type(self)
        columns = owned_columns(model)
        if row == self.pk:
            # What is not held is read from the database, and not written.
            held = getattr(self, "_cluster_related_objects", {})
            for name in owned_children(model) | owned_many_to_many(model):
                held.pop(name, None)
        else:
            # An alias has an address of its own; Wagtail copies its child objects.
            columns -= {"slug", "url_path"}
            self._take_many_to_many_of(row)
        rows = model._base_manager.using(router.db_for_write(model, instance=self))
        if lock:
            features = connections[rows.db].features
            rows = rows.select_for_update(no_key=features.has_select_for_no_key_update)
        values = rows.filter(pk=row).values(*columns).first() if columns else None
        for name, value in (values or {}).items():
            setattr(self, name, value)

    def _take_many_to_many_of(self, row: Any) -> None:
        model: Any = type(self)
        names = owned_many_to_many(model)
        original = model._base_manager.filter(pk=row).first() if names else None
        if original is not None:
            for name in names:
                setattr(self, name, list(getattr(original, name).all()))
