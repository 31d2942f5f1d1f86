"""The side panel "PIM" of the page editor, and its button."""

from __future__ import annotations

import re
import uuid
from html import unescape

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from wagtail.admin.ui.side_panels import BaseSidePanel
from wagtail.admin.views.pages.edit import EditView
from wagtail.models import GroupPagePermission, Page

from tests.locking.conftest import make_managed
from tests.pim_data import guid
from tests.trial.models import TrialProductPage
from wagtail_pim.admin.addresses import product_addresses
from wagtail_pim.admin.extending import extend
from wagtail_pim.admin.side_panel import adding_pim, panels_of_pim
from wagtail_pim.models import CatalogPage, JobRun, PimLink, ProductPage, VariantPage
from wagtail_pim.models.runs import State

BUTTON = "Refresh this product now"


def page_of(number: str) -> Page:
    product = ProductPage.objects.filter(product_number=number).first()
    return (product or VariantPage.objects.get(product_number=number)).specific


def edit_url(page: Page) -> str:
    return reverse("wagtailadmin_pages:edit", args=[page.pk])


def refresh_url(page: Page) -> str:
    return reverse("wagtail_pim:refresh_product", args=[page.pk])


def panel_of(client: Client, page: Page) -> str:
    """The text of the panel in the page's editor; empty if there is none."""
    html = client.get(edit_url(page)).content.decode()
    found = re.search(
        r'data-side-panel="pim".*?(?=data-side-panel="|</aside>)', html, re.S
    )
    text = re.sub(r"<[^>]*>", " ", found[0]) if found else ""
    return " ".join(unescape(text).split())


def posted(client: Client, page: Page, **data: str) -> list[str]:
    """Presses the button; returns what the editor is told in the end."""
    response = client.post(refresh_url(page), data, follow=True)
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def shop(pim, publish):
    pim.product("A1", "City", also_in=["Helmets"], Summary="Old", Price=1)
    pim.variant("A1-1", "A1")
    assert publish().state == State.SUCCEEDED
    return pim


@pytest.fixture
def hand_made_page(site) -> Page:
    return site.root_page.add_child(
        instance=TrialProductPage(title="Hand-made", required_text="Needed")
    )


@pytest.fixture
def editors(site) -> Group:
    group = Group.objects.create(name="Product editors")
    group.permissions.add(Permission.objects.get(codename="access_admin"))
    GroupPagePermission.objects.create(
        group=group,
        page=site.root_page,
        permission=Permission.objects.get(codename="change_page"),
    )
    return group


@pytest.fixture
def editor(client, editors) -> Client:
    """Logged in as one who edits pages, and no more."""
    user = User.objects.create_user("editor", password="x")
    user.groups.add(editors)
    client.force_login(user)
    return client


@pytest.fixture
def refresher(editor, editors) -> Client:
    editors.permissions.add(Permission.objects.get(codename="refresh_pimlink"))
    return editor


# The panel


def test_a_product_shows_what_the_site_knows_of_it(shop, admin_client):
    page = page_of("A1")
    text = panel_of(admin_client, page)
    assert "Product A1" in text
    assert "Status in the PIM Published" in text
    assert "Version applied 1" in text
    assert "Run Publish approved products, " in text
    assert "Last changed by a sync" in text
    assert "Placed in City" in text
    assert "Also listed in Helmets" in text
    assert BUTTON in text
    for label in ("Title", "Slug", "Product number", "Summary", "Riding styles"):
        assert label in text.partition("The place of the page in the tree")[2]
    assert "Seo title" not in text


def test_the_run_is_a_link_for_those_who_may_look_at_it(shop, editor, editors):
    page = page_of("A1")
    run_id = page.pim_link.run_id
    address = reverse("wagtail_pim:run", args=[run_id])
    assert f"Run {run_id}" in panel_of(editor, page)
    assert address not in editor.get(edit_url(page)).content.decode()

    editors.permissions.add(Permission.objects.get(codename="view_jobrun"))
    assert "Run Publish approved products, " in panel_of(editor, page)
    assert f'href="{address}"' in editor.get(edit_url(page)).content.decode()

    JobRun.objects.all().delete()
    assert f"Run {run_id}" in panel_of(editor, page)
    assert address not in editor.get(edit_url(page)).content.decode()


