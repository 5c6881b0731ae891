"""How far an alpha is from the truth, or from itself over time: the only place that defines the measures.

The convention is that of the RobustVideoMatting evaluation (Lin et al., 2021), which MatAnyone shares, on float
alphas: no 8-bit step, no normalisation before the gradient, and measures of change averaged over the frame pairs
that exist. `Scorer(convention="maggie")` gives the figures of MaGGIe's evaluation instead.
"""

from videomama_server.arrays import FloatArray
from videomama_server.metrics.band import KERNEL, mad_t, unknown_band
from videomama_server.metrics.clip import ClipMetrics, MetricsResult
from videomama_server.metrics.connectivity import conn
from videomama_server.metrics.conventions import CONVENTIONS, Convention
from videomama_server.metrics.difference import foreground_mad, foreground_mse, mad, mse, sad
from videomama_server.metrics.flicker import change_along, flicker, motion_view
from videomama_server.metrics.gradient import grad
from videomama_server.metrics.scorer import MEASURES, Scorer, Scores
from videomama_server.metrics.seams import SeamTest, change, drift, overlap_disagreement, seam_test
from videomama_server.metrics.shape import boundary_f, iou, jaccard
from videomama_server.metrics.tables import rvm_table_mean
from videomama_server.metrics.temporal import dtssd, messddt
from videomama_server.metrics.without_truth import (
    WITHOUT_TRUTH,
    chatter_inside,
    haze_outside,
    transparent_inside,
    without_truth,
)

__all__ = [
    "CONVENTIONS",
    "KERNEL",
    "MEASURES",
    "WITHOUT_TRUTH",
    "ClipMetrics",
    "Convention",
    "Scorer",
    "FloatArray",
    "MetricsResult",
    "Scores",
    "SeamTest",
    "boundary_f",
    "change",
    "change_along",
    "chatter_inside",
    "conn",
    "drift",
    "dtssd",
    "flicker",
    "foreground_mad",
    "foreground_mse",
    "grad",
    "haze_outside",
    "iou",
    "jaccard",
    "mad",
    "mad_t",
    "messddt",
    "motion_view",
    "mse",
    "overlap_disagreement",
    "rvm_table_mean",
    "sad",
    "seam_test",
    "transparent_inside",
    "unknown_band",
    "without_truth",
]
