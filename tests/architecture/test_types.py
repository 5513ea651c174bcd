"""What the package says of its types to those who use it."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEAST = 99.0


def test_nearly_every_public_name_has_a_type_that_all_checkers_know() -> None:
    folder = Path(sys.executable).parent
    run = subprocess.run(
        [folder / "pyright", "--verifytypes", "eyened_domain", "--ignoreexternal"],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),  # it does not follow editable installs
            "VIRTUAL_ENV": str(folder.parent),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    score = re.search(r"Type completeness score: ([\d.]+)%", run.stdout)
    assert score, run.stdout + run.stderr
    assert float(score[1]) >= LEAST, run.stdout
