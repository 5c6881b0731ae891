"""Imports weights that are on this machine already, in any layout, by link or copy into the published one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from videomama_client.errors import NotPermitted, WeightsError
from videomama_client.whole_files import replacing

from videomama_server.engines.videomama.checkpoint import checks, headers, layouts, published
from videomama_server.engines.videomama.checkpoint.layouts import Checkpoint
from videomama_server.files import disk_space
from videomama_server.weights import digests, folder, manifest
from videomama_server.weights.catalogue import UNET_FOLDER, VAE_FOLDER, Offer
from videomama_server.weights.digests import Digests, Progress
from videomama_server.weights.fetch import WeightsOutcome
from videomama_server.weights.manifest import ManifestRow

_OTHER = "Move them away, or name another folder with --to DIR."
_STANDARD = {"unet": "diffusion_pytorch_model.safetensors", "vae": "diffusion_pytorch_model.fp16.safetensors"}


@dataclass(frozen=True)
class Import:
    """Where weights are, where they go, and whether they are copied or linked.

    Attributes:
        offer: what is published, to say whether this is it.
        origin: a folder in any layout, or a file.
        weights: the folder that gets them.
        copy: copy; else a hard link, or where that cannot be a symbolic one.
    """

    offer: Offer
    origin: Path
    weights: Path
    copy: bool = False


@dataclass(frozen=True)
class _Placed:
    """A file to be linked, or text to be written, at `place` in the folder of weights."""

    place: str
    origin: Path
    text: str = ""


def adopt(order: Import, progress: Progress, say: Callable[[str], None]) -> WeightsOutcome:
    """Do an import; the weights are checked before and after.

    Args:
        order: what to import.
        progress: told of each file, often.
        say: told what takes long or is unusual, in a sentence.

    Raises:
        WeightsError: there are no weights, they are not VideoMaMa's or not whole, or others are in the way.
        NotPermitted: the folder cannot be written, its disk has no room, or no link can be made.
    """
    checkpoint = layouts.find(order.origin)
    for path in _files(checkpoint):
        if not headers.is_pickle(path):
            headers.read_whole(path)
    if order.weights.is_dir() and _inside(checkpoint, order.weights):
        return WeightsOutcome(
            0, (f"nothing to do: {checkpoint.unet} is in {order.weights}, which is read in any layout",)
        )
    say(f"checking {checkpoint.unet} and {checkpoint.vae}")
    passed = list(checks.run(checkpoint))
    _refuse_others(order, checkpoint)
    placed = _plan(checkpoint)
    if order.copy:
        sizes = [one.origin.stat().st_size for one in placed if not (order.weights / one.place).exists()]
        disk_space.require([disk_space.Share(order.weights, sum(sizes), "for the weights")], folder.OTHERS)
    with folder.held(order.weights, lambda: say(f"another process works in {order.weights}; waiting for it")):
        folder.remove_leftovers(order.weights)
        known, lines = manifest.read(order.weights).there(order.weights), []
        for one in placed:
            row, how = _put(order, one, progress)
            known = known.with_row(row)
            lines.append(f"{row.path} {how}")
        known.write(order.weights)
    _refuse_not_taken(order, checkpoint, placed)
    return WeightsOutcome(0, (*lines, *passed))


def _files(checkpoint: Checkpoint) -> list[Path]:
    return list(dict.fromkeys((checkpoint.unet, checkpoint.vae)))


def _inside(checkpoint: Checkpoint, weights: Path) -> bool:
    return all(path.absolute().is_relative_to(weights.absolute()) for path in _files(checkpoint))


def _refuse_others(order: Import, checkpoint: Checkpoint) -> None:
    """Raise WeightsError when the folder has whole weights already that are not these."""
    try:
        there = layouts.find(order.weights)
        same = all(
            a.stat().st_size == b.stat().st_size
            for a, b in ((there.unet, checkpoint.unet), (there.vae, checkpoint.vae))
        )
    except (WeightsError, OSError):
        return
    if not same:
        raise WeightsError(f"{order.weights} has other weights already: {there.unet} and {there.vae}", _OTHER)


def _refuse_not_taken(order: Import, checkpoint: Checkpoint, placed: list[_Placed]) -> None:
    """Check what an engine will find: the files that were put there, describing the same networks."""
    found = layouts.find(order.weights)
    put = {order.weights / one.place for one in placed}
    wrong = [path for path in (found.unet, found.vae) if path not in put]
    if wrong:
        raise WeightsError(f"the import is done, but {wrong[0]} in the same folder would be used before it", _OTHER)
    if (_plain(found.unet_config), _plain(found.vae_config)) != (
        _plain(checkpoint.unet_config),
        _plain(checkpoint.vae_config),
    ):
        raise WeightsError(
            f"the networks in {order.weights} are described differently from those in {order.origin}", _OTHER
        )


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if not name.startswith("_")}


def _plan(checkpoint: Checkpoint) -> list[_Placed]:
    """Return what goes where: configs first, so that no network is ever there without its own."""
    if checkpoint.unet == checkpoint.vae:
        return _merged(checkpoint.unet)
    unet = _part("unet", checkpoint.unet, checkpoint.unet_config, published.UNET_CLASS)
    return unet + _part("vae", checkpoint.vae, checkpoint.vae_config, published.VAE_CLASS)


def _merged(path: Path) -> list[_Placed]:
    """Return the plan for one file with both networks: its config, of which there can be one only, comes along."""
    folder_name = Path(UNET_FOLDER).parent.as_posix()
    config = path.with_name("config.json")
    placed = [_Placed(f"{folder_name}/{file.name}", file) for file in _data(path)]
    if config.is_file():
        placed.insert(0, _Placed(f"{folder_name}/config.json", config, config.read_text(encoding="utf-8")))
    return placed


def _part(part: str, path: Path, config: Mapping[str, Any], kind: str) -> list[_Placed]:
    place = {"unet": UNET_FOLDER, "vae": VAE_FOLDER}[part]
    own = path.with_name("config.json")
    if published.read(path).get("_class_name") == kind:
        text = own.read_text(encoding="utf-8")
    else:
        text = json.dumps({**config, "_class_name": kind}, indent=2) + "\n"
    files = _data(path)
    # Shards are named by their index, and a pickle is only known by its name.
    kept = len(files) > 1 or path.name.startswith("diffusion_pytorch_model")
    placed = [_Placed(f"{place}/{file.name if kept else _renamed(part, file)}", file) for file in files]
    return [_Placed(f"{place}/config.json", own, text), *placed]


def _renamed(part: str, file: Path) -> str:
    return f"diffusion_pytorch_model{file.suffix}" if headers.is_pickle(file) else _STANDARD[part]


def _data(path: Path) -> list[Path]:
    """Return a network's files, an index last: without it shards are nothing."""
    shards = headers.shards(path)
    return shards if path in shards else [*shards, path]


