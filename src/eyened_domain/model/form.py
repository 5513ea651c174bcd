"""Forms and what was filled in."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from eyened_domain.errors import RuleBroken
from eyened_domain.model.database_names.form import FormAnnotationNames, FormSchemaNames
from eyened_domain.model.entity import Entity, entity
from eyened_domain.model.enums import EntityType, Laterality
from eyened_domain.model.fields import (
    Column,
    DateColumn,
    EnumColumn,
    Many,
    One,
    choice,
    column,
    foreign_key,
    key,
    many,
    one,
)
from eyened_domain.model.flat_answers import flat
from eyened_domain.model.known_links import Certainty, is_set, loaded
from eyened_domain.model.lineage import check_lineage
from eyened_domain.model.values import Flag, Json, Moment, Text, shown

if TYPE_CHECKING:
    from eyened_domain.model.creator import Creator
    from eyened_domain.model.image import ImageInstance
    from eyened_domain.model.patient import Patient
    from eyened_domain.model.queries import GivesRepositories
    from eyened_domain.model.study import Study
    from eyened_domain.model.tag import FormAnnotationTagLink
    from eyened_domain.model.task import SubTask


@entity(unique=(("schema_name",),), name="schema_name", repository="form_schemas")
class FormSchema(FormSchemaNames, Entity):
    """The JSON schema of a form, and what it is filled in about."""

    form_schema_id: Column[int] = key("FormSchemaID", default=None)
    schema_name: Column[str] = column("SchemaName", Text(255))
    schema: Column[Any] = column("Schema", Json(), default=None, nullable=True)
    entity_type: EnumColumn[EntityType | None] = choice(
        "EntityType", EntityType, default=None, nullable=True
    )

    form_annotations: Many[FormAnnotation] = many(
        "FormAnnotations", "FormAnnotation", back="form_schema", default=None
    )

    def check_rules(self) -> None:
        """Raise `RuleBroken` when the schema is something else than a JSON object."""
        schema = self.__dict__.get("schema")
        if schema is not None and not isinstance(schema, dict):
            raise RuleBroken(
                f"FormSchema.schema = {shown(schema)}: a JSON schema is an object",
                entity="FormSchema",
                field="schema",
            )


@entity(repository="forms")
class FormAnnotation(FormAnnotationNames, Entity):
    """A form that a creator filled in about a patient, study, eye or image."""

    form_annotation_id: Column[int] = key("FormAnnotationID", default=None)
    form_schema_id: Column[int] = foreign_key("FormSchemaID", "FormSchema", default=None)
    patient_id: Column[int] = foreign_key("PatientID", "Patient", default=None)
    study_id: Column[int | None] = foreign_key("StudyID", "Study", default=None, nullable=True)
    image_instance_id: Column[int | None] = foreign_key(
        "ImageInstanceID", "ImageInstance", default=None, nullable=True, on_delete="CASCADE"
    )
    laterality: EnumColumn[Laterality | None] = choice(
        "Laterality", Laterality, default=None, nullable=True
    )
    creator_id: Column[int] = foreign_key("CreatorID", "Creator", default=None)
    sub_task_id: Column[int | None] = foreign_key(
        "SubTaskID", "SubTask", default=None, nullable=True, on_delete="SET NULL"
    )
    form_data: Column[Any] = column("FormData", Json(), default=None, nullable=True)
    form_annotation_reference_id: Column[int | None] = foreign_key(
        "FormAnnotationReferenceID",
        "FormAnnotation",
        default=None,
        nullable=True,
        on_delete="CASCADE",
    )
    inactive: Column[bool] = column("Inactive", Flag(), default=False)
    date_inserted: DateColumn[datetime] = column("DateInserted", Moment(), default=None)
    date_modified: DateColumn[datetime | None] = column(
        "DateModified",
        Moment(),
        default=None,
        nullable=True,
        set_on_insert=True,
        set_on_update=True,
    )

    form_schema: One[FormSchema] = one(
        "FormSchema", "FormSchema", via="form_schema_id", back="form_annotations", default=None
    )
    patient: One[Patient] = one(
        "Patient", "Patient", via="patient_id", back="form_annotations", default=None
    )
    study: One[Study | None] = one(
        "Study", "Study", via="study_id", back="form_annotations", default=None
    )
    image_instance: One[ImageInstance | None] = one(
        "ImageInstance",
        "ImageInstance",
        via="image_instance_id",
        back="form_annotations",
        default=None,
    )
    creator: One[Creator] = one(
        "Creator", "Creator", via="creator_id", back="form_annotations", default=None
    )
    sub_task: One[SubTask | None] = one(
        "SubTask", "SubTask", via="sub_task_id", back="form_annotations", default=None
    )
    form_annotation_reference: One[FormAnnotation | None] = one(
        "FormAnnotationReference",
        "FormAnnotation",
        via="form_annotation_reference_id",
        back="revisions",
        default=None,
    )
    revisions: Many[FormAnnotation] = many(
        "Revisions", "FormAnnotation", back="form_annotation_reference", default=None
    )
    form_annotation_tag_links: Many[FormAnnotationTagLink] = many(
        "FormAnnotationTagLinks", "FormAnnotationTagLink", back="form_annotation", default=None
    )

    @classmethod
    def by_schema_and_creator(
        cls,
        source: GivesRepositories,
        schema_name: str,
        creator_name: str | None = None,
        *,
        include_inactive: bool | None = None,
    ) -> list[FormAnnotation]:
        """Return what was filled in of a form, in the order of the ids.

        Args:
            source: an open session or unit of work.
            schema_name: the name of the form.
            creator_name: by whom; by everybody when not given.
            include_inactive: with what was withdrawn; as the source says, by default.

        Raises:
            NotFound: there is no form, or no creator, of that name.
        """
        schema, creator = _named(source, schema_name, creator_name)
        wanted: dict[str, Any] = {"form_schema": schema}
        if creator is not None:
            wanted["creator"] = creator
        return cls.where(source, include_inactive=include_inactive, **wanted)

    @classmethod
    def export_formannotations_by_schema(
        cls,
        source: GivesRepositories,
        schema_name: str,
        creator_name: str | None = None,
        *,
        include_inactive: bool | None = None,
        backend: Literal["pandas", "polars"] = "pandas",
        database_names: bool = False,
    ) -> Any:
        """Return what was filled in of a form as a DataFrame, read in one statement.

        A row for each form, in the order of the ids. First come the columns that tell of it
        (ids, project, patient, study date, image, eye, creator, date), which no answer can take
        the place of; then the answers, each under its path (``left.grades[2]``), by the letters
        of the paths. An answer called as one of the first columns is written ``["laterality"]``.

        A column whose values are all texts, or all numbers, or all yes or no, has that type;
        absent and null are missing values. Of a list or an object that is empty the column
        holds ``[]`` or ``{}`` itself. Columns of several kinds hold Python's values in pandas,
        and JSON text in polars.

        Args:
            source: an open session or unit of work.
            schema_name: the name of the form.
            creator_name: by whom; by everybody when not given.
            include_inactive: with what was withdrawn; as the source says, by default.
            backend: ``pandas`` or ``polars``.
            database_names: label the first columns as the database does (``PatientIdentifier``).

        Raises:
            NotFound: there is no form, or no creator, of that name.
            BadInput: there is no such backend.
            ConfigurationError: it is not installed.
        """
        schema, creator = _named(source, schema_name, creator_name)
        return source.repository(cls).frame_of(
            schema,
            creator,
            include_inactive=include_inactive,
            backend=backend,
            database_names=database_names,
        )

    @property
    def flat_data(self) -> dict[str, Any]:
        """The answers one by one, by their paths: ``{"left.grades[2]": 3, "notes": []}``.

        Empty lists and objects stand for themselves; without answers, there is nothing in it.
        """
        return {} if self.form_data is None else flat(self.form_data)

    @property
    def about(self) -> Patient | Study | ImageInstance | None:
        """What it was filled in about: the patient, study or image that its schema asks for.

        For a schema about an eye it is the patient, or the study, whose eye `laterality`
        tells. Without a schema, or one that does not say, the narrowest that is given.
        """
        kind = self.form_schema.entity_type if self.form_schema is not None else None
        if kind is not None:
            about: Patient | Study | ImageInstance | None = getattr(self, NEEDED[kind][-1])
            return about
        return self.image_instance or self.study or self.patient

    rules_read: ClassVar[tuple[str, ...]] = ("form_schema", "study", "image_instance.series.study")
    checked_when_linked = True

    def check_rules(self) -> None:
        """Raise `RuleBroken` where what it is about is missing or does not agree.

        Patient, study and image must belong together; a new form must have what its schema
        is about. Looks only at what is in view; see `rules_read`.
        """
        check_lineage(self)
        if loaded(self, "form_annotation_reference") is self:
            raise self._broken("it refers to itself", "form_annotation_reference")
        own = self.__dict__.get("form_annotation_id")
        if own is not None:
            if own == self.__dict__.get("form_annotation_reference_id"):
                raise self._broken("it refers to itself", "form_annotation_reference_id")
            return
        self._check_subject()
        self._check_side()

    def _check_subject(self) -> None:
        schema: FormSchema | None = loaded(self, "form_schema")
        kind = None if schema is None else schema.__dict__.get("entity_type")
        if kind is None:
            return
        for name in NEEDED[kind]:
            if not self._has(name):
                raise self._broken(f"the schema is about {kind.name}, which needs {name}", name)

    def _check_side(self) -> None:
        image: ImageInstance | None = loaded(self, "image_instance")
        pictured: Laterality | None = loaded(image, "laterality")
        side: Laterality | None = loaded(self, "laterality")
        if side is not None and pictured is not None and side is not pictured:
            raise self._broken(
                f"it is about the eye {side.name}, the image shows {pictured.name}", "laterality"
            )

    def _has(self, name: str) -> bool:
        if name in self.__entity__.links:
            return is_set(self, name, new=True) is not Certainty.NO
        return self.__dict__.get(name) is not None

    def _broken(self, reason: str, field: str) -> RuleBroken:
        return RuleBroken(f"FormAnnotation: {reason}", entity="FormAnnotation", field=field)


def _named(
    source: GivesRepositories, schema_name: str, creator_name: str | None
) -> tuple[FormSchema, Creator | None]:
    """Return the form and the creator of these names."""
    from eyened_domain.model.creator import Creator  # noqa: PLC0415 - a cycle

    schema = source.repository(FormSchema).by_name(schema_name)
    if creator_name is None:
        return schema, None
    return schema, source.repository(Creator).by_name(creator_name)


NEEDED = {
    EntityType.Patient: ("patient",),
    EntityType.Study: ("study",),
    EntityType.Eye: ("laterality", "patient"),
    EntityType.StudyEye: ("laterality", "study"),
    EntityType.ImageInstance: ("image_instance",),
}
"""What a form about something must have; the last is the link to it."""
