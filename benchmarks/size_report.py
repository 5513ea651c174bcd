"""How large the files and functions of the package are: size is a smell, not a law.

    python -m benchmarks.size_report

Prints the largest of both; leaves with 1 when one passes what the design allows.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src" / "eyened_domain"
FILE_LINES = 400
FUNCTION_LINES = 60
SHOWN = 8


def main() -> None:
    """Print the report."""
    files = [path for path in sorted(SOURCE.rglob("*.py")) if "versions" not in path.parts]
    lengths = {path: len(path.read_text().splitlines()) for path in files}
    functions = {
        f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}": (node.end_lineno or 0)
        - node.lineno
        + 1
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    total = sum(lengths.values())
    print(
        f"{len(files)} files, {total:,} lines, {total // len(files)} a file; "
        f"{len(functions)} functions, {sum(functions.values()) // len(functions)} lines each"
    )
    names = {str(path.relative_to(SOURCE)): count for path, count in lengths.items()}
    too_large = report("files", names, FILE_LINES) + report("functions", functions, FUNCTION_LINES)
    sys.exit(1 if too_large else 0)


def report(what: str, sizes: dict[str, int], most: int) -> int:
    """Print the largest; return how many pass the limit."""
    print(f"largest {what} (at most {most} lines):")
    for name, count in sorted(sizes.items(), key=lambda item: -item[1])[:SHOWN]:
        print(f"  {count:5}  {name}{'  <- too large' if count > most else ''}")
    return sum(count > most for count in sizes.values())


if __name__ == "__main__":
    main()
