"""One product pulled from the PIM for the editor of its page; the PIM is only read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from wagtail.models import Page, Revision

from sandbox_site.pim.faults import Fault
from tests.conftest import site_rows
from tests.pim_data import guid
from wagtail_pim.jobs import JOBS, RefreshProduct, runs
from wagtail_pim.kinds import PICTURE
from wagtail_pim.models import CategoryPage, PimLink, ProductPage, VariantPage
from wagtail_pim.models.runs import Outcome, State


def page_of(number: str) -> Page:
    found = [
        *ProductPage.objects.filter(product_number=number),
        *VariantPage.objects.filter(product_number=number),
    ]
    (page,) = found
    return page.specific


def link_of(number: str) -> PimLink:
    return PimLink.objects.get(guid=guid("product", number))


def parent_title(number: str) -> str:
    return page_of(number).get_parent().title


@pytest.fixture
def refresh(publish, pim_server):
    """Refreshes the product of a number; fails if anything but GET reaches the PIM."""

    def run(number):
        pim_server.requests.clear()
        report = runs.refresh_product(link_of(number), None)
        assert [r for r in pim_server.requests if r.method != "GET"] == []
        return report

    return run


def acknowledgement(number: str) -> str:
    return f"products({guid('product', number)}"


def requests_for(pim_server, text: str) -> list[str]:
    return [r.target for r in pim_server.requests if text in r.target]


@pytest.fixture
def shop(pim, publish):
    """Two products and a variant, all of them published on the site and in the PIM."""
    pim.product("A1", "City", also_in=["Helmets"], Summary="Old")
    pim.variant("A1-1", "A1", EAN="1")
    pim.product("B1", "Touring", Summary="Old")
    assert publish().state == State.SUCCEEDED
    return pim


def test_what_was_published_elsewhere_is_pulled(shop, refresh, pim_server):
    shop.change("A1", Summary="New", productTitle="New title", status="Published")

    report = refresh("A1")

    page = page_of("A1")
    assert report.state == State.SUCCEEDED
    assert report.counts == {Outcome.UPDATED: 1}
    (item,) = report.items.all()
    assert set(item.differences) == {"summary", "title"}
    assert (page.summary, page.title, page.draft_title) == ("New",) + ("New title",) * 2
    link = link_of("A1")
    assert (link.version, link.status) == (2, "Published")
    assert link.run_id == report.pk
    assert shop.acknowledgement("A1") == ("Published", 1)


def test_no_other_product_is_asked_for_and_none_is_written(shop, refresh, pim_server):
    for number in ("A1", "A1-1", "B1"):
        shop.change(number, productTitle=f"New {number}", status="Published")
    refresh("A1")
    titles = {number: page_of(number).title for number in ("A1", "A1-1", "B1")}
    assert titles == {
        "A1": "New A1",
        "A1-1": "Title of A1-1",
        "B1": "Title of B1",
    }
    (asked,) = requests_for(pim_server, "products/GetInternal")
    assert guid("product", "A1") in asked
    assert requests_for(pim_server, "settings") == []
    assert requests_for(pim_server, "categorytrees") == []


def test_a_variant_is_refreshed_alone(shop, refresh):
    shop.change("A1", Summary="New", status="Published")
    shop.change("A1-1", EAN="2", status="Published")
    report = refresh("A1-1")
    assert report.counts == {Outcome.UPDATED: 1}
    assert (page_of("A1-1").ean, page_of("A1").summary) == ("2", "Old")
    assert parent_title("A1-1") == "Title of A1"


def test_nothing_is_written_where_nothing_changed(shop, refresh):
    before = site_rows()
    report = refresh("A1")
    assert report.state == State.SUCCEEDED
    assert report.counts == {Outcome.UNCHANGED: 1}
    assert not report.items.exists()
    assert site_rows() == before


def test_a_deleted_product_is_a_failure_and_its_page_stays(shop, refresh):
    shop.store.delete("products", guid("product", "A1"))
    before = site_rows()
    report = refresh("A1")
    (item,) = report.items.all()
    assert (item.number, item.outcome) == ("A1", Outcome.FAILED)
    assert "deleted" in item.reason
    assert site_rows() == before


def test_a_product_that_can_not_be_read_or_mapped_is_a_failure(shop, refresh):
    before = site_rows()
    shop.store.patch("products", guid("product", "A1"), currentVersionNumber=-1)
    assert "currentVersionNumber" in refresh("A1").items.all()[0].reason
    shop.change("B1", status="Published", Gears="many")
    assert "Gears" in refresh("B1").items.all()[0].reason
    assert site_rows() == before


def test_a_later_deactivation_is_taken_over(shop, refresh):
    off = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    shop.change("A1", status="Published", deactivateOn=off.isoformat())
    refresh("A1")
    assert page_of("A1").expire_at == off


def test_another_environment_does_not_matter(shop, refresh, pim_server):
    pim_server.environment = "Production"
    shop.change("A1", Summary="New", status="Published")
    assert refresh("A1").counts == {Outcome.UPDATED: 1}


def test_a_read_only_key_is_enough(shop, refresh, configure, pim_server):
    key = pim_server.store.credentials().read_only
    configure(APP_KEY=key.app_key, SECRET_KEY=key.secret_key)
    shop.change("A1", Summary="New", status="Published")
    assert refresh("A1").counts == {Outcome.UPDATED: 1}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"API_ADDRESS": "http://127.0.0.1:9/"}, "unreachable"),
        ({"SECRET_KEY": "d3Jvbmc="}, "authentication"),
    ],
)
def test_a_pim_that_can_not_be_asked_ends_it(shop, refresh, configure, options, code):
    configure(**options)
    before = site_rows()
    report = refresh("A1")
    assert report.state == State.FAILED
    assert report.error_code == code
    assert site_rows() == before


def test_a_page_goes_where_the_product_went(shop, refresh):
    shop.change("A1", category="Touring", status="Published")
    report = refresh("A1")
    assert set(report.items.all()[0].differences) == {"parent", "categories"}
    assert parent_title("A1") == "Touring"
    assert list(page_of("A1").listed_in()) == []
    assert page_of("A1-1").get_parent().get_parent().title == "Touring"


def test_a_page_stays_where_it_is_while_only_the_pim_knows_the_primary_category(
    shop, refresh, publish
):
    """Even where another of its categories is a better place by rank."""
    shop.product("C1", "Helmets", also_in=["City"])
    publish()
    shop.category("Cargo", "Bicycles")
    shop.change("C1", category="Cargo", Summary="New", status="Published")
    shop.list_in("C1", "Cargo", "City", "Helmets")
    assert refresh("C1").counts == {Outcome.UPDATED: 1}
    assert (parent_title("C1"), page_of("C1").summary) == ("Helmets", "New")


def test_a_page_is_not_moved_on_a_guess(shop, refresh):
    shop.category("Cargo", "Bicycles")
    shop.change("A1", category="Cargo", status="Published")
    shop.list_in("A1", "Cargo", "Helmets")
    before = site_rows()
    report = refresh("A1")
    (item,) = report.items.all()
    assert item.outcome == Outcome.FAILED
    assert "primary category is not on the site" in item.reason
    assert site_rows() == before


def test_a_product_without_primary_category_goes_where_a_whole_run_puts_it(
    shop, refresh, publish
):
    """Into the deepest of its categories."""
    shop.category("Racing", "City")
    shop.product("C1", None, also_in=["Bicycles", "Racing", "Touring"])
    publish()
    assert parent_title("C1") == "Racing"
    shop.list_in("C1", "Bicycles", "Touring")
    shop.change("C1", status="Published")
    refresh("C1")
    assert parent_title("C1") == "Touring"
    shop.approve("C1")
    assert not publish().items.exists()


def test_a_variant_that_moved_follows_and_its_product_goes_without_it(shop, refresh):
    shop.move_variant("A1-1", "B1")
    shop.store.patch("products", guid("product", "A1-1"), status="Published")
    refresh("A1-1")
    assert parent_title("A1-1") == "Title of B1"
    assert [page_of(number).live for number in ("A1", "A1-1", "B1")] == [
        False,
        True,
        True,
    ]


def test_a_product_that_is_back_brings_its_variants(shop, refresh, publish):
    shop.archive("A1")
    publish()
    assert not page_of("A1-1").live
    shop.reactivate("A1")
    shop.store.patch("products", guid("product", "A1"), status="Published")
    refresh("A1")
    assert page_of("A1").live
    assert page_of("A1-1").live


def test_an_unpublished_page_is_published_again(shop, refresh, publish):
    shop.change("A1", isArchived=True)
    publish()
    assert not page_of("A1").live
    shop.change("A1", isArchived=False, status="Published")
    # Its variant, which went with it, comes back too.
    assert refresh("A1").counts == {Outcome.UPDATED: 2}
    assert page_of("A1").live
    assert page_of("A1-1").live


def test_an_editors_draft_is_kept(shop, refresh):
    page = page_of("A1")
    page.search_description = "The editor's draft"
    page.save_revision()
    shop.change("A1", Summary="New", status="Published")
    refresh("A1")
    page = page_of("A1")
    draft = page.get_latest_revision_as_object()
    assert draft.search_description == "The editor's draft"
    assert draft.summary == page.summary == "New"
    assert page.search_description == ""
    assert Revision.objects.count() == 1


def test_a_picture_that_fails_leaves_the_present_one_and_is_told(shop, refresh):
    picture = guid("asset", "missing")
    shop.change("A1", Summary="New", status="Published", primaryImageAssetId=picture)
    report = refresh("A1")
    failed, item = report.items.all()
    assert (failed.kind, failed.reason) == (
        PICTURE,
        "The PIM does not have this asset.",
    )
    assert "keeps what it has" in item.note
    assert page_of("A1").summary == "New"
    # It is compared again next time, though nothing changes.
    assert refresh("A1").counts[Outcome.UNCHANGED] == 1


def test_it_is_no_job_of_the_command(shop):
    assert RefreshProduct.name not in JOBS


# The status that the site knows


def test_a_published_product_is_known_as_such(shop):
    assert set(
        PimLink.objects.exclude(version=None).values_list("status", flat=True)
    ) == {"Published"}
    categories = PimLink.objects.filter(page__in=CategoryPage.objects.all())
    assert set(categories.values_list("status", flat=True)) == {""}


def test_a_product_that_could_not_be_acknowledged_is_known_as_approved(
    shop, publish, pim_server
):
    shop.change("A1", Summary="New")
    shop.change("B1", Summary="New")
    pim_server.faults.add(Fault(acknowledgement("A1"), "PATCH", times=None))
    publish()
    assert (link_of("A1").status, link_of("B1").status) == ("Approved", "Published")
    pim_server.faults.clear()
    written = link_of("A1")
    publish()
    link = link_of("A1")
    assert link.status == "Published"
    assert (link.run_id, link.synced_at) == (written.run_id, written.synced_at)


def test_a_connection_lost_while_acknowledging_leaves_what_is_known(
    shop, publish, pim_server
):
    shop.change("A1", Summary="New")
    shop.change("B1", Summary="New")
    pim_server.faults.add(
        Fault(acknowledgement("B1"), "PATCH", times=None, kind="drop")
    )
    assert publish().error_code == "unreachable"
    known = {n: link_of(n).status for n in ("A1", "B1")}
    assert known == {n: shop.status(n) for n in ("A1", "B1")}
    assert known["B1"] == "Approved"


def test_statuses_cost_one_query_a_batch_to_read_and_one_to_write(
    shop, publish, queries
):
    for count in (2, 5):
        for number in range(count):
            shop.product(f"N{count}{number}")
        with queries() as captured:
            publish()
        statements = [
            *(
                sql
                for sql in captured.reads()
                if '"guid", "wagtail_pim_pimlink"."sta' in sql
            ),
            *(
                sql
                for sql in captured.writes()
                if sql.startswith('UPDATE "wagtail_pim_pimlink" SET "status"')
            ),
        ]
        assert len(statements) == 2, statements


def test_a_dry_run_knows_no_status_better(shop, publish):
    PimLink.objects.update(status="")
    shop.approve()
    publish(dry_run=True)
    assert set(PimLink.objects.values_list("status", flat=True)) == {""}


def test_a_second_run_writes_nothing(shop, publish, queries):
    shop.approve()
    with queries() as captured:
        assert publish().acknowledged == 3
    assert captured.writes_to_site() == []
