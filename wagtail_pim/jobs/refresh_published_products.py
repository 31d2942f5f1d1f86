"""Refresh published products: from the PIM to the site, and nothing to the PIM.

How far back it looks: to the option's number of days, or to where the last good
refresh ended, if that is longer ago. So nothing that was published while the job did
not run, or ran and failed, is missed. A record that failed is taken again by the next
refresh, however long ago it was published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from wagtail_pim.client.client import PUBLISHED
from wagtail_pim.client.entities import InvalidRecord, ProductHead
from wagtail_pim.client.options import MAX_LOOKBACK_DAYS, Environment
from wagtail_pim.client.transport import MAX_CLOCK_SKEW_SECONDS
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.models import JobRun, PIMOptions
from wagtail_pim.models.runs import COMPLETED_STATES

from .catalog_job import CatalogJob

LOOKBACK_DAYS: Final = "lookback_days"
SINCE: Final = "since"
ALL: Final = "all"


class RefreshPublishedProducts(CatalogJob):
    """Takes the Published products of a time, or those of the run's ``numbers``.

    It serves every environment, as it never writes to the PIM.
    """

    name = "refresh_published_products"
    label = gettext_lazy("Refresh published products")
    description = gettext_lazy(
        "Takes the products that were published lately in the PIM, and makes their "
        "pages show what the PIM has. It writes nothing to the PIM."
    )
    listed_status = PUBLISHED
    accepted_statuses = (PUBLISHED,)

    def execute(self) -> None:
        run = self.run
        if run.numbers:
            super().execute()
            return
        last_good = last_good_refresh()
        lookback = _lookback(
            run, last_good, self.pim.options.number_of_lookback_days, timezone.now()
        )
        for warning in lookback.warnings:
            self.journal.warn(warning)
        self.journal.note(published_since=lookback.since)
        self._carried = _failed_before(last_good)
        super().execute()
        if lookback.is_gapless and all(item.guid for item in run.unsettled_items()):
            self.journal.note(refreshed_to=_safely_before(run.started_at))

    def heads(self) -> Iterator[ProductHead | InvalidRecord]:
        client = self.pim.client
        yield from client.product_heads(
            PUBLISHED, published_since=self.run.published_since
        )
        for record in client.product_heads_by_id(self._carried):
            # What is not Published any more comes when it is so again.
            if isinstance(record, InvalidRecord) or record.has_status(PUBLISHED):
                yield record

    @classmethod
    def checked_options(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        given = {k: v for k, v in options.items() if v not in (None, "", False)}
        unknown = given.keys() - _CHECKS.keys()
        if unknown or len(given) > 1:
            raise ConfigurationError(
                _("Refresh published products takes one of these options: %(names)s.")
                % {"names": ", ".join(_CHECKS)}
            )
        return {name: _CHECKS[name](value) for name, value in given.items()}

    @classmethod
    def question(cls) -> str:
        environment = PIMOptions.current().in_force("environment")
        if str(environment).casefold() != Environment.PRODUCTION.casefold():
            return ""
        return _(
            "This site is the production environment. Here, Publish approved products "
            "brings the products; Refresh published products is meant for test and "
            "development sites. It can mend pages here all the same: it overwrites "
            "what the PIM owns with the PIM's present state, and writes nothing to "
            "the PIM."
        )


def utc_midnight(moment: datetime) -> datetime:
    """The beginning of the day in UTC, in which the PIM counts days."""
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def lookback_start(days: int, now: datetime) -> datetime:
    return utc_midnight(now - timedelta(days=days))


def last_good_refresh() -> JobRun | None:
    """The last one after which nothing was missing but its failed items."""
    return (
        _refreshes()
        .filter(state__in=COMPLETED_STATES, refreshed_to__isnull=False)
        .first()
    )


def _refreshes() -> Any:
    return JobRun.objects.filter(
        job=RefreshPublishedProducts.name, dry_run=False, numbers=[]
    )


@dataclass(frozen=True, slots=True)
class _Lookback:
    """``since`` is None for all; ``is_gapless`` says that nothing before is missing."""

    since: datetime | None
    is_gapless: bool
    warnings: tuple[str, ...] = ()


def _lookback(
    run: JobRun, last_good: JobRun | None, default_days: int, now: datetime
) -> _Lookback:
    """How far back the run looks."""
    if run.options.get(ALL):
        return _Lookback(None, is_gapless=True)
    broken = _broken_off(run, last_good)
    all_missing = any(each.options.get(ALL) for each in broken)
    missing = [each.published_since for each in broken if each.published_since]
    if last_good is not None and last_good.refreshed_to is not None:
        missing.append(utc_midnight(last_good.refreshed_to))
    missing_since = min(missing, default=None)
    if SINCE in run.options:
        since = datetime.fromisoformat(run.options[SINCE]).replace(tzinfo=UTC)
        if all_missing or (missing_since is not None and missing_since < since):
            return _Lookback(since, is_gapless=False, warnings=(_left_out(since),))
        return _Lookback(since, is_gapless=True)
    days = run.options.get(LOOKBACK_DAYS, default_days)
    start = lookback_start(days, now)
    if all_missing:
        return _Lookback(
            None,
            is_gapless=True,
            warnings=(
                _(
                    "An earlier refresh of everything did not come to its end: this "
                    "one takes all that is Published."
                ),
            ),
        )
    if missing_since is None:
        return _Lookback(start, is_gapless=True, warnings=(_first_time(start),))
    if missing_since >= start:
        return _Lookback(start, is_gapless=True)
    return _Lookback(
        missing_since, is_gapless=True, warnings=(_widened(days, missing_since),)
    )


def _broken_off(run: JobRun, last_good: JobRun | None) -> list[JobRun]:
    """Refreshes since the last good one that did not come to their end."""
    broken = _refreshes().exclude(pk=run.pk).exclude(state__in=COMPLETED_STATES)
    if last_good is not None:
        broken = broken.filter(created_at__gt=last_good.created_at)
    return list(broken)


def _failed_before(last_good: JobRun | None) -> list[UUID]:
    """Records with which the last good refresh had no luck."""
    if last_good is None:
        return []
    guids = last_good.unsettled_items().values_list("guid", flat=True)
    return list(dict.fromkeys(guid for guid in guids if guid))


def _safely_before(moment: datetime | None) -> datetime | None:
    """As far before it as the PIM's clock and this site's may be apart."""
    return moment and moment - timedelta(seconds=MAX_CLOCK_SKEW_SECONDS)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _widened(days: int, since: datetime) -> str:
    return ngettext(
        "The last good refresh is longer ago than the lookback of %(days)d day: this "
        "one takes what was published since %(since)s (UTC).",
        "The last good refresh is longer ago than the lookback of %(days)d days: this "
        "one takes what was published since %(since)s (UTC).",
        days,
    ) % {"days": days, "since": _day(since)}


def _first_time(since: datetime) -> str:
    return _(
        "This is the first refresh of this site: it takes what was published since "
        "%(since)s (UTC). Refresh all published products to have the older ones too."
    ) % {"since": _day(since)}


def _left_out(since: datetime) -> str:
    return _(
        "Products that were published before %(since)s (UTC) and after the last good "
        "refresh are left out, as asked; the next refresh with a lookback takes them."
    ) % {"since": _day(since)}


# Options


def _checked_days(value: Any) -> int:
    days = value if isinstance(value, int) else 0
    if not isinstance(value, bool) and 1 <= days <= MAX_LOOKBACK_DAYS:
        return days
    raise ConfigurationError(
        _("The number of lookback days is “%(given)s”; set 1 to %(limit)d.")
        % {"given": value, "limit": MAX_LOOKBACK_DAYS}
    )


def _checked_since(value: Any) -> str:
    """The day in UTC, of a date or of a time with or without an offset."""
    moment = _moment(str(value).strip())
    if moment is None:
        raise ConfigurationError(
            _(
                "“%(given)s” is not a date. Write it like 2026-11-19, or with a time "
                "and its offset like 2026-11-19T08:00:00+01:00."
            )
            % {"given": value}
        )
    if moment > timezone.now():
        raise ConfigurationError(
            _("%(given)s is in the future; nothing was published since then.")
            % {"given": value}
        )
    return _day(utc_midnight(moment))


def _moment(text: str) -> datetime | None:
    try:
        if day := parse_date(text):
            return datetime.combine(day, time(), UTC)
        moment = parse_datetime(text)
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        # A time that has no day in UTC is none.
        return moment and moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _checked_all(value: Any) -> bool:
    return bool(value)


_CHECKS: Final[dict[str, Any]] = {
    LOOKBACK_DAYS: _checked_days,
    SINCE: _checked_since,
    ALL: _checked_all,
}
