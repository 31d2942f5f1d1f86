"""The snippet "Relationship types": who manages it, and which names are refused."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.urls import NoReverseMatch, reverse

from wagtail_pim.models import RelationshipType

from .test_jobs import text_of, with_permissions


def url(name: str, *args: Any) -> str:
    return reverse(f"wagtailsnippets_wagtail_pim_relationshiptype:{name}", args=args)


def test_an_editor_adds_renames_and_deletes_one(admin_client):
    admin_client.post(url("add"), {"name": "Spare parts"})
    spare = RelationshipType.objects.get()
    assert (spare.name, spare.guid) == ("Spare parts", None)

    guid = spare.guid = uuid4()
    spare.save()
    admin_client.post(url("edit", spare.pk), {"name": "Parts", "guid": str(uuid4())})
    spare.refresh_from_db()
    assert (spare.name, spare.guid) == ("Parts", guid)

    admin_client.post(url("delete", spare.pk))
    assert not RelationshipType.objects.exists()


def test_the_list_is_searched_by_name(admin_client):
    for name in ("Accessories", "Spare parts"):
        RelationshipType.objects.create(name=name)
    found = text_of(admin_client.get(url("list"), {"q": "spare"}))
    assert "Spare parts" in found
    assert "Accessories" not in found


@pytest.mark.parametrize("name", ["ZUBEHÖR", "zubehör", " Zubehör "])
def test_names_that_are_one_to_the_pim_are_refused(admin_client, name):
    RelationshipType.objects.create(name="Zubehör")
    response = admin_client.post(url("add"), {"name": name})
    assert "“Zubehör” already" in text_of(response)
    assert RelationshipType.objects.count() == 1


def test_one_may_change_the_case_of_its_own_name(admin_client):
    own = RelationshipType.objects.create(name="upsell")
    admin_client.post(url("edit", own.pk), {"name": "Upsell"})
    own.refresh_from_db()
    assert own.name == "Upsell"


def test_none_is_copied_with_its_guid(admin_client):
    with pytest.raises(NoReverseMatch):
        url("copy", RelationshipType.objects.create(name="Upsell", guid=uuid4()).pk)


def test_it_takes_the_permission_of_the_snippet(db):
    home = reverse("wagtailadmin_home")
    assert with_permissions("view_pimlink").get(url("list")).url == home
    changing = with_permissions("change_relationshiptype")
    assert changing.get(url("list")).status_code == 200
    assert changing.get(url("add")).url == home
    assert with_permissions("add_relationshiptype").get(url("add")).status_code == 200
