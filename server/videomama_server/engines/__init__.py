"""The engines by name: which there are, which `auto` stands for, and how one is loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TypeVar

from videomama_client import __version__, engine_options
from videomama_client.engine_settings import AUTO, AUTO_MEANS, AUTO_ON_SMALL_CARDS, engines_with, own_specs
from videomama_client.errors import BadInput, WeightsError
from videomama_client.setting_spec import SettingSpec
from videomama_client.settings import MatteSettings
from videomama_client.wording import choices

from videomama_server.engines import base, plugins, sequential
from videomama_server.engines.base import EngineConfig, EngineKind, Loaded, WindowShape
from videomama_server.engines.plugins import Plugin

_BUILT_IN = {
    "videomama": ("videomama_server.engines.videomama.kind", "VideoMama"),
    "classic": ("videomama_server.engines.classic.engine", "ClassicEngine"),
    "vitmatte": ("videomama_server.engines.vitmatte.engine", "ViTMatteEngine"),
    "mematte": ("videomama_server.engines.mematte.engine", "MEMatteEngine"),
    "adjust": ("videomama_server.engines.adjust.engine", "AdjustEngine"),
    "passthrough": ("videomama_server.engines.passthrough", "PassthroughEngine"),
    "held": ("videomama_server.engines.held", "HeldEngine"),
    "sam2": ("videomama_server.engines.sam2", "Sam2"),
    "sam3": ("videomama_server.engines.sam3", "Sam3"),
    "sam2matte": ("videomama_server.engines.sam2matte", "Sam2Matte"),
}
_importing = threading.RLock()  # a large package half imported by one thread is no use to another
Answer = TypeVar("Answer")
_plugged: dict[str, tuple[Plugin, EngineKind]] = {}  # as they were imported: their code stays that of this version


@dataclass(frozen=True)
class Settled:
    """The settings of a job for the engine that it got.

    Attributes:
        settings: with the options that are not at their defaults.
        notes: for the person: which options have no effect, as `auto` took another engine than theirs.
    """

    settings: MatteSettings
    notes: tuple[str, ...] = ()


def names() -> list[str]:
    """Return the engines that can be asked for; none is imported, so one that another package brings may be faulty."""
    return list(dict.fromkeys([*_BUILT_IN, *(plugin.name for plugin in plugins.declared())]))


def is_built_in(name: str) -> bool:
    """Whether an engine is part of this package, and not another's."""
    return name in _BUILT_IN


def resolve(name: str, config: EngineConfig, walks: bool = False) -> str:
    """Return the engine that `name` stands for.

    `auto` is the first of the declared order that runs well here: `sam2matte` on a card under 12 GB with weights of its
    own, `videomama` where its weights and a GPU are, else `classic`. It is never the engine of another package: to
    install one changes nobody's pixels.

    Args:
        name: of an engine, or `auto`.
        config: what engines are told of this machine.
        walks: whether the stage may walk through the clip: the first one of a job with masks and without prompts.

    Raises:
        BadInput: there is no engine of that name, or several packages bring one.
    """
    if name == AUTO:
        *asked, last = (AUTO_ON_SMALL_CARDS, *AUTO_MEANS) if walks else AUTO_MEANS
        return next((engine for engine in asked if _kind(engine).runs_well(config)), last)
    if name not in _BUILT_IN and name not in _plugged and plugins.find(name) is None:
        raise BadInput(f"unknown engine {name!r}", choices(name, [AUTO, *names()]))
    return name


def for_small_subjects(asked: str, name: str) -> str:
    """Return the light engine that takes over where subjects are small; empty where there is none to take over.

    It does so only where nobody named an engine: `auto` was `asked` for, and stands for the heavier one called `name`.
    """
    stays = (AUTO_ON_SMALL_CARDS, AUTO_MEANS[-1])
    return AUTO_MEANS[-1] if asked == AUTO and name not in stays else ""


