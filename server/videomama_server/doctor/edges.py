"""The edge refiners: whether packages and weights of each are there. Who uses none of them hears nothing."""

from __future__ import annotations

from pathlib import Path

from videomama_client.errors import WeightsError

from videomama_server.config import Config
from videomama_server.doctor.lines import DoctorLine, good, warning
from videomama_server.engines.edges.checkpoint import EXTRA, base_folder
from videomama_server.engines.mematte import files as mematte
from videomama_server.engines.runtime import packages
from videomama_server.engines.vitmatte import files as vitmatte

_PACKAGES = {vitmatte.ENGINE: ("torch", "transformers"), mematte.ENGINE: ("torch",)}


def examine(config: Config) -> list[DoctorLine]:
    """Return a line for each refiner whose weights are there, or of whose weights only a part is."""
    return [line for engine in _PACKAGES if (line := _line(engine, config.weights)) is not None]


def _line(engine: str, weights: Path) -> DoctorLine | None:
    name = f"engine {engine}"
    try:
        paths = vitmatte.found(weights) if engine == vitmatte.ENGINE else (mematte.find(weights),)
    except WeightsError as error:
        return warning(name, _sentence(error.message), error.hint) if _begun(engine, weights) else None
    try:
        packages.require(engine, _PACKAGES[engine], EXTRA)
    except WeightsError as error:
        return warning(name, _sentence(error.message), error.hint)
    folders = " and ".join(dict.fromkeys(str(path.parent) for path in paths))
    return good(name, f"Its weights are in {folders}")


def _begun(engine: str, weights: Path) -> bool:
    """Whether somebody put something into the folder of an engine's weights."""
    root = base_folder(weights)
    folders = [root / mematte.FOLDER] if engine == mematte.ENGINE else list(root.glob(f"{engine}-*"))
    return any(folder.is_dir() and any(folder.iterdir()) for folder in folders)


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
