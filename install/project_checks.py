"""Runs the project's checks one after the other, each with a heading and a time, and sums them up."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import audit
from environment import Environment

# One test more at once than there are cores, since many wait for servers, but no more than memory allows; a file's
# tests share what they set up.
_PROCESSES = min((os.cpu_count() or 1) + 1, 4)
_AT_ONCE = (f"--numprocesses={_PROCESSES}", "--dist=loadfile", "--no-loadscope-reorder")
_SLOWEST = ("--durations=40", "--durations-min=1")  # seconds: where the time of the tests goes
_VERDICTS = {0: "ok", audit.SKIPPED: "skipped"}


@dataclass(frozen=True)
class Step:
    """One check: its name for people, and its command."""

    name: str
    command: tuple[str, ...]


def check_steps(environment: Environment, pytest_arguments: Sequence[str]) -> list[Step]:
    """The checks in the order in which they are run: cheap ones first."""

    def step(name: str, *arguments: str) -> Step:
        tool, *options = name.split()
        return Step(name, (str(environment.script(tool)), *options, *arguments))

    return [
        step("ruff format --check"),
        step("ruff check"),
        step("lint-imports"),
        step("mypy"),
        Step("pip-audit", (str(environment.script("python")), "-I", audit.__file__)),
        step("pytest", *_AT_ONCE, *_SLOWEST, *pytest_arguments),
    ]


def run_steps(steps: Sequence[Step], folder: Path, variables: Mapping[str, str]) -> int:
    """Run all `steps` in `folder`, also after a failure; return 0 if all passed, else 1."""
    lines = []
    failed = 0
    for step in steps:
        print(f"\n== {step.name}", flush=True)
        begun = time.monotonic()
        code = _run(step, folder, variables)
        seconds = time.monotonic() - begun
        verdict = _VERDICTS.get(code, f"FAILED ({code})")
        failed += code not in _VERDICTS
        print(f"-- {step.name}: {verdict}, {seconds:.1f} s", flush=True)
        lines.append(f"{step.name:<22}{verdict:<14}{seconds:>8.1f} s")
    print("\nSummary")
    for line in lines:
        print(f"  {line}")
    return 1 if failed else 0


def _run(step: Step, folder: Path, variables: Mapping[str, str]) -> int:
    try:
        return subprocess.run(step.command, cwd=folder, env=dict(variables), check=False).returncode
    except OSError as error:
        print(f"{step.command[0]} does not start: {error}")
        return 127
