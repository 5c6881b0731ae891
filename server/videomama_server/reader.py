"""Reads the plate and mask of a frame together, cut to the region of interest, and knows their facts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path

import numpy as np
from videomama_client.errors import BadInput, VideoMaMaError
from videomama_client.settings import MatteSettings

from videomama_server import frames, heartbeat, mask_values, memo
from videomama_server.channels import Wanted
from videomama_server.frames import FloatArray, Picture, Seen
from videomama_server.geometry import EMPTY, Geometry, Rect
from videomama_server.memo import Facts, FileId, Memo
from videomama_server.qc.sights import Glimpse, ToDisplay, glimpse
from videomama_server.sources import Source

NOTHING = 0.5 / 255  # a mask value up to this one is none
_WINDOWED = frozenset({".exr", ".sxr", ".tif", ".tiff"})  # formats that have data windows
_KEPT_BYTES = 1 << 30  # of plates that were sent for the sake of their headers, so that they are not sent twice


@dataclass
class LoadedFrame:
    """One frame in memory.

    Attributes:
        plate: (H, W, 3) float32 on the region, as read: scene values, perhaps NaN.
        mask: (H, W) float32 on the region, 0..1, finite.
        geometry: the plate's.
        outside: (H, W) the mask on the whole canvas, where it leaves the region; else None.
        glimpse: what quality control keeps of plate and mask; None where that was not asked for.
    """

    number: int
    plate: FloatArray
    mask: FloatArray
    geometry: Geometry
    outside: FloatArray | None
    glimpse: Glimpse | None


def wanted_of(settings: MatteSettings) -> Wanted:
    """Return which pixels of plate and mask a job's settings ask for."""
    return Wanted(settings.plate_layer, settings.mask_channel, settings.view, settings.mask_colour)


