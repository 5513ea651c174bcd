"""The container: the only module that sees every layer, and puts them together.

    container = Container(config={"database_url": "mysql+pymysql://…", "secret_key": "…"})
    with container.unit_of_work() as uow:
        …
"""

from __future__ import annotations

from dependency_injector import containers, providers

from eyened_domain.adapters.sql.database import Database
from eyened_domain.services.tagging import Tagging


class Container(containers.DeclarativeContainer):
    """Everything an application needs, made from one configuration.

    Several containers may live in one process; each has a database of its own. Any part
    can be replaced, for tests or for an application's own: ``container.database.override(…)``.

    Args:
        config: what `Database` takes: a dict, a URL, the path of an env file, `Settings`,
            or None for the environment.
        subscribers: functions that are called with each event, after its commit.
    """

    config = providers.Object(None)
    subscribers = providers.Object(())

    database = providers.Singleton(Database, config, subscribers=subscribers)
    unit_of_work = database.provided.unit_of_work.call()
    tagging = providers.Factory(Tagging)
