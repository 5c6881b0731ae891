"""The model's weights: whether they are there, whole, VideoMaMa's own, and still what was fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from videomama_client.errors import WeightsError

from videomama_server.asking import NoAnswer, ask_python
from videomama_server.config import Config
from videomama_server.doctor.lines import DoctorLine, good, problem, warning
from videomama_server.engines.videomama.checkpoint import headers, layouts
from videomama_server.engines.videomama.checkpoint.layouts import Checkpoint
from videomama_server.weights import manifest

NAME = "weights"
_CHECK_S = 180.0
_CONV_IN = "conv_in.weight"
_FETCH = (
    "`python install weights` fetches them (6.3 GB), `python install weights --from DIR` takes those that you have. "
    "The engine classic does without."
)
_AGAIN = "`python install weights` fetches them again; `videomama weights check` says more."


def examine(config: Config, torch_installed: bool, computes: bool) -> list[DoctorLine]:
    """Look at the folder of weights; reads headers, not the data.

    Args:
        torch_installed: the shapes of all tensors can be checked, too.
        computes: the model would be chosen where weights are there: wrong ones then break every job.
    """
    say = problem if computes and config.device != "cpu" else warning
    try:
        found = layouts.find(config.weights)
    except WeightsError as error:
        return [warning(NAME, _sentence(error.message), _FETCH)]
    try:
        what = _described(found)
        _compare(config.weights)
    except WeightsError as error:
        return [say(NAME, _sentence(error.message), _AGAIN)]
    if not torch_installed:
        return [good(NAME, what)]
    return [_checked(config.weights, what, say)]


def _described(found: Checkpoint) -> str:
    """Return what is there in words; raises WeightsError when a file is not whole."""
    if headers.is_pickle(found.unet) or headers.is_pickle(found.vae):
        return f"{found.unet} and {found.vae}"
    tensors = headers.read_whole(found.unet).tensors
    headers.read_whole(found.vae)
    prefix = layouts.prefix_of(tensors, "unet") or ""
    channels = tensors[prefix + _CONV_IN].shape[1]
    size = sum(shard.stat().st_size for path in {found.unet, found.vae} for shard in headers.shards(path))
    return f"{found.unet} ({channels} channels) and {found.vae}, {size / 1e9:.2f} GB, whole"


def _compare(folder: Path) -> None:
    """Compare the files with the manifest of their download, where there is one; raises WeightsError."""
    for row in manifest.read(folder).files.values():
        path = folder / row.path
        if not path.is_file():
            raise WeightsError(f"{path} was fetched, and is not there any more", _AGAIN)
        if path.stat().st_size != row.size:
            has = path.stat().st_size
            raise WeightsError(f"{path} has {has:,} bytes, and had {row.size:,} when it was fetched", _AGAIN)


def _checked(folder: Path, what: str, say: Any) -> DoctorLine:
    """Run `videomama weights check`, which needs torch and takes seconds."""
    try:
        report = ask_python(["-m", "videomama_server", "weights", "check", str(folder), "--json"], _CHECK_S)
    except NoAnswer as error:
        return warning(NAME, f"{what}; not checked further: {error.message}", _AGAIN)
    if report["ok"]:
        return good(NAME, f"{what}, of the right shapes")
    line: DoctorLine = say(NAME, _sentence(report["problem"]), report["hint"] or _AGAIN)
    return line


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
