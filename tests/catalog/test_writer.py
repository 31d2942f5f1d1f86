"""What the writer leaves, held against what a normal create and publish leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, OperationalError, connection
from wagtail.models import Page, PageLogEntry, ReferenceIndex, Revision
from wagtail.search.backends import get_search_backend
from wagtail.signals import page_published

from sandbox_site.shop.models import (
    BicyclePage,
    BicycleVariantPage,
    Brand,
    HelmetPage,
    RidingStyle,
)
from tests.conftest import items_by_number
from tests.pim_data import PimData, guid
from wagtail_pim.catalog import bulk, writer
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.languages import SiteLanguage
from wagtail_pim.catalog.mapping import PageContent
from wagtail_pim.catalog.planner import PageChange, Places
from wagtail_pim.catalog.schema import PageType
from wagtail_pim.catalog.writer import Writer
from wagtail_pim.client.entities import Product
from wagtail_pim.kinds import Kind
from wagtail_pim.models import CategoryPage, PimLink, ProductPage
from wagtail_pim.models.runs import Outcome

# What one page never shares with another, and the revision that a sync does not make.
INCOMPARABLE = {
    "id",
    "path",
    "url_path",
    "translation_key",
    "first_published_at",
    "last_published_at",
    "latest_revision_id",
    "latest_revision_created_at",
    "live_revision_id",
}
VALUES = {
    "productTitle": "Diamond",
    "urlSegment": "diamond",
    "deactivateOn": "2030-01-01T00:00:00Z",
    "Summary": "Quick",
    "Description": "<p>See <b>it</b></p>",
    "Price": 12.5,
    "Brand": "Karu",
    "RidingStyles": "Gravel~Touring",
    "FrameMaterial": "Steel",
    "Gears": 11,
    "Weight": 9.5,
    "Electric": True,
    "AvailableFrom": "2026-03-01",
    "Equipment": "Kickstand",
}


def make_normally(parent: Page) -> BicyclePage:
    """The page of VALUES, as Wagtail's admin makes it."""
    page = BicyclePage(
        title="Diamond",
        slug="diamond",
        product_number="A1",
        expire_at=datetime(2030, 1, 1, tzinfo=UTC),
        summary="Quick",
        description="<p>See <b>it</b></p>",
        price=Decimal("12.50"),
        brand=Brand.objects.get(name="Karu"),
        frame_material="Steel",
        gears=11,
        weight=9.5,
        electric=True,
        available_from=date(2026, 3, 1),
        equipment=["Kickstand"],
    )
    page.riding_styles = list(RidingStyle.objects.all())
    parent.add_child(instance=page)
    page.save_revision().publish()
    return page


def state(page: Page) -> dict[str, Any]:
    """All that the database holds of a page that can be held against another's."""
    page = page.specific_class.objects.get(pk=page.pk)
    fields = page._meta.concrete_fields
    columns = {field.attname: getattr(page, field.attname) for field in fields}
    assert columns["first_published_at"]
    assert columns["last_published_at"]
    pointers = {f.attname for f in fields if f.name.endswith("_ptr")}
    log = PageLogEntry.objects.filter(page=page.pk)
    return {
        "columns": {
            name: value
            for name, value in columns.items()
            if name not in INCOMPARABLE | pointers
        },
        "many": sorted(
            BicyclePage.riding_styles.through.objects.filter(
                bicyclepage=page.pk
            ).values_list("ridingstyle__name", flat=True)
        ),
        "url_path": page.url_path == f"{page.get_parent().url_path}{page.slug}/",
        "log": sorted(
            log.values_list(
                "action", "label", "content_type", "content_changed", "user", "deleted"
            )
        ),
        "search": sorted(_search_entries(page)),
        "references": sorted(
            ReferenceIndex.objects.filter(object_id=str(page.pk)).values_list(
                "content_type",
                "base_content_type",
                "to_content_type",
                "to_object_id",
                "model_path",
                "content_path",
                "content_path_hash",
            )
        ),
    }


def _search_entries(page: Page) -> Any:
    entries = get_search_backend().get_index_for_model(type(page)).entries
    ours = entries.filter(object_id=str(page.pk))
    return ours.values_list("content_type", "title", "body", "autocomplete")


def test_a_created_page_equals_one_made_normally_but_for_the_revision(pim, publish):
    pim.product("A1", "City", **VALUES)
    publish()
    ours = BicyclePage.objects.get()
    theirs = make_normally(CategoryPage.objects.get(title="Touring"))
    assert state(ours) == state(theirs)
    assert ours.latest_revision is None
    assert Revision.objects.count() == 1
    city, touring = (
        CategoryPage.objects.get(title=title) for title in ("City", "Touring")
    )
    assert city.numchild == touring.numchild == 1
    assert not any(Page.find_problems())


