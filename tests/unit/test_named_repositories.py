"""Every entity declares the name of its repository, and type checkers know the same names."""

from typing import Any, get_type_hints

import pytest

from eyened_domain import model
from eyened_domain.adapters.memory import MemoryDatabase
from eyened_domain.model.entity import Entity, entity, entity_classes
from eyened_domain.model.fields import key
from eyened_domain.services.finders import FINDERS
from eyened_domain.services.named_repositories import NamedRepositories
from eyened_domain.services.repository import Repository

ENTITIES = [one for one in entity_classes() if one.__module__.startswith(model.__name__)]


def test_type_checkers_are_told_of_each_repository_that_an_entity_declares() -> None:
    declared = [(one.__entity__.repository, one) for one in ENTITIES]
    assert len({name for name, _ in declared}) == len(ENTITIES)
    of: Any = Repository
    assert get_type_hints(NamedRepositories) == {
        name: FINDERS.get(one, of[one]) for name, one in declared
    }


def test_a_name_gives_the_repository_of_its_entity_with_its_finders() -> None:
    with MemoryDatabase().unit_of_work() as uow:
        for one in ENTITIES:
            repository = getattr(uow, str(one.__entity__.repository))
            assert repository.entity is one
            assert isinstance(repository, FINDERS.get(one, Repository))


def test_what_has_finders_is_told_with_them() -> None:
    assert set(FINDERS) <= set(ENTITIES)


def test_a_repository_is_not_replaced() -> None:
    with MemoryDatabase().unit_of_work() as uow, pytest.raises(AttributeError):
        uow.projects = uow.projects


@pytest.mark.usefixtures("entities_are_forgotten")
def test_a_special_kind_has_no_name_of_its_parent() -> None:
    @entity()
    class Lens(model.Model):
        """A kind that declares nothing."""

    assert Lens.__entity__.repository is None


@pytest.mark.usefixtures("entities_are_forgotten")
def test_an_entity_may_be_without_a_name() -> None:
    @entity()
    class Slit(Entity):
        """One that is had by its class alone."""

        slit_id: int = key("SlitID", default=None)

    with MemoryDatabase().unit_of_work() as uow:
        assert uow.repository(Slit).entity is Slit
