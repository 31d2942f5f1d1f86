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
from wagtail_pim.exceptions import PimError

from .base import connect


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
        pim = connect(options)
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
        yield Finding(Level.OK, subject, _("The PIM answers and accepts the key."))
        subject = _("Environment")
        active = pim.client.assumed.active_publishing_environment()
        yield _environment_finding(subject, active, pim.options.environment)
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


def _environment_finding(subject: str, active: str | None, own: str) -> Finding:
    if active is None:
        return Finding(
            Level.WARNING,
            subject,
            _(
                "The PIM does not tell its active publishing environment. Compare it "
                "yourself: this site is %(own)s."
            )
            % {"own": own},
        )
    if active.casefold() != own.casefold():
        return Finding(
            Level.ERROR,
            subject,
            _(
                "The PIM publishes to %(active)s, but this site is %(own)s. Publish "
                "approved products will refuse to run."
            )
            % {"active": active, "own": own},
            "configuration",
        )
    return Finding(
        Level.OK, subject, _("The PIM publishes to %(active)s.") % {"active": active}
    )
