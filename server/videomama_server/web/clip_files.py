"""Reads the frames that the page shows: which file, what of it, how large; keeps what was read within a bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from videomama_client.errors import BadInput, NotPermitted, VideoMaMaError, placed

from videomama_server.arrays import FloatArray
from videomama_server.media import color, frames, movie_frame, sequences
from videomama_server.media.color_table import LARGEST
from videomama_server.media.frames import Picture, Seen
from videomama_server.media.geometry import Geometry, Rect
from videomama_server.media.reduction import averaged, fitted_size
from videomama_server.media.sequences import Pattern
from videomama_server.qc.files import AS_USUAL, Reading
from videomama_server.web.picture_cache import PictureCache

PLATE, MASK, ALPHA, FOREGROUND, OTHER, GROUND = "plate", "mask", "alpha", "foreground", "other", "ground"
ROLES: Final = (PLATE, MASK, ALPHA, FOREGROUND, OTHER, GROUND)
COVERS: Final = (MASK, ALPHA, OTHER)
Size = tuple[int, int]  # height and width, pixels
KEPT_BYTES = 512 << 20  # of pixels that were read
_KEPT_DISPLAYS = 10_000  # frames whose size is remembered


@dataclass(frozen=True)
class Clip:
    """The files that are looked at together: a pattern for each role, empty for none.

    Attributes:
        plate, mask, alpha, foreground: of one job.
        other: the alpha of another job, which differences are shown to.
        ground: a picture of one's own, or a sequence, that comps are shown over.
        how: how plate, mask and alpha are read.
        premultiplied: whether the foreground's colour is multiplied by alpha.
        other_channel: of the other job's alpha; empty for the usual one.
    """

    plate: str = ""
    mask: str = ""
    alpha: str = ""
    foreground: str = ""
    other: str = ""
    ground: str = ""
    how: Reading = AS_USUAL
    premultiplied: bool = False
    other_channel: str = ""

    def pattern(self, role: str) -> str:
        """Return the pattern of a role, with the view filled in.

        Raises:
            BadInput: the clip has no files of this role, or the pattern needs a view and there is none.
        """
        text: str = getattr(self, role)
        if not text:
            raise BadInput(f"no {role} is chosen", "Choose its files first.", role=role)
        return sequences.with_view(text, self.how.view)


@dataclass(frozen=True)
class FoundFile:
    """A frame as its file was when it was found: another stamp stands for other pixels."""

    path: Path
    frame: int
    modified_ns: int
    bytes: int

    @property
    def stamp(self) -> str:
        """A short text that differs when the file was written again."""
        return f"{self.modified_ns:x}-{self.bytes:x}"


@dataclass(frozen=True)
class Portion:
    """What is shown of a frame.

    Attributes:
        longest: the most pixels that a side of the picture may have; 0 for full pixels.
        region: of the frame's full pixels, from its upper left; None for the whole frame. It is never reduced.
    """

    longest: int = 0
    region: Rect | None = None


WHOLE = Portion()


@dataclass(frozen=True)
class Layer:
    """Pixels of a portion, (h, w, 3) or (h, w), and the colour space that they are in; empty for a mask or alpha."""

    pixels: FloatArray
    space: str = ""


class ClipFiles:
    """Reads frames of clips, for several threads at once.

    Args:
        permit: returns a path with links resolved, or raises `NotPermitted`; nothing is opened that it was not
            asked for.
        limit: bytes of pixels that are kept.
    """

    def __init__(self, permit: Callable[[Path], Path], limit: int = KEPT_BYTES) -> None:
        self._permit = permit
        self._kept = PictureCache[Layer](limit, lambda layer: layer.pixels.nbytes)
        self._displays = PictureCache[Rect](_KEPT_DISPLAYS, lambda _: 1)

    @property
    def kept_bytes(self) -> int:
        """How many bytes of pixels are kept."""
        return self._kept.bytes

    def found(self, clip: Clip, role: str) -> dict[int, FoundFile]:
        """Return the files of a role that there are, by frame number.

        Raises:
            BadInput: nothing matches, or the pattern is not one.
            NotPermitted: they lie where the page may not read.
        """
        pattern = sequences.parse(clip.pattern(role))
        self._permit(pattern.folder)
        there = sequences.find(pattern, role)
        looked_at = {frame: _stamped(path, frame) for frame, path in there.items()}
        return {frame: file for frame, file in looked_at.items() if file is not None}

    def file(self, clip: Clip, role: str, frame: int) -> FoundFile:
        """Return the file of one frame; a single picture as ground is that of every frame.

        Raises:
            BadInput: there is none.
            NotPermitted: it lies where the page may not read.
        """
        with placed(role, frame):
            pattern = sequences.parse(clip.pattern(role))
            self._permit(pattern.folder)
            path = _path_of(pattern, frame, any_frame=role == GROUND)
            opened = movie_frame.like(path, self._permit(path))
            file = _stamped(opened, pattern.first if pattern.single else frame)
            if file is None:
                raise BadInput(f"{path} is no longer there", "Render or copy the file again.")
            return file

    def stamps(self, clip: Clip, frame: int) -> tuple[FoundFile | None, ...]:
        """Return the files of all roles of a frame as they are now; None for one that is missing or may not be read."""
        return tuple(self._known(clip, role, frame) for role in ROLES)

    def _known(self, clip: Clip, role: str, frame: int) -> FoundFile | None:
        try:
            return self.file(clip, role, frame) if getattr(clip, role) else None
        except VideoMaMaError:
            return None

    def display(self, clip: Clip, frame: int) -> Rect:
        """Return the display window of a frame: its plate's, else that of what else there is of it.

        Raises:
            BadInput: there is nothing of this frame that can be read.
            NotPermitted: it lies where the page may not read.
        """
        failure: VideoMaMaError | None = None
        for role in filter(lambda role: getattr(clip, role), (PLATE, ALPHA, MASK, FOREGROUND)):
            try:
                return self._display(clip, role, self.file(clip, role, frame))
            except VideoMaMaError as error:
                failure = failure or error
        raise failure or BadInput("no files are chosen", "Choose a plate first.")

    def probed(self, clip: Clip, frame: int) -> Seen:
        """Return what the header of a plate says.

        Raises:
            BadInput: there is no plate of this frame, or it cannot be read.
        """
        path = self.file(clip, PLATE, frame).path
        with placed(PLATE, frame, path):
            return frames.probe_plate(path, clip.how.plate_layer, clip.how.view)

    def layer(self, clip: Clip, role: str, frame: int, portion: Portion = WHOLE) -> Layer:
        """Return the pixels of one role on a portion of the frame.

        Raises:
            BadInput: there is no file, it cannot be read, or has another size than the plate.
            NotPermitted, OutOfMemory: as `frames.read_plate`.
        """
        file, display = self.file(clip, role, frame), self.display(clip, frame)
        size = (display.h, display.w)
        reduced = fitted_size(size, portion.longest) if portion.longest else size
        with placed(role, frame, file.path):
            whole = self._at(clip, role, file, (size, reduced))
        if portion.region is None:
            return whole
        cut = portion.region.intersect(Rect(0, 0, display.w, display.h))
        if cut.empty:
            raise BadInput(f"frame {frame} has no such pixels", f"It is {display.w}x{display.h}.")
        return replace(whole, pixels=np.ascontiguousarray(whole.pixels[cut.slices(Rect(0, 0, *size[::-1]))]))

    def _at(self, clip: Clip, role: str, file: FoundFile, sizes: tuple[Size, Size]) -> Layer:
        """Return a whole frame at the second size; the first is that of its full pixels."""
        reading = replace(clip.how, exposure=0.0)
        full, reduced = sizes

        def read() -> Layer:
            found = self._read(clip, role, file.path)
            return _fitted(found, role, full)

        def reduce() -> Layer:
            whole = read()
            return replace(whole, pixels=averaged(_sane(whole.pixels), reduced))

        key = (role, reading, clip.other_channel, file, full, reduced)
        return self._kept.get(key, read if full == reduced else reduce)

    def _read(self, clip: Clip, role: str, path: Path) -> tuple[Picture, str]:
        """Return the picture on its display window, and its colour space."""
        how = clip.how
        if role in COVERS:
            colours = how.mask_colour if role == MASK else ""
            channel = {MASK: how.mask_channel, ALPHA: how.alpha_channel, OTHER: clip.other_channel}[role]
            return frames.shown(frames.read_mask(path, channel, how.view, colours)), ""
        layer, view = (how.plate_layer, how.view) if role == PLATE else ("", "")
        picture = frames.shown(frames.read_plate(path, layer, view))
        named = how.colorspace if role == PLATE else "auto"
        return picture, color.resolve(named, picture.is_float, picture.declared)

    def _display(self, clip: Clip, role: str, file: FoundFile) -> Rect:
        def look() -> Rect:
            if role == PLATE:
                return frames.probe_plate(file.path, clip.how.plate_layer, clip.how.view).geometry.display
            return frames.probe(file.path).parts[0].geometry.display

        return self._displays.get((role, clip.how, file), look)


def _fitted(found: tuple[Picture, str], role: str, size: Size) -> Layer:
    """Return a picture at the size of the frame.

    Raises:
        BadInput: an alpha or a foreground has another size; a mask and a picture of one's own may have one.
    """
    (picture, space), own = found, found[0].geometry.display
    if role == GROUND:
        return Layer(_covering(picture.pixels, size), space)
    if role != MASK and (own.h, own.w) != size:
        raise BadInput(
            f"it is {own.w}x{own.h}, the plate is {size[1]}x{size[0]}",
            f"Choose the plate that the {role} was made from.",
        )
    if role in COVERS:
        window = Rect(0, 0, size[1], size[0])
        return Layer(frames.conform(picture, Geometry(window, window)))
    return Layer(picture.pixels, space)


def _covering(pixels: FloatArray, size: Size) -> FloatArray:
    """Return the middle of a picture, cut to the proportions of `size` and then made that large."""
    height, width = pixels.shape[:2]
    scale = min(height / size[0], width / size[1])
    high, wide = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    top, left = (height - high) // 2, (width - wide) // 2
    return averaged(np.ascontiguousarray(_sane(pixels[top : top + high, left : left + wide])), size)


def _sane(pixels: FloatArray) -> FloatArray:
    """Return pixels without NaN and infinite values, which an average would spread; themselves where there are none."""
    if np.isfinite(pixels.sum(dtype=np.float32)):
        return pixels
    return np.nan_to_num(pixels, nan=0.0, posinf=LARGEST, neginf=-LARGEST)


def _path_of(pattern: Pattern, frame: int, any_frame: bool) -> Path:
    """Return the file of a frame, which is looked for in the folder only where it has not the usual name.

    Args:
        pattern: of the files.
        frame: its number.
        any_frame: whether a single picture is that of every frame.

    Raises:
        BadInput: there is none.
    """
    number = pattern.first if pattern.single and any_frame else frame
    named = pattern.frames is None or number in pattern.frames
    usual = pattern.path(number)
    if named and pattern.digits and _stamped(usual, number):
        return usual
    path = sequences.find(pattern).get(number)
    if path is None:
        raise BadInput("there is no such file", f"It would match {pattern.name}.")
    return path


def _stamped(path: Path, frame: int) -> FoundFile | None:
    """Return what is there under a path; None where nothing is."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise NotPermitted(f"cannot look at {path}: {error}", "Check the folder's permissions.") from error
    return FoundFile(path, frame, found.st_mtime_ns, found.st_size)
