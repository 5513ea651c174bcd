"""How MariaDB finds what a search asks: the plans of its statements, and a stock to ask of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import event, text

from benchmarks.dataset import fill
from eyened_domain import Database, Search
from eyened_domain.model import (
    Annotation,
    AttributeDataType,
    AttributeDefinition,
    AttributesModel,
    AttributeValue,
    Contact,
    DeviceInstance,
    DeviceModel,
    Entity,
    FormAnnotation,
    ImageInstance,
    ImageInstanceTagLink,
    ModalityTable,
    ModelSegmentation,
    Patient,
    Project,
    Scan,
    Segmentation,
    Series,
    SexEnum,
    SourceInfo,
    Study,
    StudyTagLink,
    SubTaskImageLink,
)
from eyened_domain.services.conditions import Condition, field
from eyened_domain.services.conditions.naming import MEANT, place_of
from eyened_domain.services.search import FieldInfo
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder

RARE, VALUE, GRADE = "rare", 7.0, 7


@frozen
class Step:
    """One table of a plan.

    Attributes:
        table: its name, or under which other name it stands in the statement.
        access: how rows are found; ``ALL`` and ``index`` read the whole table or index.
        key: the index; None for none.
        extra: what is done besides: ``Using filesort``.
    """

    table: str
    access: str
    key: str | None
    extra: str


def plan(database: Database, work: Callable[[], Any]) -> list[Step]:
    """Return how the server carries out the statements that the work sends, one after the other."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    rows: list[Any] = []
    with database.engine.connect() as connection:
        for statement, parameters in sent:
            explain = f"EXPLAIN FORMAT=TRADITIONAL {statement}"
            rows += connection.exec_driver_sql(explain, parameters).mappings().all()
    return [
        Step(str(row["table"]), str(row["type"]), row["key"], str(row["Extra"])) for row in rows
    ]


def reads_all_images(steps: Sequence[Step]) -> bool:
    """Whether all images are read."""
    of_images = [one for one in steps if one.table in ("ImageInstance", "ImageInstance_1")]
    return any(one.access in ("ALL", "index") for one in of_images)


def stock(database: Database, images: int) -> dict[str, Any]:
    """Store that many plain images, and one of which everything is said.

    Returns:
        for each field that can be asked of images, what it holds of that one.
    """
    fill(database.engine, images)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE Patient SET Sex = 'F'"))
    with database.unit_of_work() as uow:
        said = _said_of(uow, Builder())
        uow.flush()
        found = {one.name: _value(one.name, said) for one in Search().fields()}
        uow.commit()
    with database.engine.begin() as connection:
        for name in connection.execute(text("SHOW TABLES")).scalars().all():
            connection.execute(text(f"ANALYZE TABLE `{name}`"))
    return found


def asked(one: FieldInfo, value: Any) -> dict[str, Condition]:
    """Return conditions that find what holds a value, by their operators."""
    given: dict[str, Any] = {}
    if one.name.endswith("attribute"):
        given = {"name": RARE, "model": RARE, "version": "7"}
    elif one.name.endswith("answer"):
        given = {"path": "grade"}
    sought = field(one.name, **given)
    if "==" not in one.operators:
        return {"is not null": sought.is_not_null()}
    found: dict[str, Condition] = {"==": sought == value, "in": sought.in_([value])}
    if "between" in one.operators:
        found["between"] = sought.between(value, value)
    if one.type == "text":
        found["like"] = sought.like(f"{value}%")
    return found


def _said_of(uow: UnitOfWork, builder: Builder) -> dict[type[Entity], Entity]:
    """Store an image with all that is said of it; return one of each kind."""
    image = _image(builder)
    study = image.series.study
    active: dict[str, Any] = {"image_instance": image, "inactive": False}
    said = [
        uow.images.add(image),
        builder.add(uow, ImageInstanceTagLink, full=True, image_instance=image),
        builder.add(uow, StudyTagLink, full=True, study=study),
        builder.add(uow, Segmentation, full=True, **active),
        builder.add(uow, ModelSegmentation, full=True, image_instance=image),
        builder.add(uow, Annotation, full=True, **active),
        builder.add(uow, FormAnnotation, full=True, form_data={"grade": GRADE}, **active),
        builder.add(uow, SubTaskImageLink, full=True, image_instance=image),
    ]
    shared: dict[str, Any] = {
        "attribute_definition": builder.full(
            AttributeDefinition,
            attribute_name=RARE,
            attribute_data_type=AttributeDataType.Float,
        ),
        "producing_model": builder.full(AttributesModel, model_name=RARE, version="7"),
        "value_float": VALUE,
    }
    for owner in ({"image_instance": image}, {"study": study}, {"patient": study.patient}):
        builder.add(uow, AttributeValue, **owner, **shared)
    return {type(one): one for one in said}


def _image(builder: Builder) -> ImageInstance:
    full = builder.full
    project = full(Project, contact=full(Contact), external="M")
    patient = full(Patient, project=project, sex=SexEnum.M)
    study = full(Study, patient=patient, study_round=77)
    return full(
        ImageInstance,
        series=full(Series, study=study, series_number=77, series_instance_uid="1.2.3"),
        device_instance=full(DeviceInstance, device_model=full(DeviceModel)),
        source_info=full(SourceInfo),
        modality="ICGA",
        modality_entry=full(ModalityTable, modality_tag="ICGA"),
        scan=full(Scan),
        inactive=False,
    )


def _value(name: str, said: dict[type[Entity], Entity]) -> Any:
    """Return what a field holds of the image of which everything is said."""
    if name.endswith("attribute"):
        return VALUE
    if name.endswith("answer"):
        return GRADE
    place = place_of(ImageInstance, name)
    if place.hops and place.column is None and not place.path:
        place = place_of(ImageInstance, f"{name}.{MEANT[place.owner]}")
    found: Any = said[place.hops[-1].target if place.hops else ImageInstance]
    for step in place.path:
        found = getattr(found, step)
    if isinstance(found, Entity):
        found = getattr(found, str(type(found).__entity__.name_column))
    return found
