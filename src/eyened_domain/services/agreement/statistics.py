"""Chance-corrected agreement and intraclass correlation, of plain arrays.

Kappas are those of statsmodels; intraclass correlations follow Shrout and Fleiss (1979),
Psychological Bulletin 86: 420-428, whose numbers they have here. What is not defined (all
answers alike, fewer than two cases) is NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from eyened_domain.errors import ConfigurationError

Codes = npt.NDArray[np.intp]
"""Categories by number, from 0: (cases, readings)."""
Numbers = npt.NDArray[np.float64]

NOT_INSTALLED = "{} is not installed: pip install 'eyened-domain[agreement]'"


def cohen_kappa(codes: Codes, categories: int, weights: str | None = None) -> float:
    """Return Cohen's kappa of two graders.

    Args:
        codes: (cases, 2), the category that each has given, from 0.
        categories: how many there are; for weights, in their order.
        weights: None; ``linear`` or ``quadratic`` in the number of steps between two categories.
    """
    if not len(codes):
        return np.nan
    cells = codes[:, 0] * categories + codes[:, 1]
    table = np.bincount(cells, minlength=categories**2).reshape(categories, categories)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _finite(_inter_rater().cohens_kappa(table, return_results=False, wt=weights))


def fleiss_kappa(codes: Codes, categories: int) -> float:
    """Return Fleiss' kappa of several readings, which need not be by the same graders.

    Args:
        codes: (cases, readings), the category of each, from 0.
        categories: how many there are.
    """
    cases, readings = codes.shape
    if not cases or readings < 2:
        return np.nan
    cells = (np.arange(cases)[:, None] * categories + codes).ravel()
    counts = np.bincount(cells, minlength=cases * categories).reshape(cases, categories)
    with np.errstate(divide="ignore", invalid="ignore"):
        return _finite(_inter_rater().fleiss_kappa(counts))


class IntraclassCorrelations(NamedTuple):
    """The six of Shrout and Fleiss: which model, and of one reading or of the mean of k.

    1: each case has other graders; 2: the graders stand for others, and how they differ in
    level counts (absolute agreement); 3: these graders only, levels left out (consistency).
    """

    icc_1_1: float
    icc_2_1: float
    icc_3_1: float
    icc_1_k: float
    icc_2_k: float
    icc_3_k: float


def intraclass_correlations(numbers: Numbers) -> IntraclassCorrelations:
    """Return the intraclass correlations of measurements.

    Args:
        numbers: (cases, readings); for models 2 and 3 a column is one grader.
    """
    cases, readings = numbers.shape
    if cases < 2 or readings < 2:
        return IntraclassCorrelations(*[np.nan] * 6)
    centred = numbers - numbers.mean()
    nothing = (np.abs(numbers).max() * 1e-12) ** 2  # what is left of equal numbers, rounded
    of_cases, of_graders = centred.mean(axis=1), centred.mean(axis=0)
    between = readings * float(of_cases @ of_cases) / (cases - 1)
    graders = cases * float(of_graders @ of_graders) / (readings - 1)
    within = float(((centred - of_cases[:, None]) ** 2).sum()) / (cases * (readings - 1))
    left = centred - of_cases[:, None] - of_graders
    error = float((left**2).sum()) / ((cases - 1) * (readings - 1))
    between, graders, within, error = (
        0.0 if one <= nothing else one for one in (between, graders, within, error)
    )
    levels = (graders - error) / cases
    others = readings - 1
    return IntraclassCorrelations(
        _ratio(between - within, between + others * within),
        _ratio(between - error, between + others * error + readings * levels),
        _ratio(between - error, between + others * error),
        _ratio(between - within, between),
        _ratio(between - error, between + levels),
        _ratio(between - error, between),
    )


def _ratio(above: float, below: float) -> float:
    return above / below if abs(below) > 0 else np.nan


def _finite(value: Any) -> float:
    return float(value) if np.isfinite(value) else np.nan


def _inter_rater() -> Any:
    try:
        from statsmodels.stats import inter_rater  # noqa: PLC0415 - takes a second
    except ImportError as error:
        raise ConfigurationError(NOT_INSTALLED.format("statsmodels")) from error
    return inter_rater


class Interval(NamedTuple):
    """A statistic with its interval."""

    estimate: float
    low: float
    high: float


class Bootstrap(NamedTuple):
    """How intervals are made: percentiles of the statistic over cases drawn again and again.

    Draws for which the statistic is not defined are left out; where that is more than half of
    them, there is no interval.
    """

    resamples: int = 1000
    """How often; 0 for no intervals."""
    confidence: float = 0.95
    seed: int = 0

    def of(
        self,
        statistic: Callable[[Any], float],
        data: npt.NDArray[Any],
        clusters: npt.ArrayLike | None = None,
    ) -> Interval:
        """Return a statistic of cases with its interval.

        Args:
            statistic: of an array like `data`, with some of its rows, and some twice.
            data: a row for each case.
            clusters: what each case belongs to (its patient): those are drawn, with all of
                their cases; None where each case is drawn by itself.
        """
        estimate = statistic(data)
        if not self.resamples or np.isnan(estimate):
            return Interval(estimate, np.nan, np.nan)
        drawn = np.array([statistic(data[chosen]) for chosen in self._draws(len(data), clusters)])
        defined = drawn[~np.isnan(drawn)]
        if len(defined) * 2 < len(drawn):
            return Interval(estimate, np.nan, np.nan)
        tail = (1 - self.confidence) / 2
        low, high = np.quantile(defined, [tail, 1 - tail])
        return Interval(estimate, float(low), float(high))

    def _draws(self, cases: int, clusters: npt.ArrayLike | None) -> Any:
        random = np.random.default_rng(self.seed)
        if clusters is None:
            for _ in range(self.resamples):
                yield random.integers(cases, size=cases)
            return
        _, owner = np.unique(np.asarray(clusters), return_inverse=True)
        members = [np.flatnonzero(owner == one) for one in range(owner.max() + 1)]
        for _ in range(self.resamples):
            chosen = random.integers(len(members), size=len(members))
            yield np.concatenate([members[one] for one in chosen])
