"""Looks at every mask and every plate's header of a job, so that what cannot work fails before anything is computed."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Optional, TypeVar

from videomama_client.errors import BadInput, Cancelled, OutOfMemory
from videomama_client.messages import MaskTaken
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.wording import counted

from videomama_server import engines
from videomama_server.cache.memo import Facts
from videomama_server.engines.base import has_setting, moves_outlines
from videomama_server.media import color
from videomama_server.media.frames import Seen
from videomama_server.media.geometry import Rect
from videomama_server.media.limits import MAX_PIXELS
from videomama_server.media.sequences import Pattern, format_range
from videomama_server.pipeline import doubts, mask_choice, plan
from videomama_server.pipeline import region as regions
from videomama_server.pipeline.entry_key import Identity
from videomama_server.pipeline.mask_choice import Choice, Looking, threshold_of
from videomama_server.pipeline.mask_fit import Fit
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.plan import Plan
from videomama_server.pipeline.reader import NOTHING, check_display, plate_space
from videomama_server.pipeline.stages import within

_BATCH = 32
Result = TypeVar("Result")
Pause = Optional[Future[Any]]  # where a job may be left for another: at will, or until this is done


@dataclass(frozen=True)
class Survey:
    """What the masks and the first plate said before any window was computed.

    `canvas` holds that of every plate. `space` warns that the output's disk may be too full; empty where it has space.
    `mask` is how good the masks are taken to be; None for an engine that leaves outlines alone. `later` are the plans
    of the stages after the first.
    """

    plan: Plan
    display: Rect
    canvas: Rect
    region: Rect | None
    warnings: list[str]
    identity: Identity
    space: str = ""
    mask: MaskTaken | None = None
    later: tuple[Plan, ...] = ()

    @property
    def roi(self) -> list[int]:
        """The region relative to the display window's origin; the whole display window when it is off."""
        region = self.region or self.display
        return [region.x - self.display.x, region.y - self.display.y, region.w, region.h]


@dataclass
class _Looked:
    """What was found in all frames that are read.

    Attributes:
        first: what the first plate says of itself.
        canvas: that holds every plate's.
        facts: of the masks, by frame.
        supports: of the masks in the plate's coordinates, by frame.
        others: frames whose plate declares another colour, or has another kind of value, than the first.
    """

    first: Seen
    canvas: Rect
    facts: dict[int, Facts] = field(default_factory=dict)
    supports: dict[int, Rect] = field(default_factory=dict)
    others: list[int] = field(default_factory=list)

    @property
    def display(self) -> Rect:
        """The display window, the same for every plate."""
        return self.first.geometry.display

    def peak(self, frame: int) -> float:
        """The largest value of a mask."""
        return self.facts[frame].peak

    def is_empty(self, frame: int) -> bool:
        """Whether a mask holds nothing."""
        return self.peak(frame) <= NOTHING

    def shows_nothing(self, frame: int) -> bool:
        """Whether a mask holds nothing on any plate."""
        return self.is_empty(frame) or self.supports[frame].intersect(self.canvas).empty


def finished(work: Future[Result]) -> Generator[Pause, None, Result]:
    """Return the result of work in another thread, yielding it for as long as it is under way."""
    while not work.done():
        yield work
    return work.result()


def check_cancelled(cancelled: threading.Event) -> None:
    """Raise `Cancelled` once a job that may have finished frames is to stop."""
    if cancelled.is_set():
        raise Cancelled("the job was cancelled", "What was finished is in the cache.")


def take_survey(
    order: Order, readers: ThreadPoolExecutor, cancelled: threading.Event
) -> Generator[Pause, None, Survey]:
    """Return the survey of a job, yielding where another job may go first or nothing can be done yet.

    Raises:
        BadInput: frames are missing or unreadable, sizes do not fit, or there is no mask at all.
        NotPermitted: the output's disk is too full.
    """
    request = order.request
    planned, *later = _plans(order)
    wanted = later[-1].wanted if later else planned.wanted
    _check_numbered(order.delivery.pattern, wanted)
    first = yield from finished(readers.submit(order.reader.probe_plate, planned.frames[0]))
    looked = _Looked(first, first.geometry.canvas)
    space = order.delivery.check_space(wanted, (looked.display.w, looked.display.h))
    for start in range(0, len(planned.frames), _BATCH):
        yield from _look_at(order, planned.frames[start:][:_BATCH], looked, readers)
        if cancelled.is_set():
            raise Cancelled("the job was cancelled")
        yield None
    if order.reader.has_masks and all(looked.shows_nothing(frame) for frame in planned.frames):
        raise _all_empty(planned.frames, request.settings)
    choice = yield from _choice(order, planned, looked, readers)
    region = _region(order, choice.settings, looked)
    seen = [frame for frame in wanted if frame in looked.facts]
    return Survey(
        plan=planned,
        display=looked.display,
        canvas=looked.canvas,
        region=region,
        warnings=[
            *(note for stage in order.stages() for note in stage.notes),
            *doubts.of_plate(request.settings.colorspace, looked.first, looked.others),
            *_warnings(seen, looked, order, threshold_of(choice.settings)),
            *_leaving(seen, looked, region),
            *choice.warnings,
        ],
        identity=_identity(order, choice.settings, looked.display, region),
        space=space,
        mask=choice.taken,
        later=tuple(later),
    )


