"""Measures the alphas of a clip, or its masks, frame by frame against the truth, or the masks where there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from videomama_client.errors import BadInput, placed

from videomama_server import foreground, metrics
from videomama_server.arrays import FloatArray
from videomama_server.datasets.clip import Files, GroundTruthClip
from videomama_server.evaluate.asked import BLIND, FLICKER, FOREGROUND, JF, SHAPE, MeasureChoice
from videomama_server.media import color, frames
from videomama_server.media.frames import Picture

Scores = dict[str, list[float | None]]
Tell = Callable[[], None]


@dataclass(frozen=True)
class Shown:
    """One frame on the plate's display window.

    Attributes:
        alpha: (H, W), 0..1.
        reference: (H, W), 0..1, what it is compared with: the exact alpha, or the mask where nobody knows it.
        plate: (H, W, 3).
    """

    alpha: FloatArray
    reference: FloatArray
    plate: Picture

    @property
    def display(self) -> FloatArray:
        """The plate, display-referred, 0..1."""
        return color.displayed(self.plate)


def read(clip: GroundTruthClip, alphas: Files, number: int) -> Shown:
    """Read one frame: an alpha of another size is resampled as the server does it, a truth of another is refused.

    Raises:
        BadInput: unreadable, or the truth does not fit; the message names the frame.
    """
    with placed("plate", number):
        plate = frames.shown(frames.read_plate(clip.plate[number]))
    with placed("mask" if clip.truth is None else "exact alpha", number):
        reference = frames.read_mask(clip.reference[number], colours=clip.colour)
        own, wanted = reference.geometry.display, plate.geometry.display
        if clip.truth is not None and (own.w, own.h) != (wanted.w, wanted.h):
            raise BadInput(f"it is {own.w}x{own.h}, the plate is {wanted.w}x{wanted.h}", "Copy the clip again.")
    with placed("alpha", number):
        alpha = frames.read_mask(alphas[number])
    return Shown(frames.conform(alpha, plate.geometry), frames.conform(reference, plate.geometry), plate)


def measure(
    clip: GroundTruthClip, alphas: Files, measures: MeasureChoice, is_mask: bool, tell: Tell
) -> tuple[tuple[int, int], Scores]:
    """Return width and height of the plates, and the scores of every frame by measure.

    Args:
        clip: whose truth counts; without one its masks do, and `BLIND` is taken instead.
        alphas: to judge.
        measures: to take.
        is_mask: the alphas are masks: their foreground is the plate's own colour, as a comp without an estimate has it.
        tell: called after every frame.

    Raises:
        BadInput: see `read`.
    """
    first = frames.probe_plate(clip.plate[clip.numbers[0]]).geometry.display
    blind = clip.truth is None
    taken = BLIND if blind else measures.of(first.w * first.h, clip.foreground is not None)
    scorer = metrics.Scorer(only=_scored(taken))
    scores: Scores = {name: [] for name in taken}
    before: tuple[Shown, FloatArray] | None = None
    for number in clip.numbers:
        shown = read(clip, alphas, number)
        display = shown.display
        with placed(frame=number):
            if blind:
                found = _without_truth(shown, before[0] if before else None)
            else:
                colours = _colours(clip, number, shown, is_mask) if taken[-1] in FOREGROUND else None
                found = asdict(scorer.add(shown.alpha, shown.reference, colours))
                found[JF] = _mean_of(found[name] for name in SHAPE)
            if FLICKER in taken:
                found[FLICKER] = metrics.flicker(shown.alpha, before[0].alpha, display, before[1]) if before else None
        before = shown, display
        for name, figures in scores.items():
            figures.append(found[name])
        tell()
    if measures.inner and not blind and len(clip.numbers) > 2:  # a shorter clip would have no frame left
        scores = {name: [None, *figures[1:-1], None] for name, figures in scores.items()}
    return (first.w, first.h), scores


def _scored(taken: Sequence[str]) -> list[str]:
    """Return which of the measures a scorer takes."""
    parts = SHAPE if JF in taken else ()
    return list(dict.fromkeys(name for name in (*taken, *parts) if name in metrics.MEASURES))


def _mean_of(figures: Iterable[float | None]) -> float | None:
    present = [figure for figure in figures if figure is not None]
    return fmean(present) if present else None


def _without_truth(shown: Shown, before: Shown | None) -> dict[str, float | None]:
    """Return the figures of `metrics.WITHOUT_TRUTH`: the reference is the mask."""
    earlier = (before.alpha, before.reference) if before else None
    return metrics.without_truth(shown.alpha, shown.reference, earlier)


def _colours(clip: GroundTruthClip, number: int, shown: Shown, is_mask: bool) -> tuple[FloatArray, FloatArray]:
    """Return the colour to judge and the exact one, both in linear light."""
    assert clip.foreground is not None  # such measures are not taken without
    exact = _linear(clip.foreground[number])
    plate = _light(shown.plate)
    return plate if is_mask else foreground.estimate(plate, shown.alpha), exact


def _linear(path: Path) -> FloatArray:
    return _light(frames.shown(frames.read_plate(path)))


def _light(picture: Picture) -> FloatArray:
    return color.linear_light(color.resolve("auto", picture.is_float, picture.declared))(picture.pixels)
