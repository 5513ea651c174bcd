"""How an entity declares its columns and its links.

    @entity
    class Patient(Entity):
        patient_id: Column[int] = key("PatientID", default=None)
        patient_identifier: Column[str] = column("PatientIdentifier", Text(255))
        project_id: Column[int] = foreign_key("ProjectID", "Project", default=None)
        project: One[Project] = one("Project", "Project", via="project_id", back="patients")
        studies: Many[Study] = many("Studies", "Study", back="patient")

The first argument is always the name in the database, the second name under which the
field can be used everywhere.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

import attrs
from attrs import NOTHING, frozen

from eyened_domain.model.values import Choice, Integer, Kind, Moment

if TYPE_CHECKING:
    from sqlalchemy.orm import InstrumentedAttribute  # what the mapping puts on the class

T = TypeVar("T")
OnDelete = Literal["NO ACTION", "RESTRICT", "CASCADE", "SET NULL"]
"""What happens to a row when the row that it points to is deleted."""
_METADATA = "eyened_domain"


class _Declared(Generic[T]):
    """What a type checker sees of a field: `T` on an object, a SQL expression on the class.

    At run time attrs and SQLAlchemy put their own descriptors in its place.
    """

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> InstrumentedAttribute[T]: ...
        @overload
        def __get__(self, instance: object, owner: type) -> T: ...
        def __get__(self, instance: object, owner: type) -> Any: ...


class Column(_Declared[T]):
    """The type of a column's field: `T` on an object, a SQL expression on the class."""

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T) -> None: ...


class EnumColumn(_Declared[T]):
    """The type of an enum column's field: takes a member or its name, holds the member."""

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T | str) -> None: ...


class DateColumn(_Declared[T]):
    """The type of a date column's field: takes a date or an ISO string, holds the date."""

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T | str) -> None: ...


class One(_Declared[T]):
    """The type of a link to one other entity: the entity, or None."""

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: T | None) -> None: ...


class Many(_Declared[list[T]], Generic[T]):
    """The type of a link to many other entities: a list that keeps the way back in step."""

    if TYPE_CHECKING:

        def __set__(self, instance: object, value: list[T]) -> None: ...


@frozen(kw_only=True)
class ColumnInfo:
    """What the model knows of a column: its two names, its kind, and its rules."""

    name: str = ""
    database_name: str
    kind: Kind
    nullable: bool
    required: bool
    primary_key: bool = False
    private: bool = False
    generated: bool = False
    """Whether the storage gives the value when the object has none."""
    references: str | None = None
    """Name of the entity whose primary key the column holds."""
    on_delete: OnDelete = "NO ACTION"
    """What becomes of the object when the one that it refers to is deleted."""
    copied: bool = True
    """Whether a copy of the object holds it too; not what belongs to the row alone."""
    set_on_insert: bool = False
    """Whether it holds the moment of the row's insertion, unless a value is given."""
    set_on_update: bool = False
    """Whether it holds the moment of the row's last change, unless a value is given."""

    @property
    def is_link(self) -> bool:
        """Whether it is a link; False for a column."""
        return False

    @property
    def forbids_deletion(self) -> bool:
        """Whether what it refers to cannot be deleted while the object is there."""
        return self.references is not None and self.on_delete not in {"CASCADE", "SET NULL"}


@frozen(kw_only=True)
class LinkInfo:
    """What the model knows of a link: where it leads, through which column, and the way back."""

    name: str = ""
    database_name: str
    target: str
    """Name of the entity it leads to."""
    many: bool
    via: str | None = None
    """The column with the other's id: of this entity (to one) or of the target (to many)."""
    back: str | None = None
    through: tuple[str, str, str] | None = None
    """For many to many: the entity between, its column for this side, and for the other."""

    @property
    def is_link(self) -> bool:
        """Whether it is a link; True."""
        return True


def key(database_name: str, *, default: None) -> Any:
    """Declare the primary key; the storage gives it its value.

    Args:
        database_name: its name in the database.
        default: always None: the id comes from the storage.
    """
    info = ColumnInfo(
        database_name=database_name,
        kind=Integer(),
        nullable=False,
        required=False,
        primary_key=True,
        generated=True,
        copied=False,
    )
    return attrs.field(default=default, metadata={_METADATA: info})


