"""A program carried out on one storage, and what came of each step."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from campaigns.differential.programs import ACTIONS, Program, Step
from campaigns.differential.stock import stock
from campaigns.differential.storages import Storage
from campaigns.differential.telling import id_of, key_of, named, plain, told_row
from campaigns.differential.vocabulary import DRAWN, WORDS, Word, word_of
from eyened_domain.errors import EyenedError
from eyened_domain.model import FormAnnotation, Project
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.services.trash import Trash

Outcome = tuple[Any, ...]
Numbered = tuple[int, Step]
"""A step, and its number in the program."""
QUIET = {
    *("set column", "set link", "set id", "move by id", "edit list", "edit json"),
    *("follow link", "read"),
}
"""What is no call of the storage. It is left out in a unit that an error has ended: which links
are still loaded then is not the same everywhere."""
OF_TWO = {"somebody else", "both change"}
"""What is left out in a savepoint: it commits first."""
ABSENT = 2_000_000_000
"""An id that nothing has."""


class BackOut(Exception):
    """Leaves a savepoint, so that it is rolled back."""


class World:
    """One storage, the unit of work that is open on it, and the objects that are in hand.

    Args:
        storage: an empty one.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.hand: list[Entity] = []
        """The objects, in the order in which they came into hand."""
        self.outcomes: list[Outcome] = []
        self.steps: dict[int, int] = {}
        """Which step of the program each outcome is of."""
        self.loaded: dict[int, bool] = {}
        """Whether the link that was followed led to what was there already, by outcome."""
        self.faults: dict[int, frozenset[str]] = {}
        """The kinds of all faults of what was to be stored, by outcome."""
        self._followed: list[bool] = []
        self._set_by_id: set[tuple[int, str]] = set()
        """The objects and links whose id was set, so that it matters whether they are loaded."""
        self._kept: dict[int, Any] = {}
        """What the unit knows: kept in memory by itself, and here for the others."""
        self._taken_along: list[Entity] = []
        """What was in hand and was deleted by set: what it hung on is known while it is held."""
        self._unread = False
        self._backed_out = False
        self._ended = False
        self._stack = ExitStack()
        self._actions: dict[str, Callable[[int, int, int], Any]] = {
            "new": self._new,
            "add": self._add,
            "set column": self._set_column,
            "set link": self._set_link,
            "set id": self._set_id,
            "move by id": self._move_by_id,
            "edit list": self._edit_list,
            "edit json": self._edit_json,
            "delete": self._delete,
            "flush": lambda *_: self.uow.flush(),
            "commit": lambda *_: self.uow.commit(),
            "rollback": self._rollback,
            "begin another unit": self._begin,
            "find": self._find,
            "follow link": self._follow,
            "read": self._read,
            "somebody else": self._somebody_else,
            "both change": self._both_change,
            "lock": self._lock,
            "delete above": self._delete_above,
            "trash": self._trash,
        }

    def carry_out(self, program: Program) -> list[Outcome]:
        """Carry out a program; return what came of each step, and what is stored in the end."""
        stocked = bool(program) and program[0][3] % 2 == 1
        keep = stocked and program[0][2] % 2 == 0
        with_form = bool(program) and program[0][1] % 2 == 0
        if stocked and not keep:
            self.storage.stock(with_form=with_form)
        self._begin()
        try:
            if keep:
                self._keep_stock(with_form=with_form)
            self._carry_out(list(enumerate(program)), within=False)
        finally:
            self._stack.close()
        name = "in hand after an error or rollback" if self._unread else "in hand"
        self._note(-1, name, lambda: [self._columns(one) for one in self.hand])
        self.outcomes.append(("stored", stored := self._stored()))
        if "('inactive', True)" in repr(stored):
            self.outcomes.append(("listed", self._listed()))
        return self.outcomes

    def _carry_out(self, steps: list[Numbered], *, within: bool) -> None:
        while steps:
            number, step = steps.pop(0)
            name = ACTIONS[step[0] % len(ACTIONS)]
            if name == "savepoint":
                inside = [steps.pop(0) for _ in range(min(len(steps), 1 + step[1] % 4))]
                act = partial(self._savepoint, inside, fails=step[2] % 3 == 0)
                self._note(number, name, act)
            elif not (within and name in {"commit", "rollback", "begin another unit"}):
                if (name in OF_TWO and within) or (self._ended and name in QUIET):
                    continue
                self._note(number, name, partial(self._actions[name], *step[1:]))

    def _note(self, number: int, name: str, act: Callable[[], Any]) -> None:
        self._followed.clear()
        try:
            with self.storage.watched():
                outcome: Outcome = (name, self._told(act()))
        except BackOut:
            outcome = (name, "backed out")
        except EyenedError as error:
            outcome = (name, "error", type(error).__name__)
            self._ended = self._has_ended()
            self._unread = self._unread or self._ended
        except Exception as error:  # noqa: BLE001 - a raw error is an outcome like any other
            outcome = (name, "raw error", type(error).__name__)
        if number >= 0:
            self._kept.update((id(one), one) for one in self.storage.known(self.uow))
        self.steps[len(self.outcomes)] = number
        self.faults[len(self.outcomes)] = self.storage.faults
        if self._followed:
            self.loaded[len(self.outcomes)] = all(self._followed)
        self.outcomes.append(outcome)

    def _has_ended(self) -> bool:
        try:
            self.uow.repository(Project)
        except EyenedError:
            return True
        return False

    def _keep_stock(self, *, with_form: bool) -> None:
        """Begin with the stock in hand, as this unit has stored it."""
        self.hand = stock(with_form=with_form)
        for one in self.hand:
            self._repository(word_of(one)).add(one)
        self.uow.commit()

    # --- the actions ---------------------------------------------------------------------

    def _begin(self, *_: int) -> None:
        self._stack.close()
        self._unread = self._ended = False
        self.hand.clear()
        self._kept.clear()
        self.uow = self._stack.enter_context(self.storage.unit_of_work())

    def _rollback(self, *_: int) -> None:
        self.uow.rollback()
        self._unread, self._ended = True, False

    def _savepoint(self, inside: list[Numbered], *, fails: bool) -> None:
        before, self._backed_out = self._backed_out, True
        try:
            with self.uow.savepoint():
                self._carry_out(inside, within=True)
                if fails:
                    raise BackOut
            self._backed_out = before
        finally:
            self._ended = self._has_ended()

    def _new(self, kind: int, values: int, links: int) -> Any:
        word = WORDS[kind % DRAWN]
        given: dict[str, Any] = {}
        for number, (name, choices) in enumerate(word.columns.items()):
            usual = min(4, len(choices))
            draw = (values >> (3 * number)) % 32
            if number == 0 or draw % 2:
                given[name] = choices[draw % usual if draw < 28 else draw % len(choices)]
        for number, name in enumerate(() if self._ended else word.ones):
            self._draw_link(word, name, (links >> (3 * number)) % 64, given)
        one = word.entity(**given)
        if values % 4:
            self._repository(word).add(one)
        self.hand.append(one)
        return None

    def _draw_link(self, word: Word, name: str, draw: int, given: dict[str, Any]) -> None:
        link = word.entity.__entity__.links[name]
        others = [one for one in self.hand if isinstance(one, entity_class(link.target))]
        if not others or draw % 8 == 7:
            if draw == 15:
                given[str(link.via)] = ABSENT
            return
        other = others[draw % len(others)]
        identity = id_of(other)
        if draw % 3 == 0 and identity is not None:
            given[str(link.via)] = identity
        else:
            given[name] = other

    def _add(self, which: int, *_: int) -> None:
        one = self._one(which)
        if one is not None:
            self._repository(word_of(one)).add(one)

    def _set_column(self, which: int, column: int, value: int) -> None:
        one = self._one(which)
        if one is not None:
            columns = list(word_of(one).columns.items())
            name, choices = columns[column % len(columns)]
            setattr(one, name, choices[value % len(choices)])

    def _set_link(self, which: int, link: int, other: int) -> None:
        one = self._one(which)
        if one is None or not (names := word_of(one).ones):
            return
        name = names[link % len(names)]
        setattr(one, name, self._other(one, name, other))

    def _set_id(self, which: int, link: int, other: int) -> None:
        one = self._one(which)
        if one is None or not (names := word_of(one).ones):
            return
        found = one.__entity__.links[names[link % len(names)]]
        target = self._other(one, found.name, other)
        identity = ABSENT if other % 11 == 10 else None if target is None else id_of(target)
        self._set_by_id.add((id(one), found.name))
        setattr(one, str(found.via), identity)

    def _move_by_id(self, which: int, link: int, other: int) -> Any:
        """Look where a link leads, set its id, and look once more, from both ends."""
        one = self._one(which)
        if one is None or not (names := word_of(one).ones):
            return None
        found = one.__entity__.links[names[link % len(names)]]
        before = self._linked(one, found.name)
        if before is not None and other % 2:
            target: Any = self._twin(before, other)
        else:
            target = self._other(one, found.name, other)
        setattr(one, str(found.via), None if target is None else id_of(target))
        self.uow.flush()
        ends = [end for end in (before, target) if end is not None and found.back]
        lists = [list(self._linked(end, str(found.back))) for end in ends]
        return [self._linked(one, found.name), *(item for several in lists for item in several)]

    def _twin(self, one: Entity, value: int) -> Entity:
        """Store a copy of an object, with another value in its first column; return it."""
        word, twin = word_of(one), copy.copy(one)
        name, choices = next(iter(word.columns.items()))
        setattr(twin, name, choices[value % min(4, len(choices))])
        self._repository(word).add(twin)
        self.hand.append(twin)
        self.uow.flush()
        return twin

    def _edit_list(self, which: int, link: int, how: int) -> Any:
        one = self._one(which)
        if one is None or not (names := word_of(one).lists):
            return None
        name = names[link % len(names)]
        items = self._linked(one, name)
        other = self._other(one, name, how // 8)
        edit = how % 8
        if edit < 4 and other is not None:
            items.append(other)
        elif edit == 4 and items:
            items.remove(items[how % len(items)])
        elif edit == 5 and items:
            items.pop()
        elif edit == 6:
            items.clear()
        elif edit == 7:
            setattr(one, name, [] if other is None else [other])
        return list(getattr(one, name))

    def _edit_json(self, which: int, how: int, value: int) -> None:
        forms = [one for one in self.hand if isinstance(one, FormAnnotation)]
        if not forms:
            return
        data = forms[which % len(forms)].form_data
        if isinstance(data, dict):
            deep = data.get("a")
            if how % 3 == 0 and isinstance(deep, dict):
                deep.setdefault("b", []).append(value % 5)
            elif how % 3 == 1:
                data.pop("a", None)
            else:
                data["a"] = [value % 3, True, 1.5][value % 3]
        elif isinstance(data, list):
            data.append(value % 4)

    def _delete(self, which: int, how: int, _: int) -> Any:
        """Delete an object; of every second, look which others are still there."""
        one = self._one(which)
        if one is None:
            return None
        self._repository(word_of(one)).delete(one)
        if how % 2:
            return None
        self.uow.flush()
        return [self._is_there(other) for other in self.hand]

    def _delete_above(self, which: int, link: int, _: int) -> Any:
        """Delete what an object hangs on; look which of those in hand are still there."""
        one = self._one(which)
        if one is None or self._ended or not (names := word_of(one).ones):
            return None
        if any(one is gone for gone in self._taken_along):
            return None
        above = self._linked(one, names[link % len(names)])
        if above is None:
            return None
        self._repository(word_of(above)).delete(above)
        self.uow.flush()
        return [self._is_there(other) for other in self.hand]

    def _trash(self, which: int, how: int, _: int) -> Any:
        """Put an object away with what hangs on it, restore it, or delete it for good."""
        one = self._one(which)
        if one is None or self._ended:
            return None
        trash = Trash()
        if how % 3 == 2:
            counts = dict(trash.delete(self.uow, one).counts)
            self._taken_along += [other for other in self.hand if not self._is_there(other)]
            return counts
        act = trash.restore if how % 3 else trash.put_away
        return dict(act(self.uow, one).counts)

    def _is_there(self, one: Entity) -> bool:
        key = key_of(one)
        found = key is not None and self._repository(word_of(one)).get(key, default=None)
        return found is not None and found is not False

    def _lock(self, which: int, *_: int) -> None:
        one = self._one(which)
        if one is not None:
            self.uow.lock(one)

    def _find(self, kind: int, how: int, what: int) -> Any:
        word = WORDS[kind % len(WORDS)]
        repository = self._repository(word)
        mine = [one for one in self.hand if type(one) is word.entity and key_of(one) is not None]
        column, choices = list(word.columns.items())[what % len(word.columns)]
        value = choices[(what // 8) % len(choices)]
        ways: list[Callable[[], Any]] = [
            repository.where,
            lambda: repository.where(**{column: value}),
            repository.count,
            lambda: repository.one(**{column: value}),
            lambda: repository.one(default=None, **{column: value}),
            lambda: repository.by_name(_NAMES[what % len(_NAMES)], default=None),
            lambda: sorted(repository.name_to_id()),
            lambda: repository.get(key_of(mine[what % len(mine)])) if mine else None,
            lambda: repository.by_ids([key_of(one) for one in mine[:3]]),
            lambda: repository.get(self._absent(word), default=None),
            lambda: repository.where(**{column: [value, choices[0]]}),
            lambda: repository.where(include_inactive=True),
            lambda: repository.count(include_inactive=what % 2 == 0),
        ]
        return ways[how % len(ways)]()

    def _absent(self, word: Word) -> Any:
        keys = word.entity.__entity__.primary_key
        return ABSENT if len(keys) == 1 else (ABSENT,) * len(keys)

    def _follow(self, which: int, link: int, _: int) -> Any:
        one = self._one(which)
        if one is None:
            return None
        names = [*word_of(one).ones, *word_of(one).lists]
        found = self._linked(one, names[link % len(names)]) if names else None
        return list(found) if isinstance(found, list) else found

    def _linked(self, one: Entity, name: str) -> Any:
        """Return what a link leads to; note whether the storage had to be asked."""
        link = one.__entity__.links[name]
        identity = None if link.via is None else one.__dict__.get(link.via)
        is_known = identity is not None and self.storage.knows(self.uow, link.target, identity)
        is_set_by_id = (id(one), name) in self._set_by_id
        self._followed.append(name in one.__dict__ or (is_known and not is_set_by_id))
        return getattr(one, name)

    def _read(self, which: int, *_: int) -> Any:
        one = self._one(which)
        return None if one is None else self._columns(one)

    def _somebody_else(self, which: int, how: int, value: int) -> Any:
        """Let another unit of work change something, after this one has committed."""
        self._commit_before_others()
        with self.storage.unit_of_work() as other:
            word = WORDS[which % len(WORDS)]
            there = getattr(other, word.repository).where()
            if not there:
                return "nothing there"
            one = there[value % len(there)]
            if how % 4 == 0:
                getattr(other, word.repository).delete(one)
            else:
                columns = list(word.columns.items())
                name, choices = columns[how % len(columns)]
                setattr(one, name, choices[value % min(4, len(choices))])
            other.commit()
        return "done"

    def _commit_before_others(self) -> None:
        """Commit; what a rollback has emptied is read before others change it: see `allowed`."""
        if self._unread or self._backed_out:
            self._read_emptied()
        self.uow.commit()

    def _read_emptied(self) -> None:
        """Read what the objects in hand have lost by a rollback, to a savepoint or of all."""
        for one in list(self.hand):
            self._columns(one)
            for name in word_of(one).lists if key_of(one) is not None else ():
                getattr(one, name)

    def _both_change(self, which: int, how: int, value: int) -> Any:
        """Let another unit change what an object in hand stands for, then this one as well."""
        one = self._one(which)
        if one is None or self._ended or (key := key_of(one)) is None:
            return None
        self._commit_before_others()
        columns = list(word_of(one).columns.items())
        (name, theirs), (own, mine) = columns[how % len(columns)], columns[value % len(columns)]
        with self.storage.unit_of_work() as other:
            there = getattr(other, word_of(one).repository).get(key, default=None)
            if there is None:
                return "not there"
            setattr(there, name, theirs[value % min(4, len(theirs))])
            other.commit()
        setattr(one, own, mine[how % min(4, len(mine))])
        self.uow.flush()
        return "changed twice"

    # --- what is told of it ----------------------------------------------------------------

    def _told(self, result: Any) -> Any:
        if isinstance(result, Entity):
            return self._label(result)
        if isinstance(result, list):
            return [self._told(one) for one in result]
        return result

    def _label(self, one: Entity) -> Any:
        for number, held in enumerate(self.hand):
            if held is one:
                return f"#{number}"
        self.hand.append(one)
        return (f"#{len(self.hand) - 1}", self._columns(one))

    def _columns(self, one: Entity) -> list[Any]:
        return [type(one).__name__, *(plain(getattr(one, name)) for name in word_of(one).columns)]

    def _stored(self) -> dict[str, list[str]]:
        rows = self.storage.rows()
        names = dict(named(rows))
        return {
            kind: sorted(repr(told_row(kind, row, names)) for row in found)
            for kind, found in rows.items()
        }

    def _listed(self) -> dict[str, int]:
        """Return how many objects stand in lists, as somebody reads them who comes anew."""
        counts: Counter[str] = Counter()
        with self.storage.unit_of_work() as uow:
            for word in WORDS:
                for one in getattr(uow, word.repository).where(include_inactive=True):
                    for name in word.lists:
                        counts[f"{type(one).__name__}.{name}"] += len(getattr(one, name))
        return dict(counts)

    def _one(self, which: int) -> Entity | None:
        return self.hand[which % len(self.hand)] if self.hand else None

    def _other(self, one: Entity, link: str, which: int) -> Entity | None:
        target = entity_class(one.__entity__.links[link].target)
        others = [other for other in self.hand if isinstance(other, target)]
        return others[which % len(others)] if others and which % 7 else None

    def _repository(self, word: Word) -> Any:
        return getattr(self.uow, word.repository)


_NAMES = ["n0", "n1", "N1", "n9"]
