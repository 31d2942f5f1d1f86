import json
import logging
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from types import SimpleNamespace

import pytest

from sandbox_site.pim.faults import Fault
from wagtail_pim.client import auth as auth_module
from wagtail_pim.client import transport as transport_module
from wagtail_pim.client.transport import RetryPolicy, Transport
from wagtail_pim.exceptions import (
    AuthenticationError,
    ClockSkewError,
    ConfigurationError,
    DuplicateError,
    PayloadError,
    PermanentError,
    PermissionDeniedError,
    PimError,
    RecordNotFoundError,
    ServerFaultError,
    TransientError,
    TruncatedPayloadError,
    UnreachableError,
    VersionConflictError,
)

from .conftest import (
    APP_KEY,
    DROP,
    SECRET_KEY,
    Answer,
    guid,
    options_for,
    product,
    transport_to,
)

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def http_date(moment):
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def odata_error(status, message="no", **headers):
    body = {"error": {"code": "Whatever", "message": message}}
    return Answer(status, body, {k.replace("_", "-"): v for k, v in headers.items()})


# What is sent


def test_post_sends_json_and_returns_what_was_made(scripted, transport):
    scripted.script(Answer(201, {"id": "x", "rate": 1.10}))
    made = transport.post("languages", {"name": "Français"})
    assert made == {"id": "x", "rate": Decimal("1.1")}
    (request,) = scripted.requests
    assert (request.method, request.target) == ("POST", "/odata/languages")
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body) == {"name": "Français"}


@pytest.mark.parametrize("status", [201, 204])
def test_post_without_an_answers_body(scripted, transport, status):
    scripted.script(Answer(status))
    assert transport.post("languages", {}) is None


def test_each_attempt_of_a_post_is_signed_anew(scripted, transport):
    scripted.script(DROP, Answer(503), Answer(201, b'{"id": '), Answer(201, {}))
    assert transport.post("languages", {"name": "x"}) == {}
    assert len({request.nonce for request in scripted.requests}) == 4
    assert len({request.body for request in scripted.requests}) == 1


def test_answer_to_a_post_that_stays_garbage_is_an_error(scripted, transport):
    scripted.script(Answer(201, b"<html>"))
    with pytest.raises(TruncatedPayloadError, match="POST /odata/languages"):
        transport.post("languages", {})


def test_duplicate_is_told_apart_and_not_tried_again(scripted, transport):
    scripted.script(odata_error(409, "Exists."))
    with pytest.raises(DuplicateError, match=r"409: Exists\."):
        transport.post("languages", {})
    assert len(scripted.requests) == 1


def test_sandbox_pim_accepts_the_signature_of_any_target(pim):
    pim.store.put("products", product("A", color="it's «blau» & 100% +ve"))
    answer = transport_to(pim).get(
        "products/GetInternal(notificationId=null,languageId=null,"
        "isShowOnlyProductsMissingTranslations=false)",
        {"$filter": "color eq 'it''s «blau» & 100% +ve'", "$count": "true"},
    )
    assert [record["productNumber"] for record in answer["value"]] == ["A"]
    assert answer["@odata.count"] == 1


def test_sandbox_pim_accepts_the_signature_of_a_body(pim):
    pim.store.put("products", product("A"))
    transport_to(pim).patch(f"products({guid('A')})", {"color": "grün 💧"})
    assert pim.store.get("products", str(guid("A")))["color"] == "grün 💧"


def test_body_is_json_and_if_match_carries_the_etag(scripted, transport):
    transport.patch("products(1)", {"status": "Published"}, etag='W/"7"')
    (request,) = scripted.requests
    assert (request.method, request.target) == ("PATCH", "/odata/products(1)")
    assert json.loads(request.body) == {"status": "Published"}
    assert request.headers["If-Match"] == 'W/"7"'
    assert request.headers["Content-Type"] == "application/json"


def test_no_if_match_without_an_etag(scripted, transport):
    transport.patch("products(1)", {})
    assert scripted.requests[0].headers["If-Match"] is None


