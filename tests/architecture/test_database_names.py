"""Type checkers know both names of every field, as the model declares them."""

import inspect

from eyened_domain import model
from eyened_domain.model.entity import entity_classes
from tests.architecture.database_names import FOLDER, written

ENTITIES = [one for one in entity_classes() if one.__module__.startswith(model.__name__)]


def test_what_type_checkers_read_is_what_the_model_declares() -> None:
    stored = {one.name: one.read_text() for one in FOLDER.glob("*.py")}
    del stored["__init__.py"]
    assert stored == written(), "python -m tests.architecture.database_names"


def test_every_entity_has_the_second_names_of_its_fields() -> None:
    for one in ENTITIES:
        declared = {
            name
            for base in one.__mro__
            if base.__module__.startswith(f"{model.__name__}.database_names.")
            for name in inspect.get_annotations(base)
        }
        assert declared == set(one.__entity__.aliases), one
