#!/usr/bin/env bash
# SQLAlchemy ORM: after a flush of several changed objects, each shows the first one's `onupdate`.
#
# SQLAlchemy 2.1.9, SQLite, a column with a Python-side `onupdate` function that gives another
# value for every row. When a flush updates several objects of a class with the same columns, one
# executemany is sent; the function is called for each row, and each row stores its own value. But
# the objects in the session are all given the value of the first row, and are not expired: until
# they are loaded again, what they show is not what is stored. (One object at a time is right.)
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check SQLAlchemy==2.1.9 2>/dev/null
"$folder/venv/bin/python" - <<'PY'
from itertools import count

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

numbers = count(1)


class Base(DeclarativeBase):
    pass


class Scan(Base):
    __tablename__ = "scan"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    change: Mapped[int] = mapped_column(default=0, onupdate=lambda: next(numbers))


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine, expire_on_commit=False) as session:
    scans = [Scan(id=n, name="before") for n in range(3)]
    session.add_all(scans)
    session.commit()
    for scan in scans:
        scan.name = "after"
    session.flush()
    shown = [scan.change for scan in scans]
    stored = list(session.scalars(select(Scan.change).order_by(Scan.id)))
print("shown by the objects:", shown, "stored:", stored)
assert stored == [1, 2, 3], "the rows do not store a value each any more"
assert shown == [1, 1, 1], "the objects do not all show the first value any more"
PY
