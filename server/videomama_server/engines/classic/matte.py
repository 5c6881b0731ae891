"""The matte of a single frame: which methods are applied, at which resolution, and how their results are joined."""

from __future__ import annotations

import cv2
import numpy as np

from videomama_server.arrays import FloatArray
from videomama_server.engines.classic.closed_form import closed_form
from videomama_server.engines.classic.evidence import (
    Estimates,
    evidence,
    pull_of_mask,
    share_of_bending,
    share_of_mask,
    share_of_spread,
    unexplained,
)
from videomama_server.engines.classic.grain import GrainyPlate
from videomama_server.engines.classic.likeness import told
from videomama_server.engines.classic.pool import pooled
from videomama_server.engines.classic.separability import blended, separability
from videomama_server.engines.classic.shared import shared_matte
from videomama_server.engines.classic.trimap import Trimap
from videomama_server.engines.classic.weighing import Estimated, Known, weighed
from videomama_server.engines.guided_filter import LocalLines, fit_lines
from videomama_server.media.reduction import averaged, reduced_size
from videomama_server.media.srgb import to_light

_GUIDED_RADIUS = 16.0  # pixels of a plate 1920 wide
_GUIDED_EPSILON = 1e-4
_EDGE = 0.7  # sigma in pixels
_HAZE = np.float32(0.05)  # alpha that texture of the background alone can feign


def fast_lines(plate: FloatArray, mask: FloatArray, scale: float) -> LocalLines:
    """Return the maps from colour to alpha that bend a mask to the edges of its plate.

    Args:
        plate: (H, W, 3), 0..1, display-referred.
        mask: (H, W), 0..1.
        scale: pixels per pixel of a plate 1920 wide.
    """
    return fit_lines(plate, mask, max(1, round(_GUIDED_RADIUS * scale)), _GUIDED_EPSILON)


def fine_matte(plate: GrainyPlate, mask: FloatArray, trimap: Trimap, scale: float, slack: float) -> FloatArray:
    """Return alpha (H, W), 0..1: by colour sampling, by the bent mask where that fails, and by closed form, pooled.

    Sampling finds strands that are connected to nothing and invents specks; closed form does neither. Grain is
    smoothed for closed form alone: sampling averages many explanations, and finds strands that smoothing would lose.
    Where colours do not tell the sides apart, the mask counts instead, the more the less its outline may be off.
    Elsewhere what was learned about all of them has half the say, and more where the outline is hardly off.

    Arguments as for `fast_lines`; the trimap is that of the mask, and `slack` says how far its outline may be off,
    pixels at 1920 wide.
    """
    pixels = plate.pixels
    safe = fast_lines(pixels, mask, scale).of(pixels)
    band = trimap.unknown
    if not band.any():
        return trimap.hold(safe)
    light = to_light(pixels)
    matte = shared_matte(light, trimap, safe, scale)
    clear = separability(matte, band, scale)
    sampled = trimap.hold((blended(matte, safe, clear) - _HAZE) / (1 - _HAZE))
    smooth = light if plate.smooth is pixels else to_light(plate.smooth)
    spread = closed_form(smooth, trimap, safe, pull_of_mask(slack, scale))
    left_over = unexplained(pixels, matte, band, scale)
    share = share_of_spread(Estimates(trimap.hold(safe), sampled, spread), left_over, clear, scale)
    enough = evidence(told(plate.smooth, trimap, scale), left_over, slack)
    bending = share_of_bending(enough)
    firm = trimap.hold(bending * safe + (1 - bending) * _smoothed(mask))
    of_mask = share_of_mask(enough, slack)
    rest = 1 - of_mask
    even = trimap.hold(pooled([(sampled, rest * (1 - share)), (spread, rest * share), (firm, of_mask)]))
    known = Known(pixels, mask, trimap, left_over, clear, enough, scale, slack)
    return trimap.hold(weighed(known, Estimated(sampled, spread, firm, even), safe, bending))


def _smoothed(mask: FloatArray) -> FloatArray:
    """Return a mask (H, W) with the edge that a sharp outline has in a picture."""
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), _EDGE), np.float32)


def reduced(pixels: FloatArray, factor: float) -> FloatArray:
    """Return (H, W) or (H, W, C) made smaller by averaging; `factor` below 1."""
    return averaged(pixels, reduced_size((pixels.shape[0], pixels.shape[1]), factor))
