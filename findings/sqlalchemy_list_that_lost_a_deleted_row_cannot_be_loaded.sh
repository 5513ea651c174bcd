#!/usr/bin/env bash
# SQLAlchemy ORM: a list that is not loaded cannot be read once what was taken off it has no row.
#
# SQLAlchemy 2.1.9 and 2.0.40, SQLite, a plain one-to-many relationship with back_populates. Setting
# `series.study = None` notes on the study, whose list is not loaded, that the series is to be taken
# off it. When the row of the series is gone by the time that the list is loaded (deleted by another
# program, or by a statement), loading raises ValueError from `list.remove`, and not an error of
# SQLAlchemy; reading the list once more gives it, without the series.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
for version in 2.1.9 2.0.40; do
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "SQLAlchemy==$version" 2>/dev/null
"$folder/venv/bin/python" - <<'PY'
import sqlalchemy
from sqlalchemy import ForeignKey, create_engine, delete
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Study(Base):
    __tablename__ = "study"
    id: Mapped[int] = mapped_column(primary_key=True)
    series: Mapped[list["Series"]] = relationship(back_populates="study")


class Series(Base):
    __tablename__ = "series"
    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int | None] = mapped_column(ForeignKey("study.id"))
    study: Mapped[Study | None] = relationship(back_populates="series")


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine, autoflush=False) as session:
    session.add(Study(id=1, series=[Series(id=1)]))
    session.commit()
    study, series = session.get_one(Study, 1), session.get_one(Series, 1)
    assert series.study is study
    series.study = None
    session.execute(
        delete(Series).where(Series.id == 1), execution_options={"synchronize_session": False}
    )
    try:
        told = f"a list: {study.series}"
    except Exception as error:
        told = f"{type(error).__module__}.{type(error).__name__}: {error}"
    again = study.series
print("SQLAlchemy", sqlalchemy.__version__, "first:", told, "| again:", again)
assert told == "builtins.ValueError: list.remove(x): x not in list", "the list can be loaded now"
assert again == [], "the list is not empty the second time any more"
PY
done
