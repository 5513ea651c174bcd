"""The house as it was drawn: imports point inward, and importing costs almost nothing."""

import ast
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "eyened_domain"
HEAVY = ("sqlalchemy", "alembic", "dependency_injector", "pymysql", "click", "rich", "PIL")
LONGEST_FILE, LONGEST_FUNCTION = 400, 60


def modules_after(program: str) -> set[str]:
    """The packages that a fresh interpreter has loaded after running a program."""
    shown = f"{program}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", shown], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return {name.partition(".")[0] for name in json.loads(run.stdout.splitlines()[-1])}


def modules_of(package: str) -> list[str]:
    """Every module of a package, by its dotted name."""
    folder = SOURCE / package
    files = folder.rglob("*.py")
    names = (file.relative_to(SOURCE).with_suffix("").parts for file in files)
    return sorted(".".join(("eyened_domain", *n)).removesuffix(".__init__") for n in names)


def test_imports_point_inward() -> None:
    assert_kept()


def test_no_two_modules_need_each_other() -> None:
    assert_kept("tests/architecture/circles.ini")


def assert_kept(*arguments: str) -> None:
    """Let import-linter check the contracts of a file, by default of pyproject.toml."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("package", ["model", "services", "config"])
def test_the_inner_layers_bring_no_library_of_an_outer_one(package: str) -> None:
    program = "\n".join(f"import {name}" for name in modules_of(package))
    loaded = modules_after(program)
    assert "eyened_domain" in loaded
    assert loaded.isdisjoint(HEAVY), loaded & set(HEAVY)


def test_importing_the_package_brings_nothing_heavy() -> None:
    loaded = modules_after("import eyened_domain")
    assert loaded.isdisjoint({*HEAVY, "numpy", "attrs", "attr"}), loaded


def test_using_an_entity_brings_no_database() -> None:
    loaded = modules_after(
        "from eyened_domain import Patient; Patient(patient_identifier='P').PatientIdentifier"
    )
    assert loaded.isdisjoint({*HEAVY, "numpy"}), loaded


def test_the_help_of_the_command_line_brings_click_and_nothing_else() -> None:
    loaded = modules_after(
        "from eyened_domain.adapters.cli import main; main(['--help'], standalone_mode=False)"
    )
    assert loaded & {*HEAVY, "numpy"} == {"click"}


def test_the_mapping_is_the_first_to_bring_sqlalchemy() -> None:
    loaded = modules_after("import eyened_domain.adapters.sql.mapping")
    assert "sqlalchemy" in loaded
    assert loaded.isdisjoint({"alembic", "dependency_injector", "click", "rich"})


def test_no_source_file_is_longer_than_a_reader_bears() -> None:
    lengths = {f: len(f.read_text().splitlines()) for f in SOURCE.rglob("*.py")}
    too_long = {str(f.relative_to(ROOT)): n for f, n in lengths.items() if n > LONGEST_FILE}
    assert too_long == {}


def test_no_function_is_longer_than_a_reader_bears() -> None:
    import ast

    too_long = {
        f"{file.relative_to(ROOT)}:{node.name}": node.end_lineno - node.lineno + 1
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert too_long == {}


@pytest.mark.parametrize(
    "module", ["eyened_domain", "eyened_domain.model", "eyened_domain.model.study"]
)
def test_a_query_may_be_written_before_any_database_was_opened_wherever_the_class_came_from(
    module: str,
) -> None:
    program = f"""
        from {module} import Study
        from eyened_domain import Database
        from sqlalchemy import select
        assert Database
        assert "StudyDate" in str(select(Study).where(Study.StudyRound == 1))
    """
    assert "sqlalchemy" in modules_after(textwrap.dedent(program))


def test_the_command_line_puts_nothing_together_that_the_bootstrap_does() -> None:
    made = {"AnnotationConversion", "Hashes", "Importing", "Thumbnails"}
    for path in sorted((SOURCE / "adapters" / "cli").glob("*.py")):
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & made, path
        assert "Database" not in called or path.name == "options.py", path
