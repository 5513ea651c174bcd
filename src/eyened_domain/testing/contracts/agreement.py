"""How far graders agree on answers."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, NotFound, RuleBroken
from eyened_domain.services.agreement import Agreement, Intervals
from eyened_domain.services.forms import Forms
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.graded_task import (
    ANN,
    BEN,
    CAS,
    GradedTask,
)


class AgreementContract(Contract):
    """That who agrees with whom is told of what each has answered, and of nothing else."""

    def test_answers_are_compared_by_what_the_schema_says_of_them(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 6)
            study.read_all(ann=ANN, ben=BEN)
            rows = study.rows()
            assert list(rows) == [
                ("drusen", "cohen_kappa", "ann, ben"),
                ("grade", "cohen_kappa", "ann, ben"),
                ("grade", "cohen_kappa_linear", "ann, ben"),
                ("grade", "cohen_kappa_quadratic", "ann, ben"),
                ("left.size", "icc_2_1", "ann, ben"),
                ("left.size", "icc_3_1", "ann, ben"),
            ]
            found = [round(estimate, 4) for estimate, _, _ in rows.values()]
            # two of six differ, by 3 steps or 5 squares; by chance by 58 and 150 of 36
            kappas = [1 - (2 / 6) / (1 - 13 / 36), 1 - (2 / 6) / (1 - 8 / 36)]
            assert found[:2] == [round(one, 4) for one in kappas]
            assert found[2:4] == [
                round(1 - (3 / 6) / (58 / 36), 4),
                round(1 - (5 / 6) / (150 / 36), 4),
            ]
            assert all(row[1:] == (6, 0) for row in rows.values())

    def test_several_graders_are_compared_together_and_two_by_two(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 6)
            study.read_all(ann=ANN, ben=BEN, cas=CAS)
            rows = study.rows(questions=["drusen", "left.size"])
            pairs = ["ann, ben", "ann, cas", "ben, cas"]
            assert [key[1:] for key in rows] == [
                ("fleiss_kappa", "ann, ben, cas"),
                *(("cohen_kappa", pair) for pair in pairs),
                *((f"icc_{model}_1", "ann, ben, cas") for model in (1, 2, 3)),
                *((f"icc_{model}_1", pair) for pair in pairs for model in (2, 3)),
            ]
            # 14 of 18 pairs agree; of 18 answers 8, 7, 3
            by_chance = (8**2 + 7**2 + 3**2) / 18**2
            fleiss, *_ = rows["drusen", "fleiss_kappa", "ann, ben, cas"]
            assert round(fleiss, 6) == round((14 / 18 - by_chance) / (1 - by_chance), 6)
            chosen = study.rows(graders=["cas", "ann"], questions=["drusen"])
            assert list(chosen) == [("drusen", "cohen_kappa", "ann, cas")]

    def test_what_was_not_answered_or_not_read_is_left_out_and_counted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 5)
            for place, (ann, ben) in enumerate([(0, 0), (1, 1), (2, 1), (None, 1)]):
                study.read("ann", place, {"grade": ann})
                study.read("ben", place, {"grade": ben})
            study.read("ben", 4, {})
            uow.commit()
            rows = study.rows()
            assert rows["grade", "cohen_kappa", "ann, ben"][1:] == (3, 2)

    def test_the_newest_revision_of_ones_own_counts_and_nothing_withdrawn(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 3)
            graders, forms = study.graders, Forms()
            for place, grade in enumerate((0, 1, 2)):
                first = study.read("ann", place, {"grade": 4})
                uow.flush()
                revised = forms.revise(uow, first, {"grade": grade}, by=graders["ann"])
                if place == 2:  # taken up again at another time, and no repeat
                    revised.sub_task = study.sub_task("ann", study.images[place])
                study.read("ben", place, {"grade": grade})
            borrowed = forms.revise(uow, study.read("cas", 0, {"grade": 0}), {}, by=graders["cas"])
            uow.flush()
            theirs = forms.revise(uow, borrowed, {"grade": 3}, by=graders["ben"])
            uow.flush()
            forms.revise(uow, theirs, {"grade": 3}, by=graders["ben"])
            forms.withdraw(study.read("cas", 1, {"grade": 4}))
            uow.commit()
            rows = study.rows()
            assert rows["grade", "cohen_kappa", "ann, ben"] == (1.0, 3, 0)
            assert {key[2] for key in rows} == {"ann, ben"}
            study.images[0].inactive = True
            uow.commit()
            assert study.rows()["grade", "cohen_kappa", "ann, ben"][1:] == (2, 0)

    def test_repeats_are_compared_with_the_first_reading_of_the_same_grader(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 3)
            for place, grade in enumerate((0, 1, 2)):
                study.read("ann", place, {"grade": grade})
                study.read("ben", place, {"grade": grade})
            study.read("ann", 0, {"grade": 0})
            study.read("ann", 1, {"grade": 3})
            uow.commit()
            rows = study.rows()
            assert rows["grade", "cohen_kappa", "ann, ben"] == (1.0, 3, 0)
            repeat, *counted = rows["grade", "cohen_kappa", "ann, ann (2)"]
            assert (round(repeat, 4), *counted) == (round(1 - 0.5 / 0.75, 4), 2, 1)
            assert {key[2] for key in rows} == {"ann, ben", "ann, ann (2)"}

    def test_graders_who_take_turns_are_compared_by_the_number_of_their_readings(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 9)
            turns = [("ann", "ben"), ("ben", "cas"), ("ann", "cas"), ("ann", "ben", "cas")]
            for place, names in enumerate(turns):
                for name in names:
                    study.read(name, place, {"drusen": "soft" if place else "hard"})
            for place in range(4, 9):  # read by one only, more often than by two
                study.read("ann", place, {"drusen": "soft"})
            uow.commit()
            assert study.rows()["drusen", "fleiss_kappa", "ann, ben, cas"] == (1.0, 3, 6)

    def test_the_caller_says_what_the_schema_cannot(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 6)
            study.read_all(ann=ANN, ben=BEN)
            asked = {"questions": ["drusen"]}
            by_enum = study.rows(**asked, scales={"drusen": "ordered"})
            by_list = study.rows(**asked, scales={"drusen": ["none", "soft", "hard"]})
            assert by_enum == by_list
            assert ("drusen", "cohen_kappa_linear", "ann, ben") in by_enum
            turned = study.rows(**asked, scales={"drusen": ["none", "hard", "soft"]})
            assert turned != by_list
            numbers = study.rows(questions=["grade"], scales={"grade": "number"})
            assert {key[1] for key in numbers} == {"icc_2_1", "icc_3_1"}
            free = study.rows(questions=["notes"])
            assert [key[1] for key in free] == ["cohen_kappa"]

    def test_what_is_asked_wrongly_is_refused_with_what_to_do(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 6)
            study.read_all(ann=ANN, ben=BEN)
            for options, error, told in (
                ({"questions": ["grad"]}, BadInput, "did you mean grade"),
                ({"questions": "grade"}, BadInput, "a list of texts"),
                ({"graders": ["ann", "nobody"]}, NotFound, "nobody"),
                ({"scales": {"grade": "steps"}}, BadInput, "nominal, ordered or number"),
                ({"scales": {"grade": [1]}}, BadInput, "two or more different"),
                ({"scales": {"notes": "ordered"}}, BadInput, "the order of the answers"),
                ({"scales": {"drusen": ["none", "soft"]}}, RuleBroken, "hard"),
                ({"scales": {"drusen": "number"}}, RuleBroken, "no number"),
                ({"backend": "excel"}, BadInput, "pandas, polars"),
            ):
                with pytest.raises(error, match=told):
                    study.rows(**options)
            with pytest.raises(NotFound, match="AMD Gradin"):
                Agreement().answers(uow, study.task, "AMD Gradin")
            for task, schema in (
                (build.a_task(), study.schema),
                (study.task, build.a_form_schema()),
            ):
                with pytest.raises(RuleBroken, match="not stored"):
                    Agreement().answers(uow, task, schema)
            for wrong in ({"resamples": -1}, {"confidence": 1.0}):
                with pytest.raises(BadInput, match=next(iter(wrong))):
                    Intervals(**wrong)

    @pytest.mark.parametrize("backend", ["pandas", "polars"])
    def test_intervals_are_the_same_each_time_and_frames_have_types(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, backend: Any
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 6)
            compare = Agreement().answers
            some = Intervals(resamples=50)
            empty = compare(uow, study.task, study.schema, intervals=some, backend=backend)
            study.read_all(ann=ANN, ben=BEN)
            frame = compare(uow, study.task, study.schema, intervals=some, backend=backend)
            again = compare(uow, study.task, study.schema, intervals=some, backend=backend)
            assert frame.equals(again)
            assert list(frame.columns) == list(empty.columns)
            assert len(empty) == 0
            for low, estimate, high in zip(
                frame["low"].to_list(),
                frame["estimate"].to_list(),
                frame["high"].to_list(),
                strict=True,
            ):
                assert low <= estimate <= high

    def test_intervals_can_be_those_of_patients_with_all_of_their_eyes(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = GradedTask(uow, build, 2)
            first, second = study.images
            more = [build.an_image(series=first.series, laterality="L") for _ in range(20)]
            study.images = [uow.images.add(one) for one in (*more, first, second)]
            study.read_all(ann=[(place % 4, "soft") for place in range(22)])
            study.read_all(ben=[(place % 3, "soft") for place in range(22)])

            def widths(**options: Any) -> float:
                frame = Agreement().answers(
                    *(uow, study.task, study.schema),
                    questions=["grade"],
                    intervals=Intervals(resamples=200, **options),
                )
                return float((frame["high"] - frame["low"]).iloc[0])

            assert widths(by_patient=True) != widths()
