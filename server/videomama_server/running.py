"""The config that holds on this machine now: the running server's where there is one, and how the caller's differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from videomama_client import launch
from videomama_client.errors import ProtocolError, ServerUnreachable
from videomama_client.messages import ConfigValue
from videomama_client.server_config import Difference, differences

from videomama_server import config
from videomama_server.config import Config


@dataclass(frozen=True)
class Settled:
    """What holds.

    Attributes:
        config: the server's where one answers, else the caller's; flags of the command line hold over both.
        differing: keys that the caller has set otherwise in a variable or in `config.toml`.
    """

    config: Config
    differing: list[Difference] = field(default_factory=list)


def settle(flags: Mapping[str, Any]) -> Settled:
    """Ask the server of the caller's connection file, where one runs, for its config; starts none.

    Raises:
        BadInput: the caller's own config cannot be read.
    """
    own = config.load(flags)
    try:
        with launch.connect(own.connection_file, start=False) as client:
            values = client.status().config
    except (ServerUnreachable, ProtocolError):
        return Settled(own)
    served = config.from_texts({known.name: known.value for known in values})
    named = {name: getattr(own, name) for name, value in flags.items() if value is not None}
    return Settled(replace(served, **named), differing(values))


def differing(values: list[ConfigValue]) -> list[Difference]:
    """Return the keys that the caller has set otherwise than the server that reported these values."""
    return differences(values, config.callers({}))
