import base64

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from wagtail_pim.client.options import DEFAULT_API_ADDRESS, Environment
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.models import PIMOptions

pytestmark = pytest.mark.django_db

SECRET = b"the secret that nobody may see"
SECRET_KEY = base64.b64encode(SECRET).decode()
OTHER_KEY = base64.b64encode(b"another secret").decode()
POSTED = {
    "api_address": "https://pim.example/",
    "environment": "Production",
    "app_key": "the-app-key",
    "secret_key": "",
    "number_of_lookback_days": "7",
    "notification_emails": "ada@shop.example\r\n\r\nops@shop.example\r\n",
}


@pytest.fixture(autouse=True)
def deploy(settings, monkeypatch):
    """Sets options by WAGTAIL_PIM; at first none is set anywhere."""
    for name in ("ENVIRONMENT", "APP_KEY", "SECRET_KEY", "API_ADDRESS"):
        monkeypatch.delenv(f"PIM_{name}", raising=False)
    monkeypatch.delenv("PIM_NUMBER_OF_LOOKBACK_DAYS", raising=False)
    monkeypatch.delenv("PIM_NOTIFICATION_EMAILS", raising=False)

    def deploy(**options):
        settings.WAGTAIL_PIM = options

    deploy()
    return deploy


@pytest.fixture
def stored():
    options = PIMOptions.load()
    options.app_key = "stored-app-key"
    options.secret_key = SECRET_KEY
    options.save()
    return options


@pytest.fixture
def form(admin_client):
    """The form of the admin: its HTML, or its HTML after posting ``changes``."""
    PIMOptions.load()
    pk = PIMOptions.objects.get().pk
    url = reverse("wagtailsettings:edit", args=["wagtail_pim", "pimoptions", pk])

    def form(**changes):
        if not changes:
            return admin_client.get(url)
        return admin_client.post(url, {**POSTED, **changes})

    return form


