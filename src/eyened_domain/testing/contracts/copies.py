"""Copies of stored objects are new ones; what is shown of an object is what may be shown."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import date
from typing import Any

import attrs
import pytest

from eyened_domain.errors import Duplicate, RuleBroken
from eyened_domain.model import (
    Creator,
    FormAnnotation,
    ImageInstance,
    Patient,
    SegmentationModel,
    Study,
    StudyTagLink,
)
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

Copies = Callable[[Any], Any]
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
WAYS: dict[str, Copies] = {"copy": copy.copy, "deepcopy": copy.deepcopy, "evolve": attrs.evolve}
SHOWN: dict[str, Copies] = {
    "dict": dict,
    "vars": lambda one: dict(vars(one)),
    "items of vars": lambda one: dict(vars(one).items()),
    "unpacked vars": lambda one: {**vars(one)},
    "unpacked": lambda one: {**one},
    "asdict": lambda one: attrs.asdict(one, recurse=False),
    "asdict deep": attrs.asdict,
    "to_dict": lambda one: one.to_dict(),
}


class CopyContract(Contract):
    """That a copy never touches the row of its original."""

    @pytest.fixture(params=WAYS)
    def copies(self, request: pytest.FixtureRequest) -> Copies:
        """Each way to copy an object."""
        way: str = request.param
        return WAYS[way]

    def test_a_copy_is_stored_as_a_row_of_its_own(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, copies: Copies
    ) -> None:
        with make_unit_of_work() as uow:
            uow.patients.add(build.a_patient(patient_identifier="1", sex="F"))
            uow.commit()
        with make_unit_of_work() as uow:
            patient = uow.patients.where()[0]
            project = patient.project
            clone = copies(patient)
            assert clone.patient_id is None
            assert type(clone) is Patient
            uow.flush()
            assert uow.patients.count() == 1
            clone.patient_identifier = "2"
            uow.patients.add(clone)
            uow.commit()
            assert clone.patient_id not in (None, patient.patient_id)
            assert clone.project is project
        with make_unit_of_work() as uow:
            found = [(one.patient_identifier, one.sex.name) for one in uow.patients.where()]
            assert found == [("1", "F"), ("2", "F")]

    def test_a_copy_that_is_not_changed_is_a_duplicate(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, copies: Copies
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient())
            uow.commit()
            uow.patients.add(copies(patient))
            with pytest.raises(Duplicate):
                uow.flush()

    def test_a_copy_leaves_behind_what_belongs_to_the_row(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, copies: Copies
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.add(uow, ImageInstance, thumbnail_path="1/a", date_inserted="2001-01-01")
            mask = uow.segmentations.add(build.a_segmentation(data_representation="Binary"))
            uow.commit()
            mask.write_empty()
            uow.commit()
            clone = copies(image)
            assert (clone.thumbnail_path, clone.date_inserted) == (None, None)
            drawn = copies(mask)
            assert (drawn.zarr_array_index, drawn.shape) == (None, mask.shape)
            uow.segmentations.add(drawn)
            uow.commit()
            assert (mask.has_pixels, drawn.has_pixels) == (True, False)

    def test_nothing_hangs_on_a_copy(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, copies: Copies
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            uow.series.add(build.a_series(study=study))
            uow.commit()
            clone = copies(study)
            clone.study_date = "2031-01-01"
            assert clone.series == []
            uow.studies.add(clone)
            uow.commit()
            assert (len(study.series), clone.series) == (1, [])
            assert clone.patient is study.patient

    def test_a_copy_shares_no_json(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, copies: Copies
    ) -> None:
        with make_unit_of_work() as uow:
            form = build.add(uow, FormAnnotation, form_data={"grades": [1]})
            uow.commit()
            clone = uow.forms.add(copies(form))
            clone.form_data["grades"].append(2)
            uow.commit()
        with make_unit_of_work() as uow:
            found = [one.form_data for one in uow.forms.where()]
            assert found == [{"grades": [1]}, {"grades": [1, 2]}]

    def test_a_copy_of_a_link_keeps_its_key(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, copies: Copies
    ) -> None:
        with make_unit_of_work() as uow:
            link = build.add(uow, StudyTagLink)
            other = uow.studies.add(build.a_study())
            uow.commit()
            clone = copies(link)
            assert (clone.tag_id, clone.study_id) == (link.tag_id, link.study_id)
            clone.study_id = other.study_id
            uow.study_tags.add(clone)
            uow.commit()
            assert uow.study_tags.count() == 2

    def test_a_copy_of_a_special_kind_is_of_that_kind(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, copies: Copies
    ) -> None:
        with make_unit_of_work() as uow:
            model = build.add(uow, SegmentationModel, full=True)
            uow.commit()
            clone = copies(model)
            clone.model_name = "another"
            uow.models.add(clone)
            uow.commit()
        with make_unit_of_work() as uow:
            first, second = uow.models.where()
            assert isinstance(first, SegmentationModel)
            assert type(second) is SegmentationModel
            assert (first.feature_id, first.version) == (second.feature_id, second.version)

    def test_an_object_of_a_closed_unit_can_be_copied(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, copies: Copies
    ) -> None:
        with make_unit_of_work() as uow:
            uow.studies.add(build.a_study())
            uow.commit()
        with make_unit_of_work() as uow:
            study = uow.studies.where()[0]
        clone = copies(study)
        clone.study_date = "2031-01-01"
        with make_unit_of_work() as uow:
            uow.studies.add(clone)
            uow.commit()
            assert len(clone.patient.studies) == 2

    @pytest.mark.parametrize("way", ["copy", "deepcopy"])
    def test_a_copy_is_linked_to_what_is_not_stored_yet(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, way: str
    ) -> None:
        study = build.a_study()
        clone = WAYS[way](study)
        clone.study_date = "2031-01-01"
        assert clone.patient is study.patient
        with make_unit_of_work() as uow:
            uow.studies.add(clone)
            uow.commit()
            assert uow.studies.count() == 2
            assert clone.patient_id == study.patient_id

    def test_a_copy_goes_elsewhere_by_object_or_by_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, copies: Copies
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            other = uow.patients.add(build.a_patient())
            uow.commit()
            first, second = copies(study), copies(study)
            first.patient_id = other.patient_id
            second.patient, second.study_date = other, "2031-01-01"
            uow.studies.add_all([first, second])
            uow.commit()
            assert first.patient is second.patient is other
        with make_unit_of_work() as uow:
            assert len(uow.patients.get(other.patient_id).studies) == 2

    @pytest.mark.parametrize("way", ["copy", "deepcopy"])
    def test_a_link_that_is_half_changed_is_not_copied(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, way: str
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            other = uow.patients.add(build.a_patient())
            uow.commit()
            assert study.patient is not other
            study.patient_id = other.patient_id
            with pytest.raises(RuleBroken, match=r"Study\.patient and patient_id.*flush"):
                WAYS[way](study)
            uow.flush()
            assert WAYS[way](study).patient_id == other.patient_id

    @pytest.mark.parametrize("is_open", [True, False], ids=["open", "closed"])
    @pytest.mark.parametrize("shown", SHOWN)
    def test_nothing_private_is_shown(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, shown: str, is_open: bool
    ) -> None:
        with make_unit_of_work() as uow:
            build.add(uow, Creator, full=True, creator_name="ann", password_hash=HASH)
            uow.commit()
        with make_unit_of_work() as uow:
            creator = uow.creators.where()[0]
            assert creator.password_hash == HASH
            said = SHOWN[shown](creator) if is_open else None
        said = said or SHOWN[shown](creator)
        assert "ann" in said.values()
        assert not {"password_hash", "PasswordHash", "password", "Password"} & said.keys()
        assert not [name for name in said if name.startswith("_")]
        assert HASH not in repr(said) + repr(vars(creator)) + json.dumps(said, default=str)
        assert HASH.encode() not in pickle.dumps(creator)

    def test_a_dict_of_an_object_has_the_names_of_the_database(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.images.add(build.an_image(laterality="L", cf_roi={"a": [1]}))
            uow.commit()
        with make_unit_of_work() as uow:
            image = uow.images.where()[0]
        said = dict(image)
        assert said == image.to_dict(database_names=True)
        assert (said["Laterality"], said["CFROI"]) == ("L", {"a": [1]})
        assert json.loads(json.dumps(said, default=str))["Rows_y"] == image.rows_y
        assert image["Laterality"] == image["laterality"] == "L"
        assert ImageInstance(**said).to_dict() == image.to_dict()

    def test_what_is_no_column_is_not_in_the_dict(self, build: Builder) -> None:
        study: Any = build.a_study()
        for name in ("patient", "Patient", "password_hash", "nothing", 0):
            with pytest.raises(KeyError):
                study[name]
        with pytest.raises(TypeError):
            iter(study)

    def test_no_relation_is_loaded_or_needed_to_show_an_object(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.patients.add(build.a_patient(birth_date="1950-01-01"))
            uow.commit()
        with make_unit_of_work() as uow:
            patient: Any = uow.patients.where()[0]
        for one in (patient, pickle.loads(pickle.dumps(patient))):  # noqa: S301 - ours
            said = attrs.asdict(one, recurse=False)
            assert said["patient_id"] == patient.patient_id
            assert said.keys() == patient.to_dict().keys()
            assert [field.name for field in attrs.fields(type(one))] == [*said]

    def test_an_object_of_another_open_unit_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.studies.add(build.a_study())
            uow.commit()
        with make_unit_of_work() as uow, make_unit_of_work() as other:
            study = uow.studies.where()[0]
            with pytest.raises(RuleBroken, match=r"Study belongs to another .* still open"):
                other.studies.add(study)
            with pytest.raises(RuleBroken, match=r"Series belongs to another .* still open"):
                other.series.add(build.a_series(study=study))
            assert study.patient.studies == [study]

    def test_two_objects_do_not_stand_for_one_row(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.patients.add(build.a_patient())
            uow.commit()
        with make_unit_of_work() as uow:
            patient = uow.patients.where()[0]
        with make_unit_of_work() as uow:
            again = uow.patients.where()[0]
            with pytest.raises(RuleBroken, match="another object stands for Patient"):
                uow.patients.add(patient)
            assert again.patient_id == patient.patient_id

    def test_the_lists_of_its_neighbours_hold_a_copy_once_it_is_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            uow.commit()
            assert study.patient.studies == [study]
            made = copy.copy(study)
            made.study_date = date(2001, 1, 1)
            uow.studies.add(made)
            assert study.patient.studies == [study]
            uow.flush()
            assert study.patient.studies == [study, made]

    def test_a_copy_after_a_rollback_is_not_stored_unless_it_is_added(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.build(Patient))
            uow.commit()
            patient_id = patient.patient_id
            uow.rollback()
            study = uow.studies.add(Study(patient_id=patient_id, study_date="2024-01-01"))
            uow.flush()
            made: Any = copy.copy(study)
            uow.flush()
            assert (made.study_id, uow.studies.count()) == (None, 1)
            assert patient.patient_id == patient_id
