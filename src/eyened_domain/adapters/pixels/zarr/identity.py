"""Whose a store is: `<store>/.eyened-store.json` names the database that may collect in it.

A copy of the database for tests carries the same rows, and may well be pointed at the same
store by mistake; what it deletes must not take the pixels of the first. Therefore the store
says by which identity, and at which place, its database is known.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import attrs

from eyened_domain.adapters.pixels.zarr.files import SlotFiles
from eyened_domain.errors import StorageError

IDENTITY_FILE = ".eyened-store.json"
_SETTING = "SEGMENTATIONS_ZARR_STORE"


@attrs.frozen
class StoreOwner:
    """The database that a store belongs to.

    Attributes:
        database_id: DatabaseIdentity.DatabaseID; a copy of the database has the same.
        where: the server and the name of the database, or the path of its file seen from
            the store; a copy is somewhere else.
        moved_to: the store that this one was copied to; nothing is written here any more.
    """

    database_id: str
    where: str
    moved_to: str | None = None


def owner_of(files: SlotFiles) -> StoreOwner | None:
    """Return whose the store is; None when it does not say.

    Raises:
        ConfigurationError: the store is not there.
        StorageError: what it says cannot be read.
    """
    try:
        with files.open_root() as root:
            found: Any = json.loads(root.read(IDENTITY_FILE))
            return StoreOwner(str(found["owner"]), str(found["where"]), found.get("moved_to"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{_SETTING}: the file {IDENTITY_FILE}, which says whose the store is, cannot be "
            f"read ({error}); `eorm doctor --claim-store` writes it again for this database",
            field=_SETTING,
            value=str(files.root),
        ) from error


def note_owner(files: SlotFiles, owner: StoreOwner) -> None:
    """Write whose a store is that does not say so yet; one that does is left as it is.

    Raises:
        ConfigurationError: the store is not there.
        StorageError: it cannot be written.
    """
    try:
        with files.open_root() as root:
            if not root.holds(IDENTITY_FILE):
                root.write_new(IDENTITY_FILE, _document(owner, uuid.uuid4().hex))
    except FileExistsError:
        pass
    except OSError as error:
        raise _not_written(files, error) from error


def claim(files: SlotFiles, owner: StoreOwner) -> None:
    """Write whose a store is, whatever it said before; it keeps its own identity.

    Raises:
        ConfigurationError: the store is not there.
        StorageError: it cannot be written.
    """
    try:
        with files.open_root() as root:
            try:
                store_id = str(json.loads(root.read(IDENTITY_FILE))["store"])
            except (OSError, ValueError, KeyError, TypeError):
                store_id = uuid.uuid4().hex
            root.replace(IDENTITY_FILE, _document(owner, store_id))
    except OSError as error:
        raise _not_written(files, error) from error


def mark_moved(files: SlotFiles, moved_to: str) -> None:
    """Note in a store that it was copied to another, which is used from now on."""
    owner = owner_of(files)
    if owner is not None:
        claim(files, attrs.evolve(owner, moved_to=moved_to))


def _document(owner: StoreOwner, store_id: str) -> bytes:
    named = {"store": store_id, "owner": owner.database_id, "where": owner.where}
    if owner.moved_to is not None:
        named["moved_to"] = owner.moved_to
    return json.dumps(named, indent=2).encode()


def _not_written(files: SlotFiles, error: OSError) -> StorageError:
    return StorageError(
        f"{_SETTING}: {IDENTITY_FILE} cannot be written: {error.strerror}",
        field=_SETTING,
        value=str(files.root),
    )
