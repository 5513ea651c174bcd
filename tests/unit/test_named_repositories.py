"""Every entity has a repository under a name, and one only."""

from collections import Counter

from eyened_domain import model
from eyened_domain.adapters.memory import MemoryDatabase
from eyened_domain.model.entity import entity_classes
from eyened_domain.services.finders import FINDERS
from eyened_domain.services.named_repositories import Named, NamedRepositories

NAMED = {name: one for name, one in vars(NamedRepositories).items() if isinstance(one, Named)}


def test_each_entity_is_named_once() -> None:
    entities = [one for one in entity_classes() if one.__module__.startswith(model.__name__)]
    assert Counter(one.entity for one in NAMED.values()) == Counter(entities)


def test_a_name_gives_the_repository_of_its_entity_with_its_finders() -> None:
    with MemoryDatabase().unit_of_work() as uow:
        for name, named in NAMED.items():
            repository = getattr(uow, name)
            assert repository.entity is named.entity
            assert isinstance(repository, FINDERS.get(named.entity, object))
