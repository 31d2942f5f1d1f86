from types import SimpleNamespace

import pytest
from django import forms
from django.core.checks.registry import registry
from django.db import models
from django.test.utils import isolate_apps
from modelcluster.fields import ParentalManyToManyField
from wagtail.admin.panels import FieldPanel, ObjectList
from wagtail.admin.viewsets.chooser import ChooserViewSet
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.models import DraftStateMixin, Page, PreviewableMixin, RevisionMixin
from wagtail.permission_policies import ModelPermissionPolicy
from wagtail.snippets.views.snippets import SnippetViewSet

from sandbox_site.shop.models import BicyclePage, Brand, HomePage
from tests.trial.models import Certificate, Maker, TrialProductPage
from wagtail_pim import checks, converters
from wagtail_pim.catalog.schema import Kind
from wagtail_pim.cron import cronjobs
from wagtail_pim.locking.forms import locked_form
from wagtail_pim.locking.ownership import SyncedModelMixin, owned_fields
from wagtail_pim.locking.pages import SyncedPageMixin
from wagtail_pim.locking.viewsets import (
    SyncedChooserViewSetMixin,
    SyncedModelViewSetMixin,
    SyncedSnippetViewSetMixin,
)
from wagtail_pim.markers import Sync, no_sync

with isolate_apps("sandbox_site.shop"):

    class Nameless(models.Model):
        number = models.IntegerField()
        text = models.TextField()

        class Meta:
            app_label = "shop"

        def __str__(self):
            return self.text


@pytest.fixture
def check(monkeypatch):
    """Ids and messages of the marker checks, with these as the only product pages."""

    def check(*page_types):
        by_kind = {Kind.PRODUCT: list(page_types), Kind.VARIANT: []}
        monkeypatch.setattr(checks, "page_classes", by_kind.get)
        found = checks.check_markers(None)
        assert all(message.hint for message in found)
        return {m.id.removeprefix("wagtail_pim."): m.msg for m in found}

    return check


@pytest.fixture
def shirt():
    """A page type of plain Django, so that Wagtail does not take it for one."""
    with isolate_apps("sandbox_site.shop"):

        class Shirt(models.Model):
            fabric = models.CharField(max_length=9)
            fit = models.CharField(max_length=9)
            code = models.UUIDField()
            facts = models.JSONField(default=list)
            brand = models.ForeignKey(Brand, models.PROTECT, related_name="+")
            products = ParentalManyToManyField(Nameless, related_name="+")

            class Meta:
                app_label = "shop"

            def __str__(self):
                return self.fabric

        yield Shirt


@pytest.fixture
def settings_check(settings):
    """Ids and messages of the settings check with this WAGTAIL_PIM."""

    def settings_check(**values):
        settings.WAGTAIL_PIM = values
        found = checks.check_settings(None)
        return [(m.id.removeprefix("wagtail_pim."), m.msg) for m in found]

    return settings_check


def test_shop_of_the_sandbox_is_clean():
    assert checks.check_markers(None) == checks.check_settings(None) == []
    assert checks.check_locking(None) == checks.check_tasks(None) == []


def test_good_markers_are_clean(check, shirt):
    shirt.pim_fields = [
        Sync("fabric"),
        Sync("fit", property="Cut"),
        Sync("facts", property="*"),
        Sync("brand"),
        Sync("products", lookup="text"),
    ]
    assert check(shirt) == {}


def test_e001_marker_of_no_field(check, shirt):
    shirt.pim_fields = [Sync("fabrik"), Sync("fit")]
    assert check(shirt) == {
        "E001": "Shirt.pim_fields names “fabrik”, which is no field of it."
    }


def test_e002_field_without_a_converter(check, shirt):
    shirt.pim_fields = [Sync("code")]
    assert "Shirt.code: there is no converter" in check(shirt)["E002"]
    assert "UUIDField" in check(shirt)["E002"]


@pytest.mark.parametrize(
    "second",
    [
        Sync("fit", property="fabric"),
        Sync("fit", property="FABRIC"),
        Sync("fit", property="Fab_ric"),
    ],
)
def test_e003_property_of_two_fields(check, shirt, second):
    shirt.pim_fields = [Sync("fabric"), second]
    assert "“fabric” and “fit” both take the property" in check(shirt)["E003"]


