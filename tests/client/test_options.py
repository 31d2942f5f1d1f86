import pytest

from wagtail_pim.client.options import Environment, normalise_api_address
from wagtail_pim.exceptions import ConfigurationError

from .conftest import SECRET, SECRET_KEY, options_for

ADDRESS = "https://pim.example/"


@pytest.mark.parametrize(
    ("address", "root"),
    [
        ("https://pim.insitecloud.net/", "https://pim.insitecloud.net/odata/"),
        ("https://pim.example", "https://pim.example/odata/"),
        ("https://pim.example/odata", "https://pim.example/odata/"),
        ("https://pim.example/odata/", "https://pim.example/odata/"),
        ("https://pim.example//odata//", "https://pim.example/odata/"),
        ("https://pim.example//", "https://pim.example/odata/"),
        ("https://pim.example/OData//", "https://pim.example/OData/"),
        ("https://pim.example/tenant/7", "https://pim.example/tenant/7/odata/"),
        ("https://pim.example/myodata", "https://pim.example/myodata/odata/"),
        ("  https://pim.example:8443/\n", "https://pim.example:8443/odata/"),
        ("http://localhost:8001", "http://localhost:8001/odata/"),
        ("http://127.0.0.1", "http://127.0.0.1/odata/"),
        ("http://[::1]:8001/", "http://[::1]:8001/odata/"),
    ],
)
def test_api_address_leads_to_the_odata_root(address, root):
    assert normalise_api_address(address) == root
    assert normalise_api_address(root) == root


@pytest.mark.parametrize(
    "address",
    [
        "",
        "pim.example",
        "/odata/",
        "https://",
        "https:///odata",
        "ftp://pim.example",
        "javascript:alert(1)",
        "https://pim.example:port",
        "https://pim.example:99999",
        "https://pim.example/?key=1",
        "https://pim.example/#top",
        "https://[::1",
        "https://pim℀.example/",
        "https://pim..example/",
        "https://.pim.example/",
        "https://pim.example\\@other.example/",
        "https://pim .example/",
    ],
)
def test_address_of_no_pim_is_a_configuration_error(address):
    with pytest.raises(ConfigurationError, match="is not the address of a PIM"):
        normalise_api_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://pim.example/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "http://10.0.0.1/",
    ],
)
def test_plain_http_is_for_this_machine_alone(address):
    with pytest.raises(ConfigurationError, match="Use https://"):
        normalise_api_address(address)


@pytest.mark.parametrize(
    "address", ["https://me:hunter2@pim.example/", "me:hunter2@pim.example"]
)
def test_password_in_the_address_is_refused_and_not_repeated(address):
    with pytest.raises(ConfigurationError) as error:
        normalise_api_address(address)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize("given", ["Sandbox", "sandbox", "SANDBOX"])
def test_environment_is_told_without_regard_to_case(given):
    assert options_for(ADDRESS, environment=given).environment is Environment.SANDBOX


@pytest.mark.parametrize("given", [1, 5, "5", 3650])
def test_lookback_days_may_be_text(given):
    options = options_for(ADDRESS, number_of_lookback_days=given)
    assert options.number_of_lookback_days == int(given)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("environment", "Staging", "“Staging”; set Production or Sandbox"),
        ("environment", None, "set Production or Sandbox"),
        ("app_key", "", "application key of the PIM is not set.*Settings"),
        ("app_key", None, "application key of the PIM is not set"),
        ("app_key", "a:b", "application key holds characters"),
        ("app_key", "a\r\nX-Evil: 1", "application key holds characters"),
        ("app_key", "schlüssel", "application key holds characters"),
        ("secret_key", "", "secret key of the PIM is not set"),
        ("secret_key", "not base64!", "secret key is not base64"),
        ("number_of_lookback_days", 0, "“0”; set 1 to 3650"),
        ("number_of_lookback_days", -3, "set 1 to 3650"),
        ("number_of_lookback_days", "many", "“many”; set 1 to 3650"),
        ("number_of_lookback_days", None, "set 1 to 3650"),
        ("number_of_lookback_days", 1.5, "set 1 to 3650"),
        ("api_address", "http://pim.example", "Use https://"),
    ],
)
def test_option_that_cannot_be_used_is_named(option, value, message):
    with pytest.raises(ConfigurationError, match=message):
        options_for(ADDRESS, **{option: value})


def test_secret_is_decoded_and_in_no_repr():
    options = options_for(ADDRESS)
    assert options.secret_key == SECRET
    assert "secret" not in repr(options)
    assert SECRET_KEY not in repr(options)
