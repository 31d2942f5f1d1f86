"""Values that the PIM owns, kept as they are in the database.

The row is the only truth for them. Whatever a draft, a revision, a form or code holds
is replaced by what the row holds: in ``with_content_json()``, through which all that
comes from a revision passes, and in ``save()``, through which the rest does. Only
inside ``pim_write()`` is what stands on the object written.

A model is *synced* unless ``no_sync`` opts it out. Its markers and
``pim_owned_fields`` name what of it is *owned* by the PIM. An object of it is
*managed* if it is a record of the PIM's; what is owned of a managed object is *locked*.

``QuerySet.update()``, ``bulk_create()`` and ``set()`` of a plain many-to-many field
pass neither: the sync's own writers use them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from typing import Any, ClassVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connections, models, router, transaction
from django.utils import timezone
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
    if not isinstance(instance, SyncedModelMixin) or instance.pim_source_pk() is None:
        return frozenset()
    return owned_fields(instance.marked_class())


@cache
def owned_columns(model: Any, marked: Any) -> frozenset[str]:
    """Attribute names of the model's columns that are owned, or follow from such.

    ``marked`` is the class that says what is owned: the model or a subclass of it.
    """
    names = owned_fields(marked)
    names = names.union(*(DERIVED_COLUMNS.get(name, ()) for name in names))
    return frozenset(
        field.attname for field in model._meta.concrete_fields if field.name in names
    )


@cache
def owned_children(model: Any, marked: Any) -> frozenset[str]:
    """Names of the owned child relations, under which modelcluster holds them."""
    names = set()
    for field in _owned(model, marked):
        if isinstance(field, TaggableManager):
            names.add(_tagged_items_name(field, model))
        elif field.one_to_many:
            names.add(field.get_accessor_name(model=model))
    return frozenset(names)


@cache
def owned_many_to_many(model: Any, marked: Any) -> frozenset[str]:
    """Names of the owned fields whose objects modelcluster holds."""
    return frozenset(
        field.name
        for field in _owned(model, marked)
        if isinstance(field, ParentalManyToManyField)
    )


@cache
def _savable_names(model: Any, marked: Any) -> frozenset[str]:
    """All by which ``update_fields`` may name what is owned."""
    columns = owned_columns(model, marked)
    fields = model._meta.concrete_fields
    return columns.union(
        (field.name for field in fields if field.attname in columns),
        owned_children(model, marked),
        owned_many_to_many(model, marked),
    )


def is_saving_owned(model: Any, marked: Any, names: Iterable[str] | None) -> bool:
    """Whether a save with these ``update_fields`` writes what the PIM owns."""
    owned = _savable_names(model, marked)
    return bool(owned) if names is None else not owned.isdisjoint(names)


def values_of_row(
    model: Any, row: Any, columns: Iterable[str], *, using: str, lock: bool = False
) -> dict[str, Any] | None:
    """What stands in the database now; None if there is no such row.

    ``lock`` keeps a sync from writing the row until the transaction ends.
    """
    rows = model._base_manager.using(using)
    if lock:
        features = connections[using].features
        rows = rows.select_for_update(no_key=features.has_select_for_no_key_update)
    return rows.filter(pk=row).values(model._meta.pk.attname, *columns).first()


def _owned(model: Any, marked: Any) -> Iterator[Any]:
    for name in owned_fields(marked):
        # A field of the marked class alone. Of one that is no field's at all, the
        # system checks tell.
        with suppress(FieldDoesNotExist):
            yield model._meta.get_field(name)


def _tagged_items_name(field: Any, model: Any) -> str:
    through = field.through._meta.get_field("content_object").remote_field
    return through.get_accessor_name(model=model)


def _is_live_with_schedule(obj: Any) -> bool:
    go_live_at = getattr(obj, "go_live_at", None)
    return bool(go_live_at) and go_live_at > timezone.now() and obj.live


class SyncedModelMixin(models.Model):
    """A model some of whose fields the PIM fills and nobody else changes.

    Stands before ``models.Model`` and Wagtail's mixins among the bases. ``pim_fields``
    are its markers; ``pim_owned_fields`` names what the PIM owns besides, child
    relations included.
    """

    pim_fields: ClassVar[list[Sync]] = []
    pim_owned_fields: ClassVar[Collection[str]] = ()
    # Columns that others write while somebody holds the object.
    kept_columns: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        model, marked = type(self), self.marked_class()
        names = kwargs.get("update_fields")
        is_guarded = is_saving_owned(model, marked, names) or (
            names is None and self.kept_columns
        )
        if is_pim_writing() or not is_guarded:
            super().save(*args, **kwargs)
            return
        using = kwargs.get("using") or router.db_for_write(model, instance=self)
        with transaction.atomic(using=using):
            self.take_values_of_row(using, lock=True)
            super().save(*args, **kwargs)

    def marked_class(self) -> Any:
        """The class whose markers count for this object."""
        return type(self)

    def is_pim_managed(self) -> bool:
        """Whether the PIM owns this object, which then is not deleted by hand."""
        return not self._state.adding and is_synced(type(self))

    def pim_source_pk(self, using: str | None = None) -> Any:
        """The key of the row whose values count; None if no value is the PIM's.

        With ``using`` this database is asked, not what the object remembers.
        """
        if using is None:
            return self.pk if self.is_pim_managed() else None
        return self.pk if is_synced(type(self)) else None

    def with_content_json(self, content: dict[str, Any]) -> Any:
        obj = super().with_content_json(content)
        obj.take_values_of_row(router.db_for_write(type(obj), instance=self))
        if self.pim_source_pk() is not None and _is_live_with_schedule(obj):
            # Wagtail takes a live object without a live revision for a draft: it
            # would take it offline until the time for which a change is scheduled.
            obj.live_revision_id = obj.live_revision_id or self.latest_revision_id
        return obj

    def full_clean(self, *args: Any, **kwargs: Any) -> None:
        """Says nothing against what an editor can't correct."""
        try:
            super().full_clean(*args, **kwargs)
        except ValidationError as error:
            if not hasattr(error, "error_dict"):
                raise
            locked = frozenset() if is_pim_writing() else locked_fields(self)
            errors = {n: e for n, e in error.error_dict.items() if n not in locked}
            if errors:
                raise ValidationError(errors) from None

    def take_values_of_row(self, using: str, *, lock: bool = False) -> dict[str, Any]:
        """Set what the PIM owns to what stands in the database now, and return it."""
        model: Any = type(self)
        marked = self.marked_class()
        row = self.pim_source_pk(using)
        columns = owned_columns(model, marked)
        if row == self.pk:
            columns |= self.kept_columns
        else:
            # An alias has an address of its own.
            columns -= {"slug", "url_path"}
        values = row and values_of_row(model, row, columns, using=using, lock=lock)
        if not values:
            return {}
        for name in columns:
            setattr(self, name, values[name])
        if row == self.pk:
            # What is not held is read from the database, and not written.
            held = getattr(self, "_cluster_related_objects", {})
            children = owned_children(model, marked)
            for name in children | owned_many_to_many(model, marked):
                held.pop(name, None)
        elif names := owned_many_to_many(model, marked):
            # Child objects are copied by Wagtail when it updates an alias.
            original = model._base_manager.using(using).get(pk=row)
            for name in names:
                setattr(self, name, list(getattr(original, name).all()))
        return values