def column(
    database_name: str,
    kind: Kind,
    *,
    default: Any = NOTHING,
    nullable: bool = False,
    private: bool = False,
    copied: bool = True,
    set_on_insert: bool = False,
    set_on_update: bool = False,
) -> Any:
    """Declare a column.

    Args:
        database_name: its name in the database.
        kind: what it holds; see `eyened_domain.model.values`.
        default: what a new object holds when nothing is given; required without one.
        nullable: whether the database accepts NULL.
        private: whether it must never be shown, logged or exported.
        copied: whether a copy of the object holds it too; not for what belongs to this row
            alone, nor for moments that the storage fills in.
        set_on_insert: whether the storage fills in the moment when the row is inserted.
        set_on_update: whether the storage fills in the moment whenever the row changes.
    """
    stamped = set_on_insert or (isinstance(kind, Moment) and default is None and not nullable)
    info = ColumnInfo(
        database_name=database_name,
        kind=kind,
        nullable=nullable,
        required=default is NOTHING,
        private=private,
        generated=default is None and not nullable,
        copied=copied and not (stamped or set_on_update),
        set_on_insert=stamped,
        set_on_update=set_on_update,
    )
    return attrs.field(default=default, metadata={_METADATA: info})


def choice(
    database_name: str, enum: type[Enum], *, default: Any = NOTHING, nullable: bool = False
) -> Any:
    """Declare an enum column; see `column`."""
    return column(database_name, Choice(enum), default=default, nullable=nullable)


def foreign_key(
    database_name: str,
    references: str,
    *,
    default: None,
    nullable: bool = False,
    primary_key: bool = False,
    on_delete: OnDelete = "NO ACTION",
) -> Any:
    """Declare a column that holds the primary key of another entity.

    Args:
        database_name: its name in the database.
        references: the name of the entity it points to.
        default: always None: the id may come later, from the link.
        nullable: whether there may be none.
        primary_key: whether it is (part of) this entity's own key.
        on_delete: what becomes of this object when the other one is deleted.
    """
    info = ColumnInfo(
        database_name=database_name,
        kind=Integer(),
        nullable=nullable,
        required=False,
        primary_key=primary_key,
        generated=True,
        references=references,
        on_delete=on_delete,
    )
    return attrs.field(default=default, metadata={_METADATA: info})


def key_part(database_name: str, kind: Kind, *, default: Any = NOTHING) -> Any:
    """Declare a column that is part of a primary key and is given by the caller."""
    info = ColumnInfo(
        database_name=database_name,
        kind=kind,
        nullable=False,
        required=default is NOTHING,
        primary_key=True,
    )
    return attrs.field(default=default, metadata={_METADATA: info})


def one(
    database_name: str, target: str, *, via: str, back: str | None = None, default: None = None
) -> Any:
    """Declare a link to one other entity.

    Args:
        database_name: its name in the database style.
        target: the name of the entity it leads to.
        via: the column of this entity that holds the other's id.
        back: the name of the link at the other end, if it has one.
        default: there for type checkers; a link that is not given is not set.
    """
    info = LinkInfo(database_name=database_name, target=target, many=False, via=via, back=back)
    return attrs.field(init=default is not None, metadata={_METADATA: info})


def many(
    database_name: str,
    target: str,
    *,
    back: str | None = None,
    via: str | None = None,
    through: tuple[str, str, str] | None = None,
    default: None = None,
) -> Any:
    """Declare a link to many other entities.

    Args:
        database_name: its name in the database style.
        target: the name of the entity it leads to.
        back: the name of the link at the other end.
        via: the column of the target with this entity's id; by default the way back's.
        through: for many to many, the entity between and its two columns (mine, theirs).
        default: there for type checkers; a link that is not given is not set.
    """
    info = LinkInfo(
        database_name=database_name, target=target, many=True, via=via, back=back, through=through
    )
    return attrs.field(init=default is not None, metadata={_METADATA: info})


def info_of(attribute: attrs.Attribute[Any]) -> ColumnInfo | LinkInfo:
    """Return what was declared of an attrs field, with its name filled in."""
    info: ColumnInfo | LinkInfo = attribute.metadata[_METADATA]
    return attrs.evolve(info, name=attribute.name)
