"""The verb `check`: the doctor's report, also where nothing is installed or the environment is broken."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import check_nukes
from check_nukes import Line, line
from environment import Environment
from failure import InstallError
from interpreter import find_builder
from prepare import Request, look

_ROOT = Path(__file__).resolve().parent.parent
_DOCTOR_S = 900.0
_SERVER = "`python install server` makes it."
_MEND = "`python install server` mends it."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's options."""
    parser.add_argument("--json", dest="as_json", action="store_true", help="print one line of JSON")
    parser.add_argument("--connection-file", metavar="FILE", help="of the server to ask")


def run(options: argparse.Namespace, environment: Environment) -> int:
    """Print the report; return 0 when some engine can refine on this machine, else 1."""
    if sys.stderr.isatty():
        print("Looking at everything; this takes some seconds ...", file=sys.stderr)
    found = examine(environment, options.connection_file)
    ok = all(row["state"] != "problem" for row in found)
    print(json.dumps({"ok": ok, "lines": found}) if options.as_json else as_text(found))
    return 0 if ok else 1


def examine(environment: Environment, connection_file: Optional[str] = None) -> list[Line]:
    """Look at the environment, whose own doctor looks at the rest; where it cannot, at what can be seen from here."""
    own = _environment(environment)
    if own["state"] == "problem":
        return [*_builder(), own, *check_nukes.lines()]
    words = ["--connection-file", connection_file] if connection_file else []
    return [own, *_doctor(environment, words)]


def as_text(found: Sequence[Line]) -> str:
    """The report as people read it, in the words of `videomama doctor`."""
    width = max(len(row["name"]) for row in found) + 2
    said = []
    for row in found:
        said.append(f"{row['state']:<9}{row['name']:<{width}}{row['what']}")
        said += [f"{'':<{9 + width}}{row['fix']}"] if row["fix"] else []
    problems, warnings = (sum(row["state"] == state for row in found) for state in ("problem", "warning"))
    verdict = "This machine can refine." if not problems else f"This machine cannot refine. Problems: {problems}."
    return "\n".join([*said, "", f"{verdict} Warnings: {warnings}." if warnings else verdict])


def _environment(environment: Environment) -> Line:
    name, path = "environment", environment.path
    try:
        state = look(Request(_ROOT, environment))
    except OSError as error:
        return line(name, "problem", f"{path} cannot be looked at: {error.strerror}", _MEND)
    # One that was made without this installer may well work, though its pip does not.
    foreign = state.python is not None and state.python.is_new_enough and not environment.stamp.exists()
    if state.python is None or (state.rebuild and not foreign):
        missing = state.rebuild == "it does not exist"
        return line(name, "problem", f"{path} cannot be used: {state.rebuild}", _SERVER if missing else _MEND)
    if not environment.script("videomama").exists():
        return line(name, "problem", f"{path}: an install into it was not finished", _MEND)
    what = f"{path}, Python {state.python.version_text}"
    if state.ready:
        return line(name, "ok", what)
    if environment.stamp.exists():
        what = f"{what}: made from other versions of the project's files"
        return line(name, "warning", what, "`python install server` brings it up to date.")
    return line(name, "warning", f"{what}: not finished, or not made by this installer", _MEND)


def _builder() -> list[Line]:
    """Whether an environment can be made with this Python."""
    try:
        python = find_builder(None)
    except InstallError as error:
        return [line("python", "problem", error.message, error.hint)]
    return [line("python", "ok", f"Python {python.version_text} at {python.executable} can make an environment")]


def _doctor(environment: Environment, words: Sequence[str]) -> list[Line]:
    command = [str(environment.script("python")), "-I", "-m", "videomama_server", "doctor", "--json", *words]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            env=environment.variables(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_DOCTOR_S,
            check=False,
        )
        report: Any = json.loads(done.stdout.strip().splitlines()[-1])
        return [line(row["name"], row["state"], row["what"], row["fix"]) for row in report["lines"]]
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    except (ValueError, IndexError, KeyError, TypeError):
        said = done.stderr.strip().splitlines()
        reason = said[-1] if said else f"exit code {done.returncode}"
    return [line("doctor", "problem", f"`videomama doctor` does not answer: {reason}", _MEND), *check_nukes.lines()]
