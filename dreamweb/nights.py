"""Counts in nights, from noon to noon in the person's time zone; a night has the date of the morning it ends on."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_NOON = time(12)
_EVENING = time(20)
_WAKING = time(7)
_DAY = timedelta(days=1)


def night_of(moment: datetime, zone: ZoneInfo) -> date:
    """The date of the morning on which the night of this moment ends."""
    local = moment.astimezone(zone)
    return local.date() + _DAY if local.time() >= _NOON else local.date()


def begins(night: date, zone: ZoneInfo) -> datetime:
    """The noon before, in UTC; the first moment of the night."""
    return datetime.combine(night - _DAY, _NOON, zone).astimezone(UTC)


def ends(night: date, zone: ZoneInfo) -> datetime:
    """The noon after, in UTC; the first moment that is not of this night any more."""
    return datetime.combine(night, _NOON, zone).astimezone(UTC)


def lately(moment: datetime, zone: ZoneInfo) -> datetime:
    """When something was most likely dreamed that is written down now, in UTC.

    From noon until evening people write down what they woke with: then it is seven o'clock of this morning.
    """
    local = moment.astimezone(zone)
    if _NOON <= local.time() < _EVENING:
        return datetime.combine(local.date(), _WAKING, zone).astimezone(UTC)
    return moment


def same_in_earlier_years(night: date, *, years: int) -> list[date]:
    """This night one year ago, two years ago and so on; the one of 29 February only in leap years."""
    found = []
    for ago in range(1, years + 1):
        try:
            found.append(night.replace(year=night.year - ago))
        except ValueError:  # 29 February, or before the year 1
            continue
    return found


def month_of(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of a month's first night, and the first moment after its last night, in UTC."""
    first = month.replace(day=1)
    return begins(first, zone), begins(next_month(first), zone)


def next_month(month: date) -> date:
    """The first day of the month after. Raises `ValueError` after the last month that Python knows."""
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1, day=1)


def month_before(month: date) -> date:
    """The first day of the month before. Raises `ValueError` before the first month that Python knows."""
    return month.replace(year=month.year - (month.month == 1), month=(month.month - 2) % 12 + 1, day=1)
