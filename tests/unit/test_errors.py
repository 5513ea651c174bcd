"""Which kind of error says what: a missing file, bad input, a broken rule."""

import errno
import pickle
from pathlib import Path
from typing import Any

import pytest

from eyened_domain import (
    AnnotationData,
    BadInput,
    ConfigurationError,
    ConfiguredFileMissing,
    Database,
    EyenedError,
    FileMissing,
    FolderMissing,
    ImageInstance,
    Patient,
    PixelsLost,
    RuleBroken,
    Series,
    Settings,
    StorageError,
    UnknownName,
)
from eyened_domain.adapters.files.annotation_files import StoredAnnotationFiles
from eyened_domain.adapters.files.image_files import FileSystemImageFiles
from eyened_domain.adapters.files.image_hashes import StoredHashes
from eyened_domain.adapters.files.record_files import read_records
from eyened_domain.adapters.memory import MemoryDatabase
from eyened_domain.adapters.sql import tls
from eyened_domain.config.tls import TLSSettings
from eyened_domain.services.importing import ImportPlan
from eyened_domain.testing import MemoryImages


def _of_annotation(folder: Path) -> Any:
    return StoredAnnotationFiles(folder).read("gone.png", media_type="image/png", shapes=[(2, 2)])


def _in_memory(_: Path) -> Any:
    image = ImageInstance(dataset_identifier="gone.png", laterality="L", rows_y=2, columns_x=2)
    image.attach(MemoryImages())
    return image.pixel_array


def _authority(folder: Path) -> Any:
    return tls.tls_arguments(TLSSettings(ca=folder / "gone.pem"))


MISSING = {
    "an image": lambda folder: FileSystemImageFiles(folder).read_header("gone.png"),
    "its pixels": lambda folder: FileSystemImageFiles(folder).read_pixels("gone.png"),
    "one of a PNG series": lambda folder: FileSystemImageFiles(folder).read_header(
        "[png_series_2]gone.png"
    ),
    "an image in memory": _in_memory,
    "an image to be hashed": lambda folder: StoredHashes(folder).file_checksum("gone.png"),
    "a legacy annotation": _of_annotation,
    "records": lambda folder: list(read_records(folder / "gone.csv")),
    "a plan": lambda folder: ImportPlan.load(folder / "gone.plan"),
    "settings": lambda folder: Settings.load(folder / "gone.env"),
    "a certificate": _authority,
}


@pytest.mark.parametrize("case", MISSING)
def test_a_file_that_is_not_there_is_one_kind_of_error(case: str, tmp_path: Path) -> None:
    (tmp_path / "another.png").touch()
    with pytest.raises(FileMissing, match="gone") as caught:
        MISSING[case](tmp_path)
    assert isinstance(caught.value, FileNotFoundError)
    assert not isinstance(caught.value, BadInput)


def test_lost_pixels_and_files_that_settings_name_are_missing_files_too() -> None:
    assert issubclass(PixelsLost, FileMissing)
    assert issubclass(PixelsLost, StorageError)
    assert issubclass(ConfiguredFileMissing, FileMissing)
    assert issubclass(ConfiguredFileMissing, ConfigurationError)


def test_a_folder_that_is_not_mounted_is_no_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FolderMissing) as caught:
        FileSystemImageFiles(tmp_path / "gone").read_header("a.png")
    assert not isinstance(caught.value, FileMissing)


def test_a_missing_file_says_what_it_is_about_and_survives_a_process() -> None:
    error = FileMissing("a.png is not there", entity="ImageInstance", value="a.png")
    again = pickle.loads(pickle.dumps(error))
    for one in (error, again):
        assert (str(one), one.errno) == ("a.png is not there", errno.ENOENT)
        assert (one.entity, one.value) == ("ImageInstance", "a.png")


class _Unmapped:
    pass


def _of_sql(ask: Any) -> Any:
    with Database("sqlite://").get_session() as session:
        return ask(session)


BAD: dict[str, Any] = {
    "an object of somebody else": lambda: _of_sql(lambda s: s.add(object())),
    "its repository": lambda: _of_sql(lambda s: s.repository(_Unmapped)),
    "no session": lambda: Patient.by_id(3, 1),  # type: ignore[call-overload]
    "the name of what has none": lambda: MemoryDatabase().run(lambda uow: uow.series.by_name("a")),
    "the same, on SQL": lambda: _of_sql(lambda s: Series.by_name(s, "a")),
    "a field that there is not": lambda: MemoryDatabase().run(
        lambda uow: uow.patients.where(identifier="P1")
    ),
    "no date": lambda: Patient(patient_identifier="P1", birth_date="soon"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_not_a_broken_rule(case: str) -> None:
    with pytest.raises(BadInput) as caught:
        BAD[case]()
    assert isinstance(caught.value, EyenedError | ValueError)
    assert not isinstance(caught.value, RuleBroken)


def test_a_name_that_is_unknown_is_bad_input() -> None:
    assert issubclass(UnknownName, BadInput)
    assert not issubclass(UnknownName, RuleBroken)


def test_a_broken_rule_is_not_bad_input() -> None:
    with MemoryDatabase().unit_of_work() as uow:
        uow.patients.add(Patient(patient_identifier="P1", project_id=5))
        with pytest.raises(RuleBroken) as caught:
            uow.flush()
    assert not isinstance(caught.value, BadInput)


def test_legacy_annotation_errors_still_tell_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "another.png").touch()
    with pytest.raises(FileMissing, match="put it back beneath ANNOTATIONS_PATH") as caught:
        _of_annotation(tmp_path)
    assert caught.value.entity == AnnotationData.__name__
