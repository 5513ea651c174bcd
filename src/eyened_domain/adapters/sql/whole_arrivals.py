"""Objects that come into a session: with everything that hangs on them, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.orm import InstanceState, Session, object_session
from sqlalchemy.orm.attributes import instance_state

from eyened_domain.adapters.sql.named_session import NamedSession
from eyened_domain.adapters.sql.sqlalchemy_internals import is_to_be_deleted
from eyened_domain.errors import EyenedError, RuleBroken, deleted
from eyened_domain.model.entity import Entity


class WholeSession(NamedSession):
    """A session into which nothing comes of what is refused in part, by whatever way it comes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._arriving: list[InstanceState[Any]] | None = None

    def add_all(self, instances: Iterable[object]) -> None:
        """Put several objects in, each as `add` does; none if one of them is refused."""
        self._whole(super().add_all, instances)

    def bring_in(self, entities: Iterable[Entity]) -> None:
        """Put in what is about to be linked to an object of this session.

        An earlier error does not refuse it, since that is no call of the session.
        """
        self._whole(self._save_or_update_all, entities)

    def _save_or_update_all(self, entities: Iterable[Entity]) -> None:
        for one in entities:
            state = instance_state(one)
            if not self.holds(state):
                self.take_in(state)

    def _whole(self, put: Callable[[Any], None], what: Any) -> None:
        """Put something in; where a part of it is refused, take out what has come in with it."""
        if self._arriving is not None:  # a part of something larger
            put(what)
            return
        self._arriving = arriving = list[InstanceState[Any]]()
        try:
            put(what)
        except EyenedError:
            self.take_out(arriving)
            raise
        finally:
            self._arriving = None

    def take_in(self, state: InstanceState[Any]) -> None:
        """Put an object in; where nothing hangs on it, its links need not be gone through."""
        held = state.dict
        for name in state.class_.__entity__.links:
            if name in held:
                self._whole(super().take_in, state)
                return
        self.take_in_alone(state)

    def take_in_stored(self, state: InstanceState[Any], *, is_taken_back: bool) -> None:
        """Put a stored object in; one that is to be deleted is not kept for being linked to it."""
        if is_taken_back:
            super().take_in_stored(state, is_taken_back=True)
        elif state.was_deleted:
            raise deleted(state.obj())
        elif not is_to_be_deleted(self, state.obj()):
            super().take_in_stored(state, is_taken_back=False)

    def attaches(self, state: InstanceState[Any], one: object) -> bool:
        """Refuse what another open session holds, by whatever way it comes in."""
        _refuse_strange(self, state)
        is_new_here = super().attaches(state, one)
        if is_new_here and self._arriving is not None:
            self._arriving.append(state)
        return is_new_here


def bring_in(owner: Entity, items: list[Entity]) -> None:
    """Put objects that are about to be linked into the session of any of them.

    Raises:
        RuleBroken: one of them, or what hangs on it, was deleted or belongs to another session.
            None of them is put in then.
    """
    sessions = (object_session(one) for one in (owner, *items))
    session = next((one for one in sessions if one is not None), None)
    if isinstance(session, WholeSession):
        session.bring_in((owner, *items))


def _refuse_strange(session: Session, state: InstanceState[Any]) -> None:
    """Refuse an object of another open session, and one whose row another object stands for.

    Raises:
        RuleBroken: it is one of these.
    """
    owner = state.session
    name = state.class_.__name__
    if owner is not None and owner is not session:
        raise RuleBroken(
            f"this {name} belongs to another session or unit of work that is still open; load it "
            "in this one, or close the other first",
            entity=name,
        )
    if state.key is None:
        return
    there = session.identity_map.get(state.key)
    if there is not None and there is not state.obj():
        raise RuleBroken(
            f"another object stands for {name} {state.key[1]} in this session already; use that "
            "one",
            entity=name,
        )
