"""Gives a job whose subject is small to the light engine: a few pixels are too few for a diffusion pass to add to.

A few frames at fixed places of the clip decide, never the frames wanted, so that a part of a clip is refined like the
whole.
"""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np

from videomama_server.arrays import BoolArray
from videomama_server.media import sequences
from videomama_server.pipeline import morphology
from videomama_server.pipeline.mask_choice import fixed_places, threshold_of
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.reader import LoadedFrame
from videomama_server.pipeline.stages import noted
from videomama_server.pipeline.survey import Pause, finished

_SMALL = 25.0  # pixels of the plate that a subject is thick at most


def settled(order: Order, readers: ThreadPoolExecutor) -> Generator[Pause, None, Order]:
    """Return the order, with the light engine where the subject is small in all frames that decide.

    Where one of them is missing or none holds a subject, the engine stays.

    Raises:
        BadInput: a picture cannot be read, or does not fit the others.
    """
    if order.light is None:
        return order
    reader = order.reader
    frames = fixed_places(sequences.clip_frames(order.request.clip, reader.plate.frames()))
    if not set(frames) <= set(reader.plate.frames()) & set(reader.mask.frames()):
        return order
    looks = [readers.submit(_thickness, order, frame) for frame in frames]
    thickest = 0.0
    for look in looks:
        thickest = max(thickest, (yield from finished(look)))
    if not 0 < thickest < _SMALL:
        return order
    took = (
        f"the subject is at most {thickest:.0f} px thick, so the light engine {order.light.name} was taken; "
        f"choose --engine {order.engine_name} to use that one"
    )
    light = order.light
    request = replace(order.request, settings=light.settings)
    taken = replace(order, request=request, engine_name=light.name, engine=light.engine, light=None)
    return replace(taken, notes=noted(taken.label, (took, *light.notes)))


def thickness(subject: BoolArray) -> float:
    """Return the width of the widest disc inside a subject (H, W), pixels; 0 where there is none."""
    if not subject.any():
        return 0.0
    depth = cv2.distanceTransform(np.pad(subject, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return 2 * float(depth.max()) - 1


def _thickness(order: Order, frame: int) -> float:
    settings = order.request.settings
    shaped = (threshold_of(settings), settings.mask_close_holes, settings.mask_grow)
    display = order.reader.probe_plate(frame).geometry.display

    def measure(loaded: LoadedFrame) -> list[float]:
        mask = morphology.shaped(loaded.mask, settings.mask_close_holes, settings.mask_grow, max(display.w, display.h))
        return [thickness(mask >= threshold_of(settings))]

    return order.reader.measured(frame, f"thickness of the subject {shaped}", measure, display)[0]
