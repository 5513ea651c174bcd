"""What attribute values were computed from, what from them, and which are stale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model.attribute import AttributeValue, AttributeValueInput
from eyened_domain.model.names import fold
from eyened_domain.model.project import Project
from eyened_domain.model.segmentation import ModelSegmentation
from eyened_domain.model.values import kind_of, shown
from eyened_domain.services.computation_record import Computed, digest
from eyened_domain.services.provenance.graph import ProvenanceGraph
from eyened_domain.services.provenance.reading import (
    INPUT,
    KEY,
    OUTPUT,
    Known,
    follow,
    follow_results,
    read_edges,
    read_projects,
    read_values,
)
from eyened_domain.services.provenance.staleness import (
    Judgement,
    StaleValue,
    Versions,
    replaced_in,
)
from eyened_domain.services.row_shapes import none_with_ids
from eyened_domain.services.sought_values import converted, listed
from eyened_domain.services.unit_of_work import UnitOfWork

ValueOrId = AttributeValue | int
"""An attribute value, or its id."""


class Provenance:
    """Tells what values were computed from, and which would be others if computed now."""

    def graph(self, uow: UnitOfWork, *values: ValueOrId) -> ProvenanceGraph:
        """Return values with all that they were computed from, and all computed from them.

        Two statements for each step of the longest way, however many values there are.

        Raises:
            NotFound: there is no such value.
            BadInput: it is neither a value nor an id.
        """
        known = self._known(uow, values)
        start = list(known.values)
        follow(uow, known, start)
        follow_results(uow, known, start)
        return known.graph()

    def sources(self, uow: UnitOfWork, *values: ValueOrId) -> ProvenanceGraph:
        """Return values with all that they were computed from; see `graph`."""
        known = self._known(uow, values)
        follow(uow, known, list(known.values))
        return known.graph()

    def results(self, uow: UnitOfWork, *values: ValueOrId) -> ProvenanceGraph:
        """Return values with all that was computed from them; see `graph`."""
        known = self._known(uow, values)
        follow_results(uow, known, list(known.values))
        return known.graph()

    def _known(self, uow: UnitOfWork, values: Iterable[ValueOrId]) -> Known:
        return Known(_present(uow, _ids(uow, values)))

    def computed_from(
        self, uow: UnitOfWork, sources: Mapping[ValueOrId, Iterable[ValueOrId]]
    ) -> None:
        """Say what values were computed from, and record what that holds now.

        What was said before stays, and is recorded anew. `stale` finds a value when something of
        it changes after this; it is called again when the value was computed anew.

        Args:
            uow: an open unit of work; the caller commits.
            sources: for each value what it was computed from: nothing, where only its own image
                or segmentation was looked at.

        Raises:
            NotFound: there is no such value; the message names the ids.
            RuleBroken: a value would be computed from itself, if only by others.
            BadInput: something is neither a value nor an id, or no list of them.
        """
        if not isinstance(sources, Mapping):
            raise BadInput(
                f"a dict of values and what they were computed from is needed, not "
                f"{kind_of(sources)}",
                entity="AttributeValue",
            )
        info = AttributeValue.__entity__
        given = {output: listed(info, some, "values") for output, some in sources.items()}
        uow.flush()
        wanted = {
            _id(output): dict.fromkeys(_id(one) for one in some) for output, some in given.items()
        }
        ids = {*wanted, *(one for some in wanted.values() for one in some)}
        known = Known(_present(uow, sorted(ids)))
        known.add_edges(read_edges(uow, OUTPUT, list(wanted)))
        there = {(output, one) for output, some in known.sources.items() for one in some}
        known.add_edges((output, one) for output, some in wanted.items() for one in some)
        follow(uow, known, list(ids))
        _refuse_circles(known, wanted)
        rows = [
            {OUTPUT: output, INPUT: one}
            for output, some in wanted.items()
            for one in some
            if (output, one) not in there
        ]
        uow.rows.insert_links(AttributeValueInput, rows)
        uow.computations.note({output: _computed(known, output) for output in wanted})

    def stale(self, uow: UnitOfWork, project: Project | str) -> list[StaleValue]:
        """Return the values in a project that are stale, in the order of their ids, with reasons.

        A value is stale when something that it was computed from (another value, or the image or
        segmentation whose value it is)

        - was changed or deleted since `computed_from` was told of it,
        - was replaced: a newer version of the same model has computed the same attribute of the
          same owner and eye, or a segmentation of the same feature on the same image,
        - is inactive, or is of an image or a segmentation that is,
        - is stale itself.

        Twelve statements, and one more for every ten thousand values. Where something was
        computed from values in other projects, those are read as well, all together.

        Args:
            uow: an open unit of work.
            project: the project, or its name.

        Raises:
            NotFound: there is no project of that name.
            BadInput: it is neither a project nor a name.
        """
        uow.flush()
        one = _project(uow, project)
        found = read_projects(uow, one.project_id)
        known = found.known
        judgement = Judgement(
            known,
            _replaced_segmentations(uow, found.ids),
            uow.computations.noted(known.values),
        )
        return [
            StaleValue(
                node=known.values[key].node,
                reasons=reasons,
                replaced_by=judgement.replaced.get(key),
            )
            for key, reasons in judgement.stale().items()
            if key in found.inside
        ]


def _project(uow: UnitOfWork, project: Project | str) -> Project:
    if isinstance(project, Project):
        if project.project_id is None:
            raise RuleBroken("this Project is not stored", entity="Project")
        return project
    return uow.projects.by_name(project)


def _replaced_segmentations(uow: UnitOfWork, project_ids: list[int]) -> Versions:
    """Return the segmentations of models that a newer version has made anew."""
    rows = uow.rows.find(
        ModelSegmentation,
        "image_instance.series.study.patient.project_id",
        project_ids,
        [
            "model_segmentation_id",
            "image_instance_id",
            "model.feature_id",
            "model_id",
            "model.model_name",
            "model.version",
        ],
    )
    made: defaultdict[Any, dict[int, tuple[int, str]]] = defaultdict(dict)
    for key, image_id, feature_id, model_id, name, version in sorted(rows):
        made[image_id, feature_id, fold(name)][model_id] = (key, version)
    return replaced_in(made)


def _computed(known: Known, output: int) -> Computed:
    inputs = {one: digest(known.values[one].node.value) for one in known.sources.get(output, ())}
    return Computed(inputs, known.values[output].position)


def _refuse_circles(known: Known, outputs: Iterable[int]) -> None:
    """Raise `RuleBroken` where a value would be computed from itself."""
    for output in outputs:
        waiting, seen = list(known.sources.get(output, ())), set()
        while waiting:
            one = waiting.pop()
            if one == output:
                raise RuleBroken(
                    f"AttributeValue {output} would be computed from itself",
                    entity="AttributeValueInput",
                    field=INPUT,
                    value=output,
                )
            if one not in seen:
                seen.add(one)
                waiting += known.sources.get(one, ())


def _ids(uow: UnitOfWork, values: Iterable[ValueOrId]) -> list[int]:
    several = list(values)
    uow.flush()
    return list(dict.fromkeys(_id(one) for one in several))


def _id(value: ValueOrId) -> int:
    """Return the id of a value, after a flush."""
    if isinstance(value, AttributeValue):
        if value.attribute_value_id is None:
            raise RuleBroken(
                "this AttributeValue is not stored; add it first", entity="AttributeValue"
            )
        return value.attribute_value_id
    if isinstance(value, bool | str):
        raise BadInput(
            f"an AttributeValue, or its id, is needed, not {shown(value)}", entity="AttributeValue"
        )
    found: int = converted(AttributeValue.__entity__, KEY, value, stored=True)
    return found


def _present(uow: UnitOfWork, ids: list[int]) -> dict[int, Any]:
    found = read_values(uow, ids)
    missing = [one for one in ids if one not in found]
    if missing:
        raise none_with_ids(AttributeValue, KEY, missing, len(ids))
    return found
