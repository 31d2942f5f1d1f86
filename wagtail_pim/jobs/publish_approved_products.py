"""Publish approved products: from the PIM to the site, then Published in the PIM."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_pim.catalog.category_planner import CategoryPlan
from wagtail_pim.client.assumed import Acknowledgement
from wagtail_pim.client.client import APPROVED, PUBLISHED
from wagtail_pim.exceptions import PermanentError, ServerFaultError

from .base import environment_warnings
from .catalog_job import CatalogJob, Work
from .discards import Discards
from .products import Result


class PublishApprovedProducts(CatalogJob):
    """Takes all Approved products, or those of the run's ``numbers`` that are so."""

    name = "publish_approved_products"
    label = gettext_lazy("Publish approved products")
    description = gettext_lazy(
        "Takes all products that are Approved in the PIM, publishes their pages, and "
        "then sets them Published in the PIM."
    )
    listed_status = waiting_status = APPROVED
    accepted_statuses = (APPROVED, PUBLISHED)
    acknowledges = True

    def execute(self) -> None:
        for warning in environment_warnings(self.pim):
            self.journal.warn(warning)
        self._discards = None if self.run.numbers else Discards(self)
        super().execute()

    def removals(self, plans: Sequence[CategoryPlan], work: Sequence[Work]) -> int:
        discards = self._discards.removals if self._discards else 0
        return super().removals(plans, work) + discards

    def discard(self) -> None:
        if self._discards:
            self._discards.carry_out()

    def committed(self, result: Result) -> None:
        """Tell the PIM that the product is published, unless its picture is not."""
        if result.assets_failed:
            result.item.acknowledged = False
            result.item.note = _(
                "A picture or document of it failed: it is published without, and "
                "stays Approved in the PIM for the next run."
            )
        elif result.product.has_status(APPROVED) and not self.run.dry_run:
            self._acknowledge(result)

    def _acknowledge(self, result: Result) -> None:
        item = result.item
        item.acknowledged = False
        try:
            outcome = self.pim.client.assumed.acknowledge(result.product)
        except (ServerFaultError, PermanentError) as error:
            item.reason = _(
                "It is published on the site, but the PIM did not take note: "
                "%(error)s The next run tells the PIM again."
            ) % {"error": error}
            return
        if outcome == Acknowledgement.MOVED_ON:
            item.note = _(
                "The PIM has a newer version; it stays Approved there for the next run."
            )
        elif outcome == Acknowledgement.GONE:
            item.note = _("It was deleted in the PIM meanwhile.")
        else:
            item.acknowledged = True