def _put(order: Import, one: _Placed, progress: Progress) -> tuple[ManifestRow, str]:
    """Put one file into place, or leave it when it is there; return its row, and how it came."""
    target = order.weights / one.place
    if one.text:
        how = _write(target, one.text)
        found = digests.of(target)
    else:
        found = digests.of_readable(one.origin, progress)
        how = _bring(order, one.origin, target, found, progress)
    is_published = found.md5 in order.offer.pins()
    if not one.text and not is_published:
        how += " (not the published file, but one that passed the checks)"
    return ManifestRow(one.place, str(one.origin), "", found.size, found.md5, found.sha256, is_published), how


def _write(target: Path, text: str) -> str:
    if target.exists():
        if target.read_text(encoding="utf-8", errors="replace") != text:
            raise WeightsError(f"{target} is there already and is another one", _OTHER)
        return "was there"
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return "written"


def _bring(order: Import, origin: Path, target: Path, found: Digests, progress: Progress) -> str:
    if target.exists():
        if not target.samefile(origin) and digests.of(target, progress) != found:
            raise WeightsError(f"{target} is there already and is another one", _OTHER)
        return "was there"
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as temporary:
        return _copy(origin, temporary, found, progress) if order.copy else _link(origin, temporary)


def _link(origin: Path, target: Path) -> str:
    # Itself and not a link to it, which os.link would link again, and which may be relative.
    real = origin.resolve()
    try:
        os.link(real, target)
    except OSError:
        try:
            target.symlink_to(real)
        except OSError as error:
            raise NotPermitted(
                f"{real} can be linked into {target.parent} neither hard nor symbolically: {error.strerror or error}",
                "Import it with --copy.",
            ) from error
        return f"is a symbolic link to {real}"
    return f"is a hard link to {real}"


def _copy(origin: Path, target: Path, found: Digests, progress: Progress) -> str:
    shutil.copyfile(origin, target)
    if digests.of(target, progress, origin.name) != found:
        raise WeightsError(
            f"{origin} changed while it was copied, or the disk is faulty", "Run the same command again."
        )
    return f"copied from {origin}"
