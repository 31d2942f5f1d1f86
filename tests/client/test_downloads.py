from __future__ import annotations

import io
import itertools
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.file_server import FileServer, answer, self_signed
from wagtail_pim.client import downloads
from wagtail_pim.client.downloads import Downloader, is_public
from wagtail_pim.client.transport import RetryPolicy
from wagtail_pim.exceptions import (
    RecordError,
    ServerFaultError,
    UnreachableError,
)

from .conftest import DROP, Answer

MB = 1024**2

pytestmark = pytest.mark.usefixtures("waits")


def downloader(root, more_hosts=()):
    return Downloader(f"{root}/odata/", more_hosts, RetryPolicy(read_timeout=5))


@pytest.fixture
def files(scripted):
    return downloader(scripted.url)


def fetched(files, url, max_bytes=MB):
    """The file; what the target held before must not shine through."""
    target = io.BytesIO(b"something longer that was there before")
    files.fetch(url, target, max_bytes)
    return target.getvalue()


def test_file_of_the_api_host_is_fetched_without_credentials(
    scripted, files, tmp_path, monkeypatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    scripted.script(Answer(body=b"\x89PNG\x00\xff"))
    assert fetched(files, f"{scripted.url}/a.png?sig=a%2Fb") == b"\x89PNG\x00\xff"
    (request,) = scripted.requests
    assert request.target == "/a.png?sig=a%2Fb"
    assert request.authorization is None


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, MB - 1, MB])
def test_file_up_to_the_limit_is_whole(scripted, files, size):
    scripted.script(Answer(body=b"x" * size))
    assert len(fetched(files, f"{scripted.url}/a.png")) == size


def test_file_above_the_limit_is_refused(scripted, files):
    scripted.script(Answer(body=b"x" * (MB + 1)))
    with pytest.raises(RecordError, match=r"larger than 1\.0\sMB"):
        fetched(files, f"{scripted.url}/a.png")


@pytest.mark.parametrize("status", [204, 206, 304, 401, 404, 410])
def test_file_that_cannot_be_had_is_told_by_its_status(scripted, files, status):
    scripted.script(Answer(status))
    with pytest.raises(RecordError, match=f"127.0.0.1 answers {status}"):
        fetched(files, f"{scripted.url}/a.png")
    assert len(scripted.requests) == 1


HALF = Answer(body=b"half", headers={"Content-Length": "8"})


@pytest.mark.parametrize("fault", [DROP, HALF, Answer(429), Answer(500), Answer(503)])
def test_transient_fault_is_tried_again(scripted, files, waits, fault):
    scripted.script(fault, fault, Answer(body=b"whole"))
    assert fetched(files, f"{scripted.url}/a.png") == b"whole"
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (DROP, UnreachableError, r"127.0.0.1 does not answer .* \(ConnectionError\)"),
        (HALF, UnreachableError, r"127.0.0.1 does not answer .* \(ProtocolError\)"),
        (Answer(503), ServerFaultError, "127.0.0.1 answers 503"),
    ],
)
def test_fault_that_stays_is_told_after_the_last_attempt(
    scripted, files, waits, fault, error, message
):
    scripted.script(fault)
    with pytest.raises(error, match=message):
        fetched(files, f"{scripted.url}/a.png?sig=token")
    assert len(scripted.requests) == 5
    assert len(waits) == 4


