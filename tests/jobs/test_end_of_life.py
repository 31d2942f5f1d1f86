"""What leaves the PIM's catalog, or comes back to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models.signals import pre_delete
from django.utils import timezone
from wagtail.models import Locale, Page, Site
from wagtail.signals import page_unpublished

from sandbox_site.shop.models import BicyclePage, HomePage
from tests.conftest import items_by_number
from tests.pim_data import PimData
from tests.trial.models import TrialProductPage
from wagtail_pim.jobs import runs
from wagtail_pim.jobs.journal import Journal
from wagtail_pim.models import CategoryPage, PimLink, ProductPage, VariantPage
from wagtail_pim.models.runs import Outcome, State
from wagtail_pim.signals import product_removed


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def family(pim: PimData, publish: Any) -> None:
    pim.product("A1", Summary="Quick")
    pim.variant("A1-1", "A1")
    pim.variant("A1-2", "A1")
    pim.product("B1")
    publish()


def live() -> set[str]:
    return {
        page.product_number
        for model in (ProductPage, VariantPage)
        for page in model.objects.live()
    }


def test_an_archived_product_leaves_with_its_variants(family, pim, publish):
    gone = []

    def listen(instance: Any, **kwargs: Any) -> None:
        gone.append(instance.product_number)

    product_removed.connect(listen)
    pim.archive("A1")
    try:
        report = publish()
    finally:
        product_removed.disconnect(listen)
    assert report.state == State.SUCCEEDED
    assert live() == {"B1"}
    assert gone[-1] == "A1"
    assert set(gone) == {"A1", "A1-1", "A1-2"}
    assert items_by_number(report)["A1"].outcome == Outcome.REMOVED
    assert pim.status("A1") == "Published"


def test_a_reactivated_product_comes_back_as_the_same_page_with_its_variants(
    family, pim, publish
):
    page = BicyclePage.objects.get(product_number="A1")
    page.campaign_text = "For the season"
    page.save()
    pim.archive("A1")
    publish()
    pim.reactivate("A1")
    report = publish()
    assert report.state == State.SUCCEEDED
    assert live() == {"A1", "A1-1", "A1-2", "B1"}
    page.refresh_from_db()
    assert (page.live, page.campaign_text) == (True, "For the season")
    assert pim.status("A1") == "Published"


def test_a_variant_that_was_archived_itself_stays_away(family, pim, publish):
    pim.archive("A1-1")
    publish()
    assert live() == {"A1", "A1-2", "B1"}
    pim.archive("A1")
    publish()
    pim.reactivate("A1")
    publish()
    assert live() == {"A1", "A1-2", "B1"}


def test_a_product_whose_variants_are_all_gone_is_taken_off(family, pim, publish):
    pim.archive("A1-1", "A1-2")
    dry = publish(dry_run=True)
    assert items_by_number(dry)["A1"].outcome == Outcome.REMOVED
    report = publish()
    assert live() == {"B1"}
    item = items_by_number(report)["A1"]
    assert (item.outcome, item.note) == (Outcome.REMOVED, "All its variants are gone.")

    pim.reactivate("A1-1")
    publish()
    assert live() == {"A1", "A1-1", "B1"}


def test_a_variant_that_moves_to_another_product_follows(family, pim, publish):
    pim.move_variant("A1-1", "B1")
    publish()
    variant = VariantPage.objects.get(product_number="A1-1")
    assert variant.get_parent().specific.product_number == "B1"
    assert live() == {"A1", "A1-1", "A1-2", "B1"}
    # The last one leaves nothing worth showing.
    pim.move_variant("A1-2", "B1")
    publish()
    assert live() == {"A1-1", "A1-2", "B1"}
    assert not any(Page.find_problems())


def test_a_variant_of_a_product_off_the_site_waits_for_it(family, pim, publish):
    pim.archive("A1")
    publish()
    pim.change("A1-1", Price=3)
    report = publish()
    assert "parent product is not on the site" in items_by_number(report)["A1-1"].reason
    assert pim.status("A1-1") == "Approved"
    assert live() == {"B1"}


def test_a_time_to_deactivate_becomes_the_pages_expiry(family, pim, publish):
    soon = (timezone.now() + timedelta(days=3)).replace(microsecond=0)
    pim.change("B1", deactivateOn=soon.isoformat())
    publish()
    assert BicyclePage.objects.get(product_number="B1").expire_at == soon
    pim.change("B1", deactivateOn=None)
    publish()
    assert BicyclePage.objects.get(product_number="B1").expire_at is None
    pim.change("B1", deactivateOn="2020-01-01T00:00:00Z")
    publish()
    assert "B1" not in live()


def test_a_product_that_loses_a_variant_and_gets_another_stays(family, pim, publish):
    pim.variant("B1-1", "B1")
    publish()
    pim.move_variant("A1-1", "B1")
    pim.archive("B1-1")
    publish()
    assert live() == {"A1", "A1-2", "B1", "A1-1"}


def test_a_product_that_gets_a_new_variant_for_its_last_one_stays(family, pim, publish):
    pim.archive("A1-1", "A1-2")
    pim.variant("A1-3", "A1")
    dry = publish(dry_run=True)
    assert items_by_number(dry).keys() == {"A1-1", "A1-2", "A1-3"}
    publish()
    assert live() == {"A1", "A1-3", "B1"}


def test_a_product_without_its_variants_stays_away_when_it_changes(
    family, pim, publish
):
    pim.archive("A1-1", "A1-2")
    publish()
    pim.change("A1", Summary="New")
    publish()
    assert live() == {"B1"}


def test_a_family_that_comes_back_while_a_variant_of_it_moves(family, pim, publish):
    pim.variant("B1-1", "B1")
    publish()
    pim.archive("A1", "A1-1", "A1-2")
    publish()
    assert live() == {"B1", "B1-1"}
    pim.move_variant("A1-1", "B1")
    pim.reactivate("A1", "A1-1", "A1-2")
    pim.archive("B1-1")
    publish()
    assert live() == {"A1", "A1-2", "B1", "A1-1"}
    assert not any(Page.find_problems())


def test_a_variant_approved_as_its_product_is_archived_leaves_with_it(
    family, pim, publish
):
    pim.archive("A1")
    pim.change("A1-1", Price=5)
    report = publish()
    assert live() == {"B1"}
    assert items_by_number(report)["A1-1"].outcome == Outcome.FAILED
    assert pim.status("A1-1") == "Approved"


def test_variants_of_an_archived_product_that_had_expired_leave_too(
    family, pim, publish
):
    ProductPage.objects.filter(product_number="A1").update(
        expire_at=timezone.now() - timedelta(hours=1)
    )
    call_command("publish_scheduled")
    assert live() == {"A1-1", "A1-2", "B1"}
    pim.archive("A1")
    publish()
    assert live() == {"B1"}
    assert pim.status("A1") == "Published"


def test_a_receiver_that_refuses_a_product_fails_the_last_of_its_variants(pim, publish):
    """Both stay, and go with the next run."""

    def refuse(instance: Any, **kwargs: Any) -> None:
        if instance.product_number == "A1":
            raise RuntimeError("no")

    pim.product("A1")
    pim.variant("A1-1", "A1")
    publish()
    pim.archive("A1-1")
    page_unpublished.connect(refuse)
    try:
        report = publish()
    finally:
        page_unpublished.disconnect(refuse)
    assert report.state == State.FAILED_ITEMS
    assert report.counts == {Outcome.FAILED: 1}
    assert "RuntimeError: no" in items_by_number(report)["A1-1"].reason
    assert live() == {"A1", "A1-1"}
    assert publish().counts == {Outcome.REMOVED: 2}
    assert live() == set()


# Each of these, killed again and again


def _archive_one(pim: PimData) -> None:
    pim.archive("A1")


def _archive_a_family(pim: PimData) -> None:
    pim.archive("A1", "A1-1", "A1-2")


def _let_the_time_come(pim: PimData) -> None:
    pim.change("B1", deactivateOn="2020-01-01T00:00:00Z")


def _reactivate(pim: PimData) -> None:
    pim.reactivate("C1")


def _archive_a_variant(pim: PimData) -> None:
    pim.archive("A1-1")


def _archive_all_variants(pim: PimData) -> None:
    pim.archive("A1-1", "A1-2")


def _move_a_variant(pim: PimData) -> None:
    pim.move_variant("A1-1", "B1")


def _drop_categories(pim: PimData) -> None:
    pim.archive("B1")
    pim.drop_category("Touring")
    pim.drop_category("Helmets")


END_OF_LIFE = {
    _archive_one: {"B1"},
    _archive_a_family: {"B1"},
    _let_the_time_come: {"A1", "A1-1", "A1-2"},
    _reactivate: {"A1", "A1-1", "A1-2", "B1", "C1", "C1-1"},
    _archive_a_variant: {"A1", "A1-2", "B1"},
    _archive_all_variants: {"B1"},
    _move_a_variant: {"A1", "A1-1", "A1-2", "B1"},
    _drop_categories: {"A1", "A1-1", "A1-2"},
}


@pytest.mark.parametrize("method", ["insert", "record"], ids=["before", "after"])
@pytest.mark.parametrize("change", END_OF_LIFE, ids=lambda f: f.__name__.strip("_"))
def test_killed_around_each_commit_the_next_run_completes_it(
    pim, publish, monkeypatch, configure, method, change
):
    """Items are inserted before, and counted after the commit that they tell of."""
    configure(BATCH_SIZE=1)
    pim.product("A1")
    pim.variant("A1-1", "A1")
    pim.variant("A1-2", "A1")
    pim.product("B1", "Touring")
    pim.product("C1", "City")
    pim.variant("C1-1", "C1")
    publish()
    pim.archive("C1")
    publish()
    page = BicyclePage.objects.get(product_number="A1")
    page.campaign_text = "For the season"
    page.save()

    change(pim)
    kills = 0
    while _is_killed_at(kills + 1, method, publish, monkeypatch):
        kills += 1
        runs.recover(at_once=True)
    assert kills > 0
    assert publish().state == State.SUCCEEDED
    expected = END_OF_LIFE[change]
    assert live() == expected
    assert BicyclePage.objects.get(product_number="A1").campaign_text
    assert {pim.status(r["productNumber"]) for r in pim.store.find("products")} == {
        "Published"
    }
    if change is _drop_categories:
        assert not CategoryPage.objects.filter(title="Helmets").exists()
        assert not CategoryPage.objects.get(title="Touring").live
    assert not any(Page.find_problems())


def _is_killed_at(
    call: int, method: str, publish: Any, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Runs, and dies at this call of the journal's method if there is such."""
    original = getattr(Journal, method)
    calls = 0

    def die(journal: Journal, told: Any) -> None:
        nonlocal calls
        original(journal, told)
        calls += bool(told)
        if calls == call:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Journal, method, die)
        try:
            publish()
        except Killed:
            return True
    return False


