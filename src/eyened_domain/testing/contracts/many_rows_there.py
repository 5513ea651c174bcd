"""Many rows that are there: `update_many` and `upsert_many`."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, EyenedError, NotFound, RuleBroken
from eyened_domain.model import (
    Annotation,
    FormAnnotation,
    Patient,
    Segmentation,
    SexEnum,
    Study,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.many_rows import two_projects

OLD = datetime(2001, 2, 3, 4, 5, 6)


def stored_patients(uow: UnitOfWork, build: Builder, names: str = "abc") -> list[Patient]:
    """Store patients of the first of two projects."""
    one, _ = two_projects(uow, build)
    found = [Patient(project=one, patient_identifier=name, sex="F") for name in names]
    uow.patients.add_all(found)
    uow.commit()
    return found


class ManyStoredRowsContract(Contract):
    """That rows are written where they differ."""

    def test_only_what_differs_is_written_and_counted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = [one.patient_id for one in stored_patients(uow, build)]
        with make_unit_of_work() as uow:
            given = {"PatientID": ids[::-1], "sex": ["M", None, "F"], "birth_date": [None] * 3}
            written = uow.patients.update_many(given)
            assert written.ids == ids[::-1]
            assert (written.new, written.changed, written.same) == (0, 1, 2)
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.sex for one in uow.patients.by_ids(ids)] == [*[SexEnum.F] * 2, SexEnum.M]
            assert uow.patients.update_many({"patient_id": [], "sex": []}).ids == []

    def test_the_moment_of_change_is_that_of_rows_that_differ(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = [uow.images.add(build.an_image(date_modified=OLD)) for _ in "ab"]
            uow.commit()
            ids = [one.image_instance_id for one in images]
            rows = [one.rows_y for one in images]
            uow.images.update_many({"image_instance_id": ids, "rows_y": [rows[0], 7]})
            assert images[0].date_modified == OLD
            assert str(images[1].date_modified) > str(OLD)
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.images.by_ids(ids)
            assert [one.date_modified == OLD for one in found] == [True, False]

    def test_an_empty_cell_leaves_what_is_there_unless_told_to_clear(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, two, _ = stored_patients(uow, build)
            given = {"patient_id": [one.patient_id, two.patient_id], "sex": [None, "M"]}
            assert uow.patients.update_many(given).changed == 1
            assert (one.sex, two.sex) == (SexEnum.F, SexEnum.M)
            assert uow.patients.update_many(given, clear=True).changed == 1
            assert (one.sex, two.sex) == (None, SexEnum.M)
            with pytest.raises(BadInput, match="row 0: patient_identifier: is needed"):
                uow.patients.update_many(
                    {"patient_id": [one.patient_id], "patient_identifier": [None]}, clear=True
                )
            uow.commit()

    @pytest.mark.parametrize(
        ("changed", "kind", "rows", "said"),
        [
            (
                {"patient_id": [1, 10**6, 10**6 + 1]},
                NotFound,
                [1, 2],
                "there is no Patient 1000000",
            ),
            ({"patient_id": [1, None, 1]}, BadInput, [1], "patient_id: is needed"),
            ({"patient_id": [1, 2, 1]}, BadInput, [2], "the same as row 0: 1"),
            ({"patient_id": [1, "2", 3]}, BadInput, [1], "a whole number is needed"),
            ({"sex": [*"FXF"]}, BadInput, [1], "'X' is no SexEnum"),
            (
                {"project": ["Other", "nix", "Other"]},
                NotFound,
                [1],
                "no Project with project 'nix'",
            ),
            ({"project_id": [10**6] * 3}, RuleBroken, [0, 1, 2], "there is no Project 1000000"),
            ({"patient_identifier": [*"xyx"]}, Duplicate, [2], "the same as row 0"),
            ({"patient_identifier": ["b", "q", None]}, Duplicate, [0], "do it in two steps"),
            ({"patient_identifier": ["d", "q", None]}, Duplicate, [0], "has it already: 'd'"),
        ],
        ids=str,
    )
    def test_bad_rows_are_all_told_and_nothing_is_changed(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        *,
        changed: dict[str, Any],
        kind: type[EyenedError],
        rows: list[int],
        said: str,
    ) -> None:
        with make_unit_of_work() as uow:
            them = stored_patients(uow, build, "abcd")
            ids = [one.patient_id for one in them[:3]]
            if "patient_id" in changed:
                known = dict(enumerate(ids, 1)) | {None: None, "2": "2"}
                changed = {"patient_id": [known.get(one, one) for one in changed["patient_id"]]}
                said = said.replace("row 0: 1", f"row 0: {ids[0]}")
            with pytest.raises(kind) as refused:
                uow.patients.update_many({"patient_id": ids, "sex": ["M"] * 3, **changed})
            assert type(refused.value) is kind
            assert said in str(refused.value)
            assert [one.row for one in refused.value.row_faults] == rows
            assert {one.sex for one in them} == {SexEnum.F}
            assert uow.patients.count(sex="F") == 4
            assert uow.patients.update_many({"patient_id": ids, "sex": ["M"] * 3}).changed == 3
            uow.commit()

    def test_none_of_many_is_changed_where_one_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        names = [f"p{n:03}" for n in range(600)]
        with make_unit_of_work() as uow:
            stored_patients(uow, build)
            ids = uow.patients.insert_many(
                {"project": ["AREDS"] * 600, "patient_identifier": names}
            )
            uow.commit()
            wanted = [f"q{n:03}" for n in range(599)]
            with pytest.raises(Duplicate, match=r"row 599: .*has it already: 'a'"):
                uow.patients.update_many({"patient_id": ids, "patient_identifier": [*wanted, "a"]})
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.patient_identifier for one in uow.patients.by_ids(ids)] == names

    def test_rows_without_their_id_are_not_updated(self, make_unit_of_work: MakeUnitOfWork) -> None:
        said = r"Patient\.patient_id: rows are updated by it"
        with make_unit_of_work() as uow, pytest.raises(BadInput, match=said):
            uow.patients.update_many({"sex": ["F"]})

    def test_rules_hold_where_what_they_read_is_changed(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = build.add(uow, FormAnnotation, full=True)
            other = build.add(uow, Study)
            uow.commit()
            row = {"form_annotation_id": form.form_annotation_id, "form_data": {"a": [1]}}
            assert uow.forms.update_many([row]).changed == 1
            assert form.form_data == {"a": [1]}
            form.form_data["a"].append(2)
            with pytest.raises(RuleBroken, match="its image_instance belongs to study"):
                uow.forms.update_many([{**row, "study": other}])
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.forms.get(form.form_annotation_id)
            assert found.form_data == {"a": [1, 2]}

    def test_of_segmentations_what_says_nothing_of_pixels_is_written(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = []
            for _ in "ab":
                one = build.add(uow, Segmentation, full=True)
                uow.commit()
                ids.append(one.segmentation_id)
            written = uow.segmentations.update_many({"segmentation_id": ids, "Inactive": [1, 0]})
            assert written.changed + written.same == 2
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.inactive for one in uow.segmentations.by_ids(ids)] == [True, False]

    def test_of_rules_that_hold_for_links_an_old_row_is_not_judged(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one = build.add(uow, Annotation, full=True)
            other = build.add(uow, Patient)
            uow.commit()
            key = {"annotation_id": one.annotation_id}
            uow.rows.update(Annotation, [{**key, "patient_id": other.patient_id}])  # breaks it
            assert uow.annotations.update_many([{**key, "inactive": not one.inactive}]).changed == 1
            with pytest.raises(RuleBroken, match="belongs to study"):
                uow.annotations.update_many([{**key, "study": build.add(uow, Study)}])

    def test_the_modality_of_images_is_changed_with_its_entry(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            images = [uow.images.add(build.an_image(modality="OCT")) for _ in "ab"]
            uow.commit()
            ids = [one.image_instance_id for one in images]
            given = {"image_instance_id": ids, "modality": ["ColorFundus", None]}
            uow.images.update_many(given)
            assert [one.modality_entry.modality_tag == "ColorFundus" for one in images] == [
                *(True, False)
            ]
            written = uow.images.update_many(given, clear=True)
            assert (written.changed, images[1].modality) == (1, None)
            assert images[1].modality_entry.modality_tag == "unknown"
            uow.commit()

    # --- upsert --------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "match",
        [
            None,
            ["patient_identifier", "project_id"],
            ["PatientIdentifier", "Project"],
            ("project", "patient_identifier"),
            "patient_identifier",
        ],
    )
    def test_rows_are_found_by_what_names_them_and_the_others_are_new(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, match: Any
    ) -> None:
        with make_unit_of_work() as uow:
            a, b, _ = (one.patient_id for one in stored_patients(uow, build))
        given = {
            "project_name": ["areds"] * 4,
            "patient_identifier": ["x", "A", "y", "b"],
            "sex": ["F", "M", None, "F"],
            "birth_date": [None, None, "1950-01-01", None],
        }
        with make_unit_of_work() as uow:
            written = uow.patients.upsert_many({**given}, match=match)
            assert (written.new, written.changed, written.same) == (2, 1, 1)
            assert (written.ids[1], written.ids[3]) == (a, b)
            again = uow.patients.upsert_many({**given}, match=match)
            assert (again.new, again.changed, again.same) == (0, 0, 4)
            assert again.ids == written.ids
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.patients.by_ids(written.ids)
            assert [one.patient_identifier for one in found] == ["x", "a", "y", "b"]
            assert [one.sex for one in found] == [SexEnum.F, SexEnum.M, None, SexEnum.F]
            assert found[2].birth_date == date(1950, 1, 1)

    @pytest.mark.parametrize(
        ("given", "match", "kind", "said"),
        [
            ({"patient_identifier": ["a"]}, None, BadInput, "say with match="),
            ({"patient_identifier": ["a"]}, "sex", BadInput, "match='sex' is not among"),
            ({"patient_identifier": ["a"]}, "nope", BadInput, "no field 'nope'"),
            ({"patient_identifier": ["a"]}, [], BadInput, "match names no column"),
            ({"patient_identifier": ["a"]}, 5, BadInput, "a list of columns is needed"),
            ({"patient_identifier": ["a"]}, [5], BadInput, "no field '5'"),
            ({"patient_identifier": [*"ab "]}, "patient_identifier", BadInput, "project_id"),
            ({"patient_id": [1]}, None, BadInput, "update_many"),
            ({"sex": [*"FM"]}, "sex", Duplicate, "row 0: sex: there are several Patient"),
            ({"sex": [*"FF"]}, "sex", BadInput, "row 1: sex: the same as row 0"),
            ({"sex": ["F", None]}, "sex", BadInput, "row 1: sex: is needed"),
            ({"patient_identifier": [*"az"]}, "patient_identifier", BadInput, "project_id"),
        ],
        ids=str,
    )
    def test_what_cannot_be_found_or_made_is_refused_whole(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        *,
        given: dict[str, Any],
        match: Any,
        kind: type[EyenedError],
        said: str,
    ) -> None:
        with make_unit_of_work() as uow:
            stored_patients(uow, build)
            with pytest.raises(kind, match=said):
                uow.patients.upsert_many(
                    {"birth_date": ["1950-01-01"] * len(next(iter(given.values()))), **given},
                    match=match,
                )
            assert uow.patients.count(birth_date=None) == uow.patients.count() == 3
