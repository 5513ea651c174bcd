"""What a folder of files lets be opened, and what not."""

from __future__ import annotations

import errno
import os
import pickle
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eyened_domain.adapters.files import openat2, paths
from eyened_domain.adapters.files.openat2 import openat2_works
from eyened_domain.adapters.files.paths import RootFolder
from eyened_domain.errors import BadInput, ConfigurationError, FileMissing, StorageError

WAYS = [True, False] if openat2_works() else [False]


@pytest.fixture(params=WAYS, ids=["openat2" if way else "by component" for way in WAYS])
def way(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A base folder with files, links of every kind, and a secret beside it."""
    base = tmp_path / "base"
    (base / "a" / "b").mkdir(parents=True)
    (base / "top.png").write_text("inside")
    (base / "a" / "b" / "deep.png").write_text("inside")
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "x.png").write_text("SECRET")
    (base / "link.png").symlink_to(secret / "x.png")
    (base / "folderlink").symlink_to(secret)
    (base / "upward").symlink_to("..")
    (base / "inner").symlink_to("a")
    (base / "loop").symlink_to("loop")
    (base / "a" / "proc").symlink_to("/proc/self")
    return base


def read(root: RootFolder, relative: str) -> str:
    descriptor = root.open(relative)
    try:
        return os.pread(descriptor, 100, 0).decode()
    finally:
        os.close(descriptor)


def test_files_beneath_the_folder_are_opened(tree: Path, way: bool):
    root = RootFolder(tree, use_openat2=way)
    assert read(root, "top.png") == "inside"
    assert read(root, "a/b/deep.png") == "inside"


@pytest.mark.parametrize(
    "relative",
    [
        "../secret/x.png", "a/../../secret/x.png", "/etc/passwd", "link.png",
        "folderlink/x.png", "upward/secret/x.png", "inner/b/deep.png", "loop",
        "a/proc/root/etc/passwd", "", ".", "..", "top.png/", "top.png/.",
        "top.png\0/../../secret/x.png", "\ud800",
    ],
)  # fmt: skip
def test_what_leads_outside_or_through_a_link_is_refused(tree: Path, way: bool, relative: str):
    with pytest.raises((BadInput, FileMissing)) as caught:
        RootFolder(tree, use_openat2=way).open(relative)
    assert caught.value.field == "dataset_identifier"
    assert caught.value.entity == "ImageInstance"


def test_a_link_is_named_as_the_reason(tree: Path, way: bool):
    for relative in ("link.png", "folderlink/x.png"):
        with pytest.raises(BadInput, match="symbolic link"):
            RootFolder(tree, use_openat2=way).open(relative)


def test_a_missing_file_a_folder_and_a_path_through_a_file_are_refused(tree: Path, way: bool):
    root = RootFolder(tree, use_openat2=way)
    for relative, reason, kind in [
        ("none.png", "does not exist", FileMissing),
        ("a", "is a folder", BadInput),
        ("top.png/x", "not a folder", BadInput),
        ("n" * 300, "longer than", BadInput),
    ]:
        with pytest.raises(kind, match=reason):
            root.open(relative)


def test_a_fifo_and_a_socket_are_refused_without_waiting(tree: Path, way: bool):
    os.mkfifo(tree / "fifo.png")
    listener = socket.socket(socket.AF_UNIX)
    home = Path.cwd()
    os.chdir(tree)  # the path of a socket may have 107 characters
    try:
        listener.bind("socket.png")
    finally:
        os.chdir(home)
    with listener:
        for name in ("fifo.png", "socket.png"):
            with pytest.raises(BadInput, match="regular file"):
                RootFolder(tree, use_openat2=way).open(name)


def test_the_folder_itself_may_be_a_link(tree: Path, way: bool):
    (tree.parent / "images").symlink_to(tree)
    assert read(RootFolder(tree.parent / "images", use_openat2=way), "a/b/deep.png") == "inside"


def test_a_missing_folder_is_an_error_of_the_configuration(tmp_path: Path, way: bool):
    with pytest.raises(ConfigurationError, match="IMAGES_BASEPATH"):
        RootFolder(tmp_path / "none", use_openat2=way).open("x.png")


def test_links_into_allowed_folders_are_followed_and_others_not(tree: Path, way: bool):
    allowed = RootFolder(tree, symlinks_to=[tree.parent / "secret"], use_openat2=way)
    assert read(allowed, "link.png") == "SECRET"
    assert read(allowed, "folderlink/x.png") == "SECRET"
    assert read(allowed, "inner/b/deep.png") == "inside"
    for relative in ("a/proc/root/etc/passwd", "../secret/x.png", "loop"):
        with pytest.raises(BadInput):
            allowed.open(relative)
    (tree.parent / "secretive").mkdir()
    (tree.parent / "secretive" / "y.png").write_text("other")
    (tree / "y.png").symlink_to(tree.parent / "secretive" / "y.png")
    with pytest.raises(BadInput, match="leads outside"):
        allowed.open("y.png")


def test_a_failing_store_is_no_bad_input(tree: Path, monkeypatch: pytest.MonkeyPatch):
    def fails(root: int, relative: bytes) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(paths, "openat2_works", lambda: True)
    monkeypatch.setattr(paths, "open_beneath", fails)
    with pytest.raises(StorageError, match="Input/output"):
        RootFolder(tree).open("top.png")


def test_a_sandbox_without_openat2_is_walked_by_component(
    tree: Path, monkeypatch: pytest.MonkeyPatch
):
    def refused(root: int, relative: bytes) -> int:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(openat2, "open_beneath", refused)
    monkeypatch.setattr(paths, "open_beneath", refused)
    openat2_works.cache_clear()
    try:
        assert read(RootFolder(tree), "a/b/deep.png") == "inside"
    finally:
        openat2_works.cache_clear()


def test_no_descriptor_is_left_open(tree: Path, way: bool):
    root = RootFolder(tree, use_openat2=way, symlinks_to=[tree / "a"])
    before = sorted(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for relative in ("top.png", "a/b/deep.png", "link.png", "a", "none", "a/none/x", "inner/b"):
        try:
            os.close(root.open(relative))
        except (BadInput, FileMissing):
            continue
    assert sorted(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_it_can_be_sent_to_another_process(tree: Path):
    assert read(pickle.loads(pickle.dumps(RootFolder(tree))), "top.png") == "inside"


def test_a_folder_swapped_for_a_link_while_files_are_opened_leads_nowhere(tree: Path, way: bool):
    (tree / "real").mkdir()
    (tree / "real" / "x.png").write_text("inside")
    root = RootFolder(tree, use_openat2=way)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (tree / "real").rename(tree / "away")
            (tree / "real").symlink_to(tree.parent / "secret")
            (tree / "real").unlink()
            (tree / "away").rename(tree / "real")

    swapper = threading.Thread(target=swap)
    swapper.start()
    seen = {"inside": 0, "refused": 0}
    try:
        for _ in range(300):
            try:
                seen[read(root, "real/x.png")] += 1  # a KeyError is a leak
            except (BadInput, FileMissing):
                seen["refused"] += 1
    finally:
        stop.set()
        swapper.join()
    assert sum(seen.values()) == 300


NAMES = st.sampled_from(
    ["..", ".", "", "a", "b", "top.png", "deep.png", "link.png", "folderlink", "upward", "inner",
     "secret", "x.png", "loop", "proc", "root", "etc", "passwd", "\0", "~", "%2e%2e", "..\\"]
)  # fmt: skip


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(NAMES | st.text(max_size=4), max_size=8), slash=st.booleans())
def test_no_path_whatever_opens_a_file_outside(tree: Path, parts: list[str], slash: bool):
    relative = "/" * slash + "/".join(parts)
    for use_openat2 in WAYS:
        try:
            assert read(RootFolder(tree, use_openat2=use_openat2), relative) == "inside"
        except (BadInput, FileMissing):
            continue