def test_an_updated_page_equals_one_edited_normally_but_for_the_revision(
    pim, publish, configure
):
    configure(DISCARDS="keep")
    pim.product("A1", "City", **VALUES)
    publish()
    theirs = make_normally(CategoryPage.objects.get(title="Touring"))
    new = {
        "productTitle": "Emerald",
        "urlSegment": "emerald",
        "deactivateOn": None,
        "Summary": "Quicker",
        "Description": "<p>New</p>",
        "Price": 13,
        "Brand": None,
        "RidingStyles": "Gravel",
        "Gears": None,
        "Equipment": None,
    }
    pim.change("A1", **new)
    publish()
    theirs.title, theirs.slug, theirs.expire_at = "Emerald", "emerald", None
    theirs.summary, theirs.description = "Quicker", "<p>New</p>"
    theirs.price, theirs.brand, theirs.gears = Decimal(13), None, None
    theirs.equipment = []
    theirs.riding_styles = RidingStyle.objects.filter(name="Gravel")
    theirs.save_revision().publish()
    ours = BicyclePage.objects.exclude(pk=theirs.pk).get()
    assert state(ours) == state(theirs)
    assert not any(Page.find_problems())


def test_first_published_at_stays_and_last_published_at_moves(pim, publish):
    pim.product("A1", Summary="Old")
    publish()
    created = BicyclePage.objects.get()
    pim.change("A1", Summary="New")
    publish()
    updated = BicyclePage.objects.get()
    assert updated.first_published_at == created.first_published_at
    assert updated.last_published_at > created.last_published_at


def test_tags_are_those_that_an_editor_would_have_set(pim, publish):
    pim.product("H1", "Helmets", template="Helmet", Labels="light~with light")
    publish()
    ours = HelmetPage.objects.get()
    theirs = HelmetPage(title="Theirs", slug="theirs")
    theirs.labels.add("light", "with light")
    ours.get_parent().add_child(instance=theirs)
    assert set(ours.labels.all()) == set(theirs.labels.all())
    assert set(ours.labels.slugs()) == {"light", "with-light"}
    ours.save_revision().publish()
    assert ours.tagged_items.count() == 2


def test_page_published_is_sent_once_a_page_after_the_commit(
    pim, publish, django_capture_on_commit_callbacks
):
    sent: list[tuple[type, str, Any]] = []

    def listen(sender: type, instance: Page, **kwargs: Any) -> None:
        sent.append((sender, instance.product_number, kwargs["revision"]))

    def fail(**kwargs: Any) -> None:
        raise RuntimeError("a receiver of the site's that fails")

    pim.product("A1")
    pim.variant("A1-1", "A1")
    for model in (BicyclePage, BicycleVariantPage):
        page_published.connect(listen, sender=model)
        page_published.connect(fail, sender=model)
    try:
        with django_capture_on_commit_callbacks(execute=True) as callbacks:
            publish()
            assert sent == []
        assert len(callbacks) == 1
        assert sent == [(BicyclePage, "A1", None), (BicycleVariantPage, "A1-1", None)]
        sent.clear()
        pim.change("A1", Summary="New")
        pim.approve("A1-1")
        with django_capture_on_commit_callbacks(execute=True):
            publish()
        assert sent == [(BicyclePage, "A1", None)]
    finally:
        for model in (BicyclePage, BicycleVariantPage):
            page_published.disconnect(listen, sender=model)
            page_published.disconnect(fail, sender=model)


def test_archiving_writes_what_an_editor_unpublishing_writes(pim, publish):
    pim.product("A1")
    pim.product("A2")
    publish()
    pim.change("A1", isArchived=True)
    publish()
    archived, other = BicyclePage.objects.order_by("product_number")
    other.unpublish()
    for page in (archived, other):
        page.refresh_from_db()
    names = ("live", "expired", "has_unpublished_changes")
    assert [getattr(archived, n) for n in names] == [getattr(other, n) for n in names]
    actions = [
        list(PageLogEntry.objects.filter(page=page.pk).values_list("action", flat=True))
        for page in (archived, other)
    ]
    assert sorted(actions[0]) == sorted(actions[1])


def test_a_draft_saved_between_plan_and_writing_survives(pim, publish, monkeypatch):
    pim.product("A1")
    pim.product("A2")
    publish()
    a1, a2 = BicyclePage.objects.order_by("product_number")
    a1.unpublish()
    pim.approve("A1")
    pim.change("A2", Summary="New")
    commit = writer.Writer._commit

    def commit_late(*args: Any) -> Any:
        a2.campaign_text = "Not yet finished"
        a2.save_revision()
        return commit(*args)

    monkeypatch.setattr(writer.Writer, "_commit", commit_late)
    publish()
    a1.refresh_from_db()
    a2.refresh_from_db()
    assert a1.live
    assert a2.summary == "New"
    assert a2.has_unpublished_changes
    assert a2.get_latest_revision_as_object().campaign_text == "Not yet finished"


