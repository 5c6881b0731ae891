"""Where the config of the running server differs from what its caller has set: the server's counts, and is reported."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from videomama_client.messages import ConfigValue

HINT = "Run `videomama stop`, then run this again: the next server that starts here uses your values."
_PREFIX = "VIDEOMAMA_"
_OF_CALLERS = frozenset({"connection_file"})  # names the server, so it cannot differ


@dataclass(frozen=True)
class Setting:
    """A value that a caller has set.

    Attributes:
        value: as text.
        source: where it was set, such as ``$VIDEOMAMA_CACHE_DIR``.
    """

    value: str
    source: str


@dataclass(frozen=True)
class Difference:
    """A key of the config for which the server's value is another than the caller's."""

    name: str
    server: str
    caller: Setting

    def __str__(self) -> str:
        return (
            f"{self.name}: the running server uses {self.server or 'none'}, "
            f"but {self.caller.source} sets {self.caller.value}"
        )


def differences(server: Sequence[ConfigValue], caller: Mapping[str, Setting]) -> list[Difference]:
    """Return the keys that the caller has set to another value than the server's, in the server's order."""
    return [
        Difference(known.name, known.value, caller[known.name])
        for known in server
        if known.name in caller and known.name not in _OF_CALLERS and not _same(known.value, caller[known.name].value)
    ]


def from_environment(variables: Optional[Mapping[str, str]] = None) -> dict[str, Setting]:
    """Return what `VIDEOMAMA_*` variables set, by the keys of the config; also those that are no keys."""
    found = os.environ if variables is None else variables
    return {
        name[len(_PREFIX) :].lower(): Setting(value, f"${name}")
        for name, value in found.items()
        if name.startswith(_PREFIX) and value
    }


def _same(server: str, caller: str) -> bool:
    """Whether two texts are one value: numbers may be written differently, paths may be relative or links."""
    if server == caller:
        return True
    try:
        return float(server) == float(caller)
    except ValueError:
        return _places(server) == _places(caller)


def _places(value: str) -> list[str]:
    return [os.path.realpath(Path(part).expanduser()) for part in value.split(os.pathsep) if part]