# Categories


def test_a_category_goes_when_nothing_is_below_it(pim, publish):
    publish()
    pim.drop_category("Touring")
    publish()
    assert not CategoryPage.objects.filter(title="Touring").exists()


def test_a_category_with_pages_that_are_off_the_site_is_taken_off_too(pim, publish):
    pim.product("A1", "Touring")
    publish()
    pim.archive("A1")
    pim.drop_category("Touring")
    report = publish()
    touring = CategoryPage.objects.get(title="Touring")
    assert not touring.live
    assert items_by_number(report)["Touring"].outcome == Outcome.REMOVED
    # What editors wrote on the product is there still, and comes back with it.
    pim.reactivate("A1")
    pim.change("A1", category="City")
    publish()
    assert BicyclePage.objects.get().live
    publish()
    assert not CategoryPage.objects.filter(title="Touring").exists()


def test_a_page_of_the_editors_keeps_its_category(pim, publish):
    publish()
    touring = CategoryPage.objects.get(title="Touring")
    touring.add_child(instance=HomePage(title="Our tours", slug="tours"))
    pim.drop_category("Touring")
    report = publish()
    touring.refresh_from_db()
    assert touring.live
    assert "still below it" in items_by_number(report)["Touring"].note
    assert Page.objects.get(title="Our tours").live


