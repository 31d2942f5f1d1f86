"""Search index and reference index of many pages at once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connections
from modelcluster.models import get_all_child_m2m_relations, get_all_child_relations
from wagtail.models import Page, ReferenceIndex
from wagtail.search import index
from wagtail.search.backends import get_search_backends

from .grouping import grouped

logger = logging.getLogger(__name__)


def update_indexes(pages: Iterable[Page]) -> list[Page]:
    """Index pages that were inserted or changed, and return them as they are stored.

    The rows are read again: editors may have changed fields of theirs meanwhile, and
    a page's URL may have changed with its parent's.
    """
    stored: list[Page] = []
    for model, ids in grouped(pages, key=lambda page: page.__class__).items():
        group = list(model._base_manager.filter(pk__in=[page.pk for page in ids]))
        _preload_children(model, group)
        _update_search_index(model, group)
        _update_reference_index(model, group)
        stored += group
    return stored


def _preload_children(model: type[Page], pages: Sequence[Page]) -> None:
    """Read each child relation once for all pages, as modelcluster keeps them."""
    by_pk = {page.pk: page for page in pages}
    for page in pages:
        page.__dict__.setdefault("_cluster_related_objects", {})
    for relation in get_all_child_relations(model):
        name = relation.get_accessor_name()
        children = relation.related_model._base_manager.filter(
            **{f"{relation.field.name}__in": list(by_pk)}
        )
        by_parent = grouped(children, key=lambda c: getattr(c, relation.field.attname))
        for pk, page in by_pk.items():
            page._cluster_related_objects[name] = by_parent.get(pk, [])
    for field in get_all_child_m2m_relations(model):
        through = field.remote_field.through
        rows = through._base_manager.filter(
            **{f"{field.m2m_field_name()}__in": list(by_pk)}
        ).select_related(field.m2m_reverse_field_name())
        by_parent = grouped(
            rows, key=lambda r: getattr(r, f"{field.m2m_field_name()}_id")
        )
        for pk, page in by_pk.items():
            page._cluster_related_objects[field.name] = [
                getattr(row, field.m2m_reverse_field_name())
                for row in by_parent.get(pk, [])
            ]


def _update_search_index(model: type[Page], pages: Sequence[Page]) -> None:
    if not index.class_is_indexed(model) or not getattr(
        model, "search_auto_update", True
    ):
        return
    for backend in get_search_backends(with_auto_update=True):
        try:
            _forget_entries(backend, model, pages)
            backend.add_bulk(model, pages)
        except Exception:
            # As Wagtail does: a search service that is down stops no publishing. The
            # error of a database backend is one of the transaction.
            if not backend.catch_indexing_errors:
                raise
            logger.exception("%s could not be indexed for search", model.__name__)


def _forget_entries(backend: Any, model: type[Page], pages: Sequence[Page]) -> None:
    """Spare the SQLite and MySQL backends one update for every entry they have."""
    entries = getattr(backend.get_index_for_model(model), "entries", None)
    if entries is not None and connections[entries.db].vendor != "postgresql":
        content_type = ContentType.objects.get_for_model(
            model, for_concrete_model=False
        )
        entries.filter(
            content_type=content_type, object_id__in=[str(page.pk) for page in pages]
        ).delete()


def _update_reference_index(model: type[Page], pages: Sequence[Page]) -> None:
    """``ReferenceIndex.create_or_update_for_object`` for many objects."""
    if not ReferenceIndex.is_indexed(model):
        return
    content_type = ContentType.objects.get_for_model(model, for_concrete_model=False)
    base_type = ReferenceIndex._get_base_content_type(model)
    wanted = {
        (str(page.pk), *reference)
        for page in pages
        for reference in ReferenceIndex._extract_references_from_object(page)
    }
    fields = ("object_id", "to_content_type_id", "to_object_id", "model_path")
    standing = {
        row[1:]: row[0]
        for row in ReferenceIndex.objects.filter(
            base_content_type=base_type, object_id__in=[str(page.pk) for page in pages]
        ).values_list("pk", *fields, "content_path")
    }
    gone = [pk for row, pk in standing.items() if row not in wanted]
    if gone:
        ReferenceIndex.objects.filter(pk__in=gone).delete()
    ReferenceIndex.objects.bulk_create(
        ReferenceIndex(
            content_type=content_type,
            base_content_type=base_type,
            **dict(zip(fields, row[:4], strict=True)),
            content_path=row[4],
            content_path_hash=ReferenceIndex._get_content_path_hash(row[4]),
        )
        for row in sorted(wanted - standing.keys())
    )
