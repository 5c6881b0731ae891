"""Measures the alphas of a clip, or its masks, frame by frame against the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from videomama_client.errors import BadInput, placed

from videomama_server import foreground, metrics
from videomama_server.arrays import FloatArray
from videomama_server.evaluate.asked import FLICKER, FOREGROUND, MeasureChoice
from videomama_server.evaluate.clip import Files, GroundTruthClip
from videomama_server.media import color, frames
from videomama_server.media.frames import Picture

Scores = dict[str, list[float | None]]
Tell = Callable[[], None]


@dataclass(frozen=True)
class Shown:
    """One frame on the plate's display window: alphas (H, W), 0..1, and the plate (H, W, 3) as a display shows it."""

    alpha: FloatArray
    truth: FloatArray
    plate: Picture

    @property
    def display(self) -> FloatArray:
        """The plate, display-referred, 0..1."""
        return color.display_transform(color.resolve("auto", self.plate.is_float, self.plate.declared), 0.0)(
            self.plate.pixels
        )


def read(clip: GroundTruthClip, alphas: Files, number: int) -> Shown:
    """Read one frame: an alpha of another size is resampled as the server does it, a truth of another is refused.

    Raises:
        BadInput: unreadable, or the truth does not fit; the message names the frame.
    """
    with placed("plate", number):
        plate = frames.shown(frames.read_plate(clip.plate[number]))
    with placed("exact alpha", number):
        truth = frames.read_mask(clip.truth[number])
        own, wanted = truth.geometry.display, plate.geometry.display
        if (own.w, own.h) != (wanted.w, wanted.h):
            raise BadInput(f"it is {own.w}x{own.h}, the plate is {wanted.w}x{wanted.h}", "Copy the clip again.")
    with placed("alpha", number):
        alpha = frames.read_mask(alphas[number])
    return Shown(frames.conform(alpha, plate.geometry), frames.conform(truth, plate.geometry), plate)


def measure(
    clip: GroundTruthClip, alphas: Files, measures: MeasureChoice, is_mask: bool, tell: Tell
) -> tuple[tuple[int, int], Scores]:
    """Return width and height of the plates, and the scores of every frame by measure.

    Args:
        clip: whose truth counts.
        alphas: to judge.
        measures: to take.
        is_mask: the alphas are masks: their foreground is the plate's own colour, as a comp without an estimate has it.
        tell: called after every frame.

    Raises:
        BadInput: see `read`.
    """
    first = frames.probe_plate(clip.plate[clip.numbers[0]]).geometry.display
    taken = measures.of(first.w * first.h, clip.foreground is not None)
    scorer = metrics.Scorer(only=[name for name in taken if name != FLICKER])
    scores: Scores = {name: [] for name in taken}
    before: tuple[FloatArray, FloatArray] | None = None
    for number in clip.numbers:
        shown = read(clip, alphas, number)
        with placed(frame=number):
            colours = _colours(clip, number, shown, is_mask) if taken[-1] in FOREGROUND else None
            found = asdict(scorer.add(shown.alpha, shown.truth, colours))
            now = shown.alpha, shown.display
            found[FLICKER] = metrics.flicker(now[0], before[0], now[1], before[1]) if before else None
        before = now
        for name, figures in scores.items():
            figures.append(found[name])
        tell()
    return (first.w, first.h), scores


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
