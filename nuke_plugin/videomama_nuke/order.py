"""What a refine is to do, read from a node's knobs on the main thread; the job's thread needs no knob any more."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import nuke
from videomama_client import messages, objects
from videomama_client.engine_settings import OutlineSettings
from videomama_client.errors import BadInput
from videomama_client.mask_presets import is_open
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage

from videomama_nuke import foreground, frames, knobs, prompt_knobs, record, sidecar, stage_knobs, walk
from videomama_nuke.subject import Subject, chain_of
from videomama_nuke.upstream import Upstream, compare

TASK = "task-"
"""What the exports' folder of a refine without a window begins with; whoever made it removes it."""
_ONCE = "last"  # where it cannot be checked whether a later refine may use the frames again


@dataclass(frozen=True)
class RefineOrder:
    """A refine.

    Attributes:
        label: what people call the job.
        clip: first and last frame of the plate.
        wanted: the frames to refine, ascending, inside the clip.
        views: to refine.
        settings: of the engine's stage; what an earlier refine found is in them where this one covers only a part.
        then: the stages after it.
        subject: what makes the masks, and of which objects.
        record: what the node will remember.
        export: folder of the exported frames; `own_export` says whether it is this refine's alone.
        folder: of all files of the node.
        connection_file: of the server; None for the user's own.
        foreground: patterns of the files of the subject's own colour, by view; empty for none.
    """

    label: str
    clip: tuple[int, int]
    wanted: tuple[int, ...]
    views: tuple[str, ...]
    settings: MatteSettings
    then: tuple[Stage, ...]
    subject: Subject
    record: record.Record
    export: Path
    folder: Path
    connection_file: Path | None
    foreground: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Pattern of the exported frames, with %V where there are several views."""
        return str(self.export / self._per_view / "source.%04d.exr")

    def mask_of(self, channel: str) -> str:
        """Return the pattern of the exported masks of a channel, with %V where there are several views."""
        return str(self.export / self._per_view / f"mask.{channel}.%04d.exr")

    @property
    def out(self) -> str:
        """Pattern of the alphas, with %V where there are several views."""
        return self.record.out

    @property
    def clip_text(self) -> str:
        """The clip as `1001-1100`."""
        return clip_text(self.clip)

    @property
    def own_export(self) -> bool:
        """Whether nobody else uses the folder of the exported frames."""
        return self.export.name.startswith(TASK)

    @property
    def keeps_export(self) -> bool:
        """Whether a later refine may use the exported frames again."""
        return self.export.name != _ONCE and not self.own_export

    @property
    def _per_view(self) -> str:
        return "%V" if len(self.views) > 1 else "main"


def read(node: nuke.Node, wanted: Sequence[int] | None = None) -> RefineOrder:
    """Return what to do for a node, by default for the frames of its range knob.

    Raises:
        BadInput: no plate, no such mask channel, frames outside the plate, a setting that makes no sense.
    """
    _check_inputs(node)
    clip = clip_of(node)
    asked = sorted(set(wanted)) if wanted is not None else wanted_of(node, clip)
    _check_inside(asked, clip)
    settings = knobs.settings_of(node)
    subject = prompt_knobs.read(node)
    then = stage_knobs.stages_of(node, settings, subject.number_after)
    folder = knobs.folder_of(node)
    above = walk.read(node)
    mask_channel = knobs.mask_channel_of(node)
    parts = settings, mask_channel, clip_text(clip)
    key, first_key = (record.result_key(*parts, above.signature, stages, subject.kept) for stages in (then, ()))
    if sidecar.contradicts(folder / key, above):  # the same sizes, and yet other pixels
        key, first_key = (record.result_key(*parts, above.exact, stages, subject.kept) for stages in (then, ()))
    views = tuple(nuke.views())
    colour = foreground.patterns_of(node, views, above.sources)
    apart = chain_of(subject, settings, then).objects
    objects.check_patterns(apart, [(messages.FOREGROUND, pattern) for pattern in colour.values()])
    per_view = "%V" if len(views) > 1 else "main"
    return RefineOrder(
        label=f"{Path(nuke.root().name()).name} {node.fullName()}",
        clip=clip,
        wanted=tuple(asked),
        views=views,
        settings=_with_what_was_found(settings, _known(node, folder, (key, first_key), above), asked, clip),
        then=then,
        subject=subject,
        record=record.Record(
            key=key,
            settings=record.kept(settings),
            mask_channel=mask_channel,
            clip=clip_text(clip),
            engine="",
            roi="",
            out=(folder / key / per_view / "alpha.%04d.exr").as_posix(),
            upstream=above,
            version=record.VERSION,
            gizmo=int(node[knobs.VERSION_KNOB].value()),
            then=record.kept_stages(then),
            subject=subject.kept,
            first_key=first_key if then else "",
        ),
        export=folder / "export" / _export_name(above),
        folder=folder,
        connection_file=knobs.connection_file_of(node),
        foreground=colour,
    )


def clip_of(node: nuke.Node) -> tuple[int, int]:
    """Return first and last frame of the plate: the range that its node says it has."""
    span = knobs.plate_of(node).frameRange()
    return int(span.first()), int(span.last())


def clip_text(clip: tuple[int, int]) -> str:
    """Write a clip as `1001-1100`."""
    return f"{clip[0]}-{clip[1]}"


def wanted_of(node: nuke.Node, clip: tuple[int, int]) -> list[int]:
    """Return the frames that the range knob names; of the project's range, those that the plate has."""
    mode = str(node["frame_range"].value())
    if mode == "custom":
        return frames.parse(str(node["frames"].value()))
    first, last = clip
    if mode == "global":
        root = nuke.root()
        project = int(root["first_frame"].value()), int(root["last_frame"].value())
        first, last = max(first, project[0]), min(last, project[1])
        if first > last:
            raise BadInput(
                f"the project's range {project[0]}-{project[1]} holds no frame of the plate ({clip_text(clip)})",
                "Set the frame range to input, or the project's range to the plate's.",
            )
    return list(range(first, last + 1))


