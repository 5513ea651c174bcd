"""`@entity` and `Entity`: what every object of the domain has in common.

An entity is a plain attrs class. Each field has two names, the Python one and the one
in the database; both work on objects, on the class inside a query, and as constructor
keywords. Entities are compared by identity; their ids come from the storage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import Enum
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Self,
    SupportsIndex,
    TypeVar,
    cast,
    dataclass_transform,
)

from eyened_domain.errors import BadInput, RuleBroken, UnknownName
from eyened_domain.model.attrs_view import defined, show_columns_only
from eyened_domain.model.copying import KEPT, copied, let_follow
from eyened_domain.model.entity_dict import EntityDict, whole
from eyened_domain.model.entity_info import (
    EntityInfo,
    declared,
    entity_class,
    entity_classes,
    register,
    root_of,
)
from eyened_domain.model.fields import (
    ColumnInfo,
    LinkInfo,
    choice,
    column,
    foreign_key,
    key,
    key_part,
    many,
    one,
)
from eyened_domain.model.html_table import html_table
from eyened_domain.model.links import ToMany, ToOne
from eyened_domain.model.other_names import DatabaseName
from eyened_domain.model.queries import Queries
from eyened_domain.model.values import PLAIN, Refused, plain, shown

__all__ = [
    "DatabaseName",
    "Entity",
    "EntityInfo",
    "EntityMeta",
    "entity",
    "entity_class",
    "entity_classes",
    "root_of",
]

C = TypeVar("C", bound="type[Entity]")

_COLUMNS_IN_REPR = 6
_IN_A_QUERY = "__clause_element__"
"""What SQLAlchemy asks a class for that stands in a query, and a mapped one has."""
_NOT_MAPPED = (
    "has no table in a database: classes are mapped when eyened_domain.Database is imported, "
    "and only those that have one"
)


class EntityMeta(type):
    """Names the nearest field where a class is asked for one that it does not have."""

    if not TYPE_CHECKING:  # to type checkers another name than those declared is an error

        def __getattr__(cls, name: str) -> Any:
            info = cls.__dict__.get("__entity__")
            if name == _IN_A_QUERY and "__mapper__" not in cls.__dict__:
                raise BadInput(f"{cls.__name__} {_NOT_MAPPED}", entity=cls.__name__)
            if info is not None and name in info.columns:
                text = f"{cls.__name__}.{name} stands in no query: {cls.__name__} {_NOT_MAPPED}"
            else:
                text = name if info is None else info.unknown(name)
            raise AttributeError(text, name=name, obj=cls)


def _blank(entity: type[Entity]) -> Entity:
    """Return an object without values, for who fills in what was stored."""
    return entity.__new__(entity)


class Entity(Queries, metaclass=EntityMeta):
    """Base of all entities: two names for each field, checked values, comparison by identity.

    `dict(entity)` gives the columns under their names in the database; see `to_dict`.
    `attrs.fields`, `attrs.asdict` and `attrs.evolve` know the columns, without links and
    without private ones.
    """

    __entity__: ClassVar[EntityInfo]
    blank: ClassVar[Callable[[type[Entity]], Entity]] = staticmethod(_blank)
    """What makes an object without values, as the storage needs it; pickles name it."""
    refused_names: ClassVar[Mapping[str, str]] = {}
    """What the storage keeps in an object, and what is wrong with one that lacks it, by name."""
    _dict_type: ClassVar[type[EntityDict]] = EntityDict
    _has_post_init: ClassVar[bool] = False
    """Whether the class has an `__attrs_post_init__`, which attrs calls."""
    rules_read: ClassVar[tuple[str, ...]] = ()
    """The links to one that `check_rules` follows, such as ``"image_instance.series"``.

    The storage puts what they lead to in view, also where only an id was given, before it
    has the rules checked of a new object, or of one whose links were changed.
    """
    checked_when_linked: ClassVar[bool] = False
    """Whether `check_rules` is asked only of a new object, or of one whose links were changed.

    For rules on what the links lead to alone: what was stored by them stays good.
    """
    checked_with_stored: ClassVar[bool] = False
    """Whether the storage checks it with what is stored (`model.composition`) instead.

    `check_rules` looks at what is in memory, which others may have changed since.
    """

    def __new__(cls, *_arguments: Any, **_values: Any) -> Self:
        """Return an empty object, whose `vars` show nothing private."""
        made = object.__new__(cls)
        object.__setattr__(made, "__dict__", cls._dict_type())
        return made

    def __init__(self, **values: Any) -> None:
        info = self.__entity__
        given = {info.names.get(n) or info.field_name(n): value for n, value in values.items()}
        if len(given) != len(values):
            twice = sorted(n for n in values if info.aliases.get(n, n) in values.keys() - {n})
            raise BadInput(f"{info.name}: {', '.join(twice)} given twice, under both names")
        missing = [name for name in info.required if name not in given]
        if missing:
            raise BadInput(
                f"{info.name} needs {', '.join(missing)}", entity=info.name, field=missing[0]
            )
        # all of them before one is linked: what is refused may hang on nothing
        links = {
            name: self._checked_links(link, given.pop(name))
            for name, link in info.links.items()
            if name in given
        }
        if type(self).__setattr__ is Entity.__setattr__ and not self._has_post_init:
            # straight into the dict: who makes thousands of objects waits for nothing else
            accepted = {name: self._accepted(name, value) for name, value in given.items()}
            self.__dict__.update(info.defaults, **accepted)
        else:
            self.__attrs_init__(**given)
        for name, value in links.items():
            setattr(self, name, value)

    def _set(self, name: str, value: Any) -> None:
        info = self.__entity__
        if name in info.columns:
            value = self._accepted(name, value)
            if value is not None and info.columns[name].references and KEPT in self.__dict__:
                let_follow(self, name)
        elif name in info.links:
            value = self._checked_links(info.links[name], value)
        elif name in info.aliases:
            setattr(self, info.aliases[name], value)
            return
        elif not name.startswith("_") and not hasattr(getattr(type(self), name, None), "__set__"):
            raise UnknownName(info.unknown(name), entity=info.name, field=name)
        object.__setattr__(self, name, value)

    if not TYPE_CHECKING:  # to type checkers a class that has it takes any name
        __setattr__ = _set

    def _accepted(self, name: str, value: Any) -> Any:
        """Return a value as the column of that name holds it."""
        info = self.__entity__
        column_info = info.columns[name]
        if type(value) not in PLAIN:
            value = plain(value)
        if value is not None:
            held = self.__dict__.get(name)
            return value if value is held else self._converted(column_info, value)
        if not (column_info.nullable or column_info.generated):
            raise BadInput(f"{info.name}.{name} cannot be None", entity=info.name, field=name)
        return None

    if TYPE_CHECKING:
        __mapper__: ClassVar[Any]  # SQLAlchemy's, once the class is mapped

        def __attrs_init__(self, **values: Any) -> None: ...

    else:  # type checkers know every name, of both styles: another one is an error to them

        def __getattr__(self, name: str) -> Any:
            refusal = Entity.refused_names.get(name)
            if refusal is not None:
                raise RuleBroken(f"{self.__entity__.name} {refusal}", entity=self.__entity__.name)
            if name.startswith("_"):  # looked for by other libraries: no near names are sought
                text = f"{self.__entity__.name} has no field {name!r}"
                raise UnknownName(text, entity=self.__entity__.name, field=name)
            raise UnknownName(
                self.__entity__.unknown(name), entity=self.__entity__.name, field=name
            )

    def _converted(self, column_info: ColumnInfo, value: Any) -> Any:
        try:
            return column_info.kind.convert(value)
        except Refused as refused:
            name = column_info.name
            raise BadInput(
                f"{self.__entity__.name}.{name}: {'refused' if column_info.private else refused}",
                entity=self.__entity__.name,
                field=name,
                value=None if column_info.private else shown(value),
            ) from None

    def _checked_links(self, link: LinkInfo, value: Any) -> Any:
        if link.many:
            value = value if isinstance(value, list) else list(value)  # it may be a generator
            for item in value:
                self.check_link(link, item)
        elif value is not None:
            self.check_link(link, value)
        return value

    def check_link(self, link: LinkInfo, value: Any) -> None:
        """Raise `BadInput` unless the value is of the class that the link leads to."""
        target = entity_class(link.target)
        if not isinstance(value, target):
            raise BadInput(
                f"{self.__entity__.name}.{link.name} holds {link.target}, not {shown(value)}",
                entity=self.__entity__.name,
                field=link.name,
            )

    def check_needed(
        self, cleared: frozenset[str] = frozenset(), untouched: frozenset[str] = frozenset()
    ) -> None:
        """Raise `BadInput` where a column is empty that needs a value; called before storing.

        A column of a foreign key may be filled by its link, when what that leads to is stored.

        Args:
            cleared: columns that are about to be emptied.
            untouched: columns that stay as they are in the storage: an old row may be without.
        """
        info, held = self.__entity__, self.__dict__
        for name in info.needed:
            is_empty = name in held and held[name] is None and not self._is_linked(name)
            if name in cleared or (is_empty and name not in untouched):
                raise BadInput(
                    f"{info.name}.{name} is needed and was not given", entity=info.name, field=name
                )

    def _is_linked(self, column: str) -> bool:
        link = self.__entity__.link_of.get(column)
        return link is not None and self.__dict__.get(link) is not None

    def check_rules(self) -> None:
        """Raise `RuleBroken` where the object as a whole breaks a rule; called before storing."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: everything but private columns."""
        private = self._dict_type.private
        return {n: value for n, value in whole(self.__dict__).items() if n not in private}

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return Entity.blank, (type(self),), self.__getstate__()

    def __copy__(self) -> Self:
        return copied(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        memo[id(self)] = made = copied(self)
        return made

    __iter__ = None  # what has `__getitem__` would be iterated by numbers

    def keys(self) -> list[str]:
        """Return the names of the columns in the database, without private ones."""
        columns = self.__entity__.columns.values()
        return [column.database_name for column in columns if not column.private]

    def __getitem__(self, name: str) -> Any:
        info = self.__entity__
        column_info = info.columns.get(info.aliases.get(name, name))
        if column_info is None or column_info.private:
            raise KeyError(name)
        return _plain(getattr(self, column_info.name))

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__entity__.fields, *self.__entity__.aliases})

    def __repr__(self) -> str:
        info = self.__entity__
        held = [
            f"{name}={_written(self.__dict__[name])}"
            for name in info.told_by
            if self.__dict__.get(name) is not None
        ]
        return f"{info.name}({', '.join(held[:_COLUMNS_IN_REPR])})"

    def _repr_html_(self) -> str:
        return html_table(self)

    def to_dict(self, *, database_names: bool = False) -> dict[str, Any]:
        """Return the columns as a dict, without links and without private columns.

        Args:
            database_names: use the names of the database as keys.

        Returns:
            enum members by name, everything else as the entity holds it.
        """
        return {
            column_info.database_name if database_names else name: _plain(getattr(self, name))
            for name, column_info in self.__entity__.columns.items()
            if not column_info.private
        }


