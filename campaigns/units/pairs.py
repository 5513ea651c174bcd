"""Pairs of units of work that meet: what each does, step by step, and what is there after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from attrs import frozen
from sqlalchemy import event

from campaigns.kit.interleaving import Pause
from campaigns.kit.segments import pixels_of
from eyened_domain import (
    AttributeDefinition,
    Attributes,
    AttributesModel,
    Features,
    FormAnnotation,
    Forms,
    Importing,
    ImportOptions,
    Patient,
    Segmentation,
    Segmenting,
    Series,
    Tag,
    Tagging,
)
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.pixels.collect import Collector
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing import Builder

World = dict[str, Any]
"""Ids and names of what the units of a pair work on."""
Work = Callable[[UnitOfWork, World, Pause], object]
T = TypeVar("T")
VOLUME = (4, 6, 8)


@frozen
class OnStorage:
    """Work that makes units of work itself: a service on a whole database."""

    work: Callable[[Any, World, Pause], object]


@frozen
class Pair:
    """Two units that meet."""

    name: str
    make: Callable[..., World]
    """Stores what they work on; called anew for each order."""
    works: tuple[Work | OnStorage, Work | OnStorage]
    tell: Callable[[UnitOfWork, World], Any]
    """Returns what is there afterwards, without ids of this run."""
    needs_files: bool = False
    """Whether it is about files, which are not there in memory."""


def _segmentation(uow: UnitOfWork, build: Builder) -> World:
    depth, height, width = VOLUME
    image = uow.images.add(build.an_image(nr_of_frames=depth, rows_y=height, columns_x=width))
    feature = uow.features.add(build.a_feature())
    creator = uow.creators.add(build.a_creator())
    made = Segmenting().create(uow, image, pixels_of(1, VOLUME), feature=feature, creator=creator)
    uow.flush()
    return {
        "one": made.segmentation_id,
        "image": image.image_instance_id,
        "feature": feature.feature_id,
        "creator": creator.creator_id,
    }


def _mask(uow: UnitOfWork, world: World) -> Any:
    found = uow.segmentations.get(world["one"], default=None)
    return None if found is None else found.read_data().tolist()


def _draws(number: int, scan: int | None = None) -> Work:
    def work(uow: UnitOfWork, world: World, pause: Pause) -> None:
        one = uow.segmentations.get(world["one"])
        pause()
        pixels = pixels_of(number, VOLUME)
        if scan is None:
            one.write_data(pixels)
        else:
            one.write_data(pixels[scan], axis=0, slice_index=scan)
        pause()
        uow.flush()
        pause()

    return work


def _deletes_mask(uow: UnitOfWork, world: World, pause: Pause) -> None:
    one = uow.segmentations.get(world["one"])
    pause()
    uow.segmentations.delete(one)
    pause()
    uow.flush()
    pause()


def _sub_task(uow: UnitOfWork, build: Builder) -> World:
    one = uow.sub_tasks.add(build.a_sub_task())
    creators = [uow.creators.add(build.a_creator()) for _ in range(2)]
    uow.flush()
    return {"one": one.sub_task_id, "creators": [each.creator_id for each in creators]}


def _starts(number: int) -> Work:
    def work(uow: UnitOfWork, world: World, pause: Pause) -> None:
        one = uow.sub_tasks.get(world["one"])
        pause()
        by = uow.creators.get(world["creators"][number])
        pause()
        one.start(by)
        pause()
        uow.flush()
        pause()

    return work


def _whose(uow: UnitOfWork, world: World) -> Any:
    one = uow.sub_tasks.get(world["one"])
    owner = None if one.creator_id is None else world["creators"].index(one.creator_id)
    return one.task_state.name, owner


def _nobody(uow: UnitOfWork, build: Builder) -> World:
    project = uow.projects.add(build.a_project())
    uow.flush()
    return {"project": project.project_id, "name": f"new {project.project_id}"}


def _adds_patient(sex: str) -> Work:
    def work(uow: UnitOfWork, world: World, pause: Pause) -> None:
        there = uow.patients.where(project_id=world["project"], patient_identifier=world["name"])
        pause()
        if there:
            return
        uow.patients.add(
            Patient(project_id=world["project"], patient_identifier=world["name"], sex=sex)
        )
        pause()
        uow.flush()
        pause()

    return work


def _patients(uow: UnitOfWork, world: World) -> Any:
    found = uow.patients.where(project_id=world["project"])
    return [(one.patient_identifier == world["name"], str(one.sex)) for one in found]


def _image(uow: UnitOfWork, build: Builder) -> World:
    image = uow.images.add(build.an_image())
    creators = [uow.creators.add(build.a_creator()) for _ in range(2)]
    uow.flush()
    names = [one.creator_name for one in creators]
    return {"one": image.image_instance_id, "by": names, "tag": f"tag {image.image_instance_id}"}


def _tags(number: int) -> Work:
    def work(uow: UnitOfWork, world: World, pause: Pause) -> None:
        image = uow.images.get(world["one"])
        pause()
        Tagging().tag(uow, image, world["tag"], by=world["by"][number])
        pause()
        uow.flush()
        pause()

    return work


def _tagged(uow: UnitOfWork, world: World) -> Any:
    links = uow.images.get(world["one"]).image_instance_tag_links
    tags = uow.repository(Tag).where(tag_name=world["tag"])
    return len(tags), [world["by"].index(link.creator.creator_name) for link in links]


def _form(uow: UnitOfWork, build: Builder) -> World:
    one = uow.forms.add(build.a_form_annotation(form_data={"ours": 0, "theirs": 0}))
    one.form_schema.schema = {}
    uow.flush()
    return {"one": one.form_annotation_id, "by": one.creator_id}


def _revises(grade: int) -> Work:
    def work(uow: UnitOfWork, world: World, pause: Pause) -> None:
        one = uow.forms.get(world["one"])
        by = uow.creators.get(world["by"])
        pause()
        Forms().revise(uow, one, {"grade": grade}, by=by)
        pause()
        uow.flush()
        pause()

    return work


def _edits(name: str) -> Work:
    def work(uow: UnitOfWork, world: World, pause: Pause) -> None:
        one = uow.forms.get(world["one"])
        pause()
        one.form_data[name] += 1
        pause()
        uow.flush()
        pause()

    return work


def _answers(uow: UnitOfWork, world: World) -> Any:
    one = uow.forms.get(world["one"])
    return one.form_data, [each.form_data for each in _revisions(uow, one)]


def _revisions(uow: UnitOfWork, one: FormAnnotation) -> list[FormAnnotation]:
    return uow.forms.where(form_annotation_reference_id=one.form_annotation_id)


def _two_features(uow: UnitOfWork, build: Builder) -> World:
    features = [uow.features.add(build.a_feature()) for _ in range(2)]
    uow.flush()
    ids = [one.feature_id for one in features]
    return {"ids": ids, "names": [f"{name} {ids[0]}" for name in ("new", "other")]}


def _renames(which: int, to: int) -> Work:
    def work(uow: UnitOfWork, world: World, pause: Pause) -> None:
        one = uow.features.get(world["ids"][which])
        pause()
        Features().rename(uow, one, world["names"][to])
        pause()
        uow.flush()
        pause()

    return work


def _feature_names(uow: UnitOfWork, world: World) -> Any:
    names = [uow.features.get(one).feature_name for one in world["ids"]]
    return [world["names"].index(one) if one in world["names"] else None for one in names]


def _two_studies(uow: UnitOfWork, build: Builder) -> World:
    patient = build.a_patient()
    studies = [uow.studies.add(build.a_study(patient=patient)) for _ in range(2)]
    series = uow.series.add(build.a_series(study=studies[0]))
    uow.flush()
    return {"ids": [one.study_id for one in studies], "series": series.series_id}


def _moves(uow: UnitOfWork, world: World, pause: Pause) -> None:
    series = uow.series.get(world["series"])
    pause()
    series.study = uow.studies.get(world["ids"][1])
    pause()
    uow.flush()
    pause()


def _deletes_study(uow: UnitOfWork, world: World, pause: Pause) -> None:
    study = uow.studies.get(world["ids"][1])
    pause()
    uow.studies.delete(study)
    pause()
    uow.flush()
    pause()


def _adds_series(uow: UnitOfWork, world: World, pause: Pause) -> None:
    study = uow.studies.get(world["ids"][1])
    pause()
    uow.series.add(Series(study=study))
    pause()
    uow.flush()
    pause()


def _studies(uow: UnitOfWork, world: World) -> Any:
    there = [uow.studies.get(one, default=None) is not None for one in world["ids"]]
    series = uow.repository(Series).get(world["series"], default=None)
    of = None if series is None else world["ids"].index(series.study_id)
    return there, of, uow.series.count(study_id=world["ids"][1])


def _attribute(uow: UnitOfWork, build: Builder) -> World:
    image = uow.images.add(build.an_image())
    definition = uow.attributes.add(build.build(AttributeDefinition, attribute_data_type="Int"))
    model = uow.attributes_models.add(build.build(AttributesModel))
    uow.flush()
    return {
        "one": image.image_instance_id,
        "attribute": definition.attribute_name,
        "model": model.model_id,
    }


def _puts(value: int) -> Work:
    def work(uow: UnitOfWork, world: World, pause: Pause) -> None:
        image = uow.images.get(world["one"])
        model = uow.attributes_models.get(world["model"])
        pause()
        Attributes().put(uow, image, world["attribute"], value, model=model)
        pause()
        uow.flush()
        pause()

    return work


def _values(uow: UnitOfWork, world: World) -> Any:
    return [one.value_int for one in uow.attribute_values.where(image_instance_id=world["one"])]


def _deletes_feature(uow: UnitOfWork, world: World, pause: Pause) -> None:
    feature = uow.features.get(world["feature"])
    one = uow.segmentations.get(world["one"], default=None)
    pause()
    if one is not None:
        uow.segmentations.delete(one)
    pause()
    uow.features.delete(feature)
    pause()
    uow.flush()
    pause()


def _draws_new(uow: UnitOfWork, world: World, pause: Pause) -> None:
    image, feature = uow.images.get(world["image"]), uow.features.get(world["feature"])
    creator = uow.creators.get(world["creator"])
    pause()
    Segmenting().create(uow, image, pixels_of(9, VOLUME), feature=feature, creator=creator)
    pause()
    uow.flush()
    pause()


def _of_feature(uow: UnitOfWork, world: World) -> Any:
    there = uow.features.get(world["feature"], default=None) is not None
    found = uow.repository(Segmentation).where(image_instance_id=world["image"])
    return there, [int(np.sum(one.read_data())) for one in found]


class _Pausing:
    """A storage that lets others go before each commit."""

    def __init__(self, storage: Any, pause: Pause) -> None:
        self._storage, self._pause = storage, pause

    def unit_of_work(self) -> UnitOfWork:
        made: UnitOfWork = self._storage.unit_of_work()
        return made

    def run(self, work: Callable[[Any], T], *, retries: int = 3) -> T:
        def paused(uow: Any) -> T:
            done = work(uow)
            uow.flush()
            self._pause()
            return done

        result: T = self._storage.run(paused, retries=retries)
        return result


def _imports(*images: int) -> OnStorage:
    def work(storage: Any, world: World, pause: Pause) -> None:
        files = FileSystemImageFiles("/")  # of which none is read
        service = Importing(_Pausing(storage, pause), files)
        records = [
            {
                "project_name": world["name"],
                "patient_identifier": "P",
                "study_date": "2024-01-01",
                "image": f"{world['name']}/{image}.png",
                "laterality": "L",
                "modality": "OCT",
                "manufacturer": world["name"],
            }
            for image in images
        ]
        options = ImportOptions(
            create_projects=True, create_patients=True, create_studies=True, read_files=False
        )
        plan = service.plan(records, options)
        pause()
        service.apply(plan)

    return OnStorage(work)


def _imported(uow: UnitOfWork, world: World) -> Any:
    found = uow.images.where()
    of_it = [one for one in found if one.dataset_identifier.startswith(f"{world['name']}/")]
    names = sorted(one.dataset_identifier.rpartition("/")[2] for one in of_it)
    projects = uow.projects.count(project_name=world["name"])
    patients = {one.patient.patient_id for one in of_it}
    return names, projects, len(patients), len({one.study.study_id for one in of_it})


def _collects(storage: Any, _world: World, pause: Pause) -> None:
    me = threading.get_ident()

    def before_commit(_connection: Any) -> None:
        if threading.get_ident() == me:
            pause()

    event.listen(storage.engine, "commit", before_commit)
    try:
        Collector(storage.engine, storage.pixel_shelf.files, grace_s=0).collect(dry_run=False)
    finally:
        event.remove(storage.engine, "commit", before_commit)


PAIRS = (
    Pair("claim/claim", _sub_task, (_starts(0), _starts(1)), _whose),
    Pair("write/write", _segmentation, (_draws(2), _draws(3)), _mask),
    Pair("B-scan/B-scan", _segmentation, (_draws(2, scan=0), _draws(3, scan=2)), _mask),
    Pair(
        "write/collector",
        _segmentation,
        (_draws(2), OnStorage(_collects)),
        _mask,
        needs_files=True,
    ),
    Pair("delete/write", _segmentation, (_deletes_mask, _draws(3)), _mask),
    Pair("patient/patient", _nobody, (_adds_patient("F"), _adds_patient("M")), _patients),
    Pair("import/import", _nobody, (_imports(1, 2), _imports(2, 3)), _imported),
    Pair("tag/tag", _image, (_tags(0), _tags(1)), _tagged),
    Pair("revise/revise", _form, (_revises(1), _revises(2)), _answers),
    Pair("answer/answer", _form, (_edits("ours"), _edits("theirs")), _answers),
    Pair("rename/rename", _two_features, (_renames(0, 0), _renames(0, 1)), _feature_names),
    Pair("name/same name", _two_features, (_renames(0, 0), _renames(1, 0)), _feature_names),
    Pair("move/delete", _two_studies, (_moves, _deletes_study), _studies),
    Pair("add/delete", _two_studies, (_adds_series, _deletes_study), _studies),
    Pair("value/value", _attribute, (_puts(1), _puts(2)), _values),
    Pair("delete/draw", _segmentation, (_deletes_feature, _draws_new), _of_feature),
)
"""The pairs that every storage knows."""
