"""Imported once, by the process that workers are forked from: the classes are mapped there."""

import eyened_domain.adapters.sql.mapping  # noqa: F401
