"""Natural keys, foreign keys and delete rules, on what a transaction has changed."""

from __future__ import annotations

from collections.abc import Iterable

from eyened_domain.adapters.memory.references import Key
from eyened_domain.adapters.memory.tables import Row, View
from eyened_domain.errors import BadInput, Duplicate, RuleBroken
from eyened_domain.model.entity import Entity, entity_class, root_of
from eyened_domain.model.references import Referrer, referrers
from eyened_domain.model.values import shown


def check_values(row: Row) -> None:
    """Raise `BadInput` where a row lacks a value that it needs."""
    for column in row.info.columns.values():
        if row.values[column.name] is None and not column.nullable:
            raise BadInput(
                f"{row.info.name}.{column.name} is needed and was not given",
                entity=row.info.name,
                field=column.name,
            )


def check_keys(view: View, rows: Iterable[Row]) -> None:
    """Raise `Duplicate` where a row has the same natural key as another one."""
    for row in rows:
        table = view.table(row.info.root)
        for columns in row.info.unique:
            if len(table.indexes[columns].find(row.values)) > 1:
                raise duplicate(row.entity, columns)


def duplicate(entity: type[Entity], columns: tuple[str, ...]) -> Duplicate:
    """Return the error for a key that is there already."""
    name, fields = entity.__name__, ", ".join(columns)
    return Duplicate(
        f"there is a {name} with the same {fields} already; look it up instead of adding another",
        entity=name,
        field=fields,
    )


def check_references(view: View, rows: Iterable[Row]) -> None:
    """Raise `RuleBroken` where a row points to an object that is not stored."""
    for row in rows:
        for column in row.info.foreign_keys:
            value = row.values[column.name]
            if value is not None and not _is_stored(view, str(column.references), value):
                raise RuleBroken(
                    f"{row.info.name}.{column.name} points to a {column.references} that does "
                    f"not exist ({shown(value)}); store the {column.references} first",
                    entity=row.info.name,
                    field=column.name,
                    value=value,
                )


def refuse_links_to(rows: Iterable[Row], gone: Iterable[Row]) -> None:
    """Raise `RuleBroken` where a row points to one that is to be deleted."""
    keys = {(row.info.root, row.key) for row in gone}
    for row in rows:
        for column in row.info.foreign_keys if keys else ():
            if (root_of(str(column.references)), (row.values[column.name],)) in keys:
                raise RuleBroken(
                    f"{row.info.name}.{column.name} points to a {column.references} that is to "
                    "be deleted; link it to another one, or delete it, too",
                    entity=row.info.name,
                    field=column.name,
                )


def _is_stored(view: View, name: str, identity: int) -> bool:
    found = view.row(root_of(name), (identity,))
    return found is not None and issubclass(found.entity, entity_class(name))


def follow_removal(view: View, gone: Row) -> None:
    """Do what the delete rules say of the rows that point to a row that was taken out.

    A rule that forbids (RESTRICT, NO ACTION) forbids even where another rule would have
    taken the same row along.

    Raises:
        RuleBroken: something that may not go along still points to it.
    """
    if view.row(gone.info.root, gone.key) is not None:
        return  # another object has taken its place
    those = referrers(gone.info.root)
    for referrer in sorted(those, key=lambda one: not one.column.forbids_deletion):
        for child in children(view, referrer, gone.key):
            if view.row(referrer.root, child.key) is child:
                _follow_to(view, gone, referrer, child)


def _follow_to(view: View, gone: Row, referrer: Referrer, child: Row) -> None:
    if referrer.column.on_delete == "CASCADE":
        view.remove(child)
        follow_removal(view, child)
    elif referrer.column.on_delete == "SET NULL":
        view.put(Row(child.entity, {**child.values, referrer.column.name: None}))
    else:
        raise _still_referred(gone.info.name, referrer)


def check_unreferred(view: View, keys: Iterable[tuple[str, Key]]) -> None:
    """Raise `RuleBroken` where something points to one of these that is not stored any more."""
    for root, key in keys:
        if view.row(root, key) is None and len(entity_class(root).__entity__.primary_key) == 1:
            for referrer in referrers(root):
                if children(view, referrer, key):
                    raise _still_referred(root, referrer)


def children(view: View, referrer: Referrer, key: Key) -> list[Row]:
    """Return the rows that point to a row by a column."""
    if len(key) != 1:
        return []
    return view.table(referrer.root).holding(**{referrer.column.name: key[0]})


def _still_referred(name: str, referrer: Referrer) -> RuleBroken:
    return RuleBroken(
        f"this {name} cannot be deleted: {referrer.entity} still refers to it through "
        f"{referrer.column.name}; delete that first",
        entity=name,
        field=referrer.column.name,
    )
