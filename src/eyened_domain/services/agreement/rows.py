"""What is told of agreement: one row for each question or feature, measure and graders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from attrs import fields, frozen

from eyened_domain.model.values import Integer, Kind, Real, Text
from eyened_domain.services.data_frames import make_frame


@frozen
class AgreementRow:
    """How far graders agree on a question or a feature, by one measure."""

    question: str
    """The path of the answers, or the feature, of several masks with the name of the mask."""
    measure: str
    unit: str | None
    """Of distances: mm, or px where an image's resolution is not known."""
    graders: str
    """Their names; a repeat has its number: ``ann, ann (2)``."""
    estimate: float
    """NaN where it is not defined, as a kappa is not when all answers are alike."""
    low: float
    high: float
    n_cases: int
    """How many were compared."""
    n_left_out: int
    """How many were read by one of them, and could not be compared."""


_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("question", "measure", "unit", "graders"), Text()),
    **dict.fromkeys(("estimate", "low", "high"), Real()),
    **dict.fromkeys(("n_cases", "n_left_out"), Integer()),
}


def frame_of(rows: Sequence[AgreementRow], backend: str) -> Any:
    """Return rows as a DataFrame; what is not defined is missing."""
    names = [one.name for one in fields(AgreementRow)]
    columns = {name: [_cell(getattr(row, name)) for row in rows] for name in names}
    return make_frame(columns, _KINDS, backend=backend)


def _cell(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
