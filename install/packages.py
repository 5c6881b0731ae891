"""Puts the project and its pinned dependencies into an environment with pip, and mends what a killed pip left."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from environment import Environment
from failure import InstallError
from source import INDEX, Source
from stamp import CONSTRAINTS

_TAIL_LINES = 20
# Lines of pip worth showing while it works, so that a big download does not look like a hang.
_SHOWN = re.compile(r"\s*(Downloading .*\([\d.]+ [MG]B\)|Installing collected packages)")
_RUN_AGAIN = "Then run the same command again: it continues where it stopped."

_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|timed out|Max retries exceeded|NameResolution|ProxyError"
    r"|Tunnel connection failed|Connection(Reset|Refused|Aborted)?Error|Connection (reset|refused|broken)"
    r"|Temporary failure in name resolution|CERTIFICATE_VERIFY_FAILED|SSLError|HTTP error 40[37]"
)
_MISSING = re.compile(r"No matching distribution found|from versions:")
_HINTS = (
    (re.compile(r"No space left on device"), f"The disk is full: free some space. {_RUN_AGAIN}"),
    (
        _NETWORK,
        "The package index could not be reached: check the network. Behind a proxy set HTTPS_PROXY (and PIP_CERT to "
        f"its certificate), for a mirror set PIP_INDEX_URL. {_RUN_AGAIN}",
    ),
    (
        _MISSING,
        "A package has no build for this Python or system: try another Python (3.11 to 3.13) with --python PATH. "
        "If the index is a mirror (PIP_INDEX_URL), it may lack the package.",
    ),
)


def install_project(root: Path, environment: Environment, extras: tuple[str, ...], source: Source = INDEX) -> None:
    """Install the project in `root` editable, with `extras`, at the pinned versions, with packages from `source`.

    pip keeps whatever is there and fits the pins, so that a torch someone chose for their GPU stays.
    """
    target = f".[{','.join(extras)}]" if extras else "."
    try:
        install_pinned(["-e", target], root, environment, source)
    except InstallError as error:
        if source.wheels is None or not _MISSING.search(error.message):
            raise
        hint = f"The bundle has no build of a package for this system.\nLog: {environment.log}"
        raise InstallError(error.message, hint) from error


def install_pinned(packages: Sequence[str], root: Path, environment: Environment, source: Source = INDEX) -> None:
    """Install packages, as pip takes them, and leave what the project needs at its pinned versions."""
    pins = (root / CONSTRAINTS).as_uri()
    variables = source.adapt(environment.variables())
    # The build backend is pinned by variable, since -c does not reach it; the second name is for pip 25.3 and newer.
    for name in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"):
        variables[name] = " ".join(filter(None, [variables.get(name), pins]))
    run_pip(["install", *source.arguments(), "-c", pins, *packages], root, environment, variables)


def run_pip(arguments: Sequence[str], folder: Path, environment: Environment, variables: Mapping[str, str]) -> None:
    """Run the environment's pip in `folder`; InstallError with its last words and what to do when it fails."""
    verb, *rest = arguments
    # pip compiles in one process: a quarter of a whole install on two cores
    plain = ["--no-input", "--progress-bar", "off", *(["--no-compile"] if verb == "install" else [])]
    command = [*_pip(environment), verb, *plain, *rest]
    code, lines = _run_logged(command, folder, environment, variables)
    if code == 0 and verb == "install":
        _compile(environment, variables)
    if code == 0:
        return
    cause, hint = _diagnose(lines)
    tail = lines[-_TAIL_LINES:]
    shown = "\n".join(f"    {line}" for line in (tail if cause in tail else [cause, "...", *tail]))
    raise InstallError(f"pip failed with exit code {code}. Its last lines:\n{shown}", f"{hint}\nLog: {environment.log}")


def _compile(environment: Environment, variables: Mapping[str, str]) -> None:
    """Compile what is not compiled yet, on all cores; what cannot be compiled stays as it is, as with pip."""
    asked = "import compileall, sysconfig; compileall.compile_dir(sysconfig.get_path('purelib'), quiet=2, workers=0)"
    command = [str(environment.script("python")), "-I", "-W", "ignore", "-c", asked]
    with suppress(OSError):  # a Python that does not start is told by who needs it
        subprocess.run(command, env=dict(variables), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def pip_works(environment: Environment) -> bool:
    """Whether pip starts: in an environment killed while it was made, it may be there in part."""
    try:
        command = [*_pip(environment), "--version"]
        done = subprocess.run(command, env=environment.variables(), capture_output=True, timeout=120, check=False)
        return done.returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def remove_damaged(site_packages: Path) -> list[str]:
    """Make pip forget the distributions in `site_packages` that are there in part; return their names.

    pip takes a distribution for installed as soon as its metadata is there. It writes INSTALLER after all files of
    the wheel, and moves what it replaces to names that begin with a tilde, so a killed pip can be told by both.
    """
    removed = []
    for leftover in site_packages.glob("~*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    for metadata in sorted(site_packages.glob("*.dist-info")):
        if not _is_whole(site_packages, metadata):
            shutil.rmtree(metadata)
            removed.append(metadata.stem)
    return removed


def _is_whole(site_packages: Path, metadata: Path) -> bool:
    record = metadata / "RECORD"
    if not record.is_file() or not (metadata / "INSTALLER").is_file():
        return False
    with record.open(newline="", encoding="utf-8") as lines:
        names = [row[0] for row in csv.reader(lines) if row]
    # Bytecode is listed too, but anyone may delete that.
    return all((site_packages / name).exists() for name in names if not name.endswith(".pyc"))


def _diagnose(lines: list[str]) -> tuple[str, str]:
    """The first line that gives the cause away, or else the last one, and what to do about it.

    Without a network pip ends with talk of conflicting versions; what it said minutes before is the truth.
    """
    for pattern, hint in _HINTS:
        for line in lines:
            if pattern.search(line):
                return line, hint
    return "".join(lines[-1:]), f"Mend what pip names. {_RUN_AGAIN}"


def _pip(environment: Environment) -> list[str]:
    # -I keeps packages of a host's PYTHONPATH from counting as installed; pip's own PIP_ variables still work.
    return [str(environment.script("python")), "-I", "-m", "pip", "--disable-pip-version-check"]


def _run_logged(
    command: Sequence[str], folder: Path, environment: Environment, variables: Mapping[str, str]
) -> tuple[int, list[str]]:
    """Run pip, log its output, show its progress; return its exit code and its lines."""
    lines = []
    with (
        environment.log.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as pip,
    ):
        for line in pip.stdout or ():
            log.write(line)
            lines.append(line.rstrip())
            if _SHOWN.match(line):
                print(f"  {lines[-1].strip()[:110]}", flush=True)
    return pip.returncode, lines
