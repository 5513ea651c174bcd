"""How many statements it takes to say how far graders agree, and how much memory."""

import tracemalloc

import numpy as np
import pytest

from eyened_domain import Agreement, Database, Intervals
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.graded_task import ANN, BEN, GradedTask, square
from eyened_domain.testing.queries import assert_queries

QUICK = Intervals(resamples=0)


@pytest.mark.parametrize("times", [1, 10])
def test_answers_take_statements_that_do_not_grow(
    database: Database, builder: Builder, times: int
) -> None:
    with database.unit_of_work() as uow:
        study = GradedTask(uow, builder, len(ANN) * times)
        study.read_all(ann=ANN * times, ben=BEN * times)
    agreement = Agreement()
    with database.unit_of_work() as uow:
        task, schema = uow.tasks.get(study.task.task_id), uow.form_schemas.by_name("AMD Grading")
        with assert_queries(database, at_most=1):
            assert len(agreement.answers(uow, task, schema, intervals=QUICK)) == 6
        with assert_queries(database, at_most=2):
            assert len(
                agreement.answers(uow, task, schema, graders=["ann", "ben"], intervals=QUICK)
            )
        with assert_queries(database, at_most=2):
            worst = agreement.disagreements(uow, task, schema)
        with assert_queries(database, at_most=2):
            agreement.readings(uow, task, schema, adjudication=task)
        with assert_queries(database, at_most=14):  # a task as any other; savepoints on SQLite
            agreement.adjudicate(uow, task, worst, name="settled", by="cas")
            uow.flush()
    assert len(worst.cases) == 4 * times


def test_masks_are_listed_in_one_statement_and_looked_up_a_hundred_cases_at_a_time(
    database: Database, builder: Builder
) -> None:
    with database.unit_of_work() as uow:
        study = GradedTask(uow, builder, 12, rows_y=12, columns_x=16)
        for place in range(12):
            for name in ("ann", "ben"):
                study.draw(name, place, square(3))
        uow.commit()
    with database.unit_of_work() as uow:
        task = uow.tasks.get(study.task.task_id)
        each_mask = 24  # where its pixels are
        with assert_queries(database, at_most=each_mask + 6):
            assert len(Agreement().masks(uow, task, intervals=QUICK)) == 3


def test_pixels_are_held_of_one_case_at_a_time(database: Database, builder: Builder) -> None:
    size = 1000
    with database.unit_of_work() as uow:
        study = GradedTask(uow, builder, 8, rows_y=size, columns_x=size)
        pixels = np.zeros((size, size), np.uint8)
        pixels[10:20, 10:20] = 1
        for place in range(8):
            for name in ("ann", "ben", "cas"):
                study.draw(name, place, pixels)
        uow.commit()
    with database.unit_of_work() as uow:
        task = uow.tasks.get(study.task.task_id)
        Agreement().masks(uow, task, intervals=QUICK)
        tracemalloc.start()
        Agreement().masks(uow, task, intervals=QUICK)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 10 * size * size  # all 24 masks would be 24 bytes a pixel


def test_the_package_and_the_container_load_no_statistics(database: Database) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom eyened_domain import Container\nContainer(config='sqlite://').agreement()\n"
        "print([one for one in ('scipy', 'statsmodels', 'pandas') if one in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
