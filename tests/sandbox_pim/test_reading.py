import pytest

from sandbox_site.pim.schema import ENTITY_SETS

from .client import error_code
from .records import guid, product


@pytest.mark.parametrize("name", ENTITY_SETS)
def test_every_set_is_listed_and_read_by_key(client, name):
    client.server.store.put(name, {"id": guid("x")})
    (record,) = client.values(name)
    assert record["id"] == guid("x")
    response = client.get(f"{name}({guid('x').upper()})")
    assert response.status_code == 200
    single = response.json()
    assert response.headers["ETag"] == single["@odata.etag"] == record["@odata.etag"]
    assert single["id"] == guid("x")


def test_an_empty_set(client):
    assert client.get("products").json()["value"] == []


def test_gone_and_unknown(client):
    for path, status, code in [
        (f"products({guid('none')})", 404, "NotFound"),
        ("nothing", 404, "NotFound"),
        ("", 404, "NotFound"),
        ("sqlite_master", 404, "NotFound"),
        (f"nothing({guid('none')})", 404, "NotFound"),
        ("products('A')", 400, "InvalidKey"),
        ("products()", 400, "InvalidKey"),
        (f"products({guid('none')[:-1]})", 400, "InvalidKey"),
        (f"products({guid('none').replace('-', '')})", 400, "InvalidKey"),
        (f"products({guid('none')})/productAssets", 404, "NotFound"),
    ]:
        response = client.get(path)
        assert (response.status_code, error_code(response)) == (status, code), path


def test_products_are_an_open_type_without_translations(client, shop):
    by_number = {
        record["productNumber"]: record for record in client.values("products")
    }
    assert by_number["A"]["color"] == "Red"
    assert "color" not in by_number["B"]
    assert by_number["C"]["color"] == "it's «blau» 'n' 💧"
    assert all("translations" not in record for record in by_number.values())
    assert "translations" not in client.get(f"products({guid('A')})").json()


def test_select_keeps_the_etag_and_nothing_else(client, shop):
    for record in client.values("products", select="ID,productnumber,Color"):
        expected = {"@odata.etag", "id", "productNumber", "color"}
        if record["productNumber"] == "B":
            expected -= {"color"}
        assert set(record) == expected
    response = client.get(f"products({guid('A')})", select="status")
    assert set(response.json()) == {"@odata.context", "@odata.etag", "status"}


def test_select_collections_only(client, shop):
    options = {"select": "categoryTrees", "expand": "categoryTrees"}
    for record in client.values("products", **options):
        assert set(record) == {"@odata.etag", "categoryTrees"}


def test_select_all(client, shop):
    assert client.values("products", select="*") == client.values("products")


@pytest.mark.parametrize("size", [999, 1000, 1001, 2000])
def test_pages_of_a_thousand(client, size):
    client.server.store.generate(size)
    url, pages = "products", []
    while url:
        page = client.get(url, **({"count": "true"} if not pages else {})).json()
        assert page["@odata.count"] == size
        pages.append([record["id"] for record in page["value"]])
        url = page.get("@odata.nextLink")
        assert url is None or url.startswith(client.server.url)
    ids = [key for page in pages for key in page]
    assert len(ids) == len(set(ids)) == size
    assert [len(page) for page in pages] == [
        min(1000, size - start) for start in range(0, size + 1, 1000)
    ]


def test_the_next_link_keeps_the_other_options(client):
    client.server.store.generate(1100)
    page = client.get(
        "products",
        filter="status eq 'Approved' and color ne 'a+b & c'",
        select="id",
        orderby="productNumber desc",
    ).json()
    last_page = client.get(page["@odata.nextLink"]).json()
    assert len(last_page["value"]) == 100
    assert set(last_page["value"][0]) == {"@odata.etag", "id"}
    assert (
        last_page["value"][-1]["id"]
        == client.values("products", filter="productNumber eq 'SB-0000000'")[0]["id"]
    )


def test_top_never_has_a_next_link(client):
    client.server.store.generate(1100)
    for top, expected in [("0", 0), ("10", 10), ("1000", 1000), ("2147483647", 1100)]:
        page = client.get("products", top=top, count="true").json()
        assert len(page["value"]) == expected
        assert page["@odata.count"] == 1100
        assert "@odata.nextLink" not in page


