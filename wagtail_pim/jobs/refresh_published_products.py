"""Refresh published products: from the PIM to the site, and nothing to the PIM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_pim.client.client import PUBLISHED
from wagtail_pim.client.entities import InvalidRecord, ProductHead
from wagtail_pim.client.options import Environment
from wagtail_pim.kinds import ASSET_KINDS, Kind
from wagtail_pim.models import JobRun, JobRunItem, PIMOptions

from . import items
from .catalog_job import CatalogJob
from .lookback import (
    REFRESH,
    checked_lookback,
    failed_before,
    last_good_refresh,
    needed_by_the_next,
    plan_lookback,
    safely_before,
)
from .products import Result
from .removals import CONFIRM_REMOVALS

# How often the listing is read at most, until it stands still.
READINGS: Final = 5


class RefreshPublishedProducts(CatalogJob):
    """Takes the Published products of a time, or those of the run's ``numbers``.

    It serves every environment, as it never writes to the PIM.
    """

    name = REFRESH
    label = gettext_lazy("Refresh published products")
    description = gettext_lazy(
        "Takes the products that were published lately in the PIM, and makes their "
        "pages show what the PIM has. It writes nothing to the PIM."
    )
    icon = "rotate"
    listed_status = PUBLISHED
    accepted_statuses = (PUBLISHED,)
    looks_back = True

    def execute(self) -> None:
        run = self.run
        if run.numbers:
            super().execute()
            return
        last_good = last_good_refresh()
        lookback = plan_lookback(
            run, last_good, self.pim.options.number_of_lookback_days, timezone.now()
        )
        for warning in lookback.warnings:
            self.journal.warn(warning)
        self.journal.note(published_since=lookback.since)
        self._carried = failed_before(last_good)
        self.known_failures = self._carried.keys()
        self._listed_whole = True
        super().execute()
        # A record without an id can't be taken again but with all of its time.
        unnamed = run.items.filter(unsettled=True, guid=None).exclude(
            kind__in=ASSET_KINDS
        )
        if lookback.is_gapless and self._listed_whole and not unnamed.exists():
            self.journal.note(refreshed_to=safely_before(run.started_at))

    def heads(self) -> Iterator[ProductHead | InvalidRecord]:
        listed: set[UUID | None] = set()
        for record in self._published():
            listed.add(record.id)
            yield record
        carried = {g: i for g, i in self._carried.items() if g not in listed}
        for record in self.pim.client.product_heads_by_id(list(carried)):
            item = carried.pop(record.id, None) if record.id else None
            if isinstance(record, InvalidRecord) or record.has_status(PUBLISHED):
                yield record
            elif item is not None:
                # It may be Published again as of the time when it was so first.
                self._leave(item, record.id, unsettled=True)
        for guid, item in carried.items():
            self._leave(item, guid, unsettled=False)

    def _leave(self, item: JobRunItem, guid: UUID, *, unsettled: bool) -> None:
        left = items.left_product(Kind(item.kind), item.number, guid, PUBLISHED)
        left.unsettled = unsettled
        self.add(left)

    def _published(self) -> Iterator[ProductHead | InvalidRecord]:
        """The listing, read until it holds nothing new.

        While it is paged through, a product that leaves it moves the others up, and
        one of them over the edge of a page.
        """
        seen: set[object] = set()
        for _reading in range(READINGS):
            is_new = False
            for record in self.pim.client.product_heads(
                PUBLISHED, published_since=self.run.published_since
            ):
                key = record.id or getattr(record, "number", None)
                if key not in seen:
                    is_new = True
                    seen.add(key)
                    yield record
            if not is_new:
                return
        self._listed_whole = False
        self.journal.warn(
            _(
                "The PIM's list of published products changed each time that it was "
                "read. What is missing comes with the next refresh."
            )
        )

    def committed(self, result: Result) -> None:
        super().committed(result)
        if not self.failed_categories.isdisjoint(result.product.category_ids()):
            result.item.unsettled = True

    @classmethod
    def checked_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        confirmation = {n: v for n, v in options.items() if n == CONFIRM_REMOVALS}
        lookback = {n: v for n, v in options.items() if n != CONFIRM_REMOVALS}
        return {**super().checked_options(confirmation), **checked_lookback(lookback)}

    @classmethod
    def is_made_up_for(cls, run: JobRun) -> bool:
        last_good = last_good_refresh()
        is_done = last_good is not None and last_good.created_at > run.created_at
        return is_done or super().is_made_up_for(run)

    @classmethod
    def runs_to_keep(cls) -> list[UUID]:
        return needed_by_the_next()

    @classmethod
    def question(cls) -> str:
        environment = PIMOptions.current().in_force("environment")
        if str(environment).casefold() != Environment.PRODUCTION.casefold():
            return ""
        return _(
            "This site is the production environment. Here, Publish approved products "
            "brings the products; Refresh published products is meant for test and "
            "development sites. It can mend pages here all the same: it overwrites "
            "what the PIM owns with the PIM's present state, and writes nothing to "
            "the PIM."
        )
