"""How far the graders of a task agree, and what they disagree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.creator import Creator
from eyened_domain.model.form import FormSchema
from eyened_domain.model.task import Task, TaskDefinition
from eyened_domain.model.values import shown
from eyened_domain.services.agreement.adjudication import made_task, readings_frame
from eyened_domain.services.agreement.disagreement import (
    DisagreedCase,
    Disagreements,
    answers_apart,
    ranked,
)
from eyened_domain.services.agreement.questions import questions_of
from eyened_domain.services.agreement.readings import (
    Readings,
    form_readings,
    images_of,
    mask_readings,
)
from eyened_domain.services.agreement.rows import frame_of
from eyened_domain.services.agreement.scales import Told
from eyened_domain.services.conditions.limits import checked_limit
from eyened_domain.services.data_frames import backend_of
from eyened_domain.services.progress import Progress
from eyened_domain.services.tagging.wanted import creator_of
from eyened_domain.services.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from eyened_domain.services.agreement.draws import Draws

Backend = Literal["pandas", "polars"]


@frozen(kw_only=True)
class Intervals:
    """How intervals are made: by bootstrap over cases, as percentiles.

    Draws for which a measure is not defined are left out; where that is more than half of
    them, there is no interval.
    """

    resamples: int = field(default=1000)
    """How often cases are drawn; 0 for no intervals."""
    confidence: float = field(default=0.95)
    """Between 0 and 1."""
    seed: int = 0
    """The same seed gives the same intervals."""
    by_patient: bool = False
    """Draw patients, with all of their cases: two eyes of one are not independent."""

    @resamples.validator
    def _check_resamples(self, _attribute: Any, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise _refused("resamples", value, "a whole number from 0")

    @confidence.validator
    def _check_confidence(self, _attribute: Any, value: Any) -> None:
        if not isinstance(value, int | float) or not 0 < value < 1:
            raise _refused("confidence", value, "between 0 and 1")


class Agreement:
    """Compares what the graders of a task have filled in and drawn.

    Forms and segmentations belong to a task by their subtask (`FormAnnotation.sub_task`,
    `Segmentation.sub_task`), and to a grader by their creator. Nothing is written, but by
    `adjudicate`. Which readings count, and what is left out: docs/agreement.md.
    """

    def answers(
        self,
        uow: UnitOfWork,
        task: Task,
        schema: FormSchema | str,
        *,
        questions: Sequence[str] | None = None,
        scales: Told | None = None,
        graders: Sequence[str] | None = None,
        intervals: Intervals | None = None,
        backend: Backend = "pandas",
    ) -> Any:
        """Return how far graders agree on the answers to a form, as a DataFrame.

        A row for each question, measure and group of graders: ``cohen_kappa`` of two (grades
        also ``cohen_kappa_linear`` and ``cohen_kappa_quadratic``), ``fleiss_kappa`` of more;
        for numbers ``icc_2_1`` and ``icc_3_1``, of more than two graders ``icc_1_1`` as well
        (Shrout and Fleiss 1979). The answers are read in one statement.

        Args:
            uow: an open unit of work.
            task: whose readings.
            schema: the form, or its name.
            questions: paths of answers, ``left.grades[2]``; None for all that have a scale.
            scales: by path ``"nominal"``, ``"ordered"`` or ``"number"``, or the grades in
                their order, where the schema does not say so.
            graders: names of those to compare; None for all.
            intervals: how they are made; `Intervals()` when not given.
            backend: ``pandas`` or ``polars``.

        Raises:
            NotFound: there is no form, or no creator, of that name.
            BadInput: nobody has answered such a question, or a scale means nothing.
            RuleBroken: an answer is not on the scale of its question.
            ConfigurationError: the extra ``agreement`` is not installed.
        """
        from eyened_domain.services.agreement.answers import answer_rows  # noqa: PLC0415 - numpy

        backend_of(backend)
        form = _form(uow, schema)
        readings = form_readings(uow, task, form, _names(graders))
        draws = _draws(intervals)
        wanted = _paths(questions)
        return frame_of(
            [
                row
                for question in questions_of(readings, form.schema, wanted, scales or {})
                for row in answer_rows(question, draws)
            ],
            backend,
        )

    def masks(
        self,
        uow: UnitOfWork,
        task: Task,
        *,
        features: Sequence[str] | None = None,
        graders: Sequence[str] | None = None,
        intervals: Intervals | None = None,
        backend: Backend = "pandas",
        progress: Progress | None = None,
    ) -> Any:
        """Return how far graders agree on masks, as a DataFrame.

        A row for each feature, measure and group of graders: means over the cases of ``dice``,
        ``iou`` and ``hausdorff_95`` (mm; px in rows of their own where an image's resolution
        is not known). What was drawn is listed in one statement, and looked up 100 cases at a
        time; pixels are in memory for one case and feature at a time.

        Args:
            uow: an open unit of work.
            task: whose readings.
            features: names; None for all.
            graders: names of those to compare; None for all.
            intervals: how they are made; `Intervals()` when not given.
            backend: ``pandas`` or ``polars``.
            progress: called with how many cases are done, and of how many.

        Raises:
            NotFound: there is no feature, or no creator, of that name.
            PixelsLost, PixelsDamaged: the pixels of a segmentation cannot be read.
            ConfigurationError: the extra ``agreement`` is not installed.
        """
        from eyened_domain.services.agreement.masks import (  # noqa: PLC0415 - brings numpy
            mask_rows,
            overlaps_of,
        )

        backend_of(backend)
        by_feature = _drawn(uow, task, features, graders)
        draws = _draws(intervals)
        overlaps = overlaps_of(uow, by_feature, progress or _nothing)
        return frame_of([*mask_rows(by_feature, overlaps, draws)], backend)

    def disagreements(
        self,
        uow: UnitOfWork,
        task: Task,
        schema: FormSchema | str,
        *,
        questions: Sequence[str] | None = None,
        scales: Told | None = None,
        graders: Sequence[str] | None = None,
        most: int | None = None,
        at_least: float = 0.0,
    ) -> Disagreements:
        """Return the cases on whose answers graders disagree most, in two statements.

        A case counts with the mean over its questions of how far its pairs of graders are
        apart: 0 or 1 for names, steps of the possible ones for grades, the difference of the
        widest range in the task for numbers.

        Args:
            uow: an open unit of work.
            task: whose readings.
            schema: the form, or its name.
            questions: as in `answers`.
            scales: as in `answers`.
            graders: as in `answers`.
            most: how many to return at the most; None for all.
            at_least: only those that are so far apart, 0 to 1.

        Raises:
            NotFound, BadInput, RuleBroken: as `answers`.
        """
        form = _form(uow, schema)
        readings = form_readings(uow, task, form, _names(graders))
        asked = questions_of(readings, form.schema, _paths(questions), scales or {})
        apart = answers_apart(asked)
        return _ranked(uow, apart, [readings], most, at_least)

    def mask_disagreements(
        self,
        uow: UnitOfWork,
        task: Task,
        *,
        features: Sequence[str] | None = None,
        graders: Sequence[str] | None = None,
        most: int | None = None,
        at_least: float = 0.0,
        progress: Progress | None = None,
    ) -> Disagreements:
        """Return the images on whose masks graders disagree most: by one minus the mean Dice.

        Args:
            uow: an open unit of work.
            task: whose readings.
            features: as in `masks`.
            graders: as in `masks`.
            most: how many to return at the most; None for all.
            at_least: only those that are so far apart, 0 to 1.
            progress: called with how many cases are done, and of how many.

        Raises:
            NotFound, PixelsLost, PixelsDamaged, ConfigurationError: as `masks`.
        """
        from eyened_domain.services.agreement.masks import (  # noqa: PLC0415 - brings numpy
            masks_apart,
            overlaps_of,
        )

        by_feature = _drawn(uow, task, features, graders)
        apart = masks_apart(overlaps_of(uow, by_feature, progress or _nothing))
        return _ranked(uow, apart, list(by_feature.values()), most, at_least)

    def adjudicate(
        self,
        uow: UnitOfWork,
        task: Task,
        cases: Disagreements | Sequence[DisagreedCase],
        *,
        name: str,
        by: Creator | str,
        definition: TaskDefinition | None = None,
    ) -> Task:
        """Make a task in which cases are looked at once more; the readings stay as they are.

        A subtask for each case, in their order, with its images; cases of the same images are
        one. What is filled in there belongs to the new task: `readings` shows it beside what
        was read before. A number of statements that does not grow with the cases.

        Args:
            uow: an open unit of work; the caller commits.
            task: that the cases come from.
            cases: what `disagreements` returns, or some of it.
            name: of the new task.
            by: who makes it, or the name.
            definition: of the new task; that of the old one when not given.

        Raises:
            BadInput: there are no cases.
            RuleBroken: a case has no images.
            NotFound: there is nobody of that name.
        """
        some = cases.cases if isinstance(cases, Disagreements) else tuple(cases)
        maker = creator_of(uow, by)
        return made_task(uow, task, some, name=name, by=maker, definition=definition)

    def readings(
        self,
        uow: UnitOfWork,
        task: Task,
        schema: FormSchema | str,
        *,
        adjudication: Task | None = None,
        backend: Backend = "pandas",
    ) -> Any:
        """Return every answer of every grader as a DataFrame, and beside them the adjudicated.

        A row for each case, question and reading: ``reading`` is 1, and 2 for a repeat;
        ``answer`` is JSON text. Read in one statement for each task.

        Args:
            uow: an open unit of work.
            task: whose readings.
            schema: the form, or its name.
            adjudication: the task that `adjudicate` has made.
            backend: ``pandas`` or ``polars``.

        Raises:
            NotFound: there is no form of that name.
        """
        backend_of(backend)
        return readings_frame(uow, task, _form(uow, schema), adjudication, backend)


def _form(uow: UnitOfWork, schema: FormSchema | str) -> FormSchema:
    return uow.form_schemas.by_name(schema) if isinstance(schema, str) else schema


def _drawn(
    uow: UnitOfWork, task: Task, features: Sequence[str] | None, graders: Sequence[str] | None
) -> Mapping[str, Readings]:
    names = _named(features, "features")
    if names is not None:
        for name in names:
            uow.features.by_name(name)
    return mask_readings(uow, task, names, _names(graders))


def _ranked(
    uow: UnitOfWork,
    apart: Any,
    several: Sequence[Readings],
    most: int | None,
    at_least: float,
) -> Disagreements:
    readings = {
        case: [
            one for some in several for one in some.get(case, {}).values() if one.grader.number == 1
        ]
        for case in apart
    }
    return ranked(
        apart,
        readings,
        images_of(uow, readings),
        most=checked_limit(most, "most"),
        at_least=at_least,
    )


def _draws(intervals: Intervals | None) -> Draws:
    from eyened_domain.services.agreement.draws import Draws  # noqa: PLC0415 - brings numpy
    from eyened_domain.services.agreement.statistics import Bootstrap  # noqa: PLC0415

    how = Intervals() if intervals is None else intervals
    if not isinstance(how, Intervals):
        raise _refused("intervals", how, "an object of `Intervals`")
    return Draws(Bootstrap(how.resamples, how.confidence, how.seed), how.by_patient)


def _names(graders: Sequence[str] | None) -> Sequence[str] | None:
    return _named(graders, "graders")


def _paths(questions: Sequence[str] | None) -> Sequence[str] | None:
    return _named(questions, "questions")


def _named(names: Sequence[str] | None, what: str) -> Sequence[str] | None:
    if isinstance(names, str):  # whose letters would be taken for names
        raise _refused(what, names, "a list of texts")
    return names


def _refused(what: str, value: Any, wanted: str) -> BadInput:
    return BadInput(f"{what} is {wanted}, not {shown(value)}", field=what, value=value)


def _nothing(*_told: object) -> None:
    """Tell nobody."""
