"""Submits a job from this machine: by path where the server provably sees the same files, else inline."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from videomama_client import messages
from videomama_client.client import Client, InlineFrames, content_digest
from videomama_client.errors import BadInput, NotPermitted, placed
from videomama_client.settings import MatteSettings

from videomama_server.files.disk_errors import disk_error
from videomama_server.files.replacing import replacing
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
    frames: str = ""
    priority: str = messages.INTERACTIVE
    layer: str = ""
    dtype: str = ""
    rehash: bool = False
    transport: str = "auto"

    def clip_frames(self) -> list[int]:
        """Return the frames of the clip, ascending.

        Raises:
            BadInput: not a range, or no plate is there.
        """
        there = () if self.clip else sequences.find(sequences.parse(self.plate), messages.PLATE)
        return sequences.clip_frames(self.clip, there)

    def wanted(self) -> list[int]:
        """Return the frames that the job makes, ascending, by default those of the clip; raises as `clip_frames`."""
        return sequences.parse_range(self.frames) if self.frames else self.clip_frames()


@dataclass(frozen=True)
class Sent:
    """A job under way.

    Attributes:
        job: its id.
        inline: the files to send when the server asks; None for a job by path.
    """

    client: Client
    job: str
    out: sequences.Pattern
    inline: InlineFrames | None

    def events(self) -> Iterator[messages.JobEvent]:
        """Yield the job's events; the alphas of an inline job are fetched and written on the way.

        Raises:
            VideoMaMaError: as `Client.events`.
        """
        for event in self.client.events(self.job, self.inline):
            if self.inline is not None and isinstance(event, messages.FrameDone):
                _write(self.out.path(event.frame), self.client.fetch_alpha(self.job, event.frame))
            yield event


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
    inline = order.transport == "inline" or not _shared(client, probes, out.folder, order.transport == "path")
    files = _inline_files(order, plate, mask) if inline else None
    frames = sorted(files.plate) if files else []
    request = messages.SubmitMatte(
        request=uuid.uuid4().hex,
        plate=order.plate,
        mask=order.mask,
        out=order.out,
        settings=order.settings,
        clip=order.clip,
        frames=order.frames,
        priority=order.priority,
        layer=order.layer,
        dtype=order.dtype,
        rehash=order.rehash,
        inline=inline,
        inline_frames=frames,
        plate_digests=[content_digest(files.plate[frame]) for frame in frames] if files else [],
        mask_digests=[content_digest(files.mask[frame]) for frame in frames] if files else [],
    )
    return Sent(client, client.submit(request), out, files)


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


def _shared(client: Client, files: list[Path], out: Path, must: bool) -> bool:
    """Whether the server provably sees these files and what is written to `out`, and may open them.

    Raises:
        BadInput, NotPermitted: it does not, or may not, and `must`; or this side cannot use them itself.
    """
    try:
        shared = all(client.sees_file(path) for path in files) and client.sees_folder(out)
    except NotPermitted:  # the server's roots
        if must:
            raise
        return False
    except OSError as error:
        raise disk_error(error) from error
    if must and not shared:
        raise BadInput("the server does not see the same files", "Mount the folders there, or use --transport inline.")
    return shared


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


def _write(path: Path, content: bytes) -> None:
    with replacing(path, durable=True) as temporary:
        temporary.write_bytes(content)
