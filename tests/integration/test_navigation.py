"""Navigation takes one statement per level, whatever the kind of link."""

import time
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import load_only

from benchmarks.dataset import fill, identifier
from benchmarks.timing import counted
from eyened_domain import (
    AttributeDefinition,
    AttributesModel,
    AttributeValue,
    Creator,
    Database,
    Feature,
    FeatureFeatureLink,
    ImageInstance,
    Model,
    ModelInput,
    Patient,
    Project,
    SegmentationModel,
    Series,
    Study,
    StudyTagLink,
    Tag,
)


@contextmanager
def statements(database, expected):
    """Fail unless the block sends exactly so many statements."""
    with counted(database.engine) as sent:
        yield
    asked = [one for one in sent if not one.startswith(("BEGIN", "PRAGMA", "SET"))]
    assert len(asked) == expected, "\n".join(asked)


@pytest.fixture
def study(database):
    """A project with 60 images: 6 patients, 12 visits, 24 series."""
    fill(database.engine, 60)
    return database


def project_of(session):
    return Project.by_name(session, "Benchmark")


def test_the_documented_loop_over_2000_patients_takes_four_statements_and_two_lookups(database):
    fill(database.engine, 20_000)
    seen = 0
    with statements(database, 6), database.get_session() as session:
        project = project_of(session)
        Patient.by_identifier(session, project.project_id, identifier(1))
        for patient in project.Patients:
            for visit in patient.Studies:
                for series in visit.Series:
                    seen += sum(1 for image in series.ImageInstances if image.path)
    assert seen == 20_000


def test_each_object_gets_its_own_children_in_the_order_of_their_keys(study):
    with study.get_session() as session:
        for visit in session.scalars(select(Study)):
            assert [one.study_id for one in visit.series] == [visit.study_id] * 2
            assert visit.series == sorted(visit.series, key=lambda one: one.series_id)
            assert all(one.study is visit for one in visit.series)


def test_from_children_to_parents_takes_one_statement_per_level(study):
    with statements(study, 5), study.get_session() as session:
        for image in session.scalars(select(ImageInstance)).all():
            assert image.series.study.patient.project.project_name == "Benchmark"


def test_parents_that_were_loaded_in_an_earlier_query_are_not_asked_for_again(study):
    with statements(study, 2), study.get_session() as session:
        held = session.scalars(select(Patient)).all()
        visits = session.scalars(select(Study)).all()
        assert {visit.patient for visit in visits} == set(held)


def test_siblings_of_an_earlier_query_get_their_children_as_well(study):
    with statements(study, 3), study.get_session() as session:
        first = session.scalars(select(Patient).where(Patient.patient_id <= 3)).all()
        second = session.scalars(select(Patient).where(Patient.patient_id > 3)).all()
        assert all(len(patient.studies) == 2 for patient in (*second, *first))


def test_objects_without_children_get_empty_lists_and_are_not_asked_for_again(study):
    with statements(study, 2), study.get_session() as session:
        visits = session.scalars(select(Study)).all()
        assert all(visit.study_tag_links == [] for visit in visits)


def test_links_that_are_not_set_are_none_without_a_statement(study):
    with statements(study, 1), study.get_session() as session:
        assert {image.scan for image in session.scalars(select(ImageInstance)).all()} == {None}


def attributes_of_models(database):
    with database.get_session() as session:
        ann = Creator(creator_name="ann")
        definitions = [
            AttributeDefinition(attribute_name=f"a{n}", attribute_data_type="Float")
            for n in range(4)
        ]
        for n in range(3):
            model = AttributesModel(model_name=f"m{n}", version="1")
            model.output_attributes = definitions[: n + 1]
            ModelInput(model=model, input_attribute=definitions[3], input_name="x")
            session.add(model)
        feature = Feature(feature_name="drusen")
        session.add(SegmentationModel(model_name="s", version="1", feature=feature))
        session.add_all([ann, *definitions])
        session.commit()


def test_many_to_many_takes_one_statement_in_both_directions(database):
    attributes_of_models(database)
    with statements(database, 2), database.get_session() as session:
        models = session.scalars(select(AttributesModel).order_by(AttributesModel.model_id)).all()
        names = [sorted(one.attribute_name for one in model.output_attributes) for model in models]
        assert names == [["a0"], ["a0", "a1"], ["a0", "a1", "a2"]]
    with statements(database, 2), database.get_session() as session:
        definitions = session.scalars(select(AttributeDefinition)).all()
        counts = {one.attribute_name: len(one.producing_models) for one in definitions}
        assert counts == {"a0": 3, "a1": 2, "a2": 1, "a3": 0}


