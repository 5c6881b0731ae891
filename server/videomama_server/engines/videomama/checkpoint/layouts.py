"""Finds VideoMaMa's UNet and the SVD temporal VAE in any folder layout, by what the headers of the files say.

Names of folders only decide which of several is taken. What a file is follows from the shapes in its header, so SVD's
own UNet, which takes 8 channels, is never taken for VideoMaMa's, which takes 12. Imports no torch.
"""

from __future__ import annotations

import logging
import stat
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from videomama_client.errors import WeightsError

from videomama_server.engines.videomama.checkpoint import headers, preference, published
from videomama_server.engines.videomama.checkpoint.headers import CheckpointHeader, TensorInfo
from videomama_server.engines.videomama.checkpoint.published import UNET_CHANNELS

log = logging.getLogger(__name__)

PREFIXES = {"unet": ("", "unet.", "model.diffusion_model."), "vae": ("", "vae.", "first_stage_model.")}
_MARKERS = {"unet": ("conv_in.weight",), "vae": ("encoder.conv_in.weight", "decoder.conv_in.weight")}
_ORIGINAL_UNET = "model.diffusion_model.input_blocks.0.0.weight"
_ORIGINAL_ADDED_IDS = "model.diffusion_model.label_emb.0.0.weight"
_DEEPEST = 6  # folders below the one that was named
_MOST_FOLDERS = 4096
_MOST_FILES = 4096


@dataclass(frozen=True)
class Checkpoint:
    """The two networks' files and configs.

    Attributes:
        unet, vae: a safetensors file, an index of shards (`*.safetensors.index.json`), or a pickle; the same path
            twice for a merged file.
        unet_config, vae_config: as in config.json beside the file; what is not said there is as published.
    """

    unet: Path
    vae: Path
    unet_config: dict[str, Any]
    vae_config: dict[str, Any]


@dataclass
class _Found:
    """What a search came upon: candidates with whether they are whole, and what looked right and is not."""

    unets: dict[Path, bool] = field(default_factory=dict)
    vaes: dict[Path, bool] = field(default_factory=dict)
    wrong_unets: dict[Path, int] = field(default_factory=dict)  # channels that their conv_in takes
    image_vaes: list[Path] = field(default_factory=list)
    original_unets: list[Path] = field(default_factory=list)  # in the names of the original SVD code
    original_vaes: list[Path] = field(default_factory=list)
    broken: list[WeightsError] = field(default_factory=list)


def find(folder: Path) -> Checkpoint:
    """Return the checkpoint in `folder`, or that of a UNet or merged file.

    Of several the safetensors file that is whole and the least deep is taken, of a trainer's `checkpoint-N` the highest
    N, of several precisions the highest; `unet_ema` only when there is no other.

    Args:
        folder: searched down to six levels, links followed; or a file, whose VAE is then looked for in the file itself,
            in its folder and in the two above.

    Raises:
        WeightsError: there is no such folder, or it holds no UNet of 12 channels, or no temporal VAE.
    """
    kind = _kind(folder)
    if stat.S_ISREG(kind):
        return _from_file(folder)
    if not stat.S_ISDIR(kind):
        raise WeightsError(f"there is no folder of weights {folder}", _unet_place(folder))
    found = _search(_files(folder, _DEEPEST))
    unet = _unet(found, folder)
    return _checkpoint(unet, _vae(found, unet, folder), folder)


def prefix_of(tensors: Mapping[str, TensorInfo] | Mapping[str, object], part: str) -> str | None:
    """Return what stands before the names of a part ("unet" or "vae") in a file; None when the part is not in it."""
    for prefix in PREFIXES[part]:
        if all(prefix + marker in tensors for marker in _MARKERS[part]):
            return prefix
    return None


def _from_file(path: Path) -> Checkpoint:
    found = _Found()
    if headers.is_pickle(path):
        found.unets[path] = True
    else:
        _classify(path, found)
    unet = _unet(found, path)
    for root, depth in ((path.parent, 3), (path.parent.parent, 2), (path.parent.parent.parent, 2)):
        if found.vaes:
            break
        found = _search(_files(root, depth))
    return _checkpoint(unet, _vae(found, unet, path.parent), path.parent)


def _checkpoint(unet: Path, vae: Path, root: Path) -> Checkpoint:
    log.debug("weights under %s: %s and %s", root, unet, vae)
    return Checkpoint(unet, vae, published.unet_config(unet), published.vae_config(vae))


def _unet(found: _Found, root: Path) -> Path:
    if found.unets:
        return min(found.unets, key=lambda path: preference.rank(path, root, found.unets[path]))
    if found.broken:
        raise found.broken[0]
    for path in found.original_unets:
        raise WeightsError(
            f"{path} has the names of the original SVD code, which are not read",
            f"Use the files with diffusers' names. {_unet_place(root)}",
        )
    for path, channels in found.wrong_unets.items():
        whose = ": it is Stable Video Diffusion's own" if channels == 8 else ""
        raise WeightsError(
            f"the UNet {path} takes {channels} channels and VideoMaMa's takes {UNET_CHANNELS}{whose}", _unet_place(root)
        )
    if stat.S_ISDIR(_kind(root)) and not _listed(root):
        raise WeightsError(f"the folder of weights {root} is empty, or may not be read", _unet_place(root))
    raise WeightsError(f"there is no UNet of VideoMaMa in {root}", _unet_place(root))


