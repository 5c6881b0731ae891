"""What the plug-in sets up when Nuke starts: libraries, callbacks, menus."""

from __future__ import annotations

import atexit
import sys
from pathlib import Path

import nuke

_HOME = Path(__file__).resolve().parent.parent
_PANEL = "com.videomama.panel"


def begin() -> None:
    """Set up what renders need, too. Opens no socket and imports no Qt."""
    _add_vendored()
    from videomama_nuke import adopt, guard, saved_as

    nuke.addBeforeRender(guard.check_render)
    nuke.addBeforeFrameRender(guard.check_frame)
    nuke.addOnScriptLoad(adopt.take_all)
    nuke.addOnScriptLoad(saved_as.script_loaded)
    nuke.addOnScriptSave(saved_as.script_saved)
    nuke.addOnScriptClose(_script_closes)
    atexit.register(_nuke_ends)


def add_menus() -> None:
    """Add the node to the toolbar and the panel to the pane menu; only where there is a window."""
    from nukescripts import panels  # only Nuke has it

    from videomama_nuke import node_state, saved_as

    nuke.menu("Nodes").addCommand("VideoMaMa/VideoMaMa", "nuke.createNode('VideoMaMa')")
    panels.registerWidgetAsPanel("__import__('videomama_nuke.panel.widget').panel.widget.Panel", "VideoMaMa", _PANEL)
    for name in ("VideoMaMa", "Group"):  # an artist may have made a group of the gizmo
        nuke.addUpdateUI(saved_as.follow_name, nodeClass=name)
        nuke.addUpdateUI(node_state.look_when_idle, nodeClass=name)


def vendored() -> Path:
    """Return the folder of the libraries that were installed for this very Python and platform."""
    return _HOME / "_vendor" / f"cp{sys.version_info[0]}{sys.version_info[1]}-{sys.platform}"


def _add_vendored() -> None:
    """Append, so that a studio's own copies win."""
    folder = str(vendored())
    if Path(folder).is_dir() and folder not in sys.path:
        sys.path.append(folder)


def _script_closes() -> None:
    from videomama_nuke import saved_as

    buttons = sys.modules.get("videomama_nuke.buttons")
    if buttons is not None:
        buttons.cancel_all()
    saved_as.script_closed()


def _nuke_ends() -> None:
    buttons, watcher = (sys.modules.get(f"videomama_nuke.{name}") for name in ("buttons", "panel.watcher"))
    if buttons is not None:
        buttons.close()
    if watcher is not None:
        watcher.close_all()
