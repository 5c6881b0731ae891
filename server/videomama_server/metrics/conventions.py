"""Which function measures what under which convention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from videomama_server.arrays import FloatArray
from videomama_server.metrics import band, connectivity, difference, gradient, maggie, shape, temporal
from videomama_server.metrics.inputs import as_float

Convention = Literal["rvm", "maggie"]


@dataclass(frozen=True)
class ConventionMeasures:
    """What a convention measures, by name.

    Attributes:
        prepare: what is done to the alpha to judge before anything else.
        of_frame: take the alpha and the truth.
        of_pair: take the alpha, the truth, and both of the frame before.
    """

    prepare: Callable[[FloatArray], FloatArray]
    of_frame: dict[str, Callable[[FloatArray, FloatArray], float | None]]
    of_pair: dict[str, Callable[[FloatArray, FloatArray, FloatArray, FloatArray], float]]


CONVENTIONS: dict[Convention, ConventionMeasures] = {
    "rvm": ConventionMeasures(
        prepare=as_float,
        of_frame={
            "mad": difference.mad,
            "mse": difference.mse,
            "sad": difference.sad,
            "grad": gradient.grad,
            "conn": connectivity.conn,
            "mad_t": band.mad_t,
            "j": shape.jaccard,
            "f": shape.boundary_f,
        },
        of_pair={"dtssd": temporal.dtssd, "messddt": temporal.messddt},
    ),
    "maggie": ConventionMeasures(
        prepare=maggie.prepared,
        of_frame={
            "mad": maggie.mad,
            "mse": maggie.mse,
            "sad": difference.sad,
            "grad": maggie.grad,
            "conn": connectivity.conn,
            "mad_t": maggie.mad_t,
            "j": shape.jaccard,
            "f": shape.boundary_f,
        },
        of_pair={"dtssd": maggie.dtssd, "messddt": temporal.messddt},
    ),
}
