"""Refresh published products: from the PIM to the site, and nothing to the PIM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_pim.client.client import PUBLISHED
from wagtail_pim.client.entities import InvalidRecord, ProductHead
from wagtail_pim.client.options import Environment
from wagtail_pim.kinds import Kind
from wagtail_pim.models import PIMOptions

from . import items
from .catalog_job import CatalogJob
from .lookback import (
    REFRESH,
    checked_lookback,
    failed_before,
    last_good_refresh,
    plan_lookback,
    safely_before,
)


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
    listed_status = PUBLISHED
    accepted_statuses = (PUBLISHED,)

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
        super().execute()
        # A record without an id can't be taken again but with all of its time.
        if lookback.is_gapless and not run.unsettled_items().filter(guid=None).exists():
            self.journal.note(refreshed_to=safely_before(run.started_at))

    def heads(self) -> Iterator[ProductHead | InvalidRecord]:
        client = self.pim.client
        carried = {item.guid: item for item in self._carried if item.guid}
        for record in client.product_heads(
            PUBLISHED, published_since=self.run.published_since
        ):
            if record.id:
                carried.pop(record.id, None)
            yield record
        for record in client.product_heads_by_id(list(carried)):
            if isinstance(record, InvalidRecord) or record.has_status(PUBLISHED):
                if record.id:
                    del carried[record.id]
                yield record
        # What is not Published any more comes when it is so again.
        for guid, item in carried.items():
            self.add(items.left_product(Kind(item.kind), item.number, guid, PUBLISHED))

    @classmethod
    def checked_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        return checked_lookback(options)

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
