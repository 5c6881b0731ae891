"""Writes docs/performance.md: tables from the recorded results, and nothing that is not in them.

python bench/performance_page.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "performance.md"
ELSEWHERE = ("evaluation", "learned_weights")  # docs/quality.md tells of them
HEAD = """# Performance

These figures are for comparing one thing with another on the same machine. They were taken on shared, noisy machines.

- Each table is a file of `bench/results/`. `python bench/performance_page.py` writes this page from them.
- [bench/README.md](../bench/README.md) says what each benchmark does.
- What is in no table was not measured. No GPU was at hand: kernels, number formats, throughput and the planner's margin
  on a card are unmeasured, and only their logic is tested.
- `python bench/gpu_check.py` measures these in five minutes on a machine with a card.

## Weights in 8 bits, on paper

This was considered and not built.

- **Gain.** The folded model is 2.8 GB in fp16. The UNet's part in 8 bits, with a scale for each row, would save about
  1.3 GB. A window at 1024x576 needs several times that for activations, and on a small card most blocks wait in memory.
- **Cost.** torch has no convolution in int8 or fp8 for a card, so weights would be widened before each use.
- **Error.** Rounding the UNet's weights alone moves its result by 0.11 of its deviation in int8 and by 0.27 in fp8, in
  the mean, on a tiny network of random weights. All of bf16 moves it by 0.07, and fp16 by 0.006. A stage of
  `gpu_check.py` measures the same at the published sizes.
"""


def page() -> str:
    """Return the page for the results that are recorded."""
    files = [file for file in sorted(RESULTS.glob("*.json")) if file.stem not in ELSEWHERE]
    return HEAD + "".join(section(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in files)


def section(name: str, record: dict[str, Any]) -> str:
    """Return the section of one results file."""
    rows = "".join(f"| {label} | {shown(value)} |\n" for label, value in flat(record["result"]))
    note = f"\n{record['note']}\n" if "note" in record else ""
    return (
        f"\n## {name}\n\n`{record['command']}`, {record['date']}, {record['machine']}.\n{note}"
        f"\n| figure | value |\n|---|---|\n{rows}"
    )


def flat(result: dict[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (label, value) of all figures, those inside others by both labels."""
    for name, value in result.items():
        label = f"{before}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            yield from flat(value, f"{label}: ")
        else:
            yield label, value


def shown(value: Any) -> str:
    """Return a figure as the page shows it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
