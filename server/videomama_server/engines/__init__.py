"""The engines by name: which there are, which `auto` stands for, and how one is loaded."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from importlib import import_module

from videomama_client import __version__
from videomama_client.errors import BadInput, WeightsError
from videomama_client.setting_spec import SettingSpec
from videomama_client.settings import MatteSettings
from videomama_client.wording import choices

from videomama_server.engines.base import Engine, EngineConfig, EngineKind, WindowShape

AUTO = "auto"
_BUILT_IN = {
    "videomama": ("videomama_server.engines.videomama.kind", "VideoMama"),
    "classic": ("videomama_server.engines.classic.engine", "ClassicEngine"),
    "passthrough": ("videomama_server.engines.passthrough", "PassthroughEngine"),
}
_PREFERENCE = ("videomama", "classic")  # what `auto` asks in turn; the last runs anywhere and is not asked
_importing = threading.RLock()  # a large package half imported by one thread is no use to another


def resolve(name: str, config: EngineConfig) -> str:
    """Return the engine that `name` stands for; raises `BadInput` when there is none of that name.

    `auto` is the first of the declared order that runs well here: `videomama` where its weights and a GPU are, else
    `classic`.
    """
    if name == AUTO:
        *asked, last = _PREFERENCE
        return next((engine for engine in asked if _kind(engine).runs_well(config)), last)
    if name not in _BUILT_IN:
        raise BadInput(f"no engine is called {name!r}", choices(name, [AUTO, *_BUILT_IN]))
    return name


def identity(name: str, config: EngineConfig) -> Hashable:
    """Return what an engine that is loaded stays the right one for; weights that were replaced change it.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
    """
    with _packages_of(name):
        return _kind(name).identity(config)


def signature(name: str, config: EngineConfig) -> str:
    """Return text that differs where an engine of a resolved name may give other alphas; no engine is made for it.

    It stands for the engine's fingerprint where that is known only once weights are read, and is stricter.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
    """
    loaded = identity(name, config)
    return str(getattr(_kind(name), "fingerprint", "")) if loaded == name else f"{name} {__version__} {loaded}"


def load(name: str, config: EngineConfig) -> Engine:
    """Import and make the engine of a resolved name.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
    """
    with _packages_of(name):
        return _kind(name).load(config)


def shape(name: str, config: EngineConfig, settings: MatteSettings) -> WindowShape:
    """Return the shape of the windows of an engine of a resolved name, which is not made for it.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
    """
    identity(name, config)  # raises where a job would
    return _kind(name).shape(settings)


def options(name: str) -> tuple[SettingSpec, ...]:
    """Return the settings that an engine of a resolved name has of its own; neither packages nor weights are needed."""
    return _kind(name).options()


def _kind(name: str) -> EngineKind:
    module, kind = _BUILT_IN[name]
    with _importing:
        found: EngineKind = getattr(import_module(module), kind)
    return found


@contextmanager
def _packages_of(name: str) -> Iterator[None]:
    """Turn a package that an engine needs, and that is not there, into an error that names it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise WeightsError(
            f"the engine {name} needs the package {error.name}, which is not installed",
            "Run `python install server`, or take another engine: --engine classic.",
        ) from error
