"""Whose the results in a node's folder are: versions and copies of a script have nodes of one id, and share alphas.

The script that refines into a folder owns it. Every script that is open in a window also claims the results that it
shows, saved or not. What another script owns, claims or names stays.
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import nuke
from videomama_client.whole_files import PREFIX, replacing

from videomama_nuke import knobs, paths, precomp
from videomama_nuke.quiet import no_undo

FILE = "script.txt"
CLAIMS = "claims"
_KEY = "[0-9a-f]{16}"
_SHOWN = re.compile(rf"(.+/{_KEY})/")
_SKEW_S = 600.0  # by which the clocks of two disks may differ
_claimed: set[Path] = set()  # since the script was loaded or saved


@dataclass(frozen=True)
class Holders:
    """Which other scripts hold the results in a node's folder.

    Attributes:
        whole: those that hold all of it.
        shown: those that hold a result, by its key.
    """

    whole: list[Path] = field(default_factory=list)
    shown: dict[str, list[Path]] = field(default_factory=dict)

    def of(self, part: str) -> tuple[Path, ...]:
        """Return those that hold a result, or the exports."""
        return tuple(dict.fromkeys([*self.whole, *self.shown.get(part, ())]))


def settle(node: nuke.Node) -> None:
    """Give a node an id of its own where another script owns its folder.

    Only with a window: what a farm opens is a copy of the artist's script, and its alphas are for that one.

    Raises:
        BadInput: the files have no place yet.
    """
    own, owner = precomp.script_of(node), _owner(knobs.folder_of(node))
    if nuke.GUI and owner is not None and _is_another(owner, own):
        renew(node)


def claim(node: nuke.Node) -> None:
    """Say that this script refines into the node's folder, and so owns it."""
    own, folder = precomp.script_of(node), knobs.folder_of(node)
    if not nuke.GUI or own is None:
        return
    with suppress(OSError):  # the refine says better what is wrong with the folder
        _write_claim(folder / FILE, own, folder)


def use(node: nuke.Node) -> None:
    """Say that the open script shows a node's result, wherever that lies."""
    script = precomp.opened_script()
    shown = shown_folder(node) if nuke.GUI and script is not None and knobs.is_whole(node) else None
    if script is None or shown is None:
        return
    file = _claim_file(shown, script)
    if file in _claimed:
        return
    with suppress(OSError):  # where nothing can be written, nothing can be removed
        if shown.is_dir():
            _write_claim(file, script, shown.parent)
            _claimed.add(file)


def claim_again() -> None:
    """Let `use` write every claim once more: a claim counts by its time."""
    _claimed.clear()


def renew(node: nuke.Node) -> None:
    """Give a node another id. What it shows stays where it is."""
    with no_undo():
        node["node_id"].setValue(uuid.uuid4().hex)
    nuke.root().setModified(True)  # a script that is not saved with it gets yet another one


def shown_folder(node: nuke.Node) -> Path | None:
    """Return the folder of the result that a node shows, which may be that of another id; None for none."""
    found = _SHOWN.match(str(knobs.linked(node, "result_file").value() or ""))
    return Path(paths.absolute(paths.mapped(found[1]))) if found else None


def holders(node: nuke.Node) -> Holders:
    """Return which other scripts hold what is in a node's folder.

    The script of a Precomp is another one: what changes inside the Precomp does not change that script. Where nobody
    owns the folder, every script beside this one that has a node of this id may have refined what this one does not
    claim.
    """
    folder, own, opened = knobs.folder_of(node), precomp.script_of(node), precomp.opened_script()
    owner = _owner(folder)
    found, texts = Holders(), _Texts(folder.name)
    if owner is not None and _is_another(owner, own):
        found.whole.append(owner)
    for other in _others(node, owner):
        for key in texts.keys(other):
            found.shown.setdefault(key, []).append(other)
    for key, other in _claims(folder, opened, texts):
        found.shown.setdefault(key, []).append(other)
    if owner is None:
        _add_siblings(found, folder, opened, [other for other in _others(node, None) if texts.names(other)])
    return found