def row():
    """All that the table holds, as text."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {PIMOptions._meta.db_table}")
        return repr(cursor.fetchall())


def errors(response):
    return {k: v for k, v in response.context["form"].errors.items() if v}


# The model


def test_defaults():
    options = PIMOptions.load()
    assert options.environment == Environment.SANDBOX
    assert options.api_address == DEFAULT_API_ADDRESS
    assert options.number_of_lookback_days == 5
    assert options.secret_key == ""


def test_secret_is_encrypted_at_rest(stored):
    assert SECRET_KEY not in row()
    assert SECRET.decode() not in row()
    assert PIMOptions.objects.get().secret_key == SECRET_KEY


def test_secret_can_be_removed(stored):
    stored.secret_key = ""
    stored.save()
    assert PIMOptions.objects.get().encrypted_secret_key == ""


def test_secret_outlives_a_rotated_key_with_its_fallback(stored, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "rotated"
    assert PIMOptions.objects.get().connection().secret_key == SECRET


def test_secret_is_lost_with_a_rotated_key_and_says_so(stored, settings):
    settings.SECRET_KEY = "rotated"
    with pytest.raises(ConfigurationError, match="Enter the PIM's secret key again"):
        PIMOptions.objects.get().connection()


def test_deployed_secret_works_where_the_stored_one_is_lost(stored, settings, deploy):
    settings.SECRET_KEY = "rotated"
    deploy(SECRET_KEY=OTHER_KEY)
    assert PIMOptions.objects.get().connection().secret_key == b"another secret"


def test_connection_takes_the_stored_options(stored):
    connection = stored.connection()
    assert connection.app_key == "stored-app-key"
    assert connection.secret_key == SECRET
    assert connection.environment is Environment.SANDBOX
    assert connection.number_of_lookback_days == 5
    assert connection.odata_root == f"{DEFAULT_API_ADDRESS}odata/"


def test_deployed_options_win(stored, deploy):
    deploy(
        ENVIRONMENT="production",
        APP_KEY="deployed",
        SECRET_KEY=OTHER_KEY,
        NUMBER_OF_LOOKBACK_DAYS="9",
        API_ADDRESS="https://other.example",
    )
    connection = stored.connection()
    assert connection.app_key == "deployed"
    assert connection.secret_key == b"another secret"
    assert connection.environment is Environment.PRODUCTION
    assert connection.number_of_lookback_days == 9
    assert connection.odata_root == "https://other.example/odata/"


def test_environment_variables_win_over_the_table(stored, monkeypatch, deploy):
    monkeypatch.setenv("PIM_APP_KEY", "of-the-environment")
    deploy()
    assert stored.connection().app_key == "of-the-environment"
    deploy(APP_KEY="of-the-dict")
    assert stored.connection().app_key == "of-the-dict"


def test_options_that_are_not_set_are_a_configuration_error():
    with pytest.raises(ConfigurationError, match="application key of the PIM is not"):
        PIMOptions.load().connection()


def test_nobody_is_told_at_first():
    assert PIMOptions.current().recipients() == []


@pytest.mark.parametrize(
    "deployed",
    [
        ["ops@shop.example", "pim@shop.example"],
        "ops@shop.example, pim@shop.example",
        "ops@shop.example;pim@shop.example",
        "ops@shop.example\npim@shop.example\n",
    ],
)
def test_deployed_addresses_win(stored, deploy, deployed):
    stored.notification_emails = "ada@shop.example"
    deploy(NOTIFICATION_EMAILS=deployed)
    assert stored.recipients() == ["ops@shop.example", "pim@shop.example"]
    deploy(NOTIFICATION_EMAILS=[])
    assert stored.recipients() == []
    deploy()
    assert stored.recipients() == ["ada@shop.example"]


def test_addresses_of_the_environment(stored, deploy, monkeypatch):
    monkeypatch.setenv("PIM_NOTIFICATION_EMAILS", "ops@shop.example,pim@shop.example")
    deploy()
    assert stored.recipients() == ["ops@shop.example", "pim@shop.example"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("notification_emails", "ada@shop.example\nops"),
        ("api_address", "http://pim.example"),
        ("api_address", "https://[::1"),
        ("api_address", ""),
        ("environment", "Staging"),
        ("number_of_lookback_days", 0),
        ("number_of_lookback_days", 3651),
    ],
)
def test_value_that_cannot_be_used_is_not_valid(stored, field, value):
    setattr(stored, field, value)
    with pytest.raises(ValidationError) as error:
        stored.full_clean()
    assert list(error.value.message_dict) == [field]


def test_secret_is_in_no_text_of_the_model(stored):
    for text in (str(stored), repr(stored), repr(stored.connection())):
        assert SECRET_KEY not in text
        assert SECRET.decode() not in text


# The form


def test_form_never_shows_the_secret(stored, form):
    html = form().content.decode()
    assert "stored-app-key" in html
    assert "A secret key is stored. Leave this empty to keep it." in html
    assert SECRET_KEY not in html
    assert stored.encrypted_secret_key not in html


def test_form_of_a_site_without_a_secret_does_not_speak_of_one(form):
    assert "A secret key is stored" not in form().content.decode()


def test_posted_options_are_stored_and_the_secret_encrypted(form):
    assert form(secret_key=f"  {SECRET_KEY} ").status_code == 302
    options = PIMOptions.objects.get()
    assert options.secret_key == SECRET_KEY
    assert SECRET_KEY not in row()
    assert options.environment == "Production"
    assert options.app_key == "the-app-key"
    assert options.api_address == "https://pim.example/"
    assert options.number_of_lookback_days == 7
    assert options.recipients() == ["ada@shop.example", "ops@shop.example"]


def test_empty_secret_keeps_the_stored_one(stored, form):
    assert form(secret_key="").status_code == 302
    options = PIMOptions.objects.get()
    assert options.app_key == "the-app-key"
    assert options.secret_key == SECRET_KEY


def test_new_secret_replaces_the_stored_one(stored, form):
    assert form(secret_key=OTHER_KEY).status_code == 302
    assert PIMOptions.objects.get().secret_key == OTHER_KEY


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("secret_key", "hunter2-hunter2!", "not base64"),
        ("api_address", "http://pim.example", "Use https://"),
        ("api_address", "https://[::1", "not the address of a PIM"),
        ("environment", "Staging", "Staging"),
        ("number_of_lookback_days", "0", "1"),
        ("number_of_lookback_days", "9999", "3650"),
        ("notification_emails", "a@b.example\nops", "“ops” is not an e-mail address"),
    ],
)
def test_value_that_cannot_be_used_is_refused(stored, form, field, value, message):
    response = form(**{field: value})
    assert response.status_code == 200
    assert list(errors(response)) == [field]
    assert message in str(errors(response)[field])
    assert PIMOptions.objects.get().secret_key == SECRET_KEY


def test_posted_secret_is_not_shown_again(stored, form):
    for secret in ("hunter2-hunter2!", OTHER_KEY):
        response = form(secret_key=secret, number_of_lookback_days="0")
        assert response.status_code == 200
        assert secret not in response.content.decode()


def test_form_opens_where_the_stored_secret_is_lost(stored, form, settings):
    pk = stored.pk
    settings.SECRET_KEY_FALLBACKS = []
    PIMOptions.objects.filter(pk=pk).update(encrypted_secret_key="lost")
    assert form().status_code == 200
    assert form(secret_key=OTHER_KEY).status_code == 302
    assert PIMOptions.objects.get().secret_key == OTHER_KEY


DEPLOYED = {
    "ENVIRONMENT": "Production",
    "APP_KEY": "deployed-app-key",
    "SECRET_KEY": OTHER_KEY,
    "NUMBER_OF_LOOKBACK_DAYS": 9,
    "API_ADDRESS": "https://deployed.example",
    "NOTIFICATION_EMAILS": "deployed@shop.example",
}


@pytest.mark.parametrize("name", DEPLOYED)
def test_deployed_option_is_shown_disabled_with_its_source(stored, form, deploy, name):
    deploy(**{name: DEPLOYED[name]})
    response = form()
    field = response.context["form"][name.lower()]
    assert field.field.disabled
    assert "disabled" in str(field)
    assert field.help_text == f'Set by the deployment: WAGTAIL_PIM["{name}"]'
    if name != "SECRET_KEY":
        assert str(DEPLOYED[name]) in str(field)
    others = [f for f in response.context["form"] if f.name != name.lower()]
    assert not any(f.field.disabled for f in others)


def test_deployed_list_of_addresses_is_shown_as_one(stored, form, deploy):
    deploy(NOTIFICATION_EMAILS=["ada@shop.example", "ops@shop.example"])
    assert 'value="ada@shop.example, ops@shop.example"' in form().content.decode()


def test_deployed_secret_is_not_shown(stored, form, deploy):
    deploy(**DEPLOYED)
    assert OTHER_KEY not in form().content.decode()


def test_deployed_options_are_not_stored(stored, form, deploy):
    deploy(**DEPLOYED)
    response = form(secret_key=base64.b64encode(b"posted").decode(), app_key="posted")
    assert response.status_code == 302
    deploy()
    options = PIMOptions.objects.get()
    assert options.app_key == "stored-app-key"
    assert options.secret_key == SECRET_KEY
    assert options.environment == Environment.SANDBOX
    assert options.api_address == DEFAULT_API_ADDRESS
    assert options.number_of_lookback_days == 5
    assert options.notification_emails == ""


def test_option_beside_deployed_ones_is_stored(stored, form, deploy):
    deploy(APP_KEY="deployed-app-key", SECRET_KEY=OTHER_KEY)
    assert form(number_of_lookback_days="8").status_code == 302
    assert PIMOptions.objects.get().number_of_lookback_days == 8


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "production"),
        ("NUMBER_OF_LOOKBACK_DAYS", "9"),
        ("API_ADDRESS", "https://deployed.example/odata"),
    ],
)
def test_every_spelling_that_works_when_deployed_lets_the_form_be_saved(
    stored, form, deploy, name, value
):
    deploy(**{name: value})
    assert stored.connection()
    response = form()
    assert response.context["form"][name.lower()].field.disabled
    assert form(app_key="posted").status_code == 302
