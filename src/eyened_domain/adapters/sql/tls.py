"""TLS in the words of PyMySQL."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eyened_domain.config.tls import TLSSettings
from eyened_domain.errors import ConfigurationError, ConfiguredFileMissing


def tls_arguments(tls: TLSSettings | None) -> dict[str, Any]:
    """Return the arguments of PyMySQL's `connect` that encrypt as the settings say.

    A context of our own says all of it. PyMySQL's arguments believe any server when only
    `ssl_ca` is given, and together with SQLAlchemy's way of passing them on they forget the
    authorities when `ssl_verify_cert` is given as well.

    Raises:
        ConfigurationError: a file is not there (`ConfiguredFileMissing`), or does not hold what it
            should.
    """
    if tls is None or tls == TLSSettings():
        return {}
    return {"ssl_disabled": True} if tls.disabled else {"ssl": _context(tls)}


def _context(tls: TLSSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without Python 3.13's strict check:
    # the certificates that MySQL and MariaDB make for themselves do not pass it
    context.check_hostname = tls.is_checking_host
    context.verify_mode = ssl.CERT_REQUIRED if tls.is_verifying else ssl.CERT_NONE
    if tls.ca is not None:
        _load("ssl_ca", tls.ca, lambda: context.load_verify_locations(cafile=tls.ca))
    if tls.ca_folder is not None:
        folder = tls.ca_folder
        _load("ssl_capath", folder, lambda: next(folder.iterdir(), None))  # OpenSSL never says
        context.load_verify_locations(capath=folder)
    if tls.ca is None and tls.ca_folder is None:
        context.load_default_certs()
    if tls.cert is not None:
        cert, password = tls.cert, tls.key_password.reveal() if tls.key_password else ""
        # a text, also when it is empty: with None OpenSSL would ask at the terminal
        _load("ssl_cert", cert, lambda: context.load_cert_chain(cert, tls.key, password))
    if tls.cipher is not None:
        ciphers = tls.cipher
        _load("ssl_cipher", ciphers, lambda: context.set_ciphers(ciphers))
    return context


def _load(option: str, given: Path | str, load: Callable[[], object]) -> None:
    try:
        load()
    except (OSError, ssl.SSLError) as error:  # OpenSSL's own texts tell neither file nor option
        why = error.strerror or getattr(error, "reason", None) or "it cannot be read"
        kind = ConfiguredFileMissing if isinstance(error, FileNotFoundError) else ConfigurationError
        raise kind(
            f"{option} is {str(given)!r}, but it cannot be used for TLS: {why}. "
            "Give PEM files that this program may read.",
            entity="Settings",
            field=option,
            value=str(given),
        ) from None
