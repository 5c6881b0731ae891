"""Which of the people that a detector found in some frames of a clip is the subject: the steadiest large one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from videomama_client.errors import BadInput

from videomama_server.arrays import FloatArray
from videomama_server.media import sequences

NEAR_BLACK = 0.02  # mean of a display-referred plate, below which a frame shows nothing
MOST_SAMPLES = 16  # frames of a clip that are looked at
SAME_PERSON = 0.3  # IoU of boxes in neighbouring samples
LEAST_AREA = 0.01  # of the plate


@dataclass(frozen=True)
class FoundBox:
    """A box in pixels of the plate, with how sure the detector is, 0..1."""

    left: float
    top: float
    right: float
    bottom: float
    score: float

    @property
    def area(self) -> float:
        """Square pixels."""
        return (self.right - self.left) * (self.bottom - self.top)

    def iou(self, other: FoundBox) -> float:
        """Return the share of two boxes that both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        common = max(0.0, wide) * max(0.0, high)
        union = self.area + other.area - common
        return common / union if union else 0.0


@dataclass(frozen=True)
class FoundPerson:
    """The subject.

    Attributes:
        frame: where it is seen best.
        box: there.
        boxes: of all samples that show it, by frame.
        coverage: share of the samples that show it, 0..1.
    """

    frame: int
    box: FoundBox
    boxes: Mapping[int, FoundBox]
    coverage: float


@dataclass
class _Person:
    boxes: dict[int, FoundBox] = field(default_factory=dict)


def is_near_black(plate: FloatArray) -> bool:
    """Whether a plate (H, W, 3), 0..1, display-referred, shows nothing."""
    return float(plate.mean()) < NEAR_BLACK


def samples(frames: Sequence[int]) -> list[int]:
    """Return at most `MOST_SAMPLES` of ascending frames, evenly, the first and the last among them."""
    return sequences.spread(frames, MOST_SAMPLES)


def steadiest(found: Mapping[int, Sequence[FoundBox]], plate_area: float) -> FoundPerson:
    """Return the person that most samples show, and the larger of two.

    Args:
        found: boxes by frame, the samples ascending; a frame without people has none.
        plate_area: square pixels.

    Raises:
        BadInput: there is no person of at least `LEAST_AREA` of the plate.
    """
    people = [person for person in _linked(found) if _mean_area(person) >= LEAST_AREA * plate_area]
    if not people:
        seen = f"{len(found)} frames from {min(found)} to {max(found)}" if found else "no frame"
        raise BadInput(
            f"no person was found in {seen}", "Give a click, a box or a key mask on the subject in place of --person."
        )
    best = max(people, key=lambda person: (len(person.boxes) / len(found)) * (_mean_area(person) / plate_area) ** 0.5)
    frame = max(best.boxes, key=lambda at: best.boxes[at].score * best.boxes[at].area)
    return FoundPerson(frame, best.boxes[frame], best.boxes, len(best.boxes) / len(found))


def _linked(found: Mapping[int, Sequence[FoundBox]]) -> Iterator[_Person]:
    """Yield people: boxes of neighbouring samples that overlap are one person's."""
    people: list[_Person] = []
    before: list[_Person] = []
    for frame, boxes in found.items():
        now: list[_Person] = []
        for box in boxes:
            near = _nearest([person for person in before if frame not in person.boxes], box)
            if near is None:
                near = _Person()
                people.append(near)
            near.boxes[frame] = box
            now.append(near)
        before = now
    yield from people


def _nearest(people: Sequence[_Person], box: FoundBox) -> _Person | None:
    near = max(people, key=lambda person: _last(person).iou(box), default=None)
    return near if near is not None and _last(near).iou(box) >= SAME_PERSON else None


def _last(person: _Person) -> FoundBox:
    return person.boxes[max(person.boxes)]


def _mean_area(person: _Person) -> float:
    return sum(box.area for box in person.boxes.values()) / len(person.boxes)