def _plain(value: Any) -> Any:
    return value.name if isinstance(value, Enum) else value


def _written(value: Any) -> str:
    """Return a value as `repr` of an entity shows it: enum members by name, dates in ISO form."""
    if isinstance(value, Enum):
        return value.name
    return str(value) if isinstance(value, date) else shown(value)


@dataclass_transform(
    kw_only_default=True,
    eq_default=False,
    field_specifiers=(key, key_part, column, choice, foreign_key, one, many),
)
def entity(
    *,
    unique: tuple[tuple[str, ...], ...] = (),
    counted_empty: tuple[str, ...] = (),
    name: str | None = None,
    table: str | None = None,
    discriminator: str | None = None,
    repository: str | None = None,
) -> Callable[[C], C]:
    """Make an attrs class an entity.

    Args:
        unique: its natural keys besides the primary key.
        counted_empty: columns in which, in a natural key, nothing is a value as others are; in
            all other columns nothing is never the same as nothing.
        name: the column that `by_name` looks in.
        table: the name of its table in the database, where it is not that of the class.
        discriminator: the column that says of which special kind an object is, where there are
            special kinds: subclasses, each with its value as the column's default.
        repository: what its repository is called on a unit of work: ``uow.projects``. Without
            it, the repository is had by the class alone.
    """

    def decorate(cls: C) -> C:
        parent = cls.__dict__.get("__entity__") or getattr(cls, "__entity__", None)
        made = cast("C", defined(cls))
        made.__entity__ = declared(
            made,
            parent,
            unique=unique,
            counted_empty=counted_empty,
            name=name,
            table=table,
            discriminator=discriminator,
            repository=repository,
        )
        made._has_post_init = any("__attrs_post_init__" in vars(one) for one in made.__mro__)
        _add_descriptors(made, made.__entity__.fields - (parent.fields if parent else set()))
        show_columns_only(made)
        register(made)
        return made

    return decorate


def _add_descriptors(cls: type[Entity], own: frozenset[str]) -> None:
    info = cls.__entity__
    for name in own & info.links.keys():
        link = info.links[name]
        setattr(cls, name, ToMany(link) if link.many else ToOne(link))
    for alias, name in info.aliases.items():
        if name in own:
            setattr(cls, alias, DatabaseName(name))
