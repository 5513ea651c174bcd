"""JSON columns: edits in place, at any depth, and nothing shared."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from eyened_domain.errors import BadInput
from eyened_domain.model import FormSchema, TaskDefinition
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

EDITS: dict[str, Callable[[Any], object]] = {
    "setting a key": lambda value: value.__setitem__("new", 1),
    "deleting a key": lambda value: value.pop("plain"),
    "updating": lambda value: value.update(plain=2),
    "appending to a list in it": lambda value: value["list"].append(3),
    "editing at depth": lambda value: value["list"][1]["deep"].append("x"),
    "editing what was just put in": lambda value: value.setdefault("made", {}).update(a={}),
    "clearing": lambda value: value.clear(),
    "a number of another type": lambda value: value.__setitem__("plain", True),
    "sorting": lambda value: value["numbers"].sort(),
    "cutting": lambda value: value["numbers"].__delitem__(slice(0, 2)),
}


def _value() -> dict[str, Any]:
    return {"plain": 1, "list": [1, {"deep": []}], "numbers": [3, 1, 2], "none": None}


class JsonContract(Contract):
    """What every storage does with JSON values."""

    @pytest.mark.parametrize("how", EDITS)
    def test_an_edit_in_place_is_stored(self, make_unit_of_work: MakeUnitOfWork, how: str) -> None:
        wanted = _value()
        EDITS[how](wanted)
        with make_unit_of_work() as uow:
            uow.task_definitions.add(
                TaskDefinition(task_definition_name="task", task_config=_value())
            )
            uow.commit()
        with make_unit_of_work() as uow:
            EDITS[how](uow.task_definitions.where()[0].task_config)
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.task_definitions.where()[0].task_config
            assert found == wanted
            assert type(found.get("plain")) is type(wanted.get("plain"))

    def test_an_edit_of_a_new_object_after_flushing_is_stored(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            task = TaskDefinition(task_definition_name="task", task_config={"a": [1]})
            uow.task_definitions.add(task)
            uow.flush()
            task.task_config["a"].append(2)
            uow.commit()
            task.task_config["a"].append(3)
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.task_definitions.where()[0].task_config == {"a": [1, 2, 3]}

    def test_an_edit_that_is_not_committed_is_not_stored(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.task_definitions.add(
                TaskDefinition(task_definition_name="task", task_config={"a": [1]})
            )
            uow.commit()
        with make_unit_of_work() as uow:
            uow.task_definitions.where()[0].task_config["a"].append(2)
        with make_unit_of_work() as uow:
            assert uow.task_definitions.where()[0].task_config == {"a": [1]}

    def test_none_is_not_set_and_none_within_is_kept(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.form_schemas.add(FormSchema(schema_name="none"))
            uow.form_schemas.add(FormSchema(schema_name="some", schema={"a": None}))
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.schema_name for one in uow.form_schemas.where(schema=None)] == ["none"]
            assert uow.form_schemas.by_name("some").schema == {"a": None}
            uow.form_schemas.by_name("some").schema = None
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.form_schemas.count(schema=None) == 2

    @pytest.mark.parametrize("value", [[1, [2.5, "é"]], "text", 5, 2.5, True, [], {}])
    def test_any_json_value_comes_back(
        self, make_unit_of_work: MakeUnitOfWork, value: object
    ) -> None:
        with make_unit_of_work() as uow:
            uow.task_definitions.add(TaskDefinition(task_definition_name="task", task_config=value))
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.task_definitions.where()[0].task_config
            assert found == value
            assert isinstance(found, type(value))

    def test_what_json_cannot_say_is_refused_at_once(self) -> None:
        with pytest.raises(BadInput, match=r"TaskDefinition\.task_config"):
            TaskDefinition(task_definition_name="task", task_config={"a": {1, 2}})
