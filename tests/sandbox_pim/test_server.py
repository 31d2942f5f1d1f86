"""HTTP itself, the files, and the screen."""

import html
import re
import socket

import pytest
import requests

from sandbox_site.pim.errors import SandboxError
from sandbox_site.pim.server import PimServer

from .client import Client
from .records import guid, product


def raw(server: PimServer, request: bytes) -> bytes:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_connections_are_kept(client, shop):
    """Both requests go through one connection, or the second would hit the limit."""
    for _ in range(2):
        with client.session.get(shop.url, timeout=10, stream=True) as response:
            assert response.raw.version == 11
            assert "close" not in response.headers.get("Connection", "")
            response.content  # noqa: B018
    (pool,) = client.session.adapters["http://"].poolmanager.pools._container.values()
    assert (pool.num_connections, pool.num_requests) == (1, 2)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Content-Length: many\r\n", b"400"),
        (b"Content-Length: -1\r\n", b"400"),
        (b"Content-Length: 99999999999\r\n", b"413"),
        (b"Transfer-Encoding: chunked\r\n", b"411"),
    ],
)
def test_bodies_of_unknown_length(server, headers, status):
    answer = raw(server, b"POST /odata/websites HTTP/1.1\r\n" + headers + b"\r\nxx")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Server: SandboxPIM \r\n" in answer or b"Server: SandboxPIM\r\n" in answer


@pytest.mark.parametrize(
    "line",
    [b"GET / HTTP/1.1 x", b"\xff\xfe", b"FROB / HTTP/1.1", b"GET /\xe9 HTTP/1.1"],
)
def test_odd_request_lines(server, line):
    assert re.match(rb"HTTP/1.1 [45]|.*Error", raw(server, line + b"\r\n\r\n"), re.S)
    assert requests.get(server.url, timeout=10).status_code == 200


def test_the_host_header_cannot_break_out(client, shop):
    response = client.request("GET", "assets", headers={"Host": 'x" onload="'})
    (asset,) = response.json()["value"]
    assert asset["urlLarge"].startswith(shop.url)


def test_a_stopped_server_lets_nobody_in(tmp_path):
    with PimServer(database=tmp_path / "pim.sqlite3") as server:
        client = Client(server)
        assert client.get("products").status_code == 200
    with client.session, pytest.raises(requests.ConnectionError):
        client.get("products")


def test_a_port_in_use(server, tmp_path):
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(SandboxError, match=f"Cannot listen on 127.0.0.1:{port}"):
        PimServer(database=tmp_path / "other.sqlite3", port=port)


# Files


OTHER_FILES = {
    "Guide.PDF": "application/pdf",
    "photo.jpeg": "image/jpeg",
    "photo.webp": "image/webp",
    "photo.avif": "image/avif",
    "drawing.svg": "image/svg+xml",
    "table.csv": "text/csv",
    "letter.docx": "application/vnd.openxmlformats-officedocument"
    ".wordprocessingml.document",
    "film.mp4": "video/mp4",
    "archive.zip": "application/zip",
    "pressed.svgz": "application/octet-stream",
    "of no known kind": "application/octet-stream",
}


@pytest.fixture
def pictures(server, tmp_path):
    server.store.images.mkdir()
    (server.store.images / "a b.png").write_bytes(b"picture")
    (server.store.images / "manual.pdf").write_bytes(b"manual")
    for name in OTHER_FILES:
        (server.store.images / name).write_bytes(b"other")
    (tmp_path / "secret.txt").write_text("secret")
    (server.store.images / "link.txt").symlink_to(tmp_path / "secret.txt")
    return f"{server.url}/assets"


def test_files(pictures):
    response = requests.get(f"{pictures}/a%20b.png", timeout=10)
    assert response.content == b"picture"
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["Content-Length"] == "7"
    response = requests.get(f"{pictures}/manual.pdf?v=1", timeout=10)
    assert response.headers["Content-Type"] == "application/pdf"
    response = requests.head(f"{pictures}/manual.pdf", timeout=10)
    assert (response.headers["Content-Length"], response.content) == ("6", b"")
    assert requests.post(f"{pictures}/manual.pdf", timeout=10).status_code == 405


