"""Fields whose values are other objects: the PIM knows these by name alone.

A value here is a name (foreign key) or a sorted tuple of names (many-to-many fields
and tags). Objects that the site does not have yet are made with their name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from taggit.managers import TaggableManager
from wagtail.models import Page

from wagtail_pim.markers import Sync

LOOKUP_NAMES = ("name", "title")


def is_named_relation(field: Any) -> bool:
    return isinstance(
        field, (models.ForeignKey, models.ManyToManyField, TaggableManager)
    )


def lookup_field(marker: Sync, field: Any) -> str | None:
    """The text field of the related model that holds the PIM's value, if any."""
    for name in [marker.lookup] if marker.lookup else LOOKUP_NAMES:
        try:
            candidate = field.related_model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        if isinstance(candidate, (models.CharField, models.TextField)):
            return name
    return None


class NamedRelation:
    """One such field of one page type, read and written for many pages at once."""

    def __init__(self, marker: Sync, field: Any, model: type[Page]) -> None:
        self.field = field
        self._related: type[models.Model] = field.related_model
        self._lookup = lookup_field(marker, field) or LOOKUP_NAMES[0]
        self.is_single = isinstance(field, models.ForeignKey)
        if not self.is_single:
            self._through: type[models.Model] = field.remote_field.through
            self._source, self._target, self._fixed = _row_layout(field, model)

    def read(self, pages: Sequence[Page]) -> dict[int, Any]:
        """The value of each page by its key; two queries."""
        if self.is_single:
            ids = {page.pk: getattr(page, self.field.attname) for page in pages}
            names = self._names({pk for pk in ids.values() if pk is not None})
            return {page: names.get(pk) for page, pk in ids.items()}
        rows = self._rows([page.pk for page in pages])
        names = self._names({target for _row, _page, target in rows})
        values: dict[int, list[str]] = {page.pk: [] for page in pages}
        for _row, page_id, target in rows:
            if target in names:
                values[page_id].append(names[target])
        return {page_id: tuple(sorted(found)) for page_id, found in values.items()}

    def keys(self, names: Iterable[str]) -> dict[str, Any]:
        """The key of each name's object; objects that are missing are made."""
        wanted = set(names)
        found = self._keys_of(wanted)
        for name in sorted(wanted - found.keys()):
            made = self._related(**{self._lookup: name})
            made.full_clean(validate_unique=False, exclude=["slug"])
            made.save()
            found[name] = made.pk
        return found

    def write(
        self, values: Mapping[int, Sequence[str]], keys: Mapping[str, Any]
    ) -> None:
        """Make each page's rows those of its names; two queries besides reading."""
        wanted = {
            (page_id, keys[name]) for page_id, names in values.items() for name in names
        }
        standing: dict[tuple[int, Any], Any] = {}
        for row, page_id, target in self._rows(values):
            standing[page_id, target] = row
        gone = [row for pair, row in standing.items() if pair not in wanted]
        if gone:
            self._through._base_manager.filter(pk__in=gone).delete()
        self._through._base_manager.bulk_create(
            self._through(**self._fixed, **{self._source: page_id, self._target: key})
            for page_id, key in sorted(wanted - standing.keys())
        )

    def _rows(self, page_ids: Iterable[int]) -> list[tuple[Any, int, Any]]:
        """(row, page, related object) keys of the pages' rows."""
        rows = self._through._base_manager.filter(
            **self._fixed, **{f"{self._source}__in": list(page_ids)}
        ).values_list("pk", self._source, self._target)
        return [(row, int(page_id), target) for row, page_id, target in rows]

    def _names(self, keys: Iterable[Any]) -> dict[Any, str]:
        return dict(
            self._related._base_manager.filter(pk__in=list(keys)).values_list(
                "pk", self._lookup
            )
        )

    def _keys_of(self, names: Iterable[str]) -> dict[str, Any]:
        return dict(
            self._related._base_manager.filter(**{f"{self._lookup}__in": list(names)})
            .order_by("-pk")
            .values_list(self._lookup, "pk")
        )


def _row_layout(field: Any, model: type[Page]) -> tuple[str, str, dict[str, Any]]:
    """Names of a through row's page and object columns, and its fixed values."""
    through = field.remote_field.through
    if isinstance(field, models.ManyToManyField):
        source = through._meta.get_field(field.m2m_field_name()).attname
        target = through._meta.get_field(field.m2m_reverse_field_name()).attname
        return source, target, {}
    try:
        source = through._meta.get_field("content_object").attname
    except (FieldDoesNotExist, AttributeError):
        content_type = ContentType.objects.get_for_model(model)
        return "object_id", "tag_id", {"content_type": content_type}
    return source, "tag_id", {}