def test_polymorphic_targets_are_loaded_whole_in_one_statement(database):
    attributes_of_models(database)
    with statements(database, 2), database.get_session() as session:
        inputs = session.scalars(select(ModelInput)).all()
        assert {type(one.model) for one in inputs} == {AttributesModel}
        assert {one.model.version for one in inputs} == {"1"}
    with statements(database, 2), database.get_session() as session:
        (feature,) = session.scalars(select(Feature)).all()
        assert [type(one) for one in feature.segmentation_models] == [SegmentationModel]


def test_links_of_a_base_class_are_loaded_for_all_its_special_kinds(database):
    attributes_of_models(database)
    with statements(database, 2), database.get_session() as session:
        models = session.scalars(select(Model)).all()
        assert {type(one) for one in models} == {AttributesModel, SegmentationModel}
        assert all(one.produced_attribute_values == [] for one in models)


def test_entities_that_are_linked_to_their_own_kind_take_one_statement_per_level(database):
    with database.get_session() as session:
        parents = [Feature(feature_name=f"p{n}") for n in range(3)]
        for n, parent in enumerate(parents):
            for index in range(2):
                child = Feature(feature_name=f"c{n}{index}")
                FeatureFeatureLink(feature=parent, child=child, feature_index=index)
        session.add_all(parents)
        session.commit()
    with statements(database, 2), database.get_session() as session:
        features = session.scalars(select(Feature)).all()
        names = {
            one.feature_name: [link.child.feature_name for link in one.feature_associations]
            for one in features
        }
    assert names == {f"p{n}": [f"c{n}0", f"c{n}1"] for n in range(3)} | {
        f"c{n}{index}": [] for n in range(3) for index in range(2)
    }


def test_children_that_are_not_stored_yet_stay_in_their_lists(study):
    with study.get_session() as session, session.no_autoflush:
        patients = session.scalars(select(Patient).order_by(Patient.patient_id)).all()
        new = Study(patient=patients[1], study_date="2024-01-31")
        assert len(patients[0].studies) == 2
        assert new in patients[1].studies
        assert len(patients[1].studies) == 3
    with study.get_session() as session:
        assert len(session.scalars(select(Study)).all()) == 12


def test_children_that_are_not_stored_yet_are_stored_and_found_once(study):
    with study.get_session() as session:
        patients = session.scalars(select(Patient).order_by(Patient.patient_id)).all()
        new = Study(patient=patients[1], study_date="2024-01-31")
        assert len(patients[0].studies) == 2
        assert [one for one in patients[1].studies if one is new] == [new]
        session.commit()
    with study.get_session() as session:
        assert len(session.get(Patient, patients[1].patient_id).studies) == 3


def test_a_child_that_moved_is_found_with_its_new_parent_only(study):
    with study.get_session() as session:
        patients = session.scalars(select(Patient).order_by(Patient.patient_id)).all()
        moved = session.scalars(select(Study)).first()
        moved.patient_id = patients[5].patient_id
        assert [len(patient.studies) for patient in patients] == [1, 2, 2, 2, 2, 3]
        assert moved.patient is patients[5]


def test_objects_that_are_deleted_are_left_out(study):
    with study.get_session() as session:
        patients = session.scalars(select(Patient).order_by(Patient.patient_id)).all()
        session.delete(patients[3])
        assert len(patients[0].studies) == 2
        project = project_of(session)
        assert patients[3] not in project.patients
        assert len(project.patients) == 5


def test_objects_that_are_about_to_be_deleted_are_not_loaded_for(study):
    with study.get_session() as session, session.no_autoflush:
        patients = session.scalars(select(Patient).order_by(Patient.patient_id)).all()
        session.delete(patients[3])
        held = "studies" in patients[3].__dict__
        assert len(patients[0].studies) == 2
        assert ("studies" in patients[3].__dict__) is held


def test_objects_that_are_expired_are_read_anew(study):
    with study.get_session() as session:
        visits = session.scalars(select(Study)).all()
        session.expire(visits[0])
        session.expire(visits[1].patient)
        assert all(visit.patient.patient_identifier for visit in visits)
        assert visits[0].patient.patient_id == 1


