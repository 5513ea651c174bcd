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

    def of(self, *parts: object) -> str:
        """Return the digest of the values of a row: 128 bits, 32 hexadecimal digits.

        No two lists of values have the same text: each is written behind its length.
        """
        texts = ["-" if part is None else f"{len(text := str(part))}:{text}" for part in parts]
        return hmac.digest(self._key, "".join(texts).encode(), "sha256").hex()[:_LENGTH]
