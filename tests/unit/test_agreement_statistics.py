"""Kappa, intraclass correlation and mask distances, against published tables and brute force."""

import itertools
import math
import sys
from typing import Any

import numpy as np
import pytest

from eyened_domain.errors import ConfigurationError
from eyened_domain.services.agreement.mask_distances import dice_and_iou, hausdorff_95
from eyened_domain.services.agreement.statistics import (
    Bootstrap,
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlations,
)

CASES = 1000
SHROUT_FLEISS_1979 = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Table 2: six targets, four judges; the results are in table 4."""
FLEISS_1971 = [
    *([0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0]),
    *([2, 0, 4, 0, 0], [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6]),
    *([1, 0, 0, 5, 0], [1, 1, 0, 4, 0], [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1]),
    *([0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0], [0, 2, 0, 4, 0], [1, 0, 2, 0, 3]),
    *([0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0], [1, 0, 0, 4, 1]),
    *([0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6]),
]
"""Table 1: 30 patients, 6 diagnoses each in 5 categories; kappa = 0.430."""
WIKIPEDIA_FLEISS = [
    *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
    *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
]
"""The example of the article "Fleiss' kappa": 0.210."""


def _codes_of(table: list[list[int]]) -> Any:
    """Return the readings of each case, from how often each category was given."""
    return np.array([np.repeat(np.arange(len(row)), row) for row in table])


def _pairs_of(table: list[list[int]]) -> Any:
    """Return the pairs of readings that a table of two graders counts."""
    return np.array(
        [
            pair
            for pair in np.ndindex(len(table), len(table))
            for _ in range(table[pair[0]][pair[1]])
        ]
    )


def _same(found: float, wanted: float) -> bool:
    return math.isclose(found, wanted, abs_tol=1e-9) or math.isnan(found) == math.isnan(wanted) == 1


# --- published examples -------------------------------------------------------------------------


def test_cohens_kappa_is_that_of_cohens_own_example() -> None:
    # Cohen (1960), table 1: 200 cases, three categories; kappa = .492
    table = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]
    assert round(cohen_kappa(_pairs_of(table), 3), 3) == 0.492


def test_weighted_kappa_is_that_of_cohens_own_example() -> None:
    # Fleiss, Levin, Paik, 18.1: psychosis, neurosis, organic; kappa = .676
    table = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]
    assert round(cohen_kappa(_pairs_of(table), 3), 3) == 0.676


@pytest.mark.parametrize(("table", "kappa"), [(FLEISS_1971, 0.430), (WIKIPEDIA_FLEISS, 0.210)])
def test_fleiss_kappa_is_that_of_the_published_tables(table: list[list[int]], kappa: float) -> None:
    assert round(fleiss_kappa(_codes_of(table), 5), 3) == kappa


def test_intraclass_correlations_are_those_of_shrout_and_fleiss() -> None:
    found = intraclass_correlations(SHROUT_FLEISS_1979)
    assert [round(one, 2) for one in found] == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]


def test_a_hausdorff_distance_is_what_a_hand_computes() -> None:
    first, second = np.zeros((2, 1, 5, 12), bool)
    first[0, 1, 1:11] = True  # a line of ten, and one three rows below that ends four earlier
    second[0, 4, 1:7] = True
    # first to second: six times 3, then hypot(3, 1) … hypot(3, 4) = 5; the 95th percentile of
    # these ten lies at 8.55: 0.45 of hypot(3, 3), 0.55 of 5. Second to first: 3 everywhere.
    by_hand = 0.45 * math.hypot(3, 3) + 0.55 * 5
    assert math.isclose(hausdorff_95(first, second, (9, 1, 1)), by_hand)
    assert math.isclose(hausdorff_95(second, first, (9, 0.01, 0.01)), by_hand / 100)
    assert dice_and_iou(first, second) == (0.0, 0.0)


# --- an independent implementation, on 1,000 random cases ---------------------------------------


def _kappa_by_hand(pairs: list[tuple[int, int]], k: int, power: int) -> float:
    """One minus the mean distance of the pairs, over that of every reading with every other."""

    def apart(a: int, b: int) -> float:
        return float(a != b) if power == 0 else abs(a - b) ** power

    seen = sum(apart(a, b) for a, b in pairs) / len(pairs)
    by_chance = sum(apart(a, b) for a, _ in pairs for _, b in pairs) / len(pairs) ** 2
    return math.nan if by_chance == 0 else 1 - seen / by_chance


def test_cohens_kappas_are_those_of_an_independent_implementation() -> None:
    random = np.random.default_rng(11)
    for _ in range(CASES):
        k, n = int(random.integers(2, 7)), int(random.integers(1, 30))
        codes = random.integers(k, size=(n, 2))
        codes[:, 1] = np.where(random.random(n) < random.random(), codes[:, 0], codes[:, 1])
        pairs = [(int(a), int(b)) for a, b in codes]
        for power, weights in ((0, None), (1, "linear"), (2, "quadratic")):
            found = cohen_kappa(codes, k, weights)
            assert _same(found, _kappa_by_hand(pairs, k, power)), (pairs, weights)


def _fleiss_by_hand(codes: list[list[int]]) -> float:
    """The share of pairs within a case that agree, against that of readings drawn from all."""
    alike = [
        sum(a == b for a, b in itertools.permutations(case, 2)) / (len(case) * (len(case) - 1))
        for case in codes
    ]
    every = [one for case in codes for one in case]
    by_chance = sum((every.count(one) / len(every)) ** 2 for one in set(every))
    seen = sum(alike) / len(alike)
    return math.nan if by_chance == 1 else (seen - by_chance) / (1 - by_chance)


def test_fleiss_kappa_is_that_of_an_independent_implementation() -> None:
    random = np.random.default_rng(12)
    for _ in range(CASES):
        k, n, m = (int(random.integers(2, top)) for top in (6, 25, 6))
        codes = random.integers(k, size=(n, m))
        assert _same(fleiss_kappa(codes, k), _fleiss_by_hand(codes.tolist()))


def _icc_by_hand(rows: list[list[float]]) -> list[float]:
    """Sums of squares by loops, and the six ratios as table 3 and the text write them."""
    n, k = len(rows), len(rows[0])
    grand = sum(map(sum, rows)) / (n * k)
    of_row = [sum(row) / k for row in rows]
    of_column = [sum(row[j] for row in rows) / n for j in range(k)]
    bms = k * sum((one - grand) ** 2 for one in of_row) / (n - 1)
    jms = n * sum((one - grand) ** 2 for one in of_column) / (k - 1)
    wss = sum((rows[i][j] - of_row[i]) ** 2 for i in range(n) for j in range(k))
    wms = wss / (n * (k - 1))
    ems = (wss - jms * (k - 1)) / ((n - 1) * (k - 1))
    return [
        (bms - wms) / (bms + (k - 1) * wms),
        (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n),
        (bms - ems) / (bms + (k - 1) * ems),
        (bms - wms) / bms,
        (bms - ems) / (bms + (jms - ems) / n),
        (bms - ems) / bms,
    ]


def test_intraclass_correlations_are_those_of_an_independent_implementation() -> None:
    random = np.random.default_rng(13)
    for _ in range(CASES):
        n, k = int(random.integers(2, 20)), int(random.integers(2, 6))
        numbers = random.normal(size=(n, 1)) + random.normal(size=(n, k)) + random.normal(size=k)
        wanted = _icc_by_hand(numbers.tolist())
        assert np.allclose(intraclass_correlations(numbers), wanted, atol=1e-7, rtol=1e-6)


def _border_by_hand(mask: Any) -> list[tuple[int, ...]]:
    there = {tuple(map(int, one)) for one in np.argwhere(mask)}
    axes = [axis for axis, length in enumerate(mask.shape) if length > 1]

    def moved(place: tuple[int, ...], axis: int, by: int) -> tuple[int, ...]:
        return tuple(at + by if number == axis else at for number, at in enumerate(place))

    return [
        place
        for place in sorted(there)
        if any(moved(place, axis, by) not in there for axis in axes for by in (-1, 1))
    ]


def _hausdorff_by_hand(first: Any, second: Any, spacing: Any) -> float:
    """Every border pixel against every other one."""
    borders = [np.array(_border_by_hand(mask), float) for mask in (first, second)]
    if not all(len(one) for one in borders):
        return math.nan if any(len(one) for one in borders) else 0.0
    ours, theirs = (one * np.array(spacing) for one in borders)
    apart = np.sqrt(((ours[:, None] - theirs[None]) ** 2).sum(axis=2))

    def percentile(distances: Any) -> float:
        ordered = sorted(distances)
        at = 0.95 * (len(ordered) - 1)
        low = math.floor(at)
        high = min(low + 1, len(ordered) - 1)
        return float(ordered[low] + (at - low) * (ordered[high] - ordered[low]))

    return max(percentile(apart.min(axis=1)), percentile(apart.min(axis=0)))


def test_mask_measures_are_those_of_an_independent_implementation() -> None:
    random = np.random.default_rng(14)
    for number in range(CASES):
        shape = (1, *random.integers(2, 9, 2)) if number % 2 else tuple(random.integers(1, 6, 3))
        filled = random.random(2) * random.integers(0, 2, 2) if number % 5 == 0 else (0.5, 0.3)
        first, second = (random.random(shape) < share for share in filled)
        spacing = tuple(random.uniform(0.003, 0.3, 3))
        found = hausdorff_95(first, second, spacing)
        if max(shape) > 1:
            assert _same(found, _hausdorff_by_hand(first, second, spacing)), (first, second)
        ours, theirs = (set(map(tuple, np.argwhere(one).tolist())) for one in (first, second))
        dice, iou = dice_and_iou(first, second)
        if not ours | theirs:
            assert (dice, iou, found) == (1.0, 1.0, 0.0)
            continue
        assert math.isclose(dice, 2 * len(ours & theirs) / (len(ours) + len(theirs)))
        assert math.isclose(iou, len(ours & theirs) / len(ours | theirs))


# --- what is not defined, intervals, what is not installed --------------------------------------


def test_where_all_answers_are_alike_no_kappa_is_defined() -> None:
    assert math.isnan(cohen_kappa(np.zeros((5, 2), int), 1))
    assert math.isnan(cohen_kappa(np.zeros((5, 2), int), 3, "linear"))
    assert math.isnan(fleiss_kappa(np.zeros((5, 3), int), 2))
    assert math.isnan(cohen_kappa(np.zeros((0, 2), int), 2))
    assert all(map(math.isnan, intraclass_correlations(np.ones((5, 2)))))
    assert all(map(math.isnan, intraclass_correlations(np.ones((1, 2)))))
    of_cases = intraclass_correlations(np.tile([0.1, 0.7, 0.3], (7, 1)))
    assert math.isnan(of_cases.icc_3_1)  # the cases do not differ, but by rounding
    assert math.isnan(intraclass_correlations(np.full((7, 3), 0.1)).icc_2_1)


def test_an_empty_mask_agrees_with_an_empty_one_only() -> None:
    empty, full = np.zeros((1, 4, 4), bool), np.ones((1, 4, 4), bool)
    assert dice_and_iou(empty, empty) == (1.0, 1.0)
    assert hausdorff_95(empty, empty, (1, 1, 1)) == 0.0
    assert dice_and_iou(empty, full) == dice_and_iou(full, empty) == (0.0, 0.0)
    assert math.isnan(hausdorff_95(empty, full, (1, 1, 1)))


def test_an_interval_is_that_of_scipy_and_the_same_each_time() -> None:
    from scipy import stats

    data = np.random.default_rng(15).gamma(2.0, size=80)
    bootstrap = Bootstrap(resamples=4000)
    found = bootstrap.of(lambda drawn: float(drawn.mean()), data)
    theirs = stats.bootstrap((data,), np.mean, n_resamples=4000, method="percentile", rng=0)
    assert np.allclose(found[1:], theirs.confidence_interval, atol=0.02)
    assert found == bootstrap.of(lambda drawn: float(drawn.mean()), data)
    assert found != Bootstrap(4000, seed=1).of(lambda drawn: float(drawn.mean()), data)
    assert found.low < found.estimate == float(data.mean()) < found.high


def test_cases_of_one_patient_are_drawn_together() -> None:
    patients = np.repeat(np.arange(25), 4)
    data = np.random.default_rng(16).normal(size=25)[patients]  # four times the same
    mean = Bootstrap(2000).of(lambda drawn: float(drawn.mean()), data)
    together = Bootstrap(2000).of(lambda drawn: float(drawn.mean()), data, patients)
    assert 1.6 < (together.high - together.low) / (mean.high - mean.low) < 2.4


def test_without_enough_draws_that_are_defined_there_is_no_interval() -> None:
    codes = np.array([[0, 0]] * 40 + [[1, 1]])
    found = Bootstrap(200).of(lambda drawn: cohen_kappa(drawn, 2), codes)
    assert found.estimate == 1.0
    assert found.low == found.high == 1.0
    alone = Bootstrap(200).of(
        lambda drawn: cohen_kappa(drawn, 2) if drawn.any() else math.nan, codes[-2:]
    )
    assert alone.estimate == 1.0
    assert math.isnan(alone.low) == math.isnan(alone.high) is True


@pytest.mark.parametrize("missing", ["statsmodels", "scipy"])
def test_what_is_not_installed_is_told_with_the_extra(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    full = np.ones((1, 4, 4), bool)
    measures = {
        "scipy": lambda: hausdorff_95(full, full, (1, 1, 1)),
        "statsmodels": lambda: cohen_kappa(np.zeros((5, 2), int), 2),
    }
    with pytest.raises(ConfigurationError, match=rf"{missing} .*eyened-domain\[agreement\]"):
        measures[missing]()