def test_a_category_that_comes_back_is_the_same_page(pim, publish):
    pim.product("A1", "Touring")
    publish()
    pk = CategoryPage.objects.get(title="Touring").pk
    pim.archive("A1")
    pim.drop_category("Touring")
    publish()
    pim.category("Touring", "Bicycles", order=2)
    publish()
    touring = CategoryPage.objects.get(title="Touring")
    assert (touring.pk, touring.live) == (pk, True)


def test_what_stood_on_a_category_is_kept_when_it_goes(pim, publish):
    publish()
    touring = CategoryPage.objects.get(title="Touring")
    touring.search_description = "Ours"
    touring.save()
    pim.drop_category("Touring")
    report = publish()
    assert not CategoryPage.objects.filter(title="Touring").exists()
    content = items_by_number(report)["Touring"].content
    assert content["data"]["search_description"] == "Ours"


def test_a_site_that_begins_at_a_category_keeps_it(pim, publish):
    publish()
    touring = CategoryPage.objects.get(title="Touring")
    Site.objects.create(hostname="touring.example.com", root_page=touring.page_ptr)
    pim.drop_category("Touring")
    report = publish()
    assert report.state == State.SUCCEEDED
    assert Site.objects.filter(hostname="touring.example.com").exists()
    touring.refresh_from_db()
    assert touring.live


def test_an_alias_of_a_category_that_goes_stays_as_a_draft(pim, publish, site):
    publish()
    touring = CategoryPage.objects.get(title="Touring")
    alias = touring.create_alias(parent=site.root_page, update_slug="again")
    pim.drop_category("Touring")
    publish()
    alias = Page.objects.get(pk=alias.pk)
    assert (alias.live, alias.alias_of) == (False, None)


