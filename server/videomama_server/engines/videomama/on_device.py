"""Does with torch, on the network's device, what `canvas` and `lift` do on the host: colour, placing, guide, lifting.

The same within 1e-3. Steps are rounded as the host rounds them, since the guide's half floats and the edge of the
transition band make more of a last digit. A plate goes to the device once, as half floats where they hold it exactly,
and an alpha comes back once. Work is done some rows at a time, so that it takes as much memory for any plate.
Published ways of placing are the host's alone, and so are pictures on Apple's cards, which have no float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from videomama_server.arrays import FloatArray
from videomama_server.engines.guided_filter import LIFT_EPSILON, LIFT_RADIUS
from videomama_server.engines.videomama.canvas import Canvas, Size
from videomama_server.engines.videomama.lift import BAND_SHARE, SOLID
from videomama_server.engines.videomama.taps import taps
from videomama_server.media.color import Lookup
from videomama_server.media.color_table import DROPPED, LARGEST, CurveTable

_GUIDE_BYTES = 6  # a pixel of guide and frame, of the region and of the canvas
_PLACED_BYTES = 12  # a pixel of the canvas and frame
_STRIP = 1 << 21  # pixels of the region that are worked on at a time
_STRIP_BYTES = 52  # a pixel of a strip, while it is worked on
_CANVAS_BYTES = 160  # a pixel of the canvas, while a guide is fitted
_ROW_BYTES = 20  # a pixel of what is resized along one axis alone
_ALPHA_BYTES = 4  # a pixel of the region


@dataclass(frozen=True)
class HostPlate:
    """A plate that waits for its way to the device.

    Attributes:
        pixels: (H, W, 3), half or float32, on the host.
        lookup: makes it display-referred; None where it is already.
    """

    pixels: Tensor
    lookup: Lookup | None

    @classmethod
    def of(cls, pixels: FloatArray, lookup: Lookup | None) -> HostPlate:
        """Return a plate (H, W, 3) in half floats where these hold it exactly."""
        whole = torch.from_numpy(np.ascontiguousarray(pixels))
        halves = whole.half()
        return cls(halves if torch.equal(halves.float(), whole) else whole, lookup)


@dataclass(frozen=True)
class DeviceGuide:
    """As `lift.Guide`, on the device: (3, H, W) of the region and (3, h, w) of what the canvas shows, half floats."""

    plate: Tensor
    small: Tensor


def held_bytes(region: Size, canvas: Size, window: int) -> int:
    """Return the bytes of the device that pictures take beside the network.

    They are the guides of two windows, the plates of one on their canvas, and what one plate or alpha takes while it
    is worked on.

    Args:
        region: (height, width) of the region of interest.
        canvas: its (height, width).
        window: frames of a window.
    """
    whole, small = region[0] * region[1], canvas[0] * canvas[1]
    held = window * (2 * (whole + small) * _GUIDE_BYTES + small * _PLACED_BYTES)
    return held + working_bytes(region, canvas)


def working_bytes(region: Size, canvas: Size) -> int:
    """Return the bytes of the device that one plate or alpha takes while it is worked on, beside its guide."""
    whole, small = region[0] * region[1], canvas[0] * canvas[1]
    halfway = max(region[0] * canvas[1], canvas[0] * region[1])
    strip = min(whole, _STRIP + _halo(region) * region[1])
    return max(small * _CANVAS_BYTES, strip * _STRIP_BYTES + halfway * _ROW_BYTES + whole * _ALPHA_BYTES)


def placed(plate: HostPlate, canvas: Canvas, device: torch.device) -> tuple[Tensor, DeviceGuide | None]:
    """Return a plate (3, H, W) of the canvas, -1..1, on the device, and the guide of its region where there is one."""
    (height, width), (h, w) = canvas.region, canvas.inner
    narrow = torch.empty((3, height, w), device=device)
    whole = torch.empty((3, height, width), dtype=torch.float16, device=device) if canvas.guides else None
    for rows in _strips(canvas.region):
        shown = _displayed(_sent(plate.pixels[rows], device), plate.lookup)
        narrow[:, rows] = _resized(shown, 2, w)
        if whole is not None:
            whole[:, rows] = shown
    small = _resized(narrow, 1, h)
    guide = None if whole is None else DeviceGuide(whole, small.half())
    return _surrounded(small, canvas).mul(2).sub_(1), guide


def lifted(alpha: Tensor, canvas: Canvas, guide: DeviceGuide | None) -> Tensor:
    """Return an alpha (H, W) of the canvas at the region's resolution, 0..1; see `Canvas.lift`."""
    (top, left), (h, w), (height, width) = canvas.margins, canvas.inner, canvas.region
    inner = alpha[None, top : top + h, left : left + w].float()
    wide = _resized(inner, 2, width)
    if guide is None:
        return _resized(wide, 1, height).clamp(0, 1)[0]
    maps = _resized(_lines(guide.small.float(), inner), 2, width)
    result = torch.empty(canvas.region, device=alpha.device)
    for rows in _strips(canvas.region):
        result[rows] = _followed(wide, maps, guide.plate, rows)
    return result


