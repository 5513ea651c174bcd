"""The lines that people have in their notebooks, as the README gives them."""

import re
from pathlib import Path

import pytest

from eyened_domain import Database
from eyened_domain.testing import Builder

README = Path(__file__).parents[2] / "README.md"


def notebook_lines() -> str:
    """Return the first Python block of the README."""
    found = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_notebook_lines_run_word_for_word(
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("SECRET_KEY", "not-a-real-key-0123456789")
    monkeypatch.setenv("IMAGES_BASEPATH", "/images")
    builder = Builder()
    project = builder.a_project(project_name="My Project Name")
    patient = builder.a_patient(project=project, patient_identifier="Patient_001")
    database = Database()
    with database.unit_of_work() as uow:
        for day in ("2023-05-01", "2024-05-01"):
            study = builder.a_study(patient=patient, study_date=day)
            series = builder.a_series(study=study)
            uow.images.add(builder.an_image(series=series, dataset_identifier=f"{day}.png"))
        uow.commit()
    database.close()

    exec(notebook_lines(), {})

    assert capsys.readouterr().out.splitlines() == [
        "2023-05-01 /images/2023-05-01.png",
        "2024-05-01 /images/2024-05-01.png",
    ]
