"""Reads the plate and mask of a frame together, cut to the region of interest, and knows their facts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from videomama_client.errors import BadInput, placed
from videomama_client.messages import MASK
from videomama_client.settings import MatteSettings

from videomama_server import heartbeat
from videomama_server.arrays import FloatArray
from videomama_server.cache import memo
from videomama_server.cache.memo import Facts, FileId, Memo
from videomama_server.media import frames, mask_values
from videomama_server.media.channels import ChannelChoice
from videomama_server.media.frames import Picture, Seen
from videomama_server.media.geometry import EMPTY, Geometry, Rect
from videomama_server.media.links import with_ending
from videomama_server.pipeline.kept_masks import KeptMasks
from videomama_server.pipeline.sources import NoMasks, Source
from videomama_server.qc.boundary import judging
from videomama_server.qc.rim import ToDisplay
from videomama_server.qc.sights import Glimpse, glimpse

NOTHING = 0.5 / 255  # a mask value up to this one is none
_BLOCK = 1 << 16  # values looked at at a time
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
        is_empty: whether the mask holds nothing, wherever it lies.
        glimpse: what quality control keeps of plate and mask; None where that was not asked for, or failed.
    """

    number: int
    plate: FloatArray
    mask: FloatArray
    geometry: Geometry
    outside: FloatArray | None
    is_empty: bool
    glimpse: Glimpse | None


