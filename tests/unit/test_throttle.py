"""How long who has tried wrong passwords waits, whatever the host keeps and its clock shows."""

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from eyened_domain import BadInput, Throttle, Tries

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
THROTTLE = Throttle(free=1, clock=lambda: NOW)


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [
        (Tries(), 0),
        (Tries(1, NOW), 0),
        (Tries(2, NOW), 1),
        (Tries(2, NOW - SECOND / 4), 0.75),
        (Tries(2, NOW - SECOND), 0),
        (Tries(5, NOW), 8),
        (Tries(5, None), 0),
        (Tries(5, NOW.replace(tzinfo=None)), 8),
        (Tries(5, NOW + timedelta(days=400)), 8),
        (Tries(10**9, NOW), 15 * 60),
    ],
)
def test_the_next_try_waits_by_how_many_were_wrong_and_when(tries, seconds):
    assert THROTTLE.wait(tries) / SECOND == seconds


def test_tries_are_forgotten_after_a_day():
    long_ago = Tries(50, NOW - timedelta(days=1))
    assert THROTTLE.after_wrong(long_ago) == Tries(1, NOW)
    assert THROTTLE.after_wrong(Tries(50, NOW - timedelta(hours=23))) == Tries(51, NOW)


def test_tries_are_plain_data_that_a_host_can_keep():
    assert Tries(**attrs.asdict(Tries(2, NOW))) == Tries(2, NOW)
    assert "clock" not in repr(THROTTLE)


def test_the_clock_is_that_of_the_machine_unless_another_is_given():
    tries = Throttle().after_wrong(Tries())
    assert tries.last is not None
    assert abs(datetime.now(UTC) - tries.last) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "given",
    [
        {"free": -1},
        {"first": timedelta()},
        {"longest": SECOND / 2},
        {"forgotten_after": SECOND},
    ],
)
def test_what_would_not_hold_anybody_up_is_refused(given):
    with pytest.raises(BadInput, match="0 < first <= longest"):
        Throttle(**given)
