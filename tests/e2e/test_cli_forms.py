"""`eorm validate-forms`, `export-forms` and `import-forms`, run as people and cron run them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from eyened_domain import Database, FormAnnotation, FormSchema
from eyened_domain.testing import Builder
from tests.e2e.forked import run_eorm

GRADE = {"properties": {"grade": {"type": "integer", "maximum": 4}}}


class Deployment:
    """A folder with an embedded database, and the command line on it."""

    def __init__(self, folder: Path) -> None:
        self.database = Database({"EYENED_HOME": str(folder)})
        self.database.init()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE", "EYENED"))}
        self.environment = kept | {"EYENED_HOME": str(folder)}

    def eorm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_eorm(*arguments, env=self.environment, timeout=120)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    made = Deployment(tmp_path)
    build = Builder()
    with made.database.unit_of_work() as uow:
        schema = uow.form_schemas.add(FormSchema(schema_name="AMD Grading", schema=GRADE))
        patient = uow.patients.add(build.a_patient())
        by = uow.creators.add(build.a_creator())
        for grade in (1, 2, 7):
            form = FormAnnotation(form_schema=schema, patient=patient, creator=by)
            form.form_data = {"grade": grade}
            uow.forms.add(form)
        uow.commit()
    return made


def test_the_table_counts_by_schema_and_the_exit_code_tells(deployment: Deployment) -> None:
    run = deployment.eorm("validate-forms")
    assert run.returncode == 1
    head, row = run.stdout.splitlines()
    assert head.split()[:4] == ["schema", "answers", "valid", "invalid"]
    assert row.split() == ["AMD", "Grading", "3", "2", "1", "0"]
    assert run.stderr == ""


def test_errors_are_printed_with_the_form_and_the_path(deployment: Deployment) -> None:
    run = deployment.eorm("validate-forms", "--print-errors")
    assert run.stderr == "form 3 (AMD Grading): grade: 7 is greater than the maximum of 4\n"


@pytest.mark.parametrize("more", [[], ["--print-errors"]])
def test_json_has_all_of_it(deployment: Deployment, more: list[str]) -> None:
    run = deployment.eorm("validate-forms", "--json", *more)
    report = json.loads(run.stdout)
    assert (run.returncode, run.stderr, report["valid"]) == (1, "", False)
    assert [one["form_annotation_id"] for one in report["invalid"]] == [3]


def test_what_is_valid_leaves_with_zero(deployment: Deployment) -> None:
    with deployment.database.unit_of_work() as uow:
        uow.forms.delete(uow.forms.get(3))
        uow.commit()
    assert deployment.eorm("validate-forms").returncode == 0


@pytest.mark.parametrize("name", ["forms.csv", "forms.jsonl"])
def test_forms_go_out_and_come_back_and_are_taken_out_again(
    deployment: Deployment, tmp_path: Path, name: str
) -> None:
    file = str(tmp_path / name)
    with deployment.database.unit_of_work() as uow:
        uow.forms.get(3).form_data = {"grade": 3, "left": [{"note": "ä"}, []]}
        uow.commit()
    run = deployment.eorm("export-forms", "AMD Grading", file)
    assert (run.returncode, run.stdout) == (0, f"3 forms are in {file}\n")
    assert deployment.eorm("export-forms", "AMD Grading", file).returncode == 1
    run = deployment.eorm("import-forms", file)
    assert run.stdout == "nothing new; 3 forms were there already\n"
    with deployment.database.unit_of_work() as uow:
        for form in uow.forms.where():
            uow.forms.delete(form)
        uow.commit()
    run = deployment.eorm("import-forms", file, "--dry-run")
    assert run.stdout.splitlines()[1].split() == ["AMD", "Grading", "3", "3", "0", "0"]
    run = deployment.eorm("import-forms", file, "--json")
    result = json.loads(run.stdout)
    assert (run.returncode, result["written"]) == (0, {"made": 3, "matched": 0})
    with deployment.database.unit_of_work() as uow:
        assert uow.forms.where()[2].form_data == {"grade": 3, "left": [{"note": "ä"}, []]}
    undone = deployment.eorm("undo", str(result["import"]))
    assert undone.stdout == f"import {result['import']} is undone: deleted 3 FormAnnotation\n"


def test_a_bad_record_stops_the_import_with_what_is_wrong(
    deployment: Deployment, tmp_path: Path
) -> None:
    file = tmp_path / "forms.csv"
    deployment.eorm("export-forms", "AMD Grading", str(file))
    run = deployment.eorm("import-forms", str(file))  # one of them was stored invalid
    assert run.returncode == 1
    first, second = run.stderr.splitlines()
    assert "record 3: " in first
    assert "grade: 7 is greater" in first
    assert second == "eorm: 1 records are bad; nothing was written"
    run = deployment.eorm("import-forms", str(file), "--on-error", "skip", "--json")
    assert json.loads(run.stdout)["written"] == {"made": 0, "matched": 2}


def test_a_form_that_is_not_there_leaves_no_file(deployment: Deployment, tmp_path: Path) -> None:
    run = deployment.eorm("export-forms", "none", str(tmp_path / "none.csv"))
    assert (run.returncode, list(tmp_path.glob("*.csv"))) == (1, [])