def test_skip_and_count(client, shop):
    page = client.get("products", skip="2", count="true").json()
    assert len(page["value"]) == 1
    assert page["@odata.count"] == 3
    assert "@odata.count" not in client.get("products", count="false").json()
    assert client.get("products", skip="5").json()["value"] == []


def test_order(client, shop):
    assert client.numbers(orderby="productNumber desc") == ["C", "B", "A"]
    assert client.numbers(orderby="weight, productNumber") == ["C", "A", "B"]
    assert client.numbers(orderby="WEIGHT desc") == ["B", "A", "C"]
    assert client.numbers(orderby="lastPublishedOn desc,productNumber asc") == list(
        "ABC"
    )
    by_id = sorted("ABC", key=guid)
    assert client.numbers() == by_id
    client.server.store.patch("products", guid("C"), onHold=False)
    assert client.numbers(orderby="onHold desc") == by_id


def test_expand(client, shop):
    expand = "productAssets,categorytrees,childrenProduct,productRelatedProducts"
    records = client.values("products", expand=expand, orderby="productNumber")
    first = records[0]
    assert {row["categoryTreeId"] for row in first["categoryTrees"]} == {
        guid("lamps"),
        guid("sale"),
    }
    assert [row["assetId"] for row in first["productAssets"]] == [guid("picture")]
    assert [row["productNumber"] for row in first["childrenProduct"]] == ["B"]
    (relation,) = first["productRelatedProducts"]
    assert relation["relatedProductId"] == guid("C")
    assert relation["@odata.etag"]
    assert records[1]["categoryTrees"] == records[1]["childrenProduct"] == []
    single = client.get(f"products({guid('A')})", expand="categoryTrees").json()
    assert single["categoryTrees"] == first["categoryTrees"]
    assert "productAssets" not in single


def test_links_come_in_their_order(client, shop):
    for name, order in [("back", 3), ("front", 1), ("side", 2), ("none", None)]:
        link = {"id": guid(f"link {name}"), "productId": guid("B"), "sortOrder": order}
        shop.store.put("productassets", {**link, "assetId": guid(name)})
        shop.store.put(
            "productRelatedProducts", {**link, "relatedProductId": guid(name)}
        )
    expand = "productAssets,productRelatedProducts"
    record = client.get(f"products({guid('B')})", expand=expand).json()
    names = [guid(name) for name in ("none", "front", "side", "back")]
    assert [link["assetId"] for link in record["productAssets"]] == names
    assert [
        link["relatedProductId"] for link in record["productRelatedProducts"]
    ] == names


def test_links_of_the_same_place_come_by_id(client, shop):
    for name in "abcdef":
        link = {"id": guid(name), "productId": guid("B"), "sortOrder": 0}
        shop.store.put("productassets", {**link, "assetId": guid(name)})
    record = client.get(f"products({guid('B')})", expand="productAssets").json()
    ids = [link["id"] for link in record["productAssets"]]
    assert ids == sorted(map(guid, "abcdef"))


def test_expand_with_select(client, shop):
    for record in client.values(
        "products", select="id,categoryTrees", expand="categoryTrees"
    ):
        assert set(record) == {"@odata.etag", "id", "categoryTrees"}


def test_the_websites_of_a_taxonomy(client, shop):
    (taxonomy,) = client.values("categoryTaxonomies")
    assert "websites" not in taxonomy
    (taxonomy,) = client.values("categoryTaxonomies", expand="websites", select="name")
    assert set(taxonomy) == {"@odata.etag", "name", "websites"}
    assert [row["websiteId"] for row in taxonomy["websites"]] == [guid("web")]
    response = client.get(f"categoryTaxonomies({guid('taxonomy')})", expand="websites")
    assert response.json()["websites"] == taxonomy["websites"]


def test_a_nested_expand_is_the_known_fault(client, shop):
    response = client.get("products", expand="categoryTrees($expand=categoryTree)")
    assert response.status_code == 500
    assert error_code(response) == "InternalServerError"


