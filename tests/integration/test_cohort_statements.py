"""Cohorts take a number of statements that does not grow with their images."""

from eyened_domain import Cohorts, Database, field
from eyened_domain.testing import Builder
from eyened_domain.testing.contracts.cohorts import stored
from eyened_domain.testing.queries import assert_queries


def test_cohorts_are_read_and_written_by_set(database: Database) -> None:
    cohorts, everything = Cohorts(), field("laterality").in_(["L", "R"])
    with database.unit_of_work() as uow:
        stored(uow, Builder(), 40)
        cohort = cohorts.save(uow, "All", everything, by="ann")
        uow.commit()
        assert cohort.cohort_name == "All"
        with assert_queries(database, at_most=6):  # found, told what they hold, deleted, inserted
            cohorts.freeze(uow, cohort)
        uow.commit()
        assert cohort.is_frozen
        with assert_queries(database, at_most=6):  # members, pictures, deleted, inserted
            assert sum(cohorts.split(uow, cohort, stratify_by="laterality").values()) == 80
        with assert_queries(database, at_most=2):
            assert cohorts.leaks(uow, cohort).are_none
        with assert_queries(database, at_most=3):
            assert cohorts.check(uow, cohort).is_none
        with assert_queries(database, at_most=2):
            assert len(cohorts.frame(uow, cohort, ["project"])) == 80
