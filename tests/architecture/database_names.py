"""Writes `model/database_names`: the fields under their second names, for type checkers.

    python -m tests.architecture.database_names

The names, and the types as the entities give them, are those of the model.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from eyened_domain import model
from eyened_domain.model.entity import Entity, entity_classes

FOLDER = Path(model.__file__).parent / "database_names"
IMPORTED = {
    "datetime": {"date", "datetime"},
    "typing": {"Any"},
    "eyened_domain.model.fields": {"Column", "DateColumn", "EnumColumn", "Many", "One"},
}


class _Qualified(ast.NodeTransformer):
    """Puts `model.` before what the model exports; a field may be called as its type is.

    Attributes:
        used: the names that stay as they are and must be imported.
    """

    def __init__(self) -> None:
        self.used: set[str] = set()

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if any(node.id in names for names in IMPORTED.values()):
            self.used.add(node.id)
        elif node.id in model.__all__:
            self.used.add("model")
            return ast.Attribute(ast.Name("model"), node.id)
        elif not hasattr(builtins, node.id):
            raise LookupError(f"{node.id} is neither exported by the model nor in IMPORTED")
        return node


def written() -> dict[str, str]:
    """Return the text of each file, by its name."""
    declared_by_model = [one for one in entity_classes() if one.__module__.startswith("eyened_")]
    by_module = groupby(sorted(declared_by_model, key=_place), key=attrgetter("__module__"))
    return {f"{name.rpartition('.')[2]}.py": _module(name, list(of)) for name, of in by_module}


def _place(entity: type[Entity]) -> tuple[str, int]:
    return entity.__module__, inspect.getsourcelines(entity)[1]


def _module(name: str, entities: list[type[Entity]]) -> str:
    qualified = _Qualified()
    classes = [_class(entity, qualified) for entity in entities]
    imports = [
        f"    from {module} import {', '.join(sorted(names & qualified.used))}"
        for module, names in IMPORTED.items()
        if names & qualified.used
    ]
    if "model" in qualified.used:
        imports.insert(len(imports) - 1, "    from eyened_domain import model")
    outside = sum(not line.startswith("    from eyened") for line in imports)
    if outside:
        imports.insert(outside, "")
    head = [
        f'"""The fields of `{name.partition(".")[2]}` under their second names, for type checkers.',
        "",
        "Written by `python -m tests.architecture.database_names`, from the model.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from typing import TYPE_CHECKING",
        "",
        "if TYPE_CHECKING:",
        *imports,
    ]
    return "\n".join(head) + "\n" + "".join(classes)


def _class(entity: type[Entity], qualified: _Qualified) -> str:
    own = inspect.get_annotations(entity)
    lines = [
        f"    {other}: {ast.unparse(qualified.visit(ast.parse(own[name], mode='eval').body))}"
        for other, name in entity.__entity__.aliases.items()
        if name in own
    ]
    head = [
        "",
        "",
        f"class {entity.__name__}Names:",
        f'    """The fields of `{entity.__name__}` under their second names."""',
        "",
    ]
    return "\n".join([*head, *lines]) + "\n"


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in written().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
