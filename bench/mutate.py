"""Which faults the tests catch: plants single faults at random and runs the tests that belong to the module.

python bench/mutate.py --count 40 --seed 1 --module server/videomama_server/qc

Everything happens in a copy of the tree in a temporary folder. A module's tests are the file of the same name in the
folder of the same name; without one, the files beside it that name the module; without any, the whole folder. Tests
marked `slow` are left out. They run in forks of one process that has imported the libraries (`mutate_forks.py`): for
each fault only the project is imported. An environment beside the copy leads every Python of the tests to it, however
it is started, and whatever the tests leave running is ended after each run; this needs a POSIX system.
An uncaught fault may change no behaviour at all: whoever reads the table decides.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import py_compile
import random
import re
import shutil
import site
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from mutations import Mutation, faults_of, planted

ROOT = Path(__file__).parents[1]
DEFAULT = ("server/videomama_server", "nuke_plugin/videomama_client")
TESTS = {
    "server/videomama_server": "tests/server",
    "nuke_plugin/videomama_client": "tests/client",
    "nuke_plugin/videomama_nuke/panel": "tests/nuke_plugin/panel",
    "nuke_plugin/videomama_nuke": "tests/nuke_plugin/plugin",
}
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
TABLE = "{:<46} {:>5}  {:<18} {:<9} {:>6}  {}"
NOT_TRIED = "not tried"
NO_TESTS = 5  # pytest's exit code
# A plugin that is imported already cannot show more of a failed assertion; nobody reads it here.
WORDS = ("-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
_END_S = 5.0


@dataclass(frozen=True)
class MutationOutcome:
    """What the tests of the module made of a fault.

    `verdict` is `caught`, `hung` (caught by the time limit), `uncaught`, or `not tried` where they fail anyway.
    """

    fault: Mutation
    verdict: str
    seconds: float


def tests_of(root: Path, module: str) -> list[str]:
    """Return the tests that belong to a module, relative to `root`."""
    source = next(source for source in TESTS if module.startswith(f"{source}/"))
    below = Path(module).relative_to(source)
    folder = root / TESTS[source] / below.parent
    while not folder.is_dir():
        folder = folder.parent
    name = Path(module).parent.name if below.stem == "__init__" else below.stem.strip("_")
    mirrored = folder / f"test_{name}.py"
    word = re.compile(rf"\b{name}\b")
    found = (
        [mirrored]
        if mirrored.exists()
        else [path for path in sorted(folder.glob("test_*.py")) if word.search(path.read_text(encoding="utf-8"))]
    )
    return [str(path.relative_to(root)) for path in found or [folder]]


def modules_of(root: Path, named: Sequence[str]) -> list[str]:
    """Return the modules that are named or lie in folders that are, relative to `root`."""
    found: set[str] = set()
    for name in named:
        place = root / name
        files = place.rglob("*.py") if place.is_dir() else [place]
        found |= {path.relative_to(root).as_posix() for path in files if path.name != "__init__.py" or path == place}
    strangers = [name for name in named if not (root / name).exists()]
    strangers += [name for name in found if not name.startswith(tuple(f"{source}/" for source in TESTS))]
    if strangers or not found:
        raise SystemExit(
            f"no tests are known for {', '.join(strangers or named)}; name something in {', '.join(TESTS)}"
        )
    return sorted(found)


class Trial:
    """A copy of the tree in which the tests run.

    Args:
        root: the copy, in a folder that holds nothing else.
        limit_s: the longest that the tests of a module may take.
    """

    def __init__(self, root: Path, limit_s: float) -> None:
        self.root, self.limit_s = root, limit_s
        self.python = _environment(root)
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        # One thread: torch's wait for each other by spinning, which takes minutes where other things run too.
        variables = {**kept, "OMP_NUM_THREADS": "1"}
        where = subprocess.run(
            [self.python, "-I", "-c", "import videomama_server; print(videomama_server.__file__)"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        if not Path(where.strip()).is_relative_to(root):
            raise SystemExit(f"the tests would import {where.strip()}, which is not in the copy")
        # Compiled files are told from stale ones by content: a fault leaves the time and often the size as they were.
        by_content = py_compile.PycInvalidationMode.CHECKED_HASH
        for source in TESTS:
            compileall.compile_dir(root / source, quiet=2, invalidation_mode=by_content)
        self._forks = subprocess.Popen(
            [self.python, str(Path(__file__).with_name("mutate_forks.py"))],
            cwd=root,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *failure: object) -> None:
        self._forks.communicate()

    def run(self, tests: Sequence[str], limit_s: float) -> tuple[int | None, float, str]:
        """Run tests: their exit code (None: time ran out), seconds, and what they said."""
        said = self.root.parent / "said.txt"
        words = [*WORDS, "--basetemp", str(self.root.parent / "temporary"), *tests]
        asked = {"words": words, "limit_s": limit_s, "said": str(said)}
        self._forks.stdin.write(json.dumps(asked) + "\n")
        self._forks.stdin.flush()
        answer = json.loads(self._forks.stdout.readline())
        _end_left(self.root.parent, self._forks.pid)
        return answer["code"], answer["seconds"], said.read_text(encoding="utf-8", errors="replace")

    def sound(self, module: str) -> float | None:
        """Return the seconds that a module's tests take without a fault; None, and a word on why, where they fail."""
        code, seconds, said = self.run(tests_of(self.root, module), self.limit_s)
        if code not in (0, NO_TESTS):
            print(f"the tests of {module} fail without any fault:\n{said or 'no end in time'}", file=sys.stderr)
            return None
        return seconds

    def judge(self, fault: Mutation, sound_s: float) -> MutationOutcome:
        """Plant a fault, run the tests of its module, and take it out again."""
        path = self.root / fault.module
        source = path.read_text(encoding="utf-8")
        path.write_text(planted(source, fault), encoding="utf-8")
        try:
            code, seconds, _ = self.run(tests_of(self.root, fault.module), min(self.limit_s, 15 + 4 * sound_s))
        finally:
            path.write_text(source, encoding="utf-8")
        verdict = "hung" if code is None else "uncaught" if code in (0, NO_TESTS) else "caught"
        return MutationOutcome(fault, verdict, round(seconds, 1))