def test_e003_two_fields_for_any_property(check, shirt):
    shirt.pim_fields = [Sync("facts", property="*"), Sync("fit", property="*")]
    assert {"E003", "E005"} == check(shirt).keys()


@pytest.mark.parametrize("name", ["title", "slug", "seo_title", "product_number"])
def test_e004_field_of_every_page(check, monkeypatch, name):
    monkeypatch.setattr(BicyclePage, "pim_fields", [Sync(name)])
    assert f"BicyclePage.pim_fields: “{name}”" in check(BicyclePage)["E004"]


def test_e005_any_property_in_a_field_that_is_not_json(check, shirt):
    shirt.pim_fields = [Sync("fabric", property="*")]
    assert "Shirt.fabric takes any property, but is a CharField" in check(shirt)["E005"]


def test_w002_foreign_key_that_a_deletion_empties(check, monkeypatch):
    field = BicyclePage._meta.get_field("brand")
    assert "W002" not in check(BicyclePage)
    monkeypatch.setattr(field.remote_field, "on_delete", models.SET_NULL)
    assert "emptied when somebody deletes the brand" in check(BicyclePage)["W002"]


@pytest.mark.parametrize("lookup", [None, "number", "nothing"])
def test_e006_relation_without_a_text_to_look_up(check, shirt, lookup):
    shirt.pim_fields = [Sync("products", lookup=lookup)]
    assert "Nameless has no text field" in check(shirt)["E006"]
    assert f"“{lookup or 'name'}”" in check(shirt)["E006"]


def test_e007_two_page_types_of_one_template(check, shirt, monkeypatch):
    monkeypatch.setattr(BicyclePage, "pim_template", "s_hirt")
    assert "Shirt and BicyclePage both show" in check(shirt, BicyclePage)["E007"]


def test_e007_template_of_a_page_type_that_is_not_synced(check, shirt, monkeypatch):
    monkeypatch.setattr(BicyclePage, "pim_template", "Shirt")
    assert check(no_sync(shirt), BicyclePage) == {}


@pytest.mark.parametrize("control", ["Slider", "", "Text Fields"])
def test_e022_control_that_the_pim_has_not(check, shirt, control):
    shirt.pim_fields = [Sync("fabric", control=control)]
    message = check(shirt)["E022"]
    assert message == f"Shirt.fabric: the PIM has no control type “{control}”."


def test_e022_control_whose_values_the_field_cannot_hold(check, shirt):
    shirt.pim_fields = [Sync("brand", control="Multi Select")]
    assert (
        "“Multi Select” enters values that a ForeignKey can't hold"
        in (check(shirt)["E022"])
    )


@pytest.mark.parametrize(
    "control", ["Dropdown", "radio button", "TextArea", "HTML", "text_area"]
)
def test_control_that_suits_is_clean(check, shirt, control):
    shirt.pim_fields = [Sync("fabric", control=control)]
    assert check(shirt) == {}


@pytest.fixture
def trousers(shirt):
    """Another page type, with a number for a fabric."""

    class Trousers(models.Model):
        fabric = models.IntegerField()

        pim_fields = [Sync("fabric")]

        class Meta:
            app_label = "shop"

        def __str__(self):
            return str(self.fabric)

    return Trousers


def test_w007_one_property_of_two_types(check, shirt, trousers):
    shirt.pim_fields = [Sync("fabric")]
    assert check(shirt, trousers) == {
        "W007": "Shirt.fabric and Trousers.fabric both take the property “fabric”, but "
        "one holds text and the other number."
    }


@pytest.mark.parametrize(
    "marker",
    [
        Sync("fabric", property="Thickness"),
        Sync("fabric", control="Text Field"),
        Sync("fabric", property="percentComplete"),
    ],
)
def test_property_of_its_own_or_of_the_same_type_is_clean(
    check, shirt, trousers, marker
):
    shirt.pim_fields = [Sync("fabric")]
    trousers.pim_fields = [marker]
    assert check(shirt, trousers) == {}


