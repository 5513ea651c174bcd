"""The testing kit: builders, query counts, the pytest plugin, the contracts as shipped."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from eyened_domain import Database, testing
from eyened_domain.errors import BadInput
from eyened_domain.model import Annotation, Model, Patient, SexEnum, Study, TagType
from eyened_domain.model.entity import entity_classes
from eyened_domain.testing import Builder, MemoryStore, MemoryUnitOfWork, build
from eyened_domain.testing.builders import begin_to_count
from eyened_domain.testing.contracts.base import Contract
from eyened_domain.testing.named_builders import NamedBuilders

BY_ID_ONLY = {"Annotation", "AnnotationData", "AnnotationTagLink", "AttributesModelOutput"}
BUILDABLE = [one for one in entity_classes() if one.__name__ not in BY_ID_ONLY]


@pytest.mark.parametrize("entity", BUILDABLE, ids=lambda one: one.__name__)
def test_a_built_object_has_all_that_it_needs(entity: type[Any]) -> None:
    with MemoryUnitOfWork() as uow:
        one = uow.repository(entity).add(Builder().build(entity))
        uow.commit()
        assert isinstance(one, entity)


def test_every_entity_has_a_named_builder() -> None:
    named = [name for name in vars(NamedBuilders) if name.startswith(("a_", "an_"))]
    assert len(named) == len(entity_classes())
    builder: Any = Builder()
    made = {type(getattr(builder, name)()) for name in named if not _needs_ids(name)}
    assert made == {*BUILDABLE} - {Model}


def _needs_ids(name: str) -> bool:
    words = name.partition("_")[2]
    return words in {
        "annotation",
        "annotation_data",
        "annotation_tag_link",
        "attributes_model_output",
    }


def test_two_builders_in_one_test_do_not_make_the_same() -> None:
    with MemoryUnitOfWork() as uow:
        for builder in (Builder(), Builder()):
            for entity in BUILDABLE:
                uow.repository(entity).add(builder.build(entity))
        uow.patients.add(build(Patient))
        uow.commit()
        names = [one.patient_identifier for one in uow.patients.where()]
        assert len(names) == len(set(names)) > 2


@pytest.mark.parametrize("run", [1, 2])
def test_builders_begin_at_1_in_every_test(run: int) -> None:
    identifiers = [Builder().a_patient().patient_identifier for _ in range(2)]
    assert identifiers == ["patient identifier 1", "patient identifier 2"], run


def test_a_builder_of_before_goes_on_counting() -> None:
    builder = Builder()
    first = builder.a_patient()
    begin_to_count()
    assert Builder().a_patient().to_dict() == first.to_dict()
    assert builder.a_patient().patient_identifier == "patient identifier 2"


def test_what_is_told_is_kept_in_either_name() -> None:
    project = Builder().a_project()
    patient = Builder().a_patient(Sex="F", project=project, PatientIdentifier="X")
    assert (patient.sex, patient.project, patient.patient_identifier) == (SexEnum.F, project, "X")
    assert build(Study, Patient=patient).patient is patient
    assert build(Study, patient_id=5).patient is None


def test_tags_fit_what_they_are_put_on() -> None:
    assert Builder().an_image_instance_tag_link().tag.tag_type is TagType.ImageInstance


def test_what_no_link_leads_to_is_asked_for_or_stored_first() -> None:
    with pytest.raises(BadInput, match=r"Annotation\.feature_id.*builder\.add\(uow, Annotation\)"):
        build(Annotation)
    with MemoryUnitOfWork() as uow:
        made = Builder().add(uow, Annotation)
        uow.commit()
        assert uow.features.get(made.feature_id).feature_name


def test_the_objects_around_an_image_belong_together() -> None:
    with MemoryUnitOfWork() as uow:
        one = Builder().add(uow, Annotation, full=True)
        uow.commit()
        assert one.image_instance is not None
        assert one.image_instance.series is one.series
        assert one.study is one.series.study
        assert one.patient is one.study.patient


def test_the_fixtures_share_a_store(
    memory_store: MemoryStore, memory_unit_of_work: MemoryUnitOfWork, builder: Builder
) -> None:
    with memory_unit_of_work as uow:
        uow.patients.add(builder.a_patient())
        uow.commit()
    with MemoryUnitOfWork(memory_store) as uow:
        assert uow.patients.count() == 1


def test_statements_are_counted_and_listed(
    sqlite_database: Database, builder: Builder, count_queries: Any, assert_queries: Any
) -> None:
    with sqlite_database.unit_of_work() as uow:
        uow.studies.add(builder.a_study())
        uow.commit()
    with count_queries(sqlite_database) as counted, sqlite_database.get_session() as session:
        assert len(Study.fetch_all(session)) == 1
        assert counted.total == 1
    assert "FROM" in str(counted)
    with assert_queries(sqlite_database, at_most=2), sqlite_database.get_session() as session:
        assert Study.fetch_all(session)[0].patient.sex is None
    with (
        pytest.raises(
            AssertionError, match=r"1 statements were sent, at most 0.*(?s:.)*1\. SELECT"
        ),
        assert_queries(sqlite_database.engine, at_most=0),
        sqlite_database.get_session() as session,
    ):
        Study.fetch_all(session)
    with count_queries(sqlite_database) as counted:
        pass
    assert (counted.total, str(counted)) == (0, "no statements")


def test_loading_the_plugin_brings_neither_sqlalchemy_nor_numpy_nor_the_model() -> None:
    program = (
        "import sys, eyened_domain.testing.plugin, eyened_domain.testing;"
        "heavy = {'sqlalchemy', 'numpy', 'attrs', 'attr', 'eyened_domain.model'};"
        "assert not heavy & {*sys.modules}, heavy & {*sys.modules}"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_kit_lists_its_names() -> None:
    assert set(testing.__all__) <= set(dir(testing))
    assert all(getattr(testing, name) is not None for name in testing.__all__)
    with pytest.raises(AttributeError, match="bulider"):
        _ = testing.bulider  # type: ignore[attr-defined]


def test_a_contract_without_a_storage_says_what_to_give() -> None:
    fixture: Any = Contract.__dict__["make_unit_of_work"]
    function: Callable[..., Any] = (
        getattr(fixture, "__wrapped__", None) or fixture._fixture_function
    )
    with pytest.raises(NotImplementedError, match="make_unit_of_work"):
        function(None)
