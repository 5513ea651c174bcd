"""Accounts: the passwords of people."""

# ruff: noqa: D102, S101 - the names of the tests say it all; no password is anybody's

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from argon2 import PasswordHasher

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.services.accounts import Accounts
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD, OTHER = "correct horse battery", "a staple for paper"


class _Counting(PasswordHasher):
    """Counts how often a password was checked against a hash."""

    checked = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:  # noqa: A002
        self.checked += 1
        return super().verify(hash, password)


def _stored(make: MakeUnitOfWork, build: Builder, **values: Any) -> None:
    with make() as uow:
        uow.creators.add(build.a_creator(creator_name="dr_smith", **values))
        uow.commit()


class AccountContract(Contract):
    """That only the right password is let in, and that nothing tells of another."""

    def test_a_person_is_known_by_the_password_that_was_set(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        accounts = Accounts(QUICK)
        _stored(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            accounts.set_password(uow.creators.by_name("dr_smith"), GOOD)
            uow.commit()
        with make_unit_of_work() as uow:
            creator = uow.creators.by_name("dr_smith")
            assert accounts.verify(uow, "dr_smith", GOOD) is creator
            assert accounts.verify(uow, "dr_smith", OTHER) is None
            assert accounts.verify(uow, "dr_jones", GOOD) is None
            assert str(creator.password_hash).startswith("$argon2id$")
            assert GOOD not in repr(creator) + str(dict(creator))

    def test_accents_count_alike_whichever_keyboard_they_come_from(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        accounts = Accounts(QUICK)
        _stored(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            accounts.set_password(uow.creators.by_name("dr_smith"), "caf\u00e9 au lait, two")
            assert accounts.verify(uow, "dr_smith", "cafe\u0301 au lait, two") is not None

    def test_a_legacy_hash_is_taken_once_and_replaced(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        accounts = Accounts(QUICK)
        legacy = hashlib.pbkdf2_hmac("sha256", b"old", b"6f4b661212", 10_000)
        _stored(make_unit_of_work, build, password=legacy)
        with make_unit_of_work() as uow:
            assert accounts.verify(uow, "dr_smith", "new") is None
            assert accounts.verify(uow, "dr_smith", "old") is not None
            uow.commit()
        with make_unit_of_work() as uow:
            creator = uow.creators.by_name("dr_smith")
            assert creator.password is None
            assert accounts.verify(uow, "dr_smith", "old") is creator
            assert accounts.verify(uow, "dr_smith", "new") is None

    def test_a_hash_with_fewer_rounds_than_usual_is_replaced(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        more = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
        _stored(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            creator = uow.creators.by_name("dr_smith")
            Accounts(QUICK).set_password(creator, GOOD)
            assert Accounts(more).verify(uow, "dr_smith", GOOD) is creator
            assert "t=2" in str(creator.password_hash)

    @pytest.mark.parametrize("name", ["dr_smith", "dr_jones", "a model", "without", "of old"])
    def test_each_refusal_takes_the_same_work(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        legacy: list[Any] = []
        derive = hashlib.pbkdf2_hmac

        def derived(*arguments: Any) -> bytes:
            legacy.append(arguments)
            return derive(*arguments)

        monkeypatch.setattr(hashlib, "pbkdf2_hmac", derived)
        hasher = _Counting(time_cost=1, memory_cost=8, parallelism=1)
        accounts = Accounts(hasher)
        _stored(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            uow.creators.add(build.a_creator(creator_name="a model", is_human=False))
            uow.creators.add(build.a_creator(creator_name="without"))
            uow.creators.add(build.a_creator(creator_name="of old", password=bytes(range(32))))
            accounts.set_password(uow.creators.by_name("dr_smith"), GOOD)
            assert accounts.verify(uow, name, OTHER) is None
            assert (hasher.checked, len(legacy)) == (1, 1)

    def test_a_password_is_changed_by_who_knows_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        accounts = Accounts(QUICK)
        _stored(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            accounts.set_password(uow.creators.by_name("dr_smith"), GOOD)
            assert accounts.change_password(uow, "dr_smith", OTHER, OTHER) is False
            assert accounts.verify(uow, "dr_smith", OTHER) is None
            assert accounts.change_password(uow, "dr_smith", GOOD, OTHER) is True
            assert accounts.verify(uow, "dr_smith", GOOD) is None
            assert accounts.verify(uow, "dr_smith", OTHER) is not None

    @pytest.mark.parametrize(
        ("password", "said"),
        [
            ("short", "12 to 256 characters"),
            ("long" * 100, "12 to 256 characters"),
            ("abababababab", "5 different characters"),
            ("hello DR_SMITH!", "name of its person"),
            (None, "is a text"),
        ],
    )
    def test_a_weak_password_is_refused_by_a_rule_that_is_told(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, password: Any, said: str
    ) -> None:
        _stored(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            creator = uow.creators.by_name("dr_smith")
            with pytest.raises(BadInput, match=said) as refused:
                Accounts(QUICK).set_password(creator, password)
            assert creator.password_hash is None
            assert str(password) not in str(refused.value)
            assert refused.value.value is None

    def test_a_model_has_no_password(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            creator = uow.creators.add(build.a_creator(creator_name="net", is_human=False))
            with pytest.raises(RuleBroken, match="only people"):
                Accounts(QUICK).set_password(creator, GOOD)
