"""The questions of a form that can be compared, with what each grader has answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.flat_answers import Path, leaves, path_of, written
from eyened_domain.model.values import shown
from eyened_domain.services.agreement.readings import Case, Grader, Readings
from eyened_domain.services.agreement.scales import Scale, Told, choices_of, scale_of, token
from eyened_domain.services.form_rows import path_order


@frozen
class Question:
    """A question, its scale, and the answers; who left it open, or said null, is not there."""

    name: str
    """The path of its answers: ``left.grades[2]``."""
    scale: Scale
    answers: dict[Case, dict[Grader, Any]]
    readings: Readings
    """All readings, also those that leave it open."""


def questions_of(
    readings: Readings, schema: Any, wanted: Sequence[str] | None, told: Told
) -> Iterator[Question]:
    """Yield the questions that have a scale, in the order of their paths.

    Args:
        readings: of the form.
        schema: its JSON schema, or None.
        wanted: the paths of those that are asked for; None for all. Free text that is asked
            for is compared by name.
        told: the scales that the caller knows.

    Raises:
        BadInput: nobody has answered a question that is asked for or told of, or `told` means
            nothing.
    """
    answers = _by_path(readings, schema)
    scales = {path_of(name): one for name, one in told.items()}
    asked = None if wanted is None else [path_of(name) for name in wanted]
    for path in [*scales, *(asked or ())]:
        if path not in answers and readings:
            raise _unknown(path, answers)
    for path in sorted(answers, key=path_order):
        if asked is not None and path not in asked:
            continue
        given = [one for some in answers[path].values() for one in some.values()]
        scale = scale_of(path, given, schema, scales.get(path))
        if scale is None and asked is not None:
            scale = scale_of(path, given, schema, "nominal")
        if scale is not None:
            yield Question(written(path), scale, answers[path], readings)


def _by_path(readings: Readings, schema: Any) -> dict[Path, dict[Case, dict[Grader, Any]]]:
    """Return the answers by question; in cases and graders there is the order of the readings."""
    by_path: dict[Path, dict[Case, dict[Grader, Any]]] = {}
    choices: dict[Path, list[str]] = {}
    for case, by_grader in readings.items():
        for grader, reading in by_grader.items():
            said = {} if reading.what is None else dict(leaves(reading.what))
            for path, answer in _with_choices(said, schema, choices).items():
                if answer is not None:
                    by_path.setdefault(path, {}).setdefault(case, {})[grader] = answer
    return by_path


def _with_choices(
    said: dict[Path, Any], schema: Any, choices: dict[Path, list[str]]
) -> dict[Path, Any]:
    """Return answers; in the place of a list of choices, for each choice whether it was made.

    Args:
        said: the answers by path.
        schema: of the form, or None.
        choices: by the path of a list, what can be chosen; what is found out is added.
    """
    found: dict[Path, Any] = {}
    made: dict[Path, set[str]] = {}
    for path, answer in said.items():
        is_inside = answer != [] and path and isinstance(path[-1], int)
        whole = path[:-1] if is_inside else path
        if whole not in choices:
            choices[whole] = choices_of(schema, whole)
        if not choices[whole]:
            found[path] = answer
        elif answer is not None:
            made.setdefault(whole, set()).update(() if answer == [] else (token(answer),))
    for whole, several in made.items():
        found |= {(*whole, one): token(one) in several for one in choices[whole]}
    return found


def _unknown(path: Path, answers: dict[Path, Any]) -> BadInput:
    name = written(path)
    near = get_close_matches(name, [written(one) for one in answers], n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return BadInput(
        f"nobody has answered {shown(name)}{hint}",
        entity="FormAnnotation",
        field="questions",
        value=name,
    )
