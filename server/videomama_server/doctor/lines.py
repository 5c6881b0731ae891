"""One line of the report: what was looked at, how it is, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

OK = "ok"
WARNING = "warning"
PROBLEM = "problem"


@dataclass(frozen=True)
class DoctorLine:
    """One thing that was looked at.

    Attributes:
        name: of the thing, such as `cache folder`.
        state: `ok`; `warning` for what works less well than it could, or will fail elsewhere; `problem` for what keeps
            this machine from refining at all.
        what: was found.
        fix: what to do about it; empty when there is nothing to do.
    """

    name: str
    state: str
    what: str
    fix: str = ""


def good(name: str, what: str) -> DoctorLine:
    """Return a line about something that is as it should be."""
    return DoctorLine(name, OK, what)


def warning(name: str, what: str, fix: str) -> DoctorLine:
    """Return a line about something that could be better."""
    return DoctorLine(name, WARNING, what, fix)


def problem(name: str, what: str, fix: str) -> DoctorLine:
    """Return a line about something that keeps this machine from refining."""
    return DoctorLine(name, PROBLEM, what, fix)


def can_refine(lines: Sequence[DoctorLine]) -> bool:
    """Whether the main job can run: some engine refines on this machine."""
    return all(line.state != PROBLEM for line in lines)


def as_fields(lines: Sequence[DoctorLine]) -> dict[str, Any]:
    """Return the report as it is printed as JSON."""
    return {"ok": can_refine(lines), "lines": [asdict(line) for line in lines]}


def as_text(lines: Sequence[DoctorLine]) -> str:
    """Return the report as people read it: a line each, with what to do below it, and the verdict."""
    width = max((len(line.name) for line in lines), default=0) + 2
    said = []
    for line in lines:
        said.append(f"{line.state:<9}{line.name:<{width}}{line.what}")
        said += [f"{'':<{9 + width}}{line.fix}"] if line.fix else []
    return "\n".join([*said, "", _verdict(lines)])


def _verdict(lines: Sequence[DoctorLine]) -> str:
    problems, warnings = (sum(line.state == state for line in lines) for state in (PROBLEM, WARNING))
    verdict = "This machine can refine." if not problems else f"This machine cannot refine. Problems: {problems}."
    return f"{verdict} Warnings: {warnings}." if warnings else verdict
