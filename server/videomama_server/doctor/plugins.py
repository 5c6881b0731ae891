"""The engines that other packages bring: each is imported in a process of its own, which it may take along."""

from __future__ import annotations

from videomama_server.asking import NoAnswer, ask_python
from videomama_server.doctor.lines import DoctorLine, good, warning
from videomama_server.engines import plugins
from videomama_server.engines.plugins import Plugin

_IMPORT_S = 180.0  # a cold network disk
_TRIAL = """
import json, sys
from videomama_server import engines
plugin = next(known for known in engines.plugins.declared() if [known.name, known.package] == sys.argv[1:])
fault = engines.fault(plugin)
print(json.dumps([fault.message, fault.hint] if fault else []))
"""


def examine() -> list[DoctorLine]:
    """Look at every engine that an installed package declares; seconds each."""
    return [_line(plugin) for plugin in plugins.declared()]


def _line(plugin: Plugin) -> DoctorLine:
    name = f"engine {plugin.name}"
    try:
        fault = ask_python(["-c", _TRIAL, plugin.name, plugin.package], _IMPORT_S)
    except NoAnswer as error:
        hint = f"Install {plugin.package} again together with what it needs, or uninstall it."
        return warning(name, f"The package {plugin.source} brings it; importing it fails: {error.message}", hint)
    if fault:
        return warning(name, *fault)
    return good(name, f"The package {plugin.source} brings it, and it loads")
