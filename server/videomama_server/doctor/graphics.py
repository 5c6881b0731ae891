"""GPU, driver and the build of torch: whether the model's engine can compute here, and in how much memory."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from videomama_server.asking import NoAnswer, ask, ask_python, last_line
from videomama_server.doctor.lines import DoctorLine, good, warning

_SMI_S = 20.0
_TORCH_S = 120.0
_FEW_BYTES = 6e9  # of free memory; below, the planner has to offload and to shrink the canvas
_QUERY = "--query-gpu=name,driver_version,memory.free,memory.total"
_SERVER = "`python install server` puts the build of torch in that fits this machine."
_CLASSIC = "The engine classic does without."


@dataclass(frozen=True)
class Card:
    """One GPU; memory in bytes, None where it is not known. `problem` says why torch cannot use it."""

    name: str
    free: int | None
    total: int | None
    problem: str = ""


@dataclass(frozen=True)
class Driver:
    """What nvidia-smi says: the driver's version and its cards, or in `problem` why it says nothing."""

    version: str = ""
    cards: tuple[Card, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Torch:
    """What torch says.

    Attributes:
        version: empty when it cannot be imported.
        built_for: such as `CUDA 12.8` or `Metal`; None for a build that knows the CPU alone.
        problem: why it cannot be imported, or why it reaches no card.
        installed: whether there is one at all, though it may be broken.
    """

    version: str = ""
    built_for: str | None = None
    cards: tuple[Card, ...] = ()
    problem: str = ""
    installed: bool = True

    @property
    def computes(self) -> bool:
        """Whether the model could run on a card."""
        return any(not card.problem for card in self.cards)


@dataclass(frozen=True)
class Graphics:
    """The machine's GPUs as driver and torch see them."""

    driver: Driver = field(default_factory=Driver)
    torch: Torch = field(default_factory=Torch)

    def lines(self) -> list[DoctorLine]:
        """Return what to tell of it."""
        lines = [self._gpu(), self._torch()]
        return lines + [_memory(card) for card in self._cards()]

    def _cards(self) -> tuple[Card, ...]:
        return self.torch.cards or self.driver.cards

    def _gpu(self) -> DoctorLine:
        cards = self._cards()
        if cards:
            driver = f", driver {self.driver.version}" if self.driver.version else ""
            return good("gpu", f"{', '.join(card.name for card in cards)}{driver}")
        what = f"No GPU that torch could use: {self.driver.problem}"
        return warning("gpu", what, f"The model needs a GPU of NVIDIA, AMD or Apple and its driver. {_CLASSIC}")

    def _torch(self) -> DoctorLine:
        torch = self.torch
        if not torch.version:
            reason = torch.problem if torch.installed else "it is not installed"
            return warning("torch", f"torch cannot be used: {reason}", f"{_SERVER} {_CLASSIC}")
        named = f"torch {torch.version}, built for {torch.built_for or 'the CPU alone'}"
        if not self._cards():
            return good("torch", named)
        if torch.built_for is None:
            return warning("torch", f"{named}, though there is a GPU", _SERVER)
        broken = torch.problem or next((card.problem for card in torch.cards if card.problem), "")
        if not broken and not torch.cards:
            broken = "it sees no card; is CUDA_VISIBLE_DEVICES set?"
        if broken:
            driver = f" with driver {self.driver.version}" if self.driver.version else ""
            return warning("torch", f"{named}, does not compute{driver}: {broken}", f"Update the driver, or: {_SERVER}")
        return good("torch", f"{named}, computes on the GPU")


def examine() -> Graphics:
    """Ask driver and torch; takes seconds."""
    return Graphics(_driver(), _torch())


def _driver() -> Driver:
    program = _nvidia_smi()
    if program is None:
        return Driver(problem="there is no nvidia-smi")
    try:
        answer = ask([program, _QUERY, "--format=csv,noheader,nounits"], _SMI_S)
    except NoAnswer as error:
        return Driver(problem=f"nvidia-smi: {error.message}")
    if answer.code != 0:
        return Driver(problem=f"nvidia-smi says: {last_line(answer.out) or last_line(answer.err)}")
    rows = [[cell.strip() for cell in line.split(",")] for line in answer.out.splitlines() if line.count(",") == 3]
    if not rows:
        return Driver(problem="nvidia-smi names no card")
    return Driver(rows[0][1], tuple(Card(name, _mebibytes(free), _mebibytes(all_)) for name, _, free, all_ in rows))


def _nvidia_smi() -> str | None:
    """Return where it is; older drivers for Windows keep it off the PATH."""
    beside = Path(os.environ.get("PROGRAMFILES", "")) / "NVIDIA Corporation" / "NVSMI" / "nvidia-smi.exe"
    return shutil.which("nvidia-smi") or (str(beside) if os.name == "nt" and beside.is_file() else None)


def _mebibytes(text: str) -> int | None:
    return int(text) << 20 if text.isdigit() else None  # "[N/A]" where memory is shared with the CPU


def _torch() -> Torch:
    try:
        facts: dict[str, Any] = ask_python(["-m", "videomama_server.doctor.torch_facts"], _TORCH_S)
    except NoAnswer as error:
        return Torch(problem=error.message)
    if "missing" in facts:
        return Torch(problem=facts["missing"], installed=facts["installed"])
    return Torch(facts["version"], facts["built_for"], _cards(facts["cards"]), facts["problem"])


def _cards(rows: Sequence[dict[str, Any]]) -> tuple[Card, ...]:
    return tuple(Card(row["name"], row["free"], row["total"], row["problem"]) for row in rows)


def _memory(card: Card) -> DoctorLine:
    name = "gpu memory"
    if card.free is None or card.total is None:
        return good(name, f"{card.name}: what is free is not known")
    what = f"{card.name}: {card.free / 1e9:.1f} GB of {card.total / 1e9:.1f} GB are free"
    if card.free >= _FEW_BYTES:
        return good(name, what)
    return warning(name, what, "Close what else uses it; with so little the model works slower and at a smaller size.")
