"""A small study of drawn eyes: files on disk, and the records that import them."""

from __future__ import annotations

import contextlib
import io
import secrets
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from eyened_domain.adapters.phantoms.eye import Eye, Side, grow_eye
from eyened_domain.adapters.phantoms.fundus import fundus_mm_per_pixel, photograph
from eyened_domain.adapters.phantoms.oct import oct_resolution, scan
from eyened_domain.errors import StorageError

PROJECT_NAME = "Demo Study"

_FUNDUS_PX = 640
_VOLUME_SHAPE = (19, 200, 320)
_HUFFMAN_ONLY = 2  # zlib: speckle has no repeats to find, and looking for them takes half the time
_SIDES: tuple[Side, Side] = ("R", "L")


@attrs.frozen(kw_only=True)
class _Person:
    """One invented patient.

    Attributes:
        identifier: PatientIdentifier.
        seed: of the eyes.
        scanned: the side that the OCT looks at.
        visits: ISO dates.
    """

    identifier: str
    seed: int
    sex: str
    birth_date: str
    scanned: Side
    visits: tuple[str, ...]


_PEOPLE = (
    _Person(
        identifier="DEMO-001",
        seed=11,
        sex="F",
        birth_date="1958-04-17",
        scanned="R",
        visits=("2022-03-08", "2023-03-21"),
    ),
    _Person(
        identifier="DEMO-002",
        seed=16,
        sex="M",
        birth_date="1947-11-02",
        scanned="L",
        visits=("2022-05-19", "2023-06-06"),
    ),
    _Person(
        identifier="DEMO-003",
        seed=12,
        sex="F",
        birth_date="1966-08-29",
        scanned="R",
        visits=("2022-09-13", "2023-10-04"),
    ),
)


def write_demo_images(folder: Path) -> list[dict[str, Any]]:
    """Write the images of a small study, and tell how to import them.

    Three patients come twice; each visit gives a colour fundus photograph of both eyes and
    an OCT volume of one. At the second visit the eyes are the same, in another pose. Files
    that are there with the right bytes are left alone; others are replaced whole, never
    half-written.

    Args:
        folder: where the files go; made when missing. It is the IMAGES_BASEPATH that the
            records' paths are relative to.

    Returns:
        One nested import record per patient, made of texts, numbers, lists and dicts only,
        as in "Import records" of the contract.

    Raises:
        StorageError: a file or folder cannot be written.
    """
    return [_write_person(folder, person) for person in _PEOPLE]


def _write_person(folder: Path, person: _Person) -> dict[str, Any]:
    eyes = {side: grow_eye(person.seed, side) for side in _SIDES}
    studies = []
    for visit, date in enumerate(person.visits):
        place = f"{person.identifier}/{date}"
        photos = [_write_photo(folder, place, eyes[side], visit) for side in _SIDES]
        volume = _write_volume(folder, place, eyes[person.scanned], visit)
        studies.append(
            {
                "study_date": date,
                "props": {
                    "study_round": visit + 1,
                    "study_description": "Follow-up" if visit else "Baseline",
                },
                "series": [
                    {"props": {"series_number": 1}, "images": photos},
                    {"props": {"series_number": 2}, "images": [volume]},
                ],
            }
        )
    return {
        "project_name": PROJECT_NAME,
        "patient_identifier": person.identifier,
        "props": {"sex": person.sex, "birth_date": person.birth_date},
        "studies": studies,
    }


def _write_photo(folder: Path, place: str, eye: Eye, visit: int) -> dict[str, Any]:
    """Write one photograph; return its image record."""
    path = f"{place}/fundus_{eye.side}.jpg"
    photo = photograph(eye, visit, _FUNDUS_PX)
    _keep(folder / path, _encoded(photo, "JPEG", quality=88))
    scale = round(fundus_mm_per_pixel(_FUNDUS_PX), 6)
    return {
        "image": path,
        "props": {
            "laterality": eye.side,
            "modality": "ColorFundus",
            "dicom_modality": "OP",
            "etdrs_field": "F2",
            "resolution_horizontal": scale,
            "resolution_vertical": scale,
        },
    }


def _write_volume(folder: Path, place: str, eye: Eye, visit: int) -> dict[str, Any]:
    """Write one OCT volume, a PNG per B-scan; return its image record."""
    volume = scan(eye, visit, _VOLUME_SHAPE)
    stem = f"{place}/oct_{eye.side}/bscan"
    for number, b_scan in enumerate(volume):
        _keep(folder / f"{stem}_{number}.png", _encoded(b_scan, "PNG", compress_type=_HUFFMAN_ONLY))
    scale = oct_resolution(_VOLUME_SHAPE)
    return {
        "image": f"[png_series_{len(volume)}]{stem}.png",
        "props": {
            "laterality": eye.side,
            "modality": "OCT",
            "dicom_modality": "OPT",
            "resolution_horizontal": round(scale.horizontal, 6),
            "resolution_vertical": round(scale.vertical, 6),
            "resolution_axial": round(scale.axial, 6),
        },
    }


def _encoded(picture: NDArray[np.uint8], file_format: str, **options: int) -> bytes:
    """Encode a picture as a file of that format."""
    from PIL import Image  # noqa: PLC0415

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, file_format, **options)
    return buffer.getvalue()


def _keep(path: Path, content: bytes) -> None:
    """See to it that the file has this content, writing only when it has not.

    Without fsync: a file that a power cut spoils has the wrong bytes at the next run.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        if path.is_file() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(content)
            draft.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(
            f"the demo image {str(path)[-80:]} cannot be written: {error.strerror or error}; "
            "choose a folder that you may write to",
            field="folder",
            value=str(path)[-80:],
        ) from error
