"""Flags the frames on which an engine that walks seems to have left the subject, for all that the cache holds of them.

The masks themselves are judged, so a frame that was computed long ago is flagged as a new one is. A small picture of
each is kept with its entry: the next job opens no mask.
"""

from __future__ import annotations

import base64
import json
import threading
import zlib
from collections.abc import Generator, Mapping
from contextlib import suppress

import numpy as np
from videomama_client.messages import QcFlag

from videomama_server.arrays import BoolArray
from videomama_server.cache.entries import Cache
from videomama_server.engines.segment.drift import drifts
from videomama_server.media import frames
from videomama_server.media.read_ahead import read_ahead
from videomama_server.media.reduction import averaged, fitted_size
from videomama_server.pipeline.order import Order
from videomama_server.pipeline.services import Services
from videomama_server.pipeline.survey import Pause, Survey, check_cancelled, finished
from videomama_server.pipeline.walking import keys_of, walks_of
from videomama_server.qc.boundary import judging
from videomama_server.qc.flags import DRIFT

_VERSION = "outline-1"  # of the notes; those of other engines' entries hold scores
_SIDE = 256  # pixels of the longer side, at which masks are compared
_CUT = np.float32(0.5)
_AHEAD = 2  # frames read while one is compared
_AT_ONCE = 64  # keys, before another job may go first


def flags(
    order: Order, survey: Survey, services: Services, cancelled: threading.Event
) -> Generator[Pause, None, list[QcFlag]]:
    """Return a flag for the frames of a stage on which its mask drifts; none for an engine without a memory.

    A frame is compared with the one before it in the clip, where the job has both. One without an entry, or that
    cannot be read, is left out, and so are frames on which the engine was told that the subject is absent.

    Args:
        order: of the stage; its plates have been digested.
        survey: what was found out about it.
        services: what is shared with the other jobs.
        cancelled: set from outside to stop the job.

    Raises:
        Cancelled: it was set.
    """
    engine = order.walking
    if engine is None or not engine.remembers:
        return []
    absent = engine.absent(survey.identity.settings)
    keys = yield from _keys(order, survey, cancelled)
    found, before = [], (0, np.zeros((0, 0), bool))
    at, starts = survey.plan.places, walks_of(survey).starts
    with read_ahead(keys, lambda frame: _outline(services.cache, keys[frame], frame), services.readers, _AHEAD) as read:
        for frame, reading in read:
            seen = yield from finished(reading)
            check_cancelled(cancelled)
            if seen is None or frame in absent:
                continue
            earlier, mask = before
            is_next = mask.shape == seen.shape and at[earlier] == at[frame] - 1
            if is_next and drifts(mask, seen):
                found += _left(earlier, frame, starts)
            before = frame, seen
    return [_flag(found)] if found else []


def _keys(order: Order, survey: Survey, cancelled: threading.Event) -> Generator[Pause, None, Mapping[int, str]]:
    known, keys = keys_of(order, survey, walks_of(survey)), {}
    for frame in survey.plan.wanted:
        keys[frame] = known.entry(frame)
        if len(keys) % _AT_ONCE == 0:
            yield None
            check_cancelled(cancelled)
    return keys


def _outline(cache: Cache, key: str, frame: int) -> BoolArray | None:
    """Return where an entry's mask is 0.5 or more, small; None where there is none. For the reading threads."""
    return judging(lambda: _kept_or_read(cache, key), f"look for drift on frame {frame}")


def _kept_or_read(cache: Cache, key: str) -> BoolArray | None:
    entry = cache.lookup(key)
    if entry is None:
        return None
    kept = _from_note(cache.note(entry))
    if kept is not None:
        return kept
    mask = frames.read_mask(entry, "A").pixels[..., 0]
    outline = np.asarray(averaged(mask, fitted_size(mask.shape[:2], _SIDE)) >= _CUT)
    with suppress(OSError):  # it is read the next time too
        cache.keep_note(entry, _note(outline))
    return outline


def _note(outline: BoolArray) -> str:
    bits = base64.b64encode(zlib.compress(np.packbits(outline).tobytes())).decode()
    return json.dumps({"version": _VERSION, "size": outline.shape, "bits": bits})


def _from_note(text: str | None) -> BoolArray | None:
    kept = json.loads(text) if text else {}  # whole, or the cache would not have given it
    if kept.get("version") != _VERSION:
        return None
    height, width = kept["size"]
    bits = np.frombuffer(zlib.decompress(base64.b64decode(kept["bits"])), np.uint8)
    return np.unpackbits(bits, count=height * width).reshape(height, width).astype(bool)


def _left(earlier: int, later: int, starts: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return which of two frames a walk came to second, and before it how far that is from the walk's prompt.

    Of several walks that of the nearest prompt counts. A frame with prompts of its own has not drifted: there is none
    to return where both have some.
    """
    reached = [(later if start <= earlier else earlier, start) for start in starts]
    return sorted((abs(frame - start), frame) for frame, start in reached if frame not in starts)[:1]


def _flag(found: list[tuple[int, int]]) -> QcFlag:
    """Return the flag of frames; the first to look at is the nearest to a prompt: others may follow from it."""
    first = min(found)[1]
    return QcFlag(
        DRIFT,
        sorted({frame for _, frame in found}),
        first,
        "the mask changes more than a subject does from one frame to the next; "
        f"where it left the subject, click again, first on frame {first}",
    )
