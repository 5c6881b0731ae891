"""Looks at every mask and every plate's header of a job, so that what cannot work fails before anything is computed."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Optional, TypeVar

from videomama_client.errors import BadInput, Cancelled, OutOfMemory
from videomama_client.job_records import JUDGING_MASKS, READING_MASKS, Phase
from videomama_client.messages import MaskTaken
from videomama_client.settings import MatteSettings, Resolved
from videomama_client.wording import counted

from videomama_server import engines
from videomama_server.cache.memo import Facts
from videomama_server.engines.base import WindowShape, has_setting, moves_outlines
from videomama_server.media import color
from videomama_server.media.delivery import Delivery, check_space
from videomama_server.media.frames import Seen
from videomama_server.media.geometry import Rect
from videomama_server.media.limits import MAX_PIXELS
from videomama_server.media.sequences import format_range
from videomama_server.pipeline import briefing, doubts, mask_choice, plan
from videomama_server.pipeline import region as regions
from videomama_server.pipeline.entry_key import Identity
from videomama_server.pipeline.mask_choice import Choice, Looking, threshold_of
from videomama_server.pipeline.mask_fit import Fit
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.plan import Plan
from videomama_server.pipeline.reader import NOTHING, check_display, plate_space
from videomama_server.pipeline.stages import within
from videomama_server.pipeline.walks import WalkShape

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
        expected: how many masks will be looked at; None where that is not known.
        others: frames whose plate declares another colour, or has another kind of value, than the first.
    """

    first: Seen
    canvas: Rect
    facts: dict[int, Facts] = field(default_factory=dict)
    supports: dict[int, Rect] = field(default_factory=dict)
    others: list[int] = field(default_factory=list)
    expected: int | None = None

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


@dataclass(frozen=True)
class Look:
    """What was found of one mask, or of one of several objects, before its region is decided.

    Attributes:
        order: whose masks they are.
        planned: what its first stage has to do.
        later: what the stages after that have to do.
        seen: what is in the frames.
        choice: how good the masks are taken to be.
        region: that these masks alone would have; None for each frame's whole canvas.
        space: warns that the output's disk may be too full.
    """

    order: Order
    planned: Plan
    later: tuple[Plan, ...]
    seen: _Looked
    choice: Choice
    region: Rect | None
    space: str

    @property
    def shows_nothing(self) -> bool:
        """Whether there are masks, and all of them are empty."""
        return self.order.reader.has_masks and all(self.seen.shows_nothing(frame) for frame in self.planned.frames)


def take_look(order: Order, readers: ThreadPoolExecutor, cancelled: threading.Event) -> Generator[Pause, None, Look]:
    """Look at what a job reads, yielding where another job may go first or nothing can be done yet.

    Raises:
        BadInput: frames are missing or unreadable, or sizes do not fit.
        NotPermitted: the output's disk is too full.
    """
    planned, *later = _plans(order)
    wanted = later[-1].wanted if later else planned.wanted
    deliveries = (order.delivery, *order.other_deliveries, *(side.delivery for side in order.sides))
    for delivery in deliveries:
        _check_numbered(delivery, wanted)
    first = yield from finished(readers.submit(order.reader.probe_plate, planned.frames[0]))
    looked = _Looked(first, first.geometry.canvas)
    space = check_space(deliveries, wanted, (looked.display.w, looked.display.h))
    yield from _look_at_all(order, planned.frames, looked, (readers, cancelled))
    choice = yield from _choice(order, planned, looked, readers)
    if isinstance(planned.shape, WalkShape):
        region: Rect | None = yield from _walked_over(order, planned, looked, readers)
    else:
        region = _region(order, choice.settings, looked)
    return Look(order, planned, tuple(later), looked, choice, region, space)


