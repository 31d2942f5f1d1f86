"""The PIM's trees held against the site's, before anything is written."""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pim_data import guid
from wagtail_pim.catalog.category_planner import (
    catalog_parent,
    feeding_trees,
    longest_increasing,
    plan_categories,
    wanted_tree,
)
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.languages import SiteLanguage
from wagtail_pim.client.entities import Category, Taxonomy, Website
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.models import CategoryPage

TREE = guid("taxonomy", "Tree")


def website(name: str) -> Website:
    return Website.parse({"id": guid("website", name), "name": name})


def taxonomy(name: str, *websites: str) -> Taxonomy:
    links = [
        {"id": guid("link", site), "websiteId": guid("website", site)}
        for site in websites
    ]
    return Taxonomy.parse(
        {"id": guid("taxonomy", name), "name": name, "websites": links}
    )


def category(name: str, parent: str | None = None, **fields: Any) -> Category:
    return Category.parse(
        {
            "id": guid("category", name),
            "name": name,
            "categoryTaxonomyId": TREE,
            "parentId": guid("category", parent) if parent else None,
            **fields,
        }
    )


def planned(*categories: Category) -> tuple[list[str], list[str]]:
    """Titles of what is wanted, in order, and names of what can't be shown."""
    trees = {UUID(TREE): website("Shop")}
    wanted, faults = wanted_tree(trees, [taxonomy("Tree", "Shop")], categories)
    return [w.title for w in wanted], [fault.name for fault in faults]


def test_parents_come_before_children_and_siblings_in_the_pims_order():
    assert planned(
        category("A-2", "A", displaySequence=2),
        category("B", displaySequence=1),
        category("A-1-1", "A-1"),
        category("A-1", "A", displaySequence=1),
        category("A", displaySequence=2),
        category("C", displaySequence=2),
    ) == (["Shop", "B", "A", "A-1", "A-1-1", "A-2", "C"], [])


@given(st.permutations(["A", "B", "C", "D"]))
def test_the_order_of_the_listing_does_not_matter(names):
    parents = {"A": None, "B": "A", "C": "B", "D": "A"}
    categories = [category(name, parents[name]) for name in names]
    assert planned(*categories) == (["Shop", "A", "B", "C", "D"], [])


def test_a_very_deep_tree_is_planned_as_far_as_wagtails_goes():
    names = [f"N{n}" for n in range(3000)]
    deep = [category(b, a) for a, b in pairwise(names)]
    titles, faults = planned(category(names[0]), *deep)
    assert titles == ["Shop", *names[:50]]
    assert len(faults) == 2950


def test_cycles_and_orphans_are_told_and_the_rest_is_planned():
    titles, faults = planned(
        category("A", "B"),
        category("B", "A"),
        category("Below a cycle", "A"),
        category("Orphan", "nowhere"),
        category("Own parent", "Own parent"),
        category("Good"),
    )
    assert titles == ["Shop", "Good"]
    assert set(faults) == {"A", "B", "Below a cycle", "Orphan", "Own parent"}


def test_categories_of_other_trees_are_none_of_ours():
    other = category("Other", categoryTaxonomyId=guid("taxonomy", "Other"))
    assert planned(other, category("Ours")) == (["Shop", "Ours"], [])


def test_a_tree_for_several_websites_is_refused():
    websites = [website("B"), website("A")]
    with pytest.raises(ConfigurationError, match="more than one website: A, B"):
        feeding_trees([taxonomy("Tree", "A", "B")], websites)


def test_a_link_to_a_website_that_is_gone_does_not_count():
    trees = feeding_trees([taxonomy("Tree", "A", "gone")], [website("A")])
    assert [site.name for site in trees.values()] == ["A"]


@given(st.permutations(range(8)))
def test_the_longest_increasing_run_is_increasing_and_none_is_longer(numbers):
    chosen = longest_increasing(numbers)
    in_order = [number for number in numbers if number in chosen]
    assert in_order == sorted(chosen)
    assert len(chosen) == _longest(numbers)


def _longest(numbers: list[int]) -> int:
    lengths: list[int] = []
    for at, number in enumerate(numbers):
        before = [lengths[i] for i in range(at) if numbers[i] < number]
        lengths.append(1 + max(before, default=0))
    return max(lengths, default=0)


def test_nothing_increases_in_nothing():
    assert longest_increasing([]) == set()


def test_every_order_of_four_is_put_right_with_the_fewest_moves(pim, publish):
    for position, name in enumerate("ABCD"):
        pim.category(name, "City", order=position)
    publish()
    for order in list(permutations("ABCD"))[::5]:
        now = [page.title for page in _city_children()]
        for position, name in enumerate(order):
            pim.change_category(name, displaySequence=position)
        report = publish()
        assert [page.title for page in _city_children()] == list(order)
        moved = [item for item in report.items.all() if "order" in item.differences]
        assert len(moved) == 4 - _longest([order.index(name) for name in now])


def _city_children() -> Any:
    return CategoryPage.objects.get(title="City").get_children().order_by("path")


def _plan(*categories: Category, whole: bool = True) -> Any:
    trees = {UUID(TREE): website("Shop")}
    wanted, faults = wanted_tree(trees, [taxonomy("Tree", "Shop")], categories)
    language = SiteLanguage.default()
    return plan_categories(wanted, faults, language, {}, listing_is_whole=whole)


def test_planning_reads_the_tree_once_and_writes_nothing(pim, publish, queries):
    publish()
    many = [category(f"N{n}") for n in range(50)]
    with queries() as captured:
        few = _plan()
    with queries() as captured_many:
        plan = _plan(*many)
    assert captured.writes() == captured_many.writes() == []
    assert len(captured) == len(captured_many) <= 6
    assert few.changes[0].action == Action.CREATE
    assert len(plan.changes) == 51


def test_a_listing_with_gaps_removes_nothing(pim, publish):
    publish()
    assert {page.title for page in _plan().gone} == {
        "Bicycles",
        "City",
        "Helmets",
        "Touring",
    }
    assert _plan(whole=False).gone == []


def test_what_goes_goes_from_the_deepest_up(pim, publish):
    publish()
    titles = [page.title for page in _plan().gone]
    assert titles.index("Bicycles") > max(titles.index("City"), titles.index("Touring"))


def test_products_prefer_the_deepest_category(db):
    plan = _plan(category("A"), category("A-1", "A"), category("B"))
    ranks = plan.ranks()
    in_order = sorted(ranks, key=ranks.__getitem__)
    assert in_order == [UUID(guid("category", name)) for name in ("A-1", "A", "B")]


def test_a_catalog_goes_below_the_default_site_unless_the_settings_say_else(
    site, configure
):
    assert catalog_parent().pk == site.root_page.pk
    configure(CATALOG_PARENT="/nowhere/")
    with pytest.raises(ConfigurationError, match="/nowhere/"):
        catalog_parent()
    configure(CATALOG_PARENT=None)
    site.is_default_site = False
    site.save()
    with pytest.raises(ConfigurationError, match="no default site"):
        catalog_parent()
