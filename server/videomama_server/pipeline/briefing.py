"""Turns the prompts of a job into what its engine is told: in pixels of the frames that it sees, with painted masks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from blake3 import blake3
from videomama_client import prompts
from videomama_client.errors import BadInput
from videomama_client.prompts import BOX, MASK, POINT, TEXT, Prompt
from videomama_client.wording import counted

from videomama_server.arrays import FloatArray
from videomama_server.engines.sequential import Brief, FramePrompts
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.pipeline import morphology
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.reader import NOTHING, Reader, plate_space
from videomama_server.pipeline.walks import Walk

if TYPE_CHECKING:
    from videomama_server.pipeline.survey import Survey


def check(order: Order, display: Rect, canvas: Rect) -> None:
    """Look at the prompts of a job as soon as its plates' size is known; reads the painted frames that are new.

    Raises:
        BadInput: a prompt outside of the plate, a painted frame that cannot be read, has another aspect than the plate,
            or no painted frame with anything on it.
    """
    prompts.check_inside(order.prompts, (canvas.x - display.x, canvas.y - display.y, canvas.w, canvas.h))
    empty = 0
    for frame, reader in sorted(order.key_masks.items()):
        facts = reader.mask_facts(frame)
        plate_space(facts, display, frame, reader.mask.role)
        empty += facts.peak <= NOTHING
    if empty and empty == len(order.prompts):
        raise BadInput(
            f"nothing is painted on {counted(empty, 'key mask')}", "Check their channel; choose it with --mask-channel."
        )


def digest(order: Order, rows: Sequence[str]) -> str:
    """Return what stands in keys for the prompts of a job: two that say the same of one object have the same.

    Args:
        order: of the stage.
        rows: what stands for the frames that they stand on, where these count.
    """
    said = [
        [one.kind, one.frame, list(one.place), one.subject, one.text, _painted(order, one)]
        for one in sorted(order.prompts, key=lambda one: (one.frame is None, one.frame or 0))
    ]
    return blake3(json.dumps([said, list(rows)]).encode()).hexdigest(length=20)


def brief(order: Order, survey: Survey, walk: Walk, encoded: Callable[[int], Any]) -> Brief:
    """Return what an engine is told of a walk.

    Args:
        order: of the stage.
        survey: of it; its region is what the engine sees.
        walk: that is to begin.
        encoded: as of `Brief`.
    """
    told = tuple(_on_frame(order, survey, frame) for frame in prompts.frames_of(order.prompts))
    words = next((one.text for one in order.prompts if one.kind == TEXT), "")
    return Brief(told, words, walk.start, walk.backward, encoded)


def _painted(order: Order, prompt: Prompt) -> str:
    if prompt.kind != MASK or prompt.frame is None:
        return ""
    return order.key_masks[prompt.frame].mask_digest(prompt.frame)


def _on_frame(order: Order, survey: Survey, frame: int) -> FramePrompts:
    said = [one for one in order.prompts if one.frame == frame]
    region = survey.region or survey.display
    x, y = survey.display.x - region.x, survey.display.y - region.y
    points = [one for one in said if one.kind == POINT]
    boxes = [one.place for one in said if one.kind == BOX]
    reader = order.key_masks.get(frame)
    return FramePrompts(
        frame=frame,
        points=np.array([(one.place[0] + x, one.place[1] + y) for one in points], np.float32).reshape(-1, 2),
        labels=np.array([one.subject for one in points], bool),
        box=_corners(boxes[0], x, y) if boxes else None,
        load_mask=None if reader is None else partial(_load, reader, survey, frame),
    )


def _corners(place: Sequence[float], x: int, y: int) -> tuple[float, float, float, float]:
    left, top, width, height = place
    return left + x, top + y, left + x + width, top + y + height


def _load(reader: Reader, survey: Survey, frame: int) -> FloatArray:
    settings, display = survey.identity.settings, survey.display
    region = survey.region or display
    mask = reader.mask_on(frame, Geometry(display, region), region)
    return morphology.shaped(mask, settings.mask_close_holes, settings.mask_grow, max(display.w, display.h))
