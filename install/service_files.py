"""The files that make systemd, launchd and the Windows task scheduler run a server: templates, filled in and quoted."""

from __future__ import annotations

import string
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable
from xml.sax.saxutils import escape

from failure import InstallError

# Stands in comments of XML too, where two hyphens are not allowed.
MARKER = "Made by VideoMaMa: `python install service` sets this up and takes it away again."
LABEL = "com.videomama.server"
TASK = "VideoMaMa"
_NOT_IN_PROGRAMS = "\"'\\"  # systemd takes no program with these in its name, though quoted right
_TEMPLATES = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True)
class Program:
    """What is to be run.

    Attributes:
        python: absolute path of the environment's interpreter.
        arguments: its command line.
        variables: environment variables that it needs and that a session does not bring by itself.
        user: for Windows, with the domain.
        log: for launchd, for what is said before the server's own log is open.
    """

    python: str
    arguments: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    log: str = ""

    def check(self) -> None:
        """Raise for what no such file can hold: control characters in a path or a variable."""
        texts = (self.python, *self.arguments, *self.variables.values(), self.user, self.log)
        for text in texts:
            if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in text):
                raise InstallError(
                    f"{text!r} has a letter that no service can be set up with.",
                    "Move the project to a folder with a plain name.",
                )


def systemd_unit(program: Program) -> bytes:
    """The user unit."""
    first, *rest = [program.python, *program.arguments]
    if any(letter in first for letter in _NOT_IN_PROGRAMS):
        first, rest = "/usr/bin/env", [first, *rest]
    # A dollar is doubled in arguments alone: systemd takes the program's own name as it stands.
    words = [_unit_word(first), *(_unit_word(word).replace("$", "$$") for word in rest)]
    lines = [f"Environment={_unit_word(f'{name}={value}')}" for name, value in sorted(program.variables.items())]
    return _filled("videomama.service", command=" ".join(words), environment="\n".join(lines)).encode()


def launchd_agent(program: Program) -> bytes:
    """The agent of a user."""
    arguments = [f"        <string>{escape(word)}</string>" for word in (program.python, *program.arguments)]
    variables = [
        f"        <key>{escape(name)}</key>\n        <string>{escape(value)}</string>"
        for name, value in sorted(program.variables.items())
    ]
    texts = {"arguments": "\n".join(arguments), "environment": "\n".join(variables), "log": escape(program.log)}
    return _filled(f"{LABEL}.plist", **texts).encode()


def windows_task(program: Program) -> bytes:
    """The task, as schtasks reads it: in UTF-16.

    A task has no variables of its own; it gets those that Windows keeps for the user.
    """
    python = Path(program.python)
    texts = {
        "user": escape(program.user),
        "command": escape(program.python),
        "arguments": escape(subprocess.list2cmdline(program.arguments)),
        "folder": escape(str(python.parent)),
    }
    return _filled("videomama-task.xml", **texts).replace("\n", "\r\n").encode("utf-16")


MAKERS: Mapping[str, Callable[[Program], bytes]] = {
    "linux": systemd_unit,
    "darwin": launchd_agent,
    "win32": windows_task,
}


def text_of(content: bytes) -> str:
    """What is in such a file, for people."""
    utf16 = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    return content.decode("utf-16" if utf16 else "utf-8", errors="replace").replace("\r\n", "\n")


def _filled(name: str, **texts: str) -> str:
    template = (_TEMPLATES / name).read_text(encoding="utf-8")
    return string.Template(template).substitute(marker=MARKER, **texts)


def _unit_word(text: str) -> str:
    """A word as systemd unquotes it again: percent signs name specifiers there, backslashes escape."""
    for letter, quoted in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%")):
        text = text.replace(letter, quoted)
    return f'"{text}"'