def _strips(region: Size) -> Iterator[slice]:
    """Yield the rows of a region, some at a time."""
    rows = max(1, _STRIP // region[1])
    for start in range(0, region[0], rows):
        yield slice(start, min(start + rows, region[0]))


def _sent(pixels: Tensor, device: torch.device) -> Tensor:
    """Return pixels (h, W, 3) of the host as (3, h, W) on the device, in their own format."""
    return pixels.to(device, non_blocking=True).permute(2, 0, 1).contiguous()


def _displayed(plate: Tensor, lookup: Lookup | None) -> Tensor:
    """Return a plate (3, H, W), as read, display-referred, float32, 0..1."""
    if lookup is None or lookup.curve is None:
        return _held(plate.float(), 1.0)
    pixels = _held(plate.float(), LARGEST)
    if lookup.matrix is not None:
        pixels = _mixed(pixels, lookup.matrix)
    columns = _columns(lookup.curve, plate.device)
    for channel, numbers in enumerate(pixels):
        places = numbers.view(torch.int32) + (1 << (DROPPED - 1))
        column = columns[channel % len(columns)]
        places = (places >> DROPPED).sub_(lookup.curve.first).clamp_(0, len(column) - 1)
        pixels[channel] = column[places.long()]
    return pixels


def _mixed(pixels: Tensor, matrix: FloatArray) -> Tensor:
    """Return pixels (3, H, W) after a matrix (3, 3): the last channel first, each sum rounded once, as OpenCV does."""
    result = torch.empty_like(pixels)
    for row, total in zip(matrix.tolist(), result, strict=True):
        torch.mul(pixels[2], row[2], out=total)
        for channel in (1, 0):
            total.copy_((pixels[channel].double() * row[channel]).add_(total))
    return result


@lru_cache(maxsize=2)  # some megabytes of the device: they do not cross the bus with every plate
def _columns(curve: CurveTable, device: torch.device) -> list[Tensor]:
    """Return the entries of a curve's channels on a device."""
    return [torch.from_numpy(column).to(device) for column in curve.columns]


def _held(pixels: Tensor, most: float) -> Tensor:
    return torch.nan_to_num(pixels, nan=0.0, posinf=most, neginf=0.0).clamp_(0.0, most)


@lru_cache(maxsize=16)
def _taps(own: int, wanted: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return places and shares (K, wanted) of `taps` on a device."""
    found = taps(own, wanted)
    return torch.from_numpy(found.places).to(device), torch.from_numpy(found.shares).to(device)


def _resized(planes: Tensor, axis: int, wanted: int, part: slice = slice(None)) -> Tensor:
    """Return planes (C, h, w) with `wanted` pixels along an axis, or a part of these; see `taps.taps`."""
    own = planes.shape[axis]
    if own == wanted:
        return planes[:, part] if axis == 1 else planes[..., part]
    places, shares = (found[:, part] for found in _taps(own, wanted, planes.device))
    if axis == 1:
        shares = shares[..., None]
    result = planes.index_select(axis, places[0])
    if wanted > own:
        return result.addcmul_(planes.index_select(axis, places[1]).sub_(result), shares[1])
    result.mul_(shares[0])
    for place, share in zip(places[1:], shares[1:], strict=True):
        result.add_(planes.index_select(axis, place).mul_(share))
    return result


def _surrounded(small: Tensor, canvas: Canvas) -> Tensor:
    """Return (C, H, W) of the canvas: what it shows of a region, and its reflection around it."""
    for axis, (before, inner, size) in enumerate(zip(canvas.margins, canvas.inner, canvas.size, strict=True), 1):
        small = small.index_select(axis, _reflected(before, inner, size - inner - before, small.device, twice=False))
    return small


def _reflected(before: int, inner: int, after: int, device: torch.device, *, twice: bool) -> Tensor:
    """Return the places that pixels around a row are taken from; `twice` repeats the outermost one."""
    places = torch.arange(-before, inner + after, device=device)
    period = max(1, 2 * inner - (0 if twice else 2))
    places = places % period
    mirrored = (2 * inner - 1 if twice else 2 * inner - 2) - places
    return torch.where(places < inner, places, mirrored).clamp_(0, inner - 1)


def _halo(region: Size) -> int:
    """Return how many rows beside a strip, above and below it together, decide about it."""
    return 4 * _reach(region)


def _reach(region: Size) -> int:
    return max(1, round(BAND_SHARE * max(region)))


def _followed(wide: Tensor, maps: Tensor, plate: Tensor, rows: slice) -> Tensor:
    """Return some rows (h, W) of an alpha that follows its plate where it is in transition.

    Args:
        wide: (1, h, W): the alpha, as wide as the region and as high as on the canvas.
        maps: (4, h, W): slope and offset, likewise.
        plate: (3, H, W), the guide.
        rows: of the region.
    """
    height, width = plate.shape[1:]
    reach = _reach((height, width))
    around = slice(max(0, rows.start - 2 * reach), min(height, rows.stop + 2 * reach))
    inside = slice(rows.start - around.start, rows.stop - around.start)
    whole = _resized(wide, 1, height, around).clamp(0, 1)
    soft = ((whole >= SOLID) & (whole <= 1 - SOLID)).float()
    band = (_mean(soft, reach, "edge") > 0).float()
    weight = _mean(band, reach, "edge")[:, inside]
    whole, lines = whole[:, inside], _resized(maps, 1, height, rows)
    followed = lines[3:]
    for channel in range(3):
        followed = torch.addcmul(followed, lines[channel : channel + 1], plate[channel : channel + 1, rows].float())
    return (whole + weight * (followed.clamp_(0, 1) - whole)).clamp_(0, 1)[0]


def _lines(plate: Tensor, alpha: Tensor) -> Tensor:
    """Return slope and offset (4, h, w) that carry an alpha (1, h, w); see `guided_filter.lift_lines`.

    In float32 and in the host's order: where a plate is flat, what is rounded away decides about the slope.
    """
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    mean, mean_alpha = _boxed(plate), _boxed(alpha)[0]
    right = _boxed(plate * alpha) - mean * mean_alpha
    aa, ab, ac, bb, bc, cc = (
        _boxed((plate[i] * plate[j])[None])[0] - mean[i] * mean[j] + (LIFT_EPSILON if i == j else 0) for i, j in pairs
    )
    over_a = 1 / aa
    b, c = ab * over_a, ac * over_a
    over_d = 1 / (bb - b * ab)
    across = bc - b * ac
    e = across * over_d
    y = right[1] - b * right[0]
    z = (right[2] - c * right[0] - e * y) * (1 / (cc - c * ac - e * across))
    y = y * over_d - e * z
    slope = torch.stack((right[0] * over_a - b * y - c * z, y, z))
    offset = mean_alpha - (slope[0] * mean[0] + slope[1] * mean[1] + slope[2] * mean[2])
    return torch.cat((_boxed(slope), _boxed(offset[None])))


def _boxed(planes: Tensor) -> Tensor:
    """Return planes (C, h, w), each pixel the mean of those within `LIFT_RADIUS`, rounded once."""
    return torch.cat([_mean(plane[None].double(), LIFT_RADIUS, "symmetric").float() for plane in planes])


def _mean(planes: Tensor, radius: int, border: str) -> Tensor:
    """Return planes (C, h, w), each pixel the mean of those within a radius; `border` as NumPy's `pad` names it."""
    for axis in (1, 2):
        length = planes.shape[axis]
        if border == "symmetric":
            places = _reflected(radius, length, radius, planes.device, twice=True)
        else:
            places = torch.arange(-radius, length + radius, device=planes.device).clamp_(0, length - 1)
        window = (2 * radius + 1, 1) if axis == 1 else (1, 2 * radius + 1)
        planes = functional.avg_pool2d(planes.index_select(axis, places)[None], window, stride=1)[0]
    return planes
