"""Which codec reads and writes the slots of an array: chosen from its own metadata."""

from __future__ import annotations

from typing import Any, cast

from eyened_domain.adapters.pixels.zarr.codecs import FrameCodec, SlotCodec
from eyened_domain.adapters.pixels.zarr.foreign import ForeignCodec
from eyened_domain.adapters.pixels.zarr.layout import ArrayKey
from eyened_domain.adapters.pixels.zarr.shard import ShardCodec


def codec_for(key: ArrayKey, document: dict[str, Any]) -> SlotCodec:
    """Choose how the slots of an array are read and written, from the array's own metadata."""
    _, height, width = key.shape
    if _is_ordinary(key, document):
        codecs = document["codecs"]
        level = _zstd_level(key, codecs)
        if level is not None:
            return FrameCodec(key, level)
        level = _shard_level(key, codecs, [1, 1, height, width])
        if level is not None:
            return ShardCodec(key, level)
    return cast("SlotCodec", ForeignCodec(key, document))


def _is_ordinary(key: ArrayKey, document: dict[str, Any]) -> bool:
    return (
        document.get("data_type") == key.dtype
        and document.get("fill_value") == 0
        and document.get("chunk_grid")
        == {"name": "regular", "configuration": {"chunk_shape": [1, *key.shape]}}
        and document.get("chunk_key_encoding", {}).get("name") == "default"
        and document["chunk_key_encoding"].get("configuration", {}).get("separator", "/") == "/"
        and not document.get("storage_transformers")
    )


def _zstd_level(key: ArrayKey, codecs: list[Any]) -> int | None:
    """Return the level when the codecs are bytes in little-endian order, and zstd."""
    if [one.get("name") for one in codecs] != ["bytes", "zstd"]:
        return None
    endian = codecs[0].get("configuration", {}).get("endian", "little")
    if endian != "little" and key.numpy_dtype.itemsize > 1:
        return None
    return int(codecs[1].get("configuration", {}).get("level", 0))


def _shard_level(key: ArrayKey, codecs: list[Any], chunk: list[int]) -> int | None:
    """Return the level when it is a shard as new arrays have."""
    if [one.get("name") for one in codecs] != ["sharding_indexed"]:
        return None
    shard = codecs[0].get("configuration", {})
    names = [one.get("name") for one in shard.get("index_codecs", [])]
    if (
        shard.get("chunk_shape") != chunk
        or shard.get("index_location") != "start"
        or names != ["bytes", "crc32c"]
    ):
        return None
    return _zstd_level(key, shard.get("codecs", []))
