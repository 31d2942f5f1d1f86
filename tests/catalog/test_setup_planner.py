"""What is planned of each state of the PIM; the job's tests show it carried out."""

from uuid import NAMESPACE_DNS, uuid5

import pytest
from django.db import models
from django.test.utils import isolate_apps
from wagtail.models import Locale

from wagtail_pim.catalog import definitions
from wagtail_pim.catalog.changes import Action
from wagtail_pim.catalog.setup_changes import State, setup_guid
from wagtail_pim.catalog.setup_planner import PimSetup, plan_setup
from wagtail_pim.client.entities import (
    Assignment,
    Language,
    Property,
    Relationship,
    Taxonomy,
    Template,
    Website,
)
from wagtail_pim.kinds import Kind, SetupKind
from wagtail_pim.markers import Sync
from wagtail_pim.models import RelationshipType, SetupRecord

pytestmark = pytest.mark.django_db


def guid(name):
    return uuid5(NAMESPACE_DNS, name)


def prop(name, control="Text Field", **more):
    return Property(id=guid(f"property {name}"), name=name, controlType=control, **more)


def template(name, parent=None, **more):
    parent_id = guid(f"template {parent}") if parent else None
    return Template(
        id=guid(f"template {name}"), name=name, parentTemplateId=parent_id, **more
    )


def assignment(of_template, of_property, **more):
    return Assignment(
        id=guid(f"{of_property} in {of_template}"),
        templateId=guid(f"template {of_template}"),
        propertyId=guid(f"property {of_property}"),
        **more,
    )


def language(code, **more):
    return Language(id=guid(f"language {code}"), languageCode=code, **more)


def plan(**sets):
    names = (
        "languages",
        "websites",
        "taxonomies",
        "relationships",
        "properties",
        "templates",
        "assignments",
    )
    return plan_setup(PimSetup(**{name: sets.get(name, []) for name in names}))


def changes(planned, kind):
    return {c.name: c for c in planned.changes if c.kind == kind}


def field(planned, path):
    return next(f for f in planned.fields if f.marked.path() == path)


@pytest.fixture(autouse=True)
def shirt(monkeypatch):
    """The only page type, with two marked fields; a cut of another is unmarked."""
    with isolate_apps("sandbox_site.shop"):

        class Shirt(models.Model):
            fabric_type = models.CharField(max_length=9)
            size = models.CharField(max_length=9)
            vents = models.IntegerField()
            code = models.UUIDField()

            pim_fields = [Sync("fabric_type"), Sync("size", required=False)]

            class Meta:
                app_label = "shop"

            def __str__(self):
                return self.size

        by_kind = {Kind.PRODUCT: [Shirt], Kind.VARIANT: []}
        monkeypatch.setattr(definitions, "page_classes", by_kind.get)
        yield Shirt


def test_order_of_what_has_to_be_made():
    kinds = list(dict.fromkeys(change.kind for change in plan().changes))
    assert kinds == [
        SetupKind.LANGUAGE,
        SetupKind.PROPERTY,
        SetupKind.TEMPLATE,
        SetupKind.ASSIGNMENT,
    ]


def test_ids_follow_from_names_without_regard_to_case():
    assert setup_guid(SetupKind.WEBSITE, "Shop") == setup_guid(
        SetupKind.WEBSITE, "SHOP"
    )
    assert setup_guid(SetupKind.WEBSITE, "Shop") != setup_guid(
        SetupKind.TEMPLATE, "Shop"
    )


# Names


@pytest.mark.parametrize("name", ["FabricType", "fabric_type", "Fabric type"])
def test_spellings_of_one_property_name(name):
    planned = plan(properties=[prop(name)])
    mapping = field(planned, "Shirt.fabric_type")
    assert mapping.standing.name == name
    assert mapping.definition.action == Action.UNCHANGED
    assert mapping.assignment.values["propertyId"] == str(guid(f"property {name}"))
    assert SetupKind.PROPERTY not in planned.only_in_pim


