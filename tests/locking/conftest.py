"""A managed page with a value in every field, and a page of its type made by hand."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.images.tests.utils import get_test_image_file
from wagtail.models import Site

from tests.trial.models import (
    Material,
    TrialGalleryImage,
    TrialLink,
    TrialProductPage,
    TrialSize,
)
from wagtail_pim.kinds import Kind
from wagtail_pim.models import PimLink

SPECIFICATIONS = [
    {
        "name": "Weight",
        "displayName": "Weight (kg)",
        "type": "Number",
        "controlType": "Decimal",
        "value": 12.5,
    },
    {
        "name": "Colours",
        "displayName": "Colours",
        "type": "String",
        "controlType": "Multi Select",
        "value": ["Red", "Blue"],
    },
]


def make_managed(page: Any, **link_fields: Any) -> PimLink:
    """Link a saved page to a record of the PIM, as a sync does."""
    return PimLink.objects.create(
        page=page.page_ptr,
        **{
            "kind": Kind.PRODUCT.value,
            "guid": uuid.uuid4(),
            "locale": page.locale,
            "version": 3,
            "content_hash": "0" * 64,
            "synced_at": timezone.now(),
            "run_id": uuid.uuid4(),
            **link_fields,
        },
    )


def make_image(title: str) -> Any:
    return get_image_model().objects.create(
        title=title, file=get_test_image_file(filename="picture.png", size=(64, 48))
    )


@pytest.fixture
def trial_page(site: Site) -> TrialProductPage:
    """A live page that the PIM manages; a fresh copy from the database."""
    steel, wool = (Material.objects.create(name=name) for name in ("Steel", "Wool"))
    manual = get_document_model().objects.create(
        title="Assembly manual", file=ContentFile(b"Screw.", "manual.txt")
    )
    page = TrialProductPage(
        title="Trial product",
        slug="trial-product",
        seo_title="Buy the trial product",
        product_number="T-1",
        primary_image=make_image("Primary picture"),
        expire_at=datetime(2099, 12, 31, 12, 0, tzinfo=UTC),
        text="Short text",
        required_text="Required text",
        long_text="First line\nSecond line",
        rich_text="<p>Rides <b>well</b>.</p>",
        stream=[("paragraph", "<p>Streamed text</p>")],
        choice="s",
        flag=True,
        maybe=False,
        count=1234,
        price=Decimal("1299.50"),
        ratio=0.25,
        day=date(2026, 3, 1),
        moment=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        clock=time(17, 45),
        address="https://example.com/trial",
        data=SPECIFICATIONS,
        picture=make_image("Second picture"),
        manual=manual,
        successor=site.root_page,
        material=steel,
        note="The editors' note",
        campaign="<p>The editors' campaign</p>",
    )
    page.materials = [steel, wool]
    page.tags.add("light", "reflective")
    page.sizes = [TrialSize(name="M", stock=5), TrialSize(name="L", stock=0)]
    page.gallery = [
        TrialGalleryImage(image=make_image(title)) for title in ("Front", "Back")
    ]
    page.links = [TrialLink(label="The editors' link")]
    site.root_page.add_child(instance=page)
    page.plain_materials.set([wool])
    make_managed(page)
    return TrialProductPage.objects.get(pk=page.pk)


@pytest.fixture
def hand_made_page(site: Site) -> TrialProductPage:
    """A live page of the same type that an editor made: the PIM does not know it."""
    page = TrialProductPage(
        title="Hand-made product",
        slug="hand-made",
        product_number="H-1",
        text="The editors' text",
        required_text="Needed",
        note="The editors' note",
    )
    page.sizes = [TrialSize(name="S", stock=1)]
    site.root_page.add_child(instance=page)
    return TrialProductPage.objects.get(pk=page.pk)
