"""Agreement on answers: kappas for names and grades, intraclass correlations for numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eyened_domain.services.agreement.draws import Draws, Statistic, Subject
from eyened_domain.services.agreement.questions import Question
from eyened_domain.services.agreement.readings import Case, Grader, graders_of, pairs_of
from eyened_domain.services.agreement.rows import AgreementRow
from eyened_domain.services.agreement.scales import Level
from eyened_domain.services.agreement.statistics import (
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlations,
)


def answer_rows(question: Question, draws: Draws) -> Iterator[AgreementRow]:
    """Yield how far graders agree on a question: all, where there are more than two; each pair."""
    placed, categories = _placed(question)
    graders = graders_of(question.answers)
    everybody = [one for one in graders if one.number == 1]
    first = {
        case: {one: place for one, place in by_grader.items() if one.number == 1}
        for case, by_grader in placed.items()
    }
    if len(everybody) > 2:
        yield from _of_all(question, first, everybody, categories, draws)
    for pair in pairs_of(graders):
        read = sum(any(one in some for one in pair) for some in question.readings.values())
        both = _complete(placed, pair)
        for measure, statistic in _of_two(question.scale.level, categories).items():
            subject = Subject(question.name, measure, pair, read)
            yield draws.row(subject, both, statistic)


def _of_all(
    question: Question,
    first: Mapping[Case, Mapping[Grader, Any]],
    graders: Sequence[Grader],
    categories: int,
    draws: Draws,
) -> Iterator[AgreementRow]:
    """Yield rows of more than two graders; see `docs/agreement.md` for which cases count."""
    read = len(question.readings)
    usual = _as_often(first)
    if question.scale.level is not Level.Number:
        subject = Subject(question.name, "fleiss_kappa", graders, read)
        yield draws.row(subject, usual, lambda codes: fleiss_kappa(codes, categories))
        return
    complete = _complete(first, graders)
    for measure, cases in (("icc_1_1", usual), ("icc_2_1", complete), ("icc_3_1", complete)):
        yield draws.row(Subject(question.name, measure, graders, read), cases, _icc(measure))


def _of_two(level: Level, categories: int) -> dict[str, Statistic]:
    if level is Level.Number:
        return {measure: _icc(measure) for measure in ("icc_2_1", "icc_3_1")}
    weights = (None, "linear", "quadratic") if level is Level.Ordered else (None,)
    return {
        f"cohen_kappa_{one}" if one else "cohen_kappa": _kappa(categories, one) for one in weights
    }


def _kappa(categories: int, weights: str | None) -> Statistic:
    return lambda codes: cohen_kappa(codes, categories, weights)


def _icc(measure: str) -> Statistic:
    return lambda numbers: float(getattr(intraclass_correlations(numbers), measure))


def _placed(question: Question) -> tuple[dict[Case, dict[Grader, Any]], int]:
    """Return where each answer stands on the scale, and of how many categories."""
    placed = {
        case: {
            grader: question.scale.place(answer, question.name)
            for grader, answer in by_grader.items()
        }
        for case, by_grader in question.answers.items()
    }
    if question.scale.level is Level.Ordered:
        return placed, len(question.scale.values)
    if question.scale.level is Level.Number:
        return placed, 0
    names = sorted({name for by_grader in placed.values() for name in by_grader.values()})
    codes = {name: code for code, name in enumerate(names)}
    return {
        case: {grader: codes[name] for grader, name in by_grader.items()}
        for case, by_grader in placed.items()
    }, len(names)


def _complete(
    placed: Mapping[Case, Mapping[Grader, Any]], graders: Sequence[Grader]
) -> dict[Case, list[Any]]:
    """Return the cases that all of these have answered."""
    return {
        case: [by_grader[one] for one in graders]
        for case, by_grader in placed.items()
        if all(one in by_grader for one in graders)
    }


def _as_often(placed: Mapping[Case, Mapping[Grader, Any]]) -> dict[Case, list[Any]]:
    """Return the cases with as many answers as most cases have that were answered twice."""
    often = Counter(len(some) for some in placed.values() if len(some) > 1)
    if not often:
        return {}
    usual = max(often, key=lambda answers: (often[answers], answers))
    return {
        case: list(by_grader.values())
        for case, by_grader in placed.items()
        if len(by_grader) == usual
    }