def test_two_properties_of_like_names_are_a_conflict():
    planned = plan(properties=[prop("Fabric type"), prop("FabricType")])
    mapping = field(planned, "Shirt.fabric_type")
    assert mapping.state == State.CONFLICT
    assert "Fabric type, FabricType" in mapping.conflict
    assert mapping.definition is mapping.assignment is None
    assert field(planned, "Shirt.size").state == State.NEW


def test_one_of_two_like_names_that_is_spelt_as_the_field_is_meant():
    planned = plan(properties=[prop("fabric_type"), prop("FabricType")])
    assert field(planned, "Shirt.fabric_type").standing.name == "fabric_type"
    assert planned.only_in_pim == {SetupKind.PROPERTY: ["FabricType"]}


def test_fields_that_ask_for_one_property_of_different_types(shirt):
    shirt.pim_fields = [
        Sync("fabric_type"),
        Sync("vents", property="FabricType"),
        Sync("size"),
    ]
    planned = plan()
    for path in ("Shirt.fabric_type", "Shirt.vents"):
        assert "Shirt.fabric_type (text), Shirt.vents (number)" in (
            field(planned, path).conflict
        )
    assert list(changes(planned, SetupKind.PROPERTY)) == ["Size"]

    planned = plan(properties=[prop("FabricType")])
    assert field(planned, "Shirt.fabric_type").state == State.NEW
    assert field(planned, "Shirt.vents").state == State.CONFLICT


def test_a_field_of_which_no_control_type_is_known(shirt):
    shirt.pim_fields = [Sync("code"), Sync("size", control="Slider")]
    planned = plan()
    assert "Shirt.code" in field(planned, "Shirt.code").conflict
    assert "(control=…)" in field(planned, "Shirt.code").conflict
    assert field(planned, "Shirt.size").state == State.CONFLICT


# Who owns a value


def standing_label(**more):
    return prop("Size", displayName="Theirs", stringMaxLength=9, **more)


@pytest.mark.parametrize(
    ("written", "action"),
    [
        (None, Action.UNCHANGED),
        ({}, Action.UNCHANGED),
        ({"displayName": "Another"}, Action.UNCHANGED),
        ({"displayName": "Theirs"}, Action.UPDATE),
    ],
)
def test_a_value_is_the_sites_where_the_pim_has_what_it_wrote(written, action):
    standing = standing_label(isLocalizable=True)
    if written is not None:
        SetupRecord.objects.create(
            kind=SetupKind.PROPERTY, guid=standing.id, written=written
        )
    change = changes(plan(properties=[standing]), SetupKind.PROPERTY)["Size"]
    assert change.action == action
    pair = {"displayName": ("Theirs", "Size")}
    assert (change.differences, change.left) == (
        (pair, {}) if action == Action.UPDATE else ({}, pair)
    )
    assert change.state == State.DIFFERS
    if written is None:
        assert change.written is None
    else:
        assert change.written["stringMaxLength"] == 9


def test_a_record_made_as_this_site_would_is_its_own():
    name = "size"
    standing = Property(
        id=setup_guid(SetupKind.PROPERTY, name),
        name="Size",
        displayName="Size",
        controlType="TextField",
        stringMaxLength=9,
        isLocalizable=True,
    )
    change = changes(plan(properties=[standing]), SetupKind.PROPERTY)["Size"]
    assert change.state == State.IN_STEP
    assert change.written["displayName"] == "Size"
    other = standing.model_copy(update={"display_name": "Width"})
    change = changes(plan(properties=[other]), SetupKind.PROPERTY)["Size"]
    assert change.written is None
    assert set(change.left) == {"displayName"}


# Templates and assignments


def test_a_template_for_more_kinds_keeps_them():
    standing = template("Shirt", kinds=["Variant"])
    SetupRecord.objects.create(
        kind=SetupKind.TEMPLATE, guid=standing.id, written={"kinds": ["Variant"]}
    )
    change = changes(plan(templates=[standing]), SetupKind.TEMPLATE)["Shirt"]
    assert change.values == {"kinds": ["Variant", "Product"]}


