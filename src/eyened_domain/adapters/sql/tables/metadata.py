"""The collection of tables that belong to the contract."""

from sqlalchemy import MetaData

metadata = MetaData()
