"""Finds a network that segments or detects in a folder, and says which family it is of; imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videomama_client.errors import WeightsError

from videomama_server.engines.runtime.pretrained import read_config

SAM2, SAM3, EDGETAM, DETECTOR = "sam2", "sam3", "edgetam", "detector"
SPOKEN = {SAM2: "SAM 2", SAM3: "SAM 3", EDGETAM: "EdgeTAM", DETECTOR: "a detector of the DETR family"}
CONFIG = "config.json"
AGAIN = "Download or copy the file again."
_UNPUBLISHED = frozenset({"sam2matte"})
PICKLES = (".pt", ".pth")
DETECTORS = frozenset({"detr", "conditional_detr", "deformable_detr", "rt_detr", "rt_detr_v2", "d_fine"})
_OF_TYPE = {
    "sam2": SAM2,
    "sam2_video": SAM2,
    "sam3": SAM3,
    "sam3_video": SAM3,
    "sam3_tracker": SAM3,
    "sam3_tracker_video": SAM3,
    "edgetam": EDGETAM,
    "edgetam_video": EDGETAM,
    **dict.fromkeys(DETECTORS, DETECTOR),
}
_DATA = ("model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True)
class NetworkFiles:
    """One network on disk.

    Attributes:
        family: one of those above.
        path: a folder in the layout of the Hugging Face hub, or a `.pt` file in that of the original code.
        config: what config.json says; empty for a `.pt` file that has none beside it.
    """

    family: str
    path: Path
    config: Mapping[str, Any]

    @property
    def is_original(self) -> bool:
        """Whether it is a `.pt` file of the original code."""
        return self.path.suffix in PICKLES

    def files(self) -> list[Path]:
        """Return the files that decide what the network computes, sorted."""
        if self.is_original:
            return [path for path in (self.path, self.path.with_name(CONFIG)) if path.is_file()]
        return sorted(path for path in self.path.iterdir() if path.suffix in (".json", ".safetensors", ".txt"))

    def stored_bytes(self) -> int:
        """Return the size of these files."""
        return sum(path.stat().st_size for path in self.files())


def find(root: Path, place: str, wanted: str) -> NetworkFiles:
    """Return the network of the family `wanted` that lies in the folder of weights.

    Args:
        root: the folder of weights; or the network itself, a folder with config.json or a `.pt` file.
        place: name of the folder below `root` that is looked into first, which is that of the engine.
        wanted: a family.

    Raises:
        WeightsError: there is none; the message names what lies there of another family.
    """
    others: list[NetworkFiles] = []
    for folder in (root / place, root):
        for found in _networks(folder):
            if found.family == wanted:
                return found
            others.append(found)
    hint = _how(place, root)
    if others:
        raise WeightsError(f"{others[0].path} is {_named(others[0])}, not {SPOKEN[wanted]}", hint)
    raise WeightsError(f"there is no network of {SPOKEN[wanted]} in {root / place}", hint)


def _how(place: str, root: Path) -> str:
    if place in _UNPUBLISHED:
        return f"Put one that you trained into {root / place}: none is published. Any other SAM 2 runs too, unrefined."
    return f"Run `python install weights --with {place}`, or put the network into {root / place}."


def _networks(folder: Path) -> Iterator[NetworkFiles]:
    """Yield what `folder` is, then what lies in it, by name."""
    if folder.is_file():
        yield from _network(folder)
        return
    if not folder.is_dir():
        return
    yield from _network(folder)
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise WeightsError(f"cannot look into {folder}: {error.strerror or error}", "Check its permissions.") from error
    for path in inside:
        yield from _network(path)


def _network(path: Path) -> Iterator[NetworkFiles]:
    if path.is_file() and path.suffix in PICKLES:
        config = config_at(path.with_name(CONFIG))
        yield NetworkFiles(_family(config) or SAM2, path, config)
    elif path.is_dir() and any((path / name).is_file() for name in _DATA):
        config = config_at(path / CONFIG)
        if config.get("model_type"):
            yield NetworkFiles(_family(config) or str(config["model_type"]), path, config)


def _family(config: Mapping[str, Any]) -> str | None:
    return _OF_TYPE.get(str(config.get("model_type", "")))


def _named(found: NetworkFiles) -> str:
    kind = SPOKEN.get(found.family, f"a network of the type {found.family}")
    return f"{kind} by its config" if found.config else kind


def config_at(path: Path) -> dict[str, Any]:
    """Return the values of a JSON file of a network; empty where there is none. Raises as `read_config`."""
    return read_config(path, AGAIN) if path.exists() else {}
