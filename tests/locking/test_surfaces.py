"""Every way by which a value gets to a page: what the PIM owns stays, the rest comes.

``spoil`` makes a draft hold another value in every field, as one from before a sync
does. What such a draft says of the editors' own fields is ``EDITED``.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.actions.convert_alias import ConvertAliasPageAction
from wagtail.actions.create_alias import CreatePageAliasAction
from wagtail.actions.publish_page_revision import PublishPageRevisionAction
from wagtail.models import Locale, Page, Revision, Workflow
from wagtail.test.utils.form_data import (
    inline_formset,
    nested_form_data,
    querydict_from_html,
    rich_text,
    streamfield,
)

from sandbox_site.shop.models import HomePage
from tests.trial.models import (
    Material,
    TrialForm,
    TrialLink,
    TrialProductPage,
    TrialSize,
)
from wagtail_pim.locking.ownership import pim_write
from wagtail_pim.models import ProductPage

from .conftest import make_image

pytestmark = pytest.mark.django_db

COLUMNS = (
    "title",
    "draft_title",
    "slug",
    "url_path",
    "expire_at",
    "product_number",
    "primary_image",
    "text",
    "required_text",
    "long_text",
    "rich_text",
    "stream",
    "choice",
    "flag",
    "maybe",
    "count",
    "price",
    "ratio",
    "day",
    "moment",
    "clock",
    "address",
    "data",
    "picture",
    "manual",
    "successor",
    "material",
)
OWNED = (*COLUMNS, "materials", "sizes", "gallery", "tagged_items", "plain_materials")

SPOILT = {
    "title": "Spoilt",
    "draft_title": "Spoilt",
    "slug": "spoilt",
    "url_path": "/spoilt/",
    "expire_at": "2031-01-01T00:00:00Z",
    "product_number": "SPOILT",
    "primary_image": None,
    "text": "Spoilt",
    "required_text": "Spoilt",
    "long_text": "Spoilt",
    "rich_text": "<p>Spoilt</p>",
    "stream": '[{"type": "paragraph", "value": "<p>Spoilt</p>"}]',
    "choice": "l",
    "flag": False,
    "maybe": True,
    "count": 666,
    "price": "6.66",
    "ratio": 6.66,
    "day": "1966-06-06",
    "moment": "1966-06-06T06:06:06Z",
    "clock": "06:06:06",
    "address": "https://example.com/spoilt",
    "data": [{"name": "Spoilt"}],
    "picture": None,
    "manual": None,
    "successor": None,
    "material": None,
    "materials": [],
    "sizes": [],
    "gallery": [],
    "tagged_items": [],
}

EDITED = {
    "seo_title": "Edited",
    "note": "Edited",
    "campaign": "<p>Edited</p>",
    "links": ["Edited"],
}


def values(page: Page) -> dict[str, Any]:
    """What the database holds of the PIM's fields, the keys of child objects too."""
    row = TrialProductPage.objects.get(pk=page.pk)
    data = {**row.serializable_data(), "url_path": row.url_path}
    data["plain_materials"] = [material.pk for material in row.plain_materials.all()]
    return {name: data[name] for name in OWNED}


def contents(page: TrialProductPage) -> dict[str, Any]:
    """The PIM's values as they are on this object, without the keys of its children."""
    data = page.serializable_data()
    data["plain_materials"] = [material.pk for material in page.plain_materials.all()]
    for name in ("sizes", "gallery", "tagged_items"):
        data[name] = [
            {
                key: value
                for key, value in child.items()
                if key not in {"pk", "page", "content_object"}
            }
            for child in data[name]
        ]
    return {name: data[name] for name in OWNED if name != "url_path"}


def edited(page: TrialProductPage) -> dict[str, Any]:
    return {
        "seo_title": page.seo_title,
        "note": page.note,
        "campaign": re.sub(r' data-block-key="\w+"', "", page.campaign),
        "links": [link.label for link in page.links.all()],
    }


def row(page: Page) -> TrialProductPage:
    return TrialProductPage.objects.get(pk=page.pk)


