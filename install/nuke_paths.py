"""The two variables that stand in for a block in init.py, as lines for shells and words for pipelines."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

# PowerShell takes all of them for the quote that ends a text.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


def block_lines(plugin: Path, command: Path, oldest: int) -> list[str]:
    """The lines for init.py, in ASCII and in the Python of any Nuke: older ones run them, too."""
    return [
        "import os",
        "import nuke",
        f"if nuke.NUKE_VERSION_MAJOR >= {oldest}:",
        f"    os.environ.setdefault('VIDEOMAMA_COMMAND', {str(command)!a})",
        f"    nuke.pluginAddPath({plugin.as_posix()!a})",
    ]


def environment_text(plugin: Path, command: Path) -> str:
    """How to set the variables in each shell and in the usual pipelines, with the paths of this machine."""
    lines = [
        "# Linux and macOS: sh, bash, zsh",
        *shell_lines(plugin, command),
        "",
        "# Windows: PowerShell",
        *powershell_lines(plugin, command),
        "",
        "# Windows: cmd, a batch file",
        *batch_lines(plugin, command),
        "",
        "# Rez: in commands() of the package",
        f"env.NUKE_PATH.append({_text(plugin)})",
        f"env.VIDEOMAMA_COMMAND = {_text(command)}",
        "",
        "# AYON: environment of the application or of the Nuke group; JSON",
        json.dumps({"NUKE_PATH": ["{NUKE_PATH}", str(plugin)], "VIDEOMAMA_COMMAND": str(command)}, ensure_ascii=False),
        "",
        "# ShotGrid Toolkit: in the hook before_app_launch of tk-multi-launchapp",
        f'sgtk.util.append_path_to_env_var("NUKE_PATH", {_text(plugin)})',
        f'os.environ["VIDEOMAMA_COMMAND"] = {_text(command)}',
        "",
        "# The paths are those of this machine. No file was touched. The libraries for Nuke's Python come with",
        "#   python install nuke --libraries-only",
    ]
    if os.pathsep in str(plugin):
        lines.append(f"# NUKE_PATH cannot hold this path: it has a {os.pathsep} in it. Move the project elsewhere.")
    return "\n".join(lines)


def shell_lines(plugin: Path, command: Path) -> Sequence[str]:
    """For POSIX shells; what NUKE_PATH has already stays in front."""
    return (
        'export NUKE_PATH="${NUKE_PATH:+$NUKE_PATH:}"' + shlex.quote(str(plugin)),
        f"export VIDEOMAMA_COMMAND={shlex.quote(str(command))}",
    )


def powershell_lines(plugin: Path, command: Path) -> Sequence[str]:
    """For PowerShell, which has no escapes in single quotes but doubled quotes."""
    quoted = [_POWERSHELL_QUOTES.sub(r"\1\1", str(path)) for path in (plugin, command)]
    return (
        f"$env:NUKE_PATH = $(if ($env:NUKE_PATH) {{ $env:NUKE_PATH + ';' }}) + '{quoted[0]}'",
        f"$env:VIDEOMAMA_COMMAND = '{quoted[1]}'",
    )


def batch_lines(plugin: Path, command: Path) -> Sequence[str]:
    """For batch files, where only percent signs mean something inside the quotes."""
    quoted = [str(path).replace("%", "%%") for path in (plugin, command)]
    return (
        f'if defined NUKE_PATH (set "NUKE_PATH=%NUKE_PATH%;{quoted[0]}") else set "NUKE_PATH={quoted[0]}"',
        f'set "VIDEOMAMA_COMMAND={quoted[1]}"',
    )


def _text(path: Path) -> str:
    return json.dumps(str(path), ensure_ascii=False)
