"""The measures of a clip that are quick to take: means of MAD, MSE, GRAD and dtSSD."""

from __future__ import annotations

from dataclasses import dataclass

from videomama_server.arrays import FloatArray
from videomama_server.metrics.scorer import Scorer

_QUICK = ("mad", "mse", "grad", "dtssd")


@dataclass(frozen=True)
class MetricsResult:
    """Means over the frames of a clip, in the units of `mad`, `mse`, `grad` and `dtssd`; lower is better.

    Attributes:
        dtssd: mean over neighbouring frames, None when the clip has a single frame.
        frames: how many frames were measured.
    """

    mad: float
    mse: float
    grad: float
    dtssd: float | None
    frames: int


class ClipMetrics:
    """Accumulates the measures of a clip frame by frame.

    Example:
        >>> import numpy as np
        >>> measured = ClipMetrics()
        >>> measured.add(np.full((8, 8), 0.5, np.float32), np.ones((8, 8), np.float32))
        >>> measured.result().mad
        500.0
    """

    def __init__(self) -> None:
        self._scorer = Scorer(only=_QUICK)

    def add(self, pred: FloatArray, truth: FloatArray) -> None:
        """Measure the next frame, in clip order.

        Args:
            pred: (H, W) float, 0..1, the alpha to judge.
            truth: (H, W) float, 0..1, the exact alpha.

        Raises:
            BadInput: the two differ in shape, from each other or from the frames before, or are not float (H, W).
        """
        self._scorer.add(pred, truth)

    def result(self) -> MetricsResult:
        """Return the means over all frames added so far.

        Raises:
            BadInput: no frame was added.
        """
        mean = self._scorer.mean()
        return MetricsResult(
            mad=mean.mad or 0.0,  # every frame has one
            mse=mean.mse or 0.0,
            grad=mean.grad or 0.0,
            dtssd=mean.dtssd,
            frames=len(self._scorer.frames),
        )