def test_files_of_any_kind(pictures):
    for name, content_type in OTHER_FILES.items():
        for method in ("GET", "HEAD"):
            response = requests.request(method, f"{pictures}/{name}", timeout=10)
            assert response.status_code == 200, name
            assert response.headers["Content-Type"] == content_type
            assert response.headers["Content-Length"] == "5"
            assert response.content == (b"other" if method == "GET" else b"")
    assert requests.head(f"{pictures}/none.pdf", timeout=10).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "..%2Fsecret.txt",
        "%2e%2e/secret.txt",
        "x/../../secret.txt",
        "..\\secret.txt",
        "%2Fetc/passwd",
        "/etc/passwd",
        "link.txt",
        "../pim.sqlite3",
        "none.png",
        "a%00b.png",
        "%ff",
        "x" * 5000,
        "",
        ".",
        "..",
    ],
)
def test_no_other_files(server, pictures, path):
    answer = raw(
        server,
        f"GET /assets/{path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode(),
    )
    assert answer.startswith(b"HTTP/1.1 404")
    assert b"secret" not in answer.partition(b"\r\n\r\n")[2]


# The screen


@pytest.fixture
def page(shop):
    def get(path: str = "/") -> str:
        response = requests.get(shop.url + path, timeout=10)
        assert response.status_code == 200
        assert response.headers["Content-Security-Policy"].startswith(
            "default-src 'none'"
        )
        return response.text

    return get


def token(page: str) -> str:
    return re.search(r'name="form-token" value="([^"]+)"', page)[1]


def numbers(page: str) -> list[str]:
    found = re.findall(r'name="number" value="([^"]*)"', page)
    return [html.unescape(number) for number in found]


def test_the_list(page):
    text = page()
    assert numbers(text) == ["A", "B", "C"]
    assert "Title of A" in text
    assert "2026-01-10 00:00" in text
    assert re.search(r'Approved <span class="count">1<', text)
    assert re.search(r'All <span class="count">3<', text)
    assert "<script" not in text
    assert "style=" not in text


def test_by_status_and_search(page, shop):
    assert numbers(page("/?status=New")) == ["C"]
    assert numbers(page("/?search=title+of+b")) == ["B"]
    assert numbers(page("/?search=a&status=Approved")) == ["A"]
    assert numbers(page("/?search=none")) == []
    assert "No products here" in page("/?search=%25")
    assert numbers(page("/?status=Nonsense")) == []


def test_pages_of_the_screen(page, shop):
    for index in range(118):
        shop.store.put("products", product(f"N{index:03}"))
    assert "Page 1 of 3" in page()
    assert len(numbers(page("/?page=2"))) == 50
    assert len(numbers(page("/?page=3"))) == 21
    assert numbers(page("/?page=99")) == numbers(page("/?page=3"))
    assert numbers(page("/?page=-1")) == numbers(page("/?page=x")) == numbers(page())
    assert 'rel="next"' not in page("/?page=3")


def test_everything_is_escaped(page, shop):
    nasty = "<script>alert('x')</script>\"&{token}"
    shop.store.put(
        "products",
        product(nasty, productTitle=nasty, status=nasty, templateName=nasty),
    )
    for path in ("/", "/?search=" + requests.utils.quote(nasty)):
        text = page(path)
        assert "<script" not in text
        assert nasty in numbers(text)
    assert "<script" not in page("/?approved=<script>&status=<script>&page=<script>")
    response = requests.get(f"{shop.url}/<script>", timeout=10)
    assert response.status_code == 404
    assert "<script" not in response.text


def approve(shop, page, **form):
    form = {"form-token": token(page()), **form}
    return requests.post(f"{shop.url}/approve", form, timeout=10)