def spoil(page: Page) -> Revision:
    """A draft with the editors' own text, and with other values for what is owned."""
    row(page).save_revision().publish()
    draft = row(page)
    draft.seo_title = draft.note = "Edited"
    draft.campaign = "<p>Edited</p>"
    draft.links = [TrialLink(label="Edited")]
    revision = draft.save_revision()
    revision.content.update(SPOILT)
    revision.save()
    return Revision.objects.get(pk=revision.pk)


def view(name: str, *args: Any) -> str:
    return reverse(f"wagtailadmin_pages:{name}", args=args)


def form_of(client: Client, url: str) -> QueryDict:
    """What a browser would post from this form if nobody touched it."""
    response = client.get(url)
    assert response.status_code == 200
    data = querydict_from_html(response.content.decode(), form_id="page-edit-form")
    # What the scripts of the streams add, which are empty.
    data.update({"stream-count": "0", "story-count": "0"})
    return data


def post(client: Client, url: str, data: QueryDict, **more: str) -> Any:
    data = data.copy()
    for name, value in more.items():
        data[name.replace("_", "-")] = value
    response = client.post(url, data)
    assert response.status_code == 302, response.context["form"].errors
    return response


def tamper(data: QueryDict, image: Any, material: Material) -> QueryDict:
    """Post a value for every field that the unlocked form has, and the editor's own."""
    changes = nested_form_data(
        {
            "title": "Tampered",
            "slug": "tampered",
            "seo_title": "Edited",
            "expire_at": "2031-01-01 00:00",
            "product_number": "TAMPERED",
            "text": "Tampered",
            "required_text": "Tampered",
            "long_text": "Tampered",
            "rich_text": rich_text("<p>Tampered</p>"),
            "stream": streamfield([("paragraph", rich_text("<p>Tampered</p>"))]),
            "choice": "l",
            "maybe": "true",
            "count": "666",
            "price": "6.66",
            "ratio": "6.66",
            "day": "1966-06-06",
            "moment": "1966-06-06 06:06",
            "clock": "06:06",
            "address": "https://example.com/tampered",
            "data": '["Tampered"]',
            "picture": str(image.pk),
            "manual": "",
            "successor": str(Page.get_first_root_node().pk),
            "material": str(material.pk),
            "tags": "tampered",
            "sizes": inline_formset([{"name": "XXL", "stock": "666", "id": ""}]),
            "gallery": inline_formset([{"image": str(image.pk), "id": ""}]),
            "links": inline_formset(
                [{"label": "Edited", "id": data.get("links-0-id", "")}],
                initial=data["links-INITIAL_FORMS"],
            ),
            "note": "Edited",
            "campaign": rich_text("<p>Edited</p>"),
        }
    )
    data = data.copy()
    for name in [name for name in data if name.startswith(("links-", "sizes-"))]:
        del data[name]
    # Unlike the others a checkbox that is off posts nothing.
    data.pop("flag", None)
    for name, value in changes.items():
        data[name] = value
    for name in ("materials", "plain_materials"):
        data.setlist(name, [str(material.pk)])
    return data


@pytest.fixture
def tampered(db: None) -> tuple[Any, Material]:
    return make_image("Tampered"), Material.objects.create(name="Tampered")


# The form


def _edit_with_everything(
    client: Client, page: Page, tampered: tuple[Any, Material], **more: str
) -> None:
    url = view("edit", page.pk)
    post(client, url, tamper(form_of(client, url), *tampered), **more)


def test_everything_of_a_hand_made_page_can_be_edited(
    admin_client, hand_made_page, tampered
):
    hand_made_page.unpublish()
    before = values(hand_made_page)
    _edit_with_everything(admin_client, hand_made_page, tampered)
    after = values(hand_made_page)
    # No panel shows the picture; the last two were False and empty before as well.
    unchanged = {name for name in OWNED if after[name] == before[name]}
    assert unchanged == {"primary_image", "flag", "manual"}
    assert edited(row(hand_made_page)) == {**EDITED, "links": ["Edited"]}


def test_a_switch_of_a_hand_made_page_can_be_turned(admin_client, hand_made_page):
    hand_made_page.unpublish()
    url = view("edit", hand_made_page.pk)
    post(admin_client, url, form_of(admin_client, url), flag="on")
    assert row(hand_made_page).flag


