"""What revision 0004 relaxes, as a comparison with the contract finds it.

A database that has all of it is the contract's, taken further by this software: what differs so
is no difference to be looked into. One that has only some of it was changed by somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable

from eyened_domain.adapters.sql.migrations.differences import Difference, Severity, note

RELAXED = "0004"
"""The revision."""
_OWNERS = ("ImageInstanceID", "ModelSegmentationID", "PatientID", "SegmentationID", "StudyID")


def _keys() -> Iterable[Difference]:
    for owner in _OWNERS:
        now = ", ".join(sorted((owner.lower(), "attributeid", "lateralitykey", "modelkey")))
        yield note(f"has no unique key over {owner}, AttributeID, ModelID", "AttributeValue")
        yield note(f"has a unique key over {now}, the contract has not", "AttributeValue")


_ALWAYS = frozenset(
    [
        *_keys(),
        note("accepts NULL", "AttributeValue", "ModelID"),
        note("has no unique key over ModelName", "Model"),
    ]
)
_ON_SERVERS = Difference(
    Severity.NOTE, "AttributeValue", "ValueFloat", "is DOUBLE, the contract has FLOAT"
)


def without_relaxations(
    differences: tuple[Difference, ...], *, on_server: bool
) -> tuple[tuple[Difference, ...], bool]:
    """Return the differences that revision 0004 does not explain, and whether it was applied.

    Args:
        differences: between a database and the contract.
        on_server: whether the database is on a server; SQLite has numbers of one precision.
    """
    made = _ALWAYS | {_ON_SERVERS} if on_server else _ALWAYS
    if not made <= set(differences):
        return differences, False
    return tuple(one for one in differences if one not in made), True
