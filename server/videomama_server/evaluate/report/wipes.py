"""Makes the wipes of a report: two comps of one frame in one place, the one behind a curtain that the reader moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from videomama_server.arrays import FloatArray
from videomama_server.evaluate.measure import Shown, read
from videomama_server.evaluate.plan import Unit
from videomama_server.evaluate.report.pictures import OVER, as_uri, brightened, over
from videomama_server.media.contact_sheet import as_bytes
from videomama_server.media.reduction import averaged, reduced_size

_WIDTH, _TALLEST = 640, 480  # of a wipe on the page, at most
_PAIRS = 3  # of engines


@dataclass(frozen=True)
class Wipe:
    """Two comps of a frame over a plain grey; `left` and `right` are data URIs of pictures of `width` by `height`."""

    frame: int
    ground: str
    names: tuple[str, str]
    left: str
    right: str
    width: int
    height: int


def wipes(units: Sequence[Unit], number: int) -> list[Wipe]:
    """Return the wipes of a frame: the first engine beside each other one, over a bright and a dark grey.

    An engine that is alone stands beside the truth, or the mask where nobody knows it.

    Args:
        units: of one clip and kind of masks: the masks first, then the engines.
        number: of the frame.

    Raises:
        BadInput: a picture cannot be read any more.
    """
    given, *judged = [(unit, read(unit.clip, unit.alphas, number)) for unit in units]
    if not judged:
        return []
    first, *others = [(unit.engine, shown.alpha) for unit, shown in judged]
    others = others[:_PAIRS] or [_alone(*given)]
    return [wipe for other in others for wipe in _of_pair(number, given[1].display, first, other)]


def _alone(masks: Unit, shown: Shown) -> tuple[str, FloatArray]:
    return ("mask", shown.alpha) if masks.clip.truth is None else ("truth", shown.reference)


def _of_pair(
    number: int, plate: FloatArray, left: tuple[str, FloatArray], right: tuple[str, FloatArray]
) -> Iterator[Wipe]:
    """Make the wipes of two named alphas (H, W) of a display-referred plate."""
    display, _ = brightened(plate)
    shape = (plate.shape[0], plate.shape[1])
    height, width = reduced_size(shape, min(1.0, _WIDTH / shape[1], _TALLEST / shape[0]))
    for ground, grey in OVER.items():
        sides = [
            as_uri(as_bytes(averaged(over(display, alpha, grey), (height, width)))) for alpha in (left[1], right[1])
        ]
        yield Wipe(number, ground, (left[0], right[0]), sides[0], sides[1], width, height)
