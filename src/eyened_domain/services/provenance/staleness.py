"""Which values are stale, and why: decided by what was read, without a storage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from enum import Enum
from typing import Any

from attrs import define, field, frozen

from eyened_domain.model.names import fold
from eyened_domain.services.computation_record import Computed, digest
from eyened_domain.services.provenance.graph import ValueNode
from eyened_domain.services.provenance.reading import Known, Value
from eyened_domain.services.provenance.versions import newest


class StaleCause(Enum):
    """Why what was computed from something is stale."""

    CHANGED = "was changed since"
    REPLACED = "was replaced by a newer version of its model"
    INACTIVE = "is inactive"
    STALE = "is stale itself"


@frozen(kw_only=True)
class StaleReason:
    """What happened to something that a value was computed from."""

    cause: StaleCause
    entity: str
    """What it is: ``"AttributeValue"``, or the value's own owner: ``"Segmentation"``, …"""
    entity_id: int
    replaced_by: int | None = None
    """What a newer version of the model has computed instead; an id of the same entity."""

    def __str__(self) -> str:
        by = "" if self.replaced_by is None else f": {self.replaced_by}"
        return f"{self.entity} {self.entity_id} {self.cause.value}{by}"


@frozen(kw_only=True)
class StaleValue:
    """A value that would be another one if it was computed now, or would not be computed."""

    node: ValueNode
    reasons: tuple[StaleReason, ...]
    replaced_by: int | None
    """The value that a newer version of its model has computed, if there is one already."""

    def __str__(self) -> str:
        return f"{self.node}: {'; '.join(map(str, self.reasons))}"


Versions = Mapping[int, int]
"""By the id of something that a model computed, the id of what its newest version computed."""


@define
class Judgement:
    """Finds the stale ones among values.

    Args:
        known: the values, and what they were computed from.
        segmentations: which segmentations of models were replaced.
        computed: what the values were computed from, as it was then, where that was recorded.
    """

    known: Known
    segmentations: Versions
    computed: Mapping[int, Computed]
    replaced: Versions = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.replaced = replaced_values(self.known)

    def stale(self) -> dict[int, tuple[StaleReason, ...]]:
        """Return the reasons by the id of the value, of those that are stale."""
        reasons = {key: self._reasons(value) for key, value in self.known.values.items()}
        waiting = [key for key, some in reasons.items() if some]
        results: defaultdict[int, list[int]] = defaultdict(list)
        for output, sources in self.known.sources.items():
            for source in sources:
                results[source].append(output)
        seen = set(waiting)
        while waiting:
            source = waiting.pop()
            for output in results[source]:
                if output in reasons:
                    reasons[output].append(_of_value(StaleCause.STALE, source))
                    if output not in seen:
                        seen.add(output)
                        waiting.append(output)
        return {key: _sorted(reasons[key]) for key in sorted(seen)}

    def _reasons(self, value: Value) -> list[StaleReason]:
        found = self._of_owner(value)
        for source in self.known.sources.get(value.key, ()):
            used = self.known.values.get(source)
            if used is not None and used.is_inactive:
                found.append(_of_value(StaleCause.INACTIVE, source))
            if source in self.replaced:
                found.append(_of_value(StaleCause.REPLACED, source, self.replaced[source]))
        return found + self._changed(value)

    def _of_owner(self, value: Value) -> list[StaleReason]:
        node, found = value.node, []
        if value.is_inactive:
            found.append(_of_owner(StaleCause.INACTIVE, node))
        if node.entity == "ModelSegmentation" and node.entity_id in self.segmentations:
            instead = self.segmentations[node.entity_id]
            found.append(_of_owner(StaleCause.REPLACED, node, instead))
        then = self.computed.get(value.key)
        if then is not None and then.position != value.position:
            found.append(_of_owner(StaleCause.CHANGED, node))
        return found

    def _changed(self, value: Value) -> list[StaleReason]:
        then = self.computed.get(value.key)
        if then is None:
            return []
        now = {source: self._digest(source) for source in self.known.sources.get(value.key, ())}
        differ = {source for source in then.inputs if then.inputs[source] != now.get(source)}
        differ |= now.keys() - then.inputs.keys()
        return [_of_value(StaleCause.CHANGED, source) for source in sorted(differ)]

    def _digest(self, source: int) -> str | None:
        used = self.known.values.get(source)
        return None if used is None else digest(used.node.value)


def _of_value(cause: StaleCause, key: int, replaced_by: int | None = None) -> StaleReason:
    return StaleReason(cause=cause, entity="AttributeValue", entity_id=key, replaced_by=replaced_by)


def _of_owner(cause: StaleCause, node: ValueNode, replaced_by: int | None = None) -> StaleReason:
    return StaleReason(
        cause=cause, entity=node.entity, entity_id=node.entity_id, replaced_by=replaced_by
    )


def _sorted(reasons: list[StaleReason]) -> tuple[StaleReason, ...]:
    causes = list(StaleCause)
    return tuple(sorted(reasons, key=lambda one: (causes.index(one.cause), one.entity_id)))


def replaced_values(known: Known) -> Versions:
    """Return the values that a newer version of the same model has computed anew."""
    made: defaultdict[Any, dict[int, tuple[int, str]]] = defaultdict(dict)
    for value in known.values.values():
        node = value.node
        if value.model_id is None or node.model_name is None or node.model_version is None:
            continue
        place = (node.entity, node.entity_id, node.laterality, value.attribute_id)
        made[place, fold(node.model_name)][value.model_id] = (value.key, node.model_version)
    return replaced_in(made)


def replaced_in(made: Mapping[Any, Mapping[int, tuple[int, str]]]) -> Versions:
    """Return what was computed by older versions, and what by the newest one instead.

    Args:
        made: for each place where the versions of a model are compared, by the id of the model,
            the id of what it has computed, and its version.
    """
    replaced: dict[int, int] = {}
    for by_model in made.values():
        if len(by_model) > 1:
            last = newest({model: version for model, (_, version) in by_model.items()})
            instead = by_model[last][0]
            replaced |= {key: instead for key, _ in by_model.values() if key != instead}
    return replaced
