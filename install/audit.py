"""Asks whether anything in this environment has a known hole: run by its Python as one of the project's checks."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Mapping
from pathlib import Path

SKIPPED = 77  # exit code: nobody could be asked
ADVISORIES = Path(__file__).resolve().parent / "advisories.txt"
# A release with holes that everybody knows. A service that knows none of it is out of reach, whatever it answers:
# mirrors and proxies say 200 to anything.
CONTROL = "https://pypi.org/pypi/urllib3/1.26.4/json"
ASK_S = 5.0


def accepted(text: str) -> dict[str, str]:
    """Read advisories and the reasons why they do not stop us: one a line, `#` begins a comment.

    Raises:
        ValueError: an advisory without a reason.
    """
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.strip().partition(" ")
        if not reason.strip():
            raise ValueError(f"{ADVISORIES.name}: {name} is accepted without a reason")
        found[name] = reason.strip()
    return found


def out_of_reach(url: str = CONTROL, seconds: float = ASK_S) -> str:
    """Return why the service cannot be asked, or an empty text, within `seconds`: looking its name up may take long."""
    said: list[str] = []
    asking = threading.Thread(target=lambda: said.append(_ask(url, seconds)), daemon=True)
    asking.start()
    asking.join(seconds)
    return said[0] if said else f"no answer within {seconds:g} s"


def command(reasons: Mapping[str, str]) -> list[str]:
    """Return pip-audit's command line: all that is installed here, but for the project itself."""
    ignored = [word for name in reasons for word in ("--ignore-vuln", name)]
    audit = [sys.executable, "-I", "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off"]
    return [*audit, "--timeout", "15", *ignored]


def main() -> int:
    """Ask; 0 for no hole but accepted ones, `SKIPPED` when nobody can be asked, else what pip-audit ends with."""
    reasons = accepted(ADVISORIES.read_text(encoding="utf-8"))
    trouble = out_of_reach()
    if trouble:
        print(f"skipped: {CONTROL.split('/pypi/')[0]} cannot be asked for advisories ({trouble})")
        return SKIPPED
    for name, reason in reasons.items():
        print(f"accepted: {name}: {reason}")
    return subprocess.run(command(reasons), check=False).returncode


def _ask(url: str, seconds: float) -> str:
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:  # noqa: S310  (a constant, or a test's)
            known = json.loads(answer.read()).get("vulnerabilities")
    except (OSError, ValueError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"[:200]
    return "" if known else "it knows no advisory of a release that has some"


if __name__ == "__main__":
    sys.exit(main())