def test_server_of_files_may_ask_to_wait(scripted, files, waits):
    scripted.script(Answer(429, headers={"Retry-After": "7"}), Answer(body=b"whole"))
    fetched(files, f"{scripted.url}/a.png")
    assert waits == [7]


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("{other}/a.png", "“127.0.0.1”"),
        ("https://elsewhere.example/a.png", "“elsewhere.example”"),
        ("http://cdn.example/a.png", "“cdn.example”"),
        ("https://cdn.example.evil.example/a.png", "evil.example"),
        ("https://cdn.example@evil.example/a.png", "evil.example"),
        ("https://evil.example\\@cdn.example/a.png", "evil.example"),
        ("http://evil.example\\@{own}/a.png", "evil.example"),
        ("https://localhost/a.png", "localhost"),
        ("https://[::1]/a.png", "::1"),
        ("//elsewhere.example/a.png", "“elsewhere.example”"),
        ("https://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("file:///etc/passwd", "“?”"),
        ("data:image/png;base64,AAAA", "“?”"),
        ("https://[::1/a.png", "“?”"),
    ],
)
def test_only_listed_hosts_are_asked(scripted, other_host, url, named):
    listed = ["cdn.example", "127.0.0.2"]
    url = url.format(other=other_host.url, own=scripted.host)
    with pytest.raises(RecordError, match="not among the hosts that may be") as error:
        fetched(downloader(scripted.url, listed), url)
    assert named in str(error.value)
    assert "WAGTAIL_PIM['ASSET_HOSTS']" in str(error.value)
    assert other_host.requests == scripted.requests == []


@pytest.mark.parametrize("listed", ["127.0.0.2", "[::1]", "no-host-of-this-name"])
def test_listed_host_is_asked(listed):
    # Nobody is there: that it was tried shows in the error.
    with pytest.raises(UnreachableError):
        fetched(
            downloader("https://pim.example", [listed.upper()]),
            f"https://{listed}:1/a.png",
        )


@pytest.mark.parametrize(
    ("url", "target"), [("/a.png", "/a.png"), ("a.png?b=c", "/odata/a.png?b=c")]
)
def test_relative_address_is_one_of_the_api(scripted, files, url, target):
    scripted.script(Answer(body=b"whole"))
    assert fetched(files, url) == b"whole"
    assert [request.target for request in scripted.requests] == [target]


def test_host_with_a_name_that_no_resolver_takes_is_unreachable():
    host = "a" * 64 + ".example"
    with pytest.raises(UnreachableError):
        fetched(downloader("https://pim.example", [host]), f"https://{host}/a.png")


def test_default_port_may_be_written_out():
    files = downloader("https://127.0.0.2")
    with pytest.raises(UnreachableError):
        fetched(files, "https://127.0.0.2:443/a.png")


def test_files_are_fetched_by_many_threads_at_once(scripted, files):
    scripted.respond = lambda request: Answer(body=request.target.encode() * 999)
    urls = [f"/{number}" for number in range(100)]
    with ThreadPoolExecutor(10) as pool:
        contents = list(pool.map(lambda url: fetched(files, url), urls))
    assert contents == [url.encode() * 999 for url in urls]


def test_packed_file_is_not_unpacked(scripted, files):
    scripted.script(Answer(body=b"packed", headers={"Content-Encoding": "gzip"}))
    assert fetched(files, "/a.png") == b"packed"
    (request,) = scripted.requests
    assert request.headers["Accept-Encoding"] == "identity"


# Servers that mean harm


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


@pytest.fixture
def secure_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FileServer]:
    """One that speaks TLS, with a certificate that this machine trusts."""
    path, context = self_signed(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with FileServer(context) as server:
        yield server


def test_declared_size_is_believed_before_anything_is_read(server):
    url = server.serve("/a.png", answer(b"x", length=2 * 1024 * MB))
    with pytest.raises(RecordError, match="larger than"):
        fetched(downloader(server.url), url)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n" + b"x" * 65536 + b"\r\n",
        ),
    ],
    ids=["until it closes", "chunked"],
)
def test_endless_file_ends_at_the_limit(server, head, piece):
    url = server.serve_from(
        "/a.png", lambda: itertools.chain([head], itertools.repeat(piece))
    )
    with pytest.raises(RecordError, match="larger than"):
        fetched(downloader(server.url), url)
    assert len(server.requests) == 1


def trickling(start: bytes, drop: bytes) -> Iterator[bytes]:
    yield start
    while True:
        time.sleep(0.01)
        yield drop


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\n", b"A"),
        (b"", b" "),
    ],
    ids=["body", "sized body", "size of a chunk", "header", "status"],
)
def test_file_that_trickles_in_ends_in_time(server, monkeypatch, start, drop):
    monkeypatch.setattr(downloads, "MAX_SECONDS", 0.2)
    url = server.serve_from("/a.png", lambda: trickling(start, drop))
    with pytest.raises(RecordError, match="it was not there after"):
        fetched(downloader(server.url), url)
    assert len(server.requests) == 1


