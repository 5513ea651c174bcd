"""The language of conditions: what people ask with, on every adapter."""

from eyened_domain.services.conditions.data import from_data, to_data
from eyened_domain.services.conditions.language import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Field,
    Not,
    Some,
    field,
    some,
)
from eyened_domain.services.conditions.meaning import EVERYTHING, Order, Query
from eyened_domain.services.conditions.resolving import Resolver

__all__ = [
    "EVERYTHING",
    "All",
    "AnyOf",
    "Comparison",
    "Condition",
    "Field",
    "Not",
    "Order",
    "Query",
    "Resolver",
    "Some",
    "field",
    "from_data",
    "some",
    "to_data",
]
