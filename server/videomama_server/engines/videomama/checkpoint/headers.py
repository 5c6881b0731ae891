"""What a safetensors file says of itself in its header; never reads the data, never imports torch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from videomama_client.errors import WeightsError

SUFFIX = ".safetensors"
INDEX_SUFFIX = ".safetensors.index.json"
PICKLE_SUFFIXES = (".bin", ".pth", ".pt", ".ckpt")
_LONGEST_HEADER = 100_000_000  # bytes; the format's own limit
_ITEM_BITS = {"F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U8": 8, "BOOL": 8}
_AGAIN = "Download or copy the file again; `videomama weights check` then looks at it."


@dataclass(frozen=True)
class TensorInfo:
    """One tensor: its dtype as the format spells it (`F32`, `BF16`, ...), and its shape."""

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class CheckpointHeader:
    """The header of one file, or of all shards of one network.

    Attributes:
        tensors: by name.
        metadata: the file's own text notes.
        shortfall: bytes that the header announces and that the file lacks; 0 for a whole file.
    """

    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str] = field(default_factory=dict)
    shortfall: int = 0


def read(path: Path) -> CheckpointHeader:
    """Return the header of a safetensors file, or of all the shards that an index names.

    Raises:
        WeightsError: the file cannot be read, is not a safetensors file, or is cut short inside its header.
    """
    if path.name.endswith(INDEX_SUFFIX):
        return _merged([_read(shard) for shard in shards(path)])
    return _read(path)


def is_pickle(path: Path) -> bool:
    """Whether the name is that of a PyTorch pickle, which has no header that could be read without opening it."""
    return path.suffix in PICKLE_SUFFIXES


def shards(path: Path) -> list[Path]:
    """Return the data files of the weights at `path`: itself, or what the index there names, sorted.

    Raises:
        WeightsError: the index cannot be read, or names a file that is not beside it.
    """
    if not path.name.endswith(INDEX_SUFFIX):
        return [path]
    try:
        names = set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values())
        files = [path.parent / name for name in sorted(names)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(f"{path} is not an index of weights ({_said(error)})", _AGAIN) from error
    missing = [file.name for file in files if file.parent != path.parent or not file.is_file()]
    if missing or not files:
        raise WeightsError(f"{path} names files that are not beside it: {', '.join(missing[:3])}", _AGAIN)
    return files


def read_whole(path: Path) -> CheckpointHeader:
    """Return the header as `read` does; raises WeightsError too when a file has not all the bytes that it announces."""
    for shard in shards(path):
        missing = _read(shard).shortfall
        if missing:
            raise WeightsError(f"{shard} is cut short: {missing:,} bytes are missing at its end", _AGAIN)
    return read(path)


def _read(path: Path) -> CheckpointHeader:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if len(start) < 8:
                raise WeightsError(f"{path} is cut short: it has {len(start)} bytes", _AGAIN)
            if not 2 <= length <= _LONGEST_HEADER:
                raise WeightsError(f"{path} is not a safetensors file{_looks_like(start)}", _AGAIN)
            content = file.read(length)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {_said(error)}", "Check the path and its permissions.") from error
    if len(content) < length:
        kind = "is cut short inside its header" if content[:1] == b"{" else "is not a safetensors file"
        raise WeightsError(f"{path} {kind}", _AGAIN)
    try:
        return _parsed(json.loads(content), size - 8 - length)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise WeightsError(
            f"{path} is not a safetensors file: its header cannot be read ({_said(error)})", _AGAIN
        ) from error


def _parsed(rows: dict[str, Any], data_bytes: int) -> CheckpointHeader:
    """Return the header; raises ValueError, KeyError or TypeError for rows that make no sense."""
    metadata = {str(name): str(text) for name, text in rows.pop("__metadata__", {}).items()}
    tensors, end = {}, 0
    for name, row in rows.items():
        info = TensorInfo(str(row["dtype"]), tuple(int(side) for side in row["shape"]))
        begin, stop = row["data_offsets"]
        bits = _ITEM_BITS.get(info.dtype)
        if not 0 <= begin <= stop or min(info.shape, default=0) < 0:
            raise ValueError(f"{name} lies outside the file")
        if bits and (stop - begin) * 8 != bits * math.prod(info.shape):
            raise ValueError(f"{name} has {stop - begin} bytes for {info.dtype} {list(info.shape)}")
        tensors[name] = info
        end = max(end, stop)
    if data_bytes > end:
        raise ValueError(f"{data_bytes - end} bytes too many")
    return CheckpointHeader(tensors, metadata, end - data_bytes)


def _merged(headers: list[CheckpointHeader]) -> CheckpointHeader:
    tensors = {name: info for header in headers for name, info in header.tensors.items()}
    return CheckpointHeader(tensors, {}, sum(header.shortfall for header in headers))


def _looks_like(start: bytes) -> str:
    for beginning, kind in _OTHERS.items():
        if start.startswith(beginning):
            return f": it is {kind}"
    return ""


_OTHERS = {
    b"version ": "a Git LFS pointer; the file itself was not downloaded",
    b"<": "a web page, saved in place of the file",
    b"PK": "a PyTorch pickle or zip file",
    b"\x80": "a pickle",
}


def _said(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error) or type(error).__name__
