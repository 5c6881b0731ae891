"""Says which files a job is about, as a clip that can be looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from videomama_client import objects
from videomama_client.engine_settings import TrimapSettings
from videomama_client.errors import BadInput
from videomama_client.messages import FOREGROUND, SubmitMatte, sides_of
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_client.stages import Stage
from videomama_client.wording import choices

from videomama_server.qc.files import Reading
from videomama_server.web.clip_files import Clip


@dataclass(frozen=True)
class JobClip:
    """What of a job is looked at.

    Attributes:
        clip: its files.
        frame_ranges: the frames that it makes; empty for all plates.
        object: which of several objects is shown; empty for a job of one.
        objects: the names of all, in order.
        trimap: of the job's edge refiner; the usual one where it has none.
    """

    clip: Clip
    frame_ranges: str
    object: str = ""
    objects: tuple[str, ...] = ()
    trimap: TrimapSettings = field(default_factory=TrimapSettings)


def clip_of_job(submitted: SubmitMatte | None, name: str = "") -> JobClip:
    """Return the files of a job.

    Args:
        submitted: its request; None where it is no longer known.
        name: of one of its objects; empty for the first.

    Raises:
        BadInput: its request is no longer known, its alphas are no files with names of their own, or it has no such
            object.
    """
    if submitted is None:
        raise BadInput("the files of this job are no longer known", "Choose plate, mask and alpha yourself.")
    if submitted.inline or not submitted.out:
        raise BadInput(
            "the alphas of this job are only in the cache",
            "Load them where the job was started, or run it with an output.",
        )
    ranges = submitted.frame_ranges or submitted.clip
    names = tuple(one.name for one in submitted.objects)
    if not names:
        clip = _clip(submitted, submitted.settings, (submitted.mask, submitted.out, submitted.layer))
        return JobClip(clip, ranges, trimap=_trimap(submitted.then))
    if name and name not in names:
        raise BadInput(f"the job has no object {name!r}", choices(name, names))
    one = submitted.objects[names.index(name)] if name else submitted.objects[0]
    layer = "" if objects.PLACE in submitted.out else one.name
    files = (one.mask, objects.out_of(submitted.out, one.name), layer)
    own = replace(submitted, side_results=sides_of(submitted.side_results, one.name))
    clip = _clip(own, objects.settings_of(submitted.settings, one), files)
    return JobClip(clip, ranges, one.name, names, _trimap(objects.then_of(submitted.then, one)))


def _clip(submitted: SubmitMatte, settings: MatteSettings, files: tuple[str, str, str]) -> Clip:
    mask, out, layer = files
    how = Reading(
        plate_layer=settings.plate_layer,
        mask_channel=settings.mask_channel,
        alpha_channel=f"{layer}.A" if layer else "",
        colorspace=settings.colorspace,
        exposure=settings.exposure,
        view=settings.view,
        mask_colour=settings.mask_colour,
    )
    clip = Clip(submitted.plate, mask, out, how=how)
    for side in submitted.side_results:
        if side.kind == FOREGROUND:
            clip = replace(clip, foreground=side.out, premultiplied=side.premultiplied)
    return clip


def _trimap(then: tuple[Stage, ...]) -> TrimapSettings:
    """Return the trimap of the last of some stages that has settings of one."""
    names = {spec.name for spec in specs_of(TrimapSettings)}
    for stage in reversed(then):
        own = {option.name: option.value for option in stage.options if option.name in names}
        if own:
            return TrimapSettings(**own)  # type: ignore[arg-type]  # a job was refused unless they fit
    return TrimapSettings()
