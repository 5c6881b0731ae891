"""`videomama person`: finds the person of a clip, and prints the box that a mask maker takes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
from videomama_client.errors import BadInput, placed
from videomama_client.messages import PLATE
from videomama_client.prompts import BOX, Prompt

from videomama_server import config
from videomama_server.arrays import FloatArray
from videomama_server.cli.bar import frames_bar
from videomama_server.cli.settings_options import setting_option
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.segment import people
from videomama_server.engines.segment.people import FoundBox, FoundPerson
from videomama_server.media import color, frames, sequences
from videomama_server.qc.files import Reading
from videomama_server.submission import Submission

LEAST_SCORE = 0.5  # of a detection
_GREEN = (0.1, 0.9, 0.2)


@click.command()
@click.option("--plate", required=True, help="Plate frames, such as plate.####.exr.")
@click.option("--frames", "wanted", default="", help="Frames of the clip, such as 1001-1040; by default all on disk.")
@setting_option("plate_layer")
@setting_option("view")
@setting_option("colorspace")
@click.option("--exposure", default=0.0, help="Stops added to the plate before it is looked at.")
@click.option("--weights", type=click.Path(path_type=Path), help="Folder of the weights; by default the config's.")
@click.option(
    "--least-score", default=LEAST_SCORE, show_default=True, help="How sure the detector must be, from 0 to 1."
)
@click.option("--picture", type=click.Path(path_type=Path), help="Write a .png of the frame, with the box.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def person(
    wanted: str, weights: Path | None, least_score: float, picture: Path | None, as_json: bool, **how: Any
) -> None:
    """Find the person of a clip, and print the prompt for it.

    Looks at up to 16 frames with a detector. Frames that are nearly black are skipped. Of several people the one is
    taken that most frames show, and the larger of two.
    """
    settled = config.load({"weights": weights})
    clip = Clip.of(sequences.with_view(how.pop("plate"), how["view"]), wanted, Reading(**how))
    found = _searched(clip, EngineConfig.of(settled), least_score, picture)
    click.echo(json.dumps(found.as_dict()) if as_json else found.options)
    if not as_json:
        click.echo(found.sentence, err=True)


@dataclass(frozen=True)
class Clip:
    """The plates of a clip by frame, ascending, and how they are read."""

    files: Mapping[int, Path]
    how: Reading

    @classmethod
    def of(cls, plate: str, wanted: str, how: Reading) -> Clip:
        """Return the clip of a pattern; raises BadInput where frames that are wanted are not there."""
        there = sequences.find(sequences.parse(plate), PLATE)
        numbers = sequences.parse_range(wanted) if wanted else sorted(there)
        missing = [frame for frame in numbers if frame not in there]
        if missing:
            raise BadInput(
                f"missing: plate frames {sequences.format_range(missing)}",
                f"On disk are {sequences.format_range(there)}.",
                role=PLATE,
                frame=missing[0],
            )
        return cls({frame: there[frame] for frame in numbers}, how)

    def plate(self, frame: int) -> FloatArray:
        """Return a plate's display window (H, W, 3), 0..1, display-referred."""
        with placed(PLATE, frame):
            picture = frames.shown(frames.read_plate(self.files[frame], self.how.plate_layer, self.how.view))
        return color.displayed(picture, self.how.colorspace, self.how.exposure)


@dataclass(frozen=True)
class Search:
    """What came of a search.

    Attributes:
        found: the person.
        method: the detector.
        requested_start, effective_start: first frame of the clip, and first one that is not nearly black.
        black: the frames before that one.
    """

    found: FoundPerson
    method: str
    requested_start: int
    effective_start: int
    black: tuple[int, ...]

    @property
    def prompt(self) -> Prompt:
        """The box, in whole pixels."""
        return Prompt(BOX, self.found.frame, tuple(float(round(number)) for number in _place(self.found.box)))

    @property
    def absent(self) -> str:
        """The setting of a mask maker that says in which frames nobody is: those of a black opening; empty for none."""
        return f"absent={sequences.whole_range(self.black).replace(' ', '')}" if self.black else ""

    @property
    def options(self) -> str:
        """The options of `videomama masks`: a box, and the black frames as those in which the subject is absent."""
        said = f"--box {self.found.frame}:{','.join(f'{number:.0f}' for number in self.prompt.place)}"
        return f"{said} --set {self.absent}" if self.black else said

    @property
    def sentence(self) -> str:
        """What was found, for a person."""
        black = f"; frames {sequences.format_range(self.black)} are nearly black" if self.black else ""
        return (
            f"a person on frame {self.found.frame}, score {self.found.box.score:.2f}, "
            f"in {self.found.coverage:.0%} of the frames that were looked at, by {self.method}{black}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "method": self.method,
            "frame": self.found.frame,
            "box": _place(self.found.box),
            "score": self.found.box.score,
            "coverage": self.found.coverage,
            "boxes": {str(frame): _place(box) for frame, box in self.found.boxes.items()},
            "requested_start": self.requested_start,
            "effective_start": self.effective_start,
            "options": self.options,
        }


