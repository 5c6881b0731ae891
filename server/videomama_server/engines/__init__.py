"""The engines by name: which there are, which `auto` stands for, and how one is loaded."""

from __future__ import annotations

from collections.abc import Hashable
from importlib import import_module

from videomama_client.errors import BadInput, WeightsError

from videomama_server.engines.base import Engine, EngineConfig

_ENGINES = {
    "videomama": ("videomama_server.engines.videomama.engine", "VideoMamaEngine"),
    "classic": ("videomama_server.engines.classic.engine", "ClassicEngine"),
    "passthrough": ("videomama_server.engines.passthrough", "PassthroughEngine"),
}


def resolve(name: str, config: EngineConfig) -> str:
    """Return the engine that `name` stands for; raises `BadInput` when there is none of that name.

    `auto` is `videomama` where its weights and a GPU are, `classic` elsewhere.
    """
    if name == "auto":
        return "videomama" if _videomama_runs_well(config) else "classic"
    if name not in _ENGINES:
        raise BadInput(f"no engine is called {name!r}", f"There are: auto, {', '.join(_ENGINES)}.")
    return name


def identity(name: str, config: EngineConfig) -> Hashable:
    """Return what an engine that is loaded stays the right one for; weights that were replaced change it.

    Raises:
        WeightsError: there are no weights where the engine needs some.
    """
    if name != "videomama":
        return name
    found = import_module("videomama_server.engines.videomama.layouts").find(config.weights)
    stats = [path.stat() for path in (found.unet, found.vae)]
    return (config, *((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats))


def load(name: str, config: EngineConfig) -> Engine:
    """Import and make the engine of a resolved name.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
    """
    module, kind = _ENGINES[name]
    try:
        engine: Engine = getattr(import_module(module), kind)(config)
    except ModuleNotFoundError as error:
        raise WeightsError(
            f"the engine {name} needs the package {error.name}, which is not installed",
            "Install it: pip install 'videomama-bridge[videomama]'.",
        ) from error
    return engine


def _videomama_runs_well(config: EngineConfig) -> bool:
    """Whether weights are there, and a GPU that the config lets the engine use; torch is asked last, it is slow."""
    if config.device == "cpu" or not config.weights.exists():
        return False
    try:
        import_module("videomama_server.engines.videomama.layouts").find(config.weights)
        return bool(import_module("videomama_server.engines.videomama.device").prefers_videomama())
    except (WeightsError, ModuleNotFoundError):
        return False