def _vae(found: _Found, unet: Path, root: Path) -> Path:
    if unet in found.vaes:
        return unet
    if found.vaes:
        return min(found.vaes, key=lambda path: preference.rank(path, root, found.vaes[path]))
    if found.broken:
        raise found.broken[0]
    for path in found.original_vaes:
        raise WeightsError(
            f"the VAE in {path} has the names of the original SVD code, which are not read", _vae_place(root)
        )
    for path in found.image_vaes:
        raise WeightsError(f"the VAE {path} has no temporal decoder, so it is not that of SVD-XT", _vae_place(root))
    raise WeightsError(f"the UNet {unet} is there, but no VAE of SVD-XT is in {root}", _vae_place(root))


def _unet_place(folder: Path) -> str:
    place = folder.parent if stat.S_ISREG(_kind(folder)) else folder
    return (
        "Run `python install weights`, or take another engine: --engine classic. "
        "By hand: put SammyLim/VideoMaMa's unet/config.json and unet/diffusion_pytorch_model.safetensors into "
        f"{place / 'VideoMaMa' / 'unet'}; `videomama weights check` then looks at them, and `videomama weights where` "
        "shows the config's `weights` folder."
    )


def _vae_place(folder: Path) -> str:
    return (
        "Run `python install weights`. By hand: put vae/config.json and "
        "vae/diffusion_pytorch_model.fp16.safetensors of stabilityai/stable-video-diffusion-img2vid-xt into "
        f"{folder / 'stable-video-diffusion-img2vid-xt' / 'vae'}; `videomama weights check` then looks at them."
    )


def _files(root: Path, depth: int) -> Iterator[Path]:
    """Yield the weight files under `root`, least deep first and by name; each real folder once, hidden ones never."""
    folders, seen, files = deque([(root, 0)]), set[tuple[int, int]](), 0
    while folders and len(seen) < _MOST_FOLDERS and files < _MOST_FILES:
        folder, level = folders.popleft()
        real = folder.stat()
        if (real.st_dev, real.st_ino) in seen:
            continue
        seen.add((real.st_dev, real.st_ino))
        shown = [path for path in _listed(folder) if not path.name.startswith(".")]
        if level < depth:
            folders.extend((path, level + 1) for path in shown if stat.S_ISDIR(_kind(path)))
        weights = _without_shards([path for path in shown if _is_weights(path)])
        files += len(weights)
        yield from weights
    if folders:
        log.warning("%s holds too many folders or files; not all were looked at for weights", root)


def _kind(path: Path) -> int:
    """Return the mode of what is there, links followed; 0 when there is nothing, or nothing that may be seen."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return 0


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        log.debug("not looked into: %s", error)
        return []


def _is_weights(path: Path) -> bool:
    if headers.is_pickle(path):
        return path.name.startswith("diffusion_pytorch_model")
    return path.name.endswith((headers.SUFFIX, headers.INDEX_SUFFIX))


def _without_shards(paths: list[Path]) -> list[Path]:
    """Leave out the files that an index beside them names; the index stands for them."""
    named: set[Path] = set()
    for path in paths:
        if path.name.endswith(headers.INDEX_SUFFIX):
            try:
                named.update(headers.shards(path))
            except WeightsError as error:
                log.debug("not an index: %s", error)
    return [path for path in paths if path not in named]


def _search(paths: Iterator[Path]) -> _Found:
    found = _Found()
    for path in paths:
        if headers.is_pickle(path):
            _classify_pickle(path, found)
        elif stat.S_ISREG(_kind(path)):  # a link may lead nowhere
            _classify(path, found)
    return found


def _classify(path: Path, found: _Found) -> None:
    try:
        header = headers.read(path)
    except WeightsError as error:
        log.debug("passed over: %s", error)
        found.broken.append(error)
        return
    _classify_unet(path, header, found)
    _classify_vae(path, header, found)


def _classify_unet(path: Path, header: CheckpointHeader, found: _Found) -> None:
    tensors = header.tensors
    prefix = prefix_of(tensors, "unet")
    if prefix is not None:
        channels = _channels(tensors[f"{prefix}conv_in.weight"])
        if channels == UNET_CHANNELS:
            found.unets[path] = not header.shortfall
        elif f"{prefix}add_embedding.linear_1.weight" in tensors:
            found.wrong_unets[path] = channels
    elif _ORIGINAL_UNET in tensors:
        channels = _channels(tensors[_ORIGINAL_UNET])
        if channels == UNET_CHANNELS:
            found.original_unets.append(path)
        elif _ORIGINAL_ADDED_IDS in tensors:
            found.wrong_unets[path] = channels


def _classify_vae(path: Path, header: CheckpointHeader, found: _Found) -> None:
    prefix = prefix_of(header.tensors, "vae")
    if prefix is None:
        return
    if f"{prefix}decoder.time_conv_out.weight" in header.tensors:
        found.vaes[path] = not header.shortfall
    elif f"{prefix}decoder.conv_out.time_mix_conv.weight" in header.tensors:
        found.original_vaes.append(path)
    else:
        found.image_vaes.append(path)


def _classify_pickle(path: Path, found: _Found) -> None:
    """Go by the config beside a pickle, which is not opened to find out what it is."""
    config = published.read(path)
    if config.get("_class_name") == published.VAE_CLASS:
        found.vaes[path] = True
    elif config.get("_class_name") == published.UNET_CLASS:
        channels = config.get("in_channels", 8)  # as diffusers has it where nothing is said
        if channels == UNET_CHANNELS:
            found.unets[path] = True
        elif isinstance(channels, int):
            found.wrong_unets[path] = channels


def _channels(info: TensorInfo) -> int:
    """Return the channels that a 3x3 convolution takes; 0 when the tensor is none."""
    return info.shape[1] if len(info.shape) == 4 and info.shape[2:] == (3, 3) else 0