def test_w007_goes_by_the_types_and_not_by_the_controls(check, shirt, trousers):
    shirt.pim_fields = [Sync("fabric", control="Text Area")]
    trousers.pim_fields = [Sync("fabric", control="Text Field")]
    assert check(shirt, trousers) == {}


def test_w008_field_whose_control_is_not_known(check, shirt, monkeypatch):
    monkeypatch.setattr("wagtail_pim.converters._registry", {**converters._registry})
    converters.register_converter(models.UUIDField)(lambda value, target: value)
    shirt.pim_fields = [Sync("code")]
    assert "Shirt.code: it is not known which control type" in check(shirt)["W008"]
    shirt.pim_fields = [Sync("code", control="Text Field")]
    assert check(shirt) == {}
    shirt.pim_fields = [Sync("code", property="productNumber")]
    assert check(shirt) == {}


def test_w009_field_that_cannot_hold_what_every_product_has(check, shirt):
    shirt.pim_fields = [Sync("fabric", property="productTitle", control="Decimal")]
    found = check(shirt)["W009"]
    assert "Shirt.fabric is a CharField" in found
    assert "“productTitle” is text" in found


def test_page_type_that_is_not_synced_may_be_marked_as_it_likes(check, shirt):
    shirt.pim_fields = [Sync("fabrik"), Sync("code")]
    assert check(no_sync(shirt)) == {}


def test_e001_marker_of_no_field_in_a_model_that_is_no_page(check, monkeypatch):
    monkeypatch.setattr(Maker, "pim_fields", [Sync("nam")])
    assert check() == {"E001": "Maker.pim_fields names “nam”, which is no field of it."}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "DEFAULT_PRODUCT_PAGE",
            "shop.Nothing",
            "“shop.Nothing”, which does not exist",
        ),
        ("DEFAULT_PRODUCT_PAGE", "nothing", "“nothing”, which does not exist"),
        ("DEFAULT_PRODUCT_PAGE", "a.b.c", "“a.b.c”, which does not exist"),
        ("DEFAULT_PRODUCT_PAGE", "shop.Brand", "“shop.Brand”, which is no ProductPage"),
        ("DEFAULT_VARIANT_PAGE", "shop.HelmetPage", "which is no VariantPage"),
        ("CATALOG_PAGE", "shop.HomePage", "which is no CatalogPage"),
        ("CATEGORY_PAGE", "wagtailcore.Page", "which is no CategoryPage"),
    ],
)
def test_e008_page_type_that_cannot_serve(settings_check, name, value, message):
    ((code, told),) = settings_check(**{name: value})
    assert code == "E008"
    assert message in told


@pytest.fixture
def without(monkeypatch):
    """Has the checks find an app missing."""

    def without(missing):
        apps = SimpleNamespace(is_installed=lambda app: app != missing)
        monkeypatch.setattr(checks, "apps", apps)

    return without


def test_e009_site_without_the_settings_app(settings_check, without):
    without("wagtail.contrib.settings")
    assert [code for code, _told in settings_check()] == ["E009"]


@pytest.mark.parametrize("name", ["BATCH_SIZE", "MAX_FAILURES_IN_A_ROW"])
@pytest.mark.parametrize("value", [0, -1, "250", 1.5, [1]])
def test_e010_size_that_is_no_size(settings_check, name, value):
    ((code, told),) = settings_check(**{name: value})
    assert code == "E010"
    assert name in told


@pytest.fixture
def locking_check(monkeypatch):
    """Messages by id, with these as the only models and registered viewsets."""

    def locking_check(*found):
        only = [item for item in found if isinstance(item, type)]
        others = [item for item in found if not isinstance(item, type)]
        monkeypatch.setattr(checks, "apps", SimpleNamespace(get_models=lambda: only))
        monkeypatch.setattr(checks, "viewsets", SimpleNamespace(viewsets=others))
        messages = checks.check_locking(None)
        assert all(message.hint for message in messages)
        return {m.id.removeprefix("wagtail_pim."): m.msg for m in messages}

    return locking_check


def abstract(*bases, **attributes):
    """A class that Wagtail does not take for one of its page types."""
    meta = type("Meta", (), {"abstract": True, "app_label": "shop"})
    return type("Wrong", bases, {"__module__": __name__, "Meta": meta, **attributes})


