"""The verb `path`: puts `videomama` where shells find it, and its completion where bash and fish look for it."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from environment import Environment
from failure import InstallError

_MARK = "videomama-bridge"  # in every file that this verb writes
_BASH = '# {mark}\neval "$(_VIDEOMAMA_COMPLETE=bash_source videomama)"\n'
_FISH = "# {mark}\n_VIDEOMAMA_COMPLETE=fish_source videomama | source\n"
_CMD = '@rem {mark}\r\n@"{script}" %*\r\n'
_ZSH = 'For completion in zsh, add this line to ~/.zshrc:  eval "$(_VIDEOMAMA_COMPLETE=zsh_source videomama)"'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--install", dest="path", action="store_const", const="install", help="write the files")
    action.add_argument("--remove", dest="path", action="store_const", const="remove", help="take them away again")


def run(options: argparse.Namespace, environment: Environment) -> int:
    """Show, write or remove the files, and return the exit code."""
    if options.path == "remove":
        for file in remove():
            print(f"{file} is removed.")
        return 0
    if options.path == "install":
        for line in install(environment):
            print(line)
        return 0
    for file, content in files(environment).items():
        target = environment.script("videomama")
        print(f"{file} would be written." if content else f"{file} would be a link to {target}.")
    print("`python install path --install` writes this.")
    return 0


def install(environment: Environment) -> list[str]:
    """Write the files and return what to say of it.

    Raises:
        InstallError: nothing is installed, or a file of another program is in the place.
    """
    script = environment.script("videomama")
    if not script.exists():
        raise InstallError(f"There is no {script} to put on the PATH.", "Run `python install server` first.")
    wanted = files(environment)
    for file in wanted:
        _refuse_foreign(file)
    for file, content in wanted.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        if content is None:
            file.symlink_to(script)
        else:
            file.write_bytes(content.encode())
    lines = [f"{file} is written." for file in wanted]
    folder = command_file().parent
    if str(folder) not in os.environ.get("PATH", "").split(os.pathsep):
        lines.append(f"{folder} is not on your PATH. {_how_to_add(folder)}")
    return [*lines, *([] if sys.platform == "win32" else [_ZSH])]


def _how_to_add(folder: Path) -> str:
    """Return what a person does to put a folder on the PATH of this system's shells."""
    if sys.platform == "win32":
        return "Add it under `Edit environment variables for your account`, then open a new terminal."
    line = f'export PATH="{folder}:$PATH"'
    return f"Add this line to ~/.bashrc (zsh: ~/.zshrc), then open a new terminal:  {line}"


def remove() -> list[Path]:
    """Remove the files of this verb, and return them; those of other programs stay."""
    gone = ours()
    for file in gone:
        file.unlink()
    return gone


def ours() -> list[Path]:
    """Return the files of this verb that are there."""
    return [file for file in _places() if _is_ours(file)]


def files(environment: Environment) -> dict[Path, str | None]:
    """Return what is to be written: contents by file, None for a link to the program."""
    script = environment.script("videomama")
    if sys.platform == "win32":
        return {command_file(): _CMD.format(mark=_MARK, script=script)}
    link, bash, fish = _places()
    return {link: None, bash: _BASH.format(mark=_MARK), fish: _FISH.format(mark=_MARK)}


def command_file() -> Path:
    """Return the file that shells find as `videomama`."""
    if sys.platform == "win32":  # a folder that is on every user's PATH
        return Path(os.environ["LOCALAPPDATA"]) / "Microsoft" / "WindowsApps" / "videomama.cmd"
    return Path.home() / ".local" / "bin" / "videomama"


def _places() -> tuple[Path, ...]:
    if sys.platform == "win32":
        return (command_file(),)
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    completion = data / "bash-completion" / "completions" / "videomama"
    return (command_file(), completion, config / "fish" / "completions" / "videomama.fish")


def _is_ours(file: Path) -> bool:
    """Whether this verb wrote a file, or may: a link to a program of this name in an environment."""
    if file.is_symlink():
        return file.readlink().name == "videomama"
    return file.is_file() and _MARK.encode() in file.read_bytes()


def _refuse_foreign(file: Path) -> None:
    if (file.exists() or file.is_symlink()) and not _is_ours(file):
        raise InstallError(f"{file} was not made by this installer.", "Move it away first: nothing was changed.")
