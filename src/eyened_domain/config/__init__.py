"""Settings: which database, which stores, which key, and where they were said.

`Settings.load` reads the environment, an env file, a dictionary or a database
URL; it creates nothing. `Settings.prepare` makes the folders and the key of a
database that lives in a file. Nothing here knows SQLAlchemy, and nothing here
shows a secret.
"""

from __future__ import annotations

from eyened_domain.config.secret import Secret
from eyened_domain.config.settings import DatabaseSettings, Settings
from eyened_domain.config.tls import TLSSettings

__all__ = ["DatabaseSettings", "Secret", "Settings", "TLSSettings"]
