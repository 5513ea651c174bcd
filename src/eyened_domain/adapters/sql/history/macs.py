"""Keyed digests: what makes it visible that somebody else has touched the history.

Who has the database, but not SECRET_KEY, can neither change an entry nor make one.
"""

from __future__ import annotations

import hmac

from eyened_domain.config import Secret

_PURPOSE = b"eyened_domain history 1"
_LENGTH = 32


class Macs:
    """Computes the keyed digest of a row of the history.

    Args:
        secret: SECRET_KEY; a key of its own is derived from it.
    """

    def __init__(self, secret: Secret) -> None:
        self._key = hmac.digest(secret.reveal().encode(), _PURPOSE, "sha256")

    def of(self, *values: str | int | None) -> str:
        """Return the digest of the values of a row: 128 bits, 32 hexadecimal digits.

        They are written as Python writes a tuple of them, in ASCII: no two rows have the same text.
        """
        return hmac.digest(self._key, ascii(values).encode("ascii"), "sha256").hex()[:_LENGTH]
