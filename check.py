"""All checks of the project, from nothing: `python3 check.py`.

Makes a virtual environment beside this file, installs the package with what its checks
need, and runs them in the order in which they fail fastest. With SQLAlchemy it tests both
ends of the range that the package allows.

    python3 check.py              everything
    python3 check.py --fast       style, types, layers, and the tests without a database
"""

from __future__ import annotations

import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
NEWEST = HERE / ".venv"
OLDEST = HERE / ".venv-oldest-sqlalchemy"
OLDEST_SQLALCHEMY = "SQLAlchemy==2.0.40"
PARALLEL = ["-n", "2"]
ON_BOTH = [
    "tests/contract",
    *(f"tests/integration/test_{what}.py" for what in ("mapping", "navigation", "round_trip")),
]


def main() -> None:
    """Run the checks; leave with 1 at the first one that fails."""
    fast = "--fast" in sys.argv[1:]
    python = environment(NEWEST)
    run("style", python, "-m", "ruff", "check", ".")
    run("format", python, "-m", "ruff", "format", "--check", ".")
    run("layers", NEWEST / "bin" / "lint-imports", "--no-cache")
    run("types", python, "-m", "mypy")
    run("types as users see them, mypy", python, "-m", "mypy", "tests/typing")
    pyright = (python, "-m", "pyright", "--pythonpath", python, "tests/typing")
    run("types as users see them, pyright", *pyright)
    run("size", python, "-m", "benchmarks.size_report")
    if fast:
        run("tests", python, "-m", "pytest", "-q", "tests/unit", "tests/architecture")
        return
    oldest = environment(OLDEST, OLDEST_SQLALCHEMY)
    run(f"tests on {OLDEST_SQLALCHEMY}", oldest, "-m", "pytest", "-q", *PARALLEL, *ON_BOTH)
    run("the code in README and docs", python, "-m", "pytest", "-q", "README.md", "docs")
    run("tests", python, "-m", "pytest", *PARALLEL, "tests")


def environment(folder: Path, *pinned: str) -> Path:
    """Return the Python of a virtual environment with the package and its checks."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    run(
        "install",
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--editable",
        ".[dev]",
        *pinned,
    )
    return python


def run(what: str, *command: str | Path) -> None:
    """Run one check in the project's folder; say how long it took."""
    print(f"== {what}", flush=True)
    started = time.monotonic()
    done = subprocess.run([str(part) for part in command], cwd=HERE, check=False)
    print(f"   {time.monotonic() - started:.0f} s", flush=True)
    if done.returncode:
        print(f"check.py: {what} failed", flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
