"""What is inactive stays out of finders, lists and frames, unless it is asked for."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from eyened_domain.model import (
    Annotation,
    AnnotationData,
    AnnotationTagLink,
    AttributeValue,
    FormAnnotation,
    FormAnnotationTagLink,
    ImageInstance,
    ImageInstanceTagLink,
    ModelSegmentation,
    Segmentation,
    SegmentationTagLink,
    SubTaskImageLink,
)
from eyened_domain.model.entity import Entity, entity_class, entity_classes
from eyened_domain.model.fields import LinkInfo
from eyened_domain.services.attributes import Attributes
from eyened_domain.services.conditions import All, field, some
from eyened_domain.services.forms import Forms
from eyened_domain.services.inactive import flags_in, flags_of
from eyened_domain.services.search import Search
from eyened_domain.services.tagging import Tagging
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

_OF_ANOTHER_OWNER = {("Patient", "attribute_values"), ("Study", "attribute_values")}
"""Lists of values that have no image: a value has one owner."""
Key = tuple[type[Entity], Any]
"""The class of an object, and its primary key."""


class InactiveContract(Contract):
    """Nothing inactive is in any listing."""

    def test_finders_find_nothing_inactive(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        shown, hidden = _stored(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            for key in shown + hidden:
                for found in _found(uow, key):
                    assert found == (key in shown), key
        with make_unit_of_work(include_inactive=True) as uow:
            for key in shown + hidden:
                assert all(_found(uow, key)), key

    def test_a_call_says_whether_a_finder_finds_what_is_inactive(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        shown, hidden = _stored(make_unit_of_work, build)
        for said in (True, False):
            with make_unit_of_work(include_inactive=not said) as uow:
                for key in shown + hidden:
                    for found in _found(uow, key, include_inactive=said):
                        assert found == (said or key in shown), key

    def test_lists_hold_nothing_inactive(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        shown, hidden = _stored(make_unit_of_work, build)
        for is_shown, keys in ((True, shown), (False, hidden)):
            lists = _listed(make_unit_of_work, keys)
            assert {name for name, _ in lists} == _lists_that_leave_out() - _OF_ANOTHER_OWNER
            assert {holds for _, holds in lists} == {is_shown}, lists
        everything = _listed(make_unit_of_work, shown + hidden, include_inactive=True)
        assert {holds for _, holds in everything} == {True}, everything

    def test_what_is_inactive_is_found_by_its_id_and_by_links_to_one(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        _, hidden = _stored(make_unit_of_work, build)
        with make_unit_of_work() as uow:
            for entity, key in hidden:
                identity = key if len(key) > 1 else key[0]
                assert entity.by_id(uow, identity) is uow.repository(entity).get(identity)
                assert uow.repository(entity).by_ids([identity]) == [entity.by_pk(uow, identity)]
        with make_unit_of_work() as uow:
            (segmentation,) = Segmentation.where(uow, inactive=True)
            assert segmentation.inactive
            (link,) = uow.image_tags.where(include_inactive=True)[1:]
            assert link.image_instance.inactive
            value: Any = uow.attribute_values.where(include_inactive=True)[-1]
            assert value.model_segmentation.image_instance.inactive

    def test_who_asks_for_the_flag_is_answered(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            build.add(uow, ImageInstance, inactive=True)
            build.add(uow, ImageInstance)
            assert len(uow.images.where(inactive=True)) == 1
            assert uow.images.count(Inactive=[True, False]) == 2
            assert uow.images.count(inactive=False, include_inactive=True) == 1

    def test_what_is_made_inactive_stays_in_a_list_in_hand_until_it_is_read_again(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.add(uow, ImageInstance)
            other = build.add(uow, ImageInstance, series=image.series)
            uow.commit()
            series, study = image.series, image.series.study
            assert series.image_instances == [image, other]
            image.inactive = True
            assert series.image_instances == [image, other]
            uow.flush()
            assert series.image_instances == [image, other]
            assert study.images == [image, other]
            uow.rollback()
            assert series.image_instances == [image, other]
            image.inactive = True
            uow.commit()
        with make_unit_of_work() as uow:
            series = uow.series.get(series.series_id)
            assert [one.image_instance_id for one in series.image_instances] == [
                other.image_instance_id
            ]
            uow.images.get(image.image_instance_id).inactive = False
            assert len(series.image_instances) == 1
            uow.flush()
            assert len(series.image_instances) == 1
            uow.commit()
        with make_unit_of_work() as uow:
            series = uow.series.get(series.series_id)
            assert len(series.image_instances) == 2

    def test_a_list_that_is_loaded_after_a_change_tells_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            build.add(uow, Segmentation)
            uow.commit()
        with make_unit_of_work() as uow:
            (segmentation,) = uow.segmentations.where()
            segmentation.inactive = True
            assert segmentation.image_instance.segmentations == []
            assert segmentation.feature.segmentations == []

    def test_what_a_list_leaves_out_is_not_lost_when_the_list_is_changed(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            hidden = build.add(uow, Segmentation, inactive=True)
            image = hidden.image_instance
            shown = build.add(uow, Segmentation, image_instance=image)
            uow.commit()
            hidden_id, image_id = hidden.segmentation_id, image.image_instance_id
        with make_unit_of_work() as uow:
            image = uow.images.get(image_id)
            new = build.a_segmentation(image_instance_id=image_id)
            assert [one.segmentation_id for one in image.segmentations] == [shown.segmentation_id]
            image.segmentations = [*image.segmentations, new]
            uow.commit()
        with make_unit_of_work() as uow:
            hidden = uow.segmentations.get(hidden_id)
            assert hidden.image_instance_id == image_id
            image = hidden.image_instance
            assert len(image.segmentations) == 2
            image.segmentations.append(hidden)  # put where it is already
            uow.commit()
            assert uow.segmentations.get(hidden_id).image_instance is image
            assert uow.segmentations.count(include_inactive=True) == 3

    def test_what_is_inactive_can_be_moved_to_another_list(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one, other = (build.add(uow, Segmentation, inactive=True) for _ in range(2))
            uow.commit()
        with make_unit_of_work() as uow:
            one, other = uow.segmentations.where(inactive=True)
            before, after = one.image_instance, other.image_instance
            assert (before.segmentations, after.segmentations) == ([], [])
            one.image_instance = after
            assert (before.segmentations, after.segmentations) == ([], [one])
            uow.commit()
            assert uow.segmentations.get(one.segmentation_id).image_instance is after

    def test_deletions_reach_what_lists_leave_out(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            hidden = build.add(uow, Segmentation, inactive=True)
            build.add(uow, SegmentationTagLink, segmentation=hidden)
            uow.commit()
        with make_unit_of_work() as uow:
            (image,) = uow.images.where()
            assert image.segmentations == []
            uow.images.delete(image)
            uow.commit()
            assert uow.segmentations.count(include_inactive=True) == 0
            assert uow.segmentation_tags.count(include_inactive=True) == 0

    def test_what_is_inactive_can_still_be_tagged_and_be_given_values(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.add(uow, ImageInstance, inactive=True)
            build.add(uow, AttributeValue, image_instance=image, value_float=0.5)
            uow.creators.add(build.a_creator(creator_name="dr_smith"))
            for _ in range(2):
                Tagging().tag(uow, image, "blurred", by="dr_smith")
                uow.flush()
            (value,) = uow.attribute_values.where(include_inactive=True)
            Attributes().put(
                uow, image, value.attribute_definition, 1.5, model=value.producing_model
            )
            uow.commit()
            assert [link.tag.tag_name for link in image.image_instance_tag_links] == ["blurred"]
            assert [one.value for one in image.attribute_values] == [1.5]
            assert Tagging().list_tags(uow)[0].count == 0

    def test_frames_are_without_what_is_inactive_unless_the_unit_includes_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        _stored(make_unit_of_work, build)
        lengths = []
        for included in (False, True):
            with make_unit_of_work(include_inactive=included) as uow:
                lengths.append(_lengths(uow))
        assert lengths[0].keys() == lengths[1].keys()
        for name, length in lengths[0].items():
            assert (length, lengths[1][name]) == (1, 2), name


def _stored(make: MakeUnitOfWork, build: Builder) -> tuple[list[Key], list[Key]]:
    """Store an object of each class that may be left out, shown, and another one, hidden."""
    with make() as uow:
        made = {inactive: list(_made(uow, build, inactive)) for inactive in (False, True)}
        uow.commit()
        shown, hidden = ([_key(one) for one in made[inactive]] for inactive in (False, True))
    flagged = {entity for entity in entity_classes() if flags_of(entity)}
    assert {entity for entity, _ in hidden} == flagged, "a class that this test does not know"
    return shown, hidden


def _made(uow: UnitOfWork, build: Builder, inactive: bool) -> Iterator[Entity]:
    """Make an object of each class that may be left out, with all of its links."""
    image = build.add(uow, ImageInstance, full=True, inactive=inactive)
    segmentation = build.add(
        uow, Segmentation, full=True, inactive=inactive, reference_segmentation_id=None
    )
    annotation = build.add(uow, Annotation, full=True, inactive=inactive, annotation_reference=None)
    form = build.add(
        uow, FormAnnotation, full=True, inactive=inactive, form_annotation_reference=None
    )
    model = build.add(
        uow, ModelSegmentation, full=True, image_instance=image, reference_segmentation_id=None
    )
    yield from (image, segmentation, annotation, form, model)
    yield build.add(uow, AnnotationData, annotation=annotation)
    yield build.add(uow, ImageInstanceTagLink, image_instance=image)
    yield build.add(uow, SegmentationTagLink, segmentation=segmentation)
    uow.flush()
    yield build.add(uow, AnnotationTagLink, annotation_id=annotation.annotation_id)
    yield build.add(uow, FormAnnotationTagLink, form_annotation=form)
    yield build.add(uow, SubTaskImageLink, image_instance=image)
    for link, owner in (
        ("image_instance", image),
        ("segmentation", segmentation),
        ("model_segmentation", model),
    ):
        values: dict[str, Any] = {link: owner}
        yield build.add(uow, AttributeValue, **values)


def _key(one: Entity) -> Key:
    return type(one), one.__entity__.key(one.__dict__)


def _found(uow: UnitOfWork, key: Key, **said: Any) -> Iterator[bool]:
    """Ask every finder for an object; say of each whether it is found."""
    entity, identity = key
    info, repository = entity.__entity__, uow.repository(entity)
    named: dict[str, Any] = dict(zip(info.primary_key, identity, strict=True))
    ways: list[Iterable[Any]] = [
        repository.where(**said),
        repository.where(**said, **named),
        entity.where(uow, **said),
        entity.fetch_all(uow, **said),
        entity.by_columns(uow, **said, **named),
        entity.by_column(uow, info.primary_key[0], identity[0], **said),
    ]
    for way in ways:
        yield key in map(_key, way)
    yield named in [
        {name: row[name] for name in info.primary_key} for row in entity.to_list(uow, **said)
    ]
    is_the_one = All([field(name) == value for name, value in named.items()])
    yield repository.exists(is_the_one, **said)
    yield repository.first(order_by=info.primary_key[0], **said, **named) is not None
    yield key in map(_key, repository.where(limit=100, order_by=info.primary_key[-1], **said))
    yield key in map(_key, repository.iterate(portion=1, **said))
    if len(identity) == 1:
        search = Search()
        yield search.ids(uow, is_the_one, entity=entity, **said) == list(identity)
        yield search.count(uow, is_the_one, entity=entity, **said).count == 1
        yield search.page(uow, is_the_one, entity=entity, **said).ids == identity
        frame = search.frame(uow, is_the_one, columns=info.primary_key, entity=entity, **said)
        yield len(frame) == 1
    yield repository.one(default=None, **said, **named) is not None
    yield repository.count(**said, **named) == 1
    one = repository.get(identity if len(identity) > 1 else identity[0])
    for link in info.to_one:
        if (target := getattr(one, link.name)) is not None:
            linked: dict[str, Any] = {link.name: target}
            yield key in map(_key, repository.where(**said, **linked))


def _listed(
    make: MakeUnitOfWork, keys: list[Key], *, include_inactive: bool = False
) -> set[tuple[tuple[str, str], bool]]:
    """Look into every list that objects belong in, each time in a new unit.

    Returns:
        the names of the lists that leave out what is inactive, and whether they hold the objects.
    """
    found: set[tuple[tuple[str, str], bool]] = set()
    for entity, identity in keys:
        for link in entity.__entity__.to_one:
            with make(include_inactive=include_inactive) as uow:
                one = uow.repository(entity).get(identity if len(identity) > 1 else identity[0])
                owner, name = getattr(one, link.name), (link.target, str(link.back))
                if owner is not None and name in _lists_that_leave_out():
                    items = map(_key, getattr(owner, str(link.back)))
                    found.add((name, (entity, identity) in items))
                    if not owner.__entity__.parent:  # and so in a search by what is in the list
                        found.add((name, _is_met(uow, owner, str(link.back))))
    return found


def _is_met(uow: UnitOfWork, owner: Entity, name: str) -> bool:
    """Return whether a search finds the owner of a list by what is in the list."""
    ids = Search().ids(uow, some(name), entity=type(owner))
    return owner.__entity__.key(owner.__dict__)[0] in ids


def _lists_that_leave_out() -> set[tuple[str, str]]:
    return {
        (entity.__name__, link.name)
        for entity in entity_classes()
        for link in entity.__entity__.links.values()
        if flags_in(link) and not _is_inherited(entity, link) and not _is_of_a_revised(link)
    }


def _is_inherited(entity: type[Entity], link: LinkInfo) -> bool:
    parent = entity.__entity__.parent
    return parent is not None and link.name in entity_class(parent).__entity__.links


def _is_of_a_revised(link: LinkInfo) -> bool:
    """Whether a list holds what refers to another one of its kind."""
    return link.name in {"revisions", "child_annotations"}


def _lengths(uow: UnitOfWork) -> dict[str, int]:
    """Return how much there is in each frame and listing of services, by its name."""
    tagging, attributes = Tagging(), Attributes()
    found = {}
    for kind in (ImageInstance, Segmentation, Annotation, FormAnnotation):
        found[f"tags on {kind.__name__}"] = len(tagging.frame(uow, kind))
        found[f"uses on {kind.__name__}"] = sum(use.count for use in tagging.list_tags(uow, kind))
    for owner in (ImageInstance, Segmentation, ModelSegmentation):
        found[f"values of {owner.__name__}"] = len(attributes.frame(uow, owner))
    forms = uow.forms.where(include_inactive=True)
    names = {form.form_schema.schema_name for form in forms}
    found["forms"] = sum(
        len(FormAnnotation.export_formannotations_by_schema(uow, name)) for name in names
    )
    found["forms by schema"] = sum(
        len(FormAnnotation.by_schema_and_creator(uow, name)) for name in names
    )
    found["records of forms"] = sum(len(list(Forms().records(uow, name))) for name in names)
    return found
