"""The ways to look at a frame: each draws plate, mask, alpha and foreground in display colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from videomama_client.engine_settings import TrimapSettings
from videomama_client.errors import BadInput
from videomama_client.wording import choices

from videomama_server.arrays import REFERENCE_SIDE, FloatArray
from videomama_server.engines.edges.trimap import Widths, trimap_of
from videomama_server.foreground.colouring import Colouring
from videomama_server.media import color
from videomama_server.media.contact_sheet import BRIGHT, DARK, checkerboard, comp_over
from videomama_server.media.geometry import Rect
from videomama_server.media.srgb import to_light
from videomama_server.web.clip_files import (
    ALPHA,
    FOREGROUND,
    GROUND,
    MASK,
    OTHER,
    PLATE,
    WHOLE,
    Clip,
    ClipFiles,
    Layer,
    Portion,
)

_SQUARES = 80  # of a checkerboard, along the longest side
_TINT = np.array((1.0, 0.5, 0.0), np.float32)  # display-referred, over what is marked
_TINTED = np.float32(0.5)
_SHADED = np.float32(0.35)  # of the plate's brightness, where a trimap says background
_MORE = np.array((1.0, 0.25, 0.1), np.float32)  # display-referred, where the alpha is higher than the other one
_LESS = np.array((0.1, 0.6, 1.0), np.float32)
_AROUND = 64  # full pixels beside a region that the foreground's colour is found from


@dataclass(frozen=True)
class Wanted:
    """What is to be drawn.

    Attributes:
        view: a name of `VIEWS`.
        frame: its number.
        portion: of the frame.
        stops: exposure that is added for looking, in linear light; it multiplies masks, alphas and differences.
        gamma: of the display, over what the colour space says; 1 changes nothing.
        trimap: how wide a trimap is.
        trimap_of: `mask` or `alpha`, which the trimap is made of.
        comp_colour: `plate` or `foreground`, which comps show.
    """

    view: str
    frame: int
    portion: Portion = WHOLE
    stops: float = 0.0
    gamma: float = 1.0
    trimap: TrimapSettings = field(default_factory=TrimapSettings)
    trimap_of: str = MASK
    comp_colour: str = PLATE


@dataclass(frozen=True)
class View:
    """One way to look at a frame.

    Attributes:
        name: in addresses.
        title: for a person.
        needs: the roles without which there is nothing to draw.
        exact: whether it is encoded without loss at every size.
        draw: returns it, (h, w) or (h, w, 3), display-referred.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    exact: bool
    draw: Callable[[FrameLayers], FloatArray]


