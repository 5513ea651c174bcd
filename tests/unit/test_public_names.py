"""The lists of names are held to what there is: nothing is missing, and nothing is said in vain."""

import ast
import importlib
import os
import pkgutil
import subprocess
import sys
from enum import Enum
from importlib.metadata import version
from pathlib import Path

import pytest

import eyened_domain
from eyened_domain import _ELSEWHERE, errors, model, services
from eyened_domain.errors import EyenedError
from eyened_domain.model import enums
from eyened_domain.model.entity import entity_classes
from eyened_domain.services.events import Event

ENTITIES = {one.__name__ for one in entity_classes() if one.__module__.startswith(model.__name__)}
ENUMS = {
    name for name, one in vars(enums).items() if isinstance(one, type) and issubclass(one, Enum)
}

SOURCE = str(Path(eyened_domain.__file__).parents[1])
PUBLIC: list[str] = eyened_domain.__all__  # type: ignore[attr-defined]
HOMES = (errors.__name__, services.__name__)
PORTS = {
    "AnnotationFiles", "FileHashes", "ImageFiles", "ImageStore", "PixelStore", "Repository",
    "Rows", "Storage", "ThumbnailFiles", "UnitOfWork",
}  # fmt: skip
SERVICES = {
    "Accounts", "AnnotationConversion", "Checkup", "Features", "Forms", "Hashes", "Importing",
    "Segmenting", "Tagging", "Thumbnails",
}  # fmt: skip


def test_the_model_shows_every_entity_and_every_enum() -> None:
    shown = set(model.__all__)
    assert len(shown) == len(model.__all__)
    assert shown - {"Entity", "EntityInfo", "entity_class", "entity_classes"} == ENTITIES | (
        ENUMS - {"Enum", "IntEnum"}
    )


def test_the_package_shows_what_the_model_shows_and_what_it_is_used_with() -> None:
    classes = {name for name in model.__all__ if name[0].isupper()}
    assert set(PUBLIC) == classes | set(_ELSEWHERE)
    assert set(PUBLIC) <= set(dir(eyened_domain))
    for name in PUBLIC:
        home = importlib.import_module(_ELSEWHERE.get(name, model.__name__))
        assert getattr(eyened_domain, name) is getattr(home, name)


def test_type_checkers_are_told_of_the_same_names() -> None:
    tree = ast.parse(Path(eyened_domain.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    told = {
        name.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    assert told == {"*": model.__name__, **_ELSEWHERE}


def test_all_names_come_with_a_star() -> None:
    names: dict[str, object] = {}
    exec("from eyened_domain import *", names)
    assert {*names} - {"__builtins__"} == {*PUBLIC}


@pytest.mark.parametrize("name", ["Pateint", "patient", "_private", "__wrapped__"])
def test_what_is_no_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(eyened_domain, name)


def test_a_package_within_is_imported_without_the_model() -> None:
    program = (
        "import sys; from eyened_domain import errors, testing;"
        "assert 'eyened_domain.model' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert eyened_domain.__version__ == version("eyened-domain")
    assert "__version__" in dir(eyened_domain)


def test_the_version_costs_nothing_until_it_is_asked_for() -> None:
    program = "import sys; import eyened_domain; assert 'importlib.metadata' not in sys.modules"
    subprocess.run(
        [sys.executable, "-S", "-c", program], check=True, env={**os.environ, "PYTHONPATH": SOURCE}
    )


@pytest.mark.parametrize("base", [Event, EyenedError])
def test_every_event_and_every_error_is_public(base: type) -> None:
    for module in (services, errors):
        for one in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{module.__name__}."):
            importlib.import_module(one.name)
    ours = {one.__name__ for one in _kinds_of(base) if one.__module__.startswith(HOMES)}
    assert ours <= set(PUBLIC)


def _kinds_of(base: type) -> set[type]:
    below: list[type] = type.__subclasses__(base)
    return {base, *(kind for one in below for kind in _kinds_of(one))}


def test_what_other_code_builds_on_is_public() -> None:
    assert {"MemoryDatabase", "entity", "column", *SERVICES, *PORTS} <= set(PUBLIC)
