"""A strict stand-in for the part of Nuke that the plug-in and its tests use.

It is hand-written from Foundry's public documentation and from what others' published code depends on. It has **never
been compared with a real Nuke** where it was written; `tests/validate_under_nuke.py` makes the same assertions inside
a real one, for those who have a licence. What it does not know it refuses: an attribute, a knob, an argument or a node
class without a rule here raises, so that a test that passes has not passed by leniency. Where the documents leave a
choice open the code says "hypothesis".

`install()` begins a session on the calling thread, which is the main thread from then on, and puts the module `nuke`
into sys.modules. A process that uses it needs the standard library alone: pixels are computed in a child process.
"""

from __future__ import annotations

import sys
import types

from nuke_standin import api, api_ui, creation, session, threads

__all__ = ["install", "session", "threads", "uninstall"]


def install(gui: bool = False, version: tuple = (15, 0, 1)) -> types.ModuleType:
    """Begin a fresh session and return its module `nuke`."""
    session.start(gui, version)
    creation.add_formats()
    creation.new_script()
    module = api.build()
    sys.modules["nuke"] = module
    if gui:
        scripts = api_ui.nukescripts()
        sys.modules["nukescripts"] = scripts
        sys.modules["nukescripts.panels"] = scripts.panels
    return module


def uninstall() -> None:
    """End the session: nothing of it stays in sys.modules."""
    for name in ("nuke", "nukescripts", "nukescripts.panels"):
        sys.modules.pop(name, None)
    session.end()
