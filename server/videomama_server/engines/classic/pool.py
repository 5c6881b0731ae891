"""Joins estimates of one alpha, each with a weight that says how much it is to be believed there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from videomama_server.arrays import FloatArray

_DOUBT = np.float32(0.02)  # no estimate is more certain of an unknown pixel than this


def pooled(estimates: Sequence[tuple[FloatArray, FloatArray]]) -> FloatArray:
    """Return the logarithmic opinion pool (H, W), 0..1, of alphas (H, W): the weighted mean of their log odds.

    Where they agree nothing changes; where one is sure that a pixel is empty or solid and the others are not, the sure
    one counts more than in a plain mean, so that the specks of one method do not survive the others. Genest and
    Zidek, Combining Probability Distributions, 1986.

    Args:
        estimates: each alpha with its weight (H, W), 0..1; the weights add up to 1.
    """
    odds = np.zeros_like(estimates[0][0])
    for estimate, weight in estimates:
        odds += weight * _log_odds(estimate)
    alpha = 1 / (1 + np.exp(-odds))
    return np.asarray(np.clip((alpha - _DOUBT) / (1 - 2 * _DOUBT), 0, 1), np.float32)


def _log_odds(alpha: FloatArray) -> FloatArray:
    held = np.clip(alpha, _DOUBT, 1 - _DOUBT)
    return np.asarray(np.log(held / (1 - held)), np.float32)
