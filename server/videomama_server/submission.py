"""Jobs made of numbered files on this machine: finds the files and submits them by path or inline."""

from __future__ import annotations

import shutil
import tempfile
import uuid
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

from videomama_client import messages, objects, submission
from videomama_client.client import Client
from videomama_client.disk_errors import disk_error
from videomama_client.errors import BadInput, placed
from videomama_client.inline import InlineFrames
from videomama_client.job_file import JobFile
from videomama_client.job_records import CLI, this_submitter
from videomama_client.objects import MaskObject, behind_maker
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage, stage_of
from videomama_client.submission import Sent

from videomama_server.media import sequences
from videomama_server.media.limits import READABLE, check_kind
from videomama_server.media.links import dead_link, refuse_dead_link
from videomama_server.media.movie_frame import in_movie
from videomama_server.media.sequences import Pattern

_ROTO_SUFFIXES = frozenset({".png"})


@dataclass(frozen=True)
class Submission:
    """What the person asked for; the fields are those of `SubmitMatte`, paths absolute.

    Attributes:
        transport: `path`, `inline`, or `auto` to find out.
        label: what people call the job.
        program: that submits it; see `job_records.Submitter`.
        no_job_file: whether no `job.json` is left beside the alphas.
        delivered: what the person gets in place of `out`, such as a movie that is made of the alphas; empty for `out`.
        beside: further options by name that go into it, of what is made of the alphas here.
        asked: stands there for all that the person asked for; see `batch.finished`.
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
    side_results: tuple[messages.SideResult, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    objects: tuple[MaskObject, ...] = ()
    label: str = ""
    program: str = CLI
    no_job_file: bool = False
    delivered: str = ""
    beside: Mapping[str, Any] = field(default_factory=dict)
    asked: str = ""
    compression: str = ""

    def outs(self) -> dict[str, str]:
        """Return the output pattern of each object that has files of its own, by name; else the only one, without."""
        return self.outs_of(self.out)

    def outs_of(self, out: str) -> dict[str, str]:
        """Return another output pattern for each object, as `outs`."""
        return objects.outs_of(out, [one.name for one in self.objects])

    def side_outs(self) -> dict[str, str]:
        """Return the output pattern of each side result by what it is called, such as `foreground of hero`."""
        found = [(side.kind, self.outs_of(side.out)) for side in self.side_results]
        return {objects.called(kind, name): out for kind, outs in found for name, out in outs.items()}

    def masks(self) -> dict[str, str]:
        """Return the mask of each object that has one, by name; that of a job of one mask without a name."""
        masks = {one.name: one.mask for one in self.objects} or {"": self.mask}
        return {name: mask for name, mask in masks.items() if mask}

    def by_object(self) -> dict[str, Submission]:
        """Return what made the alphas of each object, by name, as a job of its own; its alphas lie where they do."""
        layered = objects.PLACE not in self.out
        return {
            one.name: replace(
                self,
                mask=one.mask,
                out=objects.out_of(self.out, one.name),
                layer=one.name if layered else "",
                settings=objects.settings_of(self.settings, one),
                then=objects.then_of(self.then, one),
                side_results=messages.sides_of(self.side_results, one.name),
                objects=(),
                prompts=tuple(prompt for prompt in self.prompts if prompt.object == one.name),
            )
            for one in self.objects
        }

    def clip_frames(self) -> list[int]:
        """Return the frames of the clip, ascending.

        Raises:
            BadInput: not a range, or no plate is there.
        """
        there = () if self.clip else sequences.find(sequences.parse(self.plate), messages.PLATE)
        return sequences.clip_frames(self.clip, there)

    def check_objects(self, alone: Sequence[str] = (), beside: Sequence[tuple[str, str]] = ()) -> None:
        """Raise `BadInput` for objects that cannot be together, or with what else is asked for.

        Args:
            alone: what is asked for that only a job of one mask makes.
            beside: what is made beside the side results, such as `trimap`, each with its output pattern.
        """
        objects.check(self.objects, self.mask, self.out, self.layer)
        objects.check_prompts(self.objects, self.prompts)
        objects.check_alone(self.objects, alone)
        objects.check_patterns(self.objects, [*((side.kind, side.out) for side in self.side_results), *beside])

    def wanted(self) -> list[int]:
        """Return the frames that the job makes, ascending, by default those of the clip; raises as `clip_frames`."""
        return sequences.parse_range(self.frame_ranges) if self.frame_ranges else self.clip_frames()

    def preview(self, count: int) -> Submission:
        """Return a job that makes only `count` of the wanted frames, spread evenly; raises as `clip_frames`."""
        return replace(self, frame_ranges=",".join(map(str, sequences.spread(self.wanted(), count))))

    def begun_by(self, maker: MatteSettings) -> Submission:
        """Return the job with one more stage at its beginning, an engine that makes the masks.

        Args:
            maker: the settings of that engine.
        """
        first, chain, apart = behind_maker(stage_of(maker), self.settings, self.then, self.objects, self.prompts)
        return replace(self, settings=first, then=chain, objects=apart)


def submit(client: Client, order: Submission) -> Sent:
    """Submit a job.

    Raises:
        BadInput: no frames match, or by path was asked for and the server does not see the files.
        NotPermitted: the output folder cannot be written.
    """
    order.check_objects()
    plate, masks = _found(order)
    alphas = {name: sequences.parse(out) for name, out in order.outs().items()}
    sides = {called: sequences.parse(out) for called, out in order.side_outs().items()}
    outs = {**{objects.called("alphas", name): out for name, out in alphas.items()}, **sides}
    folders = {one.folder for one in outs.values()}
    for folder in sorted(folders):
        _make_folder(folder)
    probes = [_probe(messages.PLATE, plate), *(_probe(messages.MASK, mask, name) for name, mask in masks.items())]
    probes += [Path(prompt.file) for prompt in order.prompts if prompt.file]
    by_path = order.transport != "inline" and _goes_by_path(client, probes, folders, order.transport == "path")
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
        side_results=order.side_results,
        prompts=order.prompts,
        objects=order.objects,
        label=order.label,
        submitter=this_submitter(order.program),
        compression=order.compression,
    )
    told = replace(request, out=order.delivered or request.out)
    job_file = None if order.no_job_file else JobFile(told, order.beside, _made(order, plate, masks))
    inline = None if by_path else _inline_files(order, outs, plate, masks)
    if inline is not None:
        inline, request = _sendable(inline, request)
    own = {name: out.path for name, out in alphas.items()}
    sent = submission.submit(
        client, request, inline, next(iter(own.values())), {called: one.path for called, one in sides.items()}, own
    )
    return replace(sent, job_file=job_file)


def input_stamp(order: Submission) -> str:
    """Return what tells the files that a job reads from other or later ones; raises `BadInput` where there are none."""
    return _stamp(order, *_found(order))


def project_paths(project: Path, roto: str | None) -> tuple[str, str, str]:
    """Return plate, mask and out patterns of a project: `source/frames`, `roto/NAME`, `roto/NAME_mama`.

    Raises:
        BadInput: the folders are not there, or hold more than one sequence.
    """
    folder, names = project / "roto", project_rotos(project)
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


def project_rotos(project: Path) -> list[str]:
    """Return the names of the rotos of a project, in order; raises `BadInput` where it is not a project."""
    folder = project / "roto"
    if not folder.is_dir():
        raise BadInput(
            f"{project} is not a project: it has no folder {folder}",
            "Give --project a folder with source/frames and roto/NAME.",
        )
    return sorted(path.name for path in folder.glob("*") if path.is_dir() and not path.name.endswith("_mama"))


def _found(order: Submission) -> tuple[dict[int, Path], dict[str, dict[int, Path]]]:
    """Return the files of the plate, and of each object's mask by its name; raises `BadInput` naming the role."""
    with placed(messages.PLATE):
        plate = sequences.parse(order.plate)
    found, masks = sequences.find(plate, messages.PLATE), {}
    for name, text in order.masks().items():
        with objects.naming(name):
            with placed(messages.MASK):
                pattern = sequences.parse(text)
            masks[name] = sequences.find(pattern, messages.MASK)
            sequences.refuse_stray_frames({messages.PLATE: plate, messages.MASK: pattern})
    return found, masks


