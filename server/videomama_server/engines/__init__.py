"""The engines by name: which there are, which `auto` stands for, and how one is loaded."""

from __future__ import annotations

from importlib import import_module

from videomama_client.errors import BadInput

from videomama_server.engines.base import Engine

_ENGINES = {
    "classic": ("videomama_server.engines.classic.engine", "ClassicEngine"),
    "passthrough": ("videomama_server.engines.passthrough", "PassthroughEngine"),
}
_AUTO = ("classic",)  # best first; an engine that needs weights or a GPU goes before the ones that run anywhere


def resolve(name: str) -> str:
    """Return the engine that `name` stands for; raises `BadInput` when there is none of that name."""
    if name == "auto":
        return _AUTO[0]
    if name not in _ENGINES:
        raise BadInput(f"no engine is called {name!r}", f"There are: auto, {', '.join(_ENGINES)}.")
    return name


def load(name: str) -> Engine:
    """Import and make the engine of a resolved name."""
    module, kind = _ENGINES[name]
    engine: Engine = getattr(import_module(module), kind)()
    return engine
