from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SetupRecord(models.Model):
    """What this site wrote last into a record of the PIM's setup data.

    The site owns a value while the PIM still has what the site wrote: what somebody
    changed in the PIM since, and what another site wrote, is left as it is.
    """

    kind = models.CharField(_("kind"), max_length=15)
    guid = models.UUIDField(_("PIM Guid"), unique=True)
    written = models.JSONField(_("written values"), default=dict)

    class Meta:
        verbose_name = _("setup record")
        verbose_name_plural = _("setup records")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.guid}"
