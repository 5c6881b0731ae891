"""What clients and the doctor are told of one engine. One that another package brings is asked in a process of its own.

Its import may crash or hang. Asking for all engines endangers neither the jobs nor the process that asks.
"""

from __future__ import annotations

import json
import sys

from videomama_client import messages, wire
from videomama_client.errors import ProtocolError, VideoMaMaError

from videomama_server import engines
from videomama_server.asking import NoAnswer, ask_python
from videomama_server.engines import plugins
from videomama_server.engines.plugins import Plugin

_IMPORT_S = 120.0  # from a cold network disk
_KINDS = {messages.EngineState.__name__: messages.EngineState}


def engine_state(name: str) -> messages.EngineState:
    """Return the options that an engine has of its own, or why it cannot be used.

    It takes a second or more for one of another package, and at most two minutes.
    """
    try:
        plugin = None if engines.is_built_in(name) else plugins.find(name)
        return _answer_of(plugin) if plugin else _state(name)
    except VideoMaMaError as error:
        return messages.EngineState(name, message=error.message, hint=error.hint)


def _state(name: str) -> messages.EngineState:
    """Return what an engine says of itself; raises `BadInput` where another package brings it and it cannot be used."""
    takes = list(engines.takes(name))
    return messages.EngineState(name, list(engines.options(name)), role=engines.role(name), prompts=takes)


def _answer_of(plugin: Plugin) -> messages.EngineState:
    """Ask a process of its own; raises `BadInput` where it ends without an answer."""
    try:
        packed = bytes.fromhex(ask_python(["-m", "videomama_server.engines.engine_state", plugin.name], _IMPORT_S))
    except NoAnswer as error:
        hint = f"Install {plugin.package} again together with what it needs, or uninstall it."
        raise plugin.fault(f"importing it fails: {error.message}", hint) from error
    state: messages.EngineState = wire.decode(packed, _KINDS)
    return state


def _packed(name: str) -> bytes:
    """Return a state as it travels; specs that hold what no message can are a fault of the engine."""
    try:
        packed = wire.encode(_state(name))
        wire.decode(packed, _KINDS)
    except ProtocolError as error:
        reason = f"the options of the engine {name} cannot be sent: {error.message}"
        hint = "Ask the author of the engine to correct them, or uninstall its package."
        return wire.encode(messages.EngineState(name, message=reason, hint=hint))
    except VideoMaMaError as error:
        return wire.encode(messages.EngineState(name, message=error.message, hint=error.hint))
    return packed


if __name__ == "__main__":
    sys.stdout.write(f"\n{json.dumps(_packed(sys.argv[1]).hex())}\n")