def search_for(order: Submission, picture: Path | None) -> Search:
    """Return the person in the wanted frames of a job; `picture` is a file to show it in, or None. Raises as `search`.

    Raises:
        WeightsError: there is no detector.
    """
    own = order.settings
    how = Reading(plate_layer=own.plate_layer, view=own.view, colorspace=own.colorspace, exposure=own.exposure)
    clip = Clip.of(order.plate, sequences.whole_range(order.wanted()), how)
    return _searched(clip, EngineConfig.of(config.load({})), LEAST_SCORE, picture)


def _searched(clip: Clip, engine_config: EngineConfig, least_score: float, picture: Path | None) -> Search:
    if picture:
        frames.check_writable(picture, "uint8")
    found = search(clip, _detector(engine_config), least_score)
    if picture:
        frames.write_picture(picture, shown(clip.plate(found.found.frame), found.found.box), dtype="uint8")
    return found


def shown(plate: FloatArray, box: FoundBox) -> FloatArray:
    """Return a plate (H, W, 3), 0..1, with a box drawn over it."""
    picture = np.ascontiguousarray(plate).copy()
    corner, opposite = (round(box.left), round(box.top)), (round(box.right) - 1, round(box.bottom) - 1)
    thin = max(1, plate.shape[0] // 360)
    cv2.rectangle(picture, corner, opposite, (0.0, 0.0, 0.0), 3 * thin)
    cv2.rectangle(picture, corner, opposite, _GREEN, thin)
    return picture


def search(clip: Clip, detector: Any, least_score: float) -> Search:
    """Return the person of a clip.

    Raises:
        BadInput: all frames are nearly black, or no person was found in those that were looked at.
    """
    numbers = list(clip.files)
    opening = list(_opening(clip, numbers))
    usable = numbers[len(opening) :]
    if not usable:
        raise BadInput(
            f"all {len(numbers)} frames are nearly black", "Raise --exposure, or check --colorspace.", role=PLATE
        )
    sampled = people.samples(usable)
    with frames_bar("person", len(sampled)) as tell:
        boxes, area = _looked_at(clip, sampled, lambda plate: detector.boxes(plate, least_score), tell)
    return Search(people.steadiest(boxes, area), detector.method, numbers[0], usable[0], tuple(opening))


def _opening(clip: Clip, numbers: list[int]) -> Iterator[int]:
    """Yield the frames that are nearly black, until the first one that is not."""
    for frame in numbers:
        if not people.is_near_black(clip.plate(frame)):
            return
        yield frame


def _looked_at(
    clip: Clip, sampled: list[int], look: Callable[[FloatArray], list[FoundBox]], tell: Callable[[int], None]
) -> tuple[dict[int, list[FoundBox]], float]:
    """Return the boxes of each sample that is not nearly black, and the area of a plate."""
    boxes, area = {}, 0.0
    for frame in sampled:
        plate = clip.plate(frame)
        if not people.is_near_black(plate):
            boxes[frame] = look(plate)
            area = float(plate.shape[0] * plate.shape[1])
        tell(frame)
    return boxes, area


def _place(box: FoundBox) -> list[float]:
    return [box.left, box.top, box.right - box.left, box.bottom - box.top]


def _detector(engine_config: EngineConfig) -> Any:
    from videomama_server.engines.segment.packages import require

    require("person")
    from videomama_server.engines.segment.detector import PersonDetector

    return PersonDetector(engine_config)
