"""What is kept of each label beside its pictures, and the manifest and statistics of all: whole files, or none."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from videomama_client.errors import BadInput
from videomama_client.whole_files import replacing

LABELS, REJECTED, FAILED, WORK = "labels", "rejected", "failed", "work"
RECORD, THUMB = "label.json", "review.png"
MANIFEST, STATISTICS = "manifest.jsonl", "statistics.json"


@dataclass(frozen=True)
class LabelRecord:
    """One object of one clip.

    Attributes:
        name: of its folder.
        clip, object, data: which object of which clip, in which layout.
        licence: of the clip, as the person said.
        sources: the files or folders that it was made from.
        fingerprint: of all that decides it.
        frames: their numbers, ascending.
        annotated: how many of their masks are the data set's; the others were made by the mask maker.
        chain: engines with their settings; see `Chain.plain`.
        server: version of the server.
        mask_quality: how good the job took the masks to be; see `MaskTaken`. Empty where the engine does not ask.
        reasons: why it was rejected; empty for a label.
        kinds: of quality control's flags, with the number of frames that each has.
        computed, cached: frames of the last stage.
        seconds: of the server.
        warnings: of the server.
    """

    name: str
    clip: str
    object: str
    data: str
    licence: str
    sources: list[str]
    fingerprint: str
    frames: list[int]
    annotated: int
    chain: dict[str, Any]
    server: str = ""
    mask_quality: str = ""
    reasons: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    computed: int = 0
    cached: int = 0
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Where it lies: among labels, or among what was rejected."""
        return REJECTED if self.reasons else LABELS

    def save(self, folder: Path) -> None:
        """Write it into a folder, whole or not at all; raises OSError."""
        _write(folder / RECORD, json.dumps(asdict(self), indent=1))


def load(folder: Path) -> LabelRecord | None:
    """Return what a folder says of its label; None where it says nothing that can be read."""
    try:
        return LabelRecord(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def done(folder: Path, name: str) -> LabelRecord | None:
    """Return the label or the rejected one of that name; None where there is neither."""
    return load(folder / LABELS / name) or load(folder / REJECTED / name)


def refuse_twin(known: LabelRecord | None, record: LabelRecord) -> None:
    """Raise `BadInput` where what is known of a label's name is of another clip or object."""
    if known is not None and (known.clip, known.object) != (record.clip, record.object):
        twin = f"{known.clip}, {known.object}, has the same name"
        raise BadInput(twin, "Label the two into folders of their own.")


def all_done(folder: Path) -> Iterator[LabelRecord]:
    """Yield all labels and rejected ones of all runs and shards, in the order of their names."""
    names = {path.name for state in (LABELS, REJECTED) for path in (folder / state).glob("*")}
    for name in sorted(names):
        record = done(folder, name)
        if record is not None:
            yield record


def note_failure(folder: Path, name: str, message: str, hint: str) -> None:
    """Keep why a clip or a label could not be made; raises OSError."""
    (folder / FAILED).mkdir(parents=True, exist_ok=True)
    _write(folder / FAILED / f"{name}.json", json.dumps({"name": name, "message": message, "hint": hint}))


def forget_failure(folder: Path, name: str) -> None:
    """Remove what `note_failure` kept."""
    (folder / FAILED / f"{name}.json").unlink(missing_ok=True)


def write_manifest(folder: Path, kept: Sequence[LabelRecord]) -> dict[str, Any]:
    """Write the manifest, a line for each label and rejected one, and the statistics, which are returned.

    Raises:
        OSError: the disk is full or failing.
    """
    lines = [json.dumps({**asdict(one), "state": one.state, "folder": f"{one.state}/{one.name}"}) for one in kept]
    _write(folder / MANIFEST, "\n".join(lines))
    accepted = [one for one in kept if not one.reasons]
    flags = Counter(kind for one in kept for kind in one.kinds)
    statistics = {
        "clips": len({one.clip for one in kept}),
        "labels": len(accepted),
        "rejected": len(kept) - len(accepted),
        "failed": len(list((folder / FAILED).glob("*.json"))),
        "frames": sum(len(one.frames) for one in accepted),
        "annotated_frames": sum(one.annotated for one in accepted),
        "rejected_frames": sum(len(one.frames) for one in kept if one.reasons),
        "flagged": dict(flags.most_common()),
        "licences": dict(Counter(one.licence for one in accepted)),
        "computed": sum(one.computed for one in kept),
        "cached": sum(one.cached for one in kept),
        "seconds": round(sum(one.seconds for one in kept), 3),
    }
    _write(folder / STATISTICS, json.dumps(statistics, indent=1))
    return statistics


def _write(path: Path, text: str) -> None:
    with replacing(path, durable=True) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