def test_netrc_does_not_replace_the_signature(
    scripted, transport, tmp_path, monkeypatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    scripted.script(Answer(body={}))
    transport.get("things")
    assert scripted.requests[0].authorization.startswith(f"epi-hmac {APP_KEY}:")


# What comes back


def test_numbers_keep_their_digits(scripted, transport):
    scripted.script(Answer(body=b'{"price": 0.1000, "huge": 1e400, "whole": 7}'))
    answer = transport.get("things")
    assert str(answer["price"]) == "0.1000"
    assert answer["huge"] == Decimal("1e400")
    assert type(answer["whole"]) is int


@pytest.mark.parametrize(
    "answer",
    [Answer(204), Answer(200), Answer(201, {"id": 1}), Answer(200, b"<p>Saved</p>")],
)
def test_write_succeeds_whatever_its_answer_says(scripted, transport, answer):
    scripted.script(answer)
    transport.patch("products(1)", {})
    assert len(scripted.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"value": [',
        b"<!doctype html><title>Login</title>",
        b"\xff\xfe\x00",
        b"not json",
        b"[" * 200_000,
    ],
)
def test_answer_that_is_not_json_is_tried_again_then_an_error(
    scripted, transport, waits, body
):
    scripted.script(Answer(body=body))
    with pytest.raises(TruncatedPayloadError, match="GET /odata/things is not whole"):
        transport.get("things")
    assert len(scripted.requests) == 5
    assert len(waits) == 4


@pytest.mark.parametrize("kind", ["drop", "truncate", "short"])
def test_broken_answer_is_asked_for_again(pim, waits, kind):
    pim.store.put("products", product("A"))
    pim.faults.add(Fault(path_contains="products", kind=kind))
    answer = transport_to(pim).get("products")
    assert [record["productNumber"] for record in answer["value"]] == ["A"]
    assert len(waits) == 1


# Retries


def test_every_attempt_has_a_nonce_of_its_own(scripted, transport):
    scripted.script(odata_error(503), DROP, Answer(body=b"{"), Answer(body={}))
    assert transport.get("things", {"$top": "1"}) == {}
    assert len({request.nonce for request in scripted.requests}) == 4
    assert {r.target for r in scripted.requests} == {"/odata/things?%24top=1"}


def test_sandbox_pim_accepts_a_second_attempt(pim, waits):
    # It refuses a nonce that a failed attempt has used up.
    pim.faults.add(Fault(status=503))
    assert transport_to(pim).get("products")["value"] == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (odata_error(500), ServerFaultError),
        (odata_error(502), ServerFaultError),
        (odata_error(503), ServerFaultError),
        (odata_error(429), ServerFaultError),
        (odata_error(408), ServerFaultError),
        (DROP, UnreachableError),
    ],
)
def test_transient_fault_is_tried_five_times(scripted, transport, waits, answer, error):
    scripted.script(answer)
    with pytest.raises(error):
        transport.get("things")
    assert len(scripted.requests) == 5
    assert len(waits) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 412, 422])
def test_refusal_is_not_tried_again(scripted, transport, waits, status):
    scripted.script(odata_error(status))
    with pytest.raises(PimError):
        transport.get("things")
    assert len(scripted.requests) == 1
    assert waits == []


def test_waits_grow_up_to_the_limit(scripted, waits):
    scripted.script(odata_error(503))
    policy = RetryPolicy(max_attempts=9, max_wait=8)
    with pytest.raises(ServerFaultError):
        Transport(options_for(scripted.url), policy).get("things")
    for wait, most in zip(waits, [0.5, 1, 2, 4, 8, 8, 8, 8], strict=True):
        assert most / 2 <= wait <= most


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("0", 0, 0),
        ("7", 7, 7),
        (" 7 ", 7, 7),
        ("3600", 60, 60),
        ("9" * 400, 60, 60),
        (http_date(datetime(2100, 1, 1, tzinfo=UTC)), 60, 60),
        (http_date(datetime(2024, 1, 1, tzinfo=UTC)), 0, 0),
        # What can't be read leaves the wait to us.
        ("", 0.25, 0.5),
        ("-5", 0.25, 0.5),
        ("1.5", 0.25, 0.5),
        ("soon", 0.25, 0.5),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0.25, 0.5),
        ("Mon, 01 Jan 2024 00:00:00 -0000", 0, 0),
    ],
)
def test_retry_after_is_honoured_with_a_limit(
    scripted, transport, waits, retry_after, least, most
):
    scripted.script(odata_error(503, Retry_After=retry_after), Answer(body={}))
    transport.get("things")
    (wait,) = waits
    assert least <= wait <= most


def test_retry_after_as_a_date_is_that_long(scripted, transport, waits):
    in_half_a_minute = http_date(datetime.now(UTC) + timedelta(seconds=30))
    scripted.script(odata_error(429, Retry_After=in_half_a_minute), Answer(body={}))
    transport.get("things")
    assert waits[0] == pytest.approx(28, abs=3)


def test_server_fault_tells_how_long_the_pim_asked_to_wait(scripted, transport):
    scripted.script(odata_error(503, Retry_After="3600"))
    with pytest.raises(ServerFaultError) as error:
        transport.get("things")
    assert error.value.retry_after == 3600


