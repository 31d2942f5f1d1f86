import pytest

from wagtail_pim.client.controls import Control, ValueType


@pytest.mark.parametrize(
    ("spelling", "control"),
    [
        ("Text Field", Control.TEXT_FIELD),
        ("TextArea", Control.TEXT_AREA),
        ("HTML", Control.HTML),
        ("dropdown", Control.DROPDOWN),
        ("Radio-Button", Control.RADIO_BUTTON),
        ("multi_select", Control.MULTI_SELECT),
        (" Decimal ", Control.DECIMAL),
        ("Date Picker", Control.DATE_PICKER),
        ("Date/Time Picker", Control.DATE_TIME_PICKER),
        ("TOGGLE", Control.TOGGLE),
        ("Slider", None),
        ("Text", None),
        ("", None),
    ],
)
def test_spellings_of_a_control_type(spelling, control):
    assert Control.named(spelling) is control


@pytest.mark.parametrize("control", list(Control))
def test_what_is_sent_is_understood(control):
    assert Control.named(control.value) is control


@pytest.mark.parametrize("control", list(Control))
def test_type_of_a_property_with_a_control(control):
    assert control.wire_type in ("String", "Number", "DateTime", "Boolean")
    assert ValueType.of_wire_type(control.wire_type) is not None


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("String", ValueType.TEXT),
        ("number", ValueType.NUMBER),
        (" DateTime ", ValueType.DATE_TIME),
        ("BOOLEAN", ValueType.BOOLEAN),
        ("Guid", None),
        ("", None),
    ],
)
def test_values_of_a_property_without_a_control_type(name, values):
    assert ValueType.of_wire_type(name) is values


def test_every_type_of_value_has_a_label_and_a_control():
    assert {control.value_type for control in Control} == set(ValueType)
    assert len({str(values.label()) for values in ValueType}) == len(ValueType)
