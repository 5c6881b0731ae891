"""Where MEMatte's weights lie; imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

from videomama_server.engines.edges import checkpoint

ENGINE = "mematte"
FOLDER = "mematte"
FILE = "MEMatte_ViTS_DIM.pth"  # as its authors call it
_SUFFIXES = (".pth", ".pt", ".safetensors")


def find(weights: Path) -> Path:
    """Return the file of weights.

    Args:
        weights: of the config or the job: a folder with the folder `mematte`, that folder, or MEMatte's file itself.

    Raises:
        WeightsError: it is not there.
    """
    if weights.is_file() and weights.name.lower().startswith("mematte"):
        return weights
    root = checkpoint.base_folder(weights)
    for folder in (root / FOLDER, root):
        there = sorted(path for path in folder.glob("*") if _is_one(path)) if folder.is_dir() else []
        if there:
            return there[0]
    raise checkpoint.missing(ENGINE, root / FOLDER / FILE)


def _is_one(path: Path) -> bool:
    return path.suffix in _SUFFIXES and path.name.lower().startswith("mematte") and path.is_file()
