"""Each private name of SQLAlchemy does what we use it for; one that changes is found here first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Engine,
    Integer,
    String,
    create_engine,
    event,
    inspect,
    literal_column,
    select,
)
from sqlalchemy.orm import ORMExecuteState, Session, declarative_base, relationship
from sqlalchemy.schema import ForeignKey
from sqlalchemy.types import VARCHAR

from eyened_domain.adapters.sql import sqlalchemy_internals as internals

Base: Any = declarative_base()


class Parent(Base):
    __tablename__ = "parent"
    id = Column(Integer, primary_key=True)
    name = Column(String)
    children = relationship("Child", back_populates="parent")


class Child(Base):
    __tablename__ = "child"
    id = Column(Integer, primary_key=True)
    parent_id: Any = Column(ForeignKey("parent.id"))
    parent = relationship("Parent", back_populates="children")


class Noting(internals.InnerSession):
    """Notes which of its inner steps are taken."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.steps: list[Any] = []

    def take_in(self, state: Any) -> None:
        self.steps.append("take_in")
        super().take_in(state)

    def take_in_stored(self, state: Any, *, is_taken_back: bool) -> None:
        self.steps.append(("take_in_stored", is_taken_back))
        super().take_in_stored(state, is_taken_back=is_taken_back)

    def attaches(self, state: Any, one: object) -> bool:
        self.steps.append("attaches")
        return super().attaches(state, one)


@pytest.fixture
def session() -> Iterator[Noting]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Noting(bind=engine, expire_on_commit=False) as opened:
        yield opened
    engine.dispose()


@pytest.fixture
def stored(session: Noting) -> Any:
    parent = Parent(name="a")
    session.add(parent)
    session.commit()
    session.steps.clear()
    return parent


def test_what_is_added_passes_the_steps_of_a_session(session: Noting) -> None:
    session.add(Parent())
    assert session.steps == ["take_in", "attaches"]


def test_what_is_linked_passes_them_as_well(session: Noting, stored: Any) -> None:
    child = Child()
    stored.children.append(child)
    assert child in session
    assert session.steps == ["take_in", "attaches"]


def test_what_is_stored_and_was_deleted_comes_back_by_a_step(session: Noting, stored: Any) -> None:
    session.expunge(stored)
    session.add(stored)
    assert ("take_in_stored", False) in session.steps
    session.delete(stored)
    session.flush()
    session.steps.clear()
    session.rollback()
    assert session.steps == [("take_in_stored", True), "attaches"]


def test_an_object_is_taken_in_without_its_links(session: Noting) -> None:
    child = Child(parent=Parent())
    session.take_in_alone(inspect(child))
    assert session.holds(inspect(child))
    assert not session.holds(inspect(child.parent))


def test_objects_are_taken_out_without_their_links(session: Noting) -> None:
    child = Child(parent=Parent())
    session.add(child)
    session.take_out([inspect(child)])
    assert list(session.new) == [child.parent]


def test_a_session_says_whether_there_is_something_to_flush(session: Noting, stored: Any) -> None:
    assert session.has_nothing_to_flush()
    stored.name = "b"
    assert not session.has_nothing_to_flush()


def test_a_session_flushes_as_before_a_query(session: Noting) -> None:
    parent = Parent()
    session.add(parent)
    with session.no_autoflush:
        internals.flush_before_query(session)
        assert parent in session.new
    internals.flush_before_query(session)
    assert parent not in session.new


def test_a_statement_says_whether_it_flushes_before(session: Noting) -> None:
    heard: list[bool] = []

    def hear(execution: ORMExecuteState) -> None:
        heard.append(internals.flushes_before(execution))

    event.listen(session, "do_orm_execute", hear)
    session.scalars(select(Parent)).all()
    session.scalars(select(Parent), execution_options={"autoflush": False}).all()
    assert heard == [True, False]


def test_deletions_are_taken_back(session: Noting, stored: Any) -> None:
    session.delete(stored)
    assert internals.is_to_be_deleted(session, stored)
    internals.keep_from_deletion(session, stored)
    assert not internals.is_to_be_deleted(session, stored)
    session.delete(stored)
    internals.delete_nothing(session)
    session.commit()
    assert session.scalars(select(Parent)).all() == [stored]


def test_what_was_set_is_among_the_touched_also_to_what_it_was(
    session: Noting, stored: Any
) -> None:
    assert internals.touched_states(session) == []
    stored.name = str(stored.name)
    assert internals.touched_states(session) == [inspect(stored)]


def test_what_was_written_past_the_session_counts_as_stored(session: Noting) -> None:
    parent = Parent(id=7, name="a")
    session.add(parent)
    session.connection().execute(Parent.__table__.insert(), {"id": 7, "name": "a"})
    internals.count_as_stored(session, [inspect(parent)])
    assert session.get(Parent, 7) is parent
    assert list(session.new) == []