def test_a_category_that_something_protects_is_a_failed_item(pim, publish, site):
    publish()
    touring = CategoryPage.objects.get(title="Touring")
    site.root_page.add_child(
        instance=TrialProductPage(
            title="By hand", slug="by-hand", required_text="x", successor=touring
        )
    )
    pim.product("A1")
    pim.drop_category("Touring")
    report = publish()
    assert report.state == State.FAILED_ITEMS
    assert items_by_number(report)["Touring"].outcome == Outcome.FAILED
    assert CategoryPage.objects.filter(title="Touring").exists()
    # The others go on.
    assert pim.status("A1") == "Published"


def test_a_category_that_a_receiver_refuses_is_a_failed_item(pim, publish):
    def refuse(instance: Any, **kwargs: Any) -> None:
        if instance.title == "Touring":
            raise RuntimeError("no")

    publish()
    pim.drop_category("Touring")
    pim.drop_category("Helmets")
    pre_delete.connect(refuse, sender=CategoryPage)
    try:
        report = publish()
    finally:
        pre_delete.disconnect(refuse, sender=CategoryPage)
    assert report.state == State.FAILED_ITEMS
    assert "RuntimeError: no" in items_by_number(report)["Touring"].reason
    assert CategoryPage.objects.filter(title="Touring").exists()
    assert not CategoryPage.objects.filter(title="Helmets").exists()


def test_categories_of_a_tree_that_lost_its_website_keep_their_products(pim, publish):
    pim.taxonomy("Own tree")
    pim.category("Cargo", taxonomy="Own tree")
    pim.category("Tandems", taxonomy="Own tree")
    pim.product("A1", "Cargo")
    publish()
    pim.taxonomy("Own tree", [])
    publish()
    assert live() == {"A1"}
    assert CategoryPage.objects.get(title="Cargo").live
    assert not CategoryPage.objects.filter(title="Tandems").exists()


# Families


def test_a_family_of_which_one_fails_is_left_as_it_is(family, pim, publish):
    pim.change("A1", Summary="New", productTitle="New")
    pim.change("A1-1", Price="cheap")
    pim.change("A1-2", Price=7)
    pim.change("B1", Summary="New")
    report = publish()
    items = items_by_number(report)
    assert items["A1-1"].outcome == Outcome.FAILED
    for number in ("A1", "A1-2"):
        assert items[number].outcome == Outcome.UNCHANGED
        assert "It waits" in items[number].note
        assert pim.status(number) == "Approved"
    assert BicyclePage.objects.get(product_number="A1").summary == "Quick"
    assert BicyclePage.objects.get(product_number="B1").summary == "New"
    pim.change("A1-1", Price=8)
    report = publish()
    assert report.state == State.SUCCEEDED
    assert BicyclePage.objects.get(product_number="A1").summary == "New"


def test_a_family_appears_together_with_its_picture(pim, publish, monkeypatch):
    """Seen from outside at every commit: nothing of it, or all of it."""
    pim.asset("front")
    pim.product("A1")
    pim.attach("A1", "front", primary="front")
    for number in range(1, 4):
        pim.variant(f"A1-{number}", "A1")
    seen = []
    settle = Journal.settle

    def look(journal: Journal, records: int) -> None:
        seen.append(live())
        settle(journal, records)

    monkeypatch.setattr(Journal, "settle", look)
    publish()
    assert seen == [{"A1", "A1-1", "A1-2", "A1-3"}]
    assert ProductPage.objects.get().primary_image is not None
    assert PimLink.objects.filter(locale=Locale.get_default()).count() == 4 + 5


@pytest.mark.parametrize("name", ["currentVersionNumber", "deactivateOn"])
def test_a_family_of_which_one_can_not_be_read_waits_too(family, pim, publish, name):
    pim.change("A1", Summary="New")
    pim.change("A1-1", Price=7)
    variant = pim.store.find("products", productNumber="A1-1")[0]
    pim.store.patch("products", variant["id"], **{name: "seven"})
    report = publish()
    items = items_by_number(report)
    assert items["A1-1"].outcome == Outcome.FAILED
    assert "It waits" in items["A1"].note
    assert BicyclePage.objects.get(product_number="A1").summary == "Quick"


def test_a_family_whose_variants_have_categories_of_their_own_stays_whole(
    pim, publish, configure
):
    configure(BATCH_SIZE=1)
    pim.product("A1", "City")
    pim.variant("A1-1", "A1", category="City")
    pim.variant("A1-2", "A1", category="Touring")
    pim.variant("A1-3", "A1")
    pim.product("B1", "Touring")
    publish()
    assert live() == {"A1", "A1-1", "A1-2", "A1-3", "B1"}
    pim.approve("B1")
    pim.change("A1-1", Price=5)
    pim.change("A1-2", Price="cheap")
    pim.change("A1-3", Price=5)
    publish()
    assert [page.specific.price for page in VariantPage.objects.all()] == [None] * 3
