import pytest

from sandbox_site.pim.faults import Fault
from wagtail_pim.client.assumed import Acknowledgement, AssumedCalls
from wagtail_pim.client.entities import Product
from wagtail_pim.exceptions import (
    PayloadError,
    PermissionDeniedError,
    ServerFaultError,
    TruncatedPayloadError,
)

from .conftest import Answer, guid, product, transport_to


@pytest.fixture
def calls(pim, waits):
    return AssumedCalls(transport_to(pim))


@pytest.fixture
def shirt(pim):
    """An approved product as the site has read it."""
    return read(pim, "A")


def read(pim, number):
    pim.store.put("products", product(number, publishedVersionNumber=2))
    return Product.parse(pim.store.get("products", str(guid(number))))


def in_pim(pim):
    record = pim.store.get("products", str(guid("A")))
    return record["status"], record["publishedVersionNumber"]


@pytest.mark.parametrize("environment", ["Sandbox", "Production"])
def test_active_environment(pim, calls, environment):
    pim.environment = environment
    assert calls.active_publishing_environment() == environment


def test_pim_that_does_not_tell_its_environment(pim, calls):
    pim.environment = None
    assert calls.active_publishing_environment() is None


def test_environment_under_a_key_in_another_case(scripted, transport):
    scripted.script(Answer(body={"ActivePublishingEnvironment": "Sandbox"}))
    calls = AssumedCalls(transport)
    assert calls.active_publishing_environment() == "Sandbox"


@pytest.mark.parametrize(
    "answer", [[], {}, None, "Sandbox", {"activePublishingEnvironment": None}]
)
def test_settings_without_an_environment_are_an_error(scripted, transport, answer):
    scripted.script(Answer(body=answer))
    with pytest.raises(PayloadError, match="do not name its active publishing") as e:
        AssumedCalls(transport).active_publishing_environment()
    assert not isinstance(e.value, TruncatedPayloadError)


def test_acknowledged_product_is_published_in_the_applied_version(pim, calls, shirt):
    assert calls.acknowledge(shirt) is Acknowledgement.DONE
    assert in_pim(pim) == ("Published", 3)


@pytest.mark.parametrize("status", [200, 204])
def test_acknowledgement_says_version_and_if_match(scripted, transport, status):
    scripted.script(Answer(status, {"id": 1} if status == 200 else b""))
    etag = {"@odata.etag": 'W/"7"'}
    acknowledged = AssumedCalls(transport).acknowledge(
        Product.parse(product("A", **etag))
    )
    assert acknowledged is Acknowledgement.DONE
    (request,) = scripted.requests
    assert request.target == f"/odata/products({guid('A')})"
    assert request.headers["If-Match"] == 'W/"7"'
    assert request.body == b'{"status": "Published", "publishedVersionNumber": 3}'


def test_acknowledgement_whose_answer_was_lost_is_done(pim, calls, shirt):
    pim.faults.add(Fault(method="PATCH", kind="lose"))
    assert calls.acknowledge(shirt) is Acknowledgement.DONE
    # The second attempt was refused for its etag; reading has told why.
    methods = [(request.method, request.status) for request in pim.requests]
    assert methods == [("PATCH", None), ("PATCH", 412), ("GET", 200)]


def test_acknowledgement_can_be_repeated(calls, shirt):
    assert calls.acknowledge(shirt) is Acknowledgement.DONE
    assert calls.acknowledge(shirt) is Acknowledgement.DONE


def test_product_that_was_edited_meanwhile_has_moved_on(pim, calls, shirt):
    pim.store.patch("products", str(shirt.id), currentVersionNumber=4)
    assert calls.acknowledge(shirt) is Acknowledgement.MOVED_ON
    assert in_pim(pim) == ("Approved", 2)


def test_product_that_was_published_in_a_later_version_has_moved_on(pim, calls, shirt):
    pim.store.patch(
        "products",
        str(shirt.id),
        status="Published",
        currentVersionNumber=4,
        publishedVersionNumber=4,
    )
    assert calls.acknowledge(shirt) is Acknowledgement.MOVED_ON


def test_product_that_moves_on_without_an_etag(pim, calls):
    pim.store.put("products", product("A", currentVersionNumber=4))
    unmarked = Product.parse(product("A"))
    assert calls.acknowledge(unmarked) is Acknowledgement.MOVED_ON


def test_product_that_is_gone(pim, calls, shirt):
    pim.store.delete("products", str(shirt.id))
    assert calls.acknowledge(shirt) is Acknowledgement.GONE


def test_product_that_goes_between_refusal_and_reading(pim, calls, shirt):
    pim.store.patch("products", str(shirt.id), currentVersionNumber=4)
    pim.faults.before(
        "products", lambda: pim.store.delete("products", str(shirt.id)), method="GET"
    )
    assert calls.acknowledge(shirt) is Acknowledgement.GONE


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": "published", "publishedVersionNumber": 3}, "done"),
        ({"STATUS": "PUBLISHED", "PublishedVersionNumber": 3.0}, "done"),
        ({"status": "Published", "publishedVersionNumber": None}, "moved_on"),
        ({"status": None, "publishedVersionNumber": 3}, "moved_on"),
        ({}, "moved_on"),
        ([], "moved_on"),
        (None, "moved_on"),
    ],
)
def test_what_the_pim_says_after_a_refusal(scripted, transport, answer, expected):
    scripted.script(Answer(412), Answer(body=answer))
    result = AssumedCalls(transport).acknowledge(Product.parse(product("A")))
    assert result == expected


def test_acknowledgement_survives_a_fault(pim, calls, shirt, waits):
    pim.faults.add(Fault(method="PATCH", status=503, headers={"Retry-After": "2"}))
    assert calls.acknowledge(shirt) is Acknowledgement.DONE
    assert waits == [2]


def test_acknowledgement_that_fails_for_good_is_an_error(pim, calls, shirt):
    pim.faults.add(Fault(method="PATCH", status=503, times=None))
    with pytest.raises(ServerFaultError):
        calls.acknowledge(shirt)


def test_read_only_key_cannot_acknowledge(pim, shirt):
    calls = AssumedCalls(transport_to(pim, read_only=True))
    with pytest.raises(PermissionDeniedError):
        calls.acknowledge(shirt)
    assert in_pim(pim) == ("Approved", 2)
