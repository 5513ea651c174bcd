"""The tables of the contract as revision 0001 makes them, and as `adopt` looks for them.

Frozen: what a migration does must not change when the tables of the software change.
Later changes are revisions of their own.
"""

from eyened_domain.adapters.sql.migrations.contract import (
    acquisition,
    attributes,
    people,
    segmentations,
    tags,
    work,
)
from eyened_domain.adapters.sql.migrations.contract.words import contract

__all__ = ["acquisition", "attributes", "contract", "people", "segmentations", "tags", "work"]