def surveyed(look: Look, region: Rect | None) -> Survey:
    """Return the survey that follows from a look and a region.

    Args:
        look: at the masks.
        region: in the plate's coordinates; None for each frame's whole canvas.

    Raises:
        BadInput, OutOfMemory: the engine cannot do it with these settings.
    """
    order, looked, choice = look.order, look.seen, look.choice
    wanted = look.later[-1].wanted if look.later else look.planned.wanted
    seen = [frame for frame in wanted if frame in looked.facts]
    return Survey(
        plan=look.planned,
        display=looked.display,
        canvas=looked.canvas,
        region=region,
        warnings=[
            *(note for stage in order.stages() for note in stage.notes),
            *doubts.of_plate(order.request.settings.colorspace, looked.first, looked.others),
            *_warnings(seen, looked, order, threshold_of(choice.settings)),
            *_leaving(seen, looked, region),
            *choice.warnings,
        ],
        identity=_identity(order, choice.settings, looked.display, region),
        space=look.space,
        mask=choice.taken,
        later=look.later,
    )


def survey_made(
    order: Order, first: Survey, planned: Plan, readers: ThreadPoolExecutor, cancelled: threading.Event
) -> Generator[Pause, None, Survey]:
    """Return the survey of the stage after the makers of masks: its region and outline follow from what they made.

    Args:
        order: of the stage, over the masks that were made.
        first: the survey of the first stage.
        planned: what the stage has to do.
        readers: threads to read in.
        cancelled: set from outside to stop the job.

    Raises:
        AlphaLost: a mask of which nothing is known is not in the cache.
        BadInput: no mask holds anything, or the engine cannot do it with these settings.
    """
    asked = replace(order.request.settings, colorspace=first.identity.settings.colorspace)
    order = replace(order, request=replace(order.request, settings=asked))
    looked = _Looked((yield from finished(readers.submit(order.reader.probe_plate, planned.frames[0]))), first.canvas)
    if mask_choice.is_asked(asked, moves_outlines(order.engine)) or _is_found(order):
        yield from _look_at_all(order, planned.frames, looked, (readers, cancelled))
        if all(looked.shows_nothing(frame) for frame in planned.frames):
            raise _nothing_made(order, planned.frames)
    choice = yield from _choice(order, planned, looked, readers)
    region = _region(order, choice.settings, looked)
    empty = [frame for frame in planned.wanted if frame in looked.facts and looked.is_empty(frame)]
    there = f"{order.reader.mask.text} are empty on frames {format_range(empty)}; alpha is 0 there"
    warnings = [*([there] if empty else []), *choice.warnings]
    identity = _identity(order, choice.settings, looked.display, region)
    return Survey(planned, looked.display, first.canvas, region, warnings, identity)


def _is_found(order: Order) -> bool:
    """Whether the region of a stage is found from its masks."""
    settings = order.request.settings
    return settings.roi == regions.AUTO and not order.makes_masks and not order.engine.rule(settings).whole


def _nothing_made(order: Order, frames: Sequence[int]) -> BadInput:
    reason = f"{order.reader.mask.text} are empty on all frames ({format_range(frames)})"
    return BadInput(reason, "Look at them with `videomama masks`, and give other prompts or frames.")


def foresee(order: Order, readers: ThreadPoolExecutor) -> Generator[Pause, None, Survey | None]:
    """Return the plan, region and identity that the survey will find, once no further mask can change them.

    That is where the region is off or named, and where the masks of the first windows leave no region that spares
    enough: more masks only make it larger. None where masks decide, and for a job of several stages.

    Raises:
        VideoMaMaError: some of what `take_look` and `surveyed` raise.
    """
    planned, *later = _plans(order)
    settings = order.request.settings
    if later or mask_choice.frames_to_look_at(settings, moves_outlines(order.engine), planned.clip):
        return None
    first = yield from finished(readers.submit(order.reader.probe_plate, planned.frames[0]))
    looked = _Looked(first, first.geometry.canvas)
    probed = planned.frames if order.reader.windows_vary() else ()
    for start in range(0, len(probed), _BATCH):
        batch = probed[start:][:_BATCH]
        yield from _take_in({frame: readers.submit(order.reader.probe_plate, frame) for frame in batch}, looked)
        yield None
    by_masks = settings.roi == regions.AUTO and order.reader.has_masks
    if by_masks:
        yield from _look_at(order, planned.groups[0].read, looked, readers)
    choice = yield from _choice(order, planned, looked, readers)
    region = _region(order, choice.settings, looked)
    if by_masks and region not in (None, looked.canvas):
        return None
    identity = _identity(order, choice.settings, looked.display, region)
    return Survey(planned, looked.display, looked.canvas, region, [], identity)


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
    shapes: list[WindowShape] = []
    stages = order.stages()
    for stage in stages:
        with within(stage.label):
            shapes.append(_shape(stage))
    looked_at = mask_choice.looked_at(
        [stage.makes_masks for stage in stages],
        [stage.request.settings for stage in stages],
        [moves_outlines(stage.engine) for stage in stages],
    )
    return plan.make(order.request, shapes, order.reader.plate, order.reader.mask, looked_at)


