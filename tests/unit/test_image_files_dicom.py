"""What is read from DICOM files, and which of them are refused."""

from __future__ import annotations

import struct
import sys
import zlib
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.errors import BadInput, ConfigurationError

OP = "1.2.840.10008.5.1.4.1.1.77.1.5.1"
OPT = "1.2.840.10008.5.1.4.1.1.77.1.5.4"
SYNTAXES = [uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian]


@pytest.fixture
def files(tmp_path: Path) -> FileSystemImageFiles:
    return FileSystemImageFiles(tmp_path)


def photograph(**changes: object) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = OP, "1.2.3.4"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    dataset.StudyDate, dataset.PatientBirthDate = "20240131", "19501224"
    dataset.AcquisitionDateTime = "20240131101112.345678+0100"
    dataset.Modality, dataset.Manufacturer = "OP", "Zeiß"
    dataset.ManufacturerModelName, dataset.DeviceSerialNumber = "Visucam 500", "SN 7"
    dataset.PatientID, dataset.PatientSex = "P-001", "F"
    dataset.ImageLaterality, dataset.SeriesNumber = "L", 3
    dataset.HorizontalFieldOfView = 45.0
    dataset.PixelSpacing = [0.0061, 0.0062]
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 6, 8, 3
    dataset.PhotometricInterpretation, dataset.PlanarConfiguration = "RGB", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = bytes(6 * 8 * 3)
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def volume(frames: int = 5) -> Dataset:
    measures = Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.0039, 0.0117], 0.12
    measures.SpacingBetweenSlices = 0.124
    anatomy = Dataset()
    anatomy.FrameLaterality = "R"
    shared = Dataset()
    shared.PixelMeasuresSequence = Sequence([measures])
    shared.FrameAnatomySequence = Sequence([anatomy])
    return photograph(
        SOPClassUID=OPT, Modality="OPT", NumberOfFrames=frames, SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2", PlanarConfiguration=None, PixelSpacing=None,
        ImageLaterality=None, PixelData=bytes(frames * 6 * 8),
        SharedFunctionalGroupsSequence=Sequence([shared]),
    )  # fmt: skip


def write(path: Path, dataset: Dataset, syntax: str = uid.ExplicitVRLittleEndian) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = uid.UID(syntax)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = meta.TransferSyntaxUID.is_compressed
    FileDataset(
        str(path), dataset, file_meta=meta, preamble=bytes(128),
        is_implicit_VR=meta.TransferSyntaxUID.is_implicit_VR,
        is_little_endian=meta.TransferSyntaxUID.is_little_endian,
    ).save_as(path, enforce_file_format=True)  # fmt: skip
    return path.read_bytes()


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_photograph_tells_the_columns_of_the_contract(
    files: FileSystemImageFiles, tmp_path: Path, syntax: str
):
    write(tmp_path / "x.dcm", photograph(), syntax)
    header = files.read_header("x.dcm")
    assert (header.rows_y, header.columns_x) == (6, 8)
    assert (header.samples_per_pixel, header.nr_of_frames) == (3, 1)
    assert header.columns == {
        "sop_instance_uid": "1.2.3.4", "sop_class_uid": OP, "study_instance_uid": "1.2.3",
        "series_instance_uid": "1.2.3.1", "series_number": 3, "laterality": "L",
        "photometric_interpretation": "RGB", "dicom_modality": "OP", "manufacturer": "Zeiß",
        "manufacturer_model_name": "Visucam 500", "serial_number": "SN 7",
        "acquisition_date_time": datetime(2024, 1, 31, 10, 11, 12),
        "resolution_vertical": 0.0061, "resolution_horizontal": 0.0062,
        "horizontal_field_of_view": 45.0, "study_date": date(2024, 1, 31),
        "patient_identifier": "P-001", "birth_date": date(1950, 12, 24), "sex": "F",
    }  # fmt: skip


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("groups", ["Shared", "PerFrame"])
def test_a_volume_tells_its_resolution_and_eye_from_its_functional_groups(
    files: FileSystemImageFiles, tmp_path: Path, groups: str, undefined: bool
):
    dataset = volume()
    if groups == "PerFrame":
        dataset.PerFrameFunctionalGroupsSequence = Sequence(
            [dataset.SharedFunctionalGroupsSequence[0]] * 5
        )
        del dataset.SharedFunctionalGroupsSequence
    dataset[f"{groups}FunctionalGroupsSequence"].is_undefined_length = undefined
    write(tmp_path / "x.dcm", dataset)
    header = files.read_header("x.dcm")
    assert (header.nr_of_frames, header.rows_y, header.columns_x) == (5, 6, 8)
    told = header.columns
    assert (told["resolution_axial"], told["resolution_horizontal"]) == (0.0039, 0.0117)
    assert (told["resolution_vertical"], told["slice_thickness"]) == (0.124, 0.12)
    assert (told["laterality"], told["dicom_modality"]) == ("R", "OPT")


