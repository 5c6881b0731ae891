"""What a run says of itself: a line of JSON for every step, and the same for TensorBoard."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from videomama_server.arrays import FloatArray

FILE = "log.jsonl"


class RunLog:
    """The log of a run; one that is resumed adds to it."""

    def __init__(self, folder: Path) -> None:
        """Log into a run's folder."""
        self._file = (folder / FILE).open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"))
        self._last = time.monotonic()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        self._board.close()

    def step(self, number: int, losses: dict[str, float]) -> None:
        """Log the losses of a step, and the seconds since the one before."""
        now = time.monotonic()
        self._write(number, "train", {**losses, "seconds": now - self._last})
        self._last = now

    def scores(self, number: int, scores: dict[str, float], sheet: FloatArray) -> None:
        """Log scores by name, and a picture (H, W, 3), display-referred, 0..1."""
        self._write(number, "validation", scores)
        self._board.add_image("validation", np.clip(sheet, 0, 1), number, dataformats="HWC")

    def _write(self, number: int, kind: str, values: dict[str, float]) -> None:
        self._file.write(json.dumps({"step": number, "kind": kind, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            self._board.add_scalar(f"{kind}/{name}", value, number)
