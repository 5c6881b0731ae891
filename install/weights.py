"""The verb `weights`: gets the model's weights, fetched or taken over from a folder; the environment does the work."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Optional

from environment import Environment
from failure import InstallError
from prepare import Request, look, prepare

EXTRAS = ("videomama",)
# Beside the server's code, which shows them too.
_LICENCES = Path("server") / "videomama_server" / "weights"
LICENCE = _LICENCES / "licence.txt"
ADDITIONAL = {  # networks that --with gets, and their licences
    **dict.fromkeys(("sam2", "sam2-base-plus", "sam2-small", "sam2-tiny"), _LICENCES / "licence_sam2.txt"),
    "sam3": _LICENCES / "licence_sam3.txt",
    "person": _LICENCES / "licence_person.txt",
    "vitmatte": _LICENCES / "licence_vitmatte.txt",
    "vitmatte-base": _LICENCES / "licence_vitmatte.txt",
    "mematte": _LICENCES / "licence_mematte.txt",
}
_EDGES, _SEGMENT = "edges", "segment"  # extras that they need
UNET_GB, VAE_GB, FOLDED_GB = 6.1, 0.2, 2.8
_WHERE_S = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to `parser`."""
    parser.add_argument(
        "--from",
        dest="origin",
        metavar="DIR",
        type=Path,
        help="take over weights that are on this machine, in any layout, in place of fetching them",
    )
    parser.add_argument(
        "--to", dest="target", metavar="DIR", type=Path, help="folder of weights (default: the config's)"
    )
    parser.add_argument(
        "--with",
        dest="additional",
        choices=tuple(ADDITIONAL),
        help="get a network of a mask maker or an edge refiner, and its packages, in place of the model's weights",
    )
    parser.add_argument("--copy", action="store_true", help="with --from: copy the files; otherwise they are linked")
    parser.add_argument("--verify", action="store_true", help="read what is there, and fetch again what is damaged")
    add_licence(parser)


def add_licence(parser: argparse._ActionsContainer) -> None:
    """Add the option that accepts the licence."""
    parser.add_argument(
        "--accept-licence",
        "--accept-license",
        dest="accept_licence",
        action="store_true",
        help="accept the weights' licence, which is shown without this",
    )


def run(options: argparse.Namespace, environment: Environment, root: Path) -> int:
    """Do what `options` say, with the project in `root`, and return the exit code.

    Raises InstallError before anything is installed when the licence is not accepted.
    """
    words = _words(options)
    additional = getattr(options, "additional", None)
    extras = (*EXTRAS, _extra_of(additional)) if additional else EXTRAS
    request = Request(root, environment, extras, getattr(options, "python", None))
    if options.origin is None and not options.accept_licence and not look(request).ready:
        # The environment would ask too, but only once gigabytes of it are there. One that is ready may find that
        # nothing has to be fetched, and then need not ask.
        _ask(root, ADDITIONAL.get(additional or "", LICENCE))
        words.append("--accept-licence")
    prepare(request)
    command = [str(environment.script("videomama")), "weights", *words]
    return subprocess.run(command, env=environment.variables(), check=False).returncode


def _extra_of(additional: str) -> str:
    return _EDGES if additional in ("vitmatte", "vitmatte-base", "mematte") else _SEGMENT


def plan_lines(environment: Environment) -> list[str]:
    """What the verb would do without options, for people; nothing is changed."""
    known = _where(environment)
    if known and not known["problem"]:
        return [f"weights: there already, nothing to fetch ({known['unet']}, {known['vae']})"]
    folder = known["weights"] if known else "the config's folder of weights"
    return [
        f"weights: fetch the model's UNet ({UNET_GB} GB) and VAE ({VAE_GB} GB) into {folder}, once their licence is "
        "accepted (--accept-licence)",
        f"weights: {FOLDED_GB} GB more in the cache folder, when the model is used for the first time",
    ]


def _words(options: argparse.Namespace) -> list[str]:
    """The arguments for `videomama weights`."""
    target = ["--to", str(options.target)] if options.target else []
    if getattr(options, "additional", None):
        target += ["--with", options.additional]
    if options.origin is not None:
        if options.verify:
            raise InstallError("--verify goes with fetching, not with --from.", "An import is always verified.")
        return ["import", str(options.origin), *target, *(["--copy"] if options.copy else [])]
    if options.copy:
        raise InstallError("--copy goes with --from DIR only.", "Name the folder that has the weights.")
    flags = [(options.verify, "--verify"), (options.accept_licence, "--accept-licence")]
    return ["fetch", *target, *(flag for given, flag in flags if given)]


def _ask(root: Path, licence: Path = LICENCE) -> None:
    """Show the licence and ask for it; raise InstallError at a no, or where nobody can answer."""
    print((root / licence).read_text(encoding="utf-8"), flush=True)
    answer = ""
    if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        try:
            answer = input("Do you accept it? [y/N] ")
        except EOFError:
            print()
    if answer.strip().lower() not in ("y", "yes"):
        raise InstallError(
            "The licence of the weights is not accepted; nothing was fetched or installed.",
            "Read it above, and run this again with --accept-licence. The engine classic works without weights.",
        )


def _where(environment: Environment) -> Optional[dict[str, Any]]:
    """What `videomama weights where` says; None when the environment cannot say it."""
    command = [str(environment.script("videomama")), "weights", "where", "--json"]
    try:
        answer = subprocess.run(
            command, env=environment.variables(), capture_output=True, timeout=_WHERE_S, check=True
        ).stdout
        report: dict[str, Any] = json.loads(answer.decode("utf-8"))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return report