@pytest.mark.parametrize(
    "options",
    [
        {"top": "-1"},
        {"top": "many"},
        {"top": "9" * 30},
        {"top": "²"},
        {"skip": "-1"},
        {"skip": "2147483648"},
        {"skip": "1.5"},
        {"count": "yes"},
        {"select": "nonsense"},
        {"select": "id,,status"},
        {"select": 'id"; DROP TABLE products; --'},
        {"expand": "nonsense"},
        {"expand": "status"},
        {"expand": "categoryTrees($select=id)"},
        {"orderby": "nonsense"},
        {"orderby": "status sideways"},
        {"orderby": "status; DROP TABLE products"},
        {"orderby": "variantPropertyIdList"},
        {"filter": ""},
        {"search": "lamp"},
        {"apply": "aggregate"},
        {"skiptoken": "1"},
    ],
)
def test_invalid_options(client, shop, options):
    response = client.get("products", **options)
    assert response.status_code == 400
    assert error_code(response) == "InvalidQuery"


@pytest.mark.parametrize(
    "query", ["?top=1", "?$top=1&$top=2", "?%00=1", "?$Filter=id eq null"]
)
def test_invalid_query_strings(client, shop, query):
    response = client.get(f"products{query}")
    assert response.status_code == 400
    assert error_code(response) == "InvalidQuery"


def test_one_record_takes_no_list_options(client, shop):
    response = client.get(f"products({guid('A')})", top="1")
    assert response.status_code == 400


def get_internal(language: str = "null") -> str:
    return (
        f"products/GetInternal(notificationId=null,languageId={language},"
        "isShowOnlyProductsMissingTranslations=false)"
    )


def test_get_internal_lists_products(client, shop):
    assert client.values(get_internal()) == client.values("products")
    assert client.numbers(get_internal(), filter="status eq 'New'") == ["C"]
    page = client.get(get_internal(), top="1", count="true", select="id").json()
    assert page["@odata.count"] == 3


def test_get_internal_reads_a_language(client, shop):
    german = get_internal(guid("de-DE"))
    default = client.values("products")
    for record, original in zip(client.values(german), default, strict=True):
        changes = {"productTitle": "Überschrift von A", "color": "Rot"}
        if original["productNumber"] != "A":
            changes = {}
        assert record == {**original, **changes}
    assert client.values(get_internal(guid("en-US"))) == default


def test_get_internal_filters_and_orders_what_it_shows(client, shop):
    german = get_internal(guid("de-DE"))
    assert client.numbers(german, filter="color eq 'Rot'") == ["A"]
    assert client.numbers(german, filter="color eq 'Red'") == []
    assert client.numbers(german, filter="status eq 'Published'") == ["B"]
    assert client.numbers(german, orderby="productTitle desc") == ["A", "C", "B"]
    (record,) = client.values(
        german, filter="contains(productTitle, 'schrift')", expand="categoryTrees"
    )
    assert len(record["categoryTrees"]) == 2


def localizable(server, *names):
    for name in names:
        server.store.put("properties", {"name": name, "isLocalizable": True})
    server.store.put("properties", {"name": "weight", "isLocalizable": False})


def test_what_is_localizable_has_no_value_but_its_translation(client, shop):
    localizable(shop, "COLOR", "urlSegment", "productTitle")
    shop.store.patch("products", guid("C"), urlSegment="c")
    german = get_internal(guid("de-DE"))
    by_number = {record["productNumber"]: record for record in client.values(german)}
    assert by_number["A"]["productTitle"] == "Überschrift von A"
    assert by_number["A"]["color"] == "Rot"
    assert by_number["A"]["weight"] == 1.5
    other = by_number["C"]
    assert (other["productTitle"], other["color"], other["urlSegment"]) == (None,) * 3
    assert other["onHold"] is True
    assert "color" not in by_number["B"]
    etags = [record["@odata.etag"] for record in client.values("products")]
    assert [record["@odata.etag"] for record in client.values(german)] == etags


def test_what_is_not_translated_is_not_found(client, shop):
    localizable(shop, "color", "productTitle")
    german = get_internal(guid("de-DE"))
    assert client.numbers(german, filter="productTitle eq null") != []
    assert "A" not in client.numbers(german, filter="productTitle eq null")
    assert client.numbers(german, filter="startswith(productTitle, 'Title')") == []
    assert client.numbers(german, filter="color ne null") == ["A"]
    page = client.get(
        german, filter="color eq 'Rot'", select="color,weight", count="true"
    ).json()
    assert page["@odata.count"] == 1
    assert [set(record) for record in page["value"]] == [
        {"@odata.etag", "color", "weight"}
    ]


