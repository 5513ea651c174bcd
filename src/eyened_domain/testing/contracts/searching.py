"""A service on the storage: searches by conditions; what names and values in them mean."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model import (
    Creator,
    Entity,
    Feature,
    FormAnnotation,
    ImageInstance,
    ImageInstanceTagLink,
    Modality,
    Patient,
    Project,
    Segmentation,
    Series,
    Study,
    Tag,
    TagType,
)
from eyened_domain.services.conditions import Comparison, Condition, field, some
from eyened_domain.services.search import Search
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

LETTERS = "abcdef"
"""What images are called. The last one is inactive."""
Finds = Callable[..., str]
NAMES = [
    ("laterality", "L", "ace"),
    ("Laterality", "L", "ace"),
    ("image.laterality", "L", "ace"),
    ("series.study.study_date", "2021-05-05", "cd"),
    ("Series.Study.StudyDate", "2021-05-05", "cd"),
    ("study.study_date", "2021-05-05", "cd"),
    ("Study.StudyDate", "2021-05-05", "cd"),
    ("patient.patient_identifier", "P1", "cd"),
    ("Patient.PatientIdentifier", "P1", "cd"),
    ("study.patient.project.project_name", "two", "cd"),
    ("project", "two", "cd"),
    ("project.project_name", "two", "cd"),
    ("tag", "sharp", "ac"),
    ("tag.tag", "sharp", "ac"),
    ("tag.tag.tag_name", "sharp", "ac"),
    ("image_instance_tag_links.tag.tag_name", "sharp", "ac"),
    ("ImageInstanceTagLinks.Tag.TagName", "sharp", "ac"),
    ("tag.creator", "bob", "ac"),
    ("segmentation", "drusen", "ab"),
    ("segmentation.feature.feature_name", "drusen", "ab"),
    ("segmentation.creator.creator_name", "ann", "ab"),
    ("series.image_instances.dataset_identifier", "a", "ab"),
]
"""Names of fields, a value, and the images that hold it."""
UNKNOWN = [
    ("lateralty", "did you mean laterality"),
    ("patient.birthdate", "birth_date"),
    ("pateint.birth_date", "did you mean patient"),
    ("segmentation.creatr", "creator"),
    ("", "ImageInstance has no field ''"),
    (".", "ImageInstance has no field ''"),
    ("image", "ImageInstance has no field 'image'"),
    ("creator.x", "ImageInstance has no field 'creator'"),
]
"""Names that there are not, and what the message says."""
REFUSED: list[tuple[Condition, str]] = [
    (field("laterality") < "R", "does not take '<'"),
    (field("laterality") == "X", "it is one of L, R"),
    (field("form.form_data") == {}, "does not take '=='"),
    (field("anatomic_region") == "many", "whole number is needed"),
    (field("anatomic_region") == 2.5, "whole number is needed"),
    (field("anatomic_region") < 2**40, "32 bits"),
    (Comparison("resolution_axial", ">", math.nan), "finite"),
    (field("study.study_date") == "yesterday", "ISO"),
    (field("inactive") == "yes", "True or False"),
    (field("dataset_identifier") == 5, "a text is needed"),
    (field("dataset_identifier") == "x" * 300, "at most 256|at most 255"),
    (field("dataset_identifier") == "\ud800", "control character"),
    (field("dataset_identifier").like("\ud800%"), "control character"),
    (field("dataset_identifier").like(5), "a pattern is a text"),  # type: ignore[arg-type]
    (field("dataset_identifier") == ["a", "b"], "takes one value, not several; say in"),
    (field("dataset_identifier").in_("ab"), "takes a list"),
    (field("anatomic_region").in_(5), "takes a list"),  # type: ignore[arg-type]
    (Comparison("anatomic_region", "between", [1]), "takes two values"),
    (field("anatomic_region").between(None, 2), "takes two values"),
    (field("anatomic_region") < None, "takes a value, not None"),
    (field("file_checksum") == "xyz", "hexadecimal"),
    (field("project") == 2**40, "32 bits"),
    (field("project") < 3, "has no order"),
    (field("series") == "May", "has no name"),
    (field("form.answer", path="grade") == 10**400, "finite"),
    (field("form.answer", path="grade") == "\ud800", "control character"),
    (field("form.answer", path="") == 1, "path is the keys"),
    (field("form.answer") == 1, "say which one: path"),
    (field("form.answer", path="grade", shema="x") == 1, "did you mean schema"),
    (field("laterality", path="grade") == "L", "has no meaning here"),
    (field("attribute", name="q") == float("inf"), "finite"),
    (field("attribute") == 1, "say which one: name"),
    (some("patient", field("birth_date") < "2000-01-01"), "it is no list"),
]
"""Conditions that are refused, and what the message says."""
ENTITIES: list[tuple[type[Entity], str, Any, int]] = [
    (Patient, "image.laterality", "L", 3),
    (Patient, "study.study_date", "2021-05-05", 1),
    (Patient, "project", "One", 2),
    (Study, "patient.project", "One", 2),
    (Study, "image.modality", "OCT", 1),
    (Series, "image.anatomic_region", 3, 1),
    (Segmentation, "image.laterality", "R", 2),
    (Segmentation, "feature", "drusen", 2),
    (Segmentation, "segmentation.creator", "ann", 2),
    (Segmentation, "patient.patient_identifier", "p0", 3),
    (FormAnnotation, "form.image.dataset_identifier", "a", 1),
    (Project, "patients.studies.study_date", "2022-05-05", 1),
    (Creator, "segmentations.feature", "vessel", 1),
]
"""What is searched, a field, its value, and how many hold it."""


def stock(uow: UnitOfWork, build: Builder) -> None:
    """Store six images of three patients, with tags, segmentations and forms.

    Patients are p0, p1 and p2 of the projects One, Two, One; p1 has no birth date. Each has a
    visit, with a left and a right image: a, b of p0, c, d of p1, e, f of p2.
    """
    ann, bob = (build.build(Creator, creator_name=name) for name in ("Ann", "Bob"))
    drusen, vessel = (build.build(Feature, feature_name=name) for name in ("Drusen", "Vessel"))
    sharp, dark = (
        build.build(Tag, tag_name=name, tag_type=TagType.ImageInstance, creator=ann)
        for name in ("Sharp", "Dark")
    )
    projects = [build.build(Project, project_name=name) for name in ("One", "Two")]
    images: dict[str, ImageInstance] = {}
    for number in range(3):
        patient = build.build(
            Patient,
            project=projects[number % 2],
            patient_identifier=f"p{number}",
            birth_date=None if number == 1 else f"19{number + 4}0-01-01",
        )
        study = build.build(Study, patient=patient, study_date=f"202{number}-05-05")
        series = build.build(Series, study=study)
        for at in (2 * number, 2 * number + 1):
            images[LETTERS[at]] = build.build(
                ImageInstance,
                series=series,
                dataset_identifier=LETTERS[at],
                laterality="LR"[at % 2],
                modality=(None, Modality.OCT, Modality.ColorFundus)[number],
                anatomic_region=None if at == 0 else at,
                resolution_axial=at / 10,
                file_checksum=bytes([at]) * 16,
                inactive=at == 5,
            )
    uow.images.add_all(images.values())
    links = [("a", sharp, ann), ("a", dark, bob), ("c", sharp, bob), ("d", dark, ann)]
    for letter, tag, by in links:
        uow.image_tags.add(
            build.build(ImageInstanceTagLink, image_instance=images[letter], tag=tag, creator=by)
        )
    made = [("a", drusen, ann, False), ("b", drusen, bob, False), ("b", vessel, ann, False)]
    for letter, feature, by, inactive in [*made, ("c", vessel, bob, True)]:
        uow.segmentations.add(
            build.build(
                Segmentation,
                image_instance=images[letter],
                feature=feature,
                creator=by,
                inactive=inactive,
            )
        )
    for letter, answers in (("a", {"grade": 3}), ("b", {"grade": "3"}), ("e", None)):
        uow.forms.add(build.build(FormAnnotation, image_instance=images[letter], form_data=answers))


class SearchContract(Contract):
    """That conditions find the same on every storage."""

    @pytest.fixture
    def finds(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> Finds:
        """Gives the letters of the images that a condition finds."""
        with make_unit_of_work() as uow:
            stock(uow, build)
            uow.commit()

        def found(condition: Condition, **options: Any) -> str:
            columns = ["dataset_identifier"]
            with make_unit_of_work() as uow:
                frame = Search().frame(uow, condition, columns=columns, **options)
            return "".join(sorted(frame["dataset_identifier"]))

        return found

    def test_a_field_is_known_by_its_name_in_both_styles_and_by_its_path(
        self, finds: Finds
    ) -> None:
        found = {name: finds(field(name) == value) for name, value, _ in NAMES}
        assert found == {name: letters for name, _, letters in NAMES}

    def test_a_field_that_is_not_there_is_refused_and_near_ones_are_named(
        self, finds: Finds
    ) -> None:
        for name, message in UNKNOWN:
            with pytest.raises(UnknownName, match=message):
                finds(field(name) == "x")

    def test_nothing_follows_a_column(self, finds: Finds) -> None:
        with pytest.raises(BadInput, match="nothing follows it"):
            finds(field("laterality.name") == "L")

    def test_an_operator_that_is_not_there_is_refused_and_near_ones_are_named(self) -> None:
        with pytest.raises(BadInput, match="did you mean between"):
            Comparison("laterality", "betwen", "L")

    def test_what_a_column_cannot_hold_or_take_is_refused(self, finds: Finds) -> None:
        for condition, message in REFUSED:
            with pytest.raises(BadInput, match=message):
                raise AssertionError(f"{condition} found {finds(condition)!r}")

    @pytest.mark.parametrize("name", ["segmentation.creator", "tag.creator"])
    def test_what_is_private_cannot_be_searched_for_or_told(self, finds: Finds, name: str) -> None:
        for private in ("password", "PasswordHash"):
            with pytest.raises(UnknownName, match="Creator has no field") as caught:
                finds(field(f"{name}.{private}") == "secret")
            assert "did you mean password" not in str(caught.value)
            assert "secret" not in str(caught.value)

    def test_none_is_what_holds_nothing(self, finds: Finds) -> None:
        assert finds(field("modality") == None) == "ab"  # noqa: E711
        assert finds(field("modality") != None) == "cde"  # noqa: E711
        assert finds(field("modality").is_null()) == "ab"
        assert finds(field("modality").in_([None, "OCT"])) == "abcd"
        assert finds(field("modality").not_in([None, "OCT"])) == "e"
        assert finds(field("modality").not_in(["OCT"])) == "abe"
        assert finds(field("modality") != "OCT") == "abe"
        assert finds(~(field("anatomic_region") < 3)) == "ade"
        assert finds(field("anatomic_region").in_([])) == ""
        assert finds(field("anatomic_region").not_in([])) == "abcde"

    def test_of_answers_as_a_whole_is_asked_whether_there_are_any(self, finds: Finds) -> None:
        assert finds(field("form.form_data").is_not_null()) == "ab"
        assert finds(field("form.form_data") == None) == "cde"  # noqa: E711
        assert finds(some("form", field("form_data").is_null())) == "e"

    def test_values_of_numpy_and_any_list_are_taken(self, finds: Finds) -> None:
        assert finds(field("anatomic_region") == np.int64(3)) == "d"
        assert finds(field("anatomic_region").in_(np.array([1, 3]))) == "bd"
        assert finds(field("anatomic_region").in_(range(1, 3))) == "bc"
        assert finds(field("anatomic_region").in_({1, 2})) == "bc"
        assert finds(field("anatomic_region").in_(number for number in (1, 2))) == "bc"
        assert finds(field("resolution_axial") >= np.float32(0.3)) == "de"
        assert finds(field("study.study_date") == np.datetime64("2021-05-05")) == "cd"
        assert finds(field("dataset_identifier").in_(np.array(["a", "C"]))) == "ac"
        assert finds(field("anatomic_region").between(np.int64(2), 3.0)) == "cd"

    def test_a_choice_is_known_by_its_name_or_its_member(self, finds: Finds) -> None:
        assert finds(field("modality") == Modality.OCT) == "cd"
        assert finds(field("modality").in_(["OCT", Modality.ColorFundus])) == "cde"

    def test_bytes_may_be_told_by_their_digits(self, finds: Finds) -> None:
        assert finds(field("file_checksum") == b"\2" * 16) == "c"
        assert finds(field("file_checksum") == "02" * 16) == "c"

    def test_a_text_matches_a_pattern_without_regard_to_case(self, finds: Finds) -> None:
        assert finds(field("dataset_identifier").like("A%")) == "a"
        assert finds(field("dataset_identifier").not_like("_")) == ""
        assert finds(field("dataset_identifier").like(r"\_")) == ""

    def test_a_link_is_compared_with_a_name_an_object_or_an_id(
        self, make_unit_of_work: MakeUnitOfWork, finds: Finds
    ) -> None:
        with make_unit_of_work() as uow:
            two = uow.projects.by_name("Two")
            sharp = uow.tags.by_name("Sharp")
        assert finds(field("project") == two) == "cd"
        assert finds(field("project") != two.project_id) == "abe"
        assert finds(field("project").in_([two, "one"])) == "abcde"
        assert finds(field("tag") == sharp) == finds(field("tag") == sharp.tag_id) == "ac"
        assert finds(field("tag").not_in([sharp, "dark"])) == "be"
        with pytest.raises(BadInput, match="leads to a Project, not to"):
            finds(field("project") == sharp)
        with pytest.raises(BadInput, match="is not stored"):
            finds(field("project") == Project(project_name="new"))

    def test_of_what_is_many_one_is_enough_and_for_the_contrary_none_may_be(
        self, finds: Finds
    ) -> None:
        assert finds(field("tag") == "sharp") == "ac"
        assert finds(field("tag") != "sharp") == "bde"
        assert finds(~(field("tag") == "sharp")) == "bde"
        assert finds(field("tag").not_like("s%")) == "bde"
        assert finds(field("tag").is_null()) == "be"
        assert finds(field("tag").is_not_null()) == "acd"

    def test_some_holds_of_one_that_is_everything_at_once(self, finds: Finds) -> None:
        apart = (field("segmentation") == "vessel") & (field("segmentation.creator") == "bob")
        assert finds(apart) == "b"
        one = some("segmentation", field("feature") == "vessel", field("creator") == "bob")
        assert finds(one) == ""
        drusen = field("feature") == "drusen"
        assert finds(some("segmentation", drusen, ~(field("creator") == "bob"))) == "a"
        assert finds(some("segmentation", field("creator") != "ann")) == "b"
        assert finds(~some("segmentation")) == "cde"
        assert finds(some("tag", field("tag") == "dark", field("creator") == "ann")) == "d"

    def test_what_is_inactive_does_not_count_on_any_level_unless_asked_for(
        self, finds: Finds
    ) -> None:
        assert finds(field("segmentation") == "vessel") == "b"
        assert finds(field("segmentation") == "vessel", include_inactive=True) == "bc"
        of_series = field("series.image_instances.dataset_identifier") == "f"
        assert (finds(of_series), finds(of_series, include_inactive=True)) == ("", "ef")
        assert finds(field("inactive") == True) == ""  # noqa: E712
        assert finds(field("inactive") == True, include_inactive=True) == "f"  # noqa: E712
        no_vessel = field("segmentation") != "vessel"
        assert (finds(no_vessel), finds(no_vessel, include_inactive=True)) == ("acde", "adef")

    def test_answers_are_compared_by_their_kind(self, finds: Finds) -> None:
        answer = field("form.answer", path="grade")
        assert (finds(answer == 3), finds(answer == "3"), finds(answer >= 3.0)) == ("a", "b", "a")
        assert finds(answer.is_not_null()) == "ab"
        assert finds(field("form.answer", path=["grade"]) == np.int64(3)) == "a"

    def test_every_entity_can_be_searched(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            stock(uow, build)
            for entity, name, value, count in ENTITIES:
                found = Search().count(uow, field(name) == value, entity=entity)
                assert (name, found.count, found.is_exact) == (name, count, True)

    def test_a_hundred_thousand_ids_are_one_list(
        self, make_unit_of_work: MakeUnitOfWork, finds: Finds
    ) -> None:
        with make_unit_of_work() as uow:
            ids = Search().ids(uow, order_by="dataset_identifier")
        many = [*range(2**31 - 100_000, 2**31), *ids[1:3]]
        assert finds(field("image_instance_id").in_(many)) == "bc"
        assert finds(field("image_instance_id").not_in(many)) == "ade"

    def test_more_texts_than_a_statement_takes_are_refused(self, finds: Finds) -> None:
        texts = [f"{number}.png" for number in range(10_000)]
        assert finds(field("dataset_identifier").in_([*texts[1:], "b"])) == "b"
        several = field("dataset_identifier").in_(texts) | field("tag").in_(texts)
        for condition in (field("dataset_identifier").in_([*texts, "b"]), several, ~several):
            with pytest.raises(BadInput, match="10,000"):
                finds(condition)
