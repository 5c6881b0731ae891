"""The server's config as a table: each value, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from videomama_client.messages import ConfigValue
from videomama_client.server_config import Setting, differences

from videomama_server import config
from videomama_server.config import Config


@dataclass(frozen=True)
class ConfigRow:
    """One key.

    Attributes:
        name: of the key.
        value: that holds.
        source: where it comes from.
        note: how the value here differs from the running server's; empty where it does not.
    """

    name: str
    value: str
    source: str
    note: str = ""


def rows(served: list[ConfigValue] | None, own: Mapping[str, str], here: Mapping[str, Setting]) -> list[ConfigRow]:
    """Return the table.

    Args:
        served: what the running server reports; None where none runs.
        own: the config of this process, by key.
        here: what variables and `config.toml` set here, with its source.
    """
    if served is None:
        return [ConfigRow(name, value, _source_here(name, here)) for name, value in own.items()]
    differing = {known.name: known for known in differences(served, here)}
    plain = config.as_texts(Config())
    found = []
    for known in served:
        if known.name in differing:
            found.append(ConfigRow(known.name, known.value, "the running server", f"{differing[known.name]}."))
        elif known.name in here or known.value == plain.get(known.name):
            found.append(ConfigRow(known.name, known.value, _source_here(known.name, here)))
        else:
            found.append(ConfigRow(known.name, known.value, "the running server's command line or environment"))
    return found


def _source_here(name: str, here: Mapping[str, Setting]) -> str:
    return here[name].source if name in here else "default"
