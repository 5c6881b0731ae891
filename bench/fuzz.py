"""Damaged pictures and nonsense on the wire, for a while: executions, seconds and findings by target.

python bench/fuzz.py --minutes 20 --seed 1 --json

Targets take turns: each kind of picture through the server's own reader in a process of its own, messages through the
decoder, and messages through a live server. What is found is kept in --findings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fuzz_pictures
import fuzz_wire
from fuzz_pictures import FuzzOutcome

Rounds = Iterator[tuple[bytes, FuzzOutcome]]
SLICE_S = 20.0  # of one target, before the next has its turn


@dataclass
class Target:
    """One thing under test, and what came of it so far.

    Attributes:
        rounds: what was tried and what came of it, without end.
        outcomes: how often each kind of outcome was seen.
        findings: what should not have happened, without repetition.
    """

    name: str
    rounds: Rounds
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[str, str] = field(default_factory=dict)

    def go_on(self, seconds: float, keep: Callable[[str, str, bytes], None]) -> None:
        """Try for so many seconds."""
        begun = time.monotonic()
        while time.monotonic() < begun + seconds:
            content, outcome = next(self.rounds)
            self.outcomes[outcome.kind] += 1
            key = f"{outcome.kind}: {outcome.said[:60]}"
            if outcome.is_finding and key not in self.findings:
                self.findings[key] = outcome.said
                keep(self.name, f"{outcome.kind}{len(self.findings)}", content)
        self.seconds += time.monotonic() - begun

    def report(self) -> dict[str, object]:
        """Return what came of it, for JSON."""
        return {
            "executions": self.outcomes.total(),
            "seconds": round(self.seconds, 1),
            "outcomes": dict(self.outcomes),
            "findings": list(self.findings.values()),
        }


def targets(folder: Path, seed: int) -> list[Target]:
    """Return all there are; `folder` is where they work."""
    pictures = [Target(kind, fuzz_pictures.rounds(folder, kind, seed)) for kind in fuzz_pictures.KINDS]
    decoder = Target("decoder", fuzz_wire.decoder(folder, seed))
    return [*pictures, decoder, Target("server", fuzz_wire.live_server(folder, seed))]


def run(minutes: float, seed: int, findings: Path) -> dict[str, dict[str, object]]:
    """Let all targets take turns for so many minutes; return what came of each."""

    def keep(name: str, kind: str, content: bytes) -> None:
        findings.mkdir(parents=True, exist_ok=True)
        (findings / f"{name}-{seed}-{kind.replace(' ', '-')}").write_bytes(content)
        print(f"{name}: {kind}", file=sys.stderr)

    with tempfile.TemporaryDirectory(prefix="videomama-fuzz-") as name:
        all_targets = targets(Path(name), seed)
        until = time.monotonic() + minutes * 60
        share = min(SLICE_S, minutes * 60 / len(all_targets))
        while time.monotonic() < until:
            for target in all_targets:
                target.go_on(share, keep)
        for target in all_targets:
            target.rounds.close()  # type: ignore[attr-defined]  # a generator: ends its processes
    return {target.name: target.report() for target in all_targets}


def main() -> None:
    """Fuzz and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"), help="where what was found is kept")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.nice(10)
    report = run(asked.minutes, asked.seed, asked.findings)
    print(json.dumps(report) if asked.json else json.dumps(report, indent=2))
    sys.exit(any(rows["findings"] for rows in report.values()))


if __name__ == "__main__":
    main()
