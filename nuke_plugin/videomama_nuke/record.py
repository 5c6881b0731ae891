"""What a node remembers of its last refine, as JSON in a hidden knob: it is saved with the script and read on farms."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import nuke
from videomama_client.settings import MatteSettings


@dataclass(frozen=True)
class Record:
    """The last refine of a node.

    Attributes:
        key: of `key_of`.
        settings: of the knobs, without a region that was found.
        mask_channel: channel that was exported as mask.
        clip: the plate's range, `1001-1100`.
        signature: of what is upstream; empty where that cannot be known.
        engine: that computed.
        roi: the region `x,y,w,h` that was found or given; empty for none.
        out: pattern of the alphas, with %V in a project of several views.
    """

    key: str
    settings: dict[str, Any]
    mask_channel: str
    clip: str
    signature: str
    engine: str
    roi: str
    out: str


def key_of(settings: MatteSettings, mask_channel: str, clip: str, signature: str) -> str:
    """Return what two refines share exactly when their alphas may lie in one sequence."""
    content = [asdict(settings), mask_channel, clip, signature]
    return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=8).hexdigest()


def read(node: nuke.Node) -> Record | None:
    """Return a node's record; None for a node that was never refined, or whose record nobody can read."""
    try:
        return Record(**json.loads(node["record"].value()))
    except (ValueError, TypeError):
        return None


def write(node: nuke.Node, record: Record | None) -> None:
    """Keep a record; None forgets it."""
    node["record"].setValue("" if record is None else json.dumps(asdict(record), sort_keys=True))
