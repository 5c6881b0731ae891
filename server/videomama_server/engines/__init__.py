"""The engines by name: which there are, which `auto` stands for, and how one is loaded."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from importlib import import_module
from types import ModuleType
from typing import Any

from videomama_client import __version__
from videomama_client.errors import BadInput, WeightsError
from videomama_client.settings import MatteSettings
from videomama_client.wording import choices

from videomama_server.engines.base import Engine, EngineConfig, WindowShape

_ENGINES = {
    "videomama": ("videomama_server.engines.videomama.engine", "VideoMamaEngine"),
    "classic": ("videomama_server.engines.classic.engine", "ClassicEngine"),
    "passthrough": ("videomama_server.engines.passthrough", "PassthroughEngine"),
}
_importing = threading.Lock()  # a large package half imported by one thread is no use to another


def resolve(name: str, config: EngineConfig) -> str:
    """Return the engine that `name` stands for; raises `BadInput` when there is none of that name.

    `auto` is `videomama` where its weights and a GPU are, `classic` elsewhere.
    """
    if name == "auto":
        return "videomama" if _videomama_runs_well(config) else "classic"
    if name not in _ENGINES:
        raise BadInput(f"no engine is called {name!r}", choices(name, ["auto", *_ENGINES]))
    return name


def identity(name: str, config: EngineConfig) -> Hashable:
    """Return what an engine that is loaded stays the right one for; weights that were replaced change it.

    Raises:
        WeightsError: there are no weights where the engine needs some.
    """
    if name != "videomama":
        return name
    found = _imported("videomama_server.engines.videomama.checkpoint.layouts").find(config.weights)
    stats = [path.stat() for path in (found.unet, found.vae)]
    return (config, *((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats))


def signature(name: str, config: EngineConfig) -> str:
    """Return text that differs where an engine of a resolved name may give other alphas; no engine is made for it.

    It stands for the engine's fingerprint where that is known only once weights are read, and is stricter.

    Raises:
        WeightsError: there are no weights where the engine needs some.
    """
    loaded = identity(name, config)
    if loaded != name:
        return f"{name} {__version__} {loaded}"
    try:
        return str(_kind(name).fingerprint)
    except ModuleNotFoundError as error:
        raise _not_installed(name, error) from error


def load(name: str, config: EngineConfig) -> Engine:
    """Import and make the engine of a resolved name.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
    """
    try:
        engine: Engine = _kind(name)(config)
    except ModuleNotFoundError as error:
        raise _not_installed(name, error) from error
    return engine


def shape(name: str, config: EngineConfig, settings: MatteSettings) -> WindowShape:
    """Return the shape of the windows of an engine of a resolved name, which is imported but not made.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
    """
    identity(name, config)  # raises where a job would
    try:
        kind = _kind(name)
    except ModuleNotFoundError as error:
        raise _not_installed(name, error) from error
    unmade: Engine = kind.__new__(kind)  # an engine knows its windows before it has weights, and those take long
    return unmade.shape(settings)


def _kind(name: str) -> Any:
    module, kind = _ENGINES[name]
    return getattr(_imported(module), kind)


def _imported(module: str) -> ModuleType:
    with _importing:
        return import_module(module)


def _not_installed(name: str, error: ModuleNotFoundError) -> WeightsError:
    return WeightsError(
        f"the engine {name} needs the package {error.name}, which is not installed",
        "Run `python install server`, or take another engine: --engine classic.",
    )


def _videomama_runs_well(config: EngineConfig) -> bool:
    """Whether weights are there, and a GPU that the config lets the engine use; torch is asked last, it is slow."""
    if config.device == "cpu" or not config.weights.exists():
        return False
    try:
        _imported("videomama_server.engines.videomama.checkpoint.layouts").find(config.weights)
        return bool(_imported("videomama_server.engines.videomama.memory.device").prefers_videomama())
    except (WeightsError, ModuleNotFoundError):
        return False