def viewset(*bases, model=Certificate, **attributes):
    made = type("TrialViewSet", bases, {"model": model, **attributes})
    return made() if issubclass(made, SnippetViewSet) else made("trial")


def test_locking_is_clean_without_any_model_or_viewset(locking_check):
    assert locking_check() == {}


def test_locking_is_clean_in_a_site_without_urls(locking_check, settings):
    del settings.ROOT_URLCONF
    assert locking_check(viewset(ModelViewSet, form_fields=["remark"])).keys() == {
        "E014"
    }


@pytest.mark.parametrize(
    ("bases", "before"),
    [
        ((Page, SyncedPageMixin), "Page."),
        ((RevisionMixin, SyncedModelMixin), "RevisionMixin.with_content_json()"),
    ],
)
def test_e011_mixin_that_stands_too_late(locking_check, bases, before):
    wrong = abstract(*bases, pim_fields=[Sync("pk")])
    told = locking_check(wrong)["E011"]
    assert told.startswith(f"Wrong: {bases[-1].__name__} stands too late")
    assert before in told


@pytest.mark.parametrize(
    "bases",
    [
        (SyncedPageMixin, Page),
        (SyncedModelMixin, DraftStateMixin, RevisionMixin),
        (PreviewableMixin, SyncedModelMixin, RevisionMixin),
    ],
)
def test_mixin_that_stands_before_what_it_guards_is_clean(locking_check, bases):
    assert "E011" not in locking_check(abstract(*bases, pim_fields=[Sync("pk")]))


def test_e011_class_of_the_sites_own_may_stand_before_the_mixin(locking_check):
    class Careful(models.Model):
        class Meta:
            abstract = True
            app_label = "shop"

        def save(self, *args, **kwargs):
            super().save(*args, **kwargs)

    assert locking_check(abstract(Careful, SyncedModelMixin)) == {}
    good = abstract(Careful, SyncedModelMixin, pim_fields=[Sync("pk")])
    assert locking_check(good) == {}


@pytest.mark.parametrize("model", [TrialProductPage, Maker])
def test_e012_owned_name_of_no_field(locking_check, monkeypatch, model):
    names = [*model.pim_owned_fields, "gallry"]
    monkeypatch.setattr(model, "pim_owned_fields", names)
    owned_fields.cache_clear()
    found = locking_check(model)
    monkeypatch.undo()
    owned_fields.cache_clear()
    assert found == {
        "E012": f"{model.__name__}.pim_owned_fields names “gallry”, which is no "
        "field or relation of it."
    }


def test_e013_markers_without_the_mixin(locking_check, monkeypatch, shirt):
    shirt.pim_fields = [Sync("fabric")]
    assert locking_check(shirt) == {
        "E013": "Shirt has fields of the PIM's, but no SyncedModelMixin: nothing "
        "locks them."
    }
    assert locking_check(no_sync(shirt)) == {}
    monkeypatch.setattr(HomePage, "pim_fields", [Sync("headline")], raising=False)
    assert "but no SyncedPageMixin" in locking_check(HomePage)["E013"]


def test_e013_owned_names_without_the_mixin(locking_check, shirt):
    shirt.pim_owned_fields = ["fabric"]
    assert locking_check(shirt).keys() == {"E013"}


@pytest.mark.parametrize(
    "unlocked",
    [
        viewset(SnippetViewSet, model=Maker),
        viewset(ModelViewSet, form_fields=["remark"]),
        viewset(SyncedChooserViewSetMixin, ModelViewSet, form_fields=["remark"]),
    ],
)
def test_e014_viewset_without_its_mixin(locking_check, unlocked):
    found = locking_check(unlocked)
    assert found == {
        "E014": f"{unlocked.model.__name__} has fields of the PIM's, but is registered "
        "with TrialViewSet, which locks nothing."
    }


def test_e014_markers_of_a_snippet_without_any_mixin(locking_check, shirt):
    shirt.pim_fields = [Sync("fabric")]
    found = locking_check(shirt, viewset(SnippetViewSet, model=shirt))
    assert found.keys() == {"E013", "E014"}


