"""Which cases graders disagree on most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from eyened_domain.model.enums import Laterality
from eyened_domain.model.values import Choice, Integer, Kind, Real, Text
from eyened_domain.services.agreement.questions import Question
from eyened_domain.services.agreement.readings import Case, Reading, pairs_of
from eyened_domain.services.agreement.scales import Level
from eyened_domain.services.data_frames import make_frame


@frozen
class DisagreedCase:
    """A case, and how far those who have read it are apart."""

    case: Case
    disagreement: float
    """From 0, all agree, to 1: the mean over its questions, or features."""
    question: str
    """On which question, or feature, they are furthest apart."""
    readings: tuple[int, ...]
    """The ids of the forms, or segmentations, in the order of the graders' names."""
    graders: tuple[str, ...]
    image_ids: tuple[int, ...]
    """What adjudicators are to look at: its image, or those of the subtasks."""


@frozen
class Disagreements:
    """Cases, those that graders disagree on most at the front."""

    cases: tuple[DisagreedCase, ...]

    @property
    def imagesets(self) -> list[list[int]]:
        """The ids of the images of each case."""
        return [list(one.image_ids) for one in self.cases]

    def frame(self, backend: str = "pandas") -> Any:
        """Return them as a DataFrame, a row for each case.

        Args:
            backend: ``pandas`` or ``polars``.
        """
        columns: dict[str, list[Any]] = {
            name: [getattr(one.case, name) for one in self.cases] for name in Case._fields
        }
        for name in ("disagreement", "question"):
            columns[name] = [getattr(one, name) for one in self.cases]
        columns["graders"] = [", ".join(one.graders) for one in self.cases]
        for name in ("readings", "image_ids"):
            columns[name] = [" ".join(map(str, getattr(one, name))) for one in self.cases]
        return make_frame(columns, _KINDS, backend=backend)


_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("patient_id", "study_id", "image_instance_id"), Integer()),
    "laterality": Choice(Laterality),
    "disagreement": Real(),
    **dict.fromkeys(("question", "graders", "readings", "image_ids"), Text()),
}

Apart = dict[Case, dict[str, float]]
"""How far apart graders are, 0 to 1, by question or feature."""


def answers_apart(questions: Iterable[Question]) -> Apart:
    """Return for each case how far its answers are apart: the mean over pairs of graders.

    Names: whether they differ; grades: how many steps, of as many as there are; numbers: how
    far, of the widest range in the task.
    """
    apart: Apart = {}
    for question in questions:
        placed = {
            case: {
                grader: question.scale.place(answer, question.name)
                for grader, answer in by_grader.items()
                if grader.number == 1
            }
            for case, by_grader in question.answers.items()
        }
        span = _span(question, placed)
        for case, by_grader in placed.items():
            steps = [
                _step(by_grader[one], by_grader[other], span) for one, other in pairs_of(by_grader)
            ]
            if steps:
                apart.setdefault(case, {})[question.name] = sum(steps) / len(steps)
    return apart


def _span(question: Question, placed: Mapping[Case, Mapping[Any, Any]]) -> float | None:
    """Return how far apart two answers can be; None where they are the same or not."""
    if question.scale.level is Level.Nominal:
        return None
    if question.scale.level is Level.Ordered:
        return len(question.scale.values) - 1
    numbers = [one for some in placed.values() for one in some.values()]
    return float(max(numbers) - min(numbers))


def _step(one: Any, other: Any, span: float | None) -> float:
    if span is None:
        return float(one != other)
    return abs(one - other) / span if span else 0.0


def ranked(
    apart: Apart,
    readings: Mapping[Case, Sequence[Reading]],
    images: Mapping[Case, Sequence[int]],
    *,
    most: int | None,
    at_least: float,
) -> Disagreements:
    """Return the cases, those furthest apart at the front.

    Args:
        apart: how far they are.
        readings: who has read them.
        images: what they are about.
        most: how many to return at the most; None for all.
        at_least: how far apart they must be; more than 0 in any case.
    """
    found = []
    for case, by_question in apart.items():
        mean = sum(by_question.values()) / len(by_question)
        if mean > 0 and mean >= at_least:
            worst = max(sorted(by_question), key=lambda name: by_question[name])
            found.append((-mean, case.place, case, worst))
    found.sort(key=lambda one: one[:2])
    return Disagreements(
        tuple(
            DisagreedCase(
                case=case,
                disagreement=-mean,
                question=worst,
                readings=tuple(one.identity for one in readings[case]),
                graders=tuple(one.grader.label for one in readings[case]),
                image_ids=tuple(images[case]),
            )
            for mean, _, case, worst in found[:most]
        )
    )
