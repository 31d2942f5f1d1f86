"""Calls that the vendor documents nowhere; the README lists what we assume.

A site whose PIM answers otherwise subclasses ``AssumedCalls`` and names its class in
``WAGTAIL_PIM["ASSUMED_CALLS"]``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import ValidationError

from wagtail_pim.exceptions import (
    PayloadError,
    PermanentError,
    RecordNotFoundError,
    VersionConflictError,
)

from .entities import (
    Language,
    Product,
    PublishingSettings,
    Relationship,
    raw_value,
)
from .odata import AnyRecord, pages, quoted, whole_set
from .transport import Transport

logger = logging.getLogger(__name__)


class Acknowledgement(StrEnum):
    """What became of telling the PIM that a product is published."""

    DONE = "done"
    MOVED_ON = "moved_on"
    GONE = "gone"


class AssumedCalls:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def active_publishing_environment(self) -> str | None:
        """None where the PIM does not tell (404)."""
        try:
            answer = self._transport.get("settings")
            return PublishingSettings.model_validate(
                answer
            ).active_publishing_environment
        except RecordNotFoundError:
            return None
        except ValidationError as error:
            raise PayloadError(
                _("The PIM's settings do not name its active publishing environment.")
            ) from error

    def languages(self) -> list[Language]:
        """Empty where the PIM does not serve them (404)."""
        return self._set_if_served(Language, "languages")

    def relationships(self) -> list[Relationship]:
        """The types of relationships between products; empty as above."""
        return self._set_if_served(Relationship, "productRelationships")

    def in_language(
        self, model: type[AnyRecord], entity_set: str, language: UUID
    ) -> dict[UUID, AnyRecord]:
        """What the records of a set say in a language, by Guid.

        One that cannot be read, as it may be without a name there, is left out; all
        are where the PIM does not serve this (400, 404).
        """
        target = f"{entity_set}/GetInternal(languageId={language})"
        records: dict[UUID, AnyRecord] = {}
        try:
            for page in pages(self._transport, target, {}):
                for raw in page:
                    with suppress(PayloadError):
                        record = model.parse(raw)
                        records[record.id] = record
        except PermanentError:
            if records:
                raise
            logger.warning("The PIM does not serve %s in other languages", entity_set)
        return records

    def archived(self, status: str) -> list[UUID] | None:
        """The products of this status that are archived; None where it can't tell."""
        query = {
            "$filter": f"status eq {quoted(status)} and isArchived eq true",
            "$select": "id",
        }
        try:
            return [
                UUID(str(raw_value(raw, "id")))
                for page in pages(self._transport, "products", query)
                for raw in page
            ]
        except (PermanentError, ValueError):
            return None

    def _set_if_served(
        self, model: type[AnyRecord], entity_set: str
    ) -> list[AnyRecord]:
        try:
            return whole_set(self._transport, model, entity_set)
        except RecordNotFoundError:
            return []

    def create(self, entity_set: str, id: UUID, values: Mapping[str, Any]) -> UUID:
        """A new record of this id; the id that the PIM gave it, if that is another.

        Raises DuplicateError where the PIM has one of this id or unique name.
        """
        created = self._transport.post(entity_set, {"id": str(id), **values})
        if created is None:
            # An answer without the record: it has the id that it was sent with.
            return id
        try:
            return UUID(str(raw_value(created, "id")))
        except ValueError as error:
            raise PayloadError(
                _("The PIM's answer to a new record in %(set)s does not tell its id.")
                % {"set": entity_set}
            ) from error

    def update(
        self,
        entity_set: str,
        id: UUID,
        values: Mapping[str, Any],
        *,
        etag: str | None = None,
    ) -> None:
        """Set these values of a record, and leave its others as they are.

        Raises VersionConflictError where the record is not that of ``etag`` any more.
        """
        self._transport.patch(f"{entity_set}({id})", values, etag=etag)

    def acknowledge(self, product: Product) -> Acknowledgement:
        """Set the product Published at the version that was applied.

        Idempotent: where the PIM refuses for the product's version, it is asked
        whether an earlier attempt, whose answer was lost, has done it already.
        """
        target = f"products({product.id})"
        version = product.current_version_number
        try:
            self._transport.patch(
                target,
                {"status": "Published", "publishedVersionNumber": version},
                etag=product.etag,
            )
        except VersionConflictError:
            return self._acknowledged_before(target, version)
        except RecordNotFoundError:
            return Acknowledgement.GONE
        return Acknowledgement.DONE

    def _acknowledged_before(self, target: str, version: int) -> Acknowledgement:
        try:
            record = self._transport.get(
                target, {"$select": "status,publishedVersionNumber"}
            )
        except RecordNotFoundError:
            return Acknowledgement.GONE
        if (
            str(raw_value(record, "status")).casefold() == "published"
            and raw_value(record, "publishedVersionNumber") == version
        ):
            return Acknowledgement.DONE
        return Acknowledgement.MOVED_ON
