"""Nuke runs this when it has a window: menu and panel, so guarded that Nuke starts whatever is wrong with them."""

import nuke

try:
    from videomama_nuke import startup

    startup.add_menus()
except Exception as error:  # noqa: BLE001  (Nuke must start)
    nuke.warning(f"VideoMaMa: no menu and no panel: {error}")