def _check_inputs(node: nuke.Node) -> None:
    plate, mask = knobs.plate_of(node), node.input(1)
    source = mask or plate
    there = source.channels()
    missing = next((channel for channel in prompt_knobs.channels_of(node) if channel not in there), "")
    if missing:
        raise BadInput(
            f"{source.fullName()} has no channel {missing}, which is {_use_of(node, missing)} of {node.fullName()}",
            f"Choose one of: {', '.join(sorted(there))}.",
        )


def _use_of(node: nuke.Node, channel: str) -> str:
    return "the mask channel" if channel == knobs.mask_channel_of(node) else "an object mask"


def _check_inside(asked: Sequence[int], clip: tuple[int, int]) -> None:
    outside = [frame for frame in asked if not clip[0] <= frame <= clip[1]]
    if outside:
        raise BadInput(
            f"frames {frames.text(outside)} are wanted, the plate has {clip_text(clip)}",
            "Choose frames of the plate, or give the plate a longer range.",
        )


def _known(node: nuke.Node, folder: Path, keys: tuple[str, str], above: Upstream) -> record.Record | None:
    """Return the record of a key: the node's own, or the one beside alphas that others refined.

    What was found depends on the first stage alone, so a refine with other stages after it is as good.

    Args:
        node: a VideoMaMa node.
        folder: of its files.
        keys: of the refine, and of the same without the stages after the first.
        above: what is upstream.
    """
    key, first_key = keys
    last = record.read(node)
    own = last if last is not None and last.key == key else sidecar.read(folder / key)
    if own is not None:
        return own
    others = (last, sidecar.read(folder / first_key))
    return next((one for one in others if one is not None and _same_first_stage(one, first_key, above)), None)


def _same_first_stage(one: record.Record, first_key: str, above: Upstream) -> bool:
    """Whether a refine had the same first stage, of files that have not been written again since."""
    return (one.first_key or one.key) == first_key and not compare(one.upstream, above).changed


def _export_name(above: Upstream) -> str:
    """Return the name of the exports' folder: without a window one of its own, as tasks run beside each other."""
    if not nuke.GUI:
        return f"{TASK}{uuid.uuid4().hex}"
    return _ONCE if above.unchecked else above.exact


def _with_what_was_found(
    settings: MatteSettings, last: record.Record | None, asked: Sequence[int], clip: tuple[int, int]
) -> MatteSettings:
    """Return the settings with what an earlier refine found, where this one covers only a part.

    The region is found from the masks that a job reads: some frames alone would give another one, and other pixels.
    How good the masks are is found from a few frames of the clip: with what was found, these need no export.
    """
    if last is None or len(asked) == clip[1] - clip[0] + 1:
        return settings
    if settings.roi == knobs.ROI_AUTO and last.roi:
        settings = replace(settings, roi=last.roi)
    return settings.with_options(**last.outline) if is_open(OutlineSettings.of(settings)) else settings
