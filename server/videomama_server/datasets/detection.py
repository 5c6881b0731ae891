"""Finds out in which layout the clips of a folder lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from videomama_client.errors import BadInput, NotPermitted

Clip = TypeVar("Clip")
Clip_co = TypeVar("Clip_co", covariant=True)


class Layout(Protocol[Clip_co]):
    """A way in which clips lie in folders."""

    name: str
    expects: str  # one line for people

    def find(self, folder: Path) -> Mapping[str, Callable[[], Clip_co]]:
        """Return what reads each clip, by name; nothing where `folder` does not have this layout.

        What is returned raises `BadInput` where its clip is incomplete.
        """
        ...


def detect(
    folder: Path, layouts: Mapping[str, Layout[Clip]], named: str = "", what: str = "clips"
) -> tuple[str, Mapping[str, Callable[[], Clip]]]:
    """Return a layout's name, and what reads each clip, by name.

    Args:
        folder: that the clips lie in, or below.
        layouts: by name, those that fit best first.
        named: the only one that is tried; empty for all.
        what: is looked for, for people.

    Raises:
        BadInput: no clip in any layout, or not in the one that is named.
        NotPermitted: the folder may not be listed.
    """
    asked: Iterable[Layout[Clip]] = [layouts[named]] if named else layouts.values()
    for layout in asked:
        found = _found(layout, folder)
        if found:
            return layout.name, found
    expected = "\n".join(f"  {layout.expects}" for layout in asked)
    raise BadInput(f"no {what} were found in {folder}", f"Expected is one of:\n{expected}")


def folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, in order, none where it is not one; hidden ones are left out."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _found(layout: Layout[Clip], folder: Path) -> Mapping[str, Callable[[], Clip]]:
    try:
        return layout.find(folder)
    except PermissionError as error:
        raise NotPermitted(f"{error.filename} may not be listed", "Check its permissions.") from error
