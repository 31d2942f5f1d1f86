"""How the values of setup data are spoken of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wagtail_pim.catalog.setup_changes import SetupChange
from wagtail_pim.converters import quoted

# What people call the values that the PIM's API calls so.
_VALUE_LABELS: Final[Mapping[str, Any]] = {
    "name": gettext_lazy("Name"),
    "displayName": gettext_lazy("Label"),
    "description": gettext_lazy("Description"),
    "isGloballyRequired": gettext_lazy("Required"),
    "isRequired": gettext_lazy("Required in the template"),
    "isLocalizable": gettext_lazy("Translatable"),
    "stringMaxLength": gettext_lazy("Maximum length"),
    "numberOfDecimals": gettext_lazy("Number of decimals"),
    "stringValueBag": gettext_lazy("Values of the list"),
    "isDefault": gettext_lazy("Default language"),
    "kinds": gettext_lazy("Kinds of products"),
    "type": gettext_lazy("Type"),
    "controlType": gettext_lazy("Control type"),
    "languageCode": gettext_lazy("Language code"),
    "stringAllowAdHocValues": gettext_lazy("Values besides the list"),
    "isTemplate": gettext_lazy("Is a template"),
    "parentTemplateId": gettext_lazy("Parent template"),
    "templateId": gettext_lazy("Template"),
    "propertyId": gettext_lazy("Property"),
}


def value_label(key: str) -> str:
    return str(_VALUE_LABELS.get(key, key))


def left_in_words(change: SetupChange) -> str:
    """What of a record is not this site's to change."""
    return _(
        "Left as the PIM has it, as it is not what this site wrote there last: "
        "%(values)s."
    ) % {"values": "; ".join(_left(*each) for each in change.left.items())}


def _left(key: str, values: tuple[Any, Any]) -> str:
    theirs, ours = values
    return _("%(value)s %(theirs)s, here %(ours)s") % {
        "value": value_label(key),
        "theirs": in_words(theirs),
        "ours": in_words(ours),
    }


def in_words(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return str(value)
    if value in (None, "", []):
        return _("empty")
    if isinstance(value, list):
        return quoted(", ".join(map(str, value)))
    return quoted(value)