@pytest.mark.parametrize("kinds", [[], ["product"], ["Variant", "Product"]])
def test_a_template_that_serves_is_left(kinds):
    standing = template("Shirt", kinds=kinds)
    change = changes(plan(templates=[standing]), SetupKind.TEMPLATE)["Shirt"]
    assert change.state == State.IN_STEP


@pytest.mark.parametrize(
    ("starters", "parent"), [([], None), (["A"], "A"), (["A", "B"], None)]
)
def test_a_new_template_comes_below_the_only_starter_template(starters, parent):
    standing = [template(name, isStarterTemplate=True) for name in starters]
    change = changes(plan(templates=standing), SetupKind.TEMPLATE)["Shirt"]
    expected = str(guid(f"template {parent}")) if parent else None
    assert change.values["parentTemplateId"] == expected


@pytest.mark.parametrize("has_template", [True, False])
def test_what_a_template_inherits_is_its_ancestors(has_template):
    templates = [
        template("All", isStarterTemplate=True),
        *([template("Garment", "All"), template("Shirt", "Garment")] * has_template),
    ]
    planned = plan(
        properties=[prop("Size")],
        templates=templates,
        assignments=[assignment("All", "Size", isRequired=True)],
    )
    mapping = field(planned, "Shirt.size")
    assert mapping.assignment.action == Action.UNCHANGED
    assert mapping.assignment.guid == guid("Size in All")
    assert not mapping.assignment.left


def test_a_template_that_is_its_own_ancestor_does_no_harm():
    loop = [template("Shirt", "Garment"), template("Garment", "Shirt")]
    planned = plan(templates=loop)
    assert field(planned, "Shirt.size").assignment.action == Action.CREATE


def test_a_system_property_is_neither_changed_nor_assigned():
    planned = plan(properties=[prop("Size", isSystemProperty=True)])
    mapping = field(planned, "Shirt.size")
    assert mapping.definition is mapping.assignment is None
    assert mapping.state == State.IN_STEP
    planned = plan(properties=[prop("Size", "Decimal", isSystemProperty=True)])
    assert field(planned, "Shirt.size").state == State.CONFLICT


def test_a_field_whose_template_is_in_conflict_is_too():
    renamed = Template(id=setup_guid(SetupKind.TEMPLATE, "shirt"), name="Blouse")
    planned = plan(templates=[renamed])
    mapping = field(planned, "Shirt.size")
    assert mapping.state == State.CONFLICT
    assert "“Blouse” in the PIM now" in mapping.assignment.conflict
    assert SetupKind.TEMPLATE not in planned.only_in_pim


def test_kinds_are_added_to_a_template_of_anybodys():
    standing = template("Shirt", kinds=["Variant"])
    change = changes(plan(templates=[standing]), SetupKind.TEMPLATE)["Shirt"]
    assert change.values == {"kinds": ["Variant", "Product"]}
    assert change.written is None


@pytest.mark.parametrize(
    ("name", "marked", "fits"),
    [
        ("productTitle", "vents", False),
        ("productTitle", "size", True),
        ("percentComplete", "vents", True),
        ("isArchived", "vents", False),
        ("tagList", "size", True),
        ("lastPublishedOn", "vents", False),
        ("id", "code", True),
    ],
)
def test_what_every_product_has_is_of_a_type_too(shirt, name, marked, fits):
    shirt.pim_fields = [Sync(marked, property=name)]
    mapping = field(plan(), f"Shirt.{marked}")
    assert mapping.state == (State.IN_STEP if fits else State.CONFLICT)
    assert bool(mapping.conflict) is not fits
    assert fits or f"“{name}” in the PIM" in mapping.conflict


# Limits that go


