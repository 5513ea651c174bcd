"""Only what truly may differ is allowed, and what comes after it is compared as well."""

import pytest

from campaigns.differential.allowed import LOADED_ALONG, NOT_READ, TWO_FAULTS, Told, allowed_as
from campaigns.differential.faults import Faults
from eyened_domain.adapters.memory import MemoryUnitOfWork
from eyened_domain.errors import EyenedError
from eyened_domain.model import Project, Study


def _told(memory, sqlite, faults=(), before=None, *, waits=False, has_read=False):
    outcomes = {"memory": memory, "sqlite": sqlite}
    return Told(outcomes, frozenset(faults), before or {}, waits, has_read)


def _error(kind, step="flush"):
    return (step, "error", kind)


def test_two_faults_are_allowed_where_there_are_two():
    both = _error("Duplicate"), _error("RuleBroken")
    assert allowed_as(_told(*both, {"Duplicate", "RuleBroken"})) is TWO_FAULTS
    assert allowed_as(_told(*both, {"Duplicate"})) is None
    assert allowed_as(_told(*both)) is None


@pytest.mark.parametrize("kind", ["BadInput", "Conflict", "RowChanged", "NotFound"])
def test_another_kind_of_error_is_never_allowed(kind):
    faults = {"Duplicate", "RuleBroken"}
    assert allowed_as(_told(_error("Duplicate"), _error(kind), faults)) is None
    assert allowed_as(_told(_error(kind), _error("RuleBroken"), faults)) is None


def test_an_error_on_one_side_alone_is_not_allowed():
    assert allowed_as(_told(_error("Duplicate"), ("flush", None), {"Duplicate"})) is None
    assert allowed_as(_told(_error("Duplicate"), None, {"Duplicate"})) is None


def test_two_faults_are_told_again_until_the_rollback_and_no_others():
    before = {"memory": "Duplicate", "sqlite": "RuleBroken"}
    one, other = _error("Duplicate", "find"), _error("RuleBroken", "find")
    assert allowed_as(_told(one, other, before=before)) is TWO_FAULTS
    assert allowed_as(_told(other, one, before=before)) is None


def test_what_waits_is_compared_again_with_a_flush():
    assert allowed_as(_told(("read", 1), ("read", 2), waits=True)) is LOADED_ALONG
    assert allowed_as(_told(("read", 1), ("read", 2))) is None


def test_what_was_read_for_a_link_may_be_newer_and_nothing_else():
    newer, older = ("in hand", [["Project", "new"]]), ("in hand", [["Project", "old"]])
    assert allowed_as(_told(newer, older, has_read=True)) is LOADED_ALONG
    assert allowed_as(_told(newer, older)) is None
    assert allowed_as(_told(newer, ("in hand", "error", "NotLoaded"), has_read=True)) is None
    assert allowed_as(_told(("stored", {}), ("stored", {"a": 1}), has_read=True)) is None


def test_objects_are_not_compared_after_a_rollback_but_have_to_be_readable():
    name = "in hand after an error or rollback"
    assert allowed_as(_told((name, [1]), (name, [2]))) is NOT_READ
    assert allowed_as(_told((name, [1]), (name, "error", "NotLoaded"))) is None
    assert allowed_as(_told(("in hand", [1]), ("in hand", [2]))) is None


def test_all_faults_of_a_flush_are_noted():
    faults = Faults()
    with MemoryUnitOfWork() as uow:
        uow.projects.add(Project(project_name="a"))
        uow.commit()
        uow.projects.add(Project(project_name="a"))
        with pytest.raises(EyenedError), faults.watched():
            uow.flush()
        assert faults.last == {"Duplicate"}
        uow.rollback()
        uow.projects.add(Project(project_name="a"))
        uow.studies.add(Study(study_date="2024-01-01", patient_id=987654))
        with pytest.raises(EyenedError), faults.watched():
            uow.flush()
        assert faults.last == {"Duplicate", "RuleBroken"}
