"""Joins two estimates of one alpha, each with a weight that says how much it is to be believed there."""

from __future__ import annotations

import numpy as np

from videomama_server.arrays import FloatArray

_DOUBT = np.float32(0.02)  # no estimate is more certain of an unknown pixel than this


def pooled(one: FloatArray, other: FloatArray, share: FloatArray) -> FloatArray:
    """Return the logarithmic opinion pool (H, W), 0..1, of two alphas (H, W): the weighted mean of their log odds.

    Where they agree nothing changes; where one is sure that a pixel is empty or solid and the other is not, the sure
    one counts more than in a plain mean, so that the specks of one method do not survive the other. Genest and
    Zidek, Combining Probability Distributions, 1986.

    Args:
        one, other: the alphas.
        share: (H, W), 0..1, the weight of `other`; `one` has the rest.
    """
    first = _log_odds(one)
    odds = first + share * (_log_odds(other) - first)
    alpha = 1 / (1 + np.exp(-odds))
    return np.asarray(np.clip((alpha - _DOUBT) / (1 - 2 * _DOUBT), 0, 1), np.float32)


def _log_odds(alpha: FloatArray) -> FloatArray:
    held = np.clip(alpha, _DOUBT, 1 - _DOUBT)
    return np.asarray(np.log(held / (1 - held)), np.float32)
