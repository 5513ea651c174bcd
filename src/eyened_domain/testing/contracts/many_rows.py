"""Many new rows at a time: `insert_many`."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from eyened_domain.errors import (
    BadInput,
    Duplicate,
    EyenedError,
    NotFound,
    RuleBroken,
    UnknownName,
)
from eyened_domain.model import (
    AttributeDefinition,
    AttributeValue,
    FormSchema,
    ImageInstance,
    Modality,
    ModalityTable,
    Patient,
    Project,
    SexEnum,
    Study,
)
from eyened_domain.model.entity import Entity, entity_class, entity_classes
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

REFUSED = {
    "Model": "two tables",
    "SegmentationModel": "two tables",
    "AttributesModel": "two tables",
    "Segmentation": "goes with its pixels",
    "ModelSegmentation": "goes with its pixels",
} | {
    entity.__name__: "several columns"
    for entity in entity_classes()
    if len(entity.__entity__.primary_key) > 1
}
WRITTEN = [one.__name__ for one in entity_classes() if one.__name__ not in REFUSED]


def two_projects(uow: UnitOfWork, build: Builder) -> tuple[Project, Project]:
    """Put two projects in, which are not flushed yet."""
    one, other = (uow.projects.add(build.a_project(project_name=n)) for n in ("AREDS", "Other"))
    return one, other


def _columns(one: Entity, *, database_names: bool) -> dict[str, Any]:
    """Return what an object holds, without its id, as a row."""
    return {
        column.database_name if database_names else name: getattr(one, name)
        for name, column in one.__entity__.columns.items()
        if not (column.primary_key or column.private)
    }


class ManyNewRowsContract(Contract):
    """That rows of a frame are checked and stored as objects are, and refused whole."""

    @pytest.mark.parametrize("database_names", [False, True], ids=["fields", "database"])
    @pytest.mark.parametrize("name", WRITTEN)
    def test_a_row_is_stored_as_the_object_that_it_was(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, name: str, database_names: bool
    ) -> None:
        entity = entity_class(name)
        with make_unit_of_work() as uow:
            one = build.add(uow, entity, full=True)
            uow.commit()
            row, held = _columns(one, database_names=database_names), one.to_dict()
            uow.repository(entity).delete(one)
            uow.flush()
            (identity,) = uow.repository(entity).insert_many([row])
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.repository(entity).get(identity)
            (key,) = entity.__entity__.primary_key
            assert found.to_dict() == held | {key: identity}

    @pytest.mark.parametrize("name", REFUSED)
    def test_what_is_not_a_row_by_itself_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, name: str
    ) -> None:
        with make_unit_of_work() as uow:
            many = uow.repository(entity_class(name))
            for write in (many.insert_many, many.update_many, many.upsert_many):
                with pytest.raises(BadInput, match=REFUSED[name]) as refused:
                    write([])
                assert refused.value.entity == name

    def test_ids_come_back_in_the_order_of_the_rows(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        names = [f"P{n * 7919 % 1000:03}" for n in range(1000)]
        with make_unit_of_work() as uow:
            two_projects(uow, build)
            ids = uow.patients.insert_many({"project": ["AREDS"] * 1000, "PatientIdentifier": names})
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.patient_identifier for one in uow.patients.by_ids(ids)] == names
            assert uow.patients.count() == 1000

    def test_rows_without_a_natural_key_get_ids_in_their_order(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.add(uow, Study)
            ids = uow.series.insert_many({"study": [study] * 3, "series_number": [3, 3, 1]})
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.series_number for one in uow.series.by_ids(ids)] == [3, 3, 1]
            assert ids == sorted(ids)

    def test_ids_may_be_given(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            ids = [70, 50]
            given = {"project_id": ids, "project_name": ["a", "b"], "external": ["N", "N"]}
            assert uow.projects.insert_many(given) == [70, 50]
            with pytest.raises(Duplicate, match="Project 50 has it already"):
                uow.projects.insert_many({**given, "project_id": [71, 50], "project_name": [*"cd"]})
            assert uow.projects.count() == 2
            (after,) = uow.projects.insert_many([{"project_name": "e", "external": "N"}])
            assert after > 70

    @pytest.mark.parametrize(
        "columns",
        [
            {"project": ["areds", "Other"]},
            {"Project": ["AREDS", "Other"]},
            {"project_name": ["AREDS", "Other "]},
            {"ProjectName": ["AREDS", "Other"]},
            {"project.project_name": ["AREDS", "Other"]},
            {"Project.ProjectName": ["AREDS", "Other"]},
        ],
        ids=str,
    )
    def test_a_link_is_known_by_the_name_of_what_it_leads_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, columns: dict[str, Any]
    ) -> None:
        with make_unit_of_work() as uow:
            one, other = two_projects(uow, build)
            ids = uow.patients.insert_many({**columns, "patient_identifier": ["a", "a"]})
            assert [p.project for p in uow.patients.by_ids(ids)] == [one, other]

    @pytest.mark.parametrize(
        "columns",
        [
            {"project_name": ["AREDS", "Other"], "patient_identifier": ["a", "A"]},
            {"project_name": ["AREDS", "Other"], "patient": ["a", "a"]},
            {"patient.project": ["AREDS", "Other"], "patient.PatientIdentifier": ["a", "a"]},
            {"patient.project.project_name": ["AREDS", "Other"], "patient": ["a", "a"]},
            {"Patient.ProjectName": ["AREDS", "Other"], "Patient": ["a", "a"]},
        ],
        ids=str,
    )
    def test_a_link_is_known_by_a_natural_key_of_several_columns(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, columns: dict[str, Any]
    ) -> None:
        with make_unit_of_work() as uow:
            one, other = (
                uow.patients.add(Patient(project=project, patient_identifier="a"))
                for project in two_projects(uow, build)
            )
            ids = uow.studies.insert_many({**columns, "StudyDate": ["2024-01-01"] * 2})
            assert [study.patient for study in uow.studies.by_ids(ids)] == [one, other]

    def test_all_links_are_known_whose_natural_keys_are_given_whole(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.add(uow, Study)
            creator = uow.creators.add(build.a_creator())
            schema = uow.form_schemas.add(build.a_form_schema(entity_type="Study"))
            uow.flush()
            row = {
                "project_name": study.patient.project.project_name,
                "patient_identifier": study.patient.patient_identifier,
                "study_date": study.study_date.isoformat(),
                "creator_name": creator.creator_name,
                "schema_name": schema.schema_name,
                "form_data": {"grade": [1, {"a": None}]},
            }
            form = uow.forms.get(uow.forms.insert_many([row])[0])
            assert (form.study, form.patient) == (study, study.patient)
            assert (form.creator, form.form_schema) == (creator, schema)
            assert form.form_data == row["form_data"]

    def test_a_link_may_be_the_object_or_nothing(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            contact = uow.contacts.add(build.a_contact())
            given = {"project_name": ["a", "b"], "external": ["N", "N"]}
            ids = uow.projects.insert_many({**given, "contact": [contact, None]})
            assert [one.contact for one in uow.projects.by_ids(ids)] == [contact, None]
            given = {"project_name": ["c", "d"], "external": ["N", "N"]}
            names = {f"contact.{n}": [getattr(contact, n), None] for n in ("name", "email")}
            ids = uow.projects.insert_many({**given, **names})
            assert [one.contact for one in uow.projects.by_ids(ids)] == [contact, None]

    def test_what_is_not_said_is_as_in_a_new_object(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        names = {"creator_name": ["a", "b"]}
        with make_unit_of_work() as uow:
            ids = uow.creators.insert_many({**names, "is_human": [None, False], "role": [None, 3]})
            uow.commit()
        with make_unit_of_work() as uow:
            one, other = uow.creators.by_ids(ids)
            assert (one.is_human, one.role, other.is_human, other.role) == (True, None, False, 3)
            assert one.date_inserted is not None

    @pytest.mark.parametrize("given", [[], {}, {"patient_identifier": []}])
    def test_no_rows_are_no_rows(self, make_unit_of_work: MakeUnitOfWork, given: Any) -> None:
        with make_unit_of_work() as uow:
            assert uow.patients.insert_many(given) == []

    @pytest.mark.parametrize(
        ("changed", "kind", "rows", "said"),
        [
            ({"sex": ["F", "Q", 1]}, BadInput, [1, 2], "row 1: sex: 'Q' is no SexEnum"),
            ({"Sex": ["F", "Q", 1]}, BadInput, [1, 2], "row 2: Sex: 1 is no SexEnum"),
            ({"birth_date": ["1950-13-01", None, "x"]}, BadInput, [0, 2], "2 of 3 rows refused"),
            ({"patient_identifier": ["a", "b" * 256, "c"]}, BadInput, [1], "at most 255 fit"),
            ({"patient_identifier": ["a", None, "c"]}, BadInput, [1], "is needed"),
            ({"patient_identifier": ["a", ["b"], "c"]}, BadInput, [1], "a text is needed"),
            ({"project": ["AREDS", None, "AREDS"]}, BadInput, [1], "project_id: is needed"),
            ({"project": ["nix", "Other", "nix"]}, NotFound, [0, 2], "rows 0, 2: project: there"),
            ({"project": ["AREDS", 7, "AREDS"]}, BadInput, [1], "row 1: project: a text is"),
            ({"patient_identifier": [*"aBb"]}, Duplicate, [2], "the same as row 1: 'b'"),
            ({"birthdate": ["1950-01-01"] * 3}, UnknownName, [], "did you mean birth_date"),
            ({"study_date": ["1950-01-01"] * 3}, UnknownName, [], "no field 'study_date'"),
            ({"sex": [*"FFF"], "Sex": [*"FFF"]}, BadInput, [], "two names of sex"),
            ({"project_id": [1, 1, 1]}, BadInput, [], "project is given twice"),
            ({"studies": [[], [], []]}, BadInput, [], "is a list"),
            ({"sex.name": [*"FFF"]}, UnknownName, [], "sex is a column"),
            ({"project.nope": [*"FFF"]}, UnknownName, [], "Project has no field 'nope'"),
            ({"sex": ["F", "F"]}, BadInput, [], "differ in length"),
        ],
        ids=str,
    )
    def test_bad_rows_are_all_told_and_nothing_is_written(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        changed: dict[str, Any],
        kind: type[EyenedError],
        rows: list[int],
        said: str,
    ) -> None:
        good = {"project": ["AREDS"] * 3, "patient_identifier": [*"abc"]}
        with make_unit_of_work() as uow:
            two_projects(uow, build)
            with pytest.raises(kind) as refused:
                uow.patients.insert_many({**good, **changed})
            assert type(refused.value) is kind
            assert said in str(refused.value)
            assert [one.row for one in refused.value.row_faults] == rows
            assert uow.patients.count() == 0
            assert len(uow.patients.insert_many(good)) == 3  # the unit goes on
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.patients.count() == 3

    def test_many_bad_rows_are_told_in_short_and_listed_as_data(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        columns = {"creator_name": ["x" * 46] * 500 + [None] * 500 + list(range(1000))}
        with make_unit_of_work() as uow, pytest.raises(BadInput) as refused:
            uow.creators.insert_many(columns)
        assert len(str(refused.value)) < 1000
        assert "1,500 of 2,000 rows refused" in str(refused.value)
        assert "rows 0, 1, 2, 3, 4 and 495 more" in str(refused.value)
        assert "and 996 more" in str(refused.value)
        assert (refused.value.field, len(refused.value.row_faults)) == ("creator_name", 1500)
        last = refused.value.row_faults[-1]
        assert (last.row, last.field, last.value) == (1999, "creator_name", "999")

    def test_ids_that_there_are_not_are_all_told(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, _ = two_projects(uow, build)
            uow.flush()
            ids = [one.project_id, 98, None, 99]
            given = {"project_id": ids, "patient_identifier": [*"abcd"]}
            with pytest.raises(BadInput, match="row 2: project_id: is needed"):
                uow.patients.insert_many(given)
            ids[2] = one.project_id
            with pytest.raises(RuleBroken, match="there is no Project 98; .*no Project 99") as told:
                uow.patients.insert_many(given)
            assert [(x.row, x.field) for x in told.value.row_faults] == [
                (1, "project_id"),
                (3, "project_id"),
            ]
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.patients.count() == 0

    def test_rows_that_are_there_already_are_all_told_and_none_is_kept(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, _ = two_projects(uow, build)
            uow.patients.add_all(
                Patient(project=one, patient_identifier=f"p{n}") for n in (900, 990)
            )
            uow.commit()
        names = [f"P{n}" for n in range(1000)]
        given = {"project": ["AREDS"] * 1000, "patient_identifier": names}
        with make_unit_of_work() as uow:
            with pytest.raises(Duplicate, match="has it already: 'P900'") as told:
                uow.patients.insert_many(given)
            assert [x.row for x in told.value.row_faults] == [900, 990]
            assert uow.patients.count() == 2
            uow.patients.insert_many({"project": ["Other"] * 1000, "patient_identifier": names})
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.patients.count() == 1002

    def test_a_link_that_may_be_one_of_several_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            for project in two_projects(uow, build):
                uow.patients.add(Patient(project=project, patient_identifier="a"))
            given = {"patient": ["a"], "study_date": [date(2024, 1, 1)]}
            with pytest.raises(Duplicate, match="row 0: patient: there are several Patient"):
                uow.studies.insert_many(given)
            with pytest.raises(BadInput, match="say by what: study.study_date"):
                uow.series.insert_many({"study": ["a visit"]})
            with pytest.raises(BadInput, match="a stored Patient is needed"):
                uow.studies.insert_many({**given, "patient": [uow.projects.by_name("Other")]})

    @pytest.mark.parametrize("name", ["password", "PasswordHash"])
    def test_private_columns_are_not_written_or_looked_up_so(
        self, make_unit_of_work: MakeUnitOfWork, name: str
    ) -> None:
        with make_unit_of_work() as uow:
            for many, row in (
                (uow.creators, {"creator_name": "a", name: b"secret"}),
                (uow.tasks, {"task_name": "a", f"creator.{name}": b"secret"}),
            ):
                with pytest.raises(BadInput, match="is private") as refused:
                    many.insert_many([row])
                assert "secret" not in str(refused.value)

    def test_rules_hold_also_those_that_read_what_a_row_is_linked_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one = build.add(uow, AttributeValue)
            definition = build.add(uow, AttributeDefinition, attribute_data_type="Int")
            patient, image = build.add(uow, Patient), build.add(uow, ImageInstance)
            uow.flush()
            given = {
                "attribute_name": [definition.attribute_name] * 4,
                "model_id": [one.model_id] * 4,
                "patient": [patient, None, None, build.add(uow, Patient)],
                "image_instance_id": [None, one.image_instance_id, None, image.image_instance_id],
                "value_int": [1, None, 3, 4],
                "value_float": [None, 2.5, None, None],
            }
            with pytest.raises(RuleBroken) as refused:
                uow.attribute_values.insert_many(given)
            assert [x.row for x in refused.value.row_faults] == [1, 2, 3]
            for said in ("its values go into value_int", "needs an owner", "more than one owner"):
                assert said in str(refused.value)
            assert uow.attribute_values.count() == 1
            with pytest.raises(RuleBroken, match="row 1: schema: .*a JSON schema is an object"):
                uow.form_schemas.insert_many({"schema_name": [*"ab"], "schema": [{}, [1]]})

    def test_what_a_form_is_about_must_belong_together(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study, other = build.add(uow, Study), build.add(uow, Patient)
            schema = build.add(uow, FormSchema, entity_type="Study")
            creator = uow.creators.add(build.a_creator())
            given = {"form_schema": [schema] * 2, "creator": [creator] * 2, "study": [study] * 2}
            with pytest.raises(RuleBroken, match="row 1: patient: .*belongs to patient") as refused:
                uow.forms.insert_many({**given, "patient": [study.patient, other]})
            assert [x.row for x in refused.value.row_faults] == [1]
            assert uow.forms.count() == 0

    def test_the_modality_of_images_and_its_entry_follow_each_other(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image())
            uow.modalities.add(build.build(ModalityTable, modality_tag="OCT"))
            uow.commit()
            names = ("series_id", "source_info_id", "device_instance_id")
            given: dict[str, Any] = {name: [getattr(image, name)] * 3 for name in names}
            given |= {"dataset_identifier": [*"abc"], "laterality": [*"LRL"]}
            words = ["OCT", "ColorFundus", "colour"]
            with pytest.raises(BadInput, match="row 2: modality: 'colour'"):
                uow.images.insert_many({**given, "modality": words})
            words[2] = "OCT"
            ids = [None, None, uow.modalities.by_name("OCT").modality_id]
            with pytest.raises(Duplicate):
                uow.images.insert_many(
                    {**given, "modality": words, "dataset_identifier": [*"aba"]}
                )
            assert uow.modalities.by_name("ColorFundus", default=None) is None
            made = uow.images.by_ids(
                uow.images.insert_many({**given, "modality": words, "modality_id": ids})
            )
            assert [one.modality for one in made] == [
                *(Modality.OCT, Modality.ColorFundus, Modality.OCT)
            ]
            assert [one.modality_entry.modality_tag for one in made] == [
                one.modality.name for one in made
            ]
            given["dataset_identifier"] = [*"xyz"]
            with pytest.raises(RuleBroken, match="row 1: modality: is AdaptiveOptics"):
                uow.images.insert_many(
                    {**given, "modality": [None, "AdaptiveOptics", None], "modality_id": ids[2:] * 3}
                )
            by_id = uow.images.insert_many({**given, "modality_id": ids[2:] * 3})
            assert {one.modality for one in uow.images.by_ids(by_id)} == {Modality.OCT}
            uow.commit()

    def test_what_was_put_in_before_is_there_for_the_rows(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, _ = two_projects(uow, build)
            uow.patients.insert_many([{"project": one, "patient_identifier": "a", "sex": "F"}])
            assert uow.patients.one(project=one).sex is SexEnum.F
            uow.rollback()
            assert (uow.patients.count(), uow.projects.count()) == (0, 0)
