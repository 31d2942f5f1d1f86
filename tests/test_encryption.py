import pytest
from cryptography.fernet import InvalidToken
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from wagtail_pim.encryption import decrypt, encrypt
from wagtail_pim.exceptions import ConfigurationError


@pytest.fixture(autouse=True)
def secret_key(settings):
    settings.SECRET_KEY = "first"
    settings.SECRET_KEY_FALLBACKS = []


@given(st.text(st.characters(codec="utf-8")))
@hypothesis_settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_encrypted_can_be_decrypted(text):
    assert decrypt(encrypt(text)) == text


def test_token_does_not_show_the_text():
    token = encrypt("hunter2")
    assert "hunter2" not in token
    assert token != encrypt("hunter2")


def test_rotated_key_works_through_the_fallbacks(settings):
    token = encrypt("hunter2")
    settings.SECRET_KEY = "second"
    settings.SECRET_KEY_FALLBACKS = ["first"]
    assert decrypt(token) == "hunter2"


def test_new_tokens_are_made_with_the_current_key(settings):
    settings.SECRET_KEY = "second"
    settings.SECRET_KEY_FALLBACKS = ["first"]
    token = encrypt("hunter2")
    settings.SECRET_KEY_FALLBACKS = []
    assert decrypt(token) == "hunter2"


def test_rotated_key_without_fallback_says_what_to_do(settings):
    token = encrypt("hunter2")
    settings.SECRET_KEY = "second"
    with pytest.raises(ConfigurationError, match="SECRET_KEY has changed") as error:
        decrypt(token)
    assert isinstance(error.value.__cause__, InvalidToken)
    assert "Enter the PIM's secret key again" in str(error.value)
    assert "SECRET_KEY_FALLBACKS" in str(error.value)
    assert "second" not in str(error.value)


@pytest.mark.parametrize("token", ["", "hunter2", "gAAAAA", "ä", "\x00"])
def test_what_is_no_token_is_a_configuration_error(token):
    with pytest.raises(ConfigurationError):
        decrypt(token)


@pytest.mark.parametrize("position", [0, 20, 60, -2])
def test_changed_token_is_a_configuration_error(position):
    token = list(encrypt("hunter2"))
    token[position] = "A" if token[position] != "A" else "B"
    with pytest.raises(ConfigurationError):
        decrypt("".join(token))
