"""What the sessions of one database need to keep its history."""

from __future__ import annotations

from eyened_domain.adapters.sql.history.macs import Macs
from eyened_domain.adapters.sql.history.streams import Streams
from eyened_domain.config import Secret


class HistoryKeeper:
    """Keeps the history of one database; shared by its sessions.

    Args:
        secret: SECRET_KEY.
    """

    def __init__(self, secret: Secret) -> None:
        self.macs = Macs(secret)
        self.streams = Streams()
        self.actors: set[int] = set()
        """The ids of creators that have been found to be there."""
