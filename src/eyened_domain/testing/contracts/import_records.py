"""Records for the contract of imports, good ones and bad ones."""

from __future__ import annotations

from typing import Any

from eyened_domain.services.importing import ImportOptions

Record = dict[str, Any]


def record(image: str, patient: str = "P1", day: str = "2024-01-31", **more: Any) -> Record:
    """Return a flat record."""
    return {
        "project_name": "Cohort",
        "patient_identifier": patient,
        "study_date": day,
        "image": image,
        "laterality": "R",
        "modality": "ColorFundus",
        **more,
    }


def options(**changes: Any) -> ImportOptions:
    """Return options that make everything and believe the records, but for the changes."""
    creating = {f"create_{name}": True for name in ("projects", "patients", "studies")}
    return ImportOptions(**{**creating, "read_files": False, **changes})


THREE = [
    record("a.png", sex="F"),
    record("b.png", day="2025-01-31", manufacturer="Topcon", manufacturer_model_name="TRC"),
    record("c.png", patient="P2", scan_mode="Disc"),
]
"""Three images of two patients, with what hangs beside them."""

BAD: dict[str, tuple[Record, str]] = {
    "a path that leads up": (record("a/../../b.png"), "dataset_identifier"),
    "a number as path": (record("a.png") | {"image": 5}, "image"),
    "no path": (record(""), "image"),
    "an unknown column": (record("a.png", lateralty="R"), "lateralty"),
    "a primary key": (record("a.png", image_instance_id=7), "image_instance_id"),
    "a wrong enum name": (record("a.png", laterality="Right"), "laterality"),
    "a wrong enum case": (record("a.png", sex="f"), "sex"),
    "an impossible date": (record("a.png", day="2023-02-29"), "study_date"),
    "a date in another order": (record("a.png", birth_date="24-12-1950"), "birth_date"),
    "a date before those of MySQL": (record("a.png", birth_date="0999-12-31"), "birth_date"),
    "a text that is too long": (record("a.png", study_description="x" * 65), "study_description"),
    "a name that is too long": (record("a.png", patient="x" * 256), "patient_identifier"),
    "an empty name": (record("a.png", patient="  "), "patient_identifier"),
    "a control character": (record("a.png", patient="P\x07"), "patient_identifier"),
    "no project": (record("a.png") | {"project_name": None}, "project_name"),
    "not a number": (record("a.png", resolution_axial=float("nan")), "resolution_axial"),
    "a number beyond 32 bits": (record("a.png", fda_identifier=2**31), "fda_identifier"),
    "half a row": (record("a.png", rows_y=1.5), "rows_y"),
    "a negative size": (record("a.png", columns_x=-8), "columns_x"),
    "a list as value": (record("a.png", modality=["OCT"]), "modality"),
    "JSON that is none": (record("a.png", cf_roi="{"), "cf_roi"),
}
"""Records with one thing wrong, and its field."""