@pytest.mark.parametrize("is_live", [True, False])
def test_a_tampered_form_changes_the_editors_fields_alone(
    admin_client, trial_page, tampered, is_live
):
    if not is_live:
        trial_page.unpublish()
    before = values(trial_page)
    _edit_with_everything(admin_client, trial_page, tampered)
    draft = row(trial_page).get_latest_revision_as_object()
    assert values(trial_page) == before
    assert edited(draft) == EDITED

    _edit_with_everything(admin_client, trial_page, tampered, action_publish="1")
    assert values(trial_page) == before
    assert edited(row(trial_page)) == EDITED
    assert row(trial_page).live is is_live


def test_what_a_tampered_form_says_does_not_even_reach_the_draft(
    admin_client, trial_page, tampered
):
    trial_page.save_revision()
    before = row(trial_page).latest_revision.content
    _edit_with_everything(admin_client, trial_page, tampered)
    draft = row(trial_page).latest_revision.content
    owned = set(OWNED) - {"plain_materials"}  # no draft has these
    assert {name: draft[name] for name in owned} == {
        name: before[name] for name in owned
    }


def test_an_autosave_saves_the_editors_fields_alone(admin_client, trial_page, tampered):
    before = values(trial_page)
    url = view("edit", trial_page.pk)
    data = tamper(form_of(admin_client, url), *tampered)
    first = admin_client.post(url, data, headers={"Accept": "application/json"})
    assert first.json()["success"]
    data["note"] = "Edited further"
    data["overwrite_revision_id"] = first.json()["revision_id"]
    data.update({"links-INITIAL_FORMS": "0"})
    second = admin_client.post(url, data, headers={"Accept": "application/json"})
    assert second.json()["revision_id"] == first.json()["revision_id"]
    draft = row(trial_page).get_latest_revision_as_object()
    assert draft.note == "Edited further"
    assert values(trial_page) == values(draft) == before
    assert draft.text == "Short text"


# Revisions


def test_a_draft_is_read_with_the_values_of_the_row(trial_page):
    before = contents(trial_page)
    draft = spoil(trial_page).as_object()
    assert contents(draft) == before
    assert edited(draft) == EDITED
    assert draft.url_path == trial_page.url_path


def test_a_draft_of_a_hand_made_page_is_read_as_it_is(hand_made_page):
    draft = spoil(hand_made_page).as_object()
    assert (draft.title, draft.slug, draft.text) == ("Spoilt", "spoilt", "Spoilt")
    assert not draft.sizes.exists()


def test_the_editor_shows_the_values_of_the_row_and_the_text_of_the_draft(
    admin_client, trial_page
):
    spoil(trial_page)
    html = admin_client.get(view("edit", trial_page.pk)).content.decode()
    assert "Spoilt" not in html
    assert "Short text" in html
    assert 'value="Edited"' in html


def _publish_from_the_editor(client: Client, revision: Revision) -> None:
    url = view("edit", revision.object_id)
    post(client, url, form_of(client, url), action_publish="1")


def _publish_in_code(client: Client, revision: Revision) -> None:
    revision.publish()


def _publish_on_schedule(client: Client, revision: Revision) -> None:
    page = row(revision.base_content_object)
    revision.content["go_live_at"] = (timezone.now() + timedelta(days=1)).isoformat()
    revision.save()
    revision.publish()
    assert row(page).note != "Edited"
    revision.refresh_from_db()
    revision.content["go_live_at"] = (timezone.now() - timedelta(days=1)).isoformat()
    revision.approved_go_live_at = timezone.now() - timedelta(days=1)
    revision.save()
    call_command("publish_scheduled")


def _publish_in_bulk(client: Client, revision: Revision) -> None:
    url = reverse("wagtail_bulk_action", args=["wagtailcore", "page", "publish"])
    client.post(f"{url}?id={revision.object_id}")


def _revert(client: Client, revision: Revision) -> None:
    """Back to ``revision`` from a later one, and publish that."""
    page = row(revision.base_content_object)
    page.note = "Later"
    page.save_revision().publish()
    url = view("revisions_revert", page.pk, revision.pk)
    post(client, url, form_of(client, url), action_publish="1")