# Failures


@pytest.fixture
def write(site: Any, pim: PimData, publish: Any) -> Callable[..., Any]:
    """Writes new products with these numbers; variants are called NUMBER-…"""
    publish()
    product_type = PageType(BicyclePage, (), None, ())
    variant_type = PageType(BicycleVariantPage, (), None, ())
    language = SiteLanguage.default()

    def change(number: str) -> PageChange:
        parent, _dash, variant = number.partition("-")
        product = Product.parse(
            {
                "id": guid("product", number),
                "productNumber": number,
                "currentVersionNumber": 1,
                "parentProductId": guid("product", parent) if variant else None,
            }
        )
        content = PageContent(
            product=product,
            language=language,
            kind=Kind.VARIANT if variant else Kind.PRODUCT,
            page_type=variant_type if variant else product_type,
            title=number,
            slug=number.lower(),
            slug_is_given=True,
            parent=UUID(
                guid("product", parent) if variant else guid("category", "City")
            ),
            categories=frozenset(),
            assets=(),
            related=(),
            values={"product_number": number, "primary_image": None},
        )
        return PageChange(content, Action.CREATE)

    def run(*numbers: str) -> Any:
        batch = Writer([Places()], UUID(int=1), {}, lambda changes, pages: None)
        pages, faults = batch.write([change(number) for number in numbers], {})
        return pages, {fault.product.product_number: fault.reason for fault in faults}

    return run


def _refuse(monkeypatch: pytest.MonkeyPatch, *slugs: str) -> list[int]:
    """Let the database refuse these pages; returns the sizes of what it was given."""
    sizes = []
    insert_pages = bulk.insert_pages

    def insert(new: Any, now: Any) -> None:
        sizes.append(len(new))
        insert_pages(new, now)
        if any(item.page.slug in slugs for item in new):
            raise DatabaseError("refused")

    monkeypatch.setattr(bulk, "insert_pages", insert)
    return sizes


def test_refused_rows_are_found_by_halving(write, monkeypatch):
    sizes = _refuse(monkeypatch, "a13", "a40")
    numbers = [f"A{number}" for number in range(64)]
    pages, faults = write(*numbers)
    assert faults.keys() == {"A13", "A40"}
    assert "refused" in faults["A13"]
    assert len(pages) == 62
    assert ProductPage.objects.count() == 62
    # Two ways down a tree of six levels.
    assert len(sizes) <= 2 * (2 * 6 + 1)
    assert not any(Page.find_problems())


def test_a_family_is_written_whole_or_not_at_all(write, monkeypatch):
    _refuse(monkeypatch, "a1-red")
    pages, faults = write("A0", "A1", "A2", "A1-blue", "A1-red", "A2-red")
    assert faults.keys() == {"A1", "A1-blue", "A1-red"}
    assert {key for key, _locale in pages} == {
        UUID(guid("product", number)) for number in ("A0", "A2", "A2-red")
    }
    assert PimLink.objects.filter(kind__in=["product", "variant"]).count() == 3
    assert not any(Page.find_problems())


def test_a_deadlock_is_tried_again_and_leaves_no_trace(write, monkeypatch):
    monkeypatch.setattr(writer.Writer._commit.retry, "sleep", lambda seconds: None)
    insert_pages, calls = bulk.insert_pages, []

    def deadlock_once(new: Any, now: Any) -> None:
        insert_pages(new, now)
        calls.append(len(new))
        if len(calls) == 1:
            raise OperationalError("deadlock detected")

    monkeypatch.setattr(bulk, "insert_pages", deadlock_once)
    pages, faults = write("A0", "A0-1", "A1")
    assert calls == [3, 3]
    assert faults == {}
    assert len(pages) == 3
    assert not any(Page.find_problems())


def test_a_constraint_of_the_database_is_a_failed_item(pim, publish):
    """A tag is held to 100 characters by its own table alone."""
    pim.product("H1", "Helmets", template="Helmet", Labels="x" * 101)
    pim.product("H2", "Helmets", template="Helmet", Labels="light")
    report = publish()
    assert items_by_number(report)["H1"].outcome == Outcome.FAILED
    assert "100" in items_by_number(report)["H1"].reason
    assert HelmetPage.objects.get().product_number == "H2"
    assert pim.status("H1") == "Approved"


def test_pages_are_written_where_their_parents_were_locked(pim, publish, queries):
    pim.product("A1")
    with queries() as captured:
        publish()
    locks = [sql for sql in captured.reads() if "FOR NO KEY UPDATE" in sql]
    if connection.vendor == "postgresql":
        assert any("wagtail_pim_categorypage" in sql for sql in locks)
    else:
        # SQLite has one writer, whose transaction began as one.
        assert locks == []
