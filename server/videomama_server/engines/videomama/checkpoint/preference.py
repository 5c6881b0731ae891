"""Which of several weight files is taken: an order that does not depend on the disk's."""

from __future__ import annotations

import re
from pathlib import Path

from videomama_server.engines.videomama.checkpoint import headers


def rank(path: Path, root: Path, whole: bool) -> tuple[object, ...]:
    """Return what to sort by; the least is taken.

    Args:
        path: a candidate.
        root: the folder that was searched.
        whole: whether the file has all its bytes.
    """
    relative = path.relative_to(root) if path.is_relative_to(root) else path
    steps = [int(match[1]) for name in relative.parts if (match := re.fullmatch(r"checkpoint-(\d+)", name))]
    return (
        "unet_ema" in relative.parts,
        not whole,
        headers.is_pickle(path),
        len(relative.parts),
        [-step for step in steps],
        not _is_main_snapshot(path),
        _item_rank(path),
        relative.as_posix(),
    )


def _is_main_snapshot(path: Path) -> bool:
    """Whether a path in a Hugging Face cache belongs to the revision that `main` is at; false outside of one."""
    for folder in path.parents:
        if folder.parent.name == "snapshots":
            try:
                return (folder.parent.parent / "refs" / "main").read_text(encoding="utf-8").strip() == folder.name
            except (OSError, ValueError):
                return False
    return False


def _item_rank(path: Path) -> int:
    """Return 0 for a file of float32, 1 for less."""
    if headers.is_pickle(path):
        return 1
    return 0 if all(info.dtype == "F32" for info in headers.read(path).tensors.values()) else 1
