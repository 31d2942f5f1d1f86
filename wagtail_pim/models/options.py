"""PIMOptions: how this site reaches its PIM.

``ConnectionOptions`` is what jobs work with; it knows nothing of where a value came
from. ``PIMOptions`` is the admin's share of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, validate_email
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.contrib.settings.models import BaseGenericSetting, register_setting

from wagtail_pim.client.options import (
    DEFAULT_API_ADDRESS,
    MAX_LOOKBACK_DAYS,
    ConnectionOptions,
    Environment,
    normalise_api_address,
)
from wagtail_pim.conf import DeployedOption, get_config
from wagtail_pim.encryption import decrypt, encrypt
from wagtail_pim.exceptions import ConfigurationError

from .forms import PIMOptionsForm
from .panels import TestConnectionPanel


def validate_api_address(value: str) -> None:
    try:
        normalise_api_address(value)
    except ConfigurationError as error:
        raise ValidationError(str(error)) from error


def addresses(given: object) -> list[str]:
    """E-mail addresses: a list, or a text with one a line or after commas.

    Anything else that a deployment may set is taken for a text, and is no address.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        given = [given]
    joined = "\n".join(map(str, given))
    return [address for address in re.split(r"[\s,;]+", joined) if address]


def validate_addresses(text: str | Iterable[str]) -> None:
    for address in addresses(text):
        try:
            validate_email(address)
        except ValidationError as error:
            raise ValidationError(
                _("“%(address)s” is not an e-mail address.") % {"address": address}
            ) from error


@register_setting(icon="cogs", order=900)
class PIMOptions(BaseGenericSetting):
    """The admin's settings of the PIM; what the deployment sets wins over them."""

    environment = models.CharField(
        _("environment"),
        max_length=10,
        choices=[(e.value, e.label()) for e in Environment],
        default=Environment.SANDBOX.value,
        help_text=_("Must be the active publishing environment of the PIM."),
    )
    app_key = models.CharField(_("application key"), max_length=255, blank=True)
    encrypted_secret_key = models.TextField(blank=True, editable=False)
    number_of_lookback_days = models.PositiveSmallIntegerField(
        _("number of lookback days"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_LOOKBACK_DAYS)],
        help_text=_("How far back Refresh published products looks."),
    )
    api_address = models.CharField(
        _("API address"),
        max_length=255,
        default=DEFAULT_API_ADDRESS,
        validators=[validate_api_address],
    )
    notification_emails = models.TextField(
        _("notification addresses"),
        blank=True,
        validators=[validate_addresses],
        help_text=_(
            "E-mail addresses, one per line. They get a mail when a job fails, is "
            "late, has failed items, or works again."
        ),
    )

    base_form_class = PIMOptionsForm
    panels = [
        MultiFieldPanel(
            [
                FieldPanel("api_address"),
                FieldPanel("environment"),
                FieldPanel("app_key"),
                FieldPanel("secret_key"),
                TestConnectionPanel(),
            ],
            heading=_("Connection"),
        ),
        MultiFieldPanel(
            [
                FieldPanel("number_of_lookback_days"),
                FieldPanel("notification_emails"),
            ],
            heading=_("Jobs"),
        ),
    ]

    class Meta:
        verbose_name = _("PIM options")
        verbose_name_plural = _("PIM options")

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @property
    def secret_key(self) -> str:
        """The secret in clear; raises ConfigurationError if it can't be decrypted."""
        return decrypt(self.encrypted_secret_key) if self.encrypted_secret_key else ""

    @secret_key.setter
    def secret_key(self, value: str) -> None:
        self.encrypted_secret_key = encrypt(value) if value else ""

    @classmethod
    def current(cls) -> PIMOptions:
        """The saved options, else the defaults; reading them never writes."""
        return cls.objects.order_by("pk").first() or cls()

    def deployed(self) -> dict[str, DeployedOption]:
        """Field names that the deployment sets, and where."""
        return {
            name.lower(): option
            for name, option in get_config().deployed_options.items()
        }

    def recipients(self) -> list[str]:
        """Whom the jobs send e-mails to."""
        return addresses(self.in_force("notification_emails"))

    def connection(self) -> ConnectionOptions:
        """The options in force; raises ConfigurationError if they can't be used."""
        return ConnectionOptions.checked(
            environment=self.in_force("environment"),
            app_key=self.in_force("app_key"),
            secret_key=self.in_force("secret_key"),
            number_of_lookback_days=self.in_force("number_of_lookback_days"),
            api_address=self.in_force("api_address"),
        )

    def in_force(self, name: str) -> Any:
        """The deployment's value of a field, else the admin's."""
        deployed = self.deployed().get(name)
        return deployed.value if deployed else getattr(self, name)
