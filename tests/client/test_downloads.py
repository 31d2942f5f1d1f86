import pytest

from wagtail_pim.client.downloads import Downloader
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


def test_file_of_the_api_host_is_fetched_without_credentials(
    scripted, files, tmp_path, monkeypatch
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    scripted.script(Answer(body=b"\x89PNG\x00\xff"))
    assert files.fetch(f"{scripted.url}/a.png?sig=a%2Fb", MB) == b"\x89PNG\x00\xff"
    (request,) = scripted.requests
    assert request.target == "/a.png?sig=a%2Fb"
    assert request.authorization is None


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, MB - 1, MB])
def test_file_up_to_the_limit_is_whole(scripted, files, size):
    scripted.script(Answer(body=b"x" * size))
    assert len(files.fetch(f"{scripted.url}/a.png", MB)) == size


def test_file_above_the_limit_is_refused(scripted, files):
    scripted.script(Answer(body=b"x" * (MB + 1)))
    with pytest.raises(RecordError, match="larger than 1 MB"):
        files.fetch(f"{scripted.url}/a.png", MB)


@pytest.mark.parametrize("status", [204, 206, 301, 302, 401, 404, 410])
def test_file_that_cannot_be_had_is_told_by_its_status(
    scripted, files, other_host, status
):
    location = {"Location": f"{other_host.url}/b.png"}
    scripted.script(Answer(status, headers=location))
    with pytest.raises(RecordError, match=f"the server answers {status}"):
        files.fetch(f"{scripted.url}/a.png", MB)
    assert other_host.requests == []
    assert len(scripted.requests) == 1


HALF = Answer(body=b"half", headers={"Content-Length": "8"})


@pytest.mark.parametrize("fault", [DROP, HALF, Answer(429), Answer(500), Answer(503)])
def test_transient_fault_is_tried_again(scripted, files, waits, fault):
    scripted.script(fault, fault, Answer(body=b"whole"))
    assert files.fetch(f"{scripted.url}/a.png", MB) == b"whole"
    assert len(waits) == 2


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (DROP, UnreachableError, "Its file could not be had: ConnectionError"),
        (HALF, UnreachableError, "Its file could not be had: ChunkedEncodingError"),
        (Answer(503), ServerFaultError, "the server answers 503"),
    ],
)
def test_fault_that_stays_is_told_after_the_last_attempt(
    scripted, files, waits, fault, error, message
):
    scripted.script(fault)
    with pytest.raises(error, match=message):
        files.fetch(f"{scripted.url}/a.png?sig=token", MB)
    assert len(scripted.requests) == 5
    assert len(waits) == 4


def test_server_of_files_may_ask_to_wait(scripted, files, waits):
    scripted.script(Answer(429, headers={"Retry-After": "7"}), Answer(body=b"whole"))
    files.fetch(f"{scripted.url}/a.png", MB)
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
        ("https://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("file:///etc/passwd", "“?”"),
        ("/a.png", "“?”"),
        ("a.png", "“?”"),
        ("", "“?”"),
        ("https://[::1/a.png", "“?”"),
    ],
)
def test_only_listed_hosts_are_asked(scripted, other_host, url, named):
    listed = ["cdn.example", "localhost", "::1"]
    url = url.format(other=other_host.url, own=scripted.host)
    with pytest.raises(RecordError, match="not among the hosts that may be") as error:
        downloader(scripted.url, listed).fetch(url, MB)
    assert named in str(error.value)
    assert "WAGTAIL_PIM['ASSET_HOSTS']" in str(error.value)
    assert other_host.requests == scripted.requests == []


@pytest.mark.parametrize("listed", ["127.0.0.2", "no-host-of-this-name"])
def test_listed_host_is_asked(listed):
    # Nobody is there: that it was tried shows in the error.
    with pytest.raises(UnreachableError):
        downloader("https://pim.example", [listed.upper()]).fetch(
            f"https://{listed}:1/a.png", MB
        )


def test_host_with_a_name_that_no_resolver_takes_is_unreachable():
    host = "a" * 64 + ".example"
    with pytest.raises(UnreachableError):
        downloader("https://pim.example", [host]).fetch(f"https://{host}/a.png", MB)


def test_default_port_may_be_written_out():
    files = downloader("https://127.0.0.2")
    with pytest.raises(UnreachableError):
        files.fetch("https://127.0.0.2:443/a.png", MB)
