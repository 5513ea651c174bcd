"""Imports, on every storage: planned, applied, found again, changed, taken out."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.errors import BadInput, Conflict, FileMissing, NotFound, RuleBroken
from eyened_domain.model import (
    DeviceInstance,
    DeviceModel,
    FormAnnotation,
    ImageInstance,
    Patient,
    Project,
    Scan,
    Series,
    Study,
)
from eyened_domain.model.entity import Entity
from eyened_domain.services.importing import (
    ImportDefaults,
    Importing,
    ImportPlan,
    planner,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.import_records import BAD, THREE, Record, options, record

T = TypeVar("T")
LEVELS: tuple[type[Entity], ...] = (Project, Patient, Study, Series, ImageInstance)


class ContractStorage:
    """The storage of a contract, as services take one."""

    def __init__(self, make_unit_of_work: MakeUnitOfWork) -> None:
        self.unit_of_work = make_unit_of_work

    def run(self, work: Callable[[UnitOfWork], T], *, retries: int = 3) -> T:
        """Run work in a unit of work and commit it; again on a conflict."""
        for _ in range(retries):
            try:
                return self.run(work, retries=0)
            except Conflict:
                continue
        with self.unit_of_work() as uow:
            result = work(uow)
            uow.commit()
            return result


def counts(make_unit_of_work: MakeUnitOfWork, *more: type[Entity]) -> dict[str, int]:
    """Return how many objects of some classes are stored."""
    with make_unit_of_work() as uow:
        return {one.__name__: uow.repository(one).count() for one in (*LEVELS, *more)}


class ImportContract(Contract):
    """What imports are held to, whatever stores the rows."""

    @pytest.fixture
    def importing(self, make_unit_of_work: MakeUnitOfWork, tmp_path: Path) -> Importing:
        base = tmp_path / "images"
        base.mkdir()
        defaults = ImportDefaults(images_basepath=base, thumbnails_path=tmp_path / "thumbnails")
        return Importing(ContractStorage(make_unit_of_work), FileSystemImageFiles(base), defaults)

    def test_a_plan_says_what_applying_it_makes(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        plan = importing.plan(THREE, options(), source="a file")
        assert sum(counts(make_unit_of_work).values()) == 0
        result = importing.apply(plan)
        planned = {name: level.new for name, level in plan.levels.items()}
        assert planned == {"Project": 1, "Patient": 2, "Study": 3, "Series": 3, "ImageInstance": 3}
        assert counts(make_unit_of_work) == planned
        assert {name: result.written.made[name] for name in planned} == planned
        (run,) = importing.history()
        assert (run.import_id, run.source) == (result.import_id, "a file")
        assert run.finished_at is not None
        with make_unit_of_work() as uow:
            image = uow.images.one(dataset_identifier="b.png")
            assert image.study.patient.patient_identifier == "P1"
            assert image.device_instance.device_model.manufacturer == "Topcon"

    @pytest.mark.parametrize("conflict", ["match", "skip", "update"])
    def test_what_is_there_is_found_and_nothing_is_written(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork, conflict: str
    ) -> None:
        importing.run(THREE, options())
        before = counts(make_unit_of_work, DeviceModel, DeviceInstance, Scan)
        result = importing.run(THREE, options(conflict=conflict))
        assert (result.import_id, result.written.made, result.written.changed) == (None, {}, {})
        assert counts(make_unit_of_work, DeviceModel, DeviceInstance, Scan) == before
        assert len(importing.history()) == 1
        assert "already" in str(result) or conflict == "skip"

    def test_a_file_says_what_its_record_does_not(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork, tmp_path: Path
    ) -> None:
        from PIL import Image  # noqa: PLC0415 - only this test draws

        Image.new("RGB", (30, 20)).save(tmp_path / "images" / "a.png")
        missing = importing.plan([record("a.png"), record("no.png")], options(read_files=True))
        assert [(one.field, "no.png" in one.message) for one in missing.errors] == [
            ("dataset_identifier", True)
        ]
        importing.run([record("a.png")], options(read_files=True))
        with make_unit_of_work() as uow:
            image = uow.images.one()
            assert (image.rows_y, image.columns_x) == (20, 30)

    def test_what_may_not_be_made_is_named(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        importing.run(THREE[:1], options())
        for forbidden, bad, field in (
            ("create_projects", record("x.png") | {"project_name": "Other"}, "project_name"),
            ("create_patients", record("x.png", patient="P9"), "patient_identifier"),
            ("create_studies", record("x.png", day="2030-01-01"), "study_date"),
            ("create_series", record("x.png"), None),
        ):
            plan = importing.plan([bad], options(**{forbidden: False}))
            (error,) = plan.errors
            assert field in {None, error.field}
            with pytest.raises(BadInput, match="nothing was written"):
                importing.apply(plan)
        assert counts(make_unit_of_work)["ImageInstance"] == 1

    def test_bad_records_stop_an_import_or_are_left_out(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        mixed = [*THREE, record("../up.png"), record("d.png", sex="X"), record("e.png", day="no")]
        with pytest.raises(BadInput, match="3 records are bad"):
            importing.run(mixed, options())
        assert sum(counts(make_unit_of_work).values()) == 0
        result = importing.run(mixed, options(on_error="skip"))
        assert {one.field for one in result.plan.errors} == {
            "dataset_identifier",
            "sex",
            "study_date",
        }
        assert counts(make_unit_of_work)["ImageInstance"] == 3
        assert "3 records left out" in str(result)

    def test_an_image_that_hangs_elsewhere_is_refused(self, importing: Importing) -> None:
        importing.run(THREE, options())
        for elsewhere, field in (
            (record("a.png", patient="P2"), "patient_identifier"),
            (record("a.png", day="2030-01-01"), "study_date"),
            (record("a.png") | {"project_name": "Other"}, "project_name"),
        ):
            (error,) = importing.plan([elsewhere], options()).errors
            assert (error.field, "there already" in error.message) == (field, True)

    def test_a_new_image_joins_the_series_of_those_beside_it(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        one, two = ({"image": name, "props": {"laterality": "R"}} for name in ("a.png", "b.png"))
        study: dict[str, Any] = {"study_date": "2024-01-31", "series": [{"images": [one]}]}
        nested = {"project_name": "Cohort", "patient_identifier": "P1", "studies": [study]}
        importing.run([nested], options())
        study["series"] = [{"images": [two, one]}]
        made = importing.run([nested], options(create_series=False)).written.made
        assert made == {"ImageInstance": 1}
        assert counts(make_unit_of_work)["Series"] == 1

    def test_an_update_writes_what_differs_and_undo_restores_it(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        importing.run(THREE, options())
        changed = [record("a.png", sex="M", laterality="L", study_round=2)]
        result = importing.run(changed, options(conflict="update"))
        assert result.written.changed == {"Patient": 1, "Study": 1, "ImageInstance": 1}
        assert importing.run(changed, options(conflict="update")).import_id is None
        undone = importing.undo(int(result.import_id or 0))
        assert undone.deleted == {}
        with make_unit_of_work() as uow:
            image: Any = uow.images.one(dataset_identifier="a.png")
            study = image.study
            told = (image.laterality.name, study.study_round, study.patient.sex.name)
            assert told == ("R", None, "F")

    def test_undo_takes_out_exactly_what_an_import_made(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        importing.run(THREE[:1], options())
        before = counts(make_unit_of_work, DeviceModel, DeviceInstance, Scan)
        result = importing.run(THREE, options())
        undone = importing.undo(int(result.import_id or 0))
        assert undone.deleted["ImageInstance"] == 2
        assert counts(make_unit_of_work, DeviceModel, DeviceInstance, Scan) == before
        with pytest.raises(RuleBroken, match="undone"):
            importing.undo(int(result.import_id or 0))
        with pytest.raises(NotFound):
            importing.undo(77)

    def test_undo_is_refused_while_something_hangs_on_what_was_made(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        result = importing.run(THREE, options())
        before = counts(make_unit_of_work)
        with make_unit_of_work() as uow:
            patient = uow.patients.one(patient_identifier="P2")
            uow.forms.add(build.build(FormAnnotation, patient=patient))
            uow.commit()
        with pytest.raises(RuleBroken, match="FormAnnotation"):
            importing.undo(int(result.import_id or 0))
        assert counts(make_unit_of_work)["ImageInstance"] == before["ImageInstance"]

    @pytest.mark.parametrize("on_error", ["stop", "skip"])
    def test_many_portions_are_one_import(
        self,
        importing: Importing,
        make_unit_of_work: MakeUnitOfWork,
        monkeypatch: pytest.MonkeyPatch,
        on_error: str,
    ) -> None:
        monkeypatch.setattr(planner, "IMAGES_PER_PORTION", 3)
        many = [record(f"{n}.png", patient=f"P{n // 2}") for n in range(10)]
        told: list[tuple[int, int | None]] = []
        plan = importing.plan(many, options(on_error=on_error))
        result = importing.apply(plan, progress=lambda done, of: told.append((done, of)))
        assert told[-1][0] == told[-1][1] == len(told) > 1
        assert counts(make_unit_of_work)["ImageInstance"] == 10
        importing.undo(int(result.import_id or 0))
        assert sum(counts(make_unit_of_work).values()) == 0

    def test_a_saved_plan_is_applied_as_the_plan_itself(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork, tmp_path: Path
    ) -> None:
        plan = importing.plan(THREE, options(), source="x")
        plan.save(tmp_path / "plan.jsonl")
        loaded = ImportPlan.load(tmp_path / "plan.jsonl")
        assert (loaded.as_dict(), str(loaded)) == (plan.as_dict(), str(plan))
        importing.apply(loaded)
        assert counts(make_unit_of_work)["ImageInstance"] == 3

    def test_what_a_plan_found_and_is_gone_is_told(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        importing.run(THREE[:1], options())
        plan = importing.plan([record("n.png")], options(create_patients=False))
        with make_unit_of_work() as uow:
            uow.projects.delete(uow.projects.by_name("Cohort"))
            uow.commit()
        with pytest.raises(NotFound):
            importing.apply(plan)
        assert sum(counts(make_unit_of_work).values()) == 0

    @pytest.mark.parametrize("conflict", ["match", "update"])
    @pytest.mark.parametrize(
        ("elsewhere", "named"),
        [({"day": "2030-01-01"}, "study_date"), ({"patient": "P9"}, "patient_identifier")],
    )
    def test_an_image_that_somebody_else_stored_in_another_study_since_the_plan_is_told(
        self,
        importing: Importing,
        make_unit_of_work: MakeUnitOfWork,
        conflict: str,
        elsewhere: dict[str, str],
        named: str,
    ) -> None:
        records = [record("a.png"), record("b.png", patient="P2")]
        stopped = importing.plan(records, options(conflict=conflict))
        left_out = importing.plan(records, options(conflict=conflict, on_error="skip"))
        importing.run([record("a.png", **elsewhere)], options())
        before = counts(make_unit_of_work)
        with pytest.raises(BadInput, match="there already") as refused:
            importing.apply(stopped)
        assert (refused.value.field, counts(make_unit_of_work)) == (named, before)
        result = importing.apply(left_out)
        assert [(one.where, one.field) for one in result.plan.errors] == [("record 1", named)]
        assert result.written.made["ImageInstance"] == 1

    def test_an_image_that_was_moved_since_a_plan_found_it_is_told(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        importing.run(THREE, options())
        stopped = importing.plan(THREE[:1], options())
        left_out = importing.plan(THREE[:1], options(on_error="skip"))
        with make_unit_of_work() as uow:
            other = uow.images.one(dataset_identifier="b.png").series
            uow.images.one(dataset_identifier="a.png").series = other
            uow.commit()
        with pytest.raises(BadInput, match="there already"):
            importing.apply(stopped)
        assert [one.field for one in importing.apply(left_out).plan.errors] == ["study_date"]

    def test_an_image_that_is_to_be_skipped_may_hang_elsewhere_by_now(
        self, importing: Importing
    ) -> None:
        plan = importing.plan([record("a.png")], options(conflict="skip"))
        importing.run([record("a.png", patient="P9")], options())
        written = importing.apply(plan).written
        assert (written.matched, written.made) == (1, {})

    def test_a_series_is_the_one_that_its_uid_or_its_id_says(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        importing.run([record("a.png", series_instance_uid="1.2.3")], options())
        with make_unit_of_work() as uow:
            series_id = uow.series.one().series_id
        importing.run([record("b.png", series_instance_uid="1.2.3")], options())
        importing.run([record("c.png", series_id=series_id)], options(create_series=False))
        assert counts(make_unit_of_work)["Series"] == 1
        for bad, field in (
            (record("x.png", day="2030-01-01", series_instance_uid="1.2.3"), "series_instance_uid"),
            (record("x.png", series_id=series_id, series_instance_uid="9"), "series_instance_uid"),
            (record("x.png", series_id=series_id + 7), "series_id"),
            (record("x.png", day="2030-01-01", series_id=series_id), "series_id"),
        ):
            (error,) = importing.plan([bad], options()).errors
            assert error.field == field

    def test_a_uid_of_an_image_stands_for_one_image(self, importing: Importing) -> None:
        importing.run([record("a.png", sop_instance_uid="1.2")], options())
        twice = [record(f"{name}.png", sop_instance_uid="7.7") for name in "xy"]
        for bad in ([record("b.png", sop_instance_uid="1.2")], twice):
            (error,) = importing.plan(bad, options(on_error="skip")).errors
            assert (error.field, "already" in error.message) == ("sop_instance_uid", True)

    def test_a_study_without_a_date_has_the_one_of_the_configuration(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        undated = {name: value for name, value in THREE[0].items() if name != "study_date"}
        importing.run([undated], options())
        with make_unit_of_work() as uow:
            assert uow.studies.one().study_date.isoformat() == "1970-01-01"

    def test_a_plan_that_was_cut_off_is_refused(self, importing: Importing, tmp_path: Path) -> None:
        path = tmp_path / "plan.jsonl"
        importing.plan(THREE, options()).save(path)
        with pytest.raises(BadInput, match="exists already"):
            importing.plan(THREE, options()).save(path)
        whole = path.read_text()
        for length in range(0, len(whole) - 1, 101):
            path.write_text(whole[:length])
            with pytest.raises(BadInput):
                ImportPlan.load(path)
        with pytest.raises(FileMissing):
            ImportPlan.load(tmp_path / "nothing")

    def test_a_patient_whom_the_storage_refuses_is_left_out_and_told(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            uow.projects.add_all(Project(project_name=name) for name in ("Cohort", "Gone"))
            uow.commit()
        records = [record(f"{n}.png", patient=f"P{n}") for n in range(4)]
        records.insert(2, record("x.png", patient="P9") | {"project_name": "Gone"})
        plan = importing.plan(records, options(on_error="skip", create_projects=False))
        with make_unit_of_work() as uow:
            uow.projects.delete(uow.projects.by_name("Gone"))
            uow.commit()
        result = importing.apply(plan)
        assert [("Gone" in one.message, one.where[:8]) for one in result.plan.errors] == [
            (True, "record 3")
        ]
        assert counts(make_unit_of_work)["ImageInstance"] == 4
        assert importing.history()[0].finished_at is not None

    @pytest.mark.parametrize("case", BAD)
    def test_what_a_record_may_not_say_is_refused_with_its_field(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork, case: str
    ) -> None:
        bad, field = BAD[case]
        (error,) = importing.plan([bad], options()).errors
        assert error.field == field
        assert sum(counts(make_unit_of_work).values()) == 0

    def test_values_may_come_as_texts_frames_have(
        self, importing: Importing, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        said: Record = {
            "study_round": "3",
            "birth_date": "1950-12-24",
            "rows_y": "20",
            "columns_x": 30.0,
            "cf_quality": "0.5",
            "cf_roi": '{"radius": 3}',
            "acquisition_date_time": "2024-01-31 10:20:30",
        }
        importing.run([record("a.png", **said)], options())
        with make_unit_of_work() as uow:
            image: Any = uow.images.one()
            assert (image.rows_y, image.columns_x, image.cf_quality) == (20, 30, 0.5)
            assert image.cf_roi == {"radius": 3}
            assert image.acquisition_date_time.isoformat() == "2024-01-31T10:20:30"
            assert image.study.study_round == 3
            assert image.patient.birth_date.isoformat() == "1950-12-24"
