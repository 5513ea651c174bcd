"""The tables: of the entities, made from the model, and of this library's own bookkeeping.

    from eyened_domain.adapters.sql.schema import table_of

    study = table_of(Study)
    select(study.c.study_date).where(study.c.patient_id == 5)

Columns have the Python names of their fields as keys. What the model cannot say of an entity's
table is in `facts`; what other programs on the same database do not see is in `bookkeeping`
and `pixels`.
"""

from eyened_domain.adapters.sql.schema import bookkeeping, pixels
from eyened_domain.adapters.sql.schema.entities import TABLES, metadata, table_of
from eyened_domain.adapters.sql.schema.generator import ENTITY

__all__ = ["ENTITY", "TABLES", "bookkeeping", "metadata", "pixels", "table_of"]