class FrameLayers:
    """The layers of one frame on one portion, as views want them."""

    def __init__(self, files: ClipFiles, clip: Clip, wanted: Wanted) -> None:
        self._files, self._clip, self._wanted = files, clip, wanted

    @property
    def gain(self) -> np.float32:
        """What the exposure for looking multiplies linear light by."""
        return np.float32(2.0**self._wanted.stops)

    def plate(self) -> FloatArray:
        """Return the plate (h, w, 3), display-referred."""
        return self._displayed(self._layer(PLATE), self._clip.how.exposure)

    def cover(self, role: str) -> FloatArray:
        """Return a mask or alpha (h, w), 0..1."""
        return np.clip(np.nan_to_num(self._layer(role).pixels, nan=0.0), 0, 1)

    def shown_cover(self, role: str) -> FloatArray:
        """Return the same as it is looked at."""
        return self.cover(role) * self.gain

    def foreground(self) -> FloatArray:
        """Return the subject's own colour (h, w, 3), display-referred: from files, else of plate and alpha."""
        if not self._clip.foreground:
            return self._found_colour()
        layer = self._layer(FOREGROUND)
        if self._clip.premultiplied:
            solid = self.cover(ALPHA)[..., None]
            layer = replace(
                layer, pixels=np.divide(layer.pixels, solid, where=solid > 0, out=np.zeros_like(layer.pixels))
            )
        return self._displayed(layer, 0.0)

    def comp(self, ground: FloatArray) -> FloatArray:
        """Return the subject over a ground in linear light, (h, w, 3), display-referred."""
        colour = self.foreground() if self._wanted.comp_colour == FOREGROUND else self.plate()
        return comp_over(ground * self.gain, to_light(colour), self.cover(ALPHA))

    def squares(self) -> FloatArray:
        """Return a checkerboard whose squares have the same place in the frame at every size, (h, w, 1), linear."""
        display, region = self._files.display(self._clip, self._wanted.frame), self._wanted.portion.region
        height, width = self._layer(ALPHA).pixels.shape[:2]
        longest = max(display.w, display.h) if region else max(height, width)
        return checkerboard((height, width), max(1.0, longest / _SQUARES), (region.y, region.x) if region else (0, 0))

    def own_ground(self) -> FloatArray:
        """Return the picture of one's own, (h, w, 3), in linear light."""
        layer = self._layer(GROUND)
        return to_light(color.display_transform(layer.space, 0.0)(layer.pixels))

    def difference(self) -> FloatArray:
        """Return where the alpha is higher (red) and lower (blue) than the other one, (h, w, 3)."""
        change = (self.cover(ALPHA) - self.cover(OTHER))[..., None] * self.gain
        return np.asarray(np.maximum(change, 0) * _MORE + np.maximum(-change, 0) * _LESS, np.float32)

    def trimap(self) -> FloatArray:
        """Return the trimap (h, w): 0 background, 0.5 unknown, 1 subject."""
        display = self._files.display(self._clip, self._wanted.frame)
        longest = min(self._wanted.portion.longest or max(display.w, display.h), max(display.w, display.h))
        widths = Widths.of(self._wanted.trimap, longest / REFERENCE_SIDE)
        around, inner = self._around(widths.reach)
        cover = around.cover(self._wanted.trimap_of)
        if self._clip.plate:
            plate = around.plate()
        else:
            plate, widths = np.zeros((*cover.shape, 3), np.float32), replace(widths, widen=0.0)
        found = trimap_of(cover, plate, widths)[inner]
        return np.asarray(np.round(found / 127.5) / 2, np.float32)

    def _found_colour(self) -> FloatArray:
        around, inner = self._around(_AROUND)
        plate = around._layer(PLATE)
        light = color.linear_light(plate.space)
        layer = Layer(Colouring(plate.space).make(plate.pixels, around.cover(ALPHA))[inner], light.name)
        return self._displayed(layer, self._clip.how.exposure)

    def _around(self, margin: int) -> tuple[FrameLayers, tuple[slice, slice]]:
        """Return the same frame, without exposure for looking, on a larger region, and where this one lies in it."""
        neutral, region = replace(self._wanted, stops=0.0), self._wanted.portion.region
        if region is None:
            return FrameLayers(self._files, self._clip, neutral), (slice(None), slice(None))
        display = self._files.display(self._clip, self._wanted.frame)
        whole = Rect(0, 0, display.w, display.h)
        larger = region.grow(margin, margin).intersect(whole)
        wanted = replace(neutral, portion=Portion(region=larger))
        return FrameLayers(self._files, self._clip, wanted), region.intersect(whole).slices(larger)

    def _layer(self, role: str) -> Layer:
        return self._files.layer(self._clip, role, self._wanted.frame, self._wanted.portion)

    def _displayed(self, layer: Layer, exposure: float) -> FloatArray:
        return color.display_transform(layer.space, exposure + self._wanted.stops)(layer.pixels)


def _trimap_over(frame: FrameLayers) -> FloatArray:
    """Return the plate, dark where the trimap says background and tinted where it leaves unknown."""
    plate, trimap = frame.plate(), frame.trimap()[..., None]
    tinted = plate * (1 - _TINTED) + _TINT * _TINTED
    return np.where(trimap == 0, plate * _SHADED, np.where(trimap == 1, plate, tinted))


def _mask_over(frame: FrameLayers) -> FloatArray:
    """Return the plate, tinted where the mask is."""
    share = frame.cover(MASK)[..., None] * _TINTED
    return frame.plate() * (1 - share) + _TINT * share


_ALL: Final = (
    View("plate", "Plate", (PLATE,), False, FrameLayers.plate),
    View("mask", "Mask", (MASK,), True, lambda frame: frame.shown_cover(MASK)),
    View("trimap", "Trimap", (), True, FrameLayers.trimap),
    View("alpha", "Alpha", (ALPHA,), True, lambda frame: frame.shown_cover(ALPHA)),
    View("foreground", "Foreground", (ALPHA,), False, FrameLayers.foreground),
    View("comp_bright", "Over bright", (PLATE, ALPHA), False, lambda frame: frame.comp(BRIGHT)),
    View("comp_dark", "Over dark", (PLATE, ALPHA), False, lambda frame: frame.comp(DARK)),
    View("comp_checker", "Over checker", (PLATE, ALPHA), False, lambda frame: frame.comp(frame.squares())),
    View("comp_own", "Over own picture", (PLATE, ALPHA, GROUND), False, lambda frame: frame.comp(frame.own_ground())),
    View("difference", "Difference to other job", (ALPHA, OTHER), True, FrameLayers.difference),
    View("other", "Other job's alpha", (OTHER,), True, lambda frame: frame.shown_cover(OTHER)),
    View("mask_over", "Mask over plate", (PLATE, MASK), False, _mask_over),
    View("trimap_over", "Trimap over plate", (PLATE,), False, _trimap_over),
)
VIEWS: Final = {view.name: view for view in _ALL}


def view_called(name: str) -> View:
    """Return the view of a name; raises `BadInput` where there is none."""
    if name not in VIEWS:
        raise BadInput(f"unknown view {name!r}", choices(name, list(VIEWS)))
    return VIEWS[name]
