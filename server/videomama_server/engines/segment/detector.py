"""Finds people in a plate with a detector of the DETR family: boxes with scores, for each frame by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from videomama_client.errors import WeightsError

from videomama_server.arrays import FloatArray
from videomama_server.engines.base import EngineConfig
from videomama_server.engines.segment import families, loading
from videomama_server.engines.segment.families import DETECTOR
from videomama_server.engines.segment.packages import require
from videomama_server.engines.segment.people import FoundBox
from videomama_server.engines.segment.pictures import Normalisation, pixel_values

NAME = "person"
_CLASSES = {
    "detr": "DetrForObjectDetection",
    "conditional_detr": "ConditionalDetrForObjectDetection",
    "deformable_detr": "DeformableDetrForObjectDetection",
    "rt_detr": "RTDetrForObjectDetection",
    "rt_detr_v2": "RTDetrV2ForObjectDetection",
    "d_fine": "DFineForObjectDetection",
}
_SQUARES = frozenset({"rt_detr", "rt_detr_v2", "d_fine"})  # they see squares, whatever the plate's aspect
_SIDE = 640
_SHORT_SIDE, _LONG_SIDE = 800, 1333  # of all others, which see the plate's aspect


@dataclass(frozen=True)
class _Shape:
    """What a detector sees: squares of a side, or the plate's aspect between two sides."""

    square: int = 0

    def of(self, height: int, width: int) -> tuple[int, int]:
        if self.square:
            return self.square, self.square
        scale = min(_SHORT_SIDE / min(height, width), _LONG_SIDE / max(height, width))
        return max(1, round(height * scale)), max(1, round(width * scale))


class PersonDetector:
    """A detector that knows people.

    Args:
        config: where the weights are: the folder `person` of them is looked into first.

    Raises:
        WeightsError: packages or weights are missing, or it does not know people.
        OutOfMemory: the device has no room for it.
    """

    def __init__(self, config: EngineConfig) -> None:
        require(NAME)
        files = families.find(config.weights, NAME, DETECTOR)
        self.method = f"{files.path.name} ({files.config['model_type']})"
        self._softmax = files.config["model_type"] == "detr"
        kind = str(files.config["model_type"])
        self._label = _person_of(files.config, self.method)
        self._normalisation = Normalisation.of_detector(kind, files.path)
        self._shape = _Shape(_SIDE if kind in _SQUARES else 0)
        self._device = loading.device_of(config)
        self._model: Any = loading.load_model(files, config, NAME, _CLASSES[kind])

    def boxes(self, plate: FloatArray, least_score: float) -> list[FoundBox]:
        """Return the people in a plate (H, W, 3), 0..1, the surest first.

        Args:
            plate: display-referred.
            least_score: 0..1, below which a box does not count.
        """
        height, width = plate.shape[:2]
        values = pixel_values(plate, self._shape.of(height, width), self._normalisation)
        with torch.inference_mode():
            found = self._model(values[None].to(self._device))
            scores = self._scores(found.logits[0].float().cpu())
            places = found.pred_boxes[0].float().cpu()
        order = torch.argsort(scores, descending=True, stable=True)
        return [_box(places[at], float(scores[at]), (height, width)) for at in order if scores[at] >= least_score]

    def _scores(self, logits: Tensor) -> Tensor:
        """Return the score (N,) of each box to be a person."""
        shares = logits.softmax(-1) if self._softmax else logits.sigmoid()
        return shares[:, self._label]


def _person_of(config: Any, method: str) -> int:
    labels = config.get("id2label") or {}
    for label, name in labels.items():
        if str(name).lower() == "person":
            return int(label)
    raise WeightsError(
        f"the detector {method} does not know people", "Use one that was trained on COCO, such as rtdetr_v2_r18vd."
    )


def _box(place: Tensor, score: float, size: tuple[int, int]) -> FoundBox:
    """Return a box in pixels of the plate, cut at its rim."""
    height, width = size
    x, y, wide, high = (float(number) for number in place)
    left, right = max(0.0, (x - wide / 2) * width), min(float(width), (x + wide / 2) * width)
    top, bottom = max(0.0, (y - high / 2) * height), min(float(height), (y + high / 2) * height)
    return FoundBox(left, top, max(left, right), max(top, bottom), score)
