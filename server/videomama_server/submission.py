"""Jobs made of numbered files on this machine: finds the files and submits them by path or inline."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from videomama_client import messages, submission
from videomama_client.client import Client
from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput, placed
from videomama_client.inline import InlineFrames
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_client.submission import Sent

from videomama_server.media import sequences
from videomama_server.media.limits import READABLE, check_kind
from videomama_server.media.links import dead_link, refuse_dead_link

_ROTO_SUFFIXES = frozenset({".png"})


@dataclass(frozen=True)
class Submission:
    """What the person asked for; the fields are those of `SubmitMatte`, paths absolute.

    Attributes:
        transport: `path`, `inline`, or `auto` to find out.
    """

    plate: str
    mask: str
    out: str
    settings: MatteSettings
    clip: str = ""
    frame_ranges: str = ""
    priority: str = messages.INTERACTIVE
    layer: str = ""
    dtype: str = ""
    rehash: bool = False
    transport: str = "auto"
    then: tuple[Stage, ...] = ()

    def clip_frames(self) -> list[int]:
        """Return the frames of the clip, ascending.

        Raises:
            BadInput: not a range, or no plate is there.
        """
        there = () if self.clip else sequences.find(sequences.parse(self.plate), messages.PLATE)
        return sequences.clip_frames(self.clip, there)

    def wanted(self) -> list[int]:
        """Return the frames that the job makes, ascending, by default those of the clip; raises as `clip_frames`."""
        return sequences.parse_range(self.frame_ranges) if self.frame_ranges else self.clip_frames()


def submit(client: Client, order: Submission) -> Sent:
    """Submit a job.

    Raises:
        BadInput: no frames match, or by path was asked for and the server does not see the files.
        NotPermitted: the output folder cannot be written.
    """
    plate, mask = _found(order)
    out = sequences.parse(order.out)
    _make_folder(out.folder)
    probes = [_probe(role, files) for role, files in ((messages.PLATE, plate), (messages.MASK, mask))]
    by_path = order.transport != "inline" and _goes_by_path(client, probes, out.folder, order.transport == "path")
    request = messages.SubmitMatte(
        request=uuid.uuid4().hex,
        plate=order.plate,
        mask=order.mask,
        out=order.out,
        settings=order.settings,
        clip=order.clip,
        frame_ranges=order.frame_ranges,
        priority=order.priority,
        layer=order.layer,
        dtype=order.dtype,
        rehash=order.rehash,
        then=order.then,
    )
    inline = None if by_path else _inline_files(order, plate, mask)
    return submission.submit(client, request, inline, out.path)


def project_paths(project: Path, roto: str | None) -> tuple[str, str, str]:
    """Return plate, mask and out patterns of a project: `source/frames`, `roto/NAME`, `roto/NAME_mama`.

    Raises:
        BadInput: the folders are not there, or hold more than one sequence.
    """
    folder = project / "roto"
    if not folder.is_dir():
        raise BadInput(
            f"{project} is not a project: it has no folder {folder}",
            "Give --project a folder with source/frames and roto/NAME.",
        )
    names = sorted(p.name for p in folder.glob("*") if p.is_dir() and not p.name.endswith("_mama"))
    if roto is None and len(names) == 1:
        roto = names[0]
    if roto not in names:
        listed = ", ".join(names) or "none"
        raise BadInput(
            f"{folder} holds these rotos: {listed}; not {roto}" if roto else f"{folder} holds these rotos: {listed}",
            "Name one with --roto.",
        )
    plate = sequences.in_folder(project / "source" / "frames", READABLE)
    mask = sequences.in_folder(folder / roto, _ROTO_SUFFIXES)
    out = folder / f"{roto}_mama" / Path(mask.text).name
    return plate.text, mask.text, str(out)


def _found(order: Submission) -> tuple[dict[int, Path], dict[int, Path]]:
    """Return the files of plate and mask; raises `BadInput` naming the role."""
    patterns = {}
    for role, text in ((messages.PLATE, order.plate), (messages.MASK, order.mask)):
        with placed(role):
            patterns[role] = sequences.parse(text)
    plate, mask = (sequences.find(pattern, role) for role, pattern in patterns.items())
    sequences.refuse_stray_frames(patterns)
    return plate, mask


def _probe(role: str, files: dict[int, Path]) -> Path:
    """Return the first file that is not a dead link; raises `BadInput` where all are."""
    first = next(iter(files))
    alive = next((path for path in files.values() if not dead_link(path)), files[first])
    with placed(role, first, alive):
        refuse_dead_link(alive)
        check_kind(alive)
    return alive


def _goes_by_path(client: Client, files: list[Path], out: Path, must: bool) -> bool:
    """Whether the server provably sees these files and what is written to `out`; raises as `goes_by_path`."""
    try:
        return submission.goes_by_path(lambda: all(map(client.sees_file, files)) and client.sees_folder(out), must)
    except OSError as error:
        raise disk_error(error) from error


def _inline_files(order: Submission, plate: dict[int, Path], mask: dict[int, Path]) -> InlineFrames:
    """Return the files to offer; raises `BadInput` naming the frames that one side lacks, or would lose to alphas."""
    clip, shared = sequences.clip_frames(order.clip, plate), plate.keys() & mask.keys()
    for role, files in ((messages.PLATE, plate), (messages.MASK, mask)):
        absent = [frame for frame in clip if frame not in files]
        if absent:
            reason, hint = f"missing: {role} frames {sequences.format_range(absent)}", sequences.gap_hint(shared)
            raise BadInput(reason, hint, role=role, frame=absent[0])
        for frame in clip:
            with placed(role, frame, files[frame]):
                refuse_dead_link(files[frame])
                check_kind(files[frame])
    sequences.refuse_overwriting(sequences.parse(order.out), {messages.PLATE: plate, messages.MASK: mask})
    return InlineFrames({frame: plate[frame] for frame in clip}, {frame: mask[frame] for frame in clip})


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error) from error