def _workflow(client: Client, revision: Revision) -> None:
    page = revision.base_content_object
    assign_workflow(page)
    url = view("edit", page.pk)
    post(client, url, form_of(client, url), action_submit="1")
    task = row(page).current_workflow_task_state
    # What was submitted is from before a sync as well.
    task.revision.content.update(SPOILT)
    task.revision.save()
    client.post(view("workflow_action", page.pk, "approve", task.pk))
    task.refresh_from_db()
    assert task.status == task.STATUS_APPROVED


def assign_workflow(page: Page) -> None:
    workflow = Workflow.objects.get()
    workflow.workflow_pages.get_or_create(page=page.get_parent())


WAYS_TO_PUBLISH = [
    _publish_from_the_editor,
    _publish_in_code,
    _publish_on_schedule,
    _publish_in_bulk,
    _revert,
    _workflow,
]


@pytest.mark.parametrize("publish", WAYS_TO_PUBLISH)
def test_publishing_an_old_draft_brings_the_editors_text_alone(
    admin_client, trial_page, publish
):
    before = values(trial_page)
    publish(admin_client, spoil(trial_page))
    assert values(trial_page) == before
    page = row(trial_page)
    assert edited(page) == EDITED
    assert page.live
    assert not page.has_unpublished_changes


def test_a_sync_between_reading_a_draft_and_publishing_it_wins(trial_page):
    publishing = PublishPageRevisionAction(spoil(trial_page))
    with pim_write():
        synced = row(trial_page)
        synced.title = synced.draft_title = synced.text = "Synced"
        synced.slug = "synced"
        synced.sizes = [TrialSize(name="XS")]
        synced.save()
    before = values(trial_page)
    publishing.execute()
    assert values(trial_page) == before
    assert row(trial_page).text == "Synced"
    assert edited(row(trial_page)) == EDITED


@pytest.mark.parametrize("publish", WAYS_TO_PUBLISH)
def test_publishing_an_old_draft_of_a_hand_made_page_brings_all(
    admin_client, hand_made_page, publish
):
    publish(admin_client, spoil(hand_made_page))
    page = row(hand_made_page)
    assert edited(page) == EDITED
    assert (page.title, page.slug, page.text, page.count) == (
        "Spoilt",
        "spoilt",
        "Spoilt",
        666,
    )
    assert not page.sizes.exists()


def test_reverting_without_publishing_leaves_the_row(admin_client, trial_page):
    revision = spoil(trial_page)
    trial_page.save_revision()
    before = values(trial_page)
    url = view("revisions_revert", trial_page.pk, revision.pk)
    data = form_of(admin_client, url)
    assert "Spoilt" not in data.values()
    post(admin_client, url, data)
    assert values(trial_page) == before
    draft = row(trial_page).get_latest_revision_as_object()
    assert edited(draft) == EDITED
    assert contents(draft) == contents(row(trial_page))


def test_a_page_whose_required_field_the_pim_left_empty_can_be_published(
    admin_client, trial_page
):
    TrialProductPage.objects.filter(pk=trial_page.pk).update(required_text="")
    url = view("edit", trial_page.pk)
    data = form_of(admin_client, url)
    post(admin_client, url, data, note="Published", action_publish="1")
    assert row(trial_page).note == "Published"


def test_a_hand_made_page_needs_its_required_field(admin_client, hand_made_page):
    url = view("edit", hand_made_page.pk)
    data = form_of(admin_client, url)
    data["required_text"] = ""
    data["action-publish"] = "1"
    response = admin_client.post(url, data)
    assert response.context["form"].errors.keys() == {"required_text"}


def _complain_in_the_form(form: Any) -> Any:
    form.add_error("text", "Not this one.")
    return form.cleaned_data


def _complain_in_the_model(page: Any) -> None:
    raise ValidationError({"text": "Not this one."})


@pytest.mark.parametrize(
    ("judge", "complain"),
    [(TrialForm, _complain_in_the_form), (TrialProductPage, _complain_in_the_model)],
)
def test_what_a_site_says_against_the_pims_values_stops_no_editor_of_a_managed_page(
    admin_client, trial_page, hand_made_page, monkeypatch, judge, complain
):
    monkeypatch.setattr(judge, "clean", complain)
    url = view("edit", trial_page.pk)
    data = form_of(admin_client, url)
    post(admin_client, url, data, note="Published", action_publish="1")
    assert row(trial_page).note == "Published"

    url = view("edit", hand_made_page.pk)
    response = admin_client.post(url, form_of(admin_client, url))
    assert response.context["form"].errors == {"text": ["Not this one."]}