def later_survey(order: Order, first: Survey, planned: Plan) -> Survey:
    """Return the survey of a later stage, which takes over what the first said of the plates, and its region.

    An engine that works on whole plates has none. Nothing is looked at: what its masks are follows from their keys.

    Args:
        order: of the stage.
        first: the survey of the first stage.
        planned: what the stage has to do.

    Raises:
        BadInput, OutOfMemory: the engine cannot do it with these settings.
    """
    settings = replace(
        order.request.settings,
        colorspace=first.identity.settings.colorspace,
        window=planned.shape.length,
        overlap=planned.shape.overlap,
    )
    settings = mask_choice.of_alphas(settings, moves_outlines(order.engine))
    rule = order.engine.rule(settings)
    region = None if rule.whole else first.region
    region = first.canvas if region is None and rule.fixed else region
    identity = _identity(order, settings, first.display, region)
    return Survey(planned, first.display, first.canvas, region, [], identity)


def _plans(order: Order) -> list[Plan]:
    """Return what each stage has to do, first to last; raises as `plan.make`."""
    shapes = []
    for stage in order.stages():
        with within(stage.label):
            shapes.append(plan.window_shape(stage.request.settings, stage.engine.shape(stage.request.settings)))
    return plan.make(order.request, shapes, order.reader.plate, order.reader.mask)


def _choice(
    order: Order, planned: Plan, looked: _Looked, readers: ThreadPoolExecutor
) -> Generator[Pause, None, Choice]:
    """Return how good the masks are taken to be, and the settings that follow; windows are decided in these too."""
    first, settings = looked.first, order.request.settings
    colorspace = color.resolve(settings.colorspace, first.is_float, first.declared)
    transform = color.display_transform(colorspace, settings.exposure)
    settings = replace(settings, colorspace=colorspace, window=planned.shape.length, overlap=planned.shape.overlap)
    moves = moves_outlines(order.engine)
    frames = mask_choice.frames_to_look_at(settings, moves, planned.clip)
    if not frames or not order.reader.has_masks:
        return mask_choice.as_asked(settings, moves)
    looking = Looking(settings, order.reader, looked.display, transform)
    there = set(order.reader.plate.frames()) & set(order.reader.mask.frames())
    looks = {frame: readers.submit(looking.fit, frame) for frame in frames if frame in there}
    fits: dict[int, Fit | None] = {}
    for frame, look in looks.items():
        fits[frame] = yield from finished(look)
    return mask_choice.judged(looking, fits, [frame for frame in frames if frame not in there])


def _look_at(
    order: Order, frames: Sequence[int], looked: _Looked, readers: ThreadPoolExecutor
) -> Generator[Pause, None, None]:
    """Look at the masks of some frames, and at the headers of their plates where windows may differ."""
    there = frames if order.reader.has_masks else ()
    masks = {frame: readers.submit(order.reader.mask_facts, frame) for frame in there}
    probed = frames if order.reader.windows_vary() else ()
    plates = {frame: readers.submit(order.reader.probe_plate, frame) for frame in probed}
    for frame, reading in masks.items():
        facts = yield from finished(reading)
        looked.facts[frame] = facts
        looked.supports[frame] = plate_space(facts, looked.display, frame)
    for frame, probing in plates.items():
        seen = yield from finished(probing)
        check_display(frame, seen.geometry.display, looked.display)
        looked.canvas = looked.canvas.union(seen.geometry.canvas)
        if (seen.is_float, seen.declared) != (looked.first.is_float, looked.first.declared):
            looked.others.append(frame)


