"""Where the files of images are: what `image.path` and `image.url` say."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from urllib.parse import quote

from eyened_domain.errors import BadInput, ConfigurationError


class StoredImagePaths:
    """Paths and addresses of images, made from their DatasetIdentifier; no file is touched.

    Args:
        base: IMAGES_BASEPATH.
        server_url: IMAGE_SERVER_URL.
    """

    def __init__(self, base: Path, server_url: str | None = None) -> None:
        self._base = base
        self._server_url = server_url

    def path_of(self, identifier: str) -> Path:
        """Return the path of the file; for a PNG series, its identifier beneath the base.

        Raises:
            BadInput: the identifier leads out of IMAGES_BASEPATH.
        """
        if identifier.startswith("/") or (
            ".." in identifier and ".." in PurePosixPath(identifier).parts
        ):
            raise BadInput(
                f"ImageInstance.dataset_identifier {identifier!r} leads out of IMAGES_BASEPATH",
                entity="ImageInstance",
                field="dataset_identifier",
                value=identifier,
            )
        return self._base / identifier

    def url_of(self, identifier: str) -> str:
        """Return the address on the image server.

        Raises:
            ConfigurationError: IMAGE_SERVER_URL is not set.
        """
        if not self._server_url:
            raise ConfigurationError("IMAGE_SERVER_URL is not set; image.url needs it")
        return f"{self._server_url.rstrip('/')}/{quote(identifier)}"