def _made(order: Submission, plate: Mapping[int, Path], masks: Mapping[str, Mapping[int, Path]]) -> dict[str, str]:
    """Return what a job file says of the files, by which a later run knows whether it is still of use."""
    return {"asked": order.asked, "files": _stamp(order, plate, masks)}


def _stamp(order: Submission, plate: Mapping[int, Path], masks: Mapping[str, Mapping[int, Path]]) -> str:
    found = blake2b(digest_size=20)
    painted = [Path(prompt.file) for prompt in order.prompts if prompt.file]
    read = [*plate.values(), *(path for mask in masks.values() for path in mask.values()), *painted]
    for path in read:
        try:
            stat = path.stat()
            known = f"{path} {stat.st_size} {stat.st_mtime_ns}\n"
        except OSError:
            known = f"{path} gone\n"
        found.update(known.encode(errors="surrogateescape"))
    return found.hexdigest()


def _probe(role: str, files: dict[int, Path], name: str = "") -> Path:
    """Return the first file that is not a dead link; raises `BadInput` where all are."""
    first = next(iter(files))
    alive = next((path for path in files.values() if not dead_link(path)), files[first])
    with objects.naming(name), placed(role, first, alive):
        refuse_dead_link(alive)
        check_kind(alive)
    return alive


def _goes_by_path(client: Client, files: list[Path], outs: Iterable[Path], must: bool) -> bool:
    """Whether the server provably sees these files and what is written to `outs`; raises as `goes_by_path`."""
    try:
        return submission.goes_by_path(
            lambda: all(map(client.sees_file, files)) and all(map(client.sees_folder, outs)), must
        )
    except OSError as error:
        raise disk_error(error) from error