def identity(name: str, config: EngineConfig) -> Hashable:
    """Return what an engine that is loaded stays the right one for; weights that were replaced change it.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
        BadInput: another package brings the engine, and it cannot be used.
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
    if loaded != name:
        return f"{_origin(name)}{name} {__version__} {loaded}"
    return f"{_origin(name)}{getattr(_kind(name), 'fingerprint', '')}"


def fingerprint(name: str, engine: Loaded) -> str:
    """Return what stands for an engine in keys: its own fingerprint, after package and version for a plug-in.

    After an update of a package everything is computed again, whether or not its author changed the fingerprint.
    """
    return f"{_origin(name)}{engine.fingerprint}"


def load(name: str, config: EngineConfig) -> Loaded:
    """Import and make the engine of a resolved name.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
    """
    with _packages_of(name):
        engine = _kind(name).load(config)
    if name in _plugged:
        plugins.check_engine(_plugged[name][0], engine)
    return engine


def shape(name: str, config: EngineConfig, settings: MatteSettings) -> WindowShape:
    """Return the shape of the windows of an engine of a resolved name, which is not made for it.

    Raises:
        WeightsError: what the engine needs is not there: packages or weights.
    """
    identity(name, config)  # raises where a job would
    return _kind(name).shape(settings)


def moves_outlines(name: str) -> bool:
    """Whether an engine of a resolved name moves outlines; see `base.moves_outlines`.

    Raises:
        BadInput: another package brings the engine, and it cannot be used.
    """
    return _asked(name, base.moves_outlines)


def role(name: str) -> str:
    """Return which part in a chain of stages an engine of a resolved name plays; see `base.role_of`.

    Raises:
        BadInput: another package brings the engine, and it cannot be used.
    """
    return _asked(name, base.role_of)


def takes(name: str) -> tuple[str, ...]:
    """Return the kinds of prompts that an engine of a resolved name takes; see `sequential.prompts_of`.

    Raises:
        BadInput: another package brings the engine, and it cannot be used.
    """
    return _asked(name, sequential.prompts_of)


def is_sequential(name: str) -> bool:
    """Whether an engine of a resolved name walks through the clip; see `sequential.is_sequential`.

    Raises:
        BadInput: another package brings the engine, and it cannot be used.
    """
    return _asked(name, sequential.is_sequential)


def remembers(name: str) -> bool:
    """Whether an engine of a resolved name that walks through the clip has a memory; see `SequentialEngine`.

    Raises:
        BadInput: another package brings the engine, and it cannot be used.
    """
    return _asked(name, lambda kind: sequential.is_sequential(kind) and kind.remembers)


def needs_device(name: str) -> bool:
    """Whether an engine of a resolved name computes on a GPU where there is one; see `base.needs_device`.

    Raises:
        BadInput: another package brings the engine, and it cannot be used.
    """
    return _asked(name, base.needs_device)


def options(name: str) -> tuple[SettingSpec, ...]:
    """Return the settings that an engine of a resolved name has of its own; no weights are needed.

    Raises:
        BadInput: another package brings the engine, and it cannot be used.
    """
    return _asked(name, lambda kind: kind.options())


def settled(name: str, settings: MatteSettings) -> Settled:
    """Return the settings of a job for an engine of a resolved name.

    Where the job names no engine, options of another one that `auto` may take are left out: which engine it takes
    differs between machines, and a job is to run on each of them. A note names these options.

    Raises:
        BadInput: the engine has no such option, or the option cannot take that value.
    """
    specs, asked = options(name), settings.engine_options
    others = _names(engine_options.specs_known(AUTO) or ()) - _names(specs) if settings.engine == AUTO else frozenset()
    beside = [option.name for option in asked if option.name in others]
    mine = [option for option in asked if option.name not in others]
    taken = replace(settings, engine_options=engine_options.settled(name, specs, mine))
    return Settled(taken, (_no_effect(name, beside),) if beside else ())


def _names(specs: Iterable[SettingSpec]) -> frozenset[str]:
    return frozenset(spec.name for spec in specs)


def _no_effect(name: str, beside: Sequence[str]) -> str:
    owners = dict.fromkeys(engine for option in beside for engine in engines_with(option))
    named = ", ".join(own_specs()[option].option for option in beside)
    verb, them = ("has", "it") if len(beside) == 1 else ("have", "them")
    return (
        f"{named} {verb} no effect, as auto took the engine {name} here; "
        f"choose --engine {' or '.join(owners)} to use {them}"
    )


def _asked(name: str, question: Callable[[EngineKind], Answer]) -> Answer:
    """Return what the kind of an engine of a resolved name says of itself.

    Raises:
        BadInput: another package brings the engine, and it cannot be used.
    """
    with _packages_of(name):
        return question(_kind(name))


def _kind(name: str) -> EngineKind:
    """Import the kind of an engine of a resolved name, once."""
    with _importing:
        if name in _BUILT_IN:
            module, kind = _BUILT_IN[name]
            found: EngineKind = getattr(import_module(module), kind)
            return found
        if name not in _plugged:
            plugin = plugins.find(name)
            if plugin is None:
                raise BadInput(f"the package of the engine {name} was uninstalled", "Install it again.")
            _plugged[name] = plugin, plugins.kind_of(plugin)
        return _plugged[name][1]


def _origin(name: str) -> str:
    """Return what tells engines of other packages apart; empty for the engines that are part of this one."""
    return f"{_plugged[name][0].source}: " if name in _plugged else ""


@contextmanager
def _packages_of(name: str) -> Iterator[None]:
    """Turn a package that an engine needs, and that is not there, into an error that names it."""
    try:
        yield
    except ModuleNotFoundError as error:
        plugin = _plugged[name][0].package if name in _plugged else ""
        install = f"Install {plugin} again together with what it needs" if plugin else "Run `python install server`"
        raise WeightsError(
            f"the engine {name} needs the package {error.name}, which is not installed",
            f"{install}, or take another engine: --engine classic.",
        ) from error
