"""Many rows of an entity at a time, from a DataFrame: `insert_many`, `update_many`, `upsert_many`.

Names and values are read as those of objects are (`columns`), what rows are linked to is looked
up by its natural keys (`links`), the rules of the entity are checked (`rules`), and what is left
goes to `services.rows` as whole sets.
"""

from eyened_domain.services.many_rows.methods import ManyRowsMethods as ManyRowsMethods
from eyened_domain.services.many_rows.written import RowsWritten as RowsWritten
