"""A file of trainings that differ in one thing each, and the commands that run them; a training that ended is kept.

The file says what all have in common, and what each has of its own, by the options of `videomama train`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videomama_client.errors import BadInput
from videomama_client.whole_files import replacing

from videomama_server.batch.option_file import OptionFile, read
from videomama_server.train.recipe import SAM2MATTE, VIDEOMAMA

RESULT = "result"  # of a training, in its folder
_DONE = "ablation.json"  # the options of a training that ended, written last
_KEYS = ("network", "common", "runs", "windows", "evaluate")
_NETWORK, _AFTER = "network", "after"
_NOT_HERE = ("out", "estimate")
_FORM = "Write runs: with a name and options for each, as docs/training.md shows."

Options = dict[str, Any]  # texts, lists of texts, or None


@dataclass(frozen=True)
class AblationRun:
    """One training.

    Attributes:
        name: of its folder, and in the table.
        network: `videomama` or `sam2matte`.
        options: of its command, without dashes.
        folder: of the training.
    """

    name: str
    network: str
    options: Options
    folder: Path

    def arguments(self) -> list[str]:
        """Return the arguments of `videomama` that train it."""
        return ["train", self.network, *flags(self.options), "--out", str(self.folder)]

    def is_done(self) -> bool:
        """Whether it ended with these options."""
        try:
            said = json.loads((self.folder / _DONE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return said == self._said() and (self.folder / RESULT).is_dir()

    def note_done(self) -> None:
        """Keep that it ended; raises OSError."""
        with replacing(self.folder / _DONE, durable=True) as temporary:
            temporary.write_text(json.dumps(self._said(), indent=1) + "\n", encoding="utf-8")

    def _said(self) -> dict[str, Any]:
        return {_NETWORK: self.network, "options": self.options}


@dataclass(frozen=True)
class AblationPlan:
    """What is trained and how it is measured.

    Attributes:
        runs: in order.
        windows: lengths that each result of VideoMaMa is measured with; empty for the engine's own.
        data: folders that results are measured on.
        options: further ones of `videomama evaluate`.
    """

    runs: list[AblationRun]
    windows: list[int]
    data: list[str]
    options: Options

    def engines(self) -> dict[str, tuple[AblationRun, str]]:
        """Return which training and window stand behind each engine of `videomama evaluate`."""
        found: dict[str, tuple[AblationRun, str]] = {}
        for run in self.runs:
            engine = f"{run.network}:weights={run.folder / RESULT}"
            for window in self.windows if run.network == VIDEOMAMA else ():
                found[f"{engine},window={window}"] = run, str(window)
            if not self.windows or run.network != VIDEOMAMA:
                found[engine] = run, ""
        return found

    def arguments(self, out: Path) -> list[str]:
        """Return the arguments of `videomama` that measure all results into a folder."""
        engines = [word for name in self.engines() for word in ("--engine", name)]
        return ["evaluate", *self.data, *engines, *flags(self.options), "--out", str(out)]


def read_plan(path: Path, out: Path) -> AblationPlan:
    """Read a plan.

    Args:
        path: of a YAML or JSON file.
        out: folder that the folders of the trainings lie in.

    Raises:
        BadInput: the file is not a plan; the error names the line where it is known.
    """
    file = read(path)
    unknown = sorted(file.content.keys() - set(_KEYS))
    if unknown:
        raise BadInput(f"{file.where(unknown[0])}: unknown key {unknown[0]!r}", f"Known are {', '.join(_KEYS)}.")
    common = {_NETWORK: file.content.get(_NETWORK) or VIDEOMAMA, **_map(file, "common")}
    runs: dict[str, AblationRun] = {}
    for name in _map(file, "runs"):
        runs[name] = _run(file, name, {**common, **_map(file, "runs", name)}, runs, out)
    if not runs:
        raise BadInput(f"{path} names no trainings", _FORM)
    measured = _map(file, "evaluate")
    data = _listed(measured.pop("data", None))
    if not data or "out" in measured or "engine" in measured:
        raise BadInput(f"{file.where('evaluate')}: evaluate needs data, and no out and no engine", _FORM)
    return AblationPlan(list(runs.values()), _windows(file), data, measured)


def flags(options: Mapping[str, Any]) -> list[str]:
    """Return options as words of a command line: lists are repeated, `yes` is a flag alone, `no` and None are left."""
    found: list[str] = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        for one in _listed(value):
            found += [option] if one in ("yes", "true") else [option, one] * (one not in ("no", "false"))
    return found


def _run(file: OptionFile, name: str, options: Options, before: Mapping[str, AblationRun], out: Path) -> AblationRun:
    where = file.where("runs", name)
    if not name.replace("-", "").replace("_", "").isalnum():
        raise BadInput(f"{where}: {name!r} is not a valid name of a training", "Use letters, digits, - and _.")
    network, after = options.pop(_NETWORK), options.pop(_AFTER, None)
    if network not in (VIDEOMAMA, SAM2MATTE):
        raise BadInput(f"{where}: unknown network {network!r}", f"Choose {VIDEOMAMA} or {SAM2MATTE}.")
    if after is not None:
        if after not in before or before[after].network != network:
            raise BadInput(f"{where}: no {network} training {after!r} stands before {name}", "Name one above it.")
        result = before[after].folder / RESULT
        options |= {"unet": str(result / "VideoMaMa")} if network == VIDEOMAMA else {"sam2": str(result / SAM2MATTE)}
    for option in _NOT_HERE:
        if option in options:
            raise BadInput(f"{where}: {option} is not an option here", "Leave it out.")
    return AblationRun(name, network, {key: value for key, value in options.items() if value is not None}, out / name)


def _map(file: OptionFile, *keys: str) -> dict[str, Any]:
    found: Any = file.content
    for key in keys:
        found = found.get(key)
    if found is not None and not isinstance(found, dict):
        raise BadInput(f"{file.where(*keys)}: {keys[-1]} is not a map of names and values", _FORM)
    return dict(found or {})


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _windows(file: OptionFile) -> list[int]:
    words = _listed(file.content.get("windows"))
    if not all(word.isdecimal() and 1 <= int(word) <= 24 for word in words):
        raise BadInput(f"{file.where('windows')}: windows are lengths of 1 to 24 frames", "Write windows: [1, 8, 16].")
    return [int(word) for word in words]
