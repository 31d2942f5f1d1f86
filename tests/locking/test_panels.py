"""The panels of the editor: locked where the page is managed, as ever where not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils.html import format_html_join
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
    Panel,
    TabbedInterface,
    TitleFieldPanel,
)

from sandbox_site.shop.models import BicyclePage
from tests.locking.conftest import make_managed
from tests.trial.models import (
    Material,
    TrialFreePage,
    TrialHandlerPage,
    TrialProductPage,
)
from wagtail_pim.locking.ownership import owned_fields
from wagtail_pim.locking.panels import locked_edit_handler
from wagtail_pim.models import CatalogPage

OWNED = owned_fields(TrialProductPage)
MANAGED_BANNER = "This page is managed in PIM."
HAND_MADE_BANNER = "This page was made by hand"
FORM = "form[data-edit-form]"


class Screen:
    """What an editor has before the eyes."""

    def __init__(self, html: str) -> None:
        # Dialogs and child forms to be stand in templates, which select() passes by.
        html = re.sub(r"(</?)template\b", r"\1div", html)
        parsed = BeautifulSoup(html, "html.parser")
        self.form = parsed.select_one(FORM) or parsed

    @property
    def text(self) -> str:
        return self.form.get_text(" ", strip=True)

    def controls(self) -> set[str]:
        """Names of all that is posted."""
        found = self.form.select("input, select, textarea, button")
        return {control["name"] for control in found if control.get("name")}

    def controls_of(self, names: frozenset[str] | set[str]) -> set[str]:
        """Those of the fields and formsets of these names."""
        return {
            control
            for control in self.controls()
            if control.split("-")[0] in names or control in names
        }

    def editable(self) -> set[str]:
        """Names of the fields, formsets and streams that have controls."""
        streams = {block["id"] for block in self.form.select("[data-block]")}
        return streams | {control.split("-")[0] for control in self.controls()}

    def locked(self) -> dict[str, Any]:
        """The locked values by their label, as a screen reader finds it."""
        found = {}
        for value in self.form.select(".pim-locked__value"):
            label = self.form.find(id=value["aria-labelledby"])
            found[label.get_text(" ", strip=True)] = value
        return found

    def locked_text(self, label: str) -> str:
        return self.locked()[label].get_text(" ", strip=True)

    def rows(self, label: str) -> list[list[str]]:
        return [
            [cell.get_text(" ", strip=True) for cell in row.select("th, td")]
            for row in self.locked()[label].select("tr")
        ]


def edit_view(client: Any, page: Any) -> Screen:
    response = client.get(reverse("wagtailadmin_pages:edit", args=[page.pk]))
    assert response.status_code == 200
    return Screen(response.content.decode())


@pytest.fixture
def screen(admin_client, trial_page) -> Screen:
    return edit_view(admin_client, trial_page)


# A managed page in the edit view


def test_no_control_of_a_managed_page_bears_an_owned_name(screen):
    assert screen.controls_of(OWNED) == set()


def test_the_form_of_a_managed_page_holds_no_owned_name(admin_client, trial_page):
    url = reverse("wagtailadmin_pages:edit", args=[trial_page.pk])
    form = admin_client.get(url).context["form"]
    assert OWNED.isdisjoint({*form.fields, *form.formsets})
    assert "note" in form.fields
    assert "links" in form.formsets


def test_the_editors_fields_of_a_managed_page_have_their_controls(screen):
    assert {
        "note",
        "campaign",
        "links-0-label",
        "links-__prefix__-label",
        "seo_title",
        "search_description",
        "show_in_menus",
        "go_live_at",
    } <= screen.controls()


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("Title", "Trial product"),
        ("Slug", "trial-product"),
        ("Expiry date/time", "Dec. 31, 2099, 1 p.m."),
        ("Product number", "T-1"),
        ("Text", "Short text"),
        ("Required text", "Required text"),
        ("Long text", "First line Second line"),
        ("Rich text", "Rides well ."),
        ("Stream", "Streamed text"),
        ("Choice", "Small"),
        ("Flag", "Yes"),
        ("Maybe", "No"),
        ("Count", "1234"),
        ("Price", "1299.50"),
        ("Ratio", "0.25"),
        ("Day", "March 1, 2026"),
        ("Moment", "March 1, 2026, 10:30 a.m."),
        ("Clock", "5:45 p.m."),
        ("Address", "https://example.com/trial"),
        ("Manual", "Assembly manual"),
        ("Successor", "Home"),
        ("Material", "Steel"),
        ("Materials", "Steel Wool"),
        ("Plain materials", "Wool"),
    ],
)
def test_an_owned_field_shows_its_value(screen, label, text):
    assert screen.locked_text(label) == text


def test_owned_tags_and_children_show_as_chips_and_tables(screen):
    assert set(screen.locked_text("Tags").split()) == {"light", "reflective"}
    assert screen.rows("Data") == [["Weight (kg)", "12.5"], ["Colours", "Red Blue"]]
    assert screen.rows("Size") == [["Name", "Stock"], ["M", "5"], ["L", "0"]]


def test_owned_pictures_are_pictures(admin_client, trial_page):
    trial_page.gallery.first().image.renditions.all().delete()
    screen = edit_view(admin_client, trial_page)
    # The gallery of the same label stands after it.
    picture = screen.locked()["Picture"]
    assert [found.get_text() for found in picture.select("figcaption")] == [
        "Front",
        "Back",
    ]
    titles = [found.get_text() for found in screen.form.select("figcaption")]
    assert titles == ["Second picture", "Front", "Back"]
    assert all(found.img["src"] for found in screen.form.select("figure"))


def test_every_locked_value_says_who_manages_it(screen):
    values = screen.form.select(".pim-locked__value")
    # One each, but for primary_image, which this type has no panel for.
    assert len(values) == len(OWNED) - 1
    for value in values:
        ids = value["aria-describedby"].split()
        descriptions = [screen.form.find(id=found) for found in ids]
        assert descriptions[0].get_text(strip=True) == "Managed in PIM"
        assert descriptions[0].select("svg.icon-lock")
        assert value["tabindex"] == "0"


def test_ids_are_used_once(screen):
    ids = [element["id"] for element in screen.form.select(".pim-locked [id]")]
    assert ids
    for found in ids:
        assert len(screen.form.find_all(id=found)) == 1


def test_help_of_the_model_stands_with_the_locked_field(screen):
    value = screen.locked()["Text"]
    text_id = value["aria-describedby"].split()[1]
    assert screen.form.find(id=text_id).get_text(strip=True) == "Plain text."


def test_the_schedule_locks_the_expiry_alone(screen):
    dialog = screen.form.select_one("#schedule-publishing-dialog")
    assert dialog.select_one("[name=go_live_at]")
    (expiry,) = dialog.select(".pim-locked__value")
    assert expiry is screen.locked()["Expiry date/time"]


def test_no_comment_is_offered_on_a_locked_field(screen):
    assert screen.form.select("[data-contentpath=note] [data-comment-add]")
    assert not screen.form.select(".pim-locked [data-comment-add]")
    paths = {f["data-contentpath"] for f in screen.form.select("[data-contentpath]")}
    assert paths.isdisjoint(OWNED)


def test_a_managed_page_says_so_once(screen):
    assert screen.text.count(MANAGED_BANNER) == 1
    assert HAND_MADE_BANNER not in screen.text


def test_a_saved_value_that_would_run_does_not(admin_client, trial_page):
    hostile = '"><script>alert(4711)</script>'
    TrialProductPage.objects.filter(pk=trial_page.pk).update(
        title=hostile,
        draft_title=hostile,
        text=hostile,
        rich_text=hostile,
        choice="gone",
        address="javascript:alert(4711)",
        data=[{"name": hostile, "value": {hostile: [hostile]}}],
    )
    screen = edit_view(admin_client, trial_page)
    assert screen.locked_text("Choice") == "gone"
    for value in screen.locked().values():
        assert not value.select("script, [href^='javascript:']")
    assert hostile in screen.locked_text("Text")


# Nested panels and tabs


@pytest.fixture
def handler_page(site) -> TrialHandlerPage:
    page = TrialHandlerPage(
        title="Nested", slug="nested", colour="Red", size="L", product_number="N-1"
    )
    site.root_page.add_child(instance=page)
    make_managed(page)
    return page


def test_an_edit_handler_of_the_sites_own_is_locked_to_its_leaves(
    admin_client, handler_page
):
    screen = edit_view(admin_client, handler_page)
    assert {
        label: value.get_text(strip=True) for label, value in screen.locked().items()
    } == {
        "Title": "Nested",
        "Colour": "Red",
        "Size": "L",
        "Slug": "nested",
        "Product number": "N-1",
    }
    assert screen.controls_of(owned_fields(TrialHandlerPage)) == set()
    assert "note" in screen.controls()
    assert "Read this first." in screen.text
    assert screen.text.count(MANAGED_BANNER) == 1


# Pages that nobody manages


def test_all_of_a_hand_made_page_can_be_edited(admin_client, hand_made_page):
    Material.objects.create(name="Steel")
    screen = edit_view(admin_client, hand_made_page)
    assert not screen.locked()
    assert OWNED - screen.editable() == {"primary_image"}
    assert screen.text.count(HAND_MADE_BANNER) == 1
    assert MANAGED_BANNER not in screen.text


def test_all_of_a_new_page_can_be_filled_in(admin_client, site):
    Material.objects.create(name="Steel")
    response = admin_client.get(
        reverse(
            "wagtailadmin_pages:add",
            args=["trial", "trialproductpage", site.root_page_id],
        )
    )
    screen = Screen(response.content.decode())
    assert not screen.locked()
    assert OWNED - screen.editable() == {"primary_image"}
    assert screen.text.count(HAND_MADE_BANNER) == 1


def test_a_type_that_is_kept_out_knows_no_banner(admin_client, site):
    page = TrialFreePage(title="Free", slug="free", colour="Red")
    site.root_page.add_child(instance=page)
    screen = edit_view(admin_client, page)
    assert {"title", "colour", "slug"} <= screen.controls()
    assert not screen.locked()
    assert HAND_MADE_BANNER not in screen.text


# What sites put together


@pytest.fixture
def render(rf, admin_user, trial_page):
    """Renders panels for a page, the managed one if no other is given."""

    def render(*panels: Any, page: Any = None, user: Any = None) -> Screen:
        page = page or trial_page
        request = rf.get("/")
        request.user = user or admin_user
        handler = locked_edit_handler(
            ObjectList(list(panels)).bind_to_model(TrialProductPage)
        )
        form = handler.get_form_class()(instance=page, for_user=request.user)
        bound = handler.get_bound_panel(instance=page, request=request, form=form)
        return Screen(bound.render_form_content())

    return render


def test_a_panels_own_heading_and_help_come_first(render):
    screen = render(FieldPanel("text", heading="Caption", help_text="In bold."))
    assert screen.locked_text("Caption") == "Short text"
    assert "In bold." in screen.text
    assert "Plain text." not in screen.text


def test_markup_in_a_heading_is_shown_as_text(render):
    screen = render(FieldPanel("text", heading="<b>Caption</b>", help_text="<i>x</i>"))
    assert screen.locked_text("<b>Caption</b>") == "Short text"
    assert "<i>x</i>" in screen.text


@pytest.mark.parametrize("kind", [FieldPanel, FieldRowPanel, MultiFieldPanel])
def test_a_panel_for_some_is_hidden_from_the_others(render, django_user_model, kind):
    panel = (
        FieldPanel("text", permission="wagtail_pim.change_pimlink")
        if kind is FieldPanel
        else kind(["text"], permission="wagtail_pim.change_pimlink")
    )
    editor = django_user_model.objects.create_user("editor", password="x")
    assert not render(panel, user=editor).locked()
    editor.user_permissions.add(Permission.objects.get(codename="change_pimlink"))
    editor = django_user_model.objects.get(pk=editor.pk)
    assert render(panel, user=editor).locked_text("Text") == "Short text"


def test_a_read_only_panel_is_locked_as_any_other(render, hand_made_page):
    panel = FieldPanel("text", read_only=True)
    assert render(panel).locked_text("Text") == "Short text"
    screen = render(panel, page=hand_made_page)
    assert not screen.locked()
    assert "text" not in screen.controls()
    assert "The editors' text" in screen.text


def test_string_panels_are_locked(render):
    screen = render("text", "note", MultiFieldPanel(["count"], heading="Group"))
    assert set(screen.locked()) == {"Text", "Count"}
    assert screen.controls() == {"note"}


@pytest.mark.parametrize("nested", [False, True])
def test_a_collapsed_panel_with_attributes_of_its_own_stays_so(render, nested):
    panel: Any = FieldPanel(
        "text", classname="title collapsed wide", attrs={"data-site": "own"}
    )
    screen = render(MultiFieldPanel([panel], heading="G") if nested else panel)
    found = screen.form.select_one("[data-site=own]")
    assert {"collapsed", "wide"} <= set(found["class"])
    # Wagtail would hide the label of such a one.
    assert "title" not in found["class"]
    assert found.select_one(".pim-locked__value").get_text() == "Short text"


def test_a_widget_is_left_out_with_its_scripts(render, hand_made_page):
    panel = TitleFieldPanel("title", targets=["slug"], placeholder="Name")
    assert render(panel).locked_text("Title") == "Trial product"
    assert render(panel, FieldPanel("slug"), page=hand_made_page).controls() == {
        "title",
        "slug",
    }


class SitePanel(Panel):
    """A leaf of a site's own, which draws several fields of the form itself."""

    def __init__(self, names: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.site_names = names

    def clone_kwargs(self) -> dict[str, Any]:
        return {**super().clone_kwargs(), "names": self.site_names}

    def get_form_options(self) -> dict[str, Any]:
        return {"fields": self.site_names}

    class BoundPanel(Panel.BoundPanel):
        def render_html(self, parent_context: Any = None) -> str:
            fields = ((self.form[name],) for name in self.panel.site_names)
            return format_html_join("", "{}", fields)


def test_a_panel_of_the_sites_own_is_locked(render, hand_made_page):
    panel = SitePanel(["text", "choice"], heading="Both")
    screen = render(panel)
    assert screen.rows("Both") == [["Text", "Short text"], ["Choice", "Small"]]
    assert screen.controls() == set()
    assert render(panel, page=hand_made_page).controls() == {"text", "choice"}


def test_of_a_panel_that_mixes_the_owners_each_keeps_what_is_its_own(
    render, hand_made_page
):
    panel = SitePanel(["text", "note"], heading="Mixed")
    screen = render(panel)
    assert screen.locked_text("Text") == "Short text"
    assert set(screen.locked()) == {"Text"}
    assert screen.controls() == {"note"}
    assert render(panel, page=hand_made_page).controls() == {"text", "note"}


def test_child_panels_of_any_shape_make_the_columns(render):
    columns = [
        MultiFieldPanel([FieldPanel("name", heading="Label")]),
        SitePanel(["stock"]),
    ]
    screen = render(InlinePanel("sizes", panels=columns, heading="Sizes & stock"))
    assert screen.rows("Sizes & stock") == [["Label", "Stock"], ["M", "5"], ["L", "0"]]


# Comparing revisions


@pytest.mark.parametrize("managed", [True, False])
def test_revisions_can_be_compared(admin_client, trial_page, hand_made_page, managed):
    page = trial_page if managed else hand_made_page
    first = page.save_revision()
    page.note, page.text = "Rewritten note", "Rewritten text"
    second = page.save_revision()
    response = admin_client.get(
        reverse(
            "wagtailadmin_pages:revisions_compare", args=[page.pk, first.pk, second.pk]
        )
    )
    assert response.status_code == 200
    text = BeautifulSoup(response.content, "html.parser").get_text(" ", strip=True)
    assert "Rewritten" in text
    assert "Note" in text
    # Of a managed page a revision holds none but the editors' values.
    assert ("Rewritten text" in text) is not managed


def test_a_live_page_can_be_compared_with_its_draft(admin_client, trial_page):
    trial_page.note = "Rewritten note"
    revision = trial_page.save_revision()
    response = admin_client.get(
        reverse(
            "wagtailadmin_pages:revisions_compare",
            args=[trial_page.pk, "live", revision.pk],
        )
    )
    assert response.status_code == 200
    assert "Rewritten" in response.content.decode()


# What sites do with panels besides


def test_a_changed_setting_reaches_locked_panels(settings):
    """Wagtail makes its edit handlers anew, and so are ours."""
    assert "comments" in BicyclePage.get_edit_handler().get_form_class().formsets
    settings.WAGTAILADMIN_COMMENTS_ENABLED = False
    assert "comments" not in BicyclePage.get_edit_handler().get_form_class().formsets


def test_an_edit_handler_of_one_panel_is_locked_under_a_banner(rf, trial_page):
    handler = FieldPanel("text").bind_to_model(TrialProductPage)
    locked = locked_edit_handler(handler)
    form = locked.get_form_class()(instance=trial_page)
    assert "text" not in form.fields
    html = locked.get_bound_panel(
        instance=trial_page, request=rf.get("/"), form=form
    ).render_html()
    assert "This page is managed in PIM" in html
    assert "Short text" in html


def test_the_banner_is_not_in_a_tab_for_some_people_alone():
    handler = TabbedInterface(
        [
            ObjectList(["text"], permission="superuser"),
            ObjectList(["note"], heading="All"),
        ]
    ).bind_to_model(TrialProductPage)
    first, second = locked_edit_handler(handler).children
    assert [panel.clean_name for panel in first.children] == ["text"]
    assert [panel.clean_name for panel in second.children] == ["pim_banner", "note"]


def test_a_panel_that_hides_itself_stays_hidden(rf, trial_page):
    class HiddenPanel(FieldPanel):
        class BoundPanel(FieldPanel.BoundPanel):
            def is_shown(self) -> bool:
                return False

    handler = ObjectList([HiddenPanel("text"), FieldPanel("note")])
    handler = locked_edit_handler(handler.bind_to_model(TrialProductPage))
    form = handler.get_form_class()(instance=trial_page)
    bound = handler.get_bound_panel(instance=trial_page, request=rf.get("/"), form=form)
    assert "Short text" not in bound.render_html()


def test_a_group_whose_names_were_asked_for_before_shows_all(trial_page):
    handler = ObjectList(["text", "note"]).bind_to_model(TrialProductPage)
    assert len(handler.child_identifiers) == 2
    locked = locked_edit_handler(handler)
    form = locked.get_form_class()(instance=trial_page)
    bound = locked.get_bound_panel(instance=trial_page, form=form)
    assert len(bound.children) == 3


@pytest.mark.parametrize("model", [TrialProductPage, TrialFreePage, CatalogPage])
def test_the_write_api_has_a_form_class_for_each_type(model):
    assert issubclass(model.api_base_form_class, model.base_form_class)
