"""Pages written at once, held against pages written one by one."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from wagtail.models import Page
from wagtail.search.backends import get_search_backend

from sandbox_site.shop.models import BicyclePage, HomePage
from wagtail_pim.catalog import bulk
from wagtail_pim.catalog.bulk import NewPage
from wagtail_pim.catalog.indexing import update_indexes
from wagtail_pim.catalog.slugs import SlugAllocator, slugs_held_by_siblings


@pytest.fixture
def home(site: Any) -> HomePage:
    return HomePage.objects.get()


def _add(parent: Page, slug: str) -> Page:
    return parent.add_child(instance=HomePage(title=slug.upper(), slug=slug))


def _new(slug: str, parent: Page) -> NewPage:
    return NewPage(HomePage(title=slug.upper(), slug=slug), parent)


def _children(parent: Page) -> list[str]:
    children = Page.objects.get(pk=parent.pk).get_children().order_by("path")
    return [page.slug for page in children]


def test_pages_go_behind_the_children_that_are_there(home):
    _add(home, "first")
    _add(home, "gone").delete()
    locked = bulk.lock_pages([home.pk])[home.pk]
    bulk.insert_pages([_new("second", locked), _new("third", locked)], timezone.now())
    assert _children(home) == ["first", "second", "third"]
    assert Page.objects.get(pk=home.pk).numchild == 3
    assert not any(Page.find_problems())


def test_parents_that_are_new_can_be_named_before_their_children(home):
    locked = bulk.lock_pages([home.pk])[home.pk]
    new = [_new("a", locked)]
    new += [_new("b", new[0].page), _new("c", locked)]
    new += [_new("d", new[1].page), _new("e", new[1].page)]
    bulk.insert_pages(new, timezone.now())
    a, b = HomePage.objects.get(slug="a"), HomePage.objects.get(slug="b")
    assert _children(home) == ["a", "c"]
    assert _children(a) == ["b"]
    assert _children(b) == ["d", "e"]
    assert HomePage.objects.get(slug="e").url_path == "/shop/a/b/e/"
    assert not any(Page.find_problems())


def test_pages_of_several_parents_at_several_depths_take_one_lookup_a_depth(
    home, queries
):
    parents = [_add(home, "a"), _add(home, "b")]
    parents.append(_add(parents[0], "a-1"))
    for parent in parents:
        _add(Page.objects.get(pk=parent.pk), "old")
    locked = bulk.lock_pages([page.pk for page in parents])
    with queries() as captured:
        bulk.insert_pages(
            [_new("new", locked[page.pk]) for page in parents], timezone.now()
        )
    assert [_children(page) for page in parents] == [
        ["a-1", "old", "new"],
        ["old", "new"],
        ["old", "new"],
    ]
    # Last children and slugs of two depths.
    lookups = [sql for sql in captured.reads() if "parent_path" in sql]
    assert len(lookups) == 4
    assert not any(Page.find_problems())


def test_an_editor_can_add_pages_behind_those_of_a_batch(home):
    locked = bulk.lock_pages([home.pk])[home.pk]
    bulk.insert_pages([_new("a", locked)], timezone.now())
    _add(Page.objects.get(pk=home.pk), "b")
    assert _children(home) == ["a", "b"]
    assert not any(Page.find_problems())


def test_an_inserted_page_is_live_and_has_its_own_translation_key(home):
    locked = bulk.lock_pages([home.pk])[home.pk]
    bulk.insert_pages([_new("a", locked), _new("b", locked)], timezone.now())
    pages = HomePage.objects.filter(slug__in="ab")
    assert all(page.live for page in pages)
    assert all(page.locale_id == home.locale_id for page in pages)
    assert all(page.first_published_at == page.last_published_at for page in pages)
    assert len({page.translation_key for page in pages}) == 2


def test_the_rows_of_a_class_are_updated_in_one_statement_a_table(home, queries):
    locked = bulk.lock_pages([home.pk])[home.pk]
    pages = [BicyclePage(title=str(n), slug=str(n), gears=n) for n in range(20)]
    bulk.insert_pages([NewPage(page, locked) for page in pages], timezone.now())
    pages[0].gears, pages[1].seo_title, pages[2].title = 99, "SEO", "Unwritten"
    columns = {pages[0].pk: {"gears"}, pages[1].pk: {"seo_title"}}
    with queries() as captured:
        bulk.update_columns(pages[:3], lambda page: columns.get(page.pk, set()))
    assert len(captured.writes()) == 2
    values = BicyclePage.objects.order_by("path").values_list("gears", "seo_title")
    assert list(values[:3]) == [(99, ""), (1, "SEO"), (2, "")]
    assert BicyclePage.objects.get(pk=pages[2].pk).title == "2"


@pytest.mark.parametrize(
    ("taken", "wanted", "given"),
    [
        ([], ["a"], ["a"]),
        (["a"], ["a"], ["a-2"]),
        (["a", "a-2"], ["a"], ["a-3"]),
        (["a-2"], ["a", "a"], ["a", "a-3"]),
        ([], ["a", "a", "a"], ["a", "a-2", "a-3"]),
        (["a"], ["a", "a-2"], ["a-2", "a-2-2"]),
        (["ab"], ["a"], ["a"]),
    ],
)
def test_slugs_are_unique_among_siblings(home, taken, wanted, given):
    for slug in taken:
        _add(home, slug)
    allocator = SlugAllocator({home.path: home}, [(home.path, slug) for slug in wanted])
    assert [allocator.allocate(home.path, slug) for slug in wanted] == given


def test_a_slug_is_free_below_another_parent_and_where_its_page_leaves_it(home):
    a, b = _add(home, "a"), _add(home, "b")
    leaving = _add(a, "x")
    allocator = SlugAllocator(
        {page.path: page for page in (a, b)},
        [(a.path, "x"), (b.path, "x")],
        leaving_out=[leaving.pk],
    )
    assert allocator.allocate(b.path, "x") == "x"
    assert allocator.allocate(a.path, "x") == "x"


def test_a_suffix_is_needed_as_long_as_the_plain_slug_is_taken(home):
    plain, suffixed, other = (_add(home, slug) for slug in ("x", "x-2", "y-2"))
    pairs = [(suffixed, "x"), (other, "y"), (plain, "x")]
    assert slugs_held_by_siblings(pairs) == {suffixed.pk}
    plain.delete()
    assert slugs_held_by_siblings(pairs[:2]) == set()


def test_search_finds_what_was_inserted_and_changed(home):
    locked = bulk.lock_pages([home.pk])[home.pk]
    pages = [
        BicyclePage(title="Quagga", slug="a", product_number="Q-1"),
        BicyclePage(title="Zebra", slug="b", summary="Striped"),
    ]
    bulk.insert_pages([NewPage(page, locked) for page in pages], timezone.now())
    update_indexes(pages)

    def found(words: str) -> list[str]:
        results = get_search_backend().search(words, BicyclePage.objects.all())
        return [page.title for page in results]

    assert found("quagga") == ["Quagga"]
    assert found("striped") == ["Zebra"]
    pages[1].summary = "Spotted"
    bulk.update_columns(pages[1:], lambda page: {"summary"})
    update_indexes(pages[1:])
    assert found("striped") == []
    assert found("spotted") == ["Zebra"]
