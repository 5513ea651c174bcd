"""A service on the storage: segmentations with their pixels, in every case of the shape table."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from eyened_domain.errors import BadInput, RuleBroken, StorageError
from eyened_domain.model import Datatype, Feature, Segmentation
from eyened_domain.services.events import Event, Segmented
from eyened_domain.services.segmenting import Segmenting
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork

VOLUME = (4, 6, 8)
MATRIX = [[2.0, 0.0, 0.5], [0.0, 2.0, 0.5], [0.0, 0.0, 1.0]]

Given = tuple[Any, dict[str, Any]]
Columns = tuple[tuple[int, int, int], int, Any]


def _drawn(*shape: int, dtype: str = "uint8") -> Any:
    import numpy as np  # noqa: PLC0415 - only these contracts need it

    return np.random.default_rng(7).integers(0, 2, shape).astype(dtype)


def _only(scan: int) -> Any:
    pixels = _drawn(*VOLUME)
    for other in set(range(VOLUME[0])) - {scan}:
        pixels[other] = 0
    return pixels


def _ids(cases: list[Any]) -> list[str]:
    return [case[0] for case in cases]


CASES: list[tuple[str, int, Callable[[], Given], Columns]] = [
    ("2-D image", 1, lambda: (_drawn(6, 8), {}), ((1, 6, 8), 0, None)),
    ("2-D image, three axes", 1, lambda: (_drawn(1, 6, 8), {}), ((1, 6, 8), 0, None)),
    (
        "2-D image, own grid",
        1,
        lambda: (_drawn(3, 4), {"image_projection_matrix": MATRIX}),
        ((1, 3, 4), 0, None),
    ),
    ("volume, all scans", 4, lambda: (_drawn(*VOLUME), {}), (VOLUME, 0, None)),
    (
        "volume, some scans by number",
        4,
        lambda: ({2: _drawn(6, 8), 0: _drawn(6, 8)}, {}),
        (VOLUME, 0, [0, 2]),
    ),
    (
        "volume, some scans of the whole",
        4,
        lambda: (_only(3), {"scan_indices": [3]}),
        (VOLUME, 0, [3]),
    ),
    ("volume, en face", 4, lambda: (_drawn(4, 8), {}), ((4, 1, 8), 1, None)),
    ("volume, en face, three axes", 4, lambda: (_drawn(4, 1, 8), {}), ((4, 1, 8), 1, None)),
    (
        "volume, en face by name",
        4,
        lambda: (_drawn(4, 8), {"sparse_axis": 1}),
        ((4, 1, 8), 1, None),
    ),
]
"""What is given on an image of that many scans, and shape, SparseAxis and ScanIndices of it."""

REFUSED: list[tuple[str, int, Callable[[], Given], str]] = [
    ("another shape", 1, lambda: (_drawn(6, 9), {}), "it must be"),
    ("one axis", 1, lambda: (_drawn(6), {}), "2 or 3 axes"),
    ("four axes", 4, lambda: (_drawn(1, 4, 6, 8), {}), "2 or 3 axes"),
    ("whole numbers of 64 bits", 1, lambda: (_drawn(6, 8, dtype="int64"), {}), "astype"),
    ("fractions as Binary", 1, lambda: (_drawn(6, 8, dtype="float32"), {}), "astype"),
    ("another type than told", 1, lambda: (_drawn(6, 8), {"data_type": "R16UI"}), "astype"),
    ("a type that is none", 1, lambda: (_drawn(6, 8), {"data_type": "R7"}), "R7"),
    ("a value that means nothing", 1, lambda: (_drawn(6, 8) * 3, {}), "means nothing"),
    (
        "a matrix without inverse",
        1,
        lambda: (_drawn(3, 4), {"image_projection_matrix": [[1, 0, 0], [0, 0, 0], [0, 0, 1]]}),
        "inverted",
    ),
    (
        "a matrix on a volume",
        4,
        lambda: (_drawn(*VOLUME), {"image_projection_matrix": MATRIX}),
        "flat masks|2-D images",
    ),
    ("a scan below 0", 4, lambda: ({-1: _drawn(6, 8)}, {}), "numbered 0 to 3"),
    ("a scan beyond the last", 4, lambda: ({4: _drawn(6, 8)}, {}), "numbered 0 to 3"),
    ("a scan that is no number", 4, lambda: ({True: _drawn(6, 8)}, {}), "numbered 0 to 3"),
    ("a scan of another shape", 4, lambda: ({0: _drawn(6, 7)}, {}), "it must be"),
    ("no scans", 4, lambda: ({}, {}), "B-scans by number"),
    (
        "data in a scan that is not listed",
        4,
        lambda: (_drawn(*VOLUME), {"scan_indices": [0]}),
        "has data",
    ),
    (
        "a listed scan below 0",
        4,
        lambda: (_only(3), {"scan_indices": [-1, 3]}),
        "numbered 0 to 3",
    ),
    ("scans twice", 4, lambda: (_only(3), {"scan_indices": [3, 3]}), "different"),
    ("scans on a 2-D image", 1, lambda: (_drawn(6, 8), {"scan_indices": [0]}), "volumes only"),
    ("a map on a 2-D image", 1, lambda: (_drawn(6, 8), {"sparse_axis": 1}), "SparseAxis is 0"),
    ("an axis that is none", 4, lambda: (_drawn(*VOLUME), {"sparse_axis": 2}), "sparse_axis"),
    (
        "a threshold beyond 1",
        1,
        lambda: (
            _drawn(6, 8, dtype="float32"),
            {"data_representation": "Probability", "threshold": 40},
        ),
        "from 0 to 1",
    ),
    (
        "labels without subfeatures",
        1,
        lambda: (_drawn(6, 8), {"data_representation": "MultiLabel"}),
        "subfeatures",
    ),
]
"""What is refused on an image of that many scans, and a word of the reason."""


class SegmentingContract(Contract):
    """That segmentations are made with their pixels, or not at all, on every storage."""

    @pytest.mark.parametrize(("scans", "given", "wanted"), [c[1:] for c in CASES], ids=_ids(CASES))
    def test_each_case_of_the_shape_table_is_stored_and_read(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        scans: int,
        given: Callable[[], Given],
        wanted: Columns,
    ) -> None:
        pixels, options = given()
        with make_unit_of_work() as uow:
            made = _create(uow, build, scans, pixels, options)
            uow.commit()
            identity = made.segmentation_id
        with make_unit_of_work() as uow:
            found = uow.segmentations.get(identity)
            assert (found.shape, found.sparse_axis, found.scan_indices) == wanted
            read = found.read_data()
            if isinstance(pixels, dict):
                assert all((read[scan] == drawn).all() for scan, drawn in pixels.items())
                assert not read[1].any()
            else:
                assert (read == pixels.reshape(wanted[0])).all()
            assert found.image_projection_matrix == options.get("image_projection_matrix")

    @pytest.mark.parametrize(("scans", "given", "why"), [c[1:] for c in REFUSED], ids=_ids(REFUSED))
    def test_what_does_not_fit_is_refused_whole(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        scans: int,
        given: Callable[[], Given],
        why: str,
    ) -> None:
        pixels, options = given()
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            with pytest.raises((BadInput, RuleBroken), match=why):
                _create(uow, build, scans, pixels, options)
            uow.commit()
        with make_unit_of_work() as uow:
            assert (uow.images.count(), uow.segmentations.count(), heard) == (1, 0, [])

    @pytest.mark.parametrize(
        ("dtype", "meaning", "stored"),
        [
            ("bool", "Binary", "R8UI"), ("uint8", "Binary", "R8UI"), ("uint16", "Binary", "R16UI"),
            ("uint32", "DualBitMask", "R32UI"), ("float32", "Probability", "R32F"),
            ("uint8", "Probability", "R8"),
        ],
    )  # fmt: skip
    def test_the_number_type_is_that_of_the_array(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        dtype: str,
        meaning: str,
        stored: str,
    ) -> None:
        with make_unit_of_work() as uow:
            pixels = _drawn(6, 8, dtype=dtype)
            made = _create(uow, build, 1, pixels, {"data_representation": meaning})
            assert made.data_type is Datatype[stored]
            assert (made.read_data() == pixels).all()

    def test_segmentations_of_models_are_made_as_well(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            image = uow.images.add(build.an_image(nr_of_frames=4, rows_y=6, columns_x=8))
            model = uow.segmentation_models.add(build.a_segmentation_model())
            made = Segmenting().create_for_model(
                uow,
                image,
                _drawn(*VOLUME, dtype="float32"),
                model=model,
                data_representation="Probability",
                threshold=0.25,
            )
            assert heard == []
            uow.commit()
        assert [getattr(one, "segmentation", None) for one in heard] == [made]
        with make_unit_of_work() as uow:
            found = uow.model_segmentations.get(made.model_segmentation_id)
            assert (found.masks()["mask"] == _drawn(*VOLUME, dtype="bool")).all()

    def test_masks_are_given_and_read_by_name(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image(nr_of_frames=1, rows_y=6, columns_x=8))
            lesions = Feature(feature_name="lesions")
            for index, name in ((0, "drusen"), (9, "haemorrhages")):
                lesions.add_subfeature(Feature(feature_name=name), index)
            masks = {"drusen": _drawn(6, 8, dtype="bool"), "haemorrhages": _drawn(6, 8) < 1}
            made = Segmenting().create_from_masks(
                uow, image, masks, feature=lesions, creator=build.a_creator()
            )
            assert made.data_type is Datatype.R16UI
            uow.commit()
        with make_unit_of_work() as uow:
            found = uow.segmentations.get(made.segmentation_id).masks()
            assert {name: (mask[0] == masks[name]).all() for name, mask in found.items()} == {
                "drusen": True,
                "haemorrhages": True,
            }

    def test_a_reference_limits_what_is_shown_and_must_fit(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image(nr_of_frames=1, rows_y=6, columns_x=8))
            who: dict[str, Any] = {"feature": build.a_feature(), "creator": build.a_creator()}
            limit = Segmenting().create(uow, image, _drawn(6, 8), **who)
            whole = _drawn(6, 8) < 2
            made = Segmenting().create(uow, image, whole, reference=limit, **who)
            assert (made.masks()["mask"][0] == (_drawn(6, 8) > 0)).all()
            small: dict[str, Any] = {"image_projection_matrix": MATRIX, "reference": limit}
            with pytest.raises(RuleBroken, match="both must have the same"):
                Segmenting().create(uow, image, _drawn(3, 4), **small, **who)
            limit.reference_segmentation_id = made.segmentation_id
            with pytest.raises(RuleBroken, match="circle"):
                Segmenting().create(uow, image, whole, reference=made, **who)

    @pytest.mark.parametrize("way", ["write_data", "write_empty", "a slice", "put", "store"])
    def test_every_way_to_store_pixels_publishes_the_same_event(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, way: str
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            made = _create(uow, build, 4, _drawn(*VOLUME), {})
            uow.commit()
            del heard[:]
            if way == "write_data":
                made.write_data(_drawn(*VOLUME))
            elif way == "write_empty":
                made.write_empty()
            elif way == "a slice":
                made.write_data(_drawn(6, 8), axis=0, slice_index=2)
            elif way == "put":
                made.put(made.prepare(_drawn(*VOLUME)))
            else:
                Segmenting().store(uow, made, _drawn(*VOLUME))
            assert heard == []
            uow.commit()
        assert heard == [Segmented(made)]

    def test_what_a_savepoint_takes_back_publishes_no_event(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        heard: list[Event] = []
        with make_unit_of_work(subscribers=[heard.append]) as uow:
            made = _create(uow, build, 1, _drawn(6, 8), {})
            uow.commit()
            del heard[:]
            with suppress(KeyError), uow.savepoint():
                made.write_empty()
                raise KeyError
            uow.commit()
        assert heard == []

    def test_pixels_are_checked_once_before_they_are_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from eyened_domain.model.pixels import masks  # noqa: PLC0415 - brings numpy

        scanned: list[Any] = []
        check = masks.check_values

        def counted(pixels: Any, *others: Any, **options: Any) -> None:
            scanned.append(pixels)
            check(pixels, *others, **options)

        monkeypatch.setattr(masks, "check_values", counted)
        with make_unit_of_work() as uow:
            made = _create(uow, build, 4, _drawn(*VOLUME), {})
            assert len(scanned) == 1
            made.write_empty()
            assert len(scanned) == 2
            prepared = made.prepare(_drawn(*VOLUME))
            with pytest.raises(ValueError, match="read-only"):
                prepared.pixels[0, 0, 0] = 7
            made.put(prepared)
            assert len(scanned) == 3

    def test_a_label_without_room_leaves_no_trace(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            image = uow.images.add(build.an_image(nr_of_frames=1, rows_y=6, columns_x=8))
            lesions = Feature(feature_name="lesions")
            lesions.add_subfeature(Feature(feature_name="drusen"), 8)
            who: dict[str, Any] = {"feature": lesions, "creator": build.a_creator()}
            with pytest.raises(RuleBroken, match="does not fit in R8UI"):
                Segmenting().create(
                    uow, image, _drawn(6, 8) * 0, data_representation="MultiLabel", **who
                )
            assert image.segmentations == []
            uow.commit()
        with make_unit_of_work() as uow:
            assert (uow.images.count(), uow.segmentations.count()) == (1, 0)

    def test_pixels_that_cannot_be_stored_leave_no_row(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        heard: list[Event] = []

        def full(*_: Any) -> None:
            raise StorageError("no space left")

        with make_unit_of_work(subscribers=[heard.append]) as uow:
            monkeypatch.setattr(Segmentation, "put", full)
            with pytest.raises(StorageError, match="no space"):
                _create(uow, build, 1, _drawn(6, 8), {})
            uow.commit()
            assert uow.images.where()[0].segmentations == []
        with make_unit_of_work() as uow:
            assert (uow.images.count(), uow.segmentations.count(), heard) == (1, 0, [])


def _create(
    uow: UnitOfWork, build: Builder, scans: int, pixels: Any, options: dict[str, Any]
) -> Segmentation:
    image = uow.images.add(build.an_image(nr_of_frames=scans, rows_y=6, columns_x=8))
    return Segmenting().create(
        uow, image, pixels, feature=build.a_feature(), creator=build.a_creator(), **options
    )
