"""The verbs of `python install <verb>`: reads the arguments, prepares the environment, runs what the verb names."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Callable, Optional

from checks import check_steps, run_steps
from environment import Environment
from failure import InstallError
from prepare import Request, prepare

ROOT = Path(__file__).resolve().parent.parent
_INTERRUPTED = 130


@dataclass(frozen=True)
class Verb:
    """One verb: the extras it needs installed, and what it does then with the arguments passed on."""

    help: str
    extras: tuple[str, ...]
    run: Callable[[Environment, list[str]], int]


def demo(environment: Environment, arguments: list[str]) -> int:
    """Run `videomama demo` in the caller's folder."""
    command = [str(environment.script("videomama")), "demo", *arguments]
    return subprocess.run(command, env=environment.variables(), check=False).returncode


def check(environment: Environment, arguments: list[str]) -> int:
    """Run every check of the project."""
    return run_steps(check_steps(environment, arguments), ROOT, environment.variables())


VERBS = {
    "demo": Verb("set up and run the demo; further arguments go to `videomama demo`", (), demo),
    "test": Verb("set up and run all checks; further arguments go to pytest", ("dev", "videomama"), check),
}


def parse(argv: Sequence[str]) -> tuple[Optional[argparse.Namespace], list[str]]:
    """Split `argv` into this program's options and the arguments to pass on; no options when no verb is given."""
    parser = argparse.ArgumentParser(
        prog="python install",
        description="Sets VideoMaMa up in a virtual environment of its own and runs it.",
        epilog="Arguments that are not listed are passed on; put -- before those that are listed too.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="verb")
    for name, verb in VERBS.items():
        # Without allow_abbrev=False an argument to pass on, such as --py, would be taken for --python.
        command = verbs.add_parser(name, help=verb.help, description=verb.help, allow_abbrev=False)
        command.add_argument("--python", metavar="PATH", help="make the environment with this Python, 3.10 or newer")
        command.add_argument("--venv", metavar="DIR", type=Path, help="the environment's folder (default: .venv)")
    own, passed_on = _split(list(argv))
    options, unknown = parser.parse_known_args(own)
    if options.verb is None:
        parser.print_help()
        return None, []
    return options, unknown + passed_on


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Cut at the first --, which argparse treats differently from version to version."""
    if "--" not in argv:
        return argv, []
    cut = argv.index("--")
    return argv[:cut], argv[cut + 1 :]


def main(argv: Sequence[str]) -> int:
    """Run the verb in `argv` and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # What pip or a path says may not exist in the console's encoding, and must not hide the error itself.
            stream.reconfigure(errors="replace")
    options, arguments = parse(argv)
    if options is None:
        return 2
    verb = VERBS[options.verb]
    environment = Environment((options.venv or ROOT / ".venv").resolve())
    try:
        prepare(Request(ROOT, environment, verb.extras, options.python))
        code = verb.run(environment, arguments)
    except InstallError as error:
        print(f"error: {error.message}\n{error.hint}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error}\nCheck the folder's permissions and that the disk is not full.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    # A negative code is the signal that killed the child; the shell's convention for it is 128 and up.
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
