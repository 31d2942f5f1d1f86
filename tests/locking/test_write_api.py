"""Wagtail's API for writing: what the PIM owns is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import wagtail
from django.test import Client
from wagtail.models import Page

from tests.trial.models import Material, TrialProductPage
from wagtail_pim.models import ProductPage

from .test_surfaces import EDITED, contents, edited, row, spoil, values

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        wagtail.VERSION < (8, 0), reason="Wagtail has an API for writing from 8.0 on"
    ),
]

Call = Callable[..., Any]


@pytest.fixture
def call(client: Client, admin_user: Any) -> Call:
    """Sends JSON to a page's address in the API, as a superuser's token allows."""
    from wagtail.models import APIToken

    _token, key = APIToken.create_token(user=admin_user, name="Test")

    def send(method: str, page: Page | None, path: str = "", **data: Any) -> Any:
        place = f"{page.pk}/" if page else ""
        return client.generic(
            method,
            f"/api/v3/pages/{place}{path}",
            data=json.dumps(data),
            content_type="application/json",
            headers={"Authorization": f"Bearer {key}"},
        )

    return send


OWNED_VALUES = {
    "title": "Sent",
    "slug": "sent",
    "text": "Sent",
    "rich_text": "<p>Sent</p>",
    "tags": ["sent"],
    "materials": [],
    "sizes": [{"name": "XXL", "stock": 666}],
}


@pytest.mark.parametrize("name", OWNED_VALUES)
@pytest.mark.parametrize("action", [None, "publish"])
def test_a_managed_field_is_refused_by_name(call, trial_page, name, action):
    before = values(trial_page)
    data = {name: OWNED_VALUES[name], "note": "Sent"}
    response = call("PATCH", trial_page, **data, meta={"action": action})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["type"] == "managed_in_pim"
    assert f"“{name}” is managed in PIM" in error["msg"]
    assert values(trial_page) == before
    page = row(trial_page)
    assert page.note == page.get_latest_revision_as_object().note == "The editors' note"


def test_all_managed_fields_of_a_request_are_named(call, trial_page):
    response = call("PATCH", trial_page, **OWNED_VALUES)
    assert response.status_code == 422
    assert len(response.json()["errors"]) == len(OWNED_VALUES)


def test_the_editors_fields_can_be_written(call, trial_page):
    before = values(trial_page)
    response = call(
        "PATCH",
        trial_page,
        note="Edited",
        campaign="<p>Edited</p>",
        seo_title="Edited",
        links=[{"label": "Edited"}],
        meta={"action": "publish"},
    )
    assert response.status_code == 200, response.content
    assert response.json()["note"] == "Edited"
    assert edited(row(trial_page)) == EDITED
    assert values(trial_page) == before


def test_all_of_a_hand_made_page_can_be_written(call, hand_made_page):
    steel = Material.objects.create(name="Steel")
    data = {**OWNED_VALUES, "materials": [steel.pk]}
    response = call("PATCH", hand_made_page, **data, meta={"action": "publish"})
    assert response.status_code == 200, response.content
    page = row(hand_made_page)
    assert (page.title, page.slug, page.text) == ("Sent", "sent", "Sent")
    assert [tag.name for tag in page.tags.all()] == ["sent"]
    assert [size.name for size in page.sizes.all()] == ["XXL"]
    assert list(page.materials.all()) == [steel]


def test_a_page_is_created_with_all_that_was_sent(call, site):
    response = call(
        "POST",
        None,
        title="Sent",
        materials=[],
        text="Sent",
        meta={
            "type": TrialProductPage._meta.label,
            "parent_id": site.root_page.pk,
        },
    )
    assert response.status_code == 201, response.content
    assert TrialProductPage.objects.get(pk=response.json()["id"]).text == "Sent"


def test_an_old_draft_is_shown_with_the_values_of_the_row(call, trial_page):
    spoil(trial_page)
    shown = call("GET", trial_page, "?version=draft").json()
    assert (shown["title"], shown["text"], shown["note"]) == (
        "Trial product",
        "Short text",
        "Edited",
    )


def test_publishing_an_old_draft_brings_the_editors_text_alone(call, trial_page):
    spoil(trial_page)
    before = values(trial_page)
    response = call("POST", trial_page, "actions/publish/")
    assert response.status_code == 200
    assert values(trial_page) == before
    assert edited(row(trial_page)) == EDITED


def test_reverting_to_an_old_draft_brings_the_editors_text_alone(call, trial_page):
    old = spoil(trial_page)
    row(trial_page).save_revision().publish()
    before = values(trial_page)
    response = call("POST", trial_page, "actions/revert/", revision_id=old.pk)
    assert response.status_code == 200
    assert (response.json()["text"], response.json()["note"]) == (
        "Short text",
        "Edited",
    )
    call("POST", trial_page, "actions/publish/")
    assert values(trial_page) == before
    assert edited(row(trial_page)) == EDITED


def test_an_alias_is_converted_with_the_values_of_the_row(call, trial_page):
    alias = trial_page.create_alias(update_slug="alias")
    response = call("POST", alias, "actions/convert_alias/")
    assert response.status_code == 200
    assert contents(row(alias)) == {**contents(row(trial_page)), "slug": "alias"}


def test_a_managed_page_is_not_written_as_one_of_a_base_class(call, trial_page):
    before = values(trial_page)
    response = call(
        "PATCH", trial_page, title="Sent", meta={"type": ProductPage._meta.label}
    )
    assert response.status_code == 422, response.content
    assert "managed in PIM" in response.json()["errors"][0]["msg"]
    assert values(trial_page) == before
