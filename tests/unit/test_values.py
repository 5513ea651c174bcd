"""Numbers that a database holds alike are the same; others are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyened_domain.model.values import Real, is_same, shortest, single

NUMBERS = st.floats(-3e38, 3e38)
KINDS = st.sampled_from([Real(), Real(double=True)])


@given(NUMBERS, KINDS)
def test_what_a_float_column_gives_back_is_the_same(number: float, kind: Real) -> None:
    held = kind.convert(number)
    assert is_same(kind, held, held)
    assert is_same(kind, float(f"{held:.6g}"), held)  # as MySQL shows a FLOAT
    assert is_same(kind, number, shortest(number))  # as a FLOAT gives a number back
    assert kind.double or is_same(kind, single(number), held)


@given(NUMBERS, st.floats(1e-4, 1e4), KINDS)
def test_what_differs_by_more_than_six_digits_is_not_the_same(
    number: float, part: float, kind: Real
) -> None:
    other = number * (1 + part)
    if abs(number) > 1e-30 and abs(other) < 3e38:
        assert not is_same(kind, kind.convert(number), kind.convert(other))


@pytest.mark.parametrize("number", [0.1, 1 / 3, 123456.789, 1e-40, 1.17549e-38, 2.5e-45])
def test_six_digits_of_a_number_and_the_number_are_the_same(number: float) -> None:
    shown = float(f"{shortest(number):.6g}")
    assert is_same(Real(), shown, shortest(number))
    assert is_same(Real(double=True), shown, shown)
    assert not is_same(Real(), shown, shown * 1.5 + 1e-44)
