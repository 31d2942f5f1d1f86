"""Edit forms without the fields that the PIM owns."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _

from .ownership import locked_fields


class LockedFormMixin:
    """Drops the fields and formsets that are locked on the form's very object.

    What is posted for them is left alone: previews of Wagtail's do so. Site code that
    reads ``cleaned_data`` of such a field has to use ``get``.
    """

    refuses: ClassVar[bool] = False

    instance: Any
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        locked = locked_fields(self.instance)
        formsets = getattr(self, "formsets", {})
        self.dropped = [n for n in (*self.fields, *formsets) if n in locked]
        for name in self.dropped:
            self.fields.pop(name, None)
            formsets.pop(name, None)

    def add_error(self, field: str | None, error: Any) -> None:
        # A site's form may speak of a field that nobody could correct here.
        if field not in self.dropped:
            super().add_error(field, error)  # type: ignore[misc]

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]
        if self.refuses:
            for name in self.dropped:
                self.add_error(None, _refusal(name))
        return cleaned


class RefusingFormMixin(LockedFormMixin):
    """For an API, whose forms hold what was sent and no more: it gets an error."""

    refuses = True


def _refusal(name: str) -> forms.ValidationError:
    return forms.ValidationError(
        _("“%(field)s” is managed in PIM; change it there."),
        code="managed_in_pim",
        params={"field": name},
    )


@cache
def locked_form(form_class: type) -> type:
    return _with_mixin(LockedFormMixin, form_class)


@cache
def refusing_form(form_class: type) -> type:
    return _with_mixin(RefusingFormMixin, form_class)


def _with_mixin(mixin: type, form_class: Any) -> type:
    if issubclass(form_class, mixin):
        return form_class
    return type(form_class)(form_class.__name__, (mixin, form_class), {})
