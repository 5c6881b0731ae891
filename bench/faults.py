"""Disturbs one job per round with one accident, and checks what is left of it: nothing lost, damaged, or done twice.

python bench/faults.py --seed 1 --rounds 200 --json
python bench/faults.py --seed 1 --rounds 60 --stages 3 --json
python bench/faults.py --seed 1 --rounds 30 --stages 2 --objects 2 --json
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import fault_kinds
import fault_rig
import numpy as np
from fault_kinds import KINDS, FaultKind, FaultScene
from fault_rig import Rig
from videomama_client.messages import MatteDone

CLASSIC = 0.25  # of the rounds; the others are done by `passthrough`


@dataclass(frozen=True)
class JobSizes:
    """How many stages each job has, and how many objects; 0 objects stands for one mask."""

    stages: int
    objects: int


@dataclass
class Report:
    """What came of all rounds."""

    lost_frames: int = 0
    corrupt_entries: int = 0
    recomputed_finished_frames: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    went_on: int = 0
    failures: list[str] = field(default_factory=list)


def schedule(rng: np.random.Generator, rounds: int) -> list[str]:
    """Return the kinds to come: all, in an order of chance, over and over."""
    names = [name for name in KINDS if name != "clock jumps back" or fault_rig.clock_can_be_moved()]
    return [name for _ in range(-(-rounds // len(names))) for name in rng.permutation(names)][:rounds]


def play(rig: Rig, name: str, rng: np.random.Generator, report: Report, sizes: JobSizes) -> list[str]:
    """Do one round; return what went wrong."""
    kind = KINDS[name]
    bridge = rig.bridge(kind.bridge)
    fault_rig.empty(bridge.cache)
    folder = rig.folder / "rounds" / fault_rig.new_name()
    engines = ["classic" if rng.random() < CLASSIC else "passthrough" for _ in range(sizes.stages)]
    case = fault_rig.make_case(folder, rng, size=kind.size, count=kind.count, engines=engines, objects=sizes.objects)
    fault_kinds.expect(rig, case)
    scene = FaultScene(rig, bridge, case, rng)
    try:
        with fault_rig.RunWatcher(case, bridge.cache) as watcher:
            kind.hurt(scene)
            rig.heal()
            bridge.start().settle()
        wrong = _look(scene, kind, watcher, report)
        report.went_on += isinstance(scene.outcome, MatteDone)
    finally:
        rig.heal()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(scene.case.out, ignore_errors=True)
    return wrong


def _look(scene: FaultScene, kind: FaultKind, watcher: fault_rig.RunWatcher, report: Report) -> list[str]:
    """Run the job again, check all that must be so, and enter it."""
    case, cache = scene.case, scene.bridge.cache
    there = fault_rig.intact_entries(cache)
    corrupt = fault_rig.verified(cache) + len(watcher.partial)
    with scene.bridge.client() as client:
        done = fault_rig.run(client, case)
    after = fault_rig.intact_entries(cache)
    lost = case.wrong()
    again = sum(after.get(path) != inode for path, inode in there.items())
    if not kind.rewrites:
        again += len(watcher.rewritten)
    report.lost_frames += len(lost)
    report.corrupt_entries += corrupt
    report.recomputed_finished_frames += again
    wrong = [f"frames {lost} are lost"] if lost else []
    wrong += [f"{corrupt} damaged: {watcher.partial[:3]}"] if corrupt else []
    wrong += [f"{again} computed again, {len(there)} were there, {done.cached} found"] if again else []
    if kind.goes_on and scene.outcome is not None and not isinstance(scene.outcome, MatteDone):
        wrong.append(f"the job failed: {scene.outcome!r}")
    hidden = [path.name for path in case.out.glob(".*")] if isinstance(scene.outcome, MatteDone) else []
    return wrong + ([f"left in the output folder: {hidden}"] if hidden and scene.outcome is None else [])


def play_all(rig: Rig, seed: int, rounds: int, only: str = "", stages: int = 1, objects: int = 0) -> Report:
    """Do all rounds with jobs of these sizes; `only` names kinds by a part of their name."""
    report, sizes = Report(), JobSizes(stages, objects)
    names = schedule(np.random.default_rng(seed), rounds)
    if only:
        known = [name for name in KINDS if only in name]
        names = [known[index % len(known)] for index in range(rounds)]
    for number, name in enumerate(names):
        started = time.monotonic()
        try:
            wrong = play(rig, name, np.random.default_rng([seed, number]), report, sizes)
        except Exception as error:  # noqa: BLE001  (a round that failed, whatever failed)
            wrong = [f"{type(error).__name__}: {error}"]
        report.injected[name] += 1
        report.survived[name] += not wrong
        report.failures += [f"round {number}, {name}: {text}" for text in wrong]
        print(f"{number:4} {time.monotonic() - started:5.1f} s {name} {'; '.join(wrong)}", file=sys.stderr, flush=True)
    return report


def main() -> None:
    """Hurt and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--stages", type=int, default=1, help="of each job")
    parser.add_argument("--objects", type=int, default=0, help="of each job, as layers; 0 for one mask")
    parser.add_argument("--only", default="", help="kinds whose name holds this")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the servers' logs")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    fault_rig.impatient()
    folder = Path(tempfile.mkdtemp(prefix="videomama-faults-"))
    rig = Rig(folder)
    started = time.monotonic()
    try:
        report = play_all(rig, asked.seed, asked.rounds, asked.only, asked.stages, asked.objects)
    finally:
        rig.close()
        if asked.keep:
            print(folder, file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    result = {
        "injected": sum(report.injected.values()),
        "survived": sum(report.survived.values()),
        "lost_frames": report.lost_frames,
        "corrupt_entries": report.corrupt_entries,
        "recomputed_finished_frames": report.recomputed_finished_frames,
        "seconds": round(time.monotonic() - started, 1),
        "disturbed_jobs_that_went_on": report.went_on,
        "by_kind": {name: f"{report.survived[name]} of {report.injected[name]}" for name in sorted(report.injected)},
    }
    print(json.dumps(result) if asked.json else json.dumps(result, indent=2))
    if report.failures:
        sys.exit("\n".join(report.failures))


if __name__ == "__main__":
    main()
