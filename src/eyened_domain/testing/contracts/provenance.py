"""A service on the storage: what attribute values were computed from, and which are stale."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import BadInput, EyenedError, NotFound, RuleBroken
from eyened_domain.model import (
    AttributeDataType,
    AttributeDefinition,
    AttributeValue,
    ModelSegmentation,
    Segmentation,
    Study,
)
from eyened_domain.services.provenance import (
    Provenance,
    ProvenanceEdge,
    StaleCause,
    StaleReason,
    StaleValue,
)
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


class _Study:
    """An examination with an image, its values, and who computes them."""

    def __init__(self, uow: UnitOfWork, build: Builder, project: str = "AREDS") -> None:
        self.uow, self.build = uow, build
        self.study: Study = build.a_study(
            patient=build.a_patient(project=build.a_project(project_name=project))
        )
        self.image = build.an_image(series=build.a_series(study=self.study), laterality="L")
        uow.images.add(self.image)
        self.model = build.an_attributes_model(model_name=f"net of {project}", version="1.2")

    def value(self, name: str, value: Any = 0.5, **given: Any) -> AttributeValue:
        """Add a value: of the image, unless another owner is given."""
        definition = self.uow.attributes.by_name(name, default=None) or AttributeDefinition(
            attribute_name=name, attribute_data_type=AttributeDataType.Float
        )
        model = given.pop("model", self.model)
        one = AttributeValue(
            attribute_definition=definition,
            producing_model=model,
            **(given or {"image_instance": self.image}),
        )
        one.value = value
        return self.uow.attribute_values.add(one)


def _chain(study: _Study) -> tuple[AttributeValue, ...]:
    """Add two values, one computed from both, and one from that; recorded."""
    thickness, area = study.value("thickness", 250.5), study.value("area", 12.25)
    ratio = study.value("ratio", 0.5, study=study.study)
    risk = study.value("risk", 0.75, patient=study.study.patient)
    sources: dict[Any, list[Any]] = {
        thickness: [],
        area: [],
        ratio: [thickness, area],
        risk: [ratio],
    }
    Provenance().computed_from(study.uow, sources)
    return thickness, area, ratio, risk


def _told(stale: list[StaleValue]) -> dict[str, list[tuple[StaleCause, str]]]:
    return {
        one.node.attribute_name: [(reason.cause, reason.entity) for reason in one.reasons]
        for one in stale
    }


_CHANGED = (StaleCause.CHANGED, "AttributeValue")
_STALE = (StaleCause.STALE, "AttributeValue")


class ProvenanceContract(Contract):
    """That it is told what a value was computed from, and when that is not so any more."""

    def test_a_value_is_told_with_all_it_was_computed_from_and_all_that_was_from_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = _Study(uow, build)
            thickness, area, ratio, risk = _chain(study)
            study.value("other")
            uow.commit()
            keys = [one.attribute_value_id for one in (thickness, area, ratio, risk)]
        with make_unit_of_work() as uow:
            whole = Provenance().graph(uow, keys[2])
            assert [node.attribute_value_id for node in whole.nodes] == sorted(keys)
            assert whole.edges == tuple(
                ProvenanceEdge(source=source, target=target)
                for target, source in sorted(
                    [(keys[2], keys[0]), (keys[2], keys[1]), (keys[3], keys[2])]
                )
            )
            assert {node.attribute_name for node in whole.sources_of(keys[2])} == {
                "thickness",
                "area",
            }
            assert [node.attribute_name for node in whole.results_of(keys[2])] == ["risk"]
            (node,) = whole.results_of(keys[0])
            assert (node.entity, node.value, node.laterality) == ("Study", 0.5, None)
            assert (node.model, str(node)) == (
                "net of AREDS 1.2",
                f"ratio of Study {node.entity_id}, by net of AREDS 1.2",
            )
            value = uow.attribute_values.get(keys[2])
            assert len(Provenance().sources(uow, value).nodes) == 3
            assert len(Provenance().results(uow, value).nodes) == 2
            several = Provenance().sources(uow, *keys[:2], keys[0])
            assert (len(several.nodes), several.edges) == (2, ())

    def test_a_graph_is_written_as_a_flowchart(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = _Study(uow, build, project='a "<b>" #1')
            ratio = study.value("ratio")
            ratio.laterality = "L"
            risk = study.value("risk", 0.25, study=study.study)
            Provenance().computed_from(uow, {risk: [ratio]})
            one, two = ratio.attribute_value_id, risk.attribute_value_id
            image_id = study.image.image_instance_id
            model = "net of a #quot;#lt;b#gt;#quot; #35;1 1.2"
            assert Provenance().graph(uow, one).mermaid() == (
                "flowchart LR\n"
                f'    v{one}["ratio = 0.5<br/>ImageInstance {image_id} L<br/>{model}"]\n'
                f'    v{two}["risk = 0.25<br/>Study {study.study.study_id}<br/>{model}"]\n'
                f"    v{one} --> v{two}\n"
            )

    def test_nothing_is_stale_as_long_as_nothing_happens(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = _Study(uow, build)
            _chain(study)
            study.value("third", 1 / 3)
            uow.commit()
        with make_unit_of_work() as uow:
            assert Provenance().stale(uow, "AREDS") == []

    def test_values_are_stale_when_what_they_were_computed_from_has_changed(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            thickness, *_ = _chain(_Study(uow, build))
            uow.commit()
        with make_unit_of_work() as uow:
            uow.attribute_values.get(thickness.attribute_value_id).value = 251.0
            project = uow.projects.by_name("AREDS")
            stale = Provenance().stale(uow, project)
            assert _told(stale) == {"ratio": [_CHANGED], "risk": [_STALE]}
            assert stale[0].reasons[0].entity_id == thickness.attribute_value_id
            assert str(stale[0]).endswith(
                f": AttributeValue {thickness.attribute_value_id} was changed since"
            )
            ratio = uow.attribute_values.where(attribute_definition=_definition(uow, "ratio"))[0]
            Provenance().computed_from(uow, {ratio: []})  # computed anew
            uow.commit()
            assert Provenance().stale(uow, project) == []

    def test_values_are_stale_when_what_they_were_computed_from_is_gone(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            _, area, *_ = _chain(_Study(uow, build))
            uow.commit()
        with make_unit_of_work() as uow:
            uow.attribute_values.delete(uow.attribute_values.get(area.attribute_value_id))
            assert _told(Provenance().stale(uow, "AREDS")) == {
                "ratio": [_CHANGED],
                "risk": [_STALE],
            }

    def test_an_input_that_others_have_added_since_is_a_change(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = _Study(uow, build)
            thickness, area, risk = (study.value(name) for name in ("thickness", "area", "risk"))
            Provenance().computed_from(uow, {risk: [thickness]})
            uow.commit()
            risk.input_values.append(area)
            (stale,) = Provenance().stale(uow, "AREDS")
            assert [reason.entity_id for reason in stale.reasons] == [area.attribute_value_id]
            assert _told([stale]) == {"risk": [_CHANGED]}

    def test_values_are_stale_when_their_image_or_that_of_an_input_is_inactive(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = _Study(uow, build)
            _chain(study)
            drawn = build.a_segmentation(image_instance=study.image)
            study.value("drawn", segmentation=drawn)
            found = build.a_model_segmentation(image_instance=study.image)
            study.value("found", model_segmentation=found)
            study.image.inactive = True
            uow.commit()
        of_image = (StaleCause.INACTIVE, "ImageInstance")
        of_input = (StaleCause.INACTIVE, "AttributeValue")
        with make_unit_of_work() as uow:
            assert _told(Provenance().stale(uow, "AREDS")) == {
                "thickness": [of_image],
                "area": [of_image],
                "ratio": [of_input, of_input, _STALE, _STALE],
                "risk": [_STALE],
                "drawn": [(StaleCause.INACTIVE, "Segmentation")],
                "found": [(StaleCause.INACTIVE, "ModelSegmentation")],
            }

    @pytest.mark.parametrize("entity", [Segmentation, ModelSegmentation])
    def test_values_of_a_segmentation_are_stale_when_its_pixels_are_others(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, entity: Any
    ) -> None:
        link = "segmentation" if entity is Segmentation else "model_segmentation"
        with make_unit_of_work() as uow:
            study = _Study(uow, build)
            drawn = build.build(entity, image_instance=study.image, zarr_array_index=3)
            area = study.value("area", **{link: drawn})
            later = study.value("later", 0.5, study=study.study)
            Provenance().computed_from(uow, {area: [], later: [area]})
            uow.commit()
            assert Provenance().stale(uow, "AREDS") == []
            drawn.zarr_array_index = 4
            assert _told(Provenance().stale(uow, "AREDS")) == {
                "area": [(StaleCause.CHANGED, entity.__name__)],
                "later": [_STALE],
            }

    def test_values_are_stale_when_a_newer_version_has_computed_what_they_are_from(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = _Study(uow, build)
            newer = build.an_attributes_model(model_name=study.model.model_name, version="1.10")
            study.value("thickness", laterality="R", image_instance=study.image, model=newer)
            old = study.value("thickness", laterality="L", image_instance=study.image)
            by_hand = study.value("norm", 1.0, patient=study.study.patient, model=None)
            ratio = study.value("ratio", study=study.study)
            Provenance().computed_from(uow, {ratio: [old, by_hand]})
            uow.commit()
            assert Provenance().stale(uow, "AREDS") == []  # of the other eye only
            new = study.value("thickness", laterality="L", image_instance=study.image, model=newer)
            uow.flush()
            (stale,) = Provenance().stale(uow, "AREDS")
            assert stale.reasons == (
                StaleReason(
                    cause=StaleCause.REPLACED,
                    entity="AttributeValue",
                    entity_id=old.attribute_value_id,
                    replaced_by=new.attribute_value_id,
                ),
            )
            assert stale.replaced_by is None
            again = study.value("ratio", study=study.study, model=newer)
            uow.commit()
            (stale,) = Provenance().stale(uow, "AREDS")
            assert stale.replaced_by == again.attribute_value_id

    def test_values_of_a_segmentation_are_stale_when_a_newer_version_has_made_another(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = _Study(uow, build)
            first = build.a_segmentation_model(model_name="layers", version="1")
            second = build.a_segmentation_model(
                model_name="layers", version="2", feature=first.feature
            )
            one, two = (
                build.a_model_segmentation(image_instance=study.image, model=model)
                for model in (first, second)
            )
            two.image_instance = uow.images.add(build.an_image(series=study.image.series))
            study.value("area", model_segmentation=one)
            study.value("area", model_segmentation=two)
            uow.commit()
            assert Provenance().stale(uow, "AREDS") == []  # of another image
            two.image_instance = study.image
            uow.commit()
            (stale,) = Provenance().stale(uow, "AREDS")
            assert stale.reasons == (
                StaleReason(
                    cause=StaleCause.REPLACED,
                    entity="ModelSegmentation",
                    entity_id=one.model_segmentation_id,
                    replaced_by=two.model_segmentation_id,
                ),
            )

    def test_only_a_project_s_own_values_are_told_also_of_inputs_elsewhere(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            here, there = _Study(uow, build), _Study(uow, build, "elsewhere")
            norm, basis = there.value("norm", 1.5), there.value("basis", 2.5)
            score = here.value("score")
            sources: dict[Any, list[Any]] = {norm: [basis], score: [norm]}
            Provenance().computed_from(uow, sources)
            uow.commit()
            basis.value = 3.5
            assert _told(Provenance().stale(uow, "AREDS")) == {"score": [_STALE]}
            assert _told(Provenance().stale(uow, "elsewhere")) == {"norm": [_CHANGED]}

    def test_an_input_is_linked_once_and_none_to_itself(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            thickness, area, ratio, risk = _chain(_Study(uow, build))
            Provenance().computed_from(uow, {ratio: [thickness, thickness.attribute_value_id]})
            uow.commit()
            assert len(uow.attribute_value_inputs.where()) == 3
            circles: list[dict[Any, list[Any]]] = [
                {area: [area]},
                {thickness: [risk]},
                {area: [thickness], thickness: [area]},
            ]
            for circle in circles:
                with pytest.raises(RuleBroken, match="computed from itself"):
                    Provenance().computed_from(uow, circle)
            uow.commit()
            assert len(uow.attribute_value_inputs.where()) == 3
            assert {one.attribute_value_id for one in ratio.input_values} == {
                thickness.attribute_value_id,
                area.attribute_value_id,
            }

    def test_a_circle_that_is_stored_is_gone_round_once(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = _Study(uow, build)
            one, two = study.value("one"), study.value("two")
            one.input_values = [two]
            two.input_values = [one]
            uow.commit()
            graph = Provenance().graph(uow, one)
            assert (len(graph.nodes), len(graph.edges)) == (2, 2)
            study.image.inactive = True
            assert set(_told(Provenance().stale(uow, "AREDS"))) == {"one", "two"}

    def test_what_is_no_value_or_no_project_is_an_error(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            study = _Study(uow, build)
            value = study.value("one")
            uow.commit()
            own = value.attribute_value_id
            loose = AttributeValue(attribute_id=1, model_id=1, patient_id=1)
            wrong: list[tuple[Any, type[EyenedError], str]] = [
                (own + 7, NotFound, rf"no AttributeValue with attribute_value_id {own + 7} \(1 of"),
                ("1", BadInput, "an AttributeValue, or its id"),
                (True, BadInput, "an AttributeValue, or its id"),
                (None, BadInput, "whole number"),
                (loose, RuleBroken, "is not stored"),
            ]
            for one, error, message in wrong:
                with pytest.raises(error, match=message):
                    Provenance().graph(uow, one)
                with pytest.raises(error, match=message):
                    Provenance().computed_from(uow, {value: [one]})
            with pytest.raises(NotFound, match="did you mean 'AREDS'"):
                Provenance().stale(uow, "ARED")
            no_lists: list[Any] = [[own], {value: own}, {value: "12"}, None]
            for sources in no_lists:
                with pytest.raises(BadInput, match=r"a (dict|list) of "):
                    Provenance().computed_from(uow, sources)
            projects: list[Any] = [5, None, build.a_creator()]
            for project in projects:
                with pytest.raises(BadInput):
                    Provenance().stale(uow, project)
            uow.commit()
            assert uow.attribute_value_inputs.where() == []


def _definition(uow: UnitOfWork, name: str) -> AttributeDefinition:
    return uow.attributes.by_name(name)
