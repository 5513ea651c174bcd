"""Commands in processes of their own, forked from one that has loaded the library already.

As `python -m eyened_domain.adapters.cli`, less the second in which each of them would load it.
Signals, terminals and the time of the start are tested with real ones.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "campaigns.kit.mapped",
        "eyened_domain.adapters.cli",
        "eyened_domain.adapters.cli.database",
        "eyened_domain.adapters.cli.doctor",
        "eyened_domain.adapters.cli.importing",
        "eyened_domain.adapters.cli.thumbnails",
        "eyened_domain.adapters.sql.migrations.upgrade",
    ]
)


def run_eorm(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str], timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run `eorm` with an environment of its own; return its exit code and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder, "stdout"), Path(folder, "stderr")
        one = _FORKS.Process(target=_be_eorm, args=(arguments, cwd or Path.cwd(), dict(env), texts))
        one.start()
        one.join(timeout)
        if one.exitcode is None:
            one.kill()
            raise subprocess.TimeoutExpired(arguments, timeout)
        said = [text.read_text(encoding="utf-8") for text in texts]
    return subprocess.CompletedProcess(arguments, one.exitcode, *said)


def _be_eorm(
    arguments: tuple[str, ...], cwd: Path, env: dict[str, str], texts: tuple[Path, Path]
) -> None:
    for number, text in enumerate(texts, 1):
        with text.open("wb") as file:
            os.dup2(file.fileno(), number)
    # they stay open until the process ends, which says on them what it died of
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    from eyened_domain.adapters.cli import main

    main(list(arguments), prog_name="eorm")
