"""Promises about nights: every moment belongs to exactly one, whatever the clocks of the world do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dreamweb import nights
from dreamweb.profile import zones

LJUBLJANA = ZoneInfo("Europe/Ljubljana")

moments = st.integers(-600_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
places = st.sampled_from(sorted(zones())).map(ZoneInfo)


@given(moments, places)
@example(datetime(2025, 3, 30, 1, 0, tzinfo=UTC), LJUBLJANA)  # an hour is left out
@example(datetime(2025, 10, 26, 0, 30, tzinfo=UTC), LJUBLJANA)  # an hour comes twice
def test_every_moment_lies_in_its_night_and_nights_follow_one_another(moment: datetime, zone: ZoneInfo) -> None:
    night = nights.night_of(moment, zone)
    assert nights.begins(night, zone) <= moment < nights.ends(night, zone)
    assert nights.ends(night, zone) == nights.begins(night + timedelta(days=1), zone)


@given(moments, places)
def test_a_month_is_made_of_whole_nights(moment: datetime, zone: ZoneInfo) -> None:
    night = nights.night_of(moment, zone)
    start, end = nights.month_of(night, zone)
    assert start <= moment < end
    first = night.replace(day=1)
    assert nights.month_before(nights.next_month(first)) == first


@given(moments, places)
def test_what_is_written_down_lately_is_never_of_a_night_to_come(moment: datetime, zone: ZoneInfo) -> None:
    told = nights.lately(moment, zone)
    assert told <= moment
    local = moment.astimezone(zone)
    if local.hour < 20:
        assert nights.night_of(told, zone) <= local.date()
    else:
        assert told == moment


@pytest.mark.parametrize(
    ("clock", "told"),
    [("11:59", "11:59"), ("12:00", "07:00"), ("19:59", "07:00"), ("20:00", "20:00"), ("03:00", "03:00")],
)
def test_by_day_it_is_this_morning(clock: str, told: str) -> None:
    moment = datetime.fromisoformat(f"2025-01-31T{clock}").replace(tzinfo=LJUBLJANA)
    assert f"{nights.lately(moment, LJUBLJANA).astimezone(LJUBLJANA):%Y-%m-%d %H:%M}" == f"2025-01-31 {told}"


def test_the_night_to_29_february_comes_every_four_years() -> None:
    found = nights.same_in_earlier_years(date(2024, 2, 29), years=12)
    assert found == [date(2020, 2, 29), date(2016, 2, 29), date(2012, 2, 29)]