def test_viewsets_of_models_that_the_pim_does_not_know_are_the_sites(
    locking_check, shirt
):
    free = viewset(ModelViewSet, model=shirt, form_fields=["fabric"])
    chooser = viewset(ChooserViewSet, model=shirt, form_fields=["fabric"])
    assert locking_check(free, chooser, SimpleNamespace(model=Maker)) == {}


def test_viewsets_that_hooks_register_are_looked_at(monkeypatch):
    monkeypatch.setattr(checks, "SyncedViewSetMixin", type("Unknown", (), {}))
    found = {(m.id, m.obj) for m in checks.check_locking(None)}
    assert found == {("wagtail_pim.E014", m) for m in (Brand, Certificate, Maker)}


def unlocked_handler(model, *names):
    return ObjectList([FieldPanel(name) for name in names]).bind_to_model(model)


@pytest.mark.parametrize("base_form_class", [None, "locked"])
def test_e015_page_type_with_an_edit_handler_of_its_own(
    locking_check, monkeypatch, base_form_class
):
    handler = unlocked_handler(BicyclePage, "title", "gears", "badge")
    if base_form_class:
        handler.base_form_class = locked_form(BicyclePage.base_form_class)
    monkeypatch.setattr(BicyclePage, "get_edit_handler", lambda: handler)
    told = locking_check(BicyclePage)["E015"]
    assert told.endswith(": gears, title.")
    assert ("has panels that don't lock" in told) == bool(base_form_class)


@pytest.mark.parametrize(
    ("override", "value"),
    [
        (
            "get_form_class",
            lambda self, for_update=False: forms.modelform_factory(
                Certificate, fields=["number", "remark"]
            ),
        ),
        (
            "get_edit_handler",
            lambda self: unlocked_handler(Certificate, "number", "remark"),
        ),
    ],
)
def test_e015_viewset_with_a_form_of_its_own(locking_check, override, value):
    made = viewset(
        SyncedModelViewSetMixin,
        ModelViewSet,
        form_fields=["number"],
        **{override: value},
    )
    assert locking_check(made)["E015"] == (
        "The edit form of Certificate lets people change what the PIM owns: number."
    )


def test_e015_inline_panel_of_a_snippet(locking_check):
    made = viewset(
        SyncedSnippetViewSetMixin,
        SnippetViewSet,
        model=Maker,
        get_edit_handler=lambda self: ObjectList(Maker.panels).bind_to_model(Maker),
    )
    assert locking_check(made)["E015"].endswith(": expire_at, name, places.")


def test_e016_chooser_that_creates(locking_check):
    chooser = viewset(
        ChooserViewSet,
        form_fields=["number"],
        permission_policy=ModelPermissionPolicy(Certificate),
    )
    assert locking_check(chooser) == {
        "E016": "TrialViewSet lets people add objects of Certificate, which only the "
        "PIM adds and deletes."
    }


@pytest.mark.skipif(
    checks.policy_registry is not None, reason="Wagtail 8 asks its policy_registry"
)
def test_e016_chooser_that_knows_of_no_policy(locking_check):
    assert locking_check(viewset(ChooserViewSet, form_fields=["number"])).keys() == {
        "E016"
    }


def test_chooser_with_the_mixin_or_without_a_form_is_clean(locking_check):
    assert (
        locking_check(
            viewset(SyncedChooserViewSetMixin, ChooserViewSet, form_fields=["number"]),
            viewset(ChooserViewSet),
            viewset(ChooserViewSet, model="trial.Certificate"),
        )
        == {}
    )


def test_e016_viewset_with_a_policy_that_lets_add(locking_check, monkeypatch):
    open_policy = ModelPermissionPolicy(Certificate)
    made = viewset(
        SyncedModelViewSetMixin,
        ModelViewSet,
        form_fields=["number"],
        permission_policy=open_policy,
    )
    if checks.policy_registry is not None:
        policies = checks.policy_registry.values_by_exact_class
        monkeypatch.setitem(policies, Certificate, open_policy)
    assert locking_check(made).keys() == {"E016"}


