"""Measures a clip frame by frame, in all measures or in some, and remembers the figures of each frame."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields

import numpy as np
from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.metrics import difference
from videomama_server.metrics.conventions import CONVENTIONS, Convention
from videomama_server.metrics.inputs import checked

_HIGHER_IS_BETTER = frozenset({"j", "f"})


@dataclass(frozen=True)
class Scores:
    """Figures of a frame, or of many; None for what was not asked for or does not exist.

    All but `j` and `f` are errors: lower is better. The functions of these names say what each is.

    Attributes:
        dtssd: of a frame and the one before.
        messddt: likewise.
        mad_t: by our own definition.
        j: `jaccard`.
        f: `boundary_f`.
        foreground_mad: of colour.
        foreground_mse: likewise.
    """

    mad: float | None = None
    mse: float | None = None
    sad: float | None = None
    grad: float | None = None
    conn: float | None = None
    dtssd: float | None = None
    messddt: float | None = None
    mad_t: float | None = None
    j: float | None = None
    f: float | None = None
    foreground_mad: float | None = None
    foreground_mse: float | None = None


MEASURES = tuple(measure.name for measure in fields(Scores))


@dataclass(frozen=True)
class _Shown:
    pred: FloatArray
    truth: FloatArray


class Scorer:
    """Takes the frames of a clip in order; memory grows by a few numbers for each.

    Attributes:
        frames: the scores of each frame so far.
    """

    def __init__(self, convention: Convention = "rvm", only: Collection[str] = MEASURES) -> None:
        """Measure in a convention.

        Args:
            convention: see `conventions`.
            only: which of `MEASURES` to take; the others stay None and cost nothing.

        Raises:
            BadInput: `convention` or a name in `only` is unknown.
        """
        unknown = sorted(set(only) - set(MEASURES))
        if unknown or convention not in CONVENTIONS:
            wrong = f"No measure is called {unknown[0]!r}" if unknown else f"No convention is called {convention!r}"
            raise BadInput(wrong, f"There are: {', '.join(MEASURES if unknown else CONVENTIONS)}.")
        self.frames: list[Scores] = []
        self._measures = CONVENTIONS[convention]
        self._only = frozenset(only)
        self._previous: _Shown | None = None

    def add(
        self, pred: FloatArray, truth: FloatArray, foregrounds: tuple[FloatArray, FloatArray] | None = None
    ) -> Scores:
        """Measure the next frame, in clip order.

        Args:
            pred: (H, W) float, 0..1, the alpha to judge.
            truth: (H, W) float, 0..1, the exact alpha.
            foregrounds: the colour to judge and the exact one, each (H, W, 3) float, not multiplied by alpha.

        Raises:
            BadInput: pictures differ in shape, from each other or from the frames before, or are not float and finite.
        """
        pred, truth = checked(pred, truth)
        if not (np.isfinite(pred).all() and np.isfinite(truth).all()):
            raise BadInput("An alpha holds NaN or infinite pixels", "Render it again, or set these pixels to 0.")
        shown = _Shown(self._measures.prepare(pred), truth)
        if self._previous is not None:
            checked(shown.truth, self._previous.truth)
        scores = Scores(**self._of_alpha(shown), **self._of_colour(truth, foregrounds))
        self.frames.append(scores)
        if self._only & self._measures.of_pair.keys():
            self._previous = _Shown(shown.pred.copy(), truth.copy())  # callers may use their buffers again
        return scores

    def mean(self) -> Scores:
        """Return the means over the frames, or frame pairs, that have a figure.

        Raises:
            BadInput: no frame was added.
        """
        return self._over_frames(lambda _, figures: sum(figures) / len(figures))

    def worst(self) -> Scores:
        """Return the worst figure of each measure; see `mean` for errors."""
        return self._over_frames(lambda name, figures: min(figures) if name in _HIGHER_IS_BETTER else max(figures))

    def _over_frames(self, join: Callable[[str, list[float]], float]) -> Scores:
        if not self.frames:
            raise BadInput("No frame was measured", "Check that the alpha and the truth share frame numbers.")
        figures = {name: _present(getattr(scores, name) for scores in self.frames) for name in MEASURES}
        return Scores(**{name: join(name, present) for name, present in figures.items() if present})

    def _of_alpha(self, shown: _Shown) -> dict[str, float | None]:
        known = self._measures
        figures = {name: of(shown.pred, shown.truth) for name, of in known.of_frame.items() if name in self._only}
        before = self._previous
        if before is not None:
            for name, of in known.of_pair.items():
                if name in self._only:
                    figures[name] = of(shown.pred, shown.truth, before.pred, before.truth)
        return figures

    def _of_colour(self, truth: FloatArray, colours: tuple[FloatArray, FloatArray] | None) -> dict[str, float | None]:
        if colours is None:
            return {}
        known = {"foreground_mad": difference.foreground_mad, "foreground_mse": difference.foreground_mse}
        return {name: of(*colours, truth) for name, of in known.items() if name in self._only}


def _present(figures: Iterable[float | None]) -> list[float]:
    return [figure for figure in figures if figure is not None]
