"""Where the files of ViTMatte's networks lie; imports nothing heavy."""

from __future__ import annotations

import json
from pathlib import Path

from videomama_client.engine_settings import BASE, SMALL
from videomama_client.errors import WeightsError

from videomama_server.engines.edges import checkpoint

ENGINE = "vitmatte"
CONFIG, PREPROCESSOR, TENSORS = "config.json", "preprocessor_config.json", "model.safetensors"
_CLASS = "VitMatteForImageMatting"


def folder_name(model: str) -> str:
    """Return the folder of a network, as its repository is called."""
    return f"vitmatte-{model}-composition-1k"


def find(weights: Path, model: str) -> tuple[Path, ...]:
    """Return config, preprocessor's config and tensors of a network.

    Args:
        weights: of the config or the job: a folder that has the network's folder, or is it.
        model: `small` or `base`.

    Raises:
        WeightsError: they are not there.
    """
    root = checkpoint.base_folder(weights)
    own = [root] if _is_one(root) else []
    for folder in (*own, root / folder_name(model)):
        found = tuple(folder / name for name in (CONFIG, PREPROCESSOR, TENSORS))
        if all(path.is_file() for path in found):
            return found
    if model == SMALL:
        raise checkpoint.missing(ENGINE, root / folder_name(model))
    raise checkpoint.missing(ENGINE, root / folder_name(model), f"weights of its network {model}", f"{ENGINE}-{model}")


def found(weights: Path) -> tuple[Path, ...]:
    """Return the files of all networks that are there, of one at least; raises `WeightsError` for none."""
    there: dict[Path, None] = {}
    lacking: WeightsError | None = None
    for model in (BASE, SMALL):
        try:
            there.update(dict.fromkeys(find(weights, model)))
        except WeightsError as error:
            lacking = error
    if not there and lacking is not None:
        raise lacking
    return tuple(there)


def _is_one(folder: Path) -> bool:
    """Whether a folder is that of a network itself, as where a job names one."""
    try:
        said = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and _CLASS in (said.get("architectures") or ())
