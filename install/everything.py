"""`python install` without a verb: shows what there is and what it would do, asks, and does it."""

from __future__ import annotations

import argparse

import check
import movies
import nuke_setup
import server_setup
import weights
from agreement import agreed
from failure import InstallError
from job import Job, defaults

_NO_NUKE = "nuke: none was found; `python install nuke --nuke-dir DIR` sets up one in another folder"
_NO_GPU = "weights: not planned, since no GPU was found; `python install weights` fetches them all the same"
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
    movies.add_option(group)
    weights.add_licence(group)


def run(job: Job) -> int:
    """Show the plan, do it if that is wanted, and return 0 when some engine can refine here."""
    options, nukes = job.options, nuke_setup.plan_lines(job.environment, job.root)
    asks = not options.yes and not options.dry_run
    print("\n".join(_plan(job, nukes)), flush=True)
    if options.dry_run:
        return 0
    if asks and not agreed("Do this?", "This plan"):
        print("Nothing was done.")
        return 1
    server_setup.run(job)
    if options.movies:
        movies.run(job)
    _get_weights(job, asks)
    if nukes:
        nuke_setup.run(defaults(nuke_setup.add_arguments), job.environment, job.root, job.libraries)
    print()
    code = check.run(defaults(check.add_arguments), job.environment)
    print(
        f"\nThe program is {job.environment.script('videomama')}. `python install path --install` puts it on your PATH."
    )
    return code


def _plan(job: Job, nukes: list[str]) -> list[str]:
    """Say what there is and what is to be done."""
    lines = [f"VideoMaMa in {job.root}", *server_setup.plan_lines(job), *server_setup.home_warnings(job)]
    if server_setup.brings_model(job) and not _wants_weights(job):
        lines.append(_NO_GPU)
    elif server_setup.brings_model(job):
        lines += weights.plan_lines(job.environment)
        if not job.options.accept_licence:
            lines.append("weights: only once their licence is accepted: --accept-licence, or at the question")
    lines.append(movies.plan_line(job))
    return [*lines, *([f"nuke: {line}" for line in nukes] or [_NO_NUKE])]


def _get_weights(job: Job, asks: bool) -> None:
    """Fetch the weights where that is wanted: accepted by an option, or at the question that the verb asks."""
    options = defaults(weights.add_arguments)
    options.accept_licence, options.python = job.options.accept_licence, job.options.python
    if job.source.wheels is not None or not server_setup.brings_model(job) or not _wants_weights(job):
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
        print("Continuing without the weights. The engine classic needs none.")


def _wants_weights(job: Job) -> bool:
    """Whether the model's weights belong to the plan: there is a GPU for it, or they were asked for."""
    return server_setup.finds_gpu(job) or bool(job.options.accept_licence)
