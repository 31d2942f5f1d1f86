import pytest
import requests

from sandbox_site.pim.faults import Fault

from .client import authorization, error_code
from .records import guid

ACKNOWLEDGEMENT = {"status": "Published", "publishedVersionNumber": 3}


def test_only_the_nth_matching_request_is_hit(client, shop):
    shop.faults.add(
        Fault(
            path_contains="GetInternal",
            nth=2,
            times=2,
            kind="status",
            status=503,
            headers={"Retry-After": "1"},
        )
    )
    path = (
        "products/GetInternal(notificationId=null,languageId=null,"
        "isShowOnlyProductsMissingTranslations=false)"
    )
    responses = [client.get(path) for _ in range(4)]
    assert [response.status_code for response in responses] == [200, 503, 503, 200]
    assert responses[1].headers["Retry-After"] == "1"
    assert error_code(responses[1]) == "InjectedFault"
    assert client.get("products").status_code == 200


def test_always_and_cleared(client, shop):
    shop.faults.add(Fault(times=None, status=429))
    assert [client.get("products").status_code for _ in range(3)] == [429] * 3
    shop.faults.clear()
    assert client.get("products").status_code == 200


def test_a_fault_of_one_method(client, shop):
    shop.faults.add(Fault(method="PATCH", status=500))
    path = f"products({guid('A')})"
    assert client.get(path).status_code == 200
    assert client.patch(path, ACKNOWLEDGEMENT).status_code == 500
    assert client.patch(path, ACKNOWLEDGEMENT).status_code == 204


@pytest.mark.parametrize(
    ("kind", "status"), [("drop", "Approved"), ("lose", "Published")]
)
def test_no_answer(client, shop, kind, status):
    shop.faults.add(Fault(method="PATCH", kind=kind))
    with pytest.raises(requests.ConnectionError):
        client.patch(f"products({guid('A')})", ACKNOWLEDGEMENT)
    assert shop.store.get("products", guid("A"))["status"] == status
    assert shop.requests[-1].status is None
    assert client.get("products").status_code == 200


def test_truncated_json(client, shop):
    whole = client.get("products").content
    shop.faults.add(Fault(kind="truncate"))
    response = client.get("products")
    assert response.status_code == 200
    assert response.content == whole[: len(whole) // 2]
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_a_body_that_breaks_off(client, shop):
    shop.faults.add(Fault(kind="short"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get("products")
    assert client.get("products").status_code == 200


def test_a_callback_before_the_request(client, shop):
    """As when an editor changes a product between its read and the acknowledgement."""
    path = f"products({guid('A')})"
    etag = client.get(path).headers["ETag"]
    shop.faults.before(
        path, lambda: shop.store.patch("products", guid("A"), color="x"), method="PATCH"
    )
    assert client.patch(path, ACKNOWLEDGEMENT, If_Match=etag).status_code == 412
    assert client.patch(path, ACKNOWLEDGEMENT).status_code == 204


def test_a_callback_and_a_fault_together(client, shop):
    calls = []
    shop.faults.before("products", lambda: calls.append("called"))
    shop.faults.add(Fault(path_contains="products", status=502))
    assert client.get("products").status_code == 502
    assert calls == ["called"]


def test_the_signature_of_a_failed_attempt_is_used_up(shop):
    shop.faults.add(Fault(status=503))
    target = "/odata/products"
    header = authorization(shop.store.credentials().write, "GET", target)
    statuses = [
        requests.get(
            shop.url + target, headers={"Authorization": header}, timeout=10
        ).status_code
        for _ in range(2)
    ]
    assert statuses == [503, 401]


def test_faults_of_files(shop):
    shop.faults.add(Fault(path_contains="/assets/", status=500))
    assert requests.get(f"{shop.url}/assets/x.png", timeout=10).status_code == 500


def test_the_request_log(client, shop):
    shop.requests.clear()
    client.get("products", top="1")
    client.patch(f"products({guid('A')})", {"color": "x"})
    client.get("nothing")
    requests.get(f"{shop.url}/odata/products", timeout=10)
    assert list(shop.requests) == [
        ("GET", "/odata/products?%24top=1", 200),
        ("PATCH", f"/odata/products({guid('A')})", 204),
        ("GET", "/odata/nothing", 404),
        ("GET", "/odata/products", 401),
    ]


def test_a_bug_is_an_odata_error_and_logged(client, shop, monkeypatch, caplog):
    def fail(*arguments):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(shop.store, "page", fail)
    response = client.get("products")
    assert response.status_code == 500
    assert error_code(response) == "InternalServerError"
    assert "disk" not in response.text
    assert "the disk is full" in caplog.text
