"""Faults that are put into the adapters' flushes on purpose: the machine must find each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm.attributes import instance_state, set_committed_value

from eyened_domain.adapters.memory import flushing, objects
from eyened_domain.adapters.sql import flushing as sql_flushing
from eyened_domain.adapters.sql import inactive, links_by_id, navigation
from eyened_domain.adapters.sql import session as sql_session

Patch = Callable[[Any, str, Any], None]


def _memory_forgets_a_column(patch: Patch) -> None:
    original = flushing._row_of

    def row_of(held: Any) -> Any:
        row = original(held)
        if "description" in row.values:
            row.values["description"] = None
        return row

    patch(flushing, "_row_of", row_of)


def _memory_forgets_deletions(patch: Patch) -> None:
    patch(objects.Objects, "delete", lambda self, held: self.deleted.pop(id(held.entity), None))


def _memory_checks_no_keys(patch: Patch) -> None:
    patch(flushing, "check_keys", lambda *_: None)


def _memory_follows_no_delete_rule(patch: Patch) -> None:
    patch(flushing, "follow_removal", lambda *_: None)


def _sql_compares_nothing(patch: Patch) -> None:
    patch(sql_flushing, "refuse_overwriting", lambda *_: None)


def _sql_skips_a_column(patch: Patch) -> None:
    original = links_by_id.note_ids

    def note_ids(session: Any, objects: Any) -> None:
        for one in objects:
            state = instance_state(one)
            if state.key is not None and "description" in state.committed_state:
                set_committed_value(one, "description", state.committed_state["description"])
        original(session, objects)

    patch(sql_flushing, "note_ids", note_ids)


def _sql_keeps_nothing_for_a_rollback(patch: Patch) -> None:
    patch(sql_flushing, "keep_for_rollback", lambda *_: None)


def _sql_deletes_nothing_along(patch: Patch) -> None:
    for module in (sql_flushing, sql_session):
        patch(module, "delete_along", lambda *_, **__: None)


def _sql_does_not_follow_ids(patch: Patch) -> None:
    patch(sql_flushing, "note_ids", lambda *_: None)


def _memory_lists_hold_what_is_inactive(patch: Patch) -> None:
    patch(objects, "active_in", lambda _view, _link, rows: rows)


def _sql_lists_hold_what_is_inactive(patch: Patch) -> None:
    for module in (navigation, inactive):
        patch(module, "active_in", lambda _prop: ())


MUTANTS: dict[str, Callable[[Patch], None]] = {
    "memory forgets a column": _memory_forgets_a_column,
    "memory forgets deletions": _memory_forgets_deletions,
    "memory checks no keys": _memory_checks_no_keys,
    "memory follows no delete rule": _memory_follows_no_delete_rule,
    "memory's lists hold what is inactive": _memory_lists_hold_what_is_inactive,
    "SQL's lists hold what is inactive": _sql_lists_hold_what_is_inactive,
    "SQL skips a column": _sql_skips_a_column,
    "SQL keeps nothing for a rollback": _sql_keeps_nothing_for_a_rollback,
    "SQL deletes nothing along": _sql_deletes_nothing_along,
    "SQL compares nothing with its rows": _sql_compares_nothing,
    "SQL does not follow links by id": _sql_does_not_follow_ids,
}
"""What is broken, and how."""
