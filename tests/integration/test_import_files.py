"""What an import finds or makes beside the images, and what it reads from their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eyened_domain import (
    Database,
    DeviceInstance,
    ImageInstance,
    ModalityTable,
    Scan,
    SourceInfo,
)
from eyened_domain import (
    Series as SeriesEntity,
)
from eyened_domain.model import Laterality, ModalityType
from tests.integration.imports import (
    ALL,
    UNREAD,
    dump,
    flat,
    importing_on,
    nested,
    options,
    png,
    row_counts,
    series,
    study,
)

OP = "1.2.840.10008.5.1.4.1.1.77.1.5.1"


def dicom(database: Database, name: str, **changes: object) -> None:
    """Write a DICOM photograph of a left eye, 6 rows by 8 columns."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import Dataset, FileMetaDataset

    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = OP, "1.2.3.4"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    dataset.AcquisitionDateTime = "20240131101112"
    dataset.Modality, dataset.Manufacturer = "OP", "Zeiss"
    dataset.ManufacturerModelName, dataset.DeviceSerialNumber = "Visucam 500", "SN 7"
    dataset.ImageLaterality, dataset.SeriesNumber = "L", 3
    dataset.PixelSpacing = [0.0061, 0.0062]
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 6, 8, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = bytes(6 * 8)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = OP, dataset.SOPInstanceUID  # type: ignore[assignment]
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta = meta
    path = Path(database.settings.images_basepath) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)


def only(database: Database, entity: type[Any]) -> Any:
    with database.get_session() as session:
        return session.repository(entity).one()


def test_what_the_contract_demands_and_no_record_gives_is_made(database: Database) -> None:
    importing = importing_on(database)
    png(database, "a.png")
    importing.run([flat("a.png")], ALL)
    with database.get_session() as session:
        image = session.repository(ImageInstance).one()
        source, device = image.source_info, image.device_instance
        assert image.modality_entry.modality_tag == "unknown"
        assert image.modality is None
        assert (device.description, device.device_model.manufacturer) == ("unknown", "unknown")
        assert device.device_model.manufacturer_model_name == "unknown"
        assert source.source_name == "images"
        assert source.source_path == str(database.settings.images_basepath)
        assert source.thumbnail_path == str(database.settings.thumbnails_path)
        assert (image.inactive, image.scan, image.thumbnail_path) == (False, None, None)


def test_what_is_there_already_is_found_in_any_case_of_letters(database: Database) -> None:
    importing = importing_on(database)
    props = {
        "modality": "ColorFundus",
        "manufacturer": "Topcon",
        "ManufacturerModelName": "NW8",
        "device_description": "Room 2",
        "source_name": "Clinic",
        "scan_mode": "Macula",
    }
    importing.run([flat("a.png", image_props=props)], UNREAD)
    louder = {name: value.upper() for name, value in props.items() if name != "modality"}
    again = flat("b.png", image_props={**louder, "modality": "ColorFundus"})
    result = importing.run([again], UNREAD)
    assert result.written.made == {"Series": 1, "ImageInstance": 1}
    assert only(database, ModalityTable).modality_tag == "ColorFundus"
    assert only(database, Scan).scan_mode == "Macula"
    assert only(database, SourceInfo).source_name == "Clinic"
    assert only(database, DeviceInstance).description == "Room 2"


def test_the_source_at_the_base_path_is_the_default_whatever_its_name(database: Database) -> None:
    base = database.settings.images_basepath
    with database.unit_of_work() as uow:
        uow.sources.add(SourceInfo(source_name="Ours", source_path=str(base), thumbnail_path="t"))
        uow.commit()
    importing = importing_on(database)
    result = importing.run([flat("a.png")], UNREAD)
    assert "SourceInfo" not in result.written.made
    named = flat("a.png", image_props={"source_name": "ours"})
    assert importing.run([named], UNREAD).import_id is None
    plan = importing.plan([flat("c.png"), flat("c.png", source_name="Ours")], UNREAD)
    assert [error.where for error in plan.errors] == ["record 2"]


