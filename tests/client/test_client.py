from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox_site.pim.faults import Fault
from wagtail_pim.client.assumed import AssumedCalls
from wagtail_pim.client.client import IDS_PER_REQUEST, PRODUCTS, PimClient
from wagtail_pim.client.entities import InvalidRecord
from wagtail_pim.exceptions import (
    PayloadError,
    PermanentError,
    ServerFaultError,
    TruncatedPayloadError,
)

from .conftest import Answer, guid, product, transport_to


def put(pim, *records, entity_set="products"):
    for record in records:
        pim.store.put(entity_set, record)


def numbers(records):
    return sorted(record.product_number for record in records)


def listing(*records, **more):
    return Answer(body={"value": list(records), "@odata.count": len(records), **more})


# The entity sets


def test_products_of_one_status_are_listed_in_small_records(pim, client):
    put(pim, product("A"), product("B", status="Published"), product("C", fabric="x"))
    category = str(guid("category"))
    pim.store.put(
        "categoryTreeProducts",
        {"categoryTreeId": category, "productId": str(guid("A"))},
    )
    heads = list(client.product_heads("Approved"))
    assert numbers(heads) == ["A", "C"]
    (head,) = [head for head in heads if head.product_number == "A"]
    assert head.category_ids() == [guid("category")]
    query = parse_qs(urlsplit(pim.requests[-1].target).query)
    assert "fabric" not in query["$select"][0]


@pytest.mark.parametrize("number", ["A", "it's", "a'b''c", "Ä / & %25 + #", "(1)"])
def test_products_are_found_by_any_number(pim, client, number):
    put(pim, product(number), product("other"))
    assert numbers(client.product_heads_by_number([number])) == [number]


def test_number_that_the_pim_does_not_have_finds_nothing(pim, client):
    assert list(client.product_heads_by_number(["A' or 'a' eq 'a"])) == []


def test_whole_products_have_their_properties_and_etag(pim, client):
    put(pim, product("A", fabricType="Jersey"))
    (whole,) = client.products([guid("A")])
    assert whole.properties["fabrictype"] == "Jersey"
    assert whole.etag == pim.store.get("products", str(guid("A")))["@odata.etag"]


def test_products_that_are_gone_are_left_out(pim, client):
    put(pim, product("A"))
    assert numbers(client.products([guid("A"), guid("gone")])) == ["A"]
    assert numbers(client.product_heads_by_id([guid("gone"), guid("A")])) == ["A"]


