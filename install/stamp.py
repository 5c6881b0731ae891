"""The stamp of a finished install: from which inputs it was made, so that an unchanged one is not made again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Optional

from environment import Environment
from interpreter import Interpreter

CONSTRAINTS = Path("install") / "constraints.txt"


@dataclass(frozen=True)
class Stamp:
    """Where the environment stood, a digest of all that decides its content, and the extras that are in it."""

    location: str
    inputs: str
    extras: tuple[str, ...]

    def covers(self, wanted: Stamp) -> bool:
        """Whether an environment with this stamp already holds what `wanted` asks for."""
        same = (self.location, self.inputs) == (wanted.location, wanted.inputs)
        return same and set(wanted.extras) <= set(self.extras)

    def write(self, path: Path) -> None:
        """Publish the stamp whole or not at all: a torn one would have to be told from a foreign one."""
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        partial.replace(path)


def wanted_stamp(root: Path, environment: Environment, python: Interpreter, extras: tuple[str, ...]) -> Stamp:
    """The stamp that a finished install of `extras` of the project in `root` has.

    The root is among the inputs because an editable install points into it: a copied project is another one.
    """
    digest = hashlib.sha256()
    for part in (str(root).encode(), python.version_text.encode()):
        digest.update(part + b"\0")
    for name in ("pyproject.toml", CONSTRAINTS):
        digest.update(hashlib.sha256((root / name).read_bytes()).digest())
    return Stamp(str(environment.path), digest.hexdigest(), tuple(sorted(extras)))


def read_stamp(path: Path) -> Optional[Stamp]:
    """The stamp in `path`; None when there is none or it makes no sense, which both mean an unfinished install."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Stamp(str(fields["location"]), str(fields["inputs"]), tuple(fields["extras"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
