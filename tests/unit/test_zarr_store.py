"""The store of pixels on the disk, without a database; zarr-python is the judge of the layout."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
import zarr.codecs
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from eyened_domain.adapters.files import durable
from eyened_domain.adapters.files.durable import OpenFolder
from eyened_domain.adapters.files.openat2 import openat2_works
from eyened_domain.adapters.pixels.zarr import slices
from eyened_domain.adapters.pixels.zarr.files import SlotFiles, SlotGone
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.manifest import Manifest, content_size, split
from eyened_domain.adapters.pixels.zarr.slot_file import Stamp, StoredSlot
from eyened_domain.errors import ConfigurationError, Conflict, PixelsDamaged, StorageError
from eyened_domain.model.pixels.grid import Plane

TOKEN = "0123456789abcdef" * 2
GROUP = "DataRepresentation.MultiLabel"
DTYPES = ["uint8", "uint16", "uint32", "float32"]
SHAPES = [(1, 1, 1), (1, 40, 50), (5, 1, 30), (3, 7, 9), (4, 128, 160)]


def pixels_of(key, seed=0):
    rng = np.random.default_rng(seed)
    found = rng.integers(0, 200, key.shape).astype(key.dtype)
    found[:, : found.shape[1] // 2] = 0
    if key.shape[0] > 2:
        found[1] = 0
    return found


def store(files, key, pixels, position=0, plane=None, base=None):
    files.prepare(key)
    files.grow(key, position + 1)
    stamp = Stamp(position, TOKEN)
    content = slices.content(files, key, pixels, plane, base=base, stamp=stamp)
    files.put(key, position, content)
    return StoredSlot(position, content.digest)


@pytest.fixture
def files(tmp_path):
    return SlotFiles(tmp_path, durable=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_zarr_reads_what_we_write(files, dtype, shape):
    key = ArrayKey(GROUP, dtype, shape)
    store(files, key, pixels_of(key), position=3)
    array: Any = zarr.open_group(files.root, mode="r")[key.path]
    assert array.dtype == dtype
    assert array.shape == (4, *shape)
    assert (array[3] == pixels_of(key)).all()
    assert not np.asarray(array[2]).any()
    assert (array[3, shape[0] - 1] == pixels_of(key)[-1]).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_we_read_what_zarr_writes(files, dtype, shape):
    key = ArrayKey(GROUP, dtype, shape)
    array = zarr.open_group(files.root, mode="w").create_array(
        name=key.path, shape=(2, *shape), chunks=(1, *shape), dtype=dtype
    )
    array[1] = pixels_of(key, 1)
    slot = StoredSlot(1, None)
    assert (slices.read(files, key, slot, None) == pixels_of(key, 1)).all()
    assert (slices.read(files, key, slot, Plane(0, 0)) == pixels_of(key, 1)[0]).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_zarr_appends_to_what_we_made(files, shape):
    key = ArrayKey(GROUP, "uint16", shape)
    store(files, key, pixels_of(key))
    array: Any = zarr.open_group(files.root, mode="r+")[key.path]
    array.resize((2, *shape))
    array[1] = pixels_of(key, 1)
    assert (slices.read(files, key, StoredSlot(1, None), None) == pixels_of(key, 1)).all()
    assert (slices.read(files, key, StoredSlot(1, None), Plane(0, 0)) == pixels_of(key, 1)[0]).all()


@pytest.mark.parametrize("compressors", [None, [zarr.codecs.GzipCodec(level=1)], "blosc"])
def test_arrays_with_other_codecs_are_read_and_written(files, compressors):
    key = ArrayKey(GROUP, "uint16", (3, 7, 9))
    chosen = zarr.codecs.BloscCodec() if compressors == "blosc" else compressors
    zarr.open_group(files.root, mode="w").create_array(
        name=key.path,
        shape=(0, *key.shape),
        chunks=(1, *key.shape),
        dtype=">u2",
        compressors=chosen,
    )
    first = store(files, key, pixels_of(key))
    second = store(files, key, pixels_of(key, 2)[1], 1, plane=Plane(0, 1), base=first)
    array: Any = zarr.open_group(files.root, mode="r")[key.path]
    assert (array[1, 1] == pixels_of(key, 2)[1]).all()
    assert (slices.read(files, key, second, Plane(0, 2)) == pixels_of(key)[2]).all()
    empty = store(files, key, np.zeros(key.shape, "uint16"), 2)
    assert not slices.read(files, key, empty, None).any()


def test_an_array_whose_slots_are_several_files_is_refused_with_a_way_out(files):
    key = ArrayKey(GROUP, "uint8", (4, 8, 8))
    zarr.open_group(files.root, mode="w").create_array(
        name=key.path, shape=(1, *key.shape), chunks=(1, 2, 8, 8), dtype="uint8"
    )
    with pytest.raises(StorageError, match="defragment-zarr"):
        files.codec(key)


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    dtype=st.sampled_from(DTYPES),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 140), st.integers(1, 140)),
)
def test_any_slice_of_any_array_is_what_was_written(tmp_path_factory, data, dtype, shape):
    files = SlotFiles(tmp_path_factory.mktemp("store"), durable=False)
    key = ArrayKey(GROUP, dtype, shape)
    elements = st.floats(0, 1, width=32) if dtype == "float32" else st.integers(0, 255)
    whole = data.draw(hnp.arrays(dtype, shape, elements=elements, fill=st.just(0)))
    first = store(files, key, whole)
    axis = data.draw(st.integers(0, 2))
    number = data.draw(st.integers(0, shape[axis] - 1))
    part_shape = shape[:axis] + shape[axis + 1 :]
    part = data.draw(hnp.arrays(dtype, part_shape, elements=elements, fill=st.just(1)))
    second = store(files, key, part, 1, plane=Plane(axis, number), base=first)
    expected = whole.copy()
    expected[(slice(None),) * axis + (number,)] = part
    assert (slices.read(files, key, first, None) == whole).all()
    assert (slices.read(files, key, second, None) == expected).all()
    assert (slices.read(files, key, second, Plane(axis, number)) == part).all()


@settings(max_examples=150, deadline=None)
@given(data=st.data(), shape=st.sampled_from([(1, 40, 50), (4, 128, 160)]))
def test_no_changed_byte_changes_a_pixel_unseen(tmp_path_factory, data, shape):
    files = SlotFiles(tmp_path_factory.mktemp("store"), durable=False)
    key = ArrayKey(GROUP, "uint8", shape)
    slot = store(files, key, pixels_of(key))
    path = files.root / key.path / "c/0/0/0/0"
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    for plane in (None, *(Plane(0, scan) for scan in range(shape[0]))):
        try:
            found = slices.read(files, key, slot, plane)
        except PixelsDamaged:
            continue
        assert plane is not None, "the whole slot was read and the change was not seen"
        assert (found == pixels_of(key)[plane.slice_index]).all()


@settings(max_examples=100, deadline=None)
@given(
    st.builds(
        Manifest,
        st.integers(0, 2**63),
        st.integers(0, 2**63),
        st.binary(min_size=16, max_size=16).map(bytes.hex),
        st.lists(st.binary(min_size=16, max_size=16), max_size=9).map(tuple),
    ),
    st.binary(max_size=200),
)
def test_a_manifest_is_found_behind_anything(manifest, before):
    found = split(before + manifest.frame())
    assert found == (manifest, len(manifest.frame()))
    assert split(before + manifest.frame() + b"\0") is None


def test_what_lies_at_a_position_is_never_written_over(files):
    key = ArrayKey(GROUP, "uint8", (1, 4, 4))
    slot = store(files, key, pixels_of(key))
    with pytest.raises(Conflict, match="taken or collected"):
        store(files, key, pixels_of(key, 1))
    assert (slices.read(files, key, slot, None) == pixels_of(key)).all()
    assert [p.name for p in (files.root / key.path / "c/0/0/0").iterdir()] == ["0"]


def test_metadata_grows_and_never_shrinks(files):
    key = ArrayKey(GROUP, "uint8", (1, 4, 4))
    files.prepare(key)
    files.grow(key, 7)
    files.grow(key, 3)
    assert files.document(key)["shape"] == [7, 1, 4, 4]
    assert not files.is_taken(key, range(7))


def test_metadata_that_is_half_written_is_looked_at_again(files, monkeypatch):
    key = ArrayKey(GROUP, "uint8", (1, 4, 4))
    files.prepare(key)
    path = files.root / key.path / "zarr.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:20])
    looks = []

    def finish(seconds):
        looks.append(seconds)
        path.write_bytes(whole)

    monkeypatch.setattr("eyened_domain.adapters.pixels.zarr.files.time.sleep", finish)
    assert files.document(key) == json.loads(whole)
    assert len(looks) == 1
    path.write_bytes(b"{")
    monkeypatch.setattr("eyened_domain.adapters.pixels.zarr.files.time.sleep", looks.append)
    with pytest.raises(StorageError, match="eorm doctor --fix"):
        files.document(key)


def test_a_store_that_is_not_there_says_which_setting(tmp_path):
    files = SlotFiles(tmp_path / "absent")
    with pytest.raises(ConfigurationError, match="SEGMENTATIONS_ZARR_STORE"):
        files.prepare(ArrayKey(GROUP, "uint8", (1, 4, 4)))


def test_the_file_of_a_slot_is_removed_with_its_folders_and_nothing_else(files):
    key = ArrayKey(GROUP, "uint8", (1, 4, 4))
    store(files, key, pixels_of(key), 0)
    store(files, key, pixels_of(key), 1)
    assert files.remove(key, 0)
    assert not files.remove(key, 0)
    assert [p.name for p in (files.root / key.path / "c").iterdir()] == ["1"]
    (files.root / key.path / "c/1/0/0/notes.txt").write_text("mine")
    with pytest.raises(StorageError):
        files.remove(key, 1)
    assert (files.root / key.path / "c/1/0/0/notes.txt").exists()
    with pytest.raises(SlotGone):
        files.open(key, 1, None)


class FailingOs:
    """The module `os`, with a call that fails."""

    def __init__(self, name, number):
        self._name, self._number = name, number

    def __getattr__(self, name):
        return self._fail if name == self._name else getattr(os, name)

    def _fail(self, *_arguments, **_options):
        raise OSError(self._number, os.strerror(self._number))


@pytest.mark.parametrize("call", ["open", "writev", "fsync", "link"])
def test_a_full_disk_leaves_nothing_and_says_so(files, tmp_path, monkeypatch, call):
    durably = SlotFiles(tmp_path)
    key = ArrayKey(GROUP, "uint8", (1, 4, 4))
    store(durably, key, pixels_of(key), 0)
    content = slices.content(durably, key, pixels_of(key), None, base=None, stamp=Stamp(1, TOKEN))
    monkeypatch.setattr(durable, "os", FailingOs(call, errno.ENOSPC))
    with pytest.raises(StorageError, match="No space left on device; free some space"):
        durably.put(key, 1, content)
    monkeypatch.undo()
    left = [p for p in (tmp_path / key.path / "c").rglob("*") if p.is_file()]
    assert [str(p.relative_to(tmp_path / key.path)) for p in left] == ["c/0/0/0/0"]
    durably.put(key, 1, content)


def test_a_folder_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with OpenFolder.at(str(tmp_path)) as folder:
        with pytest.raises(OSError, match=r"Not a directory|symbolic"):
            folder.folder("link")
        for name in ("..", ".", "", "a/b", "a\0b"):
            with pytest.raises(OSError, match="not the name of one"):
                folder.folder(name, make=True)
    assert sorted(p.name for p in Path(tmp_path).iterdir()) == ["link", "real"]


@pytest.mark.parametrize("way", [True, False] if openat2_works() else [False])
def test_what_is_below_a_folder_is_opened_and_no_link_on_the_way(tmp_path, monkeypatch, way):
    monkeypatch.setattr(durable, "openat2_works", lambda: way)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(b"pixels")
    (tmp_path / "a" / "link").symlink_to("b")
    (tmp_path / "a" / "b" / "other").symlink_to("file")
    os.mkfifo(tmp_path / "a" / "b" / "pipe")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with OpenFolder.at(str(tmp_path)) as folder:
        descriptor = folder.open_below("a", "b", "file")
        assert durable.read_all(descriptor) == b"pixels"
        os.close(descriptor)
        for refused in (("a", "link", "file"), ("a", "b", "other"), ("a", "b"), ("a", "b", "pipe")):
            with pytest.raises(OSError, match=r"directory|symbolic|regular"):
                folder.open_below(*refused)
        with pytest.raises(FileNotFoundError):
            folder.open_below("a", "c", "file")
        for name in ("..", ".", "", "a/b", "a\0b"):
            with pytest.raises(OSError, match="not the name of one"):
                folder.open_below("a", name, "file")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def raw_frame(content, size_is_told=True):
    """A Zstandard frame of one block, not compressed; RFC 8878, 3.1.1."""
    if size_is_told:
        head = b"\x28\xb5\x2f\xfd\x60" + (len(content) - 256).to_bytes(2, "little")
    else:
        head = b"\x28\xb5\x2f\xfd\x00\x58"
    return head + (len(content) << 3 | 1).to_bytes(3, "little") + content


@pytest.mark.parametrize("length", [0, 1, 5, 8, 2999])
@pytest.mark.parametrize("size_is_told", [True, False])
def test_a_frame_is_read_whether_or_not_it_tells_its_size_and_only_at_its_full_size(
    files, size_is_told, length
):
    key = ArrayKey(GROUP, "uint8", (1, 40, 75))
    store(files, key, pixels_of(key))
    wanted = pixels_of(key, 5).tobytes()
    file = files.root / key.path / "c/0/0/0/0"
    file.write_bytes(raw_frame(wanted, size_is_told))
    assert slices.read(files, key, StoredSlot(0, None), None).tobytes() == wanted
    for other in (wanted[:-1], wanted[:300], wanted + b"\0", wanted * 2):
        file.write_bytes(raw_frame(other, size_is_told))
        with pytest.raises(PixelsDamaged):
            slices.read(files, key, StoredSlot(0, None), None)
    file.write_bytes(raw_frame(wanted, size_is_told)[:length])
    with pytest.raises(PixelsDamaged):
        slices.read(files, key, StoredSlot(0, None), None)


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("length", [1, 255, 256, 257, 65_535, 65_791, 65_792, 10**6])
def test_the_size_that_a_frame_tells_is_read(length, checksum):
    from numcodecs.zstd import Zstd

    frame = Zstd(checksum=checksum).encode(np.zeros(length, np.uint8))
    assert content_size(frame) == length