def wanted_of(settings: MatteSettings) -> ChannelChoice:
    """Return which pixels of plate and mask a job's settings ask for."""
    return ChannelChoice(settings.plate_layer, settings.mask_channel, settings.view, settings.mask_colour)


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
        wanted: ChannelChoice,
        rehash: bool,
        noted: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        self.plate = plate
        self.mask = mask
        self._memo = known
        self._wanted = wanted
        self._rehash = rehash
        self._noted = noted
        self._facts: dict[tuple[Source, int], tuple[FileId, Facts]] = {}
        self._probed: dict[int, tuple[FileId, Seen]] = {}
        self._probed_bytes = 0
        self._kept = KeptMasks()
        self._reads: dict[int, threading.Lock] = {}  # of plates, by frame
        self._lock = threading.Lock()

    @property
    def has_masks(self) -> bool:
        """Whether there are masks, or else an engine that makes them."""
        return not isinstance(self.mask, NoMasks)

    def plate_facts(self, frame: int) -> Facts | None:
        """Return what is known of a plate frame without reading it."""
        return self._known(self.plate, frame)

    def mask_facts(self, frame: int) -> Facts:
        """Return the facts of a mask frame, reading it when they are not known."""
        known = self._known(self.mask, frame)
        if known is not None:
            return known
        file, mask = self._read(self.mask, frame)
        self._kept.keep(frame, file, mask)
        return self._learn(self.mask, frame, file, mask)

    def is_digested(self, frame: int) -> bool:
        """Whether what stands for a frame's plate and mask in keys is known without reading them."""
        if self.plate_facts(frame) is None:
            return False
        return self.mask.digest(frame) is not None or self._known(self.mask, frame) is not None

    def mask_digest(self, frame: int) -> str:
        """Return what stands for a mask frame's pixels in keys, reading it when that is not known."""
        return self.mask.digest(frame) or self.mask_facts(frame).digest

    def digest_plate(self, frame: int) -> None:
        """Read a plate frame whose digest is not known yet; what a client sent is kept as far as there is room.

        Raises:
            BadInput: it cannot be read.
        """
        if self.plate_facts(frame) is None:
            self._learn(self.plate, frame, *self._read(self.plate, frame))
            self._let_go(frame, self.plate.path(frame))

    def read_plate(self, frame: int) -> Picture:
        """Return the whole of a plate, as read; a file that a client sent is let go of.

        Whoever else reads the same frame waits: it would lose the file.

        Raises:
            BadInput: unreadable, or changed since the job began.
        """
        with self._lock:
            alone = self._reads.setdefault(frame, threading.Lock())
        with alone:
            file, plate = self._read(self.plate, frame)
            self.plate.release(frame)
        self._learn(self.plate, frame, file, plate)
        return plate

    def over(self, mask: Source, wanted: ChannelChoice | None = None) -> Reader:
        """Return a reader of the same plates, with what is known of them, and of other masks.

        Args:
            mask: where they come from.
            wanted: which of their channels are read; None for those that this one reads.
        """
        other = copy(self)
        other.mask = mask
        other._wanted = wanted or self._wanted
        other._kept = KeptMasks()
        return other

    def probe_plate(self, frame: int) -> Seen:
        """Return what a plate's header says, from the memo where it knows.

        Raises:
            BadInput: its channels are not there, or it is not a flat picture.
        """
        known = self.plate_facts(frame)
        if known is not None:
            return Seen(known.geometry, known.is_float, known.declared, known.orientation)
        path, file = self.plate.path(frame), self.plate.identify(frame)
        with self._lock:
            probed = self._probed.get(frame)
        if probed is not None and probed[0] == file and file.stamp.settled:
            return probed[1]
        with self._reading(self.plate, frame, path) as named:
            found = frames.probe_plate(named, self._wanted.plate_layer, self._wanted.view)
            self._let_go(frame, path)
        with self._lock:
            self._probed[frame] = (file, found)
        return found

    def windows_vary(self) -> bool:
        """Whether plates of this format may have data windows that differ."""
        return self.plate.suffix.lower() in _WINDOWED

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
        plate = self.read_plate(frame)
        mask = self._mask_over(frame, plate)
        self.mask.release(frame)
        geometry = plate.geometry
        check_display(frame, geometry.display, display)
        canvas = geometry.canvas
        kept = canvas if region is None else region
        sane = _sane(mask)
        whole = _conformed(sane, geometry)
        is_empty = all(block.max() <= NOTHING for block in _blocks(sane.pixels))
        inside = cut(whole, canvas, kept)
        leaves = not kept.holds(canvas) and np.count_nonzero(whole > NOTHING) > np.count_nonzero(inside > NOTHING)
        seen = None
        if to_display is not None:
            seen = judging(lambda: glimpse(plate.pixels, whole, to_display), f"look at frame {frame}")
        outside = whole if leaves else None
        return LoadedFrame(frame, cut(plate.pixels, canvas, kept), inside, geometry, outside, is_empty, seen)

    def _mask_over(self, frame: int, plate: Picture) -> Picture:
        """Return the mask of a plate that was read: zeros where the job has none."""
        if not self.has_masks:
            return Picture(np.zeros((*plate.pixels.shape[:2], 1), np.float32), plate.geometry)
        file, mask = self._mask(frame)
        if self.mask.digest(frame) is None:
            self._learn(self.mask, frame, file, mask)
        return mask

    def mask_on(self, frame: int, geometry: Geometry, region: Rect) -> FloatArray:
        """Read a mask alone, and return it (H, W), 0..1, as `load` does: resampled to a plate, cut to a region.

        Args:
            frame: its number.
            geometry: of the plate.
            region: in the plate's coordinates.

        Raises:
            BadInput: it cannot be read, or has changed.
        """
        file, mask = self._mask(frame)
        self._learn(self.mask, frame, file, mask)
        return cut(_conformed(_sane(mask), geometry), geometry.canvas, region)

    def measured(
        self, frame: int, what: str, measure: Callable[[LoadedFrame], Sequence[float]], display: Rect
    ) -> Sequence[float]:
        """Return numbers measured on a frame, from the memo where plate and mask are those that it knows.

        Args:
            frame: its number.
            what: says which numbers, and all but the pixels that they depend on.
            measure: takes the whole frame.
            display: the display window that all plates of the job must have.

        Raises:
            BadInput: as `load`.
        """
        file = self.mask.identify(frame)
        plate, mask = self._known(self.plate, frame), self._known(self.mask, frame)
        known = self._memo.numbers(file, f"{what} {plate.digest} {mask.digest}") if plate and mask else None
        if known is not None:
            return known
        numbers = measure(self.load(frame, None, display))
        plate, mask = self._known(self.plate, frame), self.mask_facts(frame)
        assert plate is not None  # it has been read
        self._memo.put_numbers(file, f"{what} {plate.digest} {mask.digest}", numbers)
        return numbers

    def _known(self, source: Source, frame: int) -> Facts | None:
        with self._lock:
            row = self._facts.get((source, frame))
        if row is not None:
            return row[1]
        file = source.identify(frame)
        facts = None if self._rehash else self._memo.get(file, self._channels(source))
        if facts is not None:
            with self._lock:
                self._facts[source, frame] = (file, facts)
        return facts

    def _mask(self, frame: int) -> tuple[FileId, Picture]:
        """Return as `_read` does a mask that was kept since the survey, or else read it."""
        file = self.mask.identify(frame)
        kept = self._kept.take(frame, file)
        return self._read(self.mask, frame) if kept is None else (file, kept)

    def _read(self, source: Source, frame: int) -> tuple[FileId, Picture]:
        """Return the pixels and the file that they are of, which stayed the same while it was read."""
        path = source.path(frame)
        file = source.identify(frame)
        wanted = self._wanted
        with self._reading(source, frame, path) as named:
            if source is self.plate:
                picture = frames.read_plate(named, wanted.plate_layer, wanted.view)
            elif source.digest(frame) is not None:
                picture = frames.read_mask(named, "A")  # an entry of the cache
            else:
                picture = frames.read_mask(named, wanted.mask_channel, wanted.view, wanted.mask_colour)
        if source.identify(frame) != file:
            raise _changed(source.role, frame)
        heartbeat.beat()
        return file, picture

    @contextmanager
    def _reading(self, source: Source, frame: int, path: Path) -> Iterator[Path]:
        """Hold a note of a file while it is read, and yield a path to it that has the ending of the frame's own name.

        What is wrong with the file is told with its frame.
        """
        noted = self._noted(f"{source.role} frame {frame} ({path})")
        with placed(source.role, frame, path), noted, with_ending(path, source.suffix) as named:
            yield named

    def _learn(self, source: Source, frame: int, file: FileId, picture: Picture) -> Facts:
        """Digest pixels that were just read, unless the file is known and unchanged."""
        with self._lock:
            known = self._facts.get((source, frame))
        if known is not None and known[0] == file and file.stamp.settled:
            return known[1]
        facts = _facts_of(picture, is_mask=source is self.mask)
        if known is not None and known[1].digest != facts.digest:
            raise _changed(source.role, frame)
        with self._lock:
            self._facts[source, frame] = (file, facts)
        self._memo.put(file, self._channels(source), facts)
        return facts

    def _channels(self, source: Source) -> str:
        return self._wanted.of_plate if source is self.plate else self._wanted.of_mask


