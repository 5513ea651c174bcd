"""The words that the tables of the contract are written in; frozen along with them."""

from sqlalchemy import BINARY, Enum, LargeBinary, MetaData, String, Text, text
from sqlalchemy.dialects.mysql import LONGBLOB, TINYBLOB
from sqlalchemy.types import TypeEngine

contract: MetaData = MetaData()
"""The 40 tables as revision 0001 makes them."""

NOW = text("CURRENT_TIMESTAMP")
TEXT = Text()
TINY_BLOB = LargeBinary(255).with_variant(TINYBLOB(), "mysql", "mariadb")
LONG_BLOB = LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")


def varchar(length: int) -> TypeEngine[str]:
    """VARCHAR; on SQLite it compares without regard to case, as on MySQL."""
    return String(length).with_variant(String(length, collation="NOCASE"), "sqlite")


def binary(length: int) -> TypeEngine[bytes]:
    """BINARY; a BLOB on SQLite, which would take BINARY for a number."""
    return BINARY(length).with_variant(LargeBinary(), "sqlite")


def choice(*names: str) -> Enum:
    """ENUM of these names, in this order."""
    return Enum(*names)
