"""URLs that change: what is below follows, and the old ones lead to the new."""

from __future__ import annotations

from typing import Any

import pytest
from wagtail.contrib.redirects.models import Redirect
from wagtail.models import Page, Site

from sandbox_site.shop.models import HomePage
from wagtail_pim.catalog import urls
from wagtail_pim.catalog.urls import UrlChange, follow_url_changes


@pytest.fixture
def home(site: Any) -> HomePage:
    return HomePage.objects.get()


def _add(parent: Page, slug: str) -> Page:
    parent = Page.objects.get(pk=parent.pk)
    return parent.add_child(instance=HomePage(title=slug.upper(), slug=slug))


def _rename(page: Page, slug: str) -> UrlChange:
    page = Page.objects.get(pk=page.pk)
    old = page.url_path
    page.slug = slug
    page.url_path = f"{old.removesuffix('/').rpartition('/')[0]}/{slug}/"
    Page.objects.filter(pk=page.pk).update(slug=slug, url_path=page.url_path)
    return UrlChange(page, old)


def _url_path(page: Page) -> str:
    return Page.objects.get(pk=page.pk).url_path


def _redirects() -> dict[str, int]:
    return dict(Redirect.objects.values_list("old_path", "redirect_page"))


def test_descendants_at_every_depth_follow(home, client):
    a = _add(home, "a")
    b = _add(a, "b")
    c = _add(b, "c")
    beside = _add(home, "ab")
    follow_url_changes([_rename(a, "x")])
    assert [_url_path(page) for page in (a, b, c)] == [
        "/shop/x/",
        "/shop/x/b/",
        "/shop/x/b/c/",
    ]
    assert _url_path(beside) == "/shop/ab/"
    assert _redirects() == {"/a": a.pk, "/a/b": b.pk, "/a/b/c": c.pk}
    response = client.get("/a/b/c/")
    assert (response.status_code, response["Location"]) == (301, "/x/b/c/")


@pytest.mark.parametrize("reverse", [False, True])
def test_parent_and_child_change_at_once(home, reverse):
    a = _add(home, "a")
    b = _add(a, "b")
    c = _add(b, "c")
    changes = [_rename(b, "y"), _rename(a, "x")]
    follow_url_changes(changes[::-1] if reverse else changes)
    assert _url_path(b) == "/shop/x/y/"
    assert _url_path(c) == "/shop/x/y/c/"
    redirects = _redirects()
    assert redirects["/a"] == a.pk
    assert redirects["/a/b"] == b.pk
    assert redirects["/a/b/c"] == c.pk


def test_pages_that_are_not_live_follow_without_a_redirect(home):
    a = _add(home, "a")
    draft = _add(a, "draft")
    draft.unpublish()
    follow_url_changes([_rename(a, "x")])
    assert _url_path(draft) == "/shop/x/draft/"
    assert _redirects().keys() == {"/a"}


def test_a_url_that_is_the_old_one_needs_nothing(home, queries):
    page = _add(home, "a")
    change = UrlChange(page, page.url_path)
    with queries() as captured:
        follow_url_changes([change])
    assert len(captured) == 0


def test_many_changes_take_as_many_queries_as_a_few(home, queries, monkeypatch):
    monkeypatch.setattr(urls, "CHANGES_PER_STATEMENT", 20)
    parents = [_add(home, f"p{n}") for n in range(20)]
    children = [_add(parent, "child") for parent in parents]
    counts = []
    # The sites' paths are read once.
    follow_url_changes([_rename(_add(home, "warm"), "up")])
    for some in (parents[:4], parents[4:]):
        changes = [_rename(page, f"new-{page.slug}") for page in some]
        with queries() as captured:
            follow_url_changes(changes)
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert {_url_path(page) for page in children} == {
        f"/shop/new-p{n}/child/" for n in range(20)
    }


def test_changes_beyond_one_statement_are_followed_too(home, monkeypatch):
    monkeypatch.setattr(urls, "CHANGES_PER_STATEMENT", 2)
    monkeypatch.setattr(urls, "ROWS_PER_STATEMENT", 2)
    children = [_add(_add(home, f"p{n}"), "child") for n in range(5)]
    follow_url_changes([_rename(page.get_parent(), f"n{page.pk}") for page in children])
    for page in children:
        assert _url_path(page) == f"/shop/n{page.pk}/child/"
    assert len(_redirects()) == 10


def test_a_redirect_of_an_earlier_change_gives_way(home):
    a = _add(home, "a")
    follow_url_changes([_rename(a, "b")])
    other = _add(home, "a")
    follow_url_changes([_rename(other, "c")])
    assert _redirects() == {"/a": other.pk}


def test_an_editors_own_redirect_stays(home):
    a = _add(home, "a")
    own = Redirect.objects.create(
        old_path="/a", site=Site.objects.get(), redirect_link="/elsewhere/"
    )
    follow_url_changes([_rename(a, "b")])
    assert list(Redirect.objects.values_list("pk", "redirect_link")) == [
        (own.pk, "/elsewhere/")
    ]


def test_another_sites_redirect_of_the_same_path_stays(home):
    a = _add(home, "a")
    other = Site.objects.create(hostname="other.example", root_page=a, port=80)
    theirs = Redirect.objects.create(
        old_path="/b", site=other, redirect_page=a, automatically_created=True
    )
    follow_url_changes([_rename(_add(home, "b"), "c")])
    assert Redirect.objects.filter(pk=theirs.pk).exists()


def test_the_settings_can_do_without_redirects(home, settings):
    settings.WAGTAILREDIRECTS_AUTO_CREATE = False
    a = _add(home, "a")
    child = _add(a, "b")
    follow_url_changes([_rename(a, "x")])
    assert _url_path(child) == "/shop/x/b/"
    assert _redirects() == {}
