"""Which memory plan is followed on each canvas: planned before a job, and a tighter one taken when memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from videomama_client.errors import OutOfMemory

from videomama_server.engines.base import EngineConfig
from videomama_server.engines.runtime import device
from videomama_server.engines.runtime.device import Device
from videomama_server.engines.videomama.canvas import Size
from videomama_server.engines.videomama.memory import planner
from videomama_server.engines.videomama.memory.planner import MemoryPlan, Workload
from videomama_server.engines.videomama.network.shape import NetworkShape

log = logging.getLogger(__name__)

_GIGABYTE = 10**9
Result = TypeVar("Result")


class CanvasPlans:
    """The memory plans of one network.

    Args:
        config: what may be used of the machine, and the other engines.
        shape: of the network.
        device: that it runs on.
        resident_bytes: says how many bytes of the device its weights hold.
        forget_recordings: called when what was recorded under a plan holds no longer.
    """

    def __init__(
        self,
        config: EngineConfig,
        shape: NetworkShape,
        device: Device,
        resident_bytes: Callable[[], int],
        forget_recordings: Callable[[], None],
    ) -> None:
        self._config = config
        self._shape = shape
        self._device = device
        self._resident_bytes = resident_bytes
        self._forget_recordings = forget_recordings
        self._plans: dict[Size, MemoryPlan] = {}  # the one that is followed for each canvas
        self._beside: dict[Size, int] = {}  # bytes that were left for pictures in each of them
        self._too_large: set[Size] = set()

    def settle(
        self, wanted: Sequence[Size], window: int, group: int, beside: Callable[[Size], int] = planner.nothing
    ) -> Size:
        """Return the first canvas (height, width) that fits in memory, and keep its plan.

        Args:
            wanted: canvases, the best first.
            window: frames that the UNet sees at once.
            group: frames that are decoded together.
            beside: says how many bytes of the device pictures take on a canvas, beside the network.

        Raises:
            OutOfMemory: none fits; says how much would be needed.
        """
        left = [size for size in wanted if size not in self._too_large] or list(wanted[-1:])
        workload = Workload(self._shape, self._device, window, group)
        known = self._plans.get(left[0])
        if known is not None and known.workload == workload and beside(left[0]) <= self._beside.get(left[0], 0):
            return left[0]
        self._forget_recordings()
        plan = self._best_plan(workload, left, beside)
        self._plans[plan.canvas], self._beside[plan.canvas] = plan, beside(plan.canvas)
        log.info("%s", plan.describe())
        return plan.canvas

    def _best_plan(self, workload: Workload, wanted: Sequence[Size], beside: Callable[[Size], int]) -> MemoryPlan:
        """Return the plan of the best canvas that fits once other engines have let go of what they hold."""
        while True:
            try:
                plan = planner.plan(workload, wanted, self._budget(), beside)
            except OutOfMemory:
                if not self._config.make_room():
                    raise
                continue
            if plan.canvas == wanted[0] or not self._config.make_room():
                return plan

    def fits(self, canvas: Size) -> bool:
        """Whether a canvas that was settled on can be worked on now, beside what other engines hold."""
        plan, others = self._plans.get(canvas), self._others_hold()
        return plan is None or not others or plan.peak_bytes <= self._budget() - others

    def describe(self, canvas: Size) -> str:
        """Return what a canvas is worked on with, in one line."""
        plan = self._plans.get(canvas)
        return plan.describe() if plan else f"{self._device.describe()}, canvas {canvas[1]}x{canvas[0]}"

    def within_memory(self, canvas: Size, work: Callable[[MemoryPlan], Result]) -> Result:
        """Do work that depends on a plan; while it does not fit, have other engines make room, then take a tighter one.

        Raises:
            OutOfMemory: no plan for this canvas fits. Next time `settle` takes a smaller one where it may.
            DeviceLost: a fault on the card, after which this process cannot use it any more.
        """
        while True:
            plan = self._plans.get(canvas)
            if plan is None:  # another job on this canvas has run out of memory meanwhile
                raise self._does_not_fit(canvas)
            try:
                with device.faults():
                    return work(plan)
            except torch.OutOfMemoryError:
                log.warning("out of memory with %s", plan.describe())
            self._forget_recordings()
            device.give_back(self._device.device)
            if self._config.make_room():
                continue
            tighter = planner.tighter(plan)
            if tighter is None:
                self._too_large.add(canvas)
                del self._plans[canvas]
                raise self._does_not_fit(canvas)
            self._plans[canvas] = tighter

    def _does_not_fit(self, canvas: Size) -> OutOfMemory:
        return OutOfMemory(
            f"a canvas of {canvas[1]}x{canvas[0]} does not fit in the memory of {self._device.describe()}",
            "Choose a smaller canvas or window, or free memory that other programs hold.",
        )

    def forget_too_large(self) -> None:
        """Let `settle` try again the canvases that did not fit."""
        self._too_large.clear()

    def _budget(self) -> int:
        """Return the bytes of the device that may be used: what is asked for, and never more than there is.

        What other engines hold counts as free: they let go where that is needed, so that no plan depends on them.
        """
        free = device.free_bytes(self._device.device) + self._resident_bytes() + self._others_hold()
        return min(self.asked_bytes, free) if self.asked_bytes else free

    def _others_hold(self) -> int:
        return self._config.others_hold(str(self._device.device))

    @property
    def asked_bytes(self) -> int:
        """What may be used of a card by the config; 0 for all that is free."""
        return int(self._config.max_vram_gb * _GIGABYTE)