# Errors told apart


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (400, PermanentError, r"refuses the request \(GET /odata/things, 400: no\)"),
        (401, AuthenticationError, r"401: no\). Check both in Settings"),
        (403, PermissionDeniedError, "403: no.*needs a key with write access"),
        (404, RecordNotFoundError, r"does not have this \(GET /odata/things, 404"),
        (410, RecordNotFoundError, "does not have this"),
        (412, VersionConflictError, r"changed in the PIM meanwhile \(GET /odata/th"),
        (418, PermanentError, "refuses the request"),
        (500, ServerFaultError, r"fault of its own \(GET /odata/things, 500: no\)"),
    ],
)
def test_statuses_are_told_apart(scripted, transport, status, error, message):
    scripted.script(odata_error(status))
    with pytest.raises(error, match=message) as caught:
        transport.get("things", {"$filter": "x"})
    assert type(caught.value) is error


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed_but_named(scripted, transport, other_host, status):
    scripted.script(Answer(status, headers={"Location": f"{other_host.url}/x"}))
    with pytest.raises(ConfigurationError, match=r"redirect.*Set the API address"):
        transport.get("things")
    assert other_host.requests == []
    assert len(scripted.requests) == 1


@pytest.mark.parametrize("status", [300, 302, 304])
def test_redirect_to_nowhere_is_no_success(scripted, transport, status):
    scripted.script(Answer(status))
    with pytest.raises(PermanentError, match=str(status)):
        transport.patch("products(1)", {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Proxy error</html>",
        b"[]",
        b"null",
        b'{"error": "text"}',
        b'{"error": null}',
        b"[" * 200_000,
    ],
)
def test_error_without_a_message_is_told_by_its_status(scripted, transport, body):
    scripted.script(Answer(400, body))
    with pytest.raises(PermanentError, match=r"\(GET /odata/things, 400\)"):
        transport.get("things")


def test_long_message_of_the_pim_is_shortened_to_one_line(scripted, transport):
    scripted.script(odata_error(400, "so\n\n  much " + "x" * 5000))
    with pytest.raises(PermanentError, match=r"so much x{100}") as error:
        transport.get("things")
    assert len(str(error.value)) < 500
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("offset", "message"),
    [(HOUR, "60 minutes behind"), (-HOUR, "60 minutes ahead of")],
)
def test_clock_skew_is_not_called_a_bad_key(scripted, transport, offset, message):
    date = http_date(datetime.now(UTC) + offset + timedelta(seconds=5))
    if offset < timedelta(0):
        date = http_date(datetime.now(UTC) + offset)
    scripted.script(odata_error(401, Date=date))
    with pytest.raises(ClockSkewError, match=f"{message} the PIM's.*NTP"):
        transport.get("things")


@pytest.mark.parametrize(
    "date",
    [
        None,
        pytest.param(http_date(datetime.now(UTC)), id="now"),
        pytest.param(http_date(datetime.now(UTC) + 4 * MINUTE), id="in 4 minutes"),
        "yesterday",
        "",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 99 Jan 2024 00:00:00 GMT",
    ],
)
def test_bad_key_is_not_called_clock_skew(scripted, transport, date):
    scripted.script(odata_error(401, **({"Date": date} if date is not None else {})))
    with pytest.raises(AuthenticationError, match="Check both in Settings") as error:
        transport.get("things")
    assert type(error.value) is AuthenticationError


def test_clock_skew_against_the_sandbox_pim(pim, monkeypatch):
    class SlowClock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - HOUR

    slow = SimpleNamespace(time_ns=lambda: time.time_ns() - 3600 * 10**9)
    monkeypatch.setattr(transport_module, "datetime", SlowClock)
    monkeypatch.setattr(auth_module, "time", slow)
    with pytest.raises(ClockSkewError, match=r"(59|60) minutes behind the PIM's"):
        transport_to(pim).get("products")


def test_wrong_secret_against_the_sandbox_pim(pim):
    key = pim.store.credentials().write
    options = options_for(pim.url, app_key=key.app_key)
    with pytest.raises(AuthenticationError, match="signature does not match"):
        Transport(options, RetryPolicy()).get("products")


def test_read_only_key_against_the_sandbox_pim(pim):
    pim.store.put("products", product("A"))
    transport = transport_to(pim, read_only=True)
    assert transport.get("products")["value"]
    with pytest.raises(PermissionDeniedError, match="write access"):
        transport.patch(f"products({guid('A')})", {"color": "x"})


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1", f"https://{'a' * 64}.invalid"],
)
def test_pim_that_is_not_there_is_unreachable(waits, address):
    policy = RetryPolicy(connect_timeout=2, max_attempts=2)
    with pytest.raises(UnreachableError, match=r"does not answer.*Check the API"):
        Transport(options_for(address), policy).get("things")
    assert len(waits) == 1


