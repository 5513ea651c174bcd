"""Accounts: who there is, who may do what, wrong tries, and identities elsewhere."""

# ruff: noqa: D102, S101 - the names of the tests say it all; no password is anybody's

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, NotAllowed, RuleBroken
from eyened_domain.model import CreatorIdentity, Role
from eyened_domain.services.accounts import Accounts, Throttle, Tries
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.accounts import GOOD, OTHER, QUICK
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

ISSUER = "https://login.example.org/realm"
SECOND = timedelta(seconds=1)


class _Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class AccountAccessContract(Contract):
    """That people and models are made once, and may do what their role says."""

    def test_a_person_is_made_with_a_role_and_a_password(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            accounts.add_person(
                uow, "dr_smith", role=Role.GRADER, password=GOOD, employee_identifier="0815"
            )
            uow.commit()
        with make_unit_of_work() as uow:
            smith = uow.creators.by_name("dr_smith")
            assert (smith.is_human, smith.role, smith.employee_identifier) == (True, 2, "0815")
            assert accounts.role_of(smith) is Role.GRADER
            assert accounts.verify(uow, "dr_smith", GOOD) is smith
            other = accounts.add_person(uow, "dr_jones")
            assert (other.role, other.password_hash, accounts.role_of(other)) == (None, None, None)

    @pytest.mark.parametrize(
        ("given", "kind", "said"),
        [
            ({"name": "DR_SMITH"}, Duplicate, "'dr_smith' already: a person"),
            ({"name": " dr_jones"}, BadInput, "without blanks around it"),
            ({"name": ""}, BadInput, "a name is a text"),
            ({"name": 7}, BadInput, "a name is a text"),
            ({"name": "x" * 46}, BadInput, "at most 45"),
            ({"name": "dr_jones", "password": "short"}, BadInput, "12 to 256 characters"),
            ({"name": "dr_jones", "password": "\ud800abcdefghijklm"}, BadInput, "characters"),
            ({"name": "dr_jones", "role": 2}, BadInput, r"Role\.GRADER"),
        ],
        ids=str,
    )
    def test_who_cannot_be_made_is_not_half_made(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        given: dict[str, Any],
        kind: type[Exception],
        said: str,
    ) -> None:
        with make_unit_of_work() as uow:
            uow.creators.add(build.a_creator(creator_name="dr_smith"))
            uow.commit()
            with pytest.raises(kind, match=said):
                Accounts(QUICK).add_person(uow, **given)
            assert uow.creators.count() == 1
            uow.commit()

    def test_a_model_is_made_once_and_found_again(self, make_unit_of_work: MakeUnitOfWork) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            made = accounts.add_model(uow, "vessels net", version=3, path="/models/v3")
            assert made.is_human is False
            uow.commit()
        with make_unit_of_work() as uow:
            again = accounts.add_model(uow, "Vessels Net", version=3)
            assert (again.creator_id, again.path) == (made.creator_id, "/models/v3")
            with pytest.raises(Duplicate, match="a model with version 3, not 4"):
                accounts.add_model(uow, "vessels net", version=4)
            with pytest.raises(Duplicate, match="already: a model"):
                accounts.add_person(uow, "vessels net")
            accounts.add_person(uow, "dr_smith")
            with pytest.raises(Duplicate, match="already: a person"):
                accounts.add_model(uow, "dr_smith")
            assert uow.creators.count() == 2

    def test_a_role_may_what_those_below_it_may(self, make_unit_of_work: MakeUnitOfWork) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            people = {role: accounts.add_person(uow, role.name, role=role) for role in Role}
            for has, person in people.items():
                for needed in Role:
                    if has >= needed:
                        assert accounts.require(person, needed) is person
                        continue
                    with pytest.raises(NotAllowed, match=f"{has.name}; this needs {needed.name}"):
                        accounts.require(person, needed)

    def test_nobody_and_models_and_those_without_a_role_may_nothing(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            net = uow.creators.add(build.a_creator(is_human=False, role=Role.ADMINISTRATOR))
            without = uow.creators.add(build.a_creator(role=None))
            strange = uow.creators.add(build.a_creator(role=99))
            cases = [(None, "nobody"), (net, "a model"), (without, "none"), (strange, "none")]
            for one, said in cases:
                with pytest.raises(NotAllowed, match=said):
                    accounts.require(one, Role.READER)
            with pytest.raises(BadInput, match=r"Role\.READER"):
                accounts.require(without, "READER")  # type: ignore[arg-type]
            with pytest.raises(RuleBroken, match="only people have roles"):
                accounts.set_role(net, Role.READER)

    def test_a_deployment_says_what_its_numbers_mean(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        accounts = Accounts(QUICK, roles={0: Role.ADMINISTRATOR, 10: Role.GRADER})
        with make_unit_of_work() as uow:
            smith = accounts.add_person(uow, "dr_smith", role=Role.ADMINISTRATOR)
            assert smith.role == 0
            smith.role = 2  # GRADER elsewhere, nothing here
            with pytest.raises(NotAllowed):
                accounts.require(smith, Role.READER)
            with pytest.raises(BadInput, match="no number stands for MANAGER"):
                accounts.set_role(smith, Role.MANAGER)
            accounts.set_role(smith, None)
            assert uow.creators.count(role=None) == 1
        with pytest.raises(BadInput, match="a number stands for a Role"):
            Accounts(roles={1: "GRADER"})  # type: ignore[dict-item]

    # --- wrong tries ---------------------------------------------------------------------------

    def test_who_tries_wrong_passwords_waits_longer_each_time(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        clock = _Clock()
        throttle = Throttle(free=2, longest=timedelta(seconds=5), clock=clock)
        accounts = Accounts(QUICK, throttle=throttle)
        with make_unit_of_work() as uow:
            smith = accounts.add_person(uow, "dr_smith", password=GOOD)
            kept: Tries | None = None
            waits = []
            for _ in range(6):
                found = accounts.login(uow, "dr_smith", OTHER, kept)
                assert found.creator is None
                kept = found.tries
                waits.append(found.wait / SECOND)
                clock.now += found.wait
            assert waits == [0, 0, 1, 2, 4, 5]
            assert kept == Tries(6, clock.now - 5 * SECOND)
            right = accounts.login(uow, "dr_smith", GOOD, kept)
            assert (right.creator, right.tries, right.wait) == (smith, Tries(), timedelta())

    def test_while_there_is_to_be_waited_the_right_password_is_refused_too(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        clock = _Clock()
        accounts = Accounts(QUICK, throttle=Throttle(free=0, clock=clock))
        with make_unit_of_work() as uow:
            accounts.add_person(uow, "dr_smith", password=GOOD)
            tries = Tries(3, clock.now - SECOND)
            soon = accounts.login(uow, "dr_smith", GOOD, tries)
            assert (soon.creator, soon.tries, soon.wait) == (None, tries, 3 * SECOND)
            clock.now += 3 * SECOND
            assert accounts.login(uow, "dr_smith", GOOD, tries).creator is not None

    def test_tries_count_alike_for_names_that_there_are_and_that_there_are_not(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        clock = _Clock()
        accounts = Accounts(QUICK, throttle=Throttle(clock=clock))
        with make_unit_of_work() as uow:
            accounts.add_person(uow, "dr_smith", password=GOOD)
            found = {
                (login.creator, login.tries, login.wait)
                for name in ("dr_smith", "nobody", "x" * 100, "\x00", 7, None)
                for login in [accounts.login(uow, name, OTHER)]  # type: ignore[arg-type]
            }
            assert found == {(None, Tries(1, clock.now), timedelta())}
            assert accounts.verify(uow, "dr_smith", "\ud800" * 12) is None
        assert accounts.key_of("Dr_Smith ") == accounts.key_of("dr_smith")
        assert len(accounts.key_of("x" * 10**6)) < 100
        assert accounts.key_of(None) == ""

    # --- identities elsewhere ------------------------------------------------------------------

    def test_a_person_is_found_by_an_identity_elsewhere(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            smith = accounts.add_person(uow, "dr_smith")
            first = accounts.link_identity(uow, smith, ISSUER, "Abc")
            assert accounts.link_identity(uow, smith, ISSUER, "Abc") is first
            accounts.link_identity(uow, smith, "https://other.example.org", "Abc")
            uow.commit()
        with make_unit_of_work() as uow:
            smith = uow.creators.by_name("dr_smith")
            assert accounts.by_identity(uow, ISSUER, "Abc") is smith
            assert [one.issuer for one in accounts.identities_of(uow, smith)] == [
                *(ISSUER, "https://other.example.org")
            ]
            for issuer, subject in ((ISSUER, "abc"), (ISSUER, "Abc "), (ISSUER + "/", "Abc")):
                assert accounts.by_identity(uow, issuer, subject) is None
            assert accounts.unlink_identity(uow, ISSUER, "Abc") is True
            assert accounts.unlink_identity(uow, ISSUER, "Abc") is False
            assert accounts.by_identity(uow, ISSUER, "Abc") is None

    def test_identities_that_differ_in_case_only_are_those_of_two_people(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            one, other = (accounts.add_person(uow, name) for name in ("one", "other"))
            accounts.link_identity(uow, one, ISSUER, "abc")
            accounts.link_identity(uow, other, ISSUER, "ABC")
            uow.commit()
        with make_unit_of_work() as uow:
            found = [accounts.by_identity(uow, ISSUER, name) for name in ("abc", "ABC")]
            assert [one and one.creator_name for one in found] == ["one", "other"]
            stolen = uow.creators.by_name("one")
            with pytest.raises(Duplicate, match="is Creator 'other' here"):
                accounts.link_identity(uow, stolen, ISSUER, "ABC")

    @pytest.mark.parametrize(
        ("issuer", "subject", "field"),
        [
            ("", "a", "issuer"),
            (7, "a", "issuer"),
            (ISSUER, "", "subject"),
            (ISSUER, None, "subject"),
            (ISSUER, "x" * 256, "subject"),
            (ISSUER, "a\x00", "subject"),
        ],
        ids=str,
    )
    def test_what_can_be_no_identity_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, issuer: Any, subject: Any, field: str
    ) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            smith = accounts.add_person(uow, "dr_smith")
            for call in (
                lambda: accounts.by_identity(uow, issuer, subject),
                lambda: accounts.link_identity(uow, smith, issuer, subject),
                lambda: accounts.unlink_identity(uow, issuer, subject),
            ):
                with pytest.raises(BadInput, match=f"CreatorIdentity.{field}") as refused:
                    call()
                assert refused.value.field == field
            assert uow.identities.count() == 0

    def test_a_model_logs_in_nowhere(self, make_unit_of_work: MakeUnitOfWork) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            net = accounts.add_model(uow, "net")
            with pytest.raises(RuleBroken, match="only people log in"):
                accounts.link_identity(uow, net, ISSUER, "net")
            smith = accounts.add_person(uow, "dr_smith")
            accounts.link_identity(uow, smith, ISSUER, "a")
            smith.is_human = False
            assert accounts.by_identity(uow, ISSUER, "a") is None

    def test_a_row_of_another_program_lets_nobody_in_by_its_fingerprint_alone(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            smith = accounts.add_person(uow, "dr_smith")
            real = accounts.link_identity(uow, smith, ISSUER, "a")
            real.subject = "b"
            assert accounts.by_identity(uow, ISSUER, "a") is None

    def test_identities_go_with_their_person(self, make_unit_of_work: MakeUnitOfWork) -> None:
        accounts = Accounts(QUICK)
        with make_unit_of_work() as uow:
            smith = accounts.add_person(uow, "dr_smith")
            accounts.link_identity(uow, smith, ISSUER, "a")
            uow.commit()
        with make_unit_of_work() as uow:
            uow.creators.delete(uow.creators.by_name("dr_smith"))
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.repository(CreatorIdentity).count() == 0