def test_the_same_file_in_two_sources_is_two_images(database: Database) -> None:
    importing = importing_on(database)
    records = [flat("a.png"), flat("a.png", source_name="Other"), flat("b.png", source_name="More")]
    result = importing.run(records, UNREAD)
    assert result.written.made["ImageInstance"] == 3
    assert result.written.made["SourceInfo"] == 3
    assert importing.run(records, UNREAD).import_id is None


def test_a_device_that_is_not_there_is_an_error_of_its_record(database: Database) -> None:
    importing = importing_on(database)
    before = row_counts(database)
    for name in ("device_instance_id", "ScanID"):
        (error,) = importing.plan([flat("a.png", image_props={name: 12345})], UNREAD).errors
        assert error.where == "record 1"
        assert "12345" in error.message
    (error,) = importing.plan([flat("a.png", image_props={"source_info_id": 1})], UNREAD).errors
    assert "source_name" in error.message
    assert row_counts(database) == before


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tiff"])
def test_sizes_are_read_from_the_file(database: Database, name: str) -> None:
    importing = importing_on(database)
    png(database, name, size=(8, 6))
    importing.run([flat(name)], ALL)
    image = only(database, ImageInstance)
    found = (image.rows_y, image.columns_x, image.samples_per_pixel, image.nr_of_frames)
    assert found == (6, 8, 3, 1)


def test_a_dicom_file_tells_what_the_record_does_not(database: Database) -> None:
    importing = importing_on(database)
    dicom(database, "a.dcm")
    record = flat("a.dcm")
    del record["image_props"]
    importing.run([record], ALL)
    with database.get_session() as session:
        image = session.repository(ImageInstance).one()
        assert (image.sop_instance_uid, image.sop_class_uid) == ("1.2.3.4", OP)
        assert (image.laterality, image.dicom_modality) == (Laterality.L, ModalityType.OP)
        assert str(image.acquisition_date_time) == "2024-01-31 10:11:12"
        assert image.resolution_horizontal == pytest.approx(0.0062, rel=1e-6)
        assert image.resolution_vertical == pytest.approx(0.0061, rel=1e-6)
        device = image.device_instance
        assert device.device_model.manufacturer == "Zeiss"
        assert device.device_model.manufacturer_model_name == "Visucam 500"
        assert device.serial_number == "SN 7"
        assert image.series.series_instance_uid == "1.2.3.1"
        assert (image.series.study_instance_uid, image.series.series_number) == ("1.2.3", 3)
    assert importing.run([record], ALL).import_id is None


@pytest.mark.parametrize(
    ("props", "field"),
    [
        ({"rows_y": 7}, "rows_y"),
        ({"laterality": "R"}, "laterality"),
        ({"sop_instance_uid": "9.9"}, "sop_instance_uid"),
        ({"manufacturer": "Topcon"}, "manufacturer"),
        ({"resolution_vertical": 0.007}, "resolution_vertical"),
        ({"acquisition_date_time": "2024-01-31T10:11:13"}, "acquisition_date_time"),
    ],
)
def test_a_record_and_its_file_that_disagree_are_an_error(
    database: Database, props: dict[str, Any], field: str
) -> None:
    importing = importing_on(database)
    dicom(database, "a.dcm")
    before = row_counts(database)
    record = flat("a.dcm") | {"image_props": props}
    plan = importing.plan([record], options(on_error="skip"))
    ((where, named, message),) = ((e.where, e.field, e.message) for e in plan.errors)
    assert (where, named) == ("record 1", field)
    assert "the record says" in message
    assert importing.apply(plan).import_id is None
    assert row_counts(database) == before


def test_what_agrees_within_the_precision_of_the_column_is_no_disagreement(
    database: Database,
) -> None:
    importing = importing_on(database)
    dicom(database, "a.dcm")
    props = {"resolution_vertical": 0.006100001, "manufacturer": "ZEISS", "laterality": "L"}
    assert not importing.plan([flat("a.dcm") | {"image_props": props}], ALL).errors


def test_images_without_laterality_are_refused(database: Database) -> None:
    importing = importing_on(database)
    png(database, "a.png")
    (error,) = importing.plan([flat("a.png") | {"image_props": {}}], ALL).errors
    assert (error.where, error.field) == ("record 1", "laterality")


