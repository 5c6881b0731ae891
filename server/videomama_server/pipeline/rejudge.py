"""Judges the frames that the cache has without scores: from plate, mask and entry, so that nothing is computed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Optional

from videomama_client.job_records import CHECKING, Phase

from videomama_server.arrays import FloatArray
from videomama_server.media import color, frames
from videomama_server.media.read_ahead import read_ahead
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.quality_control import Control
from videomama_server.pipeline.survey import Pause, Survey, check_cancelled, finished
from videomama_server.qc.boundary import judging
from videomama_server.qc.sights import Glimpse

_AHEAD = 2  # frames read while one is measured
Look = Optional[tuple[Optional[Glimpse], FloatArray]]


def rejudge(
    order: Order, survey: Survey, control: Control, readers: ThreadPoolExecutor, cancelled: threading.Event
) -> Iterator[Pause]:
    """Judge what a job took from the cache without scores, yielding where another job may go first.

    A frame that cannot be read or measured stays without scores.

    Args:
        order: of the last stage.
        survey: what was found out about it.
        control: knows which frames lack scores, and keeps them.
        readers: threads to read and measure in.
        cancelled: set from outside to stop the job.

    Raises:
        Cancelled: it was set.
    """
    lacking = control.lacking

    def look(frame: int) -> Look:
        return _look(order, survey, frame, lacking[frame][1])

    with read_ahead(lacking, look, readers, _AHEAD) as coming:
        for count, (frame, reading) in enumerate(coming):
            order.tell(Phase(CHECKING, count, len(lacking)))
            seen = yield from finished(reading)
            check_cancelled(cancelled)
            if seen is not None:
                yield from finished(readers.submit(_judge, control, frame, lacking[frame], seen))
            yield None


def _look(order: Order, survey: Survey, frame: int, entry: Path) -> Look:
    """Return the glimpse of a frame and its alpha from the cache; None where they cannot be read."""

    def read() -> Look:
        settings = survey.identity.settings
        to_display = color.display_transform(settings.colorspace, settings.exposure)
        seen = order.reader.load(frame, survey.region, survey.display, to_display).glimpse
        return seen, frames.read_mask(entry, "A").pixels[..., 0]

    return judging(read, f"read frame {frame}")


def _judge(control: Control, frame: int, cached: tuple[str, Path], seen: tuple[Glimpse | None, FloatArray]) -> None:
    key, entry = cached
    found, alpha = seen
    scene = control.expect(frame, key, found)
    control.see(scene, alpha)
    control.judge(scene, entry)
