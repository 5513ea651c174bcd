"""Rows of agreement: a statistic of cases, with its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from attrs import frozen

from eyened_domain.services.agreement.readings import Case, Grader
from eyened_domain.services.agreement.rows import AgreementRow
from eyened_domain.services.agreement.statistics import Bootstrap, Interval

Statistic = Callable[[npt.NDArray[Any]], float]
"""Of an array with a row for each case."""


@frozen
class Subject:
    """What a row is about."""

    question: str
    """Or the feature."""
    measure: str
    graders: Sequence[Grader]
    n_read: int
    """How many cases any of them has read."""
    unit: str | None = None


@frozen
class Draws:
    """How intervals are made, and of what."""

    bootstrap: Bootstrap
    by_patient: bool = False

    def row(
        self, subject: Subject, cases: Mapping[Case, Any], statistic: Statistic
    ) -> AgreementRow:
        """Return a row.

        Args:
            subject: what it is about.
            cases: what is known of each case that can be compared, all of the same length.
            statistic: of these.
        """
        interval = Interval(np.nan, np.nan, np.nan)
        if cases:
            patients = [case.patient_id for case in cases] if self.by_patient else None
            interval = self.bootstrap.of(statistic, np.array(list(cases.values())), patients)
        return AgreementRow(
            question=subject.question,
            measure=subject.measure,
            unit=subject.unit,
            graders=", ".join(one.label for one in subject.graders),
            estimate=interval.estimate,
            low=interval.low,
            high=interval.high,
            n_cases=len(cases),
            n_left_out=subject.n_read - len(cases),
        )
