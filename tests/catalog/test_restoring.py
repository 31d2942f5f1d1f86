"""A page's content kept as JSON, and the page made again of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from taggit.models import Tag
from wagtail.contrib.redirects.models import Redirect
from wagtail.images import get_image_model
from wagtail.models import (
    Comment,
    CommentReply,
    Locale,
    Page,
    PageLogEntry,
    PageViewRestriction,
)

from sandbox_site.shop.models import BicyclePage, HomePage
from tests.locking.conftest import trial_page  # noqa: F401
from tests.trial.models import Material, TrialProductPage, TrialSize
from wagtail_pim.catalog.restoring import (
    NotRestorableError,
    page_content,
    parent_of,
    restore,
)
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import JobRun, JobRunItem, PimLink
from wagtail_pim.models.runs import Outcome

VALUES = [
    *("title", "seo_title", "product_number", "primary_image_id", "expire_at", "text"),
    *("required_text", "long_text", "rich_text", "choice", "flag", "maybe", "count"),
    *("price", "ratio", "day", "moment", "clock", "address", "data", "picture_id"),
    *("manual_id", "successor_id", "material_id", "note", "campaign"),
]


@pytest.fixture
def page(trial_page: TrialProductPage) -> TrialProductPage:  # noqa: F811
    """A live page with a value in every field that nobody but its editors knows."""
    with pim_write():
        PimLink.objects.filter(page=trial_page).delete()
    return TrialProductPage.objects.get(pk=trial_page.pk)


@pytest.fixture
def discard(db: None) -> Callable[[Page], JobRunItem]:
    """Deletes a page as Publish does; the item that holds its content."""
    run = JobRun.objects.create(job="publish_approved_products", state="succeeded")

    def discard(page: Page) -> JobRunItem:
        item = run.items.create(
            kind="product",
            number="H1",
            title=page.title,
            outcome=Outcome.REMOVED,
            content=page_content(page.specific),
        )
        page.delete()
        return JobRunItem.objects.get(pk=item.pk)

    return discard


def contents(page: TrialProductPage) -> dict[str, Any]:
    """All that a person would miss."""
    return {
        **{name: getattr(page, name) for name in VALUES},
        "stream": [(block.block_type, str(block.value)) for block in page.stream],
        "materials": sorted(str(each) for each in page.materials.all()),
        "plain_materials": sorted(str(each) for each in page.plain_materials.all()),
        "tags": sorted(page.tags.names()),
        "sizes": [(size.name, size.stock) for size in page.sizes.all()],
        "gallery": [each.image_id for each in page.gallery.all()],
        "links": [link.label for link in page.links.all()],
    }


def test_a_page_comes_back_as_a_draft_with_all_that_stood_on_it(
    page, discard, admin_user
):
    before = contents(page)
    item = discard(page)
    json.dumps(item.content)
    restored, gone = restore(item, user=admin_user)
    assert isinstance(restored, TrialProductPage)
    assert contents(restored) == before
    assert gone == []
    assert restored.pk != page.pk
    assert restored.translation_key == page.translation_key
    assert restored.url_path == page.url_path
    assert (restored.live, restored.has_unpublished_changes) == (False, True)
    assert (restored.first_published_at, restored.live_revision) == (None, None)
    item.refresh_from_db()
    assert item.page_id == restored.pk
    assert contents(restored.get_latest_revision_as_object()) == before
    entries = PageLogEntry.objects.filter(page=restored)
    assert list(entries.values_list("action", "user")) == [
        ("wagtail.create", admin_user.pk)
    ]
    assert Page.find_problems() == ([], [], [], [], [])


def test_a_restored_page_can_be_published(page, discard):
    before = contents(page)
    restored, _gone = restore(discard(page))
    restored.get_latest_revision().publish()
    published = TrialProductPage.objects.get(pk=restored.pk)
    assert published.live
    assert contents(published) == before


def test_an_unfinished_draft_comes_back_on_top(page, discard):
    page.note = "Not yet"
    page.slug = "not-yet"
    page.sizes = [TrialSize(name="XS", stock=1)]
    page.save_revision()
    restored, _gone = restore(discard(TrialProductPage.objects.get(pk=page.pk)))
    assert (restored.note, restored.sizes.count()) == ("The editors' note", 2)
    draft = restored.get_latest_revision_as_object()
    assert (draft.pk, draft.note, draft.slug) == (restored.pk, "Not yet", "not-yet")
    assert [size.name for size in draft.sizes.all()] == ["XS"]
    restored.get_latest_revision().publish()
    published = TrialProductPage.objects.get(pk=restored.pk)
    assert (published.note, published.sizes.count()) == ("Not yet", 1)


def test_a_private_page_comes_back_as_one(page, discard):
    PageViewRestriction.objects.create(page=page, restriction_type="login")
    restored, gone = restore(discard(page))
    assert gone == []
    assert restored.get_view_restrictions().get().restriction_type == "login"


def test_redirects_to_a_page_lead_to_it_again(page, discard):
    Redirect.objects.create(old_path="/flyer", redirect_page=page)
    restored, gone = restore(discard(page))
    assert gone == []
    assert Redirect.objects.get(old_path="/flyer").redirect_page_id == restored.pk


def test_comments_and_their_replies_come_back(page, discard, admin_user):
    page.wagtail_admin_comments.add(
        Comment(user=admin_user, text="Look", contentpath="title")
    )
    page.save()
    page.save_revision(user=admin_user)
    comment = page.wagtail_admin_comments.get()
    CommentReply.objects.create(comment=comment, user=admin_user, text="Yes")
    restored, gone = restore(discard(TrialProductPage.objects.get(pk=page.pk)))
    assert gone == []
    comment = restored.wagtail_admin_comments.get()
    assert (comment.text, comment.user) == ("Look", admin_user)
    assert comment.replies.get().text == "Yes"


def test_a_draft_without_required_values_comes_back(site, discard):
    page = TrialProductPage(title="Begun", slug="begun", live=False)
    site.root_page.add_child(instance=page)
    restored, _gone = restore(discard(TrialProductPage.objects.get(pk=page.pk)))
    assert (restored.title, restored.required_text) == ("Begun", "")


def test_what_is_gone_meanwhile_is_left_out_and_named(page, discard):
    item = discard(page)
    wool = Material.objects.get(name="Wool")
    steel = Material.objects.get(name="Steel")
    picture = page.picture
    for each in (wool, steel, picture):
        each.delete()
    get_image_model().objects.get(title="Front").delete()
    Tag.objects.filter(name="light").delete()
    restored, gone = restore(item)
    assert restored.materials.count() == restored.plain_materials.count() == 0
    assert (restored.material, restored.picture) == (None, None)
    assert restored.gallery.count() == 1
    assert sorted(restored.tags.names()) == ["light", "reflective"]
    assert f"picture: image {page.picture_id}" in gone
    assert f"material: material {page.material_id}" in gone
    assert len(gone) == len(set(gone)) == 6


def test_its_slug_is_free_among_its_new_siblings(page, discard, site):
    item = discard(page)
    site.root_page.add_child(instance=HomePage(title="Taken", slug=page.slug))
    restored, _gone = restore(item)
    assert restored.slug == f"{page.slug}-2"
    assert restored.url_path == f"{site.root_page.url_path}{page.slug}-2/"
    draft = restored.get_latest_revision_as_object()
    assert draft.slug == restored.slug


def test_its_translation_key_is_new_where_another_page_has_it(page, discard, site):
    item = discard(page)
    other = HomePage(title="Other", slug="other", translation_key=page.translation_key)
    site.root_page.add_child(instance=other)
    restored, _gone = restore(item)
    assert restored.translation_key != page.translation_key


def test_it_keeps_its_language(page, discard, site):
    german = Locale.objects.create(language_code="de")
    TrialProductPage.objects.filter(pk=page.pk).update(locale=german)
    page = TrialProductPage.objects.get(pk=page.pk)
    item = discard(page)
    assert restore(item)[0].locale == german

    again = discard(TrialProductPage.objects.get(locale=german))
    Locale.objects.filter(pk=german.pk).delete()
    assert restore(again)[0].locale == site.root_page.locale


def test_it_goes_where_somebody_says(page, discard, site):
    other = site.root_page.add_child(instance=HomePage(title="Other", slug="other"))
    restored, _gone = restore(discard(page), other)
    assert restored.get_parent().pk == other.pk


def test_its_parent_of_the_pims_is_found_by_its_record(pim, publish, discard):
    publish()
    city = Page.objects.get(title="City").specific
    page = city.add_child(instance=BicyclePage(title="H1", slug="h1"))
    item = discard(page)
    link = city.pim_link
    other = city.get_parent().add_child(
        instance=type(city)(title="City again", slug="city-again")
    )
    link.page = other.page_ptr
    link.save()
    assert restore(item)[0].get_parent().pk == other.pk


def test_a_parent_made_by_hand_is_found_once_it_is_restored(site, discard):
    parent = site.root_page.add_child(instance=HomePage(title="Parent", slug="parent"))
    child = parent.add_child(instance=HomePage(title="Child", slug="child"))
    of_child, of_parent = discard(child), discard(Page.objects.get(pk=parent.pk))
    with pytest.raises(NotRestorableError, match=r"/shop/parent/.*restore that first"):
        restore(of_child)
    again, _gone = restore(of_parent)
    assert parent_of(of_child).pk == again.pk
    assert restore(of_child)[0].url_path == child.url_path


def test_what_can_not_be_restored_says_why(page, discard, site):
    item = discard(page)
    nothing = item.run.items.create(
        kind="product", number="A1", outcome=Outcome.REMOVED
    )
    with pytest.raises(NotRestorableError, match="not that of a page"):
        restore(nothing)

    gift_parent = site.root_page.add_child(
        instance=BicyclePage(title="Bicycle", slug="bicycle")
    )
    with pytest.raises(NotRestorableError, match="can't stand below “Bicycle”"):
        restore(item, gift_parent)

    item.content["model"] = "shop.nothing"
    item.save()
    with pytest.raises(NotRestorableError, match="no page type"):
        restore(item)
    assert not TrialProductPage.objects.exists()


def test_it_is_restored_once_and_again_when_it_went_again(page, discard):
    item = discard(page)
    restored, _gone = restore(item)
    with pytest.raises(NotRestorableError, match=f"it is page {restored.pk}"):
        restore(item)
    restored.delete()
    item.refresh_from_db()
    assert restore(item)[0].title == page.title


def test_its_owner_is_kept_while_there_is_one(page, discard):
    owner = User.objects.create_user("owner")
    TrialProductPage.objects.filter(pk=page.pk).update(owner=owner)
    item = discard(TrialProductPage.objects.get(pk=page.pk))
    restored, _gone = restore(item)
    assert restored.owner == owner

    again = discard(restored)
    owner.delete()
    assert restore(again)[0].owner is None


def test_who_restores_it_owns_it(page, discard, admin_user):
    assert restore(discard(page), user=admin_user)[0].owner == admin_user
