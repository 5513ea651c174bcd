"""A service on the storage: changes that are found, in pages and as frames."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from eyened_domain.errors import BadInput, NotFound, RuleBroken
from eyened_domain.model import Model, Patient, Tag
from eyened_domain.services.history import Change, ChangeKind, History
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

UPDATE = ChangeKind.UPDATE


class HistoryFoundContract(Contract):
    """Changes are found by what they are of, who made them, and when."""

    def test_pages_go_on_behind_the_last_change(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            for n in range(7):
                uow.tags.add(build.a_tag(tag_name=f"tag {n}"))
                if n % 2:
                    uow.commit()
            uow.commit()
            whole = History().find(uow, entity=Tag)
            paged: list[Change] = []
            while page := History().find(
                uow, entity=Tag, most=2, before=paged[-1] if paged else None
            ):
                paged += page
            assert paged == whole
            assert [one.after["tag_name"] for one in whole] == [
                f"tag {n}" for n in range(6, -1, -1)
            ]

    def test_changes_are_found_of_objects_of_a_transaction_and_of_a_time(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            tags = [uow.tags.add(build.a_tag()) for _ in range(2)]
            uow.commit()
            tags[0].tag_name = "changed"
            uow.commit()
            history = History()
            (last, first) = history.find(uow, of=tags[0])
            assert last.kind is UPDATE
            assert len(history.find(uow, of=tags)) == 3
            assert {one.entity for one in history.find(uow, transaction=first)} >= {"Tag"}
            assert history.find(uow, transaction=last) == [last]
            hour = timedelta(hours=1)
            assert not history.find(uow, of=tags, until=first.made_at - hour)
            assert not history.find(uow, of=tags, since=last.made_at + hour)
            assert len(history.find(uow, of=tags, since=first.made_at)) == 3

    def test_what_cannot_be_asked_for_is_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        history, wrong = History(), History().find
        with make_unit_of_work() as uow:
            asked: Any
            for asked in (
                {"most": 0},
                {"of": 5},
                {"entity": "DeviceModel"},
                {"entity": "Tagg"},
                {"since": "yesterday"},
                {"before": 5},
                {"of": [build.a_tag(), build.a_patient()]},
            ):
                with pytest.raises((BadInput, TypeError, RuleBroken)):
                    wrong(uow, **asked)
            with pytest.raises(RuleBroken, match="never stored"):
                history.find(uow, of=build.a_tag())
            with pytest.raises(NotFound):
                history.find(uow, by="nobody")
            for identity in ("abc", "1-x", "0-99"):
                with pytest.raises(NotFound):
                    history.get(uow, identity)

    def test_a_frame_has_a_row_for_each_column(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        pytest.importorskip("pandas")
        with make_unit_of_work() as uow:
            uow.creators.add(build.a_creator(creator_name="ann"))
            uow.commit()
        with make_unit_of_work(actor="ann", reason="typo") as uow:
            patient = uow.patients.add(build.a_patient(birth_date="1950-01-01"))
            uow.commit()
            patient.birth_date, patient.sex = "1951-01-01", "F"
            uow.commit()
            frame = History().frame(uow, History().find(uow, entity=Patient, most=1))
        assert list(frame["column"]) == ["birth_date", "sex"]
        assert frame["before"].iloc[0] == "1950-01-01"
        assert list(frame["after"]) == ["1951-01-01", "F"]
        assert set(frame["actor_name"]) == {"ann"}
        assert set(frame["reason"]) == {"typo"}

    def test_special_kinds_are_found_with_their_parents(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one = build.a_segmentation_model(model_name="net")
            uow.repository(type(one)).add(one)
            uow.commit()
            one.model_name = "another"
            uow.commit()
            found = History().find(uow, entity=Model)
            assert [change.entity for change in found] == ["SegmentationModel"] * 2
            assert found == History().find(uow, of=one)
