"""A service on the storage: changes that are taken back, and those that are not."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import numpy as np
import pytest

from eyened_domain.errors import Conflict, Duplicate, RuleBroken, StillNeeded
from eyened_domain.model import FormAnnotation, Segmentation, Study, StudyTagLink, Tag
from eyened_domain.services.history import ChangeKind, History
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork
from eyened_domain.testing.contracts.history import stored_form


class HistoryRevertedContract(Contract):
    """What a change wrote is taken back where it is still there."""

    def test_an_update_is_taken_back_and_that_is_a_change_with_a_reason(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        key = stored_form(make_unit_of_work, build, {"grade": 1, "sure": True})
        with make_unit_of_work() as uow:
            uow.forms.get(key).form_data["grade"] = 2
            uow.commit()
            change = History().find(uow, entity=FormAnnotation)[0]
            History().revert(uow, change, reason="wrong eye")
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.forms.get(key).form_data == {"grade": 1, "sure": True}
            back = History().find(uow, entity=FormAnnotation)[0]
            assert back.reason == f"reverts {change.change_id}: wrong eye"
            assert (back.before, back.after) == (change.after, change.before)
            History().revert(uow, back)
            assert uow.forms.get(key).form_data["grade"] == 2

    def test_what_was_changed_again_since_stands_in_the_way(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            tag = uow.tags.add(build.a_tag(tag_name="one", tag_description="a"))
            uow.commit()
            tag.tag_name = "two"
            uow.commit()
            change = History().find(uow, of=tag)[0]
            tag.tag_description = "b"  # another column does not matter
            uow.commit()
            tag.tag_name = "three"
            uow.commit()
            with pytest.raises(Conflict, match="tag_name was changed since"):
                History().revert(uow, change)
            assert tag.tag_name == "three"
            tag.tag_name = "two"
            History().revert(uow, change)
            assert (tag.tag_name, tag.tag_description) == ("one", "b")

    def test_an_insert_is_taken_back_if_nothing_hangs_on_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            series = uow.series.add(build.a_series())
            uow.commit()
            made = History().find(uow, entity=Study)[0]
            with pytest.raises(StillNeeded, match="1 Series") as refused:
                History().revert(uow, made)
            assert [one.entity for one in refused.value.needed_by] == ["Series"]
            uow.series.delete(series)
            uow.commit()
            History().revert(uow, made)
            uow.commit()
            assert not uow.studies.where()
            with pytest.raises(Conflict, match="was deleted since"):
                History().revert(uow, made)

    def test_an_insert_of_what_was_changed_since_is_not_taken_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            patient = uow.patients.add(build.a_patient(sex=None))
            uow.commit()
            made = History().find(uow, of=patient)[0]
            patient.sex = "F"  # it was empty
            uow.commit()
            with pytest.raises(Conflict, match="sex was changed since"):
                History().revert(uow, made)

    def test_a_deletion_is_taken_back_with_the_same_id_and_what_went_along(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.repository(StudyTagLink).add(build.a_study_tag_link(comment="first"))
            uow.commit()
            study_id, key = link.study_id, (link.tag_id, link.study_id)
            inserted = link.date_inserted
            uow.studies.delete(uow.studies.get(study_id))
            uow.commit()
            found = History().find(uow, transaction=History().find(uow, most=1)[0])
            assert [one.entity for one in found] == ["Study", "StudyTagLink"]
            History().revert(uow, found)
            uow.commit()
        with make_unit_of_work() as uow:
            link = uow.repository(StudyTagLink).get(key)
            assert (link.comment, link.date_inserted) == ("first", inserted)
            with pytest.raises(Conflict, match="is there again"):
                History().revert(uow, found)

    def test_a_deletion_is_not_taken_back_where_another_row_has_the_key(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            feature = uow.features.add(build.a_feature(feature_name="drusen"))
            uow.commit()
            uow.features.delete(feature)
            uow.commit()
            gone = History().find(uow, most=1)
            uow.features.add(build.a_feature(feature_name="Drusen"))
            uow.commit()
            with pytest.raises(Duplicate):
                History().revert(uow, gone)

    def test_a_value_of_which_a_digest_is_kept_only_is_not_brought_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        key = stored_form(make_unit_of_work, build, {"text": "a" * 9000})
        with make_unit_of_work() as uow:
            form = uow.forms.get(key)
            form.form_data["text"] = "short"
            uow.commit()
            shortened = History().find(uow, of=form)[0]
            with pytest.raises(RuleBroken, match="digest"):
                History().revert(uow, shortened)
            form.form_data["text"] = "b" * 9000
            uow.commit()
            grown = History().find(uow, of=form)[0]
            History().revert(uow, grown)  # what it wrote is known by its digest
            assert form.form_data == {"text": "short"}

    def test_pixels_are_not_brought_back_and_their_position_is_told(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one = uow.segmentations.add(build.a_segmentation())
            uow.commit()
            one.write_data(np.zeros(one.shape, one.dtype))
            uow.commit()
            before = one.zarr_array_index
            one.write_data(np.ones(one.shape, one.dtype))
            uow.commit()
            change = History().find(uow, entity=Segmentation)[0]
            assert change.kind is ChangeKind.UPDATE
            assert change.before == {"zarr_array_index": before}
            assert change.after == {"zarr_array_index": one.zarr_array_index}
            with pytest.raises(RuleBroken, match=f"position {before}"):
                History().revert(uow, change)

    def test_a_tag_that_was_taken_off_comes_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            tag = uow.tags.add(build.a_tag())
            uow.commit()
            key, name = tag.tag_id, tag.tag_name
            uow.rows.delete(Tag, [(key, key)])
            uow.commit()
        with make_unit_of_work() as uow:
            History().revert(uow, History().find(uow, entity=Tag, most=1))
            uow.commit()
            assert uow.tags.get(key).tag_name == name
