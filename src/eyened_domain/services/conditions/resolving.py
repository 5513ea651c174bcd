"""From conditions, as people write them, to what they mean: names found, values converted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.attribute import AttributeValue
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.names import nearest
from eyened_domain.model.values import plain, shown
from eyened_domain.services.conditions.answers import answer_test, keys_of
from eyened_domain.services.conditions.attribute_values import attribute_tests
from eyened_domain.services.conditions.comparing import (
    column_test,
    link_test,
    name_column,
    values_of,
    wrong,
)
from eyened_domain.services.conditions.language import (
    OPPOSITES,
    All,
    AnyOf,
    Comparison,
    Condition,
    Not,
    Some,
)
from eyened_domain.services.conditions.limits import check_extent
from eyened_domain.services.conditions.meaning import (
    EVERYTHING,
    Both,
    Either,
    Exists,
    Meaning,
    Negated,
    Test,
)
from eyened_domain.services.conditions.naming import ANSWER, MEANT, Hop, Place, place_of
from eyened_domain.services.inactive import flags_in, flags_of

_CONTRARY = {contrary: operator for operator, contrary in OPPOSITES.items()}
_OF_NONE = {"==": "is null", "!=": "is not null"}
GIVEN: Mapping[str, tuple[str, ...]] = {
    "attribute": ("name", "model", "version", "laterality"),
    "answer": ("path", "schema", "creator"),
}
"""What says which attribute or answer is meant; the first one is needed."""
_GIVEN_PATHS = {
    "name": "attribute_definition.attribute_name",
    "model": "producing_model.model_name",
    "version": "producing_model.version",
    "laterality": "laterality",
    "schema": "form_schema.schema_name",
    "creator": "creator.creator_name",
}


@frozen
class Resolver:
    """Finds out what conditions mean.

    Args:
        include_inactive: let inactive objects count in lists: segmentations, forms, images.
    """

    include_inactive: bool = False

    def meaning(self, entity: type[Entity], condition: Condition) -> Meaning:
        """Return what a condition means for an entity.

        Raises:
            UnknownName: it names a field that there is not; the message tells what comes near.
            BadInput: a field cannot hold a value, or does not take an operator; or more is asked
                at once than every database takes.
        """
        check_extent(condition)
        return self._meaning(entity, condition)

    def _meaning(self, entity: type[Entity], condition: Condition) -> Meaning:
        if isinstance(condition, Comparison):
            return self._comparison(entity, condition)
        if isinstance(condition, Not):
            return Negated(self._meaning(entity, condition.condition))
        if isinstance(condition, Some):
            return self._some(entity, condition)
        if not isinstance(condition, All | AnyOf):
            raise BadInput(
                "a condition is needed, made with `field` and `some` or read with `from_data`, "
                f"not {shown(condition)}"
            )
        parts = tuple(self._meaning(entity, one) for one in condition.conditions)
        return Both(parts) if isinstance(condition, All) else Either(parts)

    def active(self, entity: type[Entity], part: Meaning) -> Meaning:
        """Return what is meant of those that are not inactive, unless these are asked for too."""
        return _but_for(() if self.include_inactive else flags_of(entity), part)

    def _some(self, entity: type[Entity], condition: Some) -> Meaning:
        place = place_of(entity, condition.name)
        if not place.hops or place.path:
            raise wrong(
                Comparison(condition.name, "is not null"),
                "it is no list; `some` is for what there may be many of",
            )
        return self._through(entity, place.hops, self._meaning(place.owner, condition.condition))

    def _comparison(self, entity: type[Entity], one: Comparison) -> Meaning:
        place = place_of(entity, one.name)
        value, operator = plain(one.value), one.operator
        if value is None:
            operator = _OF_NONE.get(operator, operator)
        positive = _CONTRARY.get(operator, operator)
        inner = self._test(_meant(place, positive), one, positive, value)
        found = self._through(entity, place.hops, inner)
        return found if positive == operator else Negated(found)

    def _test(self, place: Place, one: Comparison, operator: str, value: Any) -> Meaning:
        values = values_of(one, operator, value)
        if place.owner is AttributeValue and not place.path:
            _refuse_given(one, GIVEN["attribute"])
            tests = attribute_tests(one.name, operator, values)
            return Both((*_given_tests(AttributeValue, one), tests))
        if place.column == ANSWER:
            return _answer(place, one, operator, values)
        _refuse_given(one, ())
        if place.column is not None:
            return column_test(place.owner, ".".join(place.path), one, operator, values)
        if not place.path:  # a list, and there is one in it
            return EVERYTHING
        return link_test(place, one, operator, values)

    def _through(self, entity: type[Entity], hops: Sequence[Hop], part: Meaning) -> Meaning:
        """Return that what holds at the end of the lists holds of one that is in them."""
        holders = [entity, *(hop.target for hop in hops)]
        for hop, holder in reversed([*zip(hops, holders, strict=False)]):
            owner = holder
            for name in hop.before:
                owner = entity_class(owner.__entity__.links[name].target)
            (key,) = owner.__entity__.primary_key
            path = ".".join((*hop.before, key))
            flags = () if self.include_inactive else flags_in(hop.link)
            part = Exists(path, hop.link, hop.target, _but_for(flags, part))
        return part


def _but_for(flags: Sequence[str], part: Meaning) -> Meaning:
    """Return what is meant of those of which no flag is set."""
    tests = tuple(Test(flag, "in", (False, None) if "." in flag else (False,)) for flag in flags)
    return Both((*tests, part)) if tests else part


def _meant(place: Place, operator: str) -> Place:
    """Return where a name leads that ends at a list: to the tag, the feature, the schema."""
    ends_at_list = bool(place.hops) and not place.path and place.column is None
    if not ends_at_list or operator == "is not null" or place.owner is AttributeValue:
        return place
    return place_of(place.owner, MEANT.get(place.owner) or name_column(place.owner))


def _answer(place: Place, one: Comparison, operator: str, values: Sequence[Any]) -> Meaning:
    _refuse_given(one, GIVEN["answer"])
    before = "".join(f"{name}." for name in place.path)
    keys = keys_of(one.name, one.given["path"])
    test = answer_test(one.name, f"{before}form_data", keys, operator, values)
    return Both((*_given_tests(place.owner, one, before), test))


def _given_tests(owner: type[Entity], one: Comparison, before: str = "") -> list[Meaning]:
    """Return the tests of what says which attribute or answer is meant."""
    found: list[Meaning] = []
    for word, value in one.given.items():
        if word != "path" and value is not None:
            place = place_of(owner, _GIVEN_PATHS[word])
            path = before + ".".join(place.path)
            about = evolve(one, operator="==", value=value)
            found.append(column_test(place.owner, path, about, "==", [plain(value)]))
    return found


def _refuse_given(one: Comparison, known: Sequence[str]) -> None:
    for word in one.given:
        if word not in known:
            hint = nearest(word, known) if known else f"; {one.name} is known by its name alone"
            raise wrong(one, f"{shown(word)} has no meaning here{hint}")
    if known and one.given.get(known[0]) is None:
        raise wrong(one, f"say which one: {known[0]}=…")