class Reader:
    """The frames of one job. Every method may be called from several threads.

    Args:
        plate, mask: where the files come from.
        known: the stat memo.
        wanted: which channels are read.
        rehash: trust no memo.
        noted: gives what holds a note of a file, by what a person is told of it, while the file is read.
    """

    def __init__(
        self,
        plate: Source,
        mask: Source,
        known: Memo,
        wanted: Wanted,
        rehash: bool,
        noted: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        self.plate = plate
        self.mask = mask
        self._memo = known
        self._wanted = wanted
        self._rehash = rehash
        self._noted = noted
        self._facts: dict[tuple[str, int], tuple[FileId, Facts]] = {}
        self._probed_bytes = 0
        self._lock = threading.Lock()

    def plate_facts(self, frame: int) -> Facts | None:
        """Return what is known of a plate frame without reading it."""
        return self._known(self.plate, frame)

    def mask_facts(self, frame: int) -> Facts:
        """Return the facts of a mask frame, reading it when they are not known."""
        known = self._known(self.mask, frame)
        return known or self._learn(self.mask, frame, *self._read(self.mask, frame))

    def probe_plate(self, frame: int) -> Seen:
        """Return what a plate's header says, from the memo where it knows.

        Raises:
            BadInput: its channels are not there, or it is not a flat picture.
        """
        known = self.plate_facts(frame)
        if known is not None:
            return Seen(known.geometry, known.is_float, known.declared, known.orientation)
        path = self.plate.path(frame)
        with self._reading(self.plate, frame, path):
            found = frames.probe_plate(path, self._wanted.plate_layer, self._wanted.view)
            self._let_go(frame, path)
        return found

    def windows_vary(self) -> bool:
        """Whether plates of this format may have data windows that differ."""
        return Path(self.plate.text).suffix.lower() in _WINDOWED

    def _let_go(self, frame: int, path: Path) -> None:
        """Release a plate whose pixels are needed later, unless there is room to keep what a client sent."""
        size = path.stat().st_size
        with self._lock:
            keeps = self._probed_bytes + size <= _KEPT_BYTES
            self._probed_bytes += size if keeps else 0
        if not keeps:
            self.plate.release(frame)

    def load(self, frame: int, region: Rect | None, display: Rect, to_display: ToDisplay | None = None) -> LoadedFrame:
        """Read a frame.

        Args:
            frame: its number.
            region: the rectangle to cut out, in the plate's coordinates; None for the whole canvas.
            display: the display window that all plates of the job must have.
            to_display: given where quality control will want a glimpse of the frame: see `qc.sights.glimpse`.

        Raises:
            BadInput: unreadable, of another size than the first frame, or changed since the job began.
        """
        file, plate = self._read(self.plate, frame)
        self._learn(self.plate, frame, file, plate)
        file, mask = self._read(self.mask, frame)
        self._learn(self.mask, frame, file, mask)
        self.plate.release(frame)
        self.mask.release(frame)
        geometry = plate.geometry
        check_display(frame, geometry.display, display)
        canvas = geometry.canvas
        kept = canvas if region is None else region
        sane = Picture(_sane_mask(mask.pixels), mask.geometry)  # before resampling, which would spread a NaN
        whole = _sane_mask(frames.conform(sane, geometry))
        inside = cut(whole, canvas, kept)
        leaves = not kept.holds(canvas) and np.count_nonzero(whole > NOTHING) > np.count_nonzero(inside > NOTHING)
        seen = None if to_display is None else glimpse(plate.pixels, whole, to_display)
        return LoadedFrame(frame, cut(plate.pixels, canvas, kept), inside, geometry, whole if leaves else None, seen)

    def _known(self, source: Source, frame: int) -> Facts | None:
        with self._lock:
            row = self._facts.get((source.role, frame))
        if row is not None:
            return row[1]
        file = source.identify(frame)
        facts = None if self._rehash else self._memo.get(file, self._channels(source))
        if facts is not None:
            with self._lock:
                self._facts[source.role, frame] = (file, facts)
        return facts

    def _read(self, source: Source, frame: int) -> tuple[FileId, Picture]:
        """Return the pixels and the file that they are of, which stayed the same while it was read."""
        path = source.path(frame)
        file = source.identify(frame)
        with self._reading(source, frame, path):
            wanted = self._wanted
            if source is self.plate:
                picture = frames.read_plate(path, wanted.plate_layer, wanted.view)
            else:
                picture = frames.read_mask(path, wanted.mask_channel, wanted.view, wanted.mask_colour)
        if source.identify(frame) != file:
            raise _changed(source.role, frame)
        heartbeat.beat()
        return file, picture

    @contextmanager
    def _reading(self, source: Source, frame: int, path: Path) -> Iterator[None]:
        """Hold a note of a file while it is read; what is wrong with it is told with its frame."""
        try:
            with self._noted(f"{source.role} frame {frame} ({path})"):
                yield
        except VideoMaMaError as error:
            raise _placed(error, source.role, frame) from error

    def _learn(self, source: Source, frame: int, file: FileId, picture: Picture) -> Facts:
        """Digest pixels that were just read, unless the file is known and unchanged."""
        with self._lock:
            known = self._facts.get((source.role, frame))
        if known is not None and known[0] == file and file.stamp.settled:
            return known[1]
        facts = _facts_of(picture, is_mask=source is self.mask)
        if known is not None and known[1].digest != facts.digest:
            raise _changed(source.role, frame)
        with self._lock:
            self._facts[source.role, frame] = (file, facts)
        self._memo.put(file, self._channels(source), facts)
        return facts

    def _channels(self, source: Source) -> str:
        return self._wanted.of_plate if source is self.plate else self._wanted.of_mask


def check_display(frame: int, own: Rect, display: Rect) -> None:
    """Raise `BadInput` when a plate's display window is not the clip's."""
    if own != display:
        raise BadInput(
            f"plate frame {frame} is {_size(own)}, the clip is {_size(display)}",
            "All frames of a clip must have one format.",
        )


def plate_space(facts: Facts, display: Rect, frame: int) -> Rect:
    """Return a mask's support in the plate's coordinates.

    Raises:
        BadInput: the mask has another aspect than the plate.
    """
    size = facts.geometry.display
    if abs(size.w * display.h - size.h * display.w) > 0.01 * size.w * display.h + max(size.w, size.h, display.w):
        raise BadInput(
            f"mask frame {frame} is {_size(size)}, the plate is {_size(display)}: another aspect",
            "Render the mask in the plate's format.",
        )
    if facts.support.empty:
        return EMPTY
    sx, sy = display.w / size.w, display.h / size.h
    support = facts.support
    x, y = floor((support.x - size.x) * sx), floor((support.y - size.y) * sy)
    right, bottom = ceil((support.right - size.x) * sx), ceil((support.bottom - size.y) * sy)
    spread = 0 if (sx, sy) == (1.0, 1.0) else 1 + ceil(max(sx, sy, 1.0) / 2)  # resampling blurs the edge
    return Rect(x + display.x, y + display.y, right - x, bottom - y).grow(spread, spread)


def _facts_of(picture: Picture, is_mask: bool) -> Facts:
    digest = memo.pixel_digest(picture)
    if not is_mask:
        return Facts(digest, picture.geometry, picture.is_float, picture.declared, picture.orientation)
    values = picture.pixels[..., 0]
    mask = _sane_mask(values)
    some = mask > NOTHING
    rows, columns = np.flatnonzero(some.any(axis=1)), np.flatnonzero(some.any(axis=0))
    support = EMPTY
    if rows.size:
        canvas = picture.geometry.canvas
        x, y = int(columns[0]), int(rows[0])
        support = Rect(canvas.x + x, canvas.y + y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y)
    shown = mask[picture.geometry.display.slices(picture.geometry.canvas)]
    return Facts(
        digest,
        picture.geometry,
        picture.is_float,
        orientation=picture.orientation,
        support=support,
        low=float(mask.min()),
        peak=float(mask.max()),
        look=mask_values.look(values, shown, picture.colours, picture.is_picture),
    )


def _sane_mask(mask: FloatArray) -> FloatArray:
    """Return the mask with NaN as 0, and 0..1."""
    if mask.size and mask.min() >= 0.0 and mask.max() <= 1.0:  # false for NaN
        return np.ascontiguousarray(mask)
    return np.clip(np.nan_to_num(mask, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)


def cut(pixels: FloatArray, canvas: Rect, region: Rect) -> FloatArray:
    """Return `pixels` on `region`, zero where the canvas does not reach."""
    if region == canvas:
        return pixels
    shared = region.intersect(canvas)
    if shared == region:
        return np.array(pixels[region.slices(canvas)])  # a copy, so that the whole picture can be freed
    padded: FloatArray = np.zeros((region.h, region.w, *pixels.shape[2:]), np.float32)
    if not shared.empty:
        padded[shared.slices(region)] = pixels[shared.slices(canvas)]
    return padded


def _placed(error: VideoMaMaError, role: str, frame: int) -> VideoMaMaError:
    return type(error)(f"{role} frame {frame}: {error.message}", error.hint)


def _changed(role: str, frame: int) -> BadInput:
    return BadInput(f"{role} frame {frame} changed while the job was running", "Run the job again.")


def _size(rect: Rect) -> str:
    return f"{rect.w}x{rect.h}"
