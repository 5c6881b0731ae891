"""The verbs of `python install [verb]`: reads arguments, does what the verb names, turns failures into sentences."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Callable, Optional

import additions
import bundle
import check
import command_path
import docs_site
import everything
import movies
import nuke_setup
import server_setup
import service
import unbundle
import uninstall
import update
import weights
from environment import Environment
from failure import told
from job import Job
from locking import held
from prepare import Request, prepare
from project_checks import check_steps, run_steps
from source import INDEX

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Verb:
    """One verb: its help, what it does, its own options, and whether it passes unknown arguments on."""

    help: str
    run: Callable[[Job], int]
    add_arguments: Callable[[argparse.ArgumentParser], object] = lambda _: None
    passes_on: bool = False


def demo(job: Job) -> int:
    """Run `videomama demo` in the caller's folder."""
    prepare(job.request())
    command = [str(job.environment.script("videomama")), "demo", *job.passed_on]
    return subprocess.run(command, env=job.environment.variables(), check=False).returncode


def test(job: Job) -> int:
    """Run every check of the project."""
    extras = ("bench", "cluster", "dev", "docs", "edges", "movies", "segment", "train", "videomama", "web")
    prepare(job.request(*extras))
    return run_steps(check_steps(job.environment, job.passed_on), ROOT, job.environment.variables())


def docs(job: Job) -> int:
    """Build the site of docs/."""
    prepare(job.request("docs"))
    folder = job.root / docs_site.FOLDER
    code = docs_site.build(job.environment, folder)
    if code == 0:
        print(f"Open {folder / 'index.html'} in a browser.")
    return code


def engine(job: Job) -> int:
    """Add packages that bring engines, and show all that were added."""
    prepare(job.request())
    environment = job.environment
    if job.options.packages:
        with held(environment.lock):
            additions.add(job.options.packages, job.root, environment, job.source)
        print(f"Restart the engine with `{environment.script('videomama')} unload` if a server runs.")
    for package in additions.added(environment):
        print(package)
    print(f"`{environment.script('videomama')} doctor` lists the engines. {environment.additions} lists the packages.")
    return 0


VERBS = {
    "server": Verb("set up the server, with the right torch", server_setup.run, server_setup.add_arguments),
    "weights": Verb(
        "get the model's weights",
        lambda job: weights.run(job.options, job.environment, job.root),
        weights.add_arguments,
    ),
    "engine": Verb("add a package that brings an engine of your own", engine, additions.add_arguments),
    "movies": Verb("read and write movies, with PyAV", movies.run),
    "nuke": Verb(
        "set up the plug-in for the Nukes of this machine",
        lambda job: nuke_setup.run(job.options, job.environment, job.root, job.libraries),
        nuke_setup.add_arguments,
    ),
    "check": Verb(
        "say what works here and what does not",
        lambda job: check.run(job.options, job.environment),
        check.add_arguments,
    ),
    "service": Verb(
        "keep a server running for this user",
        lambda job: service.run(job.options, job.environment),
        service.add_arguments,
    ),
    "bundle": Verb(
        "make a zip that installs without a network",
        lambda job: bundle.run(job.options, job.environment, job.root),
        bundle.add_arguments,
    ),
    "update": Verb("end the old server, and set up the version of the files", update.run, update.add_arguments),
    "path": Verb(
        "put `videomama` on your PATH, with completion",
        lambda job: command_path.run(job.options, job.environment),
        command_path.add_arguments,
    ),
    "uninstall": Verb("take out what was installed", uninstall.run, uninstall.add_arguments),
    "demo": Verb("set up and run the demo; further arguments go to `videomama demo`", demo, passes_on=True),
    "docs": Verb("build the pages of docs/ as a site that opens in a browser", docs),
    "test": Verb("set up and run all checks; further arguments go to pytest", test, passes_on=True),
}


def parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Split `argv` into this program's options and the arguments to pass on."""
    parser = argparse.ArgumentParser(
        prog="python install",
        description="Sets VideoMaMa up on this machine. Without a verb: shows a plan, asks, and does it.",
        epilog="demo and test pass on arguments that are not listed; put -- before those that are listed too.",
        allow_abbrev=False,
    )
    _add_place(parser, None)
    everything.add_arguments(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="verb")
    for name, verb in VERBS.items():
        # Without allow_abbrev=False an argument to pass on, such as --py, would be taken for --python.
        command = verbs.add_parser(name, help=verb.help, description=verb.help, allow_abbrev=False)
        _add_place(command, argparse.SUPPRESS)
        verb.add_arguments(command)
    own, passed_on = _split(list(argv))
    options, unknown = parser.parse_known_args(own)
    passed_on = unknown + passed_on
    if passed_on and not (options.verb and VERBS[options.verb].passes_on):
        parser.error(f"unknown arguments: {' '.join(passed_on)}")
    return options, passed_on


def _add_place(parser: argparse.ArgumentParser, default: Optional[str]) -> None:
    """Add the options that may stand before the verb or after it; there without a default that hides the former."""
    parser.add_argument(
        "--python", metavar="PATH", default=default, help="make the environment with this Python, 3.11+"
    )
    parser.add_argument(
        "--venv", metavar="DIR", type=Path, default=default, help="the environment's folder (default: .venv)"
    )
    parser.add_argument(
        "--from-bundle", metavar="FILE", type=Path, default=default, help="install from this bundle, without a network"
    )


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Cut at the first --, which argparse treats differently from version to version."""
    if "--" not in argv:
        return argv, []
    cut = argv.index("--")
    return argv[:cut], argv[cut + 1 :]


def main(argv: Sequence[str]) -> int:
    """Do what `argv` says and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # What pip or a path says may not exist in the console's encoding, and must not hide the error itself.
            stream.reconfigure(errors="replace")
    options, passed_on = parse(argv)
    run = VERBS[options.verb].run if options.verb else everything.run

    def work() -> int:
        with _job(options, passed_on) as job:
            return run(job)

    return told(work)


@contextmanager
def _job(options: argparse.Namespace, passed_on: list[str]) -> Iterator[Job]:
    """Yield what a verb works with; from a bundle, the bundle's wheels for as long as it works."""
    environment = Environment((options.venv or ROOT / ".venv").resolve())
    if options.from_bundle is None:
        yield Job(ROOT, environment, options, passed_on, INDEX, INDEX)
        return
    with unbundle.unpacked(options.from_bundle.absolute(), Request(ROOT, environment, (), options.python)) as found:
        job = Job(ROOT, environment, options, passed_on, found.source, found.libraries)
        prepare(job.request())
        found.complete(environment, ROOT)
        yield job
