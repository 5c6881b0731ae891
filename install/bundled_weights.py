"""Weights in a bundle: which files they are, found by the server's own search, and where an install puts them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Optional

from archive import WEIGHTS, Bundle
from environment import Environment
from failure import InstallError
from room import ensure_room

# Runs in the environment: what is a UNet of VideoMaMa's, and where its parts are, only the server knows.
_FIND = """
import json, sys
from pathlib import Path
from videomama_client.errors import WeightsError
from videomama_server.engines.videomama.checkpoint import headers, layouts

def files(path):
    if not headers.is_pickle(path):
        headers.read_whole(path)
    beside = [path, *headers.shards(path), path.with_name("config.json")]
    return sorted({str(file) for file in beside if file.is_file()})

try:
    found = layouts.find(Path(sys.argv[1]))
    parts = {"VideoMaMa/unet": files(found.unet)}
    if found.vae != found.unet:
        parts["stable-video-diffusion-img2vid-xt/vae"] = files(found.vae)
    print(json.dumps({"parts": parts}))
except WeightsError as error:
    print(json.dumps({"problem": error.message, "hint": error.hint}))
"""


def find(folder: Path, environment: Environment) -> dict[str, Path]:
    """The files of the weights in `folder`, in any layout, by their names in a bundle."""
    answer = _answer(environment, ["-c", _FIND, str(folder)])
    if "problem" in answer:
        raise InstallError(f"{folder} has no weights to bundle: {answer['problem']}.", str(answer["hint"]))
    return {
        f"{WEIGHTS}{place}/{Path(file).name}": Path(file) for place, files in answer["parts"].items() for file in files
    }


def place(bundle: Bundle, environment: Environment) -> Optional[Path]:
    """Unpack the bundle's weights where the server looks for them; return the folder, or None when there are none.

    A file is under its name only when it is whole; those that are there with the right size are left alone.
    """
    names = bundle.manifest.names(WEIGHTS)
    if not names:
        return None
    report = _answer(environment, ["-m", "videomama_server", "weights", "where", "--json"])
    folder = Path(report["weights"])
    due = {name: folder / name[len(WEIGHTS) :] for name in names}
    due = {name: path for name, path in due.items() if _size(path) != bundle.manifest.members[name][0]}
    if report["problem"] is None and len(due) == len(names):
        print(f"{folder} has weights already; those of the bundle are not used.", flush=True)
        return folder
    ensure_room(folder, bundle.manifest.size(due), "the weights")
    for name, path in due.items():
        print(f"Unpacking {path.name} ({bundle.manifest.size([name]) / 1e6:.1f} MB).", flush=True)
        partial = path.with_name(path.name + ".partial")
        try:
            bundle.unpack(name, partial)
            partial.replace(path)
        finally:
            if partial.exists():
                partial.unlink()
    return folder


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _answer(environment: Environment, arguments: list[str]) -> dict[str, Any]:
    """What the environment's Python prints as one line of JSON."""
    command = [str(environment.script("python")), "-I", *arguments]
    ran = subprocess.run(command, env=environment.variables(), capture_output=True, encoding="utf-8", check=False)
    try:
        answer = json.loads(ran.stdout)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise InstallError(
            f"The server could not be asked about weights:\n{ran.stderr.strip()[-2000:]}", "Run `python install check`."
        )
    return answer
