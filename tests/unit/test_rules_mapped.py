"""The rules hold for mapped objects as for plain ones, and cost the storage no question."""

import subprocess
import sys

import numpy as np
import pytest
from sqlalchemy import create_engine, event, select, update

import eyened_domain.adapters.sql.mapping  # noqa: F401 - maps the classes
from eyened_domain.adapters.sql.schema import TABLES, metadata
from eyened_domain.adapters.sql.session import DomainSession
from eyened_domain.errors import RuleBroken
from eyened_domain.model import (
    AttributeDefinition,
    AttributesModel,
    AttributeValue,
    Creator,
    DeviceInstance,
    DeviceModel,
    Feature,
    FormAnnotation,
    FormSchema,
    ImageInstance,
    ModalityTable,
    Patient,
    Project,
    Segmentation,
    SegmentationTagLink,
    Series,
    SourceInfo,
    Study,
    StudyTagLink,
    SubTask,
    SubTaskState,
    Tag,
    Task,
    TaskDefinition,
)
from eyened_domain.model.entity import Entity


@pytest.fixture
def engine():
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def statements(engine):
    seen: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    return seen


def an_image(patient: Patient, shape=(7, 60, 80)) -> ImageInstance:
    study = Study(patient=patient, study_date="2020-05-17")
    frames, rows, columns = shape
    return ImageInstance(
        dataset_identifier="a.dcm",
        laterality="R",
        nr_of_frames=frames,
        rows_y=rows,
        columns_x=columns,
        series=Series(study=study),
        source_info=SourceInfo(source_name="s", source_path="s", thumbnail_path="s"),
        device_instance=DeviceInstance(
            description="d",
            device_model=DeviceModel(manufacturer="m", manufacturer_model_name="n"),
        ),
        modality_entry=ModalityTable(modality_tag="OCT"),
    )


def a_patient() -> Patient:
    return Patient(
        patient_identifier="P1", birth_date="1960-05-17", project=Project(project_name="Cohort")
    )


def a_mask(image, shape=(7, 60, 80), **more) -> Segmentation:
    depth, height, width = shape
    given = {"data_representation": "MultiLabel", "data_type": "R8UI", "sparse_axis": 0, **more}
    return Segmentation(
        image_instance=image,
        depth=depth,
        height=height,
        width=width,
        creator=Creator(creator_name="anna"),
        **given,
    )


def test_no_rule_is_named_like_a_column_or_a_link():
    for entity in TABLES:
        for base in (cls for cls in entity.__mro__ if cls not in (Entity, object)):
            rules = {n for n, member in vars(base).items() if isinstance(member, property)}
            assert not rules & entity.__entity__.fields, entity


def test_ages_images_and_masks_work_on_what_was_stored(engine):
    with DomainSession(bind=engine) as session:
        lesions = Feature(feature_name="lesions")
        lesions.add_subfeature(Feature(feature_name="drusen"))
        lesions.add_subfeature(Feature(feature_name="cyst"))
        session.add(a_mask(an_image(a_patient()), feature=lesions, scan_indices=[2]))
        session.commit()
    with DomainSession(bind=engine) as session:
        mask = session.scalars(select(Segmentation)).one()
        study = mask.image_instance.study
        assert study.age_years == 60.0
        assert study.images == study.patient.images == [mask.image_instance]
        shape = mask.image_instance.shape
        assert shape is not None
        assert mask.fits(shape)
        assert (mask.shape, mask.is_sparse) == ((7, 60, 80), True)
        assert mask.array_name == "uint8_7_60_80.zarr"
        assert mask.decode(np.array([0, 3], np.uint8))["cyst"].tolist() == [False, True]
        with pytest.raises(RuleBroken, match="is or contains"):
            mask.feature.subfeatures[1].add_subfeature(mask.feature)


def test_a_mask_that_does_not_fit_is_not_stored(engine):
    with DomainSession(bind=engine) as session:
        lesions = Feature(feature_name="lesions")
        session.add(a_mask(an_image(a_patient()), (6, 60, 80), feature=lesions))
        with pytest.raises(RuleBroken, match="must be"):
            session.flush()


def test_scan_indices_that_grow_in_place_are_checked(engine):
    with DomainSession(bind=engine) as session:
        mask = a_mask(
            an_image(a_patient()), feature=Feature(feature_name="lesions"), scan_indices=[0]
        )
        session.add(mask)
        session.commit()
        mask.scan_indices.append(6)
        session.commit()
        mask.scan_indices.append(7)
        with pytest.raises(RuleBroken, match="7 is no B-scan"):
            session.flush()


def test_an_old_mask_that_breaks_a_rule_can_be_made_inactive_but_not_made_worse(engine):
    with DomainSession(bind=engine) as session:
        session.add(a_mask(an_image(a_patient()), feature=Feature(feature_name="lesions")))
        session.commit()
        session.execute(update(Segmentation).values(sparse_axis=2))
        session.commit()
    with DomainSession(bind=engine) as session:
        mask = session.scalars(select(Segmentation)).one()
        mask.inactive = True
        tag = Tag(tag_name="old", tag_type="Segmentation", creator=mask.creator)
        session.add(SegmentationTagLink(segmentation=mask, creator=mask.creator, tag=tag))
        session.commit()
        mask.threshold = 0.6
        with pytest.raises(RuleBroken, match="sparse_axis"):
            session.flush()