def test_what_cannot_be_understood_is_left_out(
    files: FileSystemImageFiles, tmp_path: Path, recwarn: pytest.WarningsRecorder
):
    path = tmp_path / "x.dcm"
    content = write(path, photograph(Modality="SC", ImageLaterality=None, AcquisitionDateTime=None))
    for good, bad in [
        (b"20240131", b"20241331"), (b"19501224", b"00000000"), (b"1.2.3.1\0", b"1.2.x.1\0"),
        (b"0.0061\\0.0062", b"0.0061\\nan   "), (b"CS\x02\0F ", b"CS\x02\0O "),
    ]:  # fmt: skip
        assert good in content
        content = content.replace(good, bad)
    path.write_bytes(content)
    told = files.read_header("x.dcm").columns
    assert told["dicom_modality"] == "SC"
    absent = {"study_date", "birth_date", "series_instance_uid", "resolution_vertical", "sex",
              "laterality", "acquisition_date_time"}  # fmt: skip
    assert not absent & set(told)
    assert not recwarn.list


def test_date_and_time_apart_are_put_together(files: FileSystemImageFiles, tmp_path: Path):
    write(
        tmp_path / "x.dcm",
        photograph(AcquisitionDateTime=None, AcquisitionDate="20231105", AcquisitionTime="0930"),
    )
    told = files.read_header("x.dcm").columns["acquisition_date_time"]
    assert told == datetime(2023, 11, 5, 9, 30)


@pytest.mark.parametrize("build", [photograph, volume])
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_dicom_file_cut_off_anywhere_is_refused(
    files: FileSystemImageFiles, tmp_path: Path, build: type[Dataset], syntax: str
):
    whole = write(tmp_path / "x.dcm", build(), syntax)
    assert files.read_header("x.dcm")
    for length in range(0, len(whole), 9):
        (tmp_path / "x.dcm").write_bytes(whole[:length])
        with pytest.raises(BadInput):
            files.read_header("x.dcm")


def test_compressed_frames_are_counted(files: FileSystemImageFiles, tmp_path: Path):
    dataset = volume(3)
    dataset.PixelData = encapsulate([b"\xff\xd8" + bytes(30)] * 3)
    whole = write(tmp_path / "x.dcm", dataset, uid.JPEGBaseline8Bit)
    assert files.read_header("x.dcm").nr_of_frames == 3
    (tmp_path / "x.dcm").write_bytes(whole[:-45])
    with pytest.raises(BadInput, match="cut off"):
        files.read_header("x.dcm")
    dataset.PixelData = encapsulate([b"\xff\xd8" + bytes(30)] * 2)
    write(tmp_path / "x.dcm", dataset, uid.JPEGBaseline8Bit)
    with pytest.raises(BadInput, match="2 of 3 frames"):
        files.read_header("x.dcm")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"PixelData": None}, "no pixel data"), ({"Rows": None}, "without an image"),
        ({"Rows": 0}, "no pixels"), ({"NumberOfFrames": 0}, "no pixels"),
        ({"NumberOfFrames": 4}, "cut off"), ({"PixelData": bytes(10)}, "cut off"),
        ({"NumberOfFrames": 2**31 - 1}, "at most"),
    ],
)  # fmt: skip
def test_a_dicom_file_without_the_pixels_it_tells_of_is_refused(
    files: FileSystemImageFiles, tmp_path: Path, changes: dict[str, object], reason: str
):
    write(tmp_path / "x.dcm", photograph(**changes))
    with pytest.raises(BadInput, match=reason) as caught:
        files.read_header("x.dcm")
    assert caught.value.field == "dataset_identifier"


def test_a_deflated_file_is_refused_without_being_unpacked(
    files: FileSystemImageFiles, tmp_path: Path
):
    write(tmp_path / "x.dcm", photograph(), uid.DeflatedExplicitVRLittleEndian)
    with pytest.raises(BadInput, match="deflated"):
        files.read_header("x.dcm")


def test_other_files_named_dcm_are_refused(files: FileSystemImageFiles, tmp_path: Path):
    for content in (b"", b"DICM", bytes(132), bytes(128) + b"DICM", zlib.compress(bytes(999))):
        (tmp_path / "x.dcm").write_bytes(content)
        with pytest.raises(BadInput):
            files.read_header("x.dcm")


def test_deeply_nested_sequences_are_refused(files: FileSystemImageFiles, tmp_path: Path):
    whole = write(tmp_path / "x.dcm", photograph())
    start = struct.pack("<HH2sHI", 0x5200, 0x9229, b"SQ", 0, 0xFFFFFFFF)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    before_pixels = whole[: whole.index(b"\xe0\x7f\x10\0")]
    (tmp_path / "x.dcm").write_bytes(before_pixels + (start + item) * 5000)
    with pytest.raises(BadInput):
        files.read_header("x.dcm")


def test_without_pydicom_the_error_says_what_to_install(
    files: FileSystemImageFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write(tmp_path / "x.dcm", photograph())
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ConfigurationError, match=r"eyened-domain\[dicom\]"):
        files.read_header("x.dcm")


@settings(max_examples=300, deadline=None)
@given(data=st.data(), big=st.booleans(), three_d=st.booleans())
def test_damaged_dicom_gives_a_header_or_bad_input_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, big: bool, three_d: bool
):
    folder = tmp_path_factory.getbasetemp()
    content = bytearray(
        write(folder / "x.dcm", volume() if three_d else photograph(), SYNTAXES[1 + big])
    )
    for place in data.draw(st.lists(st.integers(132, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    (folder / "x.dcm").write_bytes(content)
    try:
        header = FileSystemImageFiles(folder).read_header("x.dcm")
    except BadInput:
        return
    assert header.rows_y * header.columns_x * header.nr_of_frames > 0
