"""What labels are made of: which clips, with which engines, and from when on quality control rejects one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from videomama_client.errors import BadInput
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage

from videomama_server.datasets.annotated_layouts import Read

_VERSION = 1  # of what a label is
_FADES = "held"


@dataclass(frozen=True)
class Chain:
    """How masks become alphas.

    Attributes:
        settings: of the first engine.
        then: the stages after it.
        maker: of the engine that makes the masks between annotated frames; None labels annotated frames alone.

    Raises:
        BadInput: the maker does not follow what it is shown.
    """

    settings: MatteSettings
    then: Sequence[Stage] = ()
    maker: MatteSettings | None = None

    def __post_init__(self) -> None:
        if self.maker is not None and self.maker.engine == _FADES:
            raise BadInput(
                f"the engine {_FADES} fades one mask into the next and follows nothing",
                "Name one that follows the object with --maker, such as sam2.",
            )

    @property
    def engines(self) -> list[str]:
        """The names of all engines that take part."""
        maker = [self.maker.engine] if self.maker else []
        return [*maker, self.settings.engine, *(stage.engine for stage in self.then)]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        maker = self.maker.plain() if self.maker else None
        return {"settings": self.settings.plain(), "then": [asdict(one) for one in self.then], "maker": maker}


@dataclass(frozen=True)
class LabelPlan:
    """What is to be labelled.

    Attributes:
        clips: what reads each, by name.
        chain: how masks become alphas.
        tolerate: share of a label's frames, 0..1, that quality control may flag before it is rejected.
        licence: of the clips, in a few words.
        folder: of the results.
    """

    clips: Mapping[str, Read]
    chain: Chain
    tolerate: float
    licence: str
    folder: Path

    def fingerprint(self, sources: Sequence[Path]) -> str:
        """Return a digest of all that decides a label but its clip's name; raises OSError."""
        stats = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in sources]
        decides = [_VERSION, stats, self.chain.plain(), self.tolerate]
        return hashlib.blake2b(json.dumps(decides, sort_keys=True).encode(), digest_size=16).hexdigest()


def shard_of(clips: Mapping[str, Read], number: int, count: int) -> dict[str, Read]:
    """Return every `count`-th clip from the one at place `number` on, from 1: all shards together are all clips."""
    names = sorted(clips)[number - 1 :: count]
    return {name: clips[name] for name in names}


def as_folder(name: str) -> str:
    """Return the name of a clip as a folder can have it."""
    return name.replace("/", "_")