def forget(results: Sequence[Path]) -> None:
    """Remove the claims of results that are gone."""
    for folder in results:
        with suppress(OSError):
            for file in (folder.parent / CLAIMS).glob(f"{folder.name}-*"):
                _claimed.discard(file)
                file.unlink()
            (folder.parent / CLAIMS).rmdir()


class _Texts:
    """The texts of scripts, each read once, and what they have of a node's id."""

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self._read: dict[Path, str] = {}

    def keys(self, script: Path) -> set[str]:
        """Return the keys of the results that a script shows."""
        return set(re.findall(rf"{self._identity}/({_KEY})", self._text(script)))

    def names(self, script: Path) -> bool:
        """Whether a script has a node of the id."""
        return self._identity in self._text(script)

    def _text(self, script: Path) -> str:
        if script not in self._read:
            self._read[script] = ""
            with suppress(OSError):
                self._read[script] = script.read_text(encoding="utf-8", errors="replace")
        return self._read[script]


def _add_siblings(found: Holders, folder: Path, opened: Path | None, siblings: Sequence[Path]) -> None:
    """Let scripts of the same id hold whatever the open script has no claim on."""
    for part in folder.iterdir() if siblings and folder.is_dir() else ():
        if opened is None or not _claim_file(part, opened).is_file():
            found.shown.setdefault(part.name, []).extend(siblings)


def _claims(folder: Path, opened: Path | None, texts: _Texts) -> Iterator[tuple[str, Path]]:
    """Yield keys and the other scripts that claim them."""
    for file in sorted((folder / CLAIMS).glob("*-*")):
        if file.name.startswith(PREFIX):  # just being written
            continue
        key, script = file.name.partition("-")[0], _script_in(file, folder)
        if script is None or not _is_another(script, opened):
            continue
        if key in texts.keys(script) or _may_be_unsaved(file, script):
            yield key, script


def _may_be_unsaved(file: Path, script: Path) -> bool:
    """Whether a script may show what it claims though its file does not say so: it was not saved since."""
    try:
        return file.stat().st_mtime + _SKEW_S > script.stat().st_mtime
    except OSError:  # it cannot be seen from here
        return True


def _others(node: nuke.Node, owner: Path | None) -> list[Path]:
    own = precomp.script_of(node)
    beside = sorted(own.parent.glob("*.nk")) if own is not None else []
    every = dict.fromkeys((*beside, *(path for path in (own, owner) if path is not None)))
    return [path for path in every if own is None or not _same(path, own) or precomp.around(node) is not None]


def _owner(folder: Path) -> Path | None:
    """Return the script that refines into a folder; None for none, and for one that was moved or deleted."""
    script = _script_in(folder / FILE, folder)
    return script if script is not None and _may_exist(script) else None


def _is_another(script: Path, own: Path | None) -> bool:
    return _may_exist(script) and (own is None or not _same(script, own))


def _may_exist(script: Path) -> bool:
    """Whether a script is there, or cannot be seen from here: its folder is away, or its path is of another system."""
    return script.is_file() or not script.is_absolute() or not script.parent.is_dir()


def _same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one == other or one.samefile(other)
    return False


def _claim_file(result: Path, script: Path) -> Path:
    mark = hashlib.blake2b(os.fsencode(script), digest_size=4).hexdigest()
    return result.parent / CLAIMS / f"{result.name}-{mark}"


def _write_claim(file: Path, script: Path, folder: Path) -> None:
    """Name a script; one around the folder by the way to it, so that a project may be moved with its results."""
    file.parent.mkdir(parents=True, exist_ok=True)
    around = script.parent in folder.parents
    text = Path(os.path.relpath(script, folder)).as_posix() if around else str(script)
    with replacing(file) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _script_in(file: Path, folder: Path) -> Path | None:
    """Return the script that a claim names, where this machine sees it; None for none."""
    try:
        named = paths.mapped(file.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    if not named:
        return None
    return Path(named) if paths.is_absolute(named) else Path(os.path.normpath(folder / named))
