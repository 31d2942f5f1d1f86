from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm

from wagtail_pim.client.auth import decode_secret_key
from wagtail_pim.exceptions import ConfigurationError


def _shown(name: str, value: Any) -> Any:
    """What is deployed, as the form shows it; the secret it does not."""
    if name == "secret_key":
        return None
    return value if isinstance(value, (str, int)) else ", ".join(value)


class PIMOptionsForm(WagtailAdminModelForm):
    """Never shows the secret, and never lets the admin edit what is deployed."""

    secret_key = forms.CharField(
        label=_("Secret key"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.encrypted_secret_key and "secret_key" in self.fields:
            self.fields["secret_key"].help_text = _(
                "A secret key is stored. Leave this empty to keep it."
            )
        for name, option in self.instance.deployed().items():
            if name not in self.fields:
                continue
            self.fields[name] = forms.CharField(
                label=self.fields[name].label,
                required=False,
                disabled=True,
                help_text=_("Set by the deployment: %(source)s")
                % {"source": option.source},
            )
            self.initial[name] = _shown(name, option.value)

    def clean_secret_key(self) -> str:
        value = self.cleaned_data["secret_key"]
        if value:
            try:
                decode_secret_key(value)
            except ConfigurationError as error:
                raise forms.ValidationError(str(error)) from error
        return value

    def _post_clean(self) -> None:
        # A disabled field's deployed value must not be copied into the table, where
        # it would live on after the deployment has dropped it.
        for name in self.instance.deployed():
            self.cleaned_data.pop(name, None)
        super()._post_clean()
        if self.cleaned_data.get("secret_key"):
            self.instance.secret_key = self.cleaned_data["secret_key"]