@pytest.mark.parametrize("count", [0, 1, IDS_PER_REQUEST, IDS_PER_REQUEST + 1, 95])
def test_ids_are_asked_in_portions_with_short_urls(pim, client, count):
    names = [f"P{number}" for number in range(count)]
    put(pim, *map(product, names))
    pim.requests.clear()
    found = numbers(client.products(map(guid, names)))
    assert found == sorted(names)
    assert len(pim.requests) == -(-count // IDS_PER_REQUEST)
    assert all(len(request.target) < 2048 for request in pim.requests)


def test_other_entity_sets(pim, client):
    put(pim, {"id": str(guid("web")), "name": "Web"}, entity_set="websites")
    link = {"id": str(guid("link")), "websiteId": str(guid("web"))}
    taxonomy = {"id": str(guid("tree")), "name": "Master", "websites": [link]}
    put(pim, taxonomy, entity_set="categoryTaxonomies")
    category = {"name": "Lamps", "categoryTaxonomyId": str(guid("tree"))}
    put(pim, {"id": str(guid("lamps")), **category}, entity_set="categorytrees")
    put(pim, {"id": str(guid("fabric")), "name": "Fabric"}, entity_set="properties")
    put(pim, {"id": str(guid("shirt")), "name": "Shirt"}, entity_set="templates")
    put(pim, {"id": str(guid("a")), "name": "a.png"}, entity_set="assets")
    assert [website.name for website in client.websites()] == ["Web"]
    (taxonomy,) = client.taxonomies()
    assert [link.website_id for link in taxonomy.websites] == [guid("web")]
    assert [category.name for category in client.categories()] == ["Lamps"]
    assert [prop.name for prop in client.properties()] == ["Fabric"]
    assert [template.name for template in client.templates()] == ["Shirt"]
    assert [asset.name for asset in client.assets([guid("a"), guid("b")])] == ["a.png"]


def test_properties_of_templates(pim, client):
    pim.store.put(
        "templateproperties",
        {
            "id": str(guid("a")),
            "templateId": str(guid("t")),
            "propertyId": str(guid("p")),
            "isRequired": None,
        },
    )
    (assignment,) = client.assignments()
    assert assignment.template_id == guid("t")
    assert assignment.property_id == guid("p")
    assert assignment.is_required is False


PUBLISHED_ON = {
    "before": "2026-03-28T22:59:59.999Z",
    "at the moment": "2026-03-28T23:00:00.000Z",
    "with an offset": "2026-03-29T00:00:00+01:00",
    "after": "2026-03-29T10:00:00.000Z",
    "never": None,
}


def test_products_published_since_a_moment(pim, client):
    for name, moment in PUBLISHED_ON.items():
        put(pim, product(name, status="Published", lastPublishedOn=moment))
    put(pim, product("approved", lastPublishedOn=PUBLISHED_ON["after"]))
    since = datetime(2026, 3, 29, tzinfo=timezone(timedelta(hours=1)))
    heads = client.product_heads("Published", published_since=since)
    assert numbers(heads) == ["after", "at the moment", "with an offset"]
    assert numbers(client.product_heads("Published")) == sorted(PUBLISHED_ON)


def test_calls_that_are_not_documented_can_be_replaced(pim):
    class OurCalls(AssumedCalls):
        pass

    assert type(PimClient(transport_to(pim), OurCalls).assumed) is OurCalls


# Paging


def test_all_pages_of_the_sandbox_pim_are_read(pim, client):
    pim.store.generate(2300)
    approved = pim.store.status_counts()["Approved"]
    heads = list(client.product_heads("Approved"))
    assert len({head.id for head in heads}) == len(heads) == approved


def test_page_that_fails_once_is_read_again(pim, client):
    pim.store.generate(1500)
    pim.store.approve_all()
    pim.faults.add(Fault(path_contains="skip", status=502))
    pim.faults.add(Fault(path_contains="skip", nth=2, kind="short"))
    total = sum(pim.store.status_counts().values())
    assert len(list(client.product_heads("Approved"))) == total


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(path_contains="skip", status=500, times=None), ServerFaultError),
        (Fault(path_contains="skip", status=400), PermanentError),
        (Fault(path_contains="skip", kind="truncate", times=None), PayloadError),
    ],
)
def test_listing_that_breaks_off_is_an_error(pim, client, fault, error):
    pim.store.generate(1500)
    pim.store.approve_all()
    pim.faults.add(fault)
    heads = client.product_heads("Approved")
    with pytest.raises(error):
        list(heads)


def test_product_that_is_published_while_paging_breaks_the_listing_off(pim, client):
    # The page after it starts a record too late: one product would be missed.
    pim.store.generate(1500)
    pim.store.approve_all()
    first = pim.store.products(limit=1, offset=0)[0]["id"]
    pim.faults.before(
        "skip", lambda: pim.store.patch("products", first, status="Published")
    )
    with pytest.raises(PayloadError, match="broke off"):
        list(client.product_heads("Approved"))


def test_record_that_comes_twice_is_given_once(scripted, transport):
    next_link = {"@odata.count": 3, "@odata.nextLink": "products?$skiptoken=2"}
    scripted.script(
        listing(product("A"), product("B"), **next_link),
        listing(product("B"), product("C")),
    )
    heads = PimClient(transport).product_heads("Approved")
    assert [head.product_number for head in heads] == ["A", "B", "C"]