def test_what_was_altered_past_the_session_is_read_anew_after_a_savepoint(
    session: Noting, stored: Any
) -> None:
    with session.begin_nested() as savepoint:
        session.connection().execute(Parent.__table__.update().values(name="b"))
        internals.count_as_altered(session, [inspect(stored)])
        savepoint.rollback()
    assert inspect(stored).expired


def test_what_was_deleted_past_the_session_is_known_to_be_and_comes_back_with_a_rollback(
    session: Noting, stored: Any
) -> None:
    with session.begin_nested() as savepoint:
        session.connection().execute(Parent.__table__.delete())
        internals.count_as_deleted(session, [inspect(stored)])
        assert inspect(stored).deleted
        assert list(session.identity_map.values()) == []
        savepoint.rollback()
    assert inspect(stored).persistent


def test_what_an_object_holds_counts_as_read(session: Noting, stored: Any) -> None:
    stored.name = "b"
    internals.count_as_read(inspect(stored), ["name"])
    assert inspect(stored).attrs.name.history.added == ()
    stored.name = "c"
    internals.count_as_read(inspect(stored))
    assert internals.touched_states(session) == []


def test_changes_of_lists_that_are_not_loaded_are_told(session: Noting, stored: Any) -> None:
    session.expire(stored, ["children"])
    child = Child(parent=stored)
    changes = internals.changes_of_unloaded_lists(inspect(stored))
    assert list(changes["children"].added_items) == [child]
    changes.clear()
    with session.no_autoflush:
        assert stored.children == []


def test_columns_of_a_result_are_read_under_further_names(session: Noting, stored: Any) -> None:
    result: Any = session.execute(select(Parent.id, Parent.name))
    internals.add_names(result, {"name": ("Name", "id")})
    (row,) = result
    assert (row.Name, row.name, row.id) == ("a", "a", stored.id)
    internals.add_names(session.execute(Parent.__table__.delete()), {})


def test_a_compiler_knows_labels_and_order() -> None:
    seen: list[Any] = []
    dialect = create_engine("sqlite://").dialect
    own: Any = dialect.statement_compiler

    class Compiler(own):
        def order_by_clause(self, statement: Any, **options: Any) -> str:
            seen.extend(internals.order_of(statement))
            seen.append(dict(internals.known_labels(self)))
            return str(super().order_by_clause(statement, **options))

        def visit_textual_label_reference(self, element: Any, **options: Any) -> Any:
            seen.append(type(element))
            return getattr(self, internals.VISIT_NAME_REFERENCE)(element, **options)

    setattr(Compiler, internals.VISIT_NAME_REFERENCE, own.visit_textual_label_reference)
    dialect.statement_compiler = Compiler
    label: Any = Parent.name.label("called")
    select(label).order_by("called").compile(dialect=dialect)
    select(label).order_by(label).compile(dialect=dialect)
    assert isinstance(seen[0], internals.NameReference)
    assert "called" in seen[1]
    assert seen[2] is internals.NameReference
    assert isinstance(seen[3], internals.LabelReference)


def test_types_tell_the_generic_class_that_they_belong_to() -> None:
    assert [internals.affinity_of(one) for one in (VARCHAR(5), JSON())] == [String, JSON]


def test_an_engine_logs_no_rows(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", "sqlalchemy.engine.Engine"):
        for logs_none in (False, True):
            engine = create_engine("sqlite://")
            if logs_none:
                internals.log_no_rows(engine)
            caplog.clear()
            assert _one(engine) == "secret"
            assert any("Row ('secret',)" in line for line in caplog.messages) is not logs_none


def test_scalars_tell_the_result_that_they_filter(session: Noting, stored: Any) -> None:
    result = session.execute(select(Parent))
    assert internals.result_within(result) is result
    assert internals.result_within(result.scalars()) is result
    assert stored.id


def test_a_list_of_an_object_has_an_adapter(stored: Any) -> None:
    assert internals.adapter_of(stored.children).owner_state is inspect(stored)
    assert internals.adapter_of([]) is None
    assert internals.STATE in vars(stored)


def test_the_manager_of_a_class_says_whether_an_object_is_being_made() -> None:
    class Made(Base):
        __tablename__ = "made"
        id = Column(Integer, primary_key=True)

    heard: list[Any] = []
    manager = inspect(Made).class_manager
    manager.__class__ = internals.InnerManager
    event.listen(Made, "init", lambda one, _arguments, _given: heard.append(one))
    Made.__getattr__ = lambda _self, name: name  # as if it had everything
    made = Made()
    assert heard == [made]


def _one(engine: Engine) -> Any:
    with Session(engine) as session:
        return session.scalar(select(literal_column("'secret'")))
