"""Looks at every mask and the first plate of a job, so that what cannot work fails before anything is computed."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Optional, TypeVar

from videomama_client.errors import BadInput, Cancelled
from videomama_client.messages import SubmitMatte
from videomama_client.settings import MatteSettings
from videomama_client.wording import counted

from videomama_server import color, plan, roi
from videomama_server.delivery import Delivery
from videomama_server.engines.base import Engine, WindowShape
from videomama_server.geometry import Geometry, Rect
from videomama_server.identity import Identity
from videomama_server.limits import MAX_PIXELS
from videomama_server.reader import NOTHING, Reader, plate_space
from videomama_server.roi import RegionRule
from videomama_server.sequences import Pattern, format_range

_BATCH = 32
Result = TypeVar("Result")
Pause = Optional[Future[Any]]  # where a job may be left for another: at will, or until this is done


@dataclass(frozen=True)
class Order:
    """One job as the worker took it in: the request, and what it stands for on this machine."""

    job: str
    request: SubmitMatte
    engine_name: str
    engine: Engine
    reader: Reader
    delivery: Delivery


@dataclass(frozen=True)
class Survey:
    """What the masks and the first plate said before any window was computed.

    `space` warns that the output's disk may be too full; empty where it has space.
    """

    plan: plan.Plan
    display: Rect
    region: Rect | None
    empty: frozenset[int]
    warnings: list[str]
    identity: Identity
    space: str = ""

    @property
    def roi(self) -> list[int]:
        """The region relative to the display window's origin; the whole display window when it is off."""
        region = self.region or self.display
        return [region.x - self.display.x, region.y - self.display.y, region.w, region.h]


@dataclass
class _Masks:
    """What the masks of all frames that are read came to, by frame."""

    supports: dict[int, Rect]
    lows: dict[int, float]
    peaks: dict[int, float]


def finished(work: Future[Result]) -> Generator[Pause, None, Result]:
    """Return the result of work in another thread, yielding it for as long as it is under way."""
    while not work.done():
        yield work
    return work.result()


def look(order: Order, readers: ThreadPoolExecutor, cancelled: threading.Event) -> Generator[Pause, None, Survey]:
    """Return the survey of a job, yielding where another job may go first or nothing can be done yet.

    Raises:
        BadInput: frames are missing or unreadable, sizes do not fit, or there is no mask at all.
        NotPermitted: the output's disk is too full.
    """
    request = order.request
    shape = plan.window_shape(request.settings, order.engine.shape(request.settings))
    planned = plan.make(request, shape, order.reader.plate, order.reader.mask)
    _check_numbered(order.delivery.pattern, planned.wanted)
    geometry, is_float = yield from finished(readers.submit(order.reader.probe_plate, planned.frames[0]))
    space = order.delivery.check_space(planned.wanted, (geometry.display.w, geometry.display.h))
    masks = _Masks({}, {}, {})
    for start in range(0, len(planned.frames), _BATCH):
        batch = {frame: readers.submit(order.reader.mask_facts, frame) for frame in planned.frames[start:][:_BATCH]}
        for frame, reading in batch.items():
            facts = yield from finished(reading)
            masks.supports[frame] = plate_space(facts, geometry.display, frame)
            masks.lows[frame], masks.peaks[frame] = facts.low, facts.peak
        if cancelled.is_set():
            raise Cancelled("the job was cancelled")
        yield None
    empty = frozenset(frame for frame in planned.frames if masks.peaks[frame] <= NOTHING)
    if all(frame in empty or masks.supports[frame].intersect(geometry.canvas).empty for frame in planned.frames):
        raise BadInput(
            f"all masks are empty (frames {format_range(planned.frames)})",
            "Check the mask's channel and range; choose another with --mask-channel.",
        )
    region = _region(request.settings, list(masks.supports.values()), geometry, order.engine.rule(request.settings))
    relative = region and _moved(region, -geometry.display.x, -geometry.display.y)
    return Survey(
        plan=planned,
        display=geometry.display,
        region=region,
        empty=empty,
        warnings=[
            *_warnings(planned.wanted, masks, request.settings.mask_threshold),
            *_leaving(planned.wanted, masks, geometry.canvas, region),
        ],
        identity=_identity(order, shape, geometry.display, relative, is_float),
        space=space,
    )


def _region(settings: MatteSettings, supports: Sequence[Rect], geometry: Geometry, rule: RegionRule) -> Rect | None:
    """Return the region in the plate's coordinates, or None for each frame's whole canvas."""
    if settings.roi == roi.OFF:
        return geometry.canvas if rule.fixed else None
    named = roi.parse(settings.roi)
    if named is None:
        reach = settings.trimap_dilate + max(0.0, settings.mask_grow)
        return roi.from_masks(supports, geometry.canvas, reach, rule)
    if named.w * named.h > MAX_PIXELS:
        raise BadInput(
            f"the region of interest {settings.roi} has more than {MAX_PIXELS} pixels",
            "Give --roi a region inside the plate, or auto.",
        )
    region = _moved(named, geometry.display.x, geometry.display.y)
    if region.intersect(geometry.canvas).empty:
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


def _identity(order: Order, shape: WindowShape, display: Rect, region: Rect | None, is_float: bool) -> Identity:
    """Return what all entries of the job share, with everything that was left open decided.

    Args:
        order: the job.
        shape: of its windows.
        display: window of the plate.
        region: relative to the display window's origin.
        is_float: whether the plate's pixels are floats.
    """
    settings = order.request.settings
    colorspace = color.resolve(settings.colorspace, is_float)
    resolved = replace(
        settings,
        engine=order.engine_name,
        window=shape.length,
        overlap=shape.overlap,
        roi=roi.OFF if region is None else roi.format_region(region),
        colorspace=colorspace,
    )
    around = region or display
    resolved = order.engine.resolve(resolved, (around.h, around.w))
    transform = color.display_transform(colorspace, settings.exposure)
    return Identity(order.engine.fingerprint, transform.fingerprint, resolved)


def _leaving(wanted: Sequence[int], masks: _Masks, canvas: Rect, region: Rect | None) -> list[str]:
    """Return a warning about masks that leave the region; what lies beyond the plate does not count."""
    if region is None:
        return []
    left = roi.leaving({frame: masks.supports[frame].intersect(canvas) for frame in wanted}, region)
    where = f"the mask leaves the region of interest on frames {format_range(left)}"
    return [f"{where}; it is not refined there"] if left else []


def _warnings(wanted: Sequence[int], masks: _Masks, threshold: float) -> list[str]:
    empty = [frame for frame in wanted if masks.peaks[frame] <= NOTHING]
    faint = [frame for frame in wanted if NOTHING < masks.peaks[frame] < threshold]
    solid = [frame for frame in wanted if masks.lows[frame] >= threshold]
    warnings = []
    if empty:
        warnings.append(f"the mask is empty on frames {format_range(empty)}; alpha is 0 there")
    if faint:
        warnings.append(
            f"the mask stays below the threshold {threshold:g} on frames {format_range(faint)}; "
            "lower --mask-threshold if they hold the subject"
        )
    if solid:
        warnings.append(f"the mask covers everything on frames {format_range(solid)}; is it the right --mask-channel?")
    return warnings


def _moved(rect: Rect, x: int, y: int) -> Rect:
    return Rect(rect.x + x, rect.y + y, rect.w, rect.h)
