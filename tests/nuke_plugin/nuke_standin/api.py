"""Builds the module `nuke`."""

from __future__ import annotations

import functools
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from nuke_standin import (
    api_graph,
    api_render,
    api_script,
    api_ui,
    api_undo,
    callbacks,
    flags,
    formats,
    knob_base,
    knobs,
    knobs_choice,
    knobs_link,
    knobs_named,
    knobs_number,
    knobs_points,
    knobs_text,
    session,
    threads,
)  # fmt: skip

_KNOB_MODULES = (knob_base, knobs_number, knobs_points, knobs_choice, knobs_text, knobs_named, knobs_link)
_SIZES = (formats.Format, formats.Info, formats.Layer, formats.OutputContext)


class CancelledError(Exception):
    """Nuke's name for a render that a person cancelled."""


class NukeModule(types.ModuleType):
    """A module that says what it lacks."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"module 'nuke' (the stand-in) has no attribute {name!r}")


def build() -> types.ModuleType:
    """Return the module for the current session."""
    here = session.current()
    module = NukeModule("nuke", "The stand-in for Nuke's module.")
    fill = module.__dict__
    for one in (*api_graph.PUBLIC, *api_script.PUBLIC, *api_render.PUBLIC, *api_ui.PUBLIC):
        fill[one.__name__] = _on_main(one)
    fill["scriptSource"] = fill["scriptReadFile"]
    fill["thisRoot"], fill["render"], fill["alert"] = fill["root"], fill["execute"], fill["message"]
    fill["expr"] = fill["expression"]
    fill["formats"] = _on_main(api_script.formats_list)
    fill["executeInMainThread"] = threads.execute_in_main_thread
    fill["executeInMainThreadWithResult"] = threads.execute_in_main_thread_with_result
    for cls in (*api_graph.CLASSES, *_SIZES, *_knob_classes(), api_ui.ProgressTask, api_ui.Menu, api_ui.MenuItem):
        fill[cls.__name__] = cls
    fill["nodes"] = api_graph.Nodes()
    fill["Undo"] = api_undo.Undo
    fill["CancelledError"] = CancelledError
    fill.update({name: flag for name, flag in flags.FLAGS.items() if name != "HIDDEN"})  # a word of files only
    fill.update(flags.OTHERS)
    fill.update(_callback_functions())
    fill.update(_facts(here))
    return module


def _knob_classes() -> list:
    every = [one for module in _KNOB_MODULES for one in vars(module).values() if isinstance(one, type)]
    return [one for one in dict.fromkeys(every) if issubclass(one, knobs.Knob) and not one.__name__.startswith("_")]


def _on_main(call: Callable) -> Callable:
    @functools.wraps(call)
    def checked(*args: Any, **kwargs: Any) -> Any:
        threads.only_main(f"nuke.{call.__name__}")
        return call(*args, **kwargs)

    return checked


def _callback_functions() -> dict[str, Callable]:
    out: dict[str, Callable] = {}
    for kind in callbacks.KINDS:
        title = kind[0].upper() + kind[1:]
        undone = "FilenameValidate" if kind == "validateFilename" else title  # so it is called
        out[f"add{title}"] = _on_main(_adder(kind, callbacks.add, f"add{title}"))
        out[f"remove{undone}"] = _on_main(_adder(kind, callbacks.remove, f"remove{undone}"))
    return out


def _adder(kind: str, register: Callable, name: str) -> Callable:
    if kind == "knobChanged":

        def add(call: Callable, args: Any = (), kwargs: Any = None, nodeClass: Any = None, node: Any = None) -> None:  # noqa: N803
            register(kind, call, args, kwargs, nodeClass, node)
    else:

        def add(call: Callable, args: Any = (), kwargs: Any = None, nodeClass: Any = None) -> None:  # noqa: N803
            register(kind, call, args, kwargs, nodeClass)

    add.__name__ = name
    return add


def _facts(here: session.Session) -> dict[str, Any]:
    major, minor, release = here.version
    text = f"{major}.{minor}v{release}"
    here.env.update({
        "gui": here.gui, "nukex": False, "studio": False, "hiero": False, "interactive": here.gui,
        "NukeVersionMajor": major,
        "NukeVersionMinor": minor, "NukeVersionRelease": release, "NukeVersionString": text, "PluginExt": "so",
        "ExecutablePath": sys.executable, "LINUX": sys.platform.startswith("linux"), "WIN32": os.name == "nt",
        "MACOS": sys.platform == "darwin", "64bit": True, "threads": 1, "numCPUs": os.cpu_count() or 1, "assist": False,
        "indie": False, "nc": False, "ple": False,
    })  # fmt: skip
    return {
        "GUI": here.gui, "INTERACTIVE": here.gui, "env": here.env, "rawArgs": here.raw_args, "THREADS": 1,
        "NUM_CPUS": os.cpu_count() or 1, "EXE_PATH": sys.executable, "NUKE_VERSION_MAJOR": major,
        "NUKE_VERSION_MINOR": minor, "NUKE_VERSION_RELEASE": release, "NUKE_VERSION_STRING": text,
        "NUKE_VERSION_PHASE": "", "untitled": "Untitled",
    }  # fmt: skip
