"""The private names of SQLAlchemy that this library cannot do without, each behind one of ours.

No other module uses one (`tests/architecture/test_private_names.py`), and for each there is a test
that fails when SQLAlchemy changes it (`tests/integration/test_sqlalchemy_internals.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import ClassManager, InstanceState, ORMExecuteState, Session
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.sql.elements import _label_reference, _textual_label_reference
from sqlalchemy.types import TypeEngine

State = InstanceState[Any]
STATE = "_sa_instance_state"
"""Under this name an object's `__dict__` holds its `InstanceState`."""


class InnerSession(Session):
    """A session whose inner steps have names that a subclass may override and call."""

    def take_in(self, state: State) -> None:
        """Put an object in, with what it is linked to."""
        super()._save_or_update_state(state)

    def take_in_alone(self, state: State) -> None:
        """Put an object in, without a look at what it is linked to."""
        state._orphaned_outside_of_session = False
        self._save_or_update_impl(state)

    def take_in_stored(self, state: State, *, is_taken_back: bool) -> None:
        """Put an object in that has a row.

        Args:
            state: of the object.
            is_taken_back: it was deleted in a transaction that is rolled back.
        """
        super()._update_impl(state, is_taken_back)

    def attaches(self, state: State, one: object) -> bool:
        """Whether an object that is about to come in was in no session."""
        return super()._before_attach(state, one)

    def take_out(self, states: Iterable[State]) -> None:
        """Let objects be in no session, without those that are linked to them."""
        self._expunge_states(states)

    def holds(self, state: State) -> bool:
        """Whether an object is in the session."""
        return self._contains_state(state)

    def has_nothing_to_flush(self) -> bool:
        """Whether there is nothing new, changed or to be deleted."""
        return self._is_clean()

    def _save_or_update_state(self, state: State) -> None:
        self.take_in(state)

    def _update_impl(self, state: State, revert_deletion: bool = False) -> None:
        self.take_in_stored(state, is_taken_back=revert_deletion)

    def _before_attach(self, state: State, obj: object) -> bool:
        return self.attaches(state, obj)


class InnerManager(ClassManager[Any]):
    """The manager of a mapped class, which looks for the state of an object in its `__dict__`."""

    def new_instance(self, state: State | None = None) -> Any:
        """Return an object for a row.

        Its state goes straight into its `__dict__`: by `setattr`, whose checks it passes, it takes
        a quarter of the time that loading an object takes.
        """
        made: Any = self.class_.__new__(self.class_)  # type: ignore[call-overload]
        made.__dict__[STATE] = self._state_constructor(made, self) if state is None else state
        return made

    def _new_state_if_none(self, instance: Any) -> Any:
        """Return the state of an object that is being made; False if it has one.

        SQLAlchemy asks with `hasattr`, which is refused for objects without one.
        """
        if dict.__contains__(instance.__dict__, STATE):
            return False
        self.setup_instance(instance)
        return instance.__dict__[STATE]


def flush_before_query(session: Session) -> None:
    """Flush a session as it does by itself before a query: not under `no_autoflush`."""
    session._autoflush()


def flushes_before(execution: ORMExecuteState) -> bool:
    """Whether what has changed is sent before a statement."""
    return bool(execution.load_options._autoflush)


def is_to_be_deleted(session: Session, one: object) -> bool:
    """Whether the next flush deletes an object."""
    return instance_state(one) in session._deleted


def keep_from_deletion(session: Session, one: object) -> None:
    """Take back that an object is to be deleted."""
    session._deleted.pop(instance_state(one))


def delete_nothing(session: Session) -> None:
    """Take back what is to be deleted."""
    session._deleted.clear()


def touched_states(session: Session) -> list[State]:
    """Return the states of the stored objects of which something was set since they were read."""
    return list(session.identity_map._modified)


def count_as_stored(session: Session, states: Iterable[State]) -> None:
    """Let a session know that new objects have their rows now."""
    session._register_persistent(set(states))


def count_as_deleted(session: Session, states: Iterable[State]) -> None:
    """Let a session know that the rows of objects were deleted; a rollback brings them back."""
    session._remove_newly_deleted(list(states))


def count_as_altered(session: Session, states: Iterable[State]) -> None:
    """Let a session know that rows were changed, so that a rollback empties their objects."""
    session._register_altered(states)


def count_as_read(state: State, names: Iterable[str] | None = None) -> None:
    """Let what an object holds count as read from its row: some of its fields, or all."""
    if names is None:
        session = state.session
        state._commit_all(state.dict, None if session is None else session.identity_map)
    else:
        state._commit(state.dict, names)


def changes_of_unloaded_lists(state: State) -> dict[str, Any]:
    """Return what was put on lists that are not loaded, and taken off them, by field name.

    Each has `added_items` and `deleted_items`; the dict is the state's own.
    """
    changes: dict[str, Any] = state._pending_mutations
    return changes


def add_names(result: Any, names: Mapping[str, tuple[str, ...]]) -> None:
    """Let the columns of a result's rows be read under further names.

    Args:
        result: what a statement gave.
        names: the further names of each.
    """
    metadata = getattr(result, "_metadata", None)
    if metadata is None or not getattr(metadata, "returns_rows", True):
        return
    positions, records = metadata._key_to_index, metadata._keymap
    for key in metadata.keys:
        for other in names.get(key, ()):
            if other not in positions and key in positions:
                positions[other] = positions[key]
                records[other] = records[key]


LabelReference = _label_reference
"""A column of a statement that is referred to, such as in ORDER BY."""
NameReference = _textual_label_reference
"""A name as a text that is referred to, such as in ORDER BY."""
VISIT_NAME_REFERENCE = "_visit_textual_label_reference"
"""The method of a compiler that writes a `NameReference`."""


def known_labels(compiler: Any) -> Mapping[str, Any]:
    """Return what names may refer to in the statement that a compiler is at."""
    state = compiler.stack[-1].get("compile_state") if compiler.stack else None
    labels: Mapping[str, Any] = {} if state is None else state._label_resolve_dict[0]
    return labels


def order_of(select: Any) -> tuple[Any, ...]:
    """Return what a statement is ordered by."""
    clauses: tuple[Any, ...] = select._order_by_clauses
    return clauses


def affinity_of(kind: TypeEngine[Any]) -> Any:
    """Return the generic class that a type belongs to, such as `String`; None for none."""
    return kind._type_affinity


def log_no_rows(engine: Engine) -> None:
    """Keep an engine from logging the rows that it reads at DEBUG."""
    engine._should_log_debug = lambda: False  # type: ignore[method-assign]


def result_within(result: Any) -> Any:
    """Return the result that another one, of scalars, filters; one that filters none itself."""
    return getattr(result, "_real_result", None) or result


def adapter_of(collection: Any) -> Any:
    """Return the `CollectionAdapter` of a list; None for one that is no object's link."""
    return getattr(collection, "_sa_adapter", None)