def check_display(frame: int, own: Rect, display: Rect) -> None:
    """Raise `BadInput` when a plate's display window is not the clip's."""
    if own != display:
        raise BadInput(
            f"it is {_size(own)}, the clip is {_size(display)}", "All frames of a clip must have one format."
        ).at("plate", frame)


def plate_space(facts: Facts, display: Rect, frame: int, role: str = MASK) -> Rect:
    """Return a mask's support in the plate's coordinates: where the mask lies once it is resampled to the plate.

    Args:
        facts: of the mask.
        display: the display window of the plate.
        frame: its number.
        role: what messages call the mask.

    Raises:
        BadInput: the mask has another aspect than the plate.
    """
    size = facts.geometry.display
    if abs(size.w * display.h - size.h * display.w) > 0.01 * size.w * display.h + max(size.w, size.h, display.w):
        raise BadInput(
            f"it is {_size(size)}, the plate is {_size(display)}: another aspect",
            "Render the mask in the plate's format.",
        ).at(role, frame)
    support = facts.support
    if (size.w, size.h) == (display.w, display.h):
        return EMPTY if support.empty else support.moved(display.x - size.x, display.y - size.y)
    support = support.intersect(size)  # what lies in overscan is not resampled
    if support.empty:
        return EMPTY
    x, right = _resampled((support.x - size.x, support.right - size.x), size.w, display.w)
    y, bottom = _resampled((support.y - size.y, support.bottom - size.y), size.h, display.h)
    return Rect(x + display.x, y + display.y, right - x, bottom - y)


def _resampled(span: tuple[int, int], own: int, wanted: int) -> tuple[int, int]:
    """Return where pixels lie, first and one past the last, once `own` pixels are resampled to `wanted`.

    See `frames.conform`. Averaging reaches as far as the pixels themselves do, interpolation up to the centres of
    those beside them.
    """
    start, stop = span
    if wanted <= own:
        return start * wanted // own, -(-stop * wanted // own)
    first = ((2 * start - 1) * wanted - own) // (2 * own) + 1
    past = -(-((2 * stop + 1) * wanted - own) // (2 * own))
    return max(0, first), min(wanted, past)


def _facts_of(picture: Picture, is_mask: bool) -> Facts:
    digest = memo.pixel_digest(picture)
    if not is_mask:
        return Facts(digest, picture.geometry, picture.is_float, picture.declared, picture.orientation)
    values = picture.pixels[..., 0]
    mask = in_range(values)
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


def in_range(values: FloatArray) -> FloatArray:
    """Return values with NaN as 0, in 0..1: a copy only where there is anything to change."""
    if all(block.min() >= 0.0 and block.max() <= 1.0 for block in _blocks(values)):  # false for NaN
        return np.ascontiguousarray(values)
    return np.clip(np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)


def _sane(mask: Picture) -> Picture:
    """Return a mask whose values are in range, before it is resampled, which would spread a NaN."""
    return Picture(in_range(mask.pixels), mask.geometry)


def _conformed(sane: Picture, geometry: Geometry) -> FloatArray:
    """Return a mask whose values are in range (H, W) on a plate's canvas; one that is resampled is held to it again."""
    fitted = frames.conform(sane, geometry)
    return np.ascontiguousarray(fitted) if np.may_share_memory(fitted, sane.pixels) else in_range(fitted)


def _blocks(values: FloatArray) -> Iterator[FloatArray]:
    """Yield the rows of a picture, as many at a time as stay in the processor's cache, so that two looks cost one."""
    rows = max(1, _BLOCK * len(values) // max(1, values.size))
    for first in range(0, len(values), rows):
        block = values[first : first + rows]
        if block.size:
            yield block


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


def _changed(role: str, frame: int) -> BadInput:
    return BadInput("the file changed while the job was running", "Run the job again.").at(role, frame)


def _size(rect: Rect) -> str:
    return f"{rect.w}x{rect.h}"
