"""A service on the storage: who changed what, when, from what to what."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eyened_domain.errors import BadInput, NotFound, RuleBroken
from eyened_domain.model import (
    Creator,
    FormAnnotation,
    SegmentationTagLink,
    Study,
    StudyTagLink,
    Tag,
)
from eyened_domain.services.history import ChangeKind, Digest, History
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import BackOut, Contract, MakeUnitOfWork

INSERT, UPDATE, DELETE = ChangeKind.INSERT, ChangeKind.UPDATE, ChangeKind.DELETE


def stored_form(make: MakeUnitOfWork, build: Builder, data: Any = None, **by: Any) -> int:
    """Store a form, and return its id."""
    with make(**by) as uow:
        form = uow.forms.add(build.a_form_annotation(form_data=data or {"grade": 1}))
        uow.commit()
        return form.form_annotation_id


def changes_of(uow: UnitOfWork, entity: type[Any], **asked: Any) -> list[tuple[Any, ...]]:
    """Return kind, key, and columns before and after, the newest first."""
    found = History().find(uow, entity=entity, **asked)
    return [(one.kind, one.key, dict(one.before), dict(one.after)) for one in found]


class HistoryContract(Contract):
    """Every change is recorded once, with its transaction, and can be looked up."""

    def test_a_change_is_recorded_with_who_made_it_why_and_when(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ann = uow.creators.add(build.a_creator(creator_name="ann"))
            uow.commit()
        key = stored_form(make_unit_of_work, build)
        begin = datetime.now(UTC) - timedelta(seconds=2)
        with make_unit_of_work(actor="ann", reason=" second look ") as uow:
            assert uow.actor is uow.creators.get(ann.creator_id)
            uow.forms.get(key).form_data["grade"] = 2
            uow.commit()
        with make_unit_of_work() as uow:
            change = History().find(uow, entity=FormAnnotation)[0]
            assert (change.entity, change.key, change.kind) == ("FormAnnotation", (key,), UPDATE)
            assert change.before == {"form_data": {"grade": 1}}
            assert change.after == {"form_data": {"grade": 2}}
            assert (change.actor_id, change.reason) == (ann.creator_id, "second look")
            assert begin < change.made_at < datetime.now(UTC) + timedelta(seconds=2)
            assert History().get(uow, change.change_id) == change

    def test_without_an_actor_the_entry_says_so(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        stored_form(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            (change,) = History().find(uow, entity=FormAnnotation)
            assert (change.actor_id, change.reason, uow.actor) == (None, None, None)

    def test_an_actor_may_be_an_object_a_name_or_an_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ann = uow.creators.add(build.a_creator(creator_name="ann"))
            uow.commit()
        for actor in (ann, "ann", ann.creator_id):
            stored_form(make_unit_of_work, build, actor=actor)
        with make_unit_of_work() as uow:
            found = History().find(uow, entity="FormAnnotation", by=[ann, "ann"])
            assert len(found) == 3

    def test_nothing_is_stored_for_an_actor_that_there_is_not(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        for actor in ("nobody", 4711):
            with make_unit_of_work(actor=actor) as uow:
                uow.projects.add(build.a_project())
                with pytest.raises(NotFound, match="there is no creator"):
                    uow.commit()
        with make_unit_of_work() as uow:
            assert not uow.projects.where()

    def test_what_cannot_be_an_actor_or_a_reason_is_refused_at_once(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        wrong: Any
        for wrong in (1.5, True, b"ann", build.a_patient()):
            with pytest.raises(BadInput, match="actor is a Creator"):
                make_unit_of_work(actor=wrong)
        with pytest.raises(RuleBroken, match="not stored yet"):
            make_unit_of_work(actor=build.a_creator())
        for wrong in (5, "x" * 1001, "a\x00b"):
            with pytest.raises(BadInput, match="reason"):
                make_unit_of_work(reason=wrong)

    def test_inserts_updates_and_deletes_are_one_entry_each(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            tag = uow.tags.add(build.a_tag(tag_name="blurred", tag_description="old"))
            uow.commit()
            tag.tag_name = "out of focus"
            uow.flush()
            tag.tag_description = "new"
            uow.commit()
            key = tag.tag_id
            uow.tags.delete(tag)
            uow.commit()
        with make_unit_of_work() as uow:
            gone, described, named, made = changes_of(uow, Tag)
        assert [one[0] for one in (made, named, described, gone)] == [
            INSERT,
            UPDATE,
            UPDATE,
            DELETE,
        ]
        assert named[2:] == ({"tag_name": "blurred"}, {"tag_name": "out of focus"})
        assert described[2:] == ({"tag_description": "old"}, {"tag_description": "new"})
        assert made[3]["tag_name"] == "blurred"
        assert gone[2]["tag_name"] == "out of focus"
        assert gone[2]["date_inserted"]
        assert {one[1] for one in (made, named, described, gone)} == {(key,)}

    def test_what_is_rolled_back_is_in_no_history(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.tags.add(build.a_tag(tag_name="before"))
            uow.flush()
            for name, error in (("lost", BackOut()), ("kept", None), ("lost", BackOut())):
                try:
                    with uow.savepoint():
                        uow.tags.add(build.a_tag(tag_name=name))
                        uow.flush()
                        assert len(History().find(uow, entity=Tag))
                        if error:
                            raise error
                except BackOut:
                    pass
            uow.commit()
            uow.tags.add(build.a_tag(tag_name="never"))
            uow.flush()
            assert len(changes_of(uow, Tag)) == 3
            uow.rollback()
            assert len(changes_of(uow, Tag)) == 2
            uow.tags.add(build.a_tag(tag_name="after"))
            uow.commit()
        with make_unit_of_work() as uow:
            names = [one[3]["tag_name"] for one in changes_of(uow, Tag)]
        assert names == ["after", "kept", "before"]

    def test_what_is_set_to_what_it_holds_is_no_change(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        key = stored_form(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            form = uow.forms.get(key)
            form.form_data = {"grade": 1}
            form.laterality = form.laterality
            uow.commit()
            uow.rows.update(FormAnnotation, [{"form_annotation_id": key, "inactive": False}])
            uow.commit()
            assert len(changes_of(uow, FormAnnotation)) == 1

    def test_a_link_that_was_moved_by_its_object_is_recorded_by_its_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            other = uow.patients.add(build.a_patient(project=study.patient.project))
            uow.commit()
            before = study.patient_id
            study.patient = other
            uow.commit()
            change = changes_of(uow, Study)[0]
            assert change[2:] == ({"patient_id": before}, {"patient_id": other.patient_id})

    def test_rows_that_go_along_are_recorded_whether_they_are_in_hand_or_not(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.a_study()
            image = uow.images.add(build.an_image(series=build.a_series(study=study)))
            uow.flush()
            segmentation = uow.segmentations.add(build.a_segmentation(image_instance=image))
            link = build.a_segmentation_tag_link(segmentation=segmentation)
            uow.repository(SegmentationTagLink).add(link)
            uow.commit()
            patient_id, segmentation_id = study.patient_id, segmentation.segmentation_id
            tag_id = link.tag_id
        with make_unit_of_work() as uow:
            uow.patients.delete(uow.patients.get(patient_id))
            uow.commit()
        with make_unit_of_work() as uow:
            found = History().find(uow)
            transaction = found[0].transaction_id
            gone = {one.entity: one for one in found if one.transaction_id == transaction}
        assert {one.kind for one in gone.values()} == {DELETE}
        assert set(gone) == {
            *("Patient", "Study", "Series", "ImageInstance", "Segmentation"),
            "SegmentationTagLink",
        }
        assert gone["SegmentationTagLink"].key == (tag_id, segmentation_id)

    def test_a_link_that_becomes_empty_along_with_a_deletion_is_recorded(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        for in_hand in (False, True):
            with make_unit_of_work() as uow:
                sub_task = uow.sub_tasks.add(build.a_sub_task())
                form = uow.forms.add(build.a_form_annotation(sub_task=sub_task))
                uow.commit()
                key, task = form.form_annotation_id, sub_task.sub_task_id
            with make_unit_of_work() as uow:
                if in_hand:
                    uow.forms.get(key)
                uow.sub_tasks.delete(uow.sub_tasks.get(task))
                uow.commit()
            with make_unit_of_work() as uow:
                change = changes_of(uow, FormAnnotation)[0]
                assert change == (UPDATE, (key,), {"sub_task_id": task}, {"sub_task_id": None})

    def test_rows_that_are_written_by_the_set_are_recorded_one_by_one(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(build.a_form_annotation())
            uow.commit()
            new = {
                "form_schema_id": form.form_schema_id,
                "patient_id": form.patient_id,
                "creator_id": form.creator_id,
                "inactive": False,
            }
            rows = [{**new, "form_data": {"n": n}} for n in range(3)]
            ids = uow.rows.insert(FormAnnotation, rows, key=["patient_id"])
            uow.rows.update(
                FormAnnotation,
                [{"form_annotation_id": one, "form_data": {"n": 2}} for one in ids],
            )
            uow.rows.delete(FormAnnotation, [(ids[0], ids[-1])])
            uow.commit()
            found = changes_of(uow, FormAnnotation)
        made = {one[1]: one[3]["form_data"] for one in found[:-1] if one[0] is INSERT}
        assert made == {(one,): {"n": n} for n, one in enumerate(ids)}
        counted = [sum(one[0] is kind for one in found) for kind in (INSERT, UPDATE, DELETE)]
        assert counted == [4, 2, 3]  # one held what was written to it
        assert {one[1] for one in found if one[0] is DELETE} == {(one,) for one in ids}
        updates = {one[1]: one[2:] for one in found if one[0] is UPDATE}
        assert updates[ids[0],] == ({"form_data": {"n": 0}}, {"form_data": {"n": 2}})

    def test_of_many_rows_written_by_the_set_each_is_found_in_pages_and_taken_back(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        history = History()
        texts = {n: f"{n} " * (5000 if n == 7 else 1) for n in range(40)}  # one is kept as a digest
        with make_unit_of_work() as uow:
            form = uow.forms.add(build.a_form_annotation())
            uow.creators.add(build.a_creator(creator_name="ann"))
            uow.commit()
            links = {name: getattr(form, name) for name in ("form_schema_id", "creator_id")}
            patient = form.patient_id
        with make_unit_of_work(actor="ann") as uow:
            new = {**links, "patient_id": patient, "inactive": False}
            rows = [{**new, "form_data": {"n": n}} for n in range(40)]
            ids = uow.rows.insert(FormAnnotation, rows, key=["patient_id"])
            uow.commit()
            data = [{"text": texts[n]} for n in range(40)]
            rows = [
                {"form_annotation_id": one, "form_data": held}
                for one, held in zip(ids, data, strict=True)
            ]
            uow.rows.update(FormAnnotation, rows)
            uow.commit()
        with make_unit_of_work() as uow:
            whole = history.find(uow, by="ann", most=1000)
            assert [one.kind for one in whole] == [UPDATE] * 40 + [INSERT] * 40
            assert {one.key for one in whole[:40]} == {(one,) for one in ids}
            assert len({one.change_id for one in whole}) == 80
            assert [history.get(uow, one.change_id) for one in whole] == whole
            paged = history.find(uow, by="ann", most=7)
            while page := history.find(uow, by="ann", most=7, before=paged[-1]):
                paged += page
            assert paged == whole
            for at in (0, 20, 79):
                assert history.find(uow, by="ann", before=whole[at], most=99) == whole[at + 1 :]
            assert not history.find(uow, entity=Tag, before=whole[3])
            for n in (0, 7, 39):
                one = uow.forms.get(ids[n])
                last, first = history.find(uow, of=one)
                assert (last.kind, last.key) == (UPDATE, (ids[n],))
                assert last.before == {"form_data": {"n": n}}
                assert first.after["form_data"] == {"n": n}
                held = last.after["form_data"]
                assert isinstance(held, Digest) if n == 7 else held == data[n]
                assert history.find(uow, of=one, before=last) == [first]
                assert not history.find(uow, of=one, before=first)
            several = history.find(uow, of=[uow.forms.get(one) for one in ids[10:20]])
            assert {one.key for one in several} == {(one,) for one in ids[10:20]}
            assert len(several) == 20
            history.revert(uow, history.find(uow, of=uow.forms.get(ids[3])))
            uow.commit()
            assert uow.forms.get(ids[3], default=None) is None
            assert uow.forms.get(ids[4]).form_data == data[4]

    def test_links_that_are_written_by_the_set_are_recorded_one_by_one(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.a_study())
            tags = [uow.tags.add(build.a_tag(tag_type="Study")) for _ in range(3)]
            uow.commit()
            keys = [(one.tag_id, study.study_id) for one in tags]
            rows = [
                {"tag_id": tag, "study_id": one, "creator_id": tags[0].creator_id}
                for tag, one in keys
            ]
            uow.rows.insert_links(StudyTagLink, rows)
            uow.rows.delete_links(StudyTagLink, "tag_id", [keys[0][0], keys[1][0]])
            uow.commit()
            found = changes_of(uow, StudyTagLink)
        assert sorted(key for kind, key, *_ in found if kind is INSERT) == sorted(keys)
        assert sorted(key for kind, key, *_ in found if kind is DELETE) == sorted(keys[:2])

    def test_another_primary_key_is_another_row(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            link = uow.repository(SegmentationTagLink).add(build.a_segmentation_tag_link())
            other = uow.tags.add(build.a_tag(tag_type=link.tag.tag_type))
            uow.commit()
            before = (link.tag_id, link.segmentation_id)
            link.tag = other
            uow.commit()
            gone, made = changes_of(uow, SegmentationTagLink)[:2]
        assert gone[:2] == (DELETE, before)
        assert made[:2] == (INSERT, (other.tag_id, before[1]))

    def test_private_columns_appear_nowhere(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        hashed = "$argon2id$canary"
        with make_unit_of_work() as uow:
            creator = uow.creators.add(build.a_creator(password_hash=hashed))
            uow.commit()
            creator.password_hash = f"{hashed}2"
            uow.commit()
            uow.creators.delete(creator)
            uow.commit()
            found = History().find(uow, entity=Creator)
            assert [one.kind for one in found] == [DELETE, INSERT]
            assert "canary" not in str([(one, one.before, one.after) for one in found])

    def test_a_long_value_is_kept_as_a_digest(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        key = stored_form(make_unit_of_work, build, {"text": "a" * 9000})
        with make_unit_of_work() as uow:
            uow.forms.get(key).form_data["text"] = "b" * 9000
            uow.commit()
            change, made = History().find(uow, entity=FormAnnotation)
            before, after = change.before["form_data"], change.after["form_data"]
            assert isinstance(before, Digest)
            assert isinstance(after, Digest)
            assert before == made.after["form_data"]
            assert before != after
            assert before.length == 9011
