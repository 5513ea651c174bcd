"""Imported once, by the process that workers are forked from: the classes are mapped there."""

from eyened_domain.adapters.sql.mapping import map_entities

map_entities()
