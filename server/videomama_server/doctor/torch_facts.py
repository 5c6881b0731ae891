"""What torch says about itself and the cards, as one line of JSON; run as a program, which a broken driver may kill."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any


def facts() -> dict[str, Any]:
    """Return `missing` (why torch cannot be imported), or its version, what it was built for and the cards it sees.

    Each card has computed something when its `problem` is empty: a build without code for it shows up only then.
    """
    try:
        torch: Any = import_module("torch")
    except (ImportError, OSError) as error:  # OSError: a library of it does not load
        return {"missing": str(error), "installed": getattr(error, "name", None) != "torch"}
    kinds = {"CUDA": torch.version.cuda, "ROCm": getattr(torch.version, "hip", None)}
    built_for = next((f"{kind} {version}" for kind, version in kinds.items() if version), None)
    apples = getattr(getattr(torch, "backends", None), "mps", None)
    if built_for is None and apples is not None and apples.is_available():
        built_for = "Metal"
    found = {"version": torch.__version__, "built_for": built_for, "problem": "", "cards": []}
    if built_for is None:
        return found
    try:
        if built_for == "Metal":
            found["cards"] = [_apples(torch)]
            return found
        torch.cuda.init()
        found["cards"] = [_card(torch, index) for index in range(torch.cuda.device_count())]
    except (RuntimeError, AssertionError) as error:
        found["problem"] = _first_line(error)
    return found


def _apples(torch: Any) -> dict[str, Any]:
    """Return Apple's GPU, which shares the system's memory, so that what is free of it is not known."""
    card = {"name": "Apple GPU", "free": None, "total": torch.mps.recommended_max_memory(), "problem": ""}
    try:
        torch.ones(8, device="mps").sum().item()
    except RuntimeError as error:
        card["problem"] = _first_line(error)
    return card


def _card(torch: Any, index: int) -> dict[str, Any]:
    known = torch.cuda.get_device_properties(index)
    card = {"name": known.name, "free": None, "total": known.total_memory, "problem": ""}
    try:
        torch.ones(8, device=f"cuda:{index}").sum().item()
        card["free"], card["total"] = torch.cuda.mem_get_info(index)
    except RuntimeError as error:
        card["problem"] = _first_line(error)
    return card


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(facts()) + "\n")