def _environment(root: Path) -> str:
    """Make an environment of this one's packages with the copy before them, and return its Python.

    `PYTHONPATH` would not do: tests set it themselves, and our own processes start with `-I`.
    """
    folder = root.parent / "environment"
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    places = [*(str(root / name) for name in ("server", "nuke_plugin")), *site.getsitepackages()]
    (packages / "copy.pth").write_text("\n".join(places), encoding="utf-8")
    return str(folder / "bin" / "python")


def _end_left(folder: Path, spared: int) -> None:
    """End whatever the tests or a fault left running, detached servers included, but not the process that forks."""
    every = psutil.process_iter(["pid", "cmdline"])
    mine = [one for one in every if any(str(folder) in word for word in one.info["cmdline"] or ())]
    left = [one for one in mine if one.info["pid"] != spared]
    for one in left:
        with suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(left, _END_S)


def chosen(root: Path, modules: Sequence[str], count: int, seed: int) -> list[Mutation]:
    """Return `count` of all possible faults, the same for the same seed, module by module."""
    every = [fault for module in modules for fault in faults_of((root / module).read_text(encoding="utf-8"), module)]
    picked = random.Random(seed).sample(every, min(count, len(every)))
    return sorted(picked, key=lambda fault: (fault.module, fault.line, fault.node))


def trial(faults: Sequence[Mutation], place: Trial, until: float) -> Iterator[MutationOutcome]:
    """Judge faults one after another until the time is over."""
    sound: dict[str, float | None] = {}
    for fault in faults:
        if time.monotonic() > until:
            return
        if fault.module not in sound:
            sound[fault.module] = place.sound(fault.module)
        seconds = sound[fault.module]
        yield MutationOutcome(fault, NOT_TRIED, 0.0) if seconds is None else place.judge(fault, seconds)


def row(outcome: MutationOutcome) -> str:
    """Return an outcome as a line of the table."""
    fault = outcome.fault
    module = fault.module.split("/", 1)[1]
    return TABLE.format(module, fault.line, fault.kind, outcome.verdict, f"{outcome.seconds:.1f}", fault.change)


def _told(outcomes: Iterator[MutationOutcome], table: bool) -> list[MutationOutcome]:
    """Return the outcomes, each printed as soon as it is known where a table is wanted."""
    if not table:
        return list(outcomes)
    print(TABLE.format("module", "line", "fault", "verdict", "s", "change"))
    known = []
    for outcome in outcomes:
        known.append(outcome)
        print(row(outcome), flush=True)
    return known


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--module", action="append", help=f"a module or a folder of them; else {' and '.join(DEFAULT)}")
    parser.add_argument("--count", type=int, default=40, help="how many faults")
    parser.add_argument("--seed", type=int, default=1, help="another one plants other faults")
    parser.add_argument("--limit-s", type=float, default=120, help="the longest that the tests of a module may take")
    parser.add_argument("--minutes", type=float, default=30, help="no further fault is planted after this")
    parser.add_argument("--json", action="store_true", help="one line in the place of the table")
    return parser.parse_args()


def main() -> None:
    """Plant the faults and print the table, each line as it is known."""
    asked = _asked()
    until = time.monotonic() + asked.minutes * 60
    with tempfile.TemporaryDirectory(prefix="videomama-mutate-", ignore_cleanup_errors=True) as folder:
        root = Path(shutil.copytree(ROOT, Path(folder).resolve() / "tree", ignore=LEFT_OUT))
        faults = chosen(root, modules_of(root, asked.module or DEFAULT), asked.count, asked.seed)
        with Trial(root, asked.limit_s) as place:
            outcomes = _told(trial(faults, place, until), table=not asked.json)
    tried = [outcome for outcome in outcomes if outcome.verdict != NOT_TRIED]
    uncaught = [asdict(outcome.fault) for outcome in tried if outcome.verdict == "uncaught"]
    caught, left = len(tried) - len(uncaught), len(faults) - len(tried)
    if asked.json:
        found = {"seed": asked.seed, "planted": len(tried), "caught": caught, "not_tried": left, "uncaught": uncaught}
        print(json.dumps(found))
        return
    print(f"{caught} of {len(tried)} faults were caught, {len(uncaught)} were not; {left} were not tried")


if __name__ == "__main__":
    main()
