"""The tables of all entities."""

from __future__ import annotations

from sqlalchemy import MetaData, Table

from eyened_domain import model
from eyened_domain.adapters.sql.schema.facts import FACTS, TableFacts
from eyened_domain.adapters.sql.schema.generator import make_table
from eyened_domain.model.entity import Entity, entity_classes

metadata: MetaData = MetaData()
"""All tables: of the entities, in their order, and then of our own bookkeeping."""

TABLES: dict[type[Entity], Table] = {
    entity: make_table(entity, metadata, FACTS.get(entity.__entity__.table, TableFacts()))
    for entity in entity_classes()
    if entity.__module__.startswith(f"{model.__name__}.")  # a host's own have no table
}
"""Which table holds the objects of which class."""


def table_of(entity: type[Entity]) -> Table:
    """Return the table that holds the objects of an entity class."""
    return TABLES[entity]