def test_a_variant_shows_its_product(shop, admin_client):
    text = panel_of(admin_client, page_of("A1-1"))
    assert "Variant A1-1" in text
    assert "Variant of Title of A1" in text
    assert "Also listed in none" in text
    assert BUTTON in text


def test_pictures_documents_and_related_products_are_links(
    shop, publish, admin_client, editor
):
    shop.asset("front")
    shop.asset("manual", file_name="manual.pdf")
    shop.product("A2")
    shop.relationship("Accessories")
    shop.attach("A1", "front", "manual", primary="front")
    shop.relate("A1", "Accessories", "A2")
    shop.approve("A1")
    publish()
    page = page_of("A1")
    text = panel_of(admin_client, page)
    assert "Pictures front Documents manual Accessories Title of A2" in text
    html = admin_client.get(edit_url(page)).content.decode()
    image = reverse("wagtailimages:edit", args=[page.primary_image_id])
    assert f'<a href="{image}">front</a>' in html
    # Who may not edit pictures is not led to them.
    assert (
        f'<a href="{image}">front</a>'
        not in editor.get(edit_url(page)).content.decode()
    )


def test_a_category_and_a_catalog_show_what_fits_them(shop, admin_client):
    category = page_of("A1").get_parent()
    text = panel_of(admin_client, category)
    assert "Category" in text
    assert "Live products 1" in text
    assert "Description" in text
    for absent in (BUTTON, "Status in the PIM", "Version applied", "Open in the PIM"):
        assert absent not in text
    text = panel_of(admin_client, CatalogPage.objects.get())
    assert "Its own title, slug and place are yours" in text
    assert BUTTON not in text


def test_every_owned_field_has_a_label_people_know(
    hand_made_page, configure, admin_client
):
    make_managed(hand_made_page)
    text = panel_of(admin_client, hand_made_page)
    for label in ("Rich text", "Materials", "Tags", "Trial sizes", "Categories"):
        assert label in text, label


def test_pages_that_the_pim_does_not_manage_have_no_panel(
    shop, hand_made_page, site, admin_client
):
    for page in (hand_made_page, site.root_page):
        assert panel_of(admin_client, page) == ""


def test_pages_of_other_types_cost_no_query(site, rf, queries):
    with queries() as captured:
        assert panels_for(site.root_page.specific, rf) == []
    assert captured.reads() == []


def panels_for(page, rf, **attributes):
    view = EditView()
    view.page = page
    view.request = rf.get("/")
    view.hydrate_create_view = False
    view.__dict__.update(attributes)
    return list(panels_of_pim(view))


def test_answers_to_autosave_have_no_panel(shop, rf):
    page = page_of("A1")
    assert len(panels_for(page, rf)) == 1
    assert panels_for(page, rf, hydrate_create_view=True) == []
    assert panels_for(page, rf, expects_json_response=True) == []


def test_a_view_of_the_sites_has_the_panel_and_has_it_once(shop, admin_user, rf):
    class SitesPanel(BaseSidePanel):
        name = "site"

    class SitesEditView(EditView):
        def get_side_panels(self):
            panels = super().get_side_panels()
            panels.append(SitesPanel(self.page, self.request))
            return panels

    extend(EditView, "get_side_panels", adding_pim)
    request = rf.get("/")
    request.user = admin_user
    view = SitesEditView()
    view.setup(request, page_id=page_of("A1").pk)
    view.dispatch(request, page_id=page_of("A1").pk)
    names = [panel.name for panel in view.get_side_panels()]
    assert names[:2] == ["status", "pim"]
    assert names[-1] == "site"
    assert names.count("pim") == 1