def test_the_layout_of_stored_pixels_does_not_change(engine):
    with DomainSession(bind=engine) as session:
        mask = a_mask(
            an_image(a_patient()), feature=Feature(feature_name="lesions"), zarr_array_index=0
        )
        session.add(mask)
        session.commit()
        session.expunge_all()
        mask = session.scalars(select(Segmentation)).one()
        with pytest.raises(RuleBroken, match="has pixels already"):
            mask.depth = 6


def test_checking_the_rules_of_a_loaded_row_asks_the_storage_nothing(engine, statements):
    with DomainSession(bind=engine) as session:
        patient = a_patient()
        image = an_image(patient)
        anna = Creator(creator_name="anna")
        mask = a_mask(image, feature=Feature(feature_name="lesions"))
        form = FormAnnotation(
            patient=patient,
            study=image.study,
            image_instance=image,
            laterality="R",
            creator=anna,
            form_schema=FormSchema(schema_name="f", entity_type="StudyEye"),
        )
        value = AttributeValue(
            patient=patient,
            producing_model=AttributesModel(model_name="m", version="1"),
            attribute_definition=AttributeDefinition(
                attribute_name="a", attribute_data_type="Float"
            ),
        )
        value.value = 1.5
        mask.creator = anna
        link = StudyTagLink(
            study=image.study, creator=anna, tag=Tag(tag_name="t", tag_type="Study", creator=anna)
        )
        session.add_all([mask, form, value, link])
        session.commit()
    with DomainSession(bind=engine) as session:
        kinds = (Segmentation, FormAnnotation, AttributeValue, StudyTagLink, Study, Patient)
        rows = [session.scalars(select(kind)).one() for kind in kinds]
        statements.clear()
        for row in rows:
            row.check_rules()
        assert statements == []


def test_an_owner_that_is_replaced_is_replaced_in_the_database(engine):
    with DomainSession(bind=engine) as session:
        image = an_image(a_patient())
        value = AttributeValue(
            patient=image.patient,
            producing_model=AttributesModel(model_name="m", version="1"),
            attribute_definition=AttributeDefinition(attribute_name="a", attribute_data_type="Int"),
        )
        session.add_all([image, value])
        session.commit()
    with DomainSession(bind=engine) as session:
        value = session.scalars(select(AttributeValue)).one()
        value.owner = session.scalars(select(Study)).one()
        value.value = 3
        session.commit()
    with DomainSession(bind=engine) as session:
        value = session.scalars(select(AttributeValue)).one()
        assert isinstance(value.owner, Study)
        assert (value.patient_id, value.value) == (None, 3)


def test_a_value_with_two_owners_is_not_stored(engine):
    with DomainSession(bind=engine) as session:
        image = an_image(a_patient())
        session.add(image)
        session.commit()
        session.add(
            AttributeValue(
                patient=image.patient,
                study=image.study,
                producing_model=AttributesModel(model_name="m", version="1"),
                attribute_definition=AttributeDefinition(
                    attribute_name="a", attribute_data_type="Int"
                ),
            )
        )
        with pytest.raises(RuleBroken, match="more than one owner"):
            session.flush()


def test_states_of_tasks_are_stored_with_who_has_them(engine):
    with DomainSession(bind=engine) as session:
        anna, ben = Creator(creator_name="anna"), Creator(creator_name="ben")
        task = Task(task_name="t", task_definition=TaskDefinition(task_definition_name="d"))
        task.sub_tasks = [SubTask()]
        session.add_all([anna, ben, task])
        session.commit()
        task.start()
        task.sub_tasks[0].start(by=anna)
        session.commit()
    with DomainSession(bind=engine) as session:
        task = session.scalars(select(Task)).one()
        (sub_task,) = task.sub_tasks
        anna, ben = session.scalars(select(Creator).order_by(Creator.creator_name)).all()
        with pytest.raises(RuleBroken, match="belongs to creator"):
            sub_task.finish(by=ben)
        sub_task.release(by=anna)
        session.commit()
        assert sub_task.creator_id is None
        sub_task.start(by=ben)
        sub_task.finish("done", by=ben)
        task.finish()
        session.commit()
        assert task.progress[SubTaskState.Ready] == 1


SCENARIO = """
import sys
from eyened_domain.model import *
lesions = Feature(feature_name="lesions")
lesions.add_subfeature(Feature(feature_name="drusen"))
value = AttributeValue(patient=Patient(patient_identifier="P", birth_date="1960-01-01"))
value.check_rules()
assert value.owner.age_years(value.owner.birth_date) == 0
SubTask(task=Task(task_name="t")).start(by=Creator(creator_name="c"))
mask = Segmentation(depth=1, height=2, width=2, data_type="R8UI", data_representation="MultiLabel",
                    feature=lesions, image_instance=ImageInstance(dataset_identifier="a",
                    laterality="L", rows_y=2, columns_x=2))
mask.check_rules()
assert mask.array_name == "uint8_1_2_2.zarr"
assert "numpy" not in sys.modules, "numpy"
import numpy
assert mask.decode(numpy.uint8([[0, 1]]))["drusen"].tolist() == [[False, True]]
assert "sqlalchemy" not in sys.modules, "sqlalchemy"
"""


def test_the_rules_need_no_sqlalchemy_and_numpy_for_pixels_only():
    done = subprocess.run(
        [sys.executable, "-c", SCENARIO], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
