"""Answers as a frame: how many statements it takes."""

import pytest

from eyened_domain import Database, FormAnnotation, Forms
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.queries import assert_queries


@pytest.mark.parametrize("forms", [1, 50])
def test_answers_are_exported_in_at_most_four_statements(
    database: Database, builder: Builder, forms: int
) -> None:
    with database.unit_of_work() as uow:
        schema = Forms().define(uow, "AMD Grading", {})
        by = uow.creators.add(builder.a_creator(creator_name="dr_smith"))
        for n in range(forms):
            study = uow.studies.add(builder.a_study())
            Forms().submit(uow, schema, {"grades": [n, {}]}, about=study, by=by)
        uow.commit()
    with database.get_session() as session, assert_queries(database, at_most=4):
        frame = FormAnnotation.export_formannotations_by_schema(
            session, "AMD Grading", creator_name="dr_smith"
        )
        assert not any(isinstance(one, FormAnnotation) for one in session.identity_map.values())
    assert list(frame["grades[0]"]) == list(range(forms))
