"""The SECRET_KEY that an embedded database makes once and keeps beside itself."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from eyened_domain.config.secret import Secret
from eyened_domain.errors import ConfigurationError

KEY_BYTES = 32
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def new_key() -> Secret:
    """A random key: 64 hexadecimal digits, 256 bits."""
    return Secret(secrets.token_hex(KEY_BYTES))


def read_key(path: Path) -> Secret | None:
    """The key in a file, or None when there is no such file.

    Raises:
        ConfigurationError: the file cannot be read, or holds nothing.
    """
    try:
        text = path.read_bytes().decode("utf-8", "replace").strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failed(path, "cannot be read", error) from error
    if not text:
        raise ConfigurationError(
            f"The key file {path} is empty. If another program is just making it, try again; "
            "otherwise put the old key back, or delete the file to have a new one made.",
            entity="Settings",
            field="SECRET_KEY",
        )
    return Secret(text)


def make_key(path: Path) -> Secret:
    """The key in a file, made now if there is none; all processes get the same.

    The file appears complete or not at all (a temporary file, synced, then
    linked under its name, which fails when the name is taken), readable by
    its owner only.

    Raises:
        ConfigurationError: the file can be neither read nor written.
    """
    key = read_key(path)
    if key is not None:
        return key
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    try:
        try:
            _write_new(partial, new_key())
            _publish(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise _failed(path, "cannot be written", error) from error
    key = read_key(path)
    if key is None:
        raise _failed(path, "vanished while it was being made", None)
    return key


def _publish(partial: Path, path: Path) -> None:
    try:
        os.link(partial, path)
    except FileExistsError:
        return  # another process was first: its key holds
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _publish_without_links(partial, path)
    _sync_folder(path.parent)


def _publish_without_links(partial: Path, path: Path) -> None:
    # exFAT and some network folders have no links. A reader in the moment between
    # creating and writing is told to try again (read_key).
    try:
        _write_new(path, Secret(partial.read_text(encoding="ascii").strip()))
    except FileExistsError:
        return


def _write_new(path: Path, key: Secret) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.reveal() + "\n")
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no handle on a folder to sync
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(path: Path, what: str, error: OSError | None) -> ConfigurationError:
    why = f" ({error.strerror})" if error is not None and error.strerror else ""
    return ConfigurationError(
        f"The key file {path} {what}{why}. Make its folder writable, or set SECRET_KEY.",
        entity="Settings",
        field="SECRET_KEY",
    )
