"""The result of a unit: one engine on one clip with one kind of masks, with the scores of every frame, on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from videomama_client.whole_files import replacing

from videomama_server.datasets.clip import Files

RESULT = "scores.json"
_VERSION = 1  # of the results, and of what the measures mean


@dataclass(frozen=True)
class UnitResult:
    """What came of a unit.

    Attributes:
        fingerprint: of all that decides it.
        engine: what computed it, as the server names it; empty for masks.
        size: width and height of the plates in pixels.
        frames: their numbers, ascending.
        scores: of each frame by measure; None for what a frame has no figure of.
        seconds_per_frame: None unless every frame was computed then.
        warnings: of the server.
    """

    fingerprint: str
    engine: str
    size: tuple[int, int]
    frames: list[int]
    scores: dict[str, list[float | None]]
    seconds_per_frame: float | None = None
    warnings: list[str] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write the result, whole or not at all; raises OSError."""
        with replacing(folder / RESULT) as temporary:
            temporary.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")


def load(folder: Path, fingerprint: str, pictures: Iterable[Path]) -> UnitResult | None:
    """Return the result in a folder if it has that fingerprint and its pictures are there; any other is none."""
    try:
        content = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        result = UnitResult(**{**content, "size": tuple(content["size"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if result.fingerprint != fingerprint or not all(picture.is_file() for picture in pictures):
        return None
    return result


def forget(folder: Path) -> None:
    """Remove the result, before what it stands for is changed."""
    (folder / RESULT).unlink(missing_ok=True)


def fingerprint(sources: Sequence[Files | None], **decides: Any) -> str:
    """Return a digest of source files, by name, size and time, and of values that JSON can hold."""
    stats = [None if files is None else [_stat(files[number]) for number in sorted(files)] for files in sources]
    text = json.dumps([_VERSION, stats, decides], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _stat(path: Path) -> list[Any]:
    found = path.stat()
    return [str(path.absolute()), found.st_size, found.st_mtime_ns]