def limited(shirt, written, **standing):
    shirt.pim_fields = [Sync("size"), Sync("vents", control="Dropdown")]
    size = prop("Size", stringMaxLength=standing.pop("length", 0))
    vents = prop("Vents", "Dropdown", **standing)
    for each in (size, vents):
        SetupRecord.objects.create(
            kind=SetupKind.PROPERTY, guid=each.id, written=written
        )
    return changes(plan(properties=[size, vents]), SetupKind.PROPERTY)


def test_a_limit_that_is_gone_here_goes_in_the_pim(shirt):
    shirt._meta.get_field("size").max_length = None
    change = limited(shirt, {"stringMaxLength": 9}, length=9)["Size"]
    assert change.values == {"stringMaxLength": None}


@pytest.mark.parametrize("length", [0, None])
def test_no_length_is_any_length(shirt, length):
    shirt._meta.get_field("size").max_length = None
    change = limited(shirt, {}, length=length)["Size"]
    assert "stringMaxLength" not in {**change.differences, **change.left}


@pytest.mark.parametrize(
    ("written", "standing", "taken_back"),
    [
        (["a"], ["a"], True),
        (["a"], ["a", "b"], False),
        ([], ["a"], False),
        (None, ["a"], False),
    ],
)
def test_only_a_list_that_the_site_wrote_is_taken_back(
    shirt, written, standing, taken_back
):
    noted = {} if written is None else {"stringValueBag": written}
    change = limited(shirt, noted, stringValueBag=standing)["Vents"]
    assert ("stringValueBag" in change.values) is taken_back
    assert "stringValueBag" not in change.left


def test_no_decimals_are_a_limit_and_none_are_not(shirt):
    shirt.pim_fields = [Sync("vents")]
    for decimals, left in ((0, False), (None, True)):
        standing = prop("Vents", "Decimal", numberOfDecimals=decimals)
        change = changes(plan(properties=[standing]), SetupKind.PROPERTY)["Vents"]
        assert ("numberOfDecimals" in change.left) is left


# What goes by a name that people give it


def relationship(name, id=None):
    return Relationship(id=id or guid(f"relationship {name}"), name=name)


def related(*records):
    planned = plan(relationships=list(records))
    return changes(planned, SetupKind.RELATIONSHIP)


def known(record, name, written=True):
    """A relationship type of the site's that is the record, by this name now."""
    if written:
        SetupRecord.objects.create(
            kind=SetupKind.RELATIONSHIP, guid=record.id, written={"name": record.name}
        )
    return RelationshipType.objects.create(name=name, guid=record.id)


def test_a_new_name_that_another_record_has_is_a_conflict():
    ours, other = relationship("Accessories"), relationship("spare parts")
    known(ours, "Spare parts")
    change = related(ours, other)["Spare parts"]
    assert "another one that is called “Spare parts”" in change.conflict
    assert not change.values


def test_a_name_that_this_site_takes_from_another_record_is_free():
    first, second = relationship("A"), relationship("B")
    known(first, "B")
    known(second, "A")
    made = related(first, second)
    assert made["B"].values == {"name": "B"}
    assert made["A"].values == {"name": "A"}


def test_a_name_that_the_other_record_keeps_is_not_free():
    first, second, third = map(relationship, "ABC")
    known(first, "B")
    known(second, "C")
    assert all(change.conflict for change in related(first, second, third).values())


def test_a_name_that_people_gave_another_ones_record_is_not_free():
    ours = relationship("Sets")
    known(ours, "Accessories", written=False)
    RelationshipType.objects.create(name="Sets")
    assert "another one" in related(ours)["Sets"].conflict


def test_of_two_in_the_pim_with_one_name_none_is_chosen():
    RelationshipType.objects.create(name="Sets")
    twins = relationship("Sets"), relationship("SETS")
    planned = plan(relationships=list(twins))
    change = changes(planned, SetupKind.RELATIONSHIP)["Sets"]
    assert "has 2 that are called “Sets”" in change.conflict
    assert SetupKind.RELATIONSHIP not in planned.only_in_pim