def test_objects_that_were_loaded_without_their_foreign_key_find_their_parents(study):
    with study.get_session() as session:
        dates = select(Study).options(load_only(Study.study_date)).order_by(Study.study_id)
        visits = session.scalars(dates).all()
        whole = session.scalars(select(Series)).all()
        assert [visit.patient.patient_id for visit in visits] == [(n + 2) // 2 for n in range(12)]
        assert all(series.study in visits for series in whole)


def test_a_sibling_whose_foreign_key_is_not_loaded_is_left_alone(study):
    with study.get_session() as session:
        partly = session.scalars(
            select(Study).options(load_only(Study.study_date)).where(Study.study_id < 7)
        ).all()
        wholly = session.scalars(select(Study).where(Study.study_id >= 7)).all()
        assert [visit.patient.patient_id for visit in wholly] == [4, 4, 5, 5, 6, 6]
        assert [visit.patient.patient_id for visit in partly] == [1, 1, 2, 2, 3, 3]


def test_lazy_loads_inside_a_flush_work(study):
    from sqlalchemy import event

    counts: list[Any] = []

    def look(session, _context, _instances):
        counts.extend(len(one.studies) for one in session.dirty if isinstance(one, Patient))

    with study.get_session() as session:
        event.listen(session, "before_flush", look)
        patients = session.scalars(select(Patient)).all()
        patients[0].birth_date = "1950-01-01"
        patients[1].birth_date = "1950-01-01"
        assert len(patients[2].studies) == 2
    assert counts == [2, 2]


@pytest.mark.parametrize("portion", [1, 5, 100])
def test_rows_are_streamed_whole_while_their_links_are_read(study, portion):
    with study.get_session() as session:
        images = session.scalars(select(ImageInstance).execution_options(yield_per=portion))
        seen = [(one.image_instance_id, one.series.study.study_id) for one in images]
    assert len(seen) == 60
    assert seen == [(n, (n - 1) // 5 + 1) for n in range(1, 61)]


def test_an_object_of_another_session_is_not_touched(study):
    with study.get_session() as one, study.get_session() as other:
        mine = one.scalars(select(Patient)).all()
        theirs = other.scalars(select(Patient)).all()
        assert len(mine[0].studies) == 2
        assert all("studies" not in patient.__dict__ for patient in theirs)


def test_values_of_attribute_definitions_are_not_loaded_before_they_are_asked_for(database):
    with database.get_session() as session:
        definition = AttributeDefinition(attribute_name="a", attribute_data_type="Float")
        session.add(definition)
        session.commit()
    with statements(database, 1), database.get_session() as session:
        found = session.scalars(select(AttributeDefinition)).all()
        assert "attribute_values" not in found[0].__dict__
    assert AttributeValue.__entity__.name == "AttributeValue"


def test_tags_are_reached_through_their_links_in_one_statement_per_level(study):
    with study.get_session() as session:
        ann = Creator(creator_name="ann")
        tag = Tag(tag_name="good", tag_type="Study", creator=ann)
        for visit in session.scalars(select(Study)).all():
            StudyTagLink(study=visit, tag=tag, creator=ann)
        session.add(tag)
        session.commit()
    with statements(study, 4), study.get_session() as session:
        for visit in session.scalars(select(Study)).all():
            assert [link.tag.tag_name for link in visit.study_tag_links] == ["good"]
            assert [link.creator.creator_name for link in visit.study_tag_links] == ["ann"]


def loads_one_by_one(database, count):
    """Seconds of the processor for looking up patients one by one, each with a lazy load."""
    with database.get_session() as session:
        start = time.process_time()
        kept = []
        for patient_id in range(1, count + 1):
            patient = session.get(Patient, patient_id)
            kept.append(patient.studies)
        return time.process_time() - start


def test_looking_up_one_by_one_stays_linear(sqlite_url):
    database = Database({"database_url": sqlite_url, "secret_key": "k"})
    fill(database.engine, 40_000)
    loads_one_by_one(database, 100)
    some = min(loads_one_by_one(database, 500) for _ in range(2))
    eight_times = loads_one_by_one(database, 4000)
    database.close()
    assert eight_times < 8 * some * 2, f"{some:.2f} s for 500, {eight_times:.2f} s for 4,000"


def seconds_for_all_patients(database, *, knowing_their_project):
    """Seconds of the processor for loading one list of 4,000."""
    with database.get_session() as session:
        patients = session.scalars(select(Patient)).all()
        if knowing_their_project:
            assert {patient.project.project_id for patient in patients} == {1}
        project = project_of(session)
        start = time.process_time()
        assert len(project.patients) == 4000
        return time.process_time() - start


def test_a_list_of_thousands_takes_no_longer_when_its_items_know_their_owner(sqlite_url):
    database = Database({"database_url": sqlite_url, "secret_key": "k"})
    fill(database.engine, 40_000)
    times = {
        known: min(seconds_for_all_patients(database, knowing_their_project=known) for _ in "123")
        for known in (False, True)
    }
    database.close()
    assert times[True] < 2 * times[False], times