def test_dicom_files_of_one_series_share_a_series(database: Database) -> None:
    importing = importing_on(database)
    for n in range(4):
        dicom(database, f"{n}.dcm", SOPInstanceUID=f"1.{n}", SeriesInstanceUID=f"1.2.{n // 2}")
    records = [flat(f"{n}.dcm") | {"image_props": {}} for n in range(4)]
    plan = importing.plan(records[:3], ALL)
    assert plan.levels["Series"].new == 2
    assert importing.apply(plan).written.made["Series"] == 2
    result = importing.run(records, ALL)
    assert result.written.made == {"ImageInstance": 1}
    with database.get_session() as session:
        assert sorted(len(s.images) for s in session.repository(SeriesEntity).where()) == [2, 2]


def test_a_dicom_series_of_another_study_is_refused(database: Database) -> None:
    importing = importing_on(database)
    for n in range(3):
        dicom(database, f"{n}.dcm", SOPInstanceUID=f"1.{n}")
    bare: dict[str, Any] = {"image_props": {}}
    plan = importing.plan([flat("0.dcm") | bare, flat("1.dcm", day="2025-01-01") | bare], ALL)
    assert [(e.where, e.field) for e in plan.errors] == [("record 2", "series_instance_uid")]
    importing.run([flat("0.dcm") | bare], ALL)
    before = dump(database)
    plan = importing.plan([flat("1.dcm", patient="P2") | bare], ALL)
    assert [(e.where, e.field) for e in plan.errors] == [("record 1", "series_instance_uid")]
    importing.run([nested(study(series("2.png")))], UNREAD)
    with database.get_session() as session:
        other = session.repository(ImageInstance).one(dataset_identifier="2.png").series_id
    plan = importing.plan([flat("2.dcm", series_id=other) | bare], ALL)
    assert [(e.where, e.field) for e in plan.errors] == [("record 1", "series_instance_uid")]
    assert dump(database) != before


def test_a_sop_instance_uid_is_that_of_one_image(database: Database) -> None:
    importing = importing_on(database)
    dicom(database, "a.dcm")
    dicom(database, "b.dcm")
    bare: dict[str, Any] = {"image_props": {}}
    plan = importing.plan([flat("a.dcm") | bare, flat("b.dcm") | bare], ALL)
    assert [(e.where, e.field) for e in plan.errors] == [("record 2", "sop_instance_uid")]
    importing.run([flat("a.dcm") | bare], ALL)
    plan = importing.plan([flat("b.dcm") | bare], ALL)
    assert [(e.where, e.field) for e in plan.errors] == [("record 1", "sop_instance_uid")]
    cased = [flat("c.png", SOPInstanceUid="1.a"), flat("d.png", SOPInstanceUid="1.A")]
    assert [e.where for e in importing.plan(cased, UNREAD).errors] == ["record 2"]


def test_images_that_differ_in_their_series_uid_are_no_series(database: Database) -> None:
    importing = importing_on(database)
    for n in range(2):
        dicom(database, f"{n}.dcm", SOPInstanceUID=f"1.{n}", SeriesInstanceUID=f"1.2.{n}")
    record = nested(study({"images": [{"image": "0.dcm"}, {"image": "1.dcm"}]}))
    (error,) = importing.plan([record], ALL).errors
    assert (error.where, error.field) == (
        "record 1, studies[0], series[0], images[1]",
        "series_instance_uid",
    )


def test_a_bad_file_leaves_nothing_of_what_it_says_in_its_series(database: Database) -> None:
    importing = importing_on(database)
    dicom(database, "0.dcm", SOPInstanceUID="1.0", SeriesInstanceUID="1.2.0")
    dicom(database, "1.dcm", SOPInstanceUID="1.1", SeriesInstanceUID="1.2.1")
    images = [{"image": "0.dcm", "props": {"laterality": "R"}}, {"image": "1.dcm"}]
    result = importing.run([nested(study({"images": images}))], options(on_error="skip"))
    assert [error.field for error in result.plan.errors] == ["laterality"]
    assert only(database, SeriesEntity).series_instance_uid == "1.2.1"
