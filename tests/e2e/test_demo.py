"""`eorm demo` and `eorm import`, run as people run them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eyened_domain import Database, ImageInstance, Project
from tests.e2e.forked import run_eorm

SHARED = Path(os.environ.get("EYENED_SHARED", Path(__file__).parents[3] / "shared"))
FUNDUS = [
    ("haggstrom", "2014-01-01", "fundus/haggstrom_OS_1411.jpg", "L", (1411, 1411)),
    ("haggstrom", "2014-01-01", "fundus/haggstrom_OD_600.jpg", "R", (600, 600)),
    ("chase_01", "2012-01-01", "fundus/CHASEDB1_01L_x3.jpg", "L", (2880, 2997)),
    ("chase_01", "2012-01-01", "fundus/CHASEDB1_01R_x3.jpg", "R", (2880, 2997)),
    ("chase_08", "2012-01-01", "fundus/CHASEDB1_08L.png", "L", (960, 999)),
    ("chase_12", "2012-01-01", "fundus/CHASEDB1_12R.png", "R", (960, 999)),
    ("hrf_04", "2007-01-01", "fundus/HRF_04_g.jpg", "L", (2336, 3504)),
    ("idrid_17", "", "fundus/IDRiD_17.jpg", "R", (2848, 4288)),
]
needs_photographs = pytest.mark.skipif(
    not (SHARED / "data" / "fundus").is_dir(), reason=f"no photographs in {SHARED}/data/fundus"
)


def eorm(*arguments: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with nothing else configured."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE", "EYENED"))}
    return run_eorm(*map(str, arguments), cwd=cwd, env=kept | environment)


def result(done: subprocess.CompletedProcess[str]) -> Any:
    """Return what a command printed as JSON."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_demo_makes_a_study_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    first = result(eorm("demo", "try-it", "--json", cwd=tmp_path))
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "try-it" / "images").rglob("*.*")}
    second = result(eorm("demo", "try-it", "--json", cwd=tmp_path))

    assert first["written"]["ImageInstance"] == 18
    assert second["written"] == {}
    assert second["visits"] == first["visits"]
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert [visit["images"] for visit in first["visits"]] == [3] * 6


def test_the_demo_says_what_it_did_and_what_to_try_next(tmp_path: Path) -> None:
    done = eorm("demo", cwd=tmp_path)

    assert done.returncode == 0
    assert "18 ImageInstance" in done.stdout
    assert "DEMO-001" in done.stdout
    assert "eorm status" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_the_lines_that_the_demo_suggests_run(tmp_path: Path) -> None:
    printed = eorm("demo", "try-it", cwd=tmp_path).stdout
    lines = [line[4:] for line in printed.splitlines() if line.startswith("    ")]
    code = "\n".join(line for line in lines if not line.startswith("EYENED_HOME"))

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 18


@needs_photographs
def test_real_photographs_are_imported_found_again_and_taken_out(
    database_url: str, tmp_path: Path
) -> None:
    url = database_url
    settings = {
        "DATABASE_URL": url,
        "SECRET_KEY": "not-a-real-key-0123456789",
        "IMAGES_BASEPATH": str(SHARED / "data"),
    }
    (tmp_path / "lab.env").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
    (tmp_path / "fundus.csv").write_text(
        "project_name,patient_identifier,study_date,image,laterality,modality,dicom_modality\n"
        + "".join(f"Open fundus,{p},{d},{i},{e},ColorFundus,OP\n" for p, d, i, e, _ in FUNDUS)
    )
    options = ("fundus.csv", "-e", "lab.env", "--json", "--create-all")

    plan = result(eorm("import", *options, "--dry-run", cwd=tmp_path))
    first = result(eorm("import", *options, cwd=tmp_path))
    second = result(eorm("import", *options, cwd=tmp_path))

    assert plan["levels"] == first["levels"]
    assert plan["levels"]["ImageInstance"]["new"] == len(FUNDUS)
    assert second["written"]["made"] == {}
    assert second["written"]["matched"] == len(FUNDUS)
    database = Database(settings)
    with database.get_session() as session:
        images = Project.by_name(session, "Open fundus").patients[0].studies[0].series[0].images
        assert images[0].path.is_file()
        sizes = {
            image.dataset_identifier: (image.rows_y, image.columns_x, image.samples_per_pixel)
            for image in ImageInstance.fetch_all(session)
        }
    assert sizes == {image: (*size, 3) for _, _, image, _, size in FUNDUS}
    undone = result(eorm("undo", str(first["import"]), "-e", "lab.env", "--json", cwd=tmp_path))
    assert undone["deleted"]["ImageInstance"] == len(FUNDUS)
    with database.get_session() as session:
        assert session.repository(ImageInstance).count() == 0
    database.close()


def test_a_bad_record_stops_the_import_with_its_name_and_nothing_is_written(tmp_path: Path) -> None:
    images = tmp_path / "eyened-data" / "images"
    images.mkdir(parents=True)
    images.joinpath("another.png").touch()
    (tmp_path / "bad.csv").write_text(
        "project_name,image,laterality\nX,missing.png,L\nX,../../etc/passwd,R\n"
    )

    done = eorm("import", "bad.csv", "--create-all", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    assert "record 1" in done.stderr
    assert "missing.png" in done.stderr
    assert "record 2" in done.stderr
    status = result(eorm("status", "--json", cwd=tmp_path))
    assert sum(status["counts"].values()) == 0


def test_a_saved_plan_is_applied_later(tmp_path: Path) -> None:
    made = result(eorm("demo", "try-it", "--json", cwd=tmp_path))
    home = {"EYENED_HOME": "try-it"}
    result(eorm("undo", "1", "--json", cwd=tmp_path, **home))
    (tmp_path / "one.jsonl").write_text(
        json.dumps(
            {
                "project_name": "Later",
                "image": made["visits"][0]["first_file"],
                "laterality": "R",
                "sex": "F",
            }
        )
    )

    eorm("import", "one.jsonl", "--create-all", "--save-plan", "plan", cwd=tmp_path, **home)
    applied = result(eorm("import", "--plan", "plan", "--json", cwd=tmp_path, **home))

    assert applied["written"]["made"]["ImageInstance"] == 1
    assert applied["written"]["made"]["Patient"] == 1


@pytest.mark.parametrize(
    "command", ["init", "upgrade", "adopt", "status", "import", "undo", "demo"]
)
def test_every_command_has_help_with_examples(command: str, tmp_path: Path) -> None:
    done = eorm(command, "--help", cwd=tmp_path)

    assert done.returncode == 0
    assert "Examples:" in done.stdout
    assert f"eorm {command}" in done.stdout