@given(
    pages=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4), min_size=1),
)
def test_every_record_is_given_once_in_the_order_of_the_pages(pages):
    class Pages:
        remaining = list(enumerate(pages))

        def get(self, target, params=None):
            number, page = self.remaining.pop(0)
            answer = {"value": [product(f"P{n}") for n in page]}
            answer["@odata.count"] = sum(map(len, pages))
            if self.remaining:
                answer["@odata.nextLink"] = f"page-{number}"
            return answer

    given_numbers = [h.product_number for h in PimClient(Pages()).product_heads("x")]
    assert given_numbers == list(dict.fromkeys(f"P{n}" for page in pages for n in page))


@pytest.mark.parametrize("link", ["{url}/odata/more?a=%2F", "more?a=%2F"])
def test_absolute_and_relative_links_are_followed(scripted, transport, link):
    link = link.format(url=scripted.url)
    first = listing(product("A"), **{"@odata.nextLink": link, "@odata.count": "2"})
    scripted.script(first, listing(product("B")))
    assert len(list(PimClient(transport).product_heads("Approved"))) == 2
    assert scripted.requests[1].target == "/odata/more?a=%2F"
    assert scripted.requests[1].nonce != scripted.requests[0].nonce


def test_link_to_another_host_ends_the_listing_with_an_error(
    scripted, transport, other_host
):
    link = f"{other_host.url}/odata/products?$skip=1"
    scripted.script(listing(product("A"), **{"@odata.nextLink": link}))
    with pytest.raises(PayloadError, match="was not followed"):
        list(PimClient(transport).product_heads("Approved"))
    assert other_host.requests == []


def test_endless_listing_is_an_error(scripted, transport):
    scripted.script(listing(product("A"), **{"@odata.nextLink": "products?$skip=0"}))
    with pytest.raises(PayloadError, match="does not end"):
        list(PimClient(transport).product_heads("Approved"))


def test_fewer_records_than_counted_are_an_error(scripted, transport):
    scripted.script(listing(product("A"), **{"@odata.count": 2}))
    with pytest.raises(PayloadError, match="1 of 2 records came"):
        list(PimClient(transport).product_heads("Approved"))


def test_login_page_in_place_of_a_listing_is_an_error(scripted, transport):
    scripted.script(Answer(body=b"<html>Please log in</html>"))
    with pytest.raises(TruncatedPayloadError, match="GetInternal"):
        list(PimClient(transport).product_heads("Approved"))


# Records that can't be read


def test_invalid_record_keeps_the_rest_of_the_listing(scripted, transport):
    broken = {"id": str(guid("B")), "productNumber": "B", "status": 5}
    scripted.script(listing(product("A"), broken, None, product("C")))
    a, b, nothing, c = PimClient(transport).product_heads("Approved")
    assert (a.product_number, c.product_number) == ("A", "C")
    assert isinstance(b, InvalidRecord)
    assert (b.id, b.number) == (guid("B"), "B")
    assert "productNumber B): status: " in str(b.error)
    assert isinstance(nothing, InvalidRecord)
    assert nothing.number == "?"


@pytest.mark.parametrize(
    ("method", "entity"),
    [
        ("taxonomies", "category taxonomy"),
        ("websites", "website"),
        ("properties", "property"),
        ("templates", "template"),
    ],
)
def test_set_without_which_nothing_can_be_mapped_has_to_be_whole(
    scripted, transport, method, entity
):
    scripted.script(listing({"id": str(guid("a")), "name": None}))
    with pytest.raises(PayloadError, match=f"{entity} that can't be read.*name: "):
        getattr(PimClient(transport), method)()


def test_products_are_asked_through_the_function_that_filters_any_property():
    assert PRODUCTS.startswith("products/GetInternal(notificationId=null,")