def test_spaces_around_a_name_are_no_part_of_it():
    RelationshipType.objects.create(name=" Sets ")
    assert related(relationship("Sets"))["Sets"].state == State.IN_STEP
    assert related()["Sets"].values == {"name": "Sets"}


def test_an_id_that_the_site_still_knows_is_not_given_again():
    own = setup_guid(SetupKind.RELATIONSHIP, "Sets")
    RelationshipType.objects.create(name="Spare parts", guid=own)
    RelationshipType.objects.create(name="Sets")
    made = related()
    assert made["Spare parts"].guid == own
    assert made["Sets"].guid != own


def test_a_record_that_was_renamed_in_the_pim_is_not_made_again():
    own = relationship("Bundles", setup_guid(SetupKind.RELATIONSHIP, "Sets"))
    RelationshipType.objects.create(name="Sets")
    assert "“Bundles” in the PIM now" in related(own)["Sets"].conflict
    SetupRecord.objects.create(
        kind=SetupKind.RELATIONSHIP, guid=own.id, written={"name": "Bundles"}
    )
    assert related(own)["Sets"].action == Action.CREATE


# Languages


def languages(planned):
    return changes(planned, SetupKind.LANGUAGE)


@pytest.mark.parametrize("code", ["en", "EN", "en-US", "en_gb"])
def test_a_language_of_the_pim_for_a_locale(code):
    change = languages(plan(languages=[language(code, isDefault=True)]))["en"]
    assert change.state == State.IN_STEP
    assert change.guid == guid(f"language {code}")


@pytest.mark.parametrize("code", ["de", "eng", "english"])
def test_other_languages_are_not_taken_for_it(code):
    assert languages(plan(languages=[language(code)]))["en"].action == Action.CREATE


def test_the_exact_language_goes_before_regional_ones_and_the_default_before_others():
    regional = [language("en-GB"), language("en-US", isDefault=True)]
    assert languages(plan(languages=regional))["en"].guid == guid("language en-US")
    exact = [*regional, language("en")]
    assert languages(plan(languages=exact))["en"].guid == guid("language en")


def test_a_regional_language_is_that_of_its_own_locale(settings):
    settings.LANGUAGES = [("en", "English"), ("en-gb", "British English")]
    settings.WAGTAIL_CONTENT_LANGUAGES = settings.LANGUAGES
    Locale.objects.create(language_code="en-gb")
    planned = languages(plan(languages=[language("en-GB")]))
    assert planned["en-gb"].guid == guid("language en-GB")
    assert planned["en"].action == Action.CREATE


def test_the_pim_keeps_its_default_language():
    planned = languages(plan(languages=[language("fr", isDefault=True)]))
    assert planned["en"].values["isDefault"] is False
    assert planned["en"].written == {}
    standing = [language("fr", isDefault=True), language("en")]
    change = languages(plan(languages=standing))["en"]
    assert change.left == {"isDefault": (False, True)}


# The rest


def test_what_only_the_pim_has():
    planned = plan(
        languages=[language("en"), language("fr")],
        websites=[Website(id=guid("w"), name="Other shop")],
        taxonomies=[Taxonomy(id=guid("t"), name="Tree")],
        relationships=[Relationship(id=guid("r"), name="Sets")],
        properties=[prop("Size"), prop("Alloy"), prop("On", isSystemProperty=True)],
        templates=[template("Boat"), template("All", isStarterTemplate=True)],
    )
    assert planned.only_in_pim == {
        SetupKind.LANGUAGE: ["fr"],
        SetupKind.WEBSITE: ["Other shop"],
        SetupKind.RELATIONSHIP: ["Sets"],
        SetupKind.PROPERTY: ["Alloy"],
        SetupKind.TEMPLATE: ["Boat"],
    }
    (tree,) = planned.trees
    assert "“Tree” is mapped to no website" in tree.problem()


def test_planning_takes_as_many_queries_however_many_fields(
    django_assert_max_num_queries,
):
    with django_assert_max_num_queries(8):
        plan()