def test_what_the_pim_says_is_escaped(shop, admin_client):
    PimLink.objects.update(status="<b>odd</b>")
    html = admin_client.get(edit_url(page_of("A1"))).content.decode()
    assert "<b>odd</b>" not in html
    assert "&lt;b&gt;odd&lt;/b&gt;" in html


def test_a_link_without_status_says_so(shop, admin_client):
    PimLink.objects.update(status="")
    assert "Status in the PIM Unknown" in panel_of(admin_client, page_of("A1"))


# The product in the PIM


def test_the_panel_leads_to_the_product_in_the_pim(shop, admin_client, pim_server):
    html = admin_client.get(edit_url(page_of("A1"))).content.decode()
    address = f"{pim_server.url}/products/{guid('product', 'A1')}"
    assert f'href="{address}"' in html


@pytest.mark.parametrize(
    ("pattern", "address"),
    [
        ("/products/{guid}", "https://pim.test/products/{guid}"),
        (
            "#/p?number={number}",
            "https://pim.test/odata/#/p?number=a%2Fb%20%22%3C%7Bguid%7D",
        ),
        (
            "https://ui.test/{number}/{guid}",
            "https://ui.test/a%2Fb%20%22%3C%7Bguid%7D/{guid}",
        ),
        ("javascript:alert('{guid}')", ""),
        ("data:text/html,{number}", ""),
        ("//[bad/{guid}", ""),
        ("", ""),
    ],
)
def test_the_address_follows_the_setting(configure, db, pattern, address):
    configure(API_ADDRESS="https://pim.test/", PRODUCT_URL=pattern)
    product = uuid.UUID(int=7)
    expected = address.replace("{guid}", str(product))
    assert product_addresses()(product, 'a/b "<{guid}') == expected


def test_an_address_that_is_none_leaves_the_link_out(shop, admin_client, configure):
    configure(API_ADDRESS="ftp://pim.test/")
    text = panel_of(admin_client, page_of("A1"))
    assert "Product A1" in text
    assert "Open in the PIM" not in text


def test_an_address_of_the_admins_serves_without_any_key(site, settings):
    settings.WAGTAIL_PIM = {}
    address = product_addresses()(uuid.UUID(int=7), "1")
    assert address.startswith("https://pim.insitecloud.net/products/")


# Refresh


def test_a_refresh_tells_which_fields_changed_and_returns_to_the_editor(
    shop, refresher, pim_server
):
    shop.change("A1", Summary="New", category="Touring", status="Published")
    page = page_of("A1")
    pim_server.requests.clear()
    response = refresher.post(refresh_url(page))
    assert response.url == edit_url(page)
    (message,) = refresher.get(response.url).context["messages"]
    assert message.level_tag == "success"
    text = str(message)
    assert "“Title of A1” was refreshed from the PIM" in text
    for label in ("Summary", "Place in the page tree", "Categories"):
        assert label in text
    assert page_of("A1").summary == "New"
    assert {r.method for r in pim_server.requests} == {"GET"}


def test_it_returns_where_it_was_asked_for_on_this_site_alone(shop, refresher):
    page = page_of("A1")
    back = "http://testserver" + edit_url(page) + "#tab-promote"
    assert refresher.post(refresh_url(page), {"next": back}).url == back
    away = refresher.post(refresh_url(page), {"next": "https://elsewhere.test/"})
    assert away.url == edit_url(page)


def test_a_variant_is_refreshed(shop, refresher):
    shop.change("A1-1", EAN="2", status="Published")
    (text,) = posted(refresher, page_of("A1-1"))
    assert "Changed: EAN." in text


def test_a_product_that_is_up_to_date_says_so(shop, refresher):
    (text,) = posted(refresher, page_of("A1"))
    assert "“Title of A1” is up to date" in text


def test_an_approved_product_waits(shop, refresher):
    shop.change("A1", Summary="New")
    (text,) = posted(refresher, page_of("A1"))
    assert "“Title of A1” was not refreshed" in text
    assert "waits for Publish approved products" in text
    assert page_of("A1").summary == "Old"
    assert shop.status("A1") == "Approved"


