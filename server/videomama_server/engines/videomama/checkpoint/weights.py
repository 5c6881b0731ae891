"""Weights on disk: checked, digested, folded once into a file of our own, and memory-mapped from then on."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import filelock
import torch
from blake3 import blake3
from safetensors import SafetensorError
from safetensors.torch import load_file
from videomama_client.errors import NotPermitted, WeightsError
from videomama_client.whole_files import replacing

from videomama_server import heartbeat
from videomama_server.engines.videomama.checkpoint import checks, headers, tensors
from videomama_server.engines.videomama.checkpoint.folding import fold
from videomama_server.engines.videomama.checkpoint.layouts import Checkpoint
from videomama_server.engines.videomama.network.network import Network
from videomama_server.engines.videomama.network.shape import NetworkShape, shape_of
from videomama_server.files import disk_space
from videomama_server.files.settling import is_settled

log = logging.getLogger(__name__)

FOLDING_VERSION = 2  # goes up with every change of what `folding` makes
DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
_SPELLING = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}
_ALIGNMENT = 64


def check(checkpoint: Checkpoint) -> None:
    """Check headers and configs; no data is read.

    Raises:
        WeightsError: what is wrong, with the path and what to do.
    """
    for line in checks.run(checkpoint):
        log.debug("%s", line)


def source_digest(checkpoint: Checkpoint, notes: Path) -> str:
    """Return the BLAKE3, hexadecimal, of both files' bytes and both configs.

    A file whose path, size, time and inode are as noted is not read again.

    Args:
        checkpoint: what to digest.
        notes: a folder for what was found out; one that cannot be written costs time and nothing else.

    Raises:
        WeightsError: a file cannot be read.
    """
    content = {
        "unet": [_file_digest(path, notes) for path in headers.shards(checkpoint.unet)],
        "vae": [_file_digest(path, notes) for path in headers.shards(checkpoint.vae)],
        "configs": [_canonical(checkpoint.unet_config), _canonical(checkpoint.vae_config)],
    }
    return blake3(json.dumps(content, sort_keys=True).encode()).hexdigest()


def folded_path(checkpoint: Checkpoint, folder: Path, dtype: torch.dtype) -> Path:
    """Return where the folded file of a checkpoint is, or will be."""
    name = next(name for name, known in DTYPES.items() if known is dtype)
    return folder / f"{source_digest(checkpoint, folder)[:20]}-v{FOLDING_VERSION}-{name}.safetensors"


def folded(checkpoint: Checkpoint, folder: Path, dtype: torch.dtype) -> Path:
    """Return the folded file of a checkpoint, which is made unless it is there and whole.

    Of several processes one makes it and the others wait. Memory: the result, and one tensor more.

    Args:
        checkpoint: the published weights.
        folder: where folded files are kept.
        dtype: float16, bfloat16 or float32.

    Raises:
        WeightsError: the checkpoint is not right, or a value in it is not finite.
        NotPermitted: the folder cannot be written, or its disk is full.
    """
    path = folded_path(checkpoint, folder, dtype)
    if _is_whole(path):
        return path
    check(checkpoint)
    try:
        with _alone(folder):
            if not _is_whole(path):
                _make(checkpoint, path, dtype)
    except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
        raise NotPermitted(
            f"the folded weights cannot be written to {folder}: {getattr(error, 'strerror', None) or error}",
            "Make room or give the rights, or name another cache folder with --cache-dir.",
        ) from error
    return path


def load(path: Path) -> Network:
    """Return the network of a folded file: on the CPU, in the file's dtype, mapped from the file without a copy.

    Raises:
        WeightsError: the file is damaged, or was made by another version.
    """
    header = headers.read_whole(path)
    try:
        with torch.device("meta"):
            network = Network(NetworkShape(**json.loads(header.metadata["shape"])))
        network.load_state_dict(load_file(path, device="cpu"), strict=True, assign=True)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join((str(error) or type(error).__name__).split())[:300]
        raise WeightsError(
            f"{path} cannot be used as folded weights ({reason})", "Delete it: it is made again when it is needed."
        ) from error
    return network.requires_grad_(False).eval()


def _make(checkpoint: Checkpoint, path: Path, dtype: torch.dtype) -> None:
    shape = shape_of(checkpoint.unet_config, checkpoint.vae_config)
    _check_room(path.parent, shape, dtype)
    started = time.monotonic()
    with tensors.Tensors(checkpoint.unet, "unet") as unet, tensors.Tensors(checkpoint.vae, "vae") as vae:
        result = fold(unet, vae, checkpoint.unet_config, checkpoint.vae_config, dtype)
    _check_finite(checkpoint, result)
    metadata = {
        "shape": json.dumps(asdict(shape)),
        "source": source_digest(checkpoint, path.parent),
        "version": str(FOLDING_VERSION),
    }
    with replacing(path) as temporary:
        _write(temporary, result, metadata)
    log.info("folded %s into %s in %.1f s", checkpoint.unet, path, time.monotonic() - started)


def _check_room(folder: Path, shape: NetworkShape, dtype: torch.dtype) -> None:
    with torch.device("meta"):
        numbers = sum(tensor.numel() for tensor in Network(shape).state_dict().values())
    share = disk_space.Share(folder, numbers * dtype.itemsize, "for what the model is folded into")
    disk_space.require([share], "name another cache folder with --cache-dir.")


def _check_finite(checkpoint: Checkpoint, result: Mapping[str, torch.Tensor]) -> None:
    for name, tensor in result.items():
        heartbeat.beat()
        if not tensors.is_finite(tensor):
            raise WeightsError(
                f"{checkpoint.unet} has values too large for {_SPELLING[tensor.dtype]}: {name} becomes infinite",
                "Fold it as bf16 or fp32: dtype in the config, or --dtype.",
            )


def _write(path: Path, result: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file tensor by tensor; the format's own writer would hold all of it in memory once more.

    Tensors whose size is a multiple of 64 bytes come first, so that they lie aligned in the mapped file.
    """
    names = sorted(result, key=lambda name: (result[name].nbytes % _ALIGNMENT != 0, name))
    rows: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset = 0
    for name in names:
        tensor = result[name]
        offsets = [offset, offset + tensor.nbytes]
        rows[name] = {"dtype": _SPELLING[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        offset += tensor.nbytes
    header = json.dumps(rows, separators=(",", ":")).encode()
    header += b" " * (-(8 + len(header)) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for name in names:
            heartbeat.beat()
            file.write(result[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)
        file.flush()
        os.fsync(file.fileno())


def _is_whole(path: Path) -> bool:
    """Whether a folded file is there with all its bytes; a damaged one is made again."""
    if not path.exists():
        return False
    try:
        header = headers.read_whole(path)
    except WeightsError as error:
        log.warning("%s; it is made again", error.message)
        return False
    return "shape" in header.metadata


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder against other processes that fold; what one that was killed left behind is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(str(folder / ".folding.lock")):
        for left in folder.glob(".videomama-*.safetensors"):
            left.unlink(missing_ok=True)
        yield


def _canonical(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing of the network: `_class_name`, `_diffusers_version`, `_name_or_path`."""
    return {name: value for name, value in config.items() if not name.startswith("_")}


def _file_digest(path: Path, notes: Path) -> str:
    """Return the digest of one file's bytes, from its note when its stat has not changed."""
    try:
        real, begun = path.resolve(), time.time()
        stat = real.stat()
        row = [str(real), stat.st_size, stat.st_mtime_ns, stat.st_ino]
        note = notes / f"{blake3(str(real).encode(errors='surrogateescape')).hexdigest(length=16)}.json"
        known = _noted(note, row)
        if known:
            return known
        digest = _bytes_digest(real)
    except OSError as error:
        raise WeightsError(
            f"cannot read {path}: {error.strerror or error}", "Check the path and its permissions."
        ) from error
    if is_settled(stat.st_mtime, begun):
        _note(note, [*row, digest])
    return digest


def _bytes_digest(path: Path) -> str:
    return str(blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest())


def _noted(note: Path, row: list[Any]) -> str | None:
    """Return the digest in a note when it is of the same stat; None for one that is missing or damaged."""
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(known, list) or known[:-1] != row:
        return None
    digest = known[-1]
    return digest if isinstance(digest, str) and len(digest) == 64 else None


def _note(note: Path, row: list[Any]) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        with replacing(note) as temporary:
            temporary.write_text(json.dumps(row), encoding="utf-8")
    except OSError as error:
        log.warning("the digest of the weights was not noted in %s: %s", note, error)