def test_pim_that_takes_too_long_is_unreachable(scripted, waits):
    over = threading.Event()
    scripted.respond = lambda request: over.wait(10) and DROP
    policy = RetryPolicy(read_timeout=0.05, max_attempts=2)
    try:
        with pytest.raises(UnreachableError, match="ReadTimeout"):
            Transport(options_for(scripted.url), policy).get("things")
    finally:
        over.set()


# Credentials


@pytest.mark.parametrize("target", ["{url}/odata/things", "//{host}/odata/things"])
def test_nothing_is_sent_to_another_host(scripted, transport, other_host, target):
    target = target.format(url=other_host.url, host=other_host.host)
    with pytest.raises(PayloadError, match=r"Credentials go to http://127"):
        transport.get(target)
    assert other_host.requests == scripted.requests == []


@pytest.mark.parametrize(
    "target",
    [
        "http://{other}\\@{own}/odata/things",
        "http://{other}\\\\@{own}/odata/things",
        "http://{other}/\\@{own}/odata/things",
        "http://{own}@{other}/odata/things",
        "http://{other}#@{own}/odata/things",
        "http://{other}?@{own}/odata/things",
        "\t//{other}/odata/things",
        "https://{own}/odata/things",
        "file:///etc/passwd",
        "http://[::1/odata/things",
        "http://127.0.0.1:port/odata/things",
    ],
)
def test_no_spelling_of_an_address_leads_to_another_host(
    scripted, transport, other_host, target
):
    with pytest.raises(PayloadError, match="Credentials go to"):
        transport.get(target.format(own=scripted.host, other=other_host.host))
    assert other_host.requests == scripted.requests == []


def test_backslashes_at_the_start_are_a_path_of_the_pim(
    scripted, transport, other_host
):
    scripted.script(Answer(body={}))
    transport.get(f"\\\\{other_host.host}/things")
    assert len(scripted.requests) == 1
    assert other_host.requests == []


def test_absolute_address_of_the_pim_is_followed(scripted, transport):
    scripted.script(Answer(body={"value": []}))
    transport.get(f"{scripted.url.upper()}/odata/things?$skiptoken=a%2Fb")
    assert scripted.requests[0].target == "/odata/things?$skiptoken=a%2Fb"


def errors_of_all_kinds():
    return [
        odata_error(400),
        odata_error(401),
        odata_error(401, Date=http_date(datetime.now(UTC) - HOUR)),
        odata_error(403),
        odata_error(404),
        odata_error(412),
        odata_error(503),
        Answer(302, headers={"Location": "http://other.example/"}),
        Answer(body=b"{"),
        Answer(body=b"{}", headers={"Content-Length": "99"}),
        DROP,
    ]


@pytest.mark.parametrize("answer", errors_of_all_kinds())
def test_no_error_and_no_log_holds_the_credentials(scripted, transport, caplog, answer):
    caplog.set_level(logging.DEBUG)
    scripted.script(answer)
    with pytest.raises(PimError) as error:
        transport.get("things", {"$filter": "x"})
    signatures = [r.authorization.rpartition(":")[2] for r in scripted.requests]
    assert signatures
    told = "".join(traceback.format_exception(error.value)) + caplog.text
    for secret in ("epi-hmac", SECRET_KEY, *signatures):
        assert secret not in told
        assert secret not in repr(error.value)


def test_unreachable_pim_is_told_without_the_query(waits):
    value = str(guid("value"))
    policy = RetryPolicy(max_attempts=1)
    with pytest.raises(UnreachableError, match="GET /odata/things: Conn") as error:
        Transport(options_for("http://127.0.0.1:1"), policy).get("things", {"q": value})
    assert value not in "".join(traceback.format_exception(error.value))


def test_retries_are_logged_with_attempt_wait_and_reason(scripted, transport, caplog):
    scripted.script(odata_error(503, Retry_After="7"), Answer(body={}))
    transport.get("things")
    (record,) = [r for r in caplog.records if r.name.startswith("wagtail_pim")]
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("Attempt 1 failed, next in 7.0 s: The PIM")


def test_secret_is_in_no_repr(transport):
    assert "secret" not in repr(transport) + repr(vars(transport))


def test_transient_errors_are_those_worth_another_try():
    assert issubclass(TruncatedPayloadError, TransientError)
    assert issubclass(TruncatedPayloadError, PayloadError)
    for error in (PayloadError, PermanentError, AuthenticationError):
        assert not issubclass(error, TransientError)