def test_approve_selected(page, shop):
    etag = shop.store.get("products", guid("C"))["@odata.etag"]
    response = approve(shop, page, number=["B", "C"], approve="selected")
    assert "2 products approved" in response.text
    assert len(shop.store.find("products", status="Approved")) == 3
    approved = shop.store.get("products", guid("C"))
    assert approved["currentVersionNumber"] == 3
    assert approved["@odata.etag"] != etag


def test_approve_all_that_are_listed(page, shop):
    response = approve(shop, page, approve="all", status="New")
    assert "1 product approved" in response.text
    assert response.url.endswith("/?status=New&approved=1")
    assert shop.store.get("products", guid("B"))["status"] == "Published"
    approve(shop, page, approve="all", search="of b")
    assert len(shop.store.find("products", status="Approved")) == 3


def test_approve_nothing(page, shop):
    response = approve(shop, page, approve="selected")
    assert len(shop.store.find("products", status="Approved")) == 1
    assert response.status_code == 200


def test_approve_an_unknown_product(page, shop):
    response = approve(shop, page, number=["B", "<none>"])
    assert response.status_code == 409
    assert "&lt;none&gt;" in response.text
    assert shop.store.get("products", guid("B"))["status"] == "Published"


@pytest.mark.parametrize("forged", ["", "wrong", "é"])
def test_approve_needs_the_token(page, shop, forged):
    response = approve(shop, page, **{"form-token": forged}, approve="all")
    assert response.status_code == 403
    assert len(shop.store.find("products", status="Approved")) == 1


def test_the_page_of_a_product(page):
    path = f"/products/{guid('A')}"
    assert f'<a href="{path}">Title of A</a>' in page()
    text = page(path)
    assert "<h1>Title of A</h1>" in text
    text_in_english = text.partition("<h2>de-DE")[0]
    facts = dict(
        re.findall(r"<tr><th[^>]*>(.*?)</th><td>(.*?)</td></tr>", text_in_english)
    )
    assert facts["Number"] == "A"
    assert facts["Status"] == "Approved"
    assert facts["Version"] == "3"
    assert facts["Last published (UTC)"] == "2026-01-10 00:00"
    assert (facts["color"], facts["weight"], facts["washable"]) == (
        "Red",
        "1.5",
        "true",
    )
    assert facts["parentProductId"] == "-"
    assert "@odata.etag" not in text
    assert page(path.upper().replace("/PRODUCTS", "/products")) == text


def test_the_page_of_a_product_is_escaped(page, shop):
    nasty = "<script>alert('x')</script>\"&{title}"
    record = product("N", productTitle=nasty, status=nasty, **{f"{nasty}name": nasty})
    shop.store.put("products", record)
    text = page(f"/products/{guid('N')}")
    assert "<script" not in text
    assert text.count(html.escape(nasty)) >= 4
    assert f'<th scope="row">{html.escape(nasty)}name</th>' in text


@pytest.mark.parametrize("id", ["", "x", guid("nobody"), "../odata", "<script>"])
def test_the_page_of_no_product(shop, id):
    response = requests.get(f"{shop.url}/products/{id}", timeout=10)
    assert response.status_code == 404
    assert "<script" not in response.text


def test_the_page_of_a_product_takes_nothing(shop):
    url = f"{shop.url}/products/{guid('A')}"
    assert requests.post(url, timeout=10).status_code == 405
    assert requests.head(url, timeout=10).status_code == 200


def test_other_requests_of_the_screen(shop):
    assert requests.get(f"{shop.url}/approve", timeout=10).status_code == 405
    assert requests.post(shop.url, timeout=10).status_code == 405
    assert requests.get(f"{shop.url}/odata", timeout=10).status_code == 404
    response = requests.get(f"{shop.url}/screen.css", timeout=10)
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    body = b"form-token=%ff\xff"
    assert requests.post(f"{shop.url}/approve", body, timeout=10).status_code == 403
