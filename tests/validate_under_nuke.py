"""Asks a real Nuke for what the plug-in takes for granted: nuke -t tests/validate_under_nuke.py

Prints one line per fact and ends with 1 if one does not hold. Needs a licence that renders (`nuke_r` or `nuke_i`).
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from pathlib import Path

import nuke

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE / "nuke_plugin"))
sys.path.append(str(_HERE.parent / "nuke_plugin"))

import facts  # noqa: E402  (found by the path above)


def main() -> int:
    """Try every fact in a clean script and return the exit code."""
    nuke.pluginAddPath(str(_HERE.parent / "gizmos"))
    sys.stdout.write(f"Nuke {nuke.NUKE_VERSION_STRING}, Python {sys.version.split()[0]}\n")
    failed = sum(not _holds(said, fact) for said, fact in facts.every())
    sys.stdout.write(f"{failed} facts do not hold\n" if failed else "all facts hold\n")
    return 1 if failed else 0


def _holds(said: str, fact: facts.Fact) -> bool:
    nuke.scriptClear()
    with tempfile.TemporaryDirectory() as folder:
        try:
            fact(nuke, Path(folder))
        except Exception:  # noqa: BLE001  (whatever a fact ends in, the others are tried)
            sys.stdout.write(f"NO   {said}\n{traceback.format_exc(limit=-2)}")
            return False
    sys.stdout.write(f"yes  {said}\n")
    return True


if __name__ == "__main__":
    sys.exit(main())
