"""Rows with what their links lead to, rows between others, and how many stand in lists."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, Duplicate, EyenedError, RuleBroken, UnknownName
from eyened_domain.model import (
    AttributeValue,
    AttributeValueInput,
    Creator,
    Laterality,
    Patient,
    Project,
    SegmentationModel,
    Study,
    StudyTagLink,
    Tag,
    TagType,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


def _tagged(uow: UnitOfWork, build: Builder) -> dict[str, Any]:
    """Store two tags and two studies of one patient; nothing is tagged yet."""
    creator = uow.creators.add(build.a_creator(creator_name="dr_smith"))
    tags = [Tag(tag_name=name, tag_type=TagType.Study, creator=creator) for name in ("a", "b")]
    patient = build.a_patient(patient_identifier="P1")
    studies = [build.a_study(patient=patient) for _ in "ab"]
    uow.tags.add_all(tags)
    uow.studies.add_all(studies)
    uow.flush()
    return {
        "tags": [tag.tag_id for tag in tags],
        "studies": [study.study_id for study in studies],
        "creator": creator.creator_id,
        "patient": patient.patient_id,
    }


def _links(ids: dict[str, Any], *pairs: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {
            "tag_id": ids["tags"][tag],
            "study_id": ids["studies"][study],
            "creator_id": ids["creator"],
        }
        for tag, study in pairs
    ]


class LinkedRowsContract(Contract):
    """That sets of rows are read with what they point to, and written between others."""

    def test_rows_are_read_with_what_their_links_lead_to(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _tagged(uow, build)
            uow.rows.insert_links(StudyTagLink, _links(ids, (0, 0), (1, 0), (1, 1)))
            columns = ["tag.tag_name", "study_id", "study.patient.patient_identifier"]
            only: dict[str, Any] = {"tag.tag_type": "Study", "creator_id.creator_name": "DR_SMITH"}
            found = uow.rows.find(
                StudyTagLink,
                "study.patient_id",
                [ids["patient"]],
                columns,
                **only,
            )
            one, two = ids["studies"]
            assert sorted(found) == [("a", one, "P1"), ("b", one, "P1"), ("b", two, "P1")]
            assert uow.rows.find(StudyTagLink, "tag.tag_name", ["A"], ["study_id"]) == [(one,)]
            assert uow.rows.find(StudyTagLink, "tag.tag_name", ["c", None], ["study_id"]) == []

    def test_a_link_that_is_empty_leads_to_none(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            model = build.an_attributes_model(model_name="net")
            of_image = build.add(uow, AttributeValue, laterality="L", producing_model=model)
            of_patient = build.add(
                uow, AttributeValue, image_instance=None, patient=build.a_patient()
            )
            of_image.input_values = [of_patient]
            uow.flush()
            side = "image_instance.series.study.patient_id"
            image = of_image.image_instance
            assert image is not None
            found = uow.rows.find(
                AttributeValue,
                "attribute_value_id",
                [of_image.attribute_value_id, of_patient.attribute_value_id],
                ["laterality", side, "patient_id", "producing_model.model_name"],
            )
            study = image.series.study
            assert {tuple(row) for row in found} == {
                (Laterality.L, study.patient_id, None, "net"),
                (None, None, of_patient.patient_id, None),
            }
            without: dict[str, Any] = {"input_value.image_instance_id": None}
            both = uow.rows.find(
                AttributeValueInput,
                "output_value.laterality",
                ["L"],
                ["input_value.patient_id", "output_value.image_instance_id"],
                **without,
            )
            assert both == [(of_patient.patient_id, of_image.image_instance_id)]

    def test_columns_of_what_it_is_a_special_kind_of_are_read(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            model = build.add(uow, SegmentationModel, model_name="layers")
            build.add(uow, SegmentationModel, model_name="vessels")
            uow.flush()
            columns = ["model_id", "model_name", "feature_id"]
            assert uow.rows.find(SegmentationModel, "model_name", ["Layers"], columns) == [
                (model.model_id, "layers", model.feature_id)
            ]

    def test_rows_are_counted_with_what_stands_in_their_lists(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _tagged(uow, build)
            uow.rows.insert_links(StudyTagLink, _links(ids, (0, 0), (1, 0), (1, 1)))
            date = uow.studies.get(ids["studies"][0]).study_date
            only = {"study.study_date": date}
            assert uow.rows.counted(
                Tag, ["tag_name", "creator.creator_name"], {"study_tag_links": {}}
            ) == [("a", "dr_smith", 1), ("b", "dr_smith", 2)]
            lists: dict[str, Any] = {"study_tag_links": only, "creator_tag_links": {}}
            assert uow.rows.counted(Tag, [], lists, tag_name="B") == [(1, 0)]
            empty = uow.projects.add(build.a_project(project_name="empty"))
            uow.flush()
            counted = uow.rows.counted(Project, ["project_id"], {"patients": {}})
            assert counted[-1] == (empty.project_id, 0)
            assert counted[0][1] == 1

    def test_links_are_inserted_all_or_none(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _tagged(uow, build)
            uow.rows.insert_links(StudyTagLink, _links(ids, (0, 0)))
            uow.commit()
        nobody = {**ids, "creator": ids["creator"] + 1000}
        cases: list[tuple[list[dict[str, Any]], type[EyenedError]]] = [
            (_links(ids, (1, 0), (0, 0)), Duplicate),
            (_links(ids, (1, 0), (1, 0)), Duplicate),
            ([*_links(ids, (1, 0)), *_links(nobody, (1, 1))], RuleBroken),
            ([{**_links(ids, (1, 0))[0], "comment": "x" * 257}], BadInput),
        ]
        for rows, error in cases:
            with make_unit_of_work() as uow:
                with pytest.raises(error):
                    uow.rows.insert_links(StudyTagLink, rows)
                assert uow.study_tags.count() == 1  # the unit goes on without them
        with make_unit_of_work() as uow:
            (link,) = uow.study_tags.where()
            assert (link.tag_id, link.comment) == (ids["tags"][0], None)
            assert link.date_inserted

    def test_links_are_deleted_by_what_they_hold(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _tagged(uow, build)
            uow.rows.insert_links(StudyTagLink, _links(ids, (0, 0), (1, 0), (1, 1)))
            studies = [*ids["studies"], max(ids["studies"]) + 1]
            deleted = uow.rows.delete_links(
                StudyTagLink, "study_id", studies, tag_id=ids["tags"][1]
            )
            assert deleted == 2
            assert uow.rows.delete_links(StudyTagLink, "study_id", []) == 0
            uow.commit()
            assert uow.study_tags.count() == 1

    def test_links_in_hand_are_deleted_with_their_rows_and_come_back_with_them(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            ids = _tagged(uow, build)
            uow.rows.insert_links(StudyTagLink, _links(ids, (0, 0), (1, 0)))
            uow.commit()
        with make_unit_of_work() as uow:
            first, second = uow.study_tags.where(order_by="tag_id")
            study = first.study
            assert len(study.study_tag_links) == 2
            assert uow.rows.delete_links(StudyTagLink, "tag_id", [first.tag_id]) == 1
            assert study.study_tag_links == [second]
            with pytest.raises(RuleBroken, match="this StudyTagLink was deleted"):
                first.tag = second.tag
            uow.rollback()
            assert set(uow.study_tags.where()) == {first, second}
            first.comment = "it is there again"
            uow.commit()
        with make_unit_of_work() as uow:
            assert [one.comment for one in uow.study_tags.where(order_by="tag_id")] == [
                "it is there again",
                None,
            ]

    def test_what_is_no_path_or_no_link_is_refused(self, make_unit_of_work: MakeUnitOfWork) -> None:
        with make_unit_of_work() as uow:
            rows = uow.rows
            wrong: list[tuple[Any, type[EyenedError], str]] = [
                (lambda: rows.find(Study, "patient.sexx", [1], []), UnknownName, "sex"),
                (lambda: rows.find(Study, "study_id", [1], ["patient"]), BadInput, "patient_id"),
                (lambda: rows.find(Study, "patients.sex", [1], []), UnknownName, "patient"),
                (lambda: rows.find(Patient, "studies.study_date", [1], []), BadInput, "no single"),
                (lambda: rows.find(Study, "study_date.year", [1], []), BadInput, "no single"),
                (lambda: rows.counted(Tag, [], {"creator": {}}), BadInput, "is no list"),
                (lambda: rows.counted(Tag, [], {"study_tag_links": {"x": 1}}), UnknownName, "x"),
                (lambda: rows.counted(StudyTagLink, [], {}), BadInput, "several columns"),
                (
                    lambda: rows.counted(AttributeValue, [], {"input_values": {}}),
                    BadInput,
                    "is no list",
                ),
                (lambda: rows.insert_links(Creator, [{}]), BadInput, "ids of their own"),
                (lambda: rows.delete_links(Tag, "tag_id", [1]), BadInput, "ids of their own"),
                (
                    lambda: rows.insert_links(StudyTagLink, [{"tag_id": 1}, {"study_id": 1}]),
                    BadInput,
                    "the same columns",
                ),
                (lambda: rows.insert_links(StudyTagLink, [{"tag": 1}]), BadInput, "say tag_id"),
                (lambda: rows.delete_links(StudyTagLink, "tag_id", "12"), BadInput, "a list of"),
            ]
            for call, error, message in wrong:
                with pytest.raises(error, match=message):
                    call()
