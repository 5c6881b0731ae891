"""The init.py in a person's .nuke folder: read, backed up, replaced whole, and put back as it was."""

from __future__ import annotations

import ast
import os
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional, TypeVar

import nuke_block
from failure import InstallError

_BACKUP = "init.py.videomama-backup"
Result = TypeVar("Result")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ELSEWHERE = "Name another folder with --home DIR, or set two variables instead: python install nuke --print-env."


@dataclass(frozen=True)
class Change:
    """What is to become of the init.py in `home`; None stands for no file. Equal contents are no change.

    Attributes:
        drop_folder: remove `home` too if nothing else is in it.
        backup: what the backup has to hold first; None for leaving it as it is.
        warning: what the person should know about the file.
    """

    home: Path
    before: Optional[bytes]
    after: Optional[bytes]
    drop_folder: bool = False
    backup: Optional[bytes] = None
    warning: str = ""

    @property
    def path(self) -> Path:
        """The file, which may be a link."""
        return self.home / "init.py"

    @property
    def nothing(self) -> bool:
        """Whether the file is as it should be."""
        return self.before == self.after


def plan_block(home: Path, lines: Sequence[str]) -> Change:
    """Find out what puts a block of `lines` into the init.py of `home`; writes nothing.

    Raises:
        InstallError: its block is damaged, it cannot be read, or it may not be written.
    """
    before = _read(home)
    notes = [nuke_block.MADE_FILE] * (before is None) + [nuke_block.MADE_FOLDER] * (not home.exists())
    after = _told(home, lambda: nuke_block.insert(before or b"", lines, notes))
    fresh = before is not None and not nuke_block.has_block(before)
    change = Change(home, before, after, backup=before if fresh else None, warning=_syntax(home, before, after))
    if not change.nothing:
        _require_writable(change)
    return change


def plan_removal(home: Path) -> Change:
    """Find out what takes the block out again; a file that was made for it goes if nothing else is in it.

    Raises:
        InstallError: as `plan_block`.
    """
    before = _read(home)
    found = _told(home, lambda: nuke_block.remove(before or b""))
    if found is None:
        return Change(home, before, before)
    rest, notes = found
    gone = nuke_block.MADE_FILE in notes and not rest
    change = Change(home, before, None if gone else rest, drop_folder=gone and nuke_block.MADE_FOLDER in notes)
    _require_writable(change)
    return change


def apply(change: Change) -> None:
    """Make `change`; the file is there whole, before or after, at any moment."""
    if change.nothing:
        return
    if change.after is None:
        change.path.unlink()
        if change.drop_folder and not any(change.home.iterdir()):
            change.home.rmdir()
        return
    change.home.mkdir(parents=True, exist_ok=True)
    if change.backup is not None:
        _write(change.home / _BACKUP, change.backup, like=change.path)
    # A link stays one: the file that it names is replaced, in its own folder.
    _write(Path(os.path.realpath(change.path)), change.after, like=change.path)


def drop_backup(home: Path) -> Optional[Path]:
    """Remove the backup when the file is what it holds; return the backup that is kept since it is not."""
    backup = home / _BACKUP
    if not backup.is_file():
        return None
    if backup.read_bytes() != _read(home):
        return backup
    backup.unlink()
    return None


def set_up(home: Path) -> bool:
    """Whether the init.py of `home` has the block."""
    try:
        return nuke_block.has_block((home / "init.py").read_bytes())
    except OSError:
        return False


def _read(home: Path) -> Optional[bytes]:
    path = home / "init.py"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            reason = f"{path} is a link to {path.readlink()}, which is not there."
            raise InstallError(reason, f"Fix or remove the link. Or: {_ELSEWHERE}") from None
        return None
    except OSError as error:
        raise InstallError(f"{path} cannot be read: {error.strerror}.", _ELSEWHERE) from error
    if content.startswith(_UTF16) or b"\0" in content:
        raise InstallError(
            f"{path} is not text that Python reads: it looks like UTF-16.", f"Save it as UTF-8. Or: {_ELSEWHERE}"
        )
    return content


def _told(home: Path, action: Callable[[], Result]) -> Result:
    """Run `action`, whose errors do not know which file they are about."""
    try:
        return action()
    except InstallError as error:
        raise InstallError(f"{home / 'init.py'}: {error.message} Nothing was changed.", error.hint) from None


def _syntax(home: Path, before: Optional[bytes], after: bytes) -> str:
    """A warning when the person's part is no Python: Nuke may stop there, and never get to the block."""
    problem = _parse(before or b"")
    if problem:
        return (
            f"{home / 'init.py'} does not read as Python 3 ({problem}): if Nuke stops there, the plug-in is not loaded."
        )
    problem = _parse(after)
    if problem:
        raise InstallError(f"{home / 'init.py'} would no longer read as Python ({problem}).", _ELSEWHERE)
    return ""


def _parse(content: bytes) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(content)
        except (SyntaxError, ValueError) as error:
            return str(error)
    return ""


def _require_writable(change: Change) -> None:
    """Raise while nothing is done yet when `change` could not be made."""
    target = Path(os.path.realpath(change.path))
    folder = target.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise InstallError(f"{change.path} cannot be made: {folder} is not a folder.", _ELSEWHERE)
    for path in (change.home if change.home.exists() else folder, folder, target if target.exists() else folder):
        if not os.access(path, os.W_OK):
            raise InstallError(f"{change.path} cannot be written: {path} is read-only for you.", _ELSEWHERE)


def _write(path: Path, content: bytes, like: Path) -> None:
    """Put `content` under its name whole, with the permissions of `like` where that is there."""
    partial = path.with_name(f".videomama-{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if like.exists():
            shutil.copymode(like, partial)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
