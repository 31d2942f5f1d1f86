"""Reconcile catalog: what the PIM deleted, or changed without a product's version.

What was deleted there is in no listing any more, so that no other job hears of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.models import Locale, Page

from wagtail_pim.catalog.archived_assets import shown_assets, take_off_pages
from wagtail_pim.catalog.assets import known_assets, obtain_assets
from wagtail_pim.catalog.grouping import chunked, grouped
from wagtail_pim.catalog.writer import note_statuses, refusal, remove_page
from wagtail_pim.client.entities import Asset, InvalidRecord, ProductHead
from wagtail_pim.conf import get_config
from wagtail_pim.exceptions import RunEndedError
from wagtail_pim.kinds import DOCUMENT, PICTURE, PRODUCT_KINDS, Kind
from wagtail_pim.models import JobRunItem, PimAsset, PimLink
from wagtail_pim.signals import product_removed

from . import items
from .base import Job
from .bereft import BereftProducts, parents_of
from .removals import require_confirmation, standing_pages

logger = logging.getLogger(__name__)

DELETED: Final = "Deleted"
"""The status of a product that the PIM does not have any more."""
GUIDS_PER_QUERY: Final = 500


class ReconcileCatalog(Job):
    """Compares complete listings of the PIM with what is on the site.

    It needs no memory of earlier runs: an interrupted one is completed by the next.
    """

    name = "reconcile_catalog"
    label = gettext_lazy("Reconcile catalog")
    description = gettext_lazy(
        "Compares the site with all that the PIM has: unpublishes products that were "
        "deleted there, and brings pictures and documents that changed by themselves. "
        "It writes nothing to the PIM."
    )
    icon = "circle-check"
    counted = gettext_lazy("Products, variants and files")
    takes_numbers = False
    confirms_removals = True

    def execute(self) -> None:
        self._bereft = BereftProducts(self)
        deleted = self._deleted_products()
        live = [link for links in deleted for link in links if link.page.live]
        require_confirmation(self.run, len(live), standing_pages())
        known = self._known_assets()
        self.journal.begin(len(deleted) + len(known))
        for products in chunked(deleted, get_config().batch_size):
            self._remove(products)
            self.journal.settle(len(products))
        for assets in chunked(known, get_config().batch_size):
            self._refresh(assets)
            self.journal.settle(len(assets))

    # Products

    def _deleted_products(self) -> list[list[PimLink]]:
        """The links of each in all languages; variants before products."""
        listed: set[UUID | None] = set()
        missed = set(
            PimLink.objects.filter(kind__in=PRODUCT_KINDS, status=DELETED).values_list(
                "guid", flat=True
            )
        )
        back: list[ProductHead] = []
        for record in self.pim.client.all_product_heads():
            self.journal.checkpoint()
            # One that can't be read is there all the same.
            listed.add(record.id)
            if record.id in missed and isinstance(record, ProductHead):
                back.append(record)
        self._welcome(back)
        absent = [guid for guid in _linked_products() if guid not in listed]
        # A listing that changes while it is paged through may lack a product.
        for record in self.pim.client.product_heads_by_id(absent):
            self.journal.checkpoint()
            listed.add(record.id)
        if None in listed:
            self.journal.warn(
                _(
                    "The PIM's list of products has records without an id, so that "
                    "nobody can tell what was deleted: no product was removed. Correct "
                    "the records in the PIM."
                )
            )
            return []
        return _links_of([guid for guid in absent if guid not in listed])

    def _welcome(self, heads: Sequence[ProductHead]) -> None:
        """Tell of products that had been deleted, and are in the PIM again.

        Those that are not Approved no other job would bring back.
        """
        if not heads:
            return
        self.add(*(items.returned_product(head) for head in heads))
        if not self.run.dry_run:
            note_statuses({head.id: head.status.strip() for head in heads})

    def _remove(self, products: Sequence[Sequence[PimLink]]) -> None:
        told = []
        parents = parents_of([links[0] for links in products])
        self._bereft.ask(parents.values())
        for links in products:
            self.journal.checkpoint()
            item = items.deleted_product(links)
            guid = links[0].guid
            if not self.run.dry_run:
                item = self._take_off(links, item, parents.get(guid))
            elif guid in parents:
                self._bereft.lose(parents[guid], guid)
            told.append(item)
        self.add(*told)
        self._bereft.report()

    def _take_off(
        self, links: Sequence[PimLink], item: JobRunItem, parent: UUID | None
    ) -> JobRunItem:
        removed: list[Page] = []
        try:
            with transaction.atomic():
                for link in links:
                    removed += remove_page(link.page_id)
                note_statuses({links[0].guid: DELETED})
                self.journal.insert([item])
                if parent is not None:
                    self._bereft.lose(parent, links[0].guid)
        except RunEndedError:
            raise
        except Exception as error:
            self._bereft.take_back([links[0].guid])
            # A receiver of the site's may fail: that is this product's failure.
            logger.exception("Run %s: no removal", self.run.pk)
            return items.failed(
                item.kind, item.number, refusal(error), item.guid, item.title
            )
        for page in removed:
            product_removed.send_robust(type(page), instance=page, run=self.run)
        return item

    # Files

    def _known_assets(self) -> list[Asset]:
        """The assets that the site has a file of, as the PIM has them now."""
        self._kinds = {
            guid: DOCUMENT if image is None else PICTURE
            for guid, image in PimAsset.objects.values_list("guid", "image")
        }
        known = []
        for record in self.pim.client.all_assets() if self._kinds else ():
            self.journal.checkpoint()
            kind = self._kinds.get(record.id) if record.id else None
            if kind is None:
                continue
            if isinstance(record, InvalidRecord):
                reason = str(record.error)
                self.add(items.failed(kind, record.number, reason, record.id))
            else:
                known.append(record)
        return known

    def _refresh(self, assets: Sequence[Asset]) -> None:
        """Bring those up to date that differ; a dry run can tell of new files alone."""
        before = known_assets([asset.id for asset in assets])
        told: list[JobRunItem] = []
        if self.run.dry_run:
            changed = [a for a in assets if _has_other_file(a, before[a.id])]
        else:
            after, faults = obtain_assets(
                assets,
                self.pim.downloader.fetch,
                self.journal.checkpoint,
                self.journal.hold,
                look_at_storage=True,
            )
            told += [
                items.failed(fault.kind, fault.asset.name, fault.reason, fault.asset.id)
                for fault in faults
            ]
            changed = [
                asset
                for asset in assets
                if _has_changed(before[asset.id], after.get(asset.id))
            ]
        self.add(*told, *(items.changed_asset(a, self._kinds[a.id]) for a in changed))
        self._withdraw({asset.id: asset for asset in assets if asset.is_archived})

    def _withdraw(self, archived: Mapping[UUID, Asset]) -> None:
        shown = shown_assets(archived)
        told = [
            items.archived_asset(archived[row.guid], self._kinds[row.guid])
            for row in shown
        ]
        if shown and not self.run.dry_run:
            with transaction.atomic():
                take_off_pages(shown)
                self.journal.insert(told)
        self.add(*told)


def _linked_products() -> Iterator[UUID]:
    """Guids of products that are live here, or not known to be deleted there."""
    links = PimLink.objects.filter(kind__in=PRODUCT_KINDS)
    links = links.filter(Q(page__live=True) | ~Q(status=DELETED))
    yield from links.order_by().values_list("guid", flat=True).distinct().iterator()


def _links_of(guids: Sequence[UUID]) -> list[list[PimLink]]:
    """Those of each product with their pages, that in the default language first."""
    links: list[PimLink] = []
    for some in chunked(guids, GUIDS_PER_QUERY):
        links += PimLink.objects.filter(
            kind__in=PRODUCT_KINDS, guid__in=some
        ).select_related("page")
    default = Locale.get_default().pk
    links.sort(key=lambda link: (link.kind != Kind.VARIANT, link.locale_id != default))
    return list(grouped(links, key=lambda link: link.guid).values())


def _has_other_file(asset: Asset, known: PimAsset) -> bool:
    return not asset.is_archived and asset.current_asset_hash != known.content_hash


def _has_changed(before: PimAsset, after: PimAsset | None) -> bool:
    """An archived one, which is shown nowhere, has not."""
    return after is not None and (
        (before.content_hash, before.details_hash)
        != (after.content_hash, after.details_hash)
    )