def _inline_files(
    order: Submission, outs: Mapping[str, Pattern], plate: dict[int, Path], masks: dict[str, dict[int, Path]]
) -> InlineFrames:
    """Return the files to offer; raises `BadInput` naming the frames that one side lacks, or would lose to results."""
    clip, shared = sequences.clip_frames(order.clip, plate), set.intersection(set(plate), *map(set, masks.values()))
    _check_offered(messages.PLATE, plate, clip, shared)
    for name, mask in masks.items():
        with objects.naming(name):
            _check_offered(messages.MASK, mask, clip, shared)
    read = {messages.PLATE: plate, **{objects.called(messages.MASK, name): mask for name, mask in masks.items()}}
    for out in outs.values():
        sequences.refuse_overwriting(out, read)
    sequences.refuse_sharing(outs, clip)
    offered = {name: {frame: mask[frame] for frame in clip} for name, mask in masks.items()}
    return InlineFrames({frame: plate[frame] for frame in clip}, offered.pop("", {}), objects=offered)


class _Kept:
    """Lasts as long as the files of a job: when it goes, so does their folder."""


def _sendable(inline: InlineFrames, request: messages.SubmitMatte) -> tuple[InlineFrames, messages.SubmitMatte]:
    """Return frames that can be sent one by one, and the request with names that say their format.

    Pictures of movies are written to a folder that lasts as long as the frames.

    Raises:
        BadInput: a picture of a movie cannot be read.
        NotPermitted: the disk is full.
    """
    if not any(in_movie(path) for path in _all_files(inline)):
        return inline, request
    from videomama_server.media.movies.extraction import extracted  # opens pictures, which takes long to import

    kept, folder = _Kept(), Path(tempfile.mkdtemp(prefix="videomama-movie-"))
    weakref.finalize(kept, shutil.rmtree, folder, ignore_errors=True)
    try:
        with placed(messages.PLATE):
            plate = extracted(inline.plate, folder, "plate")
        with placed(messages.MASK):
            mask = extracted(inline.mask, folder, "mask")
            apart = {name: extracted(files, folder, f"mask.{name}") for name, files in inline.objects.items()}
    except OSError as error:
        raise disk_error(error) from error
    sent = replace(
        request,
        plate=_as_pictures(request.plate),
        mask=_as_pictures(request.mask),
        objects=tuple(replace(one, mask=_as_pictures(one.mask)) for one in request.objects),
    )
    return InlineFrames(plate, mask, inline.painted, apart, kept), sent


def _all_files(inline: InlineFrames) -> Iterable[Path]:
    return chain(inline.plate.values(), inline.mask.values(), *(files.values() for files in inline.objects.values()))


def _as_pictures(text: str) -> str:
    """Return the pattern of a movie's frames as pictures, as a label; any other pattern as it is."""
    pattern = sequences.parse(text) if text else None
    return str(pattern.folder / f"{pattern.head}.####.exr") if pattern and pattern.is_movie else text


def _check_offered(role: str, files: dict[int, Path], clip: list[int], shared: set[int]) -> None:
    """Raise `BadInput` where frames of a clip are missing or no pictures; `shared` are the frames that all have."""
    absent = [frame for frame in clip if frame not in files]
    if absent:
        reason, hint = f"missing: {role} frames {sequences.format_range(absent)}", sequences.gap_hint(shared)
        raise BadInput(reason, hint, role=role, frame=absent[0])
    for frame in clip:
        with placed(role, frame, files[frame]):
            refuse_dead_link(files[frame])
            check_kind(files[frame])


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error) from error
