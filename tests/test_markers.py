import pytest
from hypothesis import given
from hypothesis import strategies as st

from wagtail_pim.markers import (
    Sync,
    is_synced,
    no_sync,
    normalise_name,
    sync_markers,
)


class Shirt:
    pim_fields = [Sync("fabric"), Sync("fit", property="Cut")]


class TShirt(Shirt):
    pim_fields = [Sync("fit", required=False), Sync("neck")]


class PlainShirt(Shirt):
    pass


class Printed:
    pim_fields = [Sync("motif"), Sync("neck", property="Collar")]


class PrintedTShirt(Printed, TShirt):
    pim_fields = []


def test_property_is_named_after_the_field_unless_it_is_given():
    assert Sync("fabric_type").property_name() == "fabric_type"
    assert Sync("fabric_type", property="Stoff").property_name() == "Stoff"


def test_required_and_translatable_are_the_default():
    assert Sync("fabric") == Sync("fabric", None, required=True, translatable=True)


def test_marker_cannot_be_changed():
    with pytest.raises(AttributeError):
        Sync("fabric").field = "fit"


@pytest.mark.parametrize(
    ("given", "expected"), [("*", True), (None, False), ("", False), ("**", False)]
)
def test_star_takes_any_property(given, expected):
    assert Sync("specifications", property=given).takes_any_property() is expected


@pytest.mark.parametrize(
    ("cls", "fields"),
    [
        (Shirt, ["fabric", "fit"]),
        (TShirt, ["fabric", "fit", "neck"]),
        (PlainShirt, ["fabric", "fit"]),
        (PrintedTShirt, ["fabric", "fit", "motif", "neck"]),
        (object, []),
    ],
)
def test_markers_of_base_classes_are_inherited(cls, fields):
    assert sorted(sync_markers(cls)) == fields


def test_marker_of_a_subclass_replaces_that_of_its_base():
    assert sync_markers(TShirt)["fit"] == Sync("fit", required=False)
    assert sync_markers(Shirt)["fit"] == Sync("fit", property="Cut")


def test_marker_of_the_first_of_two_bases_wins():
    assert sync_markers(PrintedTShirt)["neck"] == Sync("neck", property="Collar")


def test_classes_are_synced_unless_they_say_no():
    @no_sync
    class GiftCard(Shirt):
        pass

    assert is_synced(Shirt)
    assert not is_synced(GiftCard)


def test_no_sync_is_not_inherited():
    @no_sync
    class GiftCard(Shirt):
        pass

    class PrintedGiftCard(GiftCard):
        pass

    assert is_synced(PrintedGiftCard)
    assert not is_synced(no_sync(PrintedGiftCard))


@pytest.mark.parametrize(
    "name", ["fabric_type", "FabricType", "Fabric type", "FABRIC TYPE", "__fabrictype"]
)
def test_spellings_of_one_name(name):
    assert normalise_name(name) == "fabrictype"


@pytest.mark.parametrize("name", ["fabric-type", "fabric", "types", "fabric.type"])
def test_other_names(name):
    assert normalise_name(name) != "fabrictype"


@given(st.text())
def test_normalised_name_is_in_its_normal_form(name):
    normal = normalise_name(name)
    assert normalise_name(normal) == normal
    assert normalise_name(f" {name}_") == normal
