"""What "Test connection" and ``manage.py pim check`` say is wrong, and what to do.

It reads from the PIM and writes nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wagtail_pim.catalog.category_planner import feeding_trees
from wagtail_pim.client.options import ConnectionOptions
from wagtail_pim.exceptions import ConfigurationError, PimError

from .base import IMPATIENT, PimConnection, connect, environment_warnings


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    subject: str
    message: str
    code: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            "level": self.level.value,
            "subject": self.subject,
            "message": self.message,
            "code": self.code,
        }


def check_connection(options: ConnectionOptions | None = None) -> Iterator[Finding]:
    """Findings in the order of the way to the PIM; it ends at what blocks the way."""
    subject = _("Options")
    try:
        pim = connect(options, policy=IMPATIENT)
        yield Finding(
            Level.OK,
            subject,
            _("%(address)s, environment %(environment)s")
            % {
                "address": pim.options.odata_root,
                "environment": pim.options.environment,
            },
        )
        subject = _("Connection and key")
        websites = pim.client.websites()
        yield Finding(
            Level.OK,
            subject,
            _(
                "The PIM answers and accepts the key. Whether the key may also write "
                "is not tried here."
            ),
        )
        subject = _("Environment")
        yield _environment_finding(subject, pim)
        subject = _("Category trees")
        trees = feeding_trees(pim.client.taxonomies(), websites)
        names = sorted({website.name for website in trees.values()})
        yield Finding(
            Level.OK,
            subject,
            ngettext(
                "%(count)d category tree feeds a catalog: %(names)s",
                "%(count)d category trees feed catalogs: %(names)s",
                len(trees),
            )
            % {"count": len(trees), "names": ", ".join(names)},
        )
    except PimError as error:
        yield Finding(Level.ERROR, subject, str(error), error.code)


def _environment_finding(subject: str, pim: PimConnection) -> Finding:
    """What is wrong here does not keep the rest from being looked at."""
    try:
        warnings = environment_warnings(pim)
    except ConfigurationError as error:
        return Finding(Level.ERROR, subject, str(error), error.code)
    if warnings:
        return Finding(Level.WARNING, subject, " ".join(warnings))
    told = _("The PIM publishes to %(active)s.") % {"active": pim.options.environment}
    return Finding(Level.OK, subject, told)