def redirect(location: str) -> Answer:
    return Answer(302, headers={"Location": location})


@pytest.mark.parametrize("location", ["{own}/b.png", "/b.png", "b.png?x=1"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_within_the_host_is_followed(scripted, files, location, status):
    location = {"Location": location.format(own=scripted.url)}
    scripted.script(Answer(status, headers=location), Answer(body=b"whole"))
    assert fetched(files, f"{scripted.url}/a.png") == b"whole"
    assert [request.method for request in scripted.requests] == ["GET", "GET"]


def test_redirect_without_an_address_is_an_answer_like_others(scripted, files):
    scripted.script(Answer(302))
    with pytest.raises(RecordError, match="answers 302"):
        fetched(files, "/a.png")


@pytest.mark.parametrize(
    "location",
    [
        "{other}/b.png",
        "//{other_host}/b.png",
        "https://elsewhere.example/b.png",
        "http://cdn.example/b.png",
        "file:///etc/passwd",
        "https://cdn.example\\@[::1/",
        "http://\xff\xfe/",
    ],
)
def test_redirect_elsewhere_is_not_followed(scripted, other_host, location):
    location = location.format(other=other_host.url, other_host=other_host.host)
    scripted.script(redirect(location))
    with pytest.raises(RecordError, match="not among the hosts that may be asked"):
        fetched(downloader(scripted.url, ["cdn.example"]), "/a.png")
    assert len(scripted.requests) == 1
    assert other_host.requests == []


def test_body_of_a_redirect_is_not_read(server, monkeypatch):
    monkeypatch.setattr(downloads, "MAX_SECONDS", 0.2)
    head = b"HTTP/1.1 302 Found\r\nLocation: /b.png\r\n\r\n"
    url = server.serve_from("/a.png", lambda: trickling(head, b"x"))
    server.serve("/b.png", answer(b"whole"))
    assert fetched(downloader(server.url), url) == b"whole"


def test_redirects_come_to_an_end(scripted, files):
    scripted.script(redirect("/a.png"))
    with pytest.raises(RecordError, match="redirects more than 5 times"):
        fetched(files, "/a.png")
    assert len(scripted.requests) == 6


def test_redirect_to_a_listed_host_is_followed(scripted, secure_server):
    scripted.script(redirect(secure_server.serve("/b.png", answer(b"whole"))))
    files = downloader(scripted.url, ["127.0.0.1"])
    assert fetched(files, "/a.png") == b"whole"
    assert "Authorization" not in secure_server.requests[0]


@pytest.fixture
def names_lead_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns a name may have it lead to any address."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        return look_up("127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_listed_name_that_leads_to_this_machine_is_not_asked(
    secure_server, names_lead_here
):
    files = downloader("https://pim.example", ["files.example"])
    with pytest.raises(RecordError) as error:
        fetched(files, f"https://files.example:{secure_server.port}/a.png")
    assert "“files.example”, which leads to the private address 127.0.0.1" in str(
        error.value
    )
    assert secure_server.requests == []


def test_redirect_to_such_a_name_is_not_followed(
    scripted, secure_server, names_lead_here
):
    scripted.script(redirect(f"https://files.example:{secure_server.port}/a.png"))
    with pytest.raises(RecordError, match="leads to the private address"):
        fetched(downloader(scripted.url, ["files.example"]), "/a.png")
    assert secure_server.requests == []


def test_api_itself_may_be_within_the_private_network(secure_server, names_lead_here):
    root = f"https://files.example:{secure_server.port}"
    secure_server.serve("/a.png", answer(b"whole"))
    assert fetched(downloader(root), "/a.png") == b"whole"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("127.8.9.10", False),
        ("169.254.169.254", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("::", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.1.2.3", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_public_addresses_are_told_from_private_ones(address, public):
    assert is_public(address) is public
