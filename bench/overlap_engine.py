"""The engine `overlap` of bench/overlap.py: all of `videomama` but its network, in whose place a fake device is held.

What the network would do takes a given time and no processor. What the host does for it is the real code: colour,
placing, guides, lifting. How much processor time that takes is written beside this file.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from videomama_client.engine_settings import VideoMaMaSettings
from videomama_client.setting_spec import Range, SettingSpec, setting, specs_of
from videomama_client.settings import Resolved
from videomama_server.engines.base import EngineConfig, EngineFrame
from videomama_server.engines.videomama.engine import VideoMamaEngine
from videomama_server.engines.videomama.kind import VideoMama
from videomama_server.engines.videomama.latents import LatentStore

_STEP_S = 0.02
_CORES = os.cpu_count() or 1
TIMES = Path(__file__).with_name("times.json")


@dataclass(frozen=True)
class OverlapSettings(VideoMaMaSettings):
    """The settings of `videomama`, and how long the fake device takes."""

    hold: float = setting(0.0, "How long the fake device takes for a window.", within=Range(0, 100, "seconds"))


class FakePlans:
    """Stands for `CanvasPlans`: every canvas fits."""

    def settle(self, wanted: Sequence[tuple[int, int]], _window: int, _group: int, _beside: int) -> tuple[int, int]:
        return wanted[0]

    def fits(self, _canvas: tuple[int, int]) -> bool:
        return True

    def describe(self, canvas: tuple[int, int]) -> str:
        return f"fake device, canvas {canvas[1]}x{canvas[0]}"


class FakeNetwork:
    """Stands for `Model`: latents are nothing, and every alpha is the same disc with a soft edge, whatever the mask."""

    fingerprint = "fake"
    plans = FakePlans()
    hold = 0.0
    beside = 0.0  # processor seconds of this process while the device was held

    def encode(self, pictures: Sequence[Tensor | None]) -> list[Tensor]:
        known = [picture for picture in pictures if picture is not None]
        return [torch.zeros((8, picture.shape[-2] // 8, picture.shape[-1] // 8)) for picture in known]

    def estimate(self, latents: Tensor) -> Tensor:
        began = time.process_time()
        pass_seconds(self.hold)
        self.beside += time.process_time() - began
        return latents[:, :4]

    def decode(self, latents: Tensor, _reach: int) -> Tensor:
        return _disc(8 * latents.shape[-2], 8 * latents.shape[-1]).expand(len(latents), -1, -1)

    def usage(self) -> None:
        return None

    def release(self) -> None:
        return None


def pass_seconds(seconds: float) -> None:
    """Wait for some time; time in which other processes keep this one from working does not count."""
    passed, clock, busy = 0.0, time.perf_counter(), time.process_time()
    while passed < seconds:
        time.sleep(min(_STEP_S, seconds - passed))
        step, worked = time.perf_counter() - clock, time.process_time() - busy
        clock, busy = clock + step, busy + worked
        wanting = min(_CORES, _runnable())
        passed += min(step, worked / wanting) if wanting else step


def _runnable() -> int:
    """Return how many threads of this process run, or would if they had a core; 1 is this one, which is not counted."""
    states = [stat.read_text().rpartition(")")[2].split()[0] for stat in Path("/proc/self/task").glob("*/stat")]
    return max(0, states.count("R") - 1)


@cache
def _disc(height: int, width: int) -> Tensor:
    """Return an alpha (height, width): a disc of a quarter of the height, its edge 16 pixels wide."""
    y, x = torch.arange(height)[:, None] - height / 2, torch.arange(width) - width / 2
    return (0.5 - (torch.hypot(y, x) - height / 4) / 16).clamp(0, 1)


class OverlapEngine(VideoMamaEngine):
    """`videomama` on a fake device."""

    name = "overlap"
    fingerprint = "overlap-1"

    def __init__(self) -> None:
        self._model: Any = FakeNetwork()
        self._latents = LatentStore(0)
        self._lock = threading.Lock()
        self._times = {"prepare": 0.0, "finish": 0.0, "prepared": 0, "finished": 0, "windows": 0, "beside": 0.0}

    def options(self) -> tuple[SettingSpec, ...]:
        """Return what is known of its settings."""
        return specs_of(OverlapSettings)

    def prepare(self, frame: EngineFrame, settings: Resolved) -> Any:
        """Do as `videomama`, and note the time it takes."""
        began = time.thread_time()
        prepared = super().prepare(frame, settings)
        self._note(prepare=time.thread_time() - began, prepared=1)
        return prepared

    def refine(self, prepared: Sequence[Any], settings: Resolved) -> Any:
        """Hold the device."""
        self._model.hold = OverlapSettings.of(settings).hold
        before = self._model.beside
        estimates = super().refine(prepared, settings)
        self._note(windows=1, beside=self._model.beside - before)
        return estimates

    def finish(self, completed: np.ndarray, prepared: Any, settings: Resolved) -> Any:
        """Do as `videomama`, and note the time it takes."""
        began = time.thread_time()
        alpha = super().finish(completed, prepared, settings)
        self._note(finish=time.thread_time() - began, finished=1)
        return alpha

    def _note(self, **more: float) -> None:
        with self._lock:
            for name, value in more.items():
                self._times[name] += value
            TIMES.write_text(json.dumps(self._times))


class Overlap(VideoMama):
    """The kind of `OverlapEngine`; see `EngineKind`."""

    name = "overlap"

    @classmethod
    def identity(cls, config: EngineConfig) -> Hashable:  # noqa: ARG003
        return cls.name

    @classmethod
    def options(cls) -> tuple[SettingSpec, ...]:
        return specs_of(OverlapSettings)

    @classmethod
    def load(cls, config: EngineConfig) -> OverlapEngine:  # noqa: ARG003
        return OverlapEngine()
