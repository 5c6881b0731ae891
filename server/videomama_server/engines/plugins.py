"""Engines that other packages bring: found by their entry points, imported only when asked for, checked before use."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import getattr_static
from types import FunctionType
from typing import TYPE_CHECKING, Any

from videomama_client.errors import BadInput, VideoMaMaError
from videomama_client.prompts import KINDS as PROMPT_KINDS
from videomama_client.setting_spec import SettingSpec, check
from videomama_client.stages import ROLES

from videomama_server.engines.base import PROTOCOL, Engine, EngineKind, Loaded, LoadedDefaults, role_of
from videomama_server.engines.sequential import SequentialEngine, is_sequential, prompts_of

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

log = logging.getLogger(__name__)

GROUP = "videomama.engines"
_RESERVED = ("auto", "mask")  # stand where an engine's name does: on the command line, in an evaluation
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_OPTION_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ELSE = "or choose another engine: --engine classic."


@dataclass(frozen=True)
class Plugin:
    """An engine as the metadata of an installed package declares it.

    Attributes:
        name: of the engine.
        package, version: of the package that brings it.
        point: imports it.
    """

    name: str
    package: str
    version: str
    point: EntryPoint

    @property
    def source(self) -> str:
        """The package with its version."""
        return f"{self.package} {self.version}"

    def fault(self, reason: str, hint: str) -> BadInput:
        """Return the error that a job ends with which asks for it."""
        return BadInput(f"the engine {self.name} (package {self.source}) cannot be used: {reason}", hint)


def declared() -> list[Plugin]:
    """Return the engines that installed packages declare, by name; only their metadata is read."""
    from importlib import metadata  # slow to import, and not needed for the engines that are part of this package

    known: dict[tuple[str, str], Plugin] = {}
    for package in metadata.distributions():
        for plugin in _brought_by(package):
            known.setdefault((plugin.name, plugin.package), plugin)  # of two installs Python imports the first
    return [known[place] for place in sorted(known)]


def find(name: str) -> Plugin | None:
    """Return the plug-in of that name, or None.

    Raises:
        BadInput: more than one package brings an engine of that name.
    """
    found = [plugin for plugin in declared() if plugin.name == name]
    if len(found) > 1:
        sources = " and ".join(plugin.source for plugin in found)
        raise BadInput(
            f"several packages bring an engine called {name!r}: {sources}",
            f"Uninstall all but one of them, {_ELSE}",
        )
    return found[0] if found else None


def kind_of(plugin: Plugin) -> EngineKind:
    """Import an engine's kind and check that it can be used.

    Raises:
        BadInput: it cannot; the message names the package and the reason.
    """
    if plugin.name in _RESERVED or not _NAME.fullmatch(plugin.name):
        raise plugin.fault(
            "its name is reserved, or has other characters than letters, digits and _.-", rename_hint(plugin)
        )
    with _blamed(plugin, "importing it"):
        kind: Any = plugin.point.load()
    _check_version(plugin, getattr(kind, "protocol", None))
    lacking = _lacking(kind, EngineKind)
    if isinstance(kind, type) and issubclass(kind, LoadedDefaults):  # which is the engine too
        lacking += _lacking(kind, _protocol_of(kind))
    _check_complete(plugin, kind, lacking)
    if role_of(kind) not in ROLES:
        reason = f"its role is {role_of(kind)!r}, and the roles are {', '.join(ROLES)}"
        raise plugin.fault(reason, _ask_author(plugin))
    unknown = set(prompts_of(kind)).difference(PROMPT_KINDS)
    if unknown:
        reason = f"it takes prompts of the kinds {', '.join(map(repr, sorted(unknown)))}"
        raise plugin.fault(f"{reason}, and the kinds are {', '.join(PROMPT_KINDS)}", _ask_author(plugin))
    with _blamed(plugin, "asking for its options"):
        options = kind.options()
    _check_options(plugin, options)
    found: EngineKind = kind
    return found


def check_engine(plugin: Plugin, engine: Loaded) -> None:
    """Raise `BadInput` for an engine that was made and has not all that the pipeline asks for."""
    _check_complete(plugin, engine, _lacking(engine, _protocol_of(engine)))
    if not isinstance(getattr(engine, "fingerprint", None), str) or not engine.fingerprint:
        raise plugin.fault("its `fingerprint` is not a text", _ask_author(plugin))


def _brought_by(package: Distribution) -> list[Plugin]:
    try:
        points = [point for point in package.entry_points if point.group == GROUP]
        if not points:
            return []
        if "Name" not in package.metadata or "Version" not in package.metadata:
            raise ValueError(f"it has no name or no version, and brings {', '.join(point.name for point in points)}")
        return [Plugin(point.name, package.name, package.version, point) for point in points]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:  # as damaged files make it end
        log.warning("the metadata of an installed package cannot be read: %s: %s", type(error).__name__, error)
        return []


def _check_version(plugin: Plugin, version: object) -> None:
    if version == PROTOCOL:
        return
    if not isinstance(version, int):
        raise plugin.fault("it does not say which engine Protocol it was written for", _ask_author(plugin))
    outdated = plugin.package if version < PROTOCOL else "VideoMaMa"
    raise plugin.fault(
        f"it was written for engine Protocol {version}, and this VideoMaMa has {PROTOCOL}",
        f"Update {outdated}, {_ELSE}",
    )


def _check_complete(plugin: Plugin, thing: Any, lacking: Sequence[str]) -> None:
    if lacking:
        reason = f"these methods are missing, or are not class methods: {', '.join(lacking)}"
        raise plugin.fault(reason, _ask_author(plugin))
    name = getattr(thing, "name", None)
    if name != plugin.name:
        raise plugin.fault(f"its class calls it {name!r}", _ask_author(plugin))


def _protocol_of(engine: object) -> type:
    return SequentialEngine if is_sequential(engine) else Engine


def _lacking(thing: Any, protocol: type) -> list[str]:
    """Return the methods of a Protocol that cannot be called on a class or an engine."""
    asked = [(method, wanted) for part in reversed(protocol.__mro__) for method, wanted in vars(part).items()]
    return [
        method
        for method, wanted in asked
        if isinstance(wanted, (FunctionType, classmethod))
        and not method.startswith("_")
        and not _can_be_called(thing, method, of_class=isinstance(wanted, classmethod))
    ]


def _can_be_called(thing: Any, method: str, *, of_class: bool) -> bool:
    found = getattr(thing, method, None)
    if not callable(found) or getattr(found, "__isabstractmethod__", False):
        return False
    return not (of_class and isinstance(thing, type) and isinstance(getattr_static(thing, method), FunctionType))


def _check_options(plugin: Plugin, options: object) -> None:
    if not isinstance(options, tuple) or not all(isinstance(spec, SettingSpec) for spec in options):
        raise plugin.fault("its options are not a tuple of `SettingSpec`", _ask_author(plugin))
    names = [spec.name for spec in options]
    if len(set(names)) < len(names) or not all(_OPTION_NAME.fullmatch(name) for name in names):
        raise plugin.fault(
            f"its options need different names of small letters, digits and _: {', '.join(map(repr, names))}",
            _ask_author(plugin),
        )
    for spec in options:
        with _blamed(plugin, "checking its options"):
            check(spec, spec.default, f"the default of {spec.name}")


@contextmanager
def _blamed(plugin: Plugin, doing: str) -> Iterator[None]:
    """Turn whatever the code of another package raises into an error that names the package."""
    try:
        yield
    except VideoMaMaError as error:
        raise plugin.fault(f"{doing} fails: {error.message}", _ask_author(plugin)) from error
    except (Exception, SystemExit) as error:
        log.exception("%s fails: the engine %s of the package %s", doing, plugin.name, plugin.source)
        hint = f"Install {plugin.package} again together with what it needs, {_ELSE}"
        raise plugin.fault(f"{doing} fails: {type(error).__name__}: {error}", hint) from error


def _ask_author(plugin: Plugin) -> str:
    return f"Ask the author of {plugin.package} to correct it (docs/own_engine.md), {_ELSE}"


def rename_hint(plugin: Plugin) -> str:
    """Return what to do about a name that cannot be used."""
    return f"Ask the author of {plugin.package} to rename the engine, {_ELSE}"