def test_the_schedule_dialog_moves_going_live_but_not_the_end(admin_client, trial_page):
    before = values(trial_page)
    url = view("edit", trial_page.pk)
    data = form_of(admin_client, url)
    data["go_live_at"] = "2050-01-01 00:00"
    data["expire_at"] = "2051-01-01 00:00"
    post(admin_client, url, data)
    draft = row(trial_page).get_latest_revision_as_object()
    assert draft.go_live_at.year == 2050
    assert draft.expire_at == trial_page.expire_at
    assert values(trial_page) == before


def test_what_the_pim_lets_end_is_taken_off_the_site_on_schedule(trial_page):
    past = timezone.now() - timedelta(days=1)
    TrialProductPage.objects.filter(pk=trial_page.pk).update(expire_at=past)
    spoil(trial_page)
    before = values(trial_page)
    call_command("publish_scheduled")
    assert not row(trial_page).live
    assert row(trial_page).expired
    assert values(trial_page) == before


# Preview


def test_a_preview_shows_the_row_with_the_text_in_the_form(
    admin_client, trial_page, tampered, monkeypatch
):
    shown = []

    def serve(page: Any, request: Any, mode: str) -> HttpResponse:
        shown.append((contents(page), edited(page), page.url_path))
        return HttpResponse("preview")

    monkeypatch.setattr(TrialProductPage, "serve_preview", serve)
    spoil(trial_page)
    data = tamper(form_of(admin_client, view("edit", trial_page.pk)), *tampered)
    data["note"] = "Typed"
    url = view("preview_on_edit", trial_page.pk)
    assert admin_client.post(url, data).json()["is_valid"]
    assert admin_client.get(url).content == b"preview"
    admin_client.get(view("view_draft", trial_page.pk))
    expected = contents(row(trial_page))
    assert shown == [
        (expected, {**EDITED, "note": "Typed"}, trial_page.url_path),
        (expected, EDITED, trial_page.url_path),
    ]


# Code


def spoil_in_memory(page: Any) -> None:
    """Another value for all that a page in memory holds, its children too."""
    for name, value in SPOILT.items():
        if name in COLUMNS and hasattr(page, name):
            field = page._meta.get_field(name)
            setattr(page, name, value if value is None else field.to_python(value))
    if isinstance(page, TrialProductPage):
        page.materials = page.sizes = page.gallery = []
        page.tags.set(["spoilt"])


def test_saving_a_page_in_code_writes_the_editors_fields_alone(trial_page):
    before = values(trial_page)
    spoil_in_memory(trial_page)
    trial_page.note = "Saved"
    trial_page.links = [TrialLink(label="Saved")]
    trial_page.save()
    assert values(trial_page) == before
    assert row(trial_page).note == "Saved"
    assert [link.label for link in row(trial_page).links.all()] == ["Saved"]
    assert contents(trial_page) == contents(row(trial_page))


def test_saving_a_hand_made_page_in_code_writes_all(hand_made_page):
    spoil_in_memory(hand_made_page)
    hand_made_page.save()
    page = row(hand_made_page)
    assert (page.title, page.slug, page.text) == ("Spoilt", "spoilt", "Spoilt")
    assert [tag.name for tag in page.tags.all()] == ["spoilt"]
    assert not page.sizes.exists()


@pytest.mark.parametrize("model", [ProductPage, Page])
def test_saving_a_page_read_as_one_of_a_base_class_keeps_the_values(trial_page, model):
    child = trial_page.add_child(instance=HomePage(title="Child", slug="child"))
    before = values(trial_page)
    base = model.objects.get(pk=trial_page.pk)
    spoil_in_memory(base)
    base.seo_title = "Saved"
    base.save()
    assert values(trial_page) == before
    assert row(trial_page).seo_title == "Saved"
    assert (base.title, base.slug, base.url_path) == (
        trial_page.title,
        trial_page.slug,
        trial_page.url_path,
    )
    child.refresh_from_db()
    assert child.url_path == f"{trial_page.url_path}child/"


