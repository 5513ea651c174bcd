"""Attributes: what is computed of images, segmentations, patients and studies, and by what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from eyened_domain.errors import NotFound
from eyened_domain.model.attribute import AttributeDefinition, AttributeValue
from eyened_domain.model.computation import AttributesModel, Model
from eyened_domain.model.entity import Entity
from eyened_domain.model.enums import AttributeDataType, Laterality
from eyened_domain.model.project import Project
from eyened_domain.model.queries import RAISE
from eyened_domain.model.values import shown
from eyened_domain.services.attributes.bringing_in import GivenModel, count, prepare, write
from eyened_domain.services.attributes.definitions import Named, declare_model, define_all
from eyened_domain.services.attributes.owners import owner_kind
from eyened_domain.services.attributes.placing import place_rows
from eyened_domain.services.attributes.plan import AttributePlan, AttributeResult
from eyened_domain.services.attributes.values import find_value, put_value
from eyened_domain.services.attributes.wide import ModelChoice, WideQuery, read_wide
from eyened_domain.services.data_frames import backend_of, make_frame, read_frame
from eyened_domain.services.garbage import rarer_collections
from eyened_domain.services.inactive import includes_inactive
from eyened_domain.services.unit_of_work import UnitOfWork

D = TypeVar("D")


class Attributes:
    """Defines attributes and the models that compute them, and holds their values.

    A value has one owner (an image, a segmentation of a person or of a model, a patient or a
    study), one attribute, a model or none, and one eye or none: the same four name the same value.
    """

    def define(
        self, uow: UnitOfWork, name: str, data_type: AttributeDataType | str
    ) -> AttributeDefinition:
        """Return the attribute of that name, made when there is none.

        Args:
            uow: an open unit of work; the caller commits.
            name: of the attribute; case and accents make no difference.
            data_type: ``Float``, ``Int``, ``String`` or ``JSON``.

        Raises:
            RuleBroken: there is one of another type.
            BadInput: it is no name, or no type.
        """
        return self.define_all(uow, {name: data_type})[name]

    def define_all(
        self, uow: UnitOfWork, types: Mapping[str, AttributeDataType | str]
    ) -> dict[str, AttributeDefinition]:
        """Return the attributes of these names and types; see `define`. One look-up for all."""
        return define_all(uow, types)

    def model(
        self,
        uow: UnitOfWork,
        name: str,
        version: str,
        *,
        description: str | None = None,
        inputs: Mapping[str, Named] | None = None,
        outputs: Iterable[Named] = (),
    ) -> AttributesModel:
        """Return the attributes model of that name and version, made when there is none.

        What it takes and gives is added to what was declared before; nothing is taken away.

        Args:
            uow: an open unit of work; the caller commits.
            name: of the model.
            version: of the model; each version is a model of its own.
            description: of a new model.
            inputs: for each of its inputs the attribute, or its name.
            outputs: the attributes that it computes, or their names.

        Raises:
            NotFound: there is no such attribute.
            RuleBroken: an input was declared as another attribute, or the model is of
                another kind.
            Duplicate: when flushing, on a database that is not upgraded: there a model has
                one version.
        """
        return declare_model(
            uow, name, version, description=description, inputs=inputs or {}, outputs=outputs
        )

    def put(
        self,
        uow: UnitOfWork,
        owner: Entity,
        attribute: AttributeDefinition | str,
        value: Any,
        *,
        model: Model | None = None,
        laterality: Laterality | str | None = None,
    ) -> AttributeValue:
        """Store a value, in the place of the one that is there; for many see `run`.

        Args:
            uow: an open unit of work; the caller commits.
            owner: an image, a segmentation of either kind, a patient or a study.
            attribute: the attribute, or its name.
            value: of the attribute's type.
            model: what computed it; None for what was entered by hand, where the database
                allows it.
            laterality: of which eye it is, where the owner has two.

        Raises:
            NotFound: there is no such attribute.
            BadInput: things of that kind have no attributes, or the value is of another type.
        """
        return put_value(uow, owner, attribute, value, model=model, laterality=laterality)

    def value_of(
        self,
        uow: UnitOfWork,
        owner: Entity,
        attribute: AttributeDefinition | str,
        *,
        model: Model | None = None,
        laterality: Laterality | str | None = None,
        default: Any = RAISE,
    ) -> Any:
        """Return a value that was put; see `put`.

        Raises:
            NotFound: there is none, and no default was given; or no such attribute.
        """
        definition, found = find_value(uow, owner, attribute, model, laterality)
        if found is not None:
            return found.value
        if default is not RAISE:
            return default
        by = "no model" if model is None else f"{model.model_name} {model.version}"
        raise NotFound(
            f"this {type(owner).__name__} has no value of {shown(definition.attribute_name)} "
            f"from {by}",
            entity="AttributeValue",
            field=definition.value_column,
        )

    def clear(
        self,
        uow: UnitOfWork,
        owner: Entity,
        attribute: AttributeDefinition | str,
        *,
        model: Model | None = None,
        laterality: Laterality | str | None = None,
    ) -> bool:
        """Take a value away; see `put`.

        Returns:
            whether there was one.
        """
        _, found = find_value(uow, owner, attribute, model, laterality)
        if found is not None:
            uow.attribute_values.delete(found)
        return found is not None

    def plan(
        self,
        uow: UnitOfWork,
        frame: Any,
        *,
        model: GivenModel,
        of: type[Entity] | None = None,
        laterality: Laterality | str | None = None,
        attributes: Sequence[str] | None = None,
        clear: bool = False,
        define_missing: bool = True,
    ) -> AttributePlan:
        """Return what bringing a frame of values in would do; nothing is written.

        What says whose values a row holds, as a column or a level of the index, in either style
        of names: an id (``image_instance_id``, ``segmentation_id``, ``model_segmentation_id``,
        ``patient_id``, ``study_id``); or ``sop_instance_uid``; or ``project_name`` and
        ``patient_identifier``, with ``study_date`` for studies. ``laterality`` says of which eye.
        Where more is given than is needed, it must agree. A pandas index without a name holds
        ids of what `of` says. All other columns are attributes.

        Args:
            uow: an open unit of work.
            frame: a DataFrame of pandas or polars, a dict of columns or a list of rows.
            model: what computed the values: a `Model`; the name and version of an attributes
                model, which is made if need be; None for values without a model.
            of: the entity whose values these are, where the columns leave it open.
            laterality: the eye of all rows.
            attributes: the columns that are attributes; others are left alone.
            clear: an empty cell takes the value away that is there, instead of leaving it.
            define_missing: attributes that there are not are defined, with the type of their
                cells: whole numbers, numbers, texts, or JSON for dicts and lists.

        Raises:
            BadInput: the rows or cells of a column are bad; it names the first of them.
            NotFound: owners are not there (all are listed, shortened), or an attribute that is
                not to be defined.
            RuleBroken: the model is of another kind.
        """
        plan = self._prepared(
            uow,
            frame,
            of=of,
            laterality=laterality,
            attributes=attributes,
            model=model,
            clear=clear,
            define_missing=define_missing,
        )
        count(uow, plan)
        return plan

    def apply(self, uow: UnitOfWork, plan: AttributePlan) -> AttributeResult:
        """Do what a plan says, by what is there now; the caller commits.

        The values that there are get locked, so that nobody's change is written over in silence.
        The model's outputs become those attributes too. The number of statements is the same
        up to ten thousand rows, and grows by a few for every further ten thousand.

        Raises:
            RuleBroken: an attribute is of another type by now, or an owner is gone.
            BadInput: a value without a model, on a database that does not allow it.
            Conflict: somebody else changed one of the values at the same time.
        """
        uow.flush()
        with rarer_collections():
            return AttributeResult(write(uow, plan), plan)

    def run(
        self,
        uow: UnitOfWork,
        frame: Any,
        *,
        model: GivenModel,
        of: type[Entity] | None = None,
        laterality: Laterality | str | None = None,
        attributes: Sequence[str] | None = None,
        clear: bool = False,
        define_missing: bool = True,
    ) -> AttributeResult:
        """Plan and apply in one call; see `plan` and `apply`."""
        plan = self._prepared(
            uow,
            frame,
            of=of,
            laterality=laterality,
            attributes=attributes,
            model=model,
            clear=clear,
            define_missing=define_missing,
        )
        return self.apply(uow, plan)

    def frame(
        self,
        uow: UnitOfWork,
        of: type[Entity],
        *,
        attributes: Sequence[str] | None = None,
        models: Sequence[ModelChoice] | None = None,
        owners: Iterable[int] | None = None,
        project: Project | str | None = None,
        hierarchy: Sequence[str] = (),
        per_eye: bool = False,
        include_inactive: bool | None = None,
        backend: str = "pandas",
    ) -> Any:
        """Return values as a wide DataFrame, without building objects.

        The columns are the id of the owner, ``laterality`` with `per_eye`, those of `hierarchy`,
        and then the attributes, in the order in which they were asked for, or by name. Where
        several models are chosen, or found, their name and version stand behind that of the
        attribute: ``CRAE (net 2)``; without `per_eye`, a value that is of one eye has a column
        of its own: ``CRAE L``.

        Args:
            uow: an open unit of work.
            of: the entity whose values these are: ``ImageInstance``.
            attributes: the names of attributes; all that have values by default.
            models: models, their ``(name, version)``, names that stand for all versions, and
                None for values without a model; all by default.
            owners: ids; each gets a row, in this order. By default all that have values do.
            project: all owners in it get a row.
            hierarchy: columns of the owner or of what is above it: ``project_name``,
                ``Study.study_date``, ``ImageInstance.laterality``.
            per_eye: a row for each owner and eye.
            include_inactive: with images or segmentations that were withdrawn; as the unit of
                work says, by default.
            backend: ``pandas`` or ``polars``.

        Raises:
            NotFound: there is no such attribute, model, owner or project.
            BadInput: there is no such column, or two would have the same name.
            ConfigurationError: the backend is not installed.
        """
        backend_of(backend)
        uow.flush()
        query = WideQuery(
            kind=owner_kind(of),
            attributes=attributes,
            models=models,
            owners=owners,
            project=project,
            hierarchy=hierarchy,
            per_eye=per_eye,
            include_inactive=includes_inactive(uow, include_inactive),
        )
        with rarer_collections():
            table = read_wide(uow, query)
            return make_frame(table.columns, table.kinds, backend=backend)

    def _prepared(
        self,
        uow: UnitOfWork,
        frame: Any,
        *,
        of: type[Entity] | None,
        laterality: Laterality | str | None,
        attributes: Sequence[str] | None,
        **how: Any,
    ) -> AttributePlan:
        uow.flush()
        placed = place_rows(
            uow, read_frame(frame), of=of, laterality=laterality, attributes=attributes
        )
        return prepare(uow, placed, **how)
