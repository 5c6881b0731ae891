"""Finds the weights of an edge refiner's network, and says what is missing; imports nothing heavy."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from pathlib import Path

from videomama_client.errors import WeightsError

EXTRA = "edges"


def missing(engine: str, looked_for: Path, what: str = "weights", network: str = "") -> WeightsError:
    """Return the error of weights that are not there.

    Args:
        engine: that needs them.
        looked_for: where.
        what: of the engine is missing.
        network: what `--with` gets them by; the engine's name unless it is given.
    """
    return WeightsError(
        f"the engine {engine} has no {what}: {looked_for} is not there",
        f"Run `python install weights --with {network or engine}`, or leave the stage {engine} out.",
    )


def stats(paths: Iterable[Path]) -> Hashable:
    """Return what tells files from others that are put in their place."""
    found = [path.stat() for path in paths]
    return tuple((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in found)


def base_folder(weights: Path) -> Path:
    """Return the folder of weights; the config may name a file of another model in it."""
    return weights.parent if weights.is_file() else weights