def test_w001_setting_that_means_nothing(settings_check):
    assert settings_check(BATCH_SIZES=5) == [
        ("W001", "WAGTAIL_PIM has no setting “BATCH_SIZES”.")
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"HEARTBEAT_TIMEOUT": 0}, "E019"),
        ({"QUEUE_TIMEOUT": "10"}, "E019"),
        ({"LATE_AFTER": -1}, "E019"),
        ({"RUN_RETENTION_DAYS": -1}, "E020"),
        ({"RUN_RETENTION_DAYS": 0.5}, "E020"),
        ({"BATCH_SIZE": True}, "E010"),
        ({"QUEUE_TIMEOUT": True}, "E019"),
        ({"RUN_RETENTION_DAYS": True}, "E020"),
    ],
)
def test_e010_e019_e020_numbers_that_are_none(settings_check, values, expected):
    assert [code for code, _message in settings_check(**values)] == [expected]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"DISCARDS": "Delete"}, "E024"),
        ({"DISCARDS": ["delete"]}, "E024"),
        ({"DISCARDS": False}, "E024"),
        ({"MISSING_TRANSLATIONS": "leave out"}, "E024"),
        ({"MAX_REMOVAL_SHARE": 1.1}, "E025"),
        ({"MAX_REMOVAL_SHARE": -0.1}, "E025"),
        ({"MAX_REMOVAL_SHARE": "0.1"}, "E025"),
        ({"MAX_REMOVAL_SHARE": True}, "E025"),
        ({"MAX_REMOVAL_SHARE": float("nan")}, "E025"),
        ({"LANGUAGES": ["en"]}, "E026"),
        ({"LANGUAGES": {"en": 1}}, "E026"),
        ({"LANGUAGES": {1: "en"}}, "E026"),
        ({"LANGUAGES": {"en": ["en", None]}}, "E026"),
        ({"ASSET_DOWNLOADS": 0}, "E027"),
        ({"ASSET_DOWNLOADS": 1.5}, "E027"),
        ({"MAX_IMAGE_BYTES": "20 MB"}, "E027"),
        ({"MAX_IMAGE_PIXELS": -1}, "E027"),
        ({"MAX_DOCUMENT_BYTES": True}, "E027"),
    ],
)
def test_e024_to_e027_settings_of_the_catalog(settings_check, values, expected):
    ((code, told),) = settings_check(**values)
    assert code == expected
    assert next(iter(values)) in told


@pytest.mark.parametrize(
    "values",
    [
        {"DISCARDS": "unpublish", "MISSING_TRANSLATIONS": "leave_out"},
        {"DISCARDS": "keep", "MISSING_TRANSLATIONS": "empty"},
        {"MAX_REMOVAL_SHARE": 0},
        {"MAX_REMOVAL_SHARE": 1},
        {"LANGUAGES": {"en-US": "en", "de-DE": ["de", "de-at"], "fr": ("fr",)}},
        {"LANGUAGES": {}},
        {"ASSET_DOWNLOADS": 1},
    ],
)
def test_settings_of_the_catalog_that_are_good(settings_check, values):
    assert settings_check(**values) == []


def test_times_of_runs_that_are_good(settings_check):
    assert settings_check(HEARTBEAT_TIMEOUT=0.5, RUN_RETENTION_DAYS=0) == []


def test_e017_site_without_modeladmin(settings_check, without):
    without("wagtail_modeladmin")
    assert settings_check() == [("E017", "wagtail_pim needs wagtail_modeladmin.")]


def test_e023_site_without_snippets(settings_check, without):
    without("wagtail.snippets")
    assert settings_check() == [("E023", "wagtail_pim needs wagtail.snippets.")]


@pytest.mark.parametrize("given", ["ada@shop.example, ops", ["ops"]])
def test_w006_address_that_is_none(settings_check, given):
    assert settings_check(NOTIFICATION_EMAILS=given) == [
        ("W006", 'WAGTAIL_PIM["NOTIFICATION_EMAILS"]: “ops” is not an e-mail address.')
    ]


@pytest.mark.parametrize("given", [5, [5], True])
def test_w006_value_that_is_no_text(settings_check, given):
    ((code, message),) = settings_check(NOTIFICATION_EMAILS=given)
    assert code == "W006"
    assert message.endswith("” is not an e-mail address.")