def _all_empty(frames: Sequence[int], settings: MatteSettings) -> BadInput:
    hint = "Check the mask's channel and range; choose another with --mask-channel."
    if settings.mask_colour:
        hint = f"No mask has the colour {settings.mask_colour}. Leave --mask-colour out: a warning lists the colours."
    return BadInput(f"all masks are empty (frames {format_range(frames)})", hint)


def _region(order: Order, settings: MatteSettings, looked: _Looked) -> Rect | None:
    """Return the region in the plate's coordinates, or None for each frame's whole canvas."""
    rule = order.engine.rule(settings)
    named = regions.parse(settings.roi)
    nothing_to_go_by = settings.roi == regions.AUTO and order.makes_masks
    if rule.whole or nothing_to_go_by or settings.roi == regions.OFF:
        return looked.canvas if rule.fixed else None
    if named is None:
        reach = rule.reach + max(0.0, settings.mask_grow)
        return regions.from_masks(looked.supports.values(), looked.canvas, reach, rule)
    if named.w * named.h > MAX_PIXELS:
        raise BadInput(
            f"the region of interest {settings.roi} has more than {MAX_PIXELS} pixels",
            "Give --roi a region inside the plate, or auto.",
        )
    region = named.moved(looked.display.x, looked.display.y)
    if region.intersect(looked.canvas).empty:
        raise BadInput(
            f"the region of interest {settings.roi} lies outside the plate", "Give --roi one inside, or auto."
        )
    return region


def _check_numbered(out: Pattern, wanted: Sequence[int]) -> None:
    """Raise `BadInput` when all alphas would go to one file."""
    if len(wanted) > 1 and out.single:
        raise BadInput(
            f"{out.text} is a single file, and {counted(len(wanted), 'frame')} are wanted",
            "Write it as alpha.####.exr.",
        )


def _identity(order: Order, settings: MatteSettings, display: Rect, region: Rect | None) -> Identity:
    """Return what all entries of a stage share, with everything that was left open decided.

    Args:
        order: of the stage.
        settings: with windows, colour space and the numbers around the outline decided.
        display: window of the plates.
        region: in the plate's coordinates; in keys it is relative to the display window's origin.
    """
    around = display if region is None else region.moved(-display.x, -display.y)
    roi = regions.OFF if region is None else regions.format_region(around)
    settled = replace(settings, engine=order.engine_name, roi=roi)
    with within(order.label):
        resolved = _resolved(order, settled, (around.h, around.w))
    transform = color.display_transform(settings.colorspace, settings.exposure)
    engine = engines.fingerprint(order.engine_name, order.engine)
    return Identity(engine, transform.fingerprint, resolved)


def _resolved(order: Order, settings: MatteSettings, size: tuple[int, int]) -> Resolved:
    """Return what the engine decides; while nothing of this size fits, other engines let go of what they hold."""
    while True:
        try:
            return order.engine.resolve(settings, size)
        except OutOfMemory:
            if not order.make_room(order.engine_name):
                raise


def _leaving(wanted: Sequence[int], looked: _Looked, region: Rect | None) -> list[str]:
    """Return a warning about masks that leave the region; what lies beyond the plate does not count."""
    if region is None:
        return []
    left = regions.leaving({frame: looked.supports[frame].intersect(looked.canvas) for frame in wanted}, region)
    where = f"the mask leaves the region of interest on frames {format_range(left)}"
    return [f"{where}; it is not refined there"] if left else []


def _warnings(wanted: Sequence[int], looked: _Looked, order: Order, threshold: float) -> list[str]:
    """Return what to say of masks that hold nothing, or everything, or too little for an engine that cuts them."""
    makes_masks, cuts = order.makes_masks, has_setting(order.engine, "mask_threshold")
    empty = [frame for frame in wanted if looked.is_empty(frame)]
    faint = [frame for frame in wanted if NOTHING < looked.peak(frame) < threshold]
    solid = [frame for frame in wanted if looked.facts[frame].low >= threshold]
    warnings = doubts.of_masks({frame: looked.facts[frame] for frame in wanted})
    if empty and not makes_masks:
        warnings.append(f"the mask is empty on frames {format_range(empty)}; alpha is 0 there")
    if faint and cuts:
        warnings.append(
            f"the mask stays below the threshold {threshold:g} on frames {format_range(faint)}; "
            "lower --mask-threshold if they hold the subject"
        )
    if solid:
        warnings.append(
            f"the mask covers everything on frames {format_range(solid)}; "
            "is it the right --mask-channel, or are plate and mask swapped?"
        )
    return warnings
