"""Which files of the project go into a bundle: what git knows or would take in, or all that is there without git."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Optional

# Whatever else lies beside these is someone's own: shots, notes, results.
_TOP = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "bench",
    "docs",
    "gizmos",
    "install",
    "nuke_plugin",
    "pyproject.toml",
    "server",
    "tests",
)
# Libraries for Nuke are downloaded for the machines that a bundle is made for.
_LIBRARIES = PurePosixPath("nuke_plugin/_vendor")
_LEFT_OUT = ("__pycache__",)


def project_files(root: Path) -> dict[str, Path]:
    """The project's files by their names below `root`, with slashes."""
    listed = _listed_by_git(root) if (root / ".git").exists() else None
    names = _walked(root) if listed is None else listed
    return {name: root / name for name in sorted(names) if _belongs(PurePosixPath(name)) and (root / name).is_file()}


def _listed_by_git(root: Path) -> Optional[list[str]]:
    """Tracked files, and new ones that are not ignored; None when git is missing or will not say."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        answer = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return [name for name in answer.decode("utf-8", "surrogateescape").split("\0") if name]


def _walked(root: Path) -> Iterator[str]:
    return (path.relative_to(root).as_posix() for path in _files(root / name for name in _TOP))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            yield from _files(path.iterdir())
        else:
            yield path


def _belongs(name: PurePosixPath) -> bool:
    inside = name.parts[0] in _TOP and _LIBRARIES not in name.parents
    return inside and not any(part.startswith(".") or part in _LEFT_OUT for part in name.parts)