def test_addresses_that_are_good(settings_check):
    assert settings_check(NOTIFICATION_EMAILS=["ada@shop.example"]) == []
    assert settings_check(NOTIFICATION_EMAILS="a@b.example;c@d.example\n") == []


@pytest.fixture
def crontab_check(settings, tmp_path):
    """Ids of the crontab check with these CRONJOBS; there is a crontab."""
    executable = tmp_path / "crontab"
    executable.touch(mode=0o755)
    settings.CRONTAB_EXECUTABLE = str(executable)

    def crontab_check(*functions):
        settings.CRONJOBS = [("* * * * *", function) for function in functions]
        found = checks.check_crontab(None)
        assert all(message.hint for message in found)
        return [message.id.removeprefix("wagtail_pim.") for message in found]

    return crontab_check


def test_good_crontab_is_clean(crontab_check):
    assert crontab_check(*(line[1] for line in cronjobs())) == []
    assert crontab_check("wagtail_pim.cron.publish_approved_products") == []


def test_w003_machine_without_crontab(crontab_check, settings):
    settings.CRONTAB_EXECUTABLE = "/nowhere/crontab"
    assert crontab_check("wagtail_pim.cron.start_due_jobs") == ["W003"]
    assert crontab_check("site.cron.tidy") == crontab_check() == []


def test_w004_site_without_django_crontab(crontab_check, without):
    without("django_crontab")
    assert crontab_check("wagtail_pim.cron.start_due_jobs") == ["W004"]


def test_e021_crontab_with_a_job_that_does_not_exist(crontab_check):
    assert crontab_check("wagtail_pim.cron.publish") == ["E021"]
    assert crontab_check("wagtail_pim.cronjobs") == []


@pytest.fixture
def tasks_check(settings):
    """Ids of the check of the task backend, with that of TASKS["pim"]."""

    def tasks_check(name="django_tasks_db.DatabaseBackend", queue="default", **backend):
        settings.TASKS = {"pim": {"BACKEND": name, **backend}}
        settings.WAGTAIL_PIM = {"TASK_BACKEND": "pim", "TASK_QUEUE": queue}
        found = checks.check_tasks(None)
        assert all(message.hint for message in found)
        return [message.id.removeprefix("wagtail_pim.") for message in found]

    return tasks_check


def test_good_task_backends_are_clean(tasks_check):
    assert tasks_check() == []
    assert tasks_check(queue="runs", QUEUES=["default", "runs"]) == []
    assert tasks_check(queue="runs", QUEUES=[]) == []
    assert checks.check_tasks(None) == []


def test_e018_task_backend_that_does_not_exist(settings):
    settings.WAGTAIL_PIM = {"TASK_BACKEND": "nowhere"}
    (message,) = checks.check_tasks(None)
    assert message.id == "wagtail_pim.E018"
    assert "“nowhere”" in message.msg


@pytest.mark.parametrize(
    "name", ["django_tasks_db.DatabaseBakend", "nowhere.Backend", "Backend", ""]
)
def test_e018_task_backend_that_cannot_be_imported(tasks_check, name):
    assert tasks_check(name) == ["E018"]


def test_e018_queue_that_the_backend_does_not_have(tasks_check):
    assert tasks_check(queue="runs") == ["E018"]
    assert tasks_check(queue="runs", QUEUES=["default"]) == ["E018"]


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        ({}, ["W005"]),
        ({"DEFAULT_TIMEOUT": 360}, ["W005"]),
        ({"DEFAULT_TIMEOUT": 3600}, []),
        ({"DEFAULT_TIMEOUT": -1}, []),
    ],
)
def test_w005_rq_that_ends_long_runs(tasks_check, settings, queue, expected):
    settings.RQ_QUEUES = {"default": queue}
    assert tasks_check("django_tasks_rq.RQBackend") == expected
    assert tasks_check("django_tasks_db.DatabaseBackend") == []


def test_checks_are_registered():
    assert {
        checks.check_crontab,
        checks.check_locking,
        checks.check_markers,
        checks.check_settings,
        checks.check_tasks,
    } <= registry.registered_checks
