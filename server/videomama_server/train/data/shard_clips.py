"""Finds what training reads in shards: which tar files are meant, and which of their members are clips with alphas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from videomama_client.errors import BadInput

from videomama_server.datasets.clip import PICTURES, GroundTruthClip
from videomama_server.datasets.detection import folders
from videomama_server.train.data.shards import SUFFIX, ShardPath, is_shard, open_shard

_PLATES = ("plate", "har", "com")  # names of folders, or of files before their number; the first that is there
_TRUTHS = ("truth", "pha", "alpha")
_WORDS = frozenset((*_PLATES, *_TRUTHS))
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_NUMBER = re.compile(r"\d+$")
_EXPECTED = "Expected are CLIP/plate/NAME.0001.exr with CLIP/truth/NAME.0001.exr, or KEY.plate.jpg with KEY.truth.png."

_Frames = dict[str, dict[int, Path]]  # files by what they are, such as `plate`, and by frame number


def places(asked: Sequence[Path]) -> list[Path]:
    """Return folders as they are, and the shards that are meant, opened.

    A path that ends in .tar is a shard, or a pattern of several, such as `set-{0000..0063}.tar` and `set-*.tar`. A
    folder of shards stands for all of them.

    Raises:
        BadInput: there is no such shard, it is not whole, or a folder holds clips and shards.
        NotPermitted: a shard cannot be read.
    """
    return [place for path in asked for place in _places(path)]


def clips_in(shard: ShardPath) -> list[GroundTruthClip]:
    """Return the clips with exact alphas in a shard.

    Plates and alphas lie in folders of their names in the clip's, as `videomama label` writes them, or have these names
    before their frame number. A still is KEY.plate.jpg with KEY.truth.png.

    Raises:
        BadInput: there are none, or a plate or an alpha is missing; the error names shard and member.
    """
    found: dict[str, _Frames] = {}
    for path in _members(shard):
        placed = _placed(path.relative_to(shard).parts)
        if placed:
            clip, what, number = placed
            found.setdefault(clip, {}).setdefault(what, {})[number] = path
    if not found:
        raise BadInput(f"{shard} has no plates with alphas", _EXPECTED)
    return [_clip(shard, name, frames) for name, frames in sorted(found.items())]


def _places(path: Path) -> Iterator[Path]:
    inside = sorted(one for one in path.glob(f"*{SUFFIX}") if one.is_file()) if path.is_dir() else []
    if not inside and not is_shard(path):
        yield path
        return
    others = [one for one in folders(path) if inside]
    if others:
        raise BadInput(f"{path} holds shards and the folder {others[0].name}", "Name each of them.")
    for one in inside or _meant(path):
        yield open_shard(one)


def _meant(pattern: Path) -> list[Path]:
    """Return the paths that a pattern stands for, in order."""
    if pattern.exists():
        return [pattern]
    return [one for text in _expanded(str(pattern)) for one in _matching(Path(text))]


def _matching(path: Path) -> list[Path]:
    """Return a path, or the files that its name is a pattern of."""
    if not set(path.name) & set("*?["):
        return [path]
    found = sorted(path.parent.glob(path.name))
    if not found:
        raise BadInput(f"no shard is called {path}", "Check the pattern.")
    return found


def _expanded(text: str) -> list[str]:
    """Return the texts that braces stand for, as in bash: `{a,b}`, and `{0000..0063}` with its zeros."""
    braces = _BRACES.search(text)
    if braces is None:
        return [text]
    numbers = _RANGE.fullmatch(braces[1])
    if numbers:
        first, last, width = int(numbers[1]), int(numbers[2]), len(numbers[1])
        words = [f"{number:0{width}}" for number in range(first, last + 1)]
    else:
        words = braces[1].split(",")
    return [one for word in words for one in _expanded(text[: braces.start()] + word + text[braces.end() :])]


def _members(folder: Path) -> Iterator[Path]:
    """Yield the pictures in a folder of a shard and below, in order."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _members(path)
        elif path.suffix.lower() in PICTURES:
            yield path


def _placed(parts: tuple[str, ...]) -> tuple[str, str, int] | None:
    """Return clip, what it is and frame number of a member; None for what is neither a plate nor an alpha."""
    *above, name = parts
    stem = PurePosixPath(name).stem
    key, _, part = stem.rpartition(".")
    if key and part in _WORDS:
        return "/".join([*above, key]), part, 0
    number = _NUMBER.search(stem)
    head = stem.partition(".")[0]
    if number and above and above[-1] in _WORDS:
        return "/".join(above[:-1]), above[-1], int(number[0])
    if number and head in _WORDS:
        return "/".join(above), head, int(number[0])
    return None


def _clip(shard: ShardPath, clip: str, frames: Mapping[str, Mapping[int, Path]]) -> GroundTruthClip:
    name = f"{shard.name}/{clip}" if clip else shard.name
    plate, truth = (next((frames[word] for word in words if word in frames), {}) for words in (_PLATES, _TRUTHS))
    _check_pairs(name, plate, "alpha", truth)
    _check_pairs(name, truth, "plate", plate)
    try:
        return GroundTruthClip(name, name, "shards", "", plate, truth)
    except BadInput as error:
        raise error.within(f"{shard.parent / name}") from error


def _check_pairs(clip: str, files: Mapping[int, Path], lacking: str, others: Mapping[int, Path]) -> None:
    alone = sorted(files.keys() - others.keys())
    if alone:
        raise BadInput(f"{files[alone[0]]} has no {lacking}: {clip} is not whole", "Make the shard again.")
