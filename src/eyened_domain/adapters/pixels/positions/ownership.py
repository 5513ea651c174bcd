"""Whether a store belongs to this database: only then is anything removed from it."""

from __future__ import annotations

import os
import uuid

from sqlalchemy import Connection, Engine, insert, select

from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.adapters.pixels.zarr.identity import (
    IDENTITY_FILE,
    StoreOwner,
    claim,
    note_owner,
    owner_of,
)
from eyened_domain.adapters.sql.schema.pixels import database_identity
from eyened_domain.adapters.sql.sqlite_turns import BEGIN
from eyened_domain.errors import ConfigurationError, Duplicate, StorageError

_SETTING = "SEGMENTATIONS_ZARR_STORE"


def identify(engine: Engine, files: SlotFiles) -> StoreOwner:
    """Return what this database is known by in a store; it gets its identity when it has none."""
    writing = engine.execution_options(**{BEGIN: "IMMEDIATE"})
    with engine.connect() as connection:
        known = _database_id(connection)
    if known is None:
        try:
            with writing.begin() as connection:
                _give_identity(connection)
        except Duplicate:  # somebody else was faster
            pass
    with engine.connect() as connection:
        return StoreOwner(_database_id(connection) or "", _where(connection, files))


def note(engine: Engine, files: SlotFiles) -> None:
    """Note this database as the owner of the store, unless the store names one.

    Raises:
        ConfigurationError: the store has moved.
    """
    if _says_nothing(files):
        note_owner(files, identify(engine, files))


def note_within(connection: Connection, files: SlotFiles) -> None:
    """See `note`, in a transaction of the caller's.

    A database without an identity gets one first, which may yet be rolled back: the store
    learns of it the next time.
    """
    if not _says_nothing(files):
        return
    known = _database_id(connection)
    if known is None:
        _give_identity(connection)
    else:
        note_owner(files, StoreOwner(known, _where(connection, files)))


def _says_nothing(files: SlotFiles) -> bool:
    """Whether a store does not say whose it is; refuse one that has moved."""
    try:
        owner = owner_of(files)
    except StorageError:
        return False  # `eorm doctor` tells of it; writing does not depend on it
    _refuse_moved(files, owner)
    return owner is None


def check_not_moved(files: SlotFiles) -> None:
    """Raise if the store was copied to another by `eorm defragment-zarr`.

    Raises:
        ConfigurationError: it was; the message names the other.
    """
    _refuse_moved(files, owner_of(files))


def _refuse_moved(files: SlotFiles, owner: StoreOwner | None) -> None:
    if owner is not None and owner.moved_to is not None:
        raise ConfigurationError(
            f"{_SETTING} is {str(files.root)!r}, which was copied to {owner.moved_to!r} by "
            f"`eorm defragment-zarr`: set {_SETTING} to that, and start programs anew",
            field=_SETTING,
            value=str(files.root),
        )


def claim_store(engine: Engine, files: SlotFiles) -> StoreOwner:
    """Make a store this database's, whoever had it before; return what it says now."""
    owner = identify(engine, files)
    claim(files, owner)
    return owner


def check_owner(engine: Engine, files: SlotFiles) -> None:
    """Raise unless the store is this database's.

    Raises:
        ConfigurationError: it is another's, does not say whose it is, or is not there.
    """
    reason = why_not_ours(engine, files)
    if reason is not None:
        raise ConfigurationError(
            f"{_SETTING} is {str(files.root)!r}, and {reason}; nothing is removed from it or "
            "repaired in it. If this is the one database that it belongs to (it has moved, or "
            "is new here), say so with `eorm doctor --claim-store`",
            field=_SETTING,
            value=str(files.root),
        )


def why_not_ours(engine: Engine, files: SlotFiles) -> str | None:
    """Return why the store is not this database's; None when it is.

    Raises:
        ConfigurationError: the store is not there.
    """
    owner = owner_of(files)
    if owner is None:
        return f"has no {IDENTITY_FILE} that says which database it belongs to"
    if owner.moved_to is not None:
        return f"was copied to {owner.moved_to}, which {_SETTING} should name"
    with engine.connect() as connection:
        known, where = _database_id(connection), _where(connection, files)
    if owner.database_id != known:
        return f"belongs to another database, {owner.where}"
    if owner.where != where:
        return f"belongs to the database {owner.where}, of which this one, {where}, may be a copy"
    return None


def _database_id(connection: Connection) -> str | None:
    found: str | None = connection.scalar(
        select(database_identity.c.database_id).where(database_identity.c.identity_id == 1)
    )
    return found


def _give_identity(connection: Connection) -> None:
    values = {"identity_id": 1, "database_id": uuid.uuid4().hex}
    connection.execute(insert(database_identity), [values])


def _where(connection: Connection, files: SlotFiles) -> str:
    """Return where a database is, in words that a copy of it would not use."""
    name = connection.engine.url.database or ""
    if connection.dialect.name == "sqlite":
        return os.path.relpath(os.path.realpath(name), files.root) if name else ":memory:"
    host, port = connection.exec_driver_sql("SELECT @@hostname, @@port").one()
    return f"{host}:{port}/{name.lower()}"