def _shape(stage: Order) -> WindowShape:
    settings, engine = stage.request.settings, stage.walking
    if engine is not None:
        return plan.walk_shape(settings, stage.prompts, engine.remembers)
    return plan.window_shape(settings, stage.engine.shape(settings))


def _walked_over(
    order: Order, planned: Plan, looked: _Looked, readers: ThreadPoolExecutor
) -> Generator[Pause, None, Rect]:
    """Return what an engine sees that walks: the canvases of all plates with prompts, whatever frames are wanted.

    Raises:
        BadInput: prompts that do not fit the plate.
    """
    starts = plan.starts_of(planned)
    canvas = looked.display
    for probing in [readers.submit(order.reader.probe_plate, frame) for frame in starts]:
        seen = yield from finished(probing)
        canvas = canvas.union(seen.geometry.canvas)
    yield from finished(readers.submit(briefing.check, order, looked.display, canvas))
    return canvas


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
        order.tell(Phase(JUDGING_MASKS, len(fits), len(looks)))
        fits[frame] = yield from finished(look)
    return mask_choice.judged(looking, fits, [frame for frame in frames if frame not in there])


def _look_at_all(
    order: Order,
    frames: Sequence[int],
    looked: _Looked,
    means: tuple[ThreadPoolExecutor, threading.Event],
) -> Iterator[Pause]:
    """Look at frames a batch at a time; `means` are the threads to read in, and what stops the job."""
    readers, cancelled = means
    looked.expected = len(frames)
    for start in range(0, len(frames), _BATCH):
        yield from _look_at(order, frames[start:][:_BATCH], looked, readers)
        if cancelled.is_set():
            raise Cancelled("the job was cancelled")
        yield None


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
        order.tell(Phase(READING_MASKS, len(looked.facts), looked.expected))
    yield from _take_in(plates, looked)


def _take_in(plates: Mapping[int, Future[Seen]], looked: _Looked) -> Generator[Pause, None, None]:
    """Take what plates' headers say, by frame, into what is known of a job."""
    for frame, probing in plates.items():
        seen = yield from finished(probing)
        check_display(frame, seen.geometry.display, looked.display)
        looked.canvas = looked.canvas.union(seen.geometry.canvas)
        if (seen.is_float, seen.declared) != (looked.first.is_float, looked.first.declared):
            looked.others.append(frame)


def all_empty(frames: Sequence[int], settings: MatteSettings) -> BadInput:
    """Return the error of a job whose masks hold nothing on any of these frames."""
    hint = "Check the mask's channel and range; choose another with --mask-channel."
    if settings.mask_colour:
        hint = f"No mask has the colour {settings.mask_colour}. Leave --mask-colour out: a warning lists the colours."
    return BadInput(f"all masks are empty (frames {format_range(frames)})", hint)


def _region(order: Order, settings: MatteSettings, looked: _Looked) -> Rect | None:
    """Return the region in the plate's coordinates, or None for each frame's whole canvas."""
    rule = order.engine.rule(settings)
    named = regions.parse(settings.roi)
    sees_all = order.makes_masks and (settings.roi == regions.AUTO or bool(order.then))  # the region is of later stages
    if rule.whole or sees_all or settings.roi == regions.OFF:
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


def _check_numbered(delivery: Delivery, wanted: Sequence[int]) -> None:
    """Raise `BadInput` when all frames would go to one file."""
    out = delivery.pattern
    if len(wanted) > 1 and out.single:
        raise BadInput(
            f"{out.text} is a single file, and {counted(len(wanted), 'frame')} are wanted",
            f"Write it as {Path(out.name).stem}.####{out.suffix}.",
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
