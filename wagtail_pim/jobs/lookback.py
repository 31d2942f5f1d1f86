"""How far back Refresh published products looks.

To the option's number of days, or to where the last good refresh ended, if that is
longer ago. So nothing that was published while the job did not run, or ran and failed,
is missed. A record that failed is taken again by the next refresh, however long ago it
was published.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from wagtail_pim.client.options import MAX_LOOKBACK_DAYS
from wagtail_pim.client.transport import MAX_CLOCK_SKEW_SECONDS
from wagtail_pim.exceptions import ConfigurationError
from wagtail_pim.models import JobRun, JobRunItem
from wagtail_pim.models.runs import COMPLETED_STATES, State

REFRESH: Final = "refresh_published_products"

LOOKBACK_DAYS: Final = "lookback_days"
SINCE: Final = "since"
ALL: Final = "all"
OPTIONS: Final = (LOOKBACK_DAYS, SINCE, ALL)

# Before everything that was ever published.
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


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
    return JobRun.objects.filter(job=REFRESH, dry_run=False, numbers=[])


@dataclass(frozen=True, slots=True)
class Lookback:
    """``since`` is None for all; ``is_gapless`` says that nothing before is missing."""

    since: datetime | None
    is_gapless: bool = True
    warnings: tuple[str, ...] = ()


def plan_lookback(
    run: JobRun, last_good: JobRun | None, default_days: int, now: datetime
) -> Lookback:
    """How far back the run looks: as far as asked, and to what is missing."""
    asked = _asked(run.options, default_days, now)
    unfinished = _start_of_unfinished(run, last_good, default_days)
    mark = _mark_of(last_good)
    missing = min(filter(None, (unfinished, mark)), default=None)
    if missing is None and not run.options.keys() & {ALL, SINCE}:
        return Lookback(asked, warnings=(_first_time(asked),))
    if missing is None or asked <= missing:
        return Lookback(None if asked == _BEGINNING else asked)
    if SINCE in run.options:
        return Lookback(asked, is_gapless=False, warnings=(_left_out(asked),))
    if missing == _BEGINNING:
        return Lookback(None, warnings=(_all_completed(),))
    if missing == unfinished:
        return Lookback(missing, warnings=(_completed(missing),))
    days = run.options.get(LOOKBACK_DAYS, default_days)
    return Lookback(missing, warnings=(_widened(days, missing),))


def _asked(options: Mapping[str, Any], default_days: int, now: datetime) -> datetime:
    """How far back a run is to look at least that is started now."""
    if options.get(ALL):
        return _BEGINNING
    if SINCE in options:
        return datetime.fromisoformat(options[SINCE]).replace(tzinfo=UTC)
    return lookback_start(options.get(LOOKBACK_DAYS, default_days), now)


def _mark_of(last_good: JobRun | None) -> datetime | None:
    """Since when the products are missing that came after the last good refresh."""
    if last_good is None or last_good.refreshed_to is None:
        return None
    return utc_midnight(last_good.refreshed_to)


def _start_of_unfinished(
    run: JobRun, last_good: JobRun | None, default_days: int
) -> datetime | None:
    """How far back refreshes had to look that began since and left something missing.

    One that failed before it looked owes what it was asked for.
    """
    starts = (
        each.published_since or _asked(each.options, default_days, each.created_at)
        for each in _unfinished(last_good).exclude(pk=run.pk)
    )
    return min(starts, default=None)


def _unfinished(last_good: JobRun | None) -> Any:
    refreshes = _refreshes()
    if last_good is None:
        return refreshes.exclude(state=State.STOPPED, started_at=None)
    # Those with the usual lookback owe what its mark tells, and so does one that
    # somebody stopped: to look farther back is not wanted any more.
    return refreshes.filter(created_at__gt=last_good.created_at).exclude(
        Q(options={}) | Q(state=State.STOPPED)
    )


def needed_by_the_next() -> list[UUID]:
    """The runs without which the next refresh would not know how far to look."""
    last_good = last_good_refresh()
    needed = [run.pk for run in _unfinished(last_good)]
    return [*needed, last_good.pk] if last_good else needed


def failed_before(last_good: JobRun | None) -> dict[UUID, JobRunItem]:
    """Records with which the last good refresh had no luck, by Guid."""
    if last_good is None:
        return {}
    return {item.guid: item for item in last_good.unsettled_items() if item.guid}


def safely_before(moment: datetime | None) -> datetime | None:
    """As far before it as the PIM's clock and this site's may be apart."""
    return moment and moment - timedelta(seconds=MAX_CLOCK_SKEW_SECONDS)


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


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


def _all_completed() -> str:
    return _(
        "An earlier refresh of all published products did not come to its end: this "
        "one takes them all."
    )


def _completed(since: datetime) -> str:
    return _(
        "An earlier refresh did not come to its end: this one takes what was published "
        "since %(since)s (UTC)."
    ) % {"since": _day(since)}


def _left_out(since: datetime) -> str:
    return _(
        "Products that were published before %(since)s (UTC) and after the last good "
        "refresh are left out, as asked; the next refresh with a lookback takes them."
    ) % {"since": _day(since)}


# How far back, in words


def looked_back(run: JobRun) -> str:
    """How far back a refresh looked; empty of one that has not looked, or not so."""
    if run.job != REFRESH or run.numbers:
        return ""
    if run.published_since is not None:
        day = _day(run.published_since.astimezone(UTC))
        return _("Published since %(day)s (UTC)") % {"day": day}
    if run.options.get(ALL) or run.total is not None:
        return _("All published products")
    return ""


def asked_lookback(run: JobRun) -> str:
    """How far back a refresh was asked to look; empty where it was not said."""
    if run.options.get(ALL):
        return _("All published products")
    if day := run.options.get(SINCE):
        return _("Published since %(day)s (UTC)") % {"day": day}
    if days := run.options.get(LOOKBACK_DAYS):
        return ngettext(
            "Published in the last %(days)d day",
            "Published in the last %(days)d days",
            days,
        ) % {"days": days}
    return ""


# Options


def checked_lookback(options: Mapping[str, Any]) -> dict[str, Any]:
    """The one option that is given, as it is stored.

    Raises ConfigurationError for any other, for several, and for a wrong value.
    """
    given = {
        name: value
        for name, value in options.items()
        if value is not None and value is not False
    }
    if len(given) > 1 or given.keys() - _CHECKS.keys():
        raise ConfigurationError(
            _(
                "Refresh published products looks back a number of days, or to a date, "
                "or takes all: set one of lookback_days, since and all."
            )
        )
    return {name: _CHECKS[name](value) for name, value in given.items()}


def _checked_days(value: Any) -> int:
    text = str(value).strip()
    days = int(text) if re.fullmatch("[0-9]{1,4}", text) else 0
    if 1 <= days <= MAX_LOOKBACK_DAYS:
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
            _(
                "%(given)s is in the future (the PIM counts days in UTC): nothing was "
                "published since then."
            )
            % {"given": value}
        )
    if moment < lookback_start(MAX_LOOKBACK_DAYS, timezone.now()):
        raise ConfigurationError(
            _(
                "%(given)s is more than %(limit)d days ago. Refresh all published "
                "products instead."
            )
            % {"given": value, "limit": MAX_LOOKBACK_DAYS}
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


_CHECKS: Final[dict[str, Any]] = {
    LOOKBACK_DAYS: _checked_days,
    SINCE: _checked_since,
    ALL: bool,
}
