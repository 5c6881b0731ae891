"""Each Nuke on this machine, with its plug-in and libraries: told by the installer, which knows where to look."""

from __future__ import annotations

from pathlib import Path

import videomama_server
from videomama_server.asking import NoAnswer, ask_python
from videomama_server.doctor.lines import DoctorLine, good, warning

_LOOK_S = 60.0
# An isolated Python does not look beside a program for its modules.
_RUN = (
    "import runpy, sys; from pathlib import Path; sys.path.insert(0, str(Path(sys.argv[1]).parent)); "
    "runpy.run_path(sys.argv[1], run_name='__main__')"
)


def examine() -> list[DoctorLine]:
    """Ask the installer of the checkout that this runs from; an installation from a wheel has none."""
    program = Path(videomama_server.__file__).resolve().parents[2] / "install" / "check_nukes.py"
    if not program.is_file():
        return [good("nuke", "Not looked at: the installer that knows Nuke's places is not beside this installation")]
    try:
        rows = ask_python(["-c", _RUN, str(program)], _LOOK_S)
        return [DoctorLine(**row) for row in rows]
    except (NoAnswer, TypeError) as error:
        return [warning("nuke", f"Nuke could not be looked for: {error}", "Try `python install nuke --dry-run`.")]