def test_a_deleted_product_is_an_error(shop, refresher):
    shop.store.delete("products", guid("product", "A1"))
    (text,) = posted(refresher, page_of("A1"))
    assert "was not refreshed" in text
    assert "deleted" in text


def test_a_picture_that_fails_is_told(shop, refresher):
    shop.change(
        "A1",
        Summary="New",
        status="Published",
        primaryImageAssetId=guid("asset", "missing"),
    )
    texts = posted(refresher, page_of("A1"))
    assert any("The PIM does not have this asset" in text for text in texts)
    assert any("was refreshed" in text for text in texts)
    assert any("keeps what it has" in text for text in texts)


SECRET = "c2VjcmV0LXRoYXQtbm8tcGFnZS1tYXktc2hvdw=="


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"API_ADDRESS": "http://127.0.0.1:9/"}, "does not answer"),
        ({"SECRET_KEY": SECRET}, "does not accept"),
        ({"SECRET_KEY": "no base64!"}, "not base64"),
        ({"APP_KEY": None}, "is not set"),
    ],
)
def test_a_pim_that_can_not_be_asked_is_named_without_secrets(
    shop, refresher, configure, options, said
):
    configure(**options)
    (text,) = posted(refresher, page_of("A1"))
    assert "“Title of A1” was not refreshed" in text
    assert said in text
    assert SECRET not in text
    assert str(options.get("SECRET_KEY")) not in text


def test_a_title_is_escaped_in_the_message(shop, refresher):
    ProductPage.objects.filter(product_number="A1").update(
        title="<script>1</script>", draft_title="<script>1</script>"
    )
    shop.store.delete("products", guid("product", "A1"))
    html = refresher.post(refresh_url(page_of("A1")), follow=True).content.decode()
    assert "was not refreshed" in html
    assert "<script>1</script>" not in html


# Who may


def test_it_answers_nothing_but_post(shop, refresher):
    assert refresher.get(refresh_url(page_of("A1"))).status_code == 405


def test_a_post_of_another_site_is_refused(shop, refresher, pim_server):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="editor"))
    pim_server.requests.clear()
    assert strict.post(refresh_url(page_of("A1"))).status_code == 403
    assert not pim_server.requests


def test_without_the_permission_there_is_a_panel_but_no_button(
    shop, editor, pim_server
):
    page = page_of("A1")
    text = panel_of(editor, page)
    assert "Product A1" in text
    assert BUTTON not in text
    assert_refused(editor, page, pim_server)


def test_the_permission_alone_is_not_enough(shop, refresher, pim_server):
    GroupPagePermission.objects.all().delete()
    assert_refused(refresher, page_of("A1"), pim_server)


def assert_refused(client, page, pim_server):
    pim_server.requests.clear()
    response = client.post(
        refresh_url(page), headers={"X-Requested-With": "XMLHttpRequest"}
    )
    assert response.status_code == 403
    assert not pim_server.requests


def test_who_is_not_logged_in_is_sent_to_do_so(shop, client, pim_server):
    pim_server.requests.clear()
    response = client.post(refresh_url(page_of("A1")))
    assert response.url.startswith(reverse("wagtailadmin_login"))
    assert not pim_server.requests


def test_only_products_and_variants_can_be_refreshed(
    shop, admin_client, hand_made_page, pim_server
):
    category = page_of("A1").get_parent()
    assert_refused(admin_client, category, pim_server)
    assert admin_client.post(refresh_url(hand_made_page)).status_code == 404


def test_the_permission_can_be_given_in_the_group_editor(admin_client):
    html = admin_client.get(reverse("wagtailusers_groups:add")).content.decode()
    permission = Permission.objects.get(codename="refresh_pimlink")
    assert f'value="{permission.pk}"' in html
    assert "Can refresh products from the PIM" in html
