"""Runs the project's checks, each with a heading and a time, and sums them up."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import audit
from environment import Environment

# One test more at once than there are cores, since many wait for servers, but no more than memory allows; a file's
# tests share what they set up.
_PROCESSES = min((os.cpu_count() or 1) + 1, 4)
_AT_ONCE = (f"--numprocesses={_PROCESSES}", "--dist=loadfile", "--no-loadscope-reorder")
_SLOWEST = ("--durations=40", "--durations-min=1")  # seconds: where the time of the tests goes
_VERDICTS = {0: "ok", audit.SKIPPED: "skipped"}
_TESTS_FAILED = 1  # pytest's exit code
_MOST_UNSTEADY = 3  # tests; where more fail, it is not by chance
_FAILED_TESTS = Path(".pytest_cache", "v", "cache", "lastfailed")


@dataclass(frozen=True)
class Step:
    """One check: its name for people, and its command.

    `again` is the command that runs failed tests once more, alone. With hundreds of processes, sockets and limits of
    time on a machine that others use, too, one in thousands fails by chance. One that passes alone is named.
    A step that is run `beside` the others, since it takes long and keeps one core alone busy, says all at its end.
    """

    name: str
    command: tuple[str, ...]
    again: tuple[str, ...] = ()
    beside: bool = False


def check_steps(environment: Environment, pytest_arguments: Sequence[str]) -> list[Step]:
    """The checks in the order in which they are summed up: cheap ones first."""

    def step(name: str, *arguments: str) -> Step:
        tool, *options = name.split()
        return Step(name, (str(environment.script(tool)), *options, *arguments))

    def tests() -> Step:
        if pytest_arguments:
            return step("pytest", *_AT_ONCE, *_SLOWEST, *pytest_arguments)
        whole = step("pytest", *_AT_ONCE, *_SLOWEST)
        return replace(whole, again=(whole.command[0], "--last-failed", "--numprocesses=0", "--maxfail=1"))

    return [
        step("ruff format --check"),
        step("ruff check"),
        step("lint-imports"),
        replace(step("mypy"), beside=True),
        Step("pip-audit", (str(environment.script("python")), "-I", audit.__file__)),
        tests(),
    ]


def run_steps(steps: Sequence[Step], folder: Path, variables: Mapping[str, str]) -> int:
    """Run all `steps` in `folder`, also after a failure; return 0 if all passed, else 1."""
    with ThreadPoolExecutor() as pool:
        beside = {step: pool.submit(_told, step, folder, variables) for step in steps if step.beside}
        alone = {step: _told(step, folder, variables) for step in steps if not step.beside}
        done = [alone[step] if step in alone else beside[step].result() for step in steps]
    print("\nSummary")
    for step, (verdict, seconds) in zip(steps, done):
        print(f"  {step.name:<22}{verdict:<14}{seconds:>8.1f} s")
    return 1 if any(verdict.startswith("FAILED") for verdict, _ in done) else 0


def _told(step: Step, folder: Path, variables: Mapping[str, str]) -> tuple[str, float]:
    """Run a step between its heading and its verdict; return the verdict and the seconds that it took."""
    begun = time.monotonic()
    heading = f"\n== {step.name}"
    if step.beside:
        code, said = _run(step.command, folder, variables, subprocess.PIPE)
        verdict = _word(code)
        heading = f"{heading}\n{said}".rstrip()
    else:
        print(heading, flush=True)
        verdict = _verdict(step, folder, variables)
    seconds = time.monotonic() - begun
    ended = f"-- {step.name}: {verdict}, {seconds:.1f} s"
    print(f"{heading}\n{ended}" if step.beside else ended, flush=True)
    return verdict, seconds


def _verdict(step: Step, folder: Path, variables: Mapping[str, str]) -> str:
    """Run a step, and what failed in it once more; return a word for people, which begins with FAILED if it did."""
    if step.again:
        (folder / _FAILED_TESTS).unlink(missing_ok=True)  # pytest keeps those of earlier runs
    code, _ = _run(step.command, folder, variables)
    if code == _TESTS_FAILED and step.again:
        failed = _failed_tests(folder)
        if 0 < len(failed) <= _MOST_UNSTEADY:
            print(f"\n-- {step.name}: what failed, once more and alone", flush=True)
            if _run(step.again, folder, variables)[0] == 0:
                print("\nFailed among the others and passed alone. A test or the product depends on chance; mend it:")
                print("\n".join(f"  {test}" for test in failed), flush=True)
                return f"unsteady ({len(failed)})"
    return _word(code)


def _word(code: int) -> str:
    return _VERDICTS.get(code, f"FAILED ({code})")


def _failed_tests(folder: Path) -> list[str]:
    """The tests that failed in the run of pytest that just ended, as pytest's own cache has them."""
    try:
        return sorted(json.loads((folder / _FAILED_TESTS).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def _run(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], output: int | None = None
) -> tuple[int, str]:
    """Run a command; return its exit code, and all that it said where `output` is `subprocess.PIPE`."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=dict(variables),
            stdout=output,
            stderr=output and subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        problem = f"{command[0]} does not start: {error}"
        if output is None:
            print(problem)
        return 127, problem
    return done.returncode, done.stdout or ""