@pytest.mark.parametrize("model", [ProductPage, Page])
def test_a_hand_made_page_read_as_one_of_a_base_class_can_be_renamed(
    hand_made_page, model
):
    child = hand_made_page.add_child(instance=HomePage(title="Child", slug="child"))
    base = model.objects.get(pk=hand_made_page.pk)
    base.title, base.slug = "Renamed", "renamed"
    base.save()
    page = row(hand_made_page)
    assert (page.title, page.slug) == ("Renamed", "renamed")
    child.refresh_from_db()
    assert child.url_path == f"{page.url_path}child/"
    assert page.url_path.endswith("/renamed/")


@pytest.mark.parametrize(
    ("names", "spoilt"),
    [
        (["text"], {"text": "Spoilt"}),
        (["title", "note"], {"title": "Spoilt", "note": "Saved"}),
        (["primary_image"], {"primary_image": None}),
        (["picture_id"], {"picture_id": None}),
        (["slug", "url_path"], {"slug": "spoilt", "url_path": "/spoilt/"}),
        (["draft_title"], {"draft_title": "Spoilt"}),
        (["sizes"], {"sizes": []}),
        (["materials"], {"materials": []}),
        (["tagged_items"], {"tagged_items": []}),
    ],
    ids=str,
)
def test_saving_some_fields_keeps_the_values_too(trial_page, names, spoilt):
    before = values(trial_page)
    for name, value in spoilt.items():
        setattr(trial_page, name, value)
    trial_page.save(update_fields=names)
    assert values(trial_page) == before
    assert row(trial_page).note == spoilt.get("note", trial_page.note)


@pytest.mark.parametrize("model", [TrialProductPage, Page])
def test_saving_what_nobody_owns_asks_nothing_of_the_pim(trial_page, model, queries):
    page = model.objects.get(pk=trial_page.pk)
    page.specific_class  # noqa: B018  (asks for the content type once)
    page.locked = True
    with queries() as captured:
        page.save(update_fields=["locked"], clean=False)
    assert "UPDATE" in captured.writes()[0]
    assert not any("pimlink" in sql for sql in captured.reads())


# Aliases and copies


@pytest.fixture
def alias(trial_page: TrialProductPage) -> TrialProductPage:
    made = trial_page.create_alias(update_slug="alias")
    return row(made)


def expected_of_alias(page: Page) -> dict[str, Any]:
    return {**contents(row(page)), "slug": "alias"}


def test_an_alias_has_the_values_of_the_row_and_a_url_of_its_own(trial_page):
    stale = row(trial_page)
    TrialProductPage.objects.filter(pk=trial_page.pk).update(text="New")
    for name in ("title", "text", "product_number"):
        setattr(stale, name, "Spoilt")
    alias = row(CreatePageAliasAction(stale, update_slug="alias").execute())
    assert alias.alias_of_id == trial_page.pk
    assert contents(alias) == expected_of_alias(trial_page)
    assert alias.text == "New"
    assert alias.url_path.endswith("/alias/")


def test_aliases_of_a_page_without_a_required_value_can_be_made(trial_page):
    TrialProductPage.objects.filter(pk=trial_page.pk).update(required_text="")
    alias = row(trial_page).create_alias(update_slug="alias")
    assert row(alias).required_text == ""


def test_aliases_and_aliases_of_aliases_follow_a_publish_but_not_its_draft(
    trial_page, alias
):
    second = row(alias.create_alias(update_slug="second"))
    spoil(trial_page).publish()
    assert contents(row(alias)) == expected_of_alias(trial_page)
    assert contents(row(second)) == {**expected_of_alias(trial_page), "slug": "second"}
    assert edited(row(second)) == edited(row(alias)) == EDITED


def test_aliases_are_not_spoilt_by_a_page_in_memory(trial_page, alias):
    spoil_in_memory(trial_page)
    trial_page.note = "Saved"
    trial_page.update_aliases()
    assert contents(row(alias)) == expected_of_alias(trial_page)
    assert row(alias).note == "Saved"


