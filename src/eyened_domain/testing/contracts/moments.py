"""When rows were changed: `DateModified`, by the clock that fills in `DateInserted`."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from eyened_domain.model import AnnotationData, FormAnnotation, ImageInstance
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

OLD = datetime(2001, 2, 3, 4, 5, 6)
CHANGES: dict[type[Any], tuple[str, Any]] = {
    ImageInstance: ("thumbnail_path", "1/abc"),
    FormAnnotation: ("form_data", {"grade": 3}),
    AnnotationData: ("value_int", 4),
}


def _now(uow: UnitOfWork, build: Builder) -> datetime:
    """Return the moment by the storage's own clock."""
    project = uow.projects.add(build.a_project())
    uow.flush()
    return uow.repository(type(project)).get(project.project_id).date_inserted


def _is_now(uow: UnitOfWork, build: Builder, moment: datetime | None) -> bool:
    assert moment is not None
    return abs(_now(uow, build) - moment) < timedelta(minutes=1) and moment.microsecond == 0


def _key(one: Any) -> tuple[Any, ...]:
    return tuple(getattr(one, name) for name in one.__entity__.primary_key)


class MomentContract(Contract):
    """That `DateModified` is the moment of the last change of a row."""

    @pytest.fixture(params=CHANGES, ids=lambda entity: entity.__name__)
    def entity(self, request: pytest.FixtureRequest) -> type[Any]:
        """Each entity that notes when it was changed."""
        entity: type[Any] = request.param
        return entity

    @pytest.fixture
    def changed_long_ago(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, entity: type[Any]
    ) -> tuple[Any, ...]:
        """The key of a row that was last changed long ago."""
        with make_unit_of_work() as uow:
            one = build.add(uow, entity, date_modified=OLD)
            uow.commit()
            assert one.date_modified == OLD
            return _key(one)

    def test_the_moment_of_a_change_is_noted(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        entity: type[Any],
        changed_long_ago: tuple[Any, ...],
    ) -> None:
        with make_unit_of_work() as uow:
            one = uow.repository(entity).get(changed_long_ago)
            setattr(one, *CHANGES[entity])
            uow.flush()
            seen = one.date_modified
            assert _is_now(uow, build, seen)
            uow.commit()
        assert one.date_modified == seen
        with make_unit_of_work() as uow:
            assert uow.repository(entity).get(changed_long_ago).date_modified == seen

    def test_the_moment_stays_when_nothing_changes(
        self,
        make_unit_of_work: MakeUnitOfWork,
        entity: type[Any],
        changed_long_ago: tuple[Any, ...],
    ) -> None:
        name, _ = CHANGES[entity]
        with make_unit_of_work() as uow:
            one = uow.repository(entity).get(changed_long_ago)
            setattr(one, name, getattr(one, name))
            uow.commit()
            assert one.date_modified == OLD
        with make_unit_of_work() as uow:
            assert uow.repository(entity).get(changed_long_ago).date_modified == OLD

    def test_a_moment_that_is_given_counts(
        self,
        make_unit_of_work: MakeUnitOfWork,
        entity: type[Any],
        changed_long_ago: tuple[Any, ...],
    ) -> None:
        given = OLD + timedelta(days=1)
        with make_unit_of_work() as uow:
            one = uow.repository(entity).get(changed_long_ago)
            setattr(one, *CHANGES[entity])
            one.date_modified = given
            uow.commit()
        with make_unit_of_work() as uow:
            assert uow.repository(entity).get(changed_long_ago).date_modified == given

    def test_a_change_in_place_is_noted(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            one = build.add(uow, FormAnnotation, form_data={"grades": [1]}, date_modified=OLD)
            uow.commit()
            one.form_data["grades"].append(2)
            uow.commit()
            assert _is_now(uow, build, one.date_modified)

    def test_a_link_that_changes_is_a_change(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.add(uow, ImageInstance, date_modified=OLD)
            uow.commit()
            build.a_series(study=image.series.study).image_instances.append(image)
            uow.commit()
            assert _is_now(uow, build, image.date_modified)

    def test_what_comes_to_hang_on_an_object_is_no_change_of_it(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = build.add(uow, ImageInstance, date_modified=OLD)
            uow.commit()
            image.segmentations.append(build.a_segmentation(image_instance=image))
            uow.commit()
            assert image.date_modified == OLD

    def test_many_changes_at_once_show_what_is_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            series = build.a_series()
            images = [build.an_image(series=series, date_modified=OLD) for _ in range(20)]
            uow.images.add_all(images)
            uow.commit()
            for number, image in enumerate(images):
                image.thumbnail_path = f"1/{number}"
            uow.commit()
            seen = {one.image_instance_id: one.date_modified for one in images}
        with make_unit_of_work() as uow:
            assert {x.image_instance_id: x.date_modified for x in uow.images.where()} == seen
            assert all(_is_now(uow, build, moment) for moment in seen.values())

    def test_rows_that_are_written_in_bulk_are_changed_then(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        given = OLD + timedelta(days=1)
        with make_unit_of_work() as uow:
            series = build.a_series()
            images = [build.an_image(series=series, date_modified=OLD) for _ in range(3)]
            uow.images.add_all(images)
            uow.commit()
            first, second, third = (image.image_instance_id for image in images)
            written = [
                {"image_instance_id": first, "thumbnail_path": "1/a"},
                {"image_instance_id": second, "thumbnail_path": "1/b", "date_modified": given},
            ]
            uow.rows.update(ImageInstance, written)
            uow.rows.update(ImageInstance, [])
            uow.commit()
        with make_unit_of_work() as uow:
            found = {one.image_instance_id: one.date_modified for one in uow.images.where()}
            assert _is_now(uow, build, found[first])
            assert (found[second], found[third]) == (given, OLD)

    def test_a_new_form_was_changed_when_it_was_made(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            form = build.add(uow, FormAnnotation)
            image = build.add(uow, ImageInstance)
            uow.commit()
            assert form.date_modified == form.date_inserted
            assert image.date_modified is None

    def test_pixels_leave_the_moment_of_a_segmentation(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            mask = uow.segmentations.add(
                build.a_segmentation(data_representation="Binary", date_modified=OLD)
            )
            uow.commit()
            mask.write_empty()
            uow.commit()
            assert mask.date_modified == OLD
        with make_unit_of_work() as uow:
            assert uow.segmentations.where()[0].date_modified == OLD