def test_the_default_language_is_what_is_read_without_one(client, shop):
    localizable(shop, "productTitle")
    shop.store.patch("languages", guid("en-US"), isDefault=True)
    assert client.values(get_internal(guid("en-US"))) == client.values("products")


def test_other_sets_in_a_language(client, shop):
    shop.store.patch(
        "categorytrees",
        guid("lamps"),
        description="All lamps",
        translations={"de-DE": {"name": "Leuchten"}},
    )
    german = f"categorytrees/GetInternal(languageId={guid('de-DE')})"
    default = client.values("categorytrees")
    for record, original in zip(client.values(german), default, strict=True):
        changes = {"name": "Leuchten"} if original["id"] == guid("lamps") else {}
        assert record == {**original, **changes}
    (found,) = client.values(german, filter="name eq 'Leuchten'", select="name")
    assert set(found) == {"@odata.etag", "name"}
    null = "categorytrees/GetInternal(languageId=null)"
    assert client.values(null) == default
    assert client.get(german, count="true").json()["@odata.count"] == len(default)


def test_other_sets_in_a_language_page(client, shop):
    with shop.store.writing() as records:
        for number in range(1001):
            translations = {"de-DE": {"displayName": "Übersetzt"}}
            records.put(
                "properties", {"name": f"p{number}", "translations": translations}
            )
    path = f"properties/GetInternal(languageId={guid('de-DE')})"
    page = client.get(path).json()
    page = client.get(page["@odata.nextLink"]).json()
    assert [record["displayName"] for record in page["value"]] == ["Übersetzt"]


def test_what_has_no_reading_in_a_language(client, shop):
    for path, status, code in [
        (f"categorytrees/GetInternal(languageId={guid('x')})", 400, "UnknownLanguage"),
        (f"nothing/GetInternal(languageId={guid('de-DE')})", 404, "NotFound"),
        (f"products/GetInternal(languageId={guid('de-DE')})", 404, "NotFound"),
        ("categorytrees/GetInternal()", 404, "NotFound"),
    ]:
        response = client.get(path)
        assert (response.status_code, error_code(response)) == (status, code), path
    path = f"categorytrees/GetInternal(languageId={guid('de-DE')})"
    assert client.post(path, {"name": "x"}).status_code == 405


def test_get_internal_pages(client):
    client.server.store.generate(1500)
    (german,) = client.server.store.find("languages", languageCode="de-DE")
    page = client.get(get_internal(german["id"])).json()
    assert len(page["value"]) == 1000
    page = client.get(page["@odata.nextLink"]).json()
    assert len(page["value"]) == 500
    assert page["value"][0]["productTitle"].split()[0] in (
        "Leuchte",
        "Stuhl",
        "Teppich",
    )


@pytest.mark.parametrize("language", [guid("none"), "'de-DE'", "x"])
def test_get_internal_of_an_unknown_language(client, shop, language):
    response = client.get(get_internal(language))
    assert response.status_code == 400
    assert error_code(response) == "UnknownLanguage"


def test_a_language_code_is_only_ever_a_value(client, shop):
    store = shop.store
    store.put("languages", {"id": guid("odd"), "languageCode": "x\"'$.y"})
    assert client.values(get_internal(guid("odd"))) == client.values("products")


def test_settings(client):
    assert client.get("settings").json() == {"activePublishingEnvironment": "Sandbox"}
    client.server.environment = "Production"
    assert client.get("settings").json() == {
        "activePublishingEnvironment": "Production"
    }
    client.server.environment = None
    response = client.get("settings")
    assert response.status_code == 404
    assert error_code(response) == "NotFound"


def test_asset_addresses_are_absolute(client, shop):
    (asset,) = client.values("assets")
    assert asset["urlLarge"] == f"{shop.url}/assets/picture.png"
    assert asset["urlMedium"] == f"{shop.url}/assets/picture.png"
    assert asset["urlSmall"] == "https://elsewhere.example/picture.png"
    response = client.get(f"assets({guid('picture')})", select="urlLarge")
    assert response.json()["urlLarge"] == asset["urlLarge"]


def test_a_name_in_two_spellings_is_one_property(client):
    client.server.store.put("products", product("A", fabricType="Silk"))
    client.server.store.put("products", product("B", FabricType="Wool"))
    assert client.numbers(filter="FABRICTYPE eq 'Silk'") == ["A"]
