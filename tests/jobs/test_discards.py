"""Pages that people made by hand in the catalog, and what Publish makes of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from wagtail.models import (
    GroupApprovalTask,
    Locale,
    Page,
    PageLogEntry,
    Site,
    Workflow,
    WorkflowTask,
)
from wagtail.signals import page_unpublished

from sandbox_site.shop.models import (
    BicyclePage,
    BicycleVariantPage,
    GiftCardPage,
    HomePage,
)
from tests.conftest import items_by_number, site_rows
from tests.trial.models import TrialProductPage
from wagtail_pim.catalog.discards import handmade_pages
from wagtail_pim.catalog.restoring import restore
from wagtail_pim.jobs.journal import Journal
from wagtail_pim.models import CatalogPage, CategoryPage, JobRun, JobRunItem
from wagtail_pim.models.runs import Outcome, State
from wagtail_pim.signals import product_published

KINDS = ("delete", "unpublish", "keep")


class Killed(BaseException):
    """Ends a run as a signal to its process does."""


@pytest.fixture
def catalog(pim: Any, publish: Any) -> CatalogPage:
    """A catalog of the PIM with the product A1 and its variant."""
    pim.product("A1")
    pim.variant("A1-1", "A1")
    publish()
    return CatalogPage.objects.get()


def category(title: str) -> CategoryPage:
    return CategoryPage.objects.get(title=title)


def by_hand(parent: Page, number: str = "H1", model: Any = BicyclePage, **values: Any):
    """A page as an editor makes it, live unless said otherwise."""
    page = model(title=f"Made {number}", slug=number.lower(), **values)
    if hasattr(page, "product_number"):
        page.product_number = number
    Page.objects.get(pk=parent.pk).add_child(instance=page)
    return model.objects.get(pk=page.pk)


def exists(page: Page) -> bool:
    return Page.objects.filter(pk=page.pk).exists()


def discarded(run: JobRun) -> dict[str, str]:
    """The outcomes of the pages that the run tells were made by hand, by number."""
    told = run.items.filter(note__contains="made by hand")
    return dict(told.values_list("number", "outcome"))


# Which pages


def test_pages_of_synced_types_in_the_catalog_are_discards_drafts_too(catalog):
    handmade = by_hand(catalog, "Sale", CategoryPage)
    product = by_hand(handmade, "H1")
    variant = by_hand(product, "H1-1", BicycleVariantPage, live=False)
    beside = by_hand(category("City"), "H2", live=False)
    found = {page.page_id: page for page in handmade_pages()}
    assert found.keys() == {handmade.pk, product.pk, variant.pk, beside.pk}
    assert [found[p.pk].kind for p in (handmade, product, variant)] == [
        "category",
        "product",
        "variant",
    ]
    assert (found[product.pk].number, found[product.pk].title) == ("H1", "Made H1")
    assert found[handmade.pk].number == "Made Sale"
    assert {found[p.pk].is_out for p in (variant, beside)} == {False}
    depths = [Page.objects.get(pk=pk).depth for pk in found]
    assert depths == sorted(depths, reverse=True)


def test_other_pages_are_none(catalog, site):
    by_hand(site.root_page, "Outside")
    by_hand(site.root_page, "Own", CatalogPage)
    inner = by_hand(catalog, "Inner", CatalogPage)
    by_hand(by_hand(inner, "Below", CategoryPage), "Below1")
    by_hand(catalog, "Gift", GiftCardPage)
    by_hand(catalog, "Story", HomePage)
    BicyclePage.objects.get(product_number="A1").create_alias(parent=category("City"))
    by_hand(category("City"), "H1").create_alias(
        parent=category("Touring"), update_slug="h1-again"
    )
    assert [page.number for page in handmade_pages()] == ["H1"]


def test_a_catalog_that_is_not_the_pims_has_none(catalog):
    by_hand(catalog)
    catalog.pim_link.kind = "category"
    catalog.pim_link.save()
    assert handmade_pages() == []


def test_catalogs_in_other_languages_have_them_too(catalog, site):
    german = Locale.objects.create(language_code="de")
    site.root_page.copy_for_translation(german)
    translated = catalog.copy_for_translation(german)
    by_hand(translated)
    assert handmade_pages() == []
    link = catalog.pim_link
    link.pk, link.page, link.locale = None, translated.page_ptr, german
    link.save()
    assert [page.number for page in handmade_pages()] == ["H1"]


def test_many_cost_no_more_queries_than_few(catalog, queries):
    by_hand(by_hand(category("City"), "Sale", CategoryPage), "H0")
    handmade_pages()
    counts = []
    for rounds in range(2):
        for number in range(10 * rounds):
            by_hand(category("City"), f"H{number + 1}")
        with queries() as captured:
            handmade_pages()
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 12


# How they are discarded


def test_they_are_deleted_with_their_content_kept(catalog, publish):
    product = by_hand(category("City"), "H1", campaign_text="Ours")
    run = publish()
    assert not exists(product)
    item = items_by_number(run)["H1"]
    assert (item.kind, item.outcome, item.title) == ("product", "removed", "Made H1")
    assert (item.page_id, item.reason, item.guid) == (None, "", None)
    assert "it is deleted" in item.note
    assert "restored" in item.note
    assert item.content["data"]["campaign_text"] == "Ours"
    assert run.state == State.SUCCEEDED
    assert run.counts[Outcome.REMOVED] == 1
    entry = PageLogEntry.objects.get(page_id=product.pk, action="wagtail.delete")
    assert entry.deleted
    assert Page.find_problems() == ([], [], [], [], [])
    assert discarded(publish()) == {}


def test_a_branch_goes_from_the_bottom_up_each_page_an_item(catalog, publish):
    sale = by_hand(catalog, "Sale", CategoryPage)
    product = by_hand(sale, "H1")
    by_hand(product, "H1-1", BicycleVariantPage, live=False)
    run = publish()
    told = run.items.filter(outcome=Outcome.REMOVED).order_by("pk")
    assert [item.number for item in told] == ["H1-1", "H1", "Made Sale"]
    assert not exists(sale)
    assert run.category_counts[Outcome.REMOVED] == 1
    assert BicyclePage.objects.get().product_number == "A1"


def test_unpublished_they_stay_as_drafts(catalog, publish, configure):
    configure(DISCARDS="unpublish")
    product = by_hand(category("City"), campaign_text="Ours")
    run = publish()
    product.refresh_from_db()
    assert (product.live, product.campaign_text) == (False, "Ours")
    item = items_by_number(run)["H1"]
    assert (item.outcome, item.page_id, item.content) == ("removed", product.pk, None)
    assert "unpublished" in item.note
    assert PageLogEntry.objects.filter(page=product, action="wagtail.unpublish")
    # A draft is no more to be told of.
    assert discarded(publish()) == {}


@pytest.mark.parametrize("live", [True, False])
def test_unpublished_they_are_not_published_by_a_schedule(
    catalog, publish, configure, live
):
    configure(DISCARDS="unpublish")
    product = by_hand(category("City"), live=live)
    product.go_live_at = timezone.now() + timedelta(days=1)
    revision = product.save_revision(approved_go_live_at=product.go_live_at)
    assert discarded(publish()) == {"H1": "removed"}
    revision.refresh_from_db()
    assert revision.approved_go_live_at is None
    call_command("publish_scheduled")
    product.refresh_from_db()
    assert not product.live


def test_kept_they_are_told_of_and_nothing_changes(catalog, publish, configure):
    configure(DISCARDS="keep")
    by_hand(category("City"))
    by_hand(category("City"), "H2", live=False)
    before = site_rows()
    run = publish()
    assert site_rows() == before
    assert discarded(run) == {"H1": "unchanged", "H2": "unchanged"}
    assert run.state == State.SUCCEEDED
    assert "WAGTAIL_PIM['DISCARDS']" in items_by_number(run)["H1"].note


@pytest.mark.parametrize("policy", KINDS)
def test_a_dry_run_lists_them_and_writes_nothing(catalog, publish, configure, policy):
    configure(DISCARDS=policy)
    product = by_hand(category("City"))
    before = site_rows()
    run = publish(dry_run=True)
    assert site_rows() == before
    outcome = "unchanged" if policy == "keep" else "removed"
    assert discarded(run) == {"H1": outcome}
    item = items_by_number(run)["H1"]
    assert (item.page_id, item.content) == (product.pk, None)


def test_a_run_of_single_products_discards_nothing(catalog, pim, publish):
    product = by_hand(category("City"))
    pim.change("A1")
    assert discarded(publish("A1")) == {}
    assert exists(product)


@pytest.mark.parametrize("model", [HomePage, GiftCardPage, CatalogPage])
def test_pages_of_the_editors_own_below_keep_it_from_being_deleted(
    catalog, publish, model
):
    sale = by_hand(catalog, "Sale", CategoryPage)
    own = by_hand(sale, "Own", model)
    product = by_hand(sale, "H1")
    assert discarded(publish()) == {"Made Sale": "removed", "H1": "removed"}
    sale.refresh_from_db()
    own.refresh_from_db()
    assert (sale.live, own.live, exists(product)) == (False, True, False)
    run = publish()
    assert discarded(run) == {"Made Sale": "unchanged"}
    assert "1 page stands below it" in items_by_number(run)["Made Sale"].note


def test_an_alias_below_keeps_it_from_being_deleted(catalog, publish, site):
    sale = by_hand(catalog, "Sale", CategoryPage)
    alias = site.root_page.create_alias(parent=sale, update_slug="home-again")
    run = publish()
    assert exists(alias)
    assert "not deleted" in items_by_number(run)["Made Sale"].note


def test_a_page_of_the_pims_below_keeps_it_from_being_deleted(catalog, pim, publish):
    sale = by_hand(catalog, "Sale", CategoryPage)
    product = BicyclePage.objects.get()
    product.move(sale, pos="last-child")
    run = publish()
    assert exists(product)
    assert "not deleted" in items_by_number(run)["Made Sale"].note
    # Once the product is where the PIM has it, the next run finds nothing below.
    pim.change("A1")
    publish()
    assert BicyclePage.objects.get().get_parent().title == "City"
    publish()
    assert not exists(sale)


def test_pages_that_somebody_edits_are_discarded_all_the_same(
    catalog, publish, admin_user
):
    product = by_hand(category("City"))
    product.locked, product.locked_by = True, admin_user
    product.save()
    product.save_revision(user=admin_user)
    assert discarded(publish()) == {"H1": "removed"}
    assert not exists(product)


def test_one_in_a_workflow_is_discarded_and_comes_back(catalog, publish, admin_user):
    product = by_hand(category("City"), live=False)
    product.save_revision(user=admin_user)
    workflow = Workflow.objects.create(name="Approval")
    task = GroupApprovalTask.objects.create(name="Approve")
    WorkflowTask.objects.create(workflow=workflow, task=task, sort_order=0)
    workflow.start(product, admin_user)
    run = publish()
    assert discarded(run) == {"H1": "removed"}
    restored, gone = restore(items_by_number(run)["H1"])
    assert (restored.live, restored.current_workflow_state, gone) == (False, None, [])


def test_a_site_that_begins_at_one_keeps_it(catalog, publish):
    sale = by_hand(catalog, "Sale", CategoryPage)
    Site.objects.create(hostname="sale.example.com", root_page=sale.page_ptr)
    run = publish()
    assert run.state == State.SUCCEEDED
    assert Site.objects.filter(hostname="sale.example.com").exists()
    sale.refresh_from_db()
    assert sale.live


def test_one_that_another_page_protects_is_a_failed_item(catalog, publish, site):
    product = by_hand(category("City"))
    site.root_page.add_child(
        instance=TrialProductPage(
            title="Old", slug="old", required_text="x", successor=product.page_ptr
        )
    )
    run = publish()
    assert run.state == State.FAILED_ITEMS
    item = items_by_number(run)["H1"]
    assert item.outcome == Outcome.FAILED
    assert "ProtectedError" in item.reason
    assert exists(product)


def test_a_receiver_that_refuses_one_fails_that_alone(catalog, publish, configure):
    configure(DISCARDS="unpublish")
    for number in ("H1", "H2"):
        by_hand(category("City"), number)

    def refuse(instance: Any, **kwargs: Any) -> None:
        if instance.product_number == "H1":
            raise RuntimeError("no")

    page_unpublished.connect(refuse)
    try:
        run = publish()
    finally:
        page_unpublished.disconnect(refuse)
    assert run.counts == {Outcome.REMOVED: 1, Outcome.FAILED: 1}
    assert "RuntimeError: no" in items_by_number(run)["H1"].reason
    live = BicyclePage.objects.live().values_list("product_number", flat=True)
    assert set(live) == {"A1", "H1"}
    assert discarded(publish()) == {"H1": "removed"}


def test_one_whose_category_moves_in_the_same_run_goes_with_it(catalog, pim, publish):
    product = by_hand(category("City"))
    pim.change_category("City", parent="Helmets")
    assert discarded(publish()) == {"H1": "removed"}
    assert not exists(product)


@pytest.fixture
def meanwhile(pim: Any, publish: Any) -> Callable[[Callable[[], Any]], JobRun]:
    """A run in which something happens after its discards were planned."""

    def run(happens: Callable[[], Any]) -> JobRun:
        def receiver(**kwargs: Any) -> None:
            happens()

        pim.change("A1", Summary="Newer")
        product_published.connect(receiver)
        try:
            return publish()
        finally:
            product_published.disconnect(receiver)

    return run


@pytest.mark.parametrize("how", ["moved", "deleted", "linked"])
def test_one_that_is_none_any_more_is_left(catalog, meanwhile, site, how):
    product = by_hand(category("City"))

    def happens() -> None:
        if how == "moved":
            product.move(Page.objects.get(pk=site.root_page.pk), pos="last-child")
        elif how == "deleted":
            product.delete()
        else:
            link = BicyclePage.objects.get(product_number="A1").pim_link
            link.pk, link.page, link.guid = None, product.page_ptr, uuid.uuid4()
            link.save()

    run = meanwhile(happens)
    assert discarded(run) == {}
    assert exists(product) == (how != "deleted")


def test_what_an_editor_puts_below_at_the_last_moment_stays(catalog, meanwhile):
    sale = by_hand(catalog, "Sale", CategoryPage)
    run = meanwhile(lambda: by_hand(sale, "Story", HomePage))
    assert "not deleted" in items_by_number(run)["Made Sale"].note
    assert HomePage.objects.filter(slug="story", live=True).exists()


# The question before many


def test_many_are_asked_for_and_nothing_is_removed(catalog, publish, configure):
    for number in range(11):
        by_hand(category("City"), f"H{number}")
    dry_run = publish(dry_run=True)
    assert dry_run.state == State.SUCCEEDED
    assert dry_run.counts[Outcome.REMOVED] == 11
    assert any("would be removed" in warning for warning in dry_run.warnings)

    run = publish()
    assert (run.state, run.error_code) == (State.FAILED, "removals_to_confirm")
    assert "11 of " in run.error
    assert BicyclePage.objects.count() == 12

    run = publish(options={"confirm_removals": True})
    assert run.state == State.SUCCEEDED
    assert run.counts[Outcome.REMOVED] == 11
    assert BicyclePage.objects.count() == 1


# Interrupted


@pytest.fixture
def killed_at(publish: Any) -> Callable[[str], JobRun]:
    """A run that is killed before or after the commit of its first discard."""

    def run(moment: str) -> JobRun:
        name = {"before": "insert", "after": "record"}[moment]
        original = getattr(Journal, name)

        def die(journal: Journal, items: Any) -> None:
            if moment == "before":
                original(journal, items)
            if any(item.outcome == Outcome.REMOVED for item in items):
                raise Killed
            if moment == "after":
                original(journal, items)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Journal, name, die)
            with pytest.raises(Killed):
                publish()
        return JobRun.objects.first()

    return run


@pytest.mark.parametrize("policy", ["delete", "unpublish"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interrupted_run_loses_no_page(
    catalog, publish, configure, killed_at, policy, moment
):
    configure(DISCARDS=policy)
    pages = [by_hand(category("City"), number) for number in ("H1", "H2")]
    first = killed_at(moment)
    assert first.state == State.INTERRUPTED
    done = 1 if moment == "after" else 0
    assert first.items.filter(outcome=Outcome.REMOVED).count() == done
    assert first.counts[Outcome.REMOVED] == done
    run = publish()
    assert run.resumes == first
    assert run.counts[Outcome.REMOVED] == 2 - done
    if policy == "unpublish":
        assert not BicyclePage.objects.live().filter(pk__in=[p.pk for p in pages])
        return
    assert not any(map(exists, pages))
    for item in JobRunItem.objects.filter(outcome=Outcome.REMOVED):
        restore(item)
    numbers = BicyclePage.objects.values_list("product_number", flat=True)
    assert set(numbers) == {"A1", "H1", "H2"}
