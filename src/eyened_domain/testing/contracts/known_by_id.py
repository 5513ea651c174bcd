"""Rules hold for what is linked by its id alone, as for what is linked as an object."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, RuleBroken
from eyened_domain.model import (
    Annotation,
    AttributeValue,
    Feature,
    FeatureFeatureLink,
    FormAnnotation,
    FormSchema,
    ImageInstanceTagLink,
    Patient,
    Segmentation,
    Study,
    Tag,
)
from eyened_domain.model.attribute import OWNERS
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

Ids = dict[str, Any]
_LINE = ("patient_id", "study_id", "series_id", "image_instance_id")
_STRANGE: list[tuple[type[Any], Ids, str]] = [
    (FormAnnotation, {"patient_id": 0, "study_id": 1}, "study belongs to patient"),
    (FormAnnotation, {"patient_id": 0, "image_instance_id": 1}, "image_instance belongs to"),
    (FormAnnotation, {"patient_id": 0, "study_id": 0, "image_instance_id": 1}, "belongs to"),
    (Annotation, {"patient_id": 0, "study_id": 1}, "study belongs to patient"),
    (Annotation, {"patient_id": 0, "study_id": 0, "series_id": 1}, "series belongs to study"),
    (Annotation, {"patient_id": 0, "series_id": 1}, "series belongs to patient"),
    (Annotation, {"patient_id": 0, "image_instance_id": 1}, "image_instance belongs to patient"),
    (Annotation, {"patient_id": 0, "series_id": 0, "image_instance_id": 1}, "belongs to"),
]


class KnownByIdContract(Contract):
    """That no rule is passed by because only an id was given."""

    @pytest.fixture
    def lines(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> list[Ids]:
        """The ids of two patients, each with a study, a series and an image."""
        with make_unit_of_work() as uow:
            images = [uow.images.add(build.an_image(laterality="R")) for _ in range(2)]
            uow.commit()
            return [
                {
                    "image_instance_id": one.image_instance_id,
                    "series_id": one.series.series_id,
                    "study_id": one.series.study.study_id,
                    "patient_id": one.series.study.patient.patient_id,
                }
                for one in images
            ]

    @pytest.mark.parametrize("way", ["link", "id", "list", "both"])
    def test_an_attribute_value_does_not_lose_its_owner(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, way: str
    ) -> None:
        with make_unit_of_work() as uow:
            value: Any = uow.attribute_values.add(build.build(AttributeValue))
            uow.commit()
            (owner,) = (name for name in OWNERS if getattr(value, name) is not None)
            if way in {"link", "both"}:
                setattr(value, owner, None)
            if way in {"id", "both"}:
                setattr(value, f"{owner}_id", None)
            if way == "list":
                getattr(value, owner).attribute_values.clear()
            with pytest.raises(RuleBroken, match="AttributeValue needs an owner"):
                uow.flush()

    def test_an_id_that_leads_nowhere_is_not_taken_for_none(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image())
            patient = image.series.study.patient
            uow.commit()
            image.series.study_id = 987654
            uow.forms.add(build.build(FormAnnotation, patient=patient, image_instance=image))
            with pytest.raises(RuleBroken, match=r"987654|does not exist"):
                uow.flush()

    @pytest.mark.parametrize("is_added", [True, False])
    @pytest.mark.parametrize("is_looked_up", [True, False])
    def test_a_link_that_is_cleared_last_clears_the_id_of_a_new_object(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        is_added: bool,
        is_looked_up: bool,
    ) -> None:
        with make_unit_of_work() as uow:
            study = uow.studies.add(build.build(Study))
            uow.commit()
            form = build.build(FormAnnotation, patient=study.patient, study_id=study.study_id)
            if is_added:
                uow.forms.add(form)
            if is_looked_up:
                assert form.study in {study, None}
            form.study = None
            uow.forms.add(form)
            uow.commit()
            assert (form.study_id, form.study, study.form_annotations) == (None, None, [])
            form = uow.forms.add(build.build(FormAnnotation, patient_id=study.patient_id))
            form.patient = None
            with pytest.raises(BadInput, match="patient_id is needed"):
                uow.flush()

    def test_a_link_whose_id_leads_nowhere_is_cleared_with_its_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(build.build(FormAnnotation, study_id=987654))
            form.study = None
            assert form.study_id is None
            uow.commit()

    def test_a_stored_object_is_judged_when_it_is_linked_to_a_new_one(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = uow.forms.add(build.build(FormAnnotation))
            uow.commit()
            form.study = build.build(Study)
            with pytest.raises(RuleBroken, match="study belongs to patient"):
                uow.flush()

    def _ids(self, lines: list[Ids], which: Ids) -> Ids:
        return {name: lines[number][name] for name, number in which.items()}

    @pytest.mark.parametrize("case", _STRANGE)
    def test_what_belongs_to_somebody_else_is_refused_by_its_id(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        lines: list[Ids],
        case: tuple[type[Any], Ids, str],
    ) -> None:
        entity, which, said = case
        with make_unit_of_work() as uow:
            build.add(uow, entity, **self._ids(lines, which))
            with pytest.raises(RuleBroken, match=said):
                uow.flush()

    @pytest.mark.parametrize("entity", [FormAnnotation, Annotation])
    def test_what_belongs_together_is_stored_by_its_ids(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        lines: list[Ids],
        entity: type[Any],
    ) -> None:
        names = [name for name in _LINE if name in entity.__entity__.columns]
        with make_unit_of_work() as uow:
            one = build.add(uow, entity, **{name: lines[0][name] for name in names})
            uow.commit()
            assert {name: getattr(one, name) for name in names}.items() <= lines[0].items()
            assert one.patient.patient_id == lines[0]["patient_id"]

    @pytest.mark.parametrize("is_loaded", [False, True], ids=["not loaded", "loaded"])
    @pytest.mark.parametrize("name", ["patient_id", "study_id", "image_instance_id"])
    def test_a_stored_form_is_not_moved_to_somebody_else_by_an_id(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        lines: list[Ids],
        name: str,
        is_loaded: bool,
    ) -> None:
        names = ("patient_id", "study_id", "image_instance_id")
        with make_unit_of_work() as uow:
            ids: Ids = {one: lines[0][one] for one in names}
            build.add(uow, FormAnnotation, **ids)
            uow.commit()
        with make_unit_of_work() as uow:
            form: Any = uow.forms.where()[0]
            if is_loaded:
                assert form.patient is not form.study is not form.image_instance
                assert form.image_instance.series.study is form.study
            setattr(form, name, lines[1][name])
            with pytest.raises(RuleBroken, match="belongs to"):
                uow.flush()

    def test_a_form_is_moved_as_a_whole_by_ids(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, lines: list[Ids]
    ) -> None:
        names = ("patient_id", "study_id", "image_instance_id")
        with make_unit_of_work() as uow:
            form: Any = build.add(uow, FormAnnotation, **{one: lines[0][one] for one in names})
            uow.commit()
            assert form.study.study_id == lines[0]["study_id"]
            for name in names:
                setattr(form, name, lines[1][name])
            uow.commit()
            assert form.study.study_id == lines[1]["study_id"]
            assert form.patient.patient_id == lines[1]["patient_id"]

    def test_a_form_whose_study_has_moved_may_be_filled_in_further(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = build.a_study()
            form = build.build(FormAnnotation, patient=study.patient, study=study)
            uow.forms.add(form)
            other = uow.patients.add(build.build(Patient))
            uow.commit()
            assert (form.study, form.patient) == (study, study.patient)
            study.patient_id = other.patient_id
            uow.flush()
            form.form_data = {"more": True}
            uow.commit()
            assert uow.forms.where()[0].form_data == {"more": True}

    def test_a_study_that_is_stored_is_not_that_of_a_new_patient(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, lines: list[Ids]
    ) -> None:
        with make_unit_of_work() as uow:
            patient: Patient = build.a_patient()
            build.add(uow, FormAnnotation, patient=patient, study_id=lines[0]["study_id"])
            with pytest.raises(RuleBroken, match="study belongs to patient"):
                uow.flush()

    def test_a_link_set_as_an_object_is_judged_with_one_set_by_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, lines: list[Ids]
    ) -> None:
        with make_unit_of_work() as uow:
            form: Any = build.add(
                uow, FormAnnotation, **{name: lines[0][name] for name in ("patient_id", "study_id")}
            )
            uow.commit()
            form.patient = uow.patients.get(lines[1]["patient_id"])
            with pytest.raises(RuleBroken, match="study belongs to patient"):
                uow.flush()

    def test_a_form_is_not_about_the_other_eye_of_an_image_known_by_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, lines: list[Ids]
    ) -> None:
        ids = self._ids(lines, {"patient_id": 0, "image_instance_id": 0})
        with make_unit_of_work() as uow:
            build.add(uow, FormAnnotation, laterality="L", **ids)
            with pytest.raises(RuleBroken, match="the image shows R"):
                uow.flush()

    def test_a_form_has_what_its_schema_known_by_id_is_about(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            schema = build.add(uow, FormSchema, entity_type="Study")
            uow.commit()
            identity = schema.form_schema_id
        with make_unit_of_work() as uow:
            build.add(uow, FormAnnotation, form_schema_id=identity)
            with pytest.raises(RuleBroken, match="needs study"):
                uow.flush()

    def test_a_value_is_of_the_type_of_its_definition_known_by_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            definition = uow.attributes.add(build.an_attribute(attribute_data_type="Int"))
            uow.commit()
            identity = definition.attribute_id
        with make_unit_of_work() as uow:
            build.add(uow, AttributeValue, attribute_id=identity, value_float=0.5)
            with pytest.raises(RuleBroken, match="type Int"):
                uow.flush()

    def test_a_tag_known_by_id_is_put_on_things_of_its_type_only(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, lines: list[Ids]
    ) -> None:
        with make_unit_of_work() as uow:
            tag = build.add(uow, Tag, tag_type="Study")
            uow.commit()
            identity = tag.tag_id
        with make_unit_of_work() as uow:
            ids: Ids = {"tag_id": identity, "image_instance_id": lines[0]["image_instance_id"]}
            build.add(uow, ImageInstanceTagLink, **ids)
            with pytest.raises(RuleBroken, match="is for Study"):
                uow.flush()

    def test_a_mask_fits_its_image_known_by_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, lines: list[Ids]
    ) -> None:
        with make_unit_of_work() as uow:
            identity = lines[0]["image_instance_id"]
            build.add(uow, Segmentation, image_instance_id=identity, height=10)
            with pytest.raises(RuleBroken, match="ImageProjectionMatrix"):
                uow.flush()

    def test_what_is_not_there_is_told_as_before(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, lines: list[Ids]
    ) -> None:
        with make_unit_of_work() as uow:
            ids: Ids = {"patient_id": lines[0]["patient_id"], "study_id": 10**9}
            build.add(uow, FormAnnotation, **ids)
            with pytest.raises(RuleBroken, match="not exist"):
                uow.flush()

    def _composite(self, make_unit_of_work: MakeUnitOfWork, build: Builder) -> tuple[int, int, int]:
        """Store a feature with a part that has a part; return their ids."""
        with make_unit_of_work() as uow:
            whole, part, smallest = uow.features.add_all(build.a_feature() for _ in range(3))
            FeatureFeatureLink(feature=whole, child=part, feature_index=0)
            FeatureFeatureLink(feature=part, child=smallest, feature_index=9)
            uow.commit()
            return whole.feature_id, part.feature_id, smallest.feature_id

    def test_a_feature_is_not_put_within_itself_by_ids(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        whole, part, smallest = self._composite(make_unit_of_work, build)
        for child in (whole, part):
            with make_unit_of_work() as uow:
                ids: Ids = {"parent_feature_id": smallest, "child_feature_id": child}
                uow.feature_links.add(FeatureFeatureLink(**ids, feature_index=1))
                with pytest.raises(RuleBroken, match="within itself"):
                    uow.flush()

    @pytest.mark.parametrize("is_loaded", [False, True], ids=["not loaded", "loaded"])
    def test_a_feature_is_not_moved_within_itself_by_an_id(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, is_loaded: bool
    ) -> None:
        whole, part, _ = self._composite(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            link = uow.feature_links.get((whole, part, 0))
            if is_loaded:
                assert link.feature is not link.child
            link.parent_feature_id = part
            with pytest.raises(RuleBroken, match="within itself"):
                uow.flush()

    def test_a_feature_is_put_where_it_was_within_once_others_have_taken_that_out(
        self, make_unit_of_work: MakeUnitOfWork
    ) -> None:
        with make_unit_of_work() as uow:
            one, two = (uow.features.add(Feature(feature_name=name)) for name in ("one", "two"))
            uow.flush()
            link = one.add_subfeature(two)
            uow.commit()
        with make_unit_of_work() as uow:
            one, two = (uow.features.by_name(name) for name in ("one", "two"))
            (link,) = one.feature_associations
            assert link.child is two
            uow.commit()
            with make_unit_of_work() as other:
                for theirs in other.feature_links.where():
                    other.feature_links.delete(theirs)
                other.commit()
            uow.feature_links.add(FeatureFeatureLink(feature=two, child=one, feature_index=0))
            uow.commit()
            assert [one.parent_feature_id for one in uow.feature_links.where()] == [two.feature_id]

    def test_an_index_of_a_feature_is_not_taken_twice_by_ids(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        whole, _, smallest = self._composite(make_unit_of_work, build)
        ids: Ids = {"parent_feature_id": whole, "child_feature_id": smallest}
        with make_unit_of_work() as uow:
            uow.feature_links.add(FeatureFeatureLink(**ids, feature_index=0))
            with pytest.raises(RuleBroken, match="index 0 is taken"):
                uow.flush()
        with make_unit_of_work() as uow:
            uow.feature_links.add(FeatureFeatureLink(**ids, feature_index=1))
            uow.commit()
            assert uow.feature_links.count() == 3

    def test_a_feature_is_turned_inside_out_in_one_go(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        _, part, smallest = self._composite(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            uow.feature_links.delete(uow.feature_links.get((part, smallest, 9)))
            ids: Ids = {"parent_feature_id": smallest, "child_feature_id": part}
            uow.feature_links.add(FeatureFeatureLink(**ids, feature_index=9))
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.feature_links.get((smallest, part, 9)).feature_index == 9

    def test_labels_of_a_feature_known_by_id_have_room(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        _, part, _ = self._composite(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            values: Ids = {"data_representation": "MultiLabel", "feature_id": part}
            build.add(uow, Segmentation, data_type="R16UI", **values)
            uow.flush()
            build.add(uow, Segmentation, data_type="R8UI", **values)
            with pytest.raises(RuleBroken, match="index 9 does not fit in R8UI"):
                uow.flush()
