"""The UNet as one recorded graph of a card: its launches are recorded once for a shape and replayed from then on.

A CPU cannot keep a large card busy with a launch for each operation. What is recorded is what ran before, so it gives
the same bits. Memory of a recording stays held, so one is made only where there is room, and one is kept at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

log = logging.getLogger(__name__)

Work = Callable[[Tensor], Tensor]


class Recorder(Protocol):
    """Makes recordings on a device."""

    def record(self, work: Work, given: Tensor) -> Work:
        """Return what does the same as `work` for tensors of this shape, by replaying what it does now.

        Raises:
            RuntimeError: it cannot be recorded.
        """
        ...


class CudaRecorder:
    """Records CUDA graphs."""

    def record(self, work: Work, given: Tensor) -> Work:
        """Return the replay of a graph; `work` must have run on this shape before, so that all kernels are there."""
        static = given.clone()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = work(static)

        def replay(x: Tensor) -> Tensor:
            static.copy_(x)
            graph.replay()
            return result.clone()

        return replay


@dataclass
class _Seen:
    """The last shape, how often it came in a row, and its recording."""

    key: Hashable = None
    times: int = 0
    replay: Work | None = None


class Replayed:
    """Runs work, and replays it from the third time on that a shape comes in a row.

    Args:
        recorder: of the device; None records nothing.
    """

    def __init__(self, recorder: Recorder | None) -> None:
        self._recorder = recorder
        self._seen = _Seen()

    def __call__(self, work: Work, x: Tensor, steady: Hashable, *, room: bool) -> Tensor:
        """Return work(x).

        Args:
            work: gives a tensor for x; must do the same for each x of one shape while `steady` is equal.
            x: on the device.
            steady: what else the work depends on.
            room: whether there is memory for a recording.
        """
        key = (x.shape, x.dtype, steady)
        if key != self._seen.key:
            self._seen = _Seen(key)
            if self._recorder is not None:
                log.info("warming up for %s: the first window of a size takes longer", tuple(x.shape))
        self._seen.times += 1
        if self._seen.replay is not None:
            return self._seen.replay(x)
        result = work(x)
        if self._recorder is not None and room and self._seen.times == 2:  # the first was the warm-up
            self._seen.replay = self._recorded(self._recorder, work, x)
        return result

    def forget(self) -> None:
        """Give the memory of the recording back; needed where weights move."""
        self._seen = _Seen()

    def _recorded(self, recorder: Recorder, work: Work, x: Tensor) -> Work | None:
        try:
            return recorder.record(work, x)
        except RuntimeError as error:
            log.warning("the network is run without a recording: %s", str(error)[:300])
            self._recorder = None
            return None
