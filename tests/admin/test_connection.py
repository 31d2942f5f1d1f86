"""The PIM options in the admin, and their connection test."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from sandbox_site.pim.server import PimServer
from wagtail_pim.models import PIMOptions

SECRET = "c2VjcmV0LXRoYXQtbm8tcGFnZS1tYXktc2hvdw=="

pytestmark = pytest.mark.django_db


@pytest.fixture
def pim(tmp_path):
    with PimServer(database=tmp_path / "pim.sqlite3", port=0) as server:
        server.store.generate(3)
        yield server


@pytest.fixture
def url():
    return reverse("wagtail_pim:test_connection")


@pytest.fixture
def no_deployment(settings):
    settings.WAGTAIL_PIM = {}


def posted(pim: PimServer, **changes: str) -> dict[str, str]:
    key = pim.store.credentials().write
    return {
        "api_address": pim.url,
        "environment": "Sandbox",
        "app_key": key.app_key,
        "secret_key": key.secret_key,
        "number_of_lookback_days": "5",
        **changes,
    }


def test_it_tries_what_stands_in_the_form_and_saves_nothing(
    admin_client, pim, url, no_deployment
):
    page = admin_client.post(url, posted(pim)).content.decode()
    assert "accepts the key" in page
    assert "pim-findings__item--error" not in page
    assert not PIMOptions.objects.exists()
    assert {method for method, *_rest in request_lines(pim)} == {"GET"}


def request_lines(pim: PimServer) -> list[tuple[str, ...]]:
    return [(entry.method, entry.target) for entry in pim.requests]


def test_an_empty_secret_key_is_the_stored_one(admin_client, pim, url, no_deployment):
    options = PIMOptions()
    options.secret_key = pim.store.credentials().write.secret_key
    options.save()
    page = admin_client.post(url, posted(pim, secret_key="")).content.decode()
    assert "accepts the key" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"secret_key": "no base64!"}, "not base64"),
        ({"secret_key": SECRET}, "does not accept the application key"),
        ({"app_key": ""}, "is not set"),
        ({"environment": "Production"}, "publishes to Sandbox"),
        ({"api_address": "http://127.0.0.1:9/"}, "does not answer"),
        ({"api_address": "pim.example.com"}, "is not the address of a PIM"),
        ({"api_address": "http://pim.example.com/"}, "is not encrypted"),
        ({"number_of_lookback_days": "0"}, "greater than or equal to 1"),
    ],
)
def test_it_says_what_is_wrong_and_keeps_the_secret(
    admin_client, pim, url, no_deployment, settings, changes, said
):
    settings.WAGTAIL_PIM = {"MAX_ATTEMPTS": 1}
    page = admin_client.post(url, posted(pim, **changes)).content.decode()
    assert said in page
    assert "pim-findings__item--error" in page
    for secret in (SECRET, pim.store.credentials().write.secret_key):
        assert secret not in page


def test_it_is_for_those_who_may_change_the_options(client, pim, url, no_deployment):
    editor = User.objects.create_user("editor", password="x")
    editor.user_permissions.add(Permission.objects.get(codename="access_admin"))
    client.force_login(editor)
    response = client.post(
        url, posted(pim), headers={"X-Requested-With": "XMLHttpRequest"}
    )
    assert response.status_code == 403
    editor.user_permissions.add(Permission.objects.get(codename="change_pimoptions"))
    assert client.post(url, posted(pim)).status_code == 200


def test_it_answers_nothing_but_post(admin_client, url):
    assert admin_client.get(url).status_code == 405


def test_the_stored_secret_is_on_no_page(admin_client, no_deployment):
    options = PIMOptions()
    options.secret_key = SECRET
    options.save()
    edit = reverse("wagtailsettings:edit", args=("wagtail_pim", "pimoptions"))
    page = admin_client.get(edit, follow=True).content.decode()
    assert "Test connection" in page
    assert SECRET not in page
    assert options.encrypted_secret_key not in page


def test_saving_with_an_empty_secret_keeps_it(admin_client, pim, no_deployment):
    options = PIMOptions()
    options.secret_key = SECRET
    options.save()
    edit = reverse(
        "wagtailsettings:edit", args=("wagtail_pim", "pimoptions", options.pk)
    )
    admin_client.post(edit, posted(pim, secret_key=""))
    saved = PIMOptions.objects.get()
    assert saved.secret_key == SECRET
    assert saved.api_address == pim.url


def test_what_the_deployment_sets_is_shown_and_not_stored(admin_client, pim, settings):
    settings.WAGTAIL_PIM = {"APP_KEY": "deployed-key", "SECRET_KEY": SECRET}
    options = PIMOptions.objects.create(app_key="stored-key")
    edit = reverse(
        "wagtailsettings:edit", args=("wagtail_pim", "pimoptions", options.pk)
    )
    page = admin_client.get(edit).content.decode()
    assert "deployed-key" in page
    assert "WAGTAIL_PIM[&quot;APP_KEY&quot;]" in page
    assert SECRET not in page
    admin_client.post(edit, posted(pim))
    saved = PIMOptions.objects.get()
    assert saved.app_key == "stored-key"
    assert not saved.encrypted_secret_key
