"""`python install` without a verb: shows what there is and what it would do, asks, and does it."""

from __future__ import annotations

import argparse
import sys

import check
import nuke_setup
import server_setup
import weights
from failure import InstallError
from job import Job

_NO_NUKE = "nuke: none was found; `python install nuke --nuke-dir DIR` sets one up that is elsewhere"
_NO_WEIGHTS = (
    "The weights were not fetched: their licence was not accepted. `python install weights` shows it; until then the "
    "engine classic works."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that go without a verb."""
    group = parser.add_argument_group("without a verb")
    group.add_argument("--yes", action="store_true", help="do it without asking")
    group.add_argument("--dry-run", action="store_true", help="show the plan, change nothing")
    group.add_argument("--cpu", action="store_true", help="take torch for the processor, also where there is a GPU")
    weights.add_licence(group)


def run(job: Job) -> int:
    """Show the plan, do it if that is wanted, and return 0 when some engine can refine here."""
    options, nukes = job.options, nuke_setup.plan_lines(job.environment, job.root)
    asks = not options.yes and not options.dry_run
    print("\n".join(_plan(job, nukes)), flush=True)
    if options.dry_run:
        return 0
    if asks and not _agreed():
        print("Nothing was done.")
        return 1
    server_setup.run(job)
    _get_weights(job, asks)
    if nukes:
        nuke_setup.run(_defaults(nuke_setup), job.environment, job.root, job.libraries)
    print()
    return check.run(_defaults(check), job.environment)


def _plan(job: Job, nukes: list[str]) -> list[str]:
    """Say what there is and what is to be done."""
    lines = [f"VideoMaMa in {job.root}", *server_setup.plan_lines(job)]
    if server_setup.brings_model(job):
        lines += weights.plan_lines(job.environment)
        if not job.options.accept_licence:
            lines.append("weights: only once their licence is accepted: --accept-licence, or at the question")
    return [*lines, *([f"nuke: {line}" for line in nukes] or [_NO_NUKE])]


def _get_weights(job: Job, asks: bool) -> None:
    """Fetch the weights where that is wanted: accepted by an option, or at the question that the verb asks."""
    options = _defaults(weights)
    options.accept_licence, options.python = job.options.accept_licence, job.options.python
    if job.source.wheels is not None or not server_setup.brings_model(job):
        return  # a bundle brought its own weights, or none
    if not options.accept_licence and not asks:
        print(_NO_WEIGHTS)
        return
    try:
        code = weights.run(options, job.environment, job.root)
    except InstallError as error:
        code = 1
        print(f"{error.message}\n{error.hint}")
    if code:
        print("Going on without the weights: the engine classic needs none.")


def _agreed() -> bool:
    """Ask whether to do it.

    Raises:
        InstallError: nobody is there to answer.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise InstallError("Nobody is there to agree to this plan.", "Run it with --yes, or with --dry-run to see it.")
    try:
        return input("Do this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _defaults(module: object) -> argparse.Namespace:
    """Return the options of a verb as they are when none is given."""
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)  # type: ignore[attr-defined]
    return parser.parse_args([])
