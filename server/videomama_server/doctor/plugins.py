"""The engines that other packages bring: whether each can be used, found out in a process that it may take along."""

from __future__ import annotations

from videomama_server import engines
from videomama_server.doctor.lines import DoctorLine, good, warning
from videomama_server.engines import plugins
from videomama_server.engines.engine_state import engine_state
from videomama_server.engines.plugins import Plugin


def examine() -> list[DoctorLine]:
    """Look at every engine that an installed package declares; seconds each."""
    return [_line(plugin) for plugin in plugins.declared()]


def _line(plugin: Plugin) -> DoctorLine:
    name = f"engine {plugin.name}"
    if engines.is_built_in(plugin.name):
        clash = "VideoMaMa itself (videomama-bridge) has an engine of this name"
        fault = plugin.fault(clash, plugins.rename_hint(plugin))
        return warning(name, fault.message, fault.hint)
    state = engine_state(plugin.name)
    if state.message:
        return warning(name, state.message, state.hint)
    return good(name, f"The package {plugin.source} brings it, and it loads")
