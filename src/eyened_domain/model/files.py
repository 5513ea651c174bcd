"""How an entity reaches the files that belong to it: through a port that its unit of work gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from eyened_domain.errors import NotLoaded

FilePorts = Mapping[str, object]
"""What a session or unit of work attaches to its objects, by the name of the port."""

_PORT = "_file_port"


class HasFiles:
    """An entity with files: a mixin.

    Whatever holds the object, a session or a unit of work, attaches the port of the name
    that the class gives.
    """

    file_port: ClassVar[str]
    """Name of the port in `FilePorts`, for example ``"image_paths"``."""

    def attach(self, port: Any) -> None:
        """Tell the object where its files are; the unit of work that holds it does."""
        self.__dict__[_PORT] = port

    def _attached(self, field: str) -> Any:
        port = self.__dict__.get(_PORT)
        if port is None:
            name = type(self).__name__
            raise NotLoaded(
                f"this {name} has no files yet: add it to a session or unit of work, or load it "
                "through one",
                entity=name,
                field=field,
            )
        return port
