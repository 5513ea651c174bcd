"""TLS to a database server: what may be said of it, in a configuration and in a URL's query."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from eyened_domain.config.secret import Secret
from eyened_domain.config.variables import TLS, is_set, nearest
from eyened_domain.errors import ConfigurationError

_BY_OPTION = {variable.nested: variable for variable in TLS}
_SQLALCHEMYS = {"ssl_check_hostname": "ssl_verify_identity"}


@attrs.frozen(kw_only=True)
class TLSSettings:
    """How the connection to a server is encrypted, and whom it may lead to.

    With nothing said it is encrypted when the server can, and whoever answers is believed.
    With one of `ca`, `ca_folder`, `verify_cert` and `verify_identity` nobody without a
    certificate of those authorities is, and none whose certificate is for another host.

    Attributes:
        ca: DATABASE_SSL_CA, a file with the authorities' certificates.
        ca_folder: DATABASE_SSL_CAPATH, a folder with them.
        cert: DATABASE_SSL_CERT, a file with the client's certificate.
        key: DATABASE_SSL_KEY, the file with its key; None when it is in `cert`.
        key_password: DATABASE_SSL_KEY_PASSWORD, of that file.
        cipher: DATABASE_SSL_CIPHER, as OpenSSL lists them.
        verify_cert: DATABASE_SSL_VERIFY_CERT; None: when there are authorities. True
            without any takes the system's.
        verify_identity: DATABASE_SSL_VERIFY_IDENTITY, whether the certificate must be for
            the host that was asked for; None: when it is verified at all.
        disabled: DATABASE_SSL_DISABLED, never encrypt.

    Raises:
        ConfigurationError: two of them contradict each other.
    """

    ca: Path | None = None
    ca_folder: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    key_password: Secret | None = None
    cipher: str | None = None
    verify_cert: bool | None = None
    verify_identity: bool | None = None
    disabled: bool = False

    def __attrs_post_init__(self) -> None:
        if self.disabled and attrs.evolve(self, disabled=False) != TLSSettings():
            raise _contradiction("ssl_disabled", "it is said how to encrypt")
        if self.key is not None and self.cert is None:
            raise _contradiction("ssl_key", "there is no ssl_cert that it would be the key of")
        if self.verify_cert is False and self.verify_identity:
            raise _contradiction("ssl_verify_identity", "ssl_verify_cert is off")

    @classmethod
    def of_options(cls, options: Mapping[str, object]) -> TLSSettings | None:
        """Return what a URL's query says of TLS; None when it says nothing.

        Args:
            options: the whole query; what does not begin with ``ssl`` is not looked at.

        Raises:
            ConfigurationError: there is no such option, a value does not do, or two
                contradict each other.
        """
        found: dict[str, Any] = {}
        for option, value in options.items():
            if option.startswith("ssl"):
                variable = _BY_OPTION.get(_SQLALCHEMYS.get(option, option))
                if variable is None:
                    raise _unknown(option)
                if is_set(variable, value):
                    found[variable.field] = variable.read(option, value)
        return cls(**found) if found else None

    @property
    def is_verifying(self) -> bool:
        """Whether the server must have a certificate that is believed."""
        if self.verify_cert is not None:
            return self.verify_cert
        return bool(self.ca or self.ca_folder or self.verify_identity)

    @property
    def is_checking_host(self) -> bool:
        """Whether the server's certificate must be for the host that was asked for."""
        return self.is_verifying and self.verify_identity is not False


def _contradiction(option: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{option} is set although {why}: take one of them out.", entity="Settings", field=option
    )


def _unknown(option: str) -> ConfigurationError:
    near = nearest(option, filter(None, _BY_OPTION), cutoff=0.5)
    hint = f"Did you mean {near}? " if near else ""
    names = ", ".join(filter(None, _BY_OPTION))
    return ConfigurationError(
        f"A database URL has no option {option[:80]!r}. {hint}Those of TLS are {names}.",
        entity="Settings",
        field=option[:80],
    )
