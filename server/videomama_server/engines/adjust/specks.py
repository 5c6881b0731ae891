"""Removes small islands of an alpha and fills its small holes, by connected components; pure functions."""

from __future__ import annotations

import cv2
import numpy as np

from videomama_server.arrays import BoolArray, FloatArray

_FAINT = 1 / 255  # nobody sees less; a network's alpha is seldom exactly 0 where there is nothing


def despeckled(alpha: FloatArray, area: float) -> FloatArray:
    """Return an alpha (H, W), 0..1, without its specks: with islands as 0 and holes as 1, their soft rims included.

    A speck is what nothing connects to the rest, so that soft edges and hair stay as they are. One that touches the
    picture's rim stays too: its size is not known.

    Args:
        alpha: (H, W), 0..1.
        area: pixels that show; less is a speck.
    """
    if area <= 0:
        return alpha
    changed = alpha.copy()
    changed[_specks(alpha > 0, alpha > _FAINT, area)] = 0
    changed[_specks(changed > _FAINT, changed > _FAINT, area)] = 0  # those in a veil that is too faint to be seen
    changed[_specks(changed < 1, changed < 1 - _FAINT, area)] = 1
    changed[_specks(changed < 1 - _FAINT, changed < 1 - _FAINT, area)] = 1
    return changed


def _specks(there: BoolArray, showing: BoolArray, area: float) -> BoolArray:
    """Return the pixels of those pieces of `there` (H, W) of which less than `area` is `showing`."""
    count, labels = cv2.connectedComponents(there.view(np.uint8), connectivity=8)
    small = np.bincount(labels[showing], minlength=count) < area
    for rim in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        small[rim] = False
    small[0] = False
    return np.asarray(small[labels], bool)
