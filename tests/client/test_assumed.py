import pytest

from sandbox_site.pim.faults import Fault
from wagtail_pim.client.assumed import Acknowledgement, AssumedCalls
from wagtail_pim.client.entities import Product
from wagtail_pim.exceptions import (
    DuplicateError,
    PayloadError,
    PermissionDeniedError,
    RecordNotFoundError,
    ServerFaultError,
    TruncatedPayloadError,
    VersionConflictError,
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


# Setup data

LANGUAGE = {"languageCode": "de", "name": "German", "isDefault": False}


def test_languages_and_relationship_types(pim, calls):
    pim.store.put("languages", {**LANGUAGE, "id": str(guid("de"))})
    pim.store.put("productRelationships", {"id": str(guid("r")), "name": "Sets"})
    (language,) = calls.languages()
    assert (language.id, language.language_code) == (guid("de"), "de")
    (relationship,) = calls.relationships()
    assert (relationship.id, relationship.name) == (guid("r"), "Sets")


@pytest.mark.parametrize("values", [{}, {"languageCode": None}])
def test_a_language_without_a_code_is_an_error(pim, calls, values):
    pim.store.put("languages", {"id": str(guid("de")), **values})
    with pytest.raises(PayloadError, match="language that can't be read"):
        calls.languages()


def test_created_record_has_the_id_that_it_was_sent_with(pim, calls):
    assert calls.create("languages", guid("de"), LANGUAGE) == guid("de")
    record = pim.store.get("languages", str(guid("de")))
    assert LANGUAGE.items() <= record.items()


def test_id_that_the_pim_gives_goes_before_the_one_sent(scripted, transport):
    scripted.script(Answer(201, {"Id": str(guid("theirs")).upper()}))
    calls = AssumedCalls(transport)
    assert calls.create("languages", guid("ours"), LANGUAGE) == guid("theirs")


@pytest.mark.parametrize("status", [200, 201, 204])
def test_answer_to_a_creation_without_the_record(scripted, transport, status):
    scripted.script(Answer(status))
    calls = AssumedCalls(transport)
    assert calls.create("languages", guid("ours"), LANGUAGE) == guid("ours")


@pytest.mark.parametrize("record", [{}, [], "made", {"id": None}, {"id": 5}])
def test_answer_to_a_creation_that_does_not_name_the_record(
    scripted, transport, record
):
    scripted.script(Answer(201, record))
    with pytest.raises(PayloadError, match="new record in languages"):
        AssumedCalls(transport).create("languages", guid("ours"), LANGUAGE)


@pytest.mark.parametrize("name", ["languages", "productRelationships"])
def test_pim_that_does_not_serve_a_set_has_none_of_it(pim, calls, name):
    pim.faults.add(Fault(path_contains=name, status=404, times=None))
    assert calls.languages() + calls.relationships() == []


def test_record_that_was_changed_meanwhile_is_not_updated(pim, calls):
    calls.create("languages", guid("de"), LANGUAGE)
    (read,) = calls.languages()
    pim.store.patch("languages", str(read.id), name="Allemand")
    with pytest.raises(VersionConflictError):
        calls.update("languages", read.id, {"name": "Deutsch"}, etag=read.etag)
    assert calls.languages()[0].name == "Allemand"


def test_record_of_a_taken_id_or_name_is_a_duplicate(pim, calls):
    calls.create("languages", guid("de"), LANGUAGE)
    for another in (guid("de"), guid("another")):
        with pytest.raises(DuplicateError, match="POST /odata/languages, 409"):
            calls.create("languages", another, LANGUAGE)
    assert len(calls.languages()) == 1


@pytest.mark.parametrize("kind", ["lose", "truncate", "short"])
def test_creation_whose_answer_is_lost_makes_one_record(pim, calls, kind):
    pim.faults.add(Fault(method="POST", kind=kind))
    with pytest.raises(DuplicateError):
        calls.create("languages", guid("de"), LANGUAGE)
    assert [each.id for each in calls.languages()] == [guid("de")]


@pytest.mark.parametrize("fault", [{"kind": "drop"}, {"status": 503}])
def test_creation_that_was_not_made_is_tried_again(pim, calls, fault):
    pim.faults.add(Fault(method="POST", **fault))
    assert calls.create("languages", guid("de"), LANGUAGE) == guid("de")


def test_creation_with_a_key_that_may_only_read(pim, waits):
    calls = AssumedCalls(transport_to(pim, read_only=True))
    with pytest.raises(PermissionDeniedError, match="write access"):
        calls.create("languages", guid("de"), LANGUAGE)
    assert calls.languages() == []


def test_update_sets_what_it_names_and_no_more(pim, calls):
    calls.create("languages", guid("de"), LANGUAGE)
    calls.update("languages", guid("de"), {"name": "Deutsch"})
    (language,) = calls.languages()
    assert (language.name, language.language_code) == ("Deutsch", "de")


def test_update_of_what_is_not_there(pim, calls):
    with pytest.raises(RecordNotFoundError):
        calls.update("languages", guid("de"), {"name": "Deutsch"})