@pytest.mark.parametrize("model", [TrialProductPage, ProductPage, Page])
def test_an_alias_saved_in_code_keeps_the_values_but_may_have_another_url(
    trial_page, alias, model
):
    saved = model.objects.get(pk=alias.pk)
    spoil_in_memory(saved)
    saved.slug = "another"
    saved.save()
    assert row(alias).slug == "another"
    assert row(alias).url_path.endswith("/another/")
    for name in ("title", "draft_title", "product_number", "text", "expire_at"):
        assert getattr(row(alias), name) == getattr(row(trial_page), name)


def test_a_converted_alias_is_a_page_made_by_hand(admin_client, trial_page, alias):
    spoil(trial_page)
    admin_client.post(view("convert_alias", alias.pk))
    page = row(alias)
    assert page.alias_of_id is None
    assert contents(page) == expected_of_alias(trial_page)
    page.text = "By hand"
    page.save()
    assert row(alias).text == "By hand"
    assert row(trial_page).text == "Short text"


def test_an_alias_survives_its_original(trial_page, alias):
    with pim_write():
        row(trial_page).delete()
    page = row(alias)
    assert page.alias_of_id is None
    page.text = "By hand"
    page.save()
    assert row(alias).text == "By hand"
    with pytest.raises(Exception, match="must be an alias"):
        ConvertAliasPageAction(page).execute()


def test_aliases_that_follow_each_other_are_no_endless_loop(trial_page, alias):
    second = alias.create_alias(update_slug="second")
    TrialProductPage.objects.filter(pk=alias.pk).update(alias_of=second.pk)
    page = row(alias)
    page.text = "By hand"
    page.save()
    assert row(alias).text == "By hand"


def test_a_copy_in_code_is_not_the_pims_and_leaves_the_original_alone(trial_page):
    spoil(trial_page)
    before = values(trial_page)
    copy = trial_page.copy(update_attrs={"slug": "copy", "title": "Copy"})
    assert values(trial_page) == before
    assert not row(copy).is_pim_managed()
    expected = contents(row(trial_page))
    assert contents(row(copy)) == {
        **expected,
        "slug": "copy",
        "title": "Copy",
        "draft_title": "Copy",
    }
    page = row(copy)
    page.text = "By hand"
    page.save()
    assert row(copy).text == "By hand"


@pytest.mark.parametrize("as_alias", [False, True])
def test_a_copy_for_translation_has_the_values_of_the_row(trial_page, as_alias):
    german = Locale.objects.get_or_create(language_code="de")[0]
    trial_page.get_parent().specific.copy_for_translation(german)
    spoil(trial_page)
    before = values(trial_page)
    draft = row(trial_page).get_latest_revision_as_object()
    copy = row(draft.copy_for_translation(german, alias=as_alias))
    assert values(trial_page) == before
    assert copy.locale == german
    assert not copy.is_pim_managed()
    for name in ("title", "text", "count", "expire_at", "product_number"):
        assert getattr(copy, name) == getattr(row(trial_page), name), name
    assert [size.name for size in copy.sizes.all()] == ["M", "L"]


# Users who may edit but not publish


def test_a_user_without_the_right_to_publish_is_held_off_as_well(
    client, trial_page, tampered
):
    user = User.objects.create_user("editor", password="editor")
    user.groups.add(Group.objects.get(name="Editors"))
    client.force_login(user)
    before = values(trial_page)
    _edit_with_everything(client, trial_page, tampered)
    assert values(trial_page) == before
    assert edited(row(trial_page).get_latest_revision_as_object()) == EDITED


def test_scheduling_a_change_leaves_a_managed_page_live(trial_page):
    """A sync makes no revision, and Wagtail looks whether one is live."""
    trial_page.note = "Scheduled"
    trial_page.go_live_at = timezone.now() + timedelta(days=1)
    trial_page.save_revision().publish()
    trial_page.refresh_from_db()
    assert trial_page.live
    assert trial_page.live_revision is None
    assert trial_page.note == "The editors' note"
    assert trial_page.revisions.filter(approved_go_live_at__isnull=False).count() == 1


def test_a_draft_without_a_schedule_is_no_live_revision(trial_page):
    trial_page.save_revision()
    assert row(trial_page).get_latest_revision_as_object().live_revision_id is None
