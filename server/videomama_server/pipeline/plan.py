"""Turns a request into a plan: which frames are wanted, which windows they need, and which frames those read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from videomama_client import prompts
from videomama_client.errors import BadInput
from videomama_client.messages import SubmitMatte
from videomama_client.prompts import Prompt
from videomama_client.settings import MatteSettings

from videomama_server.engines.base import WindowShape
from videomama_server.media import sequences
from videomama_server.media.movie_frame import is_movie
from videomama_server.pipeline import window_grid
from videomama_server.pipeline.mask_choice import fixed_places
from videomama_server.pipeline.sources import Source
from videomama_server.pipeline.walks import Walks, WalkShape
from videomama_server.pipeline.window_grid import Window


@dataclass(frozen=True)
class Group:
    """Frames whose estimates are completed together.

    Attributes:
        frames: that follow each other in the clip; those wanted and those looked at around them.
        wanted: of them, the ones that were asked for.
        windows: every window that contributes to one of the frames, ascending: what the alphas depend on.
    """

    frames: range
    wanted: tuple[int, ...]
    windows: tuple[Window, ...]

    @property
    def read(self) -> list[int]:
        """The frames that its windows read, ascending."""
        return sorted({frame for window in self.windows for frame in window.frames})


@dataclass(frozen=True)
class Plan:
    """What a job has to do.

    Attributes:
        clip: the frames that exist, ascending.
        wanted: the frames asked for, ascending.
        groups: that hold them, ascending.
        windows: the windows that those depend on, ascending.
        frames: every frame that those windows read, or an engine walks over, ascending.
        by_frame: for each frame of the groups, the windows that contribute to it, ascending.
        shape: of the windows.
    """

    clip: tuple[int, ...]
    wanted: tuple[int, ...]
    groups: tuple[Group, ...]
    windows: tuple[Window, ...]
    frames: tuple[int, ...]
    by_frame: dict[int, tuple[Window, ...]]
    shape: WindowShape

    @cached_property
    def asked(self) -> frozenset[int]:
        """The frames asked for."""
        return frozenset(self.wanted)

    @cached_property
    def places(self) -> dict[int, int]:
        """For each frame of the clip a number, by which neighbours follow each other one by one."""
        return sequences.consecutive(self.clip)

    @cached_property
    def groups_of(self) -> dict[Window, tuple[Group, ...]]:
        """For each window, the groups that it contributes to, ascending."""
        groups: dict[Window, list[Group]] = {window: [] for window in self.windows}
        for group in self.groups:
            for window in group.windows:
                groups[window].append(group)
        return {window: tuple(found) for window, found in groups.items()}


def window_shape(settings: MatteSettings, default: WindowShape) -> WindowShape:
    """Return the shape that the settings ask for, else the engine's own; raises `BadInput`."""
    length = default.length if settings.window is None else settings.window
    overlap = min(default.overlap, length // 2) if settings.overlap is None else settings.overlap
    window_grid.check_shape(length, overlap)
    return WindowShape(length, overlap, default.context)


def walk_shape(settings: MatteSettings, told: Sequence[Prompt], remembers: bool) -> WalkShape:
    """Return what stands in place of windows for an engine that walks from its prompts.

    Raises:
        BadInput: the settings ask for windows.
    """
    if settings.window is not None or settings.overlap is not None:
        raise BadInput(
            f"the engine {settings.engine} takes one frame after the other, and has no windows",
            "Leave --window and --overlap out.",
        )
    return WalkShape(1, 0, starts=prompts.frames_of(told), remembers=remembers)


def make(
    request: SubmitMatte,
    shapes: Sequence[WindowShape],
    plate: Source,
    mask: Source,
    looked_at: int | None = None,
) -> list[Plan]:
    """Lay the windows of each stage over the clip and check that every frame they read is there.

    Args:
        request: says which frames there are, and which are wanted.
        shapes: of the windows of each stage, first to last.
        plate, mask: where the files come from.
        looked_at: as of `plan_stages`.

    Raises:
        BadInput: not a range, frames that are missing (all of them are named), or a prompt outside the clip.
    """
    clip = sequences.clip_frames(request.clip, plate.frames())
    prompts.check_frames(request.prompts, set(clip), sequences.format_range(clip))
    made = plan_stages(clip, request.frame_ranges, shapes, looked_at)
    _check_there(made[0].frames, plate, mask)
    return made


def plan_stages(
    clip: Sequence[int], frame_ranges: str, shapes: Sequence[WindowShape], looked_at: int | None = None
) -> list[Plan]:
    """Return what `frame_ranges` of `clip` depend on in each stage, first to last: no file is looked at.

    What the windows of a stage read is wanted of the stage before.

    Args:
        clip: the frames that exist, ascending.
        frame_ranges: those wanted; empty for the whole clip.
        shapes: of the windows of each stage, first to last.
        looked_at: the stage whose alphas say how good the masks of the next are; see `mask_choice.fixed_places`.

    Raises:
        BadInput: not a range, or one that leaves the clip.
    """
    plans = [plan_frames(clip, frame_ranges, shapes[-1])]
    for index in reversed(range(len(shapes) - 1)):
        looks = fixed_places(clip) if index == looked_at else []
        plans.insert(0, lay_out(clip, sorted({*plans[0].frames, *looks}), shapes[index]))
    return plans


def plan_frames(clip: Sequence[int], frame_ranges: str, shape: WindowShape) -> Plan:
    """Return what `frame_ranges` of `clip` depend on, whether or not they are there: no file is looked at.

    Args:
        clip: the frames that exist, ascending.
        frame_ranges: those wanted; empty for the whole clip.
        shape: of the windows.

    Raises:
        BadInput: not a range, or one that leaves the clip.
    """
    wanted = sequences.parse_range(frame_ranges) if frame_ranges else list(clip)
    outside = sorted(set(wanted).difference(clip))
    if outside:
        raise BadInput(
            f"frames {sequences.format_range(outside)} are wanted, the clip is {sequences.format_range(clip)}",
            "Give --frames inside the clip, or a longer --clip.",
        )
    return lay_out(clip, wanted, shape)


def starts_of(planned: Plan) -> tuple[int, ...]:
    """Return the frames on which the walks of a plan begin; none where its engine does not walk."""
    return Walks(planned.clip, planned.shape).starts if isinstance(planned.shape, WalkShape) else ()


def lay_out(clip: Sequence[int], wanted: Sequence[int], shape: WindowShape) -> Plan:
    """Return what frames of a clip depend on.

    Windows are laid over each run of frames of equal step by itself, so that none reaches over a gap. An engine that
    walks has none: its frames depend on all that it walks over.

    Args:
        clip: the frames that exist, ascending.
        wanted: some of them, ascending.
        shape: of the windows.
    """
    if isinstance(shape, WalkShape):
        return Plan(tuple(clip), tuple(wanted), (), (), tuple(Walks(clip, shape).read(wanted)), {}, shape)
    asked = set(wanted)
    groups = tuple(group for run in sequences.runs(clip) for group in _groups(run, asked, shape))
    needed = sorted({window for group in groups for window in group.windows})
    read = sorted({frame for window in needed for frame in window.frames})
    estimated = sorted({frame for group in groups for frame in group.frames})
    by_frame = {frame: tuple(window_grid.touching(needed, frame, frame)) for frame in estimated}
    return Plan(tuple(clip), tuple(wanted), groups, tuple(needed), tuple(read), by_frame, shape)


def _groups(clip: range, wanted: set[int], shape: WindowShape) -> list[Group]:
    """Return which wanted frames are completed together: each on its own, or those at home in one window."""
    laid = window_grid.lay(clip, shape.length, shape.overlap)
    if shape.context is None:
        alone = [frame for frame in clip if frame in wanted]
        return [Group(range(one, one + 1), (one,), tuple(window_grid.touching(laid, one, one))) for one in alone]
    at_home: dict[Window, list[int]] = {}
    for frame in clip:
        at_home.setdefault(window_grid.home(laid, frame), []).append(frame)
    reach = shape.context * clip.step
    groups = []
    for core in at_home.values():
        asked = tuple(frame for frame in core if frame in wanted)
        if asked:
            first, last = max(clip[0], core[0] - reach), min(clip[-1], core[-1] + reach)
            groups.append(
                Group(range(first, last + 1, clip.step), asked, tuple(window_grid.touching(laid, first, last)))
            )
    return groups


def _check_there(frames: Iterable[int], plate: Source, mask: Source) -> None:
    missing = []
    shared = set(plate.frames()) & set(mask.frames())
    first = None
    for source in (plate, mask):
        there = set(source.frames())
        absent = [frame for frame in frames if frame not in there]
        if absent:
            missing.append(f"{source.role} frames {sequences.format_range(absent)} of {source.text}")
            first = first or (source.role, absent[0])
    if first:
        reason, hint = f"missing: {'; '.join(missing)}", _gap_hint(shared, plate, mask)
        raise BadInput(reason, hint, role=first[0], frame=first[1])
    for source in (plate, mask):
        _refuse_lost(source, frames)


def _gap_hint(shared: set[int], plate: Source, mask: Source) -> str:
    if not shared and any(is_movie(source.suffix) for source in (plate, mask)):
        return "Plate and mask share no frame: number the movie alike with --first-frame."
    return sequences.gap_hint(shared)


def _refuse_lost(source: Source, frames: Iterable[int]) -> None:
    """Raise `BadInput` for frames of a movie that are damaged, or missing because it ends early."""
    gone = set(source.lost())
    lost = sorted(gone.intersection(frames))
    if lost:
        whole = sequences.whole_range(set(source.frames()) - gone).replace(" ", "")
        raise BadInput(
            f"{source.role} frames {sequences.format_range(lost)} of {source.text} cannot be read: "
            "the movie ends early, or they are damaged",
            f"Copy or render the movie again, or name the frames that are whole: --clip {whole}.",
            role=source.role,
            frame=lost[0],
        )
