"""What mapped attributes do beyond SQLAlchemy's own: the promises of the model, kept.

- what hangs on a stored object is stored with it, whichever side of the link was set;
- a linked object stands in a list once;
- what was not loaded before the unit of work closed is named in a clear error;
- who edits a list or a JSON value in place keeps the object that it belongs to;
- objects that keep to the links of the model (`model.links.own_link`) do so.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute, Session, object_session
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.orm.collections import CollectionAdapter, collection
from sqlalchemy.orm.exc import DetachedInstanceError, ObjectDeletedError
from sqlalchemy.orm.util import identity_key

from eyened_domain.adapters.sql.json_tracking import tracked_for
from eyened_domain.adapters.sql.list_changes import refuse_deleted
from eyened_domain.adapters.sql.own_values import id_of, read
from eyened_domain.adapters.sql.quiet_lists import take
from eyened_domain.adapters.sql.restoring import fill_deleted
from eyened_domain.adapters.sql.sqlalchemy_internals import adapter_of
from eyened_domain.adapters.sql.whole_arrivals import bring_in
from eyened_domain.errors import NotLoaded
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.links import own_link


class DistinctList(list[Any]):
    """The collection behind a link to many: nothing stands in it twice."""

    owner: Entity | None = None
    """Whose list it is: kept from being collected while somebody edits the list."""

    @collection.internally_instrumented  # type: ignore[untyped-decorator]
    def append(self, item: Any, _sa_initiator: Any = None) -> None:
        """Put the item at the end, unless its way back says that it may be here already.

        Args:
            item: what is linked.
            _sa_initiator: what SQLAlchemy hands on; False while rows are loaded, which
                are distinct as they come.
        """
        if _sa_initiator is not False:
            adapter = adapter_of(self)
            if adapter is not None:
                if self and _may_be_in(adapter, item) and any(one is item for one in self):
                    return
                item = adapter.fire_append_event(item, _sa_initiator)
        super().append(item)

    @collection.internally_instrumented  # type: ignore[untyped-decorator]
    def remove(self, item: Any, _sa_initiator: Any = None) -> None:
        """Take the item out.

        Args:
            item: what is linked.
            _sa_initiator: what SQLAlchemy hands on; False for what was taken off the list before
                it was loaded, whose row may be gone by now.

        Raises:
            ValueError: it is not in the list.
        """
        if _sa_initiator is not False:
            adapter = adapter_of(self)
            if adapter is not None:
                adapter.fire_remove_event(item, _sa_initiator)
        elif not any(one is item for one in self):
            return
        super().remove(item)


def _may_be_in(adapter: CollectionAdapter, item: Any) -> bool:
    owner = adapter.owner_state.obj()
    back = getattr(type(owner), adapter.attr.key).property.back_populates
    if back not in item.__dict__:  # not loaded: it is known only of what was never stored
        return instance_state(item).key is not None
    there = item.__dict__[back]
    return isinstance(there, list) or there is owner


class _ExplainedAttribute(InstrumentedAttribute[Any]):
    """An attribute that names itself when it was not loaded in time."""

    __slots__ = ()
    inherit_cache = True

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return super().__get__(instance, owner)
        held = instance.__dict__
        if self.key in held:  # what super() does as well, at twice the price
            return held[self.key]
        try:
            return self._load(instance, owner)
        except DetachedInstanceError as error:
            raise _not_loaded(type(instance), self.key) from error
        except ObjectDeletedError:  # somebody else has deleted its row; it stays readable
            if not fill_deleted(instance):
                raise
            return super().__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        if self.key not in instance.__dict__ and instance_state(instance).expired:
            self.__get__(instance, type(instance))  # it is compared with its row when it is stored
        super().__set__(instance, value)

    def _load(self, instance: Any, owner: Any) -> Any:
        """Load what is not there; nothing is flushed for what a rollback has emptied or is gone."""
        session = object_session(instance)
        quietly = session is not None and (
            self.key in instance.__entity__.columns
            or instance_state(instance).was_deleted
            or _leads_to_known(session, instance, self.key)
        )
        with session.no_autoflush if session is not None and quietly else nullcontext():
            return super().__get__(instance, owner)


def _leads_to_known(session: Session, instance: Any, name: str) -> bool:
    """Whether a link to one leads to an object of the session, emptied or not."""
    link = instance.__entity__.links[name]
    identity = None if link.via is None else instance.__dict__.get(link.via)
    if identity is None:
        return False
    target = session.identity_map.get(identity_key(entity_class(link.target), identity))
    if target is not None and instance_state(target).expired:
        read(target)
    return target is not None


class _JsonAttribute(_ExplainedAttribute):
    """A JSON column: its value notices edits, and keeps the object from being collected."""

    __slots__ = ()
    inherit_cache = True

    def __get__(self, instance: Any, owner: Any) -> Any:
        found = super().__get__(instance, owner)
        if instance is not None and isinstance(found, dict | list):
            return tracked_for(instance, self.key, found)
        return found


class _LinkAttribute(_ExplainedAttribute):
    """A link; the model's own on objects that keep to that."""

    __slots__ = ()
    inherit_cache = True

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return super().__get__(instance, owner)
        known = instance.__dict__
        if self.key not in known:
            own = own_link(instance, self.key)
            if own is not None:
                return own.__get__(instance, owner)
            self._load_key(instance)
        if self.key in known:
            found = known[self.key]
        else:
            found = super().__get__(instance, owner)
            self._forget_nothing(instance)
        if type(found) is DistinctList:
            found.owner = instance
        return found

    def _forget_nothing(self, instance: Any) -> None:
        """Leave a new object's link open that leads nowhere yet: it was not cleared."""
        known = instance.__dict__
        if instance_state(instance).key is None and known.get(self.key, self) is None:
            del known[self.key]

    def _forget_looked_up(self, instance: Any) -> None:
        """Let the lists in hand hear of a new object that is linked to what its id says already."""
        state = instance_state(instance)
        if state.key is None and self.key not in state.committed_state:
            instance.__dict__[self.key] = None

    def _let_id_follow(self, instance: Any, value: Any) -> None:
        """Let the id lead where the link was set to lead last, also where that is as it was read.

        SQLAlchemy would take it for no change, and store the id that was set before.
        """
        via = instance.__entity__.links[self.key].via
        if value is None and instance_state(instance).key is None:
            instance.__dict__[str(via)] = None  # which SQLAlchemy does for stored objects alone
            return
        if via is None or value is None or via not in instance_state(instance).committed_state:
            return
        own = id_of(value)
        if own is not None and instance.__dict__.get(via) != own:
            setattr(instance, via, own)

    def _leads_there(self, session: Session, instance: Any, value: Any) -> bool:
        """Whether a link leads to an object, or nowhere, as it was read.

        SQLAlchemy would take it for a change: empty it when a savepoint is rolled back, and write
        its id over one that is set later.
        """
        known, state = instance.__dict__, instance_state(instance)
        via = instance.__entity__.links[self.key].via
        if state.key is None or via not in known or known.get(self.key, value) is not value:
            return False
        if via in state.committed_state or self.key in state.committed_state:
            return False
        if value is None:
            return known[via] is None
        is_stored = instance_state(value).key is not None and object_session(value) is session
        return is_stored and id_of(value) == known[via]

    def _put_on_list(self, session: Session, instance: Any, value: Any) -> None:
        """Put the object on the list in hand of what it leads to, if it is not there."""
        back = instance.__entity__.links[self.key].back
        if value is not None and back is not None:
            take(session, value, back, [instance])

    def _load_key(self, instance: Any) -> None:
        """Load the column behind the link of an object that a rollback has emptied."""
        via = instance.__entity__.links[self.key].via
        if via is not None and instance_state(instance).expired:
            getattr(instance, via)

    def __set__(self, instance: Any, value: Any) -> None:
        own = own_link(instance, self.key, *(value if isinstance(value, list) else [value]))
        if own is not None:
            own.__set__(instance, value)
            return
        if value:
            refuse_deleted(instance, *(value if isinstance(value, list) else [value]))
        session = object_session(instance)
        if not isinstance(value, list) and session is not None:
            if self._leads_there(session, instance, value):
                set_committed_value(instance, self.key, value)
                self._put_on_list(session, instance, value)
                return
            self._forget_looked_up(instance)
            with session.no_autoflush:  # what it led to before may be looked up for it
                super().__set__(instance, value)
            self._let_id_follow(instance, value)
            return
        if isinstance(value, list):
            value = list({id(one): one for one in value}.values())
            if value:
                bring_in(instance, value)
        super().__set__(instance, value)


def explain_unloaded(attribute: Any, *, is_link: bool = False, is_json: bool = False) -> None:
    """Make a mapped attribute keep the promises of this module."""
    attribute.__class__ = (
        _LinkAttribute if is_link else _JsonAttribute if is_json else _ExplainedAttribute
    )


def _not_loaded(entity: type[Entity], name: str) -> NotLoaded:
    return NotLoaded(
        f"{entity.__name__}.{name} was not loaded before the unit of work closed; read it while "
        f"the session is open, or load it with the query: "
        f"select({entity.__name__}).options(selectinload({entity.__name__}.{name}))",
        entity=entity.__name__,
        field=name,
    )


def join_session_of_item(owner: Any, item: Any, _initiator: Any) -> None:
    """Add an object to the session of what is put into one of its lists (an `append` listener)."""
    join_session_of_linked(owner, item, None, None)


def join_session_of_linked(target: Any, value: Any, _old: Any, _initiator: Any) -> None:
    """Add an object to the session of the object that it is linked to (a `set` listener)."""
    if value is None:
        return
    session = object_session(value)
    if session is not None and object_session(target) is None:
        # not the session's own: an assignment is no call that an earlier error refuses
        Session.add(session, target)
