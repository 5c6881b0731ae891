"""Writes the suite: a folder of numbered EXRs per clip, what made it, and one contact sheet of all."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from videomama_client.errors import BadInput, NotPermitted
from videomama_client.wording import counted

from videomama_server.arrays import FloatArray
from videomama_server.media import frames
from videomama_server.media.contact_sheet import GREEN
from videomama_server.synthetic.degrade import Degradation
from videomama_server.synthetic.kinds import KINDS
from videomama_server.synthetic.render import ClipSpec, comped, render_frame
from videomama_server.synthetic.sheet import SheetRow, contact_sheet

FACTS = "clip.json"
SHEET = "contact_sheet.png"
_THREADS = 4


@dataclass(frozen=True)
class WrittenClip:
    """Where a clip is, and what made it; its pictures are `plate`, `mask`, `alpha` and `foreground`.####.exr."""

    folder: Path
    spec: ClipSpec
    masks: Degradation

    def at(self, what: str, number: int) -> Path:
        """Return the picture `what` of one frame."""
        return self.folder / f"{what}.{number:04d}.exr"

    def pattern(self, what: str) -> str:
        """Return the pattern of the pictures `what`, as `videomama matte` and `metrics` take it."""
        return str(self.folder / f"{what}.####.exr")


def chosen(kinds: Sequence[str], backgrounds: Sequence[str], each: int) -> list[tuple[str, str]]:
    """Choose (kind, background) for every clip: the first `each` backgrounds of a kind, or all that are named."""
    return [(kind, behind) for kind in kinds or KINDS for behind in backgrounds or KINDS[kind].backgrounds[:each]]


def write_clip(folder: Path, spec: ClipSpec, masks: Degradation) -> WrittenClip:
    """Render a clip into `folder`, made if need be; pictures of an earlier one are replaced.

    Writes plate (half R, G, B, scene-linear), foreground (half R, G, B, straight), alpha (float A) and mask (half A)
    for every frame, and at last clip.json: a folder that has it is whole.

    Raises:
        NotPermitted: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FACTS).unlink(missing_ok=True)
    except OSError as error:
        raise NotPermitted(f"cannot write in {folder}: {error.strerror}", "Choose a folder you may write.") from error
    clip, degraded = WrittenClip(folder, spec, masks), masks.of(spec.frames)

    def write(number: int) -> None:
        frame = render_frame(spec, number)
        mask = degraded.mask(number - spec.first, frame.alpha)
        frames.write_picture(clip.at("plate", number), frame.plate)
        frames.write_picture(clip.at("foreground", number), frame.foreground)
        frames.write_picture(clip.at("alpha", number), frame.alpha, channels=("A",), dtype="float")
        frames.write_picture(clip.at("mask", number), mask, channels=("A",))

    write(spec.first)  # fills the caches once, so that no two threads paint the same part
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        list(pool.map(write, spec.numbers[1:]))  # the list raises what a thread raised
    facts = {**asdict(spec), "title": KINDS[spec.kind].title, "masks": {**asdict(masks), "name": masks.name}}
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return clip


def read_clip(folder: Path) -> WrittenClip:
    """Return a clip that `write_clip` finished in `folder`.

    Raises:
        BadInput: there is none, or it was not finished.
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        masks = facts["masks"]
        spec = ClipSpec(**{name: facts[name] for name in ClipSpec.__dataclass_fields__})
        degradation = Degradation(masks["shape"], tuple(masks["hits"]), masks["times"], masks["seed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{folder} holds no finished clip: {error}", "Make it again with videomama synthesize."
        ) from error
    return WrittenClip(folder, spec, degradation)


def write_suite(
    folder: Path, specs: Iterable[ClipSpec], masks: Degradation, say: Callable[[str], None]
) -> list[WrittenClip]:
    """Write each clip into its own folder below `folder`, then the contact sheet. Call `say` with each clip's name.

    Raises:
        NotPermitted: the folder cannot be written.
    """
    clips = []
    for spec in specs:
        say(f"{spec.name}: {counted(spec.frames, 'frame')} of {spec.width}x{spec.height}")
        clips.append(write_clip(folder / spec.name, spec, replace(masks, seed=_seed(masks, spec))))
    frames.write_picture(folder / SHEET, contact_sheet([_row(clip) for clip in clips]), dtype="uint8")
    return clips


def _seed(masks: Degradation, spec: ClipSpec) -> int:
    """Each clip draws for itself, or all would share one factor and one bad frame."""
    return masks.seed * 65_536 + zlib.crc32(spec.name.encode()) % 65_536


def _row(clip: WrittenClip) -> SheetRow:
    numbers, kind = clip.spec.numbers, KINDS[clip.spec.kind]
    shown, later = numbers[len(numbers) // 4], numbers[(2 * len(numbers)) // 3]
    plate, alpha, foreground, mask = (_read(clip.at(what, shown)) for what in ("plate", "alpha", "foreground", "mask"))
    comp = comped(foreground, alpha[..., 0], GREEN * kind.exposure)
    exposure = kind.exposure**-0.5  # dark clips stay darker than the others, but can be seen
    name = f"{kind.title}, {clip.spec.background}"
    return SheetRow(name, plate, _read(clip.at("plate", later)), mask[..., 0], alpha[..., 0], comp, exposure)


def _read(path: Path) -> FloatArray:
    whole = path.name.startswith(("plate", "foreground"))
    return (frames.read_plate(path) if whole else frames.read_mask(path)).pixels
